package source

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// Limits of one pull. The largest image of the reference stack has 2 GB in 40 layers.
const (
	maxPullLayers = 1000
	maxPullBytes  = 64 << 30
)

// blobStore is the folder that the images of one source share while they are open: a layer that two of them have is
// pulled once. It is made with the first image and removed with the last.
type blobStore struct {
	temp string
	turn chan struct{} // held by the one that downloads

	mu    sync.Mutex
	dir   string // empty while no image is open
	users int
}

func newBlobStore(temp string) *blobStore {
	return &blobStore{temp: temp, turn: make(chan struct{}, 1)}
}

// enter makes a folder for one image; leave removes it.
func (s *blobStore) enter() (dir string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users == 0 {
		if s.dir, err = os.MkdirTemp(s.temp, "pegel-pull-"); err != nil {
			return "", fmt.Errorf("making a folder for pulled images: %s", reason(err))
		}
	}
	if dir, err = os.MkdirTemp(s.dir, "image-"); err != nil {
		err = fmt.Errorf("making a folder for a pulled image: %s", reason(err))
		if s.users == 0 {
			_ = os.RemoveAll(s.dir) // the error above says what happened
		}
		return "", err
	}
	s.users++
	return dir, nil
}

func (s *blobStore) leave(dir string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users--
	if s.users == 0 {
		dir, s.dir = s.dir, ""
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("removing a pulled image: %s", reason(err))
	}
	return nil
}

// blob puts a blob into a layout, from the store or from the registry.
func (s *blobStore) blob(ctx context.Context, c *registryClient, repo string, d v1.Descriptor, layout string) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	s.mu.Lock()
	shared := filepath.Join(s.dir, d.Digest.Hex)
	s.mu.Unlock()
	info, err := os.Stat(shared)
	switch {
	case err != nil:
		if err := c.download(ctx, repo, d, shared); err != nil {
			return err
		}
	case info.Size() != d.Size:
		return refusal(askRegistry, "layer %s: %s", d.Digest, wrongSize(info.Size(), d.Size))
	}
	if err := os.Link(shared, filepath.Join(layout, blobName(d.Digest))); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("placing layer %s: %s", d.Digest, reason(err))
	}
	return nil
}

// download writes a blob to a file and checks size and digest. What is not complete is removed.
func (c *registryClient) download(ctx context.Context, repo string, d v1.Descriptor, path string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "part-")
	if err != nil {
		return fmt.Errorf("making a file for layer %s: %s", d.Digest, reason(err))
	}
	defer func() {
		err = cmp.Or(err, closing(f))
		if err == nil {
			err = os.Rename(f.Name(), path)
		}
		if err != nil {
			_ = os.Remove(f.Name()) // the error says what happened
		}
	}()
	timed, stop := context.WithCancelCause(context.WithValue(ctx, bodyLimit{}, d.Size))
	defer stop(nil)
	watch := time.AfterFunc(c.patience.silence, func() { stop(context.DeadlineExceeded) })
	defer watch.Stop()
	resp, err := c.get(timed, repo, "blobs/"+d.Digest.String(), "")
	if err != nil {
		return c.orSilent(ctx, timed, err)
	}
	defer resp.Body.Close()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, h), watched{resp.Body, watch, c.patience.silence})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, new(*pathError)):
		return fmt.Errorf("writing layer %s: %s", d.Digest, reason(err))
	case err != nil:
		return refusal("run again when the registry is well", "layer %s: %s", d.Digest, c.orSilent(ctx, timed, c.explain(err, repo)))
	case n != d.Size:
		return refusal(askRegistry, "layer %s: %s", d.Digest, wrongSize(n, d.Size))
	case hex.EncodeToString(h.Sum(nil)) != d.Digest.Hex:
		return refusal(askRegistry, "layer %s: %s", d.Digest, errWrongDigest)
	}
	return nil
}

func closing(f *os.File) error {
	if err := f.Close(); err != nil {
		return fmt.Errorf("writing a layer: %s", reason(err))
	}
	return nil
}

// orSilent returns the end of the run, or that the registry fell silent, rather than what it led to.
func (c *registryClient) orSilent(ctx, timed context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(context.Cause(timed), context.DeadlineExceeded):
		return refusal("run again when the registry is well", "it sent nothing for %s", c.patience.silence)
	}
	return err
}

// watched puts off the end of patience with every piece that arrives.
type watched struct {
	r     io.Reader
	timer *time.Timer
	d     time.Duration
}

func (w watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if n > 0 {
		w.timer.Reset(w.d)
	}
	return n, err
}

