package transparency

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Thresholds of RB-02 and RB-03 by their names in the profile.
const (
	numberTopics  = "topics"        // of runbookTopics
	numberAgeDays = "last_age_days" // of the newest change by a person
	numberPlaces  = "places"        // that show inventory and versions
)

// runbookTopics are all topics, in the order in which a reader is told which are missing.
var runbookTopics = []string{"deploy", "upgrade", "backup", "incident", "access"}

// RB-01 reads the licence from a file at the root, from the README, or from the page. A repository that was read as a whole and
// names no licence gives nobody a right. It misleads where a licence covers the code and the documents stand under another.
//
// RB-02 finds topics by headings and names in English, German and French. It cannot tell a good runbook from a poor one, and
// words it does not know are not found: the result names what is missing, so that an operator can name the place.
//
// RB-03 asks for the newest commit by no machine, of any of the places that have a topic. A site that is built anew each night
// shows the date of its build.
//
// RB-04 and CF-02 find keys, tokens and passwords that look as if a program had made them, see package runbook. A value that only
// looks like one can be listed in a file for scanners, e.g. .gitleaks.toml; a weak password that is a word is not found.
//
// CF-01 asks for what runs where and at which versions; it is information: nobody has to show this.
func runbookIndicators() []Indicator {
	return []Indicator{
		{ID: "RB-01", Kind: KindRunbooks, Question: "Can everybody read the runbooks, and use them under an open licence?", Measure: ofPlaces(KindRunbooks, runbookPlaces, openRunbooks)},
		{ID: "RB-02", Kind: KindRunbooks, Question: "Do the runbooks speak of deployment, upgrade, backup and restore, incidents and access?", Measure: ofPlaces(KindRunbooks, runbookPlaces, topicsPresent)},
		{ID: "RB-03", Kind: KindRunbooks, Contents: true, Question: "Did a person change the runbooks within a year?", Measure: ofPlaces(KindRunbooks, runbookPlaces, runbooksFresh)},
		{ID: "RB-04", Kind: KindRunbooks, Contents: true, Question: "Are the runbooks free of secrets in plain text?", Measure: ofPlaces(KindRunbooks, runbookPlaces, noSecrets)},
		{ID: "CF-01", Kind: KindConfiguration, Question: "Does the operator show the configuration of the cloud, with inventory and versions?", Measure: ofPlaces(KindConfiguration, configurationPlaces, configurationShown)},
		{ID: "CF-02", Kind: KindConfiguration, Contents: true, Question: "Is the configuration free of secrets in plain text?", Measure: ofPlaces(KindConfiguration, configurationPlaces, noSecrets)},
	}
}

// ofPlaces lets a measure answer from places; without any nobody looked. An artifact of which nobody could tell anything is a
// place that was not read.
func ofPlaces(kind string, places func([]Artifact) []Place, measure func(Question, []Place) Measurement) func(Question) Measurement {
	return func(q Question) Measurement {
		all := places(q.Artifacts)
		if len(all) == 0 {
			return Measurement{Reason: "no repository and no page was looked at", Settle: []string{"name where it is"}}
		}
		for _, a := range q.Evidence.Of(kind) {
			if a.Trouble != nil && a.Trouble.Outcome() == audit.DNF {
				all = append(all, Place{URL: orElse(a.URL, strings.Join(a.Repositories, ", ")), Trouble: a.Trouble})
			}
		}
		return measure(q, all)
	}
}

func runbookPlaces(artifacts []Artifact) []Place {
	var out []Place
	for _, a := range artifacts {
		if a.Runbooks != nil {
			out = append(out, a.Runbooks.Places...)
		}
	}
	return out
}

func configurationPlaces(artifacts []Artifact) []Place {
	var out []Place
	for _, a := range artifacts {
		if a.Configuration != nil {
			out = append(out, a.Configuration.Places...)
		}
	}
	return out
}

