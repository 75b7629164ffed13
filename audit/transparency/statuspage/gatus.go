package statuspage

import (
	"context"
	"encoding/json"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Gatus (TwiN/gatus at 08c46354, api/api.go, config/endpoint, config/announcement): /api/v1/endpoints/statuses has every
// endpoint with its last results, /api/v1/config the announcements. Gatus measures; what people say of incidents are its
// announcements, which have a begin, a kind and a text only.

type gatusEndpoint struct {
	Name    text  `json:"name"`
	Group   text  `json:"group"`
	Key     *text `json:"key"`
	Results list[struct {
		Success   *bool `json:"success"`
		Timestamp stamp `json:"timestamp"`
	}] `json:"results"`
}

func readGatus(ctx context.Context, l *look, p *page) *audit.Trouble {
	source := l.join("/api/v1/endpoints/statuses")
	answer := l.get(ctx, source, typeJSON, mostPage)
	if answer.Trouble != nil {
		return answer.Trouble
	}
	foreign, quiet := false, true
	_, err := each(answer.Body, "", func(e gatusEndpoint) {
		if e.Key == nil || e.Name == "" {
			foreign = true
			return
		}
		name, state := string(e.Name), ""
		if e.Group != "" {
			name = string(e.Group) + " " + name
		}
		if n := len(e.Results.items); n > 0 {
			last := e.Results.items[n-1]
			p.event(last.Timestamp.Time)
			state = "unhealthy"
			if last.Success != nil && *last.Success {
				state = "healthy"
			}
		}
		quiet = quiet && state == "healthy"
		p.component(string(*e.Key), name, state)
	})
	if err != nil {
		return broken(source, err)
	}
	if foreign || len(p.out.Components) == 0 && json.Valid(answer.Body) && len(answer.Body) < 8 {
		return other(source)
	}
	gatusAnnouncements(ctx, l, p)
	p.out.SaysNone = quiet
	p.hides(transparency.PartMaintenance, transparency.PartAnnounced)
	p.out.Shows = "the announcements that are configured"
	return nil
}

// gatusAnnouncements adds what the operator announced.
func gatusAnnouncements(ctx context.Context, l *look, p *page) {
	var c struct {
		Announcements list[struct {
			Timestamp stamp `json:"timestamp"`
			Type      text  `json:"type"`
			Message   text  `json:"message"`
			Archived  bool  `json:"archived"`
		}] `json:"announcements"`
	}
	if trouble := l.json(ctx, l.join("/api/v1/config"), &c); trouble != nil {
		l.incomplete("the announcements", trouble)
		return
	}
	for _, a := range c.Announcements.items {
		if a.Type != "outage" && a.Type != "warning" {
			p.event(a.Timestamp.Time)
			continue
		}
		p.incident(transparency.Incident{
			Title: string(a.Message), Begin: a.Timestamp.Time, Open: !a.Archived, Impact: string(a.Type), Updates: 1,
			Severity: severityOf(string(a.Type), false), Unread: unread(part{transparency.PartBegin, a.Timestamp}),
		})
	}
}