// pull writes one image by its digest as an OCI layout and returns its folder, the digest of the manifest in it, and how to
// remove it. A digest of an index gives its image for the platform. Nothing is left behind by an error.
func (s *blobStore) pull(ctx context.Context, c *registryClient, repo string, digest audit.Digest, want v1.Platform) (dir string, f registryFound, done func() error, err error) {
	if f, err = c.resolve(ctx, repo, string(digest), want); err != nil {
		return "", f, nil, err
	}
	if err := checkPull(f.manifest); err != nil {
		return "", f, nil, err
	}
	if dir, err = s.enter(); err != nil {
		return "", f, nil, err
	}
	if err := s.fill(ctx, c, repo, f, dir); err != nil {
		return "", f, nil, cmp.Or(err, s.leave(dir))
	}
	var once sync.Once
	return dir, f, func() (err error) {
		once.Do(func() { err = s.leave(dir) })
		return err
	}, nil
}

// checkPull refuses images that would fill the disk or that no registry has in full.
func checkPull(m *v1.Manifest) error {
	if len(m.Layers) > maxPullLayers {
		return refusal("", "the image has more than %d layers", maxPullLayers)
	}
	total := int64(0)
	for _, l := range m.Layers {
		switch {
		case !l.MediaType.IsDistributable():
			return refusal("scan the image where it runs", "layer %s may not be distributed by registries", l.Digest)
		case l.Digest.Algorithm != "sha256":
			return refusal("", "the digest of a layer is not SHA-256")
		case l.Size < 0 || l.Size > maxPullBytes-total:
			return refusal("", "its layers have more than %d bytes", int64(maxPullBytes))
		}
		total += l.Size
	}
	return nil
}

// fill writes the files of a layout.
func (s *blobStore) fill(ctx context.Context, c *registryClient, repo string, f registryFound, dir string) error {
	config, err := c.small(ctx, repo, f.manifest.Config, maxDocument)
	if err != nil {
		return err
	}
	media := types.MediaType(cmp.Or(string(f.manifest.MediaType), f.image.mediaType))
	if err := writeLayout(dir, media, f.image.raw, map[string][]byte{f.manifest.Config.Digest.Hex: config}); err != nil {
		return err
	}
	for _, l := range f.manifest.Layers {
		if err := s.blob(ctx, c, repo, l, dir); err != nil {
			return err
		}
	}
	return nil
}

// writeLayout writes an OCI layout of one image without its layers.
func writeLayout(dir string, media types.MediaType, manifest []byte, small map[string][]byte) error {
	digest := audit.DigestOf(manifest)
	hash, err := v1.NewHash(string(digest))
	if err != nil {
		return err
	}
	index, err := json.Marshal(v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex,
		Manifests: []v1.Descriptor{{MediaType: media, Size: int64(len(manifest)), Digest: hash}}})
	if err != nil {
		return err
	}
	files := map[string][]byte{"oci-layout": []byte(`{"imageLayoutVersion":"1.0.0"}`), "index.json": index, "blobs/sha256/" + hash.Hex: manifest}
	for hexDigits, data := range small {
		files["blobs/sha256/"+hexDigits] = data
	}
	if err := os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o755); err != nil {
		return fmt.Errorf("writing a layout: %s", reason(err))
	}
	for _, name := range sortedKeys(files) {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), files[name], 0o644); err != nil {
			return fmt.Errorf("writing a layout: %s", reason(err))
		}
	}
	return nil
}

// pulled is the target that a pull made. Its digest is that of the manifest in the layout.
func pulled(a sbom.Artifact, dir string, f registryFound, done func() error) sbom.Target {
	if a.Digest != f.image.digest {
		a.Digests = append(slices.Clone(a.Digests), a.Digest)
		slices.Sort(a.Digests)
		a.Digest = f.image.digest
	}
	return sbom.Target{Artifact: a, Path: dir, Form: "oci-dir", Done: done}
}

// Open pulls the image by its digest.
func (s registryImage) Open(ctx context.Context, a sbom.Artifact) (sbom.Target, error) {
	if a.Digest == "" {
		return sbom.Target{}, sbom.ErrNoContents
	}
	return s.store.open(ctx, s.client, s.place, s.named, a, s.platform)
}

// open pulls an artifact from one repository under the first of its digests that is there.
func (s *blobStore) open(ctx context.Context, c *registryClient, place registryPlace, ref sbom.Reference, a sbom.Artifact, want v1.Platform) (sbom.Target, error) {
	var failed error
	for _, digest := range append([]audit.Digest{a.Digest}, a.Digests...) {
		dir, f, done, err := s.pull(ctx, c, place.repository(ref), digest, want)
		if err == nil {
			return pulled(a, dir, f, done), nil
		}
		if failed == nil {
			failed = pullError(ctx, ref, place, err)
		}
		if refused := (*registryRefusal)(nil); !errors.As(err, &refused) || refused.status != http.StatusNotFound {
			break
		}
	}
	return sbom.Target{}, failed
}

func pullError(ctx context.Context, ref sbom.Reference, place registryPlace, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	text := err.Error()
	if refused := (*registryRefusal)(nil); errors.As(err, &refused) && refused.settle != "" {
		text += "; " + refused.settle
	}
	return fmt.Errorf("pulling %q from registry %q: %s", ref.Repository(), place.String(), text)
}

