package upstream

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// short writes matches as "id high", with * where the version is that of something else and the edition in brackets.
func short(found []Match) string {
	var texts []string
	for _, m := range found {
		s := m.ID + " " + m.Confidence
		if !m.Versioned {
			s += "*"
		}
		if m.Edition != "" {
			s += " [" + m.Edition + "]"
		}
		texts = append(texts, s)
	}
	return strings.Join(texts, ", ")
}

func TestImagesAreMatchedByTheNamingRulesOfTheReferenceStack(t *testing.T) {
	c := load(t)
	const digest = "@sha256:de0c88772986187e51431927c73d14fb40375ea01f2a08227c2213c2bc53d257"
	for _, tt := range []struct{ name, ref, want string }{
		{"upstream kolla", "quay.io/openstack.kolla/glance-api:2025.2-ubuntu-noble", "glance high"},
		{"upstream kolla without a host", "openstack.kolla/glance-api:2025.2-ubuntu-noble", "glance high"},
		{"OSISM up to 9", "registry.osism.tech/kolla/release/neutron-server:25.1.1.20250408", "neutron high"},
		{"OSISM 10", "registry.osism.tech/kolla/release/2025.1/neutron-server:26.0.0.20250901", "neutron high"},
		{"OSISM 7 and 8", "osism.harbor.regio.digital/kolla/release/neutron-server:24.0.2.20240909", "neutron high"},
		{"OSISM rolling", "registry.osism.tech/kolla/nova-api:2025.1", "nova high"},
		{"OSISM on quay", "quay.io/osism/nova-api:2025.1", "nova high"},
		{"a digest instead of a tag", "registry.osism.tech/kolla/release/nova-api" + digest, "nova high"},
		{"tag and digest", "registry.osism.tech/kolla/release/nova-api:30.0.1" + digest, "nova high"},
		{"a host with a port", "registry.example.org:5000/kolla/nova-api:1", "nova high"},
		{"localhost", "localhost/kolla/nova-api", "nova high"},
		{"the OSISM mirror of Docker Hub", "registry.osism.tech/dockerhub/library/redis:7.4.2-alpine", "redis high"},
		{"the same without dockerhub", "registry.osism.tech/library/redis:7.4.2-alpine", "redis high"},
		{"an official image", "redis:7.4.2-alpine", "redis high"},
		{"an official image in full", "docker.io/library/redis:7", "redis high"},
		{"a vendor's namespace in the mirror", "registry.osism.tech/dockerhub/hashicorp/vault:1.19.1", "vault high"},
		{"a vendor's namespace", "hashicorp/vault:1.19.1", "vault high"},
		{"a host in the path", "mirror.example.org/docker.io/library/traefik:v3", "traefik high"},
		{"the host of the catalogue is ignored", "registry.example.org/ceph/ceph:v18", "ceph high"},
		{"the longer name wins", "quay.io/rook/ceph:v1.16", "rook high"},
		{"a name at the root of its registry", "registry.k8s.io/kube-apiserver:v1.31.0", "kubernetes high"},
		{"the same in a mirror", "registry.example.org/k8s/kube-apiserver:v1.31.0", "kubernetes medium"},
		{"the same as a path", "registry.example.org/registry.k8s.io/kube-apiserver:v1.31.0", "kubernetes high"},
		{"an operator's mirror with a prefix", "registry.example.org/team/kolla/release/keystone-fernet:26.0.1.20250408", "keystone medium"},
		{"an operator's mirror of a vendor's image", "registry.example.org/team/goharbor/harbor-core:v2", "harbor medium"},
		{"a name without a namespace elsewhere", "registry.example.org/nova-api:1", "nova medium"},
		{"a kolla name without anything", "nova-api", "nova medium"},
		{"a name in a foreign namespace", "someone/nova-api:1", "nova low"},
		{"a rebuild by others", "bitnami/redis:7.4", "redis low"},
		{"a namespace that looks like kolla", "kolla-fork/nova-api:1", "nova low"},
		{"one image with two components", "registry.osism.tech/kolla/release/nova-libvirt:9.0.0.20250408", "libvirt high, qemu high*"},
		{"the tag belongs to one of them", "registry.osism.tech/kolla/release/mariadb-server:10.11.11.20250408", "mariadb high, galera high*"},
		{"a tag of the service, not of the driver", "registry.osism.tech/kolla/release/designate-backend-bind9:19.0.1.20250408", "designate high, bind9 high*"},
		{"a vendor's edition", "registry.osism.tech/osism/nexus:3.95.0", "nexus high [Community Edition binary]"},
		{"the image it is built from", "sonatype/nexus3:3.95.0", "nexus high [Community Edition binary]"},
		{"the same name elsewhere has no known edition", "someone/nexus:3", "nexus low"},
		{"another product that begins alike", "foo/redis-exporter:1", ""},
		{"another product that ends alike", "foo/my-redis:1", ""},
		{"half a vendor's name", "foo/harbor-core:1", ""},
		{"an unknown image", "ghcr.io/cloudnull/substation/substation:1774452086", ""},
		{"an unrendered template", "{{ docker_registry }}/kolla/nova-api", ""},
		{"nothing", "", ""},
		{"only a host", "registry.example.org/", ""},
		{"only a digest", digest, ""},
		{"empty segments", "registry.example.org//nova-api", ""},
		{"a path upwards", "../kolla/nova-api", ""},
		{"a name beyond all bounds", "kolla/" + strings.Repeat("a/", 2000) + "nova-api", ""},
	} {
		found := c.MatchImage(tt.ref)
		if got := short(found); got != tt.want {
			t.Errorf("%s: %s:\n got %q\nwant %q", tt.name, tt.ref, got, tt.want)
		}
		for _, m := range found {
			if m.Rule != RuleImage || m.Detail == "" || (m.Edition != "") != (m.EditionSource != "") {
				t.Errorf("%s: rule, detail or source is missing in %+v", tt.name, m)
			}
		}
	}
}

