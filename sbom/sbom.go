// Package sbom describes what a stack is made of: the inventory of deployed artifacts, the components found in each, and
// the CycloneDX documents written from them. Sources and scanners live in its children.
package sbom

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Schemas of the JSON forms.
const (
	InventorySchema = "pegel/inventory/v1"
	PackagesSchema  = "pegel/packages/v1"
)

// Kinds of artifacts.
const (
	KindImage    = "image"    // container image
	KindHost     = "host"     // file system of a machine
	KindSoftware = "software" // anything deployed that is not an image: a package, a chart, a collection, a role
	KindBOM      = "bom"      // known only from a document made by others
)

// States of a sighting: what a source can say about the artifact at that place.
const (
	StateDeclared = "declared" // it shall run: a configuration or an orchestrator says so
	StateOffered  = "offered"  // a release or chart offers it in this version; whether it shall run is not said there
	StateRunning  = "running"  // it runs
	StateStopped  = "stopped"  // a container of it exists and does not run
	StatePresent  = "present"  // its contents are there: an image store, a layout, a registry, a document
)

// Artifact is one thing that was found deployed or declared.
type Artifact struct {
	ID        string       `json:"id"` // "image:<digest>" or "image:<reference>", "host:<name>" or "host:<region>/<name>", "software:<name>@<version>", "bom:<digest of the file>"
	Kind      string       `json:"kind"`
	Name      string       `json:"name"`                // short name, e.g. keystone
	Reference string       `json:"reference,omitempty"` // as the source names it, e.g. registry.osism.tech/kolla/release/keystone:26.0.1.20250408
	Version   string       `json:"version,omitempty"`   // upstream version, e.g. 26.0.1 (reference/scs.md 5.2)
	Edition   string       `json:"edition,omitempty"`   // edition or vendor build, if it is known
	Digest    audit.Digest `json:"digest,omitempty"`    // manifest digest of an image
	// Digests are other digests under which the same image is known, sorted: of the index that offers it for several
	// platforms, or of the same contents packed again. Config is the digest of its configuration, the image ID of engines.
	Digests  []audit.Digest `json:"digests,omitempty"`
	Config   audit.Digest   `json:"config,omitempty"`
	Unpinned string         `json:"unpinned,omitempty"` // why the reference may mean something else tomorrow; empty if it is pinned
	Tiers    []string       `json:"tiers,omitempty"`    // functional, iam, ops, base
	Area     string         `json:"area,omitempty"`
	Service  string         `json:"service,omitempty"`
	Placed   string         `json:"placed,omitempty"` // how tier, area and service were decided
	// Excluded says why the operator took the artifact out (assign: not-deployed); such an artifact stays listed.
	Excluded string   `json:"excluded,omitempty"`
	Projects []string `json:"project,omitempty"` // catalogue ids
	// Replicas is how many of it run, as the source that saw most of them counts; 0 if none was seen running.
	Replicas int `json:"replicas,omitempty"`
	// ByName says that something of it runs of which no source saw a digest: only the name says that it is this artifact, so
	// that what runs may have other contents.
	ByName bool `json:"by_name,omitempty"`
	// Support is until when its version is maintained, if that is known.
	Support  *Support `json:"support,omitempty"`
	TierHint []string `json:"-"` // what the source knows about the tier, e.g. OSISM's base.yml runs the manager
	HintRule string   `json:"-"` // who says so, e.g. "source osism base.yml"
	// Aliases are other references under which the same contents were found, sorted.
	Aliases   []string          `json:"aliases,omitempty"`
	Platform  string            `json:"platform,omitempty"` // of an image, e.g. linux/amd64; of a host, ID and VERSION_ID of os-release
	Labels    map[string]string `json:"labels,omitempty"`   // OCI labels that bear on name, licence, version or source; claims of the builder
	Sightings []Sighting        `json:"sightings"`
}

// Seen reports whether any source saw the artifact itself, not only a declaration of it.
func (a Artifact) Seen() bool {
	for _, s := range a.Sightings {
		if !s.Declared {
			return true
		}
	}
	return false
}

// Running reports whether any source saw it run.
func (a Artifact) Running() bool {
	return slices.ContainsFunc(a.Sightings, func(s Sighting) bool { return s.State == StateRunning })
}

