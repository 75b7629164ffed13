package declaration

import (
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Look is one look at a piece of evidence, as it stands in the bundle.
type Look struct {
	File string     `json:"file,omitempty"`
	URL  string     `json:"url,omitempty"`
	Seen audit.Seen `json:"seen"`
}

// LookedAt returns the looks in the form that Judge takes.
func LookedAt(looks []Look) Looked {
	return func(e Evidence) (audit.Seen, bool) {
		i := slices.IndexFunc(looks, func(l Look) bool { return l.File == e.File && l.URL == e.URL })
		if i < 0 {
			return audit.Seen{}, false
		}
		return looks[i].Seen, true
	}
}

// At returns the evidence that has to be looked at to judge a moment, each piece once: that of the entries that count then.
func (f File) At(moment time.Time) []Evidence {
	var out []Evidence
	for _, e := range current(f.Entries, moment) {
		if e.Date.After(moment) || moment.After(e.Expires) {
			continue
		}
		for _, v := range e.Evidence {
			if !slices.ContainsFunc(out, func(o Evidence) bool { return o.File == v.File && o.URL == v.URL }) {
				out = append(out, v)
			}
		}
	}
	return out
}
