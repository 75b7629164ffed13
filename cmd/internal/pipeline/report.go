package pipeline

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/scoring"
)

// report puts everything that a reader may see into one value.
func (d *dossier) report(requested []string, scores []scoring.ProjectScore, seen []transparency.Result, result policies.Result) reports.Report {
	s := d.stack.Subject
	r := reports.Report{
		Schema:     reports.Schema,
		Subject:    reports.Subject{Name: s.Name, Kind: s.Kind, Exposure: s.Exposure, Group: s.Group, Operator: s.Operator.Name},
		AssessedAt: d.stack.AssessedAt,
		Assurance:  "self-assessed", // nothing in a bundle of this version is signed
		Signers:    []string{},
		Policy: reports.Policy{
			ID: d.policy.ID(), Version: d.policy.Version(), Digest: d.policy.Digest(), Status: d.policy.Status(),
			Profile: d.profiles.Main().ID + " " + d.profiles.Main().Version, Origin: d.chosen.origin, Signer: d.chosen.signer,
		},
		Previous:   d.previousRow(),
		Tool:       reports.Tool{Version: d.stack.Tool},
		Evidence:   reports.Evidence{Digest: d.identity, Blobs: d.blobs, Withheld: d.withheld},
		Findings:   d.findings(result),
		Trees:      result.Trees,
		Artifacts:  d.artifactRows(),
		Components: d.componentRows(),
		Projects:   d.projectRows(scores),
		Critical:   d.critical(),
		Operator:   d.operatorPart(seen),
		Drift:      d.driftRows(),
		Undecided:  d.comparison.Undecided,
		Coverage:   d.coverage(),
		Regions:    d.regionRows(),
		Visibility: "full",
	}
	for _, v := range result.Verdicts {
		r.Verdicts = append(r.Verdicts, d.verdict(v, slices.Contains(requested, v.Scope)))
	}
	r.Worklist, r.Waivers = d.worklist(result), d.waiverRows(result)
	r.Requirements = d.requirementRows(r.Findings)
	r.Ladder = d.ladder(r.Verdicts, r.Findings)
	r.NotSeen = d.notSeen()
	r.Crosswalk = reports.Crosswalk(frameworks(d.policy), r.Findings)
	r.Words = glossaryWords(d.policy)
	return r
}

func (d *dossier) verdict(v policies.Verdict, requested bool) reports.Verdict {
	scope, _ := d.policy.Scope(v.Scope)
	return reports.Verdict{
		Scope: v.Scope, Title: scope.Title, Level: scope.Number, Layer: scope.Layer, Outcome: v.Outcome,
		ValidUntil: v.ValidUntil, Ends: v.Ends, Limiting: orEmpty(v.Limiting), Probation: v.Probation, Waived: v.Waived, Requested: requested,
		Worst: v.Worst, Regions: regionVerdicts(v),
		Counts: reports.Counts{Pass: v.Counts.Pass, Fail: v.Counts.Fail, Miss: v.Counts.Miss, DNF: v.Counts.DNF, NA: v.Counts.NA},
	}
}

// ladder shows the levels of each layer that was judged, in the order of the policy. Level 1 is only referenced (digisov: SCS
// "defines no own label"), and so is level 2, where SCS has one for the layer.
func (d *dossier) ladder(verdicts []reports.Verdict, findings []reports.Finding) []reports.Rung {
	var out []reports.Rung
	for _, layer := range d.policy.Layers() {
		var rungs []reports.Rung
		for _, v := range verdicts {
			if v.Layer == layer {
				rungs = append(rungs, reports.Rung{Level: v.Level, Layer: layer, Title: v.Title, State: rungState(v.Outcome), Reason: countsInWords(v.Counts, recommended(v.Scope, findings))})
			}
		}
		if len(rungs) == 0 {
			continue
		}
		slices.SortStableFunc(rungs, func(a, b reports.Rung) int { return cmp.Compare(a.Level, b.Level) })
		out = append(out, reports.Rung{Level: 1, Layer: layer, Title: "Legal compliance", State: "not-assessed", Reason: "SCS refers to ENISA and Gaia-X; Pegel does not judge it"})
		if d.restsOnCompatible(layer) {
			state, reason := d.levelRung(layer)
			out = append(out, reports.Rung{Level: 2, Layer: layer, Title: "SCS-compatible " + layerTitle(layer), State: state, Reason: reason})
		}
		out = append(out, rungs...)
	}
	return out
}

