package transparency

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Newest is the moment of the newest thing that an artifact shows; zero if it shows none with a date.
func (a Artifact) Newest() time.Time {
	switch {
	case a.StatusPage != nil:
		return a.StatusPage.newest()
	case a.IncidentReports != nil:
		return latest(a.IncidentReports.Reports, func(r IncidentReport) time.Time { return r.Published })
	case a.Monitor != nil:
		return a.Monitor.Newest
	case a.Runbooks != nil:
		return newestChange(a.Runbooks.Places)
	case a.Configuration != nil:
		return newestChange(a.Configuration.Places)
	case a.OpenOperations != nil:
		given := slices.Concat(a.OpenOperations.Repositories, a.OpenOperations.Upstreams)
		return latest(given, func(c Contributed) time.Time { v, _ := c.Count.Get(); return v.Newest })
	case a.SBOM != nil:
		return a.SBOM.Created
	case a.Advisories != nil:
		return latest(a.Advisories.Advisories, func(x Advisory) time.Time { return x.Published })
	case a.Patches != nil:
		return latest(a.Patches.Places, func(p PatchPlace) time.Time { v, _ := p.LastHuman.Get(); return v })
	}
	return time.Time{}
}

func (p StatusPage) newest() time.Time {
	newest := latest(p.Incidents, func(i Incident) time.Time {
		if i.End.After(i.Begin) {
			return i.End
		}
		return i.Begin
	})
	if p.UpdatedAt.After(newest) {
		return p.UpdatedAt
	}
	return newest
}

func newestChange(places []Place) time.Time {
	return latest(places, func(p Place) time.Time { v, _ := p.LastHuman.Get(); return v })
}

func latest[T any](list []T, at func(T) time.Time) time.Time {
	var newest time.Time
	for _, x := range list {
		if t := at(x); t.After(newest) {
			newest = t
		}
	}
	return newest
}

// Found says in words what an artifact shows, a line for each thing worth knowing.
func (a Artifact) Found() []string {
	switch {
	case a.StatusPage != nil:
		return a.StatusPage.found()
	case a.IncidentReports != nil:
		return a.IncidentReports.found()
	case a.Monitor != nil:
		return a.Monitor.found()
	case a.Runbooks != nil:
		return foundPlaces(a.Runbooks.Places)
	case a.Configuration != nil:
		return foundPlaces(a.Configuration.Places)
	case a.OpenOperations != nil:
		return a.OpenOperations.found()
	case a.SBOM != nil:
		return a.SBOM.found()
	case a.SecurityTxt != nil:
		return a.SecurityTxt.found()
	case a.Advisories != nil:
		return []string{count(len(a.Advisories.Advisories), "advisory", "advisories")}
	case a.Imprint != nil:
		return []string{"names " + orNothing(a.Imprint.Found)}
	case a.CertificatePage != nil:
		return a.CertificatePage.found()
	case a.Patches != nil:
		return a.Patches.found()
	case a.Identity != nil:
		return a.Identity.found()
	}
	return nil
}

func (p StatusPage) found() []string {
	maintenance := 0
	for _, i := range p.Incidents {
		if i.Maintenance {
			maintenance++
		}
	}
	line := count(len(p.Components), "component", "components") + ", " + count(len(p.Incidents)-maintenance, "incident", "incidents") + " and " +
		count(maintenance, "maintenance", "maintenances") + " of the last two years"
	if p.IncidentsSeen > len(p.Incidents) {
		line += fmt.Sprintf(" (%d entries in all)", p.IncidentsSeen)
	}
	out := []string{line}
	if !p.HistoryFrom.IsZero() {
		out = append(out, "history from "+p.HistoryFrom.Format(time.DateOnly))
	}
	if p.SaysNone {
		out = append(out, "says that nothing is wrong")
	}
	return out
}

func (r IncidentReports) found() []string {
	out := []string{count(len(r.Reports), "incident report", "incident reports")}
	if r.Others > 0 {
		out = append(out, count(r.Others, "other document", "other documents")+" at the same place, not counted")
	}
	return out
}

