package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// Bundle is a finished bundle that was opened for reading. It keeps no file open.
type Bundle struct {
	dir      string
	identity audit.Digest
	evidence Evidence
	inputs   descriptor // of the inputs manifest
	results  []result   // sorted by kind and name
	entries  map[audit.Digest]Entry
}

// result is a result with the manifest that attaches it.
type result struct {
	entry    Entry
	manifest descriptor
}

// Open reads index, manifests and evidence.json, and checks that they agree; the blobs themselves are checked when they
// are read. A directory without a finished bundle gives ErrNoBundle, anything that does not fit together ErrIntegrity.
func Open(dir string) (*Bundle, error) {
	root, err := openRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	r := reader{root: root}
	b, err := r.load()
	if err != nil {
		return nil, err
	}
	if len(r.problems) > 0 {
		return nil, &IntegrityError{Problem: r.problems[0]}
	}
	b.dir = dir
	return b, nil
}

// openRoot opens a directory that holds a bundle, following no link below it.
func openRoot(dir string) (*os.Root, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoBundle, err)
	}
	if _, err := root.Lstat(indexFile); err != nil {
		_ = root.Close()
		return nil, fmt.Errorf("%w: %s is missing; the directory is no bundle, or its writing was interrupted", ErrNoBundle, indexFile)
	}
	return root, nil
}

// Identity returns the digest of evidence.json.
func (b *Bundle) Identity() audit.Digest { return b.identity }

// Evidence returns the list of all inputs. The caller may change it.
func (b *Bundle) Evidence() Evidence {
	out := b.evidence
	out.Blobs = slices.Clone(out.Blobs)
	return out
}

// Blobs returns the entries of one kind in the order of evidence.json, withheld ones too.
func (b *Bundle) Blobs(kind string) []Entry {
	var out []Entry
	for _, e := range b.evidence.Blobs {
		if e.Kind == kind {
			out = append(out, e)
		}
	}
	return out
}

// Results returns what is attached to the bundle, sorted by kind and name.
func (b *Bundle) Results() []Entry {
	out := make([]Entry, len(b.results))
	for i, r := range b.results {
		out[i] = r.entry
	}
	return out
}

// Read returns the bytes of an input or a result. Bytes that are missing or do not match the digest give ErrIntegrity.
// Asking for a withheld blob, or one that the bundle does not list, is another error.
func (b *Bundle) Read(d audit.Digest) ([]byte, error) {
	e, ok := b.entries[d]
	if !ok {
		return nil, fmt.Errorf("reading blob %q: the bundle lists no blob of that digest", d)
	}
	if e.Withheld != "" {
		return nil, fmt.Errorf("reading %s %q: it was seen, but is withheld: %s", e.Kind, e.Name, e.Withheld)
	}
	root, err := os.OpenRoot(b.dir)
	if err != nil {
		return nil, fmt.Errorf("reading %s %q: %w", e.Kind, e.Name, err)
	}
	defer root.Close()
	r := reader{root: root}
	data, ok := r.blob(e.problem(), e.Size)
	if !ok {
		return nil, &IntegrityError{Problem: r.problems[0]}
	}
	return data, nil
}

// problem names the blob of an entry.
func (e Entry) problem() Problem {
	return Problem{Kind: e.Kind, Name: e.Name, Digest: e.Digest, File: fileOf(e.Digest)}
}

// reader reads the files that describe a bundle and writes down everything that is wrong.
type reader struct {
	root     *os.Root
	problems []Problem
}

func (r *reader) wrong(p Problem, format string, args ...any) {
	p.Reason = fmt.Sprintf(format, args...)
	r.problems = append(r.problems, p)
}

// load returns the bundle, or nil if the files are too damaged to tell what it is. The error says that the bundle is
// sound but cannot be read by this version.
func (r *reader) load() (*Bundle, error) {
	r.layout()
	found, ok := r.manifests()
	if !ok {
		return nil, nil
	}
	inputs, ok := r.inputs(found)
	if !ok {
		return nil, nil
	}
	ev, ok, err := r.evidence(inputs)
	if err != nil || !ok {
		return nil, err
	}
	b := &Bundle{evidence: ev, identity: inputs.manifest.Layers[0].Digest, inputs: describeBytes(manifestType, inputs.data)}
	b.entries = byDigest(ev.Blobs)
	for _, m := range found {
		if m.manifest.ArtifactType != bundleType {
			r.result(b, m)
		}
	}
	slices.SortFunc(b.results, func(x, y result) int { return compare(x.entry, y.entry) })
	return b, nil
}

// byDigest prefers, for one digest, an entry whose bytes are here.
func byDigest(entries []Entry) map[audit.Digest]Entry {
	out := make(map[audit.Digest]Entry, len(entries))
	for _, e := range entries {
		if have, ok := out[e.Digest]; !ok || have.Withheld != "" && e.Withheld == "" {
			out[e.Digest] = e
		}
	}
	return out
}

