package source

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// Kinds of files of cluster stacks, by the group of their apiVersion.
const (
	stackMetadata = "metadata.clusterstack.x-k8s.io/"
	stackConfig   = "csctl.clusterstack.x-k8s.io/"
	stackAddons   = "clusteraddonconfig.x-k8s.io/"
)

// maxStackList bounds the lists in files of a cluster stack.
const maxStackList = 1000

// clusterStack reads a release of a cluster stack (metadata.yaml and packed charts) or the folder that releases are built
// from (csctl.yaml, versions.yaml, charts). It says which Kubernetes and which charts the stack offers; which of its
// releases a cluster was made from is said elsewhere.
type clusterStack struct {
	written, path string
	opt           Options
}

func decodeClusterStack(v values, opt Options) (sbom.Source, error) {
	return clusterStack{written: v.text["release"], path: v.path(v.text["release"]), opt: opt}, nil
}

// Name returns the kind and the directory as the stack file gives it.
func (s clusterStack) Name() string { return "cluster-stack " + shown(s.written) }

// Contacts returns the one directory that is read.
func (s clusterStack) Contacts() []audit.Contact {
	return []audit.Contact{{Host: "local", Address: s.written, Right: "read", Purpose: "versions that a cluster stack offers"}}
}

// Open returns ErrNoContents: a cluster stack names versions only.
func (s clusterStack) Open(context.Context, sbom.Artifact) (sbom.Target, error) {
	return sbom.Target{}, sbom.ErrNoContents
}

// Inventory reads every file that says a version. One that cannot be read is a failure; the rest is returned.
func (s clusterStack) Inventory(ctx context.Context) (sbom.Inventory, error) {
	tree, err := readChartTree(ctx, s.path)
	if err != nil {
		return sbom.Inventory{}, fmt.Errorf("reading cluster stack %q: %s", shown(s.written), reason(err))
	}
	r := stackReader{newChartReader("cluster-stack", s.written, s.opt, tree)}
	if err := r.readFiles(ctx); err != nil {
		return sbom.Inventory{}, err
	}
	if err := r.readCharts(ctx); err != nil {
		return sbom.Inventory{}, err
	}
	if len(r.inv.Artifacts) == 0 {
		return sbom.Inventory{}, fmt.Errorf("reading cluster stack %q: %s", shown(s.written), r.nothing())
	}
	return sortInventory(sbom.Merge(r.inv)), nil
}

type stackReader struct{ *chartReader }

func (r stackReader) nothing() string {
	if len(r.inv.Failures) > 0 {
		return r.inv.Failures[0].Reason
	}
	return "no metadata.yaml, csctl.yaml, versions.yaml or Chart.yaml is there; name the directory of a release or of a cluster stack"
}

// readFiles reads the files of cluster stacks; the charts are read after them.
func (r stackReader) readFiles(ctx context.Context) error {
	readers := map[string]func(string, audit.Origin) (any, error){
		"metadata.yaml": r.metadata, "csctl.yaml": r.config, "versions.yaml": r.versions, "clusteraddon.yaml": r.addons, "node-images.yaml": r.nodeImages}
	for _, name := range sortedKeys(r.tree.files) {
		read := readers[path.Base(name)]
		if read == nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		origin := r.origin(name)
		kept, err := read(name, origin)
		if err != nil {
			r.fail(origin, "", "%s: %s", name, err)
		}
		if kept == nil {
			continue
		}
		if err := keepJSONFields(ctx, r.opt, origin, kept); err != nil {
			return fmt.Errorf("keeping %q as evidence: %w", name, err)
		}
	}
	return nil
}

// document reads a file that must be of the group given; version suffixes of the group are left to grow.
func (r stackReader) document(name, group string) (*yaml.Node, error) {
	top, err := chartYAML(r.tree.files[name])
	if err != nil {
		return nil, err
	}
	if api := yamlText(top, "apiVersion"); !strings.HasPrefix(api, group) {
		return nil, fmt.Errorf("apiVersion %q does not begin with %s", jsonShort(api), group)
	}
	return top, nil
}

// metadata reads what a release says about itself: versions.kubernetes, its own version and those of its parts.
func (r stackReader) metadata(name string, origin audit.Origin) (any, error) {
	top, err := r.document(name, stackMetadata)
	if err != nil {
		return nil, err
	}
	versions := yamlValue(top, "versions")
	kubernetes := yamlText(versions, "kubernetes")
	r.kubernetes(name+": versions.kubernetes", kubernetes, stackLine(origin, versions))
	kept := map[string]string{"kubernetes": kubernetes, "clusterStack": yamlText(versions, "clusterStack")}
	if own := kept["clusterStack"]; validStackVersion(own) {
		r.software(name+": versions.clusterStack", "cluster-stacks", own, stackLine(origin, versions))
	}
	parts := yamlValue(versions, "components")
	for _, part := range []string{"clusterAddon", "nodeImage"} {
		kept[part] = yamlText(parts, part)
	}
	return kept, nil
}

// stackLine returns the origin with the line of a node, if there is one.
func stackLine(origin audit.Origin, node *yaml.Node) audit.Origin {
	if node != nil {
		origin.Line = node.Line
	}
	return origin
}

// config reads csctl.yaml, from which releases are built.
func (r stackReader) config(name string, origin audit.Origin) (any, error) {
	top, err := r.document(name, stackConfig)
	if err != nil {
		return nil, err
	}
	config := yamlValue(top, "config")
	version := yamlText(config, "kubernetesVersion")
	r.kubernetes(name+": config.kubernetesVersion", version, stackLine(origin, config))
	return map[string]string{"kubernetesVersion": version}, nil
}

