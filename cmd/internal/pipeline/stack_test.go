package pipeline

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/sbom"
)

const goodStack = `schema: pegel/stack/v1
subject: {name: example, kind: cloud, exposure: public, operator: {name: Example GmbH, domains: [example.org]}}
scopes: [scs-open-iaas]
sources:
  - osism: {release: ./release}
assign:
  - {match: "image:*/netbox", tier: ops, reason: "used by operators only"}
at: 2026-11-24
`

func TestAStackFileIsReadAsWritten(t *testing.T) {
	s, err := ParseStack([]byte(goodStack), "stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if s.Subject.Operator.Domains[0] != "example.org" || len(s.Sources) != 1 || s.Assign[0].Tier != "ops" {
		t.Errorf("got %+v", s)
	}
	at, err := s.assessedAt()
	if want := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC); err != nil || !at.Equal(want) {
		t.Errorf("at: got %v, %v, want %v", at, err, want)
	}
}

func TestABrokenStackFileNamesPlaceAndRemedy(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown key":          {"scopes:", "scope:", `line 3, column 1: unknown key "scope" in stack; did you mean "scopes"?`},
		"unknown nested key":   {"exposure:", "exposur:", `unknown key "exposur" in subject; did you mean "exposure"?`},
		"unknown assign key":   {"tier: ops", "teir: ops", `unknown key "teir" in assign; did you mean "tier"?`},
		"key twice":            {"at: 2026-11-24", "schema: pegel/stack/v1", `stands twice`},
		"wrong schema":         {"stack/v1", "stack/v9", `line 1: schema is "pegel/stack/v9", want "pegel/stack/v1"`},
		"wrong kind":           {"kind: cloud", "kind: cluod", `subject kind is "cluod", want cloud or release`},
		"no name":              {"name: example,", "name: '',", "subject has no name"},
		"wrong exposure":       {"exposure: public", "exposure: secret", `exposure is "secret"`},
		"no scope":             {"[scs-open-iaas]", "[]", "no scope is asked for"},
		"scopes of wrong type": {"[scs-open-iaas]", "{a: b}", "line 3"},
		"no source":            {"sources:\n  - osism: {release: ./release}", "sources: []", "no source is given"},
		"wrong tier":           {"tier: ops", "tier: opps", `tier is "opps", want one of functional, iam, ops, base`},
		"no reason":            {`, reason: "used by operators only"`, "", "needs match and reason"},
		"no date":              {"2026-11-24", "soon", `line 8: "soon" is no date`},
		"subject is a list":    {"{name: example, kind: cloud, exposure: public, operator: {name: Example GmbH, domains: [example.org]}}", "7", "subject must be a mapping"},
		"alias":                {"at: 2026-11-24", "previous: &a x\ndeclarations: *a", "previous"},
		"two documents":        {"at: 2026-11-24", "at: 2026-11-24\n---\na: b", "a second YAML document"},
		"no YAML":              {"schema:", "\tschema:", "line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(goodStack, c.old, c.new, 1)
			if text == goodStack {
				t.Fatal("the case changes nothing")
			}
			_, err := ParseStack([]byte(text), "stack.yaml")
			if name == "alias" {
				return // a scalar alias is harmless; it must not panic
			}
			var usage *UsageError
			if !errors.As(err, &usage) {
				t.Fatalf("got %v, want a usage error", err)
			}
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `"stack.yaml"`) {
				t.Errorf("got  %v\nwant %q in it, and the file", err, c.want)
			}
		})
	}
}

func TestACorrectionMatchesByKindAndPattern(t *testing.T) {
	netbox := sbom.Artifact{Kind: sbom.KindImage, Name: "netbox", Reference: "registry.example.org/mirror/osism/netbox:v4.2.2"}
	for match, want := range map[string]bool{
		"image:*/netbox":                             true,
		"image:*/osism/netbox":                       true,
		"image:registry.example.org/mirror/*/netbox": true,
		"image:netbox":                               false,
		"image:*/nginx":                              false,
		"host:*/netbox":                              false,
		"image:*/other/netbox":                       false,
		"image:[":                                    false,
	} {
		if got := (Assign{Match: match}).matches(netbox); got != want {
			t.Errorf("%q: got %v, want %v", match, got, want)
		}
	}
}

func FuzzAStackFileThatIsReadIsAcceptable(f *testing.F) {
	f.Add([]byte(goodStack))
	f.Add([]byte("schema: pegel/stack/v1\nsubject: {name: x, kind: release}\nscopes: [a]\nsources: [{}]\n"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("? {a: b}\n: c"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseStack(data, "stack.yaml")
		if err != nil {
			var usage *UsageError
			if !errors.As(err, &usage) {
				t.Fatalf("not a usage error: %v", err)
			}
			return
		}
		if s.Subject.Name == "" || len(s.Scopes) == 0 || len(s.Sources) == 0 {
			t.Fatalf("accepted without name, scope or source: %q", data)
		}
		if _, err := s.assessedAt(); err != nil {
			t.Fatalf("accepted with an unreadable day: %v", err)
		}
	})
}
