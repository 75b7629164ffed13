package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
	"github.com/pegel-audit/pegel/reports"
)

func policyScopeCommand(w World) *cobra.Command {
	var out string
	var choice pipeline.PolicyChoice
	cmd := &cobra.Command{
		Use:   "scope [SCOPE]",
		Short: "Write a scope as the file that SCS's own tooling loads",
		Long: "Write certificate scopes of the policy in the form of scs-0003: scs-open-iaas.yaml and so on. SCS's compliance check runs\n" +
			"pegel check with such a file, and the compliance monitor serves it. Each is named \"Pegel proposal for ...\" and has an id\n" +
			"of its own: it is no scope of SCS.",
		Example: "  pegel policy scope -o Tests/\n  pegel policy scope scs-open-iaas -o -",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			var err error
			if choice.At, err = clock(w); err != nil {
				return err
			}
			scopes, err := pipeline.SCSScopes(choice, args)
			if err != nil {
				return err
			}
			return writeScopes(w, scopes, out, ".yaml", reports.SCSScopeYAML)
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "write to this `FILE`, or one file for each scope into DIR/; - is standard output")
	policyFlags(cmd, &choice.Asked, &choice.Dirs, &choice.Signers)
	return cmd
}

// writeScopes writes one document for each scope: into a directory (out ends in /), or the only one into a file.
func writeScopes(w World, scopes []reports.SCSScope, out, suffix string, write func(reports.SCSScope) ([]byte, error)) error {
	if out == "" {
		out = "-"
	}
	dir := strings.HasSuffix(out, "/")
	if len(scopes) != 1 && !dir {
		return &pipeline.UsageError{Err: fmt.Errorf("flag -o: %q is one file, and there are %d scopes", out, len(scopes)), Hint: "name one scope, or a directory: -o DIR/"}
	}
	if err := (output{file: out}).check(nil); err != nil {
		return err
	}
	if dir {
		if err := os.Mkdir(strings.TrimRight(out, "/"), 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return &pipeline.UsageError{Err: fmt.Errorf("making directory %q: it cannot be made", out), Hint: "choose another place"}
		}
	}
	for _, s := range scopes {
		data, err := write(s)
		if err != nil {
			return &pipeline.UsageError{Err: err}
		}
		file := out
		if dir {
			file = filepath.Join(out, s.ID+suffix)
		}
		if err := (output{file: file}).write(w.Stdout, data); err != nil {
			return err
		}
	}
	return nil
}
