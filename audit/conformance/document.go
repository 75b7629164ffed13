package conformance

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Document is a document about the law that an operator shows: an attestation, a certificate, an agreement, or a bare statement
// about seat and jurisdiction. Everything in it is the operator's word; it is shown with issuer and dates and never judged.
type Document struct {
	Declared
	// Read says that the document itself was seen at the address or among the files handed over; its bytes are not kept.
	Read   bool         `json:"read,omitempty"`
	Digest audit.Digest `json:"digest,omitempty"` // of the document as it was seen
	// Trouble says why a document that has an address or a file could not be seen.
	Trouble *audit.Trouble `json:"trouble,omitempty"`
}

// Declared is what an operator says of a document. It holds no name of a person: issuers are organisations.
type Declared struct {
	Title      string    `json:"title"`
	Sort       string    `json:"sort"`                // one of the words below
	Issuer     string    `json:"issuer,omitempty"`    // organisation that issued it
	Statement  string    `json:"statement,omitempty"` // what it says in one line, e.g. "seat in Cologne, Germany"
	Issued     time.Time `json:"issued,omitzero"`
	ValidUntil time.Time `json:"valid_until,omitzero"`
	// Digest is that of the document, as the operator gives it; a document that differs is another one.
	Digest audit.Digest `json:"declared_digest,omitempty"`
}

// Sorts of documents.
const (
	SortC5           = "c5"           // attestation by the BSI catalogue C5
	SortISO27001     = "iso27001"     // certificate of a management system for information security
	SortProcessing   = "dpa"          // agreement on the processing of data for others (GDPR, article 28)
	SortSeat         = "seat"         // where the operator has its seat
	SortJurisdiction = "jurisdiction" // whose law applies to operator and data
	SortOther        = "other"
)

// Sorts lists all sorts in the order of every report.
func Sorts() []string {
	return []string{SortC5, SortISO27001, SortProcessing, SortSeat, SortJurisdiction, SortOther}
}

// collectDocument takes what the stack file says of a document and looks whether the document is there.
func collectDocument(ctx context.Context, t Target, w World) Entry {
	e := Entry{Target: t}
	a := asking{ctx, w, &e}
	if t.Declared == nil || oneLine(t.Declared.Title) == "" {
		e.Trouble = &audit.Trouble{Kind: audit.TroubleNotNamed, Text: "nobody said which document this is",
			Settle: "give title, sort, issuer and dates of the document in the stack file"}
		return e
	}
	d := Document{Declared: t.Declared.oneLine()}
	if !slices.Contains(Sorts(), d.Sort) {
		e.Notes = append(e.Notes, fmt.Sprintf("the sort %q is not known; it is shown as %q", d.Sort, SortOther))
		d.Sort = SortOther
	}
	e.Document = &d
	at := t.place()
	if at == "" {
		return e
	}
	answer, ok := a.look(audit.Request{URL: at, Limit: mostDocument, Redact: withheld})
	if !ok {
		d.Trouble = answer.Trouble
		return e
	}
	d.Read, d.Digest = true, answer.Original
	if d.Digest == "" {
		d.Digest = answer.Digest
	}
	if want := d.Declared.Digest; want != "" && d.Digest != "" && want != d.Digest {
		d.Read = false
		d.Trouble = &audit.Trouble{Kind: audit.TroubleContent, Text: "the document is not the one that was declared: its digest differs",
			Settle: "declare the digest of the document that is shown now"}
	}
	return e
}

func (d Declared) oneLine() Declared {
	d.Title, d.Sort, d.Issuer, d.Statement = oneLine(d.Title), oneLine(d.Sort), oneLine(d.Issuer), oneLine(d.Statement)
	d.Issued, d.ValidUntil = d.Issued.UTC(), d.ValidUntil.UTC()
	return d
}

// Valid says in words whether the document counts at a moment, by the dates that were declared.
func (d Declared) Valid(at time.Time) string {
	switch {
	case !d.Issued.IsZero() && d.Issued.After(at.Add(clockSkew)):
		return "issued on " + d.Issued.Format(time.DateOnly) + ", which is in the future"
	case d.ValidUntil.IsZero():
		return "no end of validity is stated"
	case at.After(d.ValidUntil):
		return "expired on " + d.ValidUntil.Format(time.DateOnly)
	}
	return "valid until " + d.ValidUntil.Format(time.DateOnly)
}

// withheld keeps nothing of a document: attestations and agreements name auditors, managers and customers, and often may not be
// passed on. Its digest is kept by who asked.
func withheld(body []byte) ([]byte, error) {
	return fmt.Appendf(nil, "A document of %d bytes was seen here. It is not kept.\n", len(body)), nil
}
