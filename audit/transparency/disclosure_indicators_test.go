package transparency_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

var looked = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// disclosureRules are the numbers of the tests; those that count stand in policies/data/profiles/service.yaml.
func disclosureRules() audit.TransparencyRules {
	numbers := map[string]map[string]int{
		"SB-01": nil, "SB-02": {"days": 90, "missing_fields": 0}, "SB-03": {"share_bp": 9000}, "SC-01": {"days": 0}, "SC-02": nil,
		"AD-01": {"complete_bp": 9000}, "AD-02": {"in_time_bp": 10000, "critical_hours": 3, "high_days": 3, "medium_months": 1, "low_months": 3},
		"AD-03": {"covered_bp": 9000, "critical_hours": 3, "high_days": 3}, "IM-01": {"parts": 4}, "CP-01": nil,
	}
	rules := audit.TransparencyRules{Indicators: map[string]audit.TransparencyRule{}}
	for id, n := range numbers {
		rules.Indicators[id] = audit.TransparencyRule{Numbers: n}
	}
	return rules
}

// judgeOne answers one indicator from artifacts that were looked at now.
func judgeOne(t *testing.T, id, exposure string, c transparency.Context, artifacts ...transparency.Artifact) transparency.Result {
	t.Helper()
	for i := range artifacts {
		if artifacts[i].Seen == nil {
			artifacts[i].Seen = []audit.Seen{{URL: "https://example.org/", At: looked, Digest: audit.DigestOf(nil)}}
		}
	}
	e := transparency.Evidence{Artifacts: artifacts, Exposure: exposure, AssessedAt: looked}
	for _, r := range transparency.Judge(e, c, disclosureRules()) {
		if r.Indicator.ID == id {
			if r.Outcome != audit.MISS && r.Reason == "" || (r.Outcome == audit.MISS || r.Outcome == audit.DNF || r.Outcome == audit.FAIL) && len(r.Settle) == 0 {
				t.Errorf("%s: outcome %v without a reason or without what settles it: %+v", id, r.Outcome, r.Measurement)
			}
			return r
		}
	}
	t.Fatalf("nobody asks %s", id)
	return transparency.Result{}
}

func ofSBOM(f transparency.SBOMFacts) transparency.Artifact {
	return transparency.Artifact{Target: transparency.Target{Kind: transparency.KindSBOM}, SBOM: &f}
}

func ofTxt(f transparency.SecurityTxt) transparency.Artifact {
	return transparency.Artifact{Target: transparency.Target{Kind: transparency.KindSecurityTxt}, SecurityTxt: &f}
}

func ofAdvisories(list ...transparency.Advisory) transparency.Artifact {
	return transparency.Artifact{Target: transparency.Target{Kind: transparency.KindAdvisories}, Advisories: &transparency.Advisories{Advisories: list}}
}

