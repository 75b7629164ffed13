package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
)

func inventoryCommand(w World) *cobra.Command {
	var g gathering
	var out []string
	var host, images bool
	var list pipeline.ListingOptions
	cmd := &cobra.Command{
		Use:   "inventory STACK | --host",
		Short: "List what the sources of a stack show, and how it differs from what was declared",
		Long: "List what the sources of a stack show, how what runs differs from what was declared, and what other lists name that was\n" +
			"not seen. Nothing is scanned, judged or kept.\n\n" +
			"With --host it reads the machine it runs on instead: packages, kernel, package repositories and the containers of the\n" +
			"engines whose sockets it may open. The JSON is for a central run: - inventory: {file: FILE} in its stack file.\n" +
			"Environment variables, arguments and secrets are not read.",
		Example: "  pegel inventory stack.yaml\n  pegel inventory stack.yaml --sample 5 --seed \"from the auditor\"\n  pegel inventory --host -o json=ctl-01.json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			outs, err := parseOutputs(out, []string{"text", "json"}, output{"text", "-"})
			if err != nil {
				return err
			}
			if err := checkInventoryUse(cmd, args, host, list); err != nil {
				return err
			}
			if images && !host {
				return &pipeline.UsageError{Err: errors.New("flag --images: it goes with --host"), Hint: "a stack reads contents in pegel audit"}
			}
			opt, err := g.options(cmd, w)
			if err != nil {
				return err
			}
			opt.HostImages = images
			inv, err := listed(cmd, args, host, opt, list)
			if err != nil {
				return err
			}
			return writeListing(w, outs, inv)
		},
	}
	g.register(cmd, false)
	cmd.Flags().BoolVar(&host, "host", false, "read the machine this runs on, as root or as the user you are")
	cmd.Flags().BoolVar(&images, "images", false, "with --host: read the contents of its container images too, which takes long")
	cmd.Flags().IntVar(&list.Sample, "sample", 0, "draw `N` hosts to look at, by --seed")
	cmd.Flags().StringVar(&list.Seed, "seed", "", "`TEXT` that the auditor chose; the same seed draws the same hosts")
	cmd.Flags().StringArrayVarP(&out, "output", "o", nil, "write as `FORMAT=FILE`: text or json; - is standard output (repeatable)")
	return cmd
}

func checkInventoryUse(cmd *cobra.Command, args []string, host bool, list pipeline.ListingOptions) error {
	wrong := func(text, hint string) error { return &pipeline.UsageError{Err: errors.New(text), Hint: hint} }
	switch {
	case host == (len(args) == 1):
		return wrong("want either a stack file or --host", "usage: "+cmd.UseLine())
	case list.Sample < 0:
		return wrong("flag --sample: a number of hosts is not negative", "for example --sample 5 --seed TEXT")
	case list.Sample > 0 && list.Seed == "":
		return wrong("flag --sample: the draw needs a seed", "let the auditor choose one: --seed TEXT")
	case list.Sample > 0 && host:
		return wrong("flag --sample: one host is no population", "give a stack file")
	case list.Sample == 0 && list.Seed != "":
		return wrong("flag --seed: nothing is drawn", "add --sample N")
	}
	return nil
}

func listed(cmd *cobra.Command, args []string, host bool, opt pipeline.Options, list pipeline.ListingOptions) (pipeline.Listing, error) {
	if host {
		return pipeline.HostInventory(cmd.Context(), opt)
	}
	stack, err := pipeline.ReadStack(args[0])
	if err != nil {
		return pipeline.Listing{}, err
	}
	return pipeline.Inventory(cmd.Context(), stack, opt, list)
}

func writeListing(w World, outs []output, l pipeline.Listing) error {
	for _, o := range outs {
		data := []byte(printableLines(l.Text))
		if o.format == "json" {
			data = l.JSON
		}
		if err := o.write(w.Stdout, data); err != nil {
			return err
		}
	}
	return nil
}

func driftCommand(w World) *cobra.Command {
	var g gathering
	var out []string
	cmd := &cobra.Command{
		Use:   "drift STACK|BUNDLE",
		Short: "Compare what was declared to run with what runs",
		Long: "Compare what was declared to run with what runs: declared and not running, running and not declared, moved tags, other\n" +
			"contents or versions, names that mean another thing tomorrow, and versions whose maintenance has ended. Each line names\n" +
			"both places. A stack file is read now; a bundle is compared as it was gathered, and nobody is asked.\n\n" +
			"Exit code 1: there are differences that are certain. 3: intent and fact could not be compared.",
		Example: "  pegel drift stack.yaml\n  pegel drift pegel-bundle -o json=drift.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			outs, err := parseOutputs(out, []string{"text", "json"}, output{"text", "-"})
			if err != nil {
				return err
			}
			opt, err := g.options(cmd, w)
			if err != nil {
				return err
			}
			drift, err := pipeline.Drift(cmd.Context(), args[0], opt)
			if err != nil {
				return err
			}
			if err := writeListing(w, outs, drift); err != nil {
				return err
			}
			switch {
			case drift.Drifts > 0:
				return status(exitNotEligible)
			case drift.Undecided != "":
				return status(exitUndetermined)
			}
			return nil
		},
	}
	g.register(cmd, false)
	cmd.Flags().StringArrayVarP(&out, "output", "o", nil, "write as `FORMAT=FILE`: text or json; - is standard output (repeatable)")
	return cmd
}

// printableLines makes every line printable and keeps the line breaks.
func printableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = printable(l)
	}
	return strings.Join(lines, "\n")
}
