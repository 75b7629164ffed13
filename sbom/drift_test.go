package sbom_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

var today = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func digestOf(text string) audit.Digest { return audit.DigestOf([]byte(text)) }

// sighted returns an image that one source names, declared or seen.
func sighted(source, state, ref string, digest audit.Digest, hosts ...string) sbom.Artifact {
	a := image(digest, ref, nil)
	if r, err := sbom.ParseReference(ref); err == nil {
		a.Name, a.Version = r.Name(), sbom.ParseTag(r.Tag).Version
		if digest == "" {
			a.Unpinned = r.Unpinned()
		}
	}
	declared := state == sbom.StateDeclared || state == sbom.StateOffered
	where := source + " " + state + " " + ref
	s := sbom.Sighting{Source: source, Where: where, State: state, Declared: declared, Reference: ref, Digest: digest, Hosts: hosts,
		Origin: audit.Origin{Source: source, Path: where}}
	if state == sbom.StateRunning {
		s.Replicas = 1
	}
	a.Sightings = []sbom.Sighting{s}
	return a
}

func declared(ref string, digest audit.Digest) sbom.Artifact {
	return sighted("configuration", sbom.StateDeclared, ref, digest)
}

func offered(ref string, digest audit.Digest) sbom.Artifact {
	return sighted("osism", sbom.StateOffered, ref, digest)
}

func running(ref string, digest audit.Digest) sbom.Artifact {
	return sighted("containers", sbom.StateRunning, ref, digest, "node1")
}

func stopped(ref string, digest audit.Digest) sbom.Artifact {
	return sighted("containers", sbom.StateStopped, ref, digest, "node1")
}

func present(ref string, digest audit.Digest) sbom.Artifact {
	return sighted("image", sbom.StatePresent, ref, digest)
}

func software(source, state, name, version string, projects ...string) sbom.Artifact {
	a := sighted(source, state, "", "")
	a.ID, a.Kind, a.Name, a.Version, a.Projects = "software:"+name+"@"+version, sbom.KindSoftware, name, version, projects
	a.Reference = name + "@" + version
	a.Sightings[0].Where = source + " " + name
	return a
}

func with(a sbom.Artifact, change func(*sbom.Artifact)) sbom.Artifact {
	change(&a)
	return a
}

func of(a sbom.Artifact, projects ...string) sbom.Artifact {
	a.Projects = projects
	return a
}

func hosts(names ...string) (out []sbom.Expected) {
	for _, name := range names {
		out = append(out, sbom.Expected{Kind: sbom.ExpectedHost, Name: name, List: "Ansible inventory", Where: "hosts.ini"})
	}
	return out
}

func service(name string, groups ...string) sbom.Expected {
	return sbom.Expected{Kind: sbom.ExpectedService, Name: name, Groups: groups, Known: true, List: "configuration", Where: "globals.yml: enable_" + name,
		Origin: audit.Origin{Source: "configuration", Path: "globals.yml"}}
}

// table writes a comparison in one line for each row: kind, artifact's name, the two sides' versions or references, and
// what is open.
func table(c sbom.Comparison) []string {
	var out []string
	side := func(s *sbom.Side) string {
		if s == nil {
			return "-"
		}
		return s.Reference
	}
	for _, d := range c.Drift {
		line := fmt.Sprintf("%s %s | %s | %s", d.Kind, d.Name, side(d.Declared), side(d.Running))
		if d.Open != "" {
			line += " | open: " + d.Open
		}
		out = append(out, line)
	}
	return out
}

