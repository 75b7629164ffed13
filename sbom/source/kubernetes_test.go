package source_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
	"github.com/pegel-audit/pegel/sbom/source/sourcetest"
)

// kubeDial allows only the addresses of these servers, as package web would.
func kubeDial(servers ...string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		for _, s := range servers {
			if u, err := url.Parse(s); err == nil && u.Host == address {
				return new(net.Dialer).DialContext(ctx, network, address)
			}
		}
		return nil, fmt.Errorf("address %s is private; allow it in the list", address)
	}
}

type kubeRead struct {
	inv  sbom.Inventory
	err  error
	kept map[string]audit.Blob
}

// text is everything that leaves the source.
func (r kubeRead) text(t testing.TB) string {
	t.Helper()
	data, err := json.Marshal(r.inv)
	if err != nil {
		t.Fatal(err)
	}
	if r.err != nil {
		data = append(data, r.err.Error()...)
	}
	for name, b := range r.kept {
		data = append(append(data, name...), b.Data...)
		data = append(data, b.Source+b.Origin.URL+b.Origin.Path...)
	}
	return string(data)
}

// kubeInventory reads an entry.
func kubeInventory(t testing.TB, entry, dir string, network source.Network) kubeRead {
	t.Helper()
	r := kubeRead{kept: map[string]audit.Blob{}}
	opt := source.Options{At: assessedAt, Network: network, Keep: func(_ context.Context, b audit.Blob) (audit.Digest, error) {
		r.kept[b.Name] = b
		return audit.DigestOf(b.Data), nil
	}}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte("kubernetes: {"+entry+"}"), &doc); err != nil {
		t.Fatal(err)
	}
	s, err := source.Decode(&doc, dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	r.inv, r.err = s.Inventory(t.Context())
	return r
}

// kubeLines are sightings in one line each: what, state, where, hosts, replicas.
func kubeLines(inv sbom.Inventory) []string {
	var out []string
	for _, a := range inv.Artifacts {
		for _, s := range a.Sightings {
			line := fmt.Sprintf("%s | %s | %s", a.ID, s.State, s.Where)
			if len(s.Hosts) > 0 {
				line += " | " + strings.Join(s.Hosts, " ")
			}
			if s.Replicas > 0 {
				line += fmt.Sprintf(" | %d", s.Replicas)
			}
			out = append(out, line)
		}
	}
	slices.Sort(out)
	return out
}

func kubeDigest(c string) string { return "sha256:" + strings.Repeat(c, 64) }

// kubeExpected is what the recorded cluster holds without the workloads of customers.
func kubeExpected(cluster string) []string {
	lines := []string{
		"image:" + kubeDigest("1") + " | running | CLUSTER, namespace kube-system, Deployment/coredns | node-1 node-2 | 2",
		"image:" + kubeDigest("2") + " | running | CLUSTER, namespace kube-system, static pod/kube-apiserver | node-1 | 1",
		"image:" + kubeDigest("3") + " | running | CLUSTER, namespace kube-system, DaemonSet/cilium | node-1 node-2 | 2",
		"image:" + kubeDigest("3") + " | stopped | CLUSTER, namespace kube-system, DaemonSet/cilium | node-1 node-2",
		"image:" + kubeDigest("5") + " | stopped | CLUSTER, namespace monitoring, CronJob/backup | node-1",
		"image:docker.io/library/busybox:1.37.0 | running | CLUSTER, namespace kube-system, DaemonSet/cilium | node-1 | 1",
		"image:quay.io/prometheus/prometheus:v3.0.1 | declared | CLUSTER, namespace monitoring, Pod/waits",
		"host:node-1 | running | CLUSTER, node node-1 | node-1 | 1",
		"host:node-2 | running | CLUSTER, node node-2 | node-2 | 1",
		"software:containerd@1.7.24 | running | CLUSTER, nodes | node-1 node-2 | 2",
		"software:kubelet@v1.33.1 | running | CLUSTER, nodes | node-1 node-2 | 2",
		"software:linux@6.8.0-51-generic | running | CLUSTER, nodes | node-1 node-2 | 2",
		"software:cluster-stack/openstack-scs-1-32@v1 | declared | CLUSTER, namespace kaas, Cluster/workload-1",
		"software:cluster-stack/openstack-scs-1-32@v1 | declared | CLUSTER, namespace kaas, ClusterStack/scs-1-32",
		"software:cluster-stack/openstack-scs-1-32@v1 | declared | CLUSTER, namespace kaas, ClusterStackRelease/openstack-scs-1-32-v1",
		"software:kubernetes@v1.32.4 | declared | CLUSTER, namespace kaas, MachineDeployment/workload-1-md",
		"software:kubernetes@v1.32.5 | declared | CLUSTER, namespace kaas, Cluster/workload-1",
		"software:kubernetes@v1.32.5 | declared | CLUSTER, namespace kaas, KubeadmControlPlane/workload-1-cp",
		"software:kubernetes@v1.32.5 | offered | CLUSTER, namespace kaas, ClusterStackRelease/openstack-scs-1-32-v1",
	}
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], "CLUSTER", cluster)
	}
	slices.Sort(lines)
	return lines
}

// kubeOthers are the sightings that rules for customers leave out.
func kubeOthers(cluster string) []string {
	lines := []string{
		"image:" + kubeDigest("c") + " | running | CLUSTER, namespace customer-a, Deployment/shop | node-2 | 1",
		"image:" + kubeDigest("d") + " | running | CLUSTER, namespace monitoring, Deployment/tenant-db | node-2 | 1",
		"image:" + kubeDigest("9") + " | present | CLUSTER, image stores of nodes | node-1 node-2",
	}
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], "CLUSTER", cluster)
	}
	return lines
}

// kubeRecordedServer is the recorded server with a kubeconfig for it, and a network that reaches nothing else.
func kubeRecordedServer(t testing.TB, fault func(http.ResponseWriter, *http.Request) bool) (*sourcetest.Replay, string, source.Network) {
	t.Helper()
	ca := sourcetest.NewCA(t)
	k := &sourcetest.Replay{Answers: sourcetest.Recorded(t), Fault: fault}
	s := ca.Serve(t, k)
	return k, sourcetest.Kubeconfig(t, sourcetest.KubeContext{Name: "prod", Server: s.URL, Token: sourcetest.ClusterToken, CA: ca.PEM}), source.Network{Dial: kubeDial(s.URL)}
}

