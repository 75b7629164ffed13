package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/audit/transparency/disclosure"
	"github.com/pegel-audit/pegel/cmd/internal/visit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/scoring"
)

// operator looks at the public artifacts of whoever runs the cloud, one after the other, as an outsider would. A release has no
// operator: nil. Trouble with one artifact is written down and the rest goes on.
func (g *gatherer) operator(ctx context.Context, visitor *visit.Visitor, inv sbom.Inventory, pkgs []sbom.Packages, projects []scoring.Project) *transparency.Evidence {
	if g.stack.Subject.Kind == "release" {
		return nil
	}
	e := &transparency.Evidence{
		Schema: transparency.Schema, AssessedAt: g.at, Exposure: g.stack.Subject.Exposure,
		Operator:  transparency.Operator{Name: g.stack.Subject.Operator.Name, Domains: g.stack.Subject.Operator.Domains},
		Artifacts: []transparency.Artifact{},
	}
	w := transparency.World{At: g.at, Operator: e.Operator, Open: g.openRepository, CheckSBOM: g.checkPublished(inv, pkgs)}
	targets := g.operatorAt
	if g.stack.home != "" {
		w.Ask = visitor.Ask
		found, seen := disclosure.Discover(ctx, g.stack.home, w)
		for _, t := range found {
			targets = append(targets, operatorTarget{Target: t})
		}
		e.Searched = seen
	}
	for i := 0; i < len(targets); i++ { // what one page names is added while looking
		t := targets[i]
		g.opt.progress("looking at the operator's artifacts", i, len(targets))
		if t.upstreams {
			t.Upstreams = repositoriesOf(projects)
		}
		a := g.lookAt(ctx, t, w, visitor)
		if ctx.Err() != nil {
			return nil
		}
		e.Artifacts = append(e.Artifacts, a)
		targets = withReports(targets, i, a)
	}
	g.opt.progress("looking at the operator's artifacts", len(targets), len(targets))
	return e
}

// lookAt looks at one artifact: in public, or at what was handed over.
func (g *gatherer) lookAt(ctx context.Context, t operatorTarget, w transparency.World, visitor *visit.Visitor) transparency.Artifact {
	w.Ask = visitor.Ask
	if t.file != "" {
		handed, err := visit.Handed(visit.HandedOptions{Dir: g.stack.Dir, Name: t.file, At: g.at, Keep: g.keptBy()})
		if err != nil {
			return transparency.Artifact{Target: t.Target, Handed: true, Trouble: &audit.Trouble{
				Kind: audit.TroubleNotHanded, Text: "the file that was handed over cannot be read: " + err.Error(), Settle: "hand it over again, or name the address",
			}}
		}
		w.Ask, w.OpenHanded = handed, g.openFolder(ctx, t.file)
	}
	a := operatorCollectors()[t.Kind](ctx, t.Target, w)
	a.Target = t.Target
	a.URL = visit.Masked(a.URL)
	a.Links = slices.Clone(a.Links)
	for i := range a.Links {
		a.Links[i].URL = visit.Masked(a.Links[i].URL)
	}
	if a.OpenOperations != nil {
		for i := range a.OpenOperations.Links {
			a.OpenOperations.Links[i].URL = visit.Masked(a.OpenOperations.Links[i].URL)
		}
	}
	a.Handed = t.file != ""
	return a
}

// visitor is how servers of the operator are asked; an offline run asks nobody.
func (g *gatherer) visitor() *visit.Visitor {
	now := g.opt.Clock
	if now == nil {
		now = time.Now
	}
	return visit.New(visit.Options{Client: g.client, Keep: g.keptBy(), Now: now, At: g.at, Agent: "Pegel/" + g.opt.Version + " (+https://github.com/pegel-audit/pegel)", Log: g.opt.logger()})
}

