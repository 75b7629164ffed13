package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
	"github.com/pegel-audit/pegel/sbom"
)

// Formats of pegel sbom. What ends in -public leaves out what only insiders know.
const (
	formatCycloneDX = "cyclonedx-json"
	formatOlder     = "cyclonedx-json-1.6"
	formatSPDX      = "spdx-json" // SPDX 3.0.1
	suffixPublic    = "-public"
)

var bomFormats = []string{
	formatCycloneDX, formatOlder, formatSPDX, formatCycloneDX + suffixPublic, formatOlder + suffixPublic, formatSPDX + suffixPublic,
}

func sbomCommand(w World) *cobra.Command {
	var g gathering
	var out []string
	var form pipeline.BOMForm
	var files string
	cmd := &cobra.Command{
		Use:   "sbom TARGET... | STACK",
		Short: "Write the SBOM of images, hosts or a whole stack",
		Long: "Write one CycloneDX or SPDX document for each target, with the fields of BSI TR-03183-2 v2.1.0. A target is an OCI layout\n" +
			"directory, an OCI archive, or the root directory of a host written host:DIR. Of a stack file (STACK.yaml) it writes one\n" +
			"document for each artifact and one, stack.cdx.json, that points to them; what could not be read is named on standard error\n" +
			"and as unknown in that document. A FILE that ends in / is a directory, made if it is not there.\n\n" +
			"Formats: " + strings.Join(bomFormats, ", ") + ".\n" +
			"spdx-json is SPDX 3.0.1, with files named .spdx.json.\n" +
			"Those that end in -public leave out hosts, internal registries and internal names; both forms can be written in one run.",
		Example: "  pegel sbom ./images/keystone -o cyclonedx-json=keystone.cdx.json\n" +
			"  pegel sbom host:/ --creator \"Example GmbH\" --creator-url https://example.org/\n" +
			"  pegel sbom stack.yaml -o cyclonedx-json=full/ -o cyclonedx-json-public=public/\n" +
			"  pegel sbom stack.yaml --flatten -o cyclonedx-json=stack.cdx.json",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			outs, err := parseOutputs(out, bomFormats, output{formatCycloneDX, "-"})
			if err != nil {
				return err
			}
			if err := checkForms(outs, form, files); err != nil {
				return err
			}
			opt, err := g.options(cmd, w)
			if err != nil {
				return err
			}
			opt.Files = files
			contents, err := pipeline.ReadContents(cmd.Context(), args, opt)
			if err != nil {
				return err
			}
			for _, o := range outs {
				if err := writeDocuments(w, o, contents, form); err != nil {
					return err
				}
			}
			for _, missing := range contents.Unread() {
				fmt.Fprintln(w.Stderr, "not read:", missing)
			}
			return nil
		},
	}
	cmd.AddCommand(sbomCheckCommand(w))
	g.register(cmd, false)
	f := cmd.Flags()
	f.StringArrayVarP(&out, "output", "o", nil, "write as `FORMAT=FILE`; - is standard output (repeatable)")
	f.StringVar(&form.Creator, "creator", "", "`NAME` of the organisation that makes the SBOM; default: the operator of the stack file")
	f.StringVar(&form.CreatorURL, "creator-url", "", "its web `ADDRESS`")
	f.BoolVar(&form.Flat, "flatten", false, "one document with every package once, and where it occurs")
	f.BoolVar(&form.Counts, "counts", false, "in public forms: numbers of packages instead of packages")
	registerFiles(cmd, &files)
	return cmd
}

// registerFiles adds the flag that says which files stand in SBOMs.
func registerFiles(cmd *cobra.Command, files *string) {
	cmd.Flags().StringVar(files, "bsi-files", sbom.DepthEntries, "files below packages: `DEPTH` entries (programs and archives) or all (every executable file, ten times as many)")
}

func checkForms(outs []output, form pipeline.BOMForm, files string) error {
	if err := pipeline.CheckCreator(form.Creator, form.CreatorURL); err != nil {
		return err
	}
	if err := pipeline.CheckFiles(files); err != nil {
		return err
	}
	if !form.Counts {
		return nil
	}
	for _, o := range outs {
		if strings.HasSuffix(o.format, suffixPublic) && !form.Flat {
			return nil
		}
	}
	return &pipeline.UsageError{Err: fmt.Errorf("flag --counts: it goes with a public form and without --flatten"), Hint: "for example -o " + formatCycloneDX + suffixPublic + "=public/"}
}

func writeDocuments(w World, o output, contents *pipeline.Contents, form pipeline.BOMForm) error {
	format, public := strings.CutSuffix(o.format, suffixPublic)
	form.Public, form.Counts = public, form.Counts && public
	switch format {
	case formatOlder:
		form.SpecVersion = sbom.CycloneDX16
	case formatSPDX:
		form.Format = sbom.FormatSPDX
	}
	docs, err := contents.Documents(form)
	if err != nil {
		return err
	}
	return writeBOMs(w, o, docs)
}

func writeBOMs(w World, o output, docs []pipeline.BOMDocument) error {
	if strings.HasSuffix(o.file, "/") {
		if err := os.MkdirAll(o.file, 0o755); err != nil {
			return &pipeline.UsageError{Err: fmt.Errorf("flag -o: making the directory %q: %w", o.file, err), Hint: "name a directory that can be made"}
		}
		for _, d := range docs {
			if err := writeStream(filepath.Join(o.file, d.FileName), d.Write); err != nil {
				return err
			}
		}
		return nil
	}
	if len(docs) == 0 {
		return &pipeline.UsageError{Err: errors.New("nothing was read, so there is no SBOM to write"), Hint: "name targets with contents"}
	}
	if len(docs) > 1 {
		return &pipeline.UsageError{
			Err:  fmt.Errorf("flag -o: %d documents do not fit into one file %q", len(docs), o.file),
			Hint: "end FILE with / to write one file for each, or add --flatten",
		}
	}
	if o.file == "-" {
		return docs[0].Write(w.Stdout)
	}
	return writeStream(o.file, docs[0].Write)
}
