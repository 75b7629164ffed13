package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/bundle"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// Collected is what came of a collection.
type Collected struct {
	Identity audit.Digest
	Resumed  int // projects that an interrupted run had read
	Projects int
	Facts    []reports.CollectedFact // what is known and what is not, in the order of scoring.Evidence.States
}

// Collect reads everything that the stack file names into a bundle, as Gather does, and says what is known.
func Collect(ctx context.Context, stack Stack, opt Options) (Collected, error) {
	g, err := prepare(stack, opt)
	if err != nil {
		return Collected{}, err
	}
	identity, err := g.gather(ctx)
	if err != nil {
		return Collected{}, err
	}
	return g.result(identity), nil
}

func (g *gatherer) result(identity audit.Digest) Collected {
	c := Collected{Identity: identity, Projects: len(g.collected), Facts: factsOf(g.collected)}
	if g.journal != nil {
		c.Resumed = g.journal.resumed
	}
	return c
}

// factsOf counts each fact over all projects. Licences of versions count together.
func factsOf(all []scoring.Evidence) []reports.CollectedFact {
	var out []reports.CollectedFact
	at := map[string]int{}
	for _, e := range all {
		for _, s := range e.States() {
			name := s.Fact
			if len(name) > len("licence of ") && name[:len("licence of ")] == "licence of " {
				name = "licences of deployed versions"
			}
			key := s.Collector + "\x00" + name
			i, ok := at[key]
			if !ok {
				i = len(out)
				at[key] = i
				out = append(out, reports.CollectedFact{Collector: s.Collector, Fact: name})
			}
			out[i].Add(e.Project, s.Outcome, withoutRepo(s.Reason, e.Repo), withoutRepo(s.Settle, e.Repo))
		}
	}
	order := collectorNames()
	slices.SortStableFunc(out, func(a, b reports.CollectedFact) int {
		return cmp.Compare(placeIn(order, a.Collector), placeIn(order, b.Collector))
	})
	return out
}

// withoutRepo takes the address of the project out of a reason, so that the same reason of many is one line.
func withoutRepo(text, repo string) string {
	if repo == "" {
		return text
	}
	return strings.ReplaceAll(strings.ReplaceAll(text, strconv.Quote(repo), "the repository"), repo, "the repository")
}

// placeIn is where a name stands in a list; one that does not stands last.
func placeIn(list []string, name string) int {
	if i := slices.Index(list, name); i >= 0 {
		return i
	}
	return len(list)
}

// CollectCatalogue records the evidence of upstream projects without any deployment, so that others can take facts from
// it: ids of the catalogue, or all of it if none are given. Deployed says at which versions, by id; it may be nil. The
// bundle holds facts only: raw bytes are named in them by commit, path and digest.
func CollectCatalogue(ctx context.Context, ids []string, deployed map[string][]string, opt Options) (Collected, error) {
	catalogue, err := upstream.Load()
	if err != nil {
		return Collected{}, fmt.Errorf("loading the built-in catalogue: %w", err)
	}
	stack := Stack{Name: "catalogue", At: ""}
	g, err := prepareProjects(stack, opt, catalogue)
	if err != nil {
		return Collected{}, err
	}
	projects, err := catalogueProjects(catalogue, ids, deployed)
	if err != nil {
		return Collected{}, err
	}
	recorded, err := g.recorded(ctx)
	if err != nil {
		return Collected{}, err
	}
	g.resume()
	w, err := bundle.Create(g.opt.Bundle, g.at)
	if err != nil {
		return Collected{}, &UsageError{Err: err, Hint: "name an empty directory, a new one, or an earlier bundle with --bundle"}
	}
	g.collected = g.evidence(ctx, projects, recorded)
	if err := ctx.Err(); err != nil {
		return Collected{}, err
	}
	for _, e := range g.collected {
		if e.Failure != "" && !e.Has("forge") {
			continue // a recording of nothing is of use to nobody; the table says why
		}
		data, err := canonical(e)
		if err != nil {
			return Collected{}, err
		}
		if _, err := w.Add(audit.Blob{Kind: "project-evidence", Name: e.Project, MediaType: evidenceType, Data: data}); err != nil {
			return Collected{}, err
		}
	}
	identity, err := w.Close()
	if err != nil {
		return Collected{}, err
	}
	g.journal.done()
	return g.result(identity), nil
}

// evidenceType is the media type of the evidence of one project.
const evidenceType = "application/vnd.pegel.project-evidence.v1+json"

func catalogueProjects(catalogue *upstream.Catalogue, ids []string, deployed map[string][]string) ([]scoring.Project, error) {
	if len(ids) == 0 {
		for _, c := range catalogue.Components() {
			ids = append(ids, c.ID)
		}
	}
	ids = slices.Clone(ids)
	slices.Sort(ids)
	var out []scoring.Project
	for _, id := range slices.Compact(ids) {
		if _, ok := catalogue.Get(id); !ok {
			return nil, usagef("ids are short names such as keystone; a report names them", "collecting %q: the catalogue does not know the id", id)
		}
		p := catalogueProject(catalogue, id)
		p.Versions = slices.Compact(slices.Sorted(slices.Values(deployed[id])))
		out = append(out, p)
	}
	return out, nil
}

// prepareProjects makes a gatherer that reads projects and no stack.
func prepareProjects(stack Stack, opt Options, catalogue *upstream.Catalogue) (*gatherer, error) {
	at, err := opt.assessedAt(stack)
	if err != nil {
		return nil, err
	}
	if at.After(opt.Now) {
		return nil, usagef("nobody has seen that day yet", "flag --at: %s lies in the future", at.Format(time.DateOnly))
	}
	if err := checkMirrors(opt.Mirrors); err != nil {
		return nil, err
	}
	if err := checkAnew(opt.Anew, catalogue); err != nil {
		return nil, err
	}
	said, err := corrections(catalogue, opt.Corrections, opt.Now)
	if err != nil {
		return nil, err
	}
	g := &gatherer{stack: stack, opt: opt, at: at, catalogue: catalogue, said: said}
	way, err := guard(stack)
	if err != nil {
		return nil, err
	}
	g.network = network(way, opt.Offline)
	if !opt.Offline {
		g.client = way.Client()
	}
	return g, nil
}

// DeployedVersions returns the versions of catalogue projects that a stack deploys, by id. It reads the inventory only.
func DeployedVersions(ctx context.Context, stack Stack, opt Options) (map[string][]string, error) {
	opt.Evidence = nil
	stack.Evidence = nil
	g, err := prepare(stack, opt)
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	for _, p := range g.projects(g.inventory(ctx), nil).Projects {
		out[p.ID] = p.Versions
	}
	return out, nil
}
