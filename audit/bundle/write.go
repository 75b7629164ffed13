package bundle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// unfinished and former are added to the name of the bundle's directory while it is written and while it is replaced.
const (
	unfinished = ".partial"
	former     = ".old"
)

// Writer writes a bundle. Its methods may be called from several goroutines. It works in a directory beside the bundle's
// and puts it in place when it is complete, so that an interrupted write is never taken for a bundle; the next writer for
// the same directory uses the blobs again that the interrupted one left.
type Writer struct {
	dir  string // absolute
	root *os.Root
	gate sync.RWMutex // held for reading by every add, for writing by Close

	mu       sync.Mutex // guards what follows
	evidence Evidence
	named    map[string]audit.Digest // contents by kind and name, for kinds of which a name stands for one thing
	closed   bool
}

// Create begins a bundle in dir for the moment that is to be judged, which is kept in UTC and whole seconds. The directory
// may be absent, empty, or hold a bundle, which stays as it is until Close replaces it; anything else is an error.
func Create(dir string, assessedAt time.Time) (*Writer, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("writing bundle %q: %w", dir, err)
	}
	if assessedAt.IsZero() {
		return nil, fmt.Errorf("writing bundle %q: the moment to judge is not set", dir)
	}
	if err := prepare(abs); err != nil {
		return nil, fmt.Errorf("writing bundle %q: %w", dir, err)
	}
	root, err := os.OpenRoot(abs + unfinished)
	if err != nil {
		return nil, fmt.Errorf("writing bundle %q: %w", dir, err)
	}
	w := &Writer{dir: abs, root: root, named: map[string]audit.Digest{}}
	w.evidence = Evidence{Schema: Schema, AssessedAt: assessedAt.UTC().Truncate(time.Second), Blobs: []Entry{}}
	return w, nil
}

// prepare makes the working directory and finds out now, not after hours of collecting, whether Close can succeed.
func prepare(dir string) error {
	if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
		// A process that died while it replaced a bundle left the old one under another name.
		if err := os.Rename(dir+former, dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := replaceable(dir); err != nil {
		return err
	}
	if err := os.RemoveAll(dir + former); err != nil {
		return err
	}
	if info, err := os.Lstat(dir + unfinished); err == nil && !info.IsDir() {
		return fmt.Errorf("%q is in the way", filepath.Base(dir)+unfinished)
	}
	if err := os.MkdirAll(filepath.Join(dir+unfinished, filepath.FromSlash(blobDir)), 0o755); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir+unfinished, indexFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// replaceable makes sure that nothing but a bundle is ever replaced. An empty directory is removed.
func replaceable(dir string) error {
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return errors.New("a file or symbolic link of that name exists; choose another directory")
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		if err := os.Remove(dir); err != nil {
			return fmt.Errorf("the directory cannot be replaced; choose one below it: %w", err)
		}
		return nil
	}
	has := map[string]bool{}
	for _, n := range names {
		has[n.Name()] = true
		if !slices.Contains([]string{layoutFile, indexFile, "blobs", verifyFile}, n.Name()) {
			return fmt.Errorf("the directory holds %q, which is no part of a bundle; choose an empty directory", n.Name())
		}
	}
	if !has[layoutFile] || !has["blobs"] {
		return errors.New("the directory is neither empty nor a bundle; choose another")
	}
	return nil
}

// Add keeps a blob and returns its digest. Of a withheld blob only digest and size are kept. The kind must be one of
// InputKinds. Except for raw bytes, a kind and name stand for one thing, and adding another of that name is an error.
func (w *Writer) Add(b audit.Blob) (audit.Digest, error) {
	e := EntryOf(b)
	return e.Digest, w.AddEntry(e, b.Data)
}

// EntryOf returns the entry that stands for a blob.
func EntryOf(b audit.Blob) Entry {
	e := Entry{
		Kind: b.Kind, Name: b.Name, Digest: audit.DigestOf(b.Data), Size: int64(len(b.Data)), MediaType: b.MediaType,
		Source: b.Source, ObservedAt: b.Origin.At, Commit: b.Origin.Commit, Path: b.Origin.Path, Withheld: b.Withheld,
	}
	if e.Source == "" {
		e.Source = b.Origin.URL
	}
	return e
}

// AddEntry keeps a blob that another bundle has an entry for. The data must match the entry's digest and size; of a
// withheld blob the data is not needed and may be nil.
func (w *Writer) AddEntry(e Entry, data []byte) error {
	w.gate.RLock()
	defer w.gate.RUnlock()
	e = tidy(e)
	if err := checkInput(e); err != nil {
		return fmt.Errorf("adding %s %q to the bundle: %w", e.Kind, e.Name, err)
	}
	if err := w.store(e, data); err != nil {
		return fmt.Errorf("adding %s %q to the bundle: %w", e.Kind, e.Name, err)
	}
	return nil
}

func (w *Writer) store(e Entry, data []byte) error {
	if e.Withheld == "" || data != nil {
		if audit.DigestOf(data) != e.Digest || int64(len(data)) != e.Size {
			return fmt.Errorf("the %d bytes are not those that the entry describes", len(data))
		}
	}
	if err := w.enter(e); err != nil || e.Withheld != "" {
		return err
	}
	return putBlob(w.root, e.Digest, data)
}

// enter lists the entry once.
func (w *Writer) enter(e Entry) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return errors.New("the bundle is closed")
	}
	if len(w.evidence.Blobs) >= maxEntries {
		return fmt.Errorf("the bundle has %d blobs already, the most it can have", maxEntries)
	}
	if key := e.Kind + "\x00" + e.Name; e.Kind != "raw" {
		if d, ok := w.named[key]; ok && d != e.Digest {
			return errors.New("another blob has that kind and name")
		}
		w.named[key] = e.Digest
	}
	w.evidence.Blobs = append(w.evidence.Blobs, e)
	return nil
}

