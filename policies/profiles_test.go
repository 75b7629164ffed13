package policies

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
)

func profilesBuiltIn(t testing.TB) Profiles {
	t.Helper()
	p, err := DefaultProfiles()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTheBuiltInProfilesAreThreeAndServiceStandsInForWhatIsNotThere(t *testing.T) {
	p := profilesBuiltIn(t)
	if diff := cmp.Diff([]string{"service", "feature-complete", "library"}, p.IDs()); diff != "" {
		t.Errorf("profiles (-want +got):\n%s", diff)
	}
	for id, want := range map[string]string{"": "service", "service": "service", "library": "library", "feature-complete": "feature-complete", "no such": "service"} {
		if got := p.For(id).ID; got != want {
			t.Errorf("%q: judged by %q, want %q", id, got, want)
		}
	}
	only, err := p.Only("library")
	if err != nil {
		t.Fatal(err)
	}
	if got := only.For("feature-complete").ID; got != "library" {
		t.Errorf("only library: got %q", got)
	}
	if _, err := p.Only("libary"); err == nil || !strings.Contains(err.Error(), `did you mean "library"?`) {
		t.Errorf("got %v, want a hint at library", err)
	}
	if got := (Profiles{}).Main(); len(got.Gates) != 0 || got.ID != "" {
		t.Errorf("the zero value has a profile: %v", got)
	}
}

// The windows of activity are twice as long for a library; a quarter of the activity is enough for what is complete; nothing
// else differs (design section 9).
func TestVariantsDifferInActivityAloneAndAsTheDesignSays(t *testing.T) {
	p := profilesBuiltIn(t)
	service := p.Main()
	for _, id := range []string{"library", "feature-complete"} {
		variant := p.For(id)
		if diff := cmp.Diff(service.Gates, variant.Gates) + cmp.Diff(service.Lifetimes, variant.Lifetimes) +
			cmp.Diff(service.Licences, variant.Licences) + cmp.Diff(service.Hysteresis, variant.Hysteresis); diff != "" {
			t.Errorf("%s: differs in more than indicators:\n%s", id, diff)
		}
		for _, indicator := range slices.Sorted(maps.Keys(service.Indicators)) {
			base, rule := service.Indicators[indicator], variant.Indicators[indicator]
			if cmp.Equal(base, rule) {
				continue
			}
			if base.Aspect != "activity" {
				t.Errorf("%s: %s of aspect %s differs", id, indicator, base.Aspect)
			}
			if !strings.Contains(rule.Source, "proposal") {
				t.Errorf("%s: %s: source %q does not say that it is a proposal", id, indicator, rule.Source)
			}
			if id == "library" && (rule.Window != 2*base.Window && rule.Window != 182 || !cmp.Equal(base.Pass, rule.Pass)) {
				t.Errorf("library: %s has a window of %d and passes at %d, want twice %d", indicator, rule.Window, *rule.Pass, base.Window)
			}
			if id == "feature-complete" && indicator != "AC-11" && *rule.Pass != (*base.Pass+3)/4 {
				t.Errorf("feature-complete: %s passes at %d, want a quarter of %d", indicator, *rule.Pass, *base.Pass)
			}
		}
	}
}

func TestEveryNumberOfAProfileHasASourceAndSaysThatItIsAProposal(t *testing.T) {
	for _, id := range profilesBuiltIn(t).IDs() {
		p := profilesBuiltIn(t).For(id)
		if p.Status != "proposal" {
			t.Errorf("%s: status %q: SCS has decided nothing", id, p.Status)
		}
		check := func(what, source string) {
			if !strings.Contains(source, "proposal") {
				t.Errorf("%s: %s: source %q does not say that it is a proposal", id, what, source)
			}
		}
		for indicator, rule := range p.Indicators {
			check(indicator, rule.Source)
		}
		for level, roles := range p.Gates {
			for role, gates := range roles {
				for aspect, g := range gates {
					check(level+" "+role+" "+aspect, g.Source)
				}
			}
		}
		check("hysteresis", p.Hysteresis.Source)
		if p.Hysteresis.Audits != 2 {
			t.Errorf("%s: hysteresis of %d audits, want 2 (design section 9)", id, p.Hysteresis.Audits)
		}
	}
}

func TestAVariantThatRelaxesWhatItMayNotIsRefusedWithItsPlace(t *testing.T) {
	const head = "schema: pegel/profile/v1\nid: mine\nextends: service\nversion: 1.0.0\nstatus: proposal\ntitle: Mine\nindicators:\n"
	const source = "    source: \"proposal\"\n"
	for name, test := range map[string]struct {
		text, want string
		line       int
	}{
		"security":                      {head + "  SE-05:\n    pass: 60\n" + source, "SE-05: a variant never changes what is asked about security", 9},
		"response":                      {head + "  OV-06:\n    pass: 20\n" + source, "OV-06: a variant never changes what is asked about how fast a project answers", 9},
		"bugs":                          {head + "  MA-10:\n    pass: 700\n" + source, "never changes what is asked about how fast", 9},
		"the year of a knock-out":       {head + "  AC-01:\n    numbers: {dormant_days: 730}\n" + source, "numbers of AC-01 decides about a knock-out", 9},
		"the number of a knock-out":     {head + "  OS-04:\n    fail: 5\n" + source, "fail of OS-04 decides about a knock-out", 9},
		"a shorter look back":           {head + "  OS-06:\n    window_days: 365\n" + source, "window_days of OS-06 is shorter than 1825", 9},
		"a weight":                      {head + "  AC-02:\n    weight: 0\n" + source, `unknown key "weight"`, 9},
		"a knock-out as such":           {head + "  AC-01:\n    knock_out: false\n" + source, `unknown key "knock_out"`, 9},
		"a misspelt key":                {head + "  AC-02:\n    window_day: 182\n" + source, `did you mean "window_days"?`, 9},
		"gates":                         {head + "  AC-02:\n    pass: 2\n" + source + "gates: {}\n", `unknown key "gates"`, 11},
		"no source":                     {head + "  AC-02:\n    pass: 2\n", `"source" is missing`, 9},
		"what is so already":            {head + "  AC-02:\n    pass: 7\n" + source, "pass of AC-02 is 7 in the profile it extends already", 9},
		"no number":                     {head + "  AC-02:\n" + source, "AC-02 states no number", 9},
		"a number that nobody asks for": {head + "  AC-05:\n    numbers: {least_quarter: 8}\n" + source, `did you mean "least_quarters"?`, 9},
		"a window for what has none":    {head + "  OS-02:\n    window_days: 90\n" + source, "OS-02 has no window_days in the profile it extends", 9},
		"a window without facts":        {head + "  AC-03:\n    window_days: 1460\n" + source, "the facts that AC-03 rests on are not recorded for 1460 days, only for 730", 9},
		"equal thresholds":              {head + "  AC-02:\n    pass: 1\n" + source, "fail and pass are both 1", 9},
		"nothing":                       {head[:len(head)-1] + " {}\n", "the profile differs in nothing", 7},
		"no indicators":                 {strings.TrimSuffix(head, "indicators:\n"), `"indicators" is missing`, 1},
		"a base that is not there":      {strings.Replace(head, "service", "servise", 1), `no profile "servise" to extend; there are service`, 3},
		"a variant of a variant":        {strings.Replace(head, "extends: service", "extends: library", 1), `profile "library" extends "service" itself`, 3},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := LoadProfileFor([]byte(test.text), "mine.yaml", profilesBuiltIn(t))
			var bad *LoadError
			if !errors.As(err, &bad) {
				t.Fatalf("got %v, want a *LoadError", err)
			}
			i := slices.IndexFunc(bad.Problems, func(p Problem) bool { return strings.Contains(p.Text, test.want) })
			if i < 0 {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if p := bad.Problems[i]; p.Line != test.line || p.File != "mine.yaml" {
				t.Errorf("got %s, want line %d of mine.yaml", p, test.line)
			}
		})
	}
}

