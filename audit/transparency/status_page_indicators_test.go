package transparency

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

var pageSeen = time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)

// pageRules are the numbers of the shipped profile, written here because this package cannot load it.
func pageRules() map[string]map[string]int {
	return map[string]map[string]int{
		"SP-01": {"components": 1},
		"SP-02": {"months": 12},
		"SP-03": {"months": 24, "share_bp": 9000, "outage_share_bp": 5000, "outage_minutes": 30},
		"SP-04": {"months": 24, "share_bp": 9000, "ahead_hours": 24},
		"SP-05": {"days": 90, "skew_minutes": 5, "outage_share_bp": 5000, "outage_minutes": 30},
		"SP-06": {"outage_share_bp": 5000, "outage_minutes": 30, "slack_minutes": 60, "publish_hours": 24, "unended_hours": 24, "entry_days": 14},
	}
}

func pageOf(p StatusPage) Artifact {
	return Artifact{
		Target: Target{Kind: KindStatusPage, URL: "https://status.example.org"}, StatusPage: &p,
		Seen: []audit.Seen{{URL: "https://status.example.org", At: pageSeen, Status: 200}},
	}
}

func watching(outages ...Outage) Artifact {
	return Artifact{
		Target: Target{Kind: KindMonitor, URL: "https://health.example.org"}, Seen: []audit.Seen{{URL: "https://health.example.org", At: pageSeen}},
		Monitor: &Monitor{Newest: pageSeen, Errors: Series{From: pageSeen.AddDate(0, -30, 0), To: pageSeen, Days: 900, Values: 1000}, Outages: outages},
	}
}

// askPages answers the indicators about status pages from artifacts.
func askPages(t *testing.T, artifacts ...Artifact) map[string]Measurement {
	t.Helper()
	out := map[string]Measurement{}
	rules := audit.TransparencyRules{Public: map[string][]string{"public": {KindStatusPage, KindMonitor}}, Indicators: map[string]audit.TransparencyRule{}}
	for id, numbers := range pageRules() {
		rules.Indicators[id] = audit.TransparencyRule{Numbers: numbers}
	}
	for _, i := range statusPageIndicators() {
		m := judgeOne(i, Evidence{Exposure: "public", Artifacts: artifacts}, Context{}, rules).Measurement
		if m.Reason == "" {
			t.Errorf("%s gives no reason", i.ID)
		}
		if m.Outcome == audit.FAIL && len(m.Settle) == 0 {
			t.Errorf("%s fails and does not say what would mend it", i.ID)
		}
		out[i.ID] = m
	}
	return out
}

func ago(days int) time.Time { return pageSeen.AddDate(0, 0, -days) }

func goodIncident(days int) Incident {
	return Incident{
		ID: fmt.Sprint("i", days), URL: fmt.Sprint("https://status.example.org/incidents/", days), Title: "Outage", Begin: ago(days),
		End: ago(days).Add(time.Hour), Components: []string{"Compute"}, Updates: 2,
	}
}

func goodMaintenance(days int) Incident {
	m := goodIncident(days)
	m.ID, m.Maintenance, m.Announced = "m"+m.ID, true, m.Begin.AddDate(0, 0, -7)
	return m
}

// goodPage passes everything.
func goodPage() StatusPage {
	return StatusPage{
		Title: "Example Cloud", Components: []Component{{Name: "Compute"}}, Complete: true, SaysNone: true, UpdatedAt: ago(3), Since: ago(900),
		HistoryFrom: ago(500), Incidents: []Incident{goodIncident(10), goodMaintenance(30), goodIncident(500)}, IncidentsSeen: 3,
	}
}

func outage(days, hours int) Outage {
	return Outage{Begin: ago(days), End: ago(days).Add(time.Duration(hours) * time.Hour), Share: 9000, What: "nova"}
}

