package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
	"github.com/pegel-audit/pegel/reports"
)

func explainCommand(w World) *cobra.Command {
	var opt pipeline.ExplainOptions
	var a accepting
	var out []string
	var lang string
	cmd := &cobra.Command{
		Use:   "explain BUNDLE [FINDING]",
		Short: "Show how one finding came about: the rule, the facts, the evidence behind each, and what to do",
		Long: "Show how one finding of a bundle came about: what is demanded and by whom, the value of each part of the rule, and each\n" +
			"fact with its evidence: where it was read, and the bytes or the JSON pointer in the bundle that show it. FINDING is the\n" +
			"id of a finding, or what only one id begins or ends with. Without it the findings that decide are listed, worst first.\n" +
			"The same stands in the report.",
		Example: "  pegel explain pegel-bundle\n  pegel explain pegel-bundle product-licence-osi/redis --lang de\n  pegel explain pegel-bundle status-page/operator -o json=-",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			outs, err := parseOutputs(out, []string{"text", "json"}, output{"text", "-"})
			if err != nil {
				return err
			}
			if known := reports.Languages(); !slices.Contains(known, lang) {
				return &pipeline.UsageError{Err: fmt.Errorf("flag --lang: unknown language %q", lang), Hint: "languages: " + strings.Join(known, ", ")}
			}
			if err := a.read(&opt.AssessOptions); err != nil {
				return err
			}
			render, err := explained(args, opt, lang)
			if err != nil {
				return err
			}
			for _, o := range outs {
				data, err := render(o.format)
				if err != nil {
					return err
				}
				if err := o.write(w.Stdout, data); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringArrayVarP(&out, "output", "o", nil, "write as `FORMAT=FILE`: text or json; - is standard output (repeatable)")
	cmd.Flags().StringVar(&lang, "lang", "en", "language of labels and of the policy's texts: `LANG` is en, de or fr")
	cmd.Flags().BoolVar(&opt.Full, "full", false, "show host names, internal registries and other internal names")
	assessFlags(cmd, &opt.AssessOptions)
	a.register(cmd)
	a.registerWaivers(cmd)
	return cmd
}

// explained decides the bundle and returns how the answer is written: about one finding, or the list of those that decide.
func explained(args []string, opt pipeline.ExplainOptions, lang string) (func(format string) ([]byte, error), error) {
	if len(args) == 1 {
		list, err := pipeline.Limiting(args[0], opt)
		if err != nil {
			return nil, err
		}
		return func(format string) ([]byte, error) {
			if format == "json" {
				return reports.LimitingJSON(list)
			}
			return []byte(reports.LimitingText(list, lang)), nil
		}, nil
	}
	opt.Finding = args[1]
	x, err := pipeline.Explain(args[0], opt)
	if err != nil {
		return nil, err
	}
	return func(format string) ([]byte, error) {
		if format == "json" {
			return reports.ExplanationJSON(x)
		}
		return []byte(reports.ExplanationText(x, lang)), nil
	}, nil
}
