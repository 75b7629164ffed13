package policies

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"

	"github.com/pegel-audit/pegel/audit"
)

// Bounds of the values that rules may read. A longer value is not judged: it counts as not known. The cost of a rule is
// estimated with these bounds.
const (
	mostText  = 4096 // bytes of a string
	mostItems = 200  // elements of a list or a map
)

// field is one field of a subject kind that rules may read.
type field struct {
	name  string   // in rules, without the variable
	index int      // in the struct
	enum  []string // all values; nil: not enumerated
	typ   *cel.Type
}

// kindOf names the kind that a record belongs to; "" for any other type.
func kindOf(record any) string {
	switch record.(type) {
	case Stack:
		return KindStack
	case Artifact:
		return KindArtifact
	case Product:
		return KindProduct
	case Package:
		return KindPackage
	case Project:
		return KindProject
	case Operator:
		return KindOperator
	case Prerequisite:
		return KindPrerequisite
	}
	return ""
}

// kinds lists all subject kinds with an empty record of each, in the order of this table everywhere.
func kinds() []any {
	return []any{Stack{}, Artifact{}, Product{}, Package{}, Project{}, Operator{}, Prerequisite{}}
}

// Kinds lists the names of all subject kinds.
func Kinds() []string {
	var out []string
	for _, k := range kinds() {
		out = append(out, kindOf(k))
	}
	return out
}

// variable is the name of a subject in rules, sentences and fact paths: its kind, but "pkg" for a package, because CEL
// reserves the word "package".
func variable(kind string) string {
	if kind == KindPackage {
		return "pkg"
	}
	return kind
}

// FieldsOf lists the fields of a subject kind that rules may read, in the order of the struct; nil for an unknown kind.
func FieldsOf(kind string) []string {
	var out []string
	for _, f := range schemaOf(kind) {
		out = append(out, f.name)
	}
	return out
}

// schemaOf reads the fields of a kind from the tags of its struct.
func schemaOf(kind string) []field {
	for _, k := range kinds() {
		if kindOf(k) != kind {
			continue
		}
		t := reflect.TypeOf(k)
		fields := make([]field, 0, t.NumField())
		for i := range t.NumField() {
			f := field{name: t.Field(i).Tag.Get("cel"), index: i, typ: celType(t.Field(i).Type)}
			if enum := t.Field(i).Tag.Get("enum"); enum != "" {
				f.enum = strings.Split(enum, ",")
			}
			fields = append(fields, f)
		}
		return fields
	}
	return nil
}

// celType maps the few Go types of subject fields. A test holds that every field has one.
func celType(t reflect.Type) *cel.Type {
	switch t {
	case reflect.TypeFor[string]():
		return cel.StringType
	case reflect.TypeFor[bool]():
		return cel.BoolType
	case reflect.TypeFor[int64]():
		return cel.IntType
	case reflect.TypeFor[[]string]():
		return cel.ListType(cel.StringType)
	case reflect.TypeFor[map[string]int64]():
		return cel.MapType(cel.StringType, cel.IntType)
	case reflect.TypeFor[audit.Interval]():
		return intervalType
	}
	return nil
}

// fact is one field of one subject: a value, or the reason why there is none.
type fact struct {
	value   any           // Go value of the field
	unknown *UnknownField // nil: known
}

// facts opens a subject for rules: one fact for each field of its kind, in the order of the schema.
func facts(s *Subject, schema []field) ([]fact, error) {
	kind := kindOf(s.Record)
	if kind == "" || kind != s.Ref.Kind {
		return nil, fmt.Errorf("subject %q: kind %q does not fit a record of type %T", s.Ref.ID, s.Ref.Kind, s.Record)
	}
	record := reflect.ValueOf(s.Record)
	out := make([]fact, len(schema))
	for i, f := range schema {
		out[i].value = record.Field(f.index).Interface()
		out[i].unknown = unreadable(f, out[i].value)
	}
	for i := range s.Unknown {
		u := &s.Unknown[i]
		at := slices.IndexFunc(schema, func(f field) bool { return f.name == u.Field })
		if at < 0 {
			return nil, fmt.Errorf("subject %q: %s has no field %q; its fields are %s", s.Ref.ID, kind, u.Field, strings.Join(FieldsOf(kind), ", "))
		}
		out[at].unknown = u
	}
	return out, nil
}

// unreadable says why a value cannot be judged although it is given; nil if it can.
func unreadable(f field, value any) *UnknownField {
	switch v := value.(type) {
	case string:
		if f.enum != nil && (v == "" || v == "unknown" || !slices.Contains(f.enum, v)) {
			return &UnknownField{Field: f.name, Looked: v != "", Reason: enumReason(v)}
		}
		if len(v) > mostText {
			return tooLong(f.name, len(v), mostText, "bytes")
		}
	case []string:
		if len(v) > mostItems {
			return tooLong(f.name, len(v), mostItems, "entries")
		}
	case map[string]int64:
		if len(v) > mostItems {
			return tooLong(f.name, len(v), mostItems, "entries")
		}
	case audit.Interval:
		if !v.Known() {
			return &UnknownField{Field: f.name, Reason: "nothing was measured"}
		}
	}
	return nil
}

func enumReason(v string) string {
	switch v {
	case "":
		return "nobody looked"
	case "unknown":
		return "it could not be recognised"
	}
	return fmt.Sprintf("the value %q is not one that Pegel knows", clean(v))
}

func tooLong(name string, got, most int, unit string) *UnknownField {
	return &UnknownField{Field: name, Looked: true, Reason: fmt.Sprintf("the value has %d %s; at most %d are judged", got, unit, most)}
}

// celValue gives a field's value to the engine. Scores carry their name, so that an answer "unknown" can name them.
func celValue(path string, value any) any {
	if v, ok := value.(audit.Interval); ok {
		return interval{Interval: v, path: path}
	}
	return value
}

// BoolOf returns a yes-or-no field of a record by the name that rules use; ok is false if the record has no such field.
func BoolOf(record any, name string) (value, ok bool) {
	v := reflect.ValueOf(record)
	if v.Kind() != reflect.Struct {
		return false, false
	}
	for i := range v.NumField() {
		if f := v.Field(i); v.Type().Field(i).Tag.Get("cel") == name && f.Kind() == reflect.Bool {
			return f.Bool(), true
		}
	}
	return false, false
}
