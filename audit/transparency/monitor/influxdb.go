package monitor

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// The query API of InfluxDB 1.x (influxdata/influxdb, branch 1.x: services/httpd/handler.go, serveQuery): GET /query only
// reads. The openstack-health-monitor writes one measurement for each cloud, with tags cmd and method and fields duration and
// return_code (api_monitor.sh, log_grafana).

func influxAddress(path string) bool {
	return strings.HasSuffix(strings.TrimSuffix(path, "/"), "/query")
}

// influxAnswer is what /query answers. Values are numbers, strings, or null.
type influxAnswer struct {
	Error   string `json:"error"`
	Results []struct {
		Error  string         `json:"error"`
		Series []influxSeries `json:"series"`
	} `json:"results"`
}

type influxSeries struct {
	Name    string            `json:"name"`
	Tags    map[string]string `json:"tags"`
	Columns []string          `json:"columns"`
	Values  [][]any           `json:"values"`
}

// influx asks InfluxQL statements, separated by semicolons.
func (s *session) influx(base *url.URL, db, statements string) (influxAnswer, *audit.Trouble) {
	query := url.Values{"q": {statements}, "epoch": {"s"}}
	if db != "" {
		query.Set("db", db)
	}
	var answer influxAnswer
	if t := decode(s.get(base, "/query", query), &answer); t != nil {
		return answer, t
	}
	for _, r := range answer.Results {
		if answer.Error == "" {
			answer.Error = r.Error
		}
	}
	switch {
	case answer.Error != "":
		return answer, &audit.Trouble{Kind: audit.TroubleServer, Text: "the monitor refuses the question: " + clean(answer.Error, 200), Settle: "let an outsider read: authentication off for a read-only proxy, or show it by Grafana"}
	case answer.Results == nil:
		return answer, unreadable("the answer is not that of an InfluxDB")
	}
	return answer, nil
}

func influxBase(u *url.URL) *url.URL {
	b := *u
	b.Path = strings.TrimSuffix(strings.TrimSuffix(b.Path, "/"), "/query")
	b.RawPath, b.RawQuery = "", ""
	return &b
}

func influxHere(s *session) (bool, *audit.Trouble) {
	_, t := s.influx(influxBase(s.base), "", "SHOW DATABASES")
	return t == nil, t
}

func readInflux(s *session) (*findings, *audit.Trouble) {
	base := influxBase(s.base)
	f := &findings{software: "influxdb 1.x"}
	databases := []string{s.base.Query().Get("db")}
	if databases[0] == "" {
		answer, t := s.influx(base, "", "SHOW DATABASES")
		if t != nil {
			return nil, t
		}
		databases = answer.column("name")
	}
	var first *audit.Trouble
	for _, db := range databases {
		if db == "_internal" {
			continue
		}
		t := s.influxDatabase(base, db, f)
		if first == nil {
			first = t
		}
	}
	if first != nil && f.errors.values == 0 && f.latency.values == 0 {
		return nil, first
	}
	return f, nil
}

// influxDatabase reads the measurement of the cloud in one database, if it has one.
func (s *session) influxDatabase(base *url.URL, db string, f *findings) *audit.Trouble {
	answer, t := s.influx(base, db, "SHOW FIELD KEYS")
	if t != nil {
		return t
	}
	var clouds []string
	for _, r := range answer.Results {
		for _, series := range r.Series {
			if keys := series.column("fieldKey"); slices.Contains(keys, "return_code") && slices.Contains(keys, "duration") {
				clouds = append(clouds, series.Name)
			} else {
				f.unknown = addName(f.unknown, db+"."+series.Name)
			}
		}
	}
	if len(clouds) == 0 {
		return nil
	}
	cloud, t := s.cloud("measurement in "+clean(db, 40), clouds)
	if t != nil {
		return t
	}
	return s.influxMeasurement(base, db, cloud, f)
}

func (s *session) influxMeasurement(base *url.URL, db, measurement string, f *findings) *audit.Trouble {
	from := fmt.Sprintf(`FROM %s WHERE time >= %ds AND time <= %ds`, identifier(measurement), s.from().Unix(), s.to().Add(step).Unix())
	group := fmt.Sprintf(`GROUP BY time(%dm) fill(none)`, int(step/time.Minute))
	answer, t := s.influx(base, db, strings.Join([]string{
		`SELECT count("return_code") AS "calls", mean("duration") AS "duration" ` + from + ` ` + group,
		`SELECT count("return_code") AS "failed" ` + from + ` AND "return_code" > 0 ` + group,
		`SELECT last("return_code") AS "last" FROM ` + identifier(measurement),
	}, "; "))
	if t != nil {
		return t
	}
	calls, failed := answer.series("calls"), answer.series("failed")
	f.errors.add(s, measurement+" return_code", calls)
	f.latency.add(s, measurement+" duration", answer.series("duration"))
	f.share(measurement, shares(calls, failed))
	for _, p := range answer.series("last") {
		f.fresh(p.at)
	}
	return nil
}

// shares divides failed calls by calls, step by step.
func shares(calls, failed []point) []failing {
	byTime := map[int64]float64{}
	for _, p := range failed {
		byTime[p.at.Unix()] += p.value
	}
	var out []failing
	for _, p := range calls {
		if bp, ok := basisPoints(byTime[p.at.Unix()] / p.value); ok {
			out = append(out, failing{at: p.at, share: bp, calls: count(p.value)})
		}
	}
	return out
}

// identifier quotes a name for InfluxQL.
func identifier(name string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(name) + `"`
}

// column returns the strings of one column of every series.
func (a influxAnswer) column(name string) []string {
	var out []string
	for _, r := range a.Results {
		for _, series := range r.Series {
			out = append(out, series.column(name)...)
		}
	}
	return out
}

func (s influxSeries) column(name string) []string {
	at := slices.Index(s.Columns, name)
	var out []string
	for _, row := range s.Values {
		if at >= 0 && at < len(row) {
			if text, ok := row[at].(string); ok {
				out = append(out, text)
			}
		}
	}
	return out
}

// series returns the points of one column, of all results.
func (a influxAnswer) series(column string) []point {
	var out []point
	for _, r := range a.Results {
		for _, series := range r.Series {
			out = append(out, series.points(column)...)
		}
	}
	return out
}

func (s influxSeries) points(column string) []point {
	timeAt, valueAt := slices.Index(s.Columns, "time"), slices.Index(s.Columns, column)
	if timeAt < 0 || valueAt < 0 {
		return nil
	}
	var out []point
	for _, row := range s.Values {
		if max(timeAt, valueAt) >= len(row) {
			continue
		}
		at, ok := influxTime(row[timeAt])
		value, isNumber := row[valueAt].(float64)
		if ok && isNumber {
			out = append(out, point{at: at, value: value})
		}
	}
	return out
}

// influxTime reads seconds, or RFC 3339 where an answer was made without epoch.
func influxTime(v any) (time.Time, bool) {
	switch x := v.(type) {
	case float64:
		switch { // an answer that was handed over may count in milli- or nanoseconds
		case x > 1e16:
			x /= 1e9
		case x > 1e11:
			x /= 1e3
		}
		return moment(x)
	case string:
		at, err := time.Parse(time.RFC3339Nano, x)
		return at.UTC(), err == nil && at.Year() >= 1970 && at.Year() < 10000
	case json.Number:
		n, err := strconv.ParseFloat(string(x), 64)
		if err != nil {
			return time.Time{}, false
		}
		return influxTime(n)
	}
	return time.Time{}, false
}
