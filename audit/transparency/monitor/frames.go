package monitor

import (
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// framesAnswer is what Grafana answers to queries (grafana/grafana-plugin-sdk-go: backend/json.go; data/frame_json.go): for
// each query frames, in which fields stand beside their values, times in milliseconds.
type framesAnswer struct {
	Results map[string]struct {
		Status int     `json:"status"`
		Error  string  `json:"error"`
		Frames []frame `json:"frames"`
	} `json:"results"`
}

type frame struct {
	Schema struct {
		Name   string `json:"name"`
		Fields []struct {
			Name   string            `json:"name"`
			Type   string            `json:"type"`
			Labels map[string]string `json:"labels"`
		} `json:"fields"`
	} `json:"schema"`
	Data struct {
		Values [][]any `json:"values"`
	} `json:"data"`
}

// failures lists the queries that Grafana could not answer.
func (a framesAnswer) failures() []string {
	var out []string
	for _, id := range sortedKeys(a.Results) {
		if r := a.Results[id]; r.Error != "" || r.Status >= 400 {
			out = append(out, clean(r.Error, 200))
		}
	}
	return out
}

// lines returns the points of each number field, one line for each.
func (a framesAnswer) lines() [][]point {
	var out [][]point
	for _, id := range sortedKeys(a.Results) {
		for _, fr := range a.Results[id].Frames {
			out = append(out, fr.lines()...)
		}
	}
	return out
}

func (f frame) lines() [][]point {
	times := -1
	for i, field := range f.Schema.Fields {
		if field.Type == "time" && i < len(f.Data.Values) {
			times = i
			break
		}
	}
	if times < 0 {
		return nil
	}
	var out [][]point
	for i, field := range f.Schema.Fields {
		if field.Type != "number" || i >= len(f.Data.Values) {
			continue
		}
		var line []point
		for row, v := range f.Data.Values[i] {
			value, ok := v.(float64)
			if !ok || row >= len(f.Data.Values[times]) {
				continue
			}
			if millis, ok := f.Data.Values[times][row].(float64); ok {
				if at, ok := moment(millis / 1000); ok {
					line = append(line, point{at: at, value: value})
				}
			}
		}
		if len(line) > 0 {
			out = append(out, line)
		}
	}
	return out
}

// asked is a panel with what it showed.
type asked struct {
	panel
	kind  kind
	lines [][]point
}

// readPanels asks the panels that say something for their values and takes these over. A trouble says that all of them ask for
// a login.
func (s *session) readPanels(d dashboard, f *findings, ask func(panel) (framesAnswer, *audit.Trouble)) *audit.Trouble {
	all := d.panels()
	f.panels += len(all)
	var shown []asked
	var dead, login *audit.Trouble
	for _, p := range choose(all) {
		k := meaning(p)
		if dead != nil { // the next question would meet the same
			f.fail(k)
			continue
		}
		answer, t := ask(p)
		if final(t) {
			dead = t
			s.note("panel %q could not be read, nor could those after it: %s", p.title, t.Text)
		}
		failed := answer.failures()
		if t != nil && t.Kind == audit.TroubleLogin {
			login = t
		}
		if t != nil || len(failed) > 0 && len(answer.lines()) == 0 {
			f.fail(k)
			if t == nil {
				s.note("panel %q shows an error instead of values: %s", p.title, failed[0])
			}
			continue
		}
		lines := s.series(answer.lines())
		if len(lines) == 0 {
			s.note("panel %q is empty", p.title)
		}
		shown = append(shown, asked{panel: p, kind: k, lines: lines})
	}
	s.takePanels(shown, f)
	if len(shown) == 0 {
		return login
	}
	return nil
}

// fail counts a query that could not be read.
func (f *findings) fail(k kind) {
	switch k {
	case errorRate:
		f.errors.failed++
	case responseTime:
		f.latency.failed++
	default:
		f.failed++
	}
}

// choose picks the panels that are asked: errors and latency first, calls beside them, and a few of unknown meaning if there
// is nothing else, to see whether they are alive.
func choose(all []panel) []panel {
	var out []panel
	for _, k := range []kind{errorRate, responseTime, callCount} {
		n := 0
		for _, p := range all {
			if meaning(p) == k && n < mostAsked/2 && len(out) < mostAsked {
				out = append(out, p)
				n++
			}
		}
	}
	for _, p := range all {
		if meaning(p) == unknownKind && len(out) < 3 {
			out = append(out, p)
		}
	}
	return out
}

// series leaves out what is no series in time: a single value that stands at the begin of what was asked for, as InfluxDB
// writes one number for the whole span.
func (s *session) series(lines [][]point) [][]point {
	return slices.DeleteFunc(lines, func(line []point) bool {
		return len(line) == 1 && line[0].at.Before(s.from().Add(step))
	})
}

func (s *session) takePanels(shown []asked, f *findings) {
	for _, a := range shown {
		points := slices.Concat(a.lines...)
		if !a.constant() && changing(a.lines) {
			for _, p := range points {
				f.fresh(p.at)
			}
		} else if len(points) > 0 {
			s.note("panel %q shows a value that never changes, or that its query makes up: it says nothing about how fresh the monitor is", a.title)
		}
		switch a.kind {
		case errorRate:
			f.errors.add(s, a.title, points)
			f.share(a.title, a.shares(shown))
		case responseTime:
			f.latency.add(s, a.title, points)
		case callCount:
			// Where calls are counted and the panel of errors was read, a time without errors is a time with none.
			if slices.ContainsFunc(shown, func(o asked) bool { return o.kind == errorRate && stem(o.title) == stem(a.title) }) {
				f.errors.add(s, a.title, points)
			}
		default:
			f.unknown = addName(f.unknown, a.title)
		}
	}
}

// changing reports whether any line has two different values.
func changing(lines [][]point) bool {
	return slices.ContainsFunc(lines, func(line []point) bool {
		return slices.ContainsFunc(line, func(p point) bool { return p.value != line[0].value })
	})
}

// stem is what the titles of a panel of errors and one of calls have in common: "API errors", "API calls".
func stem(title string) string {
	title = wordsOfCalls().ReplaceAllString(wordsOfErrors().ReplaceAllString(strings.ToLower(title), ""), "")
	return strings.Join(strings.Fields(regexp.MustCompile(`\brates?\b|[^\pL\pN]+`).ReplaceAllString(title, " ")), " ")
}

// shares reads shares of failed calls from a panel: from a rate with a unit of percent, or from counts beside a panel of calls.
func (a asked) shares(shown []asked) []failing {
	scale := map[string]float64{"percentunit": 1, "percent": 100}[a.unit]
	if scale > 0 {
		return a.rates(scale)
	}
	for _, o := range shown {
		if o.kind == callCount && stem(o.title) == stem(a.title) && stem(a.title) != "" {
			return shares(sums(o.lines), sums(a.lines))
		}
	}
	return nil
}

func (a asked) rates(scale float64) []failing {
	good := wordsOfSuccess().MatchString(strings.ToLower(a.title))
	var out []failing
	for _, line := range a.lines {
		for _, p := range line {
			share := p.value / scale
			if good {
				share = 1 - min(share, 1)
			}
			if bp, ok := basisPoints(share); ok {
				out = append(out, failing{at: p.at, share: bp})
			}
		}
	}
	return out
}

// sums adds up lines hour by hour.
func sums(lines [][]point) []point {
	byStep := map[time.Time]float64{}
	for _, line := range lines {
		for _, p := range line {
			byStep[p.at.Truncate(step)] += p.value
		}
	}
	var out []point
	for at, value := range byStep {
		out = append(out, point{at: at, value: value})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].at.Before(out[j].at) })
	return out
}
