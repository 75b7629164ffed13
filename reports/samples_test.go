package reports

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// The samples are made by code, from facts about a stack like the reference stack; names of hosts and operators are
// invented. Every format is tested with every sample.

var assessedAt = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)

type sample struct {
	name   string
	report Report
}

func samples() []sample {
	return []sample{
		{"empty", emptySample()},
		{"release", releaseSample(24, 4)},
		{"eligible", eligibleSample()},
		{"undetermined", undeterminedSample()},
		{"cloud", cloudSample()},
		{"cloud-public", Redact(cloudSample())},
		{"internal-full", internalSample()},
		{"internal-public", Redact(internalSample())},
		{"hostile", hostileSample()},
		{"risks", riskSample()},
		{"crosswalk", crosswalkSample()},
		{"explained", explainedSample()},
		{"explained-public", Redact(explainedSample())},
	}
}

func emptySample() Report {
	return Report{Schema: Schema, Visibility: Public, AssessedAt: assessedAt, Subject: Subject{Name: "empty-stack", Kind: "release"}, Assurance: "self-assessed",
		Policy: samplePolicy(), Tool: Tool{Version: "0.1.0"}, Evidence: Evidence{Digest: audit.DigestOf(nil)}}
}

func samplePolicy() Policy {
	return Policy{ID: "pegel-default", Version: "0.1.0", Digest: audit.DigestOf([]byte("policy")), Status: "proposal", Profile: "default 0.1.0"}
}

// service is one row that samples are made of.
type service struct {
	project, image, version, licence, class, tier, area string
}

// services of a stack as deployed; facts: names, versions and licences as they are published.
var services = []service{
	{"redis", "redis", "7.4.2", "LicenseRef-RSALv2 OR SSPL-1.0", "restricted", "ops", "database"},
	{"vault", "vault", "1.19.0", "BUSL-1.1", "restricted", "ops", "security"},
	{"nexus", "nexus", "3.79.1", "", "unknown", "ops", "registry"},
	{"tempest", "tempest", "latest", "Apache-2.0", "osi", "ops", "testing"},
	{"keystone", "keystone", "26.0.1", "Apache-2.0", "osi", "iam", "iaas"},
	{"nova", "nova-api", "30.0.1", "Apache-2.0", "osi", "functional", "compute"},
	{"nova", "nova-compute", "30.0.1", "Apache-2.0", "osi", "functional", "compute"},
	{"nova", "nova-conductor", "30.0.1", "Apache-2.0", "osi", "functional", "compute"},
	{"neutron", "neutron-server", "25.1.1", "Apache-2.0", "osi", "functional", "network"},
	{"neutron", "neutron-metadata-agent", "25.1.1", "Apache-2.0", "osi", "functional", "network"},
	{"cinder", "cinder-api", "25.1.0", "Apache-2.0", "osi", "functional", "storage"},
	{"glance", "glance-api", "29.0.0", "Apache-2.0", "osi", "functional", "storage"},
	{"octavia", "octavia-api", "15.0.0", "Apache-2.0", "osi", "functional", "network"},
	{"placement", "placement-api", "12.0.0", "Apache-2.0", "osi", "functional", "compute"},
	{"horizon", "horizon", "25.1.1", "Apache-2.0", "osi", "functional", "ui"},
	{"ovn", "ovn-northd", "24.03.2", "Apache-2.0", "osi", "functional", "network"},
	{"rabbitmq", "rabbitmq", "3.13.7", "MPL-2.0", "osi", "functional", "messaging"},
	{"mariadb", "mariadb-server", "10.11.11", "GPL-2.0-only", "osi", "functional", "database"},
	{"redis", "redis-kolla", "7.0.15", "BSD-3-Clause", "osi", "functional", "database"},
	{"keycloak", "keycloak", "26.0.7", "Apache-2.0", "osi", "iam", "iam"},
	{"prometheus", "prometheus", "2.55.1", "Apache-2.0", "osi", "ops", "monitoring"},
	{"grafana", "grafana", "11.2.2", "AGPL-3.0-only", "osi", "ops", "monitoring"},
	{"haproxy", "haproxy", "2.8.10", "GPL-2.0-or-later", "osi", "functional", "ha"},
	{"netbox", "netbox", "4.1.7", "Apache-2.0", "osi", "ops", "lifecycle"},
}

// requirement is the fixed part of a finding.
type requirement struct {
	id, title, severity, owner, kind, remedy, rationale, source string
	sovereign                                                   bool // only for SCS-sovereign
}

var requirements = []requirement{
	{"sbom-artifact", "Every artifact has an SBOM", "must", "assessor", "artifact", "scan the images with the audit", "Without a list of its parts nobody can tell what an artifact is made of.", "minutes iaas/20241002", false},
	{"pinned", "Every artifact is pinned to one version", "must", "operator", "artifact", "name a version or a digest instead of a moving tag", "A moving tag means something else tomorrow.", "proposal", false},
	{"licence-osi", "Every product has an OSI-approved licence at the deployed version", "must", "operator", "product", "choose a version or a product with an OSI-approved licence", "Users must have the four freedoms.", "digisov-and-cert", false},
	{"no-open-core", "No product is a vendor's closed edition", "must", "operator", "product", "deploy the open source edition", "SCS does not believe in open core.", "website: about", false},
	{"seen-running", "Every artifact was seen running", "must", "assessor", "artifact", "audit a cloud rather than a release", "What is declared need not run.", "proposal", false},
	{"four-opens", "Platform projects meet the Four Opens", "must", "upstream", "project", "work upstream, or choose another project", "An open licence alone does not keep a project open.", "scs-0008", false},
	{"maintained", "Every project is maintained", "must", "upstream", "project", "adopt the project, or replace it", "Software without maintainers grows unsafe.", "scs-0008 MA-1", false},
	{"status-page", "The operator runs a public status page", "must", "operator", "operator", "publish a status page", "Users must see what fails.", "open-operations-manifesto", true},
	{"incident-reports", "Incidents have a public analysis", "must", "operator", "operator", "publish incident reports", "Others learn from failures.", "open-operations-manifesto", true},
	{"security-contact", "A security contact is published", "should", "operator", "operator", "publish security.txt", "Reports must reach someone.", "RFC 9116", true},
}

