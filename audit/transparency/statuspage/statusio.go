package statuspage

import (
	"context"
	"regexp"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Status.io (kb.status.io/developers/public-status-api): https://api.status.io/1.0/status/PAGE, where PAGE is an id that the
// page itself names. It shows the components, what is open and what is planned; what is over stands in /pages/history of the
// page only, as HTML, and is not read.

type statusIO struct {
	Result *struct {
		Overall struct {
			Updated stamp `json:"updated"`
			Code    int   `json:"status_code"`
		} `json:"status_overall"`
		Status *list[struct {
			ID         text `json:"id"`
			Name       text `json:"name"`
			Status     text `json:"status"`
			Containers list[struct {
				Name text `json:"name"`
			}] `json:"containers"`
		}] `json:"status"`
		Incidents   list[statusIOEvent] `json:"incidents"`
		Maintenance struct {
			Active   list[statusIOEvent] `json:"active"`
			Upcoming list[statusIOEvent] `json:"upcoming"`
		} `json:"maintenance"`
	} `json:"result"`
}

type statusIOEvent struct {
	ID         text  `json:"_id"`
	Name       text  `json:"name"`
	Open       stamp `json:"datetime_open"`
	Start      stamp `json:"datetime_planned_start"`
	End        stamp `json:"datetime_planned_end"`
	Components list[struct {
		Name text `json:"name"`
	}] `json:"components_affected"`
	Messages list[struct {
		At stamp `json:"datetime"`
	}] `json:"messages"`
}

func readStatusIO(ctx context.Context, l *look, p *page) *audit.Trouble {
	source := regexp.MustCompile(`^https?://[^ ]+/1\.0/status/[0-9a-f]{24}$`).FindString(l.given)
	if source == "" {
		source = regexp.MustCompile(`https://api\.status\.io/1\.0/status/[0-9a-f]{24}`).FindString(l.html)
	}
	if source == "" && l.root.Scheme == "file" && l.name != "" {
		source = l.join("/1.0/status/" + l.name)
	}
	if source == "" {
		return other(l.given)
	}
	var s statusIO
	if trouble := l.json(ctx, source, &s); trouble != nil {
		return trouble
	}
	if s.Result == nil || s.Result.Status == nil {
		return other(source)
	}
	const operational = 100
	p.updated(s.Result.Overall.Updated.Time)
	for _, c := range s.Result.Status.items {
		p.component(string(c.ID), string(c.Name), string(c.Status))
	}
	p.out.SaysNone = s.Result.Overall.Code == operational && len(p.out.Components) > 0
	home := "" // of the addresses of incidents: where the page stands, not its API
	if l.root.String() != strings.TrimSuffix(source, "/") {
		home = l.join("/pages")
	}
	_, id, _ := strings.Cut(source, "/1.0/status/")
	for _, i := range s.Result.Incidents.items {
		p.incident(i.incident(home, id, false))
	}
	for _, m := range append(s.Result.Maintenance.Active.items, s.Result.Maintenance.Upcoming.items...) {
		p.incident(m.incident(home, id, true))
	}
	p.out.Shows = "what is open or planned"
	return nil
}

func (i statusIOEvent) incident(home, page string, maintenance bool) transparency.Incident {
	begin, end := i.Open, stamp{}
	kind := "/incident/"
	if maintenance {
		begin, end, kind = firstOf(i.Start, i.Open), i.End, "/maintenance/"
	}
	out := transparency.Incident{
		ID: string(i.ID), Title: string(i.Name), Begin: begin.Time, End: end.Time, Open: true, Maintenance: maintenance, Updates: len(i.Messages.items),
		Severity: severityOf("", maintenance), Unread: unread(part{transparency.PartBegin, begin}, part{transparency.PartEnd, end}),
	}
	if home != "" {
		out.URL = home + kind + page + "/" + string(i.ID)
	} else {
		out.Unread = append(out.Unread, transparency.PartURL)
	}
	for _, c := range i.Components.items {
		out.Components = append(out.Components, string(c.Name))
	}
	for _, m := range i.Messages.items {
		if maintenance && !m.At.IsZero() && (out.Announced.IsZero() || m.At.Before(out.Announced)) {
			out.Announced = m.At.Time
		}
	}
	return out
}
