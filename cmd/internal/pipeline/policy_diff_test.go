package pipeline

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

// changedGate returns profiles whose main one has another gate.
func changedGate(p policies.Profiles, level, aspect string, change func(*audit.Gate)) policies.Profiles {
	main := p.Main()
	main.Gates = maps.Clone(main.Gates)
	main.Gates[level] = maps.Clone(main.Gates[level])
	main.Gates[level]["platform"] = maps.Clone(main.Gates[level]["platform"])
	g := main.Gates[level]["platform"][aspect]
	change(&g)
	main.Gates[level]["platform"][aspect] = g
	variants := map[string]audit.Profile{}
	for _, id := range p.IDs()[1:] {
		variants[id] = p.For(id)
	}
	return policies.ProfilesOf(main, variants)
}

func changedRule(p policies.Profiles, id string, change func(*audit.IndicatorRule)) policies.Profiles {
	main := p.Main()
	main.Indicators = maps.Clone(main.Indicators)
	rule := main.Indicators[id]
	change(&rule)
	main.Indicators[id] = rule
	variants := map[string]audit.Profile{}
	for _, name := range p.IDs()[1:] {
		variants[name] = p.For(name)
	}
	return policies.ProfilesOf(main, variants)
}

func paths(d reports.PolicyDiff, at []int) []string {
	var out []string
	for _, i := range at {
		out = append(out, d.Settings[i].Path)
	}
	return out
}

func TestADiffNamesTheNumberThatAloneChangesAVerdictAndThoseThatChangeNothing(t *testing.T) {
	c := someCases(t, "cluster-api", "keystone", "openbao", "memcached", "ovn")
	before := ruleset{name: "a", profiles: defaultProfiles(t)}
	judged := calibrate(c, before.profiles)
	at := slices.IndexFunc(judged.Gates, func(g reports.CalibrationGate) bool { return g.Aspect == "open-source" })
	if !slices.Contains(judged.Gates[at].Passed, "cluster-api") {
		t.Fatal("cluster-api does not pass the gate of open source any more; choose another project")
	}
	after := changedGate(before.profiles, "scs-open", "open-source", func(g *audit.Gate) { g.Low = 9999 })
	after = changedRule(after, "LR-07", func(r *audit.IndicatorRule) { two := 2; r.Pass = &two })
	got, err := compareRules(c, before, ruleset{name: "b", profiles: after})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(got.Gates, func(m reports.VerdictMove) bool { return m.ID == "cluster-api" && m.What == "scs-open open-source" })
	if i < 0 {
		t.Fatalf("got %+v, want the gate of cluster-api", got.Gates)
	}
	if m := got.Gates[i]; m.From != "pass" || m.To == "pass" || !slices.Equal(paths(got, m.Alone), []string{"gates.scs-open.platform.open-source.low"}) || len(m.Together) > 0 {
		t.Errorf("got %+v by %v, want it by the number of the gate alone", m, paths(got, m.Alone))
	}
	if diff := cmp.Diff([]string{"LR-07.pass"}, paths(got, got.Idle)); diff != "" {
		t.Errorf("settings that change nothing (-want +got):\n%s", diff)
	}
	for _, m := range got.Gates {
		if m.ID == "memcached" {
			t.Errorf("a building block has no gates: %+v", m)
		}
	}
}