func TestWhatIsSaidOfAPublishedSBOM(t *testing.T) {
	ok := transparency.SBOMFacts{Format: "CycloneDX 1.6", Created: looked.AddDate(0, 0, -10), Components: 5, BSI: true, Deployed: 10, Named: 10}
	with := func(change func(*transparency.SBOMFacts)) transparency.Artifact {
		f := ok
		change(&f)
		return ofSBOM(f)
	}
	for _, c := range []struct {
		id, name string
		a        transparency.Artifact
		want     audit.Outcome
		says     string
	}{
		{"SB-01", "any", ofSBOM(ok), audit.PASS, "5 components"},
		{"SB-01", "redacted", with(func(f *transparency.SBOMFacts) { f.Redacted = true }), audit.PASS, "without internal names"},
		{"SB-01", "empty", with(func(f *transparency.SBOMFacts) { f.Components = 0 }), audit.DNF, "nothing"},
		{"SB-02", "all stated", ofSBOM(ok), audit.PASS, "2026-11-16"},
		{"SB-02", "fields lack", with(func(f *transparency.SBOMFacts) { f.BSI, f.Open = false, []string{"Component creator (3 of 5)"} }), audit.PART, "Component creator"},
		{"SB-02", "fields not measured", with(func(f *transparency.SBOMFacts) { f.BSI, f.Unmeasured = false, "tag-value" }), audit.DNF, "tag-value"},
		{"SB-02", "old", with(func(f *transparency.SBOMFacts) { f.Created = looked.AddDate(0, 0, -91) }), audit.FAIL, "more than 90 days"},
		{"SB-02", "just not old", with(func(f *transparency.SBOMFacts) { f.Created = looked.AddDate(0, 0, -90) }), audit.PASS, "within 90 days"},
		{"SB-02", "of the future", with(func(f *transparency.SBOMFacts) { f.Created = looked.Add(6 * time.Minute) }), audit.DNF, "after it was read"},
		{"SB-02", "a clock that runs ahead by minutes", with(func(f *transparency.SBOMFacts) { f.Created = looked.Add(4 * time.Minute) }), audit.PASS, ""},
		{"SB-02", "without a date", with(func(f *transparency.SBOMFacts) { f.Created = time.Time{} }), audit.DNF, "when it was made"},
		{"SB-03", "all named", ofSBOM(ok), audit.PASS, "10 of 10"},
		{"SB-03", "just enough", with(func(f *transparency.SBOMFacts) { f.Named = 9 }), audit.PASS, "9 of 10"},
		{"SB-03", "too few", with(func(f *transparency.SBOMFacts) { f.Named, f.Missing = 8, []string{"redis 7.4.10"} }), audit.FAIL, "redis 7.4.10"},
		{"SB-03", "names are hidden", with(func(f *transparency.SBOMFacts) { f.Named, f.Hidden = 8, 1 }), audit.DNF, "between 8 and 9"},
		{"SB-03", "versions are hidden", with(func(f *transparency.SBOMFacts) { f.Named, f.Unsure = 8, 2 }), audit.DNF, "between 8 and 10"},
		{"SB-03", "names are hidden, and too many lack anyway", with(func(f *transparency.SBOMFacts) { f.Named, f.Hidden = 5, 3 }), audit.FAIL, "between 5 and 8"},
		{"SB-03", "more is hidden than lacks", with(func(f *transparency.SBOMFacts) { f.Named, f.Hidden = 9, 30 }), audit.PASS, "between 9 and 10"},
		{"SB-03", "nothing is known of what is deployed", with(func(f *transparency.SBOMFacts) { f.Deployed, f.Named = 0, 0 }), audit.MISS, "nothing to compare"},
	} {
		if r := judgeOne(t, c.id, "public", transparency.Context{}, c.a); r.Outcome != c.want || !strings.Contains(r.Reason, c.says) {
			t.Errorf("%s, %s: got %v, %q; want %v, %q", c.id, c.name, r.Outcome, r.Reason, c.want, c.says)
		}
	}
}

func TestANewSBOMOfSomethingElseMakesNoOldOneNewer(t *testing.T) {
	old := transparency.SBOMFacts{Created: looked.AddDate(0, 0, -400), Components: 10, BSI: true, Deployed: 10, Named: 10}
	other := transparency.SBOMFacts{Created: looked.AddDate(0, 0, -1), Components: 1, BSI: true, Deployed: 10}
	for _, list := range [][]transparency.Artifact{{ofSBOM(old), ofSBOM(other)}, {ofSBOM(other), ofSBOM(old)}} {
		if r := judgeOne(t, "SB-02", "public", transparency.Context{}, list...); r.Outcome != audit.FAIL {
			t.Errorf("got %v, %q", r.Outcome, r.Reason)
		}
	}
}