// withReports gives the post-mortems that a status page names to whoever reads incident reports: to the targets of that kind
// that follow, or to one of its own if there is none.
func withReports(targets []operatorTarget, at int, a transparency.Artifact) []operatorTarget {
	if a.StatusPage == nil {
		return targets
	}
	var links []transparency.Link
	for _, i := range a.StatusPage.Incidents {
		if i.Report != "" && len(links) < mostLinks {
			links = append(links, transparency.Link{Kind: "incident-report", Title: i.Title, URL: i.Report, Date: i.End})
		}
	}
	if len(links) == 0 {
		return targets
	}
	targets = slices.Clone(targets)
	next := slices.IndexFunc(targets[at+1:], func(t operatorTarget) bool {
		return t.Kind == transparency.KindIncidentReports && t.file == "" && (t.Region == "" || t.Region == a.Region)
	})
	if next >= 0 {
		t := &targets[at+1+next]
		t.Links = append(slices.Clone(t.Links), links...)
		return targets
	}
	own := operatorTarget{Target: transparency.Target{Kind: transparency.KindIncidentReports, Region: a.Region, Links: links}, file: targets[at].file}
	own.File = a.File
	return slices.Insert(targets, at+1, own)
}

// repositoriesOf lists the repositories of the deployed projects, each once.
func repositoriesOf(projects []scoring.Project) []string {
	var out []string
	for _, p := range projects {
		if p.Repo != "" && !slices.Contains(out, p.Repo) {
			out = append(out, p.Repo)
		}
	}
	return out
}

// kindWords writes a kind of artifact for people.
func kindWords(kind string) string {
	switch kind {
	case transparency.KindSBOM:
		return "published SBOM"
	case transparency.KindSecurityTxt:
		return "security.txt"
	}
	return strings.ReplaceAll(kind, "-", " ")
}

// operatorContacts lists what looking at the operator would ask.
func (g *gatherer) operatorContacts() []audit.Contact {
	var out []audit.Contact
	ask := func(address, purpose string) {
		if !g.opt.Offline {
			out = append(out, audit.Contact{Host: hostOf(address), Address: visit.Masked(address), Right: "anonymous read", Purpose: purpose})
		}
	}
	for _, t := range g.operatorAt {
		purpose := fmt.Sprintf("%s, as an outsider sees it", kindWords(t.Kind))
		if t.file != "" {
			out = append(out, audit.Contact{Host: "local", Address: t.file, Right: "read", Purpose: kindWords(t.Kind) + ", handed over"})
			continue
		}
		addresses := slices.Clone(t.Repositories)
		if t.URL != "" {
			addresses = append([]string{t.URL}, addresses...)
		}
		for _, l := range t.Links {
			addresses = append(addresses, l.URL)
		}
		for _, a := range addresses {
			ask(a, purpose)
		}
	}
	return append(out, g.levelContacts()...)
}

// levelContacts lists what looking at levels 1 and 2 and at declarations would ask and read.
func (g *gatherer) levelContacts() []audit.Contact {
	var out []audit.Contact
	asked := func(address, purpose string) {
		if isAddress(address) && !g.opt.Offline {
			out = append(out, audit.Contact{Host: hostOf(address), Address: visit.Masked(address), Right: "anonymous read", Purpose: purpose})
		}
	}
	read := func(path, purpose string) {
		out = append(out, audit.Contact{Host: "local", Address: path, Right: "read", Purpose: purpose})
	}
	for _, t := range g.levelAt {
		for _, address := range []string{t.URL, t.Scope, t.Signers, t.Config, t.Revocations} {
			asked(address, t.Kind+" of level 1 or 2")
		}
		for _, name := range sortedKeys(t.files) {
			read(t.files[name], t.Kind+" of level 1 or 2, handed over")
		}
	}
	if g.declares == nil {
		return out
	}
	read(g.stack.Declarations, "declarations of the operator")
	for _, e := range g.declares.At(g.at) {
		if e.File != "" {
			read(e.File, "evidence of a declaration")
		}
		asked(e.URL, "evidence of a declaration")
	}
	return out
}
