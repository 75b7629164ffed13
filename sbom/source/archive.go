package source

import (
	"archive/tar"
	"bufio"
	"bytes"
	"cmp"
	"compress/flate"
	"compress/gzip"
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
	"path/filepath"
	"slices"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// maxArchiveLinks bounds how far a link in an archive is followed.
const maxArchiveLinks = 8

// dockerArchive is an archive of docker save or podman save, also of several images, also packed with gzip. The manifest
// digest of its images is not in it: they are known by the digest of their configuration, which is the image ID of engines.
//
// The archive is read by code of our own and not by pkg/v1/tarball of go-containerregistry, which follows links without
// end, trusts the number of layers and reads the whole archive again for each layer.
type dockerArchive struct {
	image
	read *dockerRead
}

// dockerRead holds what an archive was found to hold, so that it is not read again for each image in it.
type dockerRead struct {
	mu       sync.Mutex
	contents *dockerContents
}

// dockerManifest is one image in manifest.json.
type dockerManifest struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// dockerContents is what one pass through an archive shows.
type dockerContents struct {
	documents map[string][]byte
	files     map[string]dockerFile
	links     map[string]string
	images    []dockerManifest
}

// dockerFile is one file: its bytes as they are, and unpacked if they are packed with gzip.
type dockerFile struct {
	size     int64
	digest   string
	unpacked string
	packed   bool
}

// Inventory lists every image of the archive. An image whose layers are missing or altered is listed with a failure.
func (d dockerArchive) Inventory(ctx context.Context) (sbom.Inventory, error) {
	c, err := d.load(ctx)
	if err != nil {
		return sbom.Inventory{}, fmt.Errorf("reading image %q: %w", shownRef(d.ref), err)
	}
	raw := c.documents["manifest.json"]
	origin := audit.Origin{Source: "image", Path: d.where(), Digest: audit.DigestOf(raw), At: d.opt.At}
	if _, err := keepInput(ctx, d.opt, "manifest.json of "+d.where(), "application/json", raw, origin); err != nil {
		return sbom.Inventory{}, fmt.Errorf("keeping manifest.json of %q as evidence: %w", shownRef(d.ref), err)
	}
	r := dockerReader{dockerArchive: d, contents: c, origin: origin, seen: map[string]bool{}, inv: sbom.Inventory{Schema: sbom.InventorySchema}}
	for i, m := range c.images {
		r.describe(i, m)
	}
	if len(r.inv.Artifacts) == 0 {
		return sbom.Inventory{}, fmt.Errorf("reading image %q: %s", shownRef(d.ref), r.inv.Failures[0].Reason)
	}
	return sortInventory(r.inv), nil
}

// load reads the archive, once while the source lives.
func (d dockerArchive) load(ctx context.Context) (*dockerContents, error) {
	d.read.mu.Lock()
	defer d.read.mu.Unlock()
	if d.read.contents != nil {
		return d.read.contents, nil
	}
	c := &dockerContents{documents: map[string][]byte{}, files: map[string]dockerFile{}, links: map[string]string{}}
	if err := d.pass(ctx, c.entries); err != nil {
		return nil, err
	}
	if err := c.parse(); err != nil {
		return nil, err
	}
	d.read.contents = c
	return c, nil
}

// pass goes through the archive once.
func (d dockerArchive) pass(ctx context.Context, entries func(*tar.Reader) error) error {
	info, err := os.Stat(d.path)
	switch {
	case err != nil:
		return errors.New(reason(err))
	case info.IsDir():
		return errors.New("it is a directory; for a layout directory write oci:DIRECTORY")
	case !info.Mode().IsRegular():
		return errors.New("it is no regular file")
	}
	f, err := os.Open(d.path)
	if err != nil {
		return errors.New(reason(err))
	}
	defer f.Close()
	return readTar(ctx, f, entries)
}

// entries reads every entry, within limits.
func (c *dockerContents) entries(t *tar.Reader) error {
	seen, kept := map[string]bool{}, 0
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return err
		}
		if len(seen) >= maxArchiveEntries {
			return fmt.Errorf("more than %d entries", maxArchiveEntries)
		}
		name, link, err := dockerEntryName(h)
		if err != nil {
			return err
		}
		if seen[name] && h.Typeflag != tar.TypeDir {
			return fmt.Errorf("entry %q occurs twice", name)
		}
		seen[name] = true
		if link != "" {
			c.links[name] = link
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		data, file, err := readDockerEntry(t, h.Size)
		if err != nil {
			return err
		}
		if kept += len(data); kept > maxArchiveKept {
			return fmt.Errorf("its documents have more than %d bytes", maxArchiveKept)
		}
		c.files[name] = file
		if data != nil {
			c.documents[name] = data
		}
	}
}

