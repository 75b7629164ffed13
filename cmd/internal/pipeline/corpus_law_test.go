package pipeline

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// known is one known fact of evidence, to be taken away and put back.
type known struct {
	path  string
	take  func(failure string)
	again func()
}

// knownFacts finds every known fact in a value, facts within facts too, by the type audit.Fact.
func knownFacts(v reflect.Value, path string, found *[]known) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			knownFacts(v.Elem(), path, found)
		}
	case reflect.Slice:
		for i := range v.Len() {
			knownFacts(v.Index(i), fmt.Sprintf("%s[%d]", path, i), found)
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			entry := reflect.New(v.Type().Elem()).Elem()
			entry.Set(v.MapIndex(key))
			name := fmt.Sprintf("%s[%q]", path, key)
			if !isFact(entry.Type()) {
				knownFacts(entry, name, found)
				continue
			}
			if !entry.FieldByName("Value").IsNil() {
				*found = append(*found, known{name,
					func(failure string) {
						lost := reflect.New(entry.Type()).Elem()
						lost.FieldByName("Failure").SetString(failure)
						v.SetMapIndex(key, lost)
					}, func() { v.SetMapIndex(key, entry) }})
			}
			knownFacts(entry.FieldByName("Value"), name, found)
		}
	case reflect.Struct:
		if isFact(v.Type()) {
			if v.FieldByName("Value").IsNil() {
				return
			}
			before := reflect.New(v.Type()).Elem()
			before.Set(v)
			*found = append(*found, known{path,
				func(failure string) {
					lost := reflect.New(v.Type()).Elem()
					lost.FieldByName("Failure").SetString(failure)
					v.Set(lost)
				}, func() { v.Set(before) }})
			knownFacts(v.FieldByName("Value"), path, found)
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				knownFacts(v.Field(i), path+"."+v.Type().Field(i).Name, found)
			}
		}
	}
}

func isFact(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && strings.HasPrefix(t.Name(), "Fact[") && t.PkgPath() == "github.com/pegel-audit/pegel/audit"
}

// TestNoFactOfTheCorpusIsMissedForBetter takes every single fact away from every project of the corpus: no answer becomes
// PASS, no interval leaves out what was known with the fact, and no verdict becomes passed.
func TestNoFactOfTheCorpusIsMissedForBetter(t *testing.T) {
	profile, err := policies.DefaultProfile()
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := upstream.Load()
	if err != nil {
		t.Fatal(err)
	}
	all := corpus(t)
	taken := 0
	broken := map[string]int{}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		e := all[id]
		p := catalogueProject(catalogue, id)
		p.Versions = versionsIn(e)
		before := judge(p, e, profile)
		word := scoring.Verdict(before, profile)
		matrix := scoring.Matrix(before, e.Governance, profile)
		var facts []known
		knownFacts(reflect.ValueOf(&e).Elem(), "", &facts)
		for i, f := range facts {
			f.take([]string{"", "it could not be read"}[i%2])
			after := judge(p, e, profile)
			f.again()
			taken++
			for j, m := range after.Measurements {
				b := before.Measurements[j]
				if b.Outcome == audit.NA || m.Outcome == audit.PASS && b.Outcome == audit.PASS {
					continue
				}
				if m.Outcome == audit.PASS || m.Outcome == audit.NA || !b.Interval.Within(m.Interval) {
					if broken[m.Indicator]++; broken[m.Indicator] <= 3 {
						t.Errorf("%s without %s: %s was %v [%v] (%s), is %v [%v] (%s)", id, f.path, m.Indicator, b.Outcome, b.Interval, b.Reason, m.Outcome, m.Interval, m.Reason)
					}
				}
			}
			if now := scoring.Verdict(after, profile); now == scoring.Passed && word != scoring.Passed || now == scoring.Showstopper && word != scoring.Showstopper {
				t.Errorf("%s without %s: the verdict %s became %s", id, f.path, word, now)
			}
			if l := scoring.Matrix(after, e.Governance, profile); !matrix.Probability.Interval.Within(l.Probability.Interval) || !matrix.Effect.Interval.Within(l.Effect.Interval) {
				t.Errorf("%s without %s: the lock-in axes [%v] and [%v] became [%v] and [%v]", id, f.path, matrix.Probability.Interval, matrix.Effect.Interval, l.Probability.Interval, l.Effect.Interval)
			}
		}
	}
	if taken < 10*len(all) {
		t.Errorf("only %d facts were taken away from %d projects", taken, len(all))
	}
	t.Logf("%d facts taken away from %d projects, one at a time; broken: %v", taken, len(all), broken)
}