func releaseSample(artifacts, projects int) Report {
	r := emptySample()
	r.Subject = Subject{Name: "OSISM 9.0.0", Kind: "release", Exposure: "public"}
	r.Evidence = Evidence{Digest: audit.DigestOf([]byte("evidence")), Blobs: 61, Withheld: 24}
	for i := range artifacts {
		addArtifact(&r, i)
	}
	addProjects(&r, projects)
	addFindings(&r)
	r.Verdicts = []Verdict{
		sampleVerdict(r, "scs-open-iaas", "SCS-open IaaS", 3, "not-eligible"),
		sampleVerdict(r, "scs-sovereign-iaas", "SCS-sovereign IaaS", 4, "not-eligible"),
	}
	r.Ladder = sampleLadder("failed", "failed", "2 requirements fail", "4 requirements fail")
	r.NotSeen = []Unseen{
		{What: "running systems", Reason: "only the release manifests were read; what is declared need not run", Settle: "audit a cloud that runs this release"},
		{What: "packages of images", Reason: "a manifest names images, it does not hold them", Settle: "give the images as sources", Count: artifacts, Names: artifactNames(r)},
		{What: "projects without evidence", Reason: "no recording and no local clone", Settle: "run pegel collect with network or --mirror", Count: len(r.Projects) / 2},
	}
	r.Undecided = "nothing was seen running: add a source that sees the running stack, e.g. containers: or kubernetes:"
	r.Coverage = Coverage{Artifacts: artifacts, Identified: artifacts - 1, Images: artifacts, Scannable: artifacts, Resolvable: artifacts, Placed: artifacts, Projects: len(r.Projects), ProjectsWithEvidence: (len(r.Projects) + 1) / 2}
	return r
}

func sampleLadder(open, sovereign, openReason, sovereignReason string) []Rung {
	return []Rung{
		{1, "iaas", "Legal requirements", "not-assessed", "SCS defines no label for this level"},
		{2, "iaas", "SCS-compatible IaaS", "not-assessed", "a release has no operator"},
		{3, "iaas", "SCS-open IaaS", open, openReason},
		{4, "iaas", "SCS-sovereign IaaS", sovereign, sovereignReason},
	}
}

func addArtifact(r *Report, i int) {
	s := services[i%len(services)]
	name := s.image
	if i >= len(services) {
		name = fmt.Sprintf("%s-%d", s.image, i/len(services))
	}
	ref := "registry.osism.tech/kolla/release/" + name + ":" + s.version
	a := Artifact{ID: "image:" + ref, Kind: "image", Name: name, Reference: ref, Version: s.version, Tiers: []string{s.tier}, Area: s.area,
		Service: s.project, Placed: "catalogue: image name", Projects: []string{projectID(i)},
		Sightings: []Sighting{{Source: "osism", Where: "9.0.0/openstack-2024.2.yml infrastructure_projects." + s.project, Declared: true, Origin: manifestOrigin(i)}}}
	if s.version == "latest" {
		a.Unpinned, a.Version = "the tag latest moves", ""
	}
	r.Artifacts = append(r.Artifacts, a)
	r.Components = append(r.Components, Component{Artifact: a.ID, Project: projectID(i), Name: projectID(i), Version: a.Version, Licence: s.licence,
		LicenceClass: s.class, Provenance: "catalogue", Tiers: a.Tiers, Area: a.Area, Origins: []audit.Origin{manifestOrigin(i), licenceOrigin(i)}})
}

func projectID(i int) string {
	s := services[i%len(services)]
	if round := i / len(services); round > 0 {
		return fmt.Sprintf("%s-%d", s.project, round)
	}
	return s.project
}

func manifestOrigin(i int) audit.Origin {
	return audit.Origin{Source: "osism", URL: "https://github.com/osism/release", Commit: strings.Repeat("a1", 20), Path: "9.0.0/openstack-2024.2.yml", Line: 12 + i,
		Digest: audit.DigestOf([]byte("manifest")), At: assessedAt}
}

func licenceOrigin(i int) audit.Origin {
	id := projectID(i)
	return audit.Origin{Source: "git", URL: "https://github.com/example/" + id, Commit: fmt.Sprintf("%040x", i+1), Path: "LICENSE", Digest: audit.DigestOf([]byte(id)), At: assessedAt}
}

func artifactNames(r Report) []string {
	var names []string
	for _, a := range r.Artifacts {
		names = append(names, a.Name)
	}
	slices.Sort(names)
	return names[:min(50, len(names))]
}

var sampleAspects = []string{"open-source", "open-community", "open-development", "open-design", "maturity", "security", "activity", "lock-in"}

