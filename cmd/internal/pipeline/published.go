package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/sbom"
)

// This file reads the SBOM that an operator publishes, and compares it with what was found deployed.

const maxPublishedNames = 20 // of parts that are kept as examples

// checkPublished returns the function that reads a published SBOM: how well it states what BSI TR-03183-2 demands, and which
// of the deployed parts it names. A part is an image or a piece of software that runs or shall run; machines are none, and
// what the operator took out is none. A document names a part by a digest of it, or by its name and version: that of the
// image, of the upstream project, or of the package of that name inside it. Other spellings of registries do not matter.
func (g *gatherer) checkPublished(inv sbom.Inventory, pkgs []sbom.Packages) func(context.Context, []byte) (transparency.SBOMFacts, error) {
	parts := deployedParts(inv, pkgs)
	return func(ctx context.Context, data []byte) (transparency.SBOMFacts, error) {
		if err := ctx.Err(); err != nil {
			return transparency.SBOMFacts{}, err
		}
		if sbom.LooksLikeXML(data) {
			converted, err := sbom.CycloneDXFromXML(data)
			if err != nil {
				return transparency.SBOMFacts{}, err
			}
			data = converted
		}
		contents, meta, err := sbom.ReadDocument(data)
		if err != nil {
			return transparency.SBOMFacts{}, err
		}
		return publishedFacts(parts, contents, meta, data), nil
	}
}

func publishedFacts(parts []deployedPart, contents sbom.Packages, meta sbom.BOMMeta, data []byte) transparency.SBOMFacts {
	list, _ := contents.Components.Get()
	facts := transparency.SBOMFacts{
		Format: strings.TrimSpace(meta.Format + " " + meta.SpecVersion), Created: meta.Timestamp, Components: len(list), Documents: 1,
		Redacted: meta.Public, Deployed: len(parts),
	}
	if list == nil && meta.Name != "" || len(list) == 0 && meta.Kind == sbom.KindImage {
		facts.Components = 1 // the root alone: a list of images may have one document for each
	}
	quality := measureBytes(data)
	facts.BSI, facts.Unmeasured = quality.Fulfilled && quality.Failure == "", quality.Failure
	for _, o := range quality.Open {
		if len(facts.Open) < maxPublishedNames {
			facts.Open = append(facts.Open, fmt.Sprintf("%s (%d of %d)", o.Field, o.Missing, o.Of))
		}
	}
	named := namedIn(contents, meta)
	used := map[string]bool{}
	for _, p := range parts {
		part := transparency.SBOMPart{Name: p.name}
		part.Named, part.Unsure = p.in(named, used)
		facts.Parts = append(facts.Parts, part)
		switch {
		case part.Named:
			facts.Named++
			continue
		case part.Unsure:
			facts.Unsure++
		}
		if len(facts.Missing) < maxPublishedNames {
			facts.Missing = append(facts.Missing, p.name)
		}
	}
	facts.Extra = named.beside(used)
	for _, key := range named.hidden {
		if facts.Redacted = true; !used[key] { // a digest may have told which part it is
			facts.Hidden++
		}
	}
	return facts
}

// deployedPart is one part of the stack, as a document may name it.
type deployedPart struct {
	name     string // fit to be shown in public
	digests  []audit.Digest
	names    []string // lower case
	versions []string // as comparableVersion writes them; empty: not known
	purls    []string // without qualifiers
}

// deployedParts are the parts that a document should name, in the order of the inventory.
func deployedParts(inv sbom.Inventory, pkgs []sbom.Packages) []deployedPart {
	inside := map[string]sbom.Packages{}
	for _, p := range pkgs {
		inside[p.Artifact] = p
	}
	public := sbom.PublicForm{Registry: reports.PublicRegistry, Address: reports.PublicAddress}
	var out []deployedPart
	for _, a := range inv.Artifacts {
		if a.Kind != sbom.KindHost && a.Excluded == "" && deployedNow(a) {
			out = append(out, partOf(a, inside[a.ID], public))
		}
	}
	return out
}

// deployedNow reports whether an artifact runs or shall run; what a release only offers does not.
func deployedNow(a sbom.Artifact) bool {
	return len(a.Sightings) == 0 || slices.ContainsFunc(a.Sightings, func(s sbom.Sighting) bool { return s.State != sbom.StateOffered })
}

func partOf(a sbom.Artifact, inside sbom.Packages, public sbom.PublicForm) deployedPart {
	shown, _ := public.Of(sbom.Inventory{Artifacts: []sbom.Artifact{a}}, nil)
	p := deployedPart{name: shown.Artifacts[0].Name}
	if a.Version != "" {
		p.name += " " + a.Version
	}
	for _, d := range append([]audit.Digest{a.Digest, a.Config}, a.Digests...) {
		if d != "" && !slices.Contains(p.digests, d) {
			p.digests = append(p.digests, d)
		}
	}
	p.addName(a.Name)
	for _, project := range a.Projects {
		p.addName(project)
	}
	for _, text := range append([]string{a.Reference}, a.Aliases...) {
		if r, err := sbom.ParseReference(text); err == nil {
			p.addName(r.Name())
			p.addVersion(sbom.ParseTag(r.Tag).Version)
		}
	}
	p.addVersion(a.Version)
	list, _ := inside.Components.Get()
	for _, c := range list {
		if c.Version != "" && c.OwnedBy == "" && slices.Contains(p.names, strings.ToLower(c.Name)) {
			p.addVersion(c.Version)
			if purl := sbom.BarePURL(c.PURL); purl != "" && len(p.purls) < maxPublishedNames {
				p.purls = append(p.purls, purl)
			}
		}
	}
	return p
}

