package copyright

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// RecordSchema names the form of a record.
const RecordSchema = "pegel/copyright/v1"

// RecordKind is the kind of blob that holds one record in a bundle.
const RecordKind = "copyright"

// Record is one answer: what a place says about the licence of a package. It holds no names of people and no texts, only
// what bears on licences, and the digest of the original.
type Record struct {
	Schema  string              `json:"schema"`
	Place   string              `json:"place"`            // who answered, as Place.String writes it
	Subject string              `json:"subject"`          // what was asked about, e.g. "deb-source bash 5.2.15-2"
	Claims  []sbom.LicenceClaim `json:"claims,omitempty"` // one without an origin has that of the record
	Absent  string              `json:"absent,omitempty"` // why the place has no answer; empty if it has
	Origin  audit.Origin        `json:"origin"`
}

// Limits of one record. A copyright file gives at most 500 claims (sbom.CopyrightClaims).
const (
	maxRecord  = 16 << 20
	maxClaims  = 1_000
	maxValue   = 4 << 10 // bytes of a licence expression
	maxPattern = 200     // bytes of file patterns, as sbom.LicenceClaim says
)

// provenances are those that a record may give.
var provenances = []string{sbom.FromMirror, sbom.FromService, sbom.FromMetadata, sbom.FromText}

// ParseRecord reads a record strictly: unknown keys, unknown provenances, anything after the value, and more than the
// limits allow are errors.
func ParseRecord(data []byte) (Record, error) {
	var r Record
	if len(data) > maxRecord {
		return r, fmt.Errorf("reading record of a licence: it has %d bytes, more than %d", len(data), maxRecord)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return Record{}, fmt.Errorf("reading record of a licence: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return Record{}, errors.New("reading record of a licence: something follows the document")
	}
	if err := r.check(); err != nil {
		return Record{}, fmt.Errorf("reading record of a licence: %w", err)
	}
	return r, nil
}

func (r Record) check() error {
	switch {
	case r.Schema != RecordSchema:
		return fmt.Errorf("schema is %q, want %q", r.Schema, RecordSchema)
	case r.Place == "" || r.Subject == "":
		return errors.New("place or subject is missing")
	case (len(r.Claims) == 0) == (r.Absent == ""):
		return errors.New("want claims or the reason why there are none")
	case len(r.Claims) > maxClaims:
		return fmt.Errorf("%d claims, more than %d", len(r.Claims), maxClaims)
	}
	for i, l := range r.Claims {
		if !slices.Contains(provenances, l.Provenance) {
			return fmt.Errorf("claim %d: provenance is %q, want one of %s", i+1, l.Provenance, strings.Join(provenances, ", "))
		}
		if l.Value == "" || len(l.Value) > maxValue || len(l.Files) > maxPattern {
			return fmt.Errorf("claim %d: value or files are empty or too long", i+1)
		}
	}
	return nil
}

// encode writes a record; equal records are equal bytes.
func (r Record) encode() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return nil // strings, numbers and times always encode
	}
	return b.Bytes()
}

func (r Record) blob() audit.Blob {
	return audit.Blob{
		Kind: RecordKind, Name: r.Place + ": " + r.Subject, MediaType: "application/vnd.pegel.copyright.v1+json", Data: r.encode(), Origin: r.Origin,
	}
}

func key(place, subject string) string { return place + "\x00" + subject }

// index finds records by place and subject; of two the first counts.
func index(records []Record) map[string]Record {
	out := make(map[string]Record, len(records))
	for _, r := range records {
		if _, ok := out[key(r.Place, r.Subject)]; !ok && r.check() == nil {
			out[key(r.Place, r.Subject)] = r
		}
	}
	return out
}

// absentFor is how long the word of a cached answer that a place knows nothing is taken: an archive may get the package
// later. What a place does say about a version does not change.
const absentFor = 7 * 24 * time.Hour

// cached returns the answer that an earlier run kept in the cache directory. A broken file is none.
func (c *collector) cached(p Place, q question) (Record, bool) {
	if c.opt.CacheDir == "" || p.local() {
		return Record{}, false
	}
	f, err := os.Open(c.cacheFile(p.String(), q.subject()))
	if err != nil {
		return Record{}, false
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxRecord+1))
	if err != nil {
		return Record{}, false
	}
	r, err := ParseRecord(data)
	fresh := r.Absent == "" || c.opt.At.Sub(r.Origin.At).Abs() <= absentFor
	return r, err == nil && r.Place == p.String() && r.Subject == q.subject() && fresh
}

// cache keeps an answer at once, by a rename, so that it survives an interruption. A cache that cannot be written costs
// the next run its questions, nothing else.
func (c *collector) cache(p Place, r Record) {
	if c.opt.CacheDir == "" || p.local() || r.check() != nil {
		return
	}
	name := c.cacheFile(r.Place, r.Subject)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return
	}
	_, err = f.Write(r.encode())
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
}

// cacheFile names a file by the digest of the question: nothing that strangers wrote becomes part of a path.
func (c *collector) cacheFile(place, subject string) string {
	sum := audit.DigestOf([]byte(key(place, subject))).Hex()
	return filepath.Join(c.opt.CacheDir, "copyright", sum[:2], sum+".json")
}

// address recognises what may be an e-mail address.
var address = regexp.MustCompile(`[^\s<>@]+@[^\s<>@]+`)

// claimText returns a text if it can be a name or an expression, else "": whole texts, addresses and placeholders are no
// names of licences.
func claimText(s string) string {
	s = strings.TrimSpace(s)
	const longest = 200
	if len(s) > longest || strings.ContainsAny(s, "\n\r") || strings.EqualFold(s, "unknown") || strings.Contains(s, "${") || address.MatchString(s) {
		return ""
	}
	return s
}
