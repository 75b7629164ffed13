package statuspage

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// StackMon status dashboard (Open Telekom Cloud and others). Version 1 (stackmon/status-dashboard at 00f36f6d, app/api; also
// served by the newer backend): /api/v1/component_status or /v1/component_status, every component with its incidents, moments
// without zone in UTC. Version 2 (stackmon/status-dashboard-v3 at 3b66092d, internal/api): /v2/components and /v2/events in
// pages of 50. Incidents of version 1 stand at /incidents/ID of the page; those of version 2 have an address in the API.

const stackmonPage = 50

type stackmonComponent struct {
	ID         text `json:"id"`
	Name       text `json:"name"`
	Attributes *list[struct {
		Name  text `json:"name"`
		Value text `json:"value"`
	}] `json:"attributes"`
	Incidents list[stackmonIncident] `json:"incidents"`
}

type stackmonIncident struct {
	ID         text       `json:"id"`
	Text       text       `json:"text"`
	Title      text       `json:"title"`
	Impact     *int       `json:"impact"`
	StartDate  stamp      `json:"start_date"`
	EndDate    stamp      `json:"end_date"`
	Type       text       `json:"type"`
	Status     text       `json:"status"`
	Components list[text] `json:"components"`
	Updates    list[struct {
		Status    text  `json:"status"`
		Timestamp stamp `json:"timestamp"`
	}] `json:"updates"`
}

func readStackmon(ctx context.Context, l *look, p *page) *audit.Trouble {
	source := l.join("/v2/components")
	var components list[stackmonComponent]
	if l.json(ctx, source, &components) != nil || !components.set {
		return stackmonFirst(ctx, l, p)
	}
	names := map[text]string{}
	for _, c := range components.items {
		if c.Name == "" || c.Attributes == nil {
			return stackmonFirst(ctx, l, p)
		}
		names[c.ID] = c.name()
		p.component(string(c.ID), c.name(), "")
	}
	l.known()
	open, pages := 0, 0
	for n := 1; n <= mostPages; n++ {
		read, of, trouble := l.stackmonEvents(ctx, p, n, names, &open)
		if trouble != nil && n == 1 {
			return trouble
		}
		if trouble != nil {
			l.incomplete("a part of the events", trouble)
			p.out.Shows = "the events that could be read"
			return nil
		}
		if pages = of; read == 0 || pages <= n {
			p.out.Complete = true
			p.out.SaysNone = open == 0 && len(p.out.Components) > 0
			return nil
		}
	}
	l.note("the newest %d events were read, there are more", mostPages*stackmonPage)
	p.out.Shows = "the newest events"
	if _, _, trouble := l.stackmonEvents(ctx, p, pages, names, &open); trouble != nil { // how far back it goes
		l.incomplete("the oldest events", trouble)
	}
	return nil
}

// stackmonEvents reads one page of events and returns how many there are on it, and how many pages.
func (l *look) stackmonEvents(ctx context.Context, p *page, n int, names map[text]string, open *int) (read, pages int, trouble *audit.Trouble) {
	source := l.join(fmt.Sprintf("/v2/events?page=%d&limit=%d", n, stackmonPage))
	answer := l.get(ctx, source, typeJSON, mostList)
	if answer.Trouble != nil {
		return 0, 0, answer.Trouble
	}
	if _, err := each(answer.Body, "data", func(i stackmonIncident) {
		read++
		incident := i.incident(l.join("/v2/events/" + string(i.ID)))
		if incident.Open && !incident.Begin.After(p.at()) {
			*open++
		}
		for _, id := range i.Components.items {
			incident.Components = append(incident.Components, names[id])
		}
		p.incident(incident)
	}); err != nil {
		return 0, 0, broken(source, err)
	}
	var rest struct {
		Pagination struct {
			Pages int `json:"totalPages"`
		} `json:"pagination"`
	}
	if err := json.Unmarshal(answer.Body, &rest); err != nil {
		return 0, 0, broken(source, err)
	}
	return read, rest.Pagination.Pages, nil
}

