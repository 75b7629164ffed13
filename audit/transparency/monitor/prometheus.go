package monitor

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// The read API of Prometheus (prometheus/prometheus: docs/querying/api.md) and of VictoriaMetrics, which answers the same
// (VictoriaMetrics/VictoriaMetrics: docs, "Prometheus querying API usage").

// promPaths are the paths of the API and of the two user interfaces: what is before them is the base.
func promPaths() []string { return []string{"/api/v1/", "/graph", "/query", "/vmui", "/classic/graph"} }

func prometheusAddress(path string) bool {
	return strings.Contains(path, "/api/v1/query") || strings.Contains(path, "/api/v1/label") || strings.HasSuffix(path, "/graph") ||
		strings.Contains(path, "/vmui")
}

// promBase returns the address that the API lies below.
func promBase(u *url.URL) *url.URL {
	b := *u
	for _, p := range promPaths() {
		if before, _, ok := strings.Cut(b.Path+"/", p); ok && (strings.HasSuffix(p, "/") || strings.HasSuffix(strings.TrimSuffix(b.Path, "/"), p)) {
			b.Path = before
			break
		}
	}
	b.RawPath, b.RawQuery = "", ""
	return &b
}

// promAnswer is the envelope of every answer.
type promAnswer struct {
	Status string          `json:"status"`
	Error  string          `json:"error"`
	Data   json.RawMessage `json:"data"`
}

func (s *session) prom(base *url.URL, path string, query url.Values, into any) *audit.Trouble {
	var envelope promAnswer
	if t := decode(s.get(base, path, query), &envelope); t != nil {
		return t
	}
	if envelope.Status != "success" {
		return &audit.Trouble{Kind: audit.TroubleServer, Text: "the monitor refuses the question: " + clean(envelope.Error, 200), Settle: "open its read API"}
	}
	if err := json.Unmarshal(envelope.Data, into); err != nil {
		return unreadable("the answer is no JSON of the expected shape")
	}
	return nil
}

func prometheusHere(s *session) (bool, *audit.Trouble) {
	var build struct{}
	t := s.prom(promBase(s.base), "/api/v1/status/buildinfo", nil, &build)
	if t == nil || final(t) {
		return t == nil, t
	}
	var labels []string
	t2 := s.prom(promBase(s.base), "/api/v1/labels", nil, &labels)
	if t2 == nil {
		return true, nil
	}
	if weight(t2) > weight(t) {
		t = t2
	}
	return false, t
}

// family is one set of metrics whose meaning is known. Expressions hold $S for the selector of the cloud, with a comma after
// it where it is not empty.
type family struct {
	metric string // that shows that the family is here
	errors string // share of failed calls, 0 to 1; empty: the family has none
	calls  string // how many calls
	times  string // response time
	sample string // metric to ask for the newest sample
	pushed bool   // through a Pushgateway, which shows the last values for ever
}

// families: see the table in meaning.go. The counters of scs-health-monitor start anew with every run, so that the share is
// that of the last run, as in the dashboard of the project.
func families() []family {
	ratio := func(metric, failed string) string {
		return fmt.Sprintf(`(sum(last_over_time(%[1]s{$S%[2]s}[1h])) or vector(0)) / sum(last_over_time(%[1]s{$S}[1h]))`, metric, failed)
	}
	total := func(metric string) string { return fmt.Sprintf(`sum(last_over_time(%s{$S}[1h]))`, metric) }
	mean := func(metric string) string {
		return fmt.Sprintf(`sum(last_over_time(%[1]s_sum{$S}[1h])) / sum(last_over_time(%[1]s_count{$S}[1h]))`, metric)
	}
	return []family{
		{metric: "openstack_http_requests_total", errors: ratio("openstack_http_requests_total", `status_code=~"[45].."`), calls: total("openstack_http_requests_total"), sample: "openstack_http_requests_total", pushed: true},
		{metric: "openstack_http_response_time_sum", times: mean("openstack_http_response_time"), sample: "openstack_http_response_time_sum", pushed: true},
		{metric: "ssh_connections_total", errors: ratio("ssh_connections_total", `status_code!~"2.."`), calls: total("ssh_connections_total"), sample: "ssh_connections_total", pushed: true},
		{metric: "ssh_connect_duration_seconds_sum", times: mean("ssh_connect_duration_seconds"), sample: "ssh_connect_duration_seconds_sum", pushed: true},
		{metric: "connectivity_tests_total", errors: ratio("connectivity_tests_total", `status_code!~"2.."`), calls: total("connectivity_tests_total"), sample: "connectivity_tests_total", pushed: true},
		{metric: "probe_success", errors: `1 - avg(avg_over_time(probe_success{$S}[1h]))`, calls: `sum(count_over_time(probe_success{$S}[1h]))`, sample: "probe_success"},
		{metric: "probe_duration_seconds", times: `avg(avg_over_time(probe_duration_seconds{$S}[1h]))`, sample: "probe_duration_seconds"},
	}
}