func TestWhatIsSaidOfASecurityTxt(t *testing.T) {
	mail := []transparency.Contact{{Kind: "mailto", Address: "example.org"}}
	year := looked.AddDate(1, 0, 0)
	web := func(reachable *bool) []transparency.Contact {
		return []transparency.Contact{{Kind: "https", Address: "https://example.org/", Reachable: reachable}}
	}
	for _, c := range []struct {
		name string
		f    transparency.SecurityTxt
		want audit.Outcome
		says string
	}{
		{"valid", transparency.SecurityTxt{Contacts: mail, Expires: year}, audit.PASS, "contact by mailto, valid until 2027-11-26"},
		{"no contact", transparency.SecurityTxt{Expires: year}, audit.FAIL, "no contact"},
		{"no end", transparency.SecurityTxt{Contacts: mail}, audit.FAIL, "until when"},
		{"expired", transparency.SecurityTxt{Contacts: mail, Expires: looked.AddDate(0, 0, -1)}, audit.FAIL, "expired on 2026-11-25"},
		{"expires while clocks differ", transparency.SecurityTxt{Contacts: mail, Expires: looked.Add(-time.Minute)}, audit.DNF, "clocks"},
		{"problems beside", transparency.SecurityTxt{Contacts: mail, Expires: year, Problems: []string{"line 3: x"}}, audit.PART, "line 3: x"},
		{"a web address that answers", transparency.SecurityTxt{Contacts: web(new(true)), Expires: year}, audit.PASS, "contact by https"},
		{"a web address that is gone", transparency.SecurityTxt{Contacts: web(new(false)), Expires: year}, audit.FAIL, "does not exist"},
		{"a web address nobody could ask", transparency.SecurityTxt{Contacts: web(nil), Expires: year}, audit.DNF, "nobody could tell"},
		{"one that is gone beside a mail address", transparency.SecurityTxt{Contacts: append(web(new(false)), mail...), Expires: year}, audit.PASS, "https, mailto"},
	} {
		if r := judgeOne(t, "SC-01", "public", transparency.Context{}, ofTxt(c.f)); r.Outcome != c.want || !strings.Contains(r.Reason, c.says) {
			t.Errorf("%s: got %v, %q; want %v, %q", c.name, r.Outcome, r.Reason, c.want, c.says)
		}
	}
	if r := judgeOne(t, "SC-01", "public", transparency.Context{}, ofTxt(transparency.SecurityTxt{Contacts: mail}), ofTxt(transparency.SecurityTxt{Contacts: mail, Expires: year})); r.Outcome != audit.PASS {
		t.Errorf("of two files: got %v, %q; want the better one", r.Outcome, r.Reason)
	}
	if r := judgeOne(t, "SC-02", "public", transparency.Context{}, ofTxt(transparency.SecurityTxt{Signed: true})); r.Outcome != audit.PASS || !strings.Contains(r.Reason, "not verified") {
		t.Errorf("signed: got %v, %q", r.Outcome, r.Reason)
	}
	if r := judgeOne(t, "SC-02", "public", transparency.Context{}, ofTxt(transparency.SecurityTxt{})); r.Outcome != audit.FAIL {
		t.Errorf("not signed: got %v", r.Outcome)
	}
}

