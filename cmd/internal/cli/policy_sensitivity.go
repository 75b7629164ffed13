package cli

import (
	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
	"github.com/pegel-audit/pegel/reports"
)

func policySensitivityCommand(w World) *cobra.Command {
	var out []string
	var profile string
	cmd := &cobra.Command{
		Use:   "sensitivity BUNDLE",
		Short: "Show how far each gate is from flipping, and which number would flip it",
		Long: "Judge the projects of a bundle and show how far each gate is from another outcome, and for each number of the profile the\n" +
			"smallest change that decides anything otherwise. As markdown the page shows what each gate and indicator does with the\n" +
			"projects, as docs/calibration.md does. BUNDLE is the bundle of an audit, or recorded evidence of projects.",
		Example: "  pegel policy sensitivity examples/community-evidence\n  pegel policy sensitivity pegel-bundle --profile mine.yaml -o markdown=calibration.md",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			outs, err := parseOutputs(out, []string{"text", "markdown", "json"}, output{"text", "-"})
			if err != nil {
				return err
			}
			c, err := pipeline.Calibrate(args[0], profile)
			if err != nil {
				return err
			}
			for _, o := range outs {
				data, err := reports.RenderCalibration(o.format, c, reports.Options{Width: w.Width, Color: w.Color && o.file == "-"})
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
	cmd.Flags().StringVar(&profile, "profile", "", "judge every project by this profile: `FILE|ID`")
	cmd.Flags().StringArrayVarP(&out, "output", "o", nil, "write as `FORMAT=FILE`: text, markdown or json; - is standard output (repeatable)")
	return cmd
}
