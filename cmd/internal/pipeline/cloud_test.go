package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
	"github.com/pegel-audit/pegel/sbom/source/sourcetest"
)

// planted stands in every place of this cloud that must never be read; the recorded cluster has words of its own.
const planted = "canary-c10ud"

// cloud is a small cloud of which every part is real or was recorded from something real: containers of a Podman that
// runs here, a cluster, a release, daemons of Ceph, and a host that wrote its own inventory.
type cloud struct {
	dir     string // of stack.yaml
	podman  sourcetest.Podman
	sources []string // entries of stack.yaml
	network string   // further keys below network:
	subject string   // what it is
}

// The images of the cloud's engine: each is the program that waits, under the name of something that a cloud runs.
const (
	keystoneImage  = "registry.osism.tech/kolla/release/keystone:26.0.1.20250408"
	mariadbImage   = "registry.osism.tech/kolla/release/mariadb-server:10.11.11.20250408"
	redisImage     = "docker.io/library/redis:7.2.4"
	memcachedImage = "docker.io/library/memcached:1.6.29"
	customerImage  = "localhost/shop:1.0.0"
)

const privateCloud = "kind: cloud, exposure: private"

func newCloud(t *testing.T) cloud {
	t.Helper()
	c := cloud{podman: sourcetest.StartPodman(t), subject: privateCloud}
	digests := c.load(t, keystoneImage, mariadbImage, redisImage, memcachedImage, customerImage)
	c.start("run --detach", "keystone", keystoneImage)
	c.start("run --detach", "redis", redisImage)
	c.start("create", "mariadb", mariadbImage)
	c.start("run --detach", "customer-shop", customerImage)
	listed := func(image string) string { return "  - {image: " + image + ", digest: '" + digests[image] + "'}\n" }
	c.dir = tree(t, map[string]string{
		"etc/images.yml":                  "redis: library/redis\nvault: hashicorp/vault\ntempest: osism/tempest\nceph: ceph/ceph\n",
		"9.0.0/base.yml":                  "manager_version: '9.0.0'\ndocker_images:\n  redis: '7.4.2-alpine'\n  vault: '1.19.1'\n  tempest: 'latest'\n",
		"9.0.0/ceph-reef.yml":             "ceph_version: reef\ndocker_images:\n  ceph: 'v18.2.4'\n",
		"9.0.0/sbom-openstack-2024.2.yml": "images:\n" + listed(keystoneImage) + listed(mariadbImage),
		"orch-ps.json":                    orchPS,
		"hosts.txt":                       "ctl-1\nnode-1\nnode-2\nstore-1\ncmp-9\n",
	})
	c.writeHost(t)
	c.serveCluster(t)
	c.sources = []string{
		"osism: {release: ./9.0.0}",
		"containers: {socket: 'unix://" + c.podman.Socket + "', host: ctl-1, exclude: [customer-*]}",
		"kubernetes: {kubeconfig: kubeconfig, contexts: [prod], exclude: [customer-*], selector: tenant}",
		"ceph: {orch_ps: orch-ps.json}",
		"inventory: {file: hosts/*.json}",
		"crosscheck: {hosts: hosts.txt}",
	}
	return c
}

// load puts images into the store of the engine and returns the digests of their manifests, as the engine says them.
func (c cloud) load(t *testing.T, names ...string) map[string]string {
	t.Helper()
	binary, digests := sourcetest.BuildSleeper(t), map[string]string{}
	for _, name := range names {
		image := sourcetest.Image{Name: name, Env: []string{"PASSWORD=" + planted}, Labels: map[string]string{"org.opencontainers.image.title": name, "secret": planted}}
		archive, _ := image.Save(t, binary)
		c.podman.Run("load", "-i", archive)
		digests[name] = strings.TrimSpace(c.podman.Run("image", "inspect", "--format", "{{.Digest}}", name))
	}
	return digests
}

