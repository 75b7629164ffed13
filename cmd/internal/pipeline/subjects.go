package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// This file is the only place where facts are opened for rules: each function turns evidence into a flat record and the
// list of its fields that are not known.

// scores measures every project on its evidence.
func (d *dossier) scores() []scoring.ProjectScore {
	out := make([]scoring.ProjectScore, 0, len(d.projects.Projects))
	deployed := d.deployedFacts()
	for _, p := range d.projects.Projects {
		p.Deployed = deployed[p.ID]
		e := d.timely(d.evidence[p.ID])
		d.evidence[p.ID] = e
		out = append(out, judge(d.mitigated(p), e, d.profiles.For(p.Profile)))
	}
	return out
}

// timely returns the evidence, or nothing but a reason if it is about a day after the audit's. Evidence that is too old is
// for the policy to refuse, by the lifetimes of the profile.
func (d *dossier) timely(e scoring.Evidence) scoring.Evidence {
	if !e.AssessedAt.After(d.stack.AssessedAt) {
		return e
	}
	return scoring.Evidence{
		Schema: e.Schema, Project: e.Project, Repo: e.Repo, AssessedAt: e.AssessedAt,
		Failure: fmt.Sprintf("the recorded evidence is of %s, after the day of this audit", e.AssessedAt.Format(time.DateOnly)),
		Settle:  "collect the evidence of " + e.Repo + " again",
	}
}

// subjects lists everything that rules judge.
func (d *dossier) subjects(scores []scoring.ProjectScore, seen []transparency.Result) []policies.Subject {
	out := []policies.Subject{d.stackSubject(), d.operatorSubject(seen)}
	for _, a := range d.inventory.Artifacts {
		if a.Excluded == "" {
			out = append(out, d.artifactSubject(a))
		}
	}
	for _, p := range d.projects.Products {
		out = append(out, d.productSubject(p, d.artifacts[p.Artifact]))
	}
	for _, p := range d.packages {
		if a := d.artifacts[p.Artifact]; a.Excluded == "" {
			out = append(out, packageSubjects(p, a, d.judge)...)
		}
	}
	for _, s := range scores {
		out = append(out, d.projectSubject(s))
	}
	for _, layer := range d.policy.Layers() {
		out = append(out, d.compatibleSubject(layer))
	}
	return out
}

func (d *dossier) stackSubject() policies.Subject {
	s := d.stack.Subject
	r := policies.Stack{
		Name: s.Name, Kind: s.Kind, Artifacts: int64(len(d.inventory.Artifacts)),
		SourcesFailed: int64(len(d.inventory.Failures)), BOM: d.stack.StackBOM != "",
	}
	corrections := d.corrections()
	r.Corrections = int64(len(corrections))
	sub := policies.Subject{Ref: audit.SubjectRef{Kind: policies.KindStack, ID: "stack", Name: s.Name}, Record: r}
	if len(corrections) > 0 {
		sub.Unknown = append(sub.Unknown, policies.UnknownField{
			Field: "corrections", Looked: true, Reason: "only the operator says so: " + strings.Join(corrections, "; "),
			Settle: []string{"an auditor checks each correction under assign:, and each rule of a source that leaves something out, in the stack file"},
		})
	}
	sub.Unknown = append(sub.Unknown, d.stackCoverage(&r)...)
	r.Missing, sub.Origins = d.missing()
	if u := d.stackBOM(&r); u != nil {
		sub.Unknown = append(sub.Unknown, *u)
	}
	sub.Unknown = append(sub.Unknown, d.documentFacts("", qualityFacts{"sbom", &r.SBOMBSI, &r.SBOMShare, &r.SBOMOpen})...)
	sub.Origins["bom"] = []audit.Origin{{Source: "sbom", Path: "stack.cdx.json", Digest: d.stack.StackBOM}}
	sub.Record = r
	if r.SourcesFailed > 0 {
		var names, settle []string
		for _, f := range d.inventory.Failures {
			names = append(names, f.Source+" ("+f.Reason+")")
			if f.Settle != "" {
				settle = append(settle, f.Settle)
			}
		}
		sub.Unknown = append(sub.Unknown, policies.UnknownField{
			Field: "sourcesFailed", Looked: true, Settle: settle,
			Reason: "not everything could be read: " + strings.Join(names, "; "),
		})
	}
	return sub
}

