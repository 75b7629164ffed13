package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// Verify checks every byte of a bundle: layout, index, manifests, evidence.json, each blob, and that nothing else is
// there. It returns all problems, sorted by file; none means that the bundle is whole. The error is for directories
// without a finished bundle (ErrNoBundle) and for bundles of a form that this version does not read.
func Verify(dir string) ([]Problem, error) {
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
	expected := b.files()
	r.blobs(expected, b != nil && len(r.problems) == 0)
	r.strays()
	if b != nil {
		r.instructions(b.identity)
	}
	return tidyProblems(r.problems), nil
}

// files returns what every file below blobs/sha256 is, as far as the bundle could be read.
func (b *Bundle) files() map[audit.Digest]Entry {
	if b == nil {
		return nil
	}
	out := map[audit.Digest]Entry{}
	add := func(kind, name string, d audit.Digest, size int64) {
		if _, ok := out[d]; !ok {
			out[d] = Entry{Kind: kind, Name: name, Digest: d, Size: size}
		}
	}
	for _, e := range b.evidence.Blobs {
		if e.Withheld == "" {
			add(e.Kind, e.Name, e.Digest, e.Size)
		}
	}
	for _, res := range b.results {
		add(res.entry.Kind, res.entry.Name, res.entry.Digest, res.entry.Size)
		add("manifest", resultType(res.entry.Kind), res.manifest.Digest, res.manifest.Size)
	}
	evidence, err := canonical(b.evidence)
	if err == nil {
		add("evidence", evidenceName, b.identity, int64(len(evidence)))
	}
	add("manifest", bundleType, b.inputs.Digest, b.inputs.Size)
	add("manifest", "config", audit.DigestOf([]byte(emptyConfig)), int64(len(emptyConfig)))
	return out
}

// blobs hashes every file below blobs/sha256. If the bundle's description is whole, files that it does not name are
// problems too.
func (r *reader) blobs(expected map[audit.Digest]Entry, complete bool) {
	entries, err := fs.ReadDir(r.root.FS(), blobDir)
	if err != nil {
		r.wrong(Problem{Kind: "layout", File: blobDir}, "%v", err)
		return
	}
	present := map[audit.Digest]bool{}
	for _, f := range entries {
		d, err := audit.ParseDigest(f.Name())
		e, known := expected[d]
		p := e.problem()
		p.File = blobDir + "/" + f.Name()
		switch {
		case err != nil || !known && complete:
			r.wrong(Problem{Kind: "stray", File: p.File}, "it belongs to nothing in the bundle")
			continue
		case !known:
			p.Kind, p.Digest = "blob", d
		}
		present[d] = true
		r.hash(p, e.Size, known)
	}
	for d, e := range expected {
		if !present[d] {
			r.wrong(e.problem(), "the file is missing")
		}
	}
}

// hash compares a file with its name without holding it in memory.
func (r *reader) hash(p Problem, size int64, sizeKnown bool) {
	info, err := r.root.Lstat(p.File)
	if err != nil || !info.Mode().IsRegular() {
		r.wrong(p, "%v", notRegular(p.File, "regular file", err))
		return
	}
	if limit := int64(MaxBlob); info.Size() > limit {
		r.wrong(p, "the file has %d bytes, more than %d", info.Size(), limit)
		return
	}
	f, err := r.root.Open(p.File)
	if err != nil {
		r.wrong(p, "%v", err)
		return
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, io.LimitReader(f, MaxBlob))
	if err != nil {
		r.wrong(p, "%v", err)
		return
	}
	if got := "sha256:" + hex.EncodeToString(sum.Sum(nil)); got != string(p.Digest) {
		r.wrong(p, "its bytes have the digest %s", got)
	} else if sizeKnown && n != size {
		r.wrong(p, "it has %d bytes instead of %d", n, size)
	}
}

// strays finds files outside blobs/sha256 that are no part of a bundle, and links.
func (r *reader) strays() {
	for dir, known := range map[string][]string{".": {layoutFile, indexFile, verifyFile, "blobs"}, "blobs": {"sha256"}} {
		entries, err := fs.ReadDir(r.root.FS(), dir)
		if err != nil {
			r.wrong(Problem{Kind: "layout", File: dir}, "%v", err)
			continue
		}
		for _, e := range entries {
			file := strings.TrimPrefix(dir+"/"+e.Name(), "./")
			isDir := e.Name() == "blobs" || e.Name() == "sha256"
			switch {
			case !slices.Contains(known, e.Name()):
				r.wrong(Problem{Kind: "stray", File: file}, "it belongs to nothing in the bundle")
			case isDir && !e.IsDir() || !isDir && !e.Type().IsRegular():
				r.wrong(Problem{Kind: "stray", File: file}, "it is a link or of another type than it should be")
			}
		}
	}
}

// instructions compares verify.txt. Tools that copy layouts leave it behind, so it may be absent.
func (r *reader) instructions(identity audit.Digest) {
	p := Problem{Kind: "layout", File: verifyFile}
	want := howToVerify(identity)
	data, err := readFile(r.root, verifyFile, int64(len(want)))
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil || !bytes.Equal(data, want) {
		r.wrong(p, "its text is not the one that belongs to this bundle")
	}
}

// tidyProblems sorts by file and keeps, of what was found about the same bytes, the first: the reader knows more about
// them than the check of every file that follows it.
func tidyProblems(problems []Problem) []Problem {
	slices.SortStableFunc(problems, func(a, b Problem) int { return strings.Compare(a.File, b.File) })
	return slices.CompactFunc(problems, func(a, b Problem) bool {
		return a.File == b.File && (a.Digest != "" && a.Digest == b.Digest || a == b)
	})
}