// registryPull has no inventory of its own. It pulls the images that other sources found, by their digests.
type registryPull struct {
	all      bool // also what is only declared
	platform v1.Platform
	mirrors  map[string]registryPlace // by registry
	insecure map[string]bool
	opt      Options
	store    *blobStore
	mu       *sync.Mutex
	clients  map[string]*registryClient
}

func decodeRegistry(v values, opt Options) (sbom.Source, error) {
	r := registryPull{opt: opt, store: newBlobStore(opt.TempDir), mu: new(sync.Mutex), mirrors: map[string]registryPlace{},
		insecure: map[string]bool{}, clients: map[string]*registryClient{}}
	switch pull := v.text["pull"]; pull {
	case "seen":
	case "all":
		r.all = true
	default:
		return nil, at(v.at["pull"], "pull %q is neither seen (what was seen running or stored) nor all (also what is only declared)", pull)
	}
	var err error
	if r.platform, err = platformOf(v); err != nil {
		return nil, err
	}
	for _, host := range v.lists["insecure"] {
		if ref, err := sbom.ParseReference(host + "/x"); err != nil || ref.Registry != host {
			return nil, at(v.at["insecure"], "insecure %q is no registry; write host[:port]", host)
		}
		r.insecure[host] = true
	}
	for _, text := range v.lists["mirrors"] {
		from, to, ok := strings.Cut(text, "=")
		ref, refErr := sbom.ParseReference(from + "/x")
		place, err := parseMirror(to)
		if !ok || refErr != nil || ref.Registry != from || err != nil {
			return nil, at(v.at["mirrors"], "mirror %q is not REGISTRY=MIRROR, e.g. docker.io=registry.example.org/dockerhub", text)
		}
		if _, twice := r.mirrors[from]; twice {
			return nil, at(v.at["mirrors"], "registry %q has two mirrors", from)
		}
		r.mirrors[from] = place
	}
	return r, nil
}

// Name returns the kind.
func (r registryPull) Name() string { return "registry" }

// Contacts returns the mirrors, and what cannot be named before the inventory is known.
func (r registryPull) Contacts() []audit.Contact {
	const right = "pull, anonymous or with stored credentials; also token servers and blob storage"
	out := []audit.Contact{{Host: "registries of the images found", Address: "as each image names it, unless a mirror stands in", Right: right, Purpose: "contents of images"}}
	for _, from := range sortedKeys(r.mirrors) {
		m := r.mirrors[from]
		out = append(out, audit.Contact{Host: m.host, Address: m.String(), Right: right, Purpose: "contents of images of " + from})
	}
	if r.opt.Getenv != nil {
		out = append(out, audit.Contact{Host: "local", Address: "config.json of Docker, auth.json of Podman", Right: "read", Purpose: "credentials for these registries"})
	}
	return out
}

// Inventory finds nothing of its own.
func (r registryPull) Inventory(context.Context) (sbom.Inventory, error) {
	return sbom.Inventory{Schema: sbom.InventorySchema}, nil
}

// Open pulls an image that has a digest and a reference with a registry, from the first place that has it.
func (r registryPull) Open(ctx context.Context, a sbom.Artifact) (sbom.Target, error) {
	refs := pullReferences(a)
	if a.Kind != sbom.KindImage || a.Digest == "" || len(refs) == 0 || !r.all && !a.Seen() {
		return sbom.Target{}, sbom.ErrNoContents
	}
	var failed error
	for _, ref := range refs {
		place, client := r.client(ref.Registry)
		target, err := r.store.open(ctx, client, place, ref, a, r.platform)
		if err == nil || ctx.Err() != nil {
			return target, err
		}
		failed = cmp.Or(failed, err)
	}
	return sbom.Target{}, failed
}

// maxPullPlaces bounds the repositories that are asked for one image.
const maxPullPlaces = 4

// pullReferences are the repositories with a registry under which an image was found, each once.
func pullReferences(a sbom.Artifact) []sbom.Reference {
	texts := append([]string{a.Reference}, a.Aliases...)
	for _, s := range a.Sightings {
		texts = append(texts, s.Reference)
	}
	var out []sbom.Reference
	for _, text := range texts {
		ref, err := sbom.ParseReference(text)
		known := slices.ContainsFunc(out, func(r sbom.Reference) bool { return r.Repository() == ref.Repository() })
		if err == nil && ref.Registry != "" && !known && len(out) < maxPullPlaces {
			out = append(out, ref)
		}
	}
	return out
}

// client returns where a registry is asked, and the client for that.
func (r registryPull) client(registry string) (registryPlace, *registryClient) {
	place, ok := r.mirrors[registry]
	if !ok {
		place = registryPlace{host: registry}
	}
	place.plain = r.insecure[place.host]
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.clients[place.host]
	if c == nil {
		c = newRegistryClient(place.host, place.plain, r.opt, usualPatience())
		r.clients[place.host] = c
	}
	return place, c
}
