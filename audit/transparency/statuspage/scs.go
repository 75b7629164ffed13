package statuspage

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// The SCS status page API (scs-0402; openapi.yaml v1.1.2; SovereignCloudStack/status-page-api at a2abd482, pkg/server). Every
// answer is {"data": ...}. /incidents asks for start and end (400 without), has no pages, and names neither components nor
// severities but by their ids and values. Updates are numbers in the list; their times take one call for each incident, which
// is made for maintenances only, because the first update of one says when it was announced.

// scsAnnounced is how many maintenances, the newest, are asked when they were announced.
const scsAnnounced = 30

type scsComponent struct {
	ID          text      `json:"id"`
	DisplayName text      `json:"displayName"`
	Affected    list[any] `json:"activelyAffectedBy"`
}

type scsIncident struct {
	ID          text                  `json:"id"`
	DisplayName text                  `json:"displayName"`
	BeganAt     stamp                 `json:"beganAt"`
	EndedAt     stamp                 `json:"endedAt"`
	Phase       *scsPhase             `json:"phase"`
	Affects     list[scsImpact]       `json:"affects"`
	Updates     list[json.RawMessage] `json:"updates"`
}

type scsPhase struct {
	Generation int `json:"generation"`
	Order      int `json:"order"`
}

type scsImpact struct {
	Reference text `json:"reference"`
	Type      text `json:"type"`
	Severity  *int `json:"severity"`
}

type scsNamed struct {
	ID          text `json:"id"`
	DisplayName text `json:"displayName"`
	Value       int  `json:"value"`
}

// scsWords are the words of one page: what its ids and numbers mean.
type scsWords struct {
	components map[string]string
	types      map[string]string
	severities []scsNamed  // by value
	last       map[int]int // order of the last phase of a generation
}

func readSCS(ctx context.Context, l *look, p *page) *audit.Trouble {
	words, trouble := scsComponents(ctx, l, p)
	if trouble != nil {
		return trouble
	}
	l.known()
	scsNames(ctx, l, &words)
	at := p.at()
	query := url.Values{
		"start": {at.AddDate(0, -keptMonths, 0).Format(time.RFC3339)},
		"end":   {at.AddDate(1, 0, 0).Format(time.RFC3339)}, // announced maintenances lie ahead
	}
	source := l.join("/incidents?" + query.Encode())
	answer := l.get(ctx, source, typeJSON, mostList)
	if answer.Trouble != nil {
		return answer.Trouble
	}
	var maintenances []transparency.Incident // the newest, which wait for their updates
	odd, err := each(answer.Body, "data", func(i scsIncident) {
		incident := words.incident(i, l)
		if !incident.Maintenance || incident.Updates == 0 {
			p.incident(incident)
			return
		}
		maintenances = append(maintenances, incident)
		slices.SortStableFunc(maintenances, func(a, b transparency.Incident) int { return b.Begin.Compare(a.Begin) })
		if len(maintenances) > scsAnnounced {
			oldest := maintenances[scsAnnounced]
			oldest.Listed = true
			p.incident(oldest)
			maintenances = maintenances[:scsAnnounced]
			l.note("when it was announced was asked for the newest %d maintenances only", scsAnnounced)
		}
	})
	if err != nil {
		return broken(source, err)
	}
	if odd > 0 {
		l.note("%d entries of %s are no incidents by scs-0402", odd, l.join("/incidents"))
	}
	p.out.Complete = true
	p.out.Shows = fmt.Sprintf("the last %d months, for which it was asked", keptMonths)
	scsPublished(ctx, l, p, maintenances)
	return nil
}

// scsComponents reads the components; its answer tells this software from others.
func scsComponents(ctx context.Context, l *look, p *page) (scsWords, *audit.Trouble) {
	words := scsWords{components: map[string]string{}, types: map[string]string{}, last: map[int]int{}}
	source := l.join("/components")
	var components struct {
		Data *[]json.RawMessage `json:"data"`
	}
	if trouble := l.json(ctx, source, &components); trouble != nil {
		return words, trouble
	}
	if components.Data == nil {
		return words, other(source)
	}
	quiet := len(*components.Data) > 0
	for _, raw := range *components.Data {
		var c scsComponent
		if json.Unmarshal(raw, &c) != nil || c.DisplayName == "" {
			return words, other(source)
		}
		words.components[string(c.ID)] = string(c.DisplayName)
		state := "operational"
		if len(c.Affected.items) > 0 {
			quiet, state = false, "affected"
		}
		p.component(string(c.ID), string(c.DisplayName), state)
	}
	p.out.SaysNone = quiet
	return words, nil
}

