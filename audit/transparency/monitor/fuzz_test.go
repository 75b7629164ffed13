package monitor

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

func fuzzSession() *session {
	return newSession(context.Background(), transparency.Target{}, transparency.World{At: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)})
}

// FuzzAnswers gives any bytes to every reader of answers that were handed over: what they draw from them lies within the reach,
// can be written and read again unchanged, and does not depend on how often it is read.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"probe_success"},"values":[[1795000000,"1"],[1795003600.5,"NaN"],[1795007200,"+Inf"]]}]}}`,
		`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1e300,"1e999"]}]}}`,
		`{"results":[{"series":[{"name":"a","columns":["time","return_code","duration"],"values":[[1795000000,1,2],["2026-11-20T00:00:00Z",null,"x"],[1795000000000],[]]}]}]}`,
		`{"results":{"A":{"status":200,"frames":[{"schema":{"name":"error rate","fields":[{"name":"Time","type":"time"},{"name":"Value","type":"number"}]},"data":{"values":[[1795000000000],[0.5,2]]}}]}}}`,
		`{"results":{"A":{"frames":[{"schema":{"fields":[{"type":"number"},{"type":"time"}]},"data":{"values":[[1]]}}]}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		read := func() (*transparency.Monitor, *audit.Trouble) {
			s, out := fuzzSession(), &findings{}
			if trouble := out.handed(s, data); trouble != nil {
				return nil, trouble
			}
			return out.monitor(s), nil
		}
		m, trouble := read()
		if trouble != nil {
			return
		}
		for _, series := range []transparency.Series{m.Errors, m.Latency} {
			if series.Values > 0 && (series.From.Before(fuzzSession().from()) || series.To.After(fuzzSession().to()) || series.Days+len(series.Missing) != reachDays) {
				t.Errorf("outside the reach: %+v", series)
			}
		}
		again, _ := read()
		if !reflect.DeepEqual(m, again) {
			t.Errorf("read twice: %+v and %+v", m, again)
		}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var back transparency.Monitor
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if text2, _ := json.Marshal(back); !bytes.Equal(text, text2) {
			t.Errorf("written and read again: %s became %s", text, text2)
		}
	})
}

// FuzzDashboard gives any bytes to the reader of dashboards: filling in variables leaves none of those that have a value, and
// the panels that are asked are some of those found.
func FuzzDashboard(f *testing.F) {
	for _, seed := range []string{
		`{"panels":[{"id":1,"title":"API errors","targets":[{"expr":"rate(x{cloud=\"$mycloud\"}[5m])"}]},{"type":"row","panels":[{"id":2,"targets":[{"select":[[{"type":"field","params":["duration"]}]]}]}]}]}`,
		`{"elements":{"a":{"spec":{"id":3,"title":"latency","data":{"spec":{"queries":[{"spec":{"query":{"group":"prometheus","spec":{"expr":"${mycloud:regex}"}}}}]}}}}}}`,
		`{"panels":[{"datasource":"default","targets":[null,{"hide":true},{"datasource":null,"query":"$$mycloud"}]}],"templating":{"list":[{"name":"mycloud","current":{"value":["a","b"]}}]}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var d dashboard
		if json.Unmarshal(data, &d) != nil {
			return
		}
		all := d.panels()
		chosen := choose(all)
		if len(chosen) > mostAsked || len(all) > mostPanels {
			t.Fatalf("%d of %d panels", len(chosen), len(all))
		}
		for _, p := range chosen {
			if !slices.ContainsFunc(all, func(o panel) bool { return reflect.DeepEqual(o, p) }) {
				t.Errorf("made up: %+v", p)
			}
		}
		for _, p := range all {
			for _, q := range p.targets {
				filled := q.fill(map[string]string{"mycloud": "plus"})
				if again := filled.fill(map[string]string{"mycloud": "plus"}); !bytes.Contains(data, []byte("$$")) && !reflect.DeepEqual(filled, again) {
					t.Errorf("filled twice: %v and %v", filled, again)
				}
				_ = filled.text()
			}
			_, _ = meaning(p), p.hasVariable()
		}
	})
}

// FuzzRedact: what was redacted once stays as it is, and no field that names a person is left.
func FuzzRedact(f *testing.F) {
	f.Add([]byte(`{"meta":{"createdBy":"x","version":1e400},"a":["b@example.org"],"n":12345678901234567890}`))
	f.Add([]byte(`<a href="mailto:x@example.org">`))
	f.Add([]byte(`{"a":1} {"b":2}`))
	f.Add([]byte(`{"a":{"createdBy":"x","b":"y@example.org"},"a":1,"c@example.org":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		once, err := redact(data)
		if err != nil {
			return
		}
		twice, err := redact(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%q became %q (%v)", once, twice, err)
		}
		if address().Match(once) {
			t.Errorf("an address is left in %q", once)
		}
	})
}

// FuzzCloudmon: flags are 0, 1 or 2 or what lies between, at moments that JSON can write.
func FuzzCloudmon(f *testing.F) {
	f.Add([]byte(`{"name":"ecs","metrics":[{"timestamp":1795000000,"weight":2},[1795000000,1],{"region":"a","datapoints":[[1,0],[1e300,1],[2,9],[3]]},null,7]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var answer cloudmonAnswer
		if json.Unmarshal(data, &answer) != nil {
			return
		}
		for _, p := range answer.points() {
			if _, err := json.Marshal(p.at); err != nil || p.value < 0 || p.value > 2 {
				t.Errorf("%+v: %v", p, err)
			}
		}
	})
}
