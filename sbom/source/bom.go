package source

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"path/filepath"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// bom is a CycloneDX or SPDX document made by somebody else. It is a statement about a thing, not the thing: what it names is
// declared.
type bom struct {
	file string // as written
	path string // on this machine
	tier []string
	opt  Options
}

func decodeBOM(v values, opt Options) (sbom.Source, error) {
	tier, err := v.tier()
	if err != nil {
		return nil, err
	}
	return bom{file: v.text["file"], path: v.path(v.text["file"]), tier: tier, opt: opt}, nil
}

// Name returns the kind and the file as the stack file gives it.
func (b bom) Name() string { return "sbom " + shown(b.file) }

// Contacts returns the one file that is read.
func (b bom) Contacts() []audit.Contact {
	return []audit.Contact{{Host: "local", Address: b.file, Right: "read", Purpose: "SBOM made by others"}}
}

// Inventory returns the one thing that the document describes.
func (b bom) Inventory(ctx context.Context) (sbom.Inventory, error) {
	data, err := readFile(b.path, sbom.MaxBOMFile)
	if err != nil {
		return sbom.Inventory{}, fmt.Errorf("reading SBOM %q: %s", shown(b.file), reason(err))
	}
	packages, meta, err := sbom.ReadDocument(data)
	if err != nil {
		return sbom.Inventory{}, fmt.Errorf("reading SBOM %q: %w", shown(b.file), err)
	}
	name := filepath.Base(b.path)
	origin := audit.Origin{Source: "sbom", Path: name, At: b.opt.At, Digest: audit.DigestOf(data)}
	if _, err := keepInput(ctx, b.opt, name, mediaTypeOf(meta, data), data, origin); err != nil {
		return sbom.Inventory{}, fmt.Errorf("keeping %q as evidence: %w", name, err)
	}
	a := sbom.Artifact{
		ID:   "bom:" + string(origin.Digest), // a serial number is the author's word: two documents may share one
		Kind: meta.Kind, Name: cmp.Or(meta.Name, name), Reference: meta.Reference, Version: meta.Version, Digest: meta.Digest,
		TierHint: b.tier,
		Sightings: []sbom.Sighting{{Source: "sbom", Where: fmt.Sprintf("%s, %s %s with %d components",
			name, meta.Format, meta.SpecVersion, len(*packages.Components.Value)), Declared: true, State: sbom.StatePresent, Origin: origin}},
	}
	if b.tier != nil {
		a.HintRule = "stack file: tier of the source"
	}
	if a.Kind == sbom.KindImage {
		identify(&a)
	}
	inv := sbom.Inventory{Schema: sbom.InventorySchema, Artifacts: []sbom.Artifact{a}}
	for _, note := range meta.Notes {
		inv.Failures = append(inv.Failures, sbom.Failure{Source: "sbom " + shown(b.file), Reason: note, Settle: "ask whoever made the SBOM to correct it", Origin: origin})
	}
	return sortInventory(inv), nil
}

// mediaTypeOf names the form of a document that was read.
func mediaTypeOf(meta sbom.BOMMeta, data []byte) string {
	switch {
	case meta.Format == sbom.FormatCycloneDX:
		return "application/vnd.cyclonedx+json"
	case bytes.Contains(data[:min(len(data), 4096)], []byte("SPDXVersion:")):
		return "text/spdx"
	}
	return "application/spdx+json"
}

// identify gives an image the ID by which it is the same wherever it is seen.
func identify(a *sbom.Artifact) {
	if a.Digest != "" {
		a.ID = "image:" + string(a.Digest)
		return
	}
	if ref, err := sbom.ParseReference(a.Reference); err == nil {
		a.ID, a.Unpinned = "image:"+a.Reference, ref.Unpinned()
	}
}

// Open returns the document itself; its packages are read with sbom.ReadDocument.
func (b bom) Open(_ context.Context, a sbom.Artifact) (sbom.Target, error) {
	return sbom.Target{Artifact: a, Path: b.path, Form: "sbom"}, nil
}
