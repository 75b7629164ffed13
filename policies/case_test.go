package policies

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
)

// small is the built-in policy with cases for one requirement.
func smallCases(t *testing.T, cases string) (*Policy, Cases, []Problem) {
	t.Helper()
	p := builtIn(t)
	c, problems := p.ParseCases([]File{{Name: "tests/licences.yaml", Data: []byte("schema: pegel/policy-test/v1\nmodule: licences\nrequirements:\n- id: product-not-open-core\n" + cases)}})
	return p, c, problems
}

func TestACaseThatIsAnsweredOtherwiseSaysWhereWhatAndWhy(t *testing.T) {
	p, c, problems := smallCases(t, "  cases:\n  - name: wrong\n    given: {openCore: true}\n    expect: PASS\n    because: \"!product.openCore\"\n")
	if problems != nil {
		t.Fatal(problems)
	}
	r, err := p.Test(c)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Failures) != 1 {
		t.Fatalf("want one failure, got %v", r.Failures)
	}
	f := r.Failures[0]
	if want := `"tests/licences.yaml": line 6, column 5: product-not-open-core/wrong: outcome: want PASS, got FAIL (Sample: what is deployed is not the open source edition)`; f.String() != want {
		t.Errorf("want %s\ngot  %s", want, f)
	}
	if !strings.Contains(f.Tree, "product.openCore = true") {
		t.Errorf("the tree does not show the value that decided:\n%s", f.Tree)
	}
}

func TestBecauseHasToNameWhatDecides(t *testing.T) {
	p := builtIn(t)
	file := func(because string) []File {
		return []File{{Name: "tests/inventory.yaml", Data: []byte("schema: pegel/policy-test/v1\nmodule: inventory\nrequirements:\n- id: inventory-complete\n  cases:\n  - name: a host is missing\n    given: {kind: cloud, hostsMissing: 1, servicesMissing: 0, missing: a host}\n    expect: FAIL\n    because: " + because + "\n")}}
	}
	for because, failures := range map[string]int{
		`stack.hostsMissing`:         0,
		`stack.hostsMissing==0`:      0,
		`[stack.hostsMissing == 0]`:  0,
		`stack.servicesMissing`:      1, // it is in the rule, and not what decides
		`stack.servicesMissing == 0`: 1,
		`stack.kind == "cloud"`:      1, // that is why it applies, not why it fails
		`[stack.hostsMissing, "stack.hostsMissing == 0 && stack.servicesMissing == 0"]`: 0,
	} {
		c, problems := p.ParseCases(file(because))
		if problems != nil {
			t.Fatalf("%s: %v", because, problems)
		}
		r, err := p.Test(c)
		if err != nil || len(r.Failures) != failures {
			t.Errorf("because %s: want %d failures, got %v, %v", because, failures, r.Failures, err)
		}
	}
	if _, problems := p.ParseCases(file("stack.artifacts")); len(problems) != 1 || !strings.Contains(problems[0].Text, "no part of the rule") {
		t.Errorf("a because that is no part of the rule: %v", problems)
	}
}

func TestCoverageNamesWhatNoCaseShows(t *testing.T) {
	p, c, _ := smallCases(t, "  cases:\n  - {name: fine, given: {openCore: false}, expect: PASS}\n")
	r, err := p.Test(c)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range r.Uncovered {
		if u.Requirement == "product-not-open-core" {
			got = append(got, u.Text+" "+strings.Join(u.Never, ","))
		}
	}
	if want := []string{"!product.openCore false", "product.openCore true"}; !slices.Equal(got, want) {
		t.Errorf("want %q, got %q", want, got)
	}
}

func TestASwitchTurnedInACaseChangesOnlyThatCase(t *testing.T) {
	p := builtIn(t)
	text := "schema: pegel/policy-test/v1\nmodule: prerequisite\nrequirements:\n- id: prerequisite-held\n  cases:\n" +
		"  - {name: as it stands, given: {held: false, testsPass: true}, expect: FAIL}\n" +
		"  - {name: turned, switches: {technicallyMetSuffices: true}, given: {held: false, testsPass: true}, expect: PASS}\n"
	c, problems := p.ParseCases([]File{{Name: "tests/prerequisite.yaml", Data: []byte(text)}})
	if problems != nil {
		t.Fatal(problems)
	}
	if r, err := p.Test(c); err != nil || len(r.Failures) > 0 {
		t.Errorf("%v %v", r.Failures, err)
	}
	if _, err := p.Turned(map[string]bool{"nothing": true}); err == nil {
		t.Error("a switch that does not exist was turned")
	}
}

func TestCasesAreReadStrictly(t *testing.T) {
	for name, c := range map[string]struct{ cases, want string }{
		"unknown fact":         {"  cases:\n  - {name: x, given: {openCor: true}, expect: FAIL}\n", `unknown key "openCor"; did you mean "openCore"?`},
		"wrong type":           {"  cases:\n  - {name: x, given: {openCore: maybe}, expect: FAIL}\n", "true or false is needed here"},
		"unknown outcome":      {"  cases:\n  - {name: x, given: {openCore: true}, expect: FAILED}\n", `expect "FAILED" is not one of PASS, FAIL`},
		"fact not said":        {"  cases:\n  - {name: x, given: {edition: x}, expect: FAIL}\n", "the case says nothing about openCore"},
		"given and missing":    {"  cases:\n  - {name: x, given: {openCore: true}, missing: [openCore], expect: FAIL}\n", "given as well as not known"},
		"declared, not given":  {"  cases:\n  - {name: x, missing: [openCore], declared: [openCore], expect: FAIL}\n", "declared, and no value is given"},
		"unknown switch":       {"  cases:\n  - {name: x, switches: {y: true}, given: {openCore: true}, expect: FAIL}\n", `unknown key "y"`},
		"exception, no reason": {"  exceptions: {FAIL: \"\"}\n  cases: []\n", "an exception says why"},
		"unknown key":          {"  case: []\n", `unknown key "case"; did you mean "cases"?`},
	} {
		_, _, problems := smallCases(t, c.cases)
		if !slices.ContainsFunc(problems, func(p Problem) bool { return strings.Contains(p.Text, c.want) && p.Line > 0 }) {
			t.Errorf("%s: want %q with its line, got %v", name, c.want, problems)
		}
	}
}