func TestEveryKindOfDriftIsFoundAndNothingElse(t *testing.T) {
	d := func(name string) audit.Digest { return digestOf(name) }
	const release = "registry.osism.tech/kolla/release/"
	allRead := hosts("node1")
	tests := []struct {
		name     string
		in       []sbom.Artifact
		expected []sbom.Expected
		failed   bool
		want     []string
	}{
		{"what runs as declared by digest is no drift",
			[]sbom.Artifact{declared("a/x:1.2.3", d("x")), running("a/x:1.2.3", d("x"))}, allRead, false, nil},
		{"what runs from a mirror as declared by digest is no drift",
			[]sbom.Artifact{declared("a/x:1.2.3", d("x")), running("m.example/deep/a/x:1.2.3", d("x"))}, allRead, false, nil},
		{"a tag that runs under the declared reference without a digest is as declared",
			[]sbom.Artifact{declared("a/x:1.2.3", d("x")), running("a/x:1.2.3", "")}, allRead, false, nil},
		{"a mirror below a longer path under the same tag is as declared where no digest is known",
			[]sbom.Artifact{declared("library/redis:7.4.1", ""), running("m.example/dockerhub/library/redis:7.4.1", d("x"))}, allRead, false, nil},
		{"a short Docker Hub name is the full one",
			[]sbom.Artifact{declared("redis:7.4.1", ""), running("docker.io/library/redis:7.4.1", d("x"))}, allRead, false, nil},
		{"a tag with a leading v is the one without",
			[]sbom.Artifact{declared("a/x:v1.2.3", ""), running("a/x:1.2.3", d("x"))}, allRead, false, nil},
		{"other contents under exactly the declared reference: the tag moved",
			[]sbom.Artifact{declared("a/x:1.2.3", d("x")), running("a/x:1.2.3", d("y"))}, allRead, false,
			[]string{"tag-moved x | a/x:1.2.3 | a/x:1.2.3"}},
		{"a moved tag is open where the same reference is declared without a digest too",
			[]sbom.Artifact{declared("a/x:1.2.3", d("x")), offered("a/x:1.2.3", ""), running("a/x:1.2.3", d("y"))}, allRead, false,
			[]string{"tag-moved x | a/x:1.2.3 | a/x:1.2.3 | open: the same reference is declared without a digest too"}},
		{"a moved tag is open where the two are known for different platforms",
			[]sbom.Artifact{with(declared("a/x:1.2.3", d("x")), func(a *sbom.Artifact) { a.Platform = "linux/amd64" }),
				with(running("a/x:1.2.3", d("y")), func(a *sbom.Artifact) { a.Platform = "linux/arm64" })}, allRead, false,
			[]string{"tag-moved x | a/x:1.2.3 | a/x:1.2.3 | open: the images are for different platforms: linux/arm64 and linux/amd64"}},
		{"the two platforms of a declared index are as declared",
			[]sbom.Artifact{declared("a/x:1.2.3", d("index")),
				with(running("a/x:1.2.3", d("amd64")), func(a *sbom.Artifact) { a.Digests = []audit.Digest{d("index")} }),
				with(running("a/x:1.2.3", d("arm64")), func(a *sbom.Artifact) { a.Digests = []audit.Digest{d("index")} })}, allRead, false, nil},
		{"two images that run under one tag",
			[]sbom.Artifact{declared("a/x:1.2.3", ""), running("a/x:1.2.3", d("x")), running("a/x:1.2.3", d("y"))}, allRead, false,
			[]string{"tag-moved x | - | a/x:1.2.3", "tag-moved x | - | a/x:1.2.3"}},
		{"an image without a digest is not another one under the same tag",
			[]sbom.Artifact{declared("a/y:1.2.3", ""), running("a/y:1.2.3", ""), running("a/x:1.2.3", d("x")), present("a/x:1.2.3", d("z")), running("a/x:1.2.3", "")}, allRead, false,
			[]string{"not-declared x | - | a/x:1.2.3", "not-declared x | - | a/x:1.2.3"}},
		{"the same name and tag from another registry with other contents",
			[]sbom.Artifact{declared(release+"keystone:26.0.1.20250408", d("x")), running("m.example/kolla/release/keystone:26.0.1.20250408", d("y"))}, allRead, false,
			[]string{"contents keystone | " + release + "keystone:26.0.1.20250408 | m.example/kolla/release/keystone:26.0.1.20250408"}},
		{"another build of the declared version, known by its build date",
			[]sbom.Artifact{declared(release+"keystone:26.0.1.20250601", ""), running(release+"keystone:26.0.1.20250408", "")}, allRead, false,
			[]string{"contents keystone | " + release + "keystone:26.0.1.20250601 | " + release + "keystone:26.0.1.20250408"}},
		{"another variant of the declared version",
			[]sbom.Artifact{declared("library/redis:7.4.1-alpine", ""), running("library/redis:7.4.1-bookworm", "")}, allRead, false,
			[]string{"contents redis | library/redis:7.4.1-alpine | library/redis:7.4.1-bookworm"}},
		{"a tag with and one without a variant are open without digests",
			[]sbom.Artifact{declared("library/redis:7.4.1-alpine", ""), running("library/redis:7.4.1", "")}, allRead, false,
			[]string{"contents redis | library/redis:7.4.1-alpine | library/redis:7.4.1 | open: without both digests nobody can say whether the contents differ"}},
		{"pinned by another digest and no tag at all",
			[]sbom.Artifact{declared("a/x@"+string(d("x")), d("x")), running("a/x@"+string(d("y")), d("y"))}, allRead, false,
			[]string{"contents x | a/x@" + string(d("x")) + " | a/x@" + string(d("y"))}},
		{"1.9 is older than 1.10",
			[]sbom.Artifact{declared("a/x:1.10.0", ""), running("a/x:1.9.0", "")}, allRead, false,
			[]string{"older x | a/x:1.10.0 | a/x:1.9.0"}},
		{"1.10 is not older than 1.9",
			[]sbom.Artifact{declared("a/x:1.9.0", ""), running("a/x:1.10.0", "")}, allRead, false,
			[]string{"version x | a/x:1.9.0 | a/x:1.10.0"}},
		{"one host that was left behind is older than what the others run as declared",
			[]sbom.Artifact{declared("a/x:2.0.0", d("x2")), running("a/x:2.0.0", d("x2")), running("a/x:1.0.0", d("x1"))}, allRead, false,
			[]string{"older x | a/x:2.0.0 | a/x:1.0.0"}},
		{"a version of the series that was declared is not another version for certain",
			[]sbom.Artifact{declared("quay.io/ceph/ceph:v17", ""), running("quay.io/ceph/ceph:v17.2.8", "")}, allRead, false,
			[]string{"version ceph | quay.io/ceph/ceph:v17 | quay.io/ceph/ceph:v17.2.8 | open: 17 may name a series that 17.2.8 belongs to",
				"unpinned ceph | quay.io/ceph/ceph:v17 | -"}},
		{"a series that runs is not older than a version of it",
			[]sbom.Artifact{declared("a/x:3.0.5", ""), running("a/x:3.0", "")}, allRead, false,
			[]string{"version x | a/x:3.0.5 | a/x:3.0 | open: 3.0 may name a series that 3.0.5 belongs to"}},
		{"a pre-release is another version, not an older one",
			[]sbom.Artifact{declared("a/x:1.2.0", ""), running("a/x:1.2.0-rc1", "")}, allRead, false,
			[]string{"version x | a/x:1.2.0 | a/x:1.2.0-rc1"}},
		{"an older OpenStack release of a kolla tag",
			[]sbom.Artifact{declared("quay.io/openstack.kolla/keystone:2025.2-ubuntu-noble", ""), running("quay.io/openstack.kolla/keystone:2025.1-ubuntu-noble", "")}, allRead, false,
			[]string{"older keystone | quay.io/openstack.kolla/keystone:2025.2-ubuntu-noble | quay.io/openstack.kolla/keystone:2025.1-ubuntu-noble",
				"unpinned keystone | - | quay.io/openstack.kolla/keystone:2025.1-ubuntu-noble",
				"unpinned keystone | quay.io/openstack.kolla/keystone:2025.2-ubuntu-noble | -"}},
		{"a branch against a version is open",
			[]sbom.Artifact{declared("a/x:1.2.3", ""), running("a/x:main", d("x"))}, allRead, false,
			[]string{"version x | a/x:1.2.3 | a/x:main | open: one side names no version; main is a branch or a moving name, not a version", "unpinned x | - | a/x:main"}},
		{"several declared versions leave the difference open",
			[]sbom.Artifact{declared("a/x:1.2.3", ""), declared("a/x:2.0.0", ""), running("a/x:1.3.0", "")}, allRead, false,
			[]string{"older x | a/x:2.0.0 | a/x:1.3.0 | open: several versions of it are declared", "not-running x | a/x:1.2.3 | -"}},
		{"of several declared versions the one that runs counts",
			[]sbom.Artifact{declared("a/x:1.2.3", ""), declared("a/x:2.0.0", ""), running("m.example/a/x:1.2.3", "")}, allRead, false,
			[]string{"not-running x | a/x:2.0.0 | -"}},
		{"the version that a configuration wants counts before what a release offers",
			[]sbom.Artifact{declared("a/x:1.2.3", ""), offered("a/x:2.0.0", ""), running("a/x:1.3.0", "")}, allRead, false,
			[]string{"version x | a/x:1.2.3 | a/x:1.3.0",
				"not-running x | a/x:2.0.0 | - | open: a release offers it; whether it shall run here is not said"}},
		{"declared and not running is certain where every host of a list was read",
			[]sbom.Artifact{declared("a/x:1.2.3", ""), declared("a/y:1.0.0", ""), running("a/y:1.0.0", "")}, allRead, false,
			[]string{"not-running x | a/x:1.2.3 | -"}},
		{"declared and not running is open without a list of hosts",
			[]sbom.Artifact{declared("a/x:1.2.3", ""), declared("a/y:1.0.0", ""), running("a/y:1.0.0", "")}, nil, false,
			[]string{"not-running x | a/x:1.2.3 | - | open: no list of hosts tells whether each was read"}},
		{"declared and not running is open where a host was not read",
			[]sbom.Artifact{declared("a/x:1.2.3", ""), declared("a/y:1.0.0", ""), running("a/y:1.0.0", "")}, hosts("node1", "node2"), false,
			[]string{"not-running x | a/x:1.2.3 | - | open: on 1 expected host no container was seen"}},
		{"a host whose packages were read was not read for containers",
			[]sbom.Artifact{declared("a/x:1.2.3", ""), declared("a/y:1.0.0", ""), running("a/y:1.0.0", ""), {ID: "host:node2", Kind: sbom.KindHost, Name: "node2",
				Sightings: []sbom.Sighting{{Source: "host", Where: "node2", State: sbom.StateRunning, Hosts: []string{"node2"}}}}}, hosts("node1", "node2"), false,
			[]string{"not-running x | a/x:1.2.3 | - | open: on 1 expected host no container was seen"}},
		{"nothing is certainly absent on either side where a source failed",
			[]sbom.Artifact{declared("a/x:1.2.3", ""), running("a/y:1.0.0", "")}, allRead, true,
			[]string{"not-declared y | - | a/y:1.0.0 | open: not every source could be read",
				"not-running x | a/x:1.2.3 | - | open: not every source could be read"}},
		{"what a release offers and nobody runs is open",
			[]sbom.Artifact{offered("a/x:1.2.3", ""), declared("a/y:1.0.0", ""), running("a/y:1.0.0", "")}, allRead, false,
			[]string{"not-running x | a/x:1.2.3 | - | open: a release offers it; whether it shall run here is not said"}},
		{"a stopped copy may have ended its task",
			[]sbom.Artifact{declared("a/x:1.2.3", ""), stopped("a/x:1.2.3", d("x")), declared("a/y:1.0.0", ""), running("a/y:1.0.0", "")}, allRead, false,
			[]string{"not-running x | a/x:1.2.3 | - | open: a copy of it exists and is stopped; it may have ended its task"}},
		{"an image that lies in a store does not run",
			[]sbom.Artifact{declared("a/x:1.2.3", d("x")), present("a/x:1.2.3", d("x")), declared("a/y:1.0.0", ""), running("a/y:1.0.0", "")}, allRead, false,
			[]string{"not-running x | a/x:1.2.3 | -"}},
		{"what is declared from two registries runs from one of them",
			[]sbom.Artifact{offered("r.example/kolla/release/keystone:26.0.1", ""), declared("m.example/kolla/release/keystone:26.0.1", ""),
				running("m.example/kolla/release/keystone:26.0.1", d("x"))}, allRead, false, nil},
		{"running and declared nowhere",
			[]sbom.Artifact{declared("a/y:1.0.0", ""), running("a/y:1.0.0", ""), running("b/z:1.0.0", d("z"))}, allRead, false,
			[]string{"not-declared z | - | b/z:1.0.0"}},
		{"images that share their last name only are not paired",
			[]sbom.Artifact{declared("prometheus/exporter:1.0.0", ""), running("other/exporter:0.9.0", d("z"))}, allRead, false,
			[]string{"not-declared exporter | - | other/exporter:0.9.0 | open: an image of that name is declared from another place: prometheus/exporter:1.0.0",
				"not-running exporter | prometheus/exporter:1.0.0 | - | open: an image of that name from another place runs: other/exporter:0.9.0"}},
		{"pause of another registry is not paired by its name",
			[]sbom.Artifact{declared("registry.k8s.io/pause:3.10", ""), running("m.example/pause:3.9", "")}, allRead, false,
			[]string{"not-declared pause | - | m.example/pause:3.9 | open: an image of that name is declared from another place: registry.k8s.io/pause:3.10",
				"not-running pause | registry.k8s.io/pause:3.10 | - | open: an image of that name from another place runs: m.example/pause:3.9"}},
		{"images of one name are paired where the catalogue knows both as one project",
			[]sbom.Artifact{of(declared("r.example/kolla/release/2025.1/keystone:26.0.1", ""), "keystone"), of(running("q.example/stack/keystone:25.0.0", ""), "keystone")}, allRead, false,
			[]string{"older keystone | r.example/kolla/release/2025.1/keystone:26.0.1 | q.example/stack/keystone:25.0.0"}},
		{"two images of one project are not paired",
			[]sbom.Artifact{of(declared("a/neutron-server:25.1.1", ""), "neutron"), of(running("a/neutron-l3-agent:24.0.0", ""), "neutron")}, allRead, false,
			[]string{"not-declared neutron-l3-agent | - | a/neutron-l3-agent:24.0.0", "not-running neutron-server | a/neutron-server:25.1.1 | -"}},
		{"a node's kubelet stands for the declared kubernetes",
			[]sbom.Artifact{software("cluster-stack", sbom.StateDeclared, "kubernetes", "1.32.5", "kubernetes"), software("kubernetes", sbom.StateRunning, "kubelet", "1.31.9", "kubernetes"),
				software("kubernetes", sbom.StateRunning, "containerd", "1.7.0", "containerd")}, allRead, false,
			[]string{"older kubelet | kubernetes@1.32.5 | kubelet@1.31.9"}},
		{"a node's kubelet need not be of a cluster that is managed there",
			[]sbom.Artifact{software("kubernetes", sbom.StateDeclared, "kubernetes", "1.32.5", "kubernetes"), software("kubernetes", sbom.StateRunning, "kubelet", "1.31.9", "kubernetes")}, allRead, false,
			[]string{"older kubelet | kubernetes@1.32.5 | kubelet@1.31.9 | open: objects of Cluster API declare it for the clusters that they name, and whether this is one of them is not known"}},
		{"a node's kubelet does not stand for a declared kubectl",
			[]sbom.Artifact{software("osism", sbom.StateOffered, "kubectl", "1.33.0", "kubernetes"), software("kubernetes", sbom.StateRunning, "kubelet", "1.31.9", "kubernetes")}, allRead, false, nil},
		{"pause is not an old kubernetes",
			[]sbom.Artifact{software("cluster-stack", sbom.StateDeclared, "kubernetes", "1.32.5", "kubernetes"), software("kubernetes", sbom.StateRunning, "kubelet", "1.32.5", "kubernetes"),
				of(running("registry.k8s.io/pause:3.9", ""), "kubernetes")}, allRead, false,
			[]string{"not-declared pause | - | registry.k8s.io/pause:3.9 | open: no source lists images; what is not switched off may run by default; kubernetes 1.32.5 is declared, which may bring it"}},
		{"a chart whose images run is installed",
			[]sbom.Artifact{software("cluster-stack", sbom.StateDeclared, "cilium", "1.17.4", "cilium"), of(running("quay.io/cilium/cilium:v1.17.4", ""), "cilium"), declared("a/y:1", "")}, allRead, false,
			[]string{"not-declared cilium | - | quay.io/cilium/cilium:v1.17.4 | open: cilium 1.17.4 is declared, which may bring it", "not-running y | a/y:1 | -", "unpinned y | a/y:1 | -"}},
		{"a chart of which nothing runs",
			[]sbom.Artifact{software("cluster-stack", sbom.StateDeclared, "cilium", "1.17.4", "cilium"), running("a/y:1.0.0", ""), declared("a/y:1.0.0", "")}, allRead, false,
			[]string{"not-running cilium | cilium@1.17.4 | -"}},
		{"a collection of a release is nothing that runs",
			[]sbom.Artifact{software("osism", sbom.StateOffered, "osism.services", "0.1.0"), running("a/y:1.0.0", ""), declared("a/y:1.0.0", "")}, allRead, false, nil},
		{"a chart that runs and nothing declares",
			[]sbom.Artifact{software("helm", sbom.StateRunning, "cilium", "1.17.4"), declared("a/y:1.0.0", ""), running("a/y:1.0.0", "")}, allRead, false,
			[]string{"not-declared cilium | - | cilium@1.17.4"}},
		{"the version of a chart is not that of what it brings",
			[]sbom.Artifact{software("osism", sbom.StateOffered, "cilium", "1.18.0"), software("helm", sbom.StateRunning, "cilium", "1.17.4")}, allRead, false,
			[]string{"older cilium | cilium@1.18.0 | cilium@1.17.4 | open: one side is the version of a chart, the other that of what it brings"}},
		{"another build of k3s is another version",
			[]sbom.Artifact{software("cluster-stack", sbom.StateDeclared, "k3s", "1.36.3+k3s2"), software("kubernetes", sbom.StateRunning, "k3s", "1.36.3+k3s1")}, allRead, false,
			[]string{"version k3s | k3s@1.36.3+k3s2 | k3s@1.36.3+k3s1"}},
		{"an enabled service of which nothing runs",
			[]sbom.Artifact{running("a/y:1.0.0", ""), declared("a/y:1.0.0", "")}, append(slices.Clone(allRead), service("nova", "enabled")), false,
			[]string{"not-running nova | nova | -"}},
		{"an enabled service is open where a host was not read",
			[]sbom.Artifact{running("a/y:1.0.0", ""), declared("a/y:1.0.0", "")}, append(hosts("node1", "node2"), service("nova", "enabled")), false,
			[]string{"not-running nova | nova | - | open: on 1 expected host no container was seen"}},
		{"an enabled service is named once, however many places enable it",
			[]sbom.Artifact{running("a/y:1.0.0", ""), declared("a/y:1.0.0", "")}, append(slices.Clone(allRead), service("nova", "enabled"), service("NOVA", "enabled")), false,
			[]string{"not-running NOVA | NOVA | -"}},
		{"configurations that disagree leave it open",
			[]sbom.Artifact{running("a/y:1.0.0", ""), declared("a/y:1.0.0", "")}, append(slices.Clone(allRead), service("nova", "enabled"), service("nova", "disabled")), false,
			[]string{"not-running nova | nova | - | open: configurations disagree: it is enabled in one place and disabled in another"}},
		{"every image of a disabled service that runs",
			[]sbom.Artifact{of(running("a/nova-api:1.0.0", ""), "nova"), of(running("a/nova-compute:1.0.0", ""), "nova"), declared("a/nova-api:1.0.0", ""), declared("a/nova-compute:1.0.0", "")},
			append(slices.Clone(allRead), service("nova", "disabled")), false,
			[]string{"not-declared nova-api | nova | a/nova-api:1.0.0", "not-declared nova-compute | nova | a/nova-compute:1.0.0"}},
		{"what only begins like a disabled service is not accused",
			[]sbom.Artifact{of(running("a/cinder-csi-plugin:1.0.0", ""), "cloud-provider-openstack"), declared("a/cinder-csi-plugin:1.0.0", "")},
			append(slices.Clone(allRead), service("cinder", "disabled")), false, nil},
		{"what runs for an enabled service is open: the switch names no image",
			[]sbom.Artifact{of(running("a/nova-api:1.0.0", ""), "nova")}, append(slices.Clone(allRead), service("nova", "enabled")), false, []string{"not-declared nova-api | - | a/nova-api:1.0.0 | open: its service is enabled; which image shall serve it no source says"}},
		{"what no switch names is open, because switches have defaults",
			[]sbom.Artifact{of(running("a/nova-api:1.0.0", ""), "nova"), running("a/z:1.0.0", "")}, append(slices.Clone(allRead), service("nova", "enabled")), false,
			[]string{"not-declared nova-api | - | a/nova-api:1.0.0 | open: its service is enabled; which image shall serve it no source says", "not-declared z | - | a/z:1.0.0 | open: no source lists images; what is not switched off may run by default"}},
		{"a digest that runs is still unpinned where its workload names latest",
			[]sbom.Artifact{declared("a/x:latest", ""), running("a/x:latest", d("x"))}, allRead, false,
			[]string{"unpinned x | a/x:latest | a/x:latest"}},
		{"a version that is no longer maintained",
			[]sbom.Artifact{declared("a/x:1.0.0", ""), with(running("a/x:1.0.0", d("x")), func(a *sbom.Artifact) { a.Support = &sbom.Support{Cycle: "X 1", Ends: "2026-11-24"} })}, allRead, false,
			[]string{"end-of-life x | a/x:1.0.0 | a/x:1.0.0"}},
		{"the last day of maintenance is maintained, and a day that is none says nothing",
			[]sbom.Artifact{with(declared("a/x:1.0.0", ""), func(a *sbom.Artifact) { a.Support = &sbom.Support{Cycle: "X 1", Ends: "2026-11-25"} }), running("a/x:1.0.0", d("x")),
				with(declared("a/y:1.0.0", ""), func(a *sbom.Artifact) { a.Support = &sbom.Support{Cycle: "Y 1", Ends: "2020"} }), running("a/y:1.0.0", d("y"))}, allRead, false, nil},
		{"what the operator took out is not compared",
			[]sbom.Artifact{with(declared("a/x:1.0.0", ""), func(a *sbom.Artifact) { a.Excluded = "not deployed" }), declared("a/y:1.0.0", ""), running("a/y:1.0.0", "")}, allRead, false, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := sbom.Inventory{Artifacts: tt.in, Expected: tt.expected}
			if tt.failed {
				in.Failures = []sbom.Failure{{Source: "s", Reason: "r"}}
			}
			got := sbom.Compare(sbom.Merge(in), today)
			if diff := cmp.Diff(tt.want, table(got)); diff != "" {
				t.Errorf("drift (-want +got):\n%s", diff)
			}
			if got.Undecided != "" {
				t.Errorf("undecided: %s", got.Undecided)
			}
			sidesAreWhole(t, got)
		})
	}
}