// dockerEntryName checks an entry and returns its name and, of a link, what it leads to. Old archives hold links between
// layers; they are followed by name inside the archive, never on this machine.
func dockerEntryName(h *tar.Header) (name, link string, err error) {
	plainEntry := *h
	switch h.Typeflag {
	case tar.TypeSymlink:
		link, plainEntry.Typeflag = path.Join(path.Dir(path.Clean(h.Name)), h.Linkname), tar.TypeReg
	case tar.TypeLink:
		link, plainEntry.Typeflag = path.Clean(h.Linkname), tar.TypeReg
	}
	if name, err = entryName(&plainEntry); err != nil {
		return "", "", err
	}
	if link != "" && (path.IsAbs(h.Linkname) || !fs.ValidPath(link)) {
		return "", "", fmt.Errorf("entry %q is a link that leads out of the archive", h.Name)
	}
	return name, link, nil
}

// readDockerEntry hashes an entry as it is and unpacked, and keeps it if it is a document.
func readDockerEntry(t io.Reader, size int64) ([]byte, dockerFile, error) {
	whole := sha256.New()
	raw := &counter{r: io.TeeReader(t, whole)}
	r := bufio.NewReaderSize(raw, 1<<15)
	first, _ := r.Peek(2)
	f := dockerFile{size: size, packed: bytes.Equal(first, []byte{0x1f, 0x8b})}
	var data []byte
	var err error
	switch {
	case f.packed:
		f.unpacked, err = unpackedDigest(r, raw)
	case size <= maxDocument && len(first) > 0 && (first[0] == '{' || first[0] == '['):
		data, err = io.ReadAll(r)
	}
	if err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	f.digest = hex.EncodeToString(whole.Sum(nil))
	if !f.packed {
		f.unpacked = f.digest
	}
	return data, f, err
}

// unpackedDigest hashes what is packed with gzip. Damage of the packed bytes gives no digest, which no layer has; only a
// bomb ends the reading.
func unpackedDigest(r io.Reader, raw *counter) (string, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return "", nil
	}
	h := sha256.New()
	c := &counter{r: z, limit: maxArchiveBytes, packed: raw}
	_, err = io.Copy(h, c)
	switch {
	case err == nil:
		return hex.EncodeToString(h.Sum(nil)), nil
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, new(flate.CorruptInputError)):
		return "", nil
	}
	return "", err
}

// parse reads manifest.json.
func (c *dockerContents) parse() error {
	raw, ok := c.documents["manifest.json"]
	if !ok {
		if _, ok := c.documents["oci-layout"]; ok {
			return errors.New("it is an archive of an OCI image layout; write oci-archive:FILE")
		}
		return errors.New("it holds no manifest.json: this is no archive of docker save")
	}
	if err := json.Unmarshal(raw, &c.images); err != nil {
		return fmt.Errorf("manifest.json: %s", plain(err))
	}
	if len(c.images) == 0 {
		return errors.New("manifest.json lists no image")
	}
	if len(c.images) > maxImages {
		return fmt.Errorf("manifest.json lists more than %d images", maxImages)
	}
	return nil
}

// follow returns the name of the file that a name leads to.
func (c *dockerContents) follow(name string) (string, error) {
	for range maxArchiveLinks {
		if _, ok := c.files[name]; ok {
			return name, nil
		}
		next, ok := c.links[name]
		if !ok {
			return "", errors.New("it is not there")
		}
		name = next
	}
	return "", fmt.Errorf("it is a link that leads more than %d steps", maxArchiveLinks)
}

// dockerImage is one image whose configuration was read.
type dockerImage struct {
	config *v1.ConfigFile
	raw    []byte
	digest audit.Digest
}

// image reads the configuration of an image. Its name in the archive is its digest, in old and new archives.
func (c *dockerContents) image(m dockerManifest) (dockerImage, error) {
	name, err := c.follow(m.Config)
	if err != nil {
		return dockerImage{}, fmt.Errorf("configuration %q: %w", clip(m.Config), err)
	}
	raw, ok := c.documents[name]
	if !ok {
		return dockerImage{}, fmt.Errorf("configuration %q: it is no JSON object of at most %d bytes", clip(m.Config), maxDocument)
	}
	i := dockerImage{raw: raw, digest: audit.DigestOf(raw)}
	if said := strings.TrimSuffix(path.Base(m.Config), ".json"); len(said) == 64 && said != i.digest.Hex() {
		return dockerImage{}, fmt.Errorf("configuration %q: %w", clip(m.Config), errWrongDigest)
	}
	if i.config, err = v1.ParseConfigFile(bytes.NewReader(raw)); err != nil {
		return dockerImage{}, fmt.Errorf("configuration %q: %s", clip(m.Config), plain(err))
	}
	return i, nil
}

