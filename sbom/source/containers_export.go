package source

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// maxExportLinks is how many links in an exported archive lead to each other.
const maxExportLinks = 8

// Open exports the image from the engine and lays it out as an OCI image layout, which Done removes. Files have no
// contents. The engine packs its layers anew, so the digest of the manifest differs from the one that a registry gave;
// what is checked is the digest of the configuration, which names the contents of every layer. The artifact returned has
// the digest of the manifest in the layout, and the known one among Digests.
func (s containers) Open(ctx context.Context, a sbom.Artifact) (sbom.Target, error) {
	if s.socket == "" || a.Kind != sbom.KindImage {
		return sbom.Target{}, sbom.ErrNoContents
	}
	t, err := s.export(ctx, a)
	if err == nil {
		return t, nil
	}
	if ctx.Err() != nil {
		return sbom.Target{}, ctx.Err()
	}
	return sbom.Target{}, fmt.Errorf("exporting %q from %q: %w", cmp.Or(a.Reference, a.Name), s.where(), err)
}

func (s containers) export(ctx context.Context, a sbom.Artifact) (t sbom.Target, err error) {
	client, err := s.connect(ctx)
	if err != nil {
		return sbom.Target{}, err
	}
	defer client.close()
	id, err := client.imageFor(ctx, a)
	if err != nil {
		return sbom.Target{}, err
	}
	dir, err := os.MkdirTemp(s.opt.TempDir, "pegel-export-")
	if err != nil {
		return sbom.Target{}, fmt.Errorf("making a folder for the image: %s", reason(err))
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removed(dir))
		}
	}()
	digest, err := client.exportTo(ctx, id, a, dir)
	if err != nil {
		return sbom.Target{}, err
	}
	if digest != a.Digest && a.Digest != "" {
		a.Digests = engineAppend(a.Digests, []audit.Digest{a.Digest})
		slices.Sort(a.Digests)
	}
	a.Digest = digest
	return sbom.Target{Artifact: a, Path: dir, Form: "oci-dir", Done: func() error { return removed(dir) }}, nil
}

// removed removes a folder that was made here.
func removed(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("removing what was exported: %s", reason(err))
	}
	return nil
}

// imageFor returns the ID by which the engine exports exactly this image. A tag alone may name another image by now, so
// the engine must say the digest that the artifact has.
func (c engineClient) imageFor(ctx context.Context, a sbom.Artifact) (string, error) {
	if a.Config != "" {
		return string(a.Config), nil
	}
	ref, err := sbom.ParseReference(a.Reference)
	if err != nil || a.Digest == "" {
		return "", errors.New("neither its image ID nor its digest is known, and a tag alone may name another image by now")
	}
	for _, digest := range slices.Concat([]audit.Digest{a.Digest}, a.Digests) {
		var e engineEntry
		if err = c.decode(ctx, "/images/"+ref.Repository()+"@"+string(digest)+"/json", &e); err != nil {
			continue
		}
		if e.RepoDigests == nil || !slices.ContainsFunc(*e.RepoDigests, func(s string) bool { return strings.HasSuffix(s, "@"+string(digest)) }) {
			err = fmt.Errorf("the engine gives another image for %s", digest)
			continue
		}
		if sha256Digest(e.ID) != "" {
			return e.ID, nil
		}
		err = errors.New("the engine gives no image ID")
	}
	return "", err
}

// exportTo reads the export of an image and makes an image layout of it.
func (c engineClient) exportTo(ctx context.Context, id string, a sbom.Artifact, dir string) (audit.Digest, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	response, err := c.get(ctx, "/images/"+id+"/get")
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", errors.New(reason(err))
	}
	defer root.Close()
	idle := time.AfterFunc(engineIdleTime, cancel)
	defer idle.Stop()
	x := exported{root: root, files: map[string]exportedFile{}, links: map[string]string{}, documents: map[string][]byte{}}
	if err := x.read(&counter{r: idleReader{response.Body, idle}, limit: maxArchiveBytes}); err != nil {
		if ctx.Err() != nil {
			return "", fmt.Errorf("no byte for %s", engineIdleTime)
		}
		return "", err
	}
	manifest, err := x.manifest(id, a)
	if err != nil {
		return "", err
	}
	return x.finish(manifest)
}

// idleReader pushes a deadline on with every byte.
type idleReader struct {
	r    io.Reader
	idle *time.Timer
}

func (r idleReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if n > 0 {
		r.idle.Reset(engineIdleTime)
	}
	return n, err
}

// exported is the archive that an engine sends (the form of docker save), taken apart: each file lies under its digest.
type exported struct {
	root      *os.Root
	files     map[string]exportedFile // by name in the archive
	links     map[string]string
	documents map[string][]byte // small JSON files, by digest
	kept      int
}

type exportedFile struct {
	hex    string
	size   int64
	packed bool // compressed
}

