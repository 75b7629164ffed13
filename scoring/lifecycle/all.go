package lifecycle

import (
	"cmp"
	"context"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// source is a place where release cycles are stated.
type source struct {
	name   string
	grade  audit.Grade
	repo   string // address of its repository; empty: that of the project
	settle string // what to do if it cannot be read
	serves func(*Collector, scoring.Project) bool
	read   func(context.Context, *Collector, scoring.Project, scoring.Evidence) (calendar, error)
}

// address is where the source reads.
func (s source) address(p scoring.Project) string { return cmp.Or(s.repo, p.Repo) }

// sources are the places in the order in which they are believed: data of the project itself, an index that others keep, the
// written policy over tags.
func sources() []source {
	return []source{openStack(), ceph(), kubernetes(), index(), written()}
}