// scsNames reads what severities, types of impact and phases are called. Where it cannot, they have no names.
func scsNames(ctx context.Context, l *look, words *scsWords) {
	var types, severities struct {
		Data list[scsNamed] `json:"data"`
	}
	if trouble := l.json(ctx, l.join("/impacttypes"), &types); trouble != nil {
		l.incomplete("the types of impact", trouble)
	}
	for _, t := range types.Data.items {
		words.types[string(t.ID)] = string(t.DisplayName)
	}
	if trouble := l.json(ctx, l.join("/severities"), &severities); trouble != nil {
		l.incomplete("the severities", trouble)
	}
	words.severities = severities.Data.items
	slices.SortStableFunc(words.severities, func(a, b scsNamed) int { return cmp.Compare(a.Value, b.Value) })
	words.phases(ctx, l, "/phases")
}

// phases reads one generation of phases; the last of them is the end of an incident.
func (w *scsWords) phases(ctx context.Context, l *look, ref string) {
	var phases struct {
		Data struct {
			Generation int        `json:"generation"`
			Phases     list[text] `json:"phases"`
		} `json:"data"`
	}
	if trouble := l.json(ctx, l.join(ref), &phases); trouble != nil {
		l.incomplete("the phases of incidents", trouble)
		return
	}
	if n := len(phases.Data.Phases.items); n > 0 {
		w.last[phases.Data.Generation] = n - 1
	}
}

// incident says in our words what an incident of the API says in its own.
func (w *scsWords) incident(i scsIncident, l *look) transparency.Incident {
	out := transparency.Incident{
		ID: string(i.ID), Title: string(i.DisplayName), Begin: i.BeganAt.Time, End: i.EndedAt.Time, Updates: len(i.Updates.items),
		URL: l.join("/incidents/" + url.PathEscape(string(i.ID))), Open: i.EndedAt.zero(),
		Unread: unread(part{transparency.PartBegin, i.BeganAt}, part{transparency.PartEnd, i.EndedAt}),
	}
	if i.Phase != nil && out.Open {
		if last, ok := w.last[i.Phase.Generation]; ok && i.Phase.Order >= last && last > 0 {
			out.Open = false // its phase is the last one, and nobody wrote down when it ended
		}
	}
	var worst *int
	var types []string
	for _, a := range i.Affects.items {
		if name := w.components[string(a.Reference)]; name != "" {
			out.Components = append(out.Components, name)
		} else if a.Reference != "" {
			out.Components = append(out.Components, "component "+string(a.Reference))
		}
		if a.Severity != nil && *a.Severity >= 0 && *a.Severity <= 100 && (worst == nil || *a.Severity > *worst) {
			worst = a.Severity
		}
		if name := w.types[string(a.Type)]; name != "" && !slices.Contains(types, name) && len(types) < 5 {
			types = append(types, name)
		}
	}
	out.Severity = worst
	out.Maintenance = worst != nil && *worst == 0
	out.Impact = strings.Join(slices.DeleteFunc(append([]string{w.severity(worst)}, types...), func(s string) bool { return s == "" }), ", ")
	return out
}

// severity is the name of a value: that of the smallest bound which reaches it (0 is a maintenance).
func (w *scsWords) severity(value *int) string {
	if value == nil {
		return ""
	}
	if *value == 0 {
		return "maintenance"
	}
	for _, s := range w.severities {
		if s.Value >= *value {
			return string(s.DisplayName)
		}
	}
	return ""
}

// scsPublished asks when maintenances were announced: the first of their updates.
func scsPublished(ctx context.Context, l *look, p *page, maintenances []transparency.Incident) {
	for _, m := range maintenances {
		var updates struct {
			Data list[struct {
				CreatedAt stamp `json:"createdAt"`
			}] `json:"data"`
		}
		trouble := l.json(ctx, m.URL+"/updates", &updates)
		for _, u := range updates.Data.items {
			p.event(u.CreatedAt.Time)
			if !u.CreatedAt.IsZero() && (m.Announced.IsZero() || u.CreatedAt.Before(m.Announced)) {
				m.Announced = u.CreatedAt.Time
			}
		}
		if trouble != nil || m.Announced.IsZero() {
			m.Unread = append(m.Unread, transparency.PartAnnounced)
		}
		p.incident(m)
	}
}
