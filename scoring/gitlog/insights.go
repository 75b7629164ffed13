package gitlog

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Projects say facts about themselves in security-insights.yml, in two forms that the specification of the OpenSSF
// (ossf/security-insights-spec, tags v1.0.0 and v2.1.0) defines. Only the fields below are read: the file also names people and
// their addresses, which are never looked at. What it says becomes statements in our own words; it proves nothing.

const (
	maxInsights   = 256 << 10 // bytes; the longest seen has 12 kB
	maxStatements = 60
	maxLink       = 500 // bytes of an address
	mostListed    = 200 // entries of one list that are looked at
)

// insightsNames are the places where the specification wants the file, in lower case; projects write .yaml too.
var insightsNames = [...]string{
	"security-insights.yml", ".github/security-insights.yml", ".gitlab/security-insights.yml",
	"security-insights.yaml", ".github/security-insights.yaml", ".gitlab/security-insights.yaml",
}

// statements reads the security-insights file of a tree, if it has one that says something about the day. A file that cannot
// be read, or that is over by its own date, says nothing.
func (t *contents) statements(assessed time.Time) []scoring.Statement {
	for _, name := range insightsNames {
		for _, f := range t.s.documents["security"] {
			if f.lower != name || len(t.texts[f.id]) == 0 {
				continue
			}
			origin := t.origin
			origin.Path, origin.Digest = f.name, audit.DigestOf(t.texts[f.id])
			return readInsights(t.texts[f.id], origin, assessed)
		}
	}
	return nil
}

// ownStatements puts what the project says now in place of what it said before, and leaves what others say.
func ownStatements(all, own []scoring.Statement) []scoring.Statement {
	others := slices.DeleteFunc(slices.Clone(all), func(s scoring.Statement) bool { return s.By == scoring.ByProject })
	return append(others, own...)
}

// insights collects the statements of one file.
type insights struct {
	said   time.Time
	origin audit.Origin
	out    []scoring.Statement
}

// readInsights reads one security-insights file of either form.
func readInsights(text []byte, origin audit.Origin, assessed time.Time) []scoring.Statement {
	if len(text) > maxInsights {
		return nil
	}
	root, err := scoring.ReadYAML(text)
	if err != nil {
		return nil
	}
	header := root.Get("header")
	r := &insights{origin: origin, said: saidOn(header, assessed)}
	if r.said.IsZero() {
		return nil
	}
	switch major, _, _ := strings.Cut(header.Get("schema-version").Text(), "."); major {
	case "1":
		if end := dateIn(header.Get("expiration-date").Text()); end.IsZero() || assessed.After(end) {
			return nil
		}
		r.first(root)
	case "2":
		r.second(root)
	}
	return r.out
}

// saidOn is the day of the last review, else of the last change. A day that lies ahead of the assessment says nothing.
func saidOn(header scoring.YAML, assessed time.Time) time.Time {
	for _, key := range []string{"last-reviewed", "last-updated"} {
		if day := dateIn(header.Get(key).Text()); !day.IsZero() {
			if day.After(assessed) {
				return time.Time{}
			}
			return day
		}
	}
	return time.Time{}
}

