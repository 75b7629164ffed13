package cli

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
	"github.com/pegel-audit/pegel/reports"
)

// version is the module version of a released build, else "devel".
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}

func versionCommand(w World) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(w.Stdout, "pegel", version())
			return err
		},
	}
}

func schemaCommand(w World) *cobra.Command {
	return &cobra.Command{
		Use:   "schema NAME",
		Short: "Print the JSON Schema of a file that Pegel writes",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			data, err := reports.SchemaOf(args[0])
			if err != nil {
				return &pipeline.UsageError{Err: err}
			}
			_, err = w.Stdout.Write(data)
			return err
		},
	}
}

func policyCommand(w World) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "Show and check the criteria",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		policyDiffCommand(w),
		policySensitivityCommand(w),
		policyScopeCommand(w),
		policyShowCommand(w),
		&cobra.Command{
			Use:   "list",
			Short: "List the scopes and how many requirements each has",
			Args:  cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				text, err := pipeline.PolicyList()
				if err != nil {
					return err
				}
				_, err = fmt.Fprint(w.Stdout, text)
				return err
			},
		},
		&cobra.Command{
			Use:   "lint DIR",
			Short: "Check a policy directory",
			Args:  cobra.ExactArgs(1),
			RunE: func(_ *cobra.Command, args []string) error {
				problems, err := pipeline.PolicyLint(args[0])
				if err != nil {
					return err
				}
				for _, p := range problems {
					fmt.Fprintln(w.Stdout, printable(p))
				}
				if len(problems) > 0 {
					return status(exitNotEligible)
				}
				_, err = fmt.Fprintf(w.Stdout, "%s: no problems\n", printable(args[0]))
				return err
			},
		},
	)
	return cmd
}