// sidesAreWhole checks that each row can be followed to where it comes from.
func sidesAreWhole(t *testing.T, c sbom.Comparison) {
	t.Helper()
	for _, d := range c.Drift {
		if d.Declared == nil && d.Running == nil {
			t.Errorf("a row without sides: %+v", d)
		}
		for _, s := range []*sbom.Side{d.Declared, d.Running} {
			if s != nil && (len(s.Where) == 0 || slices.Contains(s.Where, "") || len(s.Where) > 5) {
				t.Errorf("a side with places %q: %+v", s.Where, d)
			}
		}
		if d.Artifact == "" || d.Name == "" || d.Detail == "" {
			t.Errorf("a row without a name or sentence: %+v", d)
		}
	}
}

func TestARowHasBothSidesWithPlaceDigestAndOrigin(t *testing.T) {
	x, y := digestOf("x"), digestOf("y")
	// The release gives its digest with the artifact, not with the sighting.
	d := offered("a/x:1.2.3", x)
	d.Sightings[0].Digest, d.Sightings[0].Reference = "", ""
	got := sbom.Compare(sbom.Merge(inventory(d, running("a/x:1.2.3", y))), today)
	want := []sbom.Drift{{Kind: sbom.DriftTagMoved, Artifact: "image:" + string(y), Name: "x", Detail: "x 1.2.3 runs with other contents than were declared under the same name",
		Declared: &sbom.Side{Artifact: "image:" + string(x), Reference: "a/x:1.2.3", Version: "1.2.3", Digest: x, Where: []string{"osism offered a/x:1.2.3"},
			Origins: []audit.Origin{{Source: "osism", Path: "osism offered a/x:1.2.3"}}},
		Running: &sbom.Side{Artifact: "image:" + string(y), Reference: "a/x:1.2.3", Version: "1.2.3", Digest: y, Where: []string{"containers running a/x:1.2.3"},
			Origins: []audit.Origin{{Source: "containers", Path: "containers running a/x:1.2.3"}}}}}
	if diff := cmp.Diff(want, got.Drift); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
}

