package indicator

import (
	"fmt"
	"slices"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/scoring"
)

// expected answers for a version whose licence nobody read, which unread says: FAIL if every licence that the catalogue names
// for it is closed, each with its source. An open one is only named, since images and vendors differ. A fact that is only
// declared counts as unknown.
func (in *input) expected(version string, unread scoring.Measurement) scoring.Measurement {
	known, ok := in.p.Expected.Get()
	if !ok || in.p.Expected.Declared {
		return unread
	}
	rows := known[version]
	if len(rows) == 0 {
		rows = known[""]
	}
	if len(rows) == 0 {
		return unread
	}
	named := make([]string, len(rows))
	closed := true
	for i, r := range rows {
		named[i] = clip(r.Licence)
		if r.Name != "" {
			named[i] += fmt.Sprintf(" for the edition %q", clip(r.Name))
		}
		if r.Source != "" {
			named[i] += " (" + clip(r.Source) + ")"
		}
		closed = closed && r.Source != "" && !r.Open && shutByCatalogue(r.Licence)
	}
	if !closed {
		unread.Reason += "; the catalogue expects" + expectedAt(version) + " " + inOrder(named)
		return unread
	}
	in.rests(in.p.Expected.Grade)
	origins := slices.Clone(in.p.Expected.Origins)
	if len(origins) == 0 {
		origins = []audit.Origin{in.catalogue()}
	}
	return failed(clip(rows[0].Licence), "not an open licence"+expectedAt(version)+" by the catalogue: "+inOrder(named)+"; the licence file was not read", origins...)
}

// shutByCatalogue trusts the list of licences where it knows the expression, and the row, which says that the OSI has not
// approved it, where it does not.
func shutByCatalogue(expression string) bool {
	class := licence.ClassOf(expression)
	return class == licence.Restricted || class == licence.Unknown
}

func expectedAt(version string) string {
	if version == "" {
		return " at every version"
	}
	return atVersion(version)
}