// dateIn reads a day, or the day that a moment begins with.
func dateIn(text string) time.Time {
	if len(text) > len(time.DateOnly) && text[len(time.DateOnly)] == 'T' {
		text = text[:len(time.DateOnly)]
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil || day.Year() < 1990 {
		return time.Time{}
	}
	return day
}

// say adds a statement; at is the value in the file that it rests on.
func (r *insights) say(indicator, value, words, source string, at scoring.YAML) {
	if len(r.out) == maxStatements {
		return
	}
	origin := r.origin
	origin.Line = at.Line()
	r.out = append(r.out, scoring.Statement{
		Indicator: indicator, By: scoring.ByProject, Role: "maintainer", Value: value, Words: words, Source: source, At: r.said, Origin: origin,
	})
}

// link says something if the value is an address.
func (r *insights) link(at scoring.YAML, indicator, value, words string) {
	if address := plainLink(at.Text()); address != "" {
		r.say(indicator, value, words, address, at)
	}
}

// plainLink returns a web address that can hold neither credentials nor somebody's mail address.
func plainLink(text string) string {
	u, err := url.Parse(text)
	if err != nil || len(text) > maxLink || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || strings.ContainsAny(text, "@ \t\r\n") {
		return ""
	}
	return u.String()
}

func isTrue(y scoring.YAML) bool { return strings.EqualFold(y.Text(), "true") }

// first reads the form 1.0.0.
func (r *insights) first(root scoring.YAML) {
	r.life(root.Get("project-lifecycle"), "status")
	r.link(root.Get("project-lifecycle").Get("roadmap"), "OD-04", "", "the project names a roadmap")
	r.link(root.Get("project-lifecycle").Get("release-cycle"), "MA-03", "", "the project names a description of its release cycle")
	policy := root.Get("contribution-policy")
	r.link(policy.Get("contributing-policy"), "OV-04", "true", "the project names a guide for contributors")
	r.link(policy.Get("code-of-conduct"), "OC-09", "true", "the project names a code of conduct")
	r.link(root.Get("header").Get("changelog"), "MA-12", "true", "the project names a changelog")
	r.reporting(root.Get("vulnerability-reporting"), "accepts-vulnerability-reports")
	r.tools(root.Get("security-testing"), "tool-type", "tool-name")
	for sbom := range firstItems(root.Get("dependencies").Get("sbom")) {
		r.link(sbom.Get("sbom-file"), "SE-06", "true", "the project names an SBOM")
	}
	for audited := range firstItems(root.Get("security-assessments")) {
		year := audited.Get("report-year")
		first := year.Text() + "-01-01" // the form knows the year only: its first day is the oldest that can be meant
		if !dateIn(first).IsZero() {
			r.say("SE-14", first, "the project states a security audit in "+year.Text(), plainLink(audited.Get("auditor-report").Text()), year)
		}
	}
}

// second reads the forms 2.x.
func (r *insights) second(root scoring.YAML) {
	project, repository := root.Get("project"), root.Get("repository")
	r.life(repository, "status")
	r.link(project.Get("roadmap"), "OD-04", "", "the project names a roadmap")
	r.link(project.Get("funding"), "LR-10", "", "the project says how it is funded")
	r.link(project.Get("steward").Get("uri"), "OC-07", "", "the project names a steward")
	documents := project.Get("documentation")
	r.link(documents.Get("code-of-conduct"), "OC-09", "true", "the project names a code of conduct")
	r.link(documents.Get("support-policy"), "MA-03", "true", "the project names a policy of support")
	r.link(documents.Get("signature-verification"), "MA-15", "", "the project says how to check signatures of its releases")
	r.reporting(project.Get("vulnerability-reporting"), "reports-accepted")
	documents = repository.Get("documentation")
	r.link(documents.Get("contributing-guide"), "OV-04", "true", "the project names a guide for contributors")
	r.link(documents.Get("governance"), "OC-06", "true", "the project names a document on governance")
	r.link(documents.Get("security-policy"), "SE-02", "", "the project names a security policy")
	release := repository.Get("release")
	r.link(release.Get("changelog"), "MA-12", "true", "the project names a changelog")
	for a := range firstItems(release.Get("attestations")) {
		if kind := strings.ToLower(a.Get("predicate-uri").Text()); strings.Contains(kind, "spdx") || strings.Contains(kind, "cyclonedx") {
			r.link(a.Get("location"), "SE-06", "true", "the project names an SBOM of its releases")
		}
	}
	security := repository.Get("security")
	r.tools(security.Get("tools"), "type", "name")
	for audited := range firstItems(security.Get("assessments").Get("third-party")) {
		if day := audited.Get("date"); !dateIn(day.Text()).IsZero() {
			r.say("SE-14", day.Text(), "the project states a security assessment by a third party", plainLink(audited.Get("evidence").Text()), day)
		}
	}
}

// life reads what the project says about its state; the words are those of repostatus.org.
func (r *insights) life(at scoring.YAML, key string) {
	status := at.Get(key)
	switch word := strings.ToLower(status.Text()); word {
	case "active", "abandoned", "concept", "inactive", "moved", "suspended", "unsupported", "wip":
		r.say("AC-01", "", "the project calls its state "+word, "", status)
	}
	if only := at.Get("bug-fixes-only"); isTrue(only) {
		r.say("AC-01", "", "the project takes fixes of bugs only", "", only)
	}
}

func (r *insights) reporting(at scoring.YAML, accepted string) {
	if yes := at.Get(accepted); isTrue(yes) {
		r.say("SE-01", "true", "the project says that it takes reports of vulnerabilities", plainLink(at.Get("security-policy").Text()), yes)
	}
	r.link(at.Get("security-policy"), "SE-02", "", "the project names a security policy")
}

// tools reads which kinds of tools check the code. Names of tools are only looked for, never repeated.
func (r *insights) tools(list scoring.YAML, kind, name string) {
	said := map[string]bool{}
	say := func(indicator, words string, at scoring.YAML) {
		if !said[indicator] {
			said[indicator] = true
			r.say(indicator, "true", words, "", at)
		}
	}
	for tool := range firstItems(list) {
		called := strings.ToLower(tool.Get(name).Text())
		switch strings.ToLower(tool.Get(kind).Text()) {
		case "fuzzing", "fuzzer":
			say("SE-10", "the project says that it is fuzzed", tool)
		case "sast":
			if isTrue(tool.Get("integration").Get("ci")) {
				say("SE-07", "the project says that CI analyses its code", tool)
			}
		}
		if slices.ContainsFunc([]string{"dependabot", "renovate"}, func(s string) bool { return strings.Contains(called, s) }) {
			say("SE-08", "the project says that a tool keeps its dependencies up to date", tool)
		}
	}
}

// firstItems goes over the first entries of a list.
func firstItems(list scoring.YAML) func(func(scoring.YAML) bool) {
	return func(yield func(scoring.YAML) bool) {
		n := 0
		for item := range list.Items() {
			if n++; n > mostListed || !yield(item) {
				return
			}
		}
	}
}
