package policies

import (
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// template is a sentence with fields: "licence {product.licence} is {product.licenceClass}".
type template []templatePart

type templatePart struct {
	text   string // if no field
	field  int    // index in the schema, -1: none
	aspect string // of a gate's low end; empty: none
}

// parseTemplate reads a sentence. Fields are {kind.field} and {gate.<aspect>}, the least that a score must reach.
func parseTemplate(text, kind string, schema []field) (template, error) {
	var out template
	for text != "" {
		plain, rest, found := strings.Cut(text, "{")
		if strings.Contains(plain, "}") {
			return nil, fmt.Errorf("a closing brace has no opening one")
		}
		if plain != "" {
			out = append(out, templatePart{text: plain, field: -1})
		}
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, fmt.Errorf("an opening brace has no closing one")
		}
		part, err := parseField(name, kind, schema)
		if err != nil {
			return nil, err
		}
		out, text = append(out, part), after
	}
	return out, nil
}

func parseField(name, kind string, schema []field) (templatePart, error) {
	if aspect, ok := strings.CutPrefix(name, "gate."); ok {
		if !slices.Contains(aspects(), aspect) {
			return templatePart{}, fmt.Errorf("{%s}: no such aspect%s", clean(name), didYouMean(aspect, aspects()))
		}
		return templatePart{field: -1, aspect: aspect}, nil
	}
	short, ok := strings.CutPrefix(name, variable(kind)+".")
	at := slices.IndexFunc(schema, func(f field) bool { return f.name == short })
	if !ok || at < 0 {
		return templatePart{}, fmt.Errorf("{%s}: a sentence about each %s names {%s.<field>} or {gate.<aspect>}%s", clean(name), kind, variable(kind), didYouMean(short, FieldsOf(kind)))
	}
	return templatePart{field: at}, nil
}

func (t template) fill(values []fact, gates map[string]audit.Gate) string {
	var b strings.Builder
	for _, p := range t {
		switch {
		case p.aspect != "":
			b.WriteString(outOfHundred(gates[p.aspect].Low, gates[p.aspect].Low))
		case p.field >= 0:
			b.WriteString(shown(values[p.field]))
		default:
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// shown writes a fact for people. Text from outside is made fit for one line.
func shown(f fact) string {
	if f.unknown != nil {
		return "not known"
	}
	switch v := f.value.(type) {
	case string:
		if v == "" {
			return "not named"
		}
		return clean(v)
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case int64:
		return strconv.FormatInt(v, 10)
	case []string:
		return clean(strings.Join(v, ", "))
	case map[string]int64:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		parts := make([]string, len(keys))
		for i, k := range keys {
			parts[i] = fmt.Sprintf("%s %d", k, v[k])
		}
		return clean(strings.Join(parts, ", "))
	case audit.Interval:
		return outOfHundred(v.Low(), v.High())
	}
	return ""
}

// outOfHundred writes basis points as a share of 100, rounded outward: "60 of 100", "52..84 of 100".
func outOfHundred(low, high int) string {
	low, high = low/100, (high+99)/100
	if low == high {
		return fmt.Sprintf("%d of 100", low)
	}
	return fmt.Sprintf("%d..%d of 100", low, high)
}
