package reports

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/pegel-audit/pegel/audit"
)

// explainedSample has a finding of each kind that an explanation tells apart: a failure with bytes and pointer, one that is not
// known, one that only the operator says, one that only warns, and a folded line with an example.
func explainedSample() Report {
	r := internalSample()
	r.Previous = nil
	words := func(en, de, fr string) Words { return Words{"en": en, "de": de, "fr": fr} }
	r.Requirements = []Requirement{
		{
			ID: "artifact-pinned", Title: words("Every artifact is named by one version", "Jedes Artefakt ist durch eine Version benannt", "Chaque artefact est nommé par une version"),
			Severity: "must", Rationale: words("A tag moves.", "Ein Tag wandert.", "Une étiquette bouge."), Remedy: words("Name the digest.", "Den Digest nennen.", "Nommer l'empreinte."),
			Owner: "operator", Applies: `artifact.kind in ["image"]`, Pass: "artifact.pinned",
			Sources: []ClauseSource{{ID: "scs-0003/pinned", Document: "scs-0003-v1", At: "Versions", Status: "stable", URL: "https://example.org/scs-0003#L7", Quote: "named by version", Says: words("Versions are named.", "", "")}},
		},
		{
			ID: "package-licence-free", Title: words("No package has a restricted licence", "", ""), Severity: "must", Rationale: words("A stack is as open as its packages.", "", ""),
			Remedy: words("Use a free one.", "", ""), Owner: "distribution", Pass: "pkg.identified", Sources: []ClauseSource{},
		},
		{
			ID: "status-page", Title: words("There is a status page", "", ""), Severity: "must", Rationale: words("Users have to know.", "", ""), Remedy: words("Publish one.", "", ""),
			Owner: "operator", Pass: "operator.statusPage", Sources: []ClauseSource{},
		},
	}
	r.Trees = []audit.Tree{
		{{Text: `artifact.kind in ["image"]`, Value: "true", Truth: audit.True, Parts: []audit.Explanation{{Text: "artifact.kind", Value: "image", Fact: "artifact.kind"}}},
			{Text: "artifact.pinned", Value: "false", Truth: audit.False, Fact: "artifact.pinned"}},
		{{Text: "pkg.identified", Value: "true", Truth: audit.True, Fact: "pkg.identified"}},
		{{Text: "operator.statusPage", Value: "true", Truth: audit.True, Fact: "operator.statusPage"}},
		{{Text: "operator.statusPage", Value: "not known", Truth: audit.Unknown, Fact: "operator.statusPage"}},
	}
	image, host := r.Artifacts[4], r.Artifacts[1]
	blob := audit.DigestOf([]byte("release"))
	artifact := audit.SubjectRef{Kind: "artifact", ID: image.ID, Name: image.Name}
	operator := audit.SubjectRef{Kind: "operator", ID: "operator", Name: "Example GmbH"}
	r.Findings = []Finding{
		{ID: "artifact-pinned/" + image.ID, Subject: artifact, Requirement: "artifact-pinned", Title: r.Requirements[0].Title["en"], Severity: "must", Scopes: []string{"scs-open-iaas"},
			Outcome: audit.FAIL, Reason: image.Reference + " names no fixed version", Tree: 1, Owner: "operator", Remedy: "Name the digest.", ValidUntil: assessedAt.AddDate(0, 2, 0),
			Origins: []audit.Origin{{Source: "osism", URL: "https://example.org/release", Commit: strings.Repeat("a", 40), Path: "versions.yml", Line: 3, Digest: blob}, {Source: "host", URL: "ssh://ctl02.dc1.acme.internal/"}},
			Grounds: []audit.Ground{
				{Fact: "artifact.kind", Known: true, Value: "image", Origins: []int{0}},
				{Fact: "artifact.pinned", Known: true, Value: "false", Origins: []int{0, 1}, ObservedAt: assessedAt, Until: assessedAt.AddDate(0, 2, 0),
					Places: []audit.Place{{Digest: audit.DigestOf([]byte("inventory")), Kind: "inventory", Name: "inventory.json", Pointer: "/artifacts/4/unpinned"}, {Digest: blob, Kind: "raw", Name: "versions.yml", From: 24, To: 61}}},
				{Fact: "artifact.reference", Known: true, Value: image.Reference, Places: []audit.Place{{Digest: blob, Kind: "raw", Name: "stack.yaml", Withheld: "the operator's file"}}},
			}},
		{ID: "status-page/operator", Subject: operator, Requirement: "status-page", Title: "There is a status page", Severity: "must", Scopes: []string{"scs-open-iaas"}, Outcome: audit.MISS,
			Overruled: "PASS", Declared: true, Reason: "Example GmbH: only the operator says so; nobody looked", Tree: 3, Owner: "operator", Settle: []string{"give a source that shows it"},
			Grounds: []audit.Ground{{Fact: "operator.statusPage", Known: true, Value: "true", Declared: true, Says: "declared on 2026-11-01 from ctl01.dc1.acme.internal"}}},
		{ID: "status-page@later/operator", Subject: operator, Requirement: "status-page", Title: "There is a status page", Severity: "must", Scopes: []string{"scs-sovereign-iaas"}, Outcome: audit.DNF,
			EffectiveOn: assessedAt.AddDate(1, 0, 0), Reason: "Example GmbH: not known: status page (it did not answer)", Tree: 4, Owner: "operator",
			Settle:  []string{"look again"},
			Grounds: []audit.Ground{{Fact: "operator.statusPage", Looked: true, Reason: "it did not answer from compute-7", Settle: []string{"look again"}}}},
		{ID: "package-licence-free/packages of " + host.ID + "/pass", Subject: audit.SubjectRef{Kind: "artifact", ID: host.ID, Name: host.Name}, Requirement: "package-licence-free",
			Title: "No package has a restricted licence", Severity: "must", Scopes: []string{"scs-open-iaas"}, Outcome: audit.PASS, Count: 612, Reason: host.Name + ": 612 packages pass", Tree: 2,
			Example: &audit.SubjectRef{Kind: "package", ID: "pkg:deb/bash in " + host.ID, Name: "bash 5.2"},
			Grounds: []audit.Ground{{Fact: "pkg.identified", Known: true, Value: "true", Places: []audit.Place{{Digest: audit.DigestOf([]byte("packages")), Kind: "packages", Name: host.ID, Pointer: "/components/value/0/purl"}}}}},
	}
	r.Verdicts[0].Limiting = []string{r.Findings[0].ID, r.Findings[1].ID}
	return r
}

