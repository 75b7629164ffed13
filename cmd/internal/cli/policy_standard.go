package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
	"github.com/pegel-audit/pegel/reports"
)

// standardFormat is the name of the format that shows a scope as a draft of an SCS standard.
const standardFormat = "scs-standard"

func policyShowCommand(w World) *cobra.Command {
	var out, dir string
	cmd := &cobra.Command{
		Use:   "show SCOPE -o scs-standard[=FILE]",
		Short: "Show a scope of the policy as a draft in the template of SCS's standards",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return showStandard(w, dir, args[0], out)
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", standardFormat, "write as `FORMAT[=FILE]`: scs-standard; - is standard output")
	cmd.Flags().StringVar(&dir, "policy", "", "take the policy in this `DIR` instead of the one built in")
	return cmd
}

// showStandard writes a scope as a draft standard; out is scs-standard, scs-standard=FILE or scs-standard=DIR/.
func showStandard(w World, dir, scope, out string) error {
	format, file, _ := strings.Cut(out, "=")
	if format != standardFormat {
		return &pipeline.UsageError{Err: fmt.Errorf("flag -o: unknown format %q", format), Hint: "formats of this command: " + standardFormat}
	}
	scopes, err := pipeline.SCSScopes(dir, []string{scope})
	if err != nil {
		return err
	}
	return writeScopes(w, scopes, file, ".md", reports.SCSStandard)
}
