package statuspage

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

const many = 100_000

// manySCS is what the SCS status page API answers with 10^5 incidents of 24 months, in one document.
func manySCS() []byte {
	var b strings.Builder
	b.WriteString(`{"data":[`)
	begin := at.AddDate(0, -24, 0)
	step := at.Sub(begin) / many
	for i := range many {
		if i > 0 {
			b.WriteByte(',')
		}
		from := begin.Add(time.Duration(i) * step)
		fmt.Fprintf(&b, `{"id":"00000000-0000-4000-8000-%012d","displayName":"Incident %d","description":"Some of the calls to the API failed for a while; the cause is being looked into.","beganAt":%q,"endedAt":%q,"phase":{"generation":1,"order":4},"affects":[{"type":"t","reference":"c1","severity":66}],"updates":[0,1,2]}`,
			i, i, from.Format(time.RFC3339), from.Add(time.Hour).Format(time.RFC3339))
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}

// answerer answers from memory, so that what is measured is the reading.
func answerer(bodies map[string][]byte) audit.Ask {
	return func(_ context.Context, r audit.Request) audit.Answer {
		ref := strings.TrimPrefix(r.URL, "https://status.example.org")
		ref, _, _ = strings.Cut(ref, "?")
		answer := audit.Answer{Seen: audit.Seen{URL: r.URL, At: at, Status: 200}}
		body, ok := bodies[ref]
		if !ok {
			answer.Trouble = &audit.Trouble{Kind: audit.TroubleNotFound, Text: "there is nothing (404)"}
			return answer
		}
		if int64(len(body)) > r.Limit {
			answer.Trouble = &audit.Trouble{Kind: audit.TroubleTooLarge, Text: "too large"}
			return answer
		}
		if body, err := r.Redact(body); err == nil {
			answer.Body = body
		}
		return answer
	}
}

func manyBodies() map[string][]byte {
	return map[string][]byte{
		"/components": []byte(`{"data":[{"id":"c1","displayName":"Compute","activelyAffectedBy":[]}]}`),
		"/incidents":  manySCS(),
	}
}

func TestAHundredThousandIncidentsAreCountedAndTheNewestKept(t *testing.T) {
	world := transparency.World{Ask: answerer(manyBodies()), At: at}
	artifact := Collect(t.Context(), transparency.Target{URL: "https://status.example.org"}, world)
	page := page1(t, artifact)
	if page.IncidentsSeen != many || len(page.Incidents) != keptIncidents {
		t.Errorf("seen %d, kept %d, want %d and %d", page.IncidentsSeen, len(page.Incidents), many, keptIncidents)
	}
	if newest := page.Incidents[0]; newest.Title != "Incident 99999" {
		t.Errorf("newest is %q", newest.Title)
	}
	if got := page.HistoryFrom; !got.Equal(at.AddDate(0, -24, 0)) {
		t.Errorf("history reaches to %v", got)
	}
	if !strings.Contains(strings.Join(artifact.Notes, " "), "the newest 2000") {
		t.Errorf("notes %q", artifact.Notes)
	}
}

// BenchmarkIncidents reads 10^5 incidents in one document. Beside time and allocations it reports the bytes of the answer, and
// what is held when it was read, without these bytes.
func BenchmarkIncidents(b *testing.B) {
	bodies := manyBodies()
	world := transparency.World{Ask: answerer(bodies), At: at}
	b.SetBytes(int64(len(bodies["/incidents"])))
	b.ReportAllocs()
	var before, after runtime.MemStats
	var artifact transparency.Artifact
	runtime.GC()
	runtime.ReadMemStats(&before)
	for b.Loop() {
		artifact = Collect(b.Context(), transparency.Target{URL: "https://status.example.org"}, world)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(len(bodies["/incidents"])), "answer-bytes")
	b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc)), "held-bytes")
	if artifact.StatusPage == nil || artifact.StatusPage.IncidentsSeen != many {
		b.Fatalf("%+v", artifact.Trouble)
	}
	runtime.KeepAlive(bodies)
}
