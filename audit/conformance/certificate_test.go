package conformance

import (
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

func TestACertificateIsHeldOnlyForItsSubjectScopeAndYear(t *testing.T) {
	issued := time.Date(2025, 9, 1, 0, 0, 0, 0, time.UTC)
	page := "<html><head><script>var x = 'green'</script></head><body><h1>Certificates</h1><table><tr><td>green</td><td>SCS-compatible IaaS v3</td></tr></table></body></html>"
	for name, c := range map[string]struct {
		page   string
		list   string // of revoked certificates
		change func(*Target)
		want   audit.Outcome
		says   string
	}{
		"named":                    {page, "", nil, audit.PASS, `names "green" and the scope; the operator says it was issued on 2025-09-01 by Example Body, for version v3; no list of revoked certificates was named`},
		"named by id":              {"green " + ScopeIaaS, "", nil, audit.PASS, "names"},
		"another cloud":            {strings.ReplaceAll(page, "green", "evergreen"), "", nil, audit.DNF, `does not name "green"`},
		"name in a longer name":    {strings.ReplaceAll(page, "<td>green<", "<td>green-2<"), "", nil, audit.DNF, `does not name "green"`},
		"name in a script only":    {strings.ReplaceAll(page, "<td>green<", "<td>x<"), "", nil, audit.DNF, `does not name "green"`},
		"another scope":            {strings.ReplaceAll(page, "IaaS", "KaaS"), "", nil, audit.DNF, "does not name the scope"},
		"a group by its title":     {"<h1>Details for group blue</h1><h2>blue-1: SCS-compatible IaaS</h2>", "", func(t *Target) { t.Subject = "group-blue" }, audit.PASS, `names "group-blue"`},
		"no date":                  {page, "", func(t *Target) { t.Issued = time.Time{} }, audit.DNF, "nobody said when this one was issued"},
		"over":                     {page, "", func(t *Target) { t.Issued = issued.AddDate(-1, 0, 0) }, audit.FAIL, "was over on 2025-09-01"},
		"to come":                  {page, "", func(t *Target) { t.Issued = now.AddDate(0, 1, 0) }, audit.DNF, "yet to come"},
		"not revoked, CSV":         {page, "Revocation list\nsubject,scope\nblue,SCS-compatible IaaS\n", nil, audit.PASS, "list of revoked certificates"},
		"revoked, CSV":             {page, "revoked subject,scope\n\"green\",SCS-compatible IaaS\n", nil, audit.FAIL, "stands in the list of revoked"},
		"revoked for another":      {page, "revoked subject,scope\ngreen,SCS-compatible KaaS\n", nil, audit.PASS, "not among the 2 rows"},
		"revoked, JSON":            {page, `{"revoked":[{"subject":"green","scope":"` + ScopeIaaS + `"}]}`, nil, audit.FAIL, "stands in the list of revoked"},
		"revoked, nested JSON":     {page, `{"revoked":[{"subject":"green","scope":{"uuid":"` + ScopeIaaS + `"}}]}`, nil, audit.FAIL, "stands in the list of revoked"},
		"not revoked, JSON":        {page, `{"revoked":[{"subject":"green","scope":"SCS-compatible KaaS"},{"subject":"blue","scope":"SCS-compatible IaaS"}]}`, nil, audit.PASS, "not among the 2 rows"},
		"nobody revoked, JSON":     {page, `{"revoked":[]}`, nil, audit.PASS, "not among the 0 rows"},
		"revoked, YAML":            {page, "revocations:\n- subject: green\n  scope: SCS-compatible IaaS\n", nil, audit.FAIL, "stands in the list of revoked"},
		"revoked, HTML":            {page, "<html><body><h1>Revoked certificates</h1><table><tr><td>green</td><td>SCS-compatible IaaS</td></tr></table></body></html>", nil, audit.FAIL, "stands in the list of revoked"},
		"not revoked, HTML":        {page, "<html><body><h1>Revoked certificates</h1><table><tr><td>green</td><td>SCS-compatible KaaS</td></tr><tr><td>blue</td><td>SCS-compatible IaaS</td></tr></table></body></html>", nil, audit.PASS, "not among"},
		"revoked, text":            {page, "Widerrufene Zertifikate\n* green: SCS-compatible IaaS\n", nil, audit.FAIL, "stands in the list of revoked"},
		"revoked for every scope":  {page, "Revoked certificates\ngreen\n", nil, audit.FAIL, "stands in the list of revoked"},
		"a list of something else": {page, "Menu\ngreen beans\n", nil, audit.PASS, "could not be read: the document says nowhere that it is a list"},
		"a list that is not there": {page, "", func(t *Target) { t.Revocations = "missing" }, audit.PASS, "could not be read: missing is not among the files"},
	} {
		files := map[string]string{"page.html": c.page, "list": c.list}
		target := Target{Kind: KindCertificate, Layer: "iaas", File: "page.html", Subject: "green", Version: "v3", Issuer: "Example Body", Issued: issued}
		if c.list != "" {
			target.Revocations = "list"
		}
		if c.change != nil {
			c.change(&target)
		}
		e := Look(t.Context(), target, World{Ask: askOf(t, files), At: now})
		got := Judge(Evidence{Entries: []Entry{e}}, "iaas", now)
		if got.Certificate.Outcome != c.want || !strings.Contains(got.Certificate.Reason, c.says) {
			t.Errorf("%s: got %s %q, want %s %q", name, got.Certificate.Outcome, got.Certificate.Reason, c.want, c.says)
		}
		if c.want == audit.PASS && (!got.Certificate.Declared || !got.Certificate.ValidUntil.Equal(issued.AddDate(1, 0, 0))) {
			t.Errorf("%s: got %+v", name, got.Certificate)
		}
		if got := Judge(Evidence{Entries: []Entry{e}}, "kaas", now); got.Certificate.Outcome != audit.MISS {
			t.Errorf("%s: a certificate of layer iaas answers for kaas", name)
		}
	}
}

func TestARenewedCertificateCountsAlone(t *testing.T) {
	certificate := func(years int, page CertificateStatus) Entry {
		return Entry{
			Target:      Target{Kind: KindCertificate, Layer: "iaas", Subject: "green"},
			Certificate: &Certificate{Subject: "green", Scope: ScopeIaaS, Issued: now.AddDate(years, -1, 0), Page: page},
		}
	}
	shown := CertificateStatus{NamesSubject: true, NamesScope: true}
	for name, c := range map[string]struct {
		entries []Entry
		want    audit.Outcome
	}{
		"renewed":              {[]Entry{certificate(-1, shown), certificate(0, shown)}, audit.PASS},
		"in the other order":   {[]Entry{certificate(0, shown), certificate(-1, shown)}, audit.PASS},
		"over":                 {[]Entry{certificate(-1, shown), certificate(-2, shown)}, audit.FAIL},
		"renewed, not shown":   {[]Entry{certificate(-1, shown), certificate(0, CertificateStatus{})}, audit.DNF},
		"renewed, not granted": {[]Entry{certificate(-1, shown), certificate(0, CertificateStatus{Listed: ListedNotCertified})}, audit.FAIL},
	} {
		if got := Judge(Evidence{Entries: c.entries}, "iaas", now).Certificate; got.Outcome != c.want {
			t.Errorf("%s: got %s %q, want %s", name, got.Outcome, got.Reason, c.want)
		}
	}
}

func TestTheOverviewOfAMonitorSaysWhoIsCertified(t *testing.T) {
	table := "### Certified SCS-compatible IaaS\n\n| Name | Description | Operator | SCS-compatible IaaS |\n|--|--|--|--|\n" +
		"| [G](https://example.org) | Public (1 SCS region) | G | [✅ v3](/page/detail/green/scs-compatible-iaas) |\n" +
		"\n### Non-certified environments\n\n| Name | Description | Operator | SCS-compatible IaaS |\n|--|--|--|--|\n" +
		"| [B](https://example.org) | Public | B | [✅ v3](/page/detail/blue/scs-compatible-iaas) |\n"
	base := monitor{scope: fixtureScope(t), at: now, table: table}.start(t)
	for _, c := range []struct {
		subject string
		issued  time.Time
		want    audit.Outcome
		says    string
	}{
		{"green", time.Time{}, audit.PASS, "among the certified environments; nobody said when"},
		{"green", now.AddDate(0, -1, 0), audit.PASS, "issued on 2026-05-10"},
		{"green", now.AddDate(-2, 0, 0), audit.FAIL, "was over on 2025-06-10"}, // contradictory: the worse counts
		{"blue", now.AddDate(0, -1, 0), audit.FAIL, "not certified"},
		{"private", now.AddDate(0, -1, 0), audit.PASS, `names "private" and the scope`},
	} {
		target := Target{Kind: KindCertificate, Layer: "iaas", URL: base + "/page/detail/" + c.subject + "/scs-compatible-iaas", Subject: c.subject, Issued: c.issued}
		e := Look(t.Context(), target, World{Ask: askOf(t, nil), At: now})
		got := Judge(Evidence{Entries: []Entry{e}}, "iaas", now).Certificate
		if got.Outcome != c.want || !strings.Contains(got.Reason, c.says) {
			t.Errorf("%s: got %s %q, want %s %q", c.subject, got.Outcome, got.Reason, c.want, c.says)
		}
	}
}

func TestALargeListOfRevokedCertificatesIsReadInTime(t *testing.T) {
	rows := strings.Repeat("<tr><td>blue</td><td>SCS-compatible IaaS</td></tr>", 60_000)
	a := audit.Answer{Body: []byte("<html><h1>Revoked</h1><table>" + rows + "<tr><td>green</td><td>SCS-compatible IaaS</td></tr></table>")}
	if got := readRevocations(a, Target{Subject: "green"}, ScopeIaaS); !got.Listed || got.Rows < 60_000 {
		t.Errorf("got %+v", got)
	}
}

// FuzzReadRevocations holds that a list without the name of the subject never says that it is listed.
func FuzzReadRevocations(f *testing.F) {
	for _, text := range []string{"revoked\ngreen", `{"revoked":[{"subject":"green"}]}`, "<html><li>revoked<li>green", "revoked,a\ngreen,b", "revoked:\n- green"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got := readRevocations(audit.Answer{Body: body}, Target{Subject: "green"}, ScopeIaaS)
		if got.Listed && (!got.Read || !plausible(body)) || got.Read && got.Trouble != nil || got.Rows > maxRows {
			t.Fatalf("got %+v", got)
		}
	})
}