// addProjects gives every second project evidence, up to most projects.
func addProjects(r *Report, most int) {
	byID := map[string]bool{}
	for i, c := range r.Components {
		if byID[c.Project] || len(r.Projects) == most {
			continue
		}
		byID[c.Project] = true
		r.Projects = append(r.Projects, sampleProject(c, i, len(r.Projects)%2 == 0))
	}
	slices.SortFunc(r.Projects, func(a, b Project) int { return cmp.Compare(a.ID, b.ID) })
}

func sampleProject(c Component, i int, evidence bool) Project {
	p := Project{ID: c.Project, Name: c.Project, Repo: "https://github.com/example/" + c.Project, At: assessedAt, Role: "platform", Verdict: "undetermined",
		Tiers: c.Tiers, Area: c.Area, Versions: []string{cmp.Or(c.Version, "unknown")}}
	if !evidence {
		p.Failure, p.Settle = "no recording and no local clone", "run pegel collect with network or --mirror"
	} else {
		p.Head, p.HeadAt = fmt.Sprintf("%040x", 7*i+5), assessedAt.AddDate(0, 0, -i-3)
		p.Facts = map[string]any{"commits_12m": 842 + i, "human_commits_12m": 790 + i, "authors_12m": 61, "authors_ever": 1204, "bus_factor_50": 6,
			"elephant_factor_50": map[string]any{"low": 2, "high": 5}, "top_org_share": map[string]any{"low": 2100, "high": 4300}, "newcomers_12m": 14,
			"retained_authors": 30, "releases_24m": 9, "reverts_12m": 3, "first_commit": "2011-11-01T09:00:00Z", "last_human_commit": "2026-11-20T09:00:00Z"}
	}
	for a, aspect := range sampleAspects {
		low, high, coverage := 0, audit.Full, 0
		if evidence {
			low, high, coverage = 2500+300*a, 6000+400*a, 4200+500*a
		}
		p.Aspects = append(p.Aspects, Aspect{Aspect: aspect, Low: low, High: min(high, audit.Full), Coverage: coverage, KnockOuts: []string{}})
		for n := range 11 {
			p.Indicators = append(p.Indicators, sampleIndicator(aspect, a*11+n, evidence))
		}
	}
	if evidence && c.LicenceClass == "restricted" {
		p.Verdict = "showstopper"
		p.Aspects[0].KnockOuts, p.Aspects[0].High = []string{p.Indicators[0].ID}, 0
		p.Aspects[0].Low = 0
		p.Indicators[0].Outcome, p.Indicators[0].Low, p.Indicators[0].High = audit.FAIL, 0, 0
		p.Indicators[0].Reason = "licence at the deployed version is " + c.Licence + ", which is not open source"
	}
	return p
}

func sampleIndicator(aspect string, n int, evidence bool) Indicator {
	i := Indicator{ID: fmt.Sprintf("%s-%02d", strings.ToUpper(aspect[len(aspect)-2:]), n), Aspect: aspect, Title: "question " + fmt.Sprint(n), Weight: 1 + n%3, High: audit.Full}
	switch {
	case !evidence || n%5 == 0 && n > 0:
		i.Reason, i.Settle = "nobody looked", []string{"evidence from the forge's API"}
	case n%5 == 1:
		i.Outcome, i.Low, i.Value, i.Unit, i.Reason = audit.PASS, audit.Full, "13", "commits", "13 human commits in 90 days, 13 needed"
	case n%5 == 2:
		i.Outcome, i.Low, i.High, i.Value, i.Unit, i.Reason = audit.PART, 5000, 5000, "4", "people", "4 people, 10 needed for the full score"
	case n%5 == 3:
		i.Outcome, i.High, i.Value, i.Reason = audit.FAIL, 0, "no", "looked at all places, not found"
	case n%5 == 4:
		i.Outcome, i.Low, i.High, i.Reason, i.Settle = audit.DNF, 2000, 9000, "share is between 0.21 and 0.43, the threshold lies between", []string{"employers of 12 authors"}
	default:
		i.Outcome, i.Low, i.Reason = audit.PASS, audit.Full, "found"
	}
	if evidence && i.Outcome.Decided() {
		i.Origins = []audit.Origin{{Source: "git", URL: "https://github.com/example/" + aspect, Commit: fmt.Sprintf("%040x", n), Path: fmt.Sprintf("docs/%s.md", aspect), At: assessedAt}}
	}
	return i
}

func addFindings(r *Report) {
	for _, q := range requirements {
		scopes := []string{"scs-open-iaas", "scs-sovereign-iaas"}
		if q.sovereign {
			scopes = scopes[1:]
		}
		switch q.kind {
		case "artifact":
			for i, a := range r.Artifacts {
				r.Findings = append(r.Findings, q.finding(audit.SubjectRef{Kind: "artifact", ID: a.ID, Name: a.Name, Tiers: a.Tiers}, scopesOf(a.Tiers, scopes), i))
			}
		case "product":
			for i, c := range r.Components {
				r.Findings = append(r.Findings, q.finding(audit.SubjectRef{Kind: "product", ID: c.Artifact + "#" + c.Name, Name: strings.TrimSpace(c.Name + " " + c.Version), Tiers: c.Tiers}, scopesOf(c.Tiers, scopes), i))
			}
		case "project":
			for i, p := range r.Projects {
				r.Findings = append(r.Findings, q.finding(audit.SubjectRef{Kind: "project", ID: p.ID, Name: p.Name, Tiers: p.Tiers}, scopesOf(p.Tiers, scopes), i))
			}
		default:
			r.Findings = append(r.Findings, q.finding(audit.SubjectRef{Kind: q.kind, ID: q.kind, Name: q.kind}, scopes, 0))
		}
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(worst(a.Outcome)-worst(b.Outcome), cmp.Compare(a.Requirement, b.Requirement), cmp.Compare(a.Subject.ID, b.Subject.ID))
	})
}

