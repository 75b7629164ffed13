package transparency

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Identity is what one address shows of how users sign in. One of the fields is set.
type Identity struct {
	OpenID *OpenIDProvider `json:"openid,omitempty"`
	SAML   *SAMLMetadata   `json:"saml,omitempty"`
	Page   *FederationPage `json:"page,omitempty"`
}

// OpenIDProvider is what OpenID Connect Discovery 1.0 or RFC 8414 says of a provider. It shows what programs of others may rely
// on; whether users of others may come in it does not show.
type OpenIDProvider struct {
	Issuer   string   `json:"issuer"`
	OAuth    bool     `json:"oauth,omitempty"`    // metadata of an authorization server alone (RFC 8414): it signs nobody in
	Problems []string `json:"problems,omitempty"` // what the specification requires and the document lacks
	// Grants are the grant types that it names, e.g. urn:ietf:params:oauth:grant-type:token-exchange.
	Grants []string `json:"grants,omitempty"`
}

// SAMLMetadata is what SAML 2.0 metadata says.
type SAMLMetadata struct {
	Entities  []SAMLEntity `json:"entities,omitempty"` // those that speak of the cloud, bounded; see Others
	Others    int          `json:"others,omitempty"`   // entities of other hosts
	Providers int          `json:"providers"`          // entities that are identity providers
}

// SAMLEntity is one party that takes users of others: a service provider.
type SAMLEntity struct {
	ID         string    `json:"id"`
	Protocol   bool      `json:"protocol"`  // it speaks SAML 2.0
	Consumers  []string  `json:"consumers"` // hosts at which it takes assertions
	ValidUntil time.Time `json:"valid_until,omitzero"`
}

// FederationPage is a page for users that says how to come from another identity provider.
type FederationPage struct {
	Protocols  []string `json:"protocols,omitempty"`  // open ones that it names
	Federation []string `json:"federation,omitempty"` // words by which it speaks of users of another provider
}

func (i Identity) found() []string {
	switch {
	case i.OpenID != nil:
		line := "OpenID provider " + i.OpenID.Issuer
		if i.OpenID.OAuth {
			line = "OAuth 2.0 authorization server " + i.OpenID.Issuer + ", no OpenID provider"
		}
		return append([]string{line}, i.OpenID.Problems...)
	case i.SAML != nil:
		out := []string{}
		for _, e := range i.SAML.Entities {
			line := "SAML service provider " + e.ID + ", takes users at " + strings.Join(e.Consumers, ", ")
			if !e.ValidUntil.IsZero() {
				line += ", valid until " + e.ValidUntil.Format(time.DateOnly)
			}
			out = append(out, line)
		}
		if i.SAML.Providers > 0 {
			out = append(out, count(i.SAML.Providers, "SAML identity provider", "SAML identity providers"))
		}
		if i.SAML.Others > 0 {
			out = append(out, fmt.Sprintf("%d service providers of other hosts, not counted", i.SAML.Others))
		}
		return out
	case i.Page != nil:
		return []string{"speaks of " + orNothing(slices.Concat(i.Page.Federation, i.Page.Protocols))}
	}
	return nil
}
