package reports

import (
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// scoreSample is a set of projects that every format of scores is tested with.
type scoreSample struct {
	name     string
	projects []Project
}

func scoreSamples() []scoreSample {
	return []scoreSample{
		{"release", releaseSample(6, 2).Projects},
		{"eligible", eligibleSample().Projects},
		{"hostile", hostileSample().Projects},
		{"empty", emptySample().Projects},
		{"full", []Project{fullProject()}},
		{"hostile-card", []Project{hostileProject()}},
		{"no-evidence", []Project{noEvidence()}},
	}
}

// fullProject has everything that a project of a report can have. The project is invented.
func fullProject() Project {
	commit := strings.Repeat("c", 40)
	repo := "https://github.com/example/gauge"
	file := func(path string, line int) audit.Origin {
		return audit.Origin{Source: "git", URL: repo, Commit: commit, Path: path, Line: line, At: assessedAt}
	}
	aspects := []Aspect{
		{Aspect: "open-source", KnockOuts: []string{"OS-04"}},
		{Aspect: "open-community", Low: 3333, High: 6667, Coverage: 6666, Confidence: 5000, KnockOuts: []string{}},
		{Aspect: "open-development", Low: 9000, High: 9000, Coverage: 10000, Confidence: 10000, KnockOuts: []string{}},
		{Aspect: "open-design", High: 10000, KnockOuts: []string{}},
		{Aspect: "maturity", Low: 10000, High: 10000, Coverage: 10000, Confidence: 10000, KnockOuts: []string{}},
		{Aspect: "security", High: 10000, KnockOuts: []string{}},
		{Aspect: "activity", Low: 5000, High: 5000, Coverage: 10000, Confidence: 10000, KnockOuts: []string{}},
		{Aspect: "lock-in", Low: 2500, High: 10000, Coverage: 2500, Confidence: 2500, KnockOuts: []string{}},
	}
	steps := func(unit string, fail, pass, window int) *Rule {
		return &Rule{Scale: "steps", Unit: unit, Fail: &fail, Pass: &pass, Window: window}
	}
	linear := steps("basis-points", 2500, 7500, 365)
	linear.Scale = "linear"
	numbers := steps("basis-points", 9000, 5000, 365)
	numbers.Numbers = map[string]int{"young_days": 365, "share_warn_bp": 5050}
	radius := 7
	return Project{
		ID: "gauge", Name: "Gauge", Repo: repo, Head: commit, HeadAt: assessedAt.AddDate(0, 0, -3), At: assessedAt, Role: "platform", Profile: "default", ProfileVersion: "0.1.0",
		Verdict: "showstopper", Tiers: []string{"functional"}, Area: "monitoring", Versions: []string{"1.4.0"}, Aspects: aspects,
		Gates: []Gate{
			{Level: "scs-open", Aspect: "open-source", Low: 6000, Coverage: 6000, Outcome: audit.FAIL, Margin: 6000, Source: "proposal"},
			{Level: "scs-open", Aspect: "open-community", Low: 6000, Coverage: 6000, Outcome: audit.DNF, Margin: 667, Settle: []string{"OC-05"}, Source: "proposal"},
			{Level: "scs-open", Aspect: "open-development", Low: 6000, Coverage: 6000, Outcome: audit.PASS, Margin: 3000, Source: "proposal"},
		},
		LockIn: &LockIn{Risk: "undetermined", Probability: Axis{Low: 4000, High: 6000, Coverage: 8000, Class: "medium"}, Effect: Axis{High: 10000, Class: "undetermined"}},
		Risks: []Risk{
			{Indicator: "OC-02", Title: "Top organisation has not too much", Outcome: audit.FAIL, Reason: "Example GmbH wrote 93 % of 540 human commits", Origins: []audit.Origin{file("", 0)}, Radius: &radius,
				Mitigations: []Mitigation{{Kind: "alternative", Text: "Beaker speaks the same interface", Accepted: true}, {Kind: "support", Text: "contract until 2027-12-31", Declared: true}}, Accepted: true},
			{Indicator: "SE-01", Title: "Security contact", Outcome: audit.DNF, Reason: "the foundation's pages were not read"},
		},
		Quarters: []Quarter{
			{End: time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC), Verdict: "undetermined", Aspects: aspects[1:3]},
			{End: time.Date(2026, 9, 30, 0, 0, 0, 0, time.UTC), Verdict: "showstopper", Aspects: aspects},
		},
		Indicators: []Indicator{
			{ID: "AC-01", Aspect: "activity", Title: "Maintained", Clauses: []string{"AC-1"}, Outcome: audit.PART, Value: "4", Unit: "commits", Low: 5000, High: 5000, Weight: 3, KnockOut: true, Grade: "A",
				Reason: "4 human commits in 90 days, 13 needed", Source: "Scorecard asks one a week; proposal", Rule: steps("commits", 0, 13, 90), Origins: []audit.Origin{file("", 0)}},
			{ID: "LR-01", Aspect: "lock-in", Title: "Bus factor", Clauses: []string{"LR-1"}, Outcome: audit.PASS, Value: "5", Unit: "people", Low: 10000, High: 10000, Weight: 1, Grade: "A",
				Reason: "5 people wrote half of the commits", Source: "proposal", Rule: steps("people", 1, 3, 365), Origins: []audit.Origin{file("", 0)}},
			{ID: "LR-08", Aspect: "lock-in", Title: "Data can be taken out", Outcome: audit.MISS, Low: 0, High: 10000, Weight: 3, Reason: "nobody says how data can be taken out", Settle: []string{"a declaration"},
				Source: "proposal", Rule: &Rule{Scale: "boolean", Unit: "boolean"}},
			{ID: "OC-02", Aspect: "open-community", Title: "Top organisation has not too much", Clauses: []string{"FO-2.1", "LR-2"}, Outcome: audit.FAIL, Value: "0.93", Unit: "share", High: 0, Weight: 1, Grade: "A",
				Reason: "Example GmbH wrote 93 % of 540 human commits", Source: "single-vendor and diverse-affiliation tags", Rule: numbers, Origins: []audit.Origin{file("", 0)},
				Contested: &Contested{By: "project", Words: "Since March half of the team works for the Example Foundation.", At: assessedAt, Origin: file("security-insights.yml", 41)}},
			{ID: "OC-05", Aspect: "open-community", Title: "Maintainers from several organisations", Clauses: []string{"FO-2.1"}, Outcome: audit.DNF, High: 10000, Weight: 1,
				Reason: "MAINTAINERS names no organisations", Settle: []string{"name the employer of each maintainer in MAINTAINERS"}, Source: "CNCF", Rule: steps("organisations", 1, 3, 0), Origins: []audit.Origin{file("MAINTAINERS", 1)}},
			{ID: "OC-09", Aspect: "open-community", Title: "Code of conduct", Clauses: []string{"FO-3.1"}, Outcome: audit.PASS, Value: "CODE_OF_CONDUCT.md", Low: 10000, High: 10000, Weight: 1, Grade: "A",
				Reason: "CODE_OF_CONDUCT.md", Source: "CNCF", Rule: &Rule{Scale: "boolean", Unit: "boolean"}, Origins: []audit.Origin{file("CODE_OF_CONDUCT.md", 0)}},
			{ID: "OS-01", Aspect: "open-source", Title: "Licence approved by OSI or FSF", Clauses: []string{"FO-1.1"}, Outcome: audit.PASS, Value: "Apache-2.0", Low: 10000, High: 10000, Weight: 3, KnockOut: true, Grade: "A",
				Reason: "Apache-2.0 in LICENSE", Source: "Four Opens", Rule: &Rule{Scale: "boolean", Unit: "boolean"}, Origins: []audit.Origin{file("LICENSE", 1)}},
			{ID: "OS-04", Aspect: "open-source", Title: "No part under a closed licence (open core)", Clauses: []string{"FO-1.2"}, Outcome: audit.FAIL, Value: "1", Unit: "parts", Weight: 3, KnockOut: true, Grade: "A",
				Reason: "enterprise/ has a licence of its own", Source: "Four Opens; scs-0218", Rule: steps("parts", 1, 0, 0), Origins: []audit.Origin{file("enterprise/LICENSE", 3)}},
			{ID: "OV-02", Aspect: "open-development", Title: "Review before merge", Clauses: []string{"MA-5", "SE-4"}, Outcome: audit.PART, Value: "0.70", Unit: "share", Low: 9000, High: 9000, Weight: 2, Grade: "B",
				Reason: "70 % of 540 changes were reviewed", Source: "Best Practices Badge; openCode", Rule: linear, Origins: []audit.Origin{{Source: "forge", URL: "https://api.github.com/graphql", At: assessedAt}}},
			{ID: "OV-09", Aspect: "open-development", Title: "Evaluated at its source", Outcome: audit.NA, High: 10000, Weight: 1, Reason: "the project has no mirror", Source: "proposal"},
		},
		Facts: map[string]any{"human_commits_12m": 540, "top_org_share": map[string]int{"low": 9300, "high": 9300}},
	}
}