func worst(o audit.Outcome) int {
	return slices.Index([]audit.Outcome{audit.FAIL, audit.MISS, audit.DNF, audit.PART, audit.PASS, audit.NA}, o)
}

func scopesOf(tiers, scopes []string) []string {
	if slices.Contains(tiers, "functional") {
		return scopes
	}
	return scopes[len(scopes)-1:]
}

func (q requirement) finding(s audit.SubjectRef, scopes []string, i int) Finding {
	f := Finding{ID: q.id + "/" + s.ID, Subject: s, Requirement: q.id, Title: q.title, Scopes: scopes, Severity: q.severity, Remedy: q.remedy,
		Owner: q.owner, Rationale: q.rationale, Source: q.source, ValidUntil: assessedAt.AddDate(0, 1, 0)}
	sv := services[i%len(services)]
	switch {
	case q.kind == "operator":
		f.Reason = "a release has no operator"
	case q.id == "pinned" && sv.version == "latest":
		f.Outcome, f.Reason, f.Origins = audit.FAIL, "the tag latest moves", []audit.Origin{manifestOrigin(i)}
	case q.id == "licence-osi" && sv.class == "restricted":
		f.Outcome, f.Origins = audit.FAIL, []audit.Origin{manifestOrigin(i), licenceOrigin(i)}
		f.Reason = s.Name + ": licence " + sv.licence + " is not open source"
	case q.id == "no-open-core" && sv.project == "nexus":
		f.Outcome, f.Reason = audit.FAIL, "the image is built on a vendor's edition that is not open source"
	case q.id == "pinned", q.id == "licence-osi" && sv.class == "osi", q.id == "no-open-core":
		f.Outcome, f.Reason, f.Origins = audit.PASS, "so it is", []audit.Origin{manifestOrigin(i)}
	case q.id == "licence-osi":
		f.Outcome, f.Reason, f.Settle = audit.DNF, "the licence at this version is not known", []string{"read the licence file at the deployed version"}
	case q.kind == "project":
		f.Reason, f.Settle, f.Missing = "no evidence was gathered", []string{"run pegel collect with network or --mirror"}, []string{"project.openCommunity"}
	case q.id == "seen-running":
		f.Reason, f.Settle = "declared, not seen running", []string{"audit a cloud that runs it"}
	default:
		f.Reason, f.Settle = "the image was not scanned", []string{"give the image as a source"}
	}
	return f
}

func sampleVerdict(r Report, scope, title string, level int, outcome string) Verdict {
	v := Verdict{Scope: scope, Title: title, Level: level, Layer: "iaas", Outcome: outcome, Requested: true, ValidUntil: assessedAt.AddDate(0, 1, 0), Ends: "history of keystone", Limiting: []string{}}
	for _, f := range r.Findings {
		if !slices.Contains(f.Scopes, scope) {
			continue
		}
		switch f.Outcome {
		case audit.PASS:
			v.Counts.Pass++
		case audit.FAIL:
			v.Counts.Fail++
			v.Limiting = append(v.Limiting, f.ID)
		case audit.MISS:
			v.Counts.Miss++
		case audit.DNF:
			v.Counts.DNF++
		default:
			v.Counts.NA++
		}
	}
	return v
}

// eligibleSample is a cloud where everything holds, also the level below.
func eligibleSample() Report {
	r := emptySample()
	r.Subject = Subject{Name: "small-cloud", Kind: "cloud", Exposure: "public", Operator: "Example GmbH"}
	r.Assurance, r.Signers = "auditor-reviewed", []string{"Example Audit e.V."}
	addArtifact(&r, 5)
	r.Artifacts[0].Sightings[0].Declared, r.Artifacts[0].Seen, r.Artifacts[0].Packages = false, true, ptr(212)
	r.Artifacts[0].Digest = audit.DigestOf([]byte("image"))
	r.Artifacts[0].Sightings[0].State, r.Artifacts[0].Sightings[0].Replicas = "running", 3
	addProjects(&r, 1)
	r.Projects[0].Verdict = "passed"
	for i := range r.Projects[0].Aspects {
		r.Projects[0].Aspects[i].Low, r.Projects[0].Aspects[i].High, r.Projects[0].Aspects[i].Coverage = 8000, 9100, 9400
	}
	for _, q := range requirements[:3] {
		f := q.finding(audit.SubjectRef{Kind: q.kind, ID: r.Artifacts[0].ID, Name: "nova-api", Tiers: []string{"functional"}}, []string{"scs-open-iaas"}, 5)
		f.Outcome, f.Reason, f.Settle, f.Missing = audit.PASS, "so it is", nil, nil
		r.Findings = append(r.Findings, f)
	}
	r.Findings[0].Count = 212
	r.Verdicts = []Verdict{
		{Scope: "scs-compatible-iaas", Title: "SCS-compatible IaaS", Level: 2, Layer: "iaas", Outcome: "eligible", Limiting: []string{}, Counts: Counts{Pass: 1}},
		{Scope: "scs-open-iaas", Title: "SCS-open IaaS", Level: 3, Layer: "iaas", Outcome: "eligible", Requested: true, ValidUntil: assessedAt.AddDate(0, 3, 0), Ends: "status of SCS-compatible IaaS", Limiting: []string{}, Counts: Counts{Pass: 214}},
	}
	r.Ladder = sampleLadder("reached", "not-assessed", "every requirement holds", "not asked for")
	r.Ladder[1].State, r.Ladder[1].Reason = "reached", "valid certificate"
	r.Coverage = Coverage{Images: 1, Scannable: 1, Resolvable: 1, Running: 1, Placed: 1, HostsExpected: 3, HostsSeen: 3, ServicesExpected: 1, ServicesSeen: 1, Artifacts: 1, WithDigest: 1, Seen: 1, Scanned: 1, Identified: 1, Packages: 212, PackagesWithLicence: 212, Projects: 1, ProjectsWithEvidence: 1}
	return r
}

