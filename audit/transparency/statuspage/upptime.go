package statuspage

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Upptime (upptime/uptime-monitor; pages by upptime/status-page at d2acedfe): a public repository on GitHub has what was
// measured (history/summary.json; history/SLUG.yml with startTime and lastUpdated), its issues with the label status are the
// incidents, with the slug of the service as another label, those with the label maintenance the maintenances, whose times stand
// in a comment of the text (start, end). Comments are the updates. The page itself is built from these.

const upptimeServices = 3 // services whose measuring is looked at for its begin and its last time

type upptimeService struct {
	Name   text  `json:"name"`
	Slug   *text `json:"slug"`
	Status text  `json:"status"`
	Uptime *text `json:"uptime"`
}

type upptimeIssue struct {
	Number  text  `json:"number"`
	Title   text  `json:"title"`
	State   text  `json:"state"`
	Created stamp `json:"created_at"`
	Closed  stamp `json:"closed_at"`
	URL     text  `json:"html_url"`
	Body    text  `json:"body"`
	Count   int   `json:"comments"`
	Pull    any   `json:"pull_request"`
	Labels  list[struct {
		Name text `json:"name"`
	}] `json:"labels"`
}

func readUpptime(ctx context.Context, l *look, p *page) *audit.Trouble {
	files, issues, trouble := l.upptime()
	if trouble != nil {
		return trouble
	}
	source := files + "/history/summary.json"
	answer := l.get(ctx, source, typeJSON, mostPage)
	if answer.Trouble != nil {
		return answer.Trouble
	}
	names := map[string]string{}
	var slugs []string
	foreign, quiet := false, true
	_, err := each(answer.Body, "", func(s upptimeService) {
		if s.Slug == nil || s.Uptime == nil || s.Name == "" {
			foreign = true
			return
		}
		names[string(*s.Slug)] = string(s.Name)
		slugs = append(slugs, string(*s.Slug))
		quiet = quiet && s.Status == "up"
		p.component(string(*s.Slug), string(s.Name), string(s.Status))
	})
	if err != nil {
		return broken(source, err)
	}
	if foreign || len(slugs) == 0 {
		return other(source)
	}
	l.known()
	p.out.SaysNone = quiet
	for _, slug := range slugs[:min(len(slugs), upptimeServices)] {
		l.upptimeMeasured(ctx, p, files+"/history/"+slug+".yml")
	}
	incidents := l.upptimeIssues(ctx, p, issues, "status", names)
	maintenances := l.upptimeIssues(ctx, p, issues, "maintenance", names)
	p.out.Complete = incidents && maintenances
	if !p.out.Complete {
		p.out.Shows = "the issues that could be read"
	}
	return nil
}

// upptime returns where the files and the issues of the repository are.
func (l *look) upptime() (files, issues string, trouble *audit.Trouble) {
	found := regexp.MustCompile(`^https://(?:raw\.githubusercontent\.com|github\.com)/([A-Za-z0-9_-]+)/([A-Za-z0-9._-]+)`).FindStringSubmatch(l.given)
	if found == nil && strings.Contains(strings.ToLower(l.html), "upptime") {
		for _, m := range regexp.MustCompile(`https://(?:raw\.githubusercontent\.com|github\.com)/([A-Za-z0-9_-]+)/([A-Za-z0-9._-]+)`).FindAllStringSubmatch(l.html, 50) {
			if m[1] != "upptime" { // links to the software itself
				found = m
				break
			}
		}
	}
	if found != nil {
		name := found[1] + "/" + strings.TrimSuffix(found[2], ".git")
		return "https://raw.githubusercontent.com/" + name + "/HEAD", "https://api.github.com/repos/" + name + "/issues", nil
	}
	if l.root.Scheme == "file" || l.root.Path != "" {
		return strings.TrimSuffix(l.join("/"), "/"), strings.TrimSuffix(l.join("/issues"), "/"), nil
	}
	return "", "", other(l.given)
}

// upptimeMeasured reads since when one service is measured, and when it was last.
func (l *look) upptimeMeasured(ctx context.Context, p *page, source string) {
	answer := l.get(ctx, source, "", 64<<10)
	if answer.Trouble != nil {
		l.incomplete("how long a service is measured", answer.Trouble)
		return
	}
	for line := range strings.Lines(string(answer.Body)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		t, _ := moment(strings.Trim(value, `"'`))
		switch key {
		case "startTime":
			p.since(t)
		case "lastUpdated":
			p.event(t)
		}
	}
}

// upptimeIssues reads all issues with a label and reports whether nothing was left out.
func (l *look) upptimeIssues(ctx context.Context, p *page, issues, label string, names map[string]string) bool {
	const size = 100
	for n := 1; n <= mostPages/2; n++ {
		source := fmt.Sprintf("%s?labels=%s&state=all&per_page=%d&page=%d", issues, label, size, n)
		answer := l.get(ctx, source, typeJSON, mostPage)
		trouble := answer.Trouble
		read := 0
		if trouble == nil {
			var list []json.RawMessage
			if err := json.Unmarshal(answer.Body, &list); err != nil {
				trouble = broken(source, err)
			}
			for _, raw := range list {
				var i upptimeIssue
				read++
				if json.Unmarshal(raw, &i) == nil && i.Pull == nil {
					p.incident(i.incident(label == "maintenance", names))
				}
			}
		}
		if trouble != nil {
			l.incomplete("a part of the issues", trouble)
			return false
		}
		if read < size {
			return true
		}
	}
	l.note("the newest %d issues with the label %s were read, there are more", mostPages/2*size, label)
	return false
}

func (i upptimeIssue) incident(maintenance bool, names map[string]string) transparency.Incident {
	begin, end := i.Created, i.Closed
	out := transparency.Incident{
		ID: string(i.Number), URL: string(i.URL), Title: string(i.Title), Updates: 1 + i.Count, Maintenance: maintenance, Open: i.State == "open",
	}
	affected := []string{}
	for _, label := range i.Labels.items {
		if name := names[string(label.Name)]; name != "" {
			affected = append(affected, name)
		}
	}
	if maintenance {
		out.Announced = i.Created.Time
		out.Severity = severityOf("", true)
		for line := range strings.Lines(string(i.Body)) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
			t, ok := moment(value)
			switch key {
			case "start":
				begin = stamp{Time: t, odd: !ok}
			case "end":
				end = stamp{Time: t, odd: !ok}
			case "expectedDown", "expectedDegraded":
				for _, slug := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' }) {
					if name := names[slug]; name != "" && !slices.Contains(affected, name) {
						affected = append(affected, name)
					}
				}
			}
		}
	}
	out.Begin, out.End, out.Components = begin.Time, end.Time, affected
	out.Unread = unread(part{transparency.PartBegin, begin}, part{transparency.PartEnd, end})
	return out
}
