package source

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// Limits of the image that holds images.yml; a real one has one layer of some kilobytes with one file.
const (
	maxListLayers   = 16
	maxListEntries  = 10_000
	maxListUnpacked = 64 << 20
)

// listName is the file that the image kolla/release/sbom holds.
const listName = "images.yml"

// listForm splits what sbom: names: "oci" or "oci-archive" and a path, or a file and no form.
func listForm(text string) (form, name string) {
	for _, form := range []string{"oci", "oci-archive"} {
		if rest, ok := strings.CutPrefix(text, form+":"); ok {
			return form, rest
		}
	}
	return "", text
}

// readList reads the list of images that releases from 9.1 on keep in an image. If it cannot be read, that is a failure;
// the error is only for evidence that could not be kept.
func (r *osismReader) readList(ctx context.Context) error {
	if r.sbom == "" {
		return nil
	}
	name, data, err := r.listData(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	origin := audit.Origin{Source: "osism", Path: name, At: r.opt.At}
	if err != nil {
		r.fail(origin, "name images.yml of the image kolla/release/sbom, or a copy of the image: skopeo copy docker://IMAGE oci-archive:FILE",
			"%s: %s: the OpenStack services are not known", name, reason(err))
		return nil
	}
	m, err := r.parse(ctx, name, origin, data)
	if err != nil || m.top == nil {
		return err
	}
	r.read++
	r.versions(m)
	r.imageList(m)
	return nil
}

// listData returns the bytes of images.yml and how reports call it.
func (r *osismReader) listData(ctx context.Context) (name string, data []byte, err error) {
	form, written := listForm(r.sbom)
	if form == "" {
		data, err = readFile(r.list, maxManifest)
		return shown(written), data, err
	}
	name = form + ":" + shown(written)
	l, err := openList(ctx, form, r.list)
	if err != nil {
		return name, nil, err
	}
	defer l.close()
	manifest, ref, err := listManifest(ctx, l)
	if err != nil {
		return name, nil, err
	}
	r.compareRelease(name, ref)
	inside, data, err := listFile(l, manifest)
	if err != nil {
		return name, nil, err
	}
	return name + "/" + inside, data, nil
}

func openList(ctx context.Context, form, name string) (layout, error) {
	if form == "oci" {
		return openDir(name)
	}
	return openSmallArchive(ctx, name)
}

// listManifest returns the manifest of the one image in a layout and the name that the layout gives it.
func listManifest(ctx context.Context, l layout) (*v1.Manifest, string, error) {
	raw, err := l.document("index.json")
	if err != nil {
		return nil, "", fmt.Errorf("index.json: %s", reason(err))
	}
	index, err := v1.ParseIndexManifest(bytes.NewReader(raw))
	if err != nil {
		return nil, "", fmt.Errorf("index.json is no index of images: %s", plain(err))
	}
	walk := imageReader{layout: l}
	if err := walk.walk(ctx, index.Manifests, "", 0); err != nil {
		return nil, "", err
	}
	switch {
	case len(walk.found) == 1:
		return walk.found[0].manifest, walk.found[0].name, nil
	case len(walk.found) == 0 && len(walk.inv.Failures) > 0:
		return nil, "", errors.New(walk.inv.Failures[0].Reason)
	}
	return nil, "", fmt.Errorf("it holds %d images, want the one named kolla/release/sbom", len(walk.found))
}

// compareRelease says where a list is of another kolla release than base.yml names.
func (r *osismReader) compareRelease(name, ref string) {
	tag := ref
	if parsed, err := sbom.ParseReference(ref); err == nil && strings.ContainsAny(ref, "/:@") {
		tag = parsed.Tag
	}
	if tag != "" && r.kolla != "" && tag != r.kolla && sbom.UnpinnedRevision(tag) == "" {
		r.fail(audit.Origin{Source: "osism", Path: name, At: r.opt.At}, "copy the image of the release that base.yml names",
			"%s is the list of kolla release %s, base.yml names %s", name, clipped(tag), clipped(r.kolla))
	}
}

// listFile returns images.yml, at any depth in any layer. An image without one or with several is another image.
func listFile(l layout, m *v1.Manifest) (name string, data []byte, err error) {
	if len(m.Layers) > maxListLayers {
		return "", nil, fmt.Errorf("the image has %d layers; that of kolla/release/sbom has one", len(m.Layers))
	}
	for _, d := range m.Layers {
		if d.Size > maxDocument {
			return "", nil, fmt.Errorf("layer %s has %d bytes; that of kolla/release/sbom has some kilobytes", d.Digest, d.Size)
		}
		packed, err := l.blob(d)
		if err != nil {
			return "", nil, fmt.Errorf("layer %s: %s", d.Digest, reason(err))
		}
		inside, found, err := listInLayer(packed)
		if err != nil {
			return "", nil, fmt.Errorf("layer %s: %s", d.Digest, err)
		}
		if found != nil && data != nil {
			return "", nil, fmt.Errorf("the image holds more than one %s", listName)
		}
		if found != nil {
			name, data = inside, found
		}
	}
	if data == nil {
		return "", nil, fmt.Errorf("the image holds no %s: it is not that of kolla/release/sbom", listName)
	}
	return name, data, nil
}

// listInLayer looks for images.yml in one layer.
func listInLayer(packed []byte) (name string, data []byte, err error) {
	in := &counter{r: bytes.NewReader(packed)}
	out := &counter{r: in, limit: maxListUnpacked}
	switch {
	case bytes.HasPrefix(packed, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(in)
		if err != nil {
			return "", nil, err
		}
		out.r = z
	case bytes.HasPrefix(packed, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return "", nil, errors.New("it is compressed with zstd, which is not read; copy the image with skopeo copy --dest-compress-format gzip")
	}
	t := tar.NewReader(out)
	for entries := 0; ; entries++ {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return name, data, nil
		case err != nil && !errors.Is(err, tar.ErrInsecurePath):
			return "", nil, damaged(err)
		case entries >= maxListEntries:
			return "", nil, fmt.Errorf("more than %d entries", maxListEntries)
		case h.Typeflag != tar.TypeReg || path.Base(h.Name) != listName:
			continue
		}
		if data != nil {
			return "", nil, fmt.Errorf("the image holds more than one %s", listName)
		}
		if name, err = entryName(h); err != nil {
			return "", nil, err
		}
		if strings.ContainsFunc(name, unicode.IsControl) {
			return "", nil, fmt.Errorf("entry %q has a name with control characters", name)
		}
		if h.Size > maxManifest {
			return "", nil, fmt.Errorf("%s has %d bytes, more than %d", listName, h.Size, maxManifest)
		}
		if data, err = io.ReadAll(t); err != nil {
			return "", nil, damaged(err)
		}
	}
}

func damaged(err error) error {
	return fmt.Errorf("the layer is cut off or damaged (%s)", strings.TrimPrefix(err.Error(), "archive/tar: "))
}
