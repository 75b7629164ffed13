package pipeline

import (
	"fmt"
	"slices"

	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/sbom"
)

// This file compares what was read with what others say: builders' SBOMs of images, and the repositories of hosts.

// statements compares the SBOMs that builders published beside images with the packages that were found inside.
func (d *dossier) statements() {
	d.attested = map[string]attestation{}
	for _, s := range d.inventory.Attested {
		components, known := d.inside[s.Artifact].Components.Get()
		one := attestation{format: s.Format, lists: len(s.PURLs), of: s.Components, compared: known && !d.inside[s.Artifact].Declared && len(s.PURLs) > 0}
		if one.compared {
			one.only = onlyThere(s.PURLs, components)
		}
		before, twice := d.attested[s.Artifact]
		if !twice || before.compared && one.compared && len(one.only) > len(before.only) || !before.compared && one.compared {
			d.attested[s.Artifact] = one
		}
	}
}

// attestation is a builder's SBOM of an image, compared with what is inside; of several the one that differs most.
type attestation struct {
	format   string
	lists    int // package URLs that it lists
	of       int // components that it lists, with a package URL or without
	compared bool
	only     []string // package URLs that it alone names, without qualifiers, sorted
}

// onlyThere returns the packages of a list that were not found, compared without qualifiers and subpaths, in which tools
// differ.
func onlyThere(purls []string, found []sbom.Component) []string {
	here := map[string]bool{}
	for _, c := range found {
		here[sbom.BarePURL(c.PURL)] = true
	}
	var out []string
	for _, p := range purls {
		if bare := sbom.BarePURL(p); bare != "" && !here[bare] {
			out = append(out, bare)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// builderFacts fills what a builder's SBOM of an image says about it.
func (d *dossier) builderFacts(a sbom.Artifact, r *policies.Artifact) *policies.UnknownField {
	s, ok := d.attested[a.ID]
	switch {
	case !ok:
		return &policies.UnknownField{Field: "attestedOnly", Reason: "no SBOM by its builder was seen", Settle: []string{"read the image from its registry, where builders attach them"}}
	case !s.compared:
		return &policies.UnknownField{Field: "attestedOnly", Looked: true, Reason: "the builder's " + s.format + " document could not be compared with the contents", Settle: []string{"give the contents of the image"}}
	}
	if len(s.only) == 0 && 2*s.lists < s.of { // files and the system itself have none; that most have none is something else
		return &policies.UnknownField{Field: "attestedOnly", Looked: true,
			Reason: fmt.Sprintf("the builder's %s document names %d components and package URLs of %d only; the others cannot be compared", s.format, s.of, s.lists),
			Settle: []string{"ask the builder for an SBOM with package URLs"}}
	}
	r.AttestedOnly = int64(len(s.only))
	return nil
}

// repositoryFacts fills from where a host installs packages.
func (d *dossier) repositoryFacts(a sbom.Artifact, r *policies.Artifact) []policies.UnknownField {
	seen := false
	for _, rep := range d.inventory.Repositories {
		if a.Kind != sbom.KindHost || rep.Host != a.Name {
			continue
		}
		seen = true
		r.UnknownRepositories += int64(one(rep.Vendor == sbom.UnknownVendor))
		r.NonFreeAreas += int64(len(rep.NonFree()))
	}
	if seen {
		return nil
	}
	var out []policies.UnknownField
	for _, field := range []string{"unknownRepositories", "nonFreeAreas"} {
		out = append(out, policies.UnknownField{Field: field, Reason: "its package repositories were not seen", Settle: []string{"read the host itself: host: {root: /}, or pegel inventory --host there"}})
	}
	return out
}

// differing says by name what builders list and nobody found, and from where hosts install that nobody knows.
func (d *dossier) differing() []reports.Unseen {
	var out []reports.Unseen
	for _, a := range d.inventory.Artifacts {
		if s := d.attested[a.ID]; len(s.only) > 0 {
			out = append(out, reports.Unseen{
				What:   "packages of " + nameOf(a) + " that only its builder's SBOM lists",
				Reason: fmt.Sprintf("the %s document lists %d packages; these were not found inside", s.format, s.lists),
				Settle: "compare both lists and ask whoever built the image", Count: len(s.only), Names: s.only[:min(len(s.only), mostNames)],
			})
		}
	}
	var names []string
	for _, r := range d.inventory.Repositories {
		if r.Vendor == sbom.UnknownVendor {
			names = append(names, r.Address)
		}
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) > 0 {
		out = append(out, reports.Unseen{
			What: "vendors of package repositories on hosts", Reason: "the addresses tell nobody who stands behind them",
			Settle: "tell the auditor whose repositories these are", Count: len(names),
		})
	}
	return out
}
