package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
	"github.com/pegel-audit/pegel/reports"
)

func collectCommand(w World) *cobra.Command {
	var g gathering
	var plan bool
	var files string
	var catalogue []string
	cmd := &cobra.Command{
		Use:   "collect STACK",
		Short: "Gather the evidence of a stack into a bundle, without judging it",
		Long: "Gather the evidence of a stack into a bundle, without judging it, and say for each kind of fact what is known and why\n" +
			"the rest is not. A run that was killed goes on where it was.\n\n" +
			"With --catalogue the evidence of upstream projects is recorded without any deployment, for others to take facts from\n" +
			"with --from; stack files then only say which versions are deployed. --at head records each project as of its newest\n" +
			"commit: what clones say that nobody has updated since.",
		Example: "  pegel collect stack.yaml --bundle evidence\n  pegel collect stack.yaml --from oci:registry.example.org/community-evidence:2026-08 --anew keystone:git\n" +
			"  pegel collect --catalogue all --mirror ./clones --offline --bundle community-evidence",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			atHead := g.at == "head" && len(catalogue) > 0
			if atHead {
				g.at = ""
			}
			opt, err := g.options(cmd, w)
			if err != nil {
				return err
			}
			if len(catalogue) > 0 {
				opt.AtHead = atHead
				if plan {
					contacts, err := pipeline.PlanCatalogue(catalogueIDs(catalogue), opt)
					if err != nil {
						return err
					}
					_, err = fmt.Fprint(w.Stdout, reports.PlanText(contacts))
					return err
				}
				found, err := collectCatalogue(cmd.Context(), catalogue, args, opt)
				if err != nil {
					return err
				}
				return printCollected(w, opt, found)
			}
			if len(args) != 1 {
				return &pipeline.UsageError{Err: fmt.Errorf("%d stack files are given", len(args)), Hint: "pegel collect STACK, or --catalogue all"}
			}
			stack, err := pipeline.ReadStack(args[0])
			if err != nil {
				return err
			}
			if plan {
				return printPlan(w, stack, opt)
			}
			if err := pipeline.CheckFiles(files); err != nil {
				return err
			}
			opt.Files = files
			found, err := pipeline.Collect(cmd.Context(), stack, opt)
			if err != nil {
				return err
			}
			return printCollected(w, opt, found)
		},
	}
	g.register(cmd, true)
	registerFiles(cmd, &files)
	cmd.Flags().StringSliceVar(&catalogue, "catalogue", nil, "record upstream projects by catalogue `ID`, or all of them: all (repeatable)")
	cmd.Flags().BoolVar(&plan, "plan", false, "contact nobody: print what a run would read and ask, and with which right")
	return cmd
}

// collectCatalogue records projects of the catalogue, at the versions that the stack files deploy.
func collectCatalogue(ctx context.Context, ids, args []string, opt pipeline.Options) (pipeline.Collected, error) {
	deployed := map[string][]string{}
	for _, name := range args {
		stack, err := pipeline.ReadStack(name)
		if err != nil {
			return pipeline.Collected{}, err
		}
		found, err := pipeline.DeployedVersions(ctx, stack, opt)
		if err != nil {
			return pipeline.Collected{}, err
		}
		for id, versions := range found {
			deployed[id] = append(deployed[id], versions...)
		}
	}
	return pipeline.CollectCatalogue(ctx, catalogueIDs(ids), deployed, opt)
}

// catalogueIDs returns the ids that --catalogue names; none if it names them all.
func catalogueIDs(ids []string) []string {
	if slices.Contains(ids, "all") {
		return nil
	}
	return ids
}

// printCollected prints identity and place of the bundle, and then what is known.
func printCollected(w World, opt pipeline.Options, found pipeline.Collected) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", found.Identity, opt.Bundle)
	if found.Resumed > 0 {
		fmt.Fprintf(&b, "went on with an interrupted run: %d of %d projects were read already\n", found.Resumed, found.Projects)
	}
	b.WriteString(reports.CollectedText(found.Projects, found.Facts))
	_, err := fmt.Fprint(w.Stdout, b.String())
	return err
}
