package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
	"github.com/pegel-audit/pegel/reports"
)

func registerSite(cmd *cobra.Command, dir *string) {
	cmd.Flags().StringVar(dir, "site", "", "write a static web site about the scored projects to `DIR`; what was not written by --site is left alone")
}

// writeSite writes the site and says on standard error how many files it has: standard output is for results.
func writeSite(cmd *cobra.Command, w World, dir string, projects []reports.Project, opt pipeline.Options) error {
	site, err := pipeline.SiteOf(projects, opt)
	if err != nil {
		return err
	}
	n, err := pipeline.WriteSite(cmd.Context(), dir, site)
	if err != nil {
		return err
	}
	if quiet, _ := cmd.Flags().GetBool("quiet"); !quiet {
		fmt.Fprintf(w.Stderr, "wrote %d files about %d projects to %s\n", n, len(projects), dir)
	}
	return nil
}
