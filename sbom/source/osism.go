package source

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// Limits of release manifests; real ones have at most 300 lines.
const (
	maxManifest        = 4 << 20
	maxManifestFiles   = 64
	maxManifestEntries = 10_000
)

// osism reads one release of OSISM: the manifests base.yml, openstack-*.yml, ceph-*.yml and sbom-openstack-*.yml of a
// directory, and the image names in etc/images.yml beside it. A manifest says what shall run, so everything it names is
// declared, and there are no contents to open.
//
// infrastructure_projects and openstack_projects name branches to build from, not deployed things; they are not listed.
type osism struct {
	release string // as written
	dir     string // on this machine
	images  string // path of images.yml on this machine; empty to look in the usual places
	opt     Options
}

func decodeOSISM(v values, opt Options) (sbom.Source, error) {
	s := osism{release: v.text["release"], dir: v.path(v.text["release"]), opt: opt}
	if images, ok := v.text["images"]; ok {
		s.images = v.path(images)
	}
	return s, nil
}

// Name returns the kind and the directory as the stack file gives it.
func (s osism) Name() string { return "osism " + shown(s.release) }

// Contacts returns the one directory that is read.
func (s osism) Contacts() []audit.Contact {
	return []audit.Contact{{Host: "local", Address: s.release, Right: "read", Purpose: "versions of an OSISM release"}}
}

// Open returns ErrNoContents: a manifest knows names and versions only.
func (s osism) Open(context.Context, sbom.Artifact) (sbom.Target, error) {
	return sbom.Target{}, sbom.ErrNoContents
}

// Inventory reads all manifests. A file or an entry that cannot be read becomes a failure; the rest is returned.
func (s osism) Inventory(ctx context.Context) (sbom.Inventory, error) {
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return sbom.Inventory{}, fmt.Errorf("reading OSISM release %q: %s; name the directory that holds base.yml", shown(s.release), reason(err))
	}
	defer root.Close()
	files, err := manifests(root)
	if err != nil {
		return sbom.Inventory{}, fmt.Errorf("reading OSISM release %q: %s", shown(s.release), reason(err))
	}
	r := osismReader{osism: s, root: root, inv: sbom.Inventory{Schema: sbom.InventorySchema}}
	if err := r.readImages(ctx); err != nil {
		return sbom.Inventory{}, err
	}
	for _, name := range files {
		if err := ctx.Err(); err != nil {
			return sbom.Inventory{}, err
		}
		if err := r.readManifest(ctx, name); err != nil {
			return sbom.Inventory{}, err
		}
	}
	if r.read == 0 {
		return sbom.Inventory{}, fmt.Errorf("reading OSISM release %q: %s", shown(s.release), cmp.Or(r.firstFailure(), "no base.yml, openstack-*.yml, ceph-*.yml or sbom-openstack-*.yml is there"))
	}
	r.checkGaps(files)
	return sortInventory(sbom.Merge(r.inv)), nil
}

// manifests returns the names of the manifests of a release in the order in which they are read. The symbolic links
// openstack.yml, ceph.yml and sbom-openstack.yml of a release point to these files and are left out.
func manifests(root *os.Root) ([]string, error) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		name := e.Name()
		if !strings.HasSuffix(name, ".yml") {
			continue
		}
		if name == "base.yml" || strings.HasPrefix(name, "openstack-") || strings.HasPrefix(name, "ceph-") || strings.HasPrefix(name, "sbom-openstack-") {
			out = append(out, name)
		}
	}
	if len(out) > maxManifestFiles {
		return nil, fmt.Errorf("%d manifests in one release, more than %d", len(out), maxManifestFiles)
	}
	slices.Sort(out)
	return out, nil
}

// osismReader collects what the manifests say.
type osismReader struct {
	osism
	root  *os.Root
	paths map[string]string // image key to path in a registry, from etc/images.yml
	kolla string            // release of the kolla images, if base.yml names one
	read  int               // manifests that could be read
	inv   sbom.Inventory
}

// manifest is one parsed file.
type manifest struct {
	name   string
	top    *yaml.Node
	origin audit.Origin // of the file, without line
}