// kubernetes lists one version of Kubernetes.
func (r stackReader) kubernetes(where, version string, origin audit.Origin) {
	if !validStackVersion(version) {
		r.fail(origin, "", "%s is %q and no version of Kubernetes", where, jsonShort(version))
		return
	}
	r.software(where, "kubernetes", "v"+strings.TrimPrefix(version, "v"), origin)
}

func (r stackReader) software(where, name, version string, origin audit.Origin) {
	a := sbom.Artifact{ID: "software:" + name + "@" + version, Kind: sbom.KindSoftware, Name: name, Reference: name + "@" + version,
		Version: sbom.UpstreamVersion(version)}
	if strings.Count(version, ".") == 1 {
		a.Unpinned = version + " names a series, not one version"
	}
	r.add(a, where, origin)
}

func validStackVersion(v string) bool {
	return len(v) <= 64 && (fullVersion.MatchString(v) || looseVersion.MatchString(v))
}

// stackCharts are the words of versions.yaml for charts; the others are names of software.
func stackCharts() map[string]string {
	return map[string]string{"cinder_csi": "openstack-cinder-csi", "occm": "openstack-cloud-controller-manager", "manila_csi": "openstack-manila-csi"}
}

// versions reads versions.yaml: a list of Kubernetes versions, each with the versions of what belongs to it.
func (r stackReader) versions(name string, origin audit.Origin) (any, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(r.tree.files[name], &doc); err != nil {
		return nil, fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := uniqueKeys(&doc); err != nil {
		return nil, err
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.SequenceNode || len(doc.Content[0].Content) > maxStackList {
		return nil, fmt.Errorf("this is no list of at most %d Kubernetes versions", maxStackList)
	}
	kept := []map[string]string{}
	for _, node := range doc.Content[0].Content {
		kept = append(kept, r.versionRow(name, node, stackLine(origin, node)))
	}
	return kept, nil
}

func (r stackReader) versionRow(name string, node *yaml.Node, origin audit.Origin) map[string]string {
	row := map[string]string{}
	if node.Kind != yaml.MappingNode || yamlText(node, "kubernetes") == "" {
		r.fail(origin, "", "%s: line %d: an entry names no version of Kubernetes", name, node.Line)
		return row
	}
	for i := 0; i+1 < len(node.Content) && i < 2*maxStackList; i += 2 {
		key, version := node.Content[i].Value, node.Content[i+1].Value
		o := stackLine(origin, node.Content[i])
		where := name + ": " + jsonShort(key)
		switch chart := stackCharts()[key]; {
		case row[key] != "" || !chartName.MatchString(key) || !validStackVersion(version):
			r.fail(o, "", "%s: line %d: %q is no version of %q, or stands twice", name, o.Line, jsonShort(version), jsonShort(key))
			continue
		case key == "kubernetes":
			r.kubernetes(where, version, o)
		case chart != "":
			r.offer(name, key, chart, version, "", o.Line)
		default:
			r.software(where, strings.ReplaceAll(key, "_", "-"), version, o)
		}
		row[key] = version
	}
	return row
}

// addons compares the add-ons that a stack installs, clusteraddon.yaml, with the charts that are there.
func (r stackReader) addons(name string, origin audit.Origin) (any, error) {
	top, err := r.document(name, stackAddons)
	if err != nil {
		return nil, err
	}
	stages := yamlValue(top, "addonStages")
	names := map[string]int{}
	for i := 1; stages != nil && stages.Kind == yaml.MappingNode && i < len(stages.Content); i += 2 {
		for _, item := range stages.Content[i].Content {
			if addon := yamlText(item, "name"); chartName.MatchString(addon) && len(names) < maxStackList {
				names[addon] = cmp.Or(names[addon], item.Line)
			}
		}
	}
	for _, addon := range sortedKeys(names) {
		if !r.hasAddon(path.Dir(name), addon) {
			o := origin
			o.Line = names[addon]
			r.fail(o, "add the packed charts of the release, cluster-addon-*.tgz, or the folder cluster-addon", "%s: line %d: there is no chart of the add-on %q",
				name, o.Line, addon)
		}
	}
	return sortedKeys(names), nil
}

// hasAddon reports whether the chart of an add-on lies in the folder or in a packed chart in it.
func (r stackReader) hasAddon(folder, addon string) bool {
	prefix := folder + "/"
	if folder == "." {
		prefix = ""
	}
	return slices.ContainsFunc(r.charts(), func(dir string) bool { return path.Base(dir) == addon && strings.HasPrefix(dir, prefix) })
}

// nodeImages lists the images of machines, which carry the version of Kubernetes in their names. Their addresses are not read.
func (r stackReader) nodeImages(name string, origin audit.Origin) (any, error) {
	top, err := chartYAML(r.tree.files[name])
	if err != nil {
		return nil, err
	}
	kept := []string{}
	for i := 0; i+1 < len(top.Content); i += 2 {
		list := top.Content[i+1]
		if list.Kind != yaml.SequenceNode || len(list.Content) > maxStackList {
			continue
		}
		for _, item := range list.Content {
			image := cmp.Or(yamlText(yamlValue(item, "createOpts"), "name"), yamlText(item, "name"))
			o := stackLine(origin, item)
			base, version, ok := splitChart(image)
			if !ok {
				r.fail(o, "", "%s: line %d: a node image has no name with a version", name, item.Line)
				continue
			}
			kept = append(kept, image)
			r.software(name+": "+image, base, version, o)
		}
	}
	return kept, nil
}
