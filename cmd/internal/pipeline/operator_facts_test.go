package pipeline

import (
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/declaration"
	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

func answered(id string, o audit.Outcome, declared bool) transparency.Result {
	return transparency.Result{Indicator: transparency.Indicator{ID: id}, Measurement: transparency.Measurement{Outcome: o, Declared: declared, Reason: "because of " + id}}
}

func fieldUnknown(s policies.Subject, field string) (policies.UnknownField, bool) {
	at := slices.IndexFunc(s.Unknown, func(u policies.UnknownField) bool { return u.Field == field })
	if at < 0 {
		return policies.UnknownField{}, false
	}
	return s.Unknown[at], true
}

func TestEachFactAboutAnOperatorIsAnsweredByOneIndicatorOfItsAspect(t *testing.T) {
	ids, fields := map[string]bool{}, map[string]string{}
	for _, i := range transparency.All() {
		ids[i.ID] = true
	}
	for id, field := range operatorFields() {
		if _, ok := policies.BoolOf(policies.Operator{}, field); !ok || !ids[id] || fields[field] != "" {
			t.Errorf("%s answers %q: no such indicator or fact, or the fact is answered by %q too", id, field, fields[field])
		}
		fields[field] = id
	}
	for _, f := range policies.FieldsOf(policies.KindOperator) {
		if only := slices.Contains(operatorDeclared(), f); (fields[f] == "") != (only || f == "notApplicable") {
			t.Errorf("%q is answered by the indicator %q, and only the operator can say it: %v", f, fields[f], only)
		}
	}
	for _, f := range operatorDeclared() {
		if _, ok := policies.BoolOf(policies.Operator{}, f); !ok {
			t.Errorf("only the operator can say %q, and that is no fact", f)
		}
	}
}

func TestWhatOnlyTheOperatorCanSayIsUnknownUntilItDeclares(t *testing.T) {
	s := new(dossier).operatorSubject(nil)
	for _, field := range operatorDeclared() {
		u, unknown := fieldUnknown(s, field)
		if !unknown || u.Looked || len(u.Settle) != 1 || !strings.Contains(u.Settle[0], "operator."+field) {
			t.Errorf("%s: got %+v (%v), want unknown, and to declare it", field, u, unknown)
		}
	}
}

func TestStackFilesNameWherePatchesAndSignInAre(t *testing.T) {
	for name, test := range map[string]struct{ text, says string }{
		"both":                    {"{patches: {url: 'https://git.example.org/images', path: patches}, identity: ['https://id.example.org/realms/cloud', {url: 'https://id.example.org/sp', adapter: saml}]}", ""},
		"several repositories":    {"{patches: {repositories: ['https://git.example.org/a', 'https://git.example.org/b'], path: patches}}", ""},
		"a slip in patches":       {"{patchs: 'https://git.example.org/images'}", `did you mean "patches"`},
		"a slip in identity":      {"{identiy: 'https://id.example.org'}", `did you mean "identity"`},
		"an unknown adapter":      {"{identity: {url: 'https://id.example.org', adapter: ldap}}", "want one of openid, saml, page"},
		"patches have no adapter": {"{patches: {url: 'https://git.example.org/images', adapter: quilt}}", "this kind has none"},
		"credentials":             {"{patches: 'https://jane:secret@git.example.org/images'}", "holds credentials"},
		"nothing":                 {"{identity: {adapter: saml}}", "want url"},
	} {
		stack, err := ParseStack([]byte(secretsHead+"transparency: "+test.text+"\n"), "stack.yaml")
		if err == nil {
			_, err = stack.operatorTargets()
		}
		switch {
		case test.says == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "secret@")):
			t.Errorf("%s: got %v, want %q", name, err, test.says)
		}
	}
}

