package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of looking through a directory.
const (
	maxDetectDepth = 4
	maxDetectFiles = 20_000
	sniffed        = 64 << 10 // bytes at the front of a file that tell what it is
	sniffedEnd     = 4 << 10  // bytes at its end
)

// shapeOf tells what a file is by its name and its first bytes; "" for everything else. The names are those of the
// entries below.
func shapeOf(name string, head []byte) string {
	has := func(parts ...string) bool {
		return !slices.ContainsFunc(parts, func(p string) bool { return !bytes.Contains(head, []byte(p)) })
	}
	base := strings.ToLower(filepath.Base(name))
	switch {
	case base == "csctl.yaml" || base == "metadata.yaml" && has("clusterstack.x-k8s.io"):
		return "cluster-stack"
	case base == "chart.yaml" && has("name:", "version:"):
		return "chart"
	case base == "globals.yml" && has("openstack_release"), base == "globals.yml" && has("kolla_"):
		return "kolla"
	case base == "data.yaml" && has("images:", "digest:", "registry:"):
		return "scs-release"
	case base == "oci-layout":
		return "image"
	case base == "hosts" || base == "inventory" || strings.HasSuffix(base, ".ini"):
		if isInventory(head) {
			return "ansible"
		}
		return ""
	case !strings.HasSuffix(base, ".json"):
		return ""
	case has(`"pegel/inventory/v1"`):
		return "inventory"
	case has(`"CycloneDX"`), has(`"spdxVersion"`), has("spdx.org/rdf/3"):
		return "sbom"
	case has(`"daemon_type"`, `"container_image_name"`):
		return "orch_ps"
	case has(`"style"`, `"container_image_name"`):
		return "cephadm_ls"
	case has(`"addr"`, `"hostname"`, `"labels"`, `"status"`) && strings.HasPrefix(strings.TrimSpace(string(head)), "["):
		return "ceph_hosts"
	case has(`"app_version"`, `"chart"`, `"revision"`):
		return "helm"
	case has(`"Binary"`, `"Host"`, `"Zone"`):
		return "compute_services"
	case has(`"Endpoints"`, `"Type"`, `"Name"`):
		return "catalog"
	case has(`"kind"`, `"Node"`, `"nodeInfo"`) && !has(`"containerStatuses"`):
		return "nodes"
	case has(`"kind"`, `"Pod"`, `"containers"`) || has(`"PodList"`):
		return "pods"
	case has(`"RepoDigests"`), has(`"repoDigests"`):
		return "images"
	case has(`"Image"`, `"Names"`), has(`"containers"`, `"imageRef"`):
		return "ps"
	}
	return ""
}

// isInventory reports whether a file begins as an Ansible inventory does: the first line that is no comment names a group.
func isInventory(head []byte) bool {
	for line := range strings.Lines(string(head)) {
		line = strings.TrimSpace(line)
		if line != "" && line[0] != '#' && line[0] != ';' {
			return line[0] == '[' && line[len(line)-1] == ']'
		}
	}
	return false
}

// files looks through the directory for files that a source can read.
func (d *detector) files(ctx context.Context) {
	found := map[string][]string{}
	note := func(shape, path string) { found[shape] = append(found[shape], path) }
	n := 0
	err := filepath.WalkDir(d.abs, func(path string, e fs.DirEntry, err error) error {
		rel, relErr := filepath.Rel(d.abs, path)
		switch n++; {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			d.unread("%s cannot be read (%s)", shownPath(rel), plainReason(err))
			return nil
		case relErr != nil || n > maxDetectFiles:
			d.unread("more than %d files below this directory; the others were not looked at", maxDetectFiles)
			return fs.SkipAll
		case !plainName(e.Name()):
			d.unread("%q has a name that cannot stand in a stack file", shownPath(rel))
			if e.IsDir() && rel != "." {
				return fs.SkipDir
			}
			return nil
		case e.IsDir() && rel != "." && (strings.HasPrefix(e.Name(), ".") || strings.Count(rel, string(filepath.Separator)) >= maxDetectDepth || isBundle(path)):
			return fs.SkipDir
		case e.IsDir():
			for _, shape := range directoryShapes(path) {
				note(shape, shownPath(rel))
			}
			return nil
		case !e.Type().IsRegular() || isSecret(e.Name()):
			return nil
		}
		note(shapeOf(path, head(path)), shownPath(rel))
		return nil
	})
	if err != nil && ctx.Err() == nil {
		d.unread("this directory cannot be read to its end (%s)", plainReason(err))
	}
	d.entries(found)
}

// plainName refuses what a YAML text cannot hold or a terminal would obey.
func plainName(name string) bool {
	return utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) })
}

// isSecret keeps init away from files that hold secrets.
func isSecret(name string) bool {
	name = strings.ToLower(name)
	return strings.HasPrefix(name, "secret") || strings.HasPrefix(name, "vault") || strings.HasSuffix(name, ".pem") || strings.HasSuffix(name, ".key")
}

// isBundle recognises an evidence bundle, which is an image layout and no image of the stack.
func isBundle(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "verify.txt"))
	_, layout := os.Stat(filepath.Join(dir, "oci-layout"))
	return err == nil && layout == nil
}

