package forge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// gerrit reads Gerrit Code Review by its REST interface (Gerrit documentation, rest-api-changes, -projects, -groups). It
// serves projects whose .gitreview file names a server, and repositories at hosts whose reviews happen in Gerrit.
type gerrit struct{ *services }

func (gerrit) name() string { return "gerrit" }

// read fills Changes, Rules and Team, and Home where nobody else hosts the repository.
func (g gerrit) read(ctx context.Context, p scoring.Project, e *scoring.Evidence) error {
	host, project, ok := g.place(p, *e)
	if g.options.Client == nil || !ok {
		return nil
	}
	r := gerritReading{desk: g.desk(g.name(), "", host), project: project, accounts: accounts{options: g.options, host: host}}
	state, err := r.state(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	sure := reviewsIn(g.options, p.Repo)
	if !sure && (r.status == http.StatusNotFound || state == "READ_ONLY") {
		return nil // the .gitreview file is a leftover: somebody else has the changes
	}
	if e.Home.Unknown() == audit.MISS && hostedBy(g.options, p.Repo) == serviceGerrit {
		e.Home = r.home(state, err)
	}
	if e.Changes.Unknown() == audit.MISS {
		changes, err := r.changes(ctx, g.options.At, err)
		if err != nil {
			return err
		}
		if c, ok := changes.Get(); ok && !sure && idle(c) {
			return nil // nothing happened here in two years: as above
		}
		e.Changes = changes
	}
	if e.Rules.Unknown() != audit.MISS && e.Team.Unknown() != audit.MISS {
		return nil
	}
	rules, team, err := r.access(ctx, state != "")
	if err != nil {
		return err
	}
	if e.Rules.Unknown() == audit.MISS {
		e.Rules = rules
	}
	if e.Team.Unknown() == audit.MISS {
		e.Team = team
	}
	return nil
}

// idle says whether nothing was proposed or closed in the longest window, and nothing is open.
func idle(c scoring.Changes) bool {
	w := c.Windows[len(c.Windows)-1]
	for _, f := range []audit.Fact[int]{w.Opened, w.Closed, c.Open} {
		if n, ok := f.Get(); !ok || n > 0 {
			return false
		}
	}
	return true
}

// place returns the server and the project's name there.
func (g gerrit) place(p scoring.Project, e scoring.Evidence) (host, project string, ok bool) {
	if tree, known := e.Tree.Get(); known && tree.GerritProject != "" {
		host, project, ok = strings.Cut(strings.TrimSuffix(tree.GerritProject, ".git"), "/")
		return host, project, ok && validHost(host) && validPath(project) && !g.borrowed(p, e)
	}
	host, project, ok = locate(p.Repo)
	if !ok {
		return "", "", false
	}
	if review, listed := reviewHosts()[host]; listed {
		return review, project, true
	}
	return host, project, hostedBy(g.options, p.Repo) == serviceGerrit
}

// borrowed says that a .gitreview file cannot be true: anybody may name the Gerrit project of others, but commits that came
// through Gerrit carry a Change-Id. It does not show the opposite.
func (g gerrit) borrowed(p scoring.Project, e scoring.Evidence) bool {
	h, known := e.History.Get()
	if !known || reviewsIn(g.options, p.Repo) {
		return false
	}
	w, ok := h.Window(24)
	return ok && w.HumanCommits > 0 && w.ChangeID == 0
}

// gerritReading asks one Gerrit about one project.
type gerritReading struct {
	*desk
	project  string
	accounts accounts
}

// gerritRule makes the redaction rule of a shape for answers that begin with the line Gerrit puts before its JSON so that
// no browser runs it.
func gerritRule(name string, s *shape, required ...string) scoring.Redact {
	rule := ruleOf("gerrit "+name, s, required...)
	inner := rule.Do
	rule.Do = func(status int, body []byte, person func(string) string) ([]byte, error) {
		return inner(status, bytes.TrimPrefix(body, []byte(")]}'")), person)
	}
	return rule
}

// accounts names people in Gerrit's answers: {"who": number} for a human being, with the organisation where the vote
// matters; {"who": name, "machine": true} for a service user.
type accounts struct {
	options Options
	host    string
}

// gerritAccount is an account as it was redacted.
type gerritAccount struct {
	Who          string          `json:"who"`
	Machine      bool            `json:"machine"`
	Organisation string          `json:"organisation"`
	Value        json.Number     `json:"value"` // of a vote
	Date         gerritTimestamp `json:"date"`  // of a vote
}

// accountPaths are the shape of an account at a path: what the namer is shown.
func accountPaths(at string) []string {
	var paths []string
	for _, key := range []string{"_account_id", "email", "username", "name", "tags", "value", "date"} {
		paths = append(paths, strings.TrimPrefix(at+"."+key, "."))
	}
	if at != "" {
		paths = append(paths, at+"@")
	}
	return paths
}

// name is the namer of the shapes.
func (a accounts) name(path []string, value any, _ map[string]any, person func(string) string) any {
	account, ok := value.(map[string]any)
	if !ok {
		return nil
	}
	out := map[string]any{}
	for _, key := range []string{"value", "date"} {
		if v, ok := account[key]; ok {
			out[key] = v
		}
	}
	text := func(key string) string { s, _ := account[key].(string); return s }
	id := fmt.Sprint(account["_account_id"])
	if account["_account_id"] == nil {
		id = strings.ToLower(text("username") + text("email"))
	}
	if id == "" {
		return out
	}
	tags, _ := account["tags"].([]any)
	if slices.Contains(tags, any("SERVICE_USER")) || machineName(text("username"), text("name")) {
		out["who"], out["machine"] = cmpOr(text("username"), "service user"), true
		return out
	}
	out["who"] = person(a.host + "/" + id)
	if a.options.Affiliate != nil && text("email") != "" && len(path) > 0 && (path[0] == "labels" || path[0] == "members") {
		at := a.options.At
		if t, err := parseGerritTime(text("date")); err == nil {
			at = t
		}
		if organisation, ok := a.options.Affiliate(strings.ToLower(text("email")), at); ok {
			out["organisation"] = organisation
		}
	}
	return out
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// gerritTimestamp reads "2013-02-01 09:59:32.126000000", which is UTC.
type gerritTimestamp struct{ time.Time }

// UnmarshalJSON leaves the zero time where the text is none.
func (t *gerritTimestamp) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		t.Time, _ = parseGerritTime(text)
	}
	return nil
}