func TestOnlyAPassMakesAFactTrueAndOnlyASightMakesItFalse(t *testing.T) {
	s := new(dossier).operatorSubject([]transparency.Result{
		answered("SP-01", audit.PASS, false), answered("SP-02", audit.PART, false), answered("SP-03", audit.FAIL, false), answered("SP-04", audit.DNF, false),
		answered("SP-05", audit.MISS, false), answered("IR-01", audit.NA, false), answered("OO-04", audit.PASS, true),
	})
	record := s.Record.(policies.Operator)
	if !record.StatusPage || record.IncidentHistory || record.IncidentDetails || !record.IncidentReports || !slices.Equal(record.NotApplicable, []string{"incidentReports"}) {
		t.Errorf("got %+v", record)
	}
	for field, looked := range map[string]bool{"maintenanceAnnounced": true, "statusCurrent": false, "imprint": false} {
		if u, ok := fieldUnknown(s, field); !ok || u.Looked != looked {
			t.Errorf("%s: got %+v (%v), want it unknown, looked at: %v", field, u, ok, looked)
		}
	}
	for _, field := range []string{"statusPage", "incidentHistory", "incidentDetails", "incidentReports"} {
		if _, ok := fieldUnknown(s, field); ok {
			t.Errorf("%s is known, and stands among the unknown", field)
		}
	}
	if !s.Declared["sharesKnowledge"] || s.Declared["statusPage"] || s.Says["incidentDetails"] != "because of SP-03" {
		t.Errorf("got declared %v, says %v", s.Declared, s.Says)
	}
}

func TestADeclarationFillsGapsAndReplacesNothing(t *testing.T) {
	policy, err := policies.Default()
	if err != nil {
		t.Fatal(err)
	}
	said := func(id string, review string) declaration.Result {
		return declaration.Result{ID: id, Outcome: audit.PASS, Declared: true, Reason: "the operator says so", Review: declaration.Review{Decision: review, Reviewer: "Reviewers"}}
	}
	measured := []transparency.Result{answered("OO-02", audit.FAIL, false), answered("OO-03", audit.MISS, false)}
	for name, test := range map[string]struct {
		said      declaration.Result
		knows     bool // sharesKnowledge
		tentative bool
	}{
		"of the requirement":                {said("open-operations-contribution", ""), true, true},
		"accepted":                          {said("open-operations-contribution", "accept"), true, false},
		"of the fact":                       {said("operator.sharesKnowledge", ""), true, true},
		"of what no declaration may settle": {said("operator.healthMonitor", ""), false, false},
		"expired":                           {declaration.Result{ID: "operator.sharesKnowledge", Outcome: audit.MISS, Reason: "it ended", Settle: []string{"declare it again"}}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := &dossier{policy: policy, declares: []declaration.Result{test.said}, contradicted: map[string]string{}}
			s := d.operatorSubject(measured)
			record := s.Record.(policies.Operator)
			if record.SharesKnowledge != test.knows || s.Declared["sharesKnowledge"] != test.tentative {
				t.Errorf("got %v, tentative %v; want %v, %v", record.SharesKnowledge, s.Declared["sharesKnowledge"], test.knows, test.tentative)
			}
			if _, unknown := fieldUnknown(s, "sharesKnowledge"); unknown == test.knows {
				t.Errorf("known and unknown at once")
			}
			if _, unknown := fieldUnknown(s, "healthMonitor"); record.Contributes || record.HealthMonitor || !unknown {
				t.Errorf("what was measured, or may not be declared, became true: %+v", record)
			}
			if test.said.ID == "open-operations-contribution" && d.contradicted[test.said.ID] != "because of OO-02" {
				t.Errorf("it does not say that something else was measured: %v", d.contradicted)
			}
			if u, _ := fieldUnknown(s, "sharesKnowledge"); name == "expired" && (!strings.Contains(u.Reason, "it ended") || !slices.Contains(u.Settle, "declare it again")) {
				t.Errorf("the reader does not learn that a declaration ended: %+v", u)
			}
		})
	}
}

func TestPostMortemsThatAStatusPageNamesAreReadWhereTheyBelong(t *testing.T) {
	page := transparency.Artifact{Target: transparency.Target{Kind: transparency.KindStatusPage, Region: "north"}, StatusPage: &transparency.StatusPage{
		Incidents: []transparency.Incident{{Title: "a", Report: "https://a.example/rca"}, {Title: "b"}},
	}}
	status := operatorTarget{Target: page.Target}
	public := operatorTarget{Target: transparency.Target{Kind: transparency.KindIncidentReports, URL: "https://a.example/blog"}}
	handed := operatorTarget{Target: transparency.Target{Kind: transparency.KindIncidentReports, File: "blog"}, file: "./blog"}
	got := withReports([]operatorTarget{status, handed, public}, 0, page)
	if len(got) != 3 || len(got[1].Links) != 0 || len(got[2].Links) != 1 || got[2].Links[0].URL != "https://a.example/rca" {
		t.Errorf("got %+v, want the link with the public reports, not with the files", got)
	}
	got = withReports([]operatorTarget{status, handed}, 0, page)
	if len(got) != 3 || got[1].Kind != transparency.KindIncidentReports || got[1].Region != "north" || len(got[1].Links) != 1 || len(got[2].Links) != 0 {
		t.Errorf("got %+v, want a target of its own after the page", got)
	}
	if got = withReports([]operatorTarget{status}, 0, transparency.Artifact{StatusPage: &transparency.StatusPage{}}); len(got) != 1 {
		t.Errorf("a page without reports adds %+v", got)
	}
}

