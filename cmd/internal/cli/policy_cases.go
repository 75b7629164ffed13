package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
)

func policyTestCommand(w World) *cobra.Command {
	var choice pipeline.PolicyChoice
	var coverage bool
	cmd := &cobra.Command{
		Use:   "test [DIR|FILE...]",
		Short: "Try a policy on its cases: facts about a subject or a whole stack, and what shall come out",
		Long: "Try a policy on cases. A DIR with policy.yaml is a policy with its cases; other names are files and folders of cases, tried\n" +
			"on the built-in policy or on that of --policy. Each failure shows file and line, what was wanted, what came, and the tree\n" +
			"of sub-expressions. With --coverage sub-expressions that were never true or never false count as failures too.\n\n" +
			"Exit code 1: a case failed, or something is not covered.",
		Example: "  pegel policy test\n  pegel policy test ./my-policy --coverage\n  pegel policy test my-case.yaml",
		RunE: func(_ *cobra.Command, args []string) error {
			now, err := clock(w)
			if err != nil {
				return err
			}
			choice.At = now
			tested, err := pipeline.PolicyTest(args, choice)
			if err != nil {
				return err
			}
			return writeTested(w.Stdout, tested, coverage)
		},
	}
	policyFlags(cmd, &choice.Asked, &choice.Dirs, &choice.Signers)
	cmd.Flags().BoolVar(&coverage, "coverage", false, "list sub-expressions that no case makes true or none makes false")
	return cmd
}

// writeTested shows what was tried and what failed; the code is 1 if anything did.
func writeTested(out io.Writer, t pipeline.PolicyTested, coverage bool) error {
	for _, p := range t.Problems {
		fmt.Fprintln(out, printable(p.String()))
	}
	if len(t.Problems) > 0 {
		fmt.Fprintf(out, "%d problems; no case was tried\n", len(t.Problems))
		return status(exitNotEligible)
	}
	r := t.Result
	for _, f := range r.Failures {
		fmt.Fprintln(out, printable(f.String()))
		for line := range strings.Lines(f.Tree) {
			fmt.Fprintln(out, "    "+printable(strings.TrimRight(line, "\n")))
		}
	}
	if coverage {
		for _, u := range r.Uncovered {
			fmt.Fprintln(out, printable(u.String()))
		}
		fmt.Fprintf(out, "coverage: %d of %d sub-expressions were true once and false once\n", r.Parts-len(r.Uncovered), r.Parts)
	}
	fmt.Fprintf(out, "%s %s: %d cases of %d requirements, %d stacks, %d failures\n", t.Policy.ID(), printable(t.Policy.Version()), r.Cases, r.Requirements, r.Stacks, len(r.Failures))
	if len(r.Failures) > 0 || coverage && len(r.Uncovered) > 0 {
		return status(exitNotEligible)
	}
	return nil
}