func TestARecordedClusterIsReadPageByPageUpToTheLastWorkload(t *testing.T) {
	k, dir, network := kubeRecordedServer(t, nil)
	r := kubeInventory(t, "kubeconfig: kubeconfig", dir, network)
	if r.err != nil || len(r.inv.Failures) > 0 {
		t.Fatalf("error %v, failures %v", r.err, reasons(r.inv))
	}
	want := append(kubeExpected("cluster prod"), kubeOthers("cluster prod")...)
	slices.Sort(want)
	if diff := cmp.Diff(want, kubeLines(r.inv)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, asked := range k.Asked() {
		if !strings.HasPrefix(asked, "GET ") {
			t.Errorf("a request is no GET: %s", asked)
		}
	}
	if n := slices.Index(k.Asked(), "GET /apis/apps/v1/replicasets"); n != 5 {
		t.Errorf("pods were asked for in %d pages, want 5", n)
	}
	pods := r.kept["kubernetes/prod/api/v1/pods.json"]
	if pods.Withheld == "" || pods.Origin.Digest != kubePagesDigest(k, "/api/v1/pods") {
		t.Errorf("evidence of pods: withheld %q, digest %s, want that of all pages", pods.Withheld, pods.Origin.Digest)
	}
	if len(r.inv.Expected) != 2 || r.inv.Expected[0].Name != "node-1" || r.inv.Expected[0].List != "Kubernetes nodes" {
		t.Errorf("expected hosts %+v, want both nodes", r.inv.Expected)
	}
}

func kubePagesDigest(k *sourcetest.Replay, path string) audit.Digest {
	var all []byte
	for _, a := range k.Answers {
		if a.Account == "pegel" && a.Path == path {
			all = append(all, a.Body...)
		}
	}
	return audit.DigestOf(all)
}

func TestArtifactsOfAClusterSayWhatTheyAre(t *testing.T) {
	_, dir, network := kubeRecordedServer(t, nil)
	r := kubeInventory(t, "kubeconfig: kubeconfig", dir, network)
	got := map[string]sbom.Artifact{}
	for _, a := range r.inv.Artifacts {
		a.Sightings = nil
		got[a.ID] = a
	}
	for _, want := range []sbom.Artifact{
		{ID: "image:" + kubeDigest("1"), Kind: "image", Name: "coredns", Reference: "registry.k8s.io/coredns/coredns:v1.12.0", Version: "1.12.0", Digest: audit.Digest(kubeDigest("1"))},
		{ID: "image:docker.io/library/busybox:1.37.0", Kind: "image", Name: "busybox", Reference: "docker.io/library/busybox:1.37.0", Version: "1.37.0", Config: audit.Digest(kubeDigest("4"))},
		{ID: "image:" + kubeDigest("9"), Kind: "image", Name: "pause", Reference: "registry.k8s.io/pause:3.10", Version: "3.10", Digest: audit.Digest(kubeDigest("9"))},
		{ID: "host:node-1", Kind: "host", Name: "node-1", Platform: "ubuntu 24.04", TierHint: []string{"base"}, HintRule: "source kubernetes nodes"},
		{ID: "host:node-2", Kind: "host", Name: "node-2", Platform: "debian 12", TierHint: []string{"base"}, HintRule: "source kubernetes nodes"},
		{ID: "software:linux@6.8.0-51-generic", Kind: "software", Name: "linux", Reference: "linux@6.8.0-51-generic", Version: "6.8.0", TierHint: []string{"base"}, HintRule: "source kubernetes nodes"},
		{ID: "software:kubelet@v1.33.1", Kind: "software", Name: "kubelet", Reference: "kubelet@v1.33.1", Version: "1.33.1"},
	} {
		if diff := cmp.Diff(want, got[want.ID], cmpopts.IgnoreFields(sbom.Artifact{}, "Replicas"), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.ID, diff)
		}
	}
}

func TestWorkloadsOfCustomersAreCountedAndLeaveNoName(t *testing.T) {
	_, dir, network := kubeRecordedServer(t, nil)
	r := kubeInventory(t, "kubeconfig: kubeconfig, exclude: [customer-*], selector: tenant", dir, network)
	if r.err != nil || len(r.inv.Failures) > 0 {
		t.Fatalf("error %v, failures %v", r.err, reasons(r.inv))
	}
	if diff := cmp.Diff(kubeExpected("cluster prod"), kubeLines(r.inv)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var got []string
	for _, o := range r.inv.Omitted {
		got = append(got, fmt.Sprintf("%d %s: %s", o.Count, o.What, o.Why))
	}
	want := []string{"1 images: in the stores of nodes, where they may be those of what other rules leave out", "1 namespaces: namespaces that match customer-*",
		"1 pods: label tenant", "1 pods: namespaces that match customer-*"}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("omitted (-want +got):\n%s", diff)
	}
	for _, word := range []string{"shop", "customer-a", "postgres", "tenant-db", kubeDigest("c"), kubeDigest("d")} {
		if strings.Contains(r.text(t), word) {
			t.Errorf("%q left a trace", word)
		}
	}
}

func TestNamespacesAreAskedForOneByOneSoThatTheirRightsSuffice(t *testing.T) {
	k, dir, network := kubeRecordedServer(t, nil)
	r := kubeInventory(t, "kubeconfig: kubeconfig, namespaces: [kube-system, gone]", dir, network)
	if r.err != nil {
		t.Fatal(r.err)
	}
	if slices.Contains(k.Asked(), "GET /api/v1/pods") || !slices.Contains(k.Asked(), "GET /api/v1/namespaces/kube-system/pods") {
		t.Errorf("asked %q, want no list of the whole cluster", k.Asked())
	}
	if got := kubeLines(r.inv); !contains(got, "Deployment/coredns") || contains(got, "monitoring") {
		t.Errorf("sightings %q, want those of kube-system only", got)
	}
	if !contains(reasons(r.inv), "cluster prod: api/v1/namespaces/gone/pods: the server answers 404 Not Found") {
		t.Errorf("failures %q, want one for the namespace that is not there", reasons(r.inv))
	}
}