// The laws, on several comparisons: each setting named alone leads from the first verdict to the second; a set named together
// does, and without any one of its settings does not; what is said to change nothing changes nothing.
func TestCausesOfADiffAreCauses(t *testing.T) {
	c := someCases(t, "cluster-api", "keystone", "openbao", "cert-manager", "tacker", "ovn", "redis", "lldpd")
	base := defaultProfiles(t)
	lower := func(g *audit.Gate) { g.Low, g.Coverage = 4000, 5000 }
	both := changedGate(changedGate(base, "scs-open", "open-community", lower), "scs-sovereign", "open-community", lower)
	many := changedRule(changedRule(both, "OV-02", func(r *audit.IndicatorRule) { r.Weight = 1 }), "OC-01", func(r *audit.IndicatorRule) { five := 5; r.Pass = &five })
	many = changedRule(many, "AC-01", func(r *audit.IndicatorRule) { huge := 100_000; r.Pass = &huge })
	harsh := changedRule(base, "AC-01", func(r *audit.IndicatorRule) {
		r.Numbers = map[string]int{"dormant_days": 1, "dormant_value_bp": 2500}
	})
	together := 0
	for name, after := range map[string]policies.Profiles{"both": both, "many": many, "harsh": harsh} {
		tr := &trial{cases: c, before: ruleset{profiles: base}, after: ruleset{profiles: after}}
		if err := tr.differences(); err != nil {
			t.Fatal(err)
		}
		moves, idle, err := tr.moves()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range moves {
			s := standing{kind: m.Kind, id: m.ID, what: m.What}
			leads := func(applied []int) bool { return must(tr.leads(applied, s, m.To))(t) }
			if leads(nil) || m.From == m.To {
				t.Errorf("%s: %+v is no change", name, m)
			}
			for _, i := range m.Alone {
				if !leads([]int{i}) {
					t.Errorf("%s: %s alone does not cause %+v", name, tr.changes[i].shown.Path, m)
				}
			}
			if (len(m.Alone) == 0) == (len(m.Together) == 0) {
				t.Errorf("%s: %+v has no cause, or two kinds", name, m)
			}
			if len(m.Together) == 0 {
				continue
			}
			together++
			if !leads(m.Together) {
				t.Errorf("%s: %v together do not cause %+v", name, m.Together, m)
			}
			for n := range m.Together {
				if leads(slices.Concat(m.Together[:n], m.Together[n+1:])) {
					t.Errorf("%s: %+v comes about without %s", name, m, tr.changes[m.Together[n]].shown.Path)
				}
			}
		}
		was := verdictsByKey(must(c.all(tr.before))(t))
		for _, i := range idle {
			r, ok, err := tr.with([]int{i})
			if err != nil || !ok {
				t.Fatal(err)
			}
			if diff := cmp.Diff(was, verdictsByKey(must(c.all(r))(t))); diff != "" {
				t.Errorf("%s: %s is called idle and changes:\n%s", name, tr.changes[i].shown.Path, diff)
			}
		}
	}
	if together == 0 {
		t.Error("no change needs two settings; the law was not tried")
	}
}