func TestAnswersAboutStatusPages(t *testing.T) {
	with := func(change func(*StatusPage)) Artifact {
		p := goodPage()
		change(&p)
		return pageOf(p)
	}
	troubled := func(kind string, audit string) Artifact {
		return Artifact{Target: Target{Kind: kind}, Trouble: troubleOf(audit)}
	}
	clock := func(a Artifact, date time.Time) Artifact {
		a.Seen[0].Headers = map[string]string{"date": date.Format("Mon, 02 Jan 2006 15:04:05 GMT")}
		return a
	}
	handedOver := func(a Artifact) Artifact {
		a.Handed, a.URL, a.Region = true, "", "south"
		return a
	}
	goneFrom := func(address, trouble string) Artifact {
		return Artifact{Target: Target{Kind: KindStatusPage, URL: address, Region: "south"}, Trouble: troubleOf(trouble)}
	}
	young := func(p *StatusPage) {
		p.Since, p.HistoryFrom, p.Incidents = ago(100), ago(90), []Incident{goodIncident(90)}
	}
	lacking := func(p *StatusPage) {
		for n := range 5 {
			i := goodIncident(100 + n)
			i.Components, i.URL = nil, ""
			p.Incidents = append(p.Incidents, i)
		}
	}
	for _, test := range []struct {
		name, id  string
		want      audit.Outcome
		says      string
		artifacts []Artifact
	}{
		{"named", "SP-01", audit.PASS, "1 components", []Artifact{pageOf(goodPage())}},
		{"no components", "SP-01", audit.FAIL, "0 components", []Artifact{with(func(p *StatusPage) { p.Components = nil })}},
		{"a component without a name", "SP-01", audit.FAIL, "0 components", []Artifact{with(func(p *StatusPage) { p.Components = []Component{{ID: "1", Name: " "}} })}},
		{"a feed", "SP-01", audit.DNF, "cannot show components", []Artifact{with(func(p *StatusPage) { p.Components, p.Hides = nil, []string{PartComponents} })}},
		{"login", "SP-01", audit.FAIL, "login", []Artifact{troubled(KindStatusPage, audit.TroubleLogin)}},
		{"robots", "SP-01", audit.MISS, "", []Artifact{troubled(KindStatusPage, audit.TroubleRobots)}},
		{"one of two regions has none", "SP-01", audit.FAIL, "https://status.example.org: it names 0", []Artifact{pageOf(goodPage()), with(func(p *StatusPage) { p.Components = nil })}},

		{"long history", "SP-02", audit.PASS, "2024-06-09", []Artifact{pageOf(goodPage())}},
		{"a page that is younger and says so", "SP-02", audit.FAIL, "exists since 2026-08-18", []Artifact{with(young)}},
		{"a young history of a page of unknown age", "SP-02", audit.DNF, "nothing says whether", []Artifact{with(func(p *StatusPage) { young(p); p.Since = time.Time{} })}},
		{"few incidents on an old page", "SP-02", audit.PASS, "reaches back to 2024-", []Artifact{with(func(p *StatusPage) { young(p); p.Since = ago(800) })}},
		{"the newest 50 are younger", "SP-02", audit.DNF, "the newest 50", []Artifact{with(func(p *StatusPage) { young(p); p.Complete, p.Shows = false, "the newest 50" })}},
		{"the newest 50 reach back", "SP-02", audit.PASS, "2025-07-14", []Artifact{with(func(p *StatusPage) { p.Complete, p.Since = false, time.Time{} })}},
		{"no entry", "SP-02", audit.DNF, "no entry", []Artifact{with(func(p *StatusPage) { p.Incidents, p.HistoryFrom, p.Since = nil, time.Time{}, time.Time{} })}},

		{"complete", "SP-03", audit.PASS, "2 of 2", []Artifact{pageOf(goodPage())}},
		{"open ones need no end", "SP-03", audit.PASS, "2 of 2", []Artifact{with(func(p *StatusPage) { p.Incidents[0].End, p.Incidents[0].Open = time.Time{}, true })}},
		{"without component and address", "SP-03", audit.FAIL, "5 without affected component, 5 without permanent address", []Artifact{with(lacking)}},
		{"without end", "SP-03", audit.FAIL, "1 without end", []Artifact{with(func(p *StatusPage) { p.Incidents[0].End = time.Time{} })}},
		{"without update", "SP-03", audit.FAIL, "1 without update", []Artifact{with(func(p *StatusPage) { p.Incidents[0].Updates = 0 })}},
		{"a feed shows no ends", "SP-03", audit.DNF, "cannot be read", []Artifact{with(func(p *StatusPage) { p.Incidents[0].End, p.Hides = time.Time{}, []string{PartEnd} })}},
		{"an odd begin", "SP-03", audit.DNF, "cannot be read", []Artifact{with(func(p *StatusPage) { p.Incidents[0].Begin, p.Incidents[0].Unread = time.Time{}, []string{PartBegin} })}},
		{"old ones are only listed", "SP-03", audit.PASS, "only listed", []Artifact{with(func(p *StatusPage) { p.Incidents = append(p.Incidents, Incident{Begin: ago(400), Listed: true}) })}},
		{"none, in its own words", "SP-03", audit.NA, "nothing to judge", []Artifact{with(func(p *StatusPage) { p.Incidents = nil })}},
		{"none, and the monitor contradicts", "SP-03", audit.DNF, "the monitor shows errors", []Artifact{with(func(p *StatusPage) { p.Incidents = nil }), watching(outage(5, 2))}},
		{"none, without a word", "SP-03", audit.DNF, "does not say", []Artifact{with(func(p *StatusPage) { p.Incidents, p.SaysNone = nil, false })}},

		{"announced", "SP-04", audit.PASS, "1 of 1", []Artifact{pageOf(goodPage())}},
		{"not announced", "SP-04", audit.FAIL, "0 of 1", []Artifact{with(func(p *StatusPage) { p.Incidents[1].Announced = p.Incidents[1].Begin.Add(-time.Hour) })}},
		{"announcement hidden", "SP-04", audit.DNF, "cannot be read", []Artifact{with(func(p *StatusPage) { p.Incidents[1].Announced, p.Hides = time.Time{}, []string{PartAnnounced} })}},
		{"none on a page that shows all", "SP-04", audit.NA, "no maintenance", []Artifact{with(func(p *StatusPage) { p.Incidents = p.Incidents[:1] })}},
		{"none, and only incidents are cut", "SP-04", audit.NA, "no maintenance", []Artifact{with(func(p *StatusPage) {
			p.Incidents, p.Complete, p.AllMaintenances = p.Incidents[:1], false, true
		})}},
		{"none on a page that shows a part", "SP-04", audit.DNF, "does not mean", []Artifact{with(func(p *StatusPage) { p.Incidents, p.Complete = p.Incidents[:1], false })}},

		{"current", "SP-05", audit.PASS, "2026-11-23", []Artifact{pageOf(goodPage())}},
		{"stale", "SP-05", audit.FAIL, "2026-04-", []Artifact{with(func(p *StatusPage) { p.UpdatedAt, p.SaysNone = ago(220), false })}},
		{"stale, says none, nobody to ask", "SP-05", audit.PASS, "no monitor is there to ask", []Artifact{with(func(p *StatusPage) { p.UpdatedAt = ago(220) })}},
		{"stale, says none, the monitor agrees", "SP-05", audit.PASS, "shows no errors", []Artifact{with(func(p *StatusPage) { p.UpdatedAt = ago(220) }), watching(outage(150, 2))}},
		{"stale, says none, the monitor contradicts", "SP-05", audit.FAIL, "the monitor shows errors from 2026-11-16", []Artifact{with(func(p *StatusPage) { p.UpdatedAt = ago(220) }), watching(outage(10, 2))}},
		{"stale, says none, the monitor is silent", "SP-05", audit.DNF, "cannot be read", []Artifact{with(func(p *StatusPage) { p.UpdatedAt = ago(220) }), troubled(KindMonitor, audit.TroubleTimeout)}},
		{"stale, says none, no monitor was named", "SP-05", audit.PASS, "no monitor", []Artifact{with(func(p *StatusPage) { p.UpdatedAt = ago(220) }), troubled(KindMonitor, audit.TroubleNotNamed)}},
		{"undated, without a word", "SP-05", audit.FAIL, "nothing on it has a date", []Artifact{with(func(p *StatusPage) { p.UpdatedAt, p.SaysNone = time.Time{}, false })}},
		{"dates that cannot be read", "SP-05", audit.DNF, "not every date", []Artifact{with(func(p *StatusPage) {
			p.UpdatedAt, p.SaysNone, p.Incidents[0].Unread = time.Time{}, false, []string{PartBegin}
		})}},
		{"a stale feed", "SP-05", audit.DNF, "cannot say whether", []Artifact{with(func(p *StatusPage) {
			p.Components, p.Hides, p.UpdatedAt, p.SaysNone = nil, []string{PartComponents}, ago(220), false
		})}},
		{"empty but fresh", "SP-05", audit.FAIL, "empty", []Artifact{pageOf(StatusPage{UpdatedAt: ago(0), SaysNone: true, Complete: true})}},
		{"from the future", "SP-05", audit.DNF, "ahead of the clock", []Artifact{with(func(p *StatusPage) { p.UpdatedAt = ago(-1) })}},
		{"five minutes of skew", "SP-05", audit.PASS, "", []Artifact{with(func(p *StatusPage) { p.UpdatedAt = pageSeen.Add(4 * time.Minute) })}},
		{"the clock of the server is ahead like its dates", "SP-05", audit.PASS, "", []Artifact{clock(with(func(p *StatusPage) { p.UpdatedAt = ago(-1) }), ago(-2))}},
		{"a stored answer of last year", "SP-05", audit.FAIL, "its newest date", []Artifact{clock(with(func(p *StatusPage) { p.UpdatedAt, p.SaysNone = ago(400), false }), ago(399))}},
		{"the clock of the server hides age", "SP-05", audit.FAIL, "", []Artifact{clock(with(func(p *StatusPage) { p.UpdatedAt, p.SaysNone = ago(80), false }), ago(-20))}},

		{"every outage has an entry", "SP-06", audit.PASS, "each of 1", []Artifact{pageOf(goodPage()), watching(outage(10, 2))}},
		{"an entry within the slack", "SP-06", audit.PASS, "each of 1", []Artifact{pageOf(goodPage()), watching(Outage{Begin: ago(10).Add(90 * time.Minute), End: ago(10).Add(3 * time.Hour), Share: 9000})}},
		{"a maintenance explains it", "SP-06", audit.PASS, "each of 1", []Artifact{pageOf(goodPage()), watching(outage(30, 1))}},
		{"an outage without entry", "SP-06", audit.FAIL, "2026-11-06T08:00:00Z to 2026-11-06T10:00:00Z (nova)", []Artifact{pageOf(goodPage()), watching(outage(10, 2), outage(20, 2))}},
		{"an incident that stays open for ever", "SP-06", audit.FAIL, "have no entry", []Artifact{with(func(p *StatusPage) {
			p.Incidents = []Incident{{ID: "old", Begin: ago(300), Open: true}}
		}), watching(outage(20, 2))}},
		{"a maintenance of a year", "SP-06", audit.FAIL, "have no entry", []Artifact{with(func(p *StatusPage) {
			p.Incidents = []Incident{{ID: "old", Begin: ago(300), End: ago(-65), Maintenance: true}}
		}), watching(outage(20, 2))}},
		{"an incident that is open for days", "SP-06", audit.PASS, "each of 1", []Artifact{with(func(p *StatusPage) {
			p.Incidents = []Incident{{ID: "new", Begin: ago(22), Open: true}}
		}), watching(outage(20, 2))}},
		{"a blip", "SP-06", audit.PASS, "no errors that ask", []Artifact{pageOf(goodPage()), watching(Outage{Begin: ago(20), End: ago(20).Add(10 * time.Minute), Share: 10000})}},
		{"few calls", "SP-06", audit.PASS, "no errors that ask", []Artifact{pageOf(goodPage()), watching(Outage{Begin: ago(20), End: ago(19), Share: 400})}},
		{"an outage of just now", "SP-06", audit.PASS, "no errors that ask", []Artifact{pageOf(goodPage()), watching(outage(0, 0), Outage{Begin: pageSeen.Add(-3 * time.Hour), End: pageSeen, Share: 10000})}},
		{"before what the page shows", "SP-06", audit.DNF, "cannot be read", []Artifact{with(func(p *StatusPage) { p.Complete, p.HistoryFrom = false, ago(15) }), watching(outage(20, 2))}},
		{"a monitor that was handed over", "SP-06", audit.MISS, "handed over", []Artifact{pageOf(goodPage()), handedOver(watching())}},
		{"one of two monitors cannot be read", "SP-06", audit.DNF, "could not be read", []Artifact{pageOf(goodPage()), watching(), {Target: Target{Kind: KindMonitor, Region: "south"}, Trouble: troubleOf(audit.TroubleTimeout)}}},
		{"the page of one region is gone", "SP-01", audit.FAIL, "https://south.example.org", []Artifact{pageOf(goodPage()), goneFrom("https://south.example.org", audit.TroubleNotFound)}},
		{"the page of one region asks for a login", "SP-05", audit.FAIL, "https://south.example.org", []Artifact{pageOf(goodPage()), goneFrom("https://south.example.org", audit.TroubleLogin)}},
		{"what the page of one region shows", "SP-03", audit.MISS, "https://south.example.org", []Artifact{pageOf(goodPage()), goneFrom("https://south.example.org", audit.TroubleLogin)}},
		{"the page of one region is too slow", "SP-02", audit.DNF, "https://south.example.org", []Artifact{pageOf(goodPage()), goneFrom("https://south.example.org", audit.TroubleTimeout)}},
		{"the page of one region was handed over", "SP-01", audit.MISS, "handed over", []Artifact{pageOf(goodPage()), handedOver(pageOf(goodPage()))}},
		{"no monitor", "SP-06", audit.MISS, "nobody said", []Artifact{pageOf(goodPage())}},
		{"the monitor asks for a login", "SP-06", audit.MISS, "could not be read", []Artifact{pageOf(goodPage()), troubled(KindMonitor, audit.TroubleLogin)}},
		{"the monitor is too slow", "SP-06", audit.DNF, "could not be read", []Artifact{pageOf(goodPage()), troubled(KindMonitor, audit.TroubleTimeout)}},
		{"the monitor shows no errors series", "SP-06", audit.DNF, "no error rates", []Artifact{pageOf(goodPage()), {Target: Target{Kind: KindMonitor}, Monitor: &Monitor{Newest: pageSeen}}}},
	} {
		t.Run(test.id+" "+test.name, func(t *testing.T) {
			got := askPages(t, test.artifacts...)[test.id]
			if got.Outcome != test.want || !strings.Contains(got.Reason, test.says) {
				t.Errorf("want %v %q, got %v %q", test.want, test.says, got.Outcome, got.Reason)
			}
		})
	}
}