func readPrometheus(s *session) (*findings, *audit.Trouble) {
	f := &findings{}
	var build struct {
		Version string `json:"version"`
	}
	base := promBase(s.base)
	t := s.prom(base, "/api/v1/status/buildinfo", nil, &build)
	if final(t) {
		return nil, t
	}
	f.software = strings.TrimSpace("prometheus API " + build.Version)
	if t := s.promFamilies(base, f); t != nil {
		return nil, t
	}
	return f, nil
}

// promFamilies reads the known families below a base.
func (s *session) promFamilies(base *url.URL, f *findings) *audit.Trouble {
	var names []string
	if t := s.prom(base, "/api/v1/label/__name__/values", nil, &names); t != nil {
		return t
	}
	var here []family
	for _, fam := range families() {
		if slices.Contains(names, fam.metric) {
			here = append(here, fam)
		}
	}
	if len(here) == 0 {
		for _, name := range names {
			f.unknown = addName(f.unknown, name)
		}
		return nil
	}
	selector, t := s.promCloud(base, here)
	if t != nil {
		return t
	}
	for _, fam := range here {
		s.promFamily(base, f, fam, selector, slices.Contains(names, "push_time_seconds"))
	}
	return nil
}

// promCloud finds the selector for the cloud: the label cloud of scs-health-monitor (libs/PrometheusExporter.py).
func (s *session) promCloud(base *url.URL, here []family) (string, *audit.Trouble) {
	var matches []string
	for _, fam := range here {
		matches = append(matches, fam.metric)
	}
	var clouds []string
	query := url.Values{"match[]": matches, "start": {unix(s.from())}, "end": {unix(s.to())}}
	if t := s.prom(base, "/api/v1/label/cloud/values", query, &clouds); t != nil {
		return "", t
	}
	name, t := s.cloud("label cloud", clouds)
	if t != nil || name == "" {
		return "", t
	}
	return "cloud=" + strconv.Quote(name) + ",", nil
}

// cloud chooses the cloud among those that a monitor speaks of; "" if it tells none apart.
func (s *session) cloud(where string, clouds []string) (string, *audit.Trouble) {
	name := s.name()
	switch {
	case len(clouds) == 0:
		return "", nil
	case name != "" && slices.Contains(clouds, name):
		return name, nil
	case name != "":
		return "", &audit.Trouble{Kind: audit.TroubleNotFound, Text: fmt.Sprintf("the monitor shows no cloud named %q (%s)", clean(name, 60), where), Settle: "correct name: under transparency: monitor; the monitor has " + list(clouds)}
	case len(clouds) == 1:
		return clouds[0], nil
	}
	return "", &audit.Trouble{Kind: audit.TroubleNotNamed, Text: fmt.Sprintf("the monitor shows %d clouds, and nobody said which one is meant", len(clouds)), Settle: "write name: under transparency: monitor, one of " + list(clouds)}
}

// name is what the cloud is called in the monitor: as the stack file says, or as the address does.
func (s *session) name() string {
	if s.target.Name != "" || s.base == nil {
		return s.target.Name
	}
	return s.base.Query().Get("var-mycloud")
}

func list(names []string) string {
	var out []string
	for _, n := range names[:min(len(names), 10)] {
		out = append(out, clean(n, 60))
	}
	if len(names) > 10 {
		out = append(out, "…")
	}
	return strings.Join(out, ", ")
}

func (s *session) promFamily(base *url.URL, f *findings, fam family, selector string, gateway bool) {
	bind := func(expr string) string {
		expr = strings.ReplaceAll(expr, "$S", selector)
		return strings.ReplaceAll(expr, ",}", "}")
	}
	pushes := s.promPushes(base, fam, bind, gateway)
	if fam.errors != "" {
		shares, t := s.promRange(base, bind(fam.errors))
		if t != nil {
			f.errors.failed++
		} else {
			counts, _ := s.promRange(base, bind(fam.calls))
			shown := pushes.times(shares)
			f.errors.add(s, fam.metric, shown)
			f.share(fam.metric, failures(pushes.times(shares), pushes.times(counts)))
		}
	}
	if fam.times != "" {
		points, t := s.promRange(base, bind(fam.times))
		if t != nil {
			f.latency.failed++
		} else {
			f.latency.add(s, fam.metric, pushes.times(points))
		}
	}
	s.promNewest(base, f, bind(fam.sample+"{$S}"), pushes)
}

// failures joins shares with counts of the same moments.
func failures(shares, counts []point) []failing {
	byTime := map[int64]float64{}
	for _, c := range counts {
		byTime[c.at.Unix()] = c.value
	}
	var out []failing
	for _, p := range shares {
		if bp, ok := basisPoints(p.value); ok {
			out = append(out, failing{at: p.at, share: bp, calls: count(byTime[p.at.Unix()])})
		}
	}
	return out
}

// count makes a whole number of a count that came as a float.
func count(v float64) int {
	if math.IsNaN(v) || v < 0 || v > math.MaxInt32 {
		return 0
	}
	return int(math.Round(v))
}