func TestTheDigestOfWhatRunsIsNotTakenForADeclaredOne(t *testing.T) {
	x, y := digestOf("x"), digestOf("y")
	// Only the tag is declared; it was joined with the one image that is known under it and runs there.
	in := sbom.Merge(inventory(declared("a/x:1.2.3", ""), running("a/x:1.2.3", x), running("m.example/a/x:1.2.3", y)))
	if got := table(sbom.Compare(in, today)); got != nil {
		t.Errorf("drift = %q, want none: no declaration has a digest", got)
	}
}

func TestPlatformsThatShareATagDidNotMoveIt(t *testing.T) {
	on := func(platform, contents string) sbom.Artifact {
		return with(running("a/x:1.2.3", digestOf(contents)), func(a *sbom.Artifact) { a.Platform = platform })
	}
	const unsure = " | open: it runs on several platforms, and of some images the platform is not known"
	tests := []struct {
		name string
		in   []sbom.Artifact
		want []string
	}{
		{"one image for each platform", []sbom.Artifact{on("linux/amd64", "a"), on("linux/arm64", "b")}, nil},
		{"two images of one platform", []sbom.Artifact{on("linux/amd64", "a"), on("linux/amd64", "b"), on("linux/arm64", "c")},
			[]string{"tag-moved x | - | a/x:1.2.3", "tag-moved x | - | a/x:1.2.3"}},
		{"an image of an unknown platform among several", []sbom.Artifact{on("linux/amd64", "a"), on("linux/arm64", "b"), on("", "c")},
			[]string{"tag-moved x | - | a/x:1.2.3" + unsure, "tag-moved x | - | a/x:1.2.3" + unsure, "tag-moved x | - | a/x:1.2.3" + unsure}},
		{"no sign of several platforms", []sbom.Artifact{on("linux/amd64", "a"), on("", "b")},
			[]string{"tag-moved x | - | a/x:1.2.3", "tag-moved x | - | a/x:1.2.3"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := sbom.Compare(sbom.Merge(inventory(append(tt.in, declared("a/x:1.2.3", ""))...)), today)
			if diff := cmp.Diff(tt.want, table(got)); diff != "" {
				t.Errorf("drift (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWithoutOneHalfNothingIsCompared(t *testing.T) {
	tests := []struct {
		name string
		in   sbom.Inventory
		want string
	}{
		{"nothing at all", sbom.Inventory{}, "no container, pod or service was seen running and nothing declares what shall run"},
		{"only declarations", inventory(declared("a/x:1.0.0", "")), "no container, pod or service was seen running: add a source that sees the running stack, e.g. containers: or kubernetes:"},
		{"only declarations and the kernel of a host", inventory(declared("a/x:1.0.0", ""), sbom.Artifact{ID: "software:linux@6.1", Kind: sbom.KindSoftware, Name: "linux",
			Sightings: []sbom.Sighting{{Source: "host", Where: "h", State: sbom.StateRunning, Hosts: []string{"h"}, Replicas: 1}}}),
			"no container, pod or service was seen running: add a source that sees the running stack, e.g. containers: or kubernetes:"},
		{"only what runs", inventory(running("a/x:1.0.0", "")), "nothing declares what shall run: add a source of intent, e.g. osism:, configuration: or cluster-stack:"},
		{"a name that the catalogue does not know is no switch", sbom.Inventory{Artifacts: []sbom.Artifact{running("a/x:1.0.0", "")},
			Expected: []sbom.Expected{{Kind: sbom.ExpectedService, Name: "option", Groups: []string{"enabled"}}}},
			"nothing declares what shall run: add a source of intent, e.g. osism:, configuration: or cluster-stack:"},
		{"a document made by others declares nothing and does not run", inventory(sbom.Artifact{ID: "bom:x", Kind: sbom.KindBOM, Name: "x",
			Sightings: []sbom.Sighting{{Source: "sbom", Where: "x", Declared: true, State: sbom.StatePresent}}}), "no container, pod or service was seen running and nothing declares what shall run"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := sbom.Compare(tt.in, today)
			if got.Undecided != tt.want || got.Drift != nil {
				t.Errorf("got %q and %d rows, want %q and none", got.Undecided, len(got.Drift), tt.want)
			}
		})
	}
}

func TestEndOfLifeAlwaysSaysWhere(t *testing.T) {
	a := sbom.Artifact{ID: "bom:x", Kind: sbom.KindBOM, Name: "x", Support: &sbom.Support{Cycle: "X 1", Ends: "2020-01-01"},
		Sightings: []sbom.Sighting{{Source: "sbom", Where: "x.cdx.json", Declared: true, State: sbom.StatePresent}}}
	got := sbom.Compare(inventory(a), today)
	if len(got.Drift) != 1 || got.Drift[0].Kind != sbom.DriftEndOfLife {
		t.Fatalf("drift = %+v, want one end of life", got.Drift)
	}
	sidesAreWhole(t, got)
}

// world draws a random stack: images with a true digest for each name and tag, and sources that see parts of it. A few
// hosts run other contents under a tag, a few images are for two platforms.
func world(r *rand.Rand, size int) sbom.Inventory {
	var inv sbom.Inventory
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	for range size {
		path := pick("a/", "b/", "deep/a/", "m.example/a/", "kolla/release/") + pick("x", "y", "z", "pause")
		tag := pick("1.9.0", "1.10.0", "1.10.0.20250408", "1.10.0.20250601", "latest", "2", "v1.9.0", "2025.1-ubuntu-noble")
		ref := path + ":" + tag
		contents := strings.TrimPrefix(ref, "m.example/")
		if r.IntN(6) == 0 {
			contents += " again"
		}
		digest, index := digestOf(contents), digestOf("index "+contents)
		if r.IntN(4) == 0 {
			digest = ""
		}
		var a sbom.Artifact
		switch r.IntN(5) {
		case 0:
			a = declared(ref, digest)
		case 1:
			a = offered(ref, digest)
		case 2:
			a = present(ref, digest)
		default:
			a = running(ref, digest)
			a.Sightings[0].Hosts = []string{pick("node1", "node2", "node3.example.org", "node3")}
			a.Sightings[0].Source = pick("containers", "kubernetes")
			if r.IntN(3) == 0 {
				a.Config = digestOf("config " + contents)
			}
		}
		if digest != "" && r.IntN(4) == 0 {
			a.Digests = []audit.Digest{index}
		}
		if digest != "" && r.IntN(5) == 0 { // a source that knows the index only
			a.Digest, a.ID, a.Sightings[0].Digest, a.Digests = index, "image:"+string(index), index, nil
		}
		if r.IntN(3) == 0 {
			a.Projects = []string{"project-" + a.Name}
		}
		inv.Artifacts = append(inv.Artifacts, a)
	}
	for range r.IntN(3) {
		inv.Expected = append(inv.Expected, hosts(pick("node1", "node2", "node3"))...)
	}
	for range r.IntN(3) {
		inv.Expected = append(inv.Expected, service(pick("x", "y", "z"), pick("enabled", "disabled")))
	}
	if r.IntN(4) == 0 {
		inv.Failures = []sbom.Failure{{Source: "s", Reason: "r"}}
	}
	return inv
}

func shuffled(r *rand.Rand, inv sbom.Inventory) sbom.Inventory {
	inv.Artifacts, inv.Expected = slices.Clone(inv.Artifacts), slices.Clone(inv.Expected)
	r.Shuffle(len(inv.Artifacts), func(i, j int) { inv.Artifacts[i], inv.Artifacts[j] = inv.Artifacts[j], inv.Artifacts[i] })
	r.Shuffle(len(inv.Expected), func(i, j int) { inv.Expected[i], inv.Expected[j] = inv.Expected[j], inv.Expected[i] })
	for i, a := range inv.Artifacts {
		inv.Artifacts[i].Sightings = slices.Clone(a.Sightings)
		s := inv.Artifacts[i].Sightings
		r.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
	}
	return inv
}

// worlds calls law with many random stacks.
func worlds(t *testing.T, law func(t *testing.T, r *rand.Rand, inv sbom.Inventory)) {
	t.Helper()
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 7))
		law(t, r, world(r, 2+r.IntN(14)))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func TestTheOrderOfArtifactsListsAndSightingsDoesNotChangeTheDrift(t *testing.T) {
	worlds(t, func(t *testing.T, r *rand.Rand, inv sbom.Inventory) {
		merged := sbom.Merge(inv)
		want := sbom.Compare(merged, today)
		if diff := cmp.Diff(want, sbom.Compare(shuffled(r, merged), today)); diff != "" {
			t.Errorf("another order gives other drift (-want +got):\n%s", diff)
		}
		sidesAreWhole(t, want)
	})
}

func TestWhatIsDeclaredAndRunsUnderOneDigestIsNeitherMissingNorUndeclared(t *testing.T) {
	worlds(t, func(t *testing.T, _ *rand.Rand, inv sbom.Inventory) {
		inv.Expected = nil // a switch may say that a service is disabled
		merged := sbom.Merge(inv)
		both := map[string]bool{}
		for _, a := range merged.Artifacts {
			both[a.ID] = a.Digest != "" && a.Intended() && a.Running()
		}
		for _, d := range sbom.Compare(merged, today).Drift {
			if (d.Kind == sbom.DriftNotRunning || d.Kind == sbom.DriftNotDeclared) && both[d.Artifact] {
				t.Errorf("declared and running, and yet: %+v", d)
			}
		}
	})
}

func TestWhatIsNotKnownMakesNoCertainRowAboutContents(t *testing.T) {
	worlds(t, func(t *testing.T, r *rand.Rand, inv sbom.Inventory) {
		certain := func(inv sbom.Inventory) map[string]bool {
			out := map[string]bool{}
			for _, d := range sbom.Compare(sbom.Merge(inv), today).Drift {
				if (d.Kind == sbom.DriftContents || d.Kind == sbom.DriftTagMoved) && d.Open == "" && !otherBuild(d) {
					out[d.Kind+" "+d.Running.Reference] = true
				}
			}
			return out
		}
		before := certain(inv)
		less := inv
		less.Artifacts = slices.Clone(inv.Artifacts)
		side := r.IntN(2) == 0
		for i, a := range less.Artifacts {
			if a.Intended() != side || a.Sightings[0].State == sbom.StatePresent {
				continue
			}
			a.Sightings = slices.Clone(a.Sightings)
			a.ID, a.Digest, a.Digests, a.Config, a.Sightings[0].Digest = "image:"+a.Reference, "", nil, "", ""
			less.Artifacts[i] = a
		}
		for row := range certain(less) {
			if !before[row] {
				t.Errorf("without the digests of one side (declared: %t) it is certain that %s", side, row)
			}
		}
	})
}

// otherBuild reports whether the tags of both sides alone tell that the builds differ.
func otherBuild(d sbom.Drift) bool { return strings.Contains(d.Detail, "another build") }

func TestDeclaringWhatRunsNeverMakesAnythingUndeclared(t *testing.T) {
	worlds(t, func(t *testing.T, r *rand.Rand, inv sbom.Inventory) {
		undeclared := func(c sbom.Comparison) map[string]bool {
			out := map[string]bool{}
			for _, d := range c.Drift {
				if d.Kind == sbom.DriftNotDeclared {
					out[d.Artifact] = true
				}
			}
			return out
		}
		merged := sbom.Merge(inv)
		c := sbom.Compare(merged, today)
		if c.Undecided != "" {
			return // with the first declaration the comparison begins
		}
		before := undeclared(c)
		for i, a := range merged.Artifacts {
			if !a.Running() {
				continue
			}
			more := merged
			more.Artifacts = slices.Clone(merged.Artifacts)
			a.Sightings = append(slices.Clone(a.Sightings), sbom.Sighting{Source: "configuration", Where: "new", Declared: true, State: sbom.StateDeclared, Reference: a.Reference, Digest: a.Digest})
			more.Artifacts[i] = a
			for id := range undeclared(sbom.Compare(more, today)) {
				if !before[id] {
					t.Errorf("declaring %s makes %s undeclared", a.ID, id)
				}
			}
		}
	})
}

func TestCompareLeavesItsInputAlone(t *testing.T) {
	worlds(t, func(t *testing.T, r *rand.Rand, inv sbom.Inventory) {
		in := shuffled(r, sbom.Merge(inv))
		before := shuffled(rand.New(rand.NewPCG(0, 0)), in)
		sbom.Compare(in, today)
		sbom.CrossCheck(in)
		if diff := cmp.Diff(before, shuffled(rand.New(rand.NewPCG(0, 0)), in)); diff != "" {
			t.Errorf("Compare changed its input (-want +got):\n%s", diff)
		}
	})
}

// large is an inventory of 10,000 images with 60,000 sightings, as merged from the sources of a big cloud.
func large() []sbom.Inventory {
	sources := make([]sbom.Inventory, 6)
	for i := range 10_000 {
		ref := fmt.Sprintf("registry.example/kolla/release/%s-%d:26.%d.1.20250408", []string{"nova", "neutron", "agent"}[i%3], i/4, i%4)
		digest := digestOf(ref)
		for s := range sources {
			var a sbom.Artifact
			switch {
			case s == 0:
				a = offered(ref, digest)
			case s == 1 && i%5 > 0:
				a = declared("mirror.example/"+strings.TrimPrefix(ref, "registry.example/"), "")
			case s == 2:
				a = present(ref, digest)
			default:
				seen := digest
				if i%50 == 0 {
					seen = digestOf(ref + " again")
				}
				a = running(ref, seen)
				a.Sightings[0].Source = []string{"containers", "kubernetes"}[s%2]
				a.Sightings[0].Hosts = []string{fmt.Sprintf("node%d", (i*7+s)%500)}
			}
			a.Projects = []string{"project-" + a.Name}
			a.Sightings[0].Where += fmt.Sprint(" ", s)
			sources[s].Artifacts = append(sources[s].Artifacts, a)
		}
	}
	for i := range 500 {
		sources[0].Expected = append(sources[0].Expected, hosts(fmt.Sprintf("node%d.example.org", i))...)
		sources[0].Expected = append(sources[0].Expected, service(fmt.Sprintf("nova-%d", i), "enabled"))
	}
	return sources
}

// sameName is the worst case of one name: images that differ in nothing but their digest or their tag.
func sameName() sbom.Inventory {
	var inv sbom.Inventory
	for i := range 10_000 {
		ref, digest := "a/x:latest", digestOf(fmt.Sprint(i))
		if i%4 > 1 {
			ref = fmt.Sprintf("a/x:1.%d.0", i)
		}
		a := running(ref, digest)
		if i%2 == 0 {
			a = declared(ref, digest)
		}
		inv.Artifacts = append(inv.Artifacts, a)
	}
	return inv
}

func BenchmarkCompare(b *testing.B) {
	for name, inv := range map[string]sbom.Inventory{"large cloud": sbom.Merge(large()...), "one name": sbom.Merge(sameName())} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if len(sbom.Compare(inv, today).Drift) == 0 {
					b.Fatal("no drift")
				}
			}
		})
	}
}

