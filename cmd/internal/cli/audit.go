package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
	"github.com/pegel-audit/pegel/reports"
)

func auditCommand(w World) *cobra.Command {
	var g gathering
	var r rendering
	var plan bool
	var files string
	cmd := &cobra.Command{
		Use:   "audit STACK",
		Short: "Gather the evidence of a stack and decide the levels it is eligible for",
		Long: "Gather the evidence of a stack into a bundle, decide every scope that the stack file asks for, and write the report.\n" +
			"The bundle can be verified, replayed and evaluated again anywhere, without the systems it came from.\n\n" + exitTable,
		Example: "  pegel audit examples/scs-reference/stack.yaml --offline -o html=report.html -o text=-\n  pegel audit stack.yaml --plan",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			stack, err := pipeline.ReadStack(args[0])
			if err != nil {
				return err
			}
			opt, err := g.options(cmd, w)
			if err != nil {
				return err
			}
			if plan {
				return printPlan(w, stack, opt)
			}
			outs, err := r.outputs()
			if err != nil {
				return err
			}
			if err := pipeline.CheckFiles(files); err != nil {
				return err
			}
			opt.Files = files
			report, identity, err := pipeline.Audit(cmd.Context(), stack, opt)
			if err != nil {
				return err
			}
			opt.Log.Info("bundle written", "dir", opt.Bundle, "identity", string(identity))
			if err := r.write(w, report, outs); err != nil {
				return err
			}
			return verdictCode(report)
		},
	}
	g.register(cmd, true)
	r.register(cmd)
	registerFiles(cmd, &files)
	cmd.Flags().BoolVar(&plan, "plan", false, "contact nobody: print what a run would read and ask, and with which right")
	return cmd
}

func printPlan(w World, stack pipeline.Stack, opt pipeline.Options) error {
	contacts, err := pipeline.Plan(stack, opt)
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(w.Stdout, reports.PlanText(contacts))
	return err
}

// rendering are the flags of every command that writes a report.
type rendering struct {
	out  []string
	full bool
	lang string
	name string // of the subject at the compliance monitor of SCS; for scs-report
}

func (r *rendering) register(cmd *cobra.Command) {
	cmd.Flags().StringArrayVarP(&r.out, "output", "o", nil, "write the report as `FORMAT=FILE`: json, text, html or scs-report; - is standard output (repeatable)")
	cmd.Flags().BoolVar(&r.full, "full", false, "show host names, internal registries and other internal names")
	cmd.Flags().StringVar(&r.lang, "lang", "en", "language of what a report says in several: `LANG` is en, de or fr; the rest is English, and JSON has all of them")
}

func (r *rendering) outputs() ([]output, error) {
	if !slices.Contains(reports.Languages(), r.lang) {
		return nil, &pipeline.UsageError{Err: fmt.Errorf("flag --lang: no language %q", r.lang), Hint: "there are " + strings.Join(reports.Languages(), ", ")}
	}
	return parseOutputs(r.out, reports.Names(), output{"text", "-"})
}

func (r *rendering) write(w World, report reports.Report, outs []output) error {
	if !r.full {
		report = reports.Redact(report)
	}
	for _, o := range outs {
		opt := reports.Options{Width: w.Width, Color: w.Color && o.file == "-", Lang: r.lang, Subject: r.name}
		data, err := reports.Render(o.format, report, opt)
		if err != nil {
			return err
		}
		if err := o.write(w.Stdout, data); err != nil {
			return err
		}
	}
	return nil
}
