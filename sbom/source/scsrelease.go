package source

import (
	"context"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// scsRelease is data.yaml of a release of SCS: the images of the reference implementation with their digests. A release
// offers them; whether they run is not said there.
type scsRelease struct {
	file string // as written
	path string // on this machine
	opt  Options
}

func decodeSCSRelease(v values, opt Options) (sbom.Source, error) {
	return scsRelease{file: v.text["file"], path: v.path(v.text["file"]), opt: opt}, nil
}

// Name returns the kind and the file as the stack file gives it.
func (s scsRelease) Name() string { return "scs-release " + shown(s.file) }

// Contacts returns the one file that is read.
func (s scsRelease) Contacts() []audit.Contact {
	return []audit.Contact{{Host: "local", Address: s.file, Right: "read", Purpose: "images of a release of SCS"}}
}

// Open returns ErrNoContents: the file knows names and digests only.
func (s scsRelease) Open(context.Context, sbom.Artifact) (sbom.Target, error) {
	return sbom.Target{}, sbom.ErrNoContents
}

// Inventory returns the images. An entry that cannot be read becomes a failure; the rest is returned.
func (s scsRelease) Inventory(ctx context.Context) (sbom.Inventory, error) {
	data, err := readFile(s.path, maxManifest)
	if err != nil {
		return sbom.Inventory{}, fmt.Errorf("reading SCS release %q: %s", shown(s.file), reason(err))
	}
	origin := audit.Origin{Source: "scs-release", Path: shown(s.file), Digest: audit.DigestOf(data), At: s.opt.At}
	origin.URL, origin.Commit = header(data)
	if _, err := keepInput(ctx, s.opt, origin.Path, "application/yaml", data, origin); err != nil {
		return sbom.Inventory{}, fmt.Errorf("keeping %q as evidence: %w", origin.Path, err)
	}
	list, err := imagesOf(data)
	if err != nil {
		return sbom.Inventory{}, fmt.Errorf("reading SCS release %q: %w", shown(s.file), err)
	}
	inv := sbom.Inventory{Schema: sbom.InventorySchema}
	for _, node := range list.Content {
		o := origin
		o.Line = node.Line
		a, problems := releaseImage(node)
		for _, p := range problems {
			inv.Failures = append(inv.Failures, sbom.Failure{Source: s.Name(), Reason: fmt.Sprintf("%s: line %d: %s", origin.Path, node.Line, p),
				Settle: "compare the file with data.yaml of the release notes", Origin: o})
		}
		if a.ID == "" {
			continue
		}
		seen := sbom.Sighting{Source: "scs-release", Where: origin.Path + ": images." + a.Name, Declared: true, State: sbom.StateOffered, Digest: a.Digest, Origin: o}
		if _, err := sbom.ParseReference(a.Reference); err == nil {
			seen.Reference = a.Reference
		}
		a.Sightings = []sbom.Sighting{seen}
		inv.Artifacts = append(inv.Artifacts, a)
	}
	return sortInventory(sbom.Merge(inv)), nil
}

// imagesOf returns the list images of the file.
func imagesOf(data []byte) (*yaml.Node, error) {
	top, err := parseYAML(data)
	if err != nil {
		return nil, err
	}
	for i := 0; i+1 < len(top.Content); i += 2 {
		list := top.Content[i+1]
		if top.Content[i].Value != "images" {
			continue
		}
		if list.Kind != yaml.SequenceNode {
			return nil, fmt.Errorf("line %d: images is no list", list.Line)
		}
		if len(list.Content) > maxManifestEntries {
			return nil, fmt.Errorf("more than %d images", maxManifestEntries)
		}
		return list, nil
	}
	return nil, fmt.Errorf("there is no list named images")
}

// releaseImage makes the artifact of one entry; without an ID there is none.
func releaseImage(node *yaml.Node) (a sbom.Artifact, problems []string) {
	value := map[string]string{}
	if node.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(node.Content); i += 2 {
			if v := node.Content[i+1]; v.Kind == yaml.ScalarNode && v.Tag != "!!null" {
				value[node.Content[i].Value] = v.Value
			}
		}
	}
	text := value["name"]
	if text == "" {
		return a, []string{"an image is a mapping with registry, name, tag and digest"}
	}
	if value["registry"] != "" {
		text = value["registry"] + "/" + text
	}
	if value["tag"] != "" {
		text += ":" + value["tag"]
	}
	a, err := intentImage(text, value["name"])
	if err != nil {
		problems = append(problems, err.Error())
	}
	if given, ok := value["digest"]; ok {
		if d, err := audit.ParseDigest(given); err != nil || !strings.HasPrefix(given, "sha256:") {
			problems = append(problems, fmt.Sprintf("digest of %s is not sha256: and 64 lower-case hexadecimal digits", clipped(a.Name)))
		} else {
			a.Digest, a.ID, a.Unpinned = d, "image:"+string(d), ""
		}
	}
	return a, problems
}
