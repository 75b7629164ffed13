package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
	"github.com/pegel-audit/pegel/reports"
)

// transparency are the flags of pegel transparency.
type transparency struct {
	gathering
	accepting
	out       []string
	providers string
	show      string
	full      bool
	plan      bool
}

func transparencyCommand(w World) *cobra.Command {
	var t transparency
	cmd := &cobra.Command{
		Use:   "transparency URL|STACK|BUNDLE",
		Short: "Look at an operator's public artifacts as an outsider would: status page, monitor, reports, runbooks",
		Long: "Look at the public artifacts of whoever runs a cloud, as somebody without rights sees them, keep the bytes in a bundle and\n" +
			"say what was found, how fresh it is and what an outsider could not see. STACK is a stack file whose transparency: and\n" +
			"conformance: name the artifacts; from a URL, an operator's site, they are searched. BUNDLE, a directory that an earlier run\n" +
			"wrote, gives the same answers again without asking anybody; --show DIGEST prints a piece of its evidence.\n\n" +
			"--providers FILE looks at many clouds and writes a table. Servers are asked politely: robots.txt is respected, one request\n" +
			"at a time per host, no cookies (docs/visiting.md).\n\n" +
			"Exit codes: 0 every question that decides a level is answered yes or does not apply; 1 one is answered no; 3 none of that,\n" +
			"but one is open. Recommendations are shown and decide nothing. A table of --providers, which judges nobody, ends with 0.",
		Example: "  pegel transparency examples/operators/exemplary/stack.yaml --offline\n" +
			"  pegel transparency https://cloud.example.org -o html=seen.html\n" +
			"  pegel transparency pegel-bundle --show sha256:2c26b46b68ff\n" +
			"  pegel transparency --providers examples/operators/providers.yaml -o markdown=table.md",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := t.run(cmd, args, w)
			if errors.Is(err, context.Canceled) {
				err = startsAgain{err}
			}
			return err
		},
	}
	t.gathering.register(cmd, false)
	t.accepting.register(cmd)
	f := cmd.Flags()
	f.StringVar(&t.bundle, "bundle", "pegel-transparency", "`DIR` to write the evidence bundle to; with --providers one bundle for each cloud below it, by default in pegel-providers")
	f.StringArrayVarP(&t.out, "output", "o", nil, "write as `FORMAT=FILE`: "+strings.Join(reports.OperatorFormats(), ", ")+"; - is standard output (repeatable)")
	f.StringVar(&t.providers, "providers", "", "look at all clouds of this `FILE` and write a table")
	f.StringVar(&t.show, "show", "", "print the evidence with this `DIGEST` from a bundle")
	f.BoolVar(&t.full, "full", false, "show addresses of a cloud that is not public")
	f.BoolVar(&t.plan, "plan", false, "contact nobody: print what would be asked")
	return cmd
}

func (t *transparency) run(cmd *cobra.Command, args []string, w World) error {
	if (len(args) == 0) == (t.providers == "") {
		return &pipeline.UsageError{Err: fmt.Errorf("one of URL, STACK, BUNDLE or --providers FILE is needed"), Hint: "usage: " + cmd.UseLine()}
	}
	outs, err := parseOutputs(t.out, reports.OperatorFormats(), output{"text", "-"})
	if err != nil {
		return err
	}
	if t.providers != "" && !cmd.Flags().Changed("bundle") {
		t.bundle = "pegel-providers" // one bundle would not be one any more with others below it
	}
	opt, err := t.options(cmd, w)
	if err != nil {
		return err
	}
	switch {
	case t.providers != "":
		return t.table(cmd, w, outs, opt)
	case t.show != "":
		return showEvidence(w, args[0], t.show)
	}
	view, err := t.look(cmd, w, args[0], opt)
	if err != nil || t.plan {
		return err
	}
	if !t.full {
		view = reports.RedactOperator(view)
	}
	for _, o := range outs {
		data, err := reports.RenderOperator(o.format, view, reports.Options{Width: w.Width, Color: w.Color && o.file == "-"})
		if err != nil {
			return err
		}
		if err := o.write(w.Stdout, data); err != nil {
			return err
		}
	}
	return answersCode(view.Operator.Answers)
}

// look finds out what is meant: an address, a bundle, or a stack file.
func (t *transparency) look(cmd *cobra.Command, w World, target string, opt pipeline.Options) (reports.OperatorView, error) {
	var none reports.OperatorView
	var assess pipeline.AssessOptions
	if err := t.accepting.read(&assess); err != nil {
		return none, err
	}
	if isBundle(target) {
		return pipeline.OperatorOf(target, assess)
	}
	var stack pipeline.Stack
	var err error
	if strings.HasPrefix(target, "https://") || strings.HasPrefix(target, "http://") {
		stack, err = pipeline.OutsideStack(target)
	} else {
		stack, err = pipeline.ReadStack(target)
	}
	if err != nil {
		return none, err
	}
	if t.plan {
		return none, printOperatorPlan(w, stack, opt)
	}
	view, err := pipeline.Transparency(cmd.Context(), stack, opt)
	if err != nil || len(assess.Acceptances) == 0 {
		return view, err
	}
	return pipeline.OperatorOf(opt.Bundle, assess)
}

func printOperatorPlan(w World, stack pipeline.Stack, opt pipeline.Options) error {
	contacts, err := pipeline.OperatorPlan(stack, opt)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(w.Stdout, reports.PlanText(contacts))
	return err
}

func isBundle(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "oci-layout"))
	return err == nil
}

func showEvidence(w World, dir, digest string) error {
	data, err := pipeline.EvidenceBytes(dir, digest)
	if err != nil {
		return err
	}
	if w.Width > 0 { // a terminal: what a stranger wrote must not steer it
		lines := strings.Split(string(data), "\n")
		for _, l := range lines {
			fmt.Fprintln(w.Stdout, printable(l))
		}
		return nil
	}
	_, err = w.Stdout.Write(data)
	return err
}

// answersCode is the exit code of what was seen: the worst of all answers.
func answersCode(answers []reports.OperatorAnswer) error {
	code := exitDone
	for _, a := range answers {
		switch {
		case a.Severity != "must": // recommendations and information decide nothing
		case a.Outcome == audit.FAIL, a.Outcome == audit.PART:
			return status(exitNotEligible)
		case a.Outcome != audit.PASS && a.Outcome != audit.NA, a.Declared:
			code = exitUndetermined
		}
	}
	if code == exitDone {
		return nil
	}
	return status(code)
}

// table looks at many clouds and writes what was seen side by side.
func (t *transparency) table(cmd *cobra.Command, w World, outs []output, opt pipeline.Options) error {
	list, network, err := pipeline.ReadProviders(t.providers)
	if err != nil {
		return err
	}
	if t.plan {
		contacts, err := pipeline.OutsidePlan(list, network, opt)
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(w.Stdout, reports.PlanText(contacts))
		return err
	}
	if isBundle(opt.Bundle) {
		return &pipeline.UsageError{Err: fmt.Errorf("flag --bundle: %q is a bundle itself", opt.Bundle), Hint: "name another directory: a bundle for each cloud is written below it"}
	}
	table, err := pipeline.Outside(cmd.Context(), list, network, opt)
	if err != nil {
		return err
	}
	for _, o := range outs {
		data, err := reports.RenderProviders(o.format, table, reports.Options{Width: w.Width, Color: w.Color && o.file == "-"})
		if err != nil {
			return err
		}
		if err := o.write(w.Stdout, data); err != nil {
			return err
		}
	}
	return nil
}
