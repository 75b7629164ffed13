package identity

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

var judged = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// asking is a plain client: the guarded one belongs to a package that this one may not import.
func asking(t *testing.T, kept *strings.Builder) audit.Ask {
	return func(ctx context.Context, r audit.Request) audit.Answer {
		t.Helper()
		seen := audit.Seen{URL: r.URL, At: judged}
		fail := func(kind, text string) audit.Answer {
			seen.Trouble = &audit.Trouble{Kind: kind, Text: text}
			return audit.Answer{Seen: seen}
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
		if err != nil {
			return fail(audit.TroubleAddress, "the address cannot be asked")
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return fail(audit.TroubleUnreachable, "the server cannot be reached")
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(io.LimitReader(response.Body, r.Limit+1))
		switch {
		case int64(len(body)) > r.Limit:
			return fail(audit.TroubleTooLarge, "the answer is too large")
		case response.StatusCode == http.StatusNotFound:
			return fail(audit.TroubleNotFound, "the server says that there is nothing")
		case response.StatusCode != http.StatusOK:
			return fail(audit.TroubleServer, "the server answers with an error")
		case strings.Contains(string(body), `type="password"`):
			return fail(audit.TroubleLogin, "the page asks for a login")
		case r.Accept == acceptJSON && !strings.HasPrefix(response.Header.Get("Content-Type"), acceptJSON):
			return fail(audit.TroubleContent, "the server answers with something else than JSON")
		}
		clean, err := r.Redact(body)
		if err != nil {
			return fail(audit.TroubleContent, "the answer cannot be read: "+err.Error())
		}
		if kept != nil {
			kept.Write(clean)
		}
		seen.Digest = audit.DigestOf(clean)
		return audit.Answer{Seen: seen, Body: clean}
	}
}

// A made-up realm in the forms of Keycloak 26 (services: OIDCWellKnownProvider, broker/saml: SAMLEndpoint), dex (server/handlers.go:
// discovery) and Keystone (api/os_federation.py: SAML2MetadataResource).
const (
	providerJSON = `{"issuer":"%[1]s","authorization_endpoint":"%[1]s/auth","token_endpoint":"%[1]s/token","jwks_uri":"%[1]s/certs",` +
		`"response_types_supported":["code"],"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["RS256"],"op_policy_uri":"https://jane.doe@x.example"}`
	serviceXML = `<?xml version="1.0"?><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="%[1]s"><md:SPSSODescriptor ` +
		`protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:AssertionConsumerService Location="%[1]s/acs"/></md:SPSSODescriptor>` +
		`<md:ContactPerson contactType="technical"><md:GivenName>Jane</md:GivenName><md:EmailAddress>mailto:jane.doe@x.example</md:EmailAddress></md:ContactPerson></md:EntityDescriptor>`
	idpXML = `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="%[1]s"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"/></EntityDescriptor>`
	guide  = `<!DOCTYPE html><html><title>Sign in</title><script>OIDC identity federation</script><p>Bring your own identity provider: identity <b>federation</b> by OpenID Connect. Ask jane.doe@x.example.</p></html>`
	login  = `<html><form><input type="password"></form></html>`
)

func look(t *testing.T, path, contentType, body, at, adapter string, kept *strings.Builder) (transparency.Artifact, string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", contentType)
		io.WriteString(w, strings.ReplaceAll(body, "%[1]s", "http://"+r.Host+"/realm"))
	}))
	t.Cleanup(server.Close)
	w := transparency.World{At: judged, Ask: asking(t, kept), Operator: transparency.Operator{Name: "Example", Domains: []string{"example.org"}}}
	return Collect(context.Background(), transparency.Target{Kind: transparency.KindIdentity, URL: server.URL + at, Adapter: adapter}, w), server.URL
}

