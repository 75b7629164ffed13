package source

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// maxDependencies bounds the dependencies of one chart; umbrella charts have some dozens.
const maxDependencies = 1000

// chart reads a Helm chart, as a directory or packed: its name and version, and what it depends on. A chart offers; that
// it is installed is said elsewhere. Templates and values are not read, nor the names of maintainers.
type chart struct {
	written, path string
	opt           Options
}

func decodeChart(v values, opt Options) (sbom.Source, error) {
	return chart{written: v.text["path"], path: v.path(v.text["path"]), opt: opt}, nil
}

// Name returns the kind and the path as the stack file gives it.
func (s chart) Name() string { return "chart " + shown(s.written) }

// Contacts returns the one directory or file that is read.
func (s chart) Contacts() []audit.Contact {
	return []audit.Contact{{Host: "local", Address: s.written, Right: "read", Purpose: "versions that a Helm chart offers"}}
}

// Open returns ErrNoContents: a chart names what would be installed and holds none of it.
func (s chart) Open(context.Context, sbom.Artifact) (sbom.Target, error) {
	return sbom.Target{}, sbom.ErrNoContents
}

// Inventory returns the chart, the charts inside it, and what each depends on.
func (s chart) Inventory(ctx context.Context) (sbom.Inventory, error) {
	tree, err := readChartTree(ctx, s.path)
	if err != nil {
		return sbom.Inventory{}, fmt.Errorf("reading chart %q: %s", shown(s.written), reason(err))
	}
	r := newChartReader("chart", s.written, s.opt, tree)
	if len(r.charts()) == 0 {
		return sbom.Inventory{}, fmt.Errorf("reading chart %q: no Chart.yaml is there; name the directory that holds it, or the .tgz that helm package wrote", shown(s.written))
	}
	if err := r.readCharts(ctx); err != nil {
		return sbom.Inventory{}, err
	}
	return sortInventory(sbom.Merge(r.inv)), nil
}

// chartReader collects what the charts of a tree say.
type chartReader struct {
	source  string // chart or cluster-stack
	written string
	opt     Options
	tree    chartTree
	inv     sbom.Inventory
}

func newChartReader(source, written string, opt Options, tree chartTree) *chartReader {
	r := &chartReader{source: source, written: written, opt: opt, tree: tree, inv: sbom.Inventory{Schema: sbom.InventorySchema}}
	for _, p := range tree.problems {
		r.fail(r.origin(p.name), "", "%s: %s", p.name, p.reason)
	}
	return r
}

// origin returns the origin of a file of the tree, with the digest of its bytes.
func (r *chartReader) origin(name string) audit.Origin {
	o := audit.Origin{Source: r.source, Path: name, At: r.opt.At}
	if data, ok := r.tree.files[name]; ok {
		o.Digest = audit.DigestOf(data)
	}
	return o
}

func (r *chartReader) fail(origin audit.Origin, settle, format string, args ...any) {
	r.inv.Failures = append(r.inv.Failures, sbom.Failure{Source: r.source + " " + shown(r.written), Reason: fmt.Sprintf(format, args...), Settle: settle, Origin: origin})
}

// charts returns the folders of the tree that hold a chart.
func (r *chartReader) charts() []string {
	var out []string
	for _, name := range sortedKeys(r.tree.files) {
		if path.Base(name) == "Chart.yaml" {
			out = append(out, path.Dir(name))
		}
	}
	return out
}

func (r *chartReader) readCharts(ctx context.Context) error {
	for _, folder := range r.charts() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.chart(ctx, folder); err != nil {
			return err
		}
	}
	return nil
}

// chartFile has the fields of Chart.yaml and Chart.lock that are read, in the order in which they are kept.
type chartFile struct {
	AppVersion   string            `json:"appVersion,omitempty"`
	Dependencies []chartDependency `json:"dependencies,omitempty"`
	Name         string            `json:"name,omitempty"`
	Version      string            `json:"version,omitempty"`
}

type chartDependency struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	line    int
}

func (r *chartReader) chart(ctx context.Context, folder string) error {
	file, name, err := r.parse(ctx, path.Join(folder, "Chart.yaml"))
	if err != nil || name == "" {
		return err
	}
	lock, lockName, err := r.firstOf(ctx, folder, "Chart.lock", "requirements.lock")
	if err != nil {
		return err
	}
	if len(file.Dependencies) == 0 { // before Helm 3 they stood in a file of their own
		old, oldName, err := r.firstOf(ctx, folder, "requirements.yaml")
		if err != nil {
			return err
		}
		if oldName != "" {
			file.Dependencies, name = old.Dependencies, oldName
		}
	}
	r.offer(path.Join(folder, "Chart.yaml"), "chart", file.Name, file.Version, file.AppVersion, 0)
	for _, d := range file.Dependencies {
		r.dependency(folder, name, d, lock, lockName)
	}
	return nil
}

// firstOf reads the first of some files of a folder that is there.
func (r *chartReader) firstOf(ctx context.Context, folder string, names ...string) (chartFile, string, error) {
	for _, name := range names {
		if full := path.Join(folder, name); r.tree.files[full] != nil {
			return r.parse(ctx, full)
		}
	}
	return chartFile{}, "", nil
}

