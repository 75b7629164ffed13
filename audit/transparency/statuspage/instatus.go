package statuspage

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Instatus (instatus.com/help/api/public-data): /v3/summary.json (older pages: /summary.json) has the state and what is open,
// /v3/components.json the components (an object now, once a bare list), /history.rss what was. Moments are JavaScript's own
// text on older pages, RFC 3339 on newer ones.

type instatusSummary struct {
	Page struct {
		Name   text `json:"name"`
		URL    text `json:"url"`
		Status text `json:"status"`
	} `json:"page"`
	Incidents list[struct {
		ID      text  `json:"id"`
		Name    text  `json:"name"`
		Started stamp `json:"started"`
		Status  text  `json:"status"`
		Impact  text  `json:"impact"`
		URL     text  `json:"url"`
		Updated stamp `json:"updatedAt"`
	}] `json:"activeIncidents"`
	Maintenances list[struct {
		ID       text  `json:"id"`
		Name     text  `json:"name"`
		Start    stamp `json:"start"`
		Status   text  `json:"status"`
		Duration text  `json:"duration"` // minutes
		URL      text  `json:"url"`
		Updated  stamp `json:"updatedAt"`
	}] `json:"activeMaintenances"`
}

type instatusComponent struct {
	ID     text `json:"id"`
	Name   text `json:"name"`
	Status text `json:"status"`
}

func readInstatus(ctx context.Context, l *look, p *page) *audit.Trouble {
	var s instatusSummary
	source := l.join("/v3/summary.json")
	trouble := l.json(ctx, source, &s)
	if trouble != nil || s.Page.Status == "" {
		s = instatusSummary{}
		source = l.join("/summary.json")
		if trouble = l.json(ctx, source, &s); trouble != nil {
			return trouble
		}
	}
	if s.Page.Name == "" || s.Page.Status == "" || s.Page.Status != text(strings.ToUpper(string(s.Page.Status))) {
		return other(source)
	}
	l.known()
	p.out.Title = string(s.Page.Name)
	instatusComponents(ctx, l, p)
	p.out.SaysNone = s.Page.Status == "UP" && len(p.out.Components) > 0
	p.hides(transparency.PartComponents, transparency.PartUpdates, transparency.PartEnd, transparency.PartAnnounced)
	for _, i := range s.Incidents.items {
		p.event(i.Updated.Time)
		p.incident(transparency.Incident{
			ID: string(i.URL), URL: string(i.URL), Title: string(i.Name), Begin: i.Started.Time, Open: i.Status != "RESOLVED",
			Impact: string(i.Impact), Severity: severityOf(string(i.Impact), false),
			Unread: unread(part{transparency.PartBegin, i.Started}),
		})
	}
	for _, m := range s.Maintenances.items {
		p.event(m.Updated.Time)
		out := transparency.Incident{
			ID: string(m.URL), URL: string(m.URL), Title: string(m.Name), Begin: m.Start.Time, Open: m.Status != "COMPLETED", Maintenance: true,
			Severity: severityOf("", true), Unread: unread(part{transparency.PartBegin, m.Start}),
		}
		if minutes, err := strconv.Atoi(string(m.Duration)); err == nil && minutes > 0 && minutes < 1<<20 && !m.Start.IsZero() {
			out.End = m.Start.Add(time.Duration(minutes) * time.Minute)
		}
		p.incident(out)
	}
	history := l.join("/history.rss")
	if trouble := feedInto(ctx, l, p, history); trouble != nil {
		l.incomplete("the history", trouble)
	}
	p.out.Shows = "what is open, and the newest entries of its feed"
	return nil
}

// instatusComponents reads the components, in the shape of either version.
func instatusComponents(ctx context.Context, l *look, p *page) {
	for _, ref := range []string{"/v3/components.json", "/v2/components.json", "/components.json"} {
		answer := l.get(ctx, l.join(ref), typeJSON, mostPage)
		if answer.Trouble != nil {
			continue
		}
		var object struct {
			Components list[instatusComponent] `json:"components"`
		}
		if json.Unmarshal(answer.Body, &object) != nil {
			_ = json.Unmarshal(answer.Body, &object.Components) // never fails: what is no list has no elements
		}
		for _, c := range object.Components.items {
			p.component(string(c.ID), string(c.Name), string(c.Status))
		}
		if len(p.out.Components) > 0 {
			return
		}
	}
	l.note("the components could not be read")
}