// pushes are the moments at which values were pushed, by the step that showed them. nil: nothing was pushed.
type pushes map[int64]time.Time

// promPushes reads when a Pushgateway was given the values: it shows the last ones for ever, so that a dead monitor looks
// alive (prometheus/pushgateway: README.md, push_time_seconds).
func (s *session) promPushes(base *url.URL, fam family, bind func(string) string, gateway bool) pushes {
	if !fam.pushed || !gateway {
		return nil
	}
	points, t := s.promRange(base, bind(fmt.Sprintf(`max(last_over_time(push_time_seconds[1h]) and on(job, exported_job) last_over_time(%s{$S}[1h]))`, fam.sample)))
	if t != nil || len(points) == 0 {
		return nil
	}
	out := pushes{}
	for _, p := range points {
		if p.value > 0 && p.value < math.MaxInt32*2 {
			out[p.at.Unix()] = time.Unix(int64(p.value), 0).UTC()
		}
	}
	return out
}

// times puts points to the moments at which their values were pushed; what was only shown again does not count.
func (p pushes) times(points []point) []point {
	if p == nil {
		return points
	}
	var out []point
	seen := map[int64]bool{}
	for _, x := range points {
		pushed, ok := p[x.at.Unix()]
		if !ok || seen[pushed.Unix()] {
			continue
		}
		seen[pushed.Unix()] = true
		out = append(out, point{at: pushed, value: x.value})
	}
	return out
}

// promNewest asks for the time of the newest sample; where the last hour has none, in the last hour that has one.
func (s *session) promNewest(base *url.URL, f *findings, metric string, pushed pushes) {
	if pushed != nil {
		for _, at := range pushed {
			f.fresh(at)
		}
		return
	}
	expr := "max(max_over_time(timestamp(" + metric + ")[70m:1m]))"
	at := s.to()
	for range 2 {
		var result promResult
		if t := s.prom(base, "/api/v1/query", url.Values{"query": {expr}, "time": {unix(at)}}, &result); t != nil {
			f.failed++
			return
		}
		for _, p := range result.points() {
			if p.value > 0 && p.value < math.MaxInt32*2 {
				f.fresh(time.Unix(int64(p.value), 0))
				return
			}
		}
		at = f.errors.to
		if f.latency.to.After(at) {
			at = f.latency.to
		}
		if at.IsZero() {
			return
		}
		at = at.Add(step)
	}
}

// promRange asks for a series in steps. Its points carry the begin of their step.
func (s *session) promRange(base *url.URL, expr string) ([]point, *audit.Trouble) {
	var result promResult
	query := url.Values{"query": {expr}, "start": {unix(s.from())}, "end": {unix(s.to().Truncate(step).Add(step))}, "step": {strconv.Itoa(int(step / time.Second))}}
	if t := s.prom(base, "/api/v1/query_range", query, &result); t != nil {
		return nil, t
	}
	points := result.points()
	for i := range points {
		points[i].at = points[i].at.Add(-step)
	}
	return points, nil
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// promResult is a matrix or a vector.
type promResult struct {
	ResultType string       `json:"resultType"`
	Result     []promSeries `json:"result"`
}

type promSeries struct {
	Metric map[string]string `json:"metric"`
	Value  promPoint         `json:"value"`
	Values []promPoint       `json:"values"`
}

// promPoint is [seconds, "value"].
type promPoint point

// UnmarshalJSON reads a pair; the value stands in a string, because JSON has no NaN.
func (p *promPoint) UnmarshalJSON(data []byte) error {
	var pair []json.RawMessage
	if err := json.Unmarshal(data, &pair); err != nil || len(pair) != 2 {
		return fmt.Errorf("reading a sample: want [time, value]")
	}
	var seconds float64
	var text string
	if json.Unmarshal(pair[0], &seconds) != nil || json.Unmarshal(pair[1], &text) != nil {
		return fmt.Errorf("reading a sample: want [number, string]")
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil && !strings.Contains(err.Error(), "out of range") {
		return fmt.Errorf("reading a sample: %q is no number", clean(text, 20))
	}
	at, ok := moment(seconds)
	if !ok {
		return fmt.Errorf("reading a sample: %v is no time", seconds)
	}
	p.at, p.value = at, value
	return nil
}

// moment turns seconds since 1970 into a time within the years that JSON can write.
func moment(seconds float64) (time.Time, bool) {
	if math.IsNaN(seconds) || seconds < 0 || seconds >= 253402300800 { // year 10000
		return time.Time{}, false
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)).UTC(), true
}

// points returns the finite points of all series, in their order.
func (r promResult) points() []point {
	var out []point
	for _, series := range r.Result {
		if !series.Value.at.IsZero() {
			series.Values = append(series.Values, series.Value)
		}
		for _, p := range series.Values {
			if !math.IsNaN(p.value) && !math.IsInf(p.value, 0) {
				out = append(out, point(p))
			}
		}
	}
	return out
}
