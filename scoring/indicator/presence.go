package indicator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// This file is the rule of presence. Something is there if the files of the repository show it, or the forge, or the
// records of the project's team or foundation. It is absent, which is FAIL, only if all of these were read and the README
// names no other place; else the answer is open and lists the places, each as something that would settle it.

// sight is what one place beside the files of the repository shows.
type sight struct {
	answer scoring.Measurement // PASS; the zero value: it is not there, or nobody looked
	unread string              // name of the place if it may hold more; empty: it was read to the end, or there is none
}

// place looks at one place beside the files of the repository.
type place func(*input) sight

// find answers whether the files of the repository or one of some places hold something. Places that no collector reads
// are given by name.
func (in *input) find(docs func(scoring.Tree) []scoring.Document, what string, places []place, more ...string) scoring.Measurement {
	t, m, ok := in.tree()
	if ok {
		if found := docs(t); len(found) > 0 {
			paths := byPath(found)
			return passed(clip(shown(paths[0])), what+": "+listed(paths), in.files(paths)...)
		}
	}
	answer, unread := in.beside(places)
	switch {
	case answer.Outcome == audit.PASS:
		return answer
	case !ok:
		return m
	}
	return in.nowhere(missing(t, what), slices.Concat(more, in.unreadPlaces(), unread, in.readmePlaces(t, what)))
}

// beside looks at places in turn: the first answer, or the names of those that may hold more.
func (in *input) beside(places []place) (answer scoring.Measurement, unread []string) {
	for _, look := range places {
		s := look(in)
		if s.answer.Outcome == audit.PASS {
			return s.answer, nil
		}
		if s.unread != "" {
			unread = append(unread, s.unread)
		}
	}
	return answer, unread
}

// present answers whether the repository holds a file of a kind; the pages of the foundation are not read for it.
func (in *input) present(docs func(scoring.Tree) []scoring.Document, what string, more ...string) scoring.Measurement {
	return in.find(docs, what, []place{foundationPages}, more...)
}

// absent answers for something that neither the repository nor a collector shows, with a reason that says so: FAIL if there
// is no other place to look, else DNF with the places (design section 4, rule 9). more names places that a repository
// never shows.
func (in *input) absent(t scoring.Tree, reason string, more ...string) scoring.Measurement {
	return in.nowhere(reason, in.unread(t, reason, more...))
}

func (in *input) nowhere(reason string, unread []string) scoring.Measurement {
	if len(unread) == 0 {
		return failed("no", reason+", and it names no other place", in.at(""))
	}
	m := untold(reason + "; not read: " + strings.Join(unread, "; "))
	for _, p := range unread[:min(len(unread), mostPlaces)] {
		m.Settle = append(m.Settle, "read "+p)
	}
	return m
}

// unread lists the places where more may be found than the repository holds.
func (in *input) unread(t scoring.Tree, what string, more ...string) []string {
	_, pages := in.beside([]place{foundationPages})
	return slices.Concat(more, in.unreadPlaces(), pages, in.readmePlaces(t, what))
}

// readmePlaces names what the README names: one by one the pages whose address speaks of what is asked, and the further
// repositories of the owner that were not read; then all hosts together, since any page of theirs may hold it.
func (in *input) readmePlaces(t scoring.Tree, what string) []string {
	var list []string
	if stems := stemsOf(what); len(stems) > 0 {
		for _, p := range slices.Concat(slices.Sorted(slices.Values(t.ReadmePages)), slices.Sorted(slices.Values(t.ReadmeRepos))) {
			_, page, _ := strings.Cut(p, "://")
			if len(list) < mostNames && speaks(cmp.Or(page, p), stems) && !in.readAsPlace(p) {
				list = append(list, clip(p)+", which the README names")
			}
		}
	}
	if len(t.ReadmeLinks) > 0 {
		if in.hosts == "" {
			in.hosts = "places that the README names (" + names(t.ReadmeLinks) + ")"
		}
		list = append(list, in.hosts)
	}
	return list
}

func (in *input) readAsPlace(repo string) bool {
	return slices.ContainsFunc(in.e.Places, func(known scoring.Place) bool { return address(known.Repo) == address(repo) })
}

// stemsOf are the words by which an address may speak of what is asked.
func stemsOf(what string) (stems []string) {
	what = strings.ToLower(what)
	for _, stem := range []string{"secur", "vulnerab", "govern", "conduct", "contribut", "roadmap", "adopt", "changelog", "release", "deprecat", "support", "maint", "proposal"} {
		if strings.Contains(what, stem) {
			stems = append(stems, stem)
		}
	}
	return stems
}

