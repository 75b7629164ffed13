package policies

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

// WaiverSchema names the form of a file of waivers; WaiverNamespace is the purpose for which its signature is made.
const (
	WaiverSchema    = "pegel/waiver/v1"
	WaiverNamespace = "pegel-waiver"
)

// mostWaivers bounds a file of waivers.
const mostWaivers = 1000

// Waiver says that somebody who may do so lives with the failure of one requirement by one subject for a while. It never turns
// FAIL into PASS (reference: Conforma's exceptions with an end date): the finding shows both. Whether a waived must still
// blocks the level is the switch waivedMustBlocks of the policy.
type Waiver struct {
	Requirement string
	Subject     string // id of the subject, as in findings
	Reason      string
	By          string // who waives: an organisation or a role
	Key         string // fingerprint of the key that signed it
	From, Until time.Time
}

// switchWaivedMustBlocks is the switch that the engine itself reads.
const switchWaivedMustBlocks = "waivedMustBlocks"

// WaivedMustBlocks reports whether a waived must still blocks. A policy that says nothing about it takes the safe answer.
func (p *Policy) WaivedMustBlocks() bool {
	for _, s := range p.switches {
		if s.Name == switchWaivedMustBlocks {
			return s.On
		}
	}
	return true
}

// ParseWaivers reads a file of waivers (schema pegel/waiver/v1). Whether it is signed, and by whom, is for the caller to check:
// an unsigned waiver counts for nothing. What is wrong with the file is a *LoadError with the places.
func ParseWaivers(name string, data []byte) ([]Waiver, error) {
	r := &reader{file: name, beside: true}
	root := r.root(data)
	var out []Waiver
	if root != nil {
		m := r.mapping(root, "schema", "by", "date", "waivers")
		r.oneOf(root, m, "schema", WaiverSchema)
		by, from := r.plain(root, m, "by"), r.neededDay(root, m, "date")
		list := r.entries(m["waivers"])
		if len(list) > mostWaivers {
			r.problem(m["waivers"], "%d waivers; at most %d are read", len(list), mostWaivers)
			list = nil
		}
		if m != nil && len(list) == 0 {
			r.problem(root, "the file waives nothing")
		}
		for _, n := range list {
			out = append(out, r.waiver(n, by, from, out))
		}
	}
	if len(r.problems) > 0 {
		return nil, &LoadError{Problems: r.problems}
	}
	return out, nil
}

func (r *reader) waiver(n *yaml.Node, by string, from time.Time, before []Waiver) Waiver {
	m := r.mapping(n, "requirement", "subject", "reason", "until")
	w := Waiver{
		Requirement: r.identifier(n, m, "requirement"), Subject: r.plain(n, m, "subject"), Reason: r.plain(n, m, "reason"),
		By: by, From: from, Until: endOfDay(r.neededDay(n, m, "until")),
	}
	switch {
	case m == nil:
	case !w.Until.IsZero() && !from.IsZero() && w.Until.Before(from):
		r.problem(m["until"], "the waiver ends before the day of the file")
	case !w.Until.IsZero() && !from.IsZero() && w.Until.After(from.AddDate(mostWaivedYears, 0, 1)):
		r.problem(m["until"], "a waiver counts for at most %d year; what lasts longer is no exception", mostWaivedYears)
	case slices.ContainsFunc(before, func(o Waiver) bool { return o.Requirement == w.Requirement && o.Subject == w.Subject }):
		r.problem(n, "%s of %s is waived twice", w.Requirement, clip(w.Subject))
	}
	return w
}

// mostWaivedYears bounds how long a waiver may count: a certificate counts for one year (scs-0004-v1), and what is tolerated
// for longer than that is a rule, not an exception.
const mostWaivedYears = 1

func endOfDay(day time.Time) time.Time {
	if day.IsZero() {
		return day
	}
	return day.AddDate(0, 0, 1).Add(-time.Second)
}

// neededDay reads a day that must be there.
func (r *reader) neededDay(parent *yaml.Node, m map[string]*yaml.Node, key string) time.Time {
	if m != nil && m[key] == nil {
		r.problem(parent, "%q is missing: a day such as 2027-01-31", key)
	}
	return r.day(m[key])
}

// mailbox finds what looks like an address of a person.
var mailbox = regexp.MustCompile(`\S@\S`)

// plain reads a text of one line that must be there and names no mailbox: reports show it, and they name no persons.
func (r *reader) plain(parent *yaml.Node, m map[string]*yaml.Node, key string) string {
	v := r.needed(parent, m, key)
	switch {
	case len(v) > mostText:
		r.problem(m[key], "%s has %d bytes; at most %d are read", key, len(v), mostText)
	case clean(v) != v && len([]rune(v)) <= 200:
		r.problem(m[key], "%s holds characters that cannot be printed", key)
	case key != "subject" && mailbox.MatchString(v):
		r.problem(m[key], "%s may name a person: write an organisation or a role, without an address", key)
	}
	return v
}

// UnusedWaiver is a waiver that changed nothing, and why.
type UnusedWaiver struct {
	Waiver
	Why string
}

// waive marks the failures that somebody lives with, and says of the other waivers why they change nothing.
func (e *evaluation) waive() []UnusedWaiver {
	byFinding := map[string][]int{}
	for i, f := range e.findings {
		key := f.Requirement + "\x00" + f.Subject.ID
		byFinding[key] = append(byFinding[key], i)
	}
	waivers := slices.Clone(e.in.Waivers)
	slices.SortFunc(waivers, func(a, b Waiver) int { // of two, the one that lasts longest
		return cmp.Or(b.Until.Compare(a.Until), cmp.Compare(a.Requirement, b.Requirement), cmp.Compare(a.Subject, b.Subject),
			cmp.Compare(a.By, b.By), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Key, b.Key))
	})
	var unused []UnusedWaiver
	for _, w := range waivers {
		if why := e.waiveOne(w, byFinding[w.Requirement+"\x00"+w.Subject]); why != "" {
			unused = append(unused, UnusedWaiver{w, why})
		}
	}
	slices.SortStableFunc(unused, func(a, b UnusedWaiver) int {
		return cmp.Or(cmp.Compare(a.Requirement, b.Requirement), cmp.Compare(a.Subject, b.Subject))
	})
	return unused
}

func (e *evaluation) waiveOne(w Waiver, at []int) (why string) {
	now := e.in.AssessedAt
	switch q, known := e.policy.Requirement(w.Requirement); {
	case w.Key == "":
		return "it is not signed by anyone who may waive"
	case !known:
		return "the policy has no such requirement"
	case now.Before(w.From):
		return "it counts from " + w.From.Format(time.DateOnly) + " on"
	case now.After(w.Until):
		return "it ended on " + w.Until.Format(time.DateOnly)
	case q.ForEach == KindPrerequisite:
		return "the level below cannot be waived"
	case len(at) == 0:
		return "nothing of that name was judged by this requirement on its own"
	}
	why = ""
	used := false
	for _, i := range at {
		f := &e.findings[i]
		switch {
		case f.Outcome != audit.FAIL:
			why = fmt.Sprintf("the answer is %s, and only FAIL can be waived", f.Outcome)
		case f.Waived != nil:
			why = "another waiver of the same lasts at least as long"
		case f.Count > 0: // folded: its subject is the artifact, not what fails
			why = "the line stands for packages that are not listed one by one"
		default:
			f.Waived, used = &audit.Waived{By: clip(w.By), Reason: clip(w.Reason), Until: w.Until.UTC(), Key: w.Key}, true
		}
	}
	if used {
		return ""
	}
	return why
}