func troubleOf(kind string) *audit.Trouble {
	return &audit.Trouble{Kind: kind, Text: "the page asks for a login or the like", Settle: "open it"}
}

func pageIDs() []string { return []string{"SP-01", "SP-02", "SP-03", "SP-04", "SP-05", "SP-06"} }

func TestAnEmptyPageNeverPasses(t *testing.T) {
	for _, p := range []StatusPage{
		{}, {Title: "Status", UpdatedAt: ago(0)}, {SaysNone: true, Complete: true, UpdatedAt: ago(0), Since: ago(900), HistoryFrom: ago(900)},
	} {
		for _, monitor := range [][]Artifact{nil, {watching()}, {watching(outage(20, 5))}} {
			for id, got := range askPages(t, append(monitor, pageOf(p))...) {
				if got.Outcome == audit.PASS || got.Outcome == audit.NA {
					t.Errorf("%s: %v %q", id, got.Outcome, got.Reason)
				}
			}
		}
	}
}

// gradePage orders answers: what does not apply is as good as what passes.
func gradePage(o audit.Outcome) int {
	switch o {
	case audit.PASS, audit.NA:
		return 2
	case audit.FAIL:
		return 0
	}
	return 1
}

// TestMoreIncidentsNeverWorsenAnAnswer adds complete incidents and announced maintenances to any page. A page that shows only a
// part gets them within what it shows: where it suddenly reached further back, errors of that time could be compared at last.
func TestMoreIncidentsNeverWorsenAnAnswer(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 11))
	for range 3000 {
		p := randomPage(random)
		rest := randomMonitors(random)
		more := p
		more.Incidents = append([]Incident(nil), p.Incidents...)
		for range 1 + random.IntN(8) {
			i := goodIncident(random.IntN(700))
			if random.IntN(3) == 0 {
				i = goodMaintenance(random.IntN(700))
			} else if random.IntN(6) == 0 {
				i.Open, i.End = true, time.Time{}
			}
			if !p.Complete && i.Begin.Before(p.HistoryFrom) {
				continue
			}
			more.Incidents = append(more.Incidents, i)
			more.IncidentsSeen++
			if more.HistoryFrom.IsZero() || i.Begin.Before(more.HistoryFrom) {
				more.HistoryFrom = i.Begin
			}
			if i.Begin.After(more.UpdatedAt) && !more.UpdatedAt.After(pageSeen) {
				more.UpdatedAt = i.Begin
			}
		}
		before, after := askPages(t, append(rest, pageOf(p))...), askPages(t, append(rest, pageOf(more))...)
		for _, id := range pageIDs() {
			before, after := before[id], after[id]
			if gradePage(after.Outcome) < gradePage(before.Outcome) {
				t.Fatalf("%s: %v (%s) became %v (%s)\nbefore %+v\nafter %+v", id, before.Outcome, before.Reason, after.Outcome, after.Reason, p, more)
			}
		}
	}
}

