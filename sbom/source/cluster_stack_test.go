package source_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// stackSource has the shape of the folder that releases of a cluster stack are built from.
func stackSource() map[string]string {
	return map[string]string{
		"s/csctl.yaml":                   "apiVersion: csctl.clusterstack.x-k8s.io/v1alpha1\nconfig:\n  clusterStackName: own\n  kubernetesVersion: v1.33.2\n  provider: {type: openstack}\n",
		"s/versions.yaml":                "- kubernetes: 1.32.7\n  cinder_csi: 2.32.1\n  occm: 2.32.2\n- kubernetes: 1.33.2\n  cinder_csi: 2.33.0\n  occm: 2.33.0\n  node_agent: 1.0.1\n",
		"s/clusteraddon.yaml":            "apiVersion: clusteraddonconfig.x-k8s.io/v1alpha1\naddonStages:\n  AfterControlPlaneInitialized:\n    - {name: cni, action: apply}\n    - {name: gone, action: apply}\n",
		"s/cluster-class/Chart.yaml":     "apiVersion: v2\nname: openstack-own-1-33-cluster-class\nversion: v1\n",
		"s/cluster-addon/cni/Chart.yaml": "apiVersion: v2\nname: openstack-own-1-33-cluster-addon\nversion: v1\ndependencies:\n- {name: cilium, version: 1.18.1, repository: https://charts.example.org}\n",
		"s/node-images.yaml":             "apiVersion: openstack.csctl.clusterstack.x-k8s.io/v1alpha1\nopenStackNodeImages:\n- url: https://user:secret@images.example/ubuntu.qcow2\n  createOpts: {name: ubuntu-capi-image-v1.33.2, disk_format: qcow2}\n",
	}
}

func TestAClusterStackOffersKubernetesAndCharts(t *testing.T) {
	inv, err := read(t, "cluster-stack: {release: s}", write(t, stackSource()))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"software:cilium@1.18.1  | offered  x0 ns= in ",
		"software:kubernetes@v1.32.7 1.32.7 | offered  x0 ns= in ",
		"software:kubernetes@v1.33.2 1.33.2 | offered  x0 ns= in ",
		"software:kubernetes@v1.33.2 1.33.2 | offered  x0 ns= in ",
		"software:node-agent@1.0.1 1.0.1 | offered  x0 ns= in ",
		"software:openstack-cinder-csi@2.32.1  | offered  x0 ns= in ",
		"software:openstack-cinder-csi@2.33.0  | offered  x0 ns= in ",
		"software:openstack-cloud-controller-manager@2.32.2  | offered  x0 ns= in ",
		"software:openstack-cloud-controller-manager@2.33.0  | offered  x0 ns= in ",
		"software:openstack-own-1-33-cluster-addon@v1  | offered  x0 ns= in ",
		"software:openstack-own-1-33-cluster-class@v1  | offered  x0 ns= in ",
		"software:ubuntu-capi-image@v1.33.2 1.33.2 | offered  x0 ns= in ",
	}
	if diff := cmp.Diff(want, seen(inv)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{`clusteraddon.yaml: line 5: there is no chart of the add-on "gone"`}, reasons(inv)); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	if a := find(t, inv, "software:cilium@1.18.1"); a.Reference != "helm:cilium@1.18.1" || a.Sightings[0].Where != "cluster-addon/cni/Chart.yaml: dependency cilium" {
		t.Errorf("artifact = %+v", a)
	}
}

func TestAReleaseOfAClusterStackIsReadFromItsPackedCharts(t *testing.T) {
	cni := "name: cni\nversion: v1\ndependencies: [{name: cilium, version: 1.17.x}]\n"
	cilium := pack(t, packedFile{name: "cilium/Chart.yaml", text: "name: cilium\nversion: 1.17.4\nappVersion: 1.17.4\n"})
	dir := write(t, map[string]string{
		"r/metadata.yaml":                           "apiVersion: metadata.clusterstack.x-k8s.io/v1alpha1\nversions:\n  clusterStack: v3\n  kubernetes: v1.27.3\n  components: {clusterAddon: v2, nodeImage: v2}\n",
		"r/clusteraddon.yaml":                       "apiVersion: clusteraddonconfig.x-k8s.io/v1alpha1\naddonStages:\n  AfterControlPlaneInitialized: [{name: cni, action: apply}]\n",
		"r/openstack-own-1-27-cluster-addon-v2.tgz": pack(t, packedFile{name: "cni/Chart.yaml", text: cni}, packedFile{name: "cni/charts/cilium-1.17.4.tgz", text: cilium}),
	})
	inv, err := read(t, "cluster-stack: {release: r}", dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"software:cilium@1.17.4 1.17.4 | offered  x0 ns= in ",
		"software:cluster-stacks@v3 3 | offered  x0 ns= in ",
		"software:cni@v1  | offered  x0 ns= in ",
		"software:kubernetes@v1.27.3 1.27.3 | offered  x0 ns= in ",
	}
	if diff := cmp.Diff(want, seen(inv)); diff != "" || len(inv.Failures) > 0 {
		t.Errorf("failures %q (-want +got):\n%s", reasons(inv), diff)
	}
}

