package reports

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

func operatorSample() OperatorView {
	at := time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)
	digest := audit.DigestOf([]byte("summary"))
	value := int64(14)
	page := Look{URL: "https://status.example.org/api/v2/summary.json", Status: 200, Content: "application/json", At: at, Digest: digest, Size: 812}
	origins := []audit.Origin{{Source: "status-page", URL: page.URL, Digest: digest, At: at}}
	return OperatorView{
		Schema: OperatorSchema, Subject: Subject{Name: "example-cloud", Kind: "cloud", Exposure: "public", Operator: "Example GmbH"}, AssessedAt: at,
		Policy:   Policy{ID: "pegel-scs-proposal", Version: "0.2.0", Digest: audit.DigestOf([]byte("policy")), Status: "proposal", Profile: "service 0.1.0"},
		Tool:     Tool{Version: "test"},
		Evidence: Evidence{Digest: audit.DigestOf([]byte("evidence")), Blobs: 12},
		Operator: Operator{
			Artifacts: []OperatorArtifact{
				{Kind: "status-page", Title: "status page", Outcome: audit.PASS, URL: "https://status.example.org", Adapter: "statuspage", Observed: at,
					Newest: at.Add(-26 * time.Hour), Facts: []string{"6 components, 3 incidents and 1 maintenance of the last two years", "history from 2025-09-12"}, Looks: []Look{page}},
				{Kind: "monitor", Title: "monitor", Region: "north", Outcome: audit.FAIL, URL: "https://health.example.org", Observed: at,
					Trouble: "the page asks for a login", Settle: "open the dashboard to the public",
					Looks: []Look{{URL: "https://health.example.org", Final: "https://id.example.org/login", Status: 200, Content: "text/html", At: at, Trouble: "the page asks for a login"}}},
				{Kind: "sbom", Title: "published SBOM", Outcome: audit.PASS, Handed: "sbom.cdx.json", Observed: at, Newest: at.Add(-40 * 24 * time.Hour),
					Facts: []string{"CycloneDX 1.6, 212 components"}, Looks: []Look{{Handed: "sbom.cdx.json", At: at, Digest: audit.DigestOf([]byte("sbom")), Original: audit.DigestOf([]byte("as it came"))}}},
			},
			Answers: []OperatorAnswer{
				{ID: "SP-01", Kind: "status-page", Title: "Is there a public status page that names components?", Outcome: audit.PASS, Reason: "6 components are named", Origins: origins, Severity: "must"},
				{ID: "SP-02", Kind: "status-page", Title: "Does its history reach back far enough?", Outcome: audit.PASS, Value: &value, Unit: "months", Reason: "it reaches back 14 months, 12 are asked for", Origins: origins},
				{ID: "HM-01", Kind: "monitor", Title: "Does a public monitor show fresh samples?", Outcome: audit.FAIL, Reason: "the page asks for a login", Settle: []string{"open the dashboard to the public"}},
				{ID: "RB-01", Kind: "runbooks", Title: "Are runbooks public under an open licence?", Reason: "nobody said where it is", Settle: []string{"name it under transparency: runbooks"}},
				{ID: "SB-01", Kind: "sbom", Title: "Can customers get the SBOM?", Outcome: audit.DNF, Reason: "it was handed over", Handed: true, Settle: []string{"publish it"}},
				{ID: "OO-04", Kind: "open-operations", Title: "Does the operator share what it knows?", Outcome: audit.PASS, Declared: true, Reason: "one talk in 12 months"},
				{ID: "IR-01", Kind: "incident-reports", Title: "Do grave incidents have a report?", Outcome: audit.NA, Reason: "no incident was grave enough"},
			},
			Standings: []Standing{{Layer: "iaas", Words: "technically met, not certified",
				Tests:       StandingAnswer{Outcome: audit.PASS, Reason: "all tests of v5.1 pass", ValidUntil: at.AddDate(0, 0, 7), Origins: origins},
				Certificate: StandingAnswer{Reason: "nobody named a certificate", Settle: []string{"name it under conformance:"}}}},
			Documents: []LegalDocument{{Title: "C5 attestation", Kind: "c5", Issuer: "Example Audit AG", Issued: at.AddDate(-1, 0, 0), ValidUntil: at.AddDate(1, 0, 0),
				State: "said by the operator", Link: "https://example.org/c5"}},
			Declarations: []Declaration{{ID: "open-operations", Who: "Example GmbH", Date: at.AddDate(0, -1, 0), Statement: "we speak at meetups", Outcome: audit.PASS, Reason: "not accepted by a reviewer"}},
			NotSeen:      []Unseen{{What: "runbooks", Reason: "nobody said where they are", Settle: "name them"}},
		},
	}
}

