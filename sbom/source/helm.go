package source

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// Limits of a list of Helm releases; an entry takes 200 bytes.
const (
	maxHelmFile     = 32 << 20
	maxHelmReleases = 50_000
)

// helmSettle says how the file is made.
const helmSettle = "write it again: helm list -A -o json > releases.json"

// helm reads the list of releases that helm list -A -o json wrote. It says which charts a cluster runs in which version;
// the values of a release, which hold secrets, are not in that list.
type helm struct {
	file, path string   // as written, and on this machine
	exclude    []string // patterns of namespaces whose releases are only counted
	opt        Options
}

func decodeHelm(v values, opt Options) (sbom.Source, error) {
	s := helm{file: v.text["releases"], path: v.path(v.text["releases"]), exclude: v.lists["exclude"], opt: opt}
	for _, pattern := range s.exclude {
		if _, err := path.Match(pattern, ""); err != nil {
			return nil, at(v.at["exclude"], "exclude %q is no pattern such as customer-*", pattern)
		}
	}
	return s, nil
}

// Name returns the kind and the file as the stack file gives it.
func (s helm) Name() string { return "helm " + shown(s.file) }

// Contacts returns the one file that is read.
func (s helm) Contacts() []audit.Contact {
	return []audit.Contact{{Host: "local", Address: s.file, Right: "read", Purpose: "Helm releases of a cluster"}}
}

// Open returns ErrNoContents: the list holds names and versions only.
func (s helm) Open(context.Context, sbom.Artifact) (sbom.Target, error) {
	return sbom.Target{}, sbom.ErrNoContents
}

// helmRelease has the fields that are read, in the order in which they are kept.
type helmRelease struct {
	AppVersion string `json:"app_version,omitempty"`
	Chart      string `json:"chart"`
	Name       string `json:"name"`
	Namespace  string `json:"namespace"`
	Status     string `json:"status"`
}

// Inventory returns one artifact for each chart version, with a sighting for each release.
func (s helm) Inventory(ctx context.Context) (sbom.Inventory, error) {
	origin := audit.Origin{Source: "helm", Path: shown(s.file), At: s.opt.At}
	data, err := readFile(s.path, maxHelmFile)
	if err != nil {
		return sbom.Inventory{}, fmt.Errorf("reading Helm releases %q: %s", origin.Path, reason(err))
	}
	origin.Digest = audit.DigestOf(data)
	r := helmReader{helm: s, origin: origin, inv: sbom.Inventory{Schema: sbom.InventorySchema}, left: map[string]int{}}
	if err := readJSONList(data, maxHelmReleases, r.release); err != nil {
		err = helmProblem(data, err)
		if r.read == 0 {
			return sbom.Inventory{}, fmt.Errorf("reading Helm releases %q: %w; %s", origin.Path, err, helmSettle)
		}
		r.fail(0, helmSettle, "%s: %s", origin.Path, err)
	}
	if err := keepJSONFields(ctx, s.opt, origin, r.kept); err != nil {
		return sbom.Inventory{}, fmt.Errorf("keeping %q as evidence: %w", origin.Path, err)
	}
	for _, why := range sortedKeys(r.left) {
		r.inv.Omitted = append(r.inv.Omitted, sbom.Omission{Source: s.Name(), What: "helm releases", Why: why, Count: r.left[why]})
	}
	return sortInventory(sbom.Merge(r.inv)), nil
}

// helmProblem tells the other forms of the list by how they begin.
func helmProblem(data []byte, err error) error {
	head := strings.TrimSpace(string(data[:min(len(data), 200)]))
	switch {
	case strings.HasPrefix(head, "NAME"):
		return errors.New("this is the table that helm prints for people")
	case strings.HasPrefix(head, "- "):
		return errors.New("this is YAML")
	}
	return err
}

type helmReader struct {
	helm
	origin audit.Origin
	read   int // entries that were read, also those left out
	inv    sbom.Inventory
	left   map[string]int // releases left out on purpose, by reason
	kept   []helmRelease
}

func (r *helmReader) fail(line int, settle, format string, args ...any) {
	origin := r.origin
	origin.Line = line
	r.inv.Failures = append(r.inv.Failures, sbom.Failure{Source: r.Name(), Reason: fmt.Sprintf(format, args...), Settle: settle, Origin: origin})
}

