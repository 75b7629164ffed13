package source

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// Limits of a layout. Layers are not counted here; they are streamed.
const (
	maxImages     = 1000
	maxIndexDepth = 4
	maxDocument   = 4 << 20 // of an index, manifest or configuration, as registries limit them
	maxLabel      = 1024
)

// platform is the one that is taken where an index offers several: what the reference stack runs on.
const platform = "linux/amd64"

// Annotations that tell the name of an image in a layout: the first of containerd, the second of the OCI specification.
var nameAnnotations = [...]string{"io.containerd.image.name", "org.opencontainers.image.ref.name"}

// image is an OCI image layout, as a directory or as an archive (tar, also compressed with gzip). Every image in it is
// listed with its manifest digest. All blobs that belong to an image are checked against their digests.
type image struct {
	ref  string // as written
	path string // on this machine
	form string // oci-dir or oci-archive
	tier []string
	opt  Options
}

func decodeImage(v values, opt Options) (sbom.Source, error) {
	tier, err := v.tier()
	if err != nil {
		return nil, err
	}
	s := image{ref: v.text["ref"], tier: tier, opt: opt}
	scheme, rest, _ := strings.Cut(s.ref, ":")
	switch scheme {
	case "oci":
		s.form = "oci-dir"
	case "oci-archive":
		s.form = "oci-archive"
	case "docker-archive":
		s.form = "docker-archive"
	default:
		return decodeRegistryImage(v, tier, opt)
	}
	if rest == "" {
		return nil, at(v.at["ref"], "ref %q names no path", s.ref)
	}
	for _, key := range []string{"platform", "mirror", "insecure"} {
		if v.has(key) {
			return nil, at(v.at[key], "%s is for images in registries; %q is a file", key, shownRef(s.ref))
		}
	}
	s.path = v.path(rest)
	if s.form == "docker-archive" {
		return dockerArchive{image: s, read: &dockerRead{}}, nil
	}
	return s, nil
}

// Name returns the kind and the reference as the stack file gives it.
func (s image) Name() string { return "image " + shownRef(s.ref) }

// Contacts returns the one path that is read.
func (s image) Contacts() []audit.Contact {
	return []audit.Contact{{Host: "local", Address: s.ref, Right: "read", Purpose: "contents of container images"}}
}

// Open returns the layout; Target.Artifact.Digest says which manifest in it.
func (s image) Open(_ context.Context, a sbom.Artifact) (sbom.Target, error) {
	return sbom.Target{Artifact: a, Path: s.path, Form: s.form}, nil
}

// where returns the reference as reports may show it.
func (s image) where() string {
	scheme, rest, _ := strings.Cut(s.ref, ":")
	return scheme + ":" + shown(rest)
}

// Inventory lists every image of the layout. An image whose blobs are missing or altered is listed with a failure; a
// layout that cannot be read at all is an error.
func (s image) Inventory(ctx context.Context) (sbom.Inventory, error) {
	l, err := s.open(ctx)
	if err != nil {
		return sbom.Inventory{}, fmt.Errorf("reading image %q: %w", shownRef(s.ref), err)
	}
	defer l.close()
	r := imageReader{image: s, layout: l, inv: sbom.Inventory{Schema: sbom.InventorySchema}}
	raw, err := l.document("index.json")
	if err != nil {
		return sbom.Inventory{}, fmt.Errorf("reading image %q: index.json: %s", shownRef(s.ref), reason(err))
	}
	index, err := v1.ParseIndexManifest(bytes.NewReader(raw))
	if err != nil {
		return sbom.Inventory{}, fmt.Errorf("reading image %q: index.json is no index of images: %s", shownRef(s.ref), plain(err))
	}
	if err := r.walk(ctx, index.Manifests, "", 0); err != nil {
		return sbom.Inventory{}, err
	}
	if len(r.found) == 0 {
		if len(r.inv.Failures) > 0 {
			return sbom.Inventory{}, fmt.Errorf("reading image %q: %s", shownRef(s.ref), r.inv.Failures[0].Reason)
		}
		return sbom.Inventory{}, fmt.Errorf("reading image %q: index.json lists no image", shownRef(s.ref))
	}
	for _, f := range r.found {
		if err := r.describe(ctx, f); err != nil {
			return sbom.Inventory{}, err
		}
	}
	return sortInventory(sbom.Merge(r.inv)), nil
}

func (s image) open(ctx context.Context) (layout, error) {
	if s.form == "oci-dir" {
		return openDir(s.path)
	}
	return openArchive(ctx, s.path)
}

// imageReader collects the images of one layout.
type imageReader struct {
	image
	layout layout
	found  []manifestFound
	inv    sbom.Inventory
}

