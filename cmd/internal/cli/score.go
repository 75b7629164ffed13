package cli

import (
	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
	"github.com/pegel-audit/pegel/reports"
)

func scoreCommand(w World) *cobra.Command {
	var g gathering
	var out []string
	var history int
	cmd := &cobra.Command{
		Use:   "score REPO[@REV]...",
		Short: "Score upstream projects: how open, mature, safe and active they are, and why",
		Long: "Score upstream projects by the questions of scs-0008. REPO is the URL of a git repository, the path of a local clone\n" +
			"(bare or not), or a name from the catalogue (write ./NAME for a directory of that name). Scores are intervals: what is\n" +
			"not known widens them. A revision is judged on the day of its commit unless --at says otherwise; --at head does the\n" +
			"same for the default branch.",
		Example: "  pegel score ./keystone\n  pegel score https://github.com/coredns/coredns --at head\n  pegel score etcd --mirror ~/clones -o json=-",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			outs, err := parseOutputs(out, []string{"text", "json"}, output{"text", "-"})
			if err != nil {
				return err
			}
			atHead := g.at == "head"
			if atHead {
				g.at = ""
			}
			opt, err := g.options(cmd, w)
			if err != nil {
				return err
			}
			score := pipeline.Score
			if history > 0 {
				score = pipeline.WithHistory(history)
			}
			projects, err := score(cmd.Context(), args, atHead, opt)
			if err != nil {
				return err
			}
			for _, o := range outs {
				data, err := reports.RenderScore(o.format, projects, reports.Options{Width: w.Width, Color: w.Color && o.file == "-"})
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
	g.register(cmd, false)
	cmd.Flags().StringArrayVarP(&out, "output", "o", nil, "write as `FORMAT=FILE`: text or json; - is standard output (repeatable)")
	cmd.Flags().IntVar(&history, "history", 0, "also score the ends of the last `N` quarters, from the same clones (12 if no number is given)")
	cmd.Flags().Lookup("history").NoOptDefVal = "12"
	return cmd
}
