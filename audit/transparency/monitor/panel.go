package monitor

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// panel is one picture of a dashboard with its queries.
type panel struct {
	id      int64
	title   string
	unit    string
	targets []query
}

// query is one target of a panel, as the dashboard has it; Grafana leaves out the text of queries on public dashboards
// (grafana/grafana: pkg/services/publicdashboards/service/query.go, sanitizeData).
type query map[string]any

// dashboard is the part of a dashboard that is read: the old form with panels, and the new one with elements (schema v2).
type dashboard struct {
	UID        string         `json:"uid"`
	Title      string         `json:"title"`
	Panels     []rawPanel     `json:"panels"`
	Elements   map[string]any `json:"elements"`
	Templating struct {
		List []variable `json:"list"`
	} `json:"templating"`
	Time struct {
		From string `json:"from"`
		To   string `json:"to"`
	} `json:"time"`
	Timepicker struct {
		Hidden bool `json:"hidden"`
	} `json:"timepicker"`
}

type rawPanel struct {
	ID          int64           `json:"id"`
	Type        string          `json:"type"`
	Title       string          `json:"title"`
	Datasource  json.RawMessage `json:"datasource"`
	Targets     []query         `json:"targets"`
	Panels      []rawPanel      `json:"panels"` // of a row
	FieldConfig struct {
		Defaults struct {
			Unit string `json:"unit"`
		} `json:"defaults"`
	} `json:"fieldConfig"`
	YAxes []struct {
		Format string `json:"format"`
	} `json:"yaxes"` // of the panel type graph, before Grafana 8
}

// variable is a template variable.
type variable struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Current struct {
		Value any `json:"value"`
	} `json:"current"`
}

// mostPanels bounds how many panels of one dashboard are looked through, with those in rows.
const mostPanels = 500

// panels returns the panels that have a query, in their order.
func (d dashboard) panels() []panel {
	var out []panel
	var walk func(list []rawPanel, depth int)
	walk = func(list []rawPanel, depth int) {
		for _, raw := range list {
			if len(out) >= mostPanels || depth > 3 {
				return
			}
			if p := raw.panel(); len(p.targets) > 0 {
				out = append(out, p)
			}
			walk(raw.Panels, depth+1)
		}
	}
	walk(d.Panels, 0)
	for _, key := range sortedKeys(d.Elements) {
		if p := panelOfElement(d.Elements[key]); len(p.targets) > 0 && len(out) < mostPanels {
			out = append(out, p)
		}
	}
	return out
}

func (r rawPanel) panel() panel {
	p := panel{id: r.ID, title: clean(r.Title, nameLength), unit: r.FieldConfig.Defaults.Unit}
	if p.unit == "" && len(r.YAxes) > 0 {
		p.unit = r.YAxes[0].Format
	}
	for _, t := range r.Targets {
		if t == nil || t["hide"] == true {
			continue
		}
		if _, ok := t["datasource"]; !ok && len(r.Datasource) > 0 {
			var source any
			if json.Unmarshal(r.Datasource, &source) == nil && source != nil {
				t["datasource"] = source
			}
		}
		p.targets = append(p.targets, t)
	}
	return p
}

// panelOfElement reads a panel of schema v2: spec.data.spec.queries[].spec.query.spec.
func panelOfElement(element any) panel {
	spec := child(element, "spec")
	p := panel{title: clean(text(spec, "title"), nameLength)}
	if id, ok := child(spec, "id").(float64); ok && id >= 0 && id < 1<<53 {
		p.id = int64(id)
	}
	p.unit = text(child(spec, "vizConfig", "spec", "fieldConfig", "defaults"), "unit")
	queries, _ := child(spec, "data", "spec", "queries").([]any)
	for _, q := range queries {
		if child(q, "spec", "hidden") == true {
			continue
		}
		inner, ok := child(q, "spec", "query", "spec").(map[string]any)
		if !ok {
			continue
		}
		t := query(inner)
		if _, ok := t["datasource"]; !ok {
			t["datasource"] = map[string]any{"type": text(child(q, "spec", "query"), "group"), "uid": text(child(q, "spec", "query", "datasource"), "name")}
		}
		if t["refId"] == nil {
			t["refId"] = text(child(q, "spec"), "refId")
		}
		p.targets = append(p.targets, t)
	}
	return p
}

