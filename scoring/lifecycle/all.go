package lifecycle

import (
	"context"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// source is a place where release cycles are stated.
type source struct {
	name   string
	grade  audit.Grade
	settle string // what to do if it cannot be read
	serves func(*Collector, scoring.Project) bool
	read   func(context.Context, *Collector, scoring.Project, scoring.Evidence) (calendar, error)
}

// sources are the places in the order in which they are believed: data of the project itself, an index that others keep, the
// written policy over tags.
func sources() []source {
	return []source{openStack(), ceph(), kubernetes(), index(), written()}
}