func TestALowMatchSaysThatItMayBeSomethingElse(t *testing.T) {
	found := load(t).MatchImage("someone/nova-api:1")
	if len(found) != 1 || !strings.Contains(found[0].Detail, "namespace someone is not known") {
		t.Errorf("got %+v, want one match that names the namespace", found)
	}
}

// manifest is as much of an OSISM release file as these tests need.
type manifest struct {
	Images []struct {
		Image string `yaml:"image"`
	} `yaml:"images"`
	DockerImages map[string]string `yaml:"docker_images"`
}

func readExample[T any](t *testing.T, name string) (v T) {
	t.Helper()
	data, err := os.ReadFile("../../examples/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEveryOpenStackImageOfTheReferenceReleaseMatches(t *testing.T) {
	c := load(t)
	images := readExample[manifest](t, "scs-reference/release/9.0.0/sbom-openstack-2024.2.yml").Images
	if len(images) != 114 {
		t.Errorf("got %d images, want 114", len(images))
	}
	for _, i := range images {
		if found := c.MatchImage(i.Image); len(found) == 0 || found[0].Confidence != High {
			t.Errorf("%s: got %q, want a match of high confidence", i.Image, short(found))
		}
	}
}

func TestEveryImageOfReleaseR7Matches(t *testing.T) {
	data, err := os.ReadFile("testdata/scs-r7-images.txt")
	if err != nil {
		t.Fatal(err)
	}
	c, n := load(t), 0
	for line := range strings.Lines(string(data)) {
		ref := strings.TrimSpace(line)
		if ref == "" || strings.HasPrefix(ref, "#") {
			continue
		}
		n++
		if found := c.MatchImage(ref); len(found) == 0 || found[0].Confidence != High {
			t.Errorf("%s: got %q, want a match of high confidence", ref, short(found))
		}
	}
	if n != 120 {
		t.Errorf("got %d images, want 120", n)
	}
}

func TestOnlyKnownGapsRemainInTheManagersImages(t *testing.T) {
	c := load(t)
	for _, tt := range []struct {
		release string
		want    []string
	}{
		{"scs-reference/release/9.0.0/base.yml", []string{"nginx", "registry"}},
		{"scs-reference/release/9.0.0/ceph-reef.yml", nil},
		{"scs-reference-10/release/10.2.0/base.yml", []string{"substation"}},
	} {
		dir, _, _ := strings.Cut(tt.release, "/release/")
		paths := readExample[map[string]string](t, dir+"/release/etc/images.yml")
		var got []string
		for key, tag := range readExample[manifest](t, tt.release).DockerImages {
			path := key
			if p, ok := paths[key]; ok {
				path = p
			}
			if len(c.MatchImage("registry.osism.tech/"+path+":"+tag)) == 0 {
				got = append(got, key)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got no match for %q, want none for %q", tt.release, got, tt.want)
		}
	}
}

func TestPackagesChartsAndManifestNamesAreMatched(t *testing.T) {
	c := load(t)
	pkg := func(kind string) func(string) []Match {
		return func(name string) []Match { return c.MatchPackage(kind, name) }
	}
	for _, tt := range []struct {
		name  string
		match func(string) []Match
		in    string
		want  string
	}{
		{"a binary package", pkg("deb"), "openvswitch-switch", "openvswitch high"},
		{"an OpenStack package", pkg("deb"), "python3-keystone", "keystone high"},
		{"a package of one distribution", pkg("deb"), "debian/base-files", "debian high"},
		{"the same of another", pkg("deb"), "ubuntu/base-files", "ubuntu high"},
		{"the same of an unknown one", pkg("deb"), "base-files", "debian low, ubuntu low"},
		{"the same of a third", pkg("deb"), "devuan/base-files", ""},
		{"a Python package", pkg("python"), "openstack_placement", "placement high"},
		{"a Python package with the name of a deb only", pkg("python"), "redis", ""},
		{"a Go module", pkg("go-module"), "go.etcd.io/etcd", "etcd high"},
		{"a Go module below a repository", pkg("go-module"), "github.com/prometheus/prometheus/v2", "prometheus medium"},
		{"a Go module beside a repository", pkg("go-module"), "github.com/prometheus/client_golang", ""},
		{"a kind nobody knows", pkg("rpm"), "redis", ""},
		{"a chart", c.MatchChart, "cilium", "cilium medium*"},
		{"a chart with its repository", c.MatchChart, "oci://quay.io/jetstack/charts/cert-manager", "cert-manager medium*"},
		{"a chart of two projects", c.MatchChart, "kube-prometheus-stack", "prometheus medium*, prometheus-operator medium*"},
		{"an unknown chart", c.MatchChart, "crds", ""},
		{"a key of osism_projects", c.MatchSoftware, "docker", "docker-engine high"},
		{"k3s", c.MatchSoftware, "k3s", "k3s high"},
		{"osism", c.MatchSoftware, "osism", "python-osism high"},
		{"ara", c.MatchSoftware, "ara", "ara high"},
		{"underscores", c.MatchSoftware, "ceph_ansible", "ceph-ansible high"},
		{"a collection", c.MatchSoftware, "osism.services", "ansible-collection-services high"},
		{"a collection that is not known", c.MatchSoftware, "community.general", ""},
		{"a role that is not known", c.MatchSoftware, "geerlingguy.certbot", ""},
	} {
		if got := short(tt.match(tt.in)); got != tt.want {
			t.Errorf("%s: %s: got %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

func TestPackageURLsAreMatched(t *testing.T) {
	c := load(t)
	for _, tt := range []struct{ name, purl, want string }{
		{"a deb", "pkg:deb/debian/keystone@2:22.0.0-2?arch=all&distro=debian-12", "keystone high"},
		{"a deb by its source", "pkg:deb/debian/libvirt0@9.0.0-4?arch=amd64&upstream=libvirt&distro=debian-12", "libvirt medium"},
		{"a deb by its source with version", "pkg:deb/ubuntu/librados2@18?upstream=ceph%4018.2.0", "ceph medium"},
		{"the base of Debian", "pkg:deb/debian/base-files@12.4", "debian high"},
		{"a deb that is not known", "pkg:deb/debian/bash@5.2", ""},
		{"a Python package", "pkg:pypi/keystone@26.0.1", "keystone high"},
		{"a Go module by its repository", "pkg:golang/github.com/coredns/coredns@v1.11.1", "coredns high"},
		{"a Go module by its vanity path", "pkg:golang/k8s.io/kubernetes@v1.31.0", "kubernetes high"},
		{"a library of a known owner", "pkg:golang/k8s.io/client-go@v0.31.0", ""},
		{"a repository on GitHub", "pkg:github/ovn-org/ovn@v24.09.2", "ovn high"},
		{"a generic package with its repository", "pkg:generic/haproxy@2.6?vcs_url=git%2Bhttps://git.haproxy.org/git/haproxy.git%40abc", "haproxy high"},
		{"an image in docker form", "pkg:docker/hashicorp/vault@1.19.1", "vault high"},
		{"an official image", "pkg:docker/library/redis@7.4.2?repository_url=docker.io", "redis high"},
		{"an image in OCI form", "pkg:oci/keystone@sha256%3Ade0c?repository_url=registry.osism.tech/kolla/release/keystone&tag=26.0.1", "keystone high, mod-auth-openidc high*"},
		{"a chart", "pkg:helm/harbor@1.16.0", "harbor medium*"},
		{"no purl", "keystone", ""},
		{"half a purl", "pkg:", ""},
		{"a purl beyond all bounds", "pkg:pypi/" + strings.Repeat("a", 5000), ""},
	} {
		found := c.MatchPURL(tt.purl)
		if got := short(found); got != tt.want {
			t.Errorf("%s: %s: got %q, want %q", tt.name, tt.purl, got, tt.want)
		}
		for _, m := range found {
			if m.Rule != RulePURL {
				t.Errorf("%s: got rule %q, want purl", tt.name, m.Rule)
			}
		}
	}
}

// The law: host, tag and digest never change what an image reference leads to, and what it leads to bears its name.
func FuzzMatchImage(f *testing.F) {
	for _, s := range []string{"redis", "kolla/release/keystone", "kolla/release/2025.1/nova-libvirt", "openstack.kolla/glance-api", "dockerhub/library/redis",
		"osism/nexus", "someone/nova-api", "a/b/c/kolla/cron", "registry.k8s.io/pause", "x//y", "{{ a }}/b", "UPPER/case", "a:b/c", "localhost/redis"} {
		f.Add(s)
	}
	c := load(f)
	f.Fuzz(func(t *testing.T, path string) {
		plain := c.MatchImage("registry.example.org/kolla/" + path)
		for _, suffix := range []string{":1.2.3", "@sha256:00", ":1.2.3@sha256:00"} {
			if strings.ContainsAny(path, ":@ \t\n\r\v\f\u0085\u00a0") {
				break
			}
			if got := c.MatchImage("other.example.org:5000/kolla/" + path + suffix); short(got) != short(plain) {
				t.Errorf("%q%s: got %q, want %q as without", path, suffix, short(got), short(plain))
			}
		}
		for _, m := range plain {
			if err := bearsName(c, m, path); err != nil {
				t.Error(err)
			}
		}
		if again := strongest(slices.Clone(plain)); short(again) != short(plain) {
			t.Errorf("%q: order is not stable: %q, then %q", path, short(plain), short(again))
		}
	})
}

func bearsName(c *Catalogue, m Match, path string) error {
	r, ok := parseRepository("registry.example.org/kolla/" + path)
	k, known := c.Get(m.ID)
	if !ok || !known {
		return fmt.Errorf("%q leads to %q, which is no component, or it is no reference", path, m.ID)
	}
	last := r.path[len(r.path)-1]
	for _, name := range slices.Concat(k.Images, k.Inside) {
		if name == last || strings.HasSuffix(name, "/"+last) {
			return nil
		}
	}
	return fmt.Errorf("%q leads to %s, which has no image named %q", path, m.ID, last)
}

func BenchmarkMatchImage10000(b *testing.B) {
	c := load(b)
	names := []string{"kolla/release/keystone:26.0.1.20250408", "dockerhub/library/redis:7.4.2-alpine", "team/unknown/thing:1", "goharbor/harbor-core:v2.11",
		"kolla/release/nova-libvirt:9.0.0.20250408", "someone/nova-api:1", "osism/nexus:3.79.0", "k8s/kube-apiserver:v1.31.0"}
	refs := make([]string, 10000)
	for i := range refs {
		refs[i] = fmt.Sprintf("registry%d.example.org/%s", i%100, names[i%len(names)])
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, ref := range refs {
			c.MatchImage(ref)
		}
	}
}

// A library of a project has a version of its own: taken for that of the project, it would be judged by the licence, the end
// of maintenance and the vulnerabilities of another release.
func TestAModuleBelowARepositoryDoesNotTellTheVersionOfTheComponent(t *testing.T) {
	for _, row := range []struct {
		module string
		want   []string
	}{
		{"pkg:golang/github.com/hashicorp/vault/api@v1.9.0", nil},
		{"pkg:golang/github.com/hashicorp/vault@v1.9.0", []string{"1.9.0"}},
		{"pkg:golang/github.com/prometheus/prometheus/v2@v2.55.1", []string{"2.55.1"}},
	} {
		_, version, _ := strings.Cut(row.module, "@")
		r := load(t).Resolve([]Part{{Subject: row.module, Kind: PartPURL, Name: row.module, Version: version}})
		if len(r.Projects) != 1 || !slices.Equal(r.Projects[0].Versions, row.want) {
			t.Errorf("%s: got %+v, want one project with versions %v", row.module, r.Projects, row.want)
		}
	}
}
