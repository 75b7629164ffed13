package conformance

import (
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
)

func TestAConformanceRunIsOneOfSeveralTestsAndNeverTheWhole(t *testing.T) {
	seen := []audit.Seen{{URL: "https://runs.example.org/", At: now}}
	run := func(layer string, failures int) Entry {
		r := KubernetesRun{Results: Results{Failures: failures, RanAt: now.AddDate(0, -1, 0)}}
		return Entry{Target: Target{Kind: KindKubernetes, Layer: layer}, Seen: seen, Kubernetes: &r}
	}
	old := run("kaas", 1)
	old.Kubernetes.Results.RanAt = now.AddDate(-3, 0, 0)
	report := source(t, KindReport, "kaas", "green", audit.PASS)
	for name, c := range map[string]struct {
		entries []Entry
		want    audit.Outcome
		says    string
	}{
		"alone":                            {[]Entry{run("kaas", 0)}, audit.MISS, "as one of several tests"},
		"failed":                           {[]Entry{run("kaas", 1)}, audit.FAIL, "conformance test failed"},
		"failed beside a report that says": {[]Entry{report, run("kaas", 1)}, audit.FAIL, "contradict"},
		"failed on another layer":          {[]Entry{report, run("iaas", 1)}, audit.PASS, "3 of 3"},
		"failed three years ago":           {[]Entry{report, old}, audit.PASS, "3 of 3"},
		"beside a report that passes":      {[]Entry{report, run("kaas", 0)}, audit.PASS, "beside it, as one of several tests"},
	} {
		if got := Judge(Evidence{Entries: c.entries}, "kaas", now).Tests; got.Outcome != c.want || !strings.Contains(got.Reason, c.says) {
			t.Errorf("%s: got %s %q, want %s %q", name, got.Outcome, got.Reason, c.want, c.says)
		}
	}
}