func TestTheCellOfLevelTwoNeverSaysMoreThanWasShown(t *testing.T) {
	shown := func(tests, certificate audit.Outcome, declared bool) reports.Standing {
		return reports.Standing{Layer: "iaas", Words: "words", Tests: reports.StandingAnswer{Outcome: tests, Settle: []string{"test"}}, Certificate: reports.StandingAnswer{Outcome: certificate, Declared: declared}}
	}
	for name, test := range map[string]struct {
		standings []reports.Standing
		outcome   audit.Outcome
		words     string
	}{
		"nothing":                          {nil, audit.MISS, "nobody looked"},
		"tests":                            {[]reports.Standing{shown(audit.PASS, audit.MISS, false)}, audit.PART, "words"},
		"failing tests of a certified one": {[]reports.Standing{shown(audit.FAIL, audit.PASS, false)}, audit.FAIL, "no"},
		"certificate alone":                {[]reports.Standing{shown(audit.MISS, audit.PASS, false)}, audit.PASS, "certified"},
		"the operator's word alone":        {[]reports.Standing{shown(audit.MISS, audit.PASS, true)}, audit.PART, "declared"},
		"nobody could tell":                {[]reports.Standing{shown(audit.DNF, audit.MISS, false)}, audit.DNF, "could not tell"},
		"one layer of two":                 {[]reports.Standing{shown(audit.FAIL, audit.MISS, false), shown(audit.PASS, audit.MISS, false)}, audit.PART, "words"},
		"certified in one layer of two":    {[]reports.Standing{shown(audit.PASS, audit.MISS, false), shown(audit.PASS, audit.PASS, false)}, audit.PASS, "certified"},
	} {
		if c := levelCell(test.standings); c.Outcome != test.outcome || c.Words != test.words || len(c.Settle) == 0 {
			t.Errorf("%s: got %s %q, want %s %q", name, c.Outcome, c.Words, test.outcome, test.words)
		}
	}
}

func TestAColumnTakesTheWorstOfItsAnswers(t *testing.T) {
	answer := func(id string, o audit.Outcome) reports.OperatorAnswer {
		return reports.OperatorAnswer{ID: id, Outcome: o}
	}
	for _, test := range []struct {
		one, two audit.Outcome
		want     string
	}{
		{audit.FAIL, audit.PASS, "RB-01"}, {audit.PASS, audit.MISS, "RB-02"}, {audit.DNF, audit.MISS, "RB-02"}, {audit.PASS, audit.FAIL, "RB-02"}, {audit.NA, audit.PASS, "RB-02"},
	} {
		got, ok := columnAnswer(reports.ColumnRunbooks, []reports.OperatorAnswer{answer("RB-01", test.one), answer("RB-02", test.two)})
		if !ok || got.ID != test.want {
			t.Errorf("%s and %s: got %s, want %s", test.one, test.two, got.ID, test.want)
		}
	}
}

func TestALocalFileOfTheSameNameKeepsItsPlace(t *testing.T) {
	stack, err := ParseStack([]byte(secretsHead+"conformance:\n  scs_compatible: {report: a/report.yaml, scope: b/report.yaml, signers: a/report.yaml}\n"), "stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := stack.levelTargets()
	if err != nil || len(got) != 1 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if l := got[0]; l.files[l.File] != "a/report.yaml" || l.files[l.Scope] != "b/report.yaml" || l.Signers != l.File || l.Layer != "iaas" {
		t.Errorf("got %+v", l)
	}
	stack, err = ParseStack([]byte(secretsHead+"conformance: {legal: {title: Seat, statement: 'ask jane@x.example'}}\n"), "stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = stack.levelTargets(); err == nil || !strings.Contains(err.Error(), "may name a person") {
		t.Errorf("a mail address is taken: %v", err)
	}
}