// restsOnCompatible says whether a scope of the layer requires SCS-compatible: SCS has no such certificate for every layer.
func (d *dossier) restsOnCompatible(layer string) bool {
	return slices.ContainsFunc(d.policy.Scopes(), func(s policies.Scope) bool { return s.Layer == layer && s.Requires == "scs-compatible-"+layer })
}

func rungState(outcome string) string {
	switch outcome {
	case "eligible":
		return "reached"
	case "not-eligible":
		return "failed"
	}
	return "undetermined"
}

// recommended counts the failures of a scope that do not block it.
func recommended(scope string, findings []reports.Finding) int {
	n := 0
	for _, f := range findings {
		if f.Outcome == audit.FAIL && f.Severity != policies.Must && slices.Contains(f.Scopes, scope) {
			n += max(1, f.Count)
		}
	}
	return n
}

func countsInWords(c reports.Counts, recommended int) string {
	failed := fmt.Sprintf("%d failed", c.Fail)
	if recommended > 0 {
		failed += fmt.Sprintf(" (%d of them only recommended)", recommended)
	}
	return fmt.Sprintf("%s, %d not looked at, %d could not be told, %d passed", failed, c.Miss, c.DNF, c.Pass)
}

func (d *dossier) findings(result policies.Result) []reports.Finding {
	out := make([]reports.Finding, 0, len(result.Findings))
	for _, f := range result.Findings {
		q, _ := d.policy.Requirement(f.Requirement)
		out = append(out, reports.Finding{
			ID: f.ID, Subject: f.Subject, Requirement: f.Requirement, Title: q.Title["en"], Scopes: f.Scopes, Regions: f.Regions, Severity: f.Severity,
			Outcome: f.Outcome, Declared: f.Declared, Probation: f.Probation, Waived: f.Waived, Count: f.Count, Reason: f.Reason, Missing: f.Missing, Settle: f.Settle,
			Origins: f.Origins, ValidUntil: f.ValidUntil, Remedy: f.Remedy, Owner: f.Owner, Rationale: q.Rationale["en"], Source: q.SourceText(),
			EffectiveOn: f.EffectiveOn, Overruled: f.Overruled, Tree: f.Tree, Example: f.Example, Grounds: d.placed(f),
		})
	}
	return out
}

func (d *dossier) artifactRows() []reports.Artifact {
	out := make([]reports.Artifact, 0, len(d.inventory.Artifacts))
	for _, a := range d.inventory.Artifacts {
		row := reports.Artifact{
			ID: a.ID, Kind: a.Kind, Name: a.Name, Reference: a.Reference, Version: a.Version, Digest: a.Digest, Unpinned: a.Unpinned,
			Tiers: orEmpty(a.Tiers), Area: a.Area, Service: a.Service, Placed: a.Placed, Projects: orEmpty(a.Projects), Seen: a.Seen(), Replicas: a.Replicas,
			Regions: ownIn(a), Sightings: []reports.Sighting{},
		}
		if p, ok := d.inside[a.ID]; ok {
			if components, known := p.Components.Get(); known {
				n := len(components)
				row.Packages = &n
			}
		}
		for _, s := range a.Sightings {
			row.Sightings = append(row.Sightings, reports.Sighting(s))
		}
		out = append(out, row)
	}
	return out
}

func (d *dossier) componentRows() []reports.Component {
	out := make([]reports.Component, 0, len(d.projects.Products))
	for _, p := range d.projects.Products {
		l := d.productLicence(p)
		row := reports.Component{
			Artifact: p.Artifact, Project: p.Project, Name: p.Name, Version: p.Version, Edition: p.Edition, Licence: l.expression,
			LicenceClass: string(l.class), Provenance: l.provenance, Origins: l.origins,
			Tiers: orEmpty(d.artifacts[p.Artifact].Tiers), Area: d.artifacts[p.Artifact].Area,
		}
		out = append(out, row)
	}
	return out
}

