package sourcetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	_ "embed" // recorded.json
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Answer is one answer of a real kube-apiserver, recorded by e2e (go test ./... -args -record). Account says who asked:
// pegel, nobody (an account without rights), or stranger (no account).
type Answer struct {
	Account, Path, From string
	Status              int
	Body                json.RawMessage
}

//go:embed recorded.json
var recorded []byte

// Recorded returns the recorded answers.
func Recorded(t testing.TB) []Answer {
	t.Helper()
	var out []Answer
	if err := json.Unmarshal(recorded, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// ClusterToken is the token of the account pegel; nobody and stranger have their own.
const ClusterToken = "canary-token-pegel"

// Replay is a server that answers what was recorded. If Fault handles a request, that is the answer.
type Replay struct {
	Answers []Answer
	Fault   func(w http.ResponseWriter, r *http.Request) bool
	mu      sync.Mutex
	asked   []string
}

// Asked returns method and path of each request so far.
func (k *Replay) Asked() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]string(nil), k.asked...)
}

// ServeHTTP answers one request.
func (k *Replay) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	k.asked = append(k.asked, r.Method+" "+r.URL.Path)
	k.mu.Unlock()
	if k.Fault != nil && k.Fault(w, r) {
		return
	}
	account := map[string]string{"Bearer " + ClusterToken: "pegel", "Bearer nobody": "nobody"}[r.Header.Get("Authorization")]
	if account == "" {
		k.Find("stranger", "/api/v1/pods", "").Send(w)
		return
	}
	k.Find(account, r.URL.Path, r.URL.Query().Get("continue")).Send(w)
}

// Find returns what an account was answered; 404 if it never asked.
func (k *Replay) Find(account, path, from string) Answer {
	for _, a := range k.Answers {
		if a.Account == account && a.Path == path && a.From == from {
			return a
		}
	}
	return Answer{Status: http.StatusNotFound, Body: json.RawMessage(`{"kind":"Status","code":404}`)}
}

// Send answers a request.
func (a Answer) Send(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // a client that went away is part of the tests
}

// CA is a certificate authority of a test.
type CA struct {
	Cert *x509.Certificate
	PEM  []byte
	key  *ecdsa.PrivateKey
}

// NewCA makes an authority that is good for a day.
func NewCA(t testing.TB) CA {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return CA{key: key, Cert: cert, PEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// Serve starts an HTTPS server on loopback with a certificate of the authority; it ends with the test.
func (ca CA) Serve(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "kube-apiserver"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"kubernetes.example.org"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, form, ca.Cert, &key.PublicKey, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that refuse the certificate are part of the tests
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// KubeContext is one context of a kubeconfig.
type KubeContext struct {
	Name, Server, Token string
	Cluster, User       string // further keys in YAML flow form
	CA                  []byte
}

// Kubeconfig writes a file named kubeconfig and returns its folder; the first context is the current one.
func Kubeconfig(t testing.TB, targets ...KubeContext) string {
	t.Helper()
	var contexts, clusters, users []string
	for _, k := range targets {
		contexts = append(contexts, fmt.Sprintf("{name: %q, context: {cluster: %q, user: %q}}", k.Name, k.Name, k.Name))
		cluster := fmt.Sprintf("server: %q", k.Server)
		if k.CA != nil {
			cluster += ", certificate-authority-data: " + base64.StdEncoding.EncodeToString(k.CA)
		}
		clusters = append(clusters, fmt.Sprintf("{name: %q, cluster: {%s%s}}", k.Name, cluster, k.Cluster))
		user := k.User
		if user == "" {
			user = fmt.Sprintf("token: %q", k.Token)
		}
		users = append(users, fmt.Sprintf("{name: %q, user: {%s}}", k.Name, user))
	}
	dir := t.TempDir()
	text := fmt.Sprintf("{apiVersion: v1, kind: Config, current-context: %q, contexts: [%s],\n clusters: [%s],\n users: [%s]}\n",
		targets[0].Name, strings.Join(contexts, ", "), strings.Join(clusters, ", "), strings.Join(users, ", "))
	if err := os.WriteFile(filepath.Join(dir, "kubeconfig"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