// stackBOM says why the SBOM of the stack may not list what is in it; nil if contents were read.
func (d *dossier) stackBOM(r *policies.Stack) *policies.UnknownField {
	c := d.coverage()
	switch {
	case !r.BOM:
		return nil
	case c.Artifacts == 0:
		return &policies.UnknownField{Field: "bom", Looked: true, Reason: "it lists nothing: no source showed an artifact", Settle: []string{"give sources that can be read"}}
	case c.Scannable > 0 && c.Scanned == 0:
		return &policies.UnknownField{Field: "bom", Looked: true, Reason: "it lists artifacts only: the contents of none were read", Settle: []string{"give contents: image:, registry:, inventory: or host: sources"}}
	}
	return nil
}

// corrections says what the operator's assign entries changed, artifact by artifact, and what rules such as exclude: left
// out. Until an auditor accepts them they keep every scope open (design section 4, rule 5): a correction could hide what
// fails, and a rule about customers could hide a part of the platform. The names that such a rule holds may be those of
// customers and are not repeated here.
func (d *dossier) corrections() []string {
	var out []string
	for _, a := range d.inventory.Artifacts {
		for _, rule := range d.stack.Assign {
			if !rule.applies(a, d.region) {
				continue
			}
			what := "other facts about it"
			switch {
			case rule.NotDeployed:
				what = "it is not deployed"
			case rule.Upstream != "":
				what = "it is " + rule.Upstream
			case rule.Tier != "":
				what = "it belongs to tier " + rule.Tier
			}
			out = append(out, a.Name+": "+what+" ("+rule.Reason+")")
		}
	}
	for _, o := range d.inventory.Omitted {
		out = append(out, fmt.Sprintf("%d %s of %s are no part of the stack", o.Count, o.What, o.Source))
	}
	return out
}

func (d *dossier) artifactSubject(a sbom.Artifact) policies.Subject {
	r := policies.Artifact{
		Name: a.Name, Kind: a.Kind, Reference: a.Reference, Version: a.Version, Pinned: a.Unpinned == "",
		Digest: digestKnown(a) || a.Kind != sbom.KindImage && a.Digest != "", Identified: len(a.Projects) > 0, Seen: a.Seen(), VersionKnown: a.Version != "",
	}
	sub := policies.Subject{
		Ref:  audit.SubjectRef{Kind: policies.KindArtifact, ID: a.ID, Name: a.Name, Tiers: a.Tiers},
		Area: a.Area, Intent: !a.Seen(), Origins: map[string][]audit.Origin{"": origins(a)}, Observed: d.lastSeen(a),
	}
	if r.Identified && d.assigned[a.ID] {
		sub.Declared = map[string]bool{"identified": true}
	}
	if r.Identified && d.doubtful[a.ID] {
		sub.Unknown = append(sub.Unknown, policies.UnknownField{
			Field: "identified", Looked: true, Reason: "only the last part of the name " + nameOf(a) + " agrees with the catalogue: it may be something else",
			Settle: []string{"confirm its upstream under assign: in the stack file"},
		})
	}
	if !r.Identified {
		sub.Unknown = append(sub.Unknown, policies.UnknownField{
			Field: "identified", Looked: true, Reason: "no entry of the catalogue matches " + nameOf(a),
			Settle: []string{"name its upstream under assign: in the stack file, or add it to the catalogue"},
		})
	}
	if u := d.asDeclared(a, &r); u != nil {
		sub.Unknown = append(sub.Unknown, *u)
	}
	if u := d.builderFacts(a, &r); u != nil {
		sub.Unknown = append(sub.Unknown, *u)
	}
	sub.Unknown = append(sub.Unknown, d.repositoryFacts(a, &r)...)
	if a.Support == nil {
		sub.Unknown = append(sub.Unknown, policies.UnknownField{
			Field: "supported", Reason: "nobody says until when version " + orUnknown(a.Version) + " is maintained",
			Settle: []string{"read the maintenance policy of its upstream"},
		})
	} else {
		sub.Origins["supported"] = append(origins(a), audit.Origin{Source: "maintenance table", URL: a.Support.Source})
		r.Supported = a.Support.Ends >= d.stack.AssessedAt.UTC().Format(time.DateOnly)
	}
	packages, ok := d.inside[a.ID]
	components, known := packages.Components.Get()
	switch {
	case known && a.ByName && a.Digest != "" && len(components) > 0:
		for _, field := range []string{"bom", "packages"} {
			sub.Unknown = append(sub.Unknown, policies.UnknownField{
				Field: field, Looked: true, Reason: "contents under its name were read; no source saw the digest of what runs, so that it may be something else",
				Settle: []string{"give the engine's socket, or the output of image inspect"},
			})
		}
	case known && len(components) == 0:
		for _, field := range []string{"bom", "packages"} {
			sub.Unknown = append(sub.Unknown, policies.UnknownField{
				Field: field, Looked: true, Reason: "no package was found in it: either it holds none, or they are of a kind that is not read",
				Settle: []string{"give an SBOM of it made where it was built"},
			})
		}
	case known:
		r.BOM, r.Packages = true, int64(len(components))
		if packages.Declared {
			sub.Declared = declared(sub.Declared, "bom", "packages")
		}
	default:
		u := policies.UnknownField{Looked: ok, Reason: packages.Components.Failure}
		if !ok {
			u.Reason = "only declared; nobody looked inside"
		}
		u.Settle = []string{"give its contents as an image:, host: or sbom: source"}
		for _, field := range []string{"bom", "packages"} {
			u.Field = field
			sub.Unknown = append(sub.Unknown, u)
		}
	}
	d.artifactQuality(a, &sub, &r)
	sub.Record = r
	return sub
}

