package transparency

import (
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

func TestWhatWasFoundIsSaidInWords(t *testing.T) {
	at := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	trouble := &audit.Trouble{Kind: audit.TroubleTimeout, Text: "too slow"}
	given := func(n int) audit.Fact[Contributions] {
		return audit.Known(Contributions{Commits: n, Newest: at})
	}
	for name, test := range map[string]struct {
		a      Artifact
		want   []string
		never  []string
		newest time.Time
	}{
		"a status page": {a: Artifact{StatusPage: &StatusPage{
			Components: []Component{{Name: "compute"}}, Incidents: []Incident{{Begin: at.Add(-time.Hour), End: at}, {Maintenance: true}}, IncidentsSeen: 9, SaysNone: true, HistoryFrom: at,
		}}, want: []string{"1 component, 1 incident and 1 maintenance", "(9 entries in all)", "history from 2026-11-20", "says that nothing is wrong"}, newest: at},
		"a status page whose list was read whole": {a: Artifact{StatusPage: &StatusPage{Incidents: []Incident{{Begin: at}}, IncidentsSeen: 1}},
			want: []string{"0 components, 1 incident and 0 maintenances"}, never: []string{"in all", "history", "nothing is wrong"}, newest: at},
		"reports": {a: Artifact{IncidentReports: &IncidentReports{Reports: []IncidentReport{{Published: at}}, Others: 3}},
			want: []string{"1 incident report", "3 other documents at the same place, not counted"}, newest: at},
		"a monitor": {a: Artifact{Monitor: &Monitor{Newest: at, Errors: Series{Values: 5, Days: 2, From: at, To: at}}},
			want: []string{"error rate: 2 days with samples, 2026-11-20 to 2026-11-20", "no series of response time"}, newest: at},
		"a signature":  {a: Artifact{OpenOperations: &OpenOperations{Signed: audit.Known("X")}}, want: []string{"names the operator: X"}, never: []string{"does not"}},
		"no signature": {a: Artifact{OpenOperations: &OpenOperations{Signed: audit.Known("")}}, want: []string{"does not name the operator"}},
		"contributions": {a: Artifact{OpenOperations: &OpenOperations{
			Repositories: []Contributed{{Count: given(2)}, {Count: given(0)}}, Upstreams: []Contributed{{Count: given(1)}, {}},
			Links: []CheckedLink{{}, {Trouble: trouble}, {Trouble: trouble}},
		}}, want: []string{"2 commits in 1 of 2 Open Operations repositories in twelve months", "1 commit in 1 of 1 deployed upstream projects in twelve months; 1 more could not be read",
			"1 of 3 declared links answer"}, newest: at},
		"repositories that nobody could read": {a: Artifact{OpenOperations: &OpenOperations{Repositories: []Contributed{{}, {}}}},
			want: []string{"none of 2 Open Operations repositories could be read"}, never: []string{"commit"}},
		"a place that could not be read": {a: Artifact{Runbooks: &Runbooks{Places: []Place{{URL: "https://git.example.org/x", Trouble: trouble}}}},
			want: []string{"too slow"}, never: []string{"licence"}},
		"a signed security.txt": {a: Artifact{SecurityTxt: &SecurityTxt{Signed: true, Expires: at, Problems: []string{"two expire lines"}}},
			want: []string{"expires 2026-11-20", "the signature was not verified", "two expire lines"}},
		"an SBOM": {a: Artifact{SBOM: &SBOMFacts{Format: "CycloneDX", Components: 2, Deployed: 4, Named: 3, Open: []string{"licence"}, Created: at}},
			want: []string{"CycloneDX, 2 components", "names 3 of 4", "lacks: licence"}, newest: at},
		"nothing": {a: Artifact{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(test.a.Found(), "\n")
			for _, want := range test.want {
				if !strings.Contains(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			for _, never := range test.never {
				if strings.Contains(got, never) {
					t.Errorf("got %q, and it must not say %q", got, never)
				}
			}
			if newest := test.a.Newest(); !newest.Equal(test.newest) {
				t.Errorf("the newest is of %s, want %s", newest, test.newest)
			}
		})
	}
}