func (r *osismReader) fail(origin audit.Origin, settle, format string, args ...any) {
	r.inv.Failures = append(r.inv.Failures, sbom.Failure{
		Source: "osism " + shown(r.release), Reason: fmt.Sprintf(format, args...), Settle: settle, Origin: origin})
}

func (r *osismReader) firstFailure() string {
	for _, f := range r.inv.Failures {
		if f.Origin.Path != r.imagesName() {
			return f.Reason
		}
	}
	return ""
}

// checkGaps notes what a whole release would have and this one lacks.
func (r *osismReader) checkGaps(files []string) {
	if !slices.Contains(files, "base.yml") {
		r.fail(audit.Origin{Source: "osism", Path: r.place("base.yml")}, "copy base.yml of the release beside the others",
			"base.yml is not there: the manager and the services around it are not known")
	}
	named := slices.ContainsFunc(files, func(name string) bool { return strings.HasPrefix(name, "sbom-openstack-") })
	openstack := slices.ContainsFunc(files, func(name string) bool { return strings.HasPrefix(name, "openstack-") })
	settle := "add images.yml of the image kolla/release/sbom of that version as sbom-openstack-<openstack release>.yml"
	switch {
	case named:
	case r.kolla != "":
		r.fail(audit.Origin{Source: "osism", Path: r.place("base.yml")}, settle,
			"base.yml names the kolla release %s, but no sbom-openstack-*.yml lists its images: the OpenStack services are not known", r.kolla)
	case openstack:
		r.fail(audit.Origin{Source: "osism", Path: r.place("openstack-*.yml")}, settle,
			"no sbom-openstack-*.yml lists the images of the OpenStack services: they are not known")
	}
}

// place returns the path of a file of the release as origins give it: below the directory above the release.
func (r *osismReader) place(name string) string {
	if base := filepath.Base(r.dir); base != "." && base != string(filepath.Separator) && base != ".." {
		return path.Join(base, name)
	}
	return name
}

func (r *osismReader) imagesName() string { return "etc/images.yml" }

// readImages reads the names of images from the file that was named, or from etc/images.yml beside or in the release.
func (r *osismReader) readImages(ctx context.Context) error {
	places := []string{filepath.Join(r.dir, "..", "etc", "images.yml"), filepath.Join(r.dir, "etc", "images.yml")}
	if r.images != "" {
		places = []string{r.images}
	}
	origin := audit.Origin{Source: "osism", Path: r.imagesName(), At: r.opt.At}
	settle := "put etc/images.yml of the release repository beside the release, or name it: images: ./etc/images.yml"
	var data []byte
	err := error(fs.ErrNotExist)
	for _, place := range places {
		if data, err = readFile(place, maxManifest); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		r.fail(origin, settle, "etc/images.yml is not there: images go by their keys, which may be no registry paths")
		return nil
	}
	if err != nil {
		r.fail(origin, settle, "etc/images.yml: %s", reason(err))
		return nil
	}
	m, err := r.parse(ctx, "etc/images.yml", origin, data)
	if err != nil {
		return err
	}
	r.paths = map[string]string{}
	if m.top == nil {
		return nil
	}
	for _, e := range r.entries(m, m.top, "") {
		ref, err := sbom.ParseReference(e.value)
		if err != nil || ref.Tag != "" || ref.Digest != "" {
			r.fail(e.origin, "", "%s: line %d: %q is no path in a registry", m.name, e.origin.Line, e.value)
			continue
		}
		r.paths[e.key] = e.value
	}
	return nil
}

func (r *osismReader) readManifest(ctx context.Context, name string) error {
	origin := audit.Origin{Source: "osism", Path: r.place(name), At: r.opt.At}
	data, err := readIn(r.root, name, maxManifest)
	if err != nil {
		r.fail(origin, "", "%s: %s", name, reason(err))
		return nil
	}
	m, err := r.parse(ctx, name, origin, data)
	if err != nil || m.top == nil {
		return err
	}
	r.read++
	if strings.HasPrefix(name, "sbom-openstack-") {
		r.imageList(m)
		return nil
	}
	r.imageKeys(m)
	for _, section := range []string{"osism_projects", "ansible_collections", "ansible_roles"} {
		r.software(m, section)
	}
	return nil
}

