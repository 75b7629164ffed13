package identity

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// discovery are the members that count: OpenID Connect Discovery 1.0, section 3, and RFC 8414, section 2.
type discovery struct {
	Issuer        string   `json:"issuer"`
	Authorization string   `json:"authorization_endpoint,omitempty"`
	Token         string   `json:"token_endpoint,omitempty"`
	Keys          string   `json:"jwks_uri,omitempty"`
	Responses     []string `json:"response_types_supported,omitempty"`
	Subjects      []string `json:"subject_types_supported,omitempty"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported,omitempty"`
	Grants        []string `json:"grant_types_supported,omitempty"`
}

// Bounds of one document.
const (
	maxWords = 100 // of a list
	maxWord  = 500 // bytes of one
	openIDAt = "/.well-known/openid-configuration"
	oauthAt  = "/.well-known/oauth-authorization-server"
)

// readDiscovery reads a document. Other members are left out, and what is no text in a list.
func readDiscovery(body []byte) (discovery, error) {
	var raw map[string]json.RawMessage
	decoder := json.NewDecoder(bytes.NewReader(body))
	if err := decoder.Decode(&raw); err != nil || raw == nil {
		return discovery{}, errors.New("it is no JSON object")
	}
	text := func(name string) string {
		var s string
		if json.Unmarshal(raw[name], &s) != nil || len(s) > maxWord {
			return ""
		}
		return plain(s)
	}
	list := func(name string) []string {
		var all []any
		if json.Unmarshal(raw[name], &all) != nil {
			return nil
		}
		var out []string
		for _, x := range all[:min(len(all), maxWords)] {
			if s, ok := x.(string); ok && s != "" && len(s) <= maxWord {
				out = append(out, plain(s))
			}
		}
		return out
	}
	d := discovery{
		Issuer: text("issuer"), Authorization: text("authorization_endpoint"), Token: text("token_endpoint"), Keys: text("jwks_uri"),
		Responses: list("response_types_supported"), Subjects: list("subject_types_supported"),
		Algorithms: list("id_token_signing_alg_values_supported"), Grants: list("grant_types_supported"),
	}
	if d.Issuer == "" {
		return discovery{}, errors.New("it names no issuer")
	}
	return d, nil
}

// reduceDiscovery keeps the members that count.
func reduceDiscovery(body []byte) ([]byte, error) {
	d, err := readDiscovery(body)
	if err != nil {
		return nil, err
	}
	return json.Marshal(d)
}

// plain drops what does not print from a text that people will see.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// issuer asks for the metadata of an issuer: of OpenID Connect and, if there are none, of OAuth 2.0.
func (l *looker) issuer(ctx context.Context) {
	named := strings.TrimSuffix(strings.TrimSuffix(l.artifact.URL, openIDAt), "/")
	body, ok := l.ask(ctx, audit.Request{URL: named + openIDAt, Accept: acceptJSON, Limit: maxDiscovery, Redact: reduceDiscovery})
	if ok {
		l.takeDiscovery(body, false)
		return
	}
	first := l.artifact.Trouble
	u, err := url.Parse(named)
	if err != nil || first.Kind != audit.TroubleNotFound {
		return
	}
	u.Path, u.RawQuery, u.Fragment = oauthAt+u.Path, "", "" // RFC 8414, 3.1: before the path of the issuer
	if body, ok = l.ask(ctx, audit.Request{URL: u.String(), Accept: acceptJSON, Limit: maxDiscovery, Redact: reduceDiscovery}); ok {
		l.takeDiscovery(body, true)
		return
	}
	l.artifact.Trouble = first
}

// takeDiscovery judges a document. One that names another issuer counts for nothing (Discovery, 4.3: they must be the same).
func (l *looker) takeDiscovery(body []byte, oauth bool) {
	d, err := readDiscovery(body)
	if err != nil {
		l.refuse("the document cannot be read: "+err.Error(), "name the issuer of an OpenID provider")
		return
	}
	named := strings.TrimSuffix(strings.TrimSuffix(l.artifact.URL, openIDAt), "/")
	if named != "" && strings.TrimSuffix(d.Issuer, "/") != named {
		l.refuse(fmt.Sprintf("the document names another issuer, %s", d.Issuer), "name the issuer as the document does")
		return
	}
	l.artifact.Identity = &transparency.Identity{OpenID: &transparency.OpenIDProvider{
		Issuer: d.Issuer, OAuth: oauth, Problems: d.problems(oauth), Grants: d.Grants,
	}}
}

// problems are what the specifications require and a document lacks.
func (d discovery) problems(oauth bool) []string {
	var out []string
	need := func(name string, ok bool) {
		if !ok {
			out = append(out, name+" is missing or wrong")
		}
	}
	code := slices.ContainsFunc(d.Responses, func(s string) bool { return s != "" })
	need("authorization_endpoint", endpoint(d.Authorization, d.Issuer))
	need("response_types_supported", code)
	if oauth {
		return out
	}
	need("jwks_uri", endpoint(d.Keys, d.Issuer))
	need("subject_types_supported", len(d.Subjects) > 0)
	need("id_token_signing_alg_values_supported", len(d.Algorithms) > 0)
	return out
}

// endpoint reports an address that is not less protected than the issuer.
func endpoint(s, issuer string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && strings.HasPrefix(issuer, "http://"))
}