func TestWhatIsForbiddenIsNamedWithItsRemedyAndTheRestIsRead(t *testing.T) {
	forbidden := func(path string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == path {
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprint(w, `{"kind":"Status","message":"User \"jane@example.org\" cannot list"}`)
			}
			return r.URL.Path == path
		}
	}
	for path, want := range map[string]string{
		"/apis/apps/v1/replicasets":               "cluster prod: apis/apps/v1/replicasets: the server answers 403 Forbidden",
		"/api/v1/nodes":                           "cluster prod: api/v1/nodes: the server answers 403 Forbidden",
		"/apis/cluster.x-k8s.io/v1beta2/clusters": "cluster prod: apis/cluster.x-k8s.io/v1beta2/clusters: the server answers 403 Forbidden",
		"/apis/clusterstack.x-k8s.io":             "cluster prod: apis/clusterstack.x-k8s.io: the server answers 403 Forbidden",
	} {
		_, dir, network := kubeRecordedServer(t, forbidden(path))
		r := kubeInventory(t, "kubeconfig: kubeconfig", dir, network)
		if r.err != nil || !slices.Contains(reasons(r.inv), want) {
			t.Fatalf("%s: error %v, failures %q, want %q", path, r.err, reasons(r.inv), want)
		}
		i := slices.IndexFunc(r.inv.Failures, func(f sbom.Failure) bool { return f.Reason == want })
		if !strings.Contains(r.inv.Failures[i].Settle, "docs/rights/kubernetes.yaml") {
			t.Errorf("%s: settle %q names no role", path, r.inv.Failures[i].Settle)
		}
		if got := kubeLines(r.inv); !contains(got, "Deployment/coredns | node-1 node-2 | 2") {
			t.Errorf("%s: sightings %q, want the Deployment all the same", path, got)
		}
		if strings.Contains(r.text(t), "jane") {
			t.Errorf("%s: the server's message is repeated", path)
		}
		if derived := contains(reasons(r.inv), "the Deployments of 4 pods are derived from the label pod-template-hash, because no list of replicasets could be read"); derived != strings.HasSuffix(path, "replicasets") {
			t.Errorf("%s: failures %q", path, reasons(r.inv))
		}
	}
}

func TestAGroupThatIsAbsentIsNoFailure(t *testing.T) {
	k, dir, network := kubeRecordedServer(t, nil)
	k.Fault = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(r.URL.Path, "x-k8s.io") {
			k.Find("plain", r.URL.Path, "").Send(w)
			return true
		}
		return false
	}
	r := kubeInventory(t, "kubeconfig: kubeconfig", dir, network)
	if r.err != nil || len(r.inv.Failures) > 0 {
		t.Errorf("error %v, failures %q, want none", r.err, reasons(r.inv))
	}
}

func TestAListThatExpiresIsReadOnceMoreFromItsBeginning(t *testing.T) {
	for _, times := range []int{1, 2} {
		k, dir, network := kubeRecordedServer(t, nil)
		var left atomic.Int32
		left.Store(int32(times))
		k.Fault = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/api/v1/pods" && r.URL.Query().Get("continue") != "" && left.Add(-1) >= 0 {
				k.Find("late", "/api/v1/pods", "any").Send(w)
				return true
			}
			return false
		}
		r := kubeInventory(t, "kubeconfig: kubeconfig", dir, network)
		if r.err != nil {
			t.Fatal(r.err)
		}
		if times == 1 {
			if lines := kubeLines(r.inv); len(r.inv.Failures) > 0 || len(lines) != 22 {
				t.Errorf("once: failures %q, %d sightings, want none and 22", reasons(r.inv), len(lines))
			}
			if got, want := r.kept["kubernetes/prod/api/v1/pods.json"].Origin.Digest, kubePagesDigest(k, "/api/v1/pods"); got != want {
				t.Errorf("once: digest %s, want that of the second pass, %s", got, want)
			}
			continue
		}
		if !contains(reasons(r.inv), "api/v1/pods: after item 2, byte ") || !contains(reasons(r.inv), "the server answers 410 Gone; what stands before is used") {
			t.Errorf("twice: failures %q, want one that names the place", reasons(r.inv))
		}
	}
}

func TestAServerThatIsBusyIsAskedAgainThreeTimesAtMost(t *testing.T) {
	for _, busy := range []int{1, 2, 3, 1000} {
		var asked atomic.Int32
		_, dir, network := kubeRecordedServer(t, func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/api/v1/nodes" || int(asked.Add(1)) > busy {
				return false
			}
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		})
		r := kubeInventory(t, "kubeconfig: kubeconfig", dir, network)
		if r.err != nil {
			t.Fatal(r.err)
		}
		if want := busy >= 3; contains(reasons(r.inv), "api/v1/nodes: the server answers 429 Too Many Requests") != want || int(asked.Load()) != min(busy+1, 3) {
			t.Errorf("busy %d times: asked %d times, failures %q", busy, asked.Load(), reasons(r.inv))
		}
	}
}