// readPlaces are those that could be read; unread says of the others why not.
func readPlaces(all []Place) (read []Place, unread []string) {
	for _, p := range all {
		if p.Trouble != nil {
			unread = append(unread, p.name()+": "+p.Trouble.Text)
			continue
		}
		read = append(read, p)
	}
	return read, unread
}

// originOf names a place of a repository or site; path and line are of what was found there.
func originOf(p Place, path string, line int) audit.Origin {
	o := audit.Origin{Source: "git", URL: p.URL, Commit: p.Commit, Path: path, Line: line, At: p.SeenUntil}
	if strings.HasPrefix(p.URL, "file:") {
		o.URL = "" // handed over: there is no address
	}
	if p.Commit == "" {
		o.Source = "site"
	}
	return o
}

func placeOrigins(places []Place) []audit.Origin {
	var out []audit.Origin
	for _, p := range places {
		out = append(out, originOf(p, p.Path, 0))
	}
	return out
}

// number is a count that a reader may see.
func number(n int) *int64 {
	v := int64(n)
	return &v
}

// open is an answer that is not known: the reasons are what was read, and what it leaves open.
func undecided(reason string, settle []string, places []Place) Measurement {
	return Measurement{Outcome: audit.DNF, Reason: reason, Settle: settle, Origins: placeOrigins(places)}
}

func openRunbooks(q Question, all []Place) Measurement {
	read, unread := readPlaces(all)
	var reasons, settle []string
	var shut []Place
	open := false // some answer is not known
	for _, p := range read {
		if p.Documents+p.Playbooks == 0 {
			reasons, shut = append(reasons, p.name()+" holds no documents and no playbooks"), append(shut, p)
			continue
		}
		public, seen := p.Public.Get()
		if !seen && !q.Public && q.Evidence.Exposure != "" && q.Evidence.Exposure != "public" {
			public, seen = true, true // may go to the auditor
		}
		free, judged := p.Open.Get()
		switch {
		case public && free:
			expression, _ := p.Licence.Get()
			return Measurement{Outcome: audit.PASS, Reason: fmt.Sprintf("%s is open under %s", p.name(), expression), Origins: []audit.Origin{originOf(p, p.Path, 0)}}
		case seen && !public:
			reasons, shut = append(reasons, p.name()+": the server gives it to nobody without rights"), append(shut, p)
		case judged && !free:
			reasons, shut = append(reasons, p.name()+": "+shutLicence(p)), append(shut, p)
		case !seen:
			open = true
			reasons = append(reasons, p.name()+" was read from a clone, and nobody saw that it is public"+because(p.Public.Failure))
			settle = append(settle, orElse(p.Public.Settle, "make "+p.name()+" public"))
		default:
			open = true
			reasons = append(reasons, p.name()+": its licence is not known"+because(p.Open.Failure))
			settle = append(settle, "put the text of an open licence into a file LICENSE of "+p.name())
		}
	}
	reasons = append(reasons, unread...)
	if open || len(unread) > 0 {
		return undecided(strings.Join(reasons, "; "), orElseAll(settle, "make the places readable that could not be read"), read)
	}
	return Measurement{
		Outcome: audit.FAIL, Reason: strings.Join(reasons, "; "), Settle: []string{"publish them under an open licence, with its text in a file LICENSE"}, Origins: placeOrigins(shut),
	}
}

func shutLicence(p Place) string {
	if expression, known := p.Licence.Get(); known {
		return "the licence " + expression + " is not an open one"
	}
	return orElse(p.Licence.Failure, "it names no licence")
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}

func orElse(s, instead string) string {
	if s == "" {
		return instead
	}
	return s
}

