package reports

import (
	"fmt"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// ruleView is what the page shows of a requirement beside its findings: its sources, and each way its rule decided.
type ruleView struct {
	Sources []sourceView
	Trees   []treeView
	anchor  int // of the requirement, so that anchors of trees are its own
	numbers map[int]int
}

type sourceView struct{ Document, At, Status, Link, Quote, Says string }

// treeView is one explanation tree as lines of text, two spaces deeper for each level.
type treeView struct{ Anchor, Text string }

// factView is one fact behind a finding.
type factView struct {
	Fact, Value, Words, Says string
	Refs                     []int
	Places                   []string
}

// ruleViewOf returns what a report says about a requirement; of a report without requirements it is empty.
func ruleViewOf(r Report, id string) *ruleView {
	v := &ruleView{numbers: map[int]int{}}
	for i, q := range r.Requirements {
		if q.ID != id {
			continue
		}
		v.anchor = i + 1
		for _, c := range q.Sources {
			v.Sources = append(v.Sources, sourceView{c.Document, c.At, c.Status, webURL(c.URL), c.Quote, c.Says.In("en")})
		}
		return v
	}
	return nil
}

// tree returns the number of a tree among those of the requirement, counted from 1; 0 if there is none.
func (v *ruleView) tree(tree audit.Tree, number int) int {
	if v == nil || len(tree) == 0 {
		return 0
	}
	if n, known := v.numbers[number]; known {
		return n
	}
	var b strings.Builder
	for _, rule := range tree {
		b.WriteString(rule.String())
	}
	n := len(v.Trees) + 1
	v.Trees = append(v.Trees, treeView{v.treeAnchor(n), strings.TrimSuffix(b.String(), "\n")})
	v.numbers[number] = n
	return n
}

func (v *ruleView) treeAnchor(n int) string { return fmt.Sprintf("q%dt%d", v.anchor, n) }

// factViews lists the facts behind a finding.
func factViews(f Finding, index *originIndex) []factView {
	var out []factView
	for _, g := range f.Grounds {
		v := factView{Fact: g.Fact, Value: factIn(g, "en"), Words: strings.Join(groundWords(g, "en"), ", "), Says: g.Says, Refs: index.refs(groundOrigins(f, g))}
		if !g.Known {
			v.Says = g.Reason
		}
		for _, p := range g.Places {
			v.Places = append(v.Places, shortPlace(p))
		}
		out = append(out, v)
	}
	return out
}

// shortPlace says where bytes lie in the bundle, with the first digits of the blob's digest.
func shortPlace(p audit.Place) string {
	at := short(string(p.Digest))
	switch {
	case p.Withheld != "":
		return at + " withheld"
	case p.To > 0:
		return fmt.Sprintf("%s bytes %d-%d", at, p.From, p.To-1)
	}
	return at + " " + p.Pointer
}

// exampleOf names the subject that the facts of a line are about.
func exampleOf(f Finding, label func(audit.SubjectRef) string) string {
	if f.Example != nil {
		return f.Example.Name
	}
	return label(f.Subject)
}