// lastSeen is when an artifact was seen last, if that was before the day of the audit: an inventory file may be old, and
// lifetimes count from then. The zero value: on the day of the audit.
func (d *dossier) lastSeen(a sbom.Artifact) time.Time {
	var last time.Time
	for _, s := range a.Sightings {
		if !s.Declared && s.Origin.At.After(last) {
			last = s.Origin.At
		}
	}
	if last.Before(d.stack.AssessedAt) {
		return last
	}
	return time.Time{}
}

func declared(fields map[string]bool, more ...string) map[string]bool {
	out := maps.Clone(fields)
	if out == nil {
		out = map[string]bool{}
	}
	for _, f := range more {
		out[f] = true
	}
	return out
}

func nameOf(a sbom.Artifact) string {
	if a.Reference != "" {
		return a.Reference
	}
	return a.Name
}

func origins(a sbom.Artifact) []audit.Origin {
	var out []audit.Origin
	for _, s := range a.Sightings {
		if s.Origin != (audit.Origin{}) {
			out = append(out, s.Origin)
		}
	}
	return out
}

// productSubject judges a component at its deployed version. The licence file in the repository at that version is the
// best evidence; the catalogue serves where its row was read from the file; a value that is only expected is not known.
func (d *dossier) productSubject(p product, a sbom.Artifact) policies.Subject {
	l := d.productLicence(p)
	r := policies.Product{Name: p.Name, Artifact: p.Artifact, Version: p.Version, Edition: p.Edition, LicenceChecked: l.checked}
	sub := policies.Subject{
		Ref:  audit.SubjectRef{Kind: policies.KindProduct, ID: productID(p), Name: strings.TrimSpace(p.Name + " " + p.Version), Tiers: a.Tiers},
		Area: a.Area, Intent: !a.Seen() && !d.thought[a.ID],
		Origins:  map[string][]audit.Origin{"": origins(a), "licence": l.origins, "licenceClass": l.origins, "openCore": p.VendorBuild.Origins},
		Observed: l.observed,
	}
	if p.Assigned {
		sub.Declared = map[string]bool{"name": true, "licence": true, "licenceClass": true, "openCore": true}
	}
	if doubt := d.doubt(p, l); doubt != nil {
		l.unknown = doubt
	}
	if l.expression != "" {
		r.Licence, r.LicenceClass = l.expression, string(l.class)
	}
	if l.unknown != nil {
		for _, field := range []string{"licence", "licenceClass"} {
			u := *l.unknown
			u.Field = field
			sub.Unknown = append(sub.Unknown, u)
		}
	}
	open, unknown := d.openCore(p)
	if p.Confidence == upstream.Low {
		unknown = d.doubt(p, l)
		unknown.Field = "openCore"
	}
	r.OpenCore = open
	if unknown != nil {
		sub.Unknown = append(sub.Unknown, *unknown)
	}
	sub.Record = r
	return sub
}