func child(v any, path ...string) any {
	for _, key := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

func text(v any, key string) string {
	s, _ := child(v, key).(string)
	return s
}

// source returns type and uid of the data source of a query.
func (q query) source() (kind, uid string) {
	switch d := q["datasource"].(type) {
	case string: // before Grafana 8.3 a name
		return "", d
	case map[string]any:
		return text(d, "type"), text(d, "uid")
	}
	return "", ""
}

func (q query) influx() bool {
	kind, _ := q.source()
	_, hasSelect := q["select"]
	return kind == "influxdb" || hasSelect
}

// text returns the written form of the query, if it can be seen.
func (q query) text() string {
	for _, key := range []string{"expr", "query", "rawSql", "target"} {
		if s, ok := q[key].(string); ok && s != "" {
			return s
		}
	}
	return ""
}

func (q query) mentions(words ...string) bool {
	text := q.text()
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

// uses reports whether an InfluxQL query has a field or a function of that name, in its parts or in its text.
func (q query) uses(word string) bool {
	parts, _ := q["select"].([]any)
	for _, line := range parts {
		steps, _ := line.([]any)
		for _, step := range steps {
			params, _ := child(step, "params").([]any)
			if text(step, "type") == word || slices.Contains(params, any(word)) {
				return true
			}
		}
	}
	return q["rawQuery"] == true && regexp.MustCompile(`\b`+regexp.QuoteMeta(word)+`\b`).MatchString(q.text())
}

// aboutMachines reports whether a visible query reads metrics of hosts or of the monitoring itself.
func (p panel) aboutMachines() bool {
	for _, t := range p.targets {
		text := t.text()
		for _, prefix := range machineMetrics() {
			if regexp.MustCompile(`\b` + prefix).MatchString(text) {
				return true
			}
		}
	}
	return false
}

// constant reports whether a query makes up values where there are none, so that it says nothing about freshness.
func (p panel) constant() bool {
	return slices.ContainsFunc(p.targets, func(t query) bool {
		return t.mentions("vector(", "absent(", "fill(0)", "fill(previous)", "time()")
	})
}

// variables returns the names of template variables that the visible part of a panel has.
func (p panel) hasVariable() bool {
	for _, t := range p.targets {
		data, err := json.Marshal(map[string]any(t))
		if err == nil && slices.ContainsFunc(variablePattern().FindAllStringSubmatch(string(data), -1), func(m []string) bool {
			return !strings.HasPrefix(m[1]+m[2], "__") && m[1]+m[2] != "timeFilter" && !strings.HasPrefix(m[1]+m[2], "tag_")
		}) {
			return true
		}
	}
	return false
}

// variablePattern matches $name, ${name} and ${name:format}.
func variablePattern() *regexp.Regexp {
	return regexp.MustCompile(`\$(?:\{(\w+)(?::\w+)?\}|(\w+))`)
}

// fill puts values of template variables into a query. What has no value matches everything where the query takes a pattern.
func (q query) fill(values map[string]string) query {
	pattern := variablePattern()
	replace := func(s string) string {
		return pattern.ReplaceAllStringFunc(s, func(found string) string {
			m := pattern.FindStringSubmatch(found)
			if v, ok := values[m[1]+m[2]]; ok {
				return v
			}
			return found
		})
	}
	filled, _ := fill(map[string]any(q), replace, 0).(map[string]any)
	return filled
}

func fill(v any, replace func(string) string, depth int) any {
	if depth > deepest {
		return v
	}
	switch x := v.(type) {
	case string:
		return replace(x)
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = fill(x[i], replace, depth+1)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k := range x {
			out[k] = fill(x[k], replace, depth+1)
		}
		return out
	}
	return v
}
