package policies

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/pegel-audit/pegel/audit"
)

const tinyManifest = `schema: pegel/policy/v1
id: tiny
version: "1"
status: proposal
title: {en: Tiny}
profile: service
cost_budget: 100000
`

const tinyModule = `schema: pegel/policy/v1
id: licences
title: {en: Licences}
requirements:
- id: osi
  severity: must
  for_each: product
  title: {en: OSI}
  rationale: {en: because}
  remedy: {en: change}
  owner: operator
  sources: [proposal/open]
  pass: product.licenceClass == "osi"
  because: {fail: "licence {product.licence}"}
  evidence: [product.licenceClass]
  lifetime: files
`

const tinyClauses = `schema: pegel/policy/v1
id: proposal
title: Proposal
status: proposal
clauses:
- {id: open, says: {en: It is open.}}
`

const tinyScope = `schema: pegel/policy/v1
id: open
title: Open
level: open
number: 3
layer: iaas
gates: scs-open
select: [{tiers: [functional]}]
include: [licences]
`

// tiny is a small policy that loads, with the built-in profile.
func tiny(t testing.TB) map[string]string {
	t.Helper()
	profile, err := profileFiles.ReadFile("data/" + defaultProfile)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"policy.yaml": tinyManifest, "modules/licences.yaml": tinyModule, "clauses/proposal.yaml": tinyClauses, "scopes/open.yaml": tinyScope, "profiles/service.yaml": string(profile),
	}
}