type productLicence struct {
	expression string
	class      licence.Class
	checked    bool
	provenance string
	origins    []audit.Origin
	observed   time.Time // when the licence file was read; zero: the catalogue was asked, on the day of the audit
	unknown    *policies.UnknownField
}

func (d *dossier) productLicence(p product) productLicence {
	e := d.evidence[p.Project]
	if facts, ok := e.Licences[p.Version].Get(); ok && p.Version != "" && p.Edition == "" && facts.Expression != "" {
		return licenceAtTag(p, e, facts)
	}
	expression, known := p.Licence.Get()
	settle := []string{"read the licence file of " + p.Name + " at version " + orUnknown(p.Version) + ": pegel collect with the network, or --mirror"}
	switch {
	case !known:
		return productLicence{
			class: licence.Unknown, provenance: "not known", origins: p.Licence.Origins,
			unknown: &policies.UnknownField{Looked: true, Reason: p.Licence.Failure, Settle: append(nonEmpty(p.Licence.Settle), settle...)},
		}
	case !p.Checked:
		return productLicence{
			expression: expression, class: licence.Unknown, provenance: "expected by the catalogue, not read", origins: p.Licence.Origins,
			unknown: &policies.UnknownField{Reason: "the catalogue expects " + expression + "; nobody read the licence file at the deployed version", Settle: settle},
		}
	}
	return productLicence{
		expression: expression, class: licence.Class(p.Class), checked: true, provenance: "catalogue, read from the licence file",
		origins: p.Licence.Origins,
	}
}

// doubt says why the licence of the component may not be that of what is deployed: the name only looks like it, or the
// version stands in the name alone although the contents were read. A name is enough to fail, never enough to pass.
func (d *dossier) doubt(p product, l productLicence) *policies.UnknownField {
	contents, opened := d.inside[p.Artifact]
	_, known := contents.Components.Get()
	switch {
	case p.Confidence == upstream.Low:
		return &policies.UnknownField{
			Looked: true, Reason: "only the last part of the name agrees with " + p.Name + ": it may be something else",
			Settle: []string{"confirm its upstream under assign: in the stack file"},
		}
	case opened && known && !contents.Declared && !p.Measured && l.class != licence.Restricted:
		return &policies.UnknownField{
			Looked: true, Reason: "version " + orUnknown(p.Version) + " is what the name says; no package inside shows it",
			Settle: []string{"give an SBOM that names " + p.Name + " and its version"},
		}
	}
	return nil
}

// licenceAtTag judges the licence files at the tag of the deployed version. A file that was not recognised may hold other
// terms, so that only a restricted licence decides then.
func licenceAtTag(p product, e scoring.Evidence, facts scoring.LicenceFacts) productLicence {
	l := productLicence{
		expression: facts.Expression, class: licence.ClassOf(facts.Expression), checked: true,
		provenance: "licence file at the tag of " + p.Version, origins: licenceOrigins(e, facts), observed: e.AssessedAt,
	}
	var open []string
	for _, f := range facts.Files {
		if len(f.Marks) > 0 {
			open = append(open, f.Path)
		}
	}
	if len(open) > 0 && l.class != licence.Restricted {
		l.class, l.checked = licence.Unknown, false
		l.unknown = &policies.UnknownField{
			Looked: true, Reason: "beside " + facts.Expression + " there are licence files that were not recognised: " + strings.Join(open, ", "),
			Settle: []string{"read " + strings.Join(open, ", ") + " of " + p.Name + " at the tag of " + p.Version},
		}
	}
	return l
}

func licenceOrigins(e scoring.Evidence, facts scoring.LicenceFacts) []audit.Origin {
	var out []audit.Origin
	for _, f := range facts.Files {
		out = append(out, audit.Origin{Source: "git", URL: e.Repo, Commit: facts.Commit, Path: f.Path, Digest: f.Digest, At: e.AssessedAt})
	}
	return out
}