func TestAServerThatFailsCostsThatListOnly(t *testing.T) {
	whole := sourcetest.Recorded(t)[0].Body
	for name, c := range map[string]struct {
		fault func(w http.ResponseWriter, r *http.Request)
		want  string
	}{
		"an internal error":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "api/v1/nodes: the server answers 500 Internal Server Error"},
		"a list that is gone":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, "api/v1/nodes: the server answers 404 Not Found"},
		"garbage":              {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "\x00\x01{{{") }, "api/v1/nodes: it is no JSON list of objects"},
		"a login page":         {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html><form>") }, "api/v1/nodes: it is no JSON list of objects"},
		"nothing":              {func(http.ResponseWriter, *http.Request) {}, "api/v1/nodes: it is empty"},
		"a list without items": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"kind":"NodeList"}`) }, "api/v1/nodes: it holds no list of objects: there are no items"},
		"a redirect":           {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "https://198.51.100.1/", 302) }, "api/v1/nodes: the server answers 302 Found"},
		"half a list":          {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(whole[:len(whole)-900]) }, "api/v1/nodes: after item 1, byte "},
		"a socket that closes": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(whole[:len(whole)/2])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, "what stands before is used"},
	} {
		_, dir, network := kubeRecordedServer(t, func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/api/v1/nodes" {
				return false
			}
			c.fault(w, r)
			return true
		})
		r := kubeInventory(t, "kubeconfig: kubeconfig", dir, network)
		if r.err != nil || !contains(reasons(r.inv), c.want) {
			t.Errorf("%s: error %v, failures %q, want one with %q", name, r.err, reasons(r.inv), c.want)
		}
		if got := kubeLines(r.inv); !contains(got, "Deployment/coredns") || !contains(got, "ClusterStack/scs-1-32") {
			t.Errorf("%s: sightings %q, want those of the other lists", name, got)
		}
	}
}

func TestAClusterThatRefusesOrHangsEndsAndTheOthersAreRead(t *testing.T) {
	ca := sourcetest.NewCA(t)
	good := ca.Serve(t, &sourcetest.Replay{Answers: sourcetest.Recorded(t)})
	release := make(chan struct{})
	defer close(release)
	hang := ca.Serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	closed := httptest.NewServer(nil)
	closed.Close()
	dir := sourcetest.Kubeconfig(t, sourcetest.KubeContext{Name: "hangs", Server: hang.URL, Token: sourcetest.ClusterToken, CA: ca.PEM}, sourcetest.KubeContext{Name: "stranger", Server: good.URL, Token: "unknown", CA: ca.PEM},
		sourcetest.KubeContext{Name: "down", Server: strings.Replace(closed.URL, "http:", "https:", 1), Token: sourcetest.ClusterToken, CA: ca.PEM},
		sourcetest.KubeContext{Name: "jane@prod", Server: good.URL, Token: sourcetest.ClusterToken, CA: ca.PEM})
	network := source.Network{Dial: kubeDial(good.URL, hang.URL, closed.URL)}
	r := kubeInventory(t, "kubeconfig: kubeconfig, contexts: [hangs, stranger, down, absent, jane@prod], timeout: 300ms", dir, network)
	if r.err != nil {
		t.Fatal(r.err)
	}
	for _, want := range []string{"cluster hangs: api/v1/pods: no answer within 300ms", "cluster hangs: nothing more was asked after this", "cluster stranger: api/v1/pods: the server answers 401 Unauthorized",
		"cluster down: api/v1/pods: dial tcp", "cluster absent: the kubeconfig has no such context"} {
		if !contains(reasons(r.inv), want) {
			t.Errorf("failures %q, want one with %q", reasons(r.inv), want)
		}
	}
	if got := kubeLines(r.inv); len(got) != 22 || !contains(got, "cluster prod, namespace kube-system") {
		t.Errorf("%d sightings, want 22 of cluster prod", len(got))
	}
	if strings.Contains(r.text(t), "jane") {
		t.Error("the name of a person in a context is repeated")
	}
}

func TestAnInventoryOfSeveralClustersCountsEachForItself(t *testing.T) {
	ca := sourcetest.NewCA(t)
	a, b := ca.Serve(t, &sourcetest.Replay{Answers: sourcetest.Recorded(t)}), ca.Serve(t, &sourcetest.Replay{Answers: sourcetest.Recorded(t)})
	dir := sourcetest.Kubeconfig(t, sourcetest.KubeContext{Name: "a", Server: a.URL, Token: sourcetest.ClusterToken, CA: ca.PEM}, sourcetest.KubeContext{Name: "b", Server: b.URL, Token: sourcetest.ClusterToken, CA: ca.PEM})
	r := kubeInventory(t, "kubeconfig: kubeconfig, contexts: [a, b]", dir, source.Network{Dial: kubeDial(a.URL, b.URL)})
	got := kubeLines(r.inv)
	if r.err != nil || len(got) != 44 || !contains(got, "cluster a, namespace kube-system, Deployment/coredns") || !contains(got, "cluster b, namespace kube-system, Deployment/coredns") {
		t.Errorf("error %v, %d sightings, want 22 of each: %q", r.err, len(got), got)
	}
}

func TestOnlyTrustedServersAreTalkedTo(t *testing.T) {
	ca, other := sourcetest.NewCA(t), sourcetest.NewCA(t)
	s := ca.Serve(t, &sourcetest.Replay{Answers: sourcetest.Recorded(t)})
	roots := x509.NewCertPool()
	roots.AddCert(ca.Cert)
	plain := httptest.NewServer(&sourcetest.Replay{Answers: sourcetest.Recorded(t)})
	defer plain.Close()
	for name, c := range map[string]struct {
		target sourcetest.KubeContext
		entry  string
		roots  *x509.CertPool
		want   string // of the error; empty: it is read
	}{
		"the authority of the kubeconfig": {target: sourcetest.KubeContext{CA: ca.PEM}},
		"the authority of the entry":      {entry: ", ca: ca.pem"},
		"both":                            {target: sourcetest.KubeContext{CA: other.PEM}, entry: ", ca: ca.pem"},
		"the authorities of the run":      {roots: roots},
		"an unknown authority":            {target: sourcetest.KubeContext{CA: other.PEM}, want: "its certificate is signed by an authority that nobody vouches for; name the authority with ca: FILE in the entry"},
		"no check at all":                 {target: sourcetest.KubeContext{Cluster: ", insecure-skip-tls-verify: true"}, want: "name the certificate authority with ca: FILE in the entry, or allow it with insecure_tls: true"},
		"no check, allowed":               {target: sourcetest.KubeContext{Cluster: ", insecure-skip-tls-verify: true"}, entry: ", insecure_tls: true"},
		"no check, but an authority":      {target: sourcetest.KubeContext{Cluster: ", insecure-skip-tls-verify: true"}, entry: ", ca: ca.pem, insecure_tls: true"},
		"another name":                    {target: sourcetest.KubeContext{CA: ca.PEM, Cluster: ", tls-server-name: other.example.org"}, want: "its certificate is for another name"},
		"a file that is no certificate":   {entry: ", ca: kubeconfig", want: `ca "kubeconfig": it holds no certificate in PEM form`},
		"http":                            {target: sourcetest.KubeContext{Server: plain.URL}, want: "the address of the server in the kubeconfig is not https"},
		// client-go sends no credentials without TLS; this is for kubectl proxy and the like.
		"http, allowed": {target: sourcetest.KubeContext{Server: plain.URL}, entry: ", insecure_tls: true", want: "the server answers 401 Unauthorized"},
	} {
		c.target.Name, c.target.Token = "prod", sourcetest.ClusterToken
		if c.target.Server == "" {
			c.target.Server = s.URL
		}
		dir := sourcetest.Kubeconfig(t, c.target)
		if err := os.WriteFile(filepath.Join(dir, "ca.pem"), ca.PEM, 0o644); err != nil {
			t.Fatal(err)
		}
		r := kubeInventory(t, "kubeconfig: kubeconfig"+c.entry, dir, source.Network{Dial: kubeDial(s.URL, plain.URL), Roots: c.roots})
		if c.want == "" && r.err != nil || c.want != "" && (r.err == nil || !strings.Contains(r.err.Error(), c.want)) {
			t.Errorf("%s: error %v, want %q", name, r.err, c.want)
		}
	}
}

func TestOnlyAllowedAddressesAreReached(t *testing.T) {
	_, dir, network := kubeRecordedServer(t, nil)
	for name, c := range map[string]struct {
		network source.Network
		want    string
	}{
		"offline":               {source.Network{}, `reading kubernetes "kubeconfig": the run is offline`},
		"an address not listed": {source.Network{Dial: kubeDial()}, "is private; allow it in the list"},
		"an address listed":     {network, ""},
	} {
		r := kubeInventory(t, "kubeconfig: kubeconfig", dir, c.network)
		if c.want == "" && r.err != nil || c.want != "" && (r.err == nil || !strings.Contains(r.err.Error(), c.want)) {
			t.Errorf("%s: error %v, want %q", name, r.err, c.want)
		}
	}
}

// kubeProxy is an HTTP proxy that connects any name to one server.
func kubeProxy(t *testing.T, to string) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	var used atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		used.Add(1)
		up, err := net.Dial("tcp", to)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		down, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		fmt.Fprint(down, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(up, down); up.Close() }()
		_, _ = io.Copy(down, up)
		down.Close()
	}))
	t.Cleanup(s.Close)
	return s, &used
}

func TestAProxyOfTheEntryTheKubeconfigOrTheRunIsUsedInThisOrder(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://203.0.113.1:1") // must not count
	ca := sourcetest.NewCA(t)
	s := ca.Serve(t, &sourcetest.Replay{Answers: sourcetest.Recorded(t)})
	good, used := kubeProxy(t, strings.TrimPrefix(s.URL, "https://"))
	to, err := url.Parse(good.URL)
	if err != nil {
		t.Fatal(err)
	}
	wrong, _ := url.Parse("http://203.0.113.2:1")
	target := sourcetest.KubeContext{Name: "prod", Server: "https://kubernetes.example.org:6443", Token: sourcetest.ClusterToken, CA: ca.PEM}
	through := target
	through.Cluster = fmt.Sprintf(", proxy-url: %q", good.URL)
	elsewhere := target
	elsewhere.Cluster = `, proxy-url: "http://203.0.113.3:1"`
	for name, c := range map[string]struct {
		target sourcetest.KubeContext
		entry  string
		proxy  *url.URL
	}{
		"of the run":        {target, "", to},
		"of the kubeconfig": {through, "", wrong},
		"of the entry":      {elsewhere, ", proxy: '" + good.URL + "'", wrong},
	} {
		before := used.Load()
		r := kubeInventory(t, "kubeconfig: kubeconfig"+c.entry, sourcetest.Kubeconfig(t, c.target), source.Network{Dial: kubeDial(good.URL), Proxy: http.ProxyURL(c.proxy)})
		if r.err != nil || used.Load() == before {
			t.Errorf("%s: error %v, proxy used %d times", name, r.err, used.Load()-before)
		}
	}
}

func TestProgramsOfAKubeconfigRunOnlyIfTheEntrySaysSo(t *testing.T) {
	ca := sourcetest.NewCA(t)
	s := ca.Serve(t, &sourcetest.Replay{Answers: sourcetest.Recorded(t)})
	dir := t.TempDir()
	mark, script := filepath.Join(dir, "ran"), filepath.Join(dir, "login")
	text := "#!/bin/sh\n: > " + mark + "\necho '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"'$TOKEN'\"}}'\n"
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	user := fmt.Sprintf(`exec: {apiVersion: client.authentication.k8s.io/v1, command: %q, args: [canary-exec-arg], interactiveMode: Never, env: [{name: TOKEN, value: %q}]}`, script, sourcetest.ClusterToken)
	base := sourcetest.Kubeconfig(t, sourcetest.KubeContext{Name: "prod", Server: s.URL, CA: ca.PEM, User: user})
	network := source.Network{Dial: kubeDial(s.URL)}
	r := kubeInventory(t, "kubeconfig: kubeconfig", base, network)
	if r.err == nil || !strings.Contains(r.err.Error(), "runs a program to get credentials; allow it with exec: true in the entry") {
		t.Errorf("error %v, want one that names exec: true", r.err)
	}
	if _, err := os.Stat(mark); !errors.Is(err, os.ErrNotExist) {
		t.Fatal("the program ran")
	}
	if r := kubeInventory(t, "kubeconfig: kubeconfig, exec: true", base, network); r.err != nil {
		t.Errorf("allowed: %v", r.err)
	}
	fails := sourcetest.Kubeconfig(t, sourcetest.KubeContext{Name: "prod", Server: s.URL, CA: ca.PEM, User: strings.Replace(user, script, filepath.Join(dir, "gone"), 1)})
	r = kubeInventory(t, "kubeconfig: kubeconfig, exec: true", fails, network)
	if r.err == nil || !strings.Contains(r.err.Error(), "the program that the kubeconfig names gives no credentials") || strings.Contains(r.err.Error(), dir) {
		t.Errorf("a program that is not there: %v", r.err)
	}
	old := sourcetest.Kubeconfig(t, sourcetest.KubeContext{Name: "prod", Server: s.URL, CA: ca.PEM, User: `auth-provider: {name: oidc, config: {id-token: "canary-id-token"}}`})
	r = kubeInventory(t, "kubeconfig: kubeconfig, exec: true", old, network)
	if r.err == nil || !strings.Contains(r.err.Error(), "auth-provider, which is not supported") || strings.Contains(r.err.Error(), "canary") {
		t.Errorf("an auth-provider: %v", r.err)
	}
}

func TestNothingSecretLeavesTheSource(t *testing.T) {
	ca := sourcetest.NewCA(t)
	s := ca.Serve(t, &sourcetest.Replay{Answers: sourcetest.Recorded(t), Fault: func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/api/v1/nodes" {
			return false
		}
		w.WriteHeader(500) // a server that repeats what it was sent
		fmt.Fprint(w, r.Header)
		return true
	}})
	key := base64.StdEncoding.EncodeToString([]byte("-----BEGIN EC PRIVATE KEY-----\ncanary-client-key\n-----END EC PRIVATE KEY-----\n"))
	targets := map[string]sourcetest.KubeContext{
		"a token":                        {Token: sourcetest.ClusterToken},
		"a token that is bad":            {Token: "canary-token-bad"},
		"a password":                     {User: `username: canary-user, password: "canary-password"`},
		"a client key":                   {User: "client-certificate-data: " + key + ", client-key-data: " + key},
		"a token that breaks the header": {Token: "canary-token\\nbad"},
		"a file that is not there":       {User: "tokenFile: /nowhere/canary-file"},
		"a key that is not there":        {User: "client-certificate: /nowhere/canary-cert, client-key: /nowhere/canary-key"},
		"an address with a password":     {Token: sourcetest.ClusterToken, Server: strings.Replace(s.URL, "https://", "https://canary:canary-password@", 1)},
		"no YAML":                        {User: "token: {canary-broken: ["},
		"a wrong type":                   {User: "token: [canary-list]"},
	}
	for name, target := range targets {
		target.Name, target.CA = "prod", ca.PEM
		if target.Server == "" {
			target.Server = s.URL
		}
		dir := sourcetest.Kubeconfig(t, target)
		r := kubeInventory(t, "kubeconfig: kubeconfig", dir, source.Network{Dial: kubeDial(s.URL)})
		if strings.Contains(r.text(t), "canary") || strings.Contains(r.text(t), key[:20]) || strings.Contains(r.text(t), dir) {
			t.Errorf("%s: a secret or a path of this machine is in\n%s", name, r.text(t))
		}
		if works := name == "a token" || name == "an address with a password"; works != (r.err == nil) {
			t.Errorf("%s: error %v", name, r.err)
		}
	}
	if !bytes.Contains(kubeFile(t, "/api/v1/pods"), []byte("canary-4b1d")) {
		t.Error("the recorded pods hold no canary in their environment: this test proves nothing")
	}
}

// kubeFile is a recorded list as kubectl saves it: one List, each item with its kind, keys sorted, indented.
func kubeFile(t testing.TB, paths ...string) []byte {
	t.Helper()
	items := []any{}
	for _, a := range sourcetest.Recorded(t) {
		if a.Account != "pegel" || !slices.Contains(paths, a.Path) {
			continue
		}
		var list map[string]any
		if err := json.Unmarshal(a.Body, &list); err != nil {
			t.Fatal(err)
		}
		for _, item := range list["items"].([]any) {
			o := item.(map[string]any)
			o["apiVersion"], o["kind"] = list["apiVersion"], strings.TrimSuffix(list["kind"].(string), "List")
			items = append(items, o)
		}
	}
	data, err := json.MarshalIndent(map[string]any{"apiVersion": "v1", "kind": "List", "items": items, "metadata": map[string]any{"resourceVersion": ""}}, "", "    ")
	if err != nil {
		t.Fatal(err)
	}
	return append(data, '\n')
}

func kubeObjects() []string {
	return []string{"/apis/apps/v1/replicasets", "/apis/batch/v1/jobs", "/apis/cluster.x-k8s.io/v1beta2/clusters", "/apis/cluster.x-k8s.io/v1beta2/machinedeployments",
		"/apis/controlplane.cluster.x-k8s.io/v1beta2/kubeadmcontrolplanes", "/apis/clusterstack.x-k8s.io/v1alpha1/clusterstacks", "/apis/clusterstack.x-k8s.io/v1alpha1/clusterstackreleases"}
}

func TestSavedFilesSayTheSameAsTheServer(t *testing.T) {
	all := append([]string{"/api/v1/pods", "/api/v1/nodes"}, kubeObjects()...)
	dir := write(t, map[string]string{"pods.json": string(kubeFile(t, "/api/v1/pods")), "nodes.json": string(kubeFile(t, "/api/v1/nodes")),
		"objects.json": string(kubeFile(t, kubeObjects()...)), "all.json": string(kubeFile(t, all...)), "raw.json": string(sourcetest.Recorded(t)[0].Body)})
	want := append(kubeExpected("cluster prod"), kubeOthers("cluster prod")...)
	slices.Sort(want)
	for _, entry := range []string{"pods: pods.json, nodes: nodes.json, objects: [objects.json], cluster: prod", "pods: all.json, cluster: prod", "pods: '[no]*.json', cluster: prod, nodes: all.json", "pods: [raw.json, all.json, all.json], cluster: prod"} {
		r := kubeInventory(t, entry, dir, source.Network{})
		if r.err != nil || len(r.inv.Failures) > 0 {
			t.Errorf("%s: error %v, failures %q", entry, r.err, reasons(r.inv))
		}
		if diff := cmp.Diff(want, kubeLines(r.inv)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", entry, diff)
		}
		if strings.Contains(r.text(t), "canary") {
			t.Errorf("%s: environment or arguments of a container left the source", entry)
		}
	}
	r := kubeInventory(t, "pods: pods.json, exclude: [customer-*], selector: tenant=a", dir, source.Network{})
	if got := kubeLines(r.inv); !contains(got, "pods.json, namespace kube-system, Deployment/coredns") || strings.Contains(r.text(t), "customer/shop") {
		t.Errorf("sightings %q, want none of customers", got)
	}
	if !contains(reasons(r.inv), "the Deployments of 2 pods are derived from the label pod-template-hash, because no list of replicasets could be read") {
		t.Errorf("failures %q, want one for the names that are derived", reasons(r.inv))
	}
	if pods := r.kept["pods.json"]; pods.Origin.Digest != audit.DigestOf(kubeFile(t, "/api/v1/pods")) || pods.Withheld == "" {
		t.Errorf("evidence %+v, want the digest of the file", pods.Origin)
	}
}

func TestTheReducedEvidenceSaysTheSameAgain(t *testing.T) {
	dir := write(t, map[string]string{"all.json": string(kubeFile(t, append([]string{"/api/v1/pods", "/api/v1/nodes"}, kubeObjects()...)...))})
	first := kubeInventory(t, "pods: all.json, cluster: prod", dir, source.Network{})
	again := write(t, map[string]string{"all.json": string(first.kept["all.json"].Data)})
	second := kubeInventory(t, "pods: all.json, cluster: prod", again, source.Network{})
	if diff := cmp.Diff(first.inv, second.inv, cmpopts.IgnoreFields(audit.Origin{}, "Digest")); diff != "" {
		t.Errorf("(-first +second):\n%s", diff)
	}
	if !bytes.Equal(first.kept["all.json"].Data, second.kept["all.json"].Data) {
		t.Error("reducing twice gives other bytes")
	}
}

func TestFilesThatAreNoListsSayWhatToSaveInstead(t *testing.T) {
	big := `{"kind":"List","items":[{"kind":"Pod","metadata":{"name":"` + strings.Repeat("x", 5<<20) + `"}}]}`
	files := map[string]string{
		"yaml.json":   "apiVersion: v1\nitems: []\n",
		"table.json":  "NAMESPACE  NAME\nkube-system coredns\n",
		"empty.json":  "",
		"pod.json":    `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}`,
		"array.json":  `[{"kind":"Pod"}]`,
		"two.json":    `{"kind":"List","items":[]}{"kind":"List","items":[]}`,
		"twice.json":  `{"kind":"List","items":[],"items":[]}`,
		"object.json": `{"kind":"List","items":{}}`,
		"null.json":   `{"kind":"List","items":null}`,
		"big.json":    big,
		"bom.json":    "\xef\xbb\xbf{}",
		"folder/":     "",
	}
	dir := write(t, files)
	for name, want := range map[string]string{
		"yaml.json":   "yaml.json: it is no JSON list of objects (YAML and tables are not read); write it with -o json; save it again with kubectl get pods -A -o json",
		"table.json":  "it is no JSON list of objects",
		"empty.json":  "empty.json: it is empty",
		"pod.json":    "it holds no list of objects: there are no items",
		"array.json":  "it is no JSON list of objects",
		"two.json":    "something follows the list; write one file for each answer",
		"twice.json":  `the key "items" stands twice in the list`,
		"object.json": "items is no array",
		"big.json":    "an item is larger than 4194304 bytes",
		"bom.json":    "it is no JSON list of objects",
		"folder":      "it is a directory, want a file",
		"'g*.json'":   "g*.json: no such file or directory",
		"gone.json":   "gone.json: no such file or directory; save it with kubectl get pods -A -o json",
		"null.json":   "",
	} {
		r := kubeInventory(t, "pods: "+name, dir, source.Network{})
		if want == "" && r.err != nil || want != "" && (r.err == nil || !strings.Contains(r.err.Error(), want)) {
			t.Errorf("%s: error %v, want one with %q", name, r.err, want)
		}
		if r.err != nil && strings.Contains(r.err.Error(), dir) {
			t.Errorf("%s: error %q names a path of this machine", name, r.err)
		}
	}
}

func TestAFileThatIsCutOffKeepsWhatWasWhole(t *testing.T) {
	data := kubeFile(t, "/api/v1/pods")
	for cut := 0; cut < len(data)-1; cut += 997 {
		dir := write(t, map[string]string{"pods.json": string(data[:cut])})
		r := kubeInventory(t, "pods: pods.json", dir, source.Network{})
		if r.err == nil && !contains(reasons(r.inv), "it is cut off; what stands before is used") {
			t.Errorf("cut at %d: failures %q, want one that says so", cut, reasons(r.inv))
		}
		if i := slices.IndexFunc(r.inv.Failures, func(f sbom.Failure) bool { return strings.Contains(f.Reason, "cut off") }); r.err == nil {
			var items, at int
			if _, err := fmt.Sscanf(r.inv.Failures[i].Reason, "pods.json: after item %d, byte %d:", &items, &at); err != nil || items == 0 || at == 0 || at > cut {
				t.Errorf("cut at %d: %q names no place before it", cut, r.inv.Failures[i].Reason)
			}
		}
	}
}

func TestOddObjectsCostThemselvesOnly(t *testing.T) {
	good := `{"kind":"Pod","metadata":{"name":"good","namespace":"a"},"spec":{"nodeName":"n","containers":[{"name":"c","image":"quay.io/a/b:1.2.3"}]},"status":{"containerStatuses":[{"name":"c","imageID":"docker-pullable://quay.io/a/b@` + kubeDigest("a") + `","state":{"running":{}}}]}}`
	for name, c := range map[string]struct{ item, want, line string }{
		"a number for a name":         {`{"kind":"Pod","metadata":{"name":7}}`, "item 1: metadata.name is of type number", ""},
		"a name with a line break":    {`{"kind":"Pod","metadata":{"name":"a\nb"}}`, `item 1: name "a\nb" of a Pod is not letters`, ""},
		"a namespace with a space":    {`{"kind":"Pod","metadata":{"name":"a","namespace":"b c"}}`, `item 1: namespace "b c" of a Pod is not letters`, ""},
		"an image with an escape":     {`{"kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"c","image":"a\u001b[31m"}]}}`, "holds control characters", ""},
		"an image in capitals":        {`{"kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"c","image":"Quay/A"}]}}`, `image reference "Quay/A"`, "image:Quay/A | declared | pods.json, Pod/a"},
		"no image":                    {`{"kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"c"}]}}`, "a container names no image", ""},
		"an imageID without digest":   {`{"kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"c","image":"b:1.0"}]},"status":{"containerStatuses":[{"name":"c","imageID":"sha512:00"}]}}`, `imageID "sha512:00" ends in no SHA-256 digest`, "image:b:1.0 | stopped | pods.json, Pod/a"},
		"an image ID of Docker":       {`{"kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"c","image":"b:1.0"}]},"status":{"containerStatuses":[{"name":"c","imageID":"docker://` + kubeDigest("e") + `"}]}}`, "", "image:b:1.0 | stopped | pods.json, Pod/a"},
		"an image ID of CRI-O":        {`{"kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"c","image":"b:1.0"}]},"status":{"containerStatuses":[{"name":"c","imageID":"` + strings.Repeat("e", 64) + `"}]}}`, "", "image:b:1.0 | stopped | pods.json, Pod/a"},
		"a kind that nobody asked":    {`{"kind":"Secret","metadata":{"name":"a"},"data":{"x":"eA=="},"spec":7}`, "", ""},
		"the same pod again":          {good, "", ""},
		"a replicaset with its owner": {`{"kind":"ReplicaSet","metadata":{"name":"x-1","namespace":"a","ownerReferences":[{"kind":"Rollout","name":"x"}]}},{"kind":"Pod","metadata":{"name":"x-1-a","namespace":"a","ownerReferences":[{"kind":"ReplicaSet","name":"x-1","controller":true}]},"spec":{"containers":[{"name":"c","image":"b:1.0"}]}}`, "", "image:b:1.0 | declared | pods.json, namespace a, Rollout/x"},
		"a node that is not ready":    {`{"kind":"Node","metadata":{"name":"n"},"status":{"conditions":[{"type":"Ready","status":"Unknown"}],"nodeInfo":{"osImage":"Talos (v1.7.0)"}}}`, "node n is not ready", "host:n | declared | pods.json, node n | n"},
	} {
		dir := write(t, map[string]string{"pods.json": `{"kind":"List","items":[` + c.item + "," + good + "]}"})
		r := kubeInventory(t, "pods: pods.json", dir, source.Network{})
		lines := kubeLines(r.inv)
		if r.err != nil || !contains(lines, "image:"+kubeDigest("a")+" | running | pods.json, namespace a, Pod/good | n | 1") {
			t.Errorf("%s: error %v, sightings %q, want the good pod", name, r.err, lines)
		}
		if c.want == "" && len(r.inv.Failures) > 0 || c.want != "" && !contains(reasons(r.inv), c.want) {
			t.Errorf("%s: failures %q, want %q", name, reasons(r.inv), c.want)
		}
		if c.line != "" && !slices.Contains(lines, c.line) {
			t.Errorf("%s: sightings %q, want %q", name, lines, c.line)
		}
	}
}