// TestKnockingAFactOutNeverGivesAPass takes one fact away from any page, or says that it cannot be read.
func TestKnockingAFactOutNeverGivesAPass(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 5))
	knocks := map[string]func(*StatusPage){
		"components": func(p *StatusPage) { p.Components = nil },
		"begin":      func(p *StatusPage) { eachIncident(p, func(i *Incident) { i.Begin = time.Time{} }) },
		"end":        func(p *StatusPage) { eachIncident(p, func(i *Incident) { i.End = time.Time{} }) },
		"affected":   func(p *StatusPage) { eachIncident(p, func(i *Incident) { i.Components = nil }) },
		"updates":    func(p *StatusPage) { eachIncident(p, func(i *Incident) { i.Updates = 0 }) },
		"url":        func(p *StatusPage) { eachIncident(p, func(i *Incident) { i.URL = "" }) },
		"announced":  func(p *StatusPage) { eachIncident(p, func(i *Incident) { i.Announced = time.Time{} }) },
		"unread": func(p *StatusPage) {
			eachIncident(p, func(i *Incident) { i.Components, i.Unread = nil, []string{PartComponents} })
		},
		"says none":    func(p *StatusPage) { p.SaysNone = false },
		"history":      func(p *StatusPage) { p.HistoryFrom = time.Time{} },
		"since":        func(p *StatusPage) { p.Since = time.Time{} },
		"completeness": func(p *StatusPage) { p.Complete = false },
		"hidden": func(p *StatusPage) {
			p.Hides = []string{PartComponents, PartEnd, PartUpdates, PartAnnounced, PartMaintenance}
			eachIncident(p, func(i *Incident) { i.Components, i.End, i.Updates, i.Announced = nil, time.Time{}, 0, time.Time{} })
		},
		"everything": func(p *StatusPage) { *p = StatusPage{} },
	}
	for range 2000 {
		p := randomPage(random)
		rest := randomMonitors(random)
		before := askPages(t, append(rest, pageOf(p))...)
		for name, knock := range knocks {
			less := p
			less.Incidents = append([]Incident(nil), p.Incidents...)
			knock(&less)
			after := askPages(t, append(rest, pageOf(less))...)
			for _, id := range pageIDs() {
				before, after := before[id], after[id]
				if before.Outcome != audit.PASS && after.Outcome == audit.PASS {
					t.Fatalf("%s without %s: %v (%s) became %v (%s)\nfrom %+v", id, name, before.Outcome, before.Reason, after.Outcome, after.Reason, p)
				}
			}
		}
	}
}