func undeterminedSample() Report {
	r := releaseSample(12, 2)
	r.Subject.Name = "OSISM 9.0.0 without known failures"
	r.Findings = slices.DeleteFunc(r.Findings, func(f Finding) bool { return f.Outcome == audit.FAIL })
	r.Verdicts = []Verdict{sampleVerdict(r, "scs-open-iaas", "SCS-open IaaS", 3, "undetermined")}
	r.Verdicts[0].ValidUntil = time.Time{}
	r.Ladder = sampleLadder("undetermined", "not-assessed", "5 requirements are open", "not asked for")
	return r
}

// cloudSample is a cloud whose configuration and release were held against what runs: every kind of difference, certain
// and open, with both sides and with one.
func cloudSample() Report {
	r := emptySample()
	r.Visibility = Full
	r.Subject = Subject{Name: "example-cloud", Kind: "cloud", Exposure: "public", Operator: "Example GmbH"}
	seen := operatorSample().Operator
	r.Operator = &seen
	release := func(line int, name, reference string) Sighting {
		return Sighting{Source: "osism", Where: "9.0.0/openstack-2024.2.yml: docker_images." + name, Declared: true, State: "offered", Reference: reference, Origin: manifestOrigin(line)}
	}
	configured := func(key, reference string) Sighting {
		return Sighting{Source: "configuration", Where: "environments/kolla/images.yml: " + key, Declared: true, State: "declared", Reference: reference,
			Origin: audit.Origin{Source: "configuration", Path: "environments/kolla/images.yml", Line: 7, Digest: audit.DigestOf([]byte("images.yml")), At: assessedAt}}
	}
	engine := func(host, state, reference string, digest audit.Digest) Sighting {
		s := Sighting{Source: "containers", Where: "exports/" + host + ".json: " + reference, State: state, Reference: reference, Digest: digest, Hosts: []string{host}, Workload: "kolla",
			Origin: audit.Origin{Source: "containers", Path: "exports/" + host + ".json", Line: 3, Digest: audit.DigestOf([]byte(host)), At: assessedAt}}
		if state == "running" {
			s.Replicas = 1
		}
		return s
	}
	pod := func(namespace, workload, reference string, digest audit.Digest, replicas int, hosts ...string) Sighting {
		return Sighting{Source: "kubernetes", Where: "east, namespace " + namespace + ", " + workload, State: "running", Reference: reference, Digest: digest, Hosts: hosts,
			Namespace: namespace, Workload: workload, Replicas: replicas, Origin: audit.Origin{Source: "kubernetes", URL: "https://10.20.30.40:6443/api/v1/pods", Digest: audit.DigestOf([]byte("pods")), At: assessedAt}}
	}
	digest := func(s string) audit.Digest { return audit.DigestOf([]byte(s)) }
	image := func(registry, repository, tag, version, tier string, digest audit.Digest, sightings ...Sighting) Artifact {
		ref := registry + "/" + repository + ":" + tag
		a := Artifact{ID: "image:" + ref, Kind: "image", Name: repository[strings.LastIndexByte(repository, '/')+1:], Reference: ref, Version: version, Digest: digest,
			Tiers: []string{tier}, Projects: []string{"keystone"}, Sightings: sightings}
		if digest != "" {
			a.ID = "image:" + string(digest)
		}
		for _, s := range sightings {
			a.Seen = a.Seen || !s.Declared
		}
		return a
	}
	const osism, mirror = "registry.osism.tech", "mirror.east.example"
	keystone := osism + "/kolla/release/keystone:26.0.1.20250408"
	nova := osism + "/kolla/release/nova-api:30.0.2.20250408"
	r.Artifacts = []Artifact{
		image(osism, "kolla/release/keystone", "26.0.1.20250408", "26.0.1", "iam", digest("keystone"), release(3, "keystone", keystone)),
		image(osism, "kolla/release/keystone", "26.0.1.20250408", "26.0.1", "iam", digest("keystone moved"), engine("ctl01", "running", keystone, digest("keystone moved")), engine("ctl02", "running", keystone, digest("keystone moved")), engine("ctl03", "stopped", keystone, digest("keystone moved"))),
		image(osism, "kolla/release/nova-api", "30.0.2.20250408", "30.0.2", "functional", digest("nova"), configured("nova_tag", nova)),
		image(mirror, "kolla/release/nova-api", "30.0.1.20250301", "30.0.1", "functional", digest("nova old"), engine("ctl01", "running", mirror+"/kolla/release/nova-api:30.0.1.20250301", digest("nova old"))),
		image("quay.io", "ceph/ceph", "v18.2.4", "18.2.4", "functional", digest("ceph"), release(9, "ceph", "quay.io/ceph/ceph:v18.2.4"), engine("stor01", "running", "quay.io/ceph/ceph:v18.2.4", digest("ceph")),
			engine("stor02", "running", "quay.io/ceph/ceph:v18.2.4", digest("ceph")), engine("stor03", "running", "quay.io/ceph/ceph:v18.2.4", digest("ceph")), engine("stor04", "running", "quay.io/ceph/ceph:v18.2.4", digest("ceph")),
			engine("stor05", "running", "quay.io/ceph/ceph:v18.2.4", digest("ceph"))),
		image(osism, "kolla/release/tempest", "latest", "", "ops", "", release(30, "tempest", osism+"/kolla/release/tempest:latest")),
		image("registry.k8s.io", "coredns/coredns", "v1.11.3", "1.11.3", "functional", digest("coredns"), pod("kube-system", "Deployment/coredns", "registry.k8s.io/coredns/coredns:v1.11.3", digest("coredns"), 2, "work01", "work02")),
		image("harbor.east.example", "payroll/wage-runner", "4", "4", "functional", digest("wage"), pod("payroll", "StatefulSet/wage-runner", "harbor.east.example/payroll/wage-runner:4", digest("wage"), 3, "work01", "work02", "work03")),
		{ID: "software:kubernetes@1.30.4", Kind: "software", Name: "kubernetes", Reference: "kubernetes@1.30.4", Version: "1.30.4", Tiers: []string{"functional"}, Projects: []string{"kubernetes"}, Seen: true,
			Sightings: []Sighting{{Source: "kubernetes", Where: "east, node work01", State: "running", Hosts: []string{"work01", "work02", "work03"}, Replicas: 3}}},
		{ID: "host:ctl01", Kind: "host", Name: "ctl01", Tiers: []string{"base"}, Projects: []string{}, Seen: true, Packages: ptr(612),
			Sightings: []Sighting{{Source: "host", Where: "ctl01", State: "running", Hosts: []string{"ctl01"}, Replicas: 1, Origin: audit.Origin{Source: "host", Path: "etc/os-release", Digest: digest("os"), At: assessedAt}}}},
	}
	r.Artifacts[5].Unpinned, r.Artifacts[7].Projects = "latest names whatever is newest", []string{}
	for i := range r.Artifacts {
		if len(r.Artifacts[i].Projects) > 0 && r.Artifacts[i].Kind == "image" {
			r.Artifacts[i].Projects = []string{strings.Split(r.Artifacts[i].Name, "-")[0]}
		}
	}
	side := func(i int, declared bool) *DriftSide {
		a := r.Artifacts[i]
		out := DriftSide{Artifact: a.ID, Reference: a.Reference, Version: a.Version, Digest: a.Digest}
		for _, s := range a.Sightings {
			if s.Declared == declared && s.State != "stopped" {
				out.Where, out.Origins = append(out.Where, s.Where), append(out.Origins, s.Origin)
			}
		}
		return &out
	}
	row := func(kind string, i int, detail, open string, declared, running *DriftSide) Drift {
		return Drift{Kind: kind, Artifact: r.Artifacts[i].ID, Name: r.Artifacts[i].Name, Tiers: r.Artifacts[i].Tiers, Detail: detail, Open: open, Declared: declared, Running: running}
	}
	cephDeclared, corednsDeclared := side(4, true), side(6, true)
	cephDeclared.Digest = digest("ceph as released")
	*corednsDeclared = DriftSide{Reference: "registry.k8s.io/coredns/coredns:latest", Where: []string{"environments/kubernetes/values.yaml: image"},
		Origins: []audit.Origin{{Source: "configuration", Path: "environments/kubernetes/values.yaml", Line: 4, Digest: digest("values"), At: assessedAt}}}
	heat := &DriftSide{Reference: "heat", Where: []string{"environments/kolla/configuration.yml: enable_heat"},
		Origins: []audit.Origin{{Source: "configuration", Path: "environments/kolla/configuration.yml", Line: 12, Digest: digest("configuration.yml"), At: assessedAt}}}
	r.Drift = []Drift{
		row("tag-moved", 1, "keystone 26.0.1 runs with other contents than were declared under the same name", "", side(0, true), side(1, false)),
		row("contents", 4, "ceph 18.2.4 runs in the declared version with other contents; it comes from another place or was built again", "", cephDeclared, side(4, false)),
		row("older", 3, "nova-api 30.0.1 runs, older than the declared 30.0.2", "", side(2, true), side(3, false)),
		row("version", 6, "coredns 1.11.3 runs; coredns:latest was declared", "one side names no version: latest names whatever is newest", corednsDeclared, side(6, false)),
		row("not-declared", 7, "wage-runner 4 runs and nothing declares it", "", nil, side(7, false)),
		{Kind: "not-running", Artifact: "service:heat", Name: "heat", Tiers: []string{}, Detail: "service heat is enabled and nothing of it was seen running", Open: "2 hosts were not read", Declared: heat},
		row("not-running", 5, "tempest:latest is declared and was not seen running", "a release offers it; whether it shall run here is not said; 2 hosts were not read", side(5, true), nil),
		row("unpinned", 5, "tempest:latest: latest names whatever is newest", "", side(5, true), nil),
		row("end-of-life", 8, "kubernetes 1.30.4: maintenance of Kubernetes 1.30 ended on 2025-06-28", "", nil, side(8, false)),
		row("end-of-life", 9, "ctl01: maintenance of Ubuntu 20.04 ended on 2025-05-31", "", nil, side(9, false)),
	}
	r.Findings = []Finding{
		requirements[1].finding(audit.SubjectRef{Kind: "artifact", ID: r.Artifacts[5].ID, Name: "tempest", Tiers: []string{"ops"}}, []string{"scs-open-iaas"}, 3),
		requirements[0].finding(audit.SubjectRef{Kind: "artifact", ID: r.Artifacts[7].ID, Name: "wage-runner", Tiers: []string{"functional"}}, []string{"scs-open-iaas"}, 0),
	}
	r.Verdicts = []Verdict{sampleVerdict(r, "scs-open-iaas", "SCS-open IaaS", 3, "not-eligible")}
	r.Ladder = sampleLadder("failed", "not-assessed", "1 requirement fails", "not asked for")
	r.NotSeen = []Unseen{
		{What: "source containers exports/ctl-09.json", Reason: "ctl-09.json: line 4: the list ends in the middle", Settle: "export the list again"},
		{What: "hosts without anything seen on them", Reason: "named by Ansible inventory", Settle: "read them: containers:, inventory: or host:, or say in the list that they are no part of the stack", Count: 2, Names: []string{"ctl-09", "work09"}},
		{What: "names in lists of services that the catalogue does not know", Reason: "they may be options and no services; they were not compared", Settle: "the auditor looks whether one of them is a service", Count: 1, Names: []string{"wage-portal"}},
		{What: "41 pods of kubernetes east", Reason: "left out by the stack file: namespaces that match tenant-bigbank-*", Settle: "the auditor asks whether all of them belong to customers"},
	}
	r.Coverage = Coverage{Artifacts: 10, Images: 8, WithDigest: 7, Seen: 7, Scanned: 1, Scannable: 9, Identified: 8, Resolvable: 9, Packages: 612, PackagesWithLicence: 600, Running: 7, Placed: 10,
		HostsExpected: 13, HostsSeen: 11, ServicesExpected: 4, ServicesSeen: 3, Omitted: 41, SourcesFailed: 1}
	return r
}