func providersSample() Providers {
	v := operatorSample()
	cells := func(o audit.Outcome) (out []ProviderCell) {
		for i, c := range ProviderColumns() {
			cell := ProviderCell{Column: c, Outcome: audit.MISS, Words: "nobody looked", Reason: "nobody said where it is", Settle: []string{"name it"}}
			if i < 3 {
				cell = ProviderCell{Column: c, Outcome: o, Words: "yes", Reason: "it answers", Link: "https://status.example.org", Origins: v.Operator.Answers[0].Origins}
			}
			out = append(out, cell)
		}
		return out
	}
	return Providers{
		Schema: ProvidersSchema, Heading: ProvidersHeading, AssessedAt: v.AssessedAt, Policy: v.Policy, Tool: v.Tool,
		Providers: []Provider{
			{ID: "example", Name: "Example Cloud", Operator: "Example GmbH", Regions: []string{"north", "south"}, Home: "https://example.org", Cells: cells(audit.PASS),
				Evidence: v.Evidence, Looks: v.Operator.Artifacts[0].Looks,
				Reply: &Reply{By: "Example GmbH", Role: "operations", Date: v.AssessedAt, Text: "The monitor moves.", Cells: map[string]string{ColumnMonitor: "https://example.org/moved"}}},
			{ID: "other", Name: "Other Cloud", Cells: cells(audit.DNF), Evidence: v.Evidence, Trouble: "could not be looked at: no such host"},
		},
	}
}

