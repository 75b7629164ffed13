package reports

import (
	"fmt"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// OperatorSchema names the JSON form of OperatorView; its JSON Schema is in reports/schema.
const OperatorSchema = "pegel/operator/v1"

// OperatorView is what could be seen of an operator: the result of pegel transparency.
type OperatorView struct {
	Schema     string    `json:"schema"`
	Subject    Subject   `json:"subject"`
	AssessedAt time.Time `json:"assessed_at"`
	Policy     Policy    `json:"policy"`
	Tool       Tool      `json:"tool"`
	Evidence   Evidence  `json:"evidence"`
	Operator   Operator  `json:"operator"`
}

// Operator is what was seen of whoever runs the cloud, and what an outsider cannot see.
type Operator struct {
	Artifacts    []OperatorArtifact `json:"artifacts"`              // in the order of their kinds
	Answers      []OperatorAnswer   `json:"answers"`                // one for each indicator
	Standings    []Standing         `json:"standings,omitempty"`    // level 2, by layer
	Documents    []LegalDocument    `json:"documents,omitempty"`    // level 1: shown, never judged
	Declarations []Declaration      `json:"declarations,omitempty"` // what only the operator says
	Searched     []Look             `json:"searched,omitempty"`     // looks that led to artifacts of which nobody named the address
	NotSeen      []Unseen           `json:"not_seen,omitempty"`     // what an outsider could not see
}

// OperatorArtifact is one row of the table of artifacts.
type OperatorArtifact struct {
	Kind     string        `json:"kind"`
	Title    string        `json:"title"` // the kind in words
	Region   string        `json:"region,omitempty"`
	Outcome  audit.Outcome `json:"outcome"` // PASS: it was read; FAIL: an outsider cannot see it; MISS: nobody looked; DNF: nobody could tell
	URL      string        `json:"url,omitempty"`
	Handed   string        `json:"handed,omitempty"`  // name of a file that was handed over instead
	Adapter  string        `json:"adapter,omitempty"` // what answered there
	Observed time.Time     `json:"observed,omitzero"`
	Newest   time.Time     `json:"newest,omitzero"` // of what it shows
	Facts    []string      `json:"facts,omitempty"` // what was found, in words
	Trouble  string        `json:"trouble,omitempty"`
	Settle   string        `json:"settle,omitempty"`
	Notes    []string      `json:"notes,omitempty"`
	Looks    []Look        `json:"looks,omitempty"` // every look, with the bytes that it gave
}

// Look is one look at an address. Its bytes are in the bundle under Digest.
type Look struct {
	URL      string       `json:"url,omitempty"`
	Final    string       `json:"final,omitempty"`
	Handed   string       `json:"handed,omitempty"`
	Status   int          `json:"status,omitempty"`
	Content  string       `json:"content_type,omitempty"`
	At       time.Time    `json:"at,omitzero"`
	Digest   audit.Digest `json:"digest,omitempty"`
	Original audit.Digest `json:"original,omitempty"` // of the bytes as they came, where personal data was dropped
	Size     int64        `json:"size,omitempty"`
	Trouble  string       `json:"trouble,omitempty"`
}

// OperatorAnswer is the answer to one indicator about an operator.
type OperatorAnswer struct {
	ID       string         `json:"id"`
	Kind     string         `json:"kind"` // of the artifacts it reads
	Title    string         `json:"title"`
	Outcome  audit.Outcome  `json:"outcome"`
	Value    *int64         `json:"value,omitempty"`
	Unit     string         `json:"unit,omitempty"`
	Reason   string         `json:"reason"`
	Settle   []string       `json:"settle,omitempty"`
	Declared bool           `json:"declared,omitempty"` // only the operator says so: tentative
	Handed   bool           `json:"handed,omitempty"`   // rests on evidence that was handed over
	Origins  []audit.Origin `json:"origins,omitempty"`
	Source   string         `json:"source,omitempty"`   // where its numbers come from
	Severity string         `json:"severity,omitempty"` // must or should, as the requirement that reads it; absent: information
}

// Standing is what is known of level 2 in one layer. Passing the tests and holding a certificate are kept apart.
type Standing struct {
	Layer       string         `json:"layer"`
	Words       string         `json:"words"` // e.g. "technically met, not certified"
	Tests       StandingAnswer `json:"tests"`
	Certificate StandingAnswer `json:"certificate"`
}

// StandingAnswer is one of the two facts.
type StandingAnswer struct {
	Outcome    audit.Outcome  `json:"outcome"`
	Declared   bool           `json:"declared,omitempty"`
	Reason     string         `json:"reason"`
	Settle     []string       `json:"settle,omitempty"`
	ValidUntil time.Time      `json:"valid_until,omitzero"`
	Origins    []audit.Origin `json:"origins,omitempty"`
}

// LegalDocument is one document about level 1, as its holder shows it.
type LegalDocument struct {
	Title      string         `json:"title"`
	Kind       string         `json:"kind"`
	Issuer     string         `json:"issuer,omitempty"`
	Issued     time.Time      `json:"issued,omitzero"`
	ValidUntil time.Time      `json:"valid_until,omitzero"`
	State      string         `json:"state"` // of signature and dates, in words
	Link       string         `json:"link,omitempty"`
	Origins    []audit.Origin `json:"origins,omitempty"`
}

// Declaration is a statement of the operator.
type Declaration struct {
	ID        string         `json:"id"`
	Who       string         `json:"who"`
	Role      string         `json:"role,omitempty"`
	Date      time.Time      `json:"date,omitzero"`
	Expires   time.Time      `json:"expires,omitzero"`
	Statement string         `json:"statement"`
	Outcome   audit.Outcome  `json:"outcome"`
	Accepted  string         `json:"accepted,omitempty"` // by whom; empty: tentative
	Reason    string         `json:"reason"`
	Origins   []audit.Origin `json:"origins,omitempty"`
	Digest    audit.Digest   `json:"digest,omitempty"` // what a reviewer accepts
	Notes     []string       `json:"notes,omitempty"`  // why acceptances that are there do not count
}

// OperatorFormats lists the formats of pegel transparency, the default first.
func OperatorFormats() []string { return []string{"text", "json", "markdown", "html"} }

// RenderOperator shows what was seen of an operator.
func RenderOperator(format string, v OperatorView, opt Options) ([]byte, error) {
	switch format {
	case "text":
		return []byte(operatorText(v, opt)), nil
	case "json":
		return canonical(v)
	case "markdown":
		return []byte(operatorMarkdown(v)), nil
	case "html":
		return operatorHTML(v)
	}
	return nil, fmt.Errorf("unknown format %q of what was seen of an operator; there are %v", format, OperatorFormats())
}
