package reports

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
)

// framework is one with a criterion that rests on both requirements.
func framework(requirements ...string) []Framework {
	return []Framework{{
		ID: "other", Title: Words{"en": "Other framework", "de": "Anderes Rahmenwerk", "fr": "Autre référentiel"}, Version: "1", Date: "2026", Status: "law", URL: "https://example.org/other",
		Criteria: []Criterion{{ID: "A 1", Asks: Words{"en": "openness", "de": "Offenheit", "fr": "ouverture"}, Gives: Words{"en": "licences"}, Strength: "E", Requirements: requirements}},
	}}
}

func TestACriterionIsSupportedOnlyByWhatIsKnownToHold(t *testing.T) {
	find := func(id string, o audit.Outcome) Finding { return Finding{Requirement: id, Outcome: o} }
	said := find("b", audit.PASS)
	said.Declared = true
	for name, test := range map[string]struct {
		findings []Finding
		want     string
	}{
		"both hold":                    {[]Finding{find("a", audit.PASS), find("b", audit.PASS)}, Supports},
		"one does not apply":           {[]Finding{find("a", audit.PASS), find("b", audit.NA)}, Supports},
		"one fails":                    {[]Finding{find("a", audit.PASS), find("b", audit.FAIL)}, NotSupports},
		"one subject of many fails":    {[]Finding{find("a", audit.PASS), find("b", audit.PASS), find("b", audit.FAIL)}, NotSupports},
		"one fails and one is open":    {[]Finding{find("a", audit.MISS), find("b", audit.FAIL)}, NotSupports},
		"nobody looked":                {[]Finding{find("a", audit.PASS), find("b", audit.MISS)}, NotDecided},
		"nobody could tell":            {[]Finding{find("a", audit.PASS), find("b", audit.DNF)}, NotDecided},
		"the audit did not ask":        {[]Finding{find("a", audit.PASS)}, NotDecided},
		"only the operator says so":    {[]Finding{find("a", audit.PASS), said}, NotDecided},
		"nothing applies":              {[]Finding{find("a", audit.NA), find("b", audit.NA)}, NoFinding},
		"nothing was found":            {nil, NotDecided},
		"an outcome that is not known": {[]Finding{find("a", audit.PASS), {Requirement: "b"}}, NotDecided},
	} {
		if got := Crosswalk(framework("a", "b"), test.findings)[0].Criteria[0].State; got != test.want {
			t.Errorf("%s: want %s, got %s", name, test.want, got)
		}
		slices.Reverse(test.findings)
		if got := Crosswalk(framework("a", "b"), test.findings)[0].Criteria[0].State; got != test.want {
			t.Errorf("%s, in the other order: want %s, got %s", name, test.want, got)
		}
	}
	if got := Crosswalk(framework(), nil)[0].Criteria[0].State; got != NoFinding {
		t.Errorf("without a requirement: want %s, got %s", NoFinding, got)
	}
}

// crosswalkSample is an audit of which one criterion is supported, one is not, and one is open.
func crosswalkSample() Report {
	r := eligibleSample()
	f := framework()[0]
	f.Verified, f.Note = false, Words{"en": "Read through secondary sources.", "de": "Über Sekundärquellen gelesen.", "fr": "Lu à travers des sources secondaires."}
	f.Criteria = nil
	for _, id := range []string{r.Findings[0].Requirement, "nobody-asked", ""} {
		c := framework(id)[0].Criteria[0]
		c.ID = "A " + string(rune('1'+len(f.Criteria)))
		if id == "" {
			c.Requirements, c.Strength = nil, "C"
		}
		f.Criteria = append(f.Criteria, c)
	}
	q := r.Findings[0]
	r.Requirements = []Requirement{{ID: q.Requirement, Title: Words{"en": q.Title, "de": "Titel auf Deutsch", "fr": "Titre en français"}, Rationale: Words{"en": q.Rationale, "de": "Grund"}, Remedy: Words{"en": q.Remedy}, Severity: "must", Owner: "operator", Pass: "true", Sources: []ClauseSource{}}}
	r.Words = []Term{{"eligible", Words{"en": "eligible", "de": "Kriterien erfüllt", "fr": "critères remplis"}}, {"pass", Words{"en": "holds", "de": "erfüllt", "fr": "rempli"}}}
	r.Crosswalk = Crosswalk([]Framework{f}, r.Findings)
	return r
}

func TestAReportSaysInThreeLanguagesWhatItSupports(t *testing.T) {
	r := crosswalkSample()
	for lang, wants := range map[string][]string{
		"en": {"Other frameworks", "Other framework", "not verified against the text itself", "supports", "not decided", "no finding speaks to it", "Read through secondary"},
		"de": {"Andere Rahmenwerke", "Anderes Rahmenwerk", "nicht am Text selbst geprüft", "stützt", "nicht entschieden", "Offenheit", "Titel auf Deutsch", "Kriterien erfüllt"},
		"fr": {"Autres référentiels", "Autre référentiel", "non vérifié dans le texte même", "soutient", "non décidé", "Titre en français", "critères remplis"},
	} {
		page, err := HTML(r, Options{Lang: lang})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(string(page), want) {
				t.Errorf("HTML in %s does not say %q", lang, want)
			}
		}
		text, err := Text(r, Options{Lang: lang})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{wants[0], wants[1]} {
			if !strings.Contains(string(text), want) {
				t.Errorf("text in %s does not say %q:\n%s", lang, want, text)
			}
		}
		if lang != "en" && !strings.Contains(string(text), "SCS-open IaaS: "+r.Words[0].Word.In(lang)) {
			t.Errorf("text in %s does not say the verdict in its words:\n%s", lang, text)
		}
	}
	data, err := JSON(r, Options{Lang: "de"})
	if err != nil {
		t.Fatal(err)
	}
	english, _ := JSON(r, Options{})
	if string(data) != string(english) {
		t.Error("JSON has all languages and must not depend on one")
	}
	if err := compiled(t, "report").Validate(parsed(t, data)); err != nil {
		t.Error(err)
	}
}

// Whether somebody meets a framework is not ours to say, in no language and no format.
func TestNoReportSaysThatAnybodyIsCompliant(t *testing.T) {
	never := regexp.MustCompile(`(?i)\b(non-)?compliant\b|compliance with|\b\pL*konform\b|\bconformes? (à|au|aux)\b|\bconforme\b`)
	reports := []Report{crosswalkSample()}
	for _, s := range samples() {
		reports = append(reports, s.report)
	}
	for _, r := range reports {
		for _, f := range Formats() {
			for _, lang := range Languages() {
				data, err := f.Write(r, Options{Lang: lang})
				if err != nil {
					t.Fatal(err)
				}
				if found := never.Find(data); found != nil {
					t.Errorf("%s in %s says %q", f.Name, lang, found)
				}
			}
		}
	}
	for _, p := range phrases {
		for _, lang := range Languages() {
			if found := never.FindString(p.in(lang)); found != "" || p.in(lang) == "" {
				t.Errorf("phrase %s in %s: %q", p.id, lang, found)
			}
		}
	}
}
