package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
)

// HostInventory reads the machine it runs on: packages, kernel, repositories, and the containers of the engines whose
// sockets may be opened. The JSON is an inventory with packages that a central run merges (source inventory:); it is in
// canonical form, so that it can be signed as it is. What could not be read is in it, by name.
func HostInventory(ctx context.Context, opt Options) (Listing, error) {
	way, err := guard(Stack{})
	if err != nil {
		return Listing{}, err
	}
	at, err := opt.assessedAt(Stack{})
	if err != nil {
		return Listing{}, err
	}
	sources, failures := source.ThisHost(source.Options{At: at, Network: network(way, opt.Offline), TempDir: opt.TempDir, Getenv: opt.Getenv})
	return (&gatherer{opt: opt, at: at, sources: sources}).host(ctx, failures)
}

// host reads the sources of one machine.
func (g *gatherer) host(ctx context.Context, failures []sbom.Failure) (Listing, error) {
	found := make([]sbom.Inventory, len(g.sources))
	for i, s := range g.sources {
		g.opt.progress("reading this machine", i, len(g.sources))
		found[i] = ask(ctx, s)
	}
	g.opt.progress("reading this machine", len(g.sources), len(g.sources))
	g.remember(found)
	inv := sbom.Merge(append(found, sbom.Inventory{Failures: failures})...)
	inv.Packages = g.packages(ctx, g.ofInterest(inv))
	if err := ctx.Err(); err != nil {
		return Listing{}, err
	}
	data, err := canonical(inv)
	return Listing{Text: hostText(inv), JSON: data}, err
}

// ofInterest leaves the contents of container images to a central run, which reads each image once and not on every host,
// unless they are asked for: a host may be the only place that has them.
func (g *gatherer) ofInterest(inv sbom.Inventory) sbom.Inventory {
	if !g.opt.HostImages {
		inv.Artifacts = slices.DeleteFunc(slices.Clone(inv.Artifacts), func(a sbom.Artifact) bool { return a.Kind == sbom.KindImage })
	}
	return inv
}

func hostText(inv sbom.Inventory) string {
	var b strings.Builder
	table(&b, artifactHead, byName(inv.Artifacts), artifactLine)
	for _, p := range inv.Packages {
		components, known := p.Components.Get()
		if known {
			fmt.Fprintf(&b, "%s: %d packages\n", p.Artifact, len(components))
		} else {
			fmt.Fprintf(&b, "not read: contents of %s: %s\n", p.Artifact, p.Components.Failure)
		}
	}
	for _, f := range inv.Failures {
		fmt.Fprintf(&b, "not read: %s: %s\n", f.Source, f.Reason)
	}
	return b.String()
}