// parse reads one file of a chart and keeps its fields as evidence. One that cannot be read is a failure and gives no name.
func (r *chartReader) parse(ctx context.Context, name string) (chartFile, string, error) {
	origin := r.origin(name)
	top, err := chartYAML(r.tree.files[name])
	if err != nil {
		r.fail(origin, "", "%s: %s", name, err)
		return chartFile{}, "", nil
	}
	f := chartFile{Name: yamlText(top, "name"), Version: yamlText(top, "version"), AppVersion: yamlText(top, "appVersion")}
	list := yamlValue(top, "dependencies")
	if list != nil && list.Kind != yaml.SequenceNode && list.Tag != "!!null" {
		r.fail(origin, "", "%s: line %d: dependencies is no list", name, list.Line)
	} else if list != nil {
		f.Dependencies = r.dependencies(name, list, origin)
	}
	if err := keepJSONFields(ctx, r.opt, origin, f); err != nil {
		return chartFile{}, "", fmt.Errorf("keeping %q as evidence: %w", name, err)
	}
	return f, name, nil
}

func (r *chartReader) dependencies(name string, list *yaml.Node, origin audit.Origin) []chartDependency {
	var out []chartDependency
	for i, node := range list.Content {
		if i == maxDependencies {
			r.fail(origin, "", "%s: more than %d dependencies; the rest is not read", name, maxDependencies)
			break
		}
		d := chartDependency{Name: yamlText(node, "name"), Version: yamlText(node, "version"), line: node.Line}
		if !chartName.MatchString(d.Name) {
			o := origin
			o.Line = node.Line
			r.fail(o, "", "%s: line %d: a dependency without a proper name", name, node.Line)
			continue
		}
		out = append(out, d)
	}
	return out
}

// dependency lists one dependency in the version that is fixed for it: as Chart.yaml says if that is one version, else as
// the lock file or the chart packed inside says; a range that nothing fixes stays one.
func (r *chartReader) dependency(folder, name string, d chartDependency, lock chartFile, lockName string) {
	origin := r.origin(name)
	origin.Line = d.line
	i := slices.IndexFunc(lock.Dependencies, func(l chartDependency) bool { return l.Name == d.Name })
	const settle = "run helm dependency update and read the chart again"
	switch exact := exactVersion(d.Version); {
	case lockName != "" && i < 0:
		r.fail(origin, settle, "%s: %s does not name %s: it is older than the list of dependencies", name, path.Base(lockName), d.Name)
	case i >= 0 && exact && !sameVersion(lock.Dependencies[i].Version, d.Version):
		r.fail(origin, settle, "%s: %s says %s %s, the list of dependencies %s; that one counts", name, path.Base(lockName), d.Name,
			jsonShort(lock.Dependencies[i].Version), d.Version)
	case i >= 0:
		r.offer(lockName, "dependency "+d.Name, d.Name, lock.Dependencies[i].Version, "", lock.Dependencies[i].line)
		return
	}
	if exactVersion(d.Version) || !r.packed(folder, d.Name) {
		r.offer(name, "dependency "+d.Name, d.Name, d.Version, "", d.line)
	}
}

// packed reports whether the chart holds one of its dependencies, which is then listed from its own Chart.yaml.
func (r *chartReader) packed(folder, name string) bool {
	if r.tree.files[path.Join(folder, "charts", name, "Chart.yaml")] != nil {
		return true
	}
	prefix := path.Join(folder, "charts", name) + "-"
	for file := range r.tree.files {
		if strings.HasPrefix(file, prefix) && strings.HasSuffix(file, "/"+name+"/Chart.yaml") {
			return true
		}
	}
	return false
}

// offer lists a chart in one version.
func (r *chartReader) offer(file, what, name, version, app string, line int) {
	origin := r.origin(file)
	origin.Line = line
	if !chartName.MatchString(name) || len(version) > 128 || !jsonPrintable(version) {
		r.fail(origin, "", "%s: %s %q in version %q has no proper name or version", file, what, jsonShort(name), jsonShort(version))
		return
	}
	a := chartArtifact(name, version)
	a.Version = chartAppVersion(app)
	if version != "" && !exactVersion(version) {
		a.Unpinned = cmp.Or(a.Unpinned, version+" is a range of versions and nothing fixes one")
	}
	r.add(a, file+": "+what, origin)
}

func (r *chartReader) add(a sbom.Artifact, where string, origin audit.Origin) {
	a.Sightings = []sbom.Sighting{{Source: r.source, Where: where, Declared: true, State: sbom.StateOffered, Origin: origin}}
	r.inv.Artifacts = append(r.inv.Artifacts, a)
}

var exactPattern = regexp.MustCompile(`^=?v?[0-9]+(\.[0-9]+){2}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$|^v[0-9]+$`)

// exactVersion tells one version from a range: 1.2 stands for every 1.2.x in Helm, and v1 is what cluster stacks write.
func exactVersion(v string) bool { return exactPattern.MatchString(v) }

func sameVersion(a, b string) bool {
	clean := func(s string) string { return strings.TrimPrefix(strings.TrimPrefix(s, "="), "v") }
	return clean(a) == clean(b)
}

// chartYAML reads one mapping and refuses keys that stand twice, because nobody could say which value counts.
func chartYAML(data []byte) (*yaml.Node, error) {
	top, err := parseYAML(data)
	if err != nil {
		return nil, err
	}
	return top, uniqueKeys(top)
}

func uniqueKeys(node *yaml.Node) error {
	seen := map[string]bool{}
	for i, n := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 0 {
			if seen[n.Value] {
				return fmt.Errorf("line %d: key %q stands twice", n.Line, jsonShort(n.Value))
			}
			seen[n.Value] = true
		}
		if err := uniqueKeys(n); err != nil {
			return err
		}
	}
	return nil
}

// yamlValue returns the value of a key, or nil.
func yamlValue(node *yaml.Node, key string) *yaml.Node {
	if node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}

// yamlText returns the text of a key whatever its YAML type, because 1.20 is a version and no number; empty if there is none.
func yamlText(node *yaml.Node, key string) string {
	v := yamlValue(node, key)
	if v == nil || v.Kind != yaml.ScalarNode || v.Tag == "!!null" {
		return ""
	}
	return v.Value
}
