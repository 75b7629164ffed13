package e2e_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
)

var record = flag.Bool("record", false, "write what kube-apiserver answers to sbom/source/sourcetest/recorded.json")

func decodeObject(t *testing.T, data []byte) object {
	t.Helper()
	var o object
	if err := json.Unmarshal(data, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// inventory reads the cluster with Pegel's own source and a token. It also returns all that would be kept as evidence.
func (c *cluster) inventory(t *testing.T, token, more string) (sbom.Inventory, []byte, error) {
	t.Helper()
	dir := t.TempDir()
	config := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: e2e, contexts: [{name: e2e, context: {cluster: c, user: u}}],
clusters: [{name: c, cluster: {server: %q, certificate-authority-data: %s}}], users: [{name: u, user: {token: %q}}]}`,
		c.url, base64.StdEncoding.EncodeToString(c.ca), token)
	if err := os.WriteFile(filepath.Join(dir, "kubeconfig"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var kept bytes.Buffer
	opt := source.Options{At: time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC), Network: source.Network{Dial: new(net.Dialer).DialContext},
		Keep: func(_ context.Context, b audit.Blob) (audit.Digest, error) {
			kept.Write(b.Data)
			return audit.DigestOf(b.Data), nil
		}}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte("kubernetes: {kubeconfig: kubeconfig"+more+"}"), &doc); err != nil {
		t.Fatal(err)
	}
	s, err := source.Decode(&doc, dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	inv, err := s.Inventory(t.Context())
	return inv, kept.Bytes(), err
}

func TestTheDocumentedRoleSufficesForEverythingThatARealClusterTells(t *testing.T) {
	c := startCluster(t)
	c.populate(t)
	c.apply(t, "../docs/rights/kubernetes.yaml")
	c.create(t, "/api/v1/namespaces/nobody/serviceaccounts", object{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta("nobody", "nobody", nil)})
	// The role has to suffice by itself, also where the rights that every account has were taken away.
	for _, name := range []string{"system:discovery", "system:basic-user", "system:public-info-viewer"} {
		c.do(t, http.MethodDelete, "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/"+name, nil)
	}
	token := c.token(t, "pegel", "pegel")
	inv, kept, err := c.inventory(t, token, ", exclude: [customer-*], selector: tenant")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range inv.Failures {
		t.Errorf("failure: %s", f.Reason)
	}
	text, err := json.Marshal(inv)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{secret, token, "customer-a", "shop", "tenant-db", "postgres"} {
		if bytes.Contains(text, []byte(word)) || bytes.Contains(kept, []byte(word)) {
			t.Errorf("%.12q is in the inventory or in the evidence", word)
		}
	}
	for _, want := range []string{"image:" + digestOf("1"), "image:" + digestOf("2"), "image:" + digestOf("3"), "image:docker.io/library/busybox:1.37.0",
		"image:" + digestOf("5"), "image:quay.io/prometheus/prometheus:v3.0.1", "host:node-1", "host:node-2", "software:kubelet@v1.33.1", "software:containerd@1.7.24",
		"software:linux@6.8.0-51-generic", "software:kubernetes@v1.32.5", "software:kubernetes@v1.32.4", "software:cluster-stack/openstack-scs-1-32@v1"} {
		if !slices.ContainsFunc(inv.Artifacts, func(a sbom.Artifact) bool { return a.ID == want }) {
			t.Errorf("%s is missing", want)
		}
	}
	if t.Failed() {
		t.Logf("%s", text)
	}
	t.Run("nothing beyond the role is allowed", func(t *testing.T) {
		for _, path := range []string{"/api/v1/secrets", "/api/v1/configmaps", "/api/v1/namespaces", "/api/v1/namespaces/kube-system/pods/cilium-node-1",
			"/api/v1/namespaces/kube-system/pods/cilium-node-1/log", "/apis/apps/v1/deployments"} {
			if status, _ := c.ask(t, http.MethodGet, path, token, nil); status != http.StatusForbidden {
				t.Errorf("%s: %d, want 403", path, status)
			}
		}
	})
	t.Run("an account without rights gives an error that names the role", func(t *testing.T) {
		_, _, err := c.inventory(t, c.token(t, "nobody", "nobody"), "")
		if err == nil || !strings.Contains(err.Error(), "403 Forbidden") || !strings.Contains(err.Error(), "docs/rights/kubernetes.yaml") {
			t.Errorf("error %v", err)
		}
	})
	if *record {
		c.record(t, token, c.token(t, "nobody", "nobody"))
	}
}

// answer is one recorded answer. Account says who asked: pegel, nobody (an account without rights), or stranger (no account).
type answer struct {
	Account string          `json:"account"`
	Path    string          `json:"path"`
	From    string          `json:"from,omitempty"` // continue token of the request
	Status  int             `json:"status"`
	Body    json.RawMessage `json:"body"`
}

// record writes what the server answers to what Pegel asks, in pages of two objects.
func (c *cluster) record(t *testing.T, pegel, nobody string) {
	t.Helper()
	paths := []string{"/api/v1/pods", "/api/v1/nodes", "/apis/apps/v1/replicasets", "/apis/batch/v1/jobs", "/api/v1/namespaces/kube-system/pods",
		"/apis/apps/v1/namespaces/kube-system/replicasets", "/apis/batch/v1/namespaces/kube-system/jobs",
		"/apis/cluster.x-k8s.io", "/apis/controlplane.cluster.x-k8s.io", "/apis/clusterstack.x-k8s.io",
		"/apis/cluster.x-k8s.io/v1beta2/clusters", "/apis/cluster.x-k8s.io/v1beta2/machinedeployments", "/apis/controlplane.cluster.x-k8s.io/v1beta2/kubeadmcontrolplanes",
		"/apis/clusterstack.x-k8s.io/v1alpha1/clusterstacks", "/apis/clusterstack.x-k8s.io/v1alpha1/clusterstackreleases",
		"/apis/cluster.x-k8s.io/v1beta2/namespaces/kube-system/clusters", "/apis/cluster.x-k8s.io/v1beta2/namespaces/kube-system/machinedeployments",
		"/apis/controlplane.cluster.x-k8s.io/v1beta2/namespaces/kube-system/kubeadmcontrolplanes",
		"/apis/clusterstack.x-k8s.io/v1alpha1/namespaces/kube-system/clusterstacks", "/apis/clusterstack.x-k8s.io/v1alpha1/namespaces/kube-system/clusterstackreleases"}
	var out []answer
	for _, path := range paths {
		out = append(out, c.pages(t, path, pegel)...)
		out = append(out, c.page(t, "nobody", path, "", nobody))
	}
	out = append(out, c.page(t, "stranger", "/api/v1/pods", "", "no-such-token"))
	first := c.page(t, "pegel", "/api/v1/pods", "", pegel)
	// Something has to happen, then be forgotten: the token of the first page is too old now.
	c.create(t, "/api/v1/namespaces", object{"apiVersion": "v1", "kind": "Namespace", "metadata": meta("later", "", nil)})
	c.compact(t)
	gone := c.page(t, "pegel", "/api/v1/pods", next(t, first.Body), pegel)
	gone.Account, gone.From = "late", "any"
	if gone.Status != http.StatusGone {
		t.Fatalf("after compaction the server answers %d, want 410\n%s", gone.Status, gone.Body)
	}
	out = append(out, gone)
	for _, path := range []string{"cluster.x-k8s.io", "controlplane.cluster.x-k8s.io", "clusterstack.x-k8s.io"} {
		for _, kind := range map[string][]string{"cluster.x-k8s.io": {"clusters", "machinedeployments"}, "controlplane.cluster.x-k8s.io": {"kubeadmcontrolplanes"},
			"clusterstack.x-k8s.io": {"clusterstacks", "clusterstackreleases"}}[path] {
			c.do(t, http.MethodDelete, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"+kind+"."+path, nil)
		}
		await(t, "the end of "+path, func() bool {
			a := c.page(t, "plain", "/apis/"+path, "", pegel)
			if a.Status == http.StatusNotFound {
				out = append(out, a)
			}
			return a.Status == http.StatusNotFound
		})
	}
	var file bytes.Buffer
	file.WriteString("[\n")
	for i, a := range out {
		data, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		file.Write(data)
		if i < len(out)-1 {
			file.WriteByte(',')
		}
		file.WriteByte('\n')
	}
	file.WriteString("]\n")
	if err := os.WriteFile("../sbom/source/sourcetest/recorded.json", file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (c *cluster) pages(t *testing.T, path, token string) []answer {
	t.Helper()
	var out []answer
	from := ""
	for {
		a := c.page(t, "pegel", path, from, token)
		out = append(out, a)
		if from = next(t, a.Body); from == "" {
			return out
		}
	}
}

func (c *cluster) page(t *testing.T, account, path, from, token string) answer {
	t.Helper()
	query := url.Values{"limit": {"2"}}
	if from != "" {
		query.Set("continue", from)
	}
	status, body := c.ask(t, http.MethodGet, path+"?"+query.Encode(), token, nil)
	if !json.Valid(body) {
		body, _ = json.Marshal(string(body)) // plain text, e.g. of 404 on a path that is not there
	}
	return answer{Account: account, Path: path, From: from, Status: status, Body: body}
}

func next(t *testing.T, body []byte) string {
	t.Helper()
	var list struct {
		Metadata struct {
			Continue string `json:"continue"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return ""
	}
	return list.Metadata.Continue
}
