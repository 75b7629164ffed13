package pipeline

import (
	"context"
	"fmt"
	"net/url"
	"reflect"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/bundle"
	"github.com/pegel-audit/pegel/cmd/internal/visit"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/sbom"
)

// OutsideStack is the stack of somebody of whom only an address is known: a public cloud, looked at from outside.
func OutsideStack(home string) (Stack, error) {
	u, err := url.Parse(home)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return Stack{}, usagef("write it as https://cloud.example.org", "%q is no address of an operator", withoutSecrets(home))
	}
	name := strings.TrimPrefix(u.Hostname(), "www.")
	return Stack{
		Schema: StackSchema, Name: visit.Masked(home), Dir: ".", Bytes: []byte(home),
		Subject: StackSubject{Name: name, Kind: "cloud", Exposure: "public", Operator: StackOperator{Domains: []string{name}}},
		Scopes:  []string{"scs-sovereign-iaas"}, home: home,
	}, nil
}

// Transparency looks at the public artifacts of an operator alone, writes a bundle and says what was seen. What is deployed is
// not read, so that nothing is compared with it.
func Transparency(ctx context.Context, stack Stack, opt Options) (reports.OperatorView, error) {
	if stack.Subject.Kind == "release" {
		return reports.OperatorView{}, usagef("name the stack of a cloud, or the address of its operator", "reading stack %q: a release has no operator", stack.Name)
	}
	g, err := prepare(stack, opt)
	if err != nil {
		return reports.OperatorView{}, err
	}
	if err := g.gatherOperator(ctx); err != nil {
		return reports.OperatorView{}, err
	}
	return OperatorOf(opt.Bundle, AssessOptions{})
}

// gatherOperator writes a bundle that holds what was seen of the operator, and nothing of what is deployed.
func (g *gatherer) gatherOperator(ctx context.Context) error {
	w, err := bundle.Create(g.opt.Bundle, g.at)
	if err != nil {
		return &UsageError{Err: err, Hint: "name an empty directory, a new one, or an earlier bundle with --bundle"}
	}
	g.keep = w.Keep()
	defer g.close()
	visitor := g.visitor()
	g.seen = g.operator(ctx, visitor, sbom.Inventory{}, nil, nil)
	g.held = g.levels(ctx, visitor)
	g.stated = g.declarations(ctx, visitor)
	if err := ctx.Err(); err != nil {
		return err
	}
	stack := stackEvidence{
		Schema: stackEvidenceSchema, AssessedAt: g.at, Tool: g.opt.Version, Subject: g.stack.Subject, Scopes: g.stack.Scopes, Offline: g.opt.Offline,
	}
	var blobs []audit.Blob
	for _, d := range []struct {
		kind, name string
		value      any
	}{{"stack", "stack.json", stack}, {"transparency", "transparency.json", g.seen}, {"conformance", "conformance.json", g.held}, {"declaration", "declarations.json", g.stated}} {
		if reflect.ValueOf(d.value).Kind() == reflect.Pointer && reflect.ValueOf(d.value).IsNil() {
			continue
		}
		data, err := canonical(d.value)
		if err != nil {
			return err
		}
		blobs = append(blobs, audit.Blob{Kind: d.kind, Name: d.name, MediaType: "application/vnd.pegel." + d.kind + ".v1+json", Data: data})
	}
	for _, f := range g.policy.Files() {
		blobs = append(blobs, audit.Blob{Kind: "policy", Name: f.Name, MediaType: "application/yaml", Data: f.Data})
	}
	for _, b := range blobs {
		if _, err := w.Add(b); err != nil {
			return err
		}
	}
	_, err = w.Close()
	return err
}

// OperatorOf says what a bundle shows of an operator: no network, no clock, the same bundle and policy give the same bytes.
func OperatorOf(dir string, opt AssessOptions) (reports.OperatorView, error) {
	d, err := openDossier(dir, opt)
	if err != nil {
		return reports.OperatorView{}, err
	}
	if d.operator == nil {
		return reports.OperatorView{}, usagef("pegel transparency and pegel audit write such bundles", "reading bundle %q: nobody looked at an operator", dir)
	}
	results := d.operatorResults()
	d.operatorSubject(results) // finds declarations that what was seen contradicts
	part := d.operatorPart(results)
	part.NotSeen = d.operatorNotSeen()
	s := d.stack.Subject
	return reports.OperatorView{
		Schema: reports.OperatorSchema, AssessedAt: d.stack.AssessedAt, Tool: reports.Tool{Version: d.stack.Tool},
		Subject: reports.Subject{Name: s.Name, Kind: s.Kind, Exposure: s.Exposure, Group: s.Group, Operator: s.Operator.Name},
		Policy: reports.Policy{
			ID: d.policy.ID(), Version: d.policy.Version(), Digest: d.policy.Digest(), Status: d.policy.Status(),
			Profile: d.profiles.Main().ID + " " + d.profiles.Main().Version, Origin: d.chosen.origin, Signer: d.chosen.signer,
		},
		Evidence: reports.Evidence{Digest: d.identity, Blobs: d.blobs, Withheld: d.withheld}, Operator: *part,
	}, nil
}

// EvidenceBytes returns the bytes of a bundle that have a digest, which may be cut short to twelve digits or more.
func EvidenceBytes(dir, digest string) ([]byte, error) {
	b, err := bundle.Open(dir)
	if err != nil {
		return nil, bundleError("reading", dir, err)
	}
	hex := strings.TrimPrefix(digest, "sha256:")
	if len(hex) < 12 {
		return nil, usagef("reports name the digest of each look", "digest %q is too short: at least twelve digits are needed", digest)
	}
	found := map[audit.Digest]string{}
	for _, e := range b.Evidence().Blobs {
		if strings.HasPrefix(e.Digest.Hex(), hex) {
			found[e.Digest] = e.Withheld
		}
	}
	switch {
	case len(found) == 0:
		return nil, usagef("reports name the digest of each look; bytes as they came are not kept where they held personal data", "reading bundle %q: no evidence has the digest %q", dir, digest)
	case len(found) > 1:
		return nil, usagef("give more digits", "reading bundle %q: %d pieces of evidence begin with %q", dir, len(found), digest)
	}
	for d, withheld := range found {
		if withheld != "" {
			return nil, usagef("fetch it at its source and compare the digest", "reading bundle %q: %s is named by its digest only: %s", dir, d, withheld)
		}
		data, err := b.Read(d)
		if err != nil {
			return nil, fmt.Errorf("reading bundle %q: %w", dir, err)
		}
		return data, nil
	}
	return nil, nil
}

// OperatorPlan lists what Transparency would ask. It contacts nobody.
func OperatorPlan(stack Stack, opt Options) ([]audit.Contact, error) {
	g, err := prepare(stack, opt)
	if err != nil {
		return nil, err
	}
	contacts := []audit.Contact{{Host: "local", Address: stack.Name, Right: "read", Purpose: "stack file"}}
	if stack.home != "" {
		contacts = []audit.Contact{{Host: hostOf(stack.home), Address: visit.Masked(stack.home), Right: "anonymous read", Purpose: "the operator's site; what it links to is looked at too"}}
	}
	contacts = append(contacts, g.operatorContacts()...)
	return append(contacts, audit.Contact{Host: "local", Address: opt.Bundle, Right: "write", Purpose: "evidence bundle"}), nil
}