func TestAProfileThatExtendsABuiltInOneKeepsTheRest(t *testing.T) {
	text := "schema: pegel/profile/v1\nid: mine\nextends: service\nversion: 1.0.0\nstatus: proposal\ntitle: Mine\nindicators:\n  AC-02:\n    pass: 3\n    source: \"proposal\"\n"
	p, err := LoadProfileFor([]byte(text), "mine.yaml", profilesBuiltIn(t))
	if err != nil {
		t.Fatal(err)
	}
	got, want := p.For("library"), profilesBuiltIn(t).Main()
	if *got.Indicators["AC-02"].Pass != 3 || *want.Indicators["AC-02"].Pass != 7 {
		t.Errorf("AC-02 passes at %d and %d, want 3 and, unchanged, 7", *got.Indicators["AC-02"].Pass, *want.Indicators["AC-02"].Pass)
	}
	rule := want.Indicators["AC-02"]
	three := 3
	rule.Pass, rule.Source = &three, "proposal"
	want.ID, want.Extends, want.Version, want.Title, want.Indicators["AC-02"] = "mine", "service", "1.0.0", "Mine", rule
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the profile (-want +got):\n%s", diff)
	}
}

func TestAllProfilesOfAPolicyExtendTheOneThatJudges(t *testing.T) {
	files, err := builtInProfiles()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LoadProfiles(files, "servce"); err == nil || !strings.Contains(err.Error(), "service") {
		t.Errorf("a main profile that is not there: got %v", err)
	}
	lax := strings.Replace(defaultProfileText(t), "id: service", "id: lax", 1)
	_, err = LoadProfiles(append(files, File{Name: "profiles/lax.yaml", Data: []byte(lax)}), "service")
	if err == nil || !strings.Contains(err.Error(), `profile "lax" does not extend "service"`) {
		t.Errorf("a second whole profile beside the first: got %v", err)
	}
	twice := append(files, File{Name: "profiles/z.yaml", Data: []byte("schema: pegel/profile/v1\nid: library\nextends: service\nversion: 1.0.0\nstatus: proposal\ntitle: T\nindicators:\n  AC-02:\n    pass: 3\n    source: \"proposal\"\n")})
	if _, err := LoadProfiles(twice, "service"); err == nil || !strings.Contains(err.Error(), "profile library is in another file too") {
		t.Errorf("one id twice: got %v", err)
	}
}