// manifestFound is one image manifest.
type manifestFound struct {
	desc     v1.Descriptor
	name     string // annotation, perhaps of the index that holds it
	raw      []byte
	manifest *v1.Manifest
}

func (r *imageReader) fail(digest, settle, format string, args ...any) {
	o := audit.Origin{Source: "image", Path: r.where(), At: r.opt.At}
	if d, err := audit.ParseDigest(digest); err == nil {
		o.Digest = d
	}
	r.inv.Failures = append(r.inv.Failures, sbom.Failure{Source: "image " + r.where(), Reason: fmt.Sprintf(format, args...), Settle: settle, Origin: o})
}

// walk collects the image manifests of an index. Of a nested index, which offers one image for several platforms, only
// the one for linux/amd64 is taken. Attestations and signatures, which describe other manifests, are left out.
func (r *imageReader) walk(ctx context.Context, list []v1.Descriptor, name string, depth int) error {
	for _, d := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(r.found) >= maxImages {
			r.fail("", "", "more than %d images in one layout; the others were not read", maxImages)
			return nil
		}
		own := cmp.Or(annotatedName(d.Annotations), name)
		switch {
		case d.MediaType == types.OCIImageIndex || d.MediaType == types.DockerManifestList:
			if err := r.nested(ctx, d, own, depth); err != nil {
				return err
			}
		case d.MediaType == types.OCIManifestSchema1 || d.MediaType == types.DockerManifestSchema2:
			r.manifest(d, own)
		default:
			r.fail(d.Digest.String(), "", "%s: media type %q is no image", d.Digest, d.MediaType)
		}
	}
	return nil
}

func (r *imageReader) nested(ctx context.Context, d v1.Descriptor, name string, depth int) error {
	if depth >= maxIndexDepth {
		r.fail(d.Digest.String(), "", "%s: index within index more than %d deep", d.Digest, maxIndexDepth)
		return nil
	}
	raw, err := r.layout.blob(d)
	if err != nil {
		r.fail(d.Digest.String(), copyAgain, "index %s: %s", d.Digest, reason(err))
		return nil
	}
	index, err := v1.ParseIndexManifest(bytes.NewReader(raw))
	if err != nil {
		r.fail(d.Digest.String(), "", "index %s: %s", d.Digest, plain(err))
		return nil
	}
	chosen, offered := choose(index.Manifests)
	if chosen == nil {
		r.fail(d.Digest.String(), "copy the image for "+platform, "index %s offers no image for %s, only %s", d.Digest, platform, cmp.Or(offered, "nothing"))
		return nil
	}
	return r.walk(ctx, chosen, name, depth+1)
}

// choose returns the manifests for our platform; a single one without a platform is taken as it is. The text lists the
// platforms that are offered.
func choose(list []v1.Descriptor) (chosen []v1.Descriptor, offered string) {
	var names []string
	var images []v1.Descriptor
	for _, d := range list {
		if d.Platform != nil && d.Platform.OS == "unknown" {
			continue // attestation of a builder
		}
		images = append(images, d)
		if d.Platform == nil {
			continue
		}
		name := d.Platform.OS + "/" + d.Platform.Architecture
		names = append(names, name)
		if name == platform {
			chosen = append(chosen, d)
		}
	}
	if chosen == nil && len(images) == 1 && images[0].Platform == nil {
		chosen = images
	}
	slices.Sort(names)
	return chosen, strings.Join(slices.Compact(names), ", ")
}

func (r *imageReader) manifest(d v1.Descriptor, name string) {
	raw, err := r.layout.blob(d)
	if err != nil {
		r.fail(d.Digest.String(), copyAgain, "manifest %s: %s", d.Digest, reason(err))
		return
	}
	m, err := v1.ParseManifest(bytes.NewReader(raw))
	if err != nil {
		r.fail(d.Digest.String(), "", "manifest %s: %s", d.Digest, plain(err))
		return
	}
	if m.Subject != nil && m.Config.MediaType != types.OCIConfigJSON && m.Config.MediaType != types.DockerConfigJSON {
		return // a signature, an SBOM or the like about an image
	}
	if m.Config.MediaType != types.OCIConfigJSON && m.Config.MediaType != types.DockerConfigJSON {
		r.fail(d.Digest.String(), "", "manifest %s holds %q, which is no container image", d.Digest, cmp.Or(string(m.Config.MediaType), "nothing named"))
		return
	}
	r.found = append(r.found, manifestFound{desc: d, name: name, raw: raw, manifest: m})
}

