package statuspage

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Uptime Kuma (louislam/uptime-kuma at 6398a958, server/routers/status-page-router.js, server/model): a page stands at
// /status/SLUG, its JSON at /api/status-page/SLUG (groups of monitors, pinned incidents, maintenances), the last beats at
// /api/status-page/heartbeat/SLUG, and, in version 2, all incidents at .../incident-history by a cursor. Moments are UTC. An
// incident there is a title and a text: it names no component and has no address of its own.

type kumaPage struct {
	Config *struct {
		Slug  text `json:"slug"`
		Title text `json:"title"`
	} `json:"config"`
	Incident  *kumaIncident      `json:"incident"`
	Incidents list[kumaIncident] `json:"incidents"`
	Groups    *list[struct {
		Name     text `json:"name"`
		Monitors list[struct {
			ID   text `json:"id"`
			Name text `json:"name"`
		}] `json:"monitorList"`
	}] `json:"publicGroupList"`
	Maintenances list[struct {
		ID    text `json:"id"`
		Title text `json:"title"`
		Slots list[struct {
			Start stamp `json:"startDate"`
			End   stamp `json:"endDate"`
		}] `json:"timeslotList"`
		Status text `json:"status"`
	}] `json:"maintenanceList"`
}

type kumaIncident struct {
	ID      text  `json:"id"`
	Title   text  `json:"title"`
	Style   text  `json:"style"`
	Active  *bool `json:"active"`
	Created stamp `json:"createdDate"`
	Updated stamp `json:"lastUpdatedDate"`
}

func readKuma(ctx context.Context, l *look, p *page) *audit.Trouble {
	slug := "default"
	if found := regexp.MustCompile(`/status/([A-Za-z0-9_-]+)`).FindStringSubmatch(l.given); found != nil {
		slug = strings.ToLower(found[1])
	} else if l.name != "" {
		slug = strings.ToLower(l.name)
	}
	base := *l.root
	if at := strings.LastIndex(base.Path, "/status"); at >= 0 {
		base.Path = base.Path[:at]
	}
	base.Path = strings.TrimSuffix(base.Path, "/") + "/api/status-page/"
	source := base.String() + url.PathEscape(slug)
	var k kumaPage
	if trouble := l.json(ctx, source, &k); trouble != nil {
		return trouble
	}
	if k.Config == nil || k.Groups == nil {
		return other(source)
	}
	l.known()
	p.out.Title = string(k.Config.Title)
	quiet := l.kumaMonitors(ctx, p, k, base.String()+"heartbeat/"+url.PathEscape(slug))
	if k.Incident != nil {
		k.Incidents.items = append(k.Incidents.items, *k.Incident)
	}
	for _, i := range k.Incidents.items {
		p.incident(i.incident())
	}
	for _, m := range k.Maintenances.items {
		for _, s := range m.Slots.items {
			p.incident(transparency.Incident{
				ID: string(m.ID) + " " + s.Start.Format("2006-01-02T15:04"), Title: string(m.Title), Begin: s.Start.Time, End: s.End.Time,
				Maintenance: true, Severity: severityOf("", true), Open: m.Status == "under-maintenance" || m.Status == "scheduled",
				Unread: unread(part{transparency.PartBegin, s.Start}, part{transparency.PartEnd, s.End}),
			})
		}
	}
	p.hides(transparency.PartAnnounced)
	p.out.SaysNone = quiet && len(k.Incidents.items) == 0
	p.out.Complete = l.kumaHistory(ctx, p, source+"/incident-history")
	if !p.out.Complete {
		p.out.Shows = "the pinned incidents"
	}
	return nil
}

// kumaMonitors adds the monitors as components and reports whether the last beat of each is good.
func (l *look) kumaMonitors(ctx context.Context, p *page, k kumaPage, beats string) bool {
	var h struct {
		Beats map[string]list[struct {
			Status int   `json:"status"`
			Time   stamp `json:"time"`
		}] `json:"heartbeatList"`
	}
	if trouble := l.json(ctx, beats, &h); trouble != nil {
		l.incomplete("the state of the monitors", trouble)
	}
	quiet := len(h.Beats) > 0
	for _, g := range k.Groups.items {
		for _, m := range g.Monitors.items {
			state := ""
			if list := h.Beats[string(m.ID)].items; len(list) > 0 {
				last := list[len(list)-1]
				p.event(last.Time.Time)
				words := []string{"down", "up", "pending", "maintenance"}
				if last.Status >= 0 && last.Status < len(words) {
					state = words[last.Status]
				}
			}
			quiet = quiet && state == "up"
			p.component(string(m.ID), string(m.Name), state)
		}
	}
	return quiet && len(p.out.Components) > 0
}

// kumaHistory reads all incidents and reports whether there are no more.
func (l *look) kumaHistory(ctx context.Context, p *page, source string) bool {
	cursor := ""
	for range mostPages {
		var h struct {
			OK        bool               `json:"ok"`
			Incidents list[kumaIncident] `json:"incidents"`
			Next      text               `json:"nextCursor"`
			More      bool               `json:"hasMore"`
		}
		if trouble := l.json(ctx, source+cursor, &h); trouble != nil || !h.OK {
			return false
		}
		for _, i := range h.Incidents.items {
			p.incident(i.incident())
		}
		if !h.More || h.Next == "" {
			return true
		}
		cursor = "?cursor=" + url.QueryEscape(string(h.Next))
	}
	l.note("the newest %d pages of incidents were read, there are more", mostPages)
	return false
}

func (i kumaIncident) incident() transparency.Incident {
	out := transparency.Incident{
		ID: string(i.ID), Title: string(i.Title), Begin: i.Created.Time, Impact: string(i.Style), Updates: 1,
		Open: i.Active == nil || *i.Active, Unread: unread(part{transparency.PartBegin, i.Created}),
	}
	if !out.Open {
		out.End = i.Updated.Time
		out.Unread = append(out.Unread, unread(part{transparency.PartEnd, i.Updated})...)
	}
	return out
}
