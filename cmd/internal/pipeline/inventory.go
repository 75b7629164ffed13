package pipeline

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/pegel-audit/pegel/sbom"
)

// Listing is an inventory as people and programs read it.
type Listing struct {
	Text string
	JSON []byte
}

// Inventory asks the sources of a stack and lists what they show; nothing is scanned, judged or kept.
func Inventory(ctx context.Context, stack Stack, opt Options) (Listing, error) {
	g, err := prepare(stack, opt)
	if err != nil {
		return Listing{}, err
	}
	inv := g.inventory(ctx)
	if err := ctx.Err(); err != nil {
		return Listing{}, err
	}
	data, err := canonical(inv)
	return Listing{Text: inventoryText(inv), JSON: data}, err
}

func inventoryText(inv sbom.Inventory) string {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "KIND\tNAME\tVERSION\tTIER\tSERVICE\tDIGEST\tSEEN")
	for _, a := range inv.Artifacts {
		digest := "-"
		if a.Digest != "" {
			digest = a.Digest.Hex()[:12]
		}
		seen := "declared only"
		if a.Seen() {
			seen = "seen"
		}
		if a.Unpinned != "" {
			seen += ", not pinned: " + a.Unpinned
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", a.Kind, a.Name, orText(a.Version, "-"), orText(strings.Join(a.Tiers, "+"), "-"), orText(a.Service, "-"), digest, seen)
	}
	tw.Flush()
	fmt.Fprintf(&b, "%d artifacts\n", len(inv.Artifacts))
	for _, f := range inv.Failures {
		fmt.Fprintf(&b, "not read: %s: %s\n", f.Source, f.Reason)
	}
	return b.String()
}