func TestAnExplanationIsWrittenInEachLanguage(t *testing.T) {
	r := explainedSample()
	for _, lang := range Languages() {
		var out strings.Builder
		out.WriteString(LimitingText(LimitingFindings(r), lang))
		for i := range r.Findings {
			out.WriteString("\n----\n" + ExplanationText(Explain(r, i), lang))
		}
		golden(t, "explained-"+lang+".explanation", []byte(out.String()))
	}
}

func TestAnExplanationSaysThatAFailureIsWaived(t *testing.T) {
	x := Explain(explainedSample(), 0)
	x.Finding.Waived = &audit.Waived{By: "Example Assessors", Reason: "soon", Until: assessedAt}
	for lang, want := range map[string]string{"en": "\nWaiver: waived until ", "de": "\nAusnahme: waived until "} {
		if got := ExplanationText(x, lang); !strings.Contains(got, want) || !strings.Contains(got, "by Example Assessors: soon\n") {
			t.Errorf("%s: no waiver in\n%s", lang, got)
		}
	}
}

func TestEveryLabelHasWordsInEachLanguage(t *testing.T) {
	r := explainedSample()
	english := map[string]bool{}
	for i := range r.Findings {
		for _, line := range strings.Split(ExplanationText(Explain(r, i), "en"), "\n") {
			label, _, _ := strings.Cut(strings.TrimSpace(line), ":")
			english[label] = true
		}
	}
	for _, label := range []phrase{labelAnswer, labelReason, labelRationale, labelRule, labelFacts, labelOrigin, labelInBundle, labelRemedy, labelOwner, labelSettle, labelValid} {
		if label[0] == label[1] || label[0] == label[2] || slices.Contains(label[:], "") {
			t.Errorf("%q is the same in two languages, or missing: %q", label[0], label)
		}
		if !english[label[0]] {
			t.Errorf("%q is shown nowhere", label[0])
		}
	}
}

// What a command line shows and what a report holds is the same: everything in the JSON of an explanation stands in the report.
func TestTheReportHoldsAllThatAnExplanationShows(t *testing.T) {
	r := Redact(explainedSample())
	page := string(render(t, "html", r))
	for i, f := range r.Findings {
		x := Explain(r, i)
		if x.Requirement.ID != f.Requirement || len(x.Tree) == 0 || x.Requirement.Pass == "" {
			t.Fatalf("%s: %+v", f.ID, x)
		}
		for _, rule := range x.Tree {
			if !strings.Contains(page, strings.ReplaceAll(rule.Text, `"`, "&#34;")+" = "+rule.Value) {
				t.Errorf("%s: the page lacks %q", f.ID, rule.Text)
			}
		}
		for _, g := range f.Grounds {
			if !strings.Contains(page, "<code>"+g.Fact+"</code> = "+factIn(g, "en")) {
				t.Errorf("%s: the page lacks %s = %s", f.ID, g.Fact, factIn(g, "en"))
			}
			for _, p := range g.Places {
				if !strings.Contains(page, shortPlace(p)) {
					t.Errorf("%s: the page lacks %q", f.ID, shortPlace(p))
				}
			}
		}
	}
	for _, secret := range []string{"ctl01", "ctl02", "compute-7", "acme-billing", "harbor.acme"} {
		if strings.Contains(page, secret) {
			t.Errorf("the public page names %s", secret)
		}
	}
}

func TestFindingsThatDecideAreListedWorstFirst(t *testing.T) {
	var got []string
	for _, f := range LimitingFindings(explainedSample()) {
		got = append(got, f.Outcome.String())
	}
	if !slices.Equal(got, []string{"FAIL", "MISS"}) {
		t.Errorf("got %q", got)
	}
}

func TestExplanationsAreValidByTheirPublishedSchemas(t *testing.T) {
	schema, list := compiled(t, "explanation"), compiled(t, "limiting")
	valid := func(s *jsonschema.Schema, data []byte) {
		t.Helper()
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); err != nil {
			t.Error(err)
		}
	}
	r := explainedSample()
	for i := range r.Findings {
		data, err := ExplanationJSON(Explain(r, i))
		if err != nil {
			t.Fatal(err)
		}
		valid(schema, data)
	}
	data, err := LimitingJSON(LimitingFindings(r))
	if err != nil {
		t.Fatal(err)
	}
	valid(list, data)
}
