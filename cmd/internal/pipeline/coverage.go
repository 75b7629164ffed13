package pipeline

import (
	"fmt"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/sbom"
)

// This file says how much was seen, and how what runs differs from what was declared.

// compare fills what follows from the inventory alone.
func (d *dossier) compare() {
	d.comparison, d.completeness = compared(d.inventory, d.sides(), d.stack.AssessedAt)
	d.statements()
	d.driftOf = map[string][]sbom.Drift{}
	for _, row := range d.comparison.Drift {
		d.driftOf[row.Artifact] = append(d.driftOf[row.Artifact], row)
	}
}

// compared holds intent against fact, and lists against what was seen: within each region, if there are any.
func compared(inv sbom.Inventory, regions []sbom.Region, at time.Time) (sbom.Comparison, sbom.Completeness) {
	if len(regions) > 0 {
		return sbom.CompareRegions(regions, at), sbom.CrossCheckRegions(regions)
	}
	return sbom.Compare(inv, at), sbom.CrossCheck(inv)
}

func (d *dossier) coverage() reports.Coverage {
	c := coverageOf(d.inventory, d.completeness)
	c.Projects = len(d.projects.Projects)
	for _, p := range d.packages {
		countPackages(&c, p, d.judge)
	}
	for _, p := range d.projects.Projects {
		c.ProjectsWithEvidence += one(d.evidence[p.ID].Revision != "")
	}
	return c
}

// coverageOf counts what an inventory shows by itself.
func coverageOf(inv sbom.Inventory, complete sbom.Completeness) reports.Coverage {
	c := reports.Coverage{
		SourcesFailed: len(inv.Failures),
		HostsExpected: complete.Hosts.Expected, HostsSeen: complete.Hosts.Seen,
		ServicesExpected: complete.Services.Expected, ServicesSeen: complete.Services.Seen,
	}
	for _, a := range inv.Artifacts {
		c.Artifacts++
		c.Images += one(a.Kind == sbom.KindImage)
		c.Scannable += one(a.Kind != sbom.KindSoftware)
		c.Resolvable += one(a.Kind != sbom.KindHost)
		c.WithDigest += one(digestKnown(a))
		c.Seen += one(a.Seen())
		c.Running += one(a.Running())
		c.Placed += one(len(a.Tiers) > 0)
		c.Identified += one(len(a.Projects) > 0)
	}
	for _, o := range inv.Omitted {
		c.Omitted += o.Count
	}
	return c
}

// digestKnown reports whether the digest of an image is known; of one that runs, whether a source saw the digest of what runs.
func digestKnown(a sbom.Artifact) bool {
	return a.Kind == sbom.KindImage && a.Digest != "" && !a.ByName
}

func countPackages(c *reports.Coverage, p sbom.Packages, judge sbom.Judge) {
	components, known := p.Components.Get()
	c.Scanned += one(known)
	c.Packages += len(components)
	for _, comp := range components {
		c.PackagesWithLicence += one(judge.Of(comp).Class != string(licence.Unknown))
	}
}

// atLeast is the share of n in m, of which the rest may be or not; not known where there is nothing to count.
func atLeast(n, m int) (audit.Interval, bool) {
	if m == 0 {
		return audit.Interval{}, false
	}
	return audit.Between(n*audit.Full/m, audit.Full), true
}

// stackCoverage fills the facts of the stack about completeness.
func (d *dossier) stackCoverage(r *policies.Stack) []policies.UnknownField {
	var unknown []policies.UnknownField
	share := func(field string, to *audit.Interval, n, m int) {
		var known bool
		if *to, known = atLeast(n, m); !known {
			unknown = append(unknown, policies.UnknownField{Field: field, Reason: "there is nothing to count", Settle: []string{"give sources that show the stack"}})
		}
	}
	c := d.coverage()
	share("digestShare", &r.DigestShare, c.WithDigest, c.Images)
	share("scannedShare", &r.ScannedShare, c.Scanned, c.Scannable)
	share("placedShare", &r.PlacedShare, c.Placed, c.Artifacts)
	share("resolvedShare", &r.ResolvedShare, c.Identified, c.Resolvable)
	check := func(field, what, example string, to *int64, list sbom.CrossChecked) {
		*to = int64(len(list.MissingNames()))
		if len(list.Lists) == 0 {
			unknown = append(unknown, policies.UnknownField{
				Field: field, Reason: "no list made for another purpose names the " + what,
				Settle: []string{"give such a list as a crosscheck: source, e.g. " + example},
			})
		}
	}
	check("hostsMissing", "hosts", "the Ansible inventory", &r.HostsMissing, d.completeness.Hosts)
	if names := d.completeness.Hosts.Unlisted; len(names) > 0 && r.HostsMissing == 0 {
		unknown = append(unknown, policies.UnknownField{
			Field: "hostsMissing", Looked: true, Reason: fmt.Sprintf("the lists do not cover the stack: they name nothing of %s", hostsInWords(names)),
			Settle: []string{"give lists that name every host as crosscheck: sources"},
		})
	}
	check("servicesMissing", "services", "openstack catalog list -f json", &r.ServicesMissing, d.completeness.Services)
	return unknown
}