func parseGerritTime(s string) (time.Time, error) { return time.Parse("2006-01-02 15:04:05", s) }

// state asks whether the project exists: a search for changes of one that does not is answered by an empty list.
func (r gerritReading) state(ctx context.Context) (string, error) {
	var info struct {
		State string `json:"state"`
	}
	rule := gerritRule("project", newShape(nil, "id", "state"), "id")
	err := r.get(ctx, "project "+r.project, rule, "/projects/"+url.PathEscape(r.project), &info)
	if err == nil && info.State == "" {
		info.State = "ACTIVE" // not set before Gerrit 2.x showed it
	}
	return info.State, err
}

// home says what Gerrit knows of a repository that it hosts itself.
func (r gerritReading) home(state string, err error) audit.Fact[scoring.Home] {
	if err != nil {
		return failed[scoring.Home](err)
	}
	const untold = "Gerrit does not tell"
	h := scoring.Home{Forge: serviceGerrit, Name: r.project, Archived: audit.Known(state == "READ_ONLY", r.last)}
	h.MirrorOf, h.Licence = notTold[string](untold, "the repository's files"), notTold[string](untold, "the repository's files")
	h.Fork, h.Created = notTold[bool](untold, ""), notTold[time.Time](untold, "the first commit")
	h.DefaultBranch, h.OwnerKind = notTold[string](untold, "git ls-remote --symref"), notTold[string](untold, "the catalogue")
	h.Stars, h.Forks = notTold[int]("Gerrit has no stars", ""), notTold[int]("Gerrit has no forks", "")
	h.CodeOfConduct, h.Security = notTold[bool](untold, "the repository's files"), notTold[bool](untold, "the repository's files")
	h.Newcomers, h.Funding = notTold[int](untold, "the tracker"), notTold[int](untold, "the repository's files")
	h.Releases = notTold[[]scoring.Published]("Gerrit publishes no releases", "the repository's tags")
	return audit.Known(h, r.last).Graded(audit.GradeForge, r.observed(), audit.Month)
}

// gerritChange is a change as it was redacted.
type gerritChange struct {
	Number    int64           `json:"_number"`
	Status    string          `json:"status"`
	Created   gerritTimestamp `json:"created"`
	Updated   gerritTimestamp `json:"updated"`
	Submitted gerritTimestamp `json:"submitted"`
	Owner     gerritAccount   `json:"owner"`
	Submitter gerritAccount   `json:"submitter"`
	Labels    map[string]struct {
		All []gerritAccount `json:"all"`
	} `json:"labels"`
	Messages []struct {
		Author gerritAccount   `json:"author"`
		Date   gerritTimestamp `json:"date"`
		Tag    string          `json:"tag"`
	} `json:"messages"`
	More bool `json:"_more_changes"`
}

// Bounds of the lists. Servers may give fewer changes at a time than asked for; _more_changes says so.
const (
	gerritDetailed = 100 // changes with votes and messages in one answer: about 2 MB for OpenStack's Zuul reports
	gerritLooked   = 500 // changes of one status that are looked at one by one
	gerritLean     = 500 // changes without details in one answer: the default query limit of Gerrit
	gerritPages    = 40  // answers of one status: 16,000 changes at least
)