// Sighting is one place where an artifact was found. What a source does not say is empty.
type Sighting struct {
	Source    string       `json:"source"`              // kind of the source: osism, image, host, containers, kubernetes, ...
	Where     string       `json:"where"`               // file and key, layout, cluster and workload, host
	Declared  bool         `json:"declared,omitempty"`  // an intent source (StateDeclared, StateOffered): it says what shall run, not what runs
	State     string       `json:"state,omitempty"`     // one of the states above
	Reference string       `json:"reference,omitempty"` // as this source names the artifact, if it is an image
	Digest    audit.Digest `json:"digest,omitempty"`    // as this source saw it
	Hosts     []string     `json:"hosts,omitempty"`     // machines on which it was seen, sorted
	Namespace string       `json:"namespace,omitempty"` // of a cluster
	Workload  string       `json:"workload,omitempty"`  // what owns it there, e.g. "Deployment/coredns", or the name of a container
	Replicas  int          `json:"replicas,omitempty"`  // how many run here
	Region    string       `json:"region,omitempty"`    // of the source; empty: its source counts for every region
	Origin    audit.Origin `json:"origin,omitzero"`
}

// Support says until when a version is maintained by its upstream.
type Support struct {
	Cycle  string `json:"cycle"`  // the series that the version belongs to, e.g. "Kubernetes 1.32"
	Ends   string `json:"ends"`   // last day of maintenance, e.g. 2026-02-28
	Source string `json:"source"` // where that is said
}

// Expected is a name in a list that was made for another purpose: a host in an Ansible inventory, a service in a
// catalogue. A name there that no sighting covers shows what the inventory lacks.
type Expected struct {
	Kind   string       `json:"kind"`             // ExpectedHost or ExpectedService
	Name   string       `json:"name"`             // as the list writes it: a host name, "nova", "nova-compute"
	Groups []string     `json:"groups,omitempty"` // what else the list says about it: groups of a host, the type of a service; sorted
	List   string       `json:"list"`             // what kind of list, e.g. "Ansible inventory"
	Where  string       `json:"where"`            // file and place
	Self   bool         `json:"self,omitempty"`   // the source that lists it is the one that shows what is there, so that it proves nothing about others
	Known  bool         `json:"known,omitempty"`  // a service that the catalogue knows; set by Recognise, never by a source
	Region string       `json:"region,omitempty"` // of the list; empty: it counts for every region
	Origin audit.Origin `json:"origin,omitzero"`
}

// Kinds of expected names.
const (
	ExpectedHost    = "host"
	ExpectedService = "service"
)

// Attested is what an SBOM that a registry holds about an image (a referrer) lists. It is somebody's statement, kept to be
// compared with what a scan of the image finds; its signature is not verified here.
type Attested struct {
	Artifact   string       `json:"artifact"`        // Artifact.ID
	Format     string       `json:"format"`          // e.g. "CycloneDX 1.6", "SPDX-2.3"
	Components int          `json:"components"`      // how many it lists, with purl or without
	PURLs      []string     `json:"purls,omitempty"` // sorted, each once, at most 50,000
	Quality    *Quality     `json:"quality,omitempty"`
	Origin     audit.Origin `json:"origin"`
}

// Quality is how well one SBOM states what a guideline demands, in short; package sbom/quality measures it.
type Quality struct {
	Profile    string      `json:"profile"`    // id of the guideline
	Fulfilled  bool        `json:"fulfilled"`  // every required field is stated
	Components int         `json:"components"` // the root included
	Complete   int         `json:"complete"`   // of these: state every required field
	Strict     int         `json:"strict"`     // the same where logical components count as files
	Open       []OpenField `json:"open,omitempty"`
	Failure    string      `json:"failure,omitempty"` // why it could not be measured
}

// OpenField is a field that some components do not state in a valid form.
type OpenField struct {
	Rule    string `json:"rule"`
	Field   string `json:"field"`
	Missing int    `json:"missing"` // components without it; 1 for a field of the document
	Of      int    `json:"of"`
}

// Omission counts what was left out on purpose, e.g. workloads of customers. Names of such things are never recorded.
type Omission struct {
	Source string `json:"source"` // name of the source
	What   string `json:"what"`   // what is counted: "pods", "containers", "namespaces"
	Why    string `json:"why"`    // the rule of the stack file, e.g. "namespaces that match customer-*"
	Count  int    `json:"count"`
	Region string `json:"region,omitempty"` // of the source; empty: it counts for every region
}

// Failure is a source, or a part of one, that could not be read. The run goes on.
type Failure struct {
	Source string       `json:"source"` // name and address of the source
	Reason string       `json:"reason"`
	Settle string       `json:"settle,omitempty"`
	Region string       `json:"region,omitempty"` // of the source; empty: it counts for every region
	Origin audit.Origin `json:"origin,omitzero"`
}