// otherProject answers some of the questions of fullProject otherwise.
func otherProject() Project {
	p := fullProject()
	p.ID, p.Name, p.Verdict, p.Repo = "beaker", "Beaker", "passed", "https://opendev.org/example/beaker"
	p.Aspects = slices.Clone(p.Aspects)
	p.Aspects[0] = Aspect{Aspect: "open-source", Low: 9000, High: 10000, Coverage: 9000, KnockOuts: []string{}}
	p.Aspects[1].Low, p.Aspects[1].High = 6000, 9000
	p.Aspects[6].Low, p.Aspects[6].High = 7000, 7000
	p.Indicators = slices.Clone(p.Indicators)
	for i, ind := range p.Indicators {
		switch ind.ID {
		case "AC-01":
			p.Indicators[i].Outcome, p.Indicators[i].Low, p.Indicators[i].High, p.Indicators[i].Reason = audit.PASS, 10000, 10000, "80 human commits in 90 days"
		case "OC-02":
			p.Indicators[i].Outcome, p.Indicators[i].Low, p.Indicators[i].High, p.Indicators[i].Reason = audit.DNF, 0, 10000, "21 to 97 %"
		case "OS-04":
			p.Indicators[i].Outcome, p.Indicators[i].Low, p.Indicators[i].High, p.Indicators[i].Reason = audit.PASS, 10000, 10000, "no part has a licence of its own"
		}
	}
	return p
}

