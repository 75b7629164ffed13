package conformance

import (
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// ShownDocument is one row about level 1: something that an operator shows. No row has an outcome, because nobody here judges.
type ShownDocument struct {
	Title      string
	Kind       string // KindLabel, or the sort of a document: c5, iso27001, ...
	Issuer     string
	Statement  string // of a label: level and criteria; of a document: what it says
	Issued     time.Time
	ValidFrom  time.Time
	ValidUntil time.Time
	Validity   string // in words, at the moment that is judged
	Expired    bool
	Signature  string // state of a signature; empty for documents, which have none that is looked at
	Reason     string // a sentence about the signature, or why the document could not be seen
	Declared   bool   // only the operator says so
	Link       string // address of the document, empty for what was handed over
	Origin     audit.Origin
	Seen       bool // the label or document itself was seen
}

// Shown returns what the operator shows for level 1, in the order of the stack file. Labels and documents that nobody could see
// are in it too, with the reason.
func Shown(e Evidence, at time.Time) []ShownDocument {
	var rows []ShownDocument
	for _, entry := range e.Entries {
		switch entry.Kind {
		case KindLabel:
			rows = append(rows, shownLabel(entry, at))
		case KindDocument:
			rows = append(rows, shownDocument(entry, at))
		}
	}
	return rows
}

func shownLabel(e Entry, at time.Time) ShownDocument {
	row := ShownDocument{Title: "Gaia-X credential", Kind: KindLabel, Link: link(e.URL), Origin: e.origin()}
	l := e.Label
	if l == nil {
		row.Reason = e.trouble()
		return row
	}
	if l.isLabel() {
		row.Title = "Gaia-X label"
	}
	row.Seen = true
	row.Issuer, row.Issued, row.ValidFrom, row.ValidUntil = l.Issuer, l.Issued, l.ValidFrom, l.ValidUntil
	row.Validity, row.Expired = l.Valid(at), !l.ValidUntil.IsZero() && at.After(l.ValidUntil)
	row.Signature, row.Reason = l.Signature.State, l.Signature.Reason
	if l.Level != "" {
		row.Statement = "level " + l.Level
	}
	if l.Rules != "" {
		row.Statement = join(row.Statement, "by the criteria "+l.Rules)
	}
	if len(l.Offerings) > 0 {
		row.Statement = join(row.Statement, "for "+named(l.Offerings, len(l.Offerings)))
	} else if l.Subject != "" {
		row.Statement = join(row.Statement, "for "+l.Subject)
	}
	return row
}

func shownDocument(e Entry, at time.Time) ShownDocument {
	row := ShownDocument{Kind: SortOther, Declared: true, Link: link(e.URL), Origin: e.origin()}
	d := e.Document
	if d == nil {
		row.Title, row.Reason = "document", e.trouble()
		return row
	}
	row.Title, row.Kind, row.Issuer, row.Statement = d.Title, d.Sort, d.Issuer, d.Statement
	row.Issued, row.ValidUntil, row.Seen = d.Issued, d.ValidUntil, d.Read
	row.Validity, row.Expired = d.Valid(at), !d.ValidUntil.IsZero() && at.After(d.ValidUntil)
	if d.Trouble != nil {
		row.Reason = d.Trouble.Text
	}
	return row
}

// origin is where the thing itself was read: the first look.
func (e Entry) origin() audit.Origin {
	if len(e.Seen) == 0 {
		return audit.Origin{}
	}
	return e.Seen[0].Origin(e.Kind)
}

func (e Entry) trouble() string {
	if e.Trouble == nil {
		return "nobody looked"
	}
	return e.Trouble.Text
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + ", " + b
}
