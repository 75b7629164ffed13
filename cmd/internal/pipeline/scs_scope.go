package pipeline

import (
	"strings"

	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

// scsRaw is where the newest form of SCS's own scope files stands (standards: Tests/scs-compatible-iaas.yaml, url).
const scsRaw = "https://raw.githubusercontent.com/SovereignCloudStack/standards/main/Tests/"

// SCSScopes returns scopes of a policy in the form that SCS's tooling and standards show: those named, in that order, or all.
// dir is a policy directory; empty: the built-in policy.
func SCSScopes(choice PolicyChoice, ids []string) ([]reports.SCSScope, error) {
	chosen, err := choice.choose(nil)
	if err != nil {
		return nil, err
	}
	p := chosen.Policy
	if len(ids) == 0 {
		ids = p.ScopeIDs()
	}
	var out []reports.SCSScope
	for _, id := range ids {
		s, ok := p.Scope(id)
		if !ok {
			return nil, usagef("known scopes: "+strings.Join(p.ScopeIDs(), ", "), "unknown scope %q", id)
		}
		out = append(out, scsScope(p, s))
	}
	return out, nil
}

func scsScope(p *policies.Policy, s policies.Scope) reports.SCSScope {
	profile := p.Profile()
	out := reports.SCSScope{
		ID: s.ID, Title: s.Title, Layer: scsLayer(s), Stabilized: p.Stabilized(), Requires: scsRequires(p, s),
		Policy: reports.Policy{ID: p.ID(), Version: p.Version(), Digest: p.Digest(), Status: p.Status(), Profile: profile.ID + " " + profile.Version},
	}
	for _, state := range p.Timeline() {
		out.Timeline = append(out.Timeline, reports.SCSState{From: state.From, State: state.State})
	}
	for _, id := range s.Include {
		q, _ := p.Requirement(id)
		out.Tests = append(out.Tests, reports.SCSTest{
			Requirement: q.ID, Module: q.Module, ModuleTitle: p.ModuleTitle(q.Module)["en"], Must: q.Severity == policies.Must, ForEach: q.ForEach,
			Title: q.Title["en"], Rationale: q.Rationale["en"], Sources: scsSources(q.Sources), Applies: q.Applies, Pass: q.Pass,
			Lifetime: profile.Lifetimes[q.Lifetime], DeclaredOK: q.DeclaredOK, Manual: q.Manual, From: q.EffectiveOn,
		})
	}
	for _, w := range p.Switches() {
		out.Questions = append(out.Questions, reports.SCSQuestion{Name: w.Name, Title: w.Title["en"], On: w.On, Sources: scsSources(w.Sources)})
	}
	for _, c := range p.Clauses() {
		if c.Refused != nil {
			out.Refused = append(out.Refused, reports.SCSRefused{ID: c.ID, Source: scsSources([]policies.Clause{c})[0], Says: c.Says["en"], Why: c.Refused["en"]})
		}
	}
	return out
}

func scsSources(clauses []policies.Clause) (out []reports.SCSSource) {
	for _, c := range clauses {
		words := c.Document.Title
		if c.At != "" {
			words += ", " + c.At
		}
		out = append(out, reports.SCSSource{Document: c.Document.Title, Words: words, Address: c.Address()})
	}
	return out
}

// scsLayer is the word for the layer in the title of a scope: "IaaS" of "SCS-open IaaS".
func scsLayer(s policies.Scope) string {
	words := strings.Fields(s.Title)
	if len(words) > 0 && strings.EqualFold(words[len(words)-1], s.Layer) {
		return words[len(words)-1]
	}
	return s.Layer
}

// scsRequires names the scope below: one of this policy, or SCS-compatible of the same layer, which SCS publishes.
func scsRequires(p *policies.Policy, s policies.Scope) reports.SCSRequires {
	if s.Requires == "" {
		return reports.SCSRequires{}
	}
	if below, ok := p.Scope(s.Requires); ok {
		return reports.SCSRequires{ID: below.ID, Name: reports.SCSScopeName(below.Title), URL: reports.SCSReference + "#" + below.ID}
	}
	if s.Requires == "scs-compatible-"+s.Layer {
		return reports.SCSRequires{ID: s.Requires, Name: "SCS-compatible " + scsLayer(s), URL: scsRaw + s.Requires + ".yaml"}
	}
	return reports.SCSRequires{ID: s.Requires, Name: s.Requires, URL: reports.SCSReference}
}
