package statuspage

import (
	"context"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Statuspal (statuspal.io/api-docs, API v2; used by Exoscale, GWDG): the API stands at statuspal.eu or statuspal.io, for every
// page under its subdomain: /api/v2/status_pages/NAME/summary with services and what is open, .../incidents with everything,
// the newest first, in pages by links.next. Moments are UTC without a zone. A maintenance is an incident of type scheduled.

type statuspalSummary struct {
	Page *struct {
		Name text `json:"name"` // its url is the home of the operator, not the page
	} `json:"status_page"`
	Services *list[statuspalService] `json:"services"`
	// What is open or planned stands in the list of incidents too; that may not be open to everybody.
	Incidents list[statuspalIncident] `json:"incidents"`
	Active    list[statuspalIncident] `json:"maintenances"`
	Upcoming  list[statuspalIncident] `json:"upcoming_maintenances"`
}

type statuspalService struct {
	ID       text                   `json:"id"`
	Name     text                   `json:"name"`
	State    text                   `json:"current_incident_type"`
	Children list[statuspalService] `json:"children"`
}

type statuspalIncident struct {
	ID       text       `json:"id"`
	Title    text       `json:"title"`
	Type     text       `json:"type"`
	StartsAt stamp      `json:"starts_at"`
	EndsAt   stamp      `json:"ends_at"`
	Inserted stamp      `json:"inserted_at"`
	URL      text       `json:"url"`
	Services list[text] `json:"service_ids"`
	Updates  list[struct {
		Inserted stamp `json:"inserted_at"`
		Posted   stamp `json:"posted_at"`
	}] `json:"updates"`
}

func readStatuspal(ctx context.Context, l *look, p *page) *audit.Trouble {
	base, trouble := l.statuspal()
	if trouble != nil {
		return trouble
	}
	var s statuspalSummary
	if trouble := l.json(ctx, base+"/summary", &s); trouble != nil {
		return trouble
	}
	if s.Page == nil || s.Services == nil {
		return other(base + "/summary")
	}
	l.known()
	p.out.Title = string(s.Page.Name)
	names := map[text]string{}
	quiet := statuspalServices(s.Services.items, "", names, p, 0)
	p.out.SaysNone = quiet && len(p.out.Components) > 0
	next := base + "/incidents?limit=100"
	for range mostPages {
		next, trouble = l.statuspalPage(ctx, p, next, base, names)
		if trouble != nil {
			for _, i := range slices.Concat(s.Incidents.items, s.Active.items, s.Upcoming.items) {
				p.incident(i.incident(names))
			}
			l.incomplete("a part of the incidents", trouble)
			p.out.Shows = "the incidents that could be read"
			return nil
		}
		if next == "" {
			p.out.Complete = true
			return nil
		}
	}
	l.note("the newest %d pages of incidents were read, there are more", mostPages)
	p.out.Shows = "the newest incidents"
	return nil
}

// statuspal returns the address of the API of the page: the one given, the one of a host at Statuspal, or the one that the
// page names.
func (l *look) statuspal() (string, *audit.Trouble) {
	pattern := regexp.MustCompile(`^(.*/api/v2/status_pages/[A-Za-z0-9_-]+)`)
	if found := pattern.FindString(l.given); found != "" {
		return found, nil
	}
	host := l.root.Hostname()
	for _, domain := range []string{"statuspal.eu", "statuspal.io"} {
		if name, ok := strings.CutSuffix(host, "."+domain); ok && !strings.Contains(name, ".") {
			return "https://" + domain + "/api/v2/status_pages/" + name, nil
		}
	}
	if found := regexp.MustCompile(`https://statuspal\.(?:eu|io)/api/v2/status_pages/[A-Za-z0-9_-]+`).FindString(l.html); found != "" {
		return found, nil
	}
	if found := regexp.MustCompile(`https://([A-Za-z0-9_-]+)\.statuspal\.(eu|io)`).FindStringSubmatch(l.html); found != nil && found[1] != "www" {
		return "https://statuspal." + found[2] + "/api/v2/status_pages/" + found[1], nil
	}
	if l.name != "" && l.root.Scheme == "file" {
		return l.join("/api/v2/status_pages/" + url.PathEscape(l.name)), nil
	}
	return "", other(l.given)
}

// statuspalServices names services as the page does, those of a group with its name before. It reports whether all are well.
func statuspalServices(services []statuspalService, group string, names map[text]string, p *page, depth int) bool {
	quiet := true
	for _, s := range services {
		name := strings.TrimSpace(group + " " + string(s.Name))
		names[s.ID] = name
		quiet = quiet && s.State == ""
		if len(s.Children.items) > 0 && depth < 5 {
			quiet = statuspalServices(s.Children.items, name, names, p, depth+1) && quiet
			continue
		}
		state := string(s.State)
		if state == "" {
			state = "operational"
		}
		p.component(string(s.ID), name, state)
	}
	return quiet
}

// statuspalPage reads one page of incidents and returns the address of the next.
func (l *look) statuspalPage(ctx context.Context, p *page, source, base string, names map[text]string) (string, *audit.Trouble) {
	answer := l.get(ctx, source, typeJSON, mostList)
	if answer.Trouble != nil {
		return "", answer.Trouble
	}
	if _, err := each(answer.Body, "incidents", func(i statuspalIncident) { p.incident(i.incident(names)) }); err != nil {
		return "", broken(source, err)
	}
	var rest struct {
		Links struct {
			Next text `json:"next"`
		} `json:"links"`
	}
	if err := json.Unmarshal(answer.Body, &rest); err != nil {
		return "", broken(source, err)
	}
	next, err := url.Parse(string(rest.Links.Next))
	if err != nil || rest.Links.Next == "" || next.RawQuery == "" {
		return "", nil
	}
	return base + "/incidents?" + next.RawQuery, nil // the address it gives may name another version of the API
}

func (i statuspalIncident) incident(names map[text]string) transparency.Incident {
	maintenance := i.Type == "scheduled" || strings.Contains(string(i.Type), "maintenance")
	out := transparency.Incident{
		ID: string(i.ID), Title: string(i.Title), URL: string(i.URL), Begin: i.StartsAt.Time, End: i.EndsAt.Time, Open: i.EndsAt.zero(), Impact: string(i.Type),
		Severity: severityOf(string(i.Type), maintenance), Maintenance: maintenance, Updates: len(i.Updates.items),
		Unread: unread(part{transparency.PartBegin, i.StartsAt}, part{transparency.PartEnd, i.EndsAt}),
	}
	for _, id := range i.Services.items {
		if name := names[id]; name != "" {
			out.Components = append(out.Components, name)
		} else {
			out.Components = append(out.Components, "service "+string(id))
		}
	}
	if maintenance {
		published := i.Inserted
		for _, u := range i.Updates.items {
			if at := firstOf(u.Posted, u.Inserted); !at.IsZero() && (published.IsZero() || at.Before(published.Time)) {
				published = at
			}
		}
		out.Announced = published.Time
		if published.IsZero() {
			out.Unread = append(out.Unread, transparency.PartAnnounced)
		}
	}
	return out
}
