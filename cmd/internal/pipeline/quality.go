package pipeline

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/quality"
)

// This file measures how well SBOMs state what BSI TR-03183-2 demands: the documents that Pegel writes and, of an artifact
// that only a document by others describes, that document. It is measured while gathering, because documents are large.

const (
	qualitySchema  = "pegel/sbom-quality/v1"
	qualityProfile = "bsi-tr-03183-2-v2.1"
)

// qualityDocument says how well the SBOMs of a run fulfil one profile.
type qualityDocument struct {
	Schema    string            `json:"schema"`
	Profile   string            `json:"profile"`
	Documents []documentQuality `json:"documents"`
}

// documentQuality is what the check of one SBOM gave.
type documentQuality struct {
	Artifact  string       `json:"artifact,omitempty"` // id; empty: the stack
	Document  audit.Digest `json:"document,omitempty"` // of the file, where it is in the bundle
	ByOthers  bool         `json:"by_others,omitempty"`
	Fulfilled bool         `json:"fulfilled"`
	// Complete is how many of Components state every required field.
	Components int        `json:"components"`
	Complete   int        `json:"complete"`
	Strict     int        `json:"strict"` // the same where logical components count as files
	Open       []openRule `json:"open,omitempty"`
	Failure    string     `json:"failure,omitempty"` // why it could not be checked
}

// openRule is a rule that a document does not fulfil.
type openRule struct {
	Rule    string `json:"rule"`
	Field   string `json:"field"`
	Missing int    `json:"missing"`
	Of      int    `json:"of"`
}

// measure checks one document.
func measure(artifact string, r io.Reader) documentQuality {
	q := documentQuality{Artifact: artifact}
	doc, reports, err := quality.Check(r, quality.Options{Profiles: []string{qualityProfile}, Names: 1})
	if err != nil {
		q.Failure = err.Error()
		return q
	}
	report := reports[0]
	q.Fulfilled, q.Components, q.Complete, q.Strict = report.Fulfilled, doc.Components, report.Complete, report.StrictComplete
	for _, row := range report.Open() {
		q.Open = append(q.Open, openRule{Rule: row.ID, Field: row.Field, Missing: row.Applies - row.Fulfilled, Of: row.Applies})
	}
	return q
}

// measureFile checks a document that others made.
func measureFile(artifact, path string) documentQuality {
	file, err := os.Open(path)
	if err != nil {
		return documentQuality{Artifact: artifact, ByOthers: true, Failure: "the document cannot be opened"}
	}
	defer file.Close()
	q := measure(artifact, file)
	q.ByOthers = true
	return q
}

// foreignChecks are the checks of documents by others, which artifacts are read from side by side.
type foreignChecks struct {
	mu sync.Mutex
	by map[string]documentQuality // by artifact id
}

func (f *foreignChecks) add(q documentQuality) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.by == nil {
		f.by = map[string]documentQuality{}
	}
	f.by[q.Artifact] = q
}

func (f *foreignChecks) get(artifact string) (documentQuality, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	q, ok := f.by[artifact]
	return q, ok
}

// quality checks the documents of the run. Of an artifact that a document by others describes, that document counts: ours
// would only repeat it.
func (g *gatherer) quality(docs []Document) qualityDocument {
	out := qualityDocument{Schema: qualitySchema, Profile: qualityProfile, Documents: []documentQuality{}}
	for _, d := range docs {
		q, foreign := g.foreign.get(d.Artifact)
		if !foreign {
			q = measure(d.Artifact, bytes.NewReader(d.Data))
			q.Document = audit.DigestOf(d.Data)
		}
		out.Documents = append(out.Documents, q)
	}
	return out
}

// sbomQuality fills what the check of an SBOM gave, or says why nothing is known.
func (d *dossier) sbomQuality(id string, bsi *bool, share *audit.Interval, open *string) []policies.UnknownField {
	i := slices.IndexFunc(d.quality.Documents, func(q documentQuality) bool { return q.Artifact == id })
	if i < 0 {
		return qualityUnknown(false, "no SBOM of it was checked", []string{"collect the evidence again with this version of Pegel"})
	}
	q := d.quality.Documents[i]
	switch {
	case q.Failure != "":
		return qualityUnknown(true, "its SBOM could not be checked: "+q.Failure, []string{"give an SBOM that pegel sbom check can read"})
	case q.Components == 0:
		return qualityUnknown(true, "its SBOM lists no component", []string{"give its contents, or an SBOM of it"})
	}
	*bsi = q.Fulfilled
	*share = audit.Exactly(q.Complete * audit.Full / q.Components) // rounded down, so that only all is all
	*open = openText(q.Open)
	return nil
}

func qualityUnknown(looked bool, reason string, settle []string) []policies.UnknownField {
	var out []policies.UnknownField
	for _, field := range []string{"sbomBSI", "sbomShare", "sbomOpen"} {
		out = append(out, policies.UnknownField{Field: field, Looked: looked, Reason: reason, Settle: settle})
	}
	return out
}

// openText names the open rules for people, the most frequent first as the profile lists them, at most six.
func openText(open []openRule) string {
	if len(open) == 0 {
		return "nothing"
	}
	var parts []string
	for i, o := range open {
		if i == 6 {
			parts = append(parts, fmt.Sprintf("and %d more fields", len(open)-i))
			break
		}
		parts = append(parts, fmt.Sprintf("%s (%d of %d)", strings.ToLower(o.Field[:1])+o.Field[1:], o.Missing, o.Of))
	}
	return strings.Join(parts, ", ")
}

// artifactQuality fills what is known of the SBOM of an artifact. It holds for what runs only as far as the contents do.
func (d *dossier) artifactQuality(a sbom.Artifact, sub *policies.Subject, r *policies.Artifact) {
	if i := slices.IndexFunc(sub.Unknown, func(u policies.UnknownField) bool { return u.Field == "bom" }); i >= 0 {
		u := sub.Unknown[i]
		sub.Unknown = append(sub.Unknown, qualityUnknown(u.Looked, u.Reason, u.Settle)...)
		return
	}
	sub.Unknown = append(sub.Unknown, d.sbomQuality(a.ID, &r.SBOMBSI, &r.SBOMShare, &r.SBOMOpen)...)
}