// plausible reports whether the letters of the name stand in a list, perhaps written with escapes of JSON, YAML or HTML.
func plausible(body []byte) bool {
	text := strings.ToLower(string(body))
	return strings.Contains(text, "green") || strings.ContainsAny(text, `\&<"`) || strings.Contains(text, "\n")
}

func TestTheWordsOfTheLadderKeepTestsAndCertificateApart(t *testing.T) {
	answers := map[string]Answer{"PASS": {Outcome: audit.PASS}, "FAIL": {Outcome: audit.FAIL}, "MISS": {}, "DNF": {Outcome: audit.DNF}, "declared": {Outcome: audit.PASS, Declared: true}}
	for pair, want := range map[[2]string]string{
		{"PASS", "PASS"}: "certified", {"PASS", "declared"}: "technically met, certified by the operator's word",
		{"PASS", "MISS"}: "technically met, not certified", {"PASS", "FAIL"}: "technically met, not certified",
		{"FAIL", "PASS"}: "certified, but tests fail", {"FAIL", "MISS"}: "not met",
		{"MISS", "PASS"}: "certified, tests not shown", {"DNF", "declared"}: "certified by the operator's word, tests not shown",
		{"MISS", "MISS"}: "not shown", {"DNF", "FAIL"}: "not shown",
	} {
		s := Standing{Tests: answers[pair[0]], Certificate: answers[pair[1]]}
		if got := s.Words(); got != want {
			t.Errorf("%v: got %q, want %q", pair, got, want)
		}
	}
}
