package pipeline

import (
	"context"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// parallelSources bounds how many sources are asked at once: most of the time of a live source is waiting.
const parallelSources = 4

// inventory asks every source; one that fails is listed and the rest goes on. The order of the answers is that of the
// stack file, whichever comes first.
func (g *gatherer) inventory(ctx context.Context) sbom.Inventory {
	found := make([]sbom.Inventory, len(g.sources))
	done := make(chan struct{}, len(g.sources))
	g.opt.progress("reading sources", 0, len(g.sources))
	var group errgroup.Group
	group.SetLimit(parallelSources)
	for i, s := range g.sources {
		group.Go(func() error {
			found[i] = g.ofToday(s, ask(ctx, s))
			if region := g.sourceRegion(i); region != "" {
				found[i] = sbom.InRegion(found[i], region)
			}
			done <- struct{}{}
			g.opt.progress("reading sources", len(done), len(g.sources))
			return nil
		})
	}
	_ = group.Wait() // what fails is part of the inventory
	g.remember(found)
	if len(g.stack.Regions) > 0 {
		return g.regional(found)
	}
	return g.settled(sbom.Merge(found...), "")
}

// settled places what was found and applies the operator's corrections.
func (g *gatherer) settled(merged sbom.Inventory, region string) sbom.Inventory {
	return g.corrected(sbom.Place(sbom.Recognise(merged, g.catalogue.KnowsService), g.place), region)
}

// remember notes which source may have the contents of what.
func (g *gatherer) remember(found []sbom.Inventory) {
	g.shownBy, g.silent = map[string][]int{}, nil
	for i, inv := range found {
		for _, a := range inv.Artifacts {
			g.shownBy[a.ID] = append(g.shownBy[a.ID], i)
		}
		if len(inv.Artifacts) == 0 {
			g.silent = append(g.silent, i)
		}
	}
}

// mostDays is how far the day that is judged may lie before the day on which a running stack is read.
const mostDays = 24 * time.Hour

// ofToday notes where a source tells what runs now and another day is judged: nobody can ask a cloud what ran then.
func (g *gatherer) ofToday(s sbom.Source, inv sbom.Inventory) sbom.Inventory {
	live := slices.ContainsFunc(s.Contacts(), func(c audit.Contact) bool {
		return c.Host != "local" || strings.HasPrefix(c.Address, "unix://") || c.Address == "/"
	})
	runs := slices.ContainsFunc(inv.Artifacts, sbom.Artifact.Running)
	if live && runs && g.opt.Now.Sub(g.at) > mostDays {
		inv.Failures = append(slices.Clone(inv.Failures), sbom.Failure{
			Source: s.Name(),
			Reason: "it says what runs on " + g.opt.Now.UTC().Format(time.DateOnly) + ", and " + g.at.Format(time.DateOnly) + " is judged",
			Settle: "leave at: out, or give files that were saved on that day",
		})
	}
	return inv
}

func ask(ctx context.Context, s sbom.Source) sbom.Inventory {
	inv, err := s.Inventory(ctx)
	if err != nil {
		inv.Failures = append(inv.Failures, sbom.Failure{
			Source: s.Name(), Reason: err.Error(), Settle: "give a readable source at this place in the stack file",
		})
	}
	return inv
}

// place asks the catalogue where an artifact belongs.
func (g *gatherer) place(a sbom.Artifact) sbom.Placement {
	var p sbom.Placement
	for _, m := range g.catalogue.Match(artifactPart(a)) {
		c, ok := g.catalogue.Get(m.ID)
		if !ok {
			continue
		}
		p.Projects = append(p.Projects, c.ID)
		for _, tier := range c.Tiers {
			if !slices.Contains(p.Tiers, tier) {
				p.Tiers = append(p.Tiers, tier)
			}
		}
		if p.Area == "" {
			p.Area, p.Service, p.Rule = c.Area, c.Service(), "catalogue: "+m.Detail
		}
	}
	p.Support = g.support(a)
	slices.Sort(p.Projects)
	slices.SortFunc(p.Tiers, func(a, b string) int { return slices.Index(tiers, a) - slices.Index(tiers, b) })
	return p
}

// support says until when the version of an artifact is maintained: of a host that of its operating system, of anything
// else the earliest end among the components that its name stands for. nil: nobody published an end.
func (g *gatherer) support(a sbom.Artifact) *sbom.Support {
	var ids []string
	if a.Kind == sbom.KindHost {
		id, version, _ := strings.Cut(a.Platform, " ") // a node of a cluster tells its system in one text
		ids, a.Version = []string{id}, version
	} else {
		for _, m := range g.catalogue.Match(artifactPart(a)) {
			if m.Versioned && m.Confidence != upstream.Low {
				ids = append(ids, m.ID)
			}
		}
	}
	var out *sbom.Support
	for _, id := range ids {
		if s, ok := g.catalogue.Support(id, a.Version); ok && (out == nil || s.Ends < out.Ends) {
			out = &sbom.Support{Cycle: s.Cycle, Ends: s.Ends, Source: s.Source}
		}
	}
	return out
}

// artifactPart is an artifact as the catalogue is asked for it.
func artifactPart(a sbom.Artifact) upstream.Part {
	part := upstream.Part{Subject: a.ID, Kind: upstream.PartSoftware, Name: a.Name, Version: a.Version, Tiers: a.Tiers, Area: a.Area}
	if a.Kind == sbom.KindImage {
		part.Kind, part.Name = upstream.PartImage, nameOf(a)
	}
	if a.Kind == sbom.KindHost {
		part.Kind = "host" // a machine is no component; what is installed on it may be
	}
	return part
}

// corrected applies the operator's assign entries; each stays visible in how the artifact was placed.
func (g *gatherer) corrected(inv sbom.Inventory, region string) sbom.Inventory {
	out := inv
	out.Artifacts = slices.Clone(inv.Artifacts)
	for i := range out.Artifacts {
		a := &out.Artifacts[i]
		for _, rule := range g.stack.Assign {
			if !rule.applies(*a, region) {
				continue
			}
			a.Placed = "assigned by the operator: " + rule.Reason
			if rule.Tier != "" {
				a.Tiers = []string{rule.Tier}
			}
			if rule.Service != "" {
				a.Service = rule.Service
			}
			if rule.NotDeployed {
				a.Excluded = rule.Reason
			}
			if c, ok := g.catalogue.Get(rule.Upstream); ok {
				a.Projects = []string{c.ID}
				if a.Area == "" {
					a.Area = c.Area
				}
				if rule.Tier == "" && len(a.Tiers) == 0 {
					a.Tiers = slices.Clone(c.Tiers)
				}
			}
		}
	}
	return out
}

// applies reports whether a correction changes an artifact of a region. Of the whole stack, where region is empty, it does if
// it may do so in some region: what it leads to has to be looked at.
func (a Assign) applies(art sbom.Artifact, region string) bool {
	return (a.Region == "" || region == "" || a.Region == region) && a.matches(art)
}

// matches compares "kind:pattern" with an artifact; the pattern is that of path.Match on the reference without tag and
// digest, and "*/" at its front stands for any number of leading parts.
func (a Assign) matches(art sbom.Artifact) bool {
	kind, pattern, ok := strings.Cut(a.Match, ":")
	if !ok || kind != art.Kind {
		return false
	}
	name := art.Name
	if art.Reference != "" {
		if ref, err := sbom.ParseReference(art.Reference); err == nil {
			name = ref.Repository()
		}
	}
	if rest, ok := strings.CutPrefix(pattern, "*/"); ok {
		parts := strings.Split(name, "/")
		if n := strings.Count(rest, "/") + 1; len(parts) > n {
			name, pattern = strings.Join(parts[len(parts)-n:], "/"), rest
		}
	}
	match, err := path.Match(pattern, name)
	return err == nil && match
}
