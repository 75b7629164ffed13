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