// layers returns the files of the layers, each of which must unpack to what the configuration says.
func (c *dockerContents) layers(m dockerManifest, i dockerImage) ([]string, error) {
	ids := i.config.RootFS.DiffIDs
	if len(ids) != len(m.Layers) {
		return nil, fmt.Errorf("manifest.json lists %d layers, the configuration %d", len(m.Layers), len(ids))
	}
	var out []string
	for n, layer := range m.Layers {
		name, err := c.follow(layer)
		if err == nil && c.files[name].unpacked != ids[n].Hex {
			err = errors.New("its contents do not match the diff_id of the configuration")
		}
		if err != nil {
			return nil, fmt.Errorf("layer %d of %d: %w", n+1, len(m.Layers), err)
		}
		out = append(out, name)
	}
	return out, nil
}

// dockerReader makes artifacts of the images of an archive.
type dockerReader struct {
	dockerArchive
	contents *dockerContents
	origin   audit.Origin
	seen     map[string]bool
	inv      sbom.Inventory
}

func (r *dockerReader) fail(n int, err error) {
	r.inv.Failures = append(r.inv.Failures, sbom.Failure{Source: "image " + r.where(), Origin: r.origin,
		Reason: fmt.Sprintf("image %d in manifest.json: %s", n+1, err), Settle: "save the image again with docker save or podman save"})
}

func (r *dockerReader) describe(n int, m dockerManifest) {
	i, err := r.contents.image(m)
	if err != nil {
		r.fail(n, err)
	} else if _, err := r.contents.layers(m, i); err != nil {
		r.fail(n, err)
	}
	a := sbom.Artifact{Kind: sbom.KindImage, Config: i.digest, TierHint: r.tier,
		Sightings: []sbom.Sighting{{Source: "image", Where: r.where(), State: sbom.StatePresent, Origin: r.origin}}}
	if r.tier != nil {
		a.HintRule = "stack file: tier of the source"
	}
	if i.config != nil {
		a.Labels = usefulLabels(i.config.Config.Labels)
		if plainWord(i.config.OS) && plainWord(i.config.Architecture) {
			a.Platform = i.config.OS + "/" + i.config.Architecture
		}
	}
	r.names(n, &a, m.RepoTags)
	switch {
	case a.ID == "":
		return // neither a name nor a configuration: the failure above is all that is known
	case r.seen[a.ID]:
		r.fail(n, fmt.Errorf("%q occurs twice", a.ID))
		return
	}
	r.seen[a.ID] = true
	r.inv.Artifacts = append(r.inv.Artifacts, a)
}

// names gives an image its names: a tag that names one version, else the smallest, and the others as aliases. The order
// in the file says nothing: tools write it as it comes.
func (r *dockerReader) names(n int, a *sbom.Artifact, tags []string) {
	if a.Config != "" {
		a.ID = "image:" + string(a.Config)
	}
	tags = slices.Clone(tags[:min(len(tags), maxImages)])
	slices.SortFunc(tags, func(x, y string) int { return cmp.Or(cmp.Compare(loose(x), loose(y)), cmp.Compare(x, y)) })
	for _, tag := range tags {
		ref, err := sbom.ParseReference(tag)
		if err != nil {
			r.fail(n, fmt.Errorf("tag: %w", err))
			continue
		}
		if a.Reference != "" {
			a.Aliases = append(a.Aliases, ref.String())
			continue
		}
		a.Reference, a.Name, a.Version, a.Unpinned = ref.String(), ref.Name(), sbom.ParseTag(ref.Tag).Version, ref.Unpinned()
		a.ID = "image:" + a.Reference
		a.Sightings[0].Reference = a.Reference
	}
	a.Aliases = sorted(a.Aliases, a.Reference)
	title := cmp.Or(a.Labels["name"], a.Labels["org.opencontainers.image.title"])
	a.Name = cmp.Or(a.Name, title, strings.ToLower(filepath.Base(r.path)))
	if label := a.Labels["org.opencontainers.image.version"]; a.Version == "" && strings.EqualFold(title, a.Name) {
		a.Version = sbom.ParseTag(label).Version
	}
}

// loose is 1 for a reference that may mean something else tomorrow.
func loose(tag string) int {
	if ref, err := sbom.ParseReference(tag); err == nil && ref.Unpinned() == "" {
		return 0
	}
	return 1
}

