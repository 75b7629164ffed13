// Package bundle keeps the evidence of one audit in a directory that is a valid OCI image layout. Bytes come in as
// audit.Blob and are found again by kind and digest; what they mean is the caller's business.
//
// The inputs of an audit are listed in evidence.json, canonical JSON by RFC 8785, and its SHA-256 is the identity of the
// bundle. It holds the moment the audit judges (assessed_at) and, for each blob, what moment it describes (observed_at),
// but never when somebody ran the program: two collections of the same inputs for the same assessed_at are the same
// bundle. What happened while collecting (times, attempts, failures) is a log, which like findings and reports is a
// manifest of its own whose subject is the inputs manifest; adding or replacing one leaves the identity alone.
//
//	oci-layout            {"imageLayoutVersion":"1.0.0"}
//	index.json            the inputs manifest, then one manifest for each result
//	blobs/sha256/<hex>    evidence.json, every blob that is not withheld, manifests, results
//	verify.txt            how to check the directory without Pegel
//
// A withheld blob is listed in evidence.json with digest, size and reason; its bytes are nowhere in the bundle.
//
// Nothing that is read is trusted: sizes, depth and counts are limited, duplicate and unknown keys are errors, symbolic
// links are refused, and no name from a bundle becomes a path. Bytes that do not match their digest give an error that
// errors.Is reports as ErrIntegrity and that names the blob.
package bundle

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Schema is the form of evidence.json.
const Schema = "pegel/evidence/v1"

// Limits of what is written and read.
const (
	MaxBlob     = 1 << 30   // bytes of one blob
	maxEvidence = 256 << 20 // bytes of evidence.json, about 600,000 entries
	maxManifest = 128 << 20 // bytes of one manifest
	maxIndex    = 8 << 20   // bytes of index.json
	maxDepth    = 16        // nesting of JSON; our own forms have at most five levels
	maxEntries  = 500_000   // blobs of one bundle
	maxResults  = 1_000     // results of one bundle
)

// InputKinds returns the kinds of blobs that an audit is decided from, sorted.
func InputKinds() []string {
	return []string{
		"conformance", "copyright", "declaration", "inventory", "packages", "policy", "previous", "project-evidence", "projects", "raw", "region",
		"sbom", "sbom-quality", "stack", "transparency", "waiver",
	}
}

// ResultKinds returns the kinds of results that can be attached to a bundle, sorted.
func ResultKinds() []string { return []string{"attestation", "findings", "log", "report", "sbom"} }

// ErrIntegrity says that bytes are missing, changed, or do not belong to the bundle.
var ErrIntegrity = errors.New("the bundle is damaged")

// ErrNoBundle says that a directory holds no finished bundle.
var ErrNoBundle = errors.New("no finished bundle")

// ErrNoResult says that a bundle has no result of that kind and name.
var ErrNoResult = errors.New("no such result")

// Evidence is evidence.json: all inputs of an audit.
type Evidence struct {
	Schema     string    `json:"schema"`
	AssessedAt time.Time `json:"assessed_at"` // the moment that is judged, UTC, whole seconds
	Blobs      []Entry   `json:"blobs"`       // sorted by kind, name, digest, and the rest
}

// Entry says what one blob is.
type Entry struct {
	Kind       string       `json:"kind"` // one of InputKinds, or of ResultKinds for a result
	Name       string       `json:"name"` // what a reader calls it; never used as a path
	Digest     audit.Digest `json:"digest"`
	Size       int64        `json:"size"` // bytes
	MediaType  string       `json:"media_type"`
	Source     string       `json:"source,omitempty"`     // address it came from
	ObservedAt time.Time    `json:"observed_at,omitzero"` // what moment it describes, UTC
	Commit     string       `json:"commit,omitempty"`
	Path       string       `json:"path,omitempty"`     // inside the repository, image or release
	Withheld   string       `json:"withheld,omitempty"` // why the bytes are not here; empty if they are
}

// compare orders entries by kind, name and digest, and then by everything else, so that there is only one order.
func compare(a, b Entry) int {
	if c := slices.Compare(a.words(), b.words()); c != 0 {
		return c
	}
	if c := a.ObservedAt.Compare(b.ObservedAt); c != 0 {
		return c
	}
	return int(min(1, max(-1, a.Size-b.Size)))
}

func (e Entry) words() []string {
	return []string{e.Kind, e.Name, string(e.Digest), e.Source, e.Commit, e.Path, e.MediaType, e.Withheld}
}

// Problem is one thing that is wrong with a bundle.
type Problem struct {
	Kind   string       // of the blob: an input or result kind, or layout, index, manifest, evidence, stray
	Name   string       // of the blob, if it has one
	Digest audit.Digest // that the bytes should have, if it is known
	File   string       // path inside the bundle
	Reason string
}

// String writes the problem on one line: kind, name, file, reason. The digest is part of the file.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.Kind)
	if p.Name != "" {
		fmt.Fprintf(&b, " %q", p.Name)
	}
	if p.File != "" {
		fmt.Fprintf(&b, " (%s)", p.File)
	}
	return b.String() + ": " + p.Reason
}

// IntegrityError is a Problem met while reading. errors.Is(err, ErrIntegrity) holds for it.
type IntegrityError struct{ Problem Problem }

// Error names the blob and what is wrong with it.
func (e *IntegrityError) Error() string { return e.Problem.String() }

// Is reports whether target is ErrIntegrity.
func (e *IntegrityError) Is(target error) bool { return target == ErrIntegrity }

func damaged(p Problem, format string, args ...any) error {
	p.Reason = fmt.Sprintf(format, args...)
	return &IntegrityError{Problem: p}
}
