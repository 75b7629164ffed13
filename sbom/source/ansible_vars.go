package source

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

// Limits of files of variables and of what is made from them.
const (
	maxVarsFile  = 4 << 20
	maxVars      = 50_000
	maxVarText   = 1024
	maxVarNested = 8   // variables within variables
	maxVarSteps  = 200 // expressions in one text
)

// unsetVar is why a key without a value has none.
const unsetVar = "has no value"

// ansibleVars are the variables of one YAML file that say what is deployed: versions, tags, registries, images and
// switches. All others stay unread, as do encrypted values.
type ansibleVars struct {
	origin audit.Origin // of the file
	keys   []string     // in the order of the file
	vars   map[string]ansibleVar
	others map[string]bool // names of the variables that are set and stay unread
	twice  []ansiblePlace  // keys that stand twice; the last counts, as in Ansible
}

// ansibleVar is one variable.
type ansibleVar struct {
	text   string
	unread string // why the value is not known although it is set
	line   int
}

// telling reports whether a variable may say what is deployed. What may hold a secret is none, whatever it is called else.
func telling(key string) bool {
	if len(key) > maxAnsibleName || strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
		return false
	}
	for _, part := range []string{"password", "passwd", "passphrase", "secret", "token", "username", "credential", "private"} {
		if strings.Contains(strings.ToLower(key), part) {
			return false
		}
	}
	return strings.HasPrefix(key, "enable_") || strings.HasSuffix(key, "_image") || strings.HasSuffix(key, "_tag") ||
		strings.HasSuffix(key, "_version") || strings.HasSuffix(key, "_tag_suffix") || strings.Contains(key, "registry") ||
		strings.Contains(key, "namespace") || key == "openstack_release" || key == "kolla_base_distro" || key == "docker_image_url"
}

// readVars reads the telling variables of a file.
func readVars(origin audit.Origin, data []byte) (ansibleVars, error) {
	v := ansibleVars{origin: origin, vars: map[string]ansibleVar{}, others: map[string]bool{}}
	if vaulted(data) {
		return v, fmt.Errorf("the file is encrypted with Ansible Vault and was not read")
	}
	top, err := ansibleYAML(data)
	if err != nil {
		return v, err
	}
	if len(top.Content)/2 > maxVars {
		return v, fmt.Errorf("more than %d variables", maxVars)
	}
	for i := 0; i+1 < len(top.Content); i += 2 {
		key := top.Content[i]
		if key.Kind != yaml.ScalarNode || !telling(key.Value) {
			v.others[key.Value] = true
			continue
		}
		if _, ok := v.vars[key.Value]; ok {
			o := origin
			o.Line = key.Line
			v.twice = append(v.twice, ansiblePlace{text: key.Value, origin: o})
		} else {
			v.keys = append(v.keys, key.Value)
		}
		v.vars[key.Value] = readVar(key, top.Content[i+1])
	}
	return v, nil
}

// readVar reads a scalar as text whatever its YAML type: 2024.2 is a release, not a number.
func readVar(key, node *yaml.Node) ansibleVar {
	v := ansibleVar{line: key.Line}
	switch {
	case node.Tag == "!vault" || node.Kind == yaml.ScalarNode && vaulted(strings.TrimSpace(node.Value)):
		v.unread = "is encrypted with Ansible Vault"
	case node.Kind != yaml.ScalarNode:
		v.unread = "is no single value"
	case node.Tag == "!!null":
		v.unread = unsetVar
	case !strings.HasPrefix(node.Tag, "!!"):
		v.unread = "has a tag of its own"
	case len(node.Value) > maxVarText:
		v.unread = fmt.Sprintf("is longer than %d bytes", maxVarText)
	case !plainVar(node.Value):
		v.unread = "holds what stands in no version, image or switch"
	default:
		v.text = node.Value
	}
	return v
}

// plainVar accepts what versions, references, switches and simple Jinja expressions are written with. An @ that does not
// begin a digest may follow a password.
func plainVar(text string) bool {
	if strings.Contains(strings.ReplaceAll(text, "@sha256:", ""), "@") {
		return false
	}
	return !strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' })
}

// reduced is what is kept of the file as evidence. Of an expression that is more than variables and defaults only that it
// is one is kept.
func (v ansibleVars) reduced() map[string]string {
	out := map[string]string{}
	for key, value := range v.vars {
		text := value.text
		if value.unread != "" {
			text = "(" + value.unread + ")"
		} else if _, simple := jinjaParts(text); !simple {
			text = "(an expression)"
		}
		out[key] = text
	}
	return out
}

// keep hands the reduced file to the bundle.
func (v ansibleVars) keep(ctx context.Context, opt Options) error {
	return keepIntent(ctx, opt, v.origin, v.reduced())
}

// at returns the origin of one variable.
func (v ansibleVars) at(key string) audit.Origin {
	o := v.origin
	o.Line = v.vars[key].line
	return o
}

// ansibleScope are files of variables; the first that sets one counts.
type ansibleScope []ansibleVars

func (s ansibleScope) lookup(name string) (ansibleVar, bool) {
	for _, file := range s {
		if v, ok := file.vars[name]; ok {
			return v, true
		}
		if file.others[name] {
			return ansibleVar{unread: "is set, but is none of the variables that are read"}, true
		}
	}
	return ansibleVar{}, false
}

// resolve fills in the variables of a text: {{ name }} and {{ name|default('x') }}, nothing more. What is not known stays
// as {{ name }}, and the reasons name the variables.
func (s ansibleScope) resolve(text string) (out string, open []string) {
	r := jinjaResolver{scope: s}
	out = r.text(text, 0)
	switch {
	case len(out) > maxVarText:
		return "", []string{fmt.Sprintf("it is longer than %d bytes", maxVarText)}
	case out == "" && len(r.open) == 0:
		return "", []string{"it is empty"}
	}
	slices.Sort(r.open)
	return out, slices.Compact(r.open)
}