// Inventory is everything that was found.
type Inventory struct {
	Schema    string     `json:"schema"`
	Artifacts []Artifact `json:"artifacts"` // sorted by ID, one per thing: the same digest seen twice is one artifact with two sightings
	Expected  []Expected `json:"expected,omitempty"`
	Omitted   []Omission `json:"omitted,omitempty"`
	Attested  []Attested `json:"attested,omitempty"` // SBOMs by others that were found beside images, sorted by artifact and origin
	Failures  []Failure  `json:"failures,omitempty"`
	// Repositories are the places from which hosts install packages.
	Repositories []Repository `json:"repositories,omitempty"`
	// Packages are what a host found inside its artifacts; only the file that "pegel inventory --host" writes has them.
	Packages []Packages `json:"packages,omitempty"`
}

// Packages are the components found inside one artifact, or the reason why none could be read.
type Packages struct {
	Schema   string            `json:"schema"`
	Artifact string            `json:"artifact"`       // Artifact.ID
	OS       string            `json:"os,omitempty"`   // ID and VERSION_ID of os-release, e.g. "debian 12"
	Tool     string            `json:"tool,omitempty"` // what read them, with version
	SHA512   string            `json:"sha512,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"` // OCI labels that bear on licence, version or source
	// Declared says that the list is somebody's statement (a document made by others), not read from the contents.
	Declared   bool                    `json:"declared,omitempty"`
	Components audit.Fact[[]Component] `json:"components"` // sorted by Ref
	// Depth says which files Files lists; empty: nobody looked for files.
	Depth string `json:"depth,omitempty"`
	Files []File `json:"files,omitempty"` // sorted by Path
}

// Depths of Packages.Files.
const (
	// DepthEntries: ELF and other machine code, scripts in a directory of programs, and archives.
	DepthEntries = "entries"
	// DepthAll: every executable file in the sense of BSI TR-03183-2 section 3.2.3, interpreted modules included, and archives.
	DepthAll = "all"
)

// File is one executable file or archive inside an artifact: what BSI TR-03183-2 section 3.2.2 counts as a component beside
// the logical ones.
type File struct {
	Path       string       `json:"path"`            // inside the artifact, links resolved, beginning with /
	Owner      string       `json:"owner,omitempty"` // Ref of the component that brings it; empty if none says so
	Size       int64        `json:"size"`
	Modified   time.Time    `json:"modified,omitzero"` // UTC; the version of a file whose owner has none
	SHA256     string       `json:"sha256"`            // hexadecimal
	SHA512     string       `json:"sha512"`
	Kind       string       `json:"kind"` // elf, pe, mach-o, script, bytecode, archive
	Executable bool         `json:"executable,omitempty"`
	Archive    bool         `json:"archive,omitempty"`
	Structured bool         `json:"structured,omitempty"` // its parts can still be told apart: archives are, machine code is not
	Layer      audit.Digest `json:"layer,omitempty"`      // diffID of the layer that brought it
}

// Component is one package inside an artifact.
type Component struct {
	Ref           string `json:"ref"`  // bom-ref: the purl, made unique by #path where one purl occurs twice
	Type          string `json:"type"` // deb, python, go-module, npm, java-archive, ... as syft names it; "file" for others
	Name          string `json:"name"`
	Version       string `json:"version"`
	PURL          string `json:"purl,omitempty"`
	CPE           string `json:"cpe,omitempty"`
	Arch          string `json:"arch,omitempty"`
	Source        string `json:"source,omitempty"` // source package name
	SourceVersion string `json:"source_version,omitempty"`
	Supplier      string `json:"supplier,omitempty"` // organisation; a person's name is left out
	Homepage      string `json:"homepage,omitempty"`
	Section       string `json:"section,omitempty"` // archive area and section of a deb, e.g. "non-free/libs"
	// Upstream is what the package says about where its source comes from, beside Homepage. Strangers wrote it.
	Upstream  []UpstreamClaim `json:"upstream,omitempty"`
	Licences  []LicenceClaim  `json:"licences,omitempty"`
	DependsOn []string        `json:"depends_on,omitempty"` // refs in the same artifact, sorted
	// Dependencies says how much of what it depends on DependsOn holds: DependenciesComplete, DependenciesIncomplete, or
	// nothing where nobody can say.
	Dependencies string       `json:"dependencies,omitempty"`
	OwnedBy      string       `json:"owned_by,omitempty"`  // ref of the package of the distribution whose files show it
	Locations    []string     `json:"locations,omitempty"` // paths inside the artifact that show it, at most 5
	Layer        audit.Digest `json:"layer,omitempty"`     // diffID of the layer that brought it
}

