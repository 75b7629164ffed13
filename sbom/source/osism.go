package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
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
// directory, and the image names in etc/images.yml beside it. Releases from 9.1 on have base.yml only; the images of their
// OpenStack services are in images.yml of the image kolla/release/sbom, which is read as a file or from an OCI layout. A
// release offers what it names; there are no contents to open.
//
// infrastructure_projects, openstack_projects, ceph_ansible_version, ceph_container_version and ranges of versions say what
// images are built from, not what is deployed; they are not listed.
type osism struct {
	release string // as written
	dir     string // on this machine
	images  string // path of images.yml on this machine; empty to look in the usual places
	sbom    string // as written: images.yml, oci:DIRECTORY or oci-archive:FILE; empty if there is none
	list    string // path of sbom on this machine
	opt     Options
}

func decodeOSISM(v values, opt Options) (sbom.Source, error) {
	s := osism{release: v.text["release"], dir: v.path(v.text["release"]), opt: opt}
	if images, ok := v.text["images"]; ok {
		s.images = v.path(images)
	}
	if v.has("sbom") {
		s.sbom = v.text["sbom"]
		_, name := listForm(s.sbom)
		if name == "" || strings.Contains(name, "://") {
			return nil, at(v.at["sbom"], "sbom %q is neither a file images.yml, oci:DIRECTORY nor oci-archive:FILE; copy an image from a registry with "+
				"skopeo copy docker://IMAGE oci-archive:FILE", s.sbom)
		}
		s.list = v.path(name)
	}
	return s, nil
}

// Name returns the kind and the directory as the stack file gives it.
func (s osism) Name() string { return "osism " + shown(s.release) }

// Contacts returns the directory and the list of images that are read.
func (s osism) Contacts() []audit.Contact {
	out := []audit.Contact{{Host: "local", Address: s.release, Right: "read", Purpose: "versions of an OSISM release"}}
	if s.sbom != "" {
		out = append(out, audit.Contact{Host: "local", Address: s.sbom, Right: "read", Purpose: "images of the OpenStack services of that release"})
	}
	return out
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
	if err := r.readList(ctx); err != nil {
		return sbom.Inventory{}, err
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
	settle := "name images.yml of the image kolla/release/sbom of that version, or a copy of the image: sbom: oci-archive:FILE"
	switch {
	case named || r.sbom != "": // a list that cannot be read is a failure of its own
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
	r.versions(m)
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