// start makes a container that has a secret wherever one can stand.
func (c cloud) start(how, name, image string) {
	c.podman.Run(append(strings.Fields(how), "--name", name, "--network", "none", "--env", "TOKEN="+planted, "--annotation", "note="+planted,
		"--label", "secret="+planted, "--volume", "/proc:/"+planted+":ro", image, "--password="+planted)...)
}

// orchPS has the shape of ceph orch ps --format json.
const orchPS = `[
 {"container_image_digests": ["quay.io/ceph/ceph@sha256:6ac7f923aa1d23b43248ce0ddec7e1388855ee3d00813b52c3172b0b23b37906"], "container_image_id": "3333333333333333333333333333333333333333333333333333333333333333",
  "container_image_name": "quay.io/ceph/ceph:v18.2.2", "daemon_id": "store-1", "daemon_type": "mon", "hostname": "store-1", "service_name": "mon", "status": 1, "status_desc": "running", "version": "18.2.2", "events": ["` + planted + `"]},
 {"container_image_digests": ["quay.io/ceph/ceph@sha256:6ac7f923aa1d23b43248ce0ddec7e1388855ee3d00813b52c3172b0b23b37906"], "container_image_id": "3333333333333333333333333333333333333333333333333333333333333333",
  "container_image_name": "quay.io/ceph/ceph:v18.2.2", "daemon_id": "0", "daemon_type": "osd", "hostname": "store-1", "service_name": "osd.disks", "status": 1, "status_desc": "running", "version": "18.2.2"}
]
`

// writeHost lets a host write its own inventory, as pegel inventory --host does there.
func (c cloud) writeHost(t *testing.T) {
	t.Helper()
	var entry yaml.Node
	if err := yaml.Unmarshal([]byte("host: {root: ., name: ctl-1}"), &entry); err != nil {
		t.Fatal(err)
	}
	at := truthNow.AddDate(0, 0, -1)
	s, err := source.Decode(&entry, tree(t, debian("hello", "2.10-3")), source.Options{At: at})
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&gatherer{opt: Options{TempDir: t.TempDir()}, at: at, sources: []sbom.Source{s}}).host(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	c.write(t, "hosts/ctl-1.json", string(l.JSON))
}

// serveCluster starts the recorded cluster, another one that never answers, and one that repeats what it was sent.
func (c cloud) serveCluster(t *testing.T) {
	t.Helper()
	ca := sourcetest.NewCA(t)
	good := ca.Serve(t, &sourcetest.Replay{Answers: sourcetest.Recorded(t)})
	release := make(chan struct{})
	hangs := ca.Serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(release) })
	echo := ca.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, r.Header)
	}))
	dir := sourcetest.Kubeconfig(t, sourcetest.KubeContext{Name: "prod", Server: good.URL, Token: sourcetest.ClusterToken},
		sourcetest.KubeContext{Name: "hangs", Server: hangs.URL, Token: sourcetest.ClusterToken},
		sourcetest.KubeContext{Name: "echo", Server: echo.URL, Token: kubeToken},
		sourcetest.KubeContext{Name: "password", Server: echo.URL, User: "username: admin, password: " + kubePassword},
		sourcetest.KubeContext{Name: "key", Server: good.URL, User: "client-certificate-data: " + encoded(kubeKey) + ", client-key-data: " + encoded(kubeKey)})
	data, err := os.ReadFile(filepath.Join(dir, "kubeconfig"))
	if err != nil {
		t.Fatal(err)
	}
	c.write(t, "kubeconfig", string(data))
	c.write(t, "ca.pem", string(ca.PEM))
}

