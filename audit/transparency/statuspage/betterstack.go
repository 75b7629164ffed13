package statuspage

import (
	"context"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Better Stack (betterstack.com/docs/uptime/status-pages, "JSON API status"): /index.json, one JSON:API document with the page,
// its resources and its reports with their updates. How far back it goes is not documented, so it counts as a part. A report
// that is over may have no ends_at: then its state says resolved and its last update says when. Reports stand at /incident/ID.

type betterStack struct {
	Data struct {
		Type       text `json:"type"`
		Attributes struct {
			CompanyName    text  `json:"company_name"`
			AggregateState text  `json:"aggregate_state"`
			CreatedAt      stamp `json:"created_at"`
			UpdatedAt      stamp `json:"updated_at"`
		} `json:"attributes"`
	} `json:"data"`
	Included list[betterStackItem] `json:"included"`
}

type betterStackItem struct {
	ID         text `json:"id"`
	Type       text `json:"type"`
	Attributes struct {
		PublicName     text  `json:"public_name"`
		Status         text  `json:"status"`
		Title          text  `json:"title"`
		ReportType     text  `json:"report_type"`
		StartsAt       stamp `json:"starts_at"`
		EndsAt         stamp `json:"ends_at"`
		PublishedAt    stamp `json:"published_at"`
		AggregateState text  `json:"aggregate_state"`
		ReportID       text  `json:"status_report_id"`
		Affected       list[struct {
			Resource text `json:"status_page_resource_id"`
		}] `json:"affected_resources"`
	} `json:"attributes"`
	Relationships struct {
		Updates struct {
			Data list[struct {
				ID text `json:"id"`
			}] `json:"data"`
		} `json:"status_updates"`
	} `json:"relationships"`
}

func readBetterStack(ctx context.Context, l *look, p *page) *audit.Trouble {
	source := l.join("/index.json")
	var b betterStack
	if trouble := l.json(ctx, source, &b); trouble != nil {
		return trouble
	}
	if b.Data.Type != "status_page" {
		return other(source)
	}
	l.known()
	p.out.Title = string(b.Data.Attributes.CompanyName)
	p.updated(b.Data.Attributes.UpdatedAt.Time)
	p.since(b.Data.Attributes.CreatedAt.Time)
	names, updates := map[text]string{}, map[text]time.Time{}
	quiet := b.Data.Attributes.AggregateState == "operational"
	for _, i := range b.Included.items {
		switch i.Type {
		case "status_page_resource":
			names[i.ID] = string(i.Attributes.PublicName)
			p.component(string(i.ID), string(i.Attributes.PublicName), string(i.Attributes.Status))
			quiet = quiet && (i.Attributes.Status == "operational" || i.Attributes.Status == "not_monitored" || i.Attributes.Status == "")
		case "status_update":
			updates[i.ID] = i.Attributes.PublishedAt.Time
			p.event(i.Attributes.PublishedAt.Time)
		}
	}
	p.out.SaysNone = quiet && len(p.out.Components) > 0
	for _, i := range b.Included.items {
		if i.Type == "status_report" {
			p.incident(i.incident(l, names, updates))
		}
	}
	p.out.Shows = "the reports that its JSON has, of which the software does not say how far back they go"
	return nil
}

func (i betterStackItem) incident(l *look, names map[text]string, updates map[text]time.Time) transparency.Incident {
	a := i.Attributes
	maintenance := a.ReportType == "maintenance"
	kind := "/incident/"
	if maintenance {
		kind = "/maintenance/"
	}
	out := transparency.Incident{
		ID: string(i.ID), Title: string(a.Title), Begin: a.StartsAt.Time, End: a.EndsAt.Time, URL: l.join(kind + string(i.ID)),
		Open: a.EndsAt.zero() && a.AggregateState != "resolved", Impact: string(a.AggregateState), Maintenance: maintenance,
		Severity: severityOf(string(a.AggregateState), maintenance), Updates: len(i.Relationships.Updates.Data.items),
		Unread: unread(part{transparency.PartBegin, a.StartsAt}, part{transparency.PartEnd, a.EndsAt}),
	}
	if out.Impact == "resolved" { // what it was before does not show
		out.Impact = ""
	}
	for _, r := range a.Affected.items {
		out.Components = append(out.Components, names[r.Resource])
	}
	var last time.Time
	for _, u := range i.Relationships.Updates.Data.items {
		at := updates[u.ID]
		if at.After(last) {
			last = at
		}
		if maintenance && !at.IsZero() && (out.Announced.IsZero() || at.Before(out.Announced)) {
			out.Announced = at
		}
	}
	if out.End.IsZero() && !out.Open {
		out.End = last
	}
	return out
}
