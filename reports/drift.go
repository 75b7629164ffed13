package reports

import (
	"cmp"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// What text and HTML both say about differences between intent and fact, and about where artifacts were seen.

// driftKinds are the kinds of differences in words.
var driftKinds = [...]struct{ id, words string }{
	{"tag-moved", "same reference, other contents"},
	{"contents", "same version, other contents"},
	{"older", "older than declared"},
	{"version", "other version than declared"},
	{"not-declared", "runs, not declared"},
	{"not-running", "declared, not seen running"},
	{"unpinned", "not pinned"},
	{"end-of-life", "no longer maintained"},
}

// driftSign is a difference as people see it: one that is open cannot be told yet.
func driftSign(d Drift) sign {
	words := d.Kind
	for _, k := range driftKinds {
		if k.id == d.Kind {
			words = k.words
		}
	}
	if d.Open != "" {
		return sign{"?", words, unsure}
	}
	return sign{"✗", words, bad}
}

// ofOneSide reports whether a row is about a name or a version by itself: it says nothing about the other side.
func (d Drift) ofOneSide() bool { return d.Kind == "unpinned" || d.Kind == "end-of-life" }

// none is what stands for a side that is not there.
func (d Drift) none(words string) string {
	if d.ofOneSide() {
		return "–"
	}
	return words
}

// driftRows are the differences of a report, certain ones first.
func driftRows(r Report) []Drift {
	rows := slices.Clone(r.Drift)
	slices.SortStableFunc(rows, func(a, b Drift) int { return rankOf(a.Open != "") - rankOf(b.Open != "") })
	return rows
}

// driftSentence says how intent and fact compare: "9 differences between what was declared and what runs, 3 of them open".
func driftSentence(r Report) string {
	open, alone := 0, 0
	for _, d := range r.Drift {
		open += rankOf(d.Open != "")
		alone += rankOf(d.ofOneSide())
	}
	about := ""
	if alone > 0 {
		about = plural(alone, "name or version is", "names or versions are") + " not pinned or no longer maintained"
	}
	var text string
	switch {
	case len(r.Drift) > alone:
		text = plural(len(r.Drift)-alone, "difference", "differences") + " between what was declared and what runs"
		if open > 0 {
			text += ", " + thousands(open) + " of them open"
		}
	case r.Undecided != "":
	case r.Coverage.Running == 0:
		text = "Nothing was seen running, so that nothing was compared with what was declared"
	default:
		text = "No difference was found between what was declared and what runs"
	}
	sentences := []string{text, about}
	if r.Undecided != "" {
		sentences = append(sentences, "Intent and fact could not be compared: "+r.Undecided)
	}
	var out []string
	for _, s := range sentences {
		if s != "" {
			out = append(out, stop(s))
		}
	}
	return strings.Join(out, " ")
}

// version is what a side names: version and the first digits of the digest, else the reference.
func (s *DriftSide) version() string {
	return strings.TrimSpace(cmp.Or(s.Version, s.Reference) + " " + short(string(s.Digest)))
}

// places are the places of a side that may be shown, each once.
func (s *DriftSide) places() []string { return shownPlaces(s.Where, s.Reference) }

// where says in few words where a side was seen: its first places, or, where these are hidden, on how many hosts it runs.
func (s *DriftSide) where(r Report, most int) string {
	if places := s.places(); len(places) > 0 {
		return some(places, most, 0)
	}
	for _, a := range r.Artifacts {
		if a.ID == s.Artifact && a.state().Word == "runs" {
			return a.spread()
		}
	}
	return ""
}

// shownPlaces lists places that are not hidden, each once, without the reference that is shown beside them.
func shownPlaces(where []string, reference string) []string {
	var out []string
	for _, w := range where {
		if reference != "" {
			w = strings.TrimSuffix(w, ": "+reference)
		}
		if w != hiddenWhere && w != "" && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// place says of one sighting where it was: "containers: ctl01, x.json", in a public form "kubernetes: Deployment in namespace 1".
func (s Sighting) place() string {
	parts := shownPlaces([]string{s.Where}, s.Reference)
	has := func(text string) bool { return strings.Contains(strings.Join(parts, " "), text) }
	if s.Workload != "" && !has(s.Workload) {
		parts = append(parts, s.Workload)
	}
	if s.Namespace != "" && !has(s.Namespace) {
		if isNamespaceLabel(s.Namespace) {
			parts = append(parts, s.Namespace)
		} else {
			parts = append(parts, "namespace "+s.Namespace)
		}
	}
	text := s.Source
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	if word := cmp.Or(s.State, declaredWord(s.Declared)); word != "" {
		text += " (" + word + ")"
	}
	return text
}

func isNamespaceLabel(s string) bool {
	number, ok := strings.CutPrefix(s, "namespace ")
	return ok && number != "" && strings.Trim(number, "0123456789") == ""
}

func declaredWord(declared bool) string {
	if declared {
		return "declared"
	}
	return ""
}

// state is the most that any source says of an artifact.
func (a Artifact) state() sign {
	states := map[string]bool{}
	for _, s := range a.Sightings {
		states[s.State] = true
	}
	switch {
	case states["running"]:
		return sign{"✓", "runs", good}
	case states["stopped"]:
		return sign{"–", "is stopped", neutral}
	case states["present"]:
		return sign{"–", "contents are there", neutral}
	case a.Seen:
		return sign{"–", "was seen", neutral}
	case states["offered"] && !states["declared"]:
		return sign{"?", "only offered", unsure}
	}
	return sign{"?", "only declared", unsure}
}

// copies is how many of an artifact run: two sources that look at the same machines see the same copies, so that the
// source that counts most of them is taken, and of one source each place once.
func (a Artifact) copies() int {
	if a.Replicas > 0 {
		return a.Replicas
	}
	type place struct{ hosts, namespace, workload, reference string }
	counts := map[string]map[place]int{}
	for _, s := range a.Sightings {
		if s.State != "running" {
			continue
		}
		if counts[s.Source] == nil {
			counts[s.Source] = map[place]int{}
		}
		p := place{strings.Join(s.Hosts, "\x00"), s.Namespace, s.Workload, s.Reference}
		counts[s.Source][p] = max(counts[s.Source][p], s.Replicas)
	}
	most := 0
	for _, places := range counts {
		sum := 0
		for _, n := range places {
			sum += n
		}
		most = max(most, sum)
	}
	return most
}

// hosts are the machines on which an artifact runs, or, if it was not seen running, those on which it was seen; sorted.
func (a Artifact) hosts() []string {
	set := map[string]bool{}
	runs := a.copies() > 0
	for _, s := range a.Sightings {
		if runs && s.State != "running" {
			continue
		}
		for _, h := range s.Hosts {
			set[h] = true
		}
	}
	return sortedKeys(set)
}

// spread says how many copies run on which hosts: "3 copies on 5 hosts: a, b, c and 2 more".
func (a Artifact) spread() string {
	if a.Kind == "host" {
		return ""
	}
	var parts []string
	if n := a.copies(); n > 0 {
		parts = append(parts, plural(n, "copy", "copies"))
	}
	switch hosts := a.hosts(); {
	case len(hosts) == 0:
	case len(hosts) == 1:
		parts = append(parts, "on "+hosts[0])
	default:
		parts = append(parts, "on "+plural(len(hosts), "host", "hosts")+": "+some(hosts, 3, 0))
	}
	return strings.Join(parts, " ")
}

// maxPlaces bounds the sightings that one row of the HTML report shows.
const maxPlaces = 8

// found lists where an artifact was seen, alike places once with their number, and the origins of what is listed; more
// counts the places that are not.
func (a Artifact) found() (places []string, origins []audit.Origin, more int) {
	counts := map[string]int{}
	for _, s := range a.Sightings {
		text := s.place()
		if counts[text]++; counts[text] > 1 {
			continue
		}
		if len(places) == maxPlaces {
			more++
			continue
		}
		places = append(places, text)
		origins = append(origins, s.Origin)
	}
	for i, text := range places {
		if n := counts[text]; n > 1 {
			places[i] = text + " × " + thousands(n)
		}
	}
	return places, origins, more
}
