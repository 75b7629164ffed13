package e2e_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// adminToken is the static token of the cluster's owner in these tests.
const adminToken = "e2e-admin-token"

// cluster is a real kube-apiserver with a real etcd on loopback. No controller, scheduler or kubelet runs beside it.
type cluster struct {
	url, etcd string
	ca        []byte
	client    *http.Client
}

// startCluster builds kube-apiserver and starts it; both processes end with the test.
func startCluster(t *testing.T) *cluster {
	t.Helper()
	etcd, err := exec.LookPath("etcd")
	if err != nil {
		missing(t, "etcd is not installed: apt-get install etcd-server")
	}
	dir := t.TempDir()
	server := buildServer(t, dir)
	key, tokens := filepath.Join(dir, "sa.key"), filepath.Join(dir, "tokens.csv")
	writeKey(t, key)
	if err := os.WriteFile(tokens, []byte(adminToken+`,admin,admin,"system:masters"`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	clients, peers, port := freePort(t), freePort(t), freePort(t)
	c := &cluster{url: "https://127.0.0.1:" + port, etcd: "http://127.0.0.1:" + clients}
	run(t, etcd, "--data-dir", filepath.Join(dir, "etcd"), "--listen-client-urls", c.etcd, "--advertise-client-urls", c.etcd,
		"--listen-peer-urls", "http://127.0.0.1:"+peers, "--unsafe-no-fsync")
	// Without watch cache, lists come from etcd, so that compaction makes continue tokens expire as on a busy cluster.
	run(t, server, "--etcd-servers", c.etcd, "--secure-port", port, "--bind-address", "127.0.0.1", "--cert-dir", filepath.Join(dir, "certs"),
		"--authorization-mode", "RBAC", "--service-account-issuer", "https://kubernetes.default.svc", "--service-account-signing-key-file", key,
		"--service-account-key-file", key, "--token-auth-file", tokens, "--service-cluster-ip-range", "10.0.0.0/24",
		"--disable-admission-plugins", "ServiceAccount", "--endpoint-reconciler-type", "none", "--watch-cache=false")
	c.trust(t, filepath.Join(dir, "certs", "apiserver.crt"))
	c.awaitReady(t)
	return c
}

// missing ends a test whose tool is not there; under CI that is a failure.
func missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func buildServer(t *testing.T, dir string) string {
	t.Helper()
	out := filepath.Join(dir, "kube-apiserver")
	cmd := exec.Command("go", "build", "-ldflags", "-s -w", "-o", out, "k8s.io/kubernetes/cmd/kube-apiserver")
	cmd.Dir = "kube-apiserver"
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building kube-apiserver: %v\n%s", err, text)
	}
	return out
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	var log bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			lines := strings.Split(log.String(), "\n")
			t.Logf("%s:\n%s", filepath.Base(name), strings.Join(lines[max(0, len(lines)-20):], "\n"))
		}
	})
}

func writeKey(t *testing.T, path string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	data := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// await calls try until it says that it is done.
func await(t *testing.T, what string, try func() bool) {
	t.Helper()
	for range 600 {
		if try() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s did not come within a minute", what)
}

func (c *cluster) trust(t *testing.T, certificate string) {
	t.Helper()
	await(t, "the certificate of kube-apiserver", func() bool {
		data, err := os.ReadFile(certificate)
		c.ca = data
		return err == nil && bytes.Contains(data, []byte("END CERTIFICATE"))
	})
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(c.ca)
	c.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
}

func (c *cluster) awaitReady(t *testing.T) {
	t.Helper()
	await(t, "kube-apiserver", func() bool {
		status, _ := c.ask(t, http.MethodGet, "/readyz", adminToken, nil)
		return status == http.StatusOK
	})
	await(t, "the default namespace", func() bool {
		status, _ := c.ask(t, http.MethodGet, "/api/v1/namespaces/kube-system", adminToken, nil)
		return status == http.StatusOK
	})
}

// ask sends one request; status 0 is a server that is not there yet.
func (c *cluster) ask(t *testing.T, method, path, token string, body any) (int, []byte) {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	if body == nil {
		data = nil
	}
	req, err := http.NewRequestWithContext(t.Context(), method, c.url+path, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.client.Do(req)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, text
}

// do sends a request of the admin that must succeed.
func (c *cluster) do(t *testing.T, method, path string, body any) []byte {
	t.Helper()
	status, text := c.ask(t, method, path, adminToken, body)
	if status < 200 || status > 299 {
		t.Fatalf("%s %s: %d\n%s", method, path, status, text)
	}
	return text
}

// create posts an object; its status, if it has one, is put by a second request, as kubelets and controllers do.
func (c *cluster) create(t *testing.T, path string, body map[string]any) {
	t.Helper()
	var made map[string]any
	if err := json.Unmarshal(c.do(t, http.MethodPost, path, body), &made); err != nil {
		t.Fatal(err)
	}
	if body["status"] == nil {
		return
	}
	made["status"] = body["status"]
	name := made["metadata"].(map[string]any)["name"].(string)
	c.do(t, http.MethodPut, path+"/"+name+"/status", made)
}

// apply posts the documents of a YAML file.
func (c *cluster) apply(t *testing.T, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{"Namespace": "/api/v1/namespaces", "ServiceAccount": "/api/v1/namespaces/pegel/serviceaccounts",
		"ClusterRole":        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
		"ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"}
	for _, doc := range strings.Split(string(data), "\n---\n") {
		var o map[string]any
		if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
			t.Fatal(err)
		}
		c.create(t, paths[o["kind"].(string)], o)
	}
}

// token makes a token of a service account, as kubectl create token does.
func (c *cluster) token(t *testing.T, namespace, account string) string {
	t.Helper()
	answer := c.do(t, http.MethodPost, fmt.Sprintf("/api/v1/namespaces/%s/serviceaccounts/%s/token", namespace, account),
		map[string]any{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": map[string]any{"expirationSeconds": 600}})
	var request struct {
		Status struct {
			Token string `json:"token"`
		} `json:"status"`
	}
	if err := json.Unmarshal(answer, &request); err != nil || request.Status.Token == "" {
		t.Fatalf("token: %v", err)
	}
	return request.Status.Token
}

// compact makes etcd forget all that is older than now.
func (c *cluster) compact(t *testing.T) {
	t.Helper()
	post := func(path string, body string) []byte {
		resp, err := http.Post(c.etcd+path, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %v\n%s", path, resp.StatusCode, err, text)
		}
		return text
	}
	var answer struct {
		Header struct {
			Revision string `json:"revision"`
		} `json:"header"`
	}
	if err := json.Unmarshal(post("/v3/kv/range", `{"key":"AA==","limit":1}`), &answer); err != nil {
		t.Fatal(err)
	}
	post("/v3/kv/compaction", `{"revision":"`+answer.Header.Revision+`","physical":true}`)
}