func (m Monitor) found() []string {
	out := []string{}
	if m.Software != "" {
		out = append(out, m.Software)
	}
	for _, s := range []struct {
		name string
		s    Series
	}{{"error rate", m.Errors}, {"response time", m.Latency}} {
		if s.s.Values == 0 {
			out = append(out, "no series of "+s.name)
			continue
		}
		out = append(out, fmt.Sprintf("%s: %s with samples, %s to %s", s.name, count(s.s.Days, "day", "days"), s.s.From.Format(time.DateOnly), s.s.To.Format(time.DateOnly)))
	}
	return out
}

func foundPlaces(places []Place) []string {
	var out []string
	for _, p := range places {
		if p.Trouble != nil {
			out = append(out, p.name()+": "+p.Trouble.Text)
			continue
		}
		line := p.name() + ": " + count(p.Documents, "document", "documents")
		if v, ok := p.Licence.Get(); ok {
			line += ", " + v
		} else {
			line += ", licence not known"
		}
		var topics []string
		for _, t := range p.Topics {
			if !slices.Contains(topics, t.Topic) {
				topics = append(topics, t.Topic)
			}
		}
		out = append(out, line+", topics: "+orNothing(topics))
	}
	return out
}

func (o OpenOperations) found() []string {
	var out []string
	if v, ok := o.Signed.Get(); ok {
		if v == "" {
			out = append(out, "the manifesto does not name the operator")
		} else {
			out = append(out, "the manifesto names the operator: "+v)
		}
	}
	for _, part := range []struct {
		name string
		list []Contributed
	}{{"Open Operations repositories", o.Repositories}, {"deployed upstream projects", o.Upstreams}} {
		commits, repos, unread := 0, 0, 0
		for _, c := range part.list {
			v, ok := c.Count.Get()
			switch {
			case !ok:
				unread++
			case v.Commits > 0:
				commits, repos = commits+v.Commits, repos+1
			}
		}
		switch read := len(part.list) - unread; {
		case len(part.list) == 0:
		case read == 0:
			out = append(out, fmt.Sprintf("none of %d %s could be read", len(part.list), part.name))
		case unread > 0:
			out = append(out, fmt.Sprintf("%s in %d of %d %s in twelve months; %d more could not be read", count(commits, "commit", "commits"), repos, read, part.name, unread))
		default:
			out = append(out, fmt.Sprintf("%s in %d of %d %s in twelve months", count(commits, "commit", "commits"), repos, read, part.name))
		}
	}
	answering := 0
	for _, l := range o.Links {
		if l.Trouble == nil {
			answering++
		}
	}
	if len(o.Links) > 0 {
		out = append(out, fmt.Sprintf("%d of %s answer", answering, count(len(o.Links), "declared link", "declared links")))
	}
	return out
}

func (s SBOMFacts) found() []string {
	out := []string{s.Format + ", " + count(s.Components, "component", "components")}
	if s.Deployed > 0 {
		out = append(out, fmt.Sprintf("names %d of %d deployed parts", s.Named, s.Deployed))
	}
	if !s.BSI && len(s.Open) > 0 {
		out = append(out, "fields of BSI TR-03183-2 that it lacks: "+strings.Join(s.Open, ", "))
	}
	return out
}

func (s SecurityTxt) found() []string {
	line := count(len(s.Contacts), "contact", "contacts")
	if !s.Expires.IsZero() {
		line += ", expires " + s.Expires.Format(time.DateOnly)
	}
	if s.Signed {
		line += ", signed (the signature was not verified)"
	}
	return append([]string{line}, s.Problems...)
}

func (c CertificatePage) found() []string {
	var out []string
	if c.Link != "" {
		out = append(out, "links to "+c.Link)
	}
	if len(c.Scopes) > 0 {
		out = append(out, "names "+strings.Join(c.Scopes, ", "))
	}
	return out
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func orNothing(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}
