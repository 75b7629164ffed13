package pipeline

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// told is a source that tells what a test says.
type told struct {
	contact audit.Contact
	inv     sbom.Inventory
}

func (s told) Name() string              { return "told" }
func (s told) Contacts() []audit.Contact { return []audit.Contact{s.contact} }
func (s told) Open(context.Context, sbom.Artifact) (sbom.Target, error) {
	return sbom.Target{}, sbom.ErrNoContents
}
func (s told) Inventory(context.Context) (sbom.Inventory, error) { return s.inv, nil }

func TestWhatRunsTodayIsNoAnswerAboutAnotherDay(t *testing.T) {
	running := sbom.Inventory{Artifacts: []sbom.Artifact{{ID: "image:x:1", Kind: sbom.KindImage, Name: "x", Reference: "x:1",
		Sightings: []sbom.Sighting{{Source: "told", Where: "h", State: sbom.StateRunning, Hosts: []string{"h"}, Replicas: 1}}}}}
	socket := audit.Contact{Host: "local", Address: "unix:///run/x.sock"}
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		s    told
		at   time.Time
		want string
	}{
		{"a socket and today", told{socket, running}, now.Add(-2 * time.Hour), ""},
		{"a socket and last summer", told{socket, running}, now.AddDate(0, -4, 0), "it says what runs on 2026-11-25, and 2026-07-25 is judged"},
		{"a cluster and last summer", told{audit.Contact{Host: "k8s.example", Address: "https://k8s.example"}, running}, now.AddDate(0, -4, 0), "and 2026-07-25 is judged"},
		{"this machine and last summer", told{audit.Contact{Host: "local", Address: "/"}, running}, now.AddDate(0, -4, 0), "and 2026-07-25 is judged"},
		{"files and last summer", told{audit.Contact{Host: "local", Address: "./ps.json"}, running}, now.AddDate(0, -4, 0), ""},
		{"a registry, which says nothing of what runs", told{audit.Contact{Host: "quay.io", Address: "quay.io/x"}, sbom.Inventory{}}, now.AddDate(0, -4, 0), ""},
	} {
		g := &gatherer{at: c.at, opt: Options{Now: now}}
		inv := g.ofToday(c.s, c.s.inv)
		switch {
		case c.want == "" && len(inv.Failures) > 0:
			t.Errorf("%s: failures %+v, want none", c.name, inv.Failures)
		case c.want != "" && (len(inv.Failures) != 1 || !strings.Contains(inv.Failures[0].Reason, c.want) || inv.Failures[0].Settle == ""):
			t.Errorf("%s: failures %+v, want one with %q", c.name, inv.Failures, c.want)
		}
		if len(c.s.inv.Failures) > 0 {
			t.Errorf("%s: the answer of the source was changed", c.name)
		}
	}
}