func directoryShapes(dir string) []string {
	exists := func(parts ...string) bool {
		_, err := os.Stat(filepath.Join(append([]string{dir}, parts...)...))
		return err == nil
	}
	var out []string
	lists, _ := filepath.Glob(filepath.Join(dir, "sbom-openstack-*.yml")) // the pattern is well formed
	if exists("environments", "manager", "configuration.yml") {
		out = append(out, "configuration")
	}
	if exists("base.yml") || len(lists) > 0 {
		out = append(out, "osism")
	}
	return out
}

func head(path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, sniffed))
	if err != nil {
		return nil
	}
	end := make([]byte, sniffedEnd) // canonical JSON has its schema at the end
	if info, err := f.Stat(); err == nil && info.Size() > sniffed {
		if n, err := f.ReadAt(end, max(sniffed, info.Size()-sniffedEnd)); err == nil || errors.Is(err, io.EOF) {
			data = append(append(data, '\n'), end[:n]...)
		}
	}
	return data
}

func shownPath(rel string) string { return "./" + filepath.ToSlash(rel) }

// entries writes one entry for each kind of file, in the order of the documentation: intent, then fact, then lists.
func (d *detector) entries(found map[string][]string) {
	each := func(shape, note, format string) {
		for _, path := range found[shape] {
			d.add(note, format, quoted(path))
		}
	}
	for i, path := range found["osism"] {
		d.add("an OSISM release: what a release offers", "osism: {release: %s}", quoted(path))
		if len(found["osism"]) > 1 {
			d.out.Sources[len(d.out.Sources)-1].Off = i < len(found["osism"])-1
			d.out.Sources[len(d.out.Sources)-1].Note += "; several are there, keep the one that is deployed"
		}
	}
	each("configuration", "a configuration repository: what shall run", "configuration: {repository: %s}")
	for _, path := range found["kolla"] {
		inventory := ""
		if _, err := os.Stat(filepath.Join(d.abs, filepath.Dir(path), "multinode")); err == nil {
			inventory = ", inventory: " + quoted(strings.TrimSuffix(path, filepath.Base(path))+"multinode")
		}
		d.add("settings of kolla-ansible: what shall run", "kolla: {globals: %s%s}", quoted(path), inventory)
	}
	each("scs-release", "data of an SCS release: what a release offers", "scs-release: {file: %s}")
	for _, path := range stackRoots(found["cluster-stack"]) {
		d.add("a cluster stack: what a release offers", "cluster-stack: {release: %s}", quoted(path))
	}
	for _, path := range found["chart"] {
		if !below(path, stackRoots(found["cluster-stack"])) {
			d.add("a chart: what it offers", "chart: {path: %s}", quoted(parent(path)))
		}
	}
	if ps := found["ps"]; len(ps) > 0 {
		images := ""
		if len(found["images"]) > 0 {
			images = ", images: " + list(found["images"])
		}
		d.add("containers of hosts, as files", "containers: {ps: %s%s}", list(ps), images)
	}
	if pods := found["pods"]; len(pods) > 0 {
		nodes := ""
		if len(found["nodes"]) > 0 {
			nodes = ", nodes: " + list(found["nodes"])
		}
		d.add("pods of a cluster, as files", "kubernetes: {pods: %s%s}", list(pods), nodes)
	}
	each("helm", "releases of Helm, as a file", "helm: {releases: %s}")
	d.ceph(found)
	if files := found["inventory"]; len(files) > 0 {
		d.add("inventories of hosts", "inventory: {file: %s}", list(files))
	}
	for _, path := range found["image"] {
		d.add("contents of an image; say to which tier it belongs", "image: {ref: %s}", quoted("oci:"+parent(path)))
	}
	each("sbom", "an SBOM made by others", "sbom: {file: %s}")
	d.lists(found)
}

func (d *detector) ceph(found map[string][]string) {
	var keys []string
	for _, k := range []struct{ shape, key string }{{"orch_ps", "orch_ps"}, {"cephadm_ls", "ls"}, {"ceph_hosts", "hosts"}} {
		if paths := found[k.shape]; len(paths) > 0 {
			keys = append(keys, k.key+": "+list(paths))
		}
	}
	if len(keys) > 0 {
		d.add("daemons of Ceph, as files", "ceph: {%s}", strings.Join(keys, ", "))
	}
}

func (d *detector) lists(found map[string][]string) {
	var keys []string
	for _, k := range []struct{ shape, key string }{{"ansible", "ansible"}, {"compute_services", "compute_services"}, {"catalog", "catalog"}} {
		if paths := found[k.shape]; len(paths) > 0 {
			keys = append(keys, k.key+": "+quoted(paths[0]))
		}
	}
	if len(keys) > 0 {
		d.add("lists made for another purpose: they show what the inventory lacks", "crosscheck: {%s}", strings.Join(keys, ", "))
	}
}

// list writes one path as a text and several as a list.
func list(paths []string) string {
	if len(paths) == 1 {
		return quoted(paths[0])
	}
	return fmt.Sprintf("[%s]", strings.Join(quotedAll(paths), ", "))
}

func parent(path string) string { return strings.TrimSuffix(path, "/"+filepath.Base(path)) }

// stackRoots are the directories of files, without those that lie below another.
func stackRoots(paths []string) []string {
	var out []string
	for _, p := range paths {
		if dir := parent(p); !slices.Contains(out, dir) && !below(dir, out) {
			out = append(out, dir)
		}
	}
	return out
}

func below(path string, dirs []string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool { return strings.HasPrefix(path, dir+"/") })
}
