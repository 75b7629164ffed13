package statuspage

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Cachet. Version 2 (cachethq/cachet at 04836b55, app/Http/Controllers/Api): /api/v1/components, incidents and schedules, pages
// by meta.pagination. Version 3 (cachethq/core at 9183688b, routes/api.php, src/Http/Resources): /api/components, incidents and
// schedules as JSON:API with what is included, pages by links.next. Moments have no zone: they are in the zone of the server,
// which the API does not say; they are read as UTC.

type cachetAnswer struct {
	Data     *list[cachetItem] `json:"data"`
	Included list[cachetItem]  `json:"included"`
	Meta     struct {
		Pagination struct {
			Total   int `json:"total"`
			Current int `json:"current_page"`
			Pages   int `json:"total_pages"`
		} `json:"pagination"`
	} `json:"meta"`
	Links struct {
		Next text `json:"next"`
	} `json:"links"`
}

// cachetItem is a component, an incident, a schedule or an update, flat (version 2) or with attributes (version 3).
type cachetItem struct {
	ID   text `json:"id"`
	Type text `json:"type"`
	cachetFields
	Attributes    *cachetFields `json:"attributes"`
	Relationships struct {
		Components cachetRelation `json:"components"`
		Updates    cachetRelation `json:"updates"`
	} `json:"relationships"`
}

type cachetRelation struct {
	Data list[struct {
		ID text `json:"id"`
	}] `json:"data"`
}

type cachetFields struct {
	GUID        text        `json:"guid"`
	Name        text        `json:"name"`
	Status      cachetState `json:"status"`
	StatusName  text        `json:"status_name"`
	Human       text        `json:"human_status"`
	Latest      *int        `json:"latest_status"`
	ComponentID text        `json:"component_id"`
	Permalink   text        `json:"permalink"`
	Updates     list[struct {
		Status    cachetState `json:"status"`
		CreatedAt stamp       `json:"created_at"`
	}] `json:"updates"`
	Components list[struct {
		Name        text `json:"name"`
		ComponentID text `json:"component_id"`
	}] `json:"components"`
	OccurredAt  stamp       `json:"occurred_at"`
	ScheduledAt stamp       `json:"scheduled_at"`
	CompletedAt stamp       `json:"completed_at"`
	CreatedAt   stamp       `json:"created_at"`
	UpdatedAt   stamp       `json:"updated_at"`
	Occurred    cachetStamp `json:"occurred"`
	Scheduled   cachetStamp `json:"scheduled"`
	Completed   cachetStamp `json:"completed"`
	Published   cachetStamp `json:"published"`
	Created     cachetStamp `json:"created"`
	Updated     cachetStamp `json:"updated"`
}

type cachetStamp struct {
	String stamp `json:"string"`
}

// cachetState is a state: a number, or an object with a number and a word.
type cachetState struct {
	value int
	human string
}

// UnmarshalJSON never fails.
func (s *cachetState) UnmarshalJSON(data []byte) error {
	*s = cachetState{}
	var object struct {
		Human text `json:"human"`
		Value int  `json:"value"`
	}
	if json.Unmarshal(data, &s.value) == nil {
		return nil
	}
	if json.Unmarshal(data, &object) == nil {
		s.value, s.human = object.Value, string(object.Human)
	}
	return nil
}

// States of Cachet, the same in both versions.
const (
	cachetFixed       = 4 // of an incident
	cachetOperational = 1 // of a component
	cachetComplete    = 2 // of a schedule
)

func (i cachetItem) fields() cachetFields {
	if i.Attributes != nil {
		return *i.Attributes
	}
	return i.cachetFields
}

func readCachet(ctx context.Context, l *look, p *page) *audit.Trouble {
	base := "/api/v1"
	trouble := cachetComponents(ctx, l, p, base)
	if trouble != nil {
		base = "/api"
		if again := cachetComponents(ctx, l, p, base); again != nil {
			return telling(trouble, again)
		}
	}
	l.known()
	names := map[text]string{}
	for _, c := range p.out.Components {
		names[text(c.ID)] = c.Name
	}
	l.note("Cachet writes no time zone: its moments are read as UTC")
	query := "?per_page=100&sort=id&order=desc"
	if base == "/api" {
		query = "?per_page=100&include=components,updates"
	}
	incidents := l.cachetList(ctx, p, base+"/incidents"+query, false, names)
	if base == "/api" {
		query += "&sort=-scheduled_at"
	}
	schedules := l.cachetList(ctx, p, base+"/schedules"+query, true, names)
	p.out.Complete, p.out.AllMaintenances = incidents && schedules, schedules
	if len(p.out.Components) == 0 && len(p.read) == 0 && !p.out.Complete {
		return other(l.join(base + "/incidents")) // an empty list of components alone is no Cachet
	}
	if !p.out.Complete {
		p.out.Shows = "the newest incidents, as far as they could be read"
	}
	return nil
}

// cachetComponents reads the components; its answer tells this software from others.
func cachetComponents(ctx context.Context, l *look, p *page, base string) *audit.Trouble {
	source := l.join(base + "/components?per_page=100")
	quiet := true
	for n := 1; n <= mostPages; n++ {
		var c cachetAnswer
		if trouble := l.json(ctx, source, &c); trouble != nil {
			if n > 1 {
				l.incomplete("a part of the components", trouble)
				break
			}
			return trouble
		}
		if c.Data == nil {
			return other(source)
		}
		for _, i := range c.Data.items {
			f := i.fields()
			if f.Name == "" || f.Status.value == 0 {
				return other(source)
			}
			quiet = quiet && f.Status.value == cachetOperational
			p.event(firstOf(f.UpdatedAt, f.Updated.String).Time)
			p.since(firstOf(f.CreatedAt, f.Created.String).Time)
			p.component(string(i.ID), string(f.Name), cachetWord(f))
		}
		if source = c.next(l, base+"/components?per_page=100", n); source == "" {
			break
		}
	}
	p.out.SaysNone = quiet && len(p.out.Components) > 0
	return nil
}

