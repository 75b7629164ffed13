package sbom

import (
	"cmp"
	"maps"
	"slices"

	"github.com/pegel-audit/pegel/audit/licence"
)

// LicenceRow counts how well the licences of the packages of one type are known. Of n packages share n*10000/Packages is
// the share in basis points.
type LicenceRow struct {
	Type     string                // of packages, as Component.Type; empty in the row of all together
	Packages int                   // distinct ones
	Classes  map[licence.Class]int // by verdict class; every class is there
	Known    int                   // with a class other than unknown
	// Expression has an SPDX expression, own references allowed; Listed one of ids of the SPDX list only, of what is deployed;
	// DeclaredListed the same of all that is declared.
	Expression, Listed, DeclaredListed int
	// Main have a claim about the package as a whole (of copyright files: Files: *), MainListed one of listed ids only.
	Main, MainListed int
	Provenances      map[string]int // by what decided the class; the empty one stands for nothing
	Restricted       map[string]int // restricted ones by the area that Section names: main, contrib, non-free, ...; "" without a section
}

// LicenceTable judges every package of all artifacts and returns one row for each type, sorted by it, and one for all of
// them at the end. A package that is in several artifacts counts once, with the worst class that it has in any.
func LicenceTable(all []Packages, judge Judge) []LicenceRow {
	type key struct{ kind, name, version, arch string }
	rows := map[string]*LicenceRow{"": newLicenceRow("")}
	worst := map[key]judged{}
	for _, p := range all {
		components, _ := p.Components.Get()
		for _, c := range components {
			k := key{c.Type, c.Name, c.Version, c.Arch}
			j := judged{component: c, licensing: judge.Of(c)}
			if before, seen := worst[k]; !seen || j.compare(before) > 0 {
				worst[k] = j
			}
		}
	}
	for k, j := range worst {
		if rows[k.kind] == nil {
			rows[k.kind] = newLicenceRow(k.kind)
		}
		rows[k.kind].count(j)
		if k.kind != "" {
			rows[""].count(j)
		}
	}
	out := make([]LicenceRow, 0, len(rows))
	for _, kind := range slices.Sorted(maps.Keys(rows)) {
		if kind != "" {
			out = append(out, *rows[kind])
		}
	}
	return append(out, *rows[""])
}

type judged struct {
	component Component
	licensing Licensing
}

// compare orders by class, the worst last, then by text, so that the same input in any order gives the same table.
func (j judged) compare(other judged) int {
	a, b := j.licensing, other.licensing
	if a.Class != b.Class {
		if licence.Worst(licence.Class(a.Class), licence.Class(b.Class)) == licence.Class(a.Class) {
			return 1
		}
		return -1
	}
	return cmp.Or(cmp.Compare(a.Concluded, b.Concluded), cmp.Compare(a.Declared, b.Declared), cmp.Compare(a.Provenance, b.Provenance),
		cmp.Compare(j.component.Section, other.component.Section), cmp.Compare(j.component.Ref, other.component.Ref))
}

func newLicenceRow(kind string) *LicenceRow {
	row := LicenceRow{Type: kind, Classes: map[licence.Class]int{}, Provenances: map[string]int{}, Restricted: map[string]int{}}
	for _, class := range licence.Classes() {
		row.Classes[class] = 0
	}
	return &row
}

func (r *LicenceRow) count(j judged) {
	class := licence.Class(j.licensing.Class)
	r.Packages++
	r.Classes[class]++
	r.Provenances[j.licensing.Provenance]++
	if class != licence.Unknown {
		r.Known++
	}
	if class == licence.Restricted {
		r.Restricted[sectionArea(j.component.Section)]++
	}
	if j.licensing.Concluded != "" {
		r.Expression++
	}
	r.Listed += listed(j.licensing.Concluded)
	r.DeclaredListed += listed(j.licensing.Declared)
	main := readClaims(withMainClaims(j.component)).shipped
	if !main.IsEmpty() {
		r.Main++
		r.MainListed += listed(main.String())
	}
}

func listed(expression string) int {
	if e, err := licence.Parse(expression); err == nil && e.Listed() {
		return 1
	}
	return 0
}

// withMainClaims returns the component with the claims about the whole of it only.
func withMainClaims(c Component) Component {
	c.Licences = slices.DeleteFunc(slices.Clone(c.Licences), func(l LicenceClaim) bool {
		return l.Weight != "" && l.Weight != string(licence.Main)
	})
	return c
}
