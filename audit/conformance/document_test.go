package conformance

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

func declaredC5() *Declared {
	return &Declared{Title: "C5 type 2", Sort: SortC5, Issuer: "Example Auditors GmbH", Issued: dayOf(2026, time.January, 15), ValidUntil: dayOf(2027, time.January, 14)}
}

func TestADocumentIsShownWithItsIssuerAndDates(t *testing.T) {
	w, base := served(t, folder(map[string]string{"c5.pdf": "%PDF-1.7 signed by Jane Doe"}))
	e := collectDocument(t.Context(), Target{Kind: KindDocument, URL: base + "/c5.pdf", Declared: declaredC5()}, w)
	rows := Shown(Evidence{Entries: []Entry{e}}, judged())
	if len(rows) != 1 {
		t.Fatalf("want one row, got %+v", rows)
	}
	want := ShownDocument{Title: "C5 type 2", Kind: SortC5, Issuer: "Example Auditors GmbH", Issued: dayOf(2026, 1, 15), ValidUntil: dayOf(2027, 1, 14),
		Validity: "valid until 2027-01-14", Declared: true, Link: base + "/c5.pdf", Seen: true, Origin: e.Seen[0].Origin(KindDocument)}
	if !reflect.DeepEqual(rows[0], want) {
		t.Errorf("want %+v, got %+v", want, rows[0])
	}
	if e.Document.Digest != audit.DigestOf([]byte("%PDF-1.7 signed by Jane Doe")) {
		t.Errorf("the digest must be that of the document: %s", e.Document.Digest)
	}
	kept, _ := withheld([]byte("%PDF-1.7 signed by Jane Doe"))
	if strings.Contains(string(kept), "Jane") {
		t.Errorf("nothing of a document is kept: %s", kept)
	}
}

func TestWhatIsToBeSaidAboutADocumentIsSaid(t *testing.T) {
	files := map[string]string{"iso.pdf": "%PDF", "page": "<html><form><input type=password></form></html>"}
	w, base := served(t, folder(files))
	with := func(change func(*Declared)) *Declared { d := declaredC5(); change(d); return d }
	for _, test := range []struct {
		name           string
		target         Target
		seen, expired  bool
		reason, validy string
	}{
		{"expired", Target{URL: base + "/iso.pdf", Declared: with(func(d *Declared) { d.ValidUntil = dayOf(2026, 11, 1) })}, true, true, "", "expired on 2026-11-01"},
		{"of tomorrow", Target{URL: base + "/iso.pdf", Declared: with(func(d *Declared) { d.Issued = dayOf(2026, 12, 1) })}, true, false, "", "in the future"},
		{"without an end", Target{Declared: with(func(d *Declared) { d.ValidUntil = time.Time{} })}, false, false, "", "no end of validity"},
		{"not there", Target{URL: base + "/gone.pdf", Declared: declaredC5()}, false, false, "404", "valid until"},
		{"behind a login", Target{URL: base + "/page", Declared: declaredC5()}, false, false, "login", "valid until"},
		{"another document", Target{URL: base + "/iso.pdf", Declared: with(func(d *Declared) { d.Digest = audit.DigestOf([]byte("x")) })}, false, false, "its digest differs", "valid until"},
		{"the declared one", Target{URL: base + "/iso.pdf", Declared: with(func(d *Declared) { d.Digest = audit.DigestOf([]byte("%PDF")) })}, true, false, "", "valid until"},
		{"a bare statement", Target{Declared: &Declared{Title: "Seat", Sort: SortSeat, Statement: "Cologne, Germany"}}, false, false, "", "no end"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.target.Kind = KindDocument
			e := collectDocument(t.Context(), test.target, w)
			row := Shown(Evidence{Entries: []Entry{e}}, judged())[0]
			if row.Seen != test.seen || row.Expired != test.expired || !strings.Contains(row.Reason, test.reason) || !strings.Contains(row.Validity, test.validy) || !row.Declared {
				t.Errorf("got %+v", row)
			}
		})
	}
}

func TestDocumentsHaveKnownSortsAndPlainText(t *testing.T) {
	e := collectDocument(t.Context(), Target{Kind: KindDocument, Declared: &Declared{Title: "a\x1b]8;;http://evil\x07 b\u202e", Sort: "tisax", Issuer: "x\ny"}}, World{})
	if d := e.Document; d.Title != "a]8;;http://evil b" || d.Issuer != "x y" || d.Sort != SortOther || len(e.Notes) != 1 {
		t.Errorf("got %+v, notes %q", d, e.Notes)
	}
	for _, declared := range []*Declared{nil, {}, {Title: "\x1b"}} {
		e := collectDocument(t.Context(), Target{Kind: KindDocument, Declared: declared}, World{})
		if e.Trouble == nil || e.Trouble.Kind != audit.TroubleNotNamed || e.Document != nil {
			t.Errorf("%+v: got %+v", declared, e)
		}
		if row := Shown(Evidence{Entries: []Entry{e}}, judged())[0]; row.Seen || !strings.Contains(row.Reason, "which document") {
			t.Errorf("got %+v", row)
		}
	}
}