func (x *exported) read(archive io.Reader) error {
	if err := x.root.MkdirAll("blobs/sha256", 0o700); err != nil {
		return errors.New(reason(err))
	}
	t := tar.NewReader(archive)
	for n := 0; ; n++ {
		h, err := t.Next()
		if errors.Is(err, io.EOF) && n > 0 {
			return nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return brokenExport(err)
		}
		if n >= maxArchiveEntries {
			return fmt.Errorf("the export has more than %d entries", maxArchiveEntries)
		}
		if err := x.entry(t, h); err != nil {
			return err
		}
	}
}

// brokenExport says that the archive ended too early or is none.
func brokenExport(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, tar.ErrHeader):
		return errors.New("the export is cut off or damaged; run again")
	}
	return engineNetwork(err)
}

// entry takes one entry. Links are noted, never made; they may lead to other entries only.
func (x *exported) entry(t io.Reader, h *tar.Header) error {
	name := strings.TrimSuffix(strings.TrimPrefix(h.Name, "./"), "/")
	if name == "" || name == "." {
		return nil
	}
	if !fs.ValidPath(name) || strings.ContainsAny(name, "\\\x00") {
		return fmt.Errorf("the export has an entry %q, which is no path inside it", enginePrintable(h.Name, 64))
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return nil
	case tar.TypeReg:
		return x.file(t, name, h.Size)
	case tar.TypeSymlink:
		x.links[name] = path.Join(path.Dir(name), h.Linkname)
		return nil
	case tar.TypeLink:
		x.links[name] = path.Clean(h.Linkname)
		return nil
	}
	return fmt.Errorf("the export has an entry %q that is neither file nor folder nor link", enginePrintable(h.Name, 64))
}

// file writes an entry under its digest.
func (x *exported) file(t io.Reader, name string, size int64) (err error) {
	if _, ok := x.files[name]; ok {
		return fmt.Errorf("the export has the entry %q twice", enginePrintable(name, 64))
	}
	const part = "blobs/part"
	out, err := x.root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return errors.New(reason(err))
	}
	sum := sha256.New()
	var head engineHead
	_, err = io.Copy(io.MultiWriter(sum, &head, out), t)
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	if pe := (*pathError)(nil); errors.As(err, &pe) {
		return fmt.Errorf("writing the export: %s", reason(err))
	} else if err != nil {
		return brokenExport(err)
	}
	f := exportedFile{hex: hex.EncodeToString(sum.Sum(nil)), size: size,
		packed: bytes.HasPrefix(head.start, []byte{0x1f, 0x8b}) || bytes.HasPrefix(head.start, []byte{0x28, 0xb5, 0x2f, 0xfd})}
	x.files[name] = f
	if err := x.root.Rename(part, "blobs/sha256/"+f.hex); err != nil {
		return errors.New(reason(err))
	}
	if size > maxDocument || len(head.start) == 0 || (head.start[0] != '{' && head.start[0] != '[') || x.kept+int(size) > maxArchiveKept {
		return nil
	}
	data, err := readIn(x.root, "blobs/sha256/"+f.hex, maxDocument)
	if err != nil {
		return errors.New(reason(err))
	}
	x.kept += len(data)
	x.documents[f.hex] = data
	return nil
}

// engineHead keeps the first bytes that are written.
type engineHead struct{ start []byte }

func (h *engineHead) Write(p []byte) (int, error) {
	if n := 8 - len(h.start); n > 0 {
		h.start = append(h.start, p[:min(n, len(p))]...)
	}
	return len(p), nil
}

// lookup finds a file by its name, through links.
func (x *exported) lookup(name string) (exportedFile, bool) {
	name = path.Clean(name)
	for range maxExportLinks {
		if f, ok := x.files[name]; ok {
			return f, true
		}
		next, ok := x.links[name]
		if !ok {
			break
		}
		name = next
	}
	return exportedFile{}, false
}

// manifest returns the manifest of the exported image, after checking that it is the image that was asked for.
func (x *exported) manifest(id string, a sbom.Artifact) ([]byte, error) {
	list, ok := x.lookup("manifest.json")
	if !ok {
		return nil, errors.New("the export has no manifest.json; this is not the form of docker save")
	}
	var images []struct {
		Config string
		Layers []string
	}
	if err := json.Unmarshal(x.documents[list.hex], &images); err != nil || len(images) != 1 {
		return nil, errors.New("manifest.json of the export does not describe one image")
	}
	config, ok := x.lookup(images[0].Config)
	if !ok || x.documents[config.hex] == nil {
		return nil, errors.New("the export lacks the configuration of the image")
	}
	var layers []exportedFile
	for i, name := range images[0].Layers {
		layer, ok := x.lookup(name)
		if !ok {
			return nil, fmt.Errorf("the export lacks layer %d of %d", i+1, len(images[0].Layers))
		}
		layers = append(layers, layer)
	}
	original, err := x.identify(id, a, config)
	if err != nil {
		return nil, err
	}
	if err := x.verify(config, layers); err != nil {
		return nil, err
	}
	if original != nil && x.complete(original) {
		return original, nil
	}
	return newManifest(config, layers)
}

