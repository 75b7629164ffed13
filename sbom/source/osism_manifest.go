package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

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
		r.add(m, a, where, e.origin)
	}
}

// add lists an artifact as offered. base.yml is what the manager runs, which users of the cloud never meet.
func (r *osismReader) add(m manifest, a sbom.Artifact, where string, origin audit.Origin) {
	s := sbom.Sighting{Source: "osism", Where: where, Declared: true, State: sbom.StateOffered, Digest: a.Digest, Origin: origin}
	if _, err := sbom.ParseReference(a.Reference); err == nil && a.Kind == sbom.KindImage {
		s.Reference = a.Reference
	}
	a.Sightings = []sbom.Sighting{s}
	if m.name == "base.yml" {
		a.TierHint, a.HintRule = []string{"ops"}, "source osism base.yml"
	}
	r.inv.Artifacts = append(r.inv.Artifacts, a)
}

// image makes the artifact of a reference. One that cannot be read is a failure and keeps its text, so that it is found.
func (r *osismReader) image(origin audit.Origin, file, text, name string) sbom.Artifact {
	a, err := intentImage(text, name)
	if err != nil {
		r.fail(origin, "", "%s: line %d: %s", file, origin.Line, err)
	}
	return a
}

// software reads a mapping of names to versions of things that are no images.
func (r *osismReader) software(m manifest, section string) {
	for _, e := range r.entries(m, r.section(m, section), section) {
		r.add(m, intentSoftware(e.key, e.value), m.origin.Path+": "+section+"."+e.key, e.origin)
	}
}

// manifestVersions are the keys at the top of a manifest that name the version of something that is deployed, and what it
// is: the release itself, and the repositories whose contents the manager runs.
func manifestVersions() map[string]string {
	return map[string]string{
		"manager_version":           "osism-manager",
		"openstack_version":         "openstack",
		"ceph_version":              "ceph",
		"ansible_version":           "ansible",
		"ansible_core_version":      "ansible-core",
		"defaults_version":          "osism/defaults",
		"generics_version":          "osism/generics",
		"playbooks_version":         "osism/ansible-playbooks",
		"manager_playbooks_version": "osism/ansible-playbooks-manager",
		"operations_version":        "osism/kolla-operations",
	}
}

// versions reads the versions at the top of a manifest.
func (r *osismReader) versions(m manifest) {
	names := manifestVersions()
	for i := 0; i+1 < len(m.top.Content); i += 2 {
		key, value := m.top.Content[i], m.top.Content[i+1]
		name, ok := names[key.Value]
		if !ok || value.Kind != yaml.ScalarNode || value.Tag == "!!null" || strings.ContainsAny(value.Value, "<>=") {
			continue
		}
		origin := m.origin
		origin.Line = key.Line
		if !versionText(value.Value) {
			r.fail(origin, "", "%s: line %d: %s is no version", m.name, key.Line, key.Value)
			continue
		}
		r.add(m, releaseOf(name, value.Value), m.origin.Path+": "+key.Value, origin)
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
	tags := map[string]bool{}
	for _, node := range list.Content {
		tags[r.listedImage(m, node)] = true
	}
	r.listedVersions(m, tags)
}

// listedVersions compares the mapping of projects to versions beside the images with their tags: a version that no image
// has shows that the list is not whole.
func (r *osismReader) listedVersions(m manifest, tags map[string]bool) {
	for _, e := range r.entries(m, r.section(m, "versions"), "versions") {
		if e.value != "" && !tags[e.value] {
			r.fail(e.origin, "compare the file with the release", "%s: line %d: no image has the version %s of %s", m.name, e.origin.Line, clipped(e.value), clipped(e.key))
		}
	}
}

// listedImage adds one image and returns its tag.
func (r *osismReader) listedImage(m manifest, node *yaml.Node) (tag string) {
	origin := m.origin
	origin.Line = node.Line
	if node.Kind != yaml.MappingNode {
		r.fail(origin, "", "%s: line %d: an image is a mapping with image and digest", m.name, node.Line)
		return ""
	}
	value := map[string]string{}
	for _, e := range r.entries(m, node, "images") {
		value[e.key] = e.value
	}
	text := value["image"]
	if text == "" {
		r.fail(origin, "", "%s: line %d: an entry of images names no image", m.name, node.Line)
		return ""
	}
	a := r.image(origin, m.name, text, text)
	if given, ok := value["digest"]; ok {
		if d, err := audit.ParseDigest(given); err != nil || !strings.HasPrefix(given, "sha256:") {
			r.fail(origin, "", "%s: line %d: digest of %s is not sha256: and 64 lower-case hexadecimal digits", m.name, node.Line, a.Name)
		} else {
			a.Digest, a.ID, a.Unpinned = d, "image:"+string(d), ""
		}
	}
	r.add(m, a, m.origin.Path+": images."+a.Name, origin)
	return text[strings.LastIndexByte(text, ':')+1:]
}