func TestAStackWithAnotherVerdictSaysWhichFindingDecides(t *testing.T) {
	p := builtIn(t)
	files, err := DefaultCases()
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(f File) bool { return !inBases(f) })
	files = append(files, File{Name: "tests/stacks/mine.yaml", Data: []byte("schema: pegel/policy-test/v1\nstack: mine\nabout: wrong\non: all-good\nsubjects:\n- {kind: product, id: keystone@26.0.1, missing: [licenceClass]}\nexpect:\n- {scope: scs-open-iaas, outcome: eligible}\n- {scope: scs-open-kaas, outcome: eligible}\n")})
	c, problems := p.ParseCases(files)
	if problems != nil {
		t.Fatal(problems)
	}
	r, err := p.Test(c)
	if err != nil || len(r.Failures) != 1 {
		t.Fatalf("want one failure, got %v, %v", r.Failures, err)
	}
	f := r.Failures[0]
	if !strings.Contains(f.Got, "undetermined because of product-licence-osi/keystone@26.0.1 (MISS") || f.Place.Line != 8 || !strings.Contains(f.Tree, "product.licenceClass = not known") {
		t.Errorf("%s\n%s", f, f.Tree)
	}
}

func TestTheBuiltInPolicyLintsClean(t *testing.T) {
	data, err := fs.Sub(embedded, "data")
	if err != nil {
		t.Fatal(err)
	}
	problems := Inspect(data)
	for _, p := range problems[:min(len(problems), 20)] {
		t.Error(p)
	}
	if len(problems) > 20 {
		t.Errorf("and %d more", len(problems)-20)
	}
}

func TestInspectFindsWhatKeepsReadersFromUnderstanding(t *testing.T) {
	files := tiny(t)
	all := strings.NewReplacer("{en: Tiny}", "{en: Tiny, de: Winzig, fr: Petit}", "switches:", "switches:")
	files["policy.yaml"] = all.Replace(files["policy.yaml"]) + "switches:\n  unused: {on: true, title: {en: a, de: b, fr: c}, sources: [proposal/open]}\n"
	files["modules/lonely.yaml"] = strings.NewReplacer("id: licences", "id: lonely", "id: osi", "id: alone").Replace(files["modules/licences.yaml"])
	problems := Inspect(asFS(files))
	for _, want := range []string{
		`the text "OSI" lacks de, fr`, `no rule reads switch.unused`, `requirement "alone" is in no scope`, `requirement "osi" has no case with outcome FAIL`,
	} {
		if !slices.ContainsFunc(problems, func(p Problem) bool { return strings.Contains(p.Text, want) && p.Line > 0 }) {
			t.Errorf("want %q with its line, got %v", want, problems)
		}
	}
	if slices.ContainsFunc(problems, func(p Problem) bool { return strings.Contains(p.Text, `"Tiny"`) }) {
		t.Error("a text in all languages is found")
	}
}

func TestDigestsNameWhatDecides(t *testing.T) {
	p := builtIn(t)
	turned, err := p.Turned(map[string]bool{p.Switches()[0].Name: !p.Switches()[0].On})
	if err != nil {
		t.Fatal(err)
	}
	id := p.ScopeIDs()[0]
	if p.ScopeDigest(id) == "" || p.ScopeDigest(id) == turned.ScopeDigest(id) || p.ScopeDigest("nothing") != "" {
		t.Errorf("digest of scope %s: %s, with a switch turned %s", id, p.ScopeDigest(id), turned.ScopeDigest(id))
	}
	if p.Requirements()[0].Digest() == p.Requirements()[1].Digest() {
		t.Error("two requirements have one digest")
	}
	if digestOf(p.Files()) != p.Digest() {
		t.Error("the digest of the policy is not that of its list of files")
	}
}

// Whatever a file of cases holds, reading it either names problems with the file or gives cases that can be tried, always with
// the same answer.
func FuzzCases(f *testing.F) {
	p, err := Default()
	if err != nil {
		f.Fatal(err)
	}
	files, err := DefaultCases()
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		f.Add(string(file.Data))
	}
	f.Add("schema: pegel/policy-test/v1\nstack: x\nabout: y\nsubjects: [{kind: stack, id: stack}]\nexpect: [{scope: scs-open-iaas, outcome: undetermined}]\n")
	f.Fuzz(func(t *testing.T, text string) {
		cases := []File{{Name: "tests/x.yaml", Data: []byte(text)}}
		c, problems := p.ParseCases(cases)
		for _, problem := range problems {
			if problem.File != "tests/x.yaml" || problem.Text == "" {
				t.Errorf("a problem without its place: %+v", problem)
			}
		}
		if len(problems) > 0 || len(c.rules)+len(c.stacks) > 50 {
			return
		}
		one, err1 := p.Test(c)
		again, err2 := p.Test(c)
		if (err1 == nil) != (err2 == nil) || len(one.Failures) != len(again.Failures) || len(one.Uncovered) != len(again.Uncovered) {
			t.Errorf("two runs differ: %v %v", err1, err2)
		}
	})
}