// parse keeps the bytes as evidence and reads them as one YAML mapping. A file that is none is a failure with a nil top;
// the error is only for evidence that could not be kept.
func (r *osismReader) parse(ctx context.Context, name string, origin audit.Origin, data []byte) (manifest, error) {
	origin.URL, origin.Commit = header(data)
	origin.Digest = audit.DigestOf(data)
	if _, err := keepInput(ctx, r.opt, origin.Path, "application/yaml", data, origin); err != nil {
		return manifest{}, fmt.Errorf("keeping %q as evidence: %w", origin.Path, err)
	}
	m := manifest{name: name, origin: origin}
	top, err := parseYAML(data)
	if err != nil {
		r.fail(origin, "compare the file with the release repository", "%s: %s", name, err)
		return m, nil
	}
	m.top = top
	return m, nil
}

// parseYAML reads one document that is a mapping.
func parseYAML(data []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty")
	} else if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the first YAML document")
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("line 1: the file is no mapping of keys to values")
	}
	return doc.Content[0], nil
}

// header reads where a copy of a manifest was taken from, if comment lines at its top say so: "# source: https://..."
// and "# commit: <40 hexadecimal digits>".
func header(data []byte) (address, commit string) {
	for line := range strings.Lines(string(data[:min(len(data), 4096)])) {
		text, ok := strings.CutPrefix(strings.TrimSpace(line), "#")
		if !ok && strings.TrimSpace(line) != "---" {
			break
		}
		key, value, _ := strings.Cut(strings.TrimSpace(text), ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(key) {
		case "source":
			if u, err := url.Parse(value); err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil {
				address = value
			}
		case "commit":
			if len(value) == 40 && strings.Trim(value, "0123456789abcdef") == "" {
				commit = value
			}
		}
	}
	return address, commit
}

// entry is one key with its scalar, read as text whatever its YAML type: 2024.2 is a release, not a number.
type entry struct {
	key, value string
	origin     audit.Origin
}

// section returns the mapping below a top-level key; missing and null are empty.
func (r *osismReader) section(m manifest, key string) *yaml.Node {
	for i := 0; i+1 < len(m.top.Content); i += 2 {
		if m.top.Content[i].Value == key {
			return m.top.Content[i+1]
		}
	}
	return nil
}

// entries returns the keys of a mapping. A value that is no scalar is a failure and read as empty, so that the key itself
// is not lost; a key that stands twice is a failure, and the first counts.
func (r *osismReader) entries(m manifest, node *yaml.Node, section string) []entry {
	if node == nil || node.Tag == "!!null" {
		return nil
	}
	where := m.origin
	where.Line = node.Line
	if node.Kind != yaml.MappingNode {
		r.fail(where, "", "%s: line %d: %s is no mapping of keys to values", m.name, node.Line, section)
		return nil
	}
	if len(node.Content)/2 > maxManifestEntries {
		r.fail(where, "", "%s: line %d: more than %d entries", m.name, node.Line, maxManifestEntries)
		return nil
	}
	var out []entry
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		e := entry{key: key.Value, value: value.Value, origin: m.origin}
		e.origin.Line = key.Line
		switch {
		case key.Kind != yaml.ScalarNode || key.Value == "" || len(key.Value) > 255:
			r.fail(e.origin, "", "%s: line %d: a key that is no name", m.name, key.Line)
			continue
		case seen[key.Value]:
			r.fail(e.origin, "", "%s: line %d: key %q stands twice; the first counts", m.name, key.Line, key.Value)
			continue
		case value.Kind != yaml.ScalarNode:
			r.fail(e.origin, "", "%s: line %d: %s is no single value", m.name, key.Line, key.Value)
			e.value = ""
		case value.Tag == "!!null":
			e.value = ""
		}
		seen[key.Value] = true
		out = append(out, e)
	}
	return out
}

// imageKeys reads docker_images: a key that etc/images.yml maps to a path, and a tag.
func (r *osismReader) imageKeys(m manifest) {
	for _, e := range r.entries(m, r.section(m, "docker_images"), "docker_images") {
		if m.name == "base.yml" && e.key == "kolla" {
			r.kolla = e.value
		}
		where := m.origin.Path + ": docker_images." + e.key
		repository, ok := r.paths[e.key]
		if !ok {
			repository, where = e.key, where+" (no path in etc/images.yml)"
		}
		text := repository
		if e.value != "" {
			text += ":" + e.value
		}
		a := r.image(e.origin, m.name, text, repository)
		a.Sightings = r.sighting(where, e.origin)
		r.hint(m, &a)
		r.inv.Artifacts = append(r.inv.Artifacts, a)
	}
}