func asFS(files map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, text := range files {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

func TestALoadErrorNamesFileLineAndColumnAndWhatWouldBeRight(t *testing.T) {
	swap := func(file, old, text string) func(map[string]string) {
		return func(files map[string]string) {
			if !strings.Contains(files[file], old) {
				panic("the tiny policy has no " + old)
			}
			files[file] = strings.Replace(files[file], old, text, 1)
		}
	}
	const module, scope = "modules/licences.yaml", "scopes/open.yaml"
	pass := func(rule string) func(map[string]string) {
		return swap(module, `product.licenceClass == "osi"`, rule)
	}
	project := func(rule string) func(map[string]string) {
		return func(files map[string]string) {
			swap(module, "for_each: product", "for_each: project")(files)
			swap(module, `  because: {fail: "licence {product.licence}"}`+"\n", "")(files)
			pass(rule)(files)
		}
	}
	tests := []struct {
		name   string
		change func(map[string]string)
		want   string
	}{
		{"an unknown field", pass(`product.licenseClass == "osi"`), `"modules/licences.yaml": line 13, column 16: product has no field "licenseClass"; did you mean "licenceClass"?`},
		{"the column counts from the start of the line, within quotes too", pass(`'!product.openCoro'`), `line 13, column 18: product has no field "openCoro"; did you mean "openCore"?`},
		{"another kind of subject", pass(`artifact.pinned`), `line 13, column 9: a rule for each product cannot read "artifact"; it reads product.<field>`},
		{"a value that the field never has", pass(`product.licenceClass == "ossi"`), `line 13, column 33: product.licenceClass is never "ossi"; it is one of osi, free-not-osi, docs-data, restricted; did you mean "osi"?`},
		{"a value that the field never has, in a list", pass(`product.licenceClass in ["osi", "free"]`), `product.licenceClass is never "free"`},
		{"unknown is no value", pass(`product.licenceClass != "unknown"`), `product.licenceClass is never "unknown"`},
		{"a value on the left", pass(`'"ossi" == product.licenceClass'`), `product.licenceClass is never "ossi"`},
		{"wrong types", pass(`product.licenceClass > 3`), `line 13, column 30: found no matching overload for '_>_' applied to '(string, int)'`},
		{"no bool", pass(`product.licenceClass`), `line 13, column 9: the rule gives string; a rule gives true or false`},
		{"a syntax error", pass(`product.licenceClass ==`), `line 13, column 32: Syntax error`},
		{"a rule without facts", pass(`1 == 1`), `line 13, column 9: the rule reads no fact of the product`},
		{"has is no test for a fact", pass(`has(product.licence)`), `has() is no test for a fact`},
		{"a rule on two lines", pass("|\n    product.openCore\n    && true"), `line 13, column 9: a rule stands on one line`},
		{"a rule that costs too much", project(`project.knockOuts.all(a, project.knockOuts.all(b, project.knockOuts.all(c, a + b + c != "x")))`), `the budget is 100000`},
		{"a rule of a megabyte", pass(`product.openCore || ` + strings.Repeat("!", 1_000_000) + "true"), `line 13, column 9: the rule has 1000024 bytes; at most 1000 are read`},
		{"a file of more than a megabyte", swap(module, "lifetime: files", "lifetime: files #"+strings.Repeat("x", 1<<20)), `"modules/licences.yaml": the file has`},
		{"a long rule", pass("product.openCore" + strings.Repeat(" || product.openCore", 60)), `the rule has 1216 bytes; at most 1000 are read`},
		{"a deep rule", pass("'" + strings.Repeat("(", 200) + "product.openCore" + strings.Repeat(")", 200) + "'"), `line 13, column`},
		{"the ends of a score", project(`project.openSource.low >= 6000`), `line 13, column 27: type 'Interval' does not support field selection`},
		{"scores compared with each other", project(`project.openSource == project.security`), `line 13, column 28: scores are compared by atLeast, atMost and meets only`},
		{"a score compared with a number", project(`project.openSource >= 6000`), `found no matching overload`},
		{"a gate of no aspect", project(`project.openSource.atLeast(gate["open-sauce"].low)`), `line 13, column 41: "open-sauce" is no aspect; the aspects are open-source,`},
		{"a gate without aspect", project(`project.openSource.atLeast(gate.low)`), `a gate is read as gate["<aspect>"]`},
		{"a part that a gate does not have", project(`project.openSource.atLeast(gate["open-source"].high)`), `a gate has low and coverage, no "high"`},
		{"a score that meets the gate of another", project(`project.openSource.meets(gate["security"], project.coverage["open-source"])`), `a score meets its own gate with its own coverage`},
		{"coverage of no aspect", project(`project.coverage["sekurity"] > 5`), `"sekurity" is no aspect`},
		{"an unknown key", swap(module, "  lifetime: files", "  lifetme: files"), `line 16, column 3: unknown key "lifetme"; did you mean "lifetime"?`},
		{"a key that stands twice", swap(module, "  severity: must", "  severity: must\n  severity: must"), `line 7, column 3: key "severity" stands here twice`},
		{"an unknown kind", swap(module, "for_each: product", "for_each: produkt"), `for_each "produkt" is not one of stack, artifact, product, package, project, operator, prerequisite; did you mean "product"?`},
		{"an unknown severity", swap(module, "severity: must", "severity: may"), `severity "may" is not one of must, should`},
		{"an unknown owner", swap(module, "owner: operator", "owner: nobody"), `owner "nobody" is not one of operator, upstream, distribution, assessor`},
		{"a missing title", swap(module, "  title: {en: OSI}\n", ""), `line 5, column 3: "title" is missing`},
		{"a title without English", swap(module, "title: {en: OSI}", "title: {de: OSI}"), `title has no English text`},
		{"an unknown language", swap(module, "title: {en: OSI}", "title: {en: OSI, xx: OSI}"), `unknown key "xx"`},
		{"a missing source", swap(module, "  sources: [proposal/open]\n", ""), `"sources" is missing`},
		{"a clause that says nothing", swap("clauses/proposal.yaml", "says: {en: It is open.}", "at: first"), `"says" is missing`},
		{"an address that is none", swap("clauses/proposal.yaml", "status: proposal", "status: proposal\nurl: file:///etc/passwd"), `an address starts with https://`},
		{"a missing rule", swap(module, `  pass: product.licenceClass == "osi"`+"\n", ""), `"pass" is missing`},
		{"an unknown fact as evidence", swap(module, "[product.licenceClass]", "[product.licenceClass, product.licens]"), `line 15, column 36: no fact "product.licens"; facts of each product are product.<field>; did you mean "licence"?`},
		{"a fact that the rule reads is not shown", swap(module, "[product.licenceClass]", "[product.version]"), `evidence of "osi" does not list product.licenceClass, which the rule reads`},
		{"an unknown field in a sentence", swap(module, "{product.licence}", "{product.lisence}"), `line 14, column 19: {product.lisence}: a sentence about each product names {product.<field>} or {gate.<aspect>}; did you mean "licence"?`},
		{"a brace that stays open", swap(module, "{product.licence}", "{product.licence"), `an opening brace has no closing one`},
		{"an unknown lifetime", swap(module, "lifetime: files", "lifetime: file"), `line 16, column 13: no lifetime "file" in profile "service"; there are activity`},
		{"a day that is none", swap(module, "lifetime: files", "lifetime: files\n  effective_on: soon"), `a day such as 2027-01-01 is needed here`},
		{"an id with capitals", swap(module, "- id: osi", "- id: OSI"), `id "OSI" is not made of lower-case letters`},
		{"an id that exists", func(files map[string]string) {
			files["modules/more.yaml"] = strings.Replace(tinyModule, "id: licences", "id: more", 1)
		}, `"modules/more.yaml": line 5, column 3: requirement "osi" exists already`},
		{"a module that exists", func(files map[string]string) {
			files["modules/more.yaml"] = strings.Replace(tinyModule, "id: osi", "id: other", 1)
		}, `module "licences" is in another file too`},
		{"an unknown schema", swap(module, "pegel/policy/v1", "pegel/policy/v2"), `line 1, column 9: schema "pegel/policy/v2" is not one of pegel/policy/v1`},
		{"an include that leads nowhere", swap(scope, "include: [licences]", "include: [licenses]"), `"scopes/open.yaml": line 9, column 11: no module "licenses"; did you mean "licences"?`},
		{"a requirement that the module does not have", swap(scope, "[licences]", "[{module: licences, requirements: [ossi]}]"), `module "licences" has no requirement "ossi"; did you mean "osi"?`},
		{"a requirement that is included twice", swap(scope, "[licences]", "[licences, licences]"), `requirement "osi" is included twice`},
		{"an unknown tier", swap(scope, "tiers: [functional]", "tiers: [functionl]"), `no tier "functionl"; tiers are functional, iam, ops, base; did you mean "functional"?`},
		{"a kind without place", swap(scope, "tiers: [functional]", "kinds: [operator]"), `no kind "operator" with a place in the stack`},
		{"gates that the profile does not have", swap(scope, "gates: scs-open", "gates: scs-opn"), `profile "service" has no gates for "scs-opn"; did you mean "scs-open"?`},
		{"a scope that requires itself", swap(scope, "gates: scs-open", "gates: scs-open\nrequires: open"), `scope "open" is no lower level of layer "iaas"`},
		{"a number that is none", swap(scope, "number: 3", "number: three"), `a whole number from 1 to 9 is needed here`},
		{"a profile that is not there", swap("policy.yaml", "profile: service", "profile: other"), `"policy.yaml": line 6, column 10: no profile "other" in profiles/`},
		{"a profile with an error", swap("profiles/service.yaml", "id: service", "idd: service"), `"profiles/service.yaml": line`},
		{"a policy without budget", swap("policy.yaml", "cost_budget: 100000\n", ""), `"cost_budget" is missing`},
		{"no YAML", swap("policy.yaml", "id: tiny", "id: [tiny"), `"policy.yaml": line 1: no valid YAML`},
		{"two documents", swap("policy.yaml", "id: tiny", "id: tiny\n---\nid: tiny"), `exactly one YAML document`},
		{"an anchor", swap("policy.yaml", "id: tiny", "id: &a tiny"), `line 2, column 5: anchors, aliases`},
		{"a tag", swap("policy.yaml", "id: tiny", "id: !!str tiny"), `line 2, column 5: anchors, aliases`},
		{"a list for a mapping", swap("policy.yaml", "title: {en: Tiny}", "title: [Tiny]"), `line 5, column 8: a mapping with the keys en, de, fr is needed here`},
		{"no UTF-8", swap("policy.yaml", "Tiny", "\xff"), `"policy.yaml": the file is not UTF-8`},
		{"an empty file", func(files map[string]string) { files["policy.yaml"] = "" }, `"policy.yaml": no valid YAML: the file is empty`},
		{"no manifest", func(files map[string]string) { delete(files, "policy.yaml") }, `"policy.yaml": no such file`},
		{"no scope", func(files map[string]string) { delete(files, scope) }, `a policy has one to 64 scopes`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := tiny(t)
			tt.change(files)
			p, err := Load(asFS(files))
			var bad *LoadError
			if !errors.As(err, &bad) || p != nil {
				t.Fatalf("want a *LoadError and no policy, got %v", err)
			}
			if text := bad.Error(); !strings.Contains(text, tt.want) || !strings.HasPrefix(text, "reading policy ") {
				t.Errorf("want\n%s\ngot\n%s", tt.want, text)
			}
			problems := Lint(asFS(files))
			if fmt.Sprint(problems) != fmt.Sprint(bad.Problems) {
				t.Errorf("Lint says something else than Load:\n%v\n%v", problems, bad.Problems)
			}
			for _, p := range problems {
				if strings.ContainsAny(p.String(), "\n\r") {
					t.Errorf("a problem takes more than one line: %q", p)
				}
			}
		})
	}
}

func TestAPolicyThatIsGoodHasNoProblems(t *testing.T) {
	if problems := Lint(asFS(tiny(t))); problems != nil {
		t.Errorf("want none, got %v", problems)
	}
	data, err := fs.Sub(embedded, "data")
	if err != nil {
		t.Fatal(err)
	}
	if problems := Lint(data); problems != nil {
		t.Errorf("the built-in policy: want none, got %v", problems)
	}
}

func TestAPolicyIsTheSameFromADirectoryAndFromItsFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range tiny(t) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := Load(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	files := want.Files()
	slices.Reverse(files)
	got, err := FromFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	if got.Digest() != want.Digest() || got.ID() != "tiny" || !slices.Equal(got.ScopeIDs(), want.ScopeIDs()) {
		t.Errorf("want %s %s, got %s %s", want.ID(), want.Digest(), got.ID(), got.Digest())
	}
	// Notes and tests beside the policy are no part of it.
	if err := os.WriteFile(filepath.Join(dir, "README.md"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	again, err := Load(os.DirFS(dir))
	if err != nil || again.Digest() != want.Digest() {
		t.Errorf("a README changed the digest: %v", err)
	}
}

func TestTheDigestChangesWithEveryByteOfAFile(t *testing.T) {
	p := builtIn(t)
	want := p.Digest()
	if len(want.Hex()) != 64 || want != digestOf(p.Files()) {
		t.Fatalf("digest %q", want)
	}
	seen := map[audit.Digest]bool{want: true}
	for i := range p.Files() {
		files := p.Files()
		files[i].Data = append(files[i].Data, "\n# one more line\n"...)
		changed := digestOf(files)
		if seen[changed] {
			t.Errorf("another %s has the same digest", files[i].Name)
		}
		seen[changed] = true
	}
	files := p.Files()
	files[0].Data = append(files[0].Data, "\n# one more line\n"...)
	if other, err := FromFiles(files); err != nil || !seen[other.Digest()] || other.Digest() == want {
		t.Errorf("a policy with another byte: %v", err)
	}
}

func TestFilesFromABundleAreCheckedByName(t *testing.T) {
	for name, want := range map[string]string{
		"../evil.yaml": "no file of a policy", "modules/a/b.yaml": "no file of a policy", "notes.txt": "no file of a policy",
		"policy.yaml": "stands in the list twice", "modules/../policy.yaml": "no file of a policy",
	} {
		files := append(builtIn(t).Files(), File{Name: name, Data: []byte(tinyManifest)})
		if _, err := FromFiles(files); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want an error with %q, got %v", name, want, err)
		}
	}
}

func TestWhatIsNoRegularFileIsRefused(t *testing.T) {
	files := asFS(tiny(t))
	files["modules/pipe.yaml"] = &fstest.MapFile{Mode: fs.ModeNamedPipe}
	if _, err := Load(files); err == nil || !strings.Contains(err.Error(), `"modules/pipe.yaml" is no regular file`) {
		t.Errorf("want an error that names the pipe, got %v", err)
	}
}

func TestARuleErrorIsDNF(t *testing.T) {
	files := tiny(t)
	files["modules/licences.yaml"] = strings.NewReplacer(
		`product.licenceClass == "osi"`, `product.version.split(".")[7] == "x"`, "[product.licenceClass]", "[product.version]").Replace(tinyModule)
	if _, err := Load(asFS(files)); err == nil {
		t.Fatal("split is no function of rules")
	}
	files["modules/licences.yaml"] = strings.NewReplacer(
		`product.licenceClass == "osi"`, `int(product.version) == 7`, "[product.licenceClass]", "[product.version]").Replace(tinyModule)
	p, err := Load(asFS(files))
	if err != nil {
		t.Fatal(err)
	}
	for version, want := range map[string]audit.Outcome{"7": audit.PASS, "8": audit.FAIL, "seven": audit.DNF} {
		q, _ := p.Requirement("osi")
		f := judge(t, p, q, Subject{Ref: audit.SubjectRef{Kind: KindProduct, ID: "x", Name: "X"}, Record: Product{Version: version}})
		if f.Outcome != want || want == audit.DNF && !strings.Contains(f.Reason, "rule error") {
			t.Errorf("version %s: want %s, got %s: %s", version, want, f.Outcome, f.Reason)
		}
	}
}

// FuzzFromFiles holds that whatever strangers write is either refused with places, or a policy that survives a round trip
// and whose answers without facts hold whatever the facts are.
func FuzzFromFiles(f *testing.F) {
	f.Add([]byte(tinyManifest), []byte(tinyModule), []byte(tinyScope))
	f.Add([]byte(tinyManifest), bytes.ReplaceAll([]byte(tinyModule), []byte("product.licenceClass == "), []byte("!product.openCore || ")), []byte(tinyScope))
	f.Add([]byte("a: &a [*a]"), []byte("{{{{{{{{{{{{{{{{"), []byte("? - ? - ?"))
	f.Add([]byte(tinyManifest), []byte("- 1\n---\n"), []byte("include: {module: []}"))
	f.Add([]byte("schema: [x]\ncost_budget: 0x99999999999999999999"), []byte("requirements: [{id: 1, pass: 1, because: {x: '{'}}]"), []byte("select: [1, {tiers: 7}]"))
	data, err := fs.Sub(embedded, "data")
	if err != nil {
		f.Fatal(err)
	}
	profile, err := fs.ReadFile(data, defaultProfile)
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range []string{"modules/four-opens.yaml", "modules/transparency.yaml"} {
		text, err := fs.ReadFile(data, name)
		if err != nil {
			f.Fatal(err)
		}
		text = regexp.MustCompile(`sources: \[.*\]`).ReplaceAll(text, []byte("sources: [proposal/open]"))
		f.Add([]byte(tinyManifest), text, []byte(tinyScope))
	}
	f.Fuzz(func(t *testing.T, manifest, module, scope []byte) {
		p, err := FromFiles([]File{{"policy.yaml", manifest}, {"modules/m.yaml", module}, {"scopes/s.yaml", scope}, {"clauses/proposal.yaml", []byte(tinyClauses)}, {defaultProfile, profile}})
		if err != nil {
			var bad *LoadError
			if !errors.As(err, &bad) || len(bad.Problems) == 0 {
				t.Fatalf("no problem with a place: %v", err)
			}
			for _, problem := range bad.Problems {
				if problem.File == "" || problem.Line < 0 || problem.Text == "" || strings.ContainsAny(problem.Text, "\n\r") {
					t.Fatalf("a problem without place or text: %+v", problem)
				}
			}
			return
		}
		again, err := FromFiles(p.Files())
		if err != nil || again.Digest() != p.Digest() {
			t.Fatalf("the files of a good policy give another one: %v", err)
		}
		knowing := full()
		for _, q := range p.Requirements() {
			schema := schemaOf(q.ForEach)
			nothing := allUnknown(q.ForEach, "x", false)
			little, err := facts(&nothing, schema)
			if err != nil {
				t.Fatal(err)
			}
			at := slices.IndexFunc(knowing, func(s Subject) bool { return s.Ref.Kind == q.ForEach })
			much, err := facts(&knowing[at], schema)
			if err != nil {
				t.Fatal(err)
			}
			gates := p.Profile().Gates["scs-open"][rolePlatform]
			before, _ := q.rule.decide(little, gates)
			after, _ := q.rule.decide(much, gates)
			if before.outcome != audit.MISS && before.outcome != audit.DNF && before.outcome != after.outcome {
				t.Fatalf("%s is %s without a fact and %s with all of them", q.ID, before.outcome, after.outcome)
			}
		}
	})
}
