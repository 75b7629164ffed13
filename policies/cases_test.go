package policies

import (
	"bytes"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
)

// caseFile is a file of cases beside the policy: what is known about a subject, and what a requirement answers.
type caseFile struct {
	Schema       string
	Module       string
	Requirements []struct {
		ID string
		// Exceptions says for an outcome why there is no case of it.
		Exceptions map[string]string
		Cases      []policyCase
	}
}

type policyCase struct {
	Name     string
	Given    map[string]any
	Missing  []string // nobody looked
	Failed   []string // looked in vain
	Declared []string
	Intent   bool
	Expect   audit.Outcome
	Names    []string // facts that the finding names as not known
	Reason   string   // after the name of the subject; empty: any
}

const failedReason = "the page did not answer"

func day(t testing.TB, s string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func builtIn(t testing.TB) *Policy {
	t.Helper()
	p, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func caseFiles(t testing.TB) []caseFile {
	t.Helper()
	names, err := fs.Glob(embedded, "data/tests/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases beside the policy: %v", err)
	}
	var out []caseFile
	for _, name := range names {
		data, err := embedded.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		dec := yaml.NewDecoder(bytes.NewReader(data))
		dec.KnownFields(true)
		var f caseFile
		if err := dec.Decode(&f); err != nil {
			t.Fatalf("reading %s: %v", name, err)
		}
		out = append(out, f)
	}
	return out
}

// subject makes the subject of a case. Every field of the record that the case does not give is its zero value.
func (c policyCase) subject(t testing.TB, q Requirement, id string) Subject {
	t.Helper()
	s := Subject{Ref: audit.SubjectRef{Kind: q.ForEach, ID: id, Name: "Sample"}, Intent: c.Intent, Declared: map[string]bool{}}
	s.Record = record(t, q.ForEach, c.Given)
	for _, f := range c.Missing {
		s.Unknown = append(s.Unknown, UnknownField{Field: f, Settle: []string{"look at " + f}})
	}
	for _, f := range c.Failed {
		s.Unknown = append(s.Unknown, UnknownField{Field: f, Looked: true, Reason: failedReason, Settle: []string{"try " + f + " again"}})
	}
	for _, f := range c.Declared {
		s.Declared[f] = true
	}
	return s
}

// record fills the struct of a kind by the names that rules use.
func record(t testing.TB, kind string, given map[string]any) any {
	t.Helper()
	for _, k := range kinds() {
		if kindOf(k) != kind {
			continue
		}
		v := reflect.New(reflect.TypeOf(k)).Elem()
		for name, value := range given {
			schema := schemaOf(kind)
			at := slices.IndexFunc(schema, func(f field) bool { return f.name == name })
			if at < 0 {
				t.Fatalf("%s has no field %q", kind, name)
			}
			setField(t, v.Field(schema[at].index), value)
		}
		return v.Interface()
	}
	t.Fatalf("no kind %q", kind)
	return nil
}

func setField(t testing.TB, f reflect.Value, value any) {
	t.Helper()
	switch v := value.(type) {
	case string:
		f.SetString(v)
	case bool:
		f.SetBool(v)
	case int:
		f.SetInt(int64(v))
	case map[string]any:
		m := map[string]int64{}
		for k, n := range v {
			m[k] = int64(n.(int))
		}
		f.Set(reflect.ValueOf(m))
	case []any:
		if f.Type() == reflect.TypeFor[audit.Interval]() {
			f.Set(reflect.ValueOf(audit.Between(v[0].(int), v[1].(int))))
			return
		}
		var list []string
		for _, s := range v {
			list = append(list, s.(string))
		}
		f.Set(reflect.ValueOf(list))
	default:
		t.Fatalf("a case gives a %T", value)
	}
}

// judge applies one requirement to one subject, in the lowest scope that asks for it.
func judge(t testing.TB, p *Policy, q Requirement, s Subject) audit.Finding {
	t.Helper()
	for _, scope := range p.Scopes() {
		if !slices.Contains(scope.Include, q.ID) {
			continue
		}
		if q.ForEach == KindPrerequisite {
			s.Ref.ID = scope.Requires
		}
		r, err := p.Evaluate(Input{Subjects: []Subject{s}, Scopes: []string{scope.ID}, Profile: p.Profile(), AssessedAt: day(t, "2026-11-24")})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.Findings {
			if f.Requirement == q.ID && (f.ID == q.ID+"/"+s.Ref.ID || f.Count > 0) {
				return f
			}
		}
	}
	t.Fatalf("nothing asks for %s", q.ID)
	return audit.Finding{}
}

func TestEveryRequirementAnswersItsCases(t *testing.T) {
	p := builtIn(t)
	for _, file := range caseFiles(t) {
		for _, block := range file.Requirements {
			q, ok := p.Requirement(block.ID)
			if !ok || q.Module != file.Module {
				t.Errorf("cases for %q of module %q: there is no such requirement", block.ID, file.Module)
				continue
			}
			for _, c := range block.Cases {
				t.Run(block.ID+"/"+c.Name, func(t *testing.T) {
					for _, i := range q.rule.reads {
						name := q.rule.schema[i].name
						if _, given := c.Given[name]; !given && !slices.Contains(c.Missing, name) && !slices.Contains(c.Failed, name) {
							if f := q.rule.schema[i]; f.enum == nil && f.typ != intervalType {
								t.Errorf("the case says nothing about %s, which the rule reads", name)
							}
						}
					}
					f := judge(t, p, q, c.subject(t, q, "sample"))
					if f.Outcome != c.Expect {
						t.Errorf("outcome: want %s, got %s (%s)", c.Expect, f.Outcome, f.Reason)
					}
					if !slices.Equal(f.Missing, c.Names) {
						t.Errorf("missing facts: want %q, got %q", c.Names, f.Missing)
					}
					if want := "Sample: " + c.Reason; c.Reason != "" && f.Reason != want && f.Count == 0 {
						t.Errorf("reason:\nwant %s\ngot  %s", want, f.Reason)
					}
					if f.Outcome != audit.PASS && f.Outcome != audit.NA && (f.Remedy == "" || f.Owner == "") {
						t.Errorf("a finding that is not good says no remedy or owner: %+v", f)
					}
					if len(f.Missing) > 0 && c.Names != nil && len(c.Missing)+len(c.Failed) > 0 && len(f.Settle) == 0 {
						t.Errorf("nothing says what would settle %q", f.Missing)
					}
				})
			}
		}
	}
}

func TestEveryRequirementHasCasesOfEveryOutcome(t *testing.T) {
	seen := map[string]map[audit.Outcome]bool{}
	for _, file := range caseFiles(t) {
		if file.Schema != "pegel/policy-test/v1" {
			t.Errorf("schema of the cases for %s: %q", file.Module, file.Schema)
		}
		for _, block := range file.Requirements {
			seen[block.ID] = map[audit.Outcome]bool{}
			for _, c := range block.Cases {
				seen[block.ID][c.Expect] = true
			}
			for word, why := range block.Exceptions {
				var o audit.Outcome
				if err := o.UnmarshalText([]byte(word)); err != nil || why == "" {
					t.Errorf("%s: exception %q without outcome or reason", block.ID, word)
				}
				seen[block.ID][o] = true
			}
		}
	}
	for _, q := range builtIn(t).Requirements() {
		want := []audit.Outcome{audit.PASS, audit.FAIL, audit.MISS, audit.DNF}
		if q.Applies != "" {
			want = append(want, audit.NA)
		}
		for _, o := range want {
			if !seen[q.ID][o] {
				t.Errorf("requirement %s has no case with outcome %s", q.ID, o)
			}
		}
	}
}

func TestEveryScopeHasAtLeastTenRequirementsWithSourceAndWords(t *testing.T) {
	p := builtIn(t)
	if got, want := strings.Join(p.ScopeIDs(), " "), "scs-open-iaas scs-open-kaas scs-sovereign-iaas scs-sovereign-kaas"; got != want {
		t.Errorf("scopes: want %s, got %s", want, got)
	}
	included := map[string]bool{}
	for _, s := range p.Scopes() {
		musts := 0
		for _, id := range s.Include {
			q, _ := p.Requirement(id)
			musts += one(q.Severity == Must)
			included[id] = true
		}
		if musts < 10 {
			t.Errorf("scope %s demands %d things; at least 10 are wanted", s.ID, musts)
		}
	}
	for _, q := range p.Requirements() {
		if !included[q.ID] {
			t.Errorf("requirement %s belongs to no scope", q.ID)
		}
		for _, text := range []string{q.Title["en"], q.Rationale["en"], q.Remedy["en"], q.SourceText()} {
			if text == "" {
				t.Errorf("requirement %s lacks a text: %+v", q.ID, q)
			}
		}
	}
	if p.Status() != "proposal" {
		t.Errorf("status: want proposal, got %s: SCS has adopted no text for these levels", p.Status())
	}
}

func TestEveryFieldOfASubjectHasAName(t *testing.T) {
	for _, kind := range Kinds() {
		for _, f := range schemaOf(kind) {
			if f.name == "" || f.typ == nil {
				t.Errorf("%s: a field has no name or no type in rules: %+v", kind, f)
			}
			if f.name == "licenceClass" {
				var want []string
				for _, c := range licence.Classes() {
					want = append(want, string(c))
				}
				got := slices.Clone(f.enum)
				slices.Sort(want)
				slices.Sort(got)
				if !slices.Equal(want, got) {
					t.Errorf("%s.licenceClass: want the classes of audit/licence %q, got %q", kind, want, got)
				}
			}
		}
	}
	if got := FieldsOf("nothing"); got != nil {
		t.Errorf("fields of an unknown kind: %q", got)
	}
}