// sorted returns a list in order, each once, without one value.
func sorted(list []string, without string) []string {
	set := map[string]bool{}
	for _, s := range list {
		set[s] = s != without
	}
	var out []string
	for _, s := range sortedKeys(set) {
		if set[s] {
			out = append(out, s)
		}
	}
	return out
}

// Open writes one image of the archive as an OCI layout, which Target.Done removes.
func (d dockerArchive) Open(ctx context.Context, a sbom.Artifact) (sbom.Target, error) {
	c, err := d.load(ctx)
	if err != nil {
		return sbom.Target{}, fmt.Errorf("reading image %q: %w", shownRef(d.ref), err)
	}
	for _, m := range c.images {
		i, err := c.image(m)
		if err != nil || !i.is(a, m) {
			continue
		}
		dir, err := os.MkdirTemp(d.opt.TempDir, "pegel-archive-")
		if err != nil {
			return sbom.Target{}, fmt.Errorf("making a folder for an image: %s", reason(err))
		}
		done := func() error { return os.RemoveAll(dir) }
		digest, err := d.unpack(ctx, c, m, i, dir)
		if err != nil {
			return sbom.Target{}, cmp.Or(fmt.Errorf("reading image %q: %w", shownRef(d.ref), err), done())
		}
		a.Digest = digest
		return sbom.Target{Artifact: a, Path: dir, Form: "oci-dir", Done: done}, nil
	}
	return sbom.Target{}, sbom.ErrNoContents
}

// is reports whether an artifact is this image: by its configuration if that is known, else by its name.
func (i dockerImage) is(a sbom.Artifact, m dockerManifest) bool {
	if a.Config != "" {
		return a.Config == i.digest
	}
	for _, tag := range m.RepoTags {
		if tag == a.Reference {
			return true
		}
	}
	return false
}

// unpack writes the layout of one image and returns the digest of the manifest that it makes for it.
func (d dockerArchive) unpack(ctx context.Context, c *dockerContents, m dockerManifest, i dockerImage, dir string) (audit.Digest, error) {
	names, err := c.layers(m, i)
	if err != nil {
		return "", err
	}
	manifest := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Layers: []v1.Descriptor{},
		Config: v1.Descriptor{MediaType: types.OCIConfigJSON, Size: int64(len(i.raw)), Digest: v1.Hash{Algorithm: "sha256", Hex: i.digest.Hex()}}}
	wanted := map[string]bool{}
	for _, name := range names {
		f := c.files[name]
		media := types.OCIUncompressedLayer
		if f.packed {
			media = types.OCILayer
		}
		manifest.Layers = append(manifest.Layers, v1.Descriptor{MediaType: media, Size: f.size, Digest: v1.Hash{Algorithm: "sha256", Hex: f.digest}})
		wanted[name] = true
	}
	raw, err := json.Marshal(manifest)
	if err != nil {
		return "", err
	}
	if err := writeLayout(dir, manifest.MediaType, raw, map[string][]byte{i.digest.Hex(): i.raw}); err != nil {
		return "", err
	}
	return audit.DigestOf(raw), d.pass(ctx, func(t *tar.Reader) error { return c.copyLayers(t, wanted, dir) })
}

// copyLayers writes the layers that are wanted as blobs. An archive that changed since it was read is refused.
func (c *dockerContents) copyLayers(t *tar.Reader, wanted map[string]bool, dir string) error {
	left := len(wanted)
	for left > 0 {
		h, err := t.Next()
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return cmp.Or(changed(err), err)
		}
		name, _, err := dockerEntryName(h)
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg || !wanted[name] {
			continue
		}
		if err := copyLayer(t, c.files[name], dir); err != nil {
			return err
		}
		left--
	}
	return nil
}

// errChanged says that an archive is not what it was.
var errChanged = errors.New("the archive changed while it was read")

func changed(err error) error {
	if errors.Is(err, io.EOF) {
		return errChanged
	}
	return nil
}

func copyLayer(t io.Reader, want dockerFile, dir string) (err error) {
	f, err := os.OpenFile(filepath.Join(dir, "blobs", "sha256", want.digest), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return fmt.Errorf("writing a layer: %s", reason(err))
	}
	defer func() { err = cmp.Or(err, closing(f)) }()
	h := sha256.New()
	if _, err := io.Copy(io.MultiWriter(f, h), io.LimitReader(t, want.size+1)); err != nil {
		return err
	}
	if hex.EncodeToString(h.Sum(nil)) != want.digest {
		return errChanged
	}
	return nil
}
