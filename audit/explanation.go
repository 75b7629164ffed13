package audit

import (
	"fmt"
	"strings"
	"time"
)

// Truths of an expression that gives yes or no.
const (
	True    = "true"
	False   = "false"
	Unknown = "unknown" // a fact that matters is not known
	Broken  = "error"   // the rule itself could not be applied
)

// Explanation is one expression of a rule with the value that it had, and the expressions it is made of. Literals are left out.
type Explanation struct {
	Text  string        `json:"text"`            // as a rule would write it
	Value string        `json:"value"`           // "true", "false", "not known", "error: ...", or the value of a fact
	Truth string        `json:"truth,omitempty"` // of an expression that gives yes or no: true, false, unknown, error
	Fact  string        `json:"fact,omitempty"`  // path of the fact that the expression reads, if it is one: "product.licence"
	Parts []Explanation `json:"parts,omitempty"`
}

// String writes the tree, one expression a line, two spaces deeper for each level.
func (x Explanation) String() string {
	var b strings.Builder
	x.write(&b, 0)
	return b.String()
}

func (x Explanation) write(b *strings.Builder, depth int) {
	fmt.Fprintf(b, "%s%s = %s\n", strings.Repeat("  ", depth), x.Text, x.Value)
	for _, p := range x.Parts {
		p.write(b, depth+1)
	}
}

// Tree is how the rules of a requirement came to an answer: first the rule that says whether the requirement applies, if there
// is one, then the rule itself if it was asked. The last one decided.
type Tree []Explanation

// Outcome is what the rules alone say: PASS, FAIL, NA, or DNF where something is not known. Whether somebody looked is not
// seen in a tree, so that DNF stands for MISS too.
func (t Tree) Outcome(applies bool) Outcome {
	if len(t) == 0 {
		return MISS
	}
	switch last := t[len(t)-1].Truth; {
	case last == True && !(applies && len(t) == 1):
		return PASS
	case last == False && applies && len(t) == 1:
		return NA
	case last == False:
		return FAIL
	}
	return DNF
}

// Ground is one fact behind a finding: its value, and the evidence behind it.
type Ground struct {
	Fact       string    `json:"fact"`             // path, as rules write it: "product.licence"
	Known      bool      `json:"known,omitempty"`  // Value is what is known; else Reason says why it is not
	Looked     bool      `json:"looked,omitempty"` // of a fact that is not known: somebody looked and could not tell
	Value      string    `json:"value,omitempty"`  // "true", "false", a number, a text, "31..91 of 100"
	Says       string    `json:"says,omitempty"`   // the fact in words: what was seen, with the numbers
	Reason     string    `json:"reason,omitempty"`
	Declared   bool      `json:"declared,omitempty"`   // only the operator says so
	ObservedAt time.Time `json:"observed_at,omitzero"` // when it was taken
	Until      time.Time `json:"valid_until,omitzero"` // when it stops to count
	Settle     []string  `json:"settle,omitempty"`     // what would settle it, cheapest first
	Origins    []int     `json:"origins,omitempty"`    // which of the finding's origins it was read from, counted from 0
	Places     []Place   `json:"places,omitempty"`     // where in the bundle the bytes lie that show it
}

// Place is where bytes lie in a bundle: a blob, and in it a range or a JSON pointer.
type Place struct {
	Digest   Digest `json:"digest"`             // of the blob
	Kind     string `json:"kind,omitempty"`     // of the blob: inventory, project-evidence, raw, ...
	Name     string `json:"name,omitempty"`     // what the bundle calls it
	Pointer  string `json:"pointer,omitempty"`  // into a document of Pegel, by RFC 6901
	From     int64  `json:"from,omitempty"`     // first byte, counted from 0
	To       int64  `json:"to,omitempty"`       // first byte after the range; 0 with a pointer, or where the bytes are not here
	Withheld string `json:"withheld,omitempty"` // why the bytes are not here
}
