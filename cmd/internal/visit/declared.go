package visit

import (
	"context"
	"net/url"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/declaration"
)

// mostEvidence bounds one file or page that shows what was declared: a scan of a contract.
const mostEvidence = 64 << 20

// DeclaredOptions say where the evidence of declarations is.
type DeclaredOptions struct {
	Dir  string    // of the file of declarations
	Ask  audit.Ask // of a Visitor, for pages; nil: nobody looks at them
	At   time.Time // the moment that is judged
	Keep audit.Keep
}

// Declared looks at the evidence of the declarations that count at the moment, each piece once. Of files only the digest is
// kept: they may hold personal data, and the operator hands them to the reviewer. Pages are public and kept as any other.
func Declared(ctx context.Context, f declaration.File, opt DeclaredOptions) []declaration.Look {
	var out []declaration.Look
	for _, e := range f.At(opt.At) {
		l := declaration.Look{File: e.File, URL: e.URL}
		switch {
		case e.File != "":
			l.Seen = declaredFile(ctx, e.File, opt)
		case opt.Ask == nil:
			continue
		default:
			l.URL = e.URL
			l.Seen = opt.Ask(ctx, audit.Request{URL: e.URL, Limit: mostEvidence}).Seen
		}
		out = append(out, l)
	}
	return out
}

func declaredFile(ctx context.Context, name string, opt DeclaredOptions) audit.Seen {
	keep := opt.Keep
	if keep != nil {
		keep = func(ctx context.Context, b audit.Blob) (audit.Digest, error) {
			b.Withheld = "evidence of a declaration, which the operator hands to the reviewer"
			return opt.Keep(ctx, b)
		}
	}
	ask, err := Handed(HandedOptions{Dir: opt.Dir, Name: name, At: opt.At, Keep: keep})
	if err != nil {
		return audit.Seen{Handed: name, At: opt.At.UTC().Truncate(time.Second), Trouble: &audit.Trouble{Kind: audit.TroubleNotHanded, Text: "there is no such file"}}
	}
	address := url.URL{Scheme: "file", Path: "/" + name}
	as := func(body []byte) ([]byte, error) { return body, nil } // the digest is that of the file as it is
	return ask(ctx, audit.Request{URL: address.String(), Limit: mostEvidence, Redact: as}).Seen
}

// PageDigest returns the digest of a page as it came, for a declaration that names it. It looks twice, by two visitors: a page
// that is another one each time, because it holds a time or a token, has no digest that could be compared later, and ok is false.
func PageDigest(ctx context.Context, first, second audit.Ask, address string) (digest audit.Digest, ok bool, trouble *audit.Trouble) {
	var was [2]audit.Digest
	for i, ask := range []audit.Ask{first, second} {
		seen := ask(ctx, audit.Request{URL: address, Limit: mostEvidence}).Seen
		if seen.Trouble != nil {
			return "", false, seen.Trouble
		}
		if was[i] = seen.Digest; seen.Original != "" {
			was[i] = seen.Original
		}
	}
	return was[0], was[0] == was[1], nil
}
