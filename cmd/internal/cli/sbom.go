package cli

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
)

func sbomCommand(w World) *cobra.Command {
	var g gathering
	var out []string
	cmd := &cobra.Command{
		Use:   "sbom TARGET...",
		Short: "Write the SBOM of images or hosts",
		Long: "Write one CycloneDX 1.7 document for each target. A target is an OCI layout directory, an OCI archive, or the root\n" +
			"directory of a host written host:DIR. A FILE that ends in / is a directory with one document for each target.",
		Example: "  pegel sbom ./images/keystone -o cyclonedx-json=keystone.cdx.json\n  pegel sbom host:/ -o cyclonedx-json=-",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			outs, err := parseOutputs(out, []string{"cyclonedx-json"}, output{"cyclonedx-json", "-"})
			if err != nil {
				return err
			}
			opt, err := g.options(cmd, w)
			if err != nil {
				return err
			}
			docs, err := pipeline.SBOM(cmd.Context(), args, opt)
			if err != nil {
				return err
			}
			for _, o := range outs {
				if err := writeDocuments(w, o, docs); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.AddCommand(sbomCheckCommand(w))
	g.register(cmd, false)
	cmd.Flags().StringArrayVarP(&out, "output", "o", nil, "write as `FORMAT=FILE`: cyclonedx-json; - is standard output (repeatable)")
	return cmd
}

func writeDocuments(w World, o output, docs []pipeline.Document) error {
	if strings.HasSuffix(o.file, "/") {
		for _, d := range docs {
			if err := writeWhole(filepath.Join(o.file, d.FileName), d.Data); err != nil {
				return err
			}
		}
		return nil
	}
	if len(docs) > 1 {
		return &pipeline.UsageError{
			Err:  fmt.Errorf("flag -o: %d documents do not fit into one file %q", len(docs), o.file),
			Hint: "end FILE with / to write one file for each",
		}
	}
	return o.write(w.Stdout, docs[0].Data)
}
