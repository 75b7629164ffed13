package statuspage

import (
	"context"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// cState (cstate/cstate 6.0.1 at 1fb3e0d3, layouts/index.json, layouts/_default/list.json): /index.json has the systems and
// what is unresolved, /issues/index.json every issue. Moments are Go's own text. An issue is one Markdown text: how many
// updates it has does not show in the JSON. Notices marked informational are announcements and maintenances; when one was
// published does not show, its date is the day it is about.

type cState struct {
	Is            text `json:"is"`
	Version       text `json:"cStateVersion"`
	Title         text `json:"title"`
	SummaryStatus text `json:"summaryStatus"`
	BuildDate     text `json:"buildDate"`
	BuildTime     text `json:"buildTime"`
	BuildTimezone text `json:"buildTimezone"`
	Systems       *list[struct {
		Name   text              `json:"name"`
		Status text              `json:"status"`
		Issues list[cStateIssue] `json:"unresolvedIssues"`
	}] `json:"systems"`
	Pinned list[cStateIssue] `json:"pinnedIssues"`
}

type cStateIssue struct {
	Is            text       `json:"is"`
	Title         text       `json:"title"`
	CreatedAt     stamp      `json:"createdAt"`
	LastMod       stamp      `json:"lastMod"`
	Permalink     text       `json:"permalink"`
	Severity      text       `json:"severity"`
	Resolved      bool       `json:"resolved"`
	Informational bool       `json:"informational"`
	ResolvedAt    stamp      `json:"resolvedAt"`
	Affected      list[text] `json:"affected"`
}

func readCState(ctx context.Context, l *look, p *page) *audit.Trouble {
	source := l.join("/index.json")
	var c cState
	if trouble := l.json(ctx, source, &c); trouble != nil {
		return trouble
	}
	if c.Version == "" && c.Is != "index" || c.Systems == nil {
		return other(source)
	}
	l.known()
	p.out.Title = string(c.Title)
	if built, ok := moment(strings.TrimSpace(string(c.BuildDate) + " " + string(c.BuildTime) + " " + string(c.BuildTimezone))); ok {
		p.updated(built)
	}
	p.hides(transparency.PartAnnounced)
	for _, s := range c.Systems.items {
		p.component("", string(s.Name), string(s.Status))
		for _, i := range s.Issues.items {
			p.cState(i)
		}
	}
	p.out.SaysNone = c.SummaryStatus == "ok" && len(p.out.Components) > 0
	issues := l.join("/issues/index.json")
	answer := l.get(ctx, issues, typeJSON, mostList)
	trouble := answer.Trouble
	if trouble == nil {
		if _, err := each(answer.Body, "pages", func(i cStateIssue) {
			if i.Is == "issue" {
				p.cState(i)
			}
		}); err != nil {
			trouble = broken(issues, err)
		}
	}
	p.out.Complete = trouble == nil
	if trouble != nil {
		l.incomplete("the list of all issues", trouble)
		p.out.Shows = "the issues that are open"
	}
	return nil
}

// cState adds an issue.
func (p *page) cState(i cStateIssue) {
	p.event(i.LastMod.Time)
	var names []string
	for _, a := range i.Affected.items {
		names = append(names, string(a))
	}
	p.incident(transparency.Incident{
		ID: string(i.Permalink), URL: string(i.Permalink), Title: string(i.Title), Begin: i.CreatedAt.Time, End: i.ResolvedAt.Time,
		Open: !i.Resolved && !i.Informational, Components: names, Impact: string(i.Severity), Updates: 1,
		Severity: severityOf(string(i.Severity), i.Informational), Maintenance: i.Informational,
		Unread: unread(part{transparency.PartBegin, i.CreatedAt}, part{transparency.PartEnd, i.ResolvedAt}),
	})
}