// write writes a file below the folder of the stack.
func (c cloud) write(t *testing.T, name, text string) {
	t.Helper()
	name = filepath.Join(c.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

// stack writes stack.yaml and returns its name.
func (c cloud) stack(t *testing.T) string {
	t.Helper()
	text := "schema: pegel/stack/v1\nsubject: {name: small cloud, " + c.subject + "}\nscopes: [scs-open-iaas]\nat: 2026-11-24\n" +
		"network: {allow: [127.0.0.0/8], ca: ca.pem" + c.network + "}\nsources:\n  - " + strings.Join(c.sources, "\n  - ") + "\n"
	c.write(t, "stack.yaml", text)
	return filepath.Join(c.dir, "stack.yaml")
}

func (c cloud) options(t *testing.T) Options {
	t.Helper()
	return Options{Version: "test", Now: truthNow, TempDir: t.TempDir()}
}

// listed reads the inventory of a stack file.
func listed(t *testing.T, name string, opt Options) (inventoryDocument, Listing) {
	t.Helper()
	stack, err := ReadStack(name)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Inventory(t.Context(), stack, opt, ListingOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var doc inventoryDocument
	if err := json.Unmarshal(l.JSON, &doc); err != nil {
		t.Fatal(err)
	}
	return doc, l
}

// audited does what Audit does, except that it asks no forge for the history of projects: that is not what these tests are
// about, and they need no network but loopback.
func audited(t *testing.T, name string, opt Options) reports.Report {
	t.Helper()
	stack, err := ReadStack(name)
	if err != nil {
		t.Fatal(err)
	}
	g, err := prepare(stack, opt)
	if err != nil {
		t.Fatal(err)
	}
	g.opt.Offline = true
	if _, err := g.gather(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := Assess(opt.Bundle, AssessOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store(opt.Bundle, r); err != nil {
		t.Fatal(err)
	}
	return r
}

// artifactLines are kind, name, version and the kinds of sources that saw it.
func artifactLines(inv sbom.Inventory) []string {
	var out []string
	for _, a := range inv.Artifacts {
		if a.Name == "podman" {
			a.Version = "as installed here"
		}
		out = append(out, strings.Join([]string{a.Kind, a.Name, a.Version, strings.Join(seenBy(a), "+")}, " | "))
	}
	slices.Sort(out)
	return out
}

// driftLines are kind and name with the places of both sides; a difference that is not certain ends in "open".
func driftLines(c sbom.Comparison) []string {
	places := func(s *sbom.Side) string {
		if s == nil {
			return "-"
		}
		return strings.Join(s.Where, "; ")
	}
	var out []string
	for _, d := range c.Drift {
		line := strings.Join([]string{d.Kind + " " + d.Name, places(d.Declared), places(d.Running)}, " | ")
		if d.Open != "" {
			line += " | open"
		}
		out = append(out, line)
	}
	return out
}

func TestOneInventoryOfACloudSaysOfEveryLineWhereItWasSeen(t *testing.T) {
	c := newCloud(t)
	name, opt := c.stack(t), c.options(t)
	whole, listing := listed(t, name, opt)
	t.Run("every line says where it was seen", func(t *testing.T) { checkSightings(t, whole.Inventory) })
	t.Run("everything is there, once", func(t *testing.T) { equal(t, cloudArtifacts, artifactLines(whole.Inventory)) })
	t.Run("the drift table is right", func(t *testing.T) { equal(t, cloudDrift, driftLines(whole.Comparison)) })
	t.Run("what is missing and what was left out is said", func(t *testing.T) { checkGaps(t, whole, listing) })
	t.Run("an audit has the same in its bundle", func(t *testing.T) { checkBundle(t, c, name, whole) })
	t.Run("a source that cannot be read costs only itself", func(t *testing.T) { checkFaults(t, c, whole.Inventory) })
}

func equal(t *testing.T, want, got []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func checkSightings(t *testing.T, inv sbom.Inventory) {
	t.Helper()
	for _, a := range inv.Artifacts {
		if len(a.Sightings) == 0 {
			t.Errorf("%s: no sighting", a.ID)
		}
		for _, s := range a.Sightings {
			if s.Source == "" || s.Where == "" || s.State == "" || s.Origin.Digest == "" && s.Origin.URL == "" || s.State == sbom.StateRunning && len(s.Hosts) == 0 {
				t.Errorf("%s: sighting %+v, want source, place, state, origin, and the machine of what runs", a.ID, s)
			}
		}
	}
}

var cloudArtifacts = []string{
	"host | ctl-1 | 12 | host",
	"host | node-1 |  | kubernetes",
	"host | node-2 |  | kubernetes",
	"image | backup | 1.2.3 | kubernetes",
	"image | busybox | 1.37.0 | kubernetes",
	"image | ceph | 18.2.2 | ceph",
	"image | ceph | 18.2.4 | osism",
	"image | cilium | 1.17.4 | kubernetes",
	"image | coredns | 1.12.0 | kubernetes",
	"image | keystone | 26.0.1 | containers+osism",
	"image | kube-apiserver | 1.33.1 | kubernetes",
	"image | mariadb-server | 10.11.11 | containers+osism",
	"image | memcached | 1.6.29 | containers",
	"image | prometheus | 3.0.1 | kubernetes",
	"image | redis | 7.2.4 | containers",
	"image | redis | 7.4.2 | osism",
	"image | tempest |  | osism",
	"image | vault | 1.19.1 | osism",
	"software | ceph |  | osism",
	"software | cluster-stack/openstack-scs-1-32 | 1 | kubernetes",
	"software | containerd | 1.7.24 | kubernetes",
	"software | kubelet | 1.33.1 | kubernetes",
	"software | kubernetes | 1.32.4 | kubernetes",
	"software | kubernetes | 1.32.5 | kubernetes",
	"software | linux | 6.8.0 | kubernetes",
	"software | osism-manager | 9.0.0 | osism",
	"software | podman | as installed here | containers",
}

// cloudDrift is what a person finds who compares the files above by hand.
var cloudDrift = []string{
	"older ceph | 9.0.0/ceph-reef.yml: docker_images.ceph | orch-ps.json: service mon; orch-ps.json: service osd.disks",
	"older redis | 9.0.0/base.yml: docker_images.redis | unix:s: docker.io/library/redis:7.2.4",
	"version kubelet | cluster prod, namespace kaas, Cluster/workload-1; cluster prod, namespace kaas, ClusterStackRelease/openstack-scs-1-32-v1; cluster prod, namespace kaas, KubeadmControlPlane/workload-1-cp | cluster prod, nodes | open",
	"not-declared busybox | - | cluster prod, namespace kube-system, DaemonSet/cilium",
	"not-declared cilium | - | cluster prod, namespace kube-system, DaemonSet/cilium",
	"not-declared coredns | - | cluster prod, namespace kube-system, Deployment/coredns",
	"not-declared kube-apiserver | - | cluster prod, namespace kube-system, static pod/kube-apiserver",
	"not-running mariadb-server | 9.0.0/sbom-openstack-2024.2.yml: images.mariadb-server | - | open",
	"not-running prometheus | cluster prod, namespace monitoring, Pod/waits | - | open",
	"not-running tempest | 9.0.0/base.yml: docker_images.tempest | - | open",
	"not-running vault | 9.0.0/base.yml: docker_images.vault | - | open",
	"unpinned tempest | 9.0.0/base.yml: docker_images.tempest | -",
	"end-of-life ceph | 9.0.0/ceph-reef.yml: docker_images.ceph | -",
	"end-of-life ceph | - | orch-ps.json: service mon; orch-ps.json: service osd.disks",
	"end-of-life cilium | - | cluster prod, namespace kube-system, DaemonSet/cilium",
	"end-of-life containerd | - | cluster prod, nodes",
	"end-of-life keystone | 9.0.0/sbom-openstack-2024.2.yml: images.keystone | unix:s: registry.osism.tech/kolla/release/keystone:26.0.1.20250408",
	"end-of-life kube-apiserver | - | cluster prod, namespace kube-system, static pod/kube-apiserver",
	"end-of-life kubelet | - | cluster prod, nodes",
	"end-of-life kubernetes | cluster prod, namespace kaas, MachineDeployment/workload-1-md | -",
	"end-of-life kubernetes | cluster prod, namespace kaas, Cluster/workload-1; cluster prod, namespace kaas, ClusterStackRelease/openstack-scs-1-32-v1; cluster prod, namespace kaas, KubeadmControlPlane/workload-1-cp | -",
	"end-of-life prometheus | cluster prod, namespace monitoring, Pod/waits | -",
	"end-of-life vault | 9.0.0/base.yml: docker_images.vault | -",
}

func checkGaps(t *testing.T, doc inventoryDocument, l Listing) {
	t.Helper()
	if len(doc.Failures) > 0 {
		t.Errorf("failures %+v, want none", doc.Failures)
	}
	equal(t, []string{"cmp-9"}, doc.Completeness.Hosts.MissingNames())
	var omitted []string
	for _, o := range doc.Omitted {
		omitted = append(omitted, fmt.Sprintf("%d %s: %s", o.Count, o.What, o.Why))
	}
	slices.Sort(omitted)
	equal(t, []string{"1 containers: name or label matches customer-*", "1 images: in the stores of nodes, where they may be those of what other rules leave out",
		"1 images: used only by containers whose name or label matches customer-*", "1 namespaces: namespaces that match customer-*",
		"1 pods: label tenant", "1 pods: namespaces that match customer-*"}, omitted)
	for _, want := range []string{"nothing was seen of cmp-9 (list of hosts, hosts.txt: line 5)", "left out: 1 container (containers unix:s;"} {
		if !strings.Contains(l.Text, want) {
			t.Errorf("the table lacks %q:\n%s", want, l.Text)
		}
	}
	for _, word := range []string{"shop", "customer-a", "tenant-db", "postgres"} {
		if strings.Contains(l.Text, word) || strings.Contains(string(l.JSON), word) {
			t.Errorf("%q of a customer left a trace", word)
		}
	}
}

func checkBundle(t *testing.T, c cloud, name string, whole inventoryDocument) {
	t.Helper()
	opt := c.options(t)
	opt.Bundle = filepath.Join(t.TempDir(), "bundle")
	r := audited(t, name, opt)
	if sum, err := Verify(opt.Bundle); err != nil || len(sum.Problems) > 0 || sum.Blobs == 0 {
		t.Errorf("verify: %+v, %v", sum, err)
	}
	if same, _, err := Replay(opt.Bundle, AssessOptions{}); err != nil || !same {
		t.Errorf("replay: same %v, %v", same, err)
	}
	stored, err := Drift(t.Context(), opt.Bundle, Options{})
	if err != nil {
		t.Fatal(err)
	}
	live, err := Drift(t.Context(), name, c.options(t))
	if err != nil {
		t.Fatal(err)
	}
	if live.Text != stored.Text || live.Drifts != stored.Drifts {
		t.Errorf("drift (-live +bundle):\n%s", cmp.Diff(live.Text, stored.Text))
	}
	d, err := readDossier(opt.Bundle, AssessOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// An engine says in its list for how long containers run, so that the digest of its answer changes.
	if diff := cmp.Diff(whole.Artifacts, d.inventory.Artifacts, cmpopts.IgnoreFields(audit.Origin{}, "Digest"), cmpopts.IgnoreFields(sbom.Artifact{}, "TierHint", "HintRule")); diff != "" {
		t.Errorf("inventory (-listed +bundle):\n%s", diff)
	}
	if len(r.Artifacts) != len(whole.Artifacts) || len(r.Drift) != len(whole.Drift) || r.Coverage.HostsSeen != 4 || r.Coverage.HostsExpected != 5 || r.Coverage.Omitted != 6 {
		t.Errorf("report: %d artifacts, %d differences, coverage %+v", len(r.Artifacts), len(r.Drift), r.Coverage)
	}
	checkContents(t, d)
}

// checkContents finds what is inside the images that the engine exported, and inside the host, under the artifacts of the
// inventory.
func checkContents(t *testing.T, d *dossier) {
	t.Helper()
	var got []string
	for _, p := range d.packages {
		components, known := p.Components.Get()
		var purls []string
		for _, x := range components {
			purl, _, _ := strings.Cut(x.PURL, "@")
			purls = append(purls, purl)
		}
		got = append(got, fmt.Sprintf("%s %v %s", d.artifacts[p.Artifact].Name, known, strings.Join(purls, " ")))
	}
	slices.Sort(got)
	const program = "pkg:golang/" + sourcetest.SleeperModule + " pkg:golang/stdlib"
	equal(t, []string{"ctl-1 true pkg:deb/debian/hello", "keystone true " + program, "mariadb-server true " + program, "memcached true " + program, "redis true " + program}, got)
}

// sightingLines are the sightings of all sources but one.
func sightingLines(inv sbom.Inventory, without string) []string {
	var out []string
	for _, a := range inv.Artifacts {
		for _, s := range a.Sightings {
			if s.Source != without {
				out = append(out, strings.Join([]string{a.Kind, a.Name, a.Version, s.Source, s.State, s.Where, strings.Join(s.Hosts, " "), fmt.Sprint(s.Replicas)}, " | "))
			}
		}
	}
	slices.Sort(out)
	return out
}

func checkFaults(t *testing.T, c cloud, whole sbom.Inventory) {
	for name, f := range map[string]struct {
		source, entry string // the source that fails, and how it stands in stack.yaml then
		offline       bool
		want          string
	}{
		"a socket that is not there": {source: "containers", entry: "containers: {socket: 'unix:///nowhere/engine.sock', host: ctl-1}",
			want: `not read: containers unix:engine.sock: reading containers of "unix:engine.sock": no such file or directory`},
		"a cluster that hangs": {source: "kubernetes", entry: "kubernetes: {kubeconfig: kubeconfig, contexts: [hangs], timeout: 300ms}",
			want: "cluster hangs: api/v1/pods: no answer within 300ms"},
		"a cluster in an offline run": {source: "kubernetes", offline: true, want: "not read: kubernetes kubeconfig"},
		"a release that is not there": {source: "osism", entry: "osism: {release: ./gone}", want: `not read: osism ./gone: reading OSISM release "./gone": no such file or directory`},
		"half a file of Ceph":         {source: "ceph", entry: "ceph: {orch_ps: half.json}", want: "not read: ceph half.json: reading files of Ceph: half.json: "},
		"half a file of a host":       {source: "host", entry: "inventory: {file: half-host.json}", want: "not read: inventory half-host.json: "},
	} {
		t.Run(name, func(t *testing.T) {
			c := c
			c.sources = slices.Clone(c.sources)
			c.write(t, "half.json", orchPS[:200])
			c.write(t, "half-host.json", `{"schema":"pegel/inventory/v1","artifacts":[{"id":"host:ctl-1"`)
			for i, entry := range c.sources {
				if kind, _, _ := strings.Cut(entry, ":"); f.entry != "" && strings.HasPrefix(f.entry, kind+":") {
					c.sources[i] = f.entry
				}
			}
			opt := c.options(t)
			opt.Offline = f.offline
			broken, l := listed(t, c.stack(t), opt)
			if !strings.Contains(l.Text, f.want) {
				t.Errorf("the table lacks %q:\n%s", f.want, l.Text)
			}
			equal(t, sightingLines(whole, f.source), sightingLines(broken.Inventory, ""))
			for _, d := range broken.Drift {
				hidden := d.Kind == sbom.DriftNotRunning || d.Kind == sbom.DriftNotDeclared && f.source != "containers" && f.source != "ceph" // these declare nothing
				if d.Open == "" && hidden {
					t.Errorf("%s %s is said to be certain although a source was not read", d.Kind, d.Name)
				}
			}
		})
	}
}
