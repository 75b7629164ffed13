package pipeline

import (
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

func TestAMirrorBeginsWhereItsHomeBegins(t *testing.T) {
	begun := time.Date(2012, 5, 1, 0, 0, 0, 0, time.UTC)
	of := func(first time.Time, shallow bool) scoring.Evidence {
		return scoring.Evidence{History: audit.Known(scoring.History{FirstCommit: first, Shallow: shallow})}
	}
	for _, tt := range []struct {
		what         string
		mirror, home scoring.Evidence
		want         bool
	}{
		{"the same history", of(begun, false), of(begun, false), false},
		{"another project", of(begun.AddDate(9, 0, 0), false), of(begun, false), true},
		{"a clone that is cut off", of(begun.AddDate(9, 0, 0), true), of(begun, false), false},
		{"a history that was not read", scoring.Evidence{}, of(begun, false), false},
	} {
		if got := strangers(tt.mirror, tt.home); got != tt.want {
			t.Errorf("%s: strangers %v, want %v", tt.what, got, tt.want)
		}
	}
}
