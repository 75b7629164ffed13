package policies

import (
	"reflect"
	"slices"
	"time"

	"cel.dev/cel-go/cel"
	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

// What a case says where it only says that somebody looked in vain.
const failedReason = "the page did not answer"

// factSheet is what a case says about the facts of one subject, by field.
type factSheet struct {
	fields map[string]given
	intent bool
}

// given is one fact of a case: a value, or that there is none.
type given struct {
	value    reflect.Value // as the field of the record; not valid: there is none
	looked   bool          // somebody looked in vain; counts only without a value
	declared bool          // only the operator says so
}

// sheetKeys are the keys that a case says facts with.
func sheetKeys() []string { return []string{"given", "missing", "failed", "declared", "intent"} }

// sheet reads the facts of a case about a subject of a kind.
func (r *reader) sheet(m map[string]*yaml.Node, kind string) factSheet {
	out := factSheet{fields: map[string]given{}, intent: r.boolean(m["intent"])}
	record := recordOf(kind)
	names := FieldsOf(kind)
	if m["given"] != nil {
		for name, n := range r.mapping(m["given"], names...) {
			f := schemaOf(kind)[slices.Index(names, name)]
			if v := r.fieldValue(n, record.Field(f.index).Type(), f); v.IsValid() {
				out.fields[name] = given{value: v}
			}
		}
	}
	missing, failed := r.factNames(m["missing"], names), r.factNames(m["failed"], names)
	for _, name := range missing {
		if slices.Contains(failed, name) {
			r.problem(m["failed"], "%q is missing and failed", name)
		}
	}
	for _, list := range []struct {
		key    string
		names  []string
		looked bool
	}{{"missing", missing, false}, {"failed", failed, true}} {
		for _, name := range list.names {
			if out.fields[name].value.IsValid() {
				r.problem(m[list.key], "%q is given as well as not known", name)
			}
			out.fields[name] = given{looked: list.looked}
		}
	}
	for _, name := range r.factNames(m["declared"], names) {
		f := out.fields[name]
		if !f.value.IsValid() {
			r.problem(m["declared"], "%q is declared, and no value is given", name)
		}
		f.declared = true
		out.fields[name] = f
	}
	return out
}

// isBool says whether a field is a yes or no.
func isBool(f field) bool { return f.typ == cel.BoolType }

// factNames reads a list of fields of a subject.
func (r *reader) factNames(n *yaml.Node, known []string) []string {
	out := r.texts(n)
	for i, name := range out {
		if !slices.Contains(known, name) {
			r.problem(n.Content[min(i, len(n.Content)-1)], "no fact %q%s", clean(name), didYouMean(name, known))
		}
	}
	return slices.DeleteFunc(out, func(name string) bool { return !slices.Contains(known, name) })
}

// recordOf is an empty record of a kind that can be set; not valid for an unknown kind.
func recordOf(kind string) reflect.Value {
	for _, k := range kinds() {
		if kindOf(k) == kind {
			return reflect.New(reflect.TypeOf(k)).Elem()
		}
	}
	return reflect.Value{}
}

// fieldValue reads a value of the type of a field; not valid if it is none, with the problem noted.
func (r *reader) fieldValue(n *yaml.Node, t reflect.Type, f field) reflect.Value {
	before := len(r.problems)
	var v any
	switch t {
	case reflect.TypeFor[string]():
		text := r.text(n)
		if f.enum != nil && text != "" && text != "unknown" && !slices.Contains(f.enum, text) {
			r.problem(n, "%s is never %q%s", f.name, clean(text), didYouMean(text, f.enum))
		}
		v = text
	case reflect.TypeFor[bool]():
		v = r.boolean(n)
	case reflect.TypeFor[int64]():
		v = int64(r.integer(n, 0, 1<<31-1))
	case reflect.TypeFor[[]string]():
		v = r.texts(n)
	case reflect.TypeFor[map[string]int64]():
		v = r.shares(n)
	case reflect.TypeFor[audit.Interval]():
		v = r.score(n)
	}
	if v == nil || len(r.problems) > before {
		return reflect.Value{}
	}
	return reflect.ValueOf(v)
}

// shares reads basis points by aspect.
func (r *reader) shares(n *yaml.Node) map[string]int64 {
	out := map[string]int64{}
	for aspect, value := range r.mapping(n, aspects()...) {
		out[aspect] = int64(r.integer(value, 0, audit.Full))
	}
	return out
}

// score reads [low, high] in basis points.
func (r *reader) score(n *yaml.Node) audit.Interval {
	list := r.entries(n)
	if len(list) != 2 {
		r.problem(n, "a score is [low, high] in basis points")
		return audit.Interval{}
	}
	low, high := r.integer(list[0], 0, audit.Full), r.integer(list[1], 0, audit.Full)
	if low > high {
		r.problem(n, "the low end lies above the high end")
		return audit.Interval{}
	}
	return audit.Between(low, high)
}

// subject makes the subject of a sheet. Fields that the sheet does not name are zero values that count as known, or nobody
// looked, as the caller says.
func (s factSheet) subject(ref audit.SubjectRef, restUnknown bool, observed time.Time) Subject {
	out := Subject{Ref: ref, Intent: s.intent, Declared: map[string]bool{}, Observed: observed}
	record := recordOf(ref.Kind)
	for _, f := range schemaOf(ref.Kind) {
		g, said := s.fields[f.name]
		switch {
		case g.value.IsValid():
			record.Field(f.index).Set(g.value)
			if g.declared {
				out.Declared[f.name] = true
			}
		case said && g.looked:
			out.Unknown = append(out.Unknown, UnknownField{Field: f.name, Looked: true, Reason: failedReason, Settle: []string{"try " + f.name + " again"}})
		case said || restUnknown:
			out.Unknown = append(out.Unknown, UnknownField{Field: f.name, Settle: []string{"look at " + f.name}})
		}
	}
	out.Record = record.Interface()
	return out
}