func (r *helmReader) release(h helmRelease, line int, err error) {
	if err != nil {
		r.fail(line, "", "%s: line %d: an entry is no release: %s", r.origin.Path, line, err)
		return
	}
	r.read++
	if why := r.leaves(h); why != "" {
		r.left[why]++
		return
	}
	name, version, ok := splitChart(h.Chart)
	if !ok || !chartName.MatchString(h.Name) || !chartName.MatchString(h.Namespace) {
		r.fail(line, "", "%s: line %d: release %q with chart %q in namespace %q has a name that is none, or a chart without version",
			r.origin.Path, line, jsonShort(h.Name), jsonShort(h.Chart), jsonShort(h.Namespace))
		return
	}
	r.kept = append(r.kept, h)
	a := chartArtifact(name, version)
	a.Version = chartAppVersion(h.AppVersion)
	s := sbom.Sighting{Source: "helm", Where: fmt.Sprintf("%s: release %s", r.origin.Path, h.Name), State: sbom.StateRunning, Namespace: h.Namespace,
		Workload: "release " + h.Name, Replicas: 1, Origin: r.origin}
	s.Origin.Line = line
	if h.Status != "deployed" {
		s.State, s.Declared, s.Replicas = sbom.StateDeclared, true, 0
		s.Where += " (" + helmStatus(h.Status) + ")"
	}
	a.Sightings = []sbom.Sighting{s}
	r.inv.Artifacts = append(r.inv.Artifacts, a)
}

// leaves says why a release is only counted; empty if it is not.
func (r *helmReader) leaves(h helmRelease) string {
	for _, pattern := range r.exclude {
		if ok, err := path.Match(pattern, h.Namespace); ok && err == nil {
			return "namespaces that match " + pattern
		}
	}
	if h.Status == "uninstalled" || h.Status == "superseded" {
		return "releases that are " + h.Status
	}
	return ""
}

// helmStatus returns a status if Helm has that word.
func helmStatus(s string) string {
	switch s {
	case "failed", "uninstalling", "pending-install", "pending-upgrade", "pending-rollback":
		return s
	}
	return "unknown"
}

// chartArtifact makes the artifact of a chart in one version, the same for a release and for what a chart depends on.
func chartArtifact(name, version string) sbom.Artifact {
	a := sbom.Artifact{ID: "software:" + name, Kind: sbom.KindSoftware, Name: name, Reference: "helm:" + name, Unpinned: sbom.UnpinnedRevision(version)}
	if version != "" {
		a.ID += "@" + version
		a.Reference += "@" + version
	}
	return a
}

// chartAppVersion returns the version of the application without marks of packaging; empty if the text is none.
func chartAppVersion(text string) string {
	text, _, _ = strings.Cut(text, "@")
	v := sbom.UpstreamVersion(text)
	if v == "" || len(v) > 64 || v[0] < '0' || v[0] > '9' || strings.Trim(strings.ToLower(v), "abcdefghijklmnopqrstuvwxyz0123456789.-_+~") != "" {
		return ""
	}
	return v
}

var (
	chartName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$`)
	// fullVersion is what Helm asks of charts (SemVer 2); looseVersion is what it accepts beside it, e.g. v1.
	fullVersion  = regexp.MustCompile(`^v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
	looseVersion = regexp.MustCompile(`^v?[0-9]+(\.[0-9]+)?$`)
)

// splitChart parts a chart such as cilium-1.17.4 into name and version, which only the form of the version tells apart:
// what follows the first dash behind which a full version stands, else behind the last dash.
func splitChart(chart string) (name, version string, ok bool) {
	if len(chart) > 255 {
		return "", "", false
	}
	cut := -1
	for i := range len(chart) {
		if chart[i] == '-' && fullVersion.MatchString(chart[i+1:]) {
			cut = i
			break
		}
	}
	if last := strings.LastIndexByte(chart, '-'); cut < 0 && looseVersion.MatchString(chart[last+1:]) {
		cut = last
	}
	if cut < 0 || !chartName.MatchString(chart[:cut]) {
		return "", "", false
	}
	return chart[:cut], chart[cut+1:], true
}
