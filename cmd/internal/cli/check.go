package cli

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
	"github.com/pegel-audit/pegel/reports"
)

// mostFailures is the highest exit code of a check script (standards: Tests/scs-compliance-check.py, main).
const mostFailures = 127

func checkCommand(w World) *cobra.Command {
	var g gathering
	var a accepting
	var asked []string
	cmd := &cobra.Command{
		Use:   "check [STACK|BUNDLE] [-t TESTCASE...]",
		Short: "Answer test cases as a check script of SCS does",
		Long: "Answer test cases as a check script of SCS does: one line for each on standard output, \"TESTCASE: PASS\", FAIL or ABORT,\n" +
			"and the reasons on standard error, each beginning with INFO, WARNING, ERROR or CRITICAL. STACK is audited first; of a\n" +
			"BUNDLE only the evidence in it is judged. Without either it is stack.yaml. What cannot be decided, and what only the\n" +
			"operator says, is ABORT; what does not apply has no line. Without -t all test cases are answered.\n" +
			"Test cases may follow each other: -t A B C. A word with a dot or a slash, or that is a directory, is the stack or the bundle.\n\n" +
			"The exit code is the number of lines that say FAIL, at most 127; 2 and 70, with CRITICAL on standard error and every\n" +
			"test case ABORT, mean that nothing could be checked.",
		Example: "  pegel check stack.yaml --scope scs-open-iaas -t pegel-product-licence-osi pegel-stack-bom\n  pegel check ./pegel-bundle --scope scs-open-iaas",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			target, cases, err := checkArguments(args)
			asked = append(asked, cases...)
			var report reports.Report
			if err == nil {
				report, err = checkTarget(cmd, w, &g, a, target)
			}
			if err != nil {
				sayChecked(w, cmd, reports.SCSAbort(asked, err, hintOf(err)))
				return status(exitCode(err))
			}
			result := reports.SCSCheck(report, requestedScopes(report), asked)
			sayChecked(w, cmd, result)
			if result.Failures == 0 {
				return nil
			}
			return status(min(result.Failures, mostFailures))
		},
	}
	g.register(cmd, true)
	a.register(cmd)
	a.registerWaivers(cmd)
	cmd.Flags().StringArrayVarP(&asked, "test", "t", nil, "answer this `TESTCASE`; more may follow it (repeatable)")
	return cmd
}

// checkArguments tells the stack or bundle from test cases, whose ids have neither dots nor slashes and are no directories.
func checkArguments(args []string) (target string, cases []string, err error) {
	target = "stack.yaml"
	given := false
	for _, arg := range args {
		switch {
		case !strings.ContainsAny(arg, "./\\") && !isDirectory(arg):
			cases = append(cases, arg)
		case given:
			return "", cases, &pipeline.UsageError{Err: fmt.Errorf("%q and %q are both a stack or a bundle; one is checked at a time", target, arg)}
		default:
			target, given = arg, true
		}
	}
	return target, cases, nil
}

// isDirectory reports whether a word names a directory, such as pegel-bundle: test cases begin with "pegel-" too.
func isDirectory(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

// checkTarget audits a stack file, or judges a bundle.
func checkTarget(cmd *cobra.Command, w World, g *gathering, a accepting, target string) (reports.Report, error) {
	judging := pipeline.AssessOptions{Policy: g.policy, Policies: g.policies, PolicySigners: g.signers, Scopes: g.scopes}
	if err := a.read(&judging); err != nil {
		return reports.Report{}, err
	}
	if info, err := os.Stat(target); err == nil && info.IsDir() {
		return pipeline.Assess(target, judging)
	}
	stack, err := pipeline.ReadStack(target)
	if err != nil {
		return reports.Report{}, err
	}
	opt, err := g.options(cmd, w)
	if err != nil {
		return reports.Report{}, err
	}
	opt.Log, opt.Progress = slog.New(slog.DiscardHandler), nil // every line on standard error begins with a level of SCS
	if _, _, err := pipeline.Audit(cmd.Context(), stack, opt); err != nil {
		return reports.Report{}, err
	}
	return pipeline.Assess(opt.Bundle, judging)
}

// hintOf is what to do about an error; empty if it does not say.
func hintOf(err error) string {
	var usage *pipeline.UsageError
	if errors.As(err, &usage) {
		return usage.Hint
	}
	return ""
}

func requestedScopes(r reports.Report) (out []string) {
	for _, v := range r.Verdicts {
		if v.Requested && !slices.Contains(out, v.Scope) {
			out = append(out, v.Scope)
		}
	}
	return out
}

// sayChecked prints lines to standard output and messages to standard error. INFO is left out with --quiet.
func sayChecked(w World, cmd *cobra.Command, c reports.SCSChecked) {
	quiet, _ := cmd.Flags().GetBool("quiet")
	for _, m := range c.Messages {
		if !quiet || !strings.HasPrefix(m, "INFO") {
			fmt.Fprintln(w.Stderr, m)
		}
	}
	for _, line := range c.Lines {
		_, _ = io.WriteString(w.Stdout, line+"\n")
	}
}