func eachIncident(p *StatusPage, change func(*Incident)) {
	for n := range p.Incidents {
		change(&p.Incidents[n])
	}
}

func randomPage(random *rand.Rand) StatusPage {
	p := goodPage()
	p.Incidents = nil
	for range random.IntN(6) {
		i := goodIncident(random.IntN(900))
		if random.IntN(3) == 0 {
			i = goodMaintenance(random.IntN(900))
		}
		switch random.IntN(8) {
		case 0:
			i.Components = nil
		case 1:
			i.End = time.Time{}
		case 2:
			i.Begin = time.Time{}
		case 3:
			i.Announced = i.Begin
		case 4:
			i.URL, i.Unread = "", []string{PartURL}
		}
		p.Incidents = append(p.Incidents, i)
	}
	p.IncidentsSeen = len(p.Incidents)
	p.HistoryFrom, p.UpdatedAt, p.Since = ago(random.IntN(700)), ago(random.IntN(300)), ago(random.IntN(700))
	p.Complete, p.SaysNone = random.IntN(2) == 0, random.IntN(2) == 0
	switch random.IntN(5) {
	case 0:
		p.Components = nil
	case 1:
		p.Since = time.Time{}
	case 2:
		p.UpdatedAt = time.Time{}
	case 3:
		p.Hides = []string{PartComponents, PartEnd}
	}
	return p
}