// Keep returns Add in the form that sources and collectors are given.
func (w *Writer) Keep() audit.Keep {
	return func(ctx context.Context, b audit.Blob) (audit.Digest, error) {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		return w.Add(b)
	}
}

// Close completes the bundle, puts it in place of what the directory held, and returns its identity. If it fails, the
// directory is as it was before Create, and a later Create can go on.
func (w *Writer) Close() (audit.Digest, error) {
	w.gate.Lock()
	defer w.gate.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return "", fmt.Errorf("writing bundle %q: it is closed", w.dir)
	}
	w.closed = true
	identity, err := w.finish()
	if err = errors.Join(err, w.root.Close()); err != nil {
		return "", fmt.Errorf("writing bundle %q: %w", w.dir, err)
	}
	if err := swap(w.dir); err != nil {
		return "", fmt.Errorf("writing bundle %q: %w", w.dir, err)
	}
	return identity, nil
}

// finish writes everything that describes the blobs, index.json last, and removes what an earlier attempt left over.
func (w *Writer) finish() (audit.Digest, error) {
	slices.SortFunc(w.evidence.Blobs, compare)
	w.evidence.Blobs = slices.CompactFunc(w.evidence.Blobs, func(a, b Entry) bool { return compare(a, b) == 0 })
	data, err := canonical(w.evidence)
	if err != nil {
		return "", err
	}
	if len(data) > maxEvidence {
		return "", fmt.Errorf("evidence.json has %d bytes, more than %d", len(data), maxEvidence)
	}
	evidence := describeBytes(evidenceType, data)
	m := inputsManifest(w.evidence, evidence)
	manifestData, err := canonical(m)
	if err != nil {
		return "", err
	}
	if len(manifestData) > maxManifest {
		return "", fmt.Errorf("the inputs manifest has %d bytes, more than %d", len(manifestData), maxManifest)
	}
	for _, blob := range [][]byte{data, manifestData, []byte(emptyConfig)} {
		if err := putBlob(w.root, audit.DigestOf(blob), blob); err != nil {
			return "", err
		}
	}
	kept := referenced([]manifest{m})
	kept[audit.DigestOf(manifestData)] = true
	if err := errors.Join(sweep(w.root, kept), sweepTop(w.root)); err != nil {
		return "", err
	}
	syncDir(filepath.Join(w.dir+unfinished, filepath.FromSlash(blobDir)))
	layoutData, err := canonical(layout{layoutVersion})
	if err != nil {
		return "", err
	}
	if err := errors.Join(putFile(w.root, layoutFile, layoutData), putFile(w.root, verifyFile, howToVerify(evidence.Digest))); err != nil {
		return "", err
	}
	return evidence.Digest, putIndex(w.root, []descriptor{inIndex(m, manifestData)})
}

func putIndex(root *os.Root, manifests []descriptor) error {
	data, err := canonical(index{SchemaVersion: 2, MediaType: indexType, Manifests: manifests})
	if err != nil {
		return err
	}
	return putFile(root, indexFile, data)
}

// swap puts the finished directory in the place of the old one.
func swap(dir string) error {
	if err := replaceable(dir); err != nil {
		return err
	}
	if err := os.Rename(dir, dir+former); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(dir+unfinished, dir); err != nil {
		return errors.Join(err, restore(dir))
	}
	syncDir(filepath.Dir(dir))
	return os.RemoveAll(dir + former)
}