func TestEachFormIsFoundOut(t *testing.T) {
	for name, test := range map[string]struct{ path, contentType, body, at, adapter, want string }{
		"OpenID Connect":              {"/realm/.well-known/openid-configuration", "application/json", providerJSON, "/realm", "", "openid"},
		"OpenID Connect, slash":       {"/realm/.well-known/openid-configuration", "application/json", providerJSON, "/realm/", "openid", "openid"},
		"the document itself":         {"/realm/.well-known/openid-configuration", "application/json", providerJSON, "/realm/.well-known/openid-configuration", "", "openid"},
		"OAuth 2.0 alone":             {"/.well-known/oauth-authorization-server/realm", "application/json", providerJSON, "/realm", "", "oauth"},
		"a service provider":          {"/realm/descriptor", "application/xml", serviceXML, "/realm/descriptor", "", "sp"},
		"a service provider, no hint": {"/sp", "application/samlmetadata+xml", serviceXML, "/sp", "", "sp"},
		"an identity provider":        {"/v3/OS-FEDERATION/saml2/metadata", "text/xml", idpXML, "/v3/OS-FEDERATION/saml2/metadata", "saml", "idp"},
		"a page":                      {"/sign-in", "text/html", guide, "/sign-in", "", "page"},
		"a page in Markdown":          {"/sign-in.md", "text/plain", "# Identity federation\n\nBy SAML 2.0.\n", "/sign-in.md", "page", "page"},
	} {
		var kept strings.Builder
		a, _ := look(t, test.path, test.contentType, test.body, test.at, test.adapter, &kept)
		if a.Trouble != nil {
			t.Errorf("%s: %+v", name, a.Trouble)
			continue
		}
		got := ""
		switch i := a.Identity; {
		case i.OpenID != nil && i.OpenID.OAuth:
			got = "oauth"
		case i.OpenID != nil && len(i.OpenID.Problems) == 0:
			got = "openid"
		case i.SAML != nil && len(i.SAML.Entities) == 1 && i.SAML.Entities[0].Protocol && i.SAML.Others == 0:
			got = "sp"
		case i.SAML != nil && i.SAML.Providers == 1:
			got = "idp"
		case i.Page != nil && len(i.Page.Protocols) == 1 && len(i.Page.Federation) > 0:
			got = "page"
		}
		if got != test.want {
			t.Errorf("%s: got %q %+v, want %s", name, got, a.Identity, test.want)
		}
		if strings.Contains(strings.ToLower(kept.String()), "jane") || strings.Contains(kept.String(), "<script") {
			t.Errorf("%s: a person or a script is kept: %s", name, kept.String())
		}
	}
}

func TestEachWayToFailCountsForNothing(t *testing.T) {
	const openIDPath = "/realm/.well-known/openid-configuration"
	deep := strings.Repeat("<x>", maxDepth+1) + strings.Repeat("</x>", maxDepth+1)
	wrap := func(inside string) string {
		return `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="a">` + inside + `</EntityDescriptor>`
	}
	for name, test := range map[string]struct {
		path, contentType, body, at, adapter string
		want                                 audit.Outcome
	}{
		"gone":                   {"/x", "text/html", "x", "/realm", "", audit.FAIL},
		"a login page":           {"/realm/.well-known/openid-configuration", "application/json", login, "/realm", "openid", audit.FAIL},
		"a page instead of JSON": {openIDPath, "text/html", "<html>hello", "/realm", "openid", audit.DNF},
		"no object":              {openIDPath, "application/json", `["issuer"]`, "/realm", "openid", audit.DNF},
		"no issuer":              {openIDPath, "application/json", `{"jwks_uri":"x"}`, "/realm", "openid", audit.DNF},
		"another issuer":         {openIDPath, "application/json", `{"issuer":"https://evil.example.com"}`, "/realm", "openid", audit.DNF},
		"huge":                   {openIDPath, "application/json", `{"issuer":"` + strings.Repeat("x", maxDiscovery) + `"}`, "/realm", "openid", audit.DNF},
		"a document type":        {"/m.xml", "text/xml", `<!DOCTYPE x [<!ENTITY a "b">]>` + wrap("&a;"), "/m.xml", "saml", audit.DNF},
		"an entity of nobody":    {"/m.xml", "text/xml", wrap("&a;"), "/m.xml", "saml", audit.DNF},
		"cut off":                {"/m.xml", "text/xml", strings.TrimSuffix(wrap("x"), ">"), "/m.xml", "saml", audit.DNF},
		"deep":                   {"/m.xml", "text/xml", wrap(deep), "/m.xml", "saml", audit.DNF},
		"another name space":     {"/m.xml", "text/xml", `<EntityDescriptor xmlns="urn:evil" entityID="a"/>`, "/m.xml", "saml", audit.DNF},
		"another XML":            {"/m.xml", "text/xml", `<rss/>`, "/m.xml", "saml", audit.DNF},
		"another character set":  {"/m.xml", "text/xml", `<?xml version="1.0" encoding="UTF-16"?>` + wrap(""), "/m.xml", "saml", audit.DNF},
		"nothing":                {"/m.xml", "text/xml", "", "/m.xml", "saml", audit.DNF},
		"JSON of something else": {"/doc", "application/json", `{"a":1}`, "/doc", "", audit.DNF},
	} {
		a, _ := look(t, test.path, test.contentType, test.body, test.at, test.adapter, nil)
		if a.Trouble == nil || a.Trouble.Outcome() != test.want || a.Identity != nil {
			t.Errorf("%s: got %+v %+v, want %s", name, a.Trouble, a.Identity, test.want)
		}
	}
	for name, w := range map[string]transparency.World{"offline": {}} {
		if a := Collect(context.Background(), transparency.Target{Kind: transparency.KindIdentity, URL: "https://x.example.org"}, w); a.Trouble.Outcome() != audit.MISS {
			t.Errorf("%s: %+v", name, a.Trouble)
		}
	}
	if a := Collect(context.Background(), transparency.Target{Kind: transparency.KindIdentity}, transparency.World{}); a.Trouble.Outcome() != audit.MISS {
		t.Errorf("not named: %+v", a.Trouble)
	}
}

