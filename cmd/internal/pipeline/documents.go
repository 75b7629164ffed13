package pipeline

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/gowebpki/jcs"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// The documents that cross the wall and are no stage's own: everything right of it reads them from the bundle only.

const (
	stackEvidenceSchema = "pegel/stack-evidence/v1"
	projectsSchema      = "pegel/projects/v1"
)

// stackEvidence is what the stack file asked for and what of it this run did not look at.
type stackEvidence struct {
	Schema     string       `json:"schema"`
	AssessedAt time.Time    `json:"assessed_at"`
	Tool       string       `json:"tool"` // version of the program that gathered
	Subject    StackSubject `json:"subject"`
	Scopes     []string     `json:"scopes"`
	Assign     []Assign     `json:"assign,omitempty"`
	// Mitigations are the operator's word about risks of projects.
	Mitigations []StackMitigation `json:"mitigations,omitempty"`
	Offline     bool              `json:"offline"`
	// Unread lists keys of the stack file that this run did not act on.
	Unread []unread `json:"unread,omitempty"`
	// Licences says who was asked for licences that the artifacts do not name, and what came of it.
	Licences licenceSources `json:"licences,omitzero"`
	// StackBOM is the digest of the CycloneDX document of the stack.
	StackBOM audit.Digest `json:"stack_bom,omitempty"`
}

type unread struct {
	What   string `json:"what"`
	Reason string `json:"reason"`
	Settle string `json:"settle"`
}

// projectsDocument says which upstream projects the stack is made of, and at which versions.
type projectsDocument struct {
	Schema    string            `json:"schema"`
	Catalogue audit.Digest      `json:"catalogue"`
	Projects  []scoring.Project `json:"projects"`
	Products  []product         `json:"products"`
	Unmatched []string          `json:"unmatched"` // artifact ids that lead to no known project
	// Sources says where every package and artifact comes from, those too that no project of the catalogue stands for.
	Sources upstream.Survey `json:"sources"`
}

// product is a catalogue component at the version deployed in one artifact.
type product struct {
	Artifact string `json:"artifact"`
	Project  string `json:"project"`
	Name     string `json:"name"`
	Version  string `json:"version,omitempty"`
	Edition  string `json:"edition,omitempty"`
	// Measured says that the version was read from a package in the contents, not only from the name.
	Measured bool `json:"measured"`
	// Assigned says that only the operator's word leads from the artifact to the component.
	Assigned bool               `json:"assigned,omitempty"`
	Licence  audit.Fact[string] `json:"licence"` // SPDX expression by the catalogue at that version and edition
	Class    string             `json:"class"`   // verdict class (audit/licence) of that licence
	Checked  bool               `json:"checked"` // the catalogue's value was read from the licence file, not expected
	// Confidence of the match that led from the artifact to the component.
	Confidence string `json:"confidence"`
	// VendorBuild is true if the deployed edition is a vendor's build under another licence than the open source version.
	VendorBuild audit.Fact[bool] `json:"vendor_build"`
}

// canonical writes JSON by RFC 8785 with a final line feed, so that equal values are equal bytes.
func canonical(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}
	out, err := jcs.Transform(raw)
	if err != nil {
		return nil, fmt.Errorf("writing canonical JSON: %w", err)
	}
	return append(out, '\n'), nil
}