// image makes the artifact of a reference. One that cannot be read is a failure and keeps its text, so that it is found.
func (r *osismReader) image(origin audit.Origin, file, text, name string) sbom.Artifact {
	ref, err := sbom.ParseReference(text)
	if err != nil {
		r.fail(origin, "", "%s: line %d: %s", file, origin.Line, err)
		return sbom.Artifact{ID: "image:" + text, Kind: sbom.KindImage, Name: name, Reference: text, Unpinned: "the reference cannot be read"}
	}
	id := "image:" + text
	if ref.Digest != "" {
		id = "image:" + string(ref.Digest)
	}
	return sbom.Artifact{ID: id, Kind: sbom.KindImage, Name: ref.Name(), Reference: text, Version: sbom.ParseTag(ref.Tag).Version,
		Digest: ref.Digest, Unpinned: ref.Unpinned()}
}

func (r *osismReader) sighting(where string, origin audit.Origin) []sbom.Sighting {
	return []sbom.Sighting{{Source: "osism", Where: where, Declared: true, State: sbom.StateOffered, Origin: origin}}
}

// hint says what the file knows about the tier: base.yml is what the manager runs, which users of the cloud never meet.
func (r *osismReader) hint(m manifest, a *sbom.Artifact) {
	if m.name == "base.yml" {
		a.TierHint, a.HintRule = []string{"ops"}, "source osism base.yml"
	}
}

// software reads a mapping of names to versions of things that are no images.
func (r *osismReader) software(m manifest, section string) {
	for _, e := range r.entries(m, r.section(m, section), section) {
		a := sbom.Artifact{Kind: sbom.KindSoftware, Name: e.key, Reference: e.key, ID: "software:" + e.key,
			Unpinned: sbom.UnpinnedRevision(e.value)}
		if e.value != "" {
			a.ID += "@" + e.value
			a.Reference += "@" + e.value
		}
		if a.Unpinned == "" {
			a.Version = sbom.UpstreamVersion(e.value)
		}
		a.Sightings = r.sighting(m.origin.Path+": "+section+"."+e.key, e.origin)
		r.hint(m, &a)
		r.inv.Artifacts = append(r.inv.Artifacts, a)
	}
}

// imageList reads the images of an sbom-openstack file: references with tag, since release 9 with digest.
func (r *osismReader) imageList(m manifest) {
	list := r.section(m, "images")
	if list == nil || list.Kind != yaml.SequenceNode {
		r.fail(m.origin, "", "%s: there is no list named images", m.name)
		return
	}
	if len(list.Content) > maxManifestEntries {
		r.fail(m.origin, "", "%s: more than %d images", m.name, maxManifestEntries)
		return
	}
	for _, node := range list.Content {
		r.listedImage(m, node)
	}
}

func (r *osismReader) listedImage(m manifest, node *yaml.Node) {
	origin := m.origin
	origin.Line = node.Line
	if node.Kind != yaml.MappingNode {
		r.fail(origin, "", "%s: line %d: an image is a mapping with image and digest", m.name, node.Line)
		return
	}
	value := map[string]string{}
	for _, e := range r.entries(m, node, "images") {
		value[e.key] = e.value
	}
	text := value["image"]
	if text == "" {
		r.fail(origin, "", "%s: line %d: an entry of images names no image", m.name, node.Line)
		return
	}
	a := r.image(origin, m.name, text, text)
	if given, ok := value["digest"]; ok {
		if d, err := audit.ParseDigest(given); err != nil || !strings.HasPrefix(given, "sha256:") {
			r.fail(origin, "", "%s: line %d: digest of %s is not sha256: and 64 lower-case hexadecimal digits", m.name, node.Line, a.Name)
		} else {
			a.Digest, a.ID, a.Unpinned = d, "image:"+string(d), ""
		}
	}
	a.Sightings = r.sighting(m.origin.Path+": images."+a.Name, origin)
	r.inv.Artifacts = append(r.inv.Artifacts, a)
}