// openCore says whether a vendor's build is deployed or the project withholds parts: positive evidence on either side, or
// unknown.
func (d *dossier) openCore(p product) (bool, *policies.UnknownField) {
	if vendor, known := p.VendorBuild.Get(); known && vendor {
		return true, nil
	}
	e := d.evidence[p.Project]
	tree, known := e.Tree.Get()
	if !known {
		u := policies.UnknownField{
			Field: "openCore", Looked: e.Failure != "" && !e.NotAsked, Reason: orText(e.Failure, "nobody looked at the repository of "+p.Name),
			Settle: nonEmpty(e.Settle),
		}
		return false, &u
	}
	for _, s := range tree.SubLicences {
		if s.Product && !s.Vendored && licence.ClassOf(s.Expression) == licence.Restricted {
			return true, nil
		}
	}
	return false, nil
}

// packageSubjects judges what is inside an artifact, package by package.
func packageSubjects(p sbom.Packages, a sbom.Artifact, judge sbom.Judge) []policies.Subject {
	components, _ := p.Components.Get()
	out := make([]policies.Subject, 0, len(components))
	for _, c := range components {
		l := judge.Of(c)
		r := policies.Package{
			Name: c.Name, Version: c.Version, Type: c.Type, Artifact: p.Artifact, Licence: l.Concluded, LicenceClass: l.Class,
			Section: c.Section, Identified: c.PURL != "",
		}
		sub := policies.Subject{
			Ref:  audit.SubjectRef{Kind: policies.KindPackage, ID: c.Ref + " in " + p.Artifact, Name: c.Name + " " + c.Version, Tiers: a.Tiers},
			Area: a.Area, Intent: !a.Seen(), Record: r,
			Origins: map[string][]audit.Origin{"": packageOrigins(c, a)},
		}
		if p.Declared {
			sub.Declared = map[string]bool{"licence": true, "licenceClass": true}
		}
		if l.Class == string(licence.Unknown) {
			for _, field := range []string{"licence", "licenceClass"} {
				sub.Unknown = append(sub.Unknown, policies.UnknownField{
					Field: field, Looked: true, Reason: l.Note, Settle: []string{"read the copyright file of " + c.Name + " " + c.Version},
				})
			}
		}
		out = append(out, sub)
	}
	return out
}

func packageOrigins(c sbom.Component, a sbom.Artifact) []audit.Origin {
	var out []audit.Origin
	for _, claim := range c.Licences {
		if claim.Path != "" {
			out = append(out, audit.Origin{Source: a.Kind, Path: claim.Path, Digest: a.Digest})
		}
	}
	if len(out) == 0 && len(c.Locations) > 0 {
		out = append(out, audit.Origin{Source: a.Kind, Path: c.Locations[0], Digest: a.Digest})
	}
	return slices.Compact(out)
}

// aspectField is the name of an aspect's score in rules.
var aspectField = map[string]string{
	"open-source": "openSource", "open-community": "openCommunity", "open-development": "openDevelopment",
	"open-design": "openDesign", "maturity": "maturity", "security": "security", "activity": "activity", "lock-in": "lockIn",
}

func (d *dossier) projectSubject(s scoring.ProjectScore) policies.Subject {
	e := d.evidence[s.Project.ID]
	r := policies.Project{Name: s.Project.Name, Role: s.Project.Role, Coverage: map[string]int64{}, KnockOuts: []string{}}
	sub := policies.Subject{
		Ref:      audit.SubjectRef{Kind: policies.KindProject, ID: s.Project.ID, Name: s.Project.Name, Tiers: s.Project.Tiers},
		Area:     s.Project.Area,
		Origins:  map[string][]audit.Origin{"": {{Source: "git", URL: e.Repo, Commit: e.Revision, At: e.AssessedAt}}},
		Observed: e.AssessedAt, Settle: map[string][]string{},
	}
	if r.Role == "" {
		r.Role = "platform" // design section 9: unset counts as platform
	}
	unknown := func(field, reason string, settle []string) {
		looked := e.Failure != "" && !e.NotAsked || e.Revision != ""
		sub.Unknown = append(sub.Unknown, policies.UnknownField{Field: field, Looked: looked, Reason: reason, Settle: settle})
	}
	none := e.Revision == "" && e.Failure != ""
	var open []string
	for _, a := range s.Aspects {
		setAspect(&r, a)
		r.Coverage[a.Aspect] = int64(a.Coverage)
		r.KnockOuts = append(r.KnockOuts, a.KnockOuts...)
		open = append(open, a.Open...)
		if none {
			unknown(aspectField[a.Aspect], e.Failure, nonEmpty(e.Settle))
		}
		sub.Settle[aspectField[a.Aspect]] = d.settleGate(s, a.Aspect)
	}
	if none {
		unknown("coverage", e.Failure, nonEmpty(e.Settle))
	}
	r.KnockOut = len(r.KnockOuts) > 0
	if !r.KnockOut && len(open) > 0 {
		unknown("knockOut", "not known: "+strings.Join(open, ", "), d.settleOf(s, open))
		unknown("knockOuts", "not known: "+strings.Join(open, ", "), d.settleOf(s, open))
	}
	sayMeasured(s, r.KnockOuts, &sub)
	d.lockIn(s, e, &r, &sub)
	if h, known := e.History.Get(); known {
		r.Maintained = !h.LastHumanCommit.IsZero() && d.stack.AssessedAt.Sub(h.LastHumanCommit) <= 365*24*time.Hour
	} else {
		unknown("maintained", orText(e.Failure, orText(e.History.Failure, "nobody looked at the history")), nonEmpty(orText(e.Settle, e.History.Settle)))
	}
	sub.Record = r
	return sub
}

