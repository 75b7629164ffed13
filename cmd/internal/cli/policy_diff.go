package cli

import (
	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
	"github.com/pegel-audit/pegel/reports"
)

func policyDiffCommand(w World) *cobra.Command {
	var out []string
	cmd := &cobra.Command{
		Use:   "diff A B BUNDLE",
		Short: "Show whose verdict changes from rules A to rules B, and by which number",
		Long: "Judge the evidence of a bundle by two sets of rules and show which projects, gates and scopes are decided otherwise,\n" +
			"and which setting alone brings that about; where none does alone, a smallest set that does. A and B are policy\n" +
			"directories, the word built-in, names of built-in profiles (service, library, feature-complete), or profile files.\n" +
			"BUNDLE is the bundle of an audit, or recorded evidence of projects.",
		Example: "  pegel policy diff service feature-complete examples/community-evidence\n  pegel policy diff built-in ./my-policy pegel-bundle -o json=-",
		Args:    cobra.ExactArgs(3),
		RunE: func(_ *cobra.Command, args []string) error {
			outs, err := parseOutputs(out, []string{"text", "json"}, output{"text", "-"})
			if err != nil {
				return err
			}
			diff, err := pipeline.PolicyDiff(args[0], args[1], args[2])
			if err != nil {
				return err
			}
			for _, o := range outs {
				data, err := reports.RenderPolicyDiff(o.format, diff, reports.Options{Width: w.Width, Color: w.Color && o.file == "-"})
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
	return cmd
}
