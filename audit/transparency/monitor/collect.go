// Package monitor looks at the public health monitor of a cloud, as an outsider without rights sees it: dashboards of Grafana,
// the read APIs of Prometheus, VictoriaMetrics and InfluxDB 1.x, and the health flags of CloudMon. In goes the address of a
// monitor; out come how old its newest sample is, on which days it shows error rates and response times, and the spans in
// which it shows errors. It only reads, asks through the function that it is given, and judges nothing.
package monitor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// What one look at a monitor may cost its owner, and how far it reaches back. None of these decides anything: thresholds stand
// in the profile.
const (
	mostAsks  = 40               // requests to one monitor
	reachDays = 35               // days back, the day of the look included: more than any profile asks for
	step      = time.Hour        // between two points: 840 points for each series, some 20 KB
	ahead     = 10 * time.Minute // how far beyond our own clock samples are asked for, so that a wrong clock shows
	bodyLimit = 8 << 20          // bytes of one answer
)

// Collect looks at one monitor. See transparency.Collect.
func Collect(ctx context.Context, t transparency.Target, w transparency.World) transparency.Artifact {
	s := newSession(ctx, t, w)
	found, trouble := s.look()
	if trouble != nil {
		s.artifact.Trouble = trouble
		return *s.artifact
	}
	s.artifact.Monitor = found.monitor(s)
	return *s.artifact
}

// look finds out what answers and reads it.
func (s *session) look() (*findings, *audit.Trouble) {
	if s.ask == nil {
		return nil, &audit.Trouble{Kind: audit.TroubleOffline, Text: "nobody may be asked in this run", Settle: "run it without --offline"}
	}
	if s.target.URL == "" && s.target.File == "" {
		return nil, &audit.Trouble{Kind: audit.TroubleNotNamed, Text: "nobody said where the monitor is", Settle: "name it under transparency: monitor"}
	}
	if s.target.File != "" {
		return s.lookAtFiles()
	}
	if s.base == nil {
		return nil, &audit.Trouble{Kind: audit.TroubleAddress, Text: "the address of the monitor cannot be read", Settle: "write it as https://HOST/PATH"}
	}
	if s.target.Adapter != "" {
		for _, a := range adapters() {
			if a.name == s.target.Adapter {
				return a.read(s)
			}
		}
		return nil, unknownAdapter(s.target.Adapter)
	}
	return s.detect()
}

// Adapters lists the names that a target may give as adapter.
func Adapters() []string {
	var names []string
	for _, a := range adapters() {
		names = append(names, a.name)
	}
	return names
}

func unknownAdapter(name string) *audit.Trouble {
	return &audit.Trouble{
		Kind:   audit.TroubleNotNamed,
		Text:   fmt.Sprintf("no way to read a monitor is called %q", clean(name, 40)),
		Settle: "write one of " + strings.Join(Adapters(), ", ") + ", or leave adapter out",
	}
}

// detect asks one kind of software after the other whether it answers here. An address that shows its software is believed.
func (s *session) detect() (*findings, *audit.Trouble) {
	for _, a := range adapters() {
		if a.address(s.base.Path) {
			return a.read(s)
		}
	}
	var refused *audit.Trouble
	for _, a := range adapters() {
		here, trouble := a.here(s)
		if here {
			return a.read(s)
		}
		if final(trouble) {
			return nil, trouble
		}
		if trouble != nil && (refused == nil || weight(trouble) > weight(refused)) {
			refused = trouble
		}
	}
	return s.lookAtPage(refused)
}

// final reports whether a trouble concerns the host, so that another question would meet the same.
func final(t *audit.Trouble) bool {
	if t == nil {
		return false
	}
	switch t.Kind {
	case audit.TroubleOffline, audit.TroubleRobots, audit.TroubleAddress, audit.TroublePast, audit.TroubleUnreachable,
		audit.TroubleTLS, audit.TroubleTimeout, audit.TroubleInterrupted:
		return true
	}
	return false
}

// weight orders troubles by how much they say: that a login is needed says more than that a path is not there.
func weight(t *audit.Trouble) int {
	switch t.Kind {
	case audit.TroubleLogin:
		return 3
	case audit.TroubleServer, audit.TroubleRedirects, audit.TroubleTooLarge:
		return 2
	case audit.TroubleContent:
		return 1
	}
	return 0
}