func BenchmarkCrossCheck(b *testing.B) {
	inv := sbom.Merge(large()...)
	b.ReportAllocs()
	for b.Loop() {
		if sbom.CrossCheck(inv).Hosts.Expected != 500 {
			b.Fatal("hosts are missing")
		}
	}
}

func TestADeclarationIsNotGivenTheNameUnderWhichItsContentsRun(t *testing.T) {
	x, y := digestOf("x"), digestOf("y")
	// The release names a/x; that the mirror's name leads to the same contents is what the running side says.
	d := offered("a/x:1.2.3", x)
	d.Sightings[0].Reference = ""
	in := sbom.Merge(inventory(d, running("m.example/a/x:1.2.3", x), running("m.example/a/x:1.2.3", y)))
	want := []string{"tag-moved x | - | m.example/a/x:1.2.3", "tag-moved x | - | m.example/a/x:1.2.3", "contents x | a/x:1.2.3 | m.example/a/x:1.2.3"}
	got := table(sbom.Compare(in, today))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
}

func TestAnImageFromAnotherPlaceIsNotDeclaredByTheSwitchOfItsService(t *testing.T) {
	inv := inventory(declared("registry.osism.tech/kolla/release/keystone:26.0.1.20250408", ""), running("own.example/x/keystone:9.9", ""))
	for i := range inv.Artifacts {
		inv.Artifacts[i].Service = "keystone"
	}
	inv.Expected = []sbom.Expected{{Kind: sbom.ExpectedService, Name: "keystone", Groups: []string{"enabled"}, Known: true, List: "OSISM configuration", Where: "x"}}
	for _, d := range sbom.Compare(inv, today).Drift {
		if d.Kind == sbom.DriftNotDeclared && d.Name == "keystone" {
			if d.Open == "" {
				t.Error("the row is certain, although only the place differs")
			}
			return
		}
	}
	t.Error("an image of the same name from another place counts as declared, because its service is enabled")
}