// stackmonFirst reads version 1 of the API.
func stackmonFirst(ctx context.Context, l *look, p *page) *audit.Trouble {
	var first *audit.Trouble
	for _, ref := range []string{"/api/v1/component_status", "/v1/component_status"} {
		source := l.join(ref)
		answer := l.get(ctx, source, typeJSON, mostList)
		if answer.Trouble != nil {
			if first == nil {
				first = answer.Trouble
			}
			continue
		}
		trouble := l.stackmonComponents(p, answer.Body, source)
		if trouble == nil || trouble.Kind != audit.TroubleContent {
			return trouble
		}
		first = trouble
	}
	return first
}

func (l *look) stackmonComponents(p *page, body []byte, source string) *audit.Trouble {
	incidents := map[text]*transparency.Incident{}
	var order []text
	foreign := false
	_, err := each(body, "", func(c stackmonComponent) {
		if c.Name == "" || c.Attributes == nil {
			foreign = true
			return
		}
		state := "operational"
		for _, i := range c.Incidents.items {
			known := incidents[i.ID]
			if known == nil {
				incident := i.incident(l.join("/incidents/" + string(i.ID)))
				known = &incident
				incidents[i.ID] = known
				order = append(order, i.ID)
			}
			known.Components = append(known.Components, c.name())
			if known.Open && !known.Begin.After(p.at()) {
				state = "affected"
			}
		}
		p.component(string(c.ID), c.name(), state)
	})
	if err != nil {
		return broken(source, err)
	}
	if foreign || len(p.out.Components) == 0 {
		return other(source)
	}
	quiet := len(p.out.Components) > 0
	for _, id := range order {
		quiet = quiet && (!incidents[id].Open || incidents[id].Begin.After(p.at()))
		p.incident(*incidents[id])
	}
	p.out.SaysNone = quiet
	p.out.Complete = true
	return nil
}

// name is the name of a component with its region and the like, as the dashboard shows it.
func (c stackmonComponent) name() string {
	name := string(c.Name)
	if c.Attributes == nil {
		return name
	}
	for _, a := range c.Attributes.items {
		if a.Name == "region" && a.Value != "" {
			name += " (" + string(a.Value) + ")"
		}
	}
	return name
}

func (i stackmonIncident) incident(address string) transparency.Incident {
	title := string(i.Title)
	if title == "" {
		title = string(i.Text)
	}
	out := transparency.Incident{
		ID: string(i.ID), URL: address, Title: title, Begin: i.StartDate.Time, End: i.EndDate.Time, Open: i.EndDate.zero(),
		Updates: len(i.Updates.items), Maintenance: i.Type == "maintenance" || i.Type == "" && i.Impact != nil && *i.Impact == 0,
		Unread: unread(part{transparency.PartBegin, i.StartDate}, part{transparency.PartEnd, i.EndDate}),
	}
	switch strings.ToLower(string(i.Status)) {
	case "resolved", "completed", "cancelled":
		out.Open = false
	}
	var first, last stamp
	for _, u := range i.Updates.items {
		if first.IsZero() || u.Timestamp.Before(first.Time) {
			first = u.Timestamp
		}
		if u.Timestamp.After(last.Time) {
			last = u.Timestamp
		}
	}
	if out.End.IsZero() && !out.Open {
		out.End = last.Time
	}
	if i.Impact != nil {
		words := []string{"maintenance", "minor", "major", "outage"}
		if *i.Impact >= 0 && *i.Impact < len(words) {
			out.Impact = words[*i.Impact]
			out.Severity = severityOf(out.Impact, out.Maintenance)
		}
	}
	if out.Maintenance {
		out.Announced = first.Time
		if first.IsZero() {
			out.Unread = append(out.Unread, transparency.PartAnnounced)
		}
	}
	return out
}