// identify checks that the configuration is the one of the artifact. Where the image ID is the digest of a manifest, that
// manifest is in the export, and it must name the configuration; it is returned.
func (x *exported) identify(id string, a sbom.Artifact, config exportedFile) ([]byte, error) {
	want := cmp.Or(a.Config, audit.Digest(id))
	if want.Hex() == config.hex {
		return x.named(a.Digest, config), nil
	}
	if a.Config == "" {
		for _, digest := range slices.Concat([]audit.Digest{a.Digest, audit.Digest(id)}, a.Digests) {
			if raw := x.named(digest, config); raw != nil {
				return raw, nil
			}
		}
	}
	return nil, fmt.Errorf("the engine exports an image with configuration sha256:%s, want %s: it is another image", config.hex, want)
}

// named returns the manifest with the digest, or one that an index with it lists, if it is in the export and of the configuration.
func (x *exported) named(digest audit.Digest, config exportedFile) []byte {
	raw := x.documents[digest.Hex()]
	if raw == nil {
		return nil
	}
	if m, err := v1.ParseManifest(bytes.NewReader(raw)); err == nil && m.Config.Digest.Hex == config.hex {
		return raw
	}
	index, err := v1.ParseIndexManifest(bytes.NewReader(raw))
	if err != nil {
		return nil
	}
	for _, d := range index.Manifests {
		below := x.documents[d.Digest.Hex]
		if m, err := v1.ParseManifest(bytes.NewReader(below)); err == nil && m.Config.Digest.Hex == config.hex {
			return below
		}
	}
	return nil
}

// complete reports whether every blob of a manifest was exported.
func (x *exported) complete(raw []byte) bool {
	m, err := v1.ParseManifest(bytes.NewReader(raw))
	if err != nil {
		return false
	}
	have := map[string]bool{}
	for _, f := range x.files {
		have[f.hex] = true
	}
	return !slices.ContainsFunc(append(m.Layers, m.Config), func(d v1.Descriptor) bool { return !have[d.Digest.Hex] })
}

// verify checks layers that are not compressed against the configuration, at no cost. Whoever unpacks compressed ones has
// to check them then.
func (x *exported) verify(config exportedFile, layers []exportedFile) error {
	c, err := v1.ParseConfigFile(bytes.NewReader(x.documents[config.hex]))
	if err != nil {
		return fmt.Errorf("configuration of the export: %s", plain(err))
	}
	if len(c.RootFS.DiffIDs) != len(layers) {
		return fmt.Errorf("the export has %d layers, its configuration names %d", len(layers), len(c.RootFS.DiffIDs))
	}
	for i, layer := range layers {
		if !layer.packed && c.RootFS.DiffIDs[i].Hex != layer.hex {
			return fmt.Errorf("layer %d of the export: %w", i+1, errWrongDigest)
		}
	}
	return nil
}

// newManifest describes the files of an export as an OCI image.
func newManifest(config exportedFile, layers []exportedFile) ([]byte, error) {
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Config: config.descriptor(types.OCIConfigJSON), Layers: []v1.Descriptor{}}
	for _, layer := range layers {
		media := types.OCIUncompressedLayer
		if layer.packed {
			media = types.OCILayer
		}
		m.Layers = append(m.Layers, layer.descriptor(media))
	}
	return json.Marshal(m)
}

func (f exportedFile) descriptor(media types.MediaType) v1.Descriptor {
	return v1.Descriptor{MediaType: media, Size: f.size, Digest: v1.Hash{Algorithm: "sha256", Hex: f.hex}}
}

// finish writes what makes a layout of the blobs and removes those that do not belong to the image.
func (x *exported) finish(manifest []byte) (audit.Digest, error) {
	m, err := v1.ParseManifest(bytes.NewReader(manifest))
	if err != nil {
		return "", errors.New(plain(err))
	}
	own := exportedFile{hex: audit.DigestOf(manifest).Hex(), size: int64(len(manifest))}
	index, err := json.Marshal(v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex,
		Manifests: []v1.Descriptor{own.descriptor(cmp.Or(m.MediaType, types.OCIManifestSchema1))}})
	if err != nil {
		return "", err
	}
	needed := map[string]bool{own.hex: true, m.Config.Digest.Hex: true}
	for _, layer := range m.Layers {
		needed[layer.Digest.Hex] = true
	}
	for _, f := range x.files {
		if needed[f.hex] {
			continue
		}
		needed[f.hex] = true // once
		if err := x.root.Remove("blobs/sha256/" + f.hex); err != nil {
			return "", errors.New(reason(err))
		}
	}
	for name, data := range map[string][]byte{"blobs/sha256/" + own.hex: manifest, "index.json": index, "oci-layout": []byte(`{"imageLayoutVersion":"1.0.0"}`)} {
		if err := x.root.WriteFile(name, data, 0o600); err != nil {
			return "", fmt.Errorf("writing the export: %s", reason(err))
		}
	}
	return audit.Digest("sha256:" + own.hex), nil
}