// describe adds the artifact of one manifest and checks its blobs.
func (r *imageReader) describe(ctx context.Context, f manifestFound) error {
	digest := audit.Digest(f.desc.Digest.String())
	origin := audit.Origin{Source: "image", Path: r.where(), Digest: digest, At: r.opt.At}
	if _, err := keepInput(ctx, r.opt, "manifest of "+r.where(), string(f.desc.MediaType), f.raw, origin); err != nil {
		return fmt.Errorf("keeping the manifest of %q as evidence: %w", shownRef(r.ref), err)
	}
	a := sbom.Artifact{ID: "image:" + string(digest), Kind: sbom.KindImage, Digest: digest, TierHint: r.tier,
		Sightings: []sbom.Sighting{{Source: "image", Where: r.where(), State: sbom.StatePresent, Digest: digest, Origin: origin}}}
	if r.tier != nil {
		a.HintRule = "stack file: tier of the source"
	}
	if raw, err := r.layout.blob(f.manifest.Config); err != nil {
		r.fail(string(digest), copyAgain, "configuration of image %s: %s", digest, reason(err))
	} else if config, err := v1.ParseConfigFile(bytes.NewReader(raw)); err != nil {
		r.fail(string(digest), "", "configuration of image %s: %s", digest, plain(err))
	} else {
		a.Labels = usefulLabels(config.Config.Labels)
		if config.OS != "" && config.Architecture != "" {
			a.Platform = config.OS + "/" + config.Architecture
		}
	}
	r.name(&a, f.name)
	for _, layer := range f.manifest.Layers {
		if err := r.layout.verify(ctx, layer); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.fail(string(digest), copyAgain, "image %s: layer %s: %s", digest, layer.Digest, reason(err))
		}
	}
	r.inv.Artifacts = append(r.inv.Artifacts, a)
	return nil
}

// name gives an artifact its name, reference and version: from the annotation of the layout if that is a reference, else
// from the name of the directory or file, and in a layout of several images from the labels. The version is that of the
// tag. The version label counts only where the title label shows that it was written for this image: images inherit
// labels from the image they are built from.
func (r *imageReader) name(a *sbom.Artifact, annotated string) {
	title := cmp.Or(a.Labels["name"], a.Labels["org.opencontainers.image.title"])
	stem := strings.ToLower(filepath.Base(r.path))
	for _, suffix := range []string{".gz", ".tgz", ".tar"} {
		stem = strings.TrimSuffix(stem, suffix)
	}
	if len(r.found) > 1 && title != "" {
		stem = strings.ToLower(title)
	}
	ref, err := sbom.ParseReference(annotated)
	if err != nil || !strings.ContainsAny(annotated, "/:@") { // nothing, or a tag alone, as skopeo writes it
		text := stem
		if annotated != "" {
			text += ":" + annotated
		}
		if ref, err = sbom.ParseReference(text); err != nil {
			ref, err = sbom.ParseReference(stem)
		}
	}
	if err != nil {
		a.Name = cmp.Or(title, stem)
		return
	}
	a.Name, a.Reference, a.Version = ref.Name(), ref.String(), sbom.ParseTag(ref.Tag).Version
	if label := a.Labels["org.opencontainers.image.version"]; a.Version == "" && strings.EqualFold(title, a.Name) {
		a.Version = sbom.ParseTag(label).Version
	}
}

func annotatedName(annotations map[string]string) string {
	for _, key := range nameAnnotations {
		if annotations[key] != "" {
			return annotations[key]
		}
	}
	return ""
}

// usefulLabels keeps the labels that bear on name, licence, version and source of an image (kolla, OSISM and the OCI
// specification), without those that hold addresses of people or credentials.
func usefulLabels(labels map[string]string) map[string]string {
	out := maps.Clone(labels)
	maps.DeleteFunc(out, func(key, value string) bool {
		if !isUseful(key) || value == "" || len(value) > maxLabel || strings.Contains(value, "@") {
			return true
		}
		u, err := url.Parse(value)
		return err == nil && u.User != nil
	})
	if len(out) == 0 {
		return nil
	}
	return out
}

func isUseful(key string) bool {
	switch key {
	case "name", "build-date", "kolla_version",
		"org.opencontainers.image.base.digest", "org.opencontainers.image.base.name", "org.opencontainers.image.created",
		"org.opencontainers.image.documentation", "org.opencontainers.image.licenses", "org.opencontainers.image.revision",
		"org.opencontainers.image.source", "org.opencontainers.image.title", "org.opencontainers.image.url",
		"org.opencontainers.image.vendor", "org.opencontainers.image.version":
		return true
	}
	return strings.HasPrefix(key, "de.osism.")
}

// plain returns an error of encoding/json without the name of the package.
func plain(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "it ends too early"
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// rootOf opens a directory so that names in it cannot lead out.
func rootOf(dir string) (*os.Root, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, errors.New("it is a file; for an archive write oci-archive:FILE")
	}
	return os.OpenRoot(dir)
}
