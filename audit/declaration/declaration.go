// Package declaration holds what an operator says about itself where nobody can look: statements with a date, a role and
// evidence, and what a reviewer says about them. Bytes go in, results come out; it reads no files and no clock.
//
// A declared fact is tentative: it never replaces a measured one, counts for a quarter at most, and settles a level only after
// a reviewer accepted it with a signature. It says which organisation and which role speaks, never which person.
package declaration

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gowebpki/jcs"

	"github.com/pegel-audit/pegel/audit"
)

// Schema names the form of a file of declarations.
const Schema = "pegel/declaration/v1"

// File is declarations.yaml: what one organisation says.
type File struct {
	Schema  string
	Who     string // the organisation
	Role    string // who speaks for it: a role, never a person
	Date    time.Time
	Entries []Entry // in the order of the file
}

// Entry is one statement.
type Entry struct {
	ID        string    // of the requirement, fact or test case that it is about, e.g. domain-manager-check
	Statement string    // in words
	Date      time.Time // when it was said; that of the file where the entry states none
	Expires   time.Time // from then on it does not count: at most the end of the next quarter
	Evidence  []Evidence
	Line      int // in the file
}

// Evidence is a file or a page that shows what was stated.
type Evidence struct {
	File   string       // relative to the file of declarations, with slashes; empty: a page
	URL    string       // address of a page; empty: a file
	Digest audit.Digest // of its bytes; of a page it may be empty: its contents may change
	Line   int
}

// Name is how people call a piece of evidence.
func (e Evidence) Name() string {
	if e.File != "" {
		return e.File
	}
	return e.URL
}

// Latest is the last moment until which something said on a day may count: the end of the quarter after it, as scs-0003 counts
// quarters and scs-0004 repeats manual checks.
func Latest(said time.Time) time.Time {
	end, _ := audit.Quarter.End(said)
	return end
}

// canonical is an entry as it is signed for, with who says it.
type canonical struct {
	Schema    string              `json:"schema"`
	Who       string              `json:"who"`
	Role      string              `json:"role"`
	ID        string              `json:"id"`
	Statement string              `json:"statement"`
	Date      string              `json:"date"`
	Expires   string              `json:"expires"`
	Evidence  []canonicalEvidence `json:"evidence"`
}

type canonicalEvidence struct {
	File   string       `json:"file,omitempty"`
	URL    string       `json:"url,omitempty"`
	Digest audit.Digest `json:"digest,omitempty"`
}

// Digest names an entry of the file with everything that it says: who, in which role, when, what, with which evidence, until
// when. A reviewer accepts this digest, so that nothing can be changed afterwards. It is taken over canonical JSON (RFC 8785).
func (f File) Digest(e Entry) (audit.Digest, error) {
	c := canonical{Schema: Schema, Who: f.Who, Role: f.Role, ID: e.ID, Statement: e.Statement, Date: e.Date.Format(time.DateOnly), Expires: e.Expires.Format(time.DateOnly)}
	for _, v := range e.Evidence {
		c.Evidence = append(c.Evidence, canonicalEvidence{File: v.File, URL: v.URL, Digest: v.Digest})
	}
	data, err := json.Marshal(c)
	if err == nil {
		data, err = jcs.Transform(data)
	}
	if err != nil {
		return "", fmt.Errorf("naming the declaration of %q: %w", e.ID, err)
	}
	return audit.DigestOf(data), nil
}