func TestWhatIsSaidOfImprintAndCertificate(t *testing.T) {
	imprint := func(found ...string) transparency.Artifact {
		return transparency.Artifact{Target: transparency.Target{Kind: transparency.KindImprint}, Imprint: &transparency.Imprint{Found: found}}
	}
	page := func(f transparency.CertificatePage) transparency.Artifact {
		return transparency.Artifact{Target: transparency.Target{Kind: transparency.KindCertificatePage}, CertificatePage: &f}
	}
	scopes := []string{"SCS-compatible IaaS"}
	for _, c := range []struct {
		id, name, exposure string
		a                  transparency.Artifact
		want               audit.Outcome
		says               string
	}{
		{"IM-01", "all", "public", imprint("company", "address", "contact", "register"), audit.PASS, "register"},
		{"IM-01", "some", "public", imprint("company", "contact"), audit.PART, "company, contact"},
		{"IM-01", "none", "public", imprint(), audit.DNF, "could be recognised"},
		{"CP-01", "linked elsewhere", "public", page(transparency.CertificatePage{Link: "https://x/", Scopes: scopes}), audit.PASS, "its owner's word"},
		{"CP-01", "linked", "public", page(transparency.CertificatePage{Link: "https://x/", SCS: true, Scopes: scopes, History: true, HistoryFrom: looked.AddDate(-1, 0, 0)}), audit.PASS, "since 2025-11-26"},
		{"CP-01", "linked, a young certificate", "public", page(transparency.CertificatePage{Link: "https://x/", Scopes: scopes}), audit.PASS, "no history"},
		{"CP-01", "linked to what shows nothing", "public", page(transparency.CertificatePage{Link: "https://x/"}), audit.DNF, "no scope"},
		{"CP-01", "not linked", "public", page(transparency.CertificatePage{}), audit.FAIL, "no hyperlink"},
		{"CP-01", "not linked, and need not be", "private", page(transparency.CertificatePage{}), audit.NA, "public clouds only"},
	} {
		r := judgeOne(t, c.id, c.exposure, transparency.Context{}, c.a)
		if r.Outcome != c.want || !strings.Contains(r.Reason, c.says) {
			t.Errorf("%s, %s: got %v, %q; want %v, %q", c.id, c.name, r.Outcome, r.Reason, c.want, c.says)
		}
		if f := c.a.CertificatePage; f != nil && r.Outcome == audit.PASS && r.Declared == f.SCS {
			t.Errorf("%s, %s: declared is %v for a page at a host of SCS: %v", c.id, c.name, r.Declared, f.SCS)
		}
	}
}

// at is a moment, from a day or an exact time.
func at(text string) time.Time {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return t
}

// first is an advisory of long ago, so that the operator's history reaches back.
var first = transparency.Advisory{ID: "EX-0", IDs: []string{"CVE-2020-10000"}, Published: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), Days: true}

func TestReactionTimesAreMeasuredAsFarAsDatesAreExact(t *testing.T) {
	for _, c := range []struct {
		name, severity, known, fixed string
		days                         bool
		want                         audit.Outcome
	}{
		{"critical within three hours", "critical", "2026-03-02T10:00:00Z", "2026-03-02T12:59:00Z", false, audit.PASS},
		{"critical at three hours", "critical", "2026-03-02T10:00:00Z", "2026-03-02T13:00:00Z", false, audit.PASS},
		{"critical after three hours", "critical", "2026-03-02T10:00:00Z", "2026-03-02T13:00:01Z", false, audit.FAIL},
		{"critical, dated by a day: the same", "critical", "2026-03-02T10:00:00Z", "2026-03-02", true, audit.DNF},
		{"critical, dated by a day: the next, which may have begun in the far east", "critical", "2026-03-02T10:00:00Z", "2026-03-03", true, audit.DNF},
		{"critical, dated by a day: two later", "critical", "2026-03-02T10:00:00Z", "2026-03-04", true, audit.FAIL},
		{"mended before it was known", "critical", "2026-03-02T10:00:00Z", "2026-02-20", true, audit.PASS},
		{"high, days on both sides, the next day", "high", "2026-03-02", "2026-03-03", true, audit.PASS},
		{"high, days on both sides, the third day", "high", "2026-03-02", "2026-03-05", true, audit.DNF},
		{"high, days on both sides, much later", "high", "2026-03-02", "2026-03-12", true, audit.FAIL},
		{"medium within a month", "medium", "2026-03-02", "2026-03-30", true, audit.PASS},
		{"medium after a month", "medium", "2026-03-02", "2026-04-10", true, audit.FAIL},
		{"low within three months", "low", "2026-03-02", "2026-05-20", true, audit.PASS},
		{"low after three months", "low", "2026-03-02T00:30:00Z", "2026-06-02T01:00:00Z", false, audit.FAIL},
		{"nobody says when", "high", "2026-03-02", "", true, audit.DNF},
		{"a date of the future", "high", "2026-03-02", "2026-12-24", true, audit.DNF},
		{"a severity nobody knows", "", "2026-03-02", "2026-03-02", true, audit.NA},
	} {
		a := transparency.Advisory{ID: "EX-1", IDs: []string{"CVE-2026-10001"}, Published: at(c.known), Days: c.days}
		if c.fixed != "" {
			a.Fixed = at(c.fixed)
		}
		known := transparency.Context{Advisories: []transparency.KnownAdvisory{{ID: "OSV-1", Aliases: []string{"cve-2026-10001"}, Severity: c.severity, Published: at(c.known)}}}
		if r := judgeOne(t, "AD-02", "public", known, ofAdvisories(a, first)); r.Outcome != c.want {
			t.Errorf("%s: got %v, %q; want %v", c.name, r.Outcome, r.Reason, c.want)
		}
	}
}