func TestTheDigestOfAPolicyCoversItsVariants(t *testing.T) {
	p, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	files := p.Files()
	i := slices.IndexFunc(files, func(f File) bool { return f.Name == "profiles/library.yaml" })
	if i < 0 {
		t.Fatal("the policy carries no library profile")
	}
	text := string(files[i].Data)
	files[i].Data = []byte(strings.Replace(text, "window_days: 730", "window_days: 1095", 1))
	if _, err := FromFiles(files); err == nil {
		t.Error("a variant with a wrong window is accepted as part of a policy")
	}
	files[i].Data = []byte(strings.Replace(text, "window_days: 182", "window_days: 365", 1))
	other, err := FromFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	if other.Digest() == p.Digest() {
		t.Error("another window in a variant leaves the digest as it is")
	}
	if got := p.Profiles().For("library").Indicators["AC-04"].Window; got != 730 {
		t.Errorf("AC-04 of libraries: window of %d days, want 730", got)
	}
	var unchanged audit.Profile = p.Profiles().Main()
	unchanged.Indicators["AC-04"] = audit.IndicatorRule{}
	if p.Profile().Indicators["AC-04"].Title == "" {
		t.Error("a caller can change the policy")
	}
}

func TestAProfileThatAsksOnlySomeQuestionsIsNeverPartOfAPolicy(t *testing.T) {
	known, err := DefaultProfiles()
	if err != nil {
		t.Fatal(err)
	}
	const head = "schema: pegel/profile/v1\nid: few\nextends: service\nversion: 1.0.0\nstatus: proposal\ntitle: Few\nsource: a test\n"
	p, err := LoadProfileFor([]byte(head+"only: [OS-01, AC-01]\n"), "few.yaml", known)
	if err != nil {
		t.Fatal(err)
	}
	few, service := p.Main(), known.Main()
	for id, rule := range few.Indicators {
		asked := id == "OS-01" || id == "AC-01"
		if asked && (rule.Weight != service.Indicators[id].Weight || !rule.KnockOut) || !asked && (rule.Weight != 0 || rule.KnockOut) {
			t.Errorf("%s: weight %d, knock-out %v", id, rule.Weight, rule.KnockOut)
		}
	}
	for level, roles := range few.Gates {
		for role, gates := range roles {
			for aspect := range gates {
				if aspect != "open-source" && aspect != "activity" {
					t.Errorf("%s, %s: a gate of %s, of which nothing is asked", level, role, aspect)
				}
			}
		}
	}
	if service.Indicators["OS-02"].Weight == 0 || len(service.Gates["scs-open"]["platform"]) < 4 {
		t.Error("the profile that it extends has changed")
	}
	files, err := builtInProfiles()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LoadProfiles(append(files, File{Name: "profiles/few.yaml", Data: []byte(head + "only: [OS-01]\n")}), "service"); err == nil || !strings.Contains(err.Error(), "--profile") {
		t.Errorf("as part of a policy: got %v, want an error that says where such a file belongs", err)
	}
	for only, want := range map[string]string{"[OS-99]": "no indicator", "[OS-01, OS-01]": "twice", "OS-01": "list", "[]": "list", "[{a: b}]": "no indicator"} {
		if _, err := LoadProfileFor([]byte(head+"only: "+only+"\n"), "few.yaml", known); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("only: %s: got %v, want an error with %q", only, err, want)
		}
	}
}