func TestLevelOneIsShownInOrderAndNeverJudged(t *testing.T) {
	label := Label{Form: "json-ld", Types: []string{"gx:compliance"}, Level: "L1", Rules: "CD25.03", Issuer: "did:web:example.org", ValidUntil: dayOf(2026, 11, 1),
		Subject: "https://cloud.example.org/x", Signature: Signature{State: SignatureOpen, Reason: "nobody can tell"}}
	e := Evidence{Entries: []Entry{
		{Target: Target{Kind: KindDocument}, Document: &Document{Declared: *declaredC5()}},
		{Target: Target{Kind: KindStatus}},
		{Target: Target{Kind: KindLabel, URL: "javascript:alert(1)"}, Label: &label},
		{Target: Target{Kind: KindLabel}, Trouble: &audit.Trouble{Text: "there is nothing at that address"}},
	}}
	rows := Shown(e, judged())
	if len(rows) != 3 || rows[0].Kind != SortC5 || rows[1].Title != "Gaia-X label" || rows[2].Reason != "there is nothing at that address" {
		t.Fatalf("got %+v", rows)
	}
	if r := rows[1]; r.Statement != "level L1, by the criteria CD25.03, for https://cloud.example.org/x" || !r.Expired || r.Signature != SignatureOpen || r.Link != "" {
		t.Errorf("got %+v", r)
	}
	if _, judgedToo := reflect.TypeFor[ShownDocument]().FieldByName("Outcome"); judgedToo {
		t.Error("a row of level 1 has no outcome")
	}
	if got := Shown(Evidence{}, judged()); got != nil {
		t.Errorf("nothing is shown of nothing, got %+v", got)
	}
}

func TestEvidenceComesBackFromJSONAsItWas(t *testing.T) {
	run := kubernetesAt(t, "v1.36", junitOf{tests: 446}.files("v1.36"), Target{})
	tempest := tempestFrom(t, formats()["subunit"], guidelines()["2.0"])
	label, entry := labelOf(t, detached("PS256"), "")
	document := collectDocument(t.Context(), Target{Kind: KindDocument, Declared: declaredC5()}, World{})
	entry.Label = &label
	want := Evidence{Schema: Schema, AssessedAt: judged(), Entries: []Entry{run, tempest, entry, document}}
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Evidence
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if again, _ := json.Marshal(got); string(again) != string(data) {
		t.Errorf("want %s, got %s", data, again)
	}
	if a, b := JudgeKubernetes(run, judged()), JudgeKubernetes(got.Entries[0], judged()); a.Outcome != b.Outcome || a.Reason != b.Reason {
		t.Errorf("judged otherwise: %+v, %+v", a, b)
	}
	if a, b := JudgeTempest(tempest, judged()), JudgeTempest(got.Entries[1], judged()); a.Outcome != b.Outcome || a.Reason != b.Reason {
		t.Errorf("judged otherwise: %+v, %+v", a, b)
	}
}

// Whatever is taken away from facts that pass, nothing is seen to fail by that; and of nothing, nothing is known.
func TestAFactThatIsMissingNeverFails(t *testing.T) {
	run := kubernetesAt(t, "v1.36", junitOf{tests: 446}.files("v1.36"), Target{})
	tempest := tempestFrom(t, formats()["subunit"], listOfTests)
	tempest.Tempest.Required = Tally{All: 3, Passed: 3}
	tempest.Tempest.Failed = 0
	for name, judge := range map[string]struct {
		facts any
		judge func() Answer
	}{
		"kubernetes": {run.Kubernetes, func() Answer { return JudgeKubernetes(run, judged()) }},
		"results":    {&run.Kubernetes.Results, func() Answer { return JudgeKubernetes(run, judged()) }},
		"log":        {run.Kubernetes.Log, func() Answer { return JudgeKubernetes(run, judged()) }},
		"tempest":    {tempest.Tempest, func() Answer { return JudgeTempest(tempest, judged()) }},
		"tally":      {&tempest.Tempest.Required, func() Answer { return JudgeTempest(tempest, judged()) }},
	} {
		if got := judge.judge(); got.Outcome != audit.PASS {
			t.Fatalf("%s: want a sample that passes, got %v %q", name, got.Outcome, got.Reason)
		}
		facts := reflect.ValueOf(judge.facts).Elem()
		for i := range facts.NumField() {
			kept := reflect.New(facts.Field(i).Type()).Elem()
			kept.Set(facts.Field(i))
			facts.Field(i).SetZero()
			if got := judge.judge(); got.Outcome == audit.FAIL || got.Reason == "" {
				t.Errorf("%s without %s: got %v %q", name, facts.Type().Field(i).Name, got.Outcome, got.Reason)
			}
			facts.Field(i).Set(kept)
		}
	}
	for _, e := range []Entry{{Kubernetes: &KubernetesRun{}}, {Tempest: &TempestRun{}}} {
		for _, got := range []Answer{JudgeKubernetes(e, judged()), JudgeTempest(e, judged())} {
			if got.Outcome == audit.PASS || got.Outcome == audit.FAIL {
				t.Errorf("of nothing, nothing is known: got %v %q", got.Outcome, got.Reason)
			}
		}
	}
}

func FuzzOneLine(f *testing.F) {
	f.Add("a\x1b[31m b\u202e\n\tc")
	f.Add(strings.Repeat("ä", 1000))
	f.Fuzz(func(t *testing.T, s string) {
		got := oneLine(s)
		if len(got) > longText || strings.ContainsAny(got, "\x00\x07\x1b\n\r\t\u202e") || oneLine(got) != got {
			t.Fatalf("%q became %q, then %q", s, got, oneLine(got))
		}
	})
}