func (d *dossier) projectRows(scores []scoring.ProjectScore) []reports.Project {
	out := make([]reports.Project, 0, len(scores))
	for _, s := range scores {
		out = append(out, projectRow(s, d.evidence[s.Project.ID], d.profiles.For(s.Project.Profile), d.stack.AssessedAt))
	}
	return out
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// mostNames bounds a list of names in a report; the count beside it tells how many there are.
const mostNames = 50

// notSeen says by name what was not seen, and what would settle it.
func (d *dossier) notSeen() []reports.Unseen {
	var out []reports.Unseen
	for _, f := range d.inventory.Failures {
		out = append(out, reports.Unseen{What: "source " + f.Source + regionSuffix(f.Region), Reason: f.Reason, Settle: f.Settle})
	}
	add := func(what, reason, settle string, names []string) {
		if len(names) == 0 {
			return
		}
		slices.Sort(names)
		names = slices.Compact(names)
		out = append(out, reports.Unseen{What: what, Reason: reason, Settle: settle, Count: len(names), Names: names[:min(len(names), mostNames)]})
	}
	var declared, closed, failed, unmatched []string
	for _, a := range d.inventory.Artifacts {
		p, opened := d.inside[a.ID]
		_, known := p.Components.Get()
		switch {
		case a.Excluded != "":
			add("excluded by the operator", a.Excluded, "the auditor asks whether it really is not deployed", []string{nameOf(a)})
			continue
		case !a.Seen():
			declared = append(declared, nameOf(a))
		case !opened:
			closed = append(closed, nameOf(a))
		}
		if opened && !known {
			failed = append(failed, nameOf(a)+": "+p.Components.Failure)
		}
		if len(a.Projects) == 0 {
			unmatched = append(unmatched, nameOf(a))
		}
	}
	add("artifacts that are only declared", "a manifest says that they shall run; nobody saw them run or looked inside", "add sources that see the running stack: image:, host: or sbom:", declared)
	add("artifacts that were seen but not opened", "no source had their contents", "give their contents as image: or sbom: source", closed)
	add("artifacts whose contents could not be read", "see each name", "give contents that can be read", failed)
	add("artifacts that lead to no known upstream project", "no entry of the catalogue matches", "name the upstream under assign: in the stack file, or add it to the catalogue", unmatched)

	out = append(out, unresolved(d.projects.Sources)...)
	out = append(out, d.notCovered()...)

	silent := map[string][]string{}
	for _, p := range d.projects.Projects {
		if e := d.evidence[p.ID]; e.Revision == "" {
			reason := orText(e.Failure, "no evidence was gathered")
			silent[reason] = append(silent[reason], p.Name)
		}
	}
	for _, reason := range sortedKeys(silent) {
		add("upstream projects without evidence", reason, "collect with the network, or give local clones with --mirror", silent[reason])
	}
	for _, f := range d.stack.Licences.Failures {
		out = append(out, reports.Unseen{What: "source " + f.Source, Reason: f.Reason, Settle: f.Settle})
	}
	for _, s := range d.stack.Licences.Silent {
		out = append(out, reports.Unseen{What: "licences of packages of the type " + s.Type, Reason: s.Reason, Settle: s.Settle, Count: s.Count, Names: s.Names})
	}
	for _, u := range d.stack.Unread {
		out = append(out, reports.Unseen{What: "key " + u.What + " of the stack file", Reason: u.Reason, Settle: u.Settle})
	}
	if d.stack.Subject.Kind == "release" {
		out = append(out, reports.Unseen{What: "the operator", Reason: "a release has no operator: levels 2 and 4 cannot be assessed for it", Settle: "audit a cloud that runs this release"})
	}
	out = append(out, d.operatorNotSeen()...)
	if d.withheld > 0 {
		out = append(out, reports.Unseen{
			What: "withheld evidence", Count: d.withheld, Reason: "third-party text and the operator's files are named by digest, not included",
			Settle: "fetch them from the named repository and commit and compare the digest",
		})
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
