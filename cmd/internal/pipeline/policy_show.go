package pipeline

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

// PolicyList says which policies are here, with their scopes and the digests that pin them: the one built in, the one in a bundle
// if a bundle is named, and those of the configured directories.
func PolicyList(dir string, choice PolicyChoice) (string, error) {
	builtin, err := policies.Default()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	listPolicy(&b, builtin, "built in")
	if dir != "" {
		carried, err := bundlePolicy(dir)
		if err != nil {
			return "", err
		}
		where := "in the bundle"
		if carried.Digest() == builtin.Digest() {
			where += ", the one built in"
		}
		listPolicy(&b, carried, where)
	}
	found, err := choice.configured(builtin)
	if err != nil {
		return "", err
	}
	for _, p := range found {
		switch {
		case p.err != nil:
			fmt.Fprintf(&b, "%s: not usable by its id: %s\n", p.dir, p.err)
		case p.signer != "":
			listPolicy(&b, p.Policy, p.dir+", signed by "+p.signer)
		default:
			listPolicy(&b, p.Policy, p.dir)
		}
	}
	return b.String(), nil
}

func listPolicy(b *strings.Builder, p *policies.Policy, where string) {
	fmt.Fprintf(b, "%s@%s %s (%s), %s\n", p.ID(), p.Digest(), p.Version(), p.Status(), where)
	ids := p.ScopeIDs()
	slices.Sort(ids)
	for _, id := range ids {
		s, _ := p.Scope(id)
		fmt.Fprintf(b, "  %-20s %-20s %d requirements, %s\n", id, s.Title, len(s.Include), p.ScopeDigest(id))
	}
}

// bundlePolicy reads the policy that a bundle brings along. It is shown, not judged by.
func bundlePolicy(dir string) (*policies.Policy, error) {
	files, err := bundlePolicyFiles(dir)
	if err != nil {
		return nil, err
	}
	p, err := policies.FromFiles(files)
	if err != nil {
		return nil, usagef("pegel policy lint names every problem", "reading the policy of bundle %q: %w", dir, err)
	}
	return p, nil
}

// PolicyShow is a part of a policy: the policy itself by its id (or no name at all), a scope, a requirement, or a clause.
func PolicyShow(name string, choice PolicyChoice) (reports.PolicyPart, error) {
	chosen, cases, err := withCases(name, choice)
	if err != nil {
		return reports.PolicyPart{}, err
	}
	p := chosen.Policy
	out := reports.PolicyPart{
		Schema: reports.PolicyPartSchema, Asked: name, Title: p.Title(),
		Policy: reports.Policy{
			ID: p.ID(), Version: p.Version(), Digest: p.Digest(), Status: p.Status(), Profile: p.Profile().ID + " " + p.Profile().Version,
			Origin: chosen.origin, Signer: chosen.signer,
		},
	}
	scope, isScope := p.Scope(name)
	requirement, isRequirement := p.Requirement(name)
	clause, isClause := p.Clause(name)
	switch {
	case isScope:
		out.Scopes = []reports.PolicyScope{scopePart(p, scope)}
		for _, id := range scope.Include {
			q, _ := p.Requirement(id)
			out.Requirements = append(out.Requirements, requirementPart(p, q, cases))
		}
	case isRequirement:
		out.Requirements = []reports.PolicyRequirement{requirementPart(p, requirement, cases)}
	case isClause:
		out.Clauses = []reports.PolicyClause{clausePart(p, clause)}
	case name == "" || name == p.ID() || name == choice.Asked || name == BuiltIn:
		for _, s := range p.Scopes() {
			out.Scopes = append(out.Scopes, scopePart(p, s))
		}
		for _, q := range p.Requirements() {
			out.Requirements = append(out.Requirements, requirementPart(p, q, cases))
		}
		for _, c := range p.Clauses() {
			out.Clauses = append(out.Clauses, clausePart(p, c))
		}
		for _, s := range p.Switches() {
			row := reports.PolicySwitch{Name: s.Name, On: s.On, Title: s.Title}
			for _, c := range s.Sources {
				row.Sources = append(row.Sources, c.ID)
			}
			out.Switches = append(out.Switches, row)
		}
	default:
		return out, usagef("pegel policy show without a name lists them; scopes are "+strings.Join(p.ScopeIDs(), ", "), "showing policy %s: it has no scope, requirement or clause %q", p.ID(), name)
	}
	return out, nil
}

// withCases chooses a policy and reads its cases. A name that is a policy itself, by path or by pin, is the one that is meant.
func withCases(name string, choice PolicyChoice) (chosenPolicy, policies.Cases, error) {
	if choice.Asked == "" && (strings.ContainsAny(name, "@") || strings.Contains(name, "sha256:") || strings.HasPrefix(name, ".")) {
		choice.Asked = name
	}
	chosen, err := choice.choose(nil)
	if err != nil {
		return chosen, policies.Cases{}, err
	}
	files, err := ownCases(choice.Asked, chosen)
	if err != nil {
		return chosen, policies.Cases{}, err
	}
	cases, _ := chosen.ParseCases(files) // what is wrong with them is for lint to say
	return chosen, cases, nil
}

func scopePart(p *policies.Policy, s policies.Scope) reports.PolicyScope {
	return reports.PolicyScope{ID: s.ID, Title: s.Title, Level: s.Number, Layer: s.Layer, Requires: s.Requires, Requirements: s.Include, Digest: p.ScopeDigest(s.ID)}
}

func requirementPart(p *policies.Policy, q policies.Requirement, cases policies.Cases) reports.PolicyRequirement {
	out := reports.PolicyRequirement{
		ID: q.ID, Module: q.Module, Severity: q.Severity, Kind: q.ForEach, Title: q.Title, Rationale: q.Rationale, Remedy: q.Remedy, Owner: q.Owner,
		Applies: q.Applies, Pass: q.Pass, Evidence: q.Evidence, Lifetime: fmt.Sprintf("%s (%s)", q.Lifetime, p.Profile().Lifetimes[q.Lifetime]),
		DeclaredOK: q.DeclaredOK, Sources: []reports.PolicyClause{}, Scopes: []string{}, Digest: q.Digest(),
	}
	if !q.EffectiveOn.IsZero() {
		out.EffectiveOn = q.EffectiveOn.Format(time.DateOnly)
	}
	for _, c := range q.Sources {
		row := clausePart(p, c)
		row.Serving = nil
		out.Sources = append(out.Sources, row)
	}
	for _, s := range p.Scopes() {
		if slices.Contains(s.Include, q.ID) {
			out.Scopes = append(out.Scopes, s.ID)
		}
	}
	for _, c := range cases.Of(q.ID) {
		out.Cases = append(out.Cases, reports.PolicyCase(c))
	}
	return out
}

func clausePart(p *policies.Policy, c policies.Clause) reports.PolicyClause {
	return reports.PolicyClause{
		ID: c.ID, Document: c.Document.Title, Status: c.Document.Status, At: c.At, Address: c.Address(), Quote: c.Quote, Says: c.Says, Refused: c.Refused,
		Serving: p.Serving(c.ID),
	}
}

// PolicyFileList is the list of the files of a policy with their digests: what a signature of the policy signs.
func PolicyFileList(choice PolicyChoice) ([]byte, error) {
	chosen, err := choice.choose(nil)
	if err != nil {
		return nil, err
	}
	return policies.FileList(chosen.Files()), nil
}
