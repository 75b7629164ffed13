// Package conformance reads what shows level 1 and level 2 of the SCS ladder: results of conformance tests, certificates,
// and documents about the law. It parses bytes and asks only through the function that it is given; everything else is pure.
//
// Level 2 has two facts that are kept apart: the tests pass, and a certificate is held. Level 1 is never judged: SCS "is not
// in a position to judge this" (digisov); what an operator shows is shown, with issuer and dates.
package conformance

import (
	"context"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Schema names the form of Evidence.
const Schema = "pegel/conformance/v1"

// Kinds of sources.
const (
	KindStatus      = "status"      // /status of an SCS compliance monitor
	KindReport      = "report"      // signed SCS test report, judged by the scope YAML's own rules
	KindKubernetes  = "kubernetes"  // folder of a CNCF conformance run: PRODUCT.yaml, junit_01.xml
	KindTempest     = "tempest"     // results of tempest against the SCS list or an OpenInfra guideline
	KindCertificate = "certificate" // certificate status page, or the operator's word about it
	KindLabel       = "label"       // Gaia-X label credential
	KindDocument    = "document"    // C5, ISO 27001, data-processing agreement, seat and jurisdiction: shown, never judged
)

// Target is one source to look at, as the stack file names it.
type Target struct {
	Kind    string `json:"kind"`
	Layer   string `json:"layer,omitempty"` // iaas, kaas; empty for level 1
	URL     string `json:"url,omitempty"`
	File    string `json:"file,omitempty"`    // base name of a file or directory that was handed over
	Subject string `json:"subject,omitempty"` // name of the cloud there
	Region  string `json:"region,omitempty"`  // that it speaks of; empty: every region
	Scope   string `json:"scope,omitempty"`   // file with the scope YAML, for a report
	Signers string `json:"signers,omitempty"` // file of allowed signers, for a report
	// Config is a second file or address: of kubernetes the one with okToFail; of tempest the list of tests or the guideline, by
	// default the list of SCS; of label a DID document, a JWK or a certificate of the issuer, by default looked up by its DID.
	Config   string    `json:"config,omitempty"`
	Declared *Declared `json:"declared,omitempty"` // of document: what the operator says of it
	// What the operator says about a certificate; a document has more of its own.
	Version     string    `json:"version,omitempty"`     // of the scope
	Issuer      string    `json:"issuer,omitempty"`      // an organisation
	Issued      time.Time `json:"issued,omitzero"`       // day
	Revocations string    `json:"revocations,omitempty"` // address or file of the public list of revoked certificates
}

// World is what a collector may use.
type World struct {
	Ask audit.Ask // answers URLs; for a target with files (File, Scope, Signers, Config) also file:///NAME
	At  time.Time // the moment that is judged, UTC
}

// Evidence is the document that crosses the wall.
type Evidence struct {
	Schema     string    `json:"schema"`
	AssessedAt time.Time `json:"assessed_at"`
	Entries    []Entry   `json:"entries"` // in the order of the stack file
	// Declarations are what the operator declared about test cases that no program decides, by their ids in the scope.
	Declarations []Result `json:"declarations,omitempty"`
}

// Entry is what was seen of one target. Of the facts at most the one of its kind is set; none if there is a trouble.
type Entry struct {
	Target
	Handed  bool           `json:"handed,omitempty"`
	Seen    []audit.Seen   `json:"seen,omitempty"`
	Trouble *audit.Trouble `json:"trouble,omitempty"`
	Notes   []string       `json:"notes,omitempty"`

	Status      *Status        `json:"status,omitempty"`
	Report      *Report        `json:"report,omitempty"`
	Kubernetes  *KubernetesRun `json:"kubernetes,omitempty"`
	Tempest     *TempestRun    `json:"tempest,omitempty"`
	Certificate *Certificate   `json:"certificate,omitempty"`
	Label       *Label         `json:"label,omitempty"`
	Document    *Document      `json:"document,omitempty"`
}

// Answer is one of the facts of level 2. The zero value is MISS.
type Answer struct {
	Outcome    audit.Outcome
	Declared   bool // only the operator says so
	Handed     bool // rests on evidence that was handed over, not seen in public
	Reason     string
	Settle     []string
	Origins    []audit.Origin
	Observed   time.Time // when it was seen, UTC
	ValidUntil time.Time // by the rules of SCS; zero: not known
}

// Standing is what is known of level 2 in one layer.
type Standing struct {
	Layer       string
	Tests       Answer // the conformance tests pass, for the effective version of the scope
	Certificate Answer // a certificate is held: issued, not over its year, not revoked
}

// Collect looks at one source. It never fails: what went wrong is the trouble of the entry.
type Collect func(context.Context, Target, World) Entry