func TestTheSameRulesDifferInNothing(t *testing.T) {
	c := someCases(t, "keystone", "memcached", "lldpd")
	r := ruleset{profiles: defaultProfiles(t)}
	got, err := compareRules(c, r, r)
	if err != nil || len(got.Settings)+len(got.Verdicts)+len(got.Gates)+len(got.Idle) > 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

// A number of a variant concerns only the projects that are judged by it, and is shown with its name.
func TestANumberOfAVariantIsShownWithItsProfile(t *testing.T) {
	c := someCases(t, "keystone", "memcached", "galera")
	base := defaultProfiles(t)
	library := base.For("library")
	library.Indicators = maps.Clone(library.Indicators)
	rule := library.Indicators["AC-01"]
	rule.Window = 365
	library.Indicators["AC-01"] = rule
	after := policies.ProfilesOf(base.Main(), map[string]audit.Profile{"library": library, "feature-complete": base.For("feature-complete")})
	got, err := compareRules(c, ruleset{profiles: base}, ruleset{profiles: after})
	if err != nil {
		t.Fatal(err)
	}
	want := []reports.PolicyChange{{Path: "AC-01.window_days", From: "182", To: "365", Profiles: []string{"library"}}}
	if diff := cmp.Diff(want, got.Settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

// On the bundle of an audit the scopes are decided too, by the requirements of the bundle or of the policies compared.
func TestADiffOnAnAuditShowsScopesAndFilesOfThePolicy(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "b")
	stack := must(ParseStack([]byte("schema: pegel/stack/v1\nsubject: {name: t, kind: cloud}\nscopes: [scs-open-iaas]\nat: 2026-07-22\nsources:\n  - image: {ref: 'oci:i'}\n"), "stack.yaml"))(t)
	stack.Dir = t.TempDir()
	image(t, filepath.Join(stack.Dir, "i"), vaultName, debian("hello", "1.0"))
	must(Gather(t.Context(), stack, Options{Version: "test", Now: truthNow, Offline: true, Bundle: dir, TempDir: t.TempDir()}))(t)
	own := filepath.Join(t.TempDir(), "policy")
	if err := os.CopyFS(own, os.DirFS("../../../policies/data")); err != nil {
		t.Fatal(err)
	}
	rewrite(t, filepath.Join(own, "profiles", "service.yaml"), "  restricted: FAIL", "  restricted: DNF")
	rewrite(t, filepath.Join(own, "modules", "inventory.yaml"), "pass: stack.corrections == 0", "pass: stack.corrections == 99")
	rewrite(t, filepath.Join(own, "modules", "licences.yaml"), "owner: operator", "owner: assessor")
	got, err := PolicyDiff(BuiltIn, own, dir)
	if err != nil {
		t.Fatal(err)
	}
	var settings []string
	for _, s := range got.Settings {
		settings = append(settings, s.Path)
	}
	want := []string{"licences.restricted", "modules/inventory.yaml", "modules/licences.yaml"}
	if diff := cmp.Diff(want, settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	report := must(Assess(dir, AssessOptions{}))(t)
	mine := must(Assess(dir, AssessOptions{Policy: own}))(t)
	v, w := report.Verdicts[0], mine.Verdicts[0]
	if v.Outcome == w.Outcome {
		t.Fatalf("scope %s is %s by both: the test tries nothing", v.Scope, v.Outcome)
	}
	i := slices.IndexFunc(got.Verdicts, func(m reports.VerdictMove) bool { return m.Kind == "scope" })
	if i < 0 {
		t.Fatalf("scope %s goes from %s to %s, which the comparison does not show: %+v", v.Scope, v.Outcome, w.Outcome, got.Verdicts)
	}
	if m := got.Verdicts[i]; m.ID != v.Scope || m.From != v.Outcome || m.To != w.Outcome || !slices.Equal(paths(got, m.Alone), want[1:2]) {
		t.Errorf("got %+v, want %s from %s to %s by a file of the policy", m, v.Scope, v.Outcome, w.Outcome)
	}
	if !slices.Equal(paths(got, got.Idle), []string{want[0], want[2]}) {
		t.Errorf("said to change nothing: %v, want %s and %s", paths(got, got.Idle), want[0], want[2])
	}
	one, err := PolicyDiff("service", own, dir)
	if err != nil || !strings.Contains(one.Note, "only profiles are compared") ||
		!slices.ContainsFunc(one.Settings, func(s reports.PolicyChange) bool { return s.Path == "licences.restricted" }) {
		t.Errorf("a profile against a policy: %v, %+v", err, one)
	}
}

func rewrite(t *testing.T, name, old, new string) {
	t.Helper()
	data := string(must(os.ReadFile(name))(t))
	if !strings.Contains(data, old) {
		t.Fatalf("%s does not hold %q", name, old)
	}
	if err := os.WriteFile(name, []byte(strings.ReplaceAll(data, old, new)), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestWrongNamesOfProfilesPoliciesAndBundlesAreWrongUsage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(file, []byte("schema: pegel/profile/v1\nid: mine\nextends: service\nversion: 1.0.0\nstatus: proposal\ntitle: Mine\nindicators:\n  SE-04:\n    fail: 900\n    source: mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ a, b, dir, want string }{
		{"libary", "service", corpusDir, `there is no profile "libary"; there are service, feature-complete, library; did you mean "library"?`},
		{"service", "./nothing.yaml", corpusDir, "nothing.yaml"},
		{"service", t.TempDir(), corpusDir, "loading policy"},
		{"service", file, corpusDir, `"mine.yaml": line 9, column 5: SE-04: a variant never changes what is asked about security`},
		{"service", "library", "nowhere", `reading bundle "nowhere": no such directory`},
		{"service", "library", t.TempDir(), "no bundle is there"},
	} {
		_, err := PolicyDiff(test.a, test.b, test.dir)
		var usage *UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s to %s on %s: got %v, want wrong usage with %q", test.a, test.b, test.dir, err, test.want)
		}
	}
}