func ptr[T any](v T) *T { return &v }

// internalNamesOfCloud must not appear in any format of the public form of cloudSample.
var internalNamesOfCloud = []string{"ctl01", "ctl02", "ctl03", "ctl-09", "stor01", "work01", "work02", "work09", "east.example", "wage-runner", "wage-portal", "payroll", "kube-system",
	"exports/", "environments/", "10.20.30.40", "tenant-bigbank", "deployment/coredns"}

// internalNamesOfSample must not appear in any format of the public form.
var internalNamesOfSample = []string{"ctl01", "ctl02", "compute-7", "dc1.acme.internal", "harbor.acme.example", "acme-billing", "acme-shop", "payroll", "/srv/acme", "10.20.30.40"}

func internalSample() Report {
	r := emptySample()
	r.Visibility = Full
	r.Subject = Subject{Name: "example-cloud", Kind: "cloud", Exposure: "private", Operator: "Example GmbH"}
	host := func(name string) Artifact {
		return Artifact{ID: "host:" + name, Kind: "host", Name: name, Tiers: []string{"base"}, Seen: true, Packages: ptr(612),
			Sightings: []Sighting{{Source: "host", Where: name, Origin: audit.Origin{Source: "host", URL: "ssh://" + name + "/", Path: "var/lib/dpkg/status"}}}}
	}
	image := func(ref, name string, projects ...string) Artifact {
		return Artifact{ID: "image:" + ref, Kind: "image", Name: name, Reference: ref, Tiers: []string{"functional"}, Projects: projects,
			Sightings: []Sighting{{Source: "kubernetes", Where: "payroll/" + name + "-0", Origin: audit.Origin{Source: "kubernetes", URL: "https://10.20.30.40:6443"}},
				{Source: "osism", Where: "/srv/acme/release/openstack.yml keystone", Declared: true}}}
	}
	r.Artifacts = []Artifact{
		host("ctl02.dc1.acme.internal"), host("ctl01.dc1.acme.internal"), host("compute-7"),
		image("harbor.acme.example:5000/kolla/keystone:26.0.1", "keystone", "keystone"),
		image("harbor.acme.example:5000/payroll/acme-billing:4", "acme-billing"),
		image("harbor.acme.example:5000/payroll/acme-shop@"+string(audit.DigestOf([]byte("shop"))), "acme-shop"),
		image("quay.io/openstack.kolla/nova-api:2025.2", "nova-api", "nova"),
	}
	r.Findings = []Finding{
		requirements[1].finding(audit.SubjectRef{Kind: "artifact", ID: "image:harbor.acme.example:5000/payroll/acme-billing:4", Name: "acme-billing"}, []string{"scs-open-iaas"}, 3),
		requirements[0].finding(audit.SubjectRef{Kind: "artifact", ID: "host:ctl01.dc1.acme.internal", Name: "ctl01.dc1.acme.internal"}, []string{"scs-open-iaas"}, 0),
	}
	r.Findings[0].Reason = "on CTL01 and compute-7 the tag 4 of harbor.acme.example/payroll/acme-billing moves"
	r.Findings[1].Settle = []string{"log in to ctl01.dc1.acme.internal, or read /srv/acme on 10.20.30.40 from compute-7"}
	r.Findings[1].Origins = []audit.Origin{{Source: "host", URL: "https://10.20.30.40/x", Path: "srv"}, {Source: "git", URL: "https://github.com/openstack/keystone", Commit: strings.Repeat("b", 40), Path: "LICENSE"}}
	r.Verdicts = []Verdict{{Scope: "scs-open-iaas", Title: "SCS-open IaaS", Level: 3, Layer: "iaas", Outcome: "not-eligible", Requested: true, Limiting: []string{r.Findings[0].ID}, Ends: "packages of ctl02", Counts: Counts{Fail: 1, Miss: 1}}}
	r.Ladder = sampleLadder("failed", "not-assessed", "acme-billing is not pinned", "not asked for")
	r.Drift = []Drift{{Kind: "not-declared", Artifact: r.Artifacts[5].ID, Name: "acme-shop", Detail: "acme-shop runs on ctl02.dc1.acme.internal, the manifest does not name it", Tiers: []string{}}}
	r.NotSeen = []Unseen{{What: "hosts", Reason: "no answer from compute-7", Count: 1, Names: []string{"compute-7"}}}
	r.Projects = []Project{{ID: "keystone", Name: "keystone", Repo: "https://git.dc1.acme.internal/keystone", At: assessedAt, Role: "platform", Verdict: "undetermined",
		Failure: "cloning from git.dc1.acme.internal: refused", Aspects: []Aspect{}, Indicators: []Indicator{}}}
	return r
}