func restore(dir string) error {
	if err := os.Rename(dir+former, dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// referenced returns the digests that manifests name.
func referenced(manifests []manifest) map[audit.Digest]bool {
	out := map[audit.Digest]bool{audit.DigestOf([]byte(emptyConfig)): true}
	for _, m := range manifests {
		for _, d := range m.Layers {
			out[d.Digest] = true
		}
	}
	return out
}

// sweep removes every blob that nothing names, and the temporary files of writers that died.
func sweep(root *os.Root, kept map[audit.Digest]bool) error {
	entries, err := fs.ReadDir(root.FS(), blobDir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if d, err := audit.ParseDigest(e.Name()); err == nil && kept[d] {
			continue
		}
		if err := root.RemoveAll(blobDir + "/" + e.Name()); err != nil {
			return err
		}
	}
	return nil
}

// sweepTop removes what is no part of a bundle beside the blobs.
func sweepTop(root *os.Root) error {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == "blobs" {
			continue
		}
		if err := root.RemoveAll(e.Name()); err != nil {
			return err
		}
	}
	return nil
}

// putBlob writes bytes under their digest unless they are there already.
func putBlob(root *os.Root, d audit.Digest, data []byte) error {
	if len(data) > MaxBlob {
		return fmt.Errorf("%d bytes are more than a blob may have (%d)", len(data), MaxBlob)
	}
	if have, err := readFile(root, fileOf(d), int64(len(data))); err == nil && audit.DigestOf(have) == d {
		return nil
	}
	return putFile(root, fileOf(d), data)
}

// putFile writes a file so that it is either complete or not there: a temporary file, synced, then renamed.
func putFile(root *os.Root, name string, data []byte) error {
	f, temporary, err := createTemporary(root, name)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = root.Rename(temporary, name)
	}
	if err != nil {
		_ = root.Remove(temporary) // the first error is the one that helps
	}
	return err
}

// createTemporary opens a new file beside name. Two goroutines that write the same blob get two files.
func createTemporary(root *os.Root, name string) (*os.File, string, error) {
	const attempts = 1000
	for n := range attempts {
		temporary := fmt.Sprintf("%s.%d.tmp", name, n)
		f, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err == nil || !errors.Is(err, fs.ErrExist) {
			return f, temporary, err
		}
	}
	return nil, "", fmt.Errorf("%d unfinished files of the name %q are in the way", attempts, name)
}

// syncDir makes renames durable where the system can; where it cannot, the data itself was synced before.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}

// tidy brings an entry to the form that evidence.json keeps.
func tidy(e Entry) Entry {
	const substitute = "\uFFFD"
	e.Name, e.Source = strings.ToValidUTF8(e.Name, substitute), strings.ToValidUTF8(e.Source, substitute)
	e.Path, e.Commit = strings.ToValidUTF8(e.Path, substitute), strings.ToValidUTF8(e.Commit, substitute)
	e.Withheld, e.MediaType = strings.ToValidUTF8(e.Withheld, substitute), strings.ToValidUTF8(e.MediaType, substitute)
	if !e.ObservedAt.IsZero() {
		e.ObservedAt = e.ObservedAt.UTC()
	}
	if e.MediaType == "" {
		e.MediaType = "application/octet-stream"
	}
	return e
}

// checkInput holds for every entry that is written or read.
func checkInput(e Entry) error {
	if !slices.Contains(InputKinds(), e.Kind) {
		return fmt.Errorf("kind %q is none of %s", e.Kind, strings.Join(InputKinds(), ", "))
	}
	return checkEntry(e)
}

func checkEntry(e Entry) error {
	const longest = 4096
	if e.Name == "" {
		return errors.New("it has no name")
	}
	for _, s := range e.words() {
		if len(s) > longest {
			return fmt.Errorf("a value has %d bytes, more than %d", len(s), longest)
		}
	}
	if d, err := audit.ParseDigest(string(e.Digest)); err != nil || d != e.Digest {
		return fmt.Errorf("digest %q is not sha256: and 64 lower-case hexadecimal digits", e.Digest)
	}
	if e.Size < 0 || e.Size > MaxBlob {
		return fmt.Errorf("size %d is not within 0..%d", e.Size, MaxBlob)
	}
	return checkSource(e.Source)
}

// checkSource refuses what must never be published: paths of this machine and credentials.
func checkSource(source string) error {
	if filepath.IsAbs(source) || strings.HasPrefix(source, "/") || strings.HasPrefix(strings.ToLower(source), "file:") {
		return errors.New("its source is a path of a machine; an address or a name is needed")
	}
	if u, err := url.Parse(source); err == nil && u.User != nil {
		if _, secret := u.User.Password(); secret || u.Scheme == "http" || u.Scheme == "https" {
			return errors.New("its source holds credentials")
		}
	}
	return nil
}
