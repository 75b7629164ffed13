// Package identity looks at how users sign in to a cloud: OpenID Connect Discovery 1.0, metadata of OAuth 2.0 (RFC 8414) and of
// SAML 2.0, and pages for users. In go addresses; out comes what these documents show, never whether a sign-in works: nobody signs
// in. Contacts, keys and everything else that the question does not need are dropped before anything is kept.
package identity

import (
	"bytes"
	"context"
	"net/url"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Words for Target.Adapter; empty: it is found out.
const (
	adapterOpenID = "openid"
	adapterSAML   = "saml"
	adapterPage   = "page"
)

// Adapters lists the names that a target may give as adapter.
func Adapters() []string { return []string{adapterOpenID, adapterSAML, adapterPage} }

// Bounds of one answer. Metadata of a federation of universities have some 50 MB; those of one cloud have a few entities.
const (
	maxDiscovery = 1 << 20
	maxDocument  = 8 << 20
)

const (
	acceptJSON = "application/json"
	acceptSAML = "application/samlmetadata+xml, application/xml, text/xml"
	acceptPage = "text/html, text/markdown, text/plain"
)

// Collect looks at one address: an issuer, SAML metadata, or a page for users.
func Collect(ctx context.Context, t transparency.Target, w transparency.World) transparency.Artifact {
	a := transparency.Artifact{Target: t}
	if t.URL == "" && t.File == "" {
		a.Trouble = &audit.Trouble{Kind: audit.TroubleNotNamed, Text: "nobody said where it is", Settle: "name an issuer, SAML metadata or a page under transparency: identity"}
		return a
	}
	if w.Ask == nil {
		a.Trouble = &audit.Trouble{Kind: audit.TroubleOffline, Text: "the run may not ask anybody", Settle: "run without --offline"}
		return a
	}
	l := looker{artifact: &a, world: w}
	switch {
	case t.File != "":
		l.handed(ctx)
	case t.Adapter == adapterOpenID:
		l.issuer(ctx)
	case t.Adapter == adapterSAML, t.Adapter == adapterPage:
		l.document(ctx)
	case looksLikeDocument(t.URL):
		l.document(ctx)
	default:
		l.issuer(ctx)
		if trouble := a.Trouble; trouble != nil && (trouble.Kind == audit.TroubleNotFound || trouble.Kind == audit.TroubleContent || trouble.Kind == audit.TroubleServer) {
			a.Trouble = nil
			l.document(ctx)
		}
	}
	return a
}

// looksLikeDocument tells by the path whether an address is that of metadata, so that nobody asks for an issuer first: Keycloak
// (broker/ALIAS/endpoint/descriptor, protocol/saml/descriptor), Shibboleth (Shibboleth.sso/Metadata), mellon, Keystone
// (v3/OS-FEDERATION/saml2/metadata).
func looksLikeDocument(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	last := strings.ToLower(u.Path[strings.LastIndexByte(u.Path, '/')+1:])
	return last == "descriptor" || last == "metadata" || strings.HasSuffix(last, ".xml") || strings.HasSuffix(last, ".html") || strings.HasSuffix(last, ".md")
}

// looker looks for one artifact.
type looker struct {
	artifact *transparency.Artifact
	world    transparency.World
}

// ask asks the world and notes the look. The trouble of the artifact is that of its last look.
func (l *looker) ask(ctx context.Context, r audit.Request) ([]byte, bool) {
	answer := l.world.Ask(ctx, r)
	l.artifact.Seen = append(l.artifact.Seen, answer.Seen)
	l.artifact.Trouble = answer.Trouble
	return answer.Body, answer.Trouble == nil
}

// refuse says that an answer counts for nothing, at the look that got it.
func (l *looker) refuse(why, settle string) {
	t := &audit.Trouble{Kind: audit.TroubleContent, Text: why, Settle: settle}
	l.artifact.Trouble = t
	l.artifact.Seen[len(l.artifact.Seen)-1].Trouble = t
}

// handed reads a file: what it is its first bytes say.
func (l *looker) handed(ctx context.Context) {
	address := l.artifact.URL
	if address == "" {
		address = "file:///identity"
	}
	body, ok := l.ask(ctx, audit.Request{URL: address, Limit: maxDocument, Redact: reduced(l.artifact.Adapter)})
	if ok {
		l.take(body, l.artifact.Adapter)
	}
}

// document reads metadata or a page.
func (l *looker) document(ctx context.Context) {
	accept := acceptSAML + ", " + acceptPage
	switch l.artifact.Adapter {
	case adapterSAML:
		accept = acceptSAML
	case adapterPage:
		accept = acceptPage
	}
	body, ok := l.ask(ctx, audit.Request{URL: l.artifact.URL, Accept: accept, Limit: maxDocument, Redact: reduced(l.artifact.Adapter)})
	if ok {
		l.take(body, l.artifact.Adapter)
	}
}

// take reads what an answer is by its first bytes.
func (l *looker) take(body []byte, adapter string) {
	switch {
	case adapter == adapterOpenID, adapter == "" && bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")):
		l.takeDiscovery(body, false)
	case adapter == adapterSAML, adapter == "" && isMetadata(body):
		l.takeSAML(body)
	default:
		p := pageOf(body)
		l.artifact.Identity = &transparency.Identity{Page: &p}
	}
}

// reduced keeps of an answer what its kind needs.
func reduced(adapter string) func([]byte) ([]byte, error) {
	return func(body []byte) ([]byte, error) {
		switch {
		case adapter == adapterOpenID, adapter == "" && bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")):
			return reduceDiscovery(body)
		case adapter == adapterSAML, adapter == "" && isMetadata(body):
			return reduceSAML(body)
		}
		return reducePage(body), nil
	}
}

// ours reports whether a host belongs to the cloud: that of the address which was named, or one below a domain of the operator.
func (l *looker) ours(host string) bool {
	host = strings.ToLower(host)
	if u, err := url.Parse(l.artifact.URL); err == nil && u.Host != "" && strings.EqualFold(u.Hostname(), host) {
		return true
	}
	for _, d := range l.world.Operator.Domains {
		d = strings.ToLower(strings.Trim(d, ". "))
		if d != "" && (host == d || strings.HasSuffix(host, "."+d)) {
			return true
		}
	}
	return false
}
