package disclosure_test

import (
	"context"
	"path"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/audit/transparency/disclosure"
)

// handedOver answers from files by the last part of an address, as the real visitor does where evidence is handed over.
func handedOver(files map[string]string) audit.Ask {
	return func(_ context.Context, r audit.Request) audit.Answer {
		name := path.Base(r.URL)
		text, ok := files[name]
		if !ok {
			return audit.Answer{Seen: audit.Seen{URL: r.URL, At: now, Trouble: &audit.Trouble{Kind: audit.TroubleNotHanded, Text: "not among the files"}}}
		}
		body := []byte(text)
		if r.Redact != nil {
			body, _ = r.Redact(body)
		}
		return audit.Answer{Seen: audit.Seen{URL: r.URL, Handed: name, At: now, Digest: audit.DigestOf(body)}, Body: body}
	}
}

func TestEvidenceMayBeHandedOverAsAFile(t *testing.T) {
	w := transparency.World{At: now, CheckSBOM: checkWords, Ask: handedOver(map[string]string{
		"security.txt": "Contact: mailto:x@example.org\nExpires: 2027-01-01T00:00:00Z\nCanonical: https://example.org/.well-known/security.txt\n",
		"osv.json":     `[{"id":"EX-1","published":"2026-01-15T09:00:00Z"}]`, "bom.json": "BOM 2026-11-01 nova", "impressum.html": "<html><title>Impressum</title><p>Example GmbH</p></html>",
		"status.html": status[len("text/html\n"):],
	})}
	for file, collect := range map[string]transparency.Collect{
		"security.txt": disclosure.CollectSecurityTxt, "osv.json": disclosure.CollectAdvisories, "bom.json": disclosure.CollectSBOM,
		"impressum.html": disclosure.CollectImprint, "status.html": disclosure.CollectCertificatePage,
	} {
		a := collect(t.Context(), transparency.Target{File: file}, w)
		if a.Trouble != nil || !a.Handed || a.SecurityTxt == nil && a.Advisories == nil && a.SBOM == nil && a.Imprint == nil && a.CertificatePage == nil {
			t.Errorf("%s: got trouble %+v, handed %v; want facts that are marked", file, a.Trouble, a.Handed)
		}
		if a.SecurityTxt != nil && len(a.SecurityTxt.Problems) != 0 {
			t.Errorf("%s: got problems %q, want none: nobody served it", file, a.SecurityTxt.Problems)
		}
		if a.SecurityTxt != nil { // a directory is asked like a site
			if a := disclosure.CollectSecurityTxt(t.Context(), transparency.Target{File: "evidence"}, w); a.SecurityTxt == nil {
				t.Errorf("a directory: got %+v, want the file in it", a.Trouble)
			}
		}
		if a := collect(t.Context(), transparency.Target{File: "other-" + file}, w); a.Trouble == nil || a.Trouble.Kind != audit.TroubleNotHanded {
			t.Errorf("other-%s: got %+v, want not handed over", file, a.Trouble)
		}
	}
}
