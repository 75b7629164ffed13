package transparency

import (
	"fmt"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// ID-01 asks whether users can come from another identity provider by an open protocol. What each document proves:
//
//   - SAML 2.0 metadata of a service provider at a host of the cloud: the cloud takes users that another provider signed in. The
//     metadata of Keycloak's identity brokering, of Shibboleth or mellon before Keystone are such. Whose that other provider
//     is it does not show, and the reason says so.
//   - A public page that says how to come from another provider, and names an open protocol: the operator says so. That alone is
//     its word, so the answer is tentative.
//   - OpenID Connect Discovery, or metadata of an identity provider: the other direction. Programs of others can rely on the
//     provider of the cloud; whether it takes users of others no outsider sees. The answer stays open.
//
// Nothing of this is a FAIL: no document says that users cannot come. Only metadata that has run out says that it counts no more.
func identityIndicators() []Indicator {
	return []Indicator{
		{ID: "ID-01", Kind: KindIdentity, Contents: true, Question: "Can users come from another identity provider by an open protocol?", Measure: identityFederation},
	}
}

const settleFederation = "name the SAML metadata of the service provider, or a public page that says how to sign in from another identity provider, under transparency: identity"

func identityFederation(q Question) Measurement {
	var page, expired *Measurement
	var reasons []string
	var origins []audit.Origin
	for _, a := range q.Artifacts {
		if a.Identity == nil {
			continue
		}
		origins = append(origins, a.Origins()...)
		switch i := a.Identity; {
		case i.SAML != nil:
			m, reason := samlFederation(a, q.Evidence.AssessedAt)
			switch {
			case m != nil && m.Outcome == audit.PASS:
				return *m
			case m != nil:
				expired = m
			default:
				reasons = append(reasons, reason)
			}
		case i.Page != nil && len(i.Page.Federation) > 0 && len(i.Page.Protocols) > 0:
			page = &Measurement{
				Outcome: audit.PASS, Declared: true, Origins: a.Origins(),
				Reason: "a public page of the operator speaks of " + i.Page.Federation[0] + " by " + strings.Join(i.Page.Protocols, ", ") + "; that it works only the operator says",
			}
		case i.Page != nil && len(i.Page.Federation) > 0:
			reasons = append(reasons, "the page speaks of "+i.Page.Federation[0]+", and names no open protocol")
		case i.Page != nil:
			reasons = append(reasons, "the page does not speak of users of another identity provider")
		case i.OpenID != nil:
			reasons = append(reasons, i.OpenID.Issuer+" shows what others can rely on; whether it takes users of another identity provider no outsider sees")
		}
	}
	switch {
	case page != nil:
		return *page
	case expired != nil:
		return *expired
	}
	return Measurement{Outcome: audit.DNF, Reason: orElse(strings.Join(reasons, "; "), "nothing that was read speaks of it"), Origins: origins, Settle: []string{settleFederation}}
}

// samlFederation judges the metadata of one address; nil if they leave it open, with why.
func samlFederation(a Artifact, at time.Time) (*Measurement, string) {
	s := a.Identity.SAML
	var expired *SAMLEntity
	reason := ""
	for _, e := range s.Entities {
		switch {
		case !e.Protocol:
			reason = e.ID + " takes users by another protocol than SAML 2.0"
		case !e.ValidUntil.IsZero() && at.After(e.ValidUntil):
			expired = &e
		default:
			return &Measurement{
				Outcome: audit.PASS, Origins: a.Origins(),
				Reason: fmt.Sprintf("%s takes users that another identity provider signed in, by SAML 2.0 at %s; whose that provider is it does not show", e.ID, strings.Join(e.Consumers, ", ")),
			}, ""
		}
	}
	if expired != nil {
		return &Measurement{
			Outcome: audit.FAIL, Origins: a.Origins(), Settle: []string{"publish metadata that count"},
			Reason: fmt.Sprintf("the metadata of %s counted until %s: no other provider may use them any more", expired.ID, expired.ValidUntil.Format(time.DateOnly)),
		}, ""
	}
	switch {
	case reason != "":
	case s.Others > 0:
		reason = "the metadata speak of service providers at other hosts than those of the cloud"
	case s.Providers > 0:
		reason = "the metadata are those of an identity provider: others can rely on it, and whether it takes users of others they do not show"
	default:
		reason = "the metadata name no service provider"
	}
	return nil, reason
}