func orElseAll(list []string, instead string) []string {
	if len(list) == 0 {
		return []string{instead}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func topicsPresent(q Question, all []Place) Measurement {
	read, unread := readPlaces(all)
	var origins []audit.Origin
	var missing []string
	for _, topic := range runbookTopics {
		o, ok := placeOf(read, topic)
		if !ok {
			missing = append(missing, topic)
			continue
		}
		origins = append(origins, o)
	}
	want, have := q.Rule.Numbers[numberTopics], len(runbookTopics)-len(missing)
	m := Measurement{Value: number(have), Unit: "topics", Origins: origins, Reason: fmt.Sprintf("they speak of %d topics, asked for are %d", have, want)}
	if len(missing) > 0 {
		m.Reason += "; not found: " + strings.Join(missing, ", ")
	}
	switch {
	case want == 0:
		return Measurement{Reason: "the profile does not say how many topics", Settle: []string{"set topics of RB-02 in the profile"}}
	case have >= want:
		m.Outcome = audit.PASS
	case len(unread) > 0:
		m.Outcome, m.Value = audit.DNF, nil
		m.Reason += "; not read: " + strings.Join(unread, "; ")
		m.Settle = []string{"make the places readable that could not be read"}
	default:
		m.Outcome = audit.FAIL
		m.Settle = []string{"write about " + strings.Join(missing, ", ") + ", or name the place where it stands"}
	}
	if m.Origins == nil {
		m.Origins = placeOrigins(read)
	}
	return m
}

// placeOf is the first place where a topic is spoken of.
func placeOf(places []Place, topic string) (audit.Origin, bool) {
	for _, p := range places {
		for _, t := range p.Topics {
			if t.Topic == topic {
				return originOf(p, t.Path, t.Line), true
			}
		}
	}
	return audit.Origin{}, false
}

// cloneSpeaks is how long after the newest thing that it shows a clone on this machine may be taken for the present: the
// lifetime "month" of activity evidence (scs-0003), as of clones of projects.
const cloneSpeaks = 31 * 24 * time.Hour

func runbooksFresh(q Question, all []Place) Measurement {
	read, unread := readPlaces(all)
	days := q.Rule.Numbers[numberAgeDays]
	if days == 0 {
		return Measurement{Reason: "the profile does not say how old they may be", Settle: []string{"set last_age_days of RB-03 in the profile"}}
	}
	at := q.Evidence.AssessedAt
	var newest time.Time
	var from Place
	var open []string
	for _, p := range read {
		last, known := p.LastHuman.Get()
		switch {
		case len(p.Topics) == 0:
			continue // not what the question is about
		case !known:
			open = append(open, p.name()+": "+orElse(p.LastHuman.Failure, "nobody looked for its age"))
		case last.After(at):
			open = append(open, p.name()+" was changed after the day that is judged")
		case at.Sub(p.SeenUntil) > cloneSpeaks && ageDays(at, last) > days:
			open = append(open, fmt.Sprintf("%s: the clone reaches only until %s", p.name(), p.SeenUntil.Format(time.DateOnly)))
		}
		if known && !last.After(at) && last.After(newest) {
			newest, from = last, p
		}
	}
	if newest.IsZero() && len(open)+len(unread) == 0 {
		return undecided("no place with runbooks says when it was changed", []string{"name the repository of the runbooks"}, read)
	}
	age := ageDays(at, newest)
	if !newest.IsZero() && age <= days {
		return Measurement{
			Outcome: audit.PASS, Value: number(age), Unit: "days", Origins: []audit.Origin{originOf(from, from.Path, 0)},
			Reason: fmt.Sprintf("a person changed %s on %s, %d days before; allowed are %d", from.name(), newest.Format(time.DateOnly), age, days),
		}
	}
	if open = append(open, unread...); len(open) > 0 {
		return undecided("no recent change was seen; "+strings.Join(open, "; "), []string{"let the run ask the server, or give a fresh clone"}, read)
	}
	return Measurement{
		Outcome: audit.FAIL, Value: number(age), Unit: "days", Origins: []audit.Origin{originOf(from, from.Path, 0)}, Settle: []string{"look after the runbooks, and commit what changed"},
		Reason: fmt.Sprintf("the newest change by a person is of %s, %d days before; allowed are %d", newest.Format(time.DateOnly), age, days),
	}
}

// ageDays counts whole days.
func ageDays(at, then time.Time) int { return int(at.Sub(then) / (24 * time.Hour)) }

// maxNamedSecrets is how many places of secrets a reason names; the facts list them all.
const maxNamedSecrets = 5

// noSecrets fails where a secret stands in plain text: whoever can read the place has it.
func noSecrets(_ Question, all []Place) Measurement {
	read, unread := readPlaces(all)
	found := 0
	var named []string
	var origins []audit.Origin
	var open []string
	for _, p := range read {
		n, known := p.SecretsSeen.Get()
		if !known {
			open = append(open, p.name()+": "+orElse(p.SecretsSeen.Failure, "nobody looked for secrets"))
		}
		found += max(n, len(p.Secrets))
		for _, s := range p.Secrets {
			origins = append(origins, originOf(p, s.Path, s.Line))
			if len(named) < maxNamedSecrets {
				named = append(named, fmt.Sprintf("%s in %s", s.Kind, at(s)))
			}
		}
	}
	switch {
	case found > 0:
		reason := fmt.Sprintf("%d secrets stand in plain text: %s", found, strings.Join(named, ", "))
		if found > len(named) {
			reason += ", ..."
		}
		return Measurement{
			Outcome: audit.FAIL, Value: number(found), Unit: "secrets", Reason: reason, Origins: origins[:min(len(origins), 20)],
			Settle: []string{"take them out of use, for whoever could read the place has them, and encrypt what takes their place"},
		}
	case len(open)+len(unread) > 0:
		return undecided("none was found, but not everything was read: "+strings.Join(append(open, unread...), "; "), []string{"make all files readable"}, read)
	}
	return Measurement{Outcome: audit.PASS, Value: number(0), Unit: "secrets", Reason: "no secret in plain text was found", Origins: placeOrigins(read)}
}

// at names the place of a secret; lines of web pages are not counted.
func at(s Secret) string {
	if s.Line == 0 {
		return s.Path
	}
	return fmt.Sprintf("%s line %d", s.Path, s.Line)
}

func configurationShown(q Question, all []Place) Measurement {
	read, unread := readPlaces(all)
	want := q.Rule.Numbers[numberPlaces]
	if want == 0 {
		return Measurement{Reason: "the profile does not say how many places", Settle: []string{"set places of CF-01 in the profile"}}
	}
	var whole, part []Place
	rules := 0
	for _, p := range read {
		rules += p.Rules
		switch {
		case p.Inventory && p.Versions:
			whole = append(whole, p)
		case p.Inventory || p.Versions:
			part = append(part, p)
		}
	}
	watched := ""
	if rules > 0 {
		watched = fmt.Sprintf("; %d monitoring rules and dashboards are shown too", rules)
	}
	m := Measurement{Value: number(len(whole)), Unit: "places", Origins: placeOrigins(append(whole, part...))}
	switch {
	case len(whole) >= want:
		m.Outcome, m.Reason = audit.PASS, "inventory and versions are shown in "+whole[0].name()+watched
	case len(unread) > 0:
		return undecided("not everything was read: "+strings.Join(unread, "; "), []string{"make the places readable"}, read)
	case len(part) > 0:
		m.Outcome, m.Reason = audit.PART, "only "+shownPart(part[0])+" is shown in "+part[0].name()+watched
		m.Settle = []string{"show what runs where, and at which versions"}
	default:
		m.Outcome, m.Reason, m.Origins = audit.FAIL, "the places show neither inventory nor versions"+watched, placeOrigins(read)
		m.Settle = []string{"name the repository of the configuration"}
	}
	return m
}

func shownPart(p Place) string {
	if p.Inventory {
		return "the inventory"
	}
	return "what is deployed at which version"
}