// speaks reports whether an address has one of the words in it.
func speaks(address string, stems []string) bool {
	address = strings.ToLower(address)
	return slices.ContainsFunc(stems, func(stem string) bool { return strings.Contains(address, stem) })
}

// missing says that the whole repository does not hold something.
func missing(t scoring.Tree, what string) string {
	return fmt.Sprintf("no %s in the %s of the repository", what, plural(t.Files, "file"))
}

// document and tool select files by topic.
func document(topic string) func(scoring.Tree) []scoring.Document {
	return func(t scoring.Tree) []scoring.Document { return t.Documents[topic] }
}

func tool(topic string) func(scoring.Tree) []scoring.Document {
	return func(t scoring.Tree) []scoring.Document { return t.Tools[topic] }
}

// records returns what a foundation says of the project. ok is false if nobody could read it, or if the foundation's own
// list, which claims to be complete, does not name the project: then it lends the project nothing.
func (in *input) records() (g scoring.Governance, ok bool) {
	g, known := in.e.Governance.Get()
	if !known || in.e.Governance.Declared || in.denied() {
		return g, false
	}
	return g, true
}

// denied reports whether a foundation was read whose own list says that the project is not one of its own.
func (in *input) denied() bool {
	g, _ := in.e.Governance.Get()
	listed, known := g.Listed.Get()
	return known && !listed && !g.Listed.Declared && !in.e.Governance.Declared
}

// unlisted says why a foundation lends a project nothing.
func unlisted(foundation string) string {
	if foundation == "none" {
		return "no foundation hosts the project"
	}
	return "the list of " + clip(foundation) + " does not name the project"
}

// foundationPages is the foundation as a place of which only the records are read.
func foundationPages(in *input) sight {
	g, _ := in.records()
	name := cmp.Or(in.p.Foundation, g.Foundation)
	switch {
	case name == "none" || in.denied():
		return sight{}
	case name == "":
		return sight{unread: "the hosting foundation, which is not known"}
	}
	return sight{unread: "the pages of the foundation " + clip(name)}
}

// lent is the place where a foundation's records name something for the project, its team or all of its projects. The
// records answer for the foundation: where they say that there is none, nothing else of it has to be read.
func lent[T any](what string, pick func(scoring.Governance) audit.Fact[T], show func(T) string) place {
	return func(in *input) sight {
		g, ok := in.records()
		if !ok {
			return foundationPages(in)
		}
		f := pick(g)
		v, known := f.Get()
		switch {
		case !known || f.Declared:
			return foundationPages(in)
		case show(v) == "":
			return sight{}
		}
		in.rests(in.e.Governance.Grade)
		in.rests(f.Grade)
		origins := firstOrigins(f)
		if len(origins) == 0 {
			origins = firstOrigins(in.e.Governance)
		}
		if len(origins) == 0 {
			origins = []audit.Origin{{Source: "foundation", Path: clip(g.Foundation)}}
		}
		return sight{answer: passed(clip(show(v)), what+": "+clip(show(v))+steps(g), origins...)}
	}
}

// steps says by which hops a statement of a foundation reaches the project.
func steps(g scoring.Governance) string {
	var hops []string
	for _, s := range g.Steps {
		hops = append(hops, s.What+" "+clip(s.Name))
	}
	if len(hops) == 0 {
		return " (" + clip(g.Foundation) + ")"
	}
	return " (by " + strings.Join(hops[:min(len(hops), mostPlaces)], ", ") + ")"
}

// ofForge is the place where the forge shows something of the repository or its owner. GitHub lends the documents of an
// owner to each of his repositories, so that the files alone do not show what is missing there; other forges lend nothing.
func ofForge(what string, pick func(scoring.Home) audit.Fact[bool]) place {
	return func(in *input) sight {
		h, known := in.e.Home.Get()
		f := pick(h)
		has, said := f.Get()
		switch known = known && said && !f.Declared && !in.e.Home.Declared; {
		case !strings.HasPrefix(address(in.e.Repo), "github.com/"):
			return sight{}
		case known && has:
			in.rests(in.e.Home.Grade)
			in.rests(f.Grade)
			return sight{answer: passed("yes", clip(h.Forge)+" shows a "+what+" of the repository or its owner", orOrigin(firstOrigins(in.e.Home), in.at(""))...)}
		case known:
			return sight{}
		}
		return sight{unread: "what GitHub lends the repository from its owner"}
	}
}

func orOrigin(origins []audit.Origin, otherwise audit.Origin) []audit.Origin {
	if len(origins) == 0 {
		return []audit.Origin{otherwise}
	}
	return origins
}

// asIs shows an address as it is.
func asIs(s string) string { return s }

// theTeam shows a security team where there is one.
func theTeam(there bool) string {
	if there {
		return "a team that handles vulnerabilities"
	}
	return ""
}
