package monitor

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// The health flags of CloudMon (stackmon/metrics-processor: src/api/v1.rs, GET /api/v1/health): for each service pairs of time
// and 0 (runs), 1 (degraded) or 2 (outage). The service has to be named, and the environment, which is the cloud. Flags are
// the share of errors in three words; response times are in the Graphite behind it and not in this answer.

func cloudmonAddress(path string) bool {
	return strings.HasSuffix(strings.TrimSuffix(path, "/"), "/v1/health")
}

func cloudmonBase(u *url.URL) *url.URL {
	b := *u
	b.Path = strings.TrimSuffix(b.Path, "/")
	for _, tail := range []string{"/api/v1/health", "/v1/health"} {
		b.Path = strings.TrimSuffix(b.Path, tail)
	}
	b.RawPath, b.RawQuery = "", ""
	return &b
}

// cloudmonHere asks for the root of the API, which answers {"name":"v1"}.
func cloudmonHere(s *session) (bool, *audit.Trouble) {
	var root struct {
		Name string `json:"name"`
	}
	t := decode(s.get(cloudmonBase(s.base), "/api/v1/", nil), &root)
	return t == nil && root.Name == "v1", t
}

// mostServices bounds how many services of one cloud are asked for.
const mostServices = 20

func readCloudmon(s *session) (*findings, *audit.Trouble) {
	asked := s.base.Query()
	services, environment := asked["service"], asked.Get("environment")
	if environment == "" {
		environment = s.target.Name
	}
	if len(services) == 0 || environment == "" {
		return nil, &audit.Trouble{Kind: audit.TroubleNotNamed, Text: "CloudMon answers only for a service and an environment that are named",
			Settle: "write the address as …/api/v1/health?environment=NAME&service=NAME, with one service= for each"}
	}
	if len(services) > mostServices {
		s.note("the first %d of %d services were read", mostServices, len(services))
		services = services[:mostServices]
	}
	path := "/api/v1/health"
	if !strings.Contains(s.base.Path, "/api/") && cloudmonAddress(s.base.Path) {
		path = "/v1/health"
	}
	f := &findings{software: "cloudmon"}
	var first *audit.Trouble
	read := 0
	for _, service := range services {
		var answer cloudmonAnswer
		t := decode(s.get(cloudmonBase(s.base), path, url.Values{
			"service": {service}, "environment": {environment}, "from": {s.from().Format(time.RFC3339)}, "to": {s.to().Format(time.RFC3339)},
			"max_data_points": {fmt.Sprint(reachDays * 24)}, // the service takes up to 1024
		}), &answer)
		if final(t) {
			return nil, t
		}
		if t != nil {
			f.errors.failed++
			if first == nil {
				first = t
			}
			continue
		}
		read++
		points := answer.points()
		f.errors.add(s, service+" health", points)
		f.share(service, flags(points))
		for _, p := range points {
			f.fresh(p.at)
		}
	}
	if read == 0 {
		return nil, first
	}
	s.note("CloudMon shows health flags and no response times")
	return f, nil
}

// flags turns flags into shares: degraded is half, an outage is all.
func flags(points []point) []failing {
	var out []failing
	for _, p := range points {
		if bp, ok := basisPoints(p.value / 2); ok {
			out = append(out, failing{at: p.at, share: bp})
		}
	}
	return out
}

// cloudmonAnswer is the answer in its three forms: objects, as the service's source writes them (src/types.rs,
// ServiceHealthDataPoint), pairs, as it wrote them before, and one list for each region, as its API description has it.
type cloudmonAnswer struct {
	Name    string            `json:"name"`
	Metrics []json.RawMessage `json:"metrics"`
}

func (a cloudmonAnswer) points() []point {
	var out []point
	for _, raw := range a.Metrics {
		var region struct {
			Datapoints [][]float64 `json:"datapoints"`
		}
		if json.Unmarshal(raw, &region) == nil && region.Datapoints != nil {
			for _, pair := range region.Datapoints {
				out = appendFlag(out, pair)
			}
			continue
		}
		var pair []float64
		if json.Unmarshal(raw, &pair) == nil {
			out = appendFlag(out, pair)
			continue
		}
		var object struct {
			Timestamp float64  `json:"timestamp"`
			Weight    *float64 `json:"weight"`
		}
		if json.Unmarshal(raw, &object) == nil && object.Weight != nil {
			out = appendFlag(out, []float64{object.Timestamp, *object.Weight})
		}
	}
	return out
}

func appendFlag(out []point, pair []float64) []point {
	if len(pair) != 2 || pair[1] < 0 || pair[1] > 2 {
		return out
	}
	at, ok := moment(pair[0])
	if !ok {
		return out
	}
	return append(out, point{at: at, value: pair[1]})
}