func TestServiceProvidersOfOthersAreNotTheCloud(t *testing.T) {
	entity := func(location string) string {
		return `<EntityDescriptor entityID="e"><SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><AssertionConsumerService Location="` + location + `"/></SPSSODescriptor></EntityDescriptor>`
	}
	body := `<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" validUntil="2026-12-01T00:00:00Z">` +
		entity("https://sp.other.example.com/acs") + entity("https://login.example.org/acs") + entity("https://notexample.org/acs") + entity("/acs") + `</EntitiesDescriptor>`
	a, _ := look(t, "/m.xml", "text/xml", body, "/m.xml", "saml", nil)
	s := a.Identity.SAML
	if s.Others != 3 || len(s.Entities) != 1 || s.Entities[0].Consumers[0] != "login.example.org" || s.Entities[0].ValidUntil.Month() != time.December {
		t.Errorf("got %+v, want the one below the domain of the operator, until December", s)
	}
}

func TestADocumentThatBreaksTheSpecificationSaysHow(t *testing.T) {
	a, _ := look(t, "/realm/.well-known/openid-configuration", "application/json", `{"issuer":"%[1]s","authorization_endpoint":"auth","response_types_supported":[7]}`, "/realm", "openid", nil)
	if got := strings.Join(a.Identity.OpenID.Problems, "; "); strings.Count(got, "missing or wrong") != 5 {
		t.Errorf("got %q, want five problems", got)
	}
	if endpoint("http://a.example.org/x", "https://a.example.org") {
		t.Error("an endpoint without protection serves an issuer with it")
	}
}

func TestAnEndThatCannotBeReadIsOver(t *testing.T) {
	if at := earliest("", "soon", "2027-01-01T00:00:00Z"); at.Year() != 1970 {
		t.Errorf("got %s", at)
	}
	if at := earliest("2027-01-01T00:00:00Z", "2026-12-01T00:00:00Z"); at.Year() != 2026 {
		t.Errorf("got %s", at)
	}
}

func TestManyEntitiesAreRefused(t *testing.T) {
	body := `<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">` + strings.Repeat(`<EntityDescriptor entityID="e"/>`, maxEntities+1) + `</EntitiesDescriptor>`
	if _, err := readSAML([]byte(body)); err == nil || !strings.Contains(err.Error(), fmt.Sprint(maxEntities)) {
		t.Errorf("got %v", err)
	}
}