func (p *deployedPart) addName(name string) {
	if name = partName(name); name != "" && !slices.Contains(p.names, name) {
		p.names = append(p.names, name)
	}
}

func (p *deployedPart) addVersion(version string) {
	if version = comparableVersion(version); version != "" && !slices.Contains(p.versions, version) {
		p.versions = append(p.versions, version)
	}
}

// partName is the last part of a name or path, in lower case.
func partName(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	return name[strings.LastIndexByte(name, '/')+1:]
}

// comparableVersion takes off what builders add: a leading v, a Debian epoch and revision, the build date of OSISM.
func comparableVersion(version string) string {
	version = strings.TrimSpace(version)
	return cmp.Or(sbom.ParseTag(version).Version, strings.TrimPrefix(strings.ToLower(version), "v"))
}

// in reports whether a document names the part. unsure: it has the name, and nothing that tells the version.
func (p deployedPart) in(n namedParts, used map[string]bool) (named, unsure bool) {
	for _, d := range p.digests {
		if key, ok := n.digests[d]; ok {
			used[key], named = true, true
		}
	}
	for _, purl := range p.purls {
		named = named || n.purls[purl]
	}
	for _, name := range p.names {
		versions, known := n.versions[name]
		if !known {
			continue
		}
		used[name] = true
		for _, v := range p.versions {
			named = named || versions[v]
		}
		unsure = unsure || len(p.versions) == 0 || len(versions) == 1 && versions[""]
	}
	return named, unsure && !named
}

// namedParts is what a document names.
type namedParts struct {
	digests  map[audit.Digest]string    // of images, to the name there
	versions map[string]map[string]bool // by name; the version "" is none
	purls    map[string]bool
	images   []string // names of images, with versions, in the order of the document
	keys     []string // their names alone
	hidden   []string // entries that stand for a part without its name
}

// hiddenName is how the public form of Pegel writes the names of parts that only insiders know (sbom.PublicForm).
var hiddenName = regexp.MustCompile(`^(?:internal image|internal software|document) \d+$`)

func namedIn(contents sbom.Packages, meta sbom.BOMMeta) namedParts {
	n := namedParts{digests: map[audit.Digest]string{}, versions: map[string]map[string]bool{}, purls: map[string]bool{}}
	if meta.Name != "" {
		n.add(meta.Name, meta.Version, meta.Digest, meta.Kind == sbom.KindImage)
	}
	if r, err := sbom.ParseReference(meta.Reference); err == nil {
		n.add(r.Name(), sbom.ParseTag(r.Tag).Version, r.Digest, false)
	}
	list, _ := contents.Components.Get()
	for _, c := range list {
		digest, image := audit.Digest(""), false
		if purl, err := packageurl.FromString(c.PURL); err == nil {
			n.purls[sbom.BarePURL(c.PURL)] = true
			if image = purl.Type == "oci" || purl.Type == "docker"; image {
				digest, _ = audit.ParseDigest(purl.Version)
			}
		}
		if d, err := audit.ParseDigest(c.Version); err == nil {
			digest, c.Version, image = d, "", true
		}
		n.add(c.Name, c.Version, digest, image)
	}
	return n
}

func (n *namedParts) add(name, version string, digest audit.Digest, image bool) {
	hidden := hiddenName.MatchString(name)
	key := partName(name)
	if hidden {
		n.hidden = append(n.hidden, key)
	}
	if r, err := sbom.ParseReference(name); err == nil && (r.Tag != "" || r.Digest != "") {
		key = r.Name()
		version, digest, image = cmp.Or(version, r.Tag), cmp.Or(digest, r.Digest), true
	}
	if digest != "" {
		n.digests[digest] = key
	}
	if key == "" {
		return
	}
	if n.versions[key] == nil {
		n.versions[key] = map[string]bool{}
	}
	n.versions[key][comparableVersion(version)] = true
	if image && !hidden {
		n.images, n.keys = append(n.images, strings.TrimSpace(name+" "+version)), append(n.keys, key)
	}
}

// beside names images of the document that are not deployed, bounded.
func (n namedParts) beside(used map[string]bool) []string {
	var out []string
	for i, name := range n.images {
		if !used[n.keys[i]] && !slices.Contains(out, name) && len(out) < maxPublishedNames {
			out = append(out, name)
		}
	}
	return out
}