func TestFilesOfAClusterStackThatAreWrongCostOnlyThemselves(t *testing.T) {
	tests := []struct{ name, file, text, want string }{
		{"another kind of file", "s/csctl.yaml", "apiVersion: v1\n", `csctl.yaml: apiVersion "v1" does not begin with csctl.clusterstack.x-k8s.io/`},
		{"no YAML", "s/csctl.yaml", "a: [", "csctl.yaml: line"},
		{"no version", "s/csctl.yaml", "apiVersion: csctl.clusterstack.x-k8s.io/v1alpha1\nconfig: {kubernetesVersion: newest}\n", `config.kubernetesVersion is "newest" and no version of Kubernetes`},
		{"no list", "s/versions.yaml", "a: b\n", "versions.yaml: this is no list"},
		{"an entry without Kubernetes", "s/versions.yaml", "- occm: 2.32.0\n- kubernetes: 1.32.7\n", "versions.yaml: line 1: an entry names no version of Kubernetes"},
		{"a version that is none", "s/versions.yaml", "- kubernetes: 1.32.7\n  occm: new\n", `line 2: "new" is no version of "occm"`},
		{"a key twice", "s/versions.yaml", "- kubernetes: 1.32.7\n  kubernetes: 1.32.8\n", `key "kubernetes" stands twice`},
		{"a node image without a version", "s/node-images.yaml", "openStackNodeImages: [{createOpts: {name: ubuntu}}]\n", "node-images.yaml: line 1: a node image has no name with a version"},
		{"a packed chart that is none", "s/x.tgz", "plain", "x.tgz: this is no packed chart"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := stackSource()
			files[tt.file] = tt.text
			inv, err := read(t, "cluster-stack: {release: s}", write(t, files))
			if err != nil || !contains(reasons(inv), tt.want) {
				t.Errorf("error %v, failures %q\nwant one with %q", err, reasons(inv), tt.want)
			}
			find(t, inv, "software:cilium@1.18.1")
		})
	}
	for text, want := range map[string]string{"": "no metadata.yaml, csctl.yaml, versions.yaml or Chart.yaml is there", "apiVersion: x\n": `apiVersion "x" does not begin with`} {
		files := map[string]string{"s/README": ""}
		if text != "" {
			files["s/metadata.yaml"] = text
		}
		if _, err := read(t, "cluster-stack: {release: s}", write(t, files)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error = %v, want one with %q", err, want)
		}
	}
	if _, err := read(t, "cluster-stack: {release: gone}", t.TempDir()); err == nil || err.Error() != `reading cluster stack "gone": no such file or directory` {
		t.Errorf("error = %v", err)
	}
}

func FuzzAClusterStackKeepsTheLawsOfAnInventory(f *testing.F) {
	s := stackSource()
	f.Add([]byte(s["s/csctl.yaml"]), []byte(s["s/versions.yaml"]), []byte(s["s/clusteraddon.yaml"]), []byte(s["s/node-images.yaml"]))
	f.Fuzz(func(t *testing.T, config, versions, addons, images []byte) {
		inv, err := read(t, "cluster-stack: {release: s}", write(t, map[string]string{
			"s/csctl.yaml": string(config), "s/versions.yaml": string(versions), "s/clusteraddon.yaml": string(addons), "s/node-images.yaml": string(images)}))
		if err != nil {
			return
		}
		for _, a := range inv.Artifacts {
			if len(a.Sightings) == 0 || a.Seen() || a.Name == "" || strings.ContainsAny(a.ID, "\n\x00") {
				t.Errorf("artifact %+v, want one that is only offered", a)
			}
		}
	})
}