func (r *reader) layout() {
	p := Problem{Kind: "layout", File: layoutFile}
	data, err := readFile(r.root, layoutFile, 4096)
	if err != nil {
		r.wrong(p, "%v", err)
		return
	}
	var l layout
	if err := decodeStrict(data, &l); err != nil {
		r.wrong(p, "%v", err)
	} else if l.Version != layoutVersion {
		r.wrong(p, "its version is %q instead of %q", l.Version, layoutVersion)
	}
}

// read is one manifest as it was read.
type read struct {
	manifest manifest
	data     []byte
	problem  Problem // names the manifest
}

// manifests reads index.json and every manifest it names.
func (r *reader) manifests() ([]read, bool) {
	p := Problem{Kind: "index", File: indexFile}
	data, err := readFile(r.root, indexFile, maxIndex)
	if err != nil {
		r.wrong(p, "%v", err)
		return nil, false
	}
	var ix index
	if err := decodeStrict(data, &ix); err != nil {
		r.wrong(p, "%v", err)
		return nil, false
	}
	if ix.SchemaVersion != 2 || ix.MediaType != "" && ix.MediaType != indexType || len(ix.Annotations) > 0 {
		r.wrong(p, "it is not an OCI image index as Pegel writes it")
	}
	if len(ix.Manifests) > maxResults+1 {
		r.wrong(p, "it names %d manifests, more than %d", len(ix.Manifests), maxResults+1)
		return nil, false
	}
	var out []read
	seen := map[audit.Digest]bool{}
	for i, d := range ix.Manifests {
		if err := checkDescriptor(d, maxManifest); err != nil || d.MediaType != manifestType {
			r.wrong(p, "manifest %d: it is not described as an OCI image manifest: %v", i+1, err)
			continue
		}
		if seen[d.Digest] {
			r.wrong(p, "manifest %s stands twice", d.Digest)
			continue
		}
		seen[d.Digest] = true
		if m, ok := r.manifest(d); ok {
			out = append(out, m)
		}
	}
	return out, true
}

// checkDescriptor makes sure that a descriptor names a file below blobs/sha256 of a bearable size.
func checkDescriptor(d descriptor, limit int64) error {
	if parsed, err := audit.ParseDigest(string(d.Digest)); err != nil || parsed != d.Digest {
		return fmt.Errorf("digest %q is not sha256: and 64 lower-case hexadecimal digits", d.Digest)
	}
	if d.Size < 0 || d.Size > limit {
		return fmt.Errorf("size %d is not within 0..%d", d.Size, limit)
	}
	return nil
}

func (r *reader) manifest(d descriptor) (read, bool) {
	p := Problem{Kind: "manifest", Name: d.ArtifactType, Digest: d.Digest, File: fileOf(d.Digest)}
	data, ok := r.named(p, d)
	if !ok {
		return read{}, false
	}
	var m manifest
	if err := decodeStrict(data, &m); err != nil {
		r.wrong(p, "%v", err)
		return read{}, false
	}
	if len(m.Layers) == 0 {
		r.wrong(p, "it names no blob")
		return read{}, false
	}
	if !agrees(d, inIndex(m, data)) {
		r.wrong(Problem{Kind: "index", File: indexFile}, "its entry for manifest %s does not agree with the manifest", d.Digest)
	}
	return read{manifest: m, data: data, problem: p}, true
}

// named reads the bytes of a manifest and tells a wrong entry in index.json from a damaged manifest.
func (r *reader) named(p Problem, d descriptor) ([]byte, bool) {
	inIndex := Problem{Kind: "index", File: indexFile}
	data, err := readFile(r.root, p.File, maxManifest)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.wrong(p, "the file is missing")
		r.wrong(inIndex, "it names manifest %s, which is missing", d.Digest)
		return nil, false
	case err != nil:
		r.wrong(p, "%v", err)
		return nil, false
	}
	if got := audit.DigestOf(data); got != d.Digest {
		r.wrong(p, "its bytes have the digest %s", got)
		return nil, false
	}
	if int64(len(data)) != d.Size {
		r.wrong(inIndex, "it gives manifest %s %d bytes instead of %d", d.Digest, d.Size, len(data))
		return nil, false
	}
	return data, true
}

// agrees compares an entry of index.json with what Pegel would write. Tools that copy layouts may leave out the artifact
// type and annotations, and may add a reference name; they may not change anything.
func agrees(got, want descriptor) bool {
	if got.ArtifactType != "" && got.ArtifactType != want.ArtifactType {
		return false
	}
	for key, value := range got.Annotations {
		if key != refNameKey && want.Annotations[key] != value {
			return false
		}
	}
	return true
}

// inputs picks the one manifest that lists the inputs.
func (r *reader) inputs(found []read) (read, bool) {
	var inputs []read
	for _, m := range found {
		if m.manifest.ArtifactType == bundleType {
			inputs = append(inputs, m)
		}
	}
	if len(inputs) != 1 {
		r.wrong(Problem{Kind: "index", File: indexFile}, "it leads to %d readable manifests of type %s instead of one", len(inputs), bundleType)
		return read{}, false
	}
	return inputs[0], true
}