func TestTheSystemOfANodeIsReadFromItsPrettyName(t *testing.T) {
	for pretty, want := range map[string]string{
		"Ubuntu 24.04.1 LTS": "ubuntu 24.04", "Debian GNU/Linux 12 (bookworm)": "debian 12", "Flatcar Container Linux by Kinvolk 3815.2.0 (Oklo)": "flatcar 3815.2.0",
		"Alpine Linux v3.20": "alpine 3.20", "openSUSE Leap 15.6": "opensuse-leap 15.6", "Red Hat Enterprise Linux 9.4 (Plow)": "rhel 9.4", "Talos (v1.7.0)": "talos 1.7.0",
		"Debian GNU/Linux trixie/sid": "Debian GNU/Linux trixie/sid", "SUSE Linux Micro 6.0": "SUSE Linux Micro 6.0", "": "",
	} {
		dir := write(t, map[string]string{"n.json": fmt.Sprintf(`{"kind":"NodeList","items":[{"metadata":{"name":"n"},"status":{"nodeInfo":{"osImage":%q}}}]}`, pretty)})
		r := kubeInventory(t, "pods: n.json", dir, source.Network{})
		if r.err != nil || len(r.inv.Artifacts) != 1 || r.inv.Artifacts[0].Platform != want {
			t.Errorf("%q: error %v, artifacts %+v, want platform %q", pretty, r.err, r.inv.Artifacts, want)
		}
	}
}

