package upstream

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit/licence"
)

// Licence is the licence of a component at one version and edition, as the catalogue knows it.
type Licence struct {
	Expression string // SPDX
	// Class is what the expression means (package audit/licence). A licence that the catalogue states is not approved by
	// the OSI, and that no list knows, such as LicenseRef-Sonatype-CE, is Restricted.
	Class   licence.Class
	OSI     bool   // the licence, or one of a choice, is approved by the OSI
	Checked bool   // read from the licence file of the project; else the expected value
	Row     string // the rule that decided, e.g. ">=7.4,<8.0"; empty if the licence is the same everywhere
	Edition string // the edition the row is about; empty if there is only one
	Source  string // where it was read; empty for a plain entry
	Reason  string // if the licence is not known: why, and what would settle it
}

// LicenceAt returns the licence at a deployed version and edition, both as they are known: empty if not. ok is false if
// the catalogue cannot tell, and Reason then says why; an unknown version or edition is never guessed.
func (k Component) LicenceAt(deployed, edition string) (l Licence, ok bool) {
	if len(k.LicenceByVersion) == 0 {
		return k.plainLicence(edition)
	}
	rows, reason := k.rowsOf(edition)
	if reason != "" {
		return Licence{Reason: reason}, false
	}
	holding, reason := k.holding(rows, deployed, edition)
	if reason != "" {
		return Licence{Reason: reason}, false
	}
	first := holding[0]
	for _, r := range holding[1:] {
		if r.Licence != first.Licence || r.OSI != first.OSI {
			return Licence{Reason: fmt.Sprintf("the licence of %s depends on the edition, and the edition is not known: %s", k.Name, editions(holding))}, false
		}
	}
	return Licence{Expression: first.Licence, Class: first.class(), OSI: first.OSI, Checked: k.LicenceChecked, Row: first.Versions,
		Edition: first.Edition, Source: first.Source}, true
}

func (k Component) plainLicence(edition string) (Licence, bool) {
	if k.Licence == NoAssertion {
		return Licence{Reason: fmt.Sprintf("the catalogue does not know the licence of %s", k.Name)}, false
	}
	if edition != "" {
		return Licence{Reason: fmt.Sprintf("the catalogue does not know the edition %q of %s", edition, k.Name)}, false
	}
	class := licence.ClassOf(k.Licence)
	return Licence{Expression: k.Licence, Class: class, OSI: class == licence.OSI, Checked: k.LicenceChecked}, true
}

// class trusts the list of licences where it knows the expression, and the row where it does not.
func (r LicenceRow) class() licence.Class {
	class := licence.ClassOf(r.Licence)
	if class == licence.Unknown && !r.OSI {
		return licence.Restricted
	}
	return class
}

// rowsOf returns the rows that may speak about an edition.
func (k Component) rowsOf(edition string) ([]LicenceRow, string) {
	if edition == "" {
		return k.LicenceByVersion, ""
	}
	var rows []LicenceRow
	for _, r := range k.LicenceByVersion {
		if strings.EqualFold(r.Edition, edition) {
			rows = append(rows, r)
		}
	}
	if rows == nil {
		return nil, fmt.Sprintf("the catalogue does not know the edition %q of %s", edition, k.Name)
	}
	return rows, ""
}

// holding returns the rows that hold for a version, at least one, or the reason why none can be named.
func (k Component) holding(rows []LicenceRow, deployed, edition string) ([]LicenceRow, string) {
	if !slices.ContainsFunc(rows, func(r LicenceRow) bool { return !r.constraint.everywhere() }) {
		return rows, ""
	}
	if strings.TrimSpace(deployed) == "" {
		return nil, fmt.Sprintf("the licence of %s depends on the version, and the version is not known", k.Name)
	}
	v, ok := parseVersion(deployed)
	if !ok {
		return nil, fmt.Sprintf("the licence of %s depends on the version, and %q names none", k.Name, deployed)
	}
	if v.vendor != "" && edition == "" {
		return nil, fmt.Sprintf("version %q of %s is of a vendor edition that the catalogue does not know", deployed, k.Name)
	}
	var holding []LicenceRow
	for _, r := range rows {
		switch r.constraint.holds(v) {
		case maybe:
			return nil, fmt.Sprintf("%q does not say whether %s lies within %s, where its licence changes; the full version settles it", deployed, k.Name, r.Versions)
		case yes:
			holding = append(holding, r)
		}
	}
	if holding == nil {
		return nil, fmt.Sprintf("the catalogue does not know the licence of %s at version %q", k.Name, deployed)
	}
	return holding, ""
}

func editions(rows []LicenceRow) string {
	var names []string
	for _, r := range rows {
		names = append(names, fmt.Sprintf("%s is %s", r.Edition, r.Licence))
	}
	return strings.Join(names, ", ")
}
