package pipeline

import (
	"context"
	"slices"

	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/scoring/thirdparty"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// maxLookups bounds how many packages of one stack indexes are asked about: some services answer one question a second.
const maxLookups = 1000

// lookUp asks the indexes that the stack file names where packages come from that nothing else leads to a repository. The
// names of these packages leave the machine; without indexes under collect: nobody is asked. Answers are of low confidence,
// and a service that fails leaves packages unresolved, which is said of them anyway.
func (g *gatherer) lookUp(ctx context.Context, inv sbom.Inventory, pkgs []sbom.Packages) []upstream.Lookup {
	if g.client == nil || len(g.stack.Collect.Indexes) == 0 {
		return nil
	}
	return g.lookUpPackages(ctx, packageParts(inv, pkgs))
}

// lookUpPackages asks the indexes about packages.
func (g *gatherer) lookUpPackages(ctx context.Context, parts []upstream.Part) []upstream.Lookup {
	asked := []string{string(thirdparty.DepsDev), string(thirdparty.Ecosystems), string(thirdparty.Repology)}
	if g.client == nil || !slices.ContainsFunc(g.stack.Collect.Indexes, func(word string) bool { return slices.Contains(asked, word) }) {
		return nil
	}
	made, err := thirdPartyCollector(ctx, g, nil)
	if err != nil {
		g.opt.logger().Warn("indexes are not asked about packages", "reason", err.Error())
		return nil
	}
	indexes, ok := made.(*thirdparty.Collector)
	if !ok {
		return nil
	}
	open := g.catalogue.Unasked(parts)
	open = open[:min(len(open), maxLookups)]
	var out []upstream.Lookup
	for i, purl := range open {
		g.opt.progress("asking where packages come from", i, len(open))
		if ctx.Err() != nil {
			break
		}
		if repo, origin, ok := indexes.Repository(ctx, purl); ok {
			out = append(out, upstream.Lookup{PURL: purl, Repository: repo, Origin: origin})
		}
	}
	g.opt.progress("asking where packages come from", len(open), len(open))
	return out
}