func TestACopiedDateOfPublicationIsNoReaction(t *testing.T) {
	known := transparency.Context{Advisories: []transparency.KnownAdvisory{{ID: "CVE-2026-10001", Severity: "critical", Published: at("2026-03-02")}}}
	r := judgeOne(t, "AD-02", "public", known, ofAdvisories(transparency.Advisory{ID: "X", IDs: []string{"CVE-2026-10001"}, Published: at("2026-03-02"), Days: true}))
	if r.Outcome != audit.DNF || !strings.Contains(r.Reason, "1 do not say when the cloud was mended") {
		t.Errorf("got %v, %q; want DNF", r.Outcome, r.Reason)
	}
}

func TestGraveAdvisoriesHaveToBeMentionedOnceTheyAreDue(t *testing.T) {
	critical := func(id string, when time.Time) transparency.KnownAdvisory {
		return transparency.KnownAdvisory{ID: id, Severity: "critical", Published: when}
	}
	named := transparency.Advisory{ID: "X", IDs: []string{"CVE-2026-10001"}, Published: at("2026-03-02")}
	for _, c := range []struct {
		name  string
		known []transparency.KnownAdvisory
		own   []transparency.Advisory
		want  audit.Outcome
		says  string
	}{
		{"mentioned", []transparency.KnownAdvisory{critical("CVE-2026-10001", at("2026-03-02T10:00:00Z"))}, []transparency.Advisory{named}, audit.PASS, "1 of 1"},
		{"not mentioned", []transparency.KnownAdvisory{critical("CVE-2026-10001", at("2026-03-02T10:00:00Z")), critical("CVE-2026-10002", at("2026-03-03T10:00:00Z"))}, []transparency.Advisory{named}, audit.FAIL, "CVE-2026-10002"},
		{"told of twice", []transparency.KnownAdvisory{critical("CVE-2026-10001", at("2026-03-02T10:00:00Z")), critical("CVE-2026-10001", at("2026-03-02T10:00:00Z"))}, []transparency.Advisory{named}, audit.PASS, "1 of 1"},
		{"one without identifiers may be it", []transparency.KnownAdvisory{critical("CVE-2026-10002", at("2026-03-03T10:00:00Z"))}, []transparency.Advisory{named, {ID: "y", Published: at("2026-03-03")}}, audit.DNF, "name no identifier"},
		{"older than the operator's oldest", []transparency.KnownAdvisory{critical("CVE-2026-10002", at("2026-03-01T10:00:00Z"))}, []transparency.Advisory{named}, audit.NA, "2026-03-02"},
		{"not due yet", []transparency.KnownAdvisory{critical("CVE-2026-10002", looked.Add(-2*time.Hour))}, []transparency.Advisory{named}, audit.NA, "became due"},
		{"not grave", []transparency.KnownAdvisory{{ID: "CVE-2026-10002", Severity: "medium", Published: at("2026-03-03")}}, []transparency.Advisory{named}, audit.NA, ""},
		{"none known", []transparency.KnownAdvisory{}, []transparency.Advisory{named}, audit.NA, ""},
		{"nobody looked", nil, []transparency.Advisory{named}, audit.MISS, "nothing is known"},
		{"the operator's have no dates", []transparency.KnownAdvisory{critical("CVE-2026-10001", at("2026-03-02T10:00:00Z"))}, []transparency.Advisory{{ID: "x", IDs: []string{"CVE-2026-10001"}}}, audit.DNF, "has a date"},
	} {
		if r := judgeOne(t, "AD-03", "public", transparency.Context{Advisories: c.known}, ofAdvisories(c.own...)); r.Outcome != c.want || !strings.Contains(r.Reason, c.says) {
			t.Errorf("%s: got %v, %q; want %v, %q", c.name, r.Outcome, r.Reason, c.want, c.says)
		}
	}
}

