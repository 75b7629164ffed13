package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
	"github.com/pegel-audit/pegel/sbom/quality"
)

// namedInText is how many components without a field the text names under each row.
const namedInText = 3

// thrift is how much garbage, in percent of what is kept, a check lets lie: what is kept of a document of 1 GB is 300 MB, and
// a second of CPU saves 120 MB.
const thrift = 30

func sbomCheckCommand(w World) *cobra.Command {
	var out, profiles []string
	var strict, full bool
	cmd := &cobra.Command{
		Use:   "check FILE...",
		Short: "Say which fields that guidelines demand an SBOM states, whoever made it",
		Long: "Say for each field that a guideline demands how many components of an SBOM state it in a valid form, and name those\n" +
			"that do not. FILE is CycloneDX 1.4 to 1.7 or SPDX 2.2, 2.3 or 3.0 in JSON; - is standard input. Nobody is asked, and the\n" +
			"file is read as a stream.\n\n" +
			"A logical component (BSI TR-03183-2 section 3.2.2) needs no fields of files; --strict demands them of it too.\n\n" +
			"Exit code 1: a required field of a chosen profile is missing, or an additional one is stated wrongly.",
		Example: "  pegel sbom check keystone.cdx.json\n  pegel sbom check --profile bsi --strict -o json=check.json a.cdx.json b.spdx.json",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			outs, err := parseOutputs(out, []string{"text", "json"}, output{"text", "-"})
			if err != nil {
				return err
			}
			opt := quality.Options{Profiles: profiles, Strict: strict}
			named := namedInText
			if full {
				opt.Names, named = -1, -1
			}
			defer debug.SetGCPercent(debug.SetGCPercent(thrift))
			result, err := checkFiles(cmd.Context(), args, cmd.InOrStdin(), opt)
			if err != nil {
				return err
			}
			if err := writeChecked(w, outs, result, named); err != nil {
				return err
			}
			if !result.Fulfilled() {
				return status(exitNotEligible)
			}
			return nil
		},
	}
	cmd.Flags().StringSliceVar(&profiles, "profile", nil, "check against `NAME`: "+profileNames()+" (repeatable; default all)")
	cmd.Flags().BoolVar(&strict, "strict", false, "demand the fields of files of every component, logical ones too")
	cmd.Flags().BoolVar(&full, "full", false, "name every component that lacks a field, not only the first of each row")
	cmd.Flags().StringArrayVarP(&out, "output", "o", nil, "write as `FORMAT=FILE`: text or json; - is standard output (repeatable)")
	return cmd
}

func profileNames() string {
	var names []string
	for _, p := range quality.Profiles() {
		names = append(names, p.Short)
	}
	return strings.Join(names, ", ")
}

func checkFiles(ctx context.Context, files []string, stdin io.Reader, opt quality.Options) (quality.Result, error) {
	result := quality.Result{Schema: quality.Schema}
	for _, name := range files {
		checked, err := checkFile(ctx, name, stdin, opt)
		if err != nil {
			return quality.Result{}, err
		}
		result.Files = append(result.Files, checked)
	}
	return result, nil
}

func checkFile(ctx context.Context, name string, stdin io.Reader, opt quality.Options) (quality.Checked, error) {
	in := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return quality.Checked{}, &pipeline.UsageError{Err: fmt.Errorf("reading SBOM %q: %w", name, errors.Unwrap(err)), Hint: "name a file that you may read, or - for standard input"}
		}
		defer file.Close()
		if info, err := file.Stat(); err == nil && info.IsDir() {
			return quality.Checked{}, &pipeline.UsageError{Err: fmt.Errorf("reading SBOM %q: it is a directory", name), Hint: "name the files in it"}
		}
		in = file
	}
	doc, reports, err := quality.Check(interruptible{ctx, in}, opt)
	if ctx.Err() != nil {
		return quality.Checked{}, ctx.Err()
	}
	if err != nil {
		return quality.Checked{}, &pipeline.UsageError{Err: fmt.Errorf("checking %q: %w", name, err), Hint: "pegel sbom check --help says what can be read"}
	}
	return quality.Checked{File: name, Document: doc, Reports: reports}, nil
}

// interruptible ends reading when the program is interrupted.
type interruptible struct {
	ctx context.Context
	io.Reader
}

func (r interruptible) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

func writeChecked(w World, outs []output, result quality.Result, named int) error {
	for _, o := range outs {
		data := []byte(quality.Text(result, named))
		if o.format == "json" {
			var err error
			if data, err = json.MarshalIndent(result, "", "  "); err != nil {
				return fmt.Errorf("writing the result: %w", err)
			}
			data = append(data, '\n')
		}
		if err := o.write(w.Stdout, data); err != nil {
			return err
		}
	}
	return nil
}
