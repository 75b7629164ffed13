package conformance

import (
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Scopes of the certificates that SCS issues, by their immutable ids (standards: Tests/scs-compatible-*.yaml).
const (
	ScopeIaaS = "50393e6f-2ae1-4c5c-a62c-3b75f2abef3f"
	ScopeKaaS = "1fffebe6-fd4b-44d3-a36c-fc58b4bb0180"
)

// scopeOf returns the SCS-compatible scope of a layer, and the word for it in addresses of the compliance monitor.
func scopeOf(layer string) (uuid, alias string) {
	switch layer {
	case "iaas":
		return ScopeIaaS, "scs-compatible-iaas"
	case "kaas":
		return ScopeKaaS, "scs-compatible-kaas"
	}
	return "", ""
}

// layerOf returns the layer of an SCS-compatible scope; empty for any other scope.
func layerOf(uuid string) string {
	switch uuid {
	case ScopeIaaS:
		return "iaas"
	case ScopeKaaS:
		return "kaas"
	}
	return ""
}

// Words for what a version of a scope is good for on a day (scs-0003-v1, "Timeline entry").
const (
	ValidEffective  = "effective"  // can be certified against
	ValidWarn       = "warn"       // can be certified against, but is about to expire
	ValidDraft      = "draft"      // can be tested against only
	ValidDeprecated = "deprecated" // can be tested against only
)

// Scope is a certificate scope of SCS (scs-0003-v1): which versions it has, when each of them counts, and which test cases
// each needs.
type Scope struct {
	UUID     string         `json:"uuid"`
	Name     string         `json:"name"`
	URL      string         `json:"url,omitempty"` // where the scope says that its newest form is
	Tests    []TestCase     `json:"tests"`         // by id
	Versions []ScopeVersion `json:"versions"`      // newest first
	Timeline []Period       `json:"timeline"`      // newest first
}

// TestCase is one test case of a scope.
type TestCase struct {
	ID       string         `json:"id"`
	Lifetime audit.Lifetime `json:"lifetime"`         // week if the scope says nothing
	Manual   bool           `json:"manual,omitempty"` // no program decides it
}

// ScopeVersion is one version of a scope.
type ScopeVersion struct {
	Version    string              `json:"version"`
	Stabilized time.Time           `json:"stabilized,omitzero"`
	Targets    map[string][]string `json:"targets"` // ids of test cases by target, sorted; the target main decides
}

// Period is the time from a day on, until the next period begins.
type Period struct {
	From     time.Time         `json:"from"`
	Versions map[string]string `json:"versions"` // version -> one of the words above
}

// TargetMain is the target whose test cases all have to pass.
const TargetMain = "main"

// Validity returns the word for a version on a day. A version that the timeline does not list then is deprecated; listed
// says whether it does.
func (s Scope) Validity(version string, on time.Time) (word string, listed bool) {
	for _, p := range s.Timeline {
		if p.From.After(on) {
			continue
		}
		if word, listed = p.Versions[version]; listed {
			return word, true
		}
		break
	}
	return ValidDeprecated, false
}

// on returns what the versions ask for on a day, newest first.
func (s Scope) on(day time.Time) []versionTests {
	var out []versionTests
	for _, v := range s.Versions {
		word, _ := s.Validity(v.Version, day)
		out = append(out, versionTests{version: v.Version, validity: word, main: v.Targets[TargetMain]})
	}
	return out
}

// testCase finds a test case by its id.
func testCase(tests []TestCase, id string) (TestCase, bool) {
	i, ok := slices.BinarySearchFunc(tests, id, func(t TestCase, id string) int {
		switch {
		case t.ID < id:
			return -1
		case t.ID > id:
			return 1
		}
		return 0
	})
	if !ok {
		return TestCase{}, false
	}
	return tests[i], true
}
