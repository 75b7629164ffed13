package statuspage

import (
	"context"
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Atlassian Statuspage, the public API v2 of every page, without login, and what imitates it: incident.io (null for an empty
// list, no components at incidents), Rootly and others. summary.json has the page, its components and what is open or planned;
// incidents.json and scheduled-maintenances.json the newest 50 each. Older incidents stand in history.json?page=N, which the
// page's own history reads (three months a page; code, name, impact and a text without year); the permanent address of an
// incident is /incidents/CODE. Used by plusserver, STACKIT, OVHcloud, Scaleway.

const (
	statuspageList    = 50 // entries of one list
	statuspageHistory = 8  // pages of history.json, 24 months
)

type statuspageSummary struct {
	Page struct {
		ID        text  `json:"id"`
		Name      text  `json:"name"`
		URL       text  `json:"url"`
		UpdatedAt stamp `json:"updated_at"`
	} `json:"page"`
	Status struct {
		Indicator   text `json:"indicator"`
		Description text `json:"description"`
	} `json:"status"`
	Components list[struct {
		ID        text  `json:"id"`
		Name      text  `json:"name"`
		Status    text  `json:"status"`
		Group     bool  `json:"group"`
		CreatedAt stamp `json:"created_at"`
		StartDate stamp `json:"start_date"`
	}] `json:"components"`
	Incidents    list[statuspageIncident] `json:"incidents"`
	Maintenances list[statuspageIncident] `json:"scheduled_maintenances"`
}

type statuspageIncident struct {
	ID             text                  `json:"id"`
	Name           text                  `json:"name"`
	Status         text                  `json:"status"`
	Impact         text                  `json:"impact"`
	Shortlink      text                  `json:"shortlink"`
	CreatedAt      stamp                 `json:"created_at"`
	StartedAt      stamp                 `json:"started_at"`
	ResolvedAt     stamp                 `json:"resolved_at"`
	ScheduledFor   stamp                 `json:"scheduled_for"`
	ScheduledUntil stamp                 `json:"scheduled_until"`
	Components     *list[statuspageName] `json:"components"`
	Updates        list[struct {
		Status    text                 `json:"status"`
		CreatedAt stamp                `json:"created_at"`
		DisplayAt stamp                `json:"display_at"`
		Affected  list[statuspageName] `json:"affected_components"`
	}] `json:"incident_updates"`
}

type statuspageName struct {
	Name text `json:"name"`
}

func readStatuspage(ctx context.Context, l *look, p *page) *audit.Trouble {
	source := l.join("/api/v2/summary.json")
	var s statuspageSummary
	if trouble := l.json(ctx, source, &s); trouble != nil {
		return trouble
	}
	if s.Page.ID == "" && s.Page.Name == "" || s.Status.Indicator == "" {
		return other(source)
	}
	l.known()
	p.out.Title = string(s.Page.Name)
	p.updated(s.Page.UpdatedAt.Time)
	operational := true
	for _, c := range s.Components.items {
		p.since(c.CreatedAt.Time)
		p.since(c.StartDate.Time)
		if c.Group { // a heading over components
			continue
		}
		operational = operational && c.Status == "operational"
		p.component(string(c.ID), string(c.Name), string(c.Status))
	}
	p.out.SaysNone = s.Status.Indicator == "none" && operational && len(p.out.Components) > 0
	home := string(s.Page.URL)
	if address(home) == "" {
		home = l.join("/")
	}
	home = strings.TrimSuffix(home, "/")
	incidents := statuspageRead(ctx, l, p, home, "/api/v2/incidents.json", "incidents", false)
	maintenances := statuspageRead(ctx, l, p, home, "/api/v2/scheduled-maintenances.json", "scheduled_maintenances", true)
	for _, i := range s.Incidents.items {
		p.incident(i.incident(home, false))
	}
	for _, i := range s.Maintenances.items {
		p.incident(i.incident(home, true))
	}
	p.out.Complete = incidents >= 0 && incidents < statuspageList && maintenances >= 0 && maintenances < statuspageList
	p.out.AllMaintenances = maintenances >= 0 && maintenances < statuspageList
	if !p.out.Complete {
		p.out.Shows = fmt.Sprintf("the newest %d incidents and maintenances with all parts", statuspageList)
	}
	if incidents >= statuspageList {
		statuspageOlder(ctx, l, p, home)
	}
	return nil
}

// statuspageRead reads one list and returns how many entries it has; -1 if it cannot be read.
func statuspageRead(ctx context.Context, l *look, p *page, home, ref, key string, maintenance bool) int {
	source := l.join(ref)
	answer := l.get(ctx, source, typeJSON, mostList)
	if answer.Trouble != nil {
		l.incomplete(source, answer.Trouble)
		return -1
	}
	n := 0
	odd, err := each(answer.Body, key, func(i statuspageIncident) {
		n++
		p.incident(i.incident(home, maintenance))
	})
	if err != nil {
		l.incomplete(source, broken(source, err))
		return -1
	}
	if odd > 0 {
		l.note("%d entries of %s have another shape and were left out", odd, source)
	}
	return n
}

func (i statuspageIncident) incident(home string, maintenance bool) transparency.Incident {
	begin, end := firstOf(i.StartedAt, i.CreatedAt), i.ResolvedAt
	open := i.Status != "resolved" && i.Status != "postmortem"
	if maintenance {
		begin = firstOf(i.ScheduledFor, i.StartedAt, i.CreatedAt)
		end = firstOf(i.ResolvedAt, i.ScheduledUntil)
		open = i.Status != "completed"
	}
	out := transparency.Incident{
		ID: string(i.ID), Title: string(i.Name), Begin: begin.Time, End: end.Time, Open: open, Impact: string(i.Impact),
		Severity: severityOf(string(i.Impact), maintenance), Updates: len(i.Updates.items), Maintenance: maintenance,
		Unread: unread(part{transparency.PartBegin, begin}, part{transparency.PartEnd, end}),
	}
	if i.ID != "" {
		out.URL = home + "/incidents/" + url.PathEscape(string(i.ID))
	} else {
		out.URL = string(i.Shortlink)
	}
	if i.Components != nil {
		for _, c := range i.Components.items {
			out.Components = append(out.Components, string(c.Name))
		}
	}
	for _, u := range i.Updates.items {
		for _, c := range u.Affected.items {
			out.Components = append(out.Components, string(c.Name))
		}
		if u.Status == "postmortem" {
			out.Report = out.URL
		}
		if u.CreatedAt.After(out.End) && !open && out.End.IsZero() {
			out.End = u.CreatedAt.Time // resolved, and its last word says when
		}
	}
	if i.Components == nil && len(out.Components) == 0 {
		out.Unread = append(out.Unread, transparency.PartComponents) // incident.io: this API does not say
	}
	if maintenance {
		out.Announced = i.CreatedAt.Time
		if out.Announced.IsZero() {
			out.Unread = append(out.Unread, transparency.PartAnnounced)
		}
	}
	return out
}

// statuspageOlder reads the history of the page, as far back as incidents are kept. It tells of old incidents that they were
// and when they began; the rest stands on their own pages, which are not asked for one by one.
func statuspageOlder(ctx context.Context, l *look, p *page, home string) {
	for n := 1; n <= statuspageHistory; n++ {
		source := l.join("/history.json?page=" + strconv.Itoa(n))
		var h struct {
			Months *list[struct {
				Year      int `json:"year"`
				Incidents list[struct {
					Code      text `json:"code"`
					Name      text `json:"name"`
					Impact    text `json:"impact"`
					Timestamp text `json:"timestamp"`
				}] `json:"incidents"`
			}] `json:"months"`
		}
		trouble := l.json(ctx, source, &h)
		if trouble == nil && h.Months == nil {
			trouble = other(source)
		}
		if trouble != nil {
			l.note("the history of older incidents could not be read: %s", trouble.Text)
			return
		}
		if len(h.Months.items) == 0 {
			return
		}
		for _, m := range h.Months.items {
			for _, i := range m.Incidents.items {
				old := transparency.Incident{
					ID: string(i.Code), Title: string(i.Name), Impact: string(i.Impact), Maintenance: i.Impact == "maintenance",
					URL:    home + "/incidents/" + url.PathEscape(string(i.Code)),
					Begin:  historyDay(m.Year, string(i.Timestamp)),
					Listed: true,
				}
				old.Severity = severityOf(old.Impact, old.Maintenance)
				if old.Begin.IsZero() {
					old.Unread = append(old.Unread, transparency.PartBegin)
				}
				p.incident(old)
			}
		}
	}
}

// historyDay reads "Aug <var data-var='date'>10</var>, <var data-var='time'>00:17</var> - ... UTC" of a year. Other zones are
// up to 14 hours off, which does not matter for how far a history reaches; other languages are not read.
func historyDay(year int, s string) time.Time {
	s = short(html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(s, "")), 100)
	found := regexp.MustCompile(`^([A-Z][a-z]{2}) +(\d{1,2}), +(\d{2}:\d{2})`).FindStringSubmatch(s)
	if found == nil || year < 1990 || year > 2200 {
		return time.Time{}
	}
	t, err := time.Parse("2006 Jan 2 15:04", fmt.Sprintf("%d %s %s %s", year, found[1], found[2], found[3]))
	if err != nil {
		return time.Time{}
	}
	return t
}

// severityOf sets an impact by name on the scale of scs-0402 with the bounds of its reference server (provisioning.yaml:
// operational 33, limited 66, broken 100; a maintenance is 0).
func severityOf(impact string, maintenance bool) *int {
	value := -1
	switch strings.ToLower(impact) {
	case "critical", "majoroutage", "major_outage", "outage", "downtime", "down", "major outage":
		value = 100
	case "major", "partialoutage", "partial_outage", "disrupted", "partial outage":
		value = 66
	case "minor", "degradedperformance", "degraded", "performance", "degraded_performance", "minoroutage", "notice", "performance issues":
		value = 33
	}
	if maintenance {
		value = 0
	}
	if value < 0 {
		return nil
	}
	return &value
}