// lists reads the changes of one status, those last touched first, until the longest window is covered. The newest ones
// come with votes and messages. Since is from when on the list is whole.
func (r gerritReading) lists(ctx context.Context, status string, at time.Time) (list []gerritChange, looked int, from time.Time, err error) {
	shape := newShape(r.accounts.name, slices.Concat([]string{"_number", "status", "created", "updated", "submitted", "_more_changes",
		"messages.date", "messages.tag"}, accountPaths("owner"), accountPaths("submitter"), accountPaths("labels.*.all"), accountPaths("messages.author"))...)
	rule := gerritRule("changes", shape, "_number", "status", "created", "updated")
	begin := since(at, 24)
	for range gerritPages {
		q := url.Values{"q": {fmt.Sprintf("project:%q status:%s", r.project, status)}, "S": {strconv.Itoa(len(list))}}
		detailed := looked < gerritLooked
		if detailed {
			q["o"], q["n"] = []string{"DETAILED_LABELS", "DETAILED_ACCOUNTS", "MESSAGES"}, []string{strconv.Itoa(gerritDetailed)}
		} else {
			q["o"], q["n"] = []string{"DETAILED_ACCOUNTS"}, []string{strconv.Itoa(gerritLean)}
		}
		var page []gerritChange
		if err := r.get(ctx, "changes of "+r.project, rule, "/changes/?"+q.Encode(), &page); err != nil {
			return nil, 0, time.Time{}, err
		}
		if len(page) > gerritLean { // more than was asked for
			return nil, 0, time.Time{}, &trouble{reason: fmt.Sprintf("%s gives %d changes at a time, which no Gerrit does", r.host, len(page)), settle: "correct the .gitreview file or the catalogue", origins: []audit.Origin{r.last}}
		}
		list = append(list, page...)
		if detailed {
			looked = len(list)
		}
		if len(page) == 0 || !page[len(page)-1].More {
			return list, looked, time.Time{}, nil
		}
		if from = page[len(page)-1].Updated.Time; from.Before(begin) && status != "open" {
			return list, looked, from, nil
		}
	}
	return list, looked, from, nil
}

// changes reads how changes fare; why is the trouble that was met before.
func (r gerritReading) changes(ctx context.Context, at time.Time, why error) (audit.Fact[scoring.Changes], error) {
	if why != nil {
		return failed[scoring.Changes](why), ctx.Err()
	}
	l := log{forge: serviceGerrit, at: at}
	r.seen = nil
	for _, status := range []string{"merged", "abandoned", "open"} {
		list, looked, from, err := r.lists(ctx, status, at)
		if ctx.Err() != nil {
			return audit.Fact[scoring.Changes]{}, ctx.Err()
		}
		if err != nil {
			return failed[scoring.Changes](err), nil
		}
		if from.After(l.since) {
			l.since = from
		}
		for i, c := range list {
			l.list = append(l.list, c.proposal(i < looked))
		}
		if status == "open" {
			l.open = audit.Known(len(list), r.last)
			if !from.IsZero() {
				l.open = notTold[int](fmt.Sprintf("more than %d changes are open", len(list)), "a server that lists more at a time", r.last)
			}
		}
	}
	l.origins = r.origins()
	if r.options.Affiliate == nil {
		l.organisations = &trouble{reason: "no table says which organisations people belong to", settle: "affiliations of people", origins: l.origins}
	}
	return audit.Known(l.changes(), l.origins...).Graded(audit.GradeRecord, r.observed(), audit.Month), nil
}

// proposal turns a change into what all forges have.
func (c gerritChange) proposal(looked bool) proposal {
	p := proposal{number: c.Number, author: c.Owner.Who, machine: c.Owner.Machine, opened: c.Created.Time, looked: looked,
		merged: c.Status == "MERGED", open: c.Status == "NEW" || c.Status == "DRAFT"}
	switch {
	case p.merged:
		p.closed = c.Submitted.Time
		if p.closed.IsZero() { // servers before Gerrit 2.13 do not say
			p.closed = c.Updated.Time
		}
	case !p.open:
		p.closed = c.Updated.Time
	}
	p.merger, p.mergerMachine = c.Submitter.Who, c.Submitter.Machine
	for label, votes := range c.Labels {
		for _, v := range votes.All {
			p.vote(label, v)
		}
	}
	for _, m := range c.Messages {
		if m.Tag == "autogenerated:gerrit:abandon" && !p.open && !p.merged {
			p.closed = m.Date.Time
		}
		p.remarks = append(p.remarks, remark{at: m.Date.Time, who: m.Author.Who, machine: m.Author.Machine || strings.HasPrefix(m.Tag, "autogenerated:")})
	}
	return p
}

// vote notes what a vote says. A change is approved by +2 on Code-Review, or by +1 on Workflow where a gate merges what
// was given that (OpenStack's contributor guide); it is tested where a machine gives it a positive Verified.
func (p *proposal) vote(label string, v gerritAccount) {
	value, _ := v.Value.Int64()
	switch {
	case label == "Verified" && v.Machine && value > 0:
		p.gated = true
	case label == "Code-Review" && value >= 2 || label == "Workflow" && value >= 1:
		p.approvals = append(p.approvals, approval{who: v.Who, organisation: v.Organisation, machine: v.Machine})
	}
	if label == "Workflow" && value >= 1 && !v.Machine && v.Who != "" && p.mergerMachine {
		p.merger, p.mergerMachine = v.Who, false // a machine submits on the word of this one
	}
}

// errNotShown says that a server keeps its configuration to itself.
var errNotShown = errors.New("Gerrit shows the access rules of this project only to those who may read refs/meta/config")
