package monitor

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// handedNames are the names under which answers are handed over as files: of Prometheus, of InfluxDB and Grafana.
func handedNames() []string { return []string{"/query_range.json", "/query.json"} }

// lookAtFiles reads answers that somebody saved: of GET /api/v1/query_range of Prometheus with the names of the metrics, of GET
// /query of InfluxDB, or of POST /api/ds/query of Grafana. Their shape says which. Without titles, meaning comes from names.
func (s *session) lookAtFiles() (*findings, *audit.Trouble) {
	base := &url.URL{Scheme: "file", Path: "/"}
	if s.base != nil {
		base = s.base
	}
	f := &findings{}
	var first *audit.Trouble
	read := 0
	for _, name := range handedNames() {
		a := s.get(base, name, nil)
		t := a.Trouble
		if t == nil {
			t = f.handed(s, a.Body)
		}
		if t == nil {
			read++
		} else if first == nil || first.Kind == audit.TroubleNotHanded {
			first = t
		}
	}
	if read == 0 {
		return nil, first
	}
	return f, nil
}

func (f *findings) handed(s *session, body []byte) *audit.Trouble {
	body = bytes.TrimSpace(body)
	var shape struct {
		Status  string          `json:"status"`
		Results json.RawMessage `json:"results"`
		Data    promResult      `json:"data"`
	}
	if err := json.Unmarshal(body, &shape); err != nil {
		return unreadable("the file is no JSON of the expected shape")
	}
	switch {
	case shape.Status == "success":
		f.software = "prometheus API"
		f.handedProm(s, shape.Data)
	case bytes.HasPrefix(shape.Results, []byte("[")):
		var answer influxAnswer
		if err := json.Unmarshal(body, &answer); err != nil {
			return unreadable("the file is no answer of InfluxDB")
		}
		f.software = "influxdb 1.x"
		f.handedInflux(s, answer)
	case bytes.HasPrefix(shape.Results, []byte("{")):
		var answer framesAnswer
		if err := json.Unmarshal(body, &answer); err != nil {
			return unreadable("the file is no answer of Grafana")
		}
		f.software = "grafana"
		f.handedFrames(s, answer)
	default:
		return unreadable("the file is no answer of Prometheus, InfluxDB or Grafana that holds series")
	}
	return nil
}

// take puts one saved series where its name says it belongs.
func (f *findings) take(s *session, name string, points []point) {
	for _, p := range points {
		f.fresh(p.at)
	}
	q := query{"expr": name + "{status_code}", "rawQuery": true}
	k := meaningOfQuery(q)
	switch {
	case strings.HasSuffix(name, "return_code") || strings.HasSuffix(name, "calls") || strings.HasSuffix(name, "failed"):
		k = errorRate
	case strings.HasSuffix(name, "duration"):
		k = responseTime
	case k == unknownKind:
		k = meaningOfTitle(strings.ReplaceAll(name, "_", " "), "")
	}
	switch k {
	case errorRate:
		f.errors.add(s, name, points)
	case responseTime:
		f.latency.add(s, name, points)
	default:
		f.unknown = addName(f.unknown, name)
	}
}

func (f *findings) handedProm(s *session, result promResult) {
	for _, series := range result.Result {
		f.take(s, series.Metric["__name__"], promResult{Result: []promSeries{series}}.points())
	}
}

func (f *findings) handedInflux(s *session, answer influxAnswer) {
	for _, r := range answer.Results {
		for _, series := range r.Series {
			for _, column := range series.Columns {
				if points := series.points(column); column != "time" && len(points) > 0 {
					f.take(s, series.Name+" "+column, points)
				}
			}
		}
	}
}

func (f *findings) handedFrames(s *session, answer framesAnswer) {
	for _, id := range sortedKeys(answer.Results) {
		for _, fr := range answer.Results[id].Frames {
			for _, line := range fr.lines() {
				f.take(s, fr.Schema.Name, line)
			}
		}
	}
}