// hostsInWords names the first hosts of a list: "host a, host b and 3 more".
func hostsInWords(names []string) string {
	var parts []string
	for _, name := range names[:min(len(names), 3)] {
		parts = append(parts, "host "+name)
	}
	text := strings.Join(parts, ", ")
	if more := len(names) - 3; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// missing says which hosts and services of the lists nothing was seen of, the first of each by name, and where they stand.
func (d *dossier) missing() (string, map[string][]audit.Origin) {
	origins := map[string][]audit.Origin{}
	var parts []string
	for _, c := range []struct {
		word, field string
		list        sbom.CrossChecked
	}{{"host", "hostsMissing", d.completeness.Hosts}, {"service", "servicesMissing", d.completeness.Services}} {
		names := c.list.MissingNames()
		for _, name := range names[:min(len(names), 5)] {
			parts = append(parts, c.word+" "+name)
		}
		if more := len(names) - 5; more > 0 {
			parts = append(parts, fmt.Sprintf("%d more %ss", more, c.word))
		}
		for _, m := range c.list.Missing[:min(len(c.list.Missing), mostNames)] {
			origins[c.field] = append(origins[c.field], m.Origin)
		}
	}
	return strings.Join(parts, ", "), origins
}

// asDeclared fills whether an artifact runs as it was declared to.
func (d *dossier) asDeclared(a sbom.Artifact, r *policies.Artifact) *policies.UnknownField {
	var differs, open []string
	for _, row := range d.driftOf[a.ID] {
		switch {
		case row.Kind == sbom.DriftUnpinned || row.Kind == sbom.DriftEndOfLife: // requirements of their own
		case row.Open != "":
			open = append(open, row.Detail+" ("+row.Open+")")
		default:
			differs = append(differs, row.Detail)
		}
	}
	r.Drift = strings.Join(differs, "; ")
	unknown := func(looked bool, reason, settle string) *policies.UnknownField {
		return &policies.UnknownField{Field: "asDeclared", Looked: looked, Reason: reason, Settle: []string{settle}}
	}
	const intent = "give a source of intent: osism:, configuration:, kolla:, chart: or cluster-stack:"
	const fact = "give a source that sees what runs: containers:, kubernetes:, ceph: or helm:"
	switch {
	case len(differs) > 0:
		return nil
	case len(open) > 0:
		return unknown(true, strings.Join(open, "; "), "read the hosts and sources that are named, and give the configuration that says what shall run")
	case d.comparison.Undecided != "":
		return unknown(false, d.comparison.Undecided, fact+"; "+intent)
	case !a.Running():
		return unknown(false, "it was not seen running", fact)
	case a.Kind != sbom.KindImage && !a.Intended():
		return unknown(false, "nothing declares it", intent)
	case a.Kind == sbom.KindImage && !digestKnown(a):
		return unknown(true, "it runs under the declared name; no source saw the digest of what runs", "give the engine's socket, or the output of image inspect")
	}
	r.AsDeclared = true
	return nil
}

func (d *dossier) driftRows() []reports.Drift {
	out := make([]reports.Drift, 0, len(d.comparison.Drift))
	for _, row := range d.comparison.Drift {
		out = append(out, reports.Drift{
			Kind: row.Kind, Artifact: row.Artifact, Name: row.Name, Tiers: orEmpty(row.Tiers), Regions: row.Regions, Detail: row.Detail, Open: row.Open,
			Declared: (*reports.DriftSide)(row.Declared), Running: (*reports.DriftSide)(row.Running),
		})
	}
	return out
}

// notCovered says what lists name and nobody saw, and what was left out on purpose.
func (d *dossier) notCovered() []reports.Unseen {
	var out []reports.Unseen
	add := func(what string, list sbom.CrossChecked, settle string) {
		names := list.MissingNames()
		if len(names) > 0 {
			out = append(out, reports.Unseen{
				What: what, Reason: "named by " + strings.Join(list.Lists, ", "), Settle: settle, Count: len(names), Names: names[:min(len(names), mostNames)],
			})
		}
	}
	add("hosts without anything seen on them", d.completeness.Hosts, "read them: containers:, inventory: or host:, or say in the list that they are no part of the stack")
	add("services of which nothing was seen", d.completeness.Services, "give a source that sees them run")
	if d.comparison.Undecided != "" {
		out = append(out, reports.Unseen{What: "differences between intent and fact", Reason: d.comparison.Undecided, Settle: "give sources of both kinds"})
	}
	if names := d.completeness.Ignored; len(names) > 0 {
		out = append(out, reports.Unseen{
			What: "names in lists of services that the catalogue does not know", Reason: "they may be options and no services; they were not compared",
			Settle: "the auditor looks whether one of them is a service", Count: len(names), Names: names[:min(len(names), mostNames)],
		})
	}
	out = append(out, d.differing()...)
	for _, o := range d.inventory.Omitted {
		out = append(out, reports.Unseen{What: fmt.Sprintf("%d %s of %s", o.Count, o.What, o.Source), Reason: "left out by the stack file: " + o.Why, Settle: "the auditor asks whether all of them belong to customers"})
	}
	return out
}