func TestAdvisoriesNeedIdentifiersAndDates(t *testing.T) {
	for _, c := range []struct {
		name string
		own  []transparency.Advisory
		want audit.Outcome
	}{
		{"both", []transparency.Advisory{first}, audit.PASS},
		{"none", nil, audit.DNF},
		{"no dates", []transparency.Advisory{{ID: "x"}, {ID: "y"}}, audit.FAIL},
		{"half of the dates", []transparency.Advisory{first, {ID: "y"}}, audit.PART},
		{"the operator's own numbers", []transparency.Advisory{{ID: "EX-SA-2026-001", Published: at("2026-03-02")}, {ID: "SEC_2026_17", Published: at("2026-03-02")}}, audit.PASS},
		{"news with dates", []transparency.Advisory{{ID: "we-are-hiring", Published: at("2026-03-02")}, {ID: "https://example.org/news/2026-01", Published: at("2026-03-02")}}, audit.FAIL},
		{"a date of the future", []transparency.Advisory{{ID: "y", Published: looked.AddDate(0, 0, 5)}}, audit.FAIL},
	} {
		if r := judgeOne(t, "AD-01", "public", transparency.Context{}, ofAdvisories(c.own...)); r.Outcome != c.want {
			t.Errorf("%s: got %v, %q; want %v", c.name, r.Outcome, r.Reason, c.want)
		}
	}
}

// Laws: without artifacts everything is MISS; an empty set of facts never passes; a look without a time never passes by age.
func TestNothingKnownOfDisclosureNeverPasses(t *testing.T) {
	empty := []transparency.Artifact{
		ofSBOM(transparency.SBOMFacts{}), ofTxt(transparency.SecurityTxt{}), ofAdvisories(),
		{Target: transparency.Target{Kind: transparency.KindImprint}, Imprint: &transparency.Imprint{}},
		{Target: transparency.Target{Kind: transparency.KindCertificatePage}, CertificatePage: &transparency.CertificatePage{}},
	}
	for id := range disclosureRules().Indicators {
		if r := judgeOne(t, id, "public", transparency.Context{}); r.Outcome != audit.MISS {
			t.Errorf("%s: got %v without artifacts, want MISS", id, r.Outcome)
		}
		if r := judgeOne(t, id, "public", transparency.Context{Advisories: []transparency.KnownAdvisory{{ID: "x", Severity: "critical"}}}, empty...); r.Outcome == audit.PASS {
			t.Errorf("%s: got PASS from empty facts, %q", id, r.Reason)
		}
	}
	timeless := []transparency.Artifact{ofSBOM(transparency.SBOMFacts{Created: looked, Components: 1, BSI: true}), ofTxt(transparency.SecurityTxt{Contacts: []transparency.Contact{{Kind: "tel"}}, Expires: looked.AddDate(9, 0, 0)})}
	for i := range timeless {
		timeless[i].Seen = []audit.Seen{{URL: "x"}}
	}
	for _, id := range []string{"SB-02", "SC-01"} {
		if r := judgeOne(t, id, "public", transparency.Context{}, timeless...); r.Outcome == audit.PASS {
			t.Errorf("%s: got PASS although nobody knows when it was looked at", id)
		}
	}
}
