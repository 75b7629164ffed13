package transparency

import (
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

func identityEvidence(all ...Identity) Evidence {
	e := Evidence{AssessedAt: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), Exposure: "public"}
	for _, i := range all {
		e.Artifacts = append(e.Artifacts, Artifact{
			Target: Target{Kind: KindIdentity, URL: "https://id.example.org"}, Identity: &i,
			Seen: []audit.Seen{{URL: "https://id.example.org", At: e.AssessedAt, Digest: audit.DigestOf([]byte("x"))}},
		})
	}
	return e
}

func TestOnlyWhatShowsTheWayInProvesFederation(t *testing.T) {
	at := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	sp := func(e SAMLEntity) Identity {
		e.ID, e.Consumers = "https://id.example.org", []string{"id.example.org"}
		return Identity{SAML: &SAMLMetadata{Entities: []SAMLEntity{e}}}
	}
	good, old := sp(SAMLEntity{Protocol: true}), sp(SAMLEntity{Protocol: true, ValidUntil: at.AddDate(0, 0, -1)})
	openID := Identity{OpenID: &OpenIDProvider{Issuer: "https://id.example.org"}}
	page := Identity{Page: &FederationPage{Protocols: []string{"OpenID Connect"}, Federation: []string{"identity federation"}}}
	for name, test := range map[string]struct {
		all      []Identity
		want     audit.Outcome
		declared bool
		says     string
	}{
		"a service provider":               {[]Identity{good}, audit.PASS, false, "whose that provider is it does not show"},
		"until tomorrow":                   {[]Identity{sp(SAMLEntity{Protocol: true, ValidUntil: at.AddDate(0, 0, 1)})}, audit.PASS, false, ""},
		"until yesterday":                  {[]Identity{old}, audit.FAIL, false, "counted until 2026-11-23"},
		"until yesterday, and a page":      {[]Identity{old, page}, audit.PASS, true, ""},
		"another protocol":                 {[]Identity{sp(SAMLEntity{})}, audit.DNF, false, "another protocol than SAML 2.0"},
		"of other hosts":                   {[]Identity{{SAML: &SAMLMetadata{Others: 3}}}, audit.DNF, false, "other hosts"},
		"an identity provider":             {[]Identity{{SAML: &SAMLMetadata{Providers: 1}}}, audit.DNF, false, "others can rely on it"},
		"an OpenID provider":               {[]Identity{openID}, audit.DNF, false, "no outsider sees"},
		"an OpenID and a service provider": {[]Identity{openID, good}, audit.PASS, false, ""},
		"a page":                           {[]Identity{page}, audit.PASS, true, "only the operator says"},
		"a page, then what is seen":        {[]Identity{page, good}, audit.PASS, false, ""},
		"a page without a protocol":        {[]Identity{{Page: &FederationPage{Federation: []string{"identity federation"}}}}, audit.DNF, false, "names no open protocol"},
		"a page about something else":      {[]Identity{{Page: &FederationPage{Protocols: []string{"SAML 2.0"}}}}, audit.DNF, false, "does not speak"},
	} {
		r := resultOf(t, identityEvidence(test.all...), "ID-01")
		if r.Outcome != test.want || r.Declared != test.declared || !strings.Contains(r.Reason, test.says) || len(r.Origins) == 0 {
			t.Errorf("%s: got %s, declared %v: %s; want %s, %v, %q", name, r.Outcome, r.Declared, r.Reason, test.want, test.declared, test.says)
		}
		if r.Outcome == audit.DNF && len(r.Settle) == 0 {
			t.Errorf("%s: nothing says what would settle it", name)
		}
	}
}
