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
	Artifact string       `json:"artifact,omitempty"` // id; empty: the stack
	Document audit.Digest `json:"document,omitempty"` // of the file, where it is in the bundle
	ByOthers bool         `json:"by_others,omitempty"`
	sbom.Quality
}

// measure checks one document.
func measure(r io.Reader) sbom.Quality {
	q := sbom.Quality{Profile: qualityProfile}
	doc, reports, err := quality.Check(r, quality.Options{Profiles: []string{qualityProfile}, Names: 1})
	if err != nil {
		q.Failure = err.Error()
		return q
	}
	report := reports[0]
	q.Fulfilled, q.Components, q.Complete, q.Strict = report.Fulfilled, doc.Components, report.Complete, report.StrictComplete
	for _, row := range report.Open() {
		q.Open = append(q.Open, sbom.OpenField{Rule: row.ID, Field: row.Field, Missing: row.Applies - row.Fulfilled, Of: row.Applies})
	}
	return q
}

func measureBytes(document []byte) sbom.Quality { return measure(bytes.NewReader(document)) }

// measureFile checks a document that others made.
func measureFile(artifact, path string) documentQuality {
	q := documentQuality{Artifact: artifact, ByOthers: true}
	file, err := os.Open(path)
	if err != nil {
		q.Quality = sbom.Quality{Profile: qualityProfile, Failure: "the document cannot be opened"}
		return q
	}
	defer file.Close()
	q.Quality = measure(file)
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
			q = documentQuality{Artifact: d.Artifact, Document: audit.DigestOf(d.Data), Quality: measureBytes(d.Data)}
		}
		out.Documents = append(out.Documents, q)
	}
	return out
}

// qualityFacts are the facts of a record about one SBOM, and their names.
type qualityFacts struct {
	prefix string // of the names: sbom or builder
	bsi    *bool
	share  *audit.Interval
	open   *string
}

// fill opens what the check of an SBOM gave for rules, or returns why nothing is known.
func (f qualityFacts) fill(q sbom.Quality) []policies.UnknownField {
	switch {
	case q.Failure != "":
		return f.unknown(true, "the SBOM could not be checked: "+q.Failure, []string{"give an SBOM that pegel sbom check can read"})
	case q.Components == 0:
		return f.unknown(true, "the SBOM lists no component", []string{"give its contents, or an SBOM of it"})
	}
	*f.bsi = q.Fulfilled
	*f.share = audit.Exactly(q.Complete * audit.Full / q.Components) // rounded down, so that only all is all
	*f.open = openText(q.Open)
	return nil
}

func (f qualityFacts) unknown(looked bool, reason string, settle []string) []policies.UnknownField {
	var out []policies.UnknownField
	for _, name := range []string{"BSI", "Share", "Open"} {
		out = append(out, policies.UnknownField{Field: f.prefix + name, Looked: looked, Reason: reason, Settle: settle})
	}
	return out
}

// documentFacts fills what the check of the document about an artifact gave, or about the stack if the id is empty.
func (d *dossier) documentFacts(id string, f qualityFacts) []policies.UnknownField {
	for _, q := range d.quality.Documents {
		if q.Artifact == id {
			return f.fill(q.Quality)
		}
	}
	return f.unknown(false, "no SBOM of it was checked", []string{"collect the evidence again with this version of Pegel"})
}

// builderQuality fills what the check of the builder's SBOM of an image gave; of several the best.
func (d *dossier) builderQuality(a sbom.Artifact, f qualityFacts) []policies.UnknownField {
	var best *sbom.Quality
	for _, s := range d.inventory.Attested {
		if s.Artifact == a.ID && s.Quality != nil && (best == nil || betterQuality(*s.Quality, *best)) {
			best = s.Quality
		}
	}
	if best == nil {
		return f.unknown(false, "no SBOM by its builder was checked", []string{"read the image from its registry, where builders attach them"})
	}
	return f.fill(*best)
}

func betterQuality(x, y sbom.Quality) bool {
	if x.Fulfilled != y.Fulfilled || (x.Failure == "") != (y.Failure == "") {
		return x.Fulfilled || !y.Fulfilled && x.Failure == ""
	}
	return x.Complete*max(1, y.Components) > y.Complete*max(1, x.Components)
}

// openText names the open rules for people, the most frequent first as the profile lists them, at most six.
func openText(open []sbom.OpenField) string {
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

// artifactQuality fills what is known of the SBOMs of an artifact. What is known of ours holds for what runs only as far as
// the contents do.
func (d *dossier) artifactQuality(a sbom.Artifact, sub *policies.Subject, r *policies.Artifact) {
	ours := qualityFacts{"sbom", &r.SBOMBSI, &r.SBOMShare, &r.SBOMOpen}
	if i := slices.IndexFunc(sub.Unknown, func(u policies.UnknownField) bool { return u.Field == "bom" }); i >= 0 {
		u := sub.Unknown[i]
		sub.Unknown = append(sub.Unknown, ours.unknown(u.Looked, u.Reason, u.Settle)...)
	} else {
		sub.Unknown = append(sub.Unknown, d.documentFacts(a.ID, ours)...)
	}
	sub.Unknown = append(sub.Unknown, d.builderQuality(a, qualityFacts{"builder", &r.BuilderBSI, &r.BuilderShare, &r.BuilderOpen})...)
}
