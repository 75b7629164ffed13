package forgetest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Gerrit is a fake of Gerrit Code Review with one project. Its answers were built from Gerrit's documentation
// (rest-api-changes, -projects, -groups, -accounts); no description for machines is published, so that no test can check
// them against one.
type Gerrit struct {
	Tale    *Tale
	Project string
	// Limit is the most changes the server gives at a time, whatever is asked; 0: 500.
	Limit int
	// Hidden keeps the access rules from callers, as for those who may not read refs/meta/config.
	Hidden bool
	// Force lets somebody push by force to branches.
	Force bool
	// Expression is the condition of the submit requirement Code-Review; empty: the server knows no submit requirements.
	Expression string
}

// ServeHTTP answers.
func (g *Gerrit) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path, project := r.URL.EscapedPath(), "/projects/"+strings.ReplaceAll(g.Project, "/", "%2F")
	switch {
	case path == "/changes/":
		g.changes(w, r)
	case path == project:
		g.say(w, object{"id": strings.ReplaceAll(g.Project, "/", "%2F"), "name": g.Project, "description": freeText, "state": "ACTIVE"})
	case path == project+"/access":
		g.say(w, g.access("All-Projects", object{"refs/heads/*": object{"permissions": object{"label-Code-Review": object{"label": "Code-Review", "rules": object{
			"4711": object{"action": "ALLOW", "force": false, "min": -2, "max": 2}, "user:1": object{"action": "ALLOW", "min": -2, "max": 2}}}}}}))
	case path == "/projects/All-Projects/access":
		g.say(w, g.access("", object{"refs/heads/*": object{"permissions": object{"push": object{"rules": object{"1": object{"action": "ALLOW", "force": g.Force}}}}}}))
	case path == project+"/submit_requirements/" && g.Expression != "":
		g.say(w, []object{{"name": "Code-Review", "description": freeText, "submittability_expression": g.Expression},
			{"name": "Verified", "submittability_expression": "label:Verified=MAX AND -label:Verified=MIN"}})
	case path == "/groups/4711/members/" || path == "/groups/"+g.Project[strings.LastIndexByte(g.Project, '/')+1:]+"-core/members/":
		members := []object{}
		for _, who := range g.Tale.Core {
			members = append(members, g.account(who))
		}
		g.say(w, members)
	default:
		http.Error(w, "Not found: "+freeText, http.StatusNotFound)
	}
}

// say writes an answer behind the line that keeps browsers from running it.
func (g *Gerrit) say(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // never happens: fixtures are plain values
	}
	fmt.Fprintf(w, ")]}'\n%s\n", text)
}

func (g *Gerrit) access(parent string, local object) object {
	a := object{"revision": strings.Repeat("a", 40), "local": local, "groups": object{"4711": object{"name": "town-core"}, "1": object{"name": "Administrators"},
		"user:1": object{"name": "user/Ada Example"}}, "is_owner": false}
	if parent != "" {
		a["inherits_from"] = object{"id": parent, "name": parent}
	}
	if a["config_visible"] = true; g.Hidden {
		delete(a, "config_visible")
		a["local"] = object{}
	}
	return a
}

// account is an AccountInfo with details.
func (g *Gerrit) account(who string) object {
	id := 1000
	for _, c := range who {
		id = id*31 + int(c)
	}
	a := object{"_account_id": id % 1000000, "name": strings.ToUpper(who[:1]) + who[1:] + " Example", "email": Address(who), "username": who}
	if Machine(who) {
		a["name"], a["tags"] = strings.ToUpper(who[:1])+who[1:], []string{"SERVICE_USER"}
	}
	return a
}

// stamp is Gerrit's form of a time.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000000000") }

// changes answers a search.
func (g *Gerrit) changes(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if !strings.Contains(q.Get("q"), `project:"`+g.Project+`"`) {
		g.say(w, []object{})
		return
	}
	_, status, _ := strings.Cut(q.Get("q"), "status:")
	list := g.Tale.proposals(func(p Proposal) bool {
		switch status {
		case "merged":
			return p.Merged
		case "abandoned":
			return !p.Merged && !p.Closed.IsZero()
		}
		return p.Closed.IsZero()
	})
	skip, _ := strconv.Atoi(q.Get("S"))
	limit, _ := strconv.Atoi(q.Get("n"))
	most := g.Limit
	if most == 0 {
		most = 500
	}
	limit = min(limit, most)
	list = list[min(skip, len(list)):]
	answer := []object{}
	for i, p := range list {
		if i == limit {
			answer[i-1]["_more_changes"] = true
			break
		}
		answer = append(answer, g.change(p, q["o"]))
	}
	g.say(w, answer)
}

// change is a ChangeInfo with the options that were asked for.
func (g *Gerrit) change(p Proposal, options []string) object {
	c := object{"id": fmt.Sprintf("%s~%d", strings.ReplaceAll(g.Project, "/", "%2F"), p.Number), "project": g.Project, "branch": "main", "change_id": fmt.Sprintf("I%040d", p.Number),
		"subject": freeText, "status": "NEW", "created": stamp(p.Opened), "updated": stamp(p.touched()), "insertions": 3, "deletions": 1, "_number": p.Number, "owner": g.account(p.Author)}
	switch {
	case p.Merged:
		c["status"], c["submitted"], c["submitter"] = "MERGED", stamp(p.Closed), g.account(p.Merger)
	case !p.Closed.IsZero():
		c["status"] = "ABANDONED"
	}
	if slices.Contains(options, "DETAILED_LABELS") {
		c["labels"] = g.labels(p)
	}
	if slices.Contains(options, "MESSAGES") {
		c["messages"] = g.messages(p)
	}
	return c
}

func (g *Gerrit) labels(p Proposal) object {
	vote := func(by string, value int, at time.Time) object {
		v := g.account(by)
		v["value"], v["date"], v["permitted_voting_range"] = value, stamp(at), object{"min": -2, "max": 2}
		return v
	}
	review, workflow, verified := []object{}, []object{}, []object{}
	for _, a := range p.Approvals {
		review = append(review, vote(a.By, 2, a.At))
		workflow = append(workflow, vote(a.By, 1, a.At))
	}
	for _, s := range p.Remarks {
		if !Machine(s.By) {
			review = append(review, vote(s.By, 0, s.At)) // a remark without a vote
		}
	}
	if p.Tested {
		verified = append(verified, vote("zuul", 2, p.Closed))
	}
	values := object{"-2": freeText, " 0": freeText, "+2": freeText}
	return object{"Code-Review": object{"all": review, "values": values, "description": freeText, "default_value": 0}, "Workflow": object{"all": workflow, "values": values},
		"Verified": object{"all": verified, "values": values}}
}

func (g *Gerrit) messages(p Proposal) []object {
	say := func(by, tag string, at time.Time) object {
		m := object{"id": strings.Repeat("b", 40), "author": g.account(by), "date": stamp(at), "message": freeText, "_revision_number": 1}
		if tag != "" {
			m["tag"] = tag
		}
		return m
	}
	list := []object{say(p.Author, "autogenerated:gerrit:newPatchSet", p.Opened)}
	for _, s := range slices.Concat(p.Remarks, p.Approvals) {
		tag := ""
		if Machine(s.By) {
			tag = "autogenerated:zuul:check"
		}
		list = append(list, say(s.By, tag, s.At))
	}
	switch {
	case p.Merged:
		list = append(list, say(p.Merger, "autogenerated:gerrit:merged", p.Closed))
	case !p.Closed.IsZero():
		list = append(list, say(p.Author, "autogenerated:gerrit:abandon", p.Closed))
	}
	return list
}