// mostSaid bounds the indicators that the reason of a score names; the report lists all under the project.
const mostSaid = 3

// sayMeasured puts into words what knocks a project out and what pulls each score down, with the evidence of those indicators.
func sayMeasured(s scoring.ProjectScore, knockOuts []string, sub *policies.Subject) {
	if sub.Says == nil {
		sub.Says = map[string]string{}
	}
	said := map[string][]string{}
	for _, m := range s.Measurements {
		if slices.Contains(knockOuts, m.Indicator) {
			said["knockOuts"] = append(said["knockOuts"], m.Indicator+", "+m.Reason)
			for _, field := range []string{"knockOut", "knockOuts"} {
				sub.Origins[field] = append(sub.Origins[field], m.Origins...)
			}
		}
		if field := aspectField[m.Aspect]; m.Outcome == audit.FAIL && m.Weight > 0 && len(said[field]) < mostSaid {
			said[field] = append(said[field], m.Indicator+" fails, "+m.Reason)
		}
	}
	for field, list := range said {
		sub.Says[field] = strings.Join(list, "; ")
	}
}

func setAspect(r *policies.Project, a scoring.AspectScore) {
	switch a.Aspect {
	case "open-source":
		r.OpenSource = a.Interval
	case "open-community":
		r.OpenCommunity = a.Interval
	case "open-development":
		r.OpenDevelopment = a.Interval
	case "open-design":
		r.OpenDesign = a.Interval
	case "maturity":
		r.Maturity = a.Interval
	case "security":
		r.Security = a.Interval
	case "activity":
		r.Activity = a.Interval
	case "lock-in":
		r.LockIn = a.Interval
	}
}

// mostSettling bounds how many facts a finding asks for; the project's page lists all.
const mostSettling = 5

// settleGate says which facts would settle whether an aspect passes its gate: the strictest gate of the role.
func (d *dossier) settleGate(s scoring.ProjectScore, aspect string) []string {
	var gate audit.Gate
	gates := d.profiles.Main().Gates // what the requirements read; variants have the same
	for _, level := range sortedKeys(gates) {
		if g, ok := gates[level][s.Project.Role][aspect]; ok && g.Low >= gate.Low {
			gate = g
		}
	}
	if gate == (audit.Gate{}) {
		return nil
	}
	var ids []string
	for _, m := range scoring.Settle(s, aspect, gate) {
		ids = append(ids, m.Indicator)
	}
	out := d.settleOf(s, ids)
	return out[:min(len(out), mostSettling)]
}

// settleOf says what would settle the named indicators of a project, each once, in order.
func (d *dossier) settleOf(s scoring.ProjectScore, ids []string) []string {
	var out []string
	for _, m := range s.Measurements {
		if slices.Contains(ids, m.Indicator) {
			for _, text := range m.Settle {
				if !slices.Contains(out, text) {
					out = append(out, text)
				}
			}
		}
	}
	return out
}

func layerTitle(layer string) string {
	switch layer {
	case "iaas":
		return "IaaS"
	case "kaas":
		return "KaaS"
	case "paas":
		return "PaaS"
	}
	return layer
}

func orUnknown(version string) string { return orText(version, "unknown version") }

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