func randomMonitors(random *rand.Rand) []Artifact {
	switch random.IntN(4) {
	case 0:
		return nil
	case 1:
		return []Artifact{{Target: Target{Kind: KindMonitor}, Trouble: troubleOf(audit.TroubleTimeout)}}
	}
	var outages []Outage
	for range random.IntN(3) {
		outages = append(outages, outage(random.IntN(60), random.IntN(5)))
	}
	return []Artifact{watching(outages...)}
}

func TestTheOrderOfPagesAndIncidentsDoesNotMatter(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 17))
	for range 500 {
		p := randomPage(random)
		other := randomPage(random)
		rest := randomMonitors(random)
		shuffled := p
		shuffled.Incidents = append([]Incident(nil), p.Incidents...)
		random.Shuffle(len(shuffled.Incidents), func(a, b int) {
			shuffled.Incidents[a], shuffled.Incidents[b] = shuffled.Incidents[b], shuffled.Incidents[a]
		})
		first := askPages(t, append(rest, pageOf(p), pageOf(other))...)
		second := askPages(t, append(rest, pageOf(other), pageOf(shuffled))...)
		for _, id := range pageIDs() {
			a, b := first[id], second[id]
			if a.Outcome != b.Outcome {
				t.Fatalf("%s: %v (%s) or %v (%s)", id, a.Outcome, a.Reason, b.Outcome, b.Reason)
			}
		}
	}
}
