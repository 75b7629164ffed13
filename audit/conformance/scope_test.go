package conformance

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

func TestTheTimelineSaysWhatAVersionIsGoodFor(t *testing.T) {
	s := fixtureScope(t)
	for _, c := range []struct{ day, version, want string }{
		{"2024-12-31", "v2", ValidDeprecated}, // before the first period
		{"2025-01-01", "v2", ValidEffective},
		{"2025-12-31", "v1", ValidWarn},
		{"2025-12-31", "v3", ValidDeprecated}, // not listed then
		{"2026-01-01", "v3", ValidEffective},
		{"2026-01-01", "next", ValidDraft},
		{"2026-10-01", "next", ValidEffective}, // the newest period stands second in the file
		{"2026-10-01", "v2", ValidDeprecated},  // listed before, not any more
	} {
		on, err := time.Parse(time.DateOnly, c.day)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := s.Validity(c.version, on); got != c.want {
			t.Errorf("%s on %s: got %s, want %s", c.version, c.day, got, c.want)
		}
	}
}

func TestAVersionNeedsTheTestCasesOfItsModules(t *testing.T) {
	s := fixtureScope(t)
	targets := s.Versions[1].Targets
	for target, want := range map[string][]string{
		TargetMain:    {"scs-9001-alpha", "scs-9002-daily", "scs-9003-yearly"},
		"recommended": {"scs-9004-extra"},
		"preview":     {"scs-9005-docs-check"},
	} {
		if !slices.Equal(targets[target], want) {
			t.Errorf("%s: got %v, want %v", target, targets[target], want)
		}
	}
	for id, want := range map[string]TestCase{
		"scs-9001-alpha":      {Lifetime: audit.Week},
		"scs-9002-daily":      {Lifetime: audit.Day},
		"scs-9005-docs-check": {Lifetime: audit.Quarter, Manual: true},
	} {
		if got, ok := testCase(s.Tests, id); !ok || got.Lifetime != want.Lifetime || got.Manual != want.Manual {
			t.Errorf("%s: got %+v", id, got)
		}
	}
}

func TestAScopeThatIsNotAsDescribedIsRefused(t *testing.T) {
	data, err := os.ReadFile("testdata/scope-iaas.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, new, says string }{
		"unknown key":               {"variables:", "variable:", "field variable not found"},
		"unknown key of a script":   {"executable: ./slow.py", "exe: ./slow.py", "field exe not found"},
		"unknown key of a test":     {"lifetime: day}", "life: day}", "field life not found"},
		"unknown key of a module":   {"name: Alpha and beta", "title: x", "field title not found"},
		"unknown key of a version":  {"stabilized_at: 2025-12-01", "since: 2025-12-01", "field since not found"},
		"unknown key of an include": {"parameters: {image_spec: \"https", "params: {image_spec: \"https", `unknown key "params"`},
		"key twice":                 {"name: SCS-compatible IaaS", "name: a\nname: b", "already"},
		"unknown module":            {"include: [scs-9001-v1]", "include: [scs-9009-v1]", `module "scs-9009-v1", which the file does not have`},
		"unknown test case":         {"main: [scs-9002-daily]", "main: [scs-9002-dayly]", `"scs-9002-dayly", which no script has`},
		"test case twice":           {"id: scs-9001-beta", "id: scs-9001-alpha", `"scs-9001-alpha" stands twice`},
		"module twice":              {"id: scs-9001-v2", "id: scs-9001-v1", `module "scs-9001-v1" stands twice`},
		"version twice":             {"version: v2\n", "version: v3\n", `version "v3" stands twice`},
		"unknown version":           {"v2: warn", "v7: warn", `there is no version "v7"`},
		"unknown word":              {"v2: warn", "v2: maybe", `is "maybe"`},
		"unknown lifetime":          {"lifetime: year}", "lifetime: decade}", `unknown lifetime "decade"`},
		"no day":                    {"date: 2025-01-01", "date: soon", `"soon" is no day`},
		"a day in quotes":           {"date: 2025-01-01", "date: '2025-01-01'", "write it without quotes"},
		"nothing that decides":      {"main: [scs-9003-yearly]", "other: [scs-9003-yearly]", "no target"},
		"a variable with two keys":  {"variables:", "variables: [{a: 1, b: 2}]\nx:", "field x not found"},
		"day twice":                 {"date: 2025-01-01", "date: 2026-01-01", "stands twice"},
		"no uuid":                   {"uuid: 50393e6f-2ae1-4c5c-a62c-3b75f2abef3f", "", "are needed"},
		"two documents":             {"name: SCS", "a: b\n---\nname: SCS", "field a not found"},
		"another document after it": {"    include: [scs-9003-v1]\n", "    include: [scs-9003-v1]\n---\nx: y\n", "more than one document"},
		"an id with an escape":      {"{id: scs-9001-beta", `{id: "scs-9001-\x1bbeta"`, "not plain text"},
	} {
		text := strings.Replace(string(data), c.old, c.new, 1)
		if text == string(data) {
			t.Fatalf("%s: nothing was replaced", name)
		}
		if _, err := ParseScope([]byte(text)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %q", name, err, c.says)
		}
	}
	for name, text := range map[string]string{
		"nothing": "", "a list": "- a", "an alias bomb": "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n", "no UTF-8": "name: \xff", "too large": strings.Repeat("#", maxScope+1),
	} {
		if _, err := ParseScope([]byte(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// FuzzParseScope holds that a scope that was read can be evaluated on every day: words and test cases are known ones.
func FuzzParseScope(f *testing.F) {
	data, err := os.ReadFile("testdata/scope-iaas.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("{uuid: x, name: y, timeline: [{date: 2026-01-01, versions: {v: effective}}], versions: [{version: v, include: []}]}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseScope(data)
		if err != nil {
			return
		}
		for _, v := range s.on(now) {
			if !slices.Contains([]string{ValidEffective, ValidWarn, ValidDraft, ValidDeprecated}, v.validity) {
				t.Fatalf("version %q is %q", v.version, v.validity)
			}
			got := score(v, s.Tests, nil, now)
			if len(v.main) > 0 && got.outcome != audit.MISS || len(got.missing) != len(v.main) {
				t.Fatalf("without results: got %+v", got)
			}
			for _, id := range v.main {
				if _, ok := testCase(s.Tests, id); !ok {
					t.Fatalf("no test case %q", id)
				}
			}
		}
	})
}