func cachetWord(f cachetFields) string {
	for _, s := range []string{string(f.StatusName), f.Status.human, string(f.Human)} {
		if s != "" {
			return s
		}
	}
	return fmt.Sprint(f.Status.value)
}

// next is the address of the page after the nth, empty if that was the last one.
func (c cachetAnswer) next(l *look, ref string, n int) string {
	more := c.Meta.Pagination.Pages > n
	if c.Links.Next != "" {
		more = true
	}
	if !more || c.Data == nil || len(c.Data.items) == 0 {
		return ""
	}
	return l.join(fmt.Sprintf("%s&page=%d", ref, n+1))
}

// cachetList reads all pages of incidents or schedules and reports whether nothing was left out.
func (l *look) cachetList(ctx context.Context, p *page, ref string, schedules bool, names map[text]string) bool {
	pages := 0
	source := l.join(ref)
	for n := 1; n <= mostPages; n++ {
		c, trouble := l.cachetPage(ctx, p, source, schedules, names)
		if trouble != nil {
			l.incomplete(source, trouble)
			return false
		}
		pages = c.Meta.Pagination.Pages
		if source = c.next(l, ref, n); source == "" {
			return true
		}
	}
	l.note("the newest %d pages of %s were read, there are more", mostPages, short(ref, 60))
	source = l.join(ref + "&sort=created_at") // the oldest: how far back it goes
	if pages > 0 {
		source = l.join(fmt.Sprintf("%s&page=%d", ref, pages))
	}
	if _, trouble := l.cachetPage(ctx, p, source, schedules, names); trouble != nil {
		l.incomplete("the oldest incidents", trouble)
	}
	return false
}

func (l *look) cachetPage(ctx context.Context, p *page, source string, schedules bool, names map[text]string) (cachetAnswer, *audit.Trouble) {
	var c cachetAnswer
	answer := l.get(ctx, source, typeJSON, mostList)
	if answer.Trouble != nil {
		return c, answer.Trouble
	}
	if err := json.Unmarshal(answer.Body, &c); err != nil {
		return c, broken(source, err)
	}
	if c.Data == nil {
		return c, other(source)
	}
	included := map[text]cachetFields{}
	for _, i := range c.Included.items {
		if strings.Contains(strings.ToLower(string(i.Type)), "update") {
			included[i.ID] = i.fields()
		}
	}
	for _, i := range c.Data.items {
		p.incident(i.incident(l, names, included, schedules))
	}
	return c, nil
}

func (i cachetItem) incident(l *look, names map[text]string, included map[text]cachetFields, schedule bool) transparency.Incident {
	f := i.fields()
	created := firstOf(f.Published.String, f.CreatedAt, f.Created.String)
	begin := firstOf(f.OccurredAt, f.Occurred.String, created)
	out := transparency.Incident{ID: string(i.ID), Title: string(f.Name), Maintenance: schedule}
	state := f.Status.value
	if f.Latest != nil {
		state = *f.Latest
	}
	var end stamp
	updates := max(len(f.Updates.items), len(i.Relationships.Updates.Data.items))
	for _, u := range f.Updates.items {
		if u.CreatedAt.After(end.Time) {
			end = u.CreatedAt
		}
	}
	for _, u := range i.Relationships.Updates.Data.items {
		if at := included[u.ID].Created.String; at.After(end.Time) {
			end = at
		}
	}
	out.Open = state != cachetFixed
	if !out.Open {
		end = firstOf(end, f.UpdatedAt, f.Updated.String)
	} else {
		end = stamp{}
	}
	out.URL = string(f.Permalink)
	if out.URL == "" && f.GUID != "" {
		out.URL = l.join("/incidents/" + url.PathEscape(string(f.GUID)))
	}
	if schedule {
		begin, end = firstOf(f.ScheduledAt, f.Scheduled.String), firstOf(f.CompletedAt, f.Completed.String)
		out.Open = state != cachetComplete
		out.Announced = created.Time
		out.Severity = severityOf("", true)
		out.URL = l.join("/schedules/" + url.PathEscape(string(i.ID)))
		if created.IsZero() {
			out.Unread = append(out.Unread, transparency.PartAnnounced)
		}
	}
	out.Begin, out.End, out.Updates = begin.Time, end.Time, max(updates, 1) // the message itself is the first word
	out.Unread = append(out.Unread, unread(part{transparency.PartBegin, begin}, part{transparency.PartEnd, end})...)
	if f.ComponentID != "" && f.ComponentID != "0" {
		out.Components = append(out.Components, names[f.ComponentID])
	}
	for _, c := range f.Components.items {
		out.Components = append(out.Components, string(c.Name), names[c.ComponentID])
	}
	for _, c := range i.Relationships.Components.Data.items {
		name := names[c.ID]
		if name == "" {
			name = strings.TrimSpace("component " + string(c.ID))
		}
		out.Components = append(out.Components, name)
	}
	return out
}