// jinjaResolver fills in one text.
type jinjaResolver struct {
	scope ansibleScope
	open  []string // why something is not known
	steps int
}

func (r *jinjaResolver) text(text string, depth int) string {
	parts, _ := jinjaParts(text)
	var out strings.Builder
	for _, p := range parts {
		switch {
		case p.expr == nil:
			out.WriteString(p.literal)
		case r.steps >= maxVarSteps || depth >= maxVarNested:
			r.open = append(r.open, fmt.Sprintf("the variable %s leads through too many others, perhaps to itself", p.expr.name))
			out.WriteString(p.expr.shown())
		default:
			r.steps++
			out.WriteString(r.value(*p.expr, depth))
		}
		if out.Len() > maxVarText {
			break
		}
	}
	return out.String()
}

// value returns the value of an expression, or the expression itself with a reason.
func (r *jinjaResolver) value(e jinjaExpr, depth int) string {
	if e.odd {
		r.open = append(r.open, fmt.Sprintf("%s is more than a variable with a default", cmp.Or(e.name, "an expression")))
		return e.shown()
	}
	name, why := e.name, ""
	for i := 0; ; i++ {
		v, ok := r.scope.lookup(name)
		switch {
		case ok && v.unread == "":
			return r.text(v.text, depth+1)
		case ok:
			why = fmt.Sprintf("the variable %s %s", name, v.unread)
		case i < len(e.defaults) && e.defaults[i].literal:
			return e.defaults[i].text
		case i < len(e.defaults):
			name = e.defaults[i].text
			continue
		default:
			why = fmt.Sprintf("the variable %s is not set in the files that are read", name)
		}
		r.open = append(r.open, why)
		return jinjaExpr{name: name}.shown()
	}
}

// jinjaPart is literal text or one expression.
type jinjaPart struct {
	literal string
	expr    *jinjaExpr
}

// jinjaExpr is a variable with defaults. An odd one is something else that begins with the name.
type jinjaExpr struct {
	name     string
	defaults []jinjaDefault
	odd      bool
}

type jinjaDefault struct {
	text    string
	literal bool // a text, true or false; else the name of a variable
}

func (e jinjaExpr) shown() string { return "{{ " + cmp.Or(e.name, "?") + " }}" }

// jinjaParts splits a text at its expressions, and reports whether all are simple ones.
func jinjaParts(text string) (parts []jinjaPart, simple bool) {
	simple = true
	for text != "" {
		before, rest, found := strings.Cut(text, "{{")
		if strings.Contains(before, "{%") || strings.Contains(before, "{#") {
			return append(parts, jinjaPart{expr: &jinjaExpr{odd: true}}), false
		}
		if before != "" {
			parts = append(parts, jinjaPart{literal: before})
		}
		if !found {
			return parts, simple
		}
		inside, after, closed := strings.Cut(rest, "}}")
		e := jinjaExpression(inside)
		if !closed {
			e.odd = true
		}
		simple = simple && !e.odd
		parts = append(parts, jinjaPart{expr: &e})
		text = after
	}
	return parts, simple
}

// jinjaExpression reads a name, and filters: default or d with a text or a name, and bool, which changes nothing here.
func jinjaExpression(text string) jinjaExpr {
	name, rest := identifier(strings.TrimSpace(text))
	e := jinjaExpr{name: name, odd: name == ""}
	for rest = strings.TrimSpace(rest); rest != "" && !e.odd; rest = strings.TrimSpace(rest) {
		filter, ok := strings.CutPrefix(rest, "|")
		if !ok {
			e.odd = true
			break
		}
		name, rest = identifier(strings.TrimSpace(filter))
		switch name {
		case "bool", "string", "trim":
		case "default", "d":
			var d jinjaDefault
			d, rest, ok = jinjaArgument(strings.TrimSpace(rest))
			e.odd = !ok
			e.defaults = append(e.defaults, d)
		default:
			e.odd = true
		}
	}
	if e.odd {
		e.defaults = nil
	}
	return e
}

// jinjaArgument reads ('text') or (name).
func jinjaArgument(text string) (d jinjaDefault, rest string, ok bool) {
	text, ok = strings.CutPrefix(text, "(")
	text = strings.TrimSpace(text)
	if !ok || text == "" {
		return d, "", false
	}
	if quote := text[:1]; quote == "'" || quote == `"` {
		d.literal = true
		d.text, rest, ok = strings.Cut(text[1:], quote)
		ok = ok && !strings.Contains(d.text, `\`)
	} else {
		d.text, rest = identifier(text)
		ok = d.text != ""
		d.literal = strings.EqualFold(d.text, "true") || strings.EqualFold(d.text, "false")
	}
	rest, closed := strings.CutPrefix(strings.TrimSpace(rest), ")")
	return d, rest, ok && closed
}

// identifier splits off the name that a text begins with.
func identifier(text string) (name, rest string) {
	end := strings.IndexFunc(text, func(c rune) bool {
		return !(c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9')
	})
	if end < 0 {
		end = len(text)
	}
	if end > 0 && text[0] >= '0' && text[0] <= '9' {
		return "", text
	}
	return text[:end], text[end:]
}

// truth reads a switch as Ansible does.
func truth(text string) (on, ok bool) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "yes", "true", "on", "1", "y", "t":
		return true, true
	case "no", "false", "off", "0", "n", "f":
		return false, true
	}
	return false, false
}
