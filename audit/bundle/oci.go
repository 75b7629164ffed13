package bundle

import (
	"fmt"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// Names of the OCI image specification 1.1.
const (
	layoutFile    = "oci-layout"
	indexFile     = "index.json"
	blobDir       = "blobs/sha256"
	layoutVersion = "1.0.0"

	indexType    = "application/vnd.oci.image.index.v1+json"
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	emptyType    = "application/vnd.oci.empty.v1+json"
	titleKey     = "org.opencontainers.image.title"
	refNameKey   = "org.opencontainers.image.ref.name" // set by tools that copy layouts
)

// Names of Pegel.
const (
	bundleType   = "application/vnd.pegel.bundle.v1+json"
	evidenceType = "application/vnd.pegel.evidence.v1+json"
	evidenceName = "evidence.json"
	kindKey      = "io.github.pegel-audit.kind"
	nameKey      = "io.github.pegel-audit.name"
	verifyFile   = "verify.txt"
)

// emptyConfig is the config blob of every manifest.
const emptyConfig = "{}"

type layout struct {
	Version string `json:"imageLayoutVersion"`
}

type descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       audit.Digest      `json:"digest"`
	Size         int64             `json:"size"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
}

type manifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType"`
	ArtifactType  string       `json:"artifactType"`
	Config        descriptor   `json:"config"`
	Layers        []descriptor `json:"layers"`
	Subject       *descriptor  `json:"subject,omitempty"`
}

type index struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType,omitempty"`
	Manifests     []descriptor      `json:"manifests"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

func fileOf(d audit.Digest) string { return blobDir + "/" + d.Hex() }

// describe returns the descriptor of a blob without its bytes.
func describe(mediaType string, d audit.Digest, size int64) descriptor {
	return descriptor{MediaType: mediaType, Digest: d, Size: size}
}

func describeBytes(mediaType string, data []byte) descriptor {
	return describe(mediaType, audit.DigestOf(data), int64(len(data)))
}

func newManifest(artifactType string, layers []descriptor, subject *descriptor) manifest {
	return manifest{
		SchemaVersion: 2, MediaType: manifestType, ArtifactType: artifactType,
		Config: describeBytes(emptyType, []byte(emptyConfig)), Layers: layers, Subject: subject,
	}
}

// inputsManifest is a pure function of evidence.json: first evidence.json itself, then each blob that is here once, under
// the first of its names.
func inputsManifest(ev Evidence, evidence descriptor) manifest {
	evidence.Annotations = map[string]string{titleKey: evidenceName, kindKey: "evidence"}
	layers := []descriptor{evidence}
	seen := map[audit.Digest]bool{evidence.Digest: true}
	titles := map[string]bool{evidenceName: true}
	for _, e := range ev.Blobs {
		if e.Withheld != "" || seen[e.Digest] {
			continue
		}
		seen[e.Digest] = true
		d := describe(e.MediaType, e.Digest, e.Size)
		d.Annotations = map[string]string{titleKey: title(titles, e), kindKey: e.Kind, nameKey: e.Name}
		layers = append(layers, d)
	}
	return newManifest(bundleType, layers, nil)
}

// title is a file name for tools that unpack a bundle: unique, without any character that a file system minds, in a
// directory named after the kind.
func title(taken map[string]bool, e Entry) string {
	const limit = 120
	safe := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_' {
			return r
		}
		return '_'
	}, e.Name)
	safe = strings.Trim(safe, ".")
	t := e.Kind + "/" + safe
	if safe == "" || len(safe) > limit || taken[strings.ToLower(t)] {
		t = e.Kind + "/" + e.Digest.Hex() + "-" + safe[:min(len(safe), limit)]
	}
	taken[strings.ToLower(t)] = true
	return t
}

// resultManifest is a pure function of the result and the inputs manifest it belongs to.
func resultManifest(e Entry, subject descriptor) manifest {
	d := describe(e.MediaType, e.Digest, e.Size)
	d.Annotations = map[string]string{titleKey: title(map[string]bool{}, e), kindKey: e.Kind, nameKey: e.Name}
	subject = describe(subject.MediaType, subject.Digest, subject.Size)
	return newManifest(resultType(e.Kind), []descriptor{d}, &subject)
}

func resultType(kind string) string { return "application/vnd.pegel." + kind + ".v1+json" }

// inIndex is the entry of index.json for a manifest.
func inIndex(m manifest, data []byte) descriptor {
	d := describeBytes(manifestType, data)
	d.ArtifactType = m.ArtifactType
	if m.ArtifactType != bundleType {
		d.Annotations = map[string]string{titleKey: m.Layers[0].Annotations[titleKey]}
	}
	return d
}

// howToVerify is the text of verify.txt.
func howToVerify(identity audit.Digest) []byte {
	return fmt.Appendf(nil, `How to check this directory without Pegel. Run the commands here; they need only a shell, sha256sum and awk.

1. Every file below blobs/sha256 is named after its own SHA-256. This prints the name of each file that was changed:

   (cd blobs/sha256 && sha256sum -- * | awk '$1 != $2 { print "changed: " $2; bad = 1 } END { exit bad }')

2. The identity of this bundle is the SHA-256 of its list of evidence. This must print "%[1]s":

   sha256sum < blobs/sha256/%[1]s

3. The list names every input by kind, name, digest and origin; entries with "withheld" are not here. This prints it:

   cat blobs/sha256/%[1]s
`, identity.Hex())
}