// What Component.Dependencies says.
const (
	DependenciesComplete   = "complete"
	DependenciesIncomplete = "incomplete"
)

// UpstreamClaim is one address that a package names for its source, as it was written.
type UpstreamClaim struct {
	Kind   string `json:"kind"` // one of the kinds below
	URL    string `json:"url"`
	Folder string `json:"folder,omitempty"` // in the repository, where the package names one
	Path   string `json:"path,omitempty"`   // of the file inside the artifact that says so
}

// Kinds of upstream claims.
const (
	UpstreamRepository = "repository" // a field for the repository: Project-URL of sources, npm repository, Maven scm, vcs reference
	UpstreamHomepage   = "homepage"
	UpstreamCopyright  = "copyright" // Source of the copyright file of a deb
)

// maxUpstreamURL bounds one address.
const maxUpstreamURL = 512

// MaxUpstream is how many upstream claims of a component are kept.
const MaxUpstream = 8

// LicenceClaim is one statement about the licence of a component, as it was found. Claims of one provenance all hold.
type LicenceClaim struct {
	Value      string `json:"value"`      // as written: an SPDX expression, a name, a Debian short name
	Provenance string `json:"provenance"` // one of the provenances below
	Path       string `json:"path,omitempty"`
	Line       int    `json:"line,omitempty"` // first line in Path that says it, counted from 1; 0: the whole file
	// Weight says what the claim bears on, in the words of audit/licence: main (also if empty), shipped, side.
	Weight string `json:"weight,omitempty"`
	// Files are the patterns of files that the claim is about, as written, separated by spaces and cut at 200 bytes; empty:
	// the whole component.
	Files string `json:"files,omitempty"`
	// Origin says where a claim was read that is not in the artifact itself.
	Origin audit.Origin `json:"origin,omitzero"`
}

// Provenances of licence claims, in the order in which they are believed (reference: order of sources when an image has no
// copyright files).
const (
	FromCurated     = "curated"               // a correction with reason, source and date of review, kept as data
	FromCopyright   = "copyright-file"        // the visible copyright file of a package of a distribution
	FromHidden      = "hidden-copyright-file" // the same in a lower layer, of the same version, that a later layer removed
	FromOtherImage  = "same-package"          // the same package in the same version in another artifact of the stack
	FromMirror      = "package-mirror"        // the package itself, from a mirror
	FromService     = "copyright-service"     // a public service of a distribution, by source package and version
	FromMetadata    = "metadata"              // a field of the package: METADATA, package.json, pom.xml, rpm tag
	FromText        = "text"                  // a licence text in the package, recognised
	FromSBOM        = "sbom"                  // a document made by others
	FromCatalogue   = "catalogue"             // the list of known upstream components
	FromArchiveArea = "archive-area"          // the archive accepts only such packages (Debian main)
	FromLabel       = "label"                 // a label of the image; never trusted alone
)

// Placement is where a component stands in a stack; package cmd gets it from the catalogue.
type Placement struct {
	Tiers    []string
	Area     string
	Service  string
	Projects []string
	Rule     string // how it was decided
	Assigned bool   // the operator said so (assign:), which wins over what the source knows about the tier
	Excluded string // why the operator took the artifact out (assign: not-deployed); empty if it is deployed
	Support  *Support
}

// Target is what Open returns: image contents that a scanner can read.
type Target struct {
	Artifact Artifact
	Path     string // OCI layout directory, archive file or root directory on this machine
	Form     string // oci-dir, oci-archive, root, sbom, packages
	// Packages are set by a source that knows what is inside without a scan, e.g. the inventory file of a host (Form packages).
	Packages *Packages
	// Done removes what Open made for this target, e.g. a pulled image; nil: nothing to remove. Call it when the target was read.
	Done func() error
}

// ErrNoContents says that a source knows of an artifact but not what is in it, e.g. a release manifest.
var ErrNoContents = errors.New("this source has no contents to open")

// Source is one place that an inventory comes from. Inventory returns everything it could read even when parts failed;
// an error means that nothing could be read, and then the inventory holds no more than further failures. Open returns ErrNoContents where there is nothing to scan.
type Source interface {
	Name() string              // kind and address as in the stack file, e.g. "osism ./release/9.0.0"
	Contacts() []audit.Contact // what Inventory and Open would read, for --plan; contacts nobody itself
	Inventory(ctx context.Context) (Inventory, error)
	Open(ctx context.Context, a Artifact) (Target, error)
}