// canaryTitle is what a script in the hostile sample would set as the title of the page.
const canaryTitle = "CANARY-SCRIPT-RAN"

func hostileSample() Report {
	r := releaseSample(5, 3)
	script := `"><script>document.title="` + canaryTitle + `"</script>`
	escape := "\x1b]8;;https://evil.example\x07click\x1b]8;;\x07\x1b[2J\u009b31m"
	bidi := "abc\u202egnp.exe\u2066\u200b\ufeff"
	breaks := "line one\nline two\r\nEVERYTHING IS ELIGIBLE\u2028x"
	r.Subject.Name = `</title></style>` + script
	r.Subject.Operator = escape
	r.Signers = []string{script}
	r.Findings[0].Title, r.Findings[0].Reason = `{{.}}`+script, breaks
	r.Findings[0].Subject.Name = bidi
	r.Findings[0].Remedy = `<img src=x onerror="document.title='` + canaryTitle + `'">`
	r.Findings[0].Origins = []audit.Origin{
		{Source: "web", URL: `javascript:document.title="` + canaryTitle + `"`},
		{Source: "web", URL: `https://example.org/"><script>document.title="` + canaryTitle + `"</script>`},
		{Source: "web", URL: "data:text/html,<script>1</script>", Path: "../../etc/passwd"},
		{Source: "web", URL: "https://user:secret@example.org/"},
	}
	r.Findings[1].Subject.Name = script
	r.Findings[2].Reason = escape + strings.Repeat("long ", 4000)
	r.Ladder[2].Title, r.Ladder[3].Reason = `</svg>`+script, breaks
	r.Components[0].Name, r.Components[0].Licence = `</style><style>*{display:none}</style>`, script
	r.Artifacts[0].Name, r.Artifacts[0].Reference = script, escape
	r.Projects[0].Name, r.Projects[0].Repo = `'"><svg onload=alert(1)>`, `javascript:alert(1)`
	r.Projects[0].ID = `x" onclick="alert(1)`
	r.Projects[0].Failure = "\xff\xfe broken bytes"
	r.Projects[0].Indicators[3].Reason, r.Projects[0].Indicators[3].Value = script, "=HYPERLINK(1)"
	r.NotSeen[0].What, r.NotSeen[0].Names = script, []string{bidi, escape}
	r.Verdicts[0].Title = script
	view := operatorSample()
	poison(reflect.ValueOf(&view).Elem(), script+escape)
	for i := range view.Operator.Answers { // the policy's word, never a server's
		view.Operator.Answers[i].Severity = "must"
	}
	r.Operator = &view.Operator
	r.Requirements = []Requirement{{ID: r.Findings[0].Requirement, Title: Words{"en": script}, Rationale: Words{"en": breaks}, Remedy: Words{"en": escape}, Severity: "must", Pass: script,
		Sources: []ClauseSource{{ID: "x/y", Document: script, At: bidi, URL: "javascript:alert(1)", Quote: escape, Says: Words{"en": breaks}}}}}
	r.Trees = []audit.Tree{{{Text: script, Value: escape, Truth: audit.False, Fact: script, Parts: []audit.Explanation{{Text: breaks, Value: bidi}}}}}
	r.Findings[0].Tree, r.Findings[0].Grounds = 1, []audit.Ground{{Fact: "artifact.name", Known: true, Value: script, Says: breaks, Origins: []int{0, 1, 99},
		Places: []audit.Place{{Digest: audit.DigestOf([]byte("x")), Pointer: escape, Kind: bidi, Name: script}, {Digest: audit.DigestOf(nil), Withheld: script}}}}
	r.Undecided = ""
	r.Drift = []Drift{{Kind: "older", Artifact: r.Artifacts[0].ID, Name: bidi, Tiers: []string{}, Detail: breaks, Open: escape,
		Declared: &DriftSide{Artifact: r.Artifacts[0].ID, Reference: script, Version: escape, Where: []string{bidi, breaks, escape, script}, Origins: r.Findings[0].Origins}}}
	r.Artifacts[1].Sightings = []Sighting{{Source: "kubernetes", Where: bidi, State: "running", Hosts: []string{script, escape}, Namespace: breaks, Workload: script, Reference: escape, Replicas: 2}}
	return r
}