// evidence reads evidence.json and compares the inputs manifest with it.
func (r *reader) evidence(inputs read) (Evidence, bool, error) {
	d := inputs.manifest.Layers[0]
	p := Problem{Kind: "evidence", Name: evidenceName, Digest: d.Digest, File: fileOf(d.Digest)}
	if err := checkDescriptor(d, maxEvidence); err != nil || d.MediaType != evidenceType {
		r.wrong(inputs.problem, "its first blob is not %s: %v", evidenceName, err)
		return Evidence{}, false, nil
	}
	data, ok := r.blob(p, d.Size)
	if !ok {
		return Evidence{}, false, nil
	}
	if schema := schemaOf(data); schema != Schema {
		return Evidence{}, false, fmt.Errorf("reading %s: its form is %q and this version of Pegel reads %q", evidenceName, schema, Schema)
	}
	var ev Evidence
	if err := decodeStrict(data, &ev); err != nil {
		r.wrong(p, "%v", err)
		return Evidence{}, false, nil
	}
	if err := checkEvidence(ev, data); err != nil {
		r.wrong(p, "%v", err)
		return Evidence{}, false, nil
	}
	want, err := canonical(inputsManifest(ev, describeBytes(evidenceType, data)))
	if err != nil {
		return Evidence{}, false, err
	}
	if !bytes.Equal(inputs.data, want) {
		r.wrong(inputs.problem, "it does not list the blobs of %s", evidenceName)
	}
	return ev, true, nil
}

// schemaOf reads only the schema, so that a form of the future is told from damage.
func schemaOf(data []byte) string {
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return Schema // not JSON at all: the strict reader says what is wrong
	}
	return head.Schema
}

func checkEvidence(ev Evidence, data []byte) error {
	if want, err := canonical(ev); err != nil || !bytes.Equal(want, data) {
		return errors.New("it is not canonical JSON (RFC 8785)")
	}
	if ev.AssessedAt.IsZero() || len(ev.Blobs) > maxEntries {
		return fmt.Errorf("it says no moment to judge, or lists more than %d blobs", maxEntries)
	}
	for i, e := range ev.Blobs {
		if err := checkInput(e); err != nil {
			return fmt.Errorf("entry %d (%s %q): %w", i+1, e.Kind, e.Name, err)
		}
		if i > 0 && compare(ev.Blobs[i-1], e) >= 0 {
			return fmt.Errorf("entry %d (%s %q) is out of order", i+1, e.Kind, e.Name)
		}
	}
	return nil
}

// result checks a manifest that attaches a result, and adds it to the bundle.
func (r *reader) result(b *Bundle, m read) {
	d := m.manifest.Layers[0]
	e := Entry{Kind: d.Annotations[kindKey], Name: d.Annotations[nameKey], Digest: d.Digest, Size: d.Size, MediaType: d.MediaType}
	if err := checkResult(e); err != nil {
		r.wrong(m.problem, "%v", err)
		return
	}
	want, err := canonical(resultManifest(e, b.inputs))
	if err != nil || !bytes.Equal(m.data, want) {
		r.wrong(m.problem, "it does not attach %s %q to the inputs of this bundle", e.Kind, e.Name)
		return
	}
	for _, have := range b.results {
		if have.entry.Kind == e.Kind && have.entry.Name == e.Name {
			r.wrong(m.problem, "%s %q is attached twice", e.Kind, e.Name)
			return
		}
	}
	b.results = append(b.results, result{entry: e, manifest: describeBytes(manifestType, m.data)})
	if have, ok := b.entries[e.Digest]; !ok || have.Withheld != "" {
		b.entries[e.Digest] = e
	}
}

func checkResult(e Entry) error {
	if !slices.Contains(ResultKinds(), e.Kind) {
		return fmt.Errorf("result kind %q is none of %s", e.Kind, strings.Join(ResultKinds(), ", "))
	}
	return checkEntry(e)
}

// blob reads the file that p names and compares size and digest.
func (r *reader) blob(p Problem, size int64) ([]byte, bool) {
	data, err := readFile(r.root, p.File, size)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.wrong(p, "the file is missing")
		return nil, false
	case err != nil:
		r.wrong(p, "%v", err)
		return nil, false
	}
	if got := audit.DigestOf(data); got != p.Digest || int64(len(data)) != size {
		r.wrong(p, "its %d bytes have the digest %s instead of %d bytes of %s", len(data), got, size, p.Digest)
		return nil, false
	}
	return data, true
}

// readFile reads a regular file of at most limit bytes. No part of its path may be a symbolic link.
func readFile(root *os.Root, name string, limit int64) ([]byte, error) {
	for i, c := range name {
		if c == '/' {
			if info, err := root.Lstat(name[:i]); err != nil || !info.IsDir() {
				return nil, notRegular(name[:i], "directory", err)
			}
		}
	}
	info, err := root.Lstat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil, notRegular(name, "regular file", err)
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("the file has %d bytes, more than %d", info.Size(), limit)
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("the file has more than %d bytes", limit)
	}
	return data, err
}

func notRegular(name, wanted string, err error) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%q is not a %s", name, wanted)
}
