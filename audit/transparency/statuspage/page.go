package statuspage

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit/transparency"
)

// What is kept of a page. The counts go over all that was read.
const (
	keptMonths     = 24
	keptIncidents  = 2000
	keptComponents = 2000
	keptAffected   = 50 // components of one incident
)

// page gathers what a status page shows. It holds the newest incidents only, however many there are.
type page struct {
	look   *look
	out    transparency.StatusPage
	read   map[[12]byte]struct{} // incidents that were read, by a digest of their id
	kept   []transparency.Incident
	oldest time.Time // begin of the oldest incident
	newest time.Time // newest event that is over or begun
	open   bool      // an incident goes on
}

func newPage(l *look, software string) *page {
	return &page{look: l, out: transparency.StatusPage{Software: software}, read: map[[12]byte]struct{}{}}
}

// at is the moment that the page is judged for.
func (p *page) at() time.Time {
	if !p.look.at.IsZero() || len(p.look.seen) == 0 {
		return p.look.at
	}
	return p.look.seen[0].At
}

// component adds a component; those without a name are none.
func (p *page) component(id, name, state string) {
	name = short(name, mostName)
	if name == "" || len(p.out.Components) >= keptComponents {
		return
	}
	c := transparency.Component{ID: short(id, mostName), Name: name, State: short(state, 60)}
	if len(p.out.Components) < 200 && slices.Contains(p.out.Components, c) {
		return
	}
	p.out.Components = append(p.out.Components, c)
}

// hides says what this way of reading cannot show of any incident.
func (p *page) hides(parts ...string) { p.out.Hides = append(p.out.Hides, parts...) }

// updated is what the page says of its own age; the newest counts.
func (p *page) updated(t time.Time) {
	if t.After(p.out.UpdatedAt) {
		p.out.UpdatedAt = t
	}
}

// since is from when on the page or a part of it exists; the oldest counts.
func (p *page) since(t time.Time) {
	if !t.IsZero() && (p.out.Since.IsZero() || t.Before(p.out.Since)) {
		p.out.Since = t
	}
}

// event is something that happened; what lies ahead does not show that somebody looks after the page.
func (p *page) event(t time.Time) {
	if t.After(p.newest) && !t.After(p.at()) {
		p.newest = t
	}
}

// incident adds an incident or a maintenance. One with an id that was there before is left out.
func (p *page) incident(i transparency.Incident) {
	i.Title, i.Impact = short(i.Title, mostTitle), short(i.Impact, 120)
	i.URL, i.Report = address(i.URL), address(i.Report)
	if strings.HasPrefix(i.URL, "file:") { // handed over: where it stands in public does not show
		i.ID = cmp.Or(i.ID, i.URL)
		i.URL, i.Report = "", ""
		i.Unread = append(i.Unread, transparency.PartURL)
	}
	i.ID = short(i.ID, mostName)
	if i.ID == "" {
		i.ID = cmp.Or(i.URL, i.Begin.Format(time.RFC3339)+" "+i.Title)
	}
	i.Components = affected(i.Components)
	kind := "incident "
	if i.Maintenance {
		kind = "maintenance "
	}
	key := [12]byte(sum(kind + i.ID))
	if _, again := p.read[key]; again {
		return
	}
	p.read[key] = struct{}{}
	if i.Open && !i.Maintenance && !i.Begin.After(p.at()) {
		p.open = true
	}
	p.event(i.Begin)
	p.event(i.Announced)
	if !i.Open { // of one that goes on it is planned
		p.event(i.End)
	}
	if !i.Begin.IsZero() && (p.oldest.IsZero() || i.Begin.Before(p.oldest)) {
		p.oldest = i.Begin
	}
	from := p.at().AddDate(0, -keptMonths, 0)
	if !i.Open && !i.Begin.IsZero() && i.Begin.Before(from) && i.End.Before(from) {
		return
	}
	p.kept = append(p.kept, i)
	if len(p.kept) >= 2*keptIncidents {
		p.prune()
	}
}

// prune keeps the newest incidents, newest first.
func (p *page) prune() {
	slices.SortStableFunc(p.kept, func(a, b transparency.Incident) int {
		return cmp.Or(b.Begin.Compare(a.Begin), cmp.Compare(a.ID, b.ID))
	})
	if len(p.kept) > keptIncidents {
		clear(p.kept[keptIncidents:])
		p.kept = p.kept[:keptIncidents]
		p.look.note("the newest %d incidents and maintenances of the last %d months are kept; more were read and counted", keptIncidents, keptMonths)
	}
}

// done returns the page.
func (p *page) done() *transparency.StatusPage {
	p.prune()
	out := p.out
	out.Title = short(out.Title, mostTitle)
	out.Incidents = slices.Clip(p.kept)
	out.IncidentsSeen = len(p.read)
	if p.open { // whatever its components say
		out.SaysNone = false
	}
	if out.HistoryFrom.IsZero() || !p.oldest.IsZero() && p.oldest.Before(out.HistoryFrom) {
		out.HistoryFrom = p.oldest
	}
	if out.HistoryFrom.After(p.at()) { // only what lies ahead is shown
		out.HistoryFrom = time.Time{}
	}
	if p.newest.After(out.UpdatedAt) {
		out.UpdatedAt = p.newest
	}
	slices.Sort(out.Hides)
	out.Hides = slices.Compact(out.Hides)
	return &out
}

// affected returns names of components, each once, bounded.
func affected(names []string) []string {
	var out []string
	for _, n := range names {
		if n = short(n, mostName); n != "" && !slices.Contains(out, n) {
			out = append(out, n)
		}
		if len(out) == keptAffected {
			break
		}
	}
	return out
}

// address returns an address that can be opened in a browser, or nothing.
func address(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > mostURL || s != short(s, mostURL) || strings.ContainsAny(s, " \"<>") {
		return ""
	}
	if !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://") && !strings.HasPrefix(s, "file:///") {
		return ""
	}
	return s
}

func sum(s string) []byte {
	d := sha256.Sum256([]byte(s))
	return d[:12]
}

// part is a moment of an incident, with the name that it has among what could not be read.
type part struct {
	name string
	s    stamp
}

// unread lists the parts that stand there but could not be read.
func unread(parts ...part) []string {
	var out []string
	for _, p := range parts {
		if p.s.odd && !slices.Contains(out, p.name) {
			out = append(out, p.name)
		}
	}
	return out
}
