package statuspage

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// TestABusierCloudIsNotWorseOff serves the same page with ever more complete incidents over the same 13 months, past every bound
// of its software: no answer may get worse.
func TestABusierCloudIsNotWorseOff(t *testing.T) {
	const days = 395
	when := func(i, n int) (begin, end string) {
		from := at.AddDate(0, 0, -1).Add(-time.Duration(i*days*24*60/max(n-1, 1)) * time.Minute)
		return from.Format(time.RFC3339), from.Add(20 * time.Minute).Format(time.RFC3339)
	}
	for name, serve := range map[string]func(a answers, n int){
		"statuspage": func(a answers, n int) {
			one := func(i int) string {
				begin, end := when(i, n)
				return fmt.Sprintf(`{"id":"i%d","name":"I","status":"resolved","impact":"minor","created_at":%q,"resolved_at":%q,"components":[{"name":"Compute"}],"incident_updates":[{"status":"resolved","created_at":%q}]}`, i, begin, end, end)
			}
			a["/api/v2/incidents.json"] = `{"incidents":` + listOf(min(n, statuspageList), one) + `}`
			a["/api/v2/scheduled-maintenances.json"] = `{"scheduled_maintenances":[]}`
			a["/api/v2/summary.json"] = strings.Replace(a["/api/v2/summary.json"], `"scheduled_maintenances":[`, `"scheduled_maintenances":[],"other":[`, 1)
			for page := 1; page <= 5; page++ { // three months each
				months := listOf(3, func(m int) string {
					month := at.AddDate(0, -(page-1)*3-m, 0)
					return fmt.Sprintf(`{"name":"M","year":%d,"incidents":[{"code":"h%d-%d","name":"I","impact":"minor","timestamp":"%s <var data-var='date'>1</var>, <var data-var='time'>05:00</var> UTC"}]}`,
						month.Year(), page, m, month.Format("Jan"))
				})
				a[fmt.Sprintf("/history.json?page=%d", page)] = `{"months":` + months + `}`
			}
		},
		"scs": func(a answers, n int) {
			for ref := range a {
				if strings.HasPrefix(ref, "/incidents?") {
					a[ref] = `{"data":` + listOf(n, func(i int) string {
						begin, end := when(i, n)
						return fmt.Sprintf(`{"id":"i%d","displayName":"I","beganAt":%q,"endedAt":%q,"affects":[{"reference":"7fecf595-6352-4906-a0d8-b3243ee62ec8","severity":66}],"updates":[0]}`, i, begin, end)
					}) + `}`
				}
			}
		},
		"cachet2": func(a answers, n int) {
			pages := (n + 99) / 100
			delete(a, "/api/v1/incidents?per_page=100&sort=id&order=desc")
			for page := 1; page <= pages; page++ {
				ref := "/api/v1/incidents?per_page=100&sort=id&order=desc"
				if page > 1 {
					ref += fmt.Sprintf("&page=%d", page)
				}
				a[ref] = fmt.Sprintf(`{"meta":{"pagination":{"total_pages":%d}},"data":%s}`, pages, listOf(min(100, n-(page-1)*100), func(i int) string {
					begin, end := when((page-1)*100+i, n)
					return fmt.Sprintf(`{"id":%d,"component_id":1,"name":"I","status":4,"occurred_at":%q,"created_at":%q,"updated_at":%q,"permalink":"{{base}}/incidents/%d"}`, n-(page-1)*100-i, begin, begin, end, i)
				}))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := map[string]audit.Outcome{}
			for _, n := range []int{2, 10, 49, 50, 120, 5000} {
				a, _ := recorded(t, name)
				serve(a, n)
				artifact := collect(t, a, "", "")
				page1(t, artifact)
				for id, got := range judged(artifact) {
					if worse, ok := before[id]; ok && grade(got.Outcome) < grade(worse) {
						t.Errorf("%s with %d incidents: %v became %v (%s)", id, n, worse, got.Outcome, got.Reason)
					}
					before[id] = got.Outcome
				}
			}
			for _, id := range []string{"SP-01", "SP-02", "SP-03", "SP-05", "SP-06"} {
				if before[id] != audit.PASS {
					t.Errorf("%s: %v", id, before[id])
				}
			}
		})
	}
}

// judged answers the indicators about a page, beside a monitor that shows nothing wrong.
func judged(page transparency.Artifact) map[string]transparency.Result {
	rules := audit.TransparencyRules{Indicators: map[string]audit.TransparencyRule{
		"SP-01": {Numbers: map[string]int{"components": 1}},
		"SP-02": {Numbers: map[string]int{"months": 12}},
		"SP-03": {Numbers: map[string]int{"months": 24, "share_bp": 9000}},
		"SP-04": {Numbers: map[string]int{"months": 24, "share_bp": 9000, "ahead_hours": 24}},
		"SP-05": {Numbers: map[string]int{"days": 90, "skew_minutes": 5}},
		"SP-06": {Numbers: map[string]int{"outage_share_bp": 5000, "outage_minutes": 30, "slack_minutes": 60, "publish_hours": 24, "unended_hours": 24}},
	}}
	monitor := transparency.Artifact{
		Target: transparency.Target{Kind: transparency.KindMonitor}, Seen: []audit.Seen{{At: at}},
		Monitor: &transparency.Monitor{Errors: transparency.Series{From: at.AddDate(0, -1, 0), To: at, Days: 30, Values: 30}},
	}
	out := map[string]transparency.Result{}
	e := transparency.Evidence{Exposure: "public", Artifacts: []transparency.Artifact{page, monitor}}
	for _, r := range transparency.Judge(e, transparency.Context{}, rules) {
		if _, ours := rules.Indicators[r.Indicator.ID]; ours {
			out[r.Indicator.ID] = r
		}
	}
	return out
}

func grade(o audit.Outcome) int {
	switch o {
	case audit.PASS, audit.NA:
		return 2
	case audit.FAIL:
		return 0
	}
	return 1
}