// noEvidence is a project of which nothing could be read.
func noEvidence() Project {
	p := Project{ID: "silent", Name: "Silent", Repo: "https://git.example.org/silent.git", At: assessedAt, Role: "building-block", Profile: "default", ProfileVersion: "0.1.0", Verdict: "undetermined",
		Tiers: []string{}, Failure: "git.example.org does not answer", Settle: "give a local clone of https://git.example.org/silent.git", Indicators: []Indicator{}}
	for _, id := range aspectOrder {
		p.Aspects = append(p.Aspects, Aspect{Aspect: id, High: 10000, KnockOuts: []string{}})
	}
	for _, i := range fullProject().Indicators {
		p.Indicators = append(p.Indicators, Indicator{ID: i.ID, Aspect: i.Aspect, Title: i.Title, Clauses: i.Clauses, Outcome: audit.MISS, High: 10000, Weight: i.Weight,
			KnockOut: i.KnockOut, Reason: "git.example.org does not answer", Settle: []string{"give a local clone of https://git.example.org/silent.git"}, Source: i.Source, Rule: i.Rule})
	}
	return p
}

// hostileProject has something hostile in every string that a stranger writes.
func hostileProject() Project {
	p := fullProject()
	script := `"><script>document.title="` + canaryTitle + `"</script>`
	md := "](javascript:alert(1)) **bold** `code` ![x](https://evil.example/x.png) | cell <b>@everyone</b>\n# Heading\n- [x] done"
	escape := "\x1b]8;;https://evil.example\x07click\x1b[2J\u009b31m"
	bidi := "abc\u202egnp.exe\u2066\u200b"
	p.ID, p.Name, p.Repo = "../../etc/passwd", script+md, `https://evil.example/"><script>(x)`
	p.Versions = []string{escape, md}
	p.Profile, p.ProfileVersion = "d"+script, escape
	p.Failure, p.Settle = bidi, md
	p.Gates = slices.Clone(p.Gates)
	p.Gates[0].Level, p.Gates[0].Source, p.Gates[1].Settle = script, md, []string{bidi}
	p.Risks = slices.Clone(p.Risks)
	p.Risks[1].Title, p.Risks[1].Reason, p.Risks[1].Indicator = md, script, escape
	p.Indicators = slices.Clone(p.Indicators)
	for i := range p.Indicators {
		ind := &p.Indicators[i]
		ind.Title, ind.Reason, ind.Value, ind.Unit = script, md, escape, bidi
		ind.Settle, ind.Source = []string{script, md}, escape+md
		ind.Origins = []audit.Origin{
			{Source: script, URL: "javascript:alert(1)", Path: md},
			{Source: "git", URL: "https://github.com/example/a) [b](https://evil.example)", Commit: strings.Repeat("a", 40), Path: "x)](javascript:alert(1)"},
			{Source: "git", URL: "https://user:secret@example.org/x", Path: bidi},
			{Source: "web", URL: "https://example.org/?q=<b>(x)|`y`"},
		}
		ind.Contested = &Contested{By: script, Words: md + escape, Origin: audit.Origin{Source: "git", URL: "data:text/html,x", Path: script}}
	}
	p.Facts = map[string]any{"first_commit": script}
	return p
}