func TestAnEntryForKubernetesThatIsWrongNamesPlaceAndRemedy(t *testing.T) {
	for in, want := range map[string]string{
		"{kubeconfig: a, pods: b}":                         "line 1, column 35: kubernetes has both kubeconfig and pods; write two entries",
		"{cluster: a}":                                     "kubernetes needs one of the keys kubeconfig, pods",
		"{pods: a, contexts: [b]}":                         "contexts of kubernetes does not go with pods",
		"{pods: a, exec: true}":                            "exec of kubernetes does not go with pods",
		"{kubeconfig: a, nodes: b}":                        "nodes of kubernetes does not go with kubeconfig",
		"{kubeconfig: a, contexts: [b, c], cluster: d}":    "cluster names one cluster, contexts has 2; write one entry for each",
		"{kubeconfig: a, contexts: [b, b]}":                `contexts names "b" twice`,
		"{kubeconfig: a, cluster: 'b c'}":                  `cluster "b c" is not letters`,
		"{kubeconfig: a, namespaces: ['../x']}":            `namespace "../x" is not letters`,
		"{kubeconfig: a, exclude: ['a[']}":                 `pattern "a[" cannot be read; write e.g. customer-*`,
		"{kubeconfig: a, selector: 'a in (b)'}":            `selector "a in (b)" is neither a label nor label=value`,
		"{kubeconfig: a, selector: 'a==b'}":                `selector "a==b" is neither a label nor label=value`,
		"{kubeconfig: a, timeout: 1h}":                     `timeout "1h" is no time of at most 10m0s, e.g. 30s`,
		"{kubeconfig: a, proxy: 'http://u:canary@p:3128'}": "proxy is no address such as http://proxy.example.org:3128 without credentials",
		"{kubeconfig: a, proxy: 'ftp://p'}":                "proxy is no address",
		"{kubeconfig: a, exec: perhaps}":                   "exec of kubernetes must be true or false",
	} {
		_, err := decode(t, "kubernetes: "+in, ".", source.Options{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: error %v\nwant one with %s", in, err, want)
		}
	}
}

func TestAPlanNamesTheServersOfAKubeconfigAndTheRightsThatAreNeeded(t *testing.T) {
	dir := sourcetest.Kubeconfig(t, sourcetest.KubeContext{Name: "a", Server: "https://u:canary@192.0.2.1:6443/k8s", User: `exec: {apiVersion: client.authentication.k8s.io/v1, command: /opt/login, interactiveMode: Never}`},
		sourcetest.KubeContext{Name: "b", Server: "https://192.0.2.2", Token: sourcetest.ClusterToken})
	s, err := decode(t, "kubernetes: {kubeconfig: kubeconfig, contexts: [a, b], exec: true, ca: ca.pem}", dir, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range s.Contacts() {
		got = append(got, c.Host+" "+c.Address+" "+strings.SplitN(c.Right, ",", 2)[0])
	}
	want := []string{"local kubeconfig read", "local ca.pem read", "local login run", "192.0.2.1 https://192.0.2.1:6443/k8s list on pods", "192.0.2.2 https://192.0.2.2 list on pods"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s, err = decode(t, "kubernetes: {pods: [a, b], nodes: c, objects: d}", dir, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if c := s.Contacts(); len(c) != 4 || s.Name() != "kubernetes a" {
		t.Errorf("name %q, contacts %+v, want one for each file", s.Name(), c)
	}
}

// FuzzKubernetesFile checks that whatever a file holds: each artifact has a sighting, IDs are unique, and the order of the
// items does not matter. What is kept reads back as the same inventory.
func FuzzKubernetesFile(f *testing.F) {
	f.Add(kubeFile(f, "/api/v1/nodes"))
	f.Add(kubeFile(f, append([]string{"/api/v1/pods"}, kubeObjects()...)...))
	for _, a := range sourcetest.Recorded(f) {
		f.Add([]byte(a.Body))
	}
	f.Add([]byte(`{"kind":"List","items":[{"kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"image":"b"},{"image":"b"}]}},null]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := write(t, map[string]string{"f.json": string(data)})
		first := kubeInventory(t, "pods: f.json", dir, source.Network{})
		if first.err != nil {
			return
		}
		ids := map[string]bool{}
		for _, a := range first.inv.Artifacts {
			if len(a.Sightings) == 0 || ids[a.ID] {
				t.Errorf("artifact %q: %d sightings, seen before: %v", a.ID, len(a.Sightings), ids[a.ID])
			}
			ids[a.ID] = true
		}
		var list struct {
			Items []json.RawMessage `json:"items"`
		}
		kept := first.kept["f.json"].Data
		if err := json.Unmarshal(kept, &list); err != nil {
			t.Fatalf("what is kept is no list: %v", err)
		}
		slices.Reverse(list.Items)
		turned, err := json.Marshal(map[string]any{"kind": "List", "items": list.Items})
		if err != nil {
			t.Fatal(err)
		}
		dir = write(t, map[string]string{"f.json": string(turned)})
		second := kubeInventory(t, "pods: f.json", dir, source.Network{})
		if second.err != nil {
			t.Fatalf("what is kept cannot be read: %v", second.err)
		}
		if diff := cmp.Diff(kubeLines(first.inv), kubeLines(second.inv)); diff != "" {
			t.Errorf("what is kept says something else (-first +second):\n%s", diff)
		}
	})
}