// TestManyNamesDoNotMakeTheComparisonLong compares images that go by a thousand names each, as a hostile file may claim,
// and images that claim one digest with a configuration of their own each. Every name with every tag, and every
// configuration with every other, took minutes and tens of gigabytes.
func TestManyNamesDoNotMakeTheComparisonLong(t *testing.T) {
	inv := sbom.Inventory{}
	for i := range 10 {
		a := running(fmt.Sprintf("r.example/a/b/c/d/e/x%d:1.0.0", i), digestOf(fmt.Sprint(i)))
		for j := range 1000 {
			a.Aliases = append(a.Aliases, fmt.Sprintf("r.example/a/b/c/d/e%d/x%d:1.0.%d", j, i, j))
		}
		a.Sightings[0].Reference = ""
		inv.Artifacts = append(inv.Artifacts, a, declared(fmt.Sprintf("q.example/a/b%d:2", i), ""))
	}
	for i := range 20_000 {
		a := running(fmt.Sprintf("s.example/y%d:1", i), digestOf("index"))
		a.Config = digestOf(fmt.Sprintf("config %d", i))
		inv.Artifacts = append(inv.Artifacts, a)
	}
	begin := time.Now()
	sbom.Compare(sbom.Merge(inv), today)
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("it took %s", took)
	} else {
		t.Logf("it took %s", took)
	}
}