func TestWhatWasSeenOfAnOperatorIsShownAsItsGoldenFiles(t *testing.T) {
	for _, format := range OperatorFormats() {
		data, err := RenderOperator(format, operatorSample(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "operator."+format, data)
		if data, err = RenderProviders(format, providersSample(), Options{}); err != nil {
			t.Fatal(err)
		}
		golden(t, "providers."+format, data)
	}
}

func TestAnOperatorViewIsValidByItsPublishedSchema(t *testing.T) {
	for name, value := range map[string]any{"operator": operatorSample(), "providers-table": providersSample()} {
		data, err := canonical(value)
		if err != nil {
			t.Fatal(err)
		}
		if err := compiled(t, name).Validate(parsed(t, data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryCellOfThePageOpensItsEvidence(t *testing.T) {
	for name, page := range map[string][]byte{"operator": mustOperator(t, "html"), "providers": mustProviders(t, "html")} {
		text := string(page)
		links := strings.Count(text, `<a href="#`)
		if links < 10 {
			t.Errorf("%s: only %d links inside the page", name, links)
		}
		for _, part := range strings.Split(text, `<a href="#`)[1:] {
			anchor, _, _ := strings.Cut(part, `"`)
			if !strings.Contains(text, `id="`+anchor+`"`) {
				t.Errorf("%s: a link leads to #%s, which is not there", name, anchor)
			}
		}
	}
}

func mustOperator(t *testing.T, format string) []byte {
	t.Helper()
	data, err := RenderOperator(format, operatorSample(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func mustProviders(t *testing.T, format string) []byte {
	t.Helper()
	data, err := RenderProviders(format, providersSample(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// poison puts hostile text into every string of a value.
func poison(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() && v.CanSet() {
			v.SetString(v.String() + text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type() != reflect.TypeFor[time.Time]() {
				poison(v.Field(i), text)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i), text)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			poison(v.Elem(), text)
		}
	}
}

func TestHostileWordsOfServersStayText(t *testing.T) {
	const hostile = "\"><script>x</script>{{.}}\x1b]8;;https://evil.example\x07|[a](javascript:x)\n@someone"
	view, table := operatorSample(), providersSample()
	poison(reflect.ValueOf(&view).Elem(), hostile)
	poison(reflect.ValueOf(&table).Elem(), hostile)
	for i := range table.Providers { // columns are our own words
		for j, c := range ProviderColumns() {
			table.Providers[i].Cells[j].Column = c
		}
	}
	for _, format := range OperatorFormats() {
		one, err1 := RenderOperator(format, view, Options{})
		many, err2 := RenderProviders(format, table, Options{})
		if err1 != nil || err2 != nil {
			t.Fatalf("%s: %v %v", format, err1, err2)
		}
		for _, data := range [][]byte{one, many} {
			if format == "json" {
				if !json.Valid(data) {
					t.Error("the JSON is broken")
				}
				continue
			}
			if format != "text" && bytes.Contains(data, []byte("<script>")) {
				t.Errorf("%s holds markup of a server", format)
			}
			if format == "html" && bytes.Contains(data, []byte(`href="javascript:`)) {
				t.Error("a link of a server runs script")
			}
			if bytes.ContainsRune(data, '\x1b') || bytes.ContainsRune(data, '\x07') {
				t.Errorf("%s holds a control character of a server", format)
			}
			if format == "markdown" && regexp.MustCompile(`[^\\]\]\(javascript:`).Match(data) {
				t.Error("markdown holds a link of a server that runs script")
			}
		}
	}
}

func TestAddressesOfACloudThatIsNotPublicAreLeftOut(t *testing.T) {
	view := operatorSample()
	if got := RedactOperator(view); !reflect.DeepEqual(got, view) {
		t.Error("a public cloud is shown as it is")
	}
	view.Subject.Exposure = "private"
	view.Operator.Artifacts = append(view.Operator.Artifacts, OperatorArtifact{Kind: "runbooks", Title: "runbooks", URL: "https://github.com/example/runbooks"})
	inside := func(host string) []audit.Origin {
		return []audit.Origin{{Source: "x", URL: "https://" + host + "/deep/path?a=1&b=2"}}
	}
	view.Operator.Standings[0].Tests.Origins, view.Operator.Standings[0].Tests.Reason = inside("tests.example.org"), "tests.example.org could not be reached"
	view.Operator.Standings[0].Certificate.Origins = inside("certificate.example.org")
	view.Operator.Documents[0].Link = "https://legal.example.org/deep/path"
	view.Operator.Declarations[0].Origins, view.Operator.Declarations[0].Reason = inside("said.example.org"), "the page changed: https://said.example.org/deep/path."
	view.Operator.NotSeen[0].What = "runbooks https://git.example.org/deep/path"
	data, err := canonical(RedactOperator(view))
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{
		"status.example.org", "health.example.org", "id.example.org", "tests.example.org", "certificate.example.org", "legal.example.org", "said.example.org", "git.example.org", "deep/path",
	} {
		if bytes.Contains(data, []byte(host)) {
			t.Errorf("%s is shown of a private cloud", host)
		}
	}
	for _, kept := range []string{`"status-page"`, "the page asks for a login", string(audit.DigestOf([]byte("summary"))), "github.com/example/runbooks"} {
		if !bytes.Contains(data, []byte(kept)) {
			t.Errorf("%s is gone", kept)
		}
	}
	r := Report{Subject: Subject{Exposure: "private"}, Operator: &view.Operator}
	if data, err = canonical(Redact(r)); err != nil || bytes.Contains(data, []byte("health.example.org")) {
		t.Errorf("the report of an audit shows it: %v", err)
	}
}
