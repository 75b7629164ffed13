package pipeline

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestTheTokenOfAnAppIsNotOnDisk asks as a GitHub App through the transport that keeps answers.
func TestTheTokenOfAnAppIsNotOnDisk(t *testing.T) {
	const token = "ghs_canary"
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "app.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}), 0o600); err != nil {
		t.Fatal(err)
	}
	var handed, used atomic.Int32
	server := roundTrip(func(r *http.Request) (*http.Response, error) {
		status, body := http.StatusNotFound, `{"message":"Not Found"}`
		switch {
		case strings.HasSuffix(r.URL.Path, "/access_tokens"):
			handed.Add(1)
			status, body = http.StatusCreated, `{"token":"`+token+`","expires_at":"2026-08-22T02:00:00Z"}`
		case strings.HasSuffix(r.URL.Path, "/app/installations"):
			status, body = http.StatusOK, `[{"id":42}]`
		case strings.Contains(r.Header.Get("Authorization"), token):
			used.Add(1)
		}
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	})
	env := map[string]string{"PEGEL_GITHUB_APP_ID": "Iv1.example", "PEGEL_GITHUB_APP_KEY_FILE": file}
	opt := collectOptions(t)
	opt.Offline, opt.Getenv = false, func(k string) string { return env[k] }
	var kept []byte
	g := &gatherer{opt: opt, at: judged, client: &http.Client{Transport: server}, keep: func(_ context.Context, b audit.Blob) (audit.Digest, error) {
		kept = append(kept, b.Data...)
		return audit.DigestOf(b.Data), nil
	}}
	p := scoring.Project{ID: "x", Name: "x", Repo: "https://github.com/example/x"}
	c, err := forgeCollector(t.Context(), g, []scoring.Project{p})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Collect(t.Context(), p, scoring.Evidence{Project: "x", Repo: p.Repo}); err != nil {
		t.Fatal(err)
	}
	if handed.Load() == 0 || used.Load() == 0 {
		t.Fatalf("the token was handed out %d times and used %d times, so that nothing is tested", handed.Load(), used.Load())
	}
	files := 0
	err = filepath.WalkDir(opt.CacheDir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		data, err := os.ReadFile(name)
		if strings.Contains(string(data), "canary") || strings.Contains(string(data), "expires_at") {
			t.Errorf("%s holds the answer with the token", filepath.Base(name))
		}
		return err
	})
	if err != nil || files < 2 || strings.Contains(string(kept), "expires_at") || strings.Contains(string(kept), "canary") {
		t.Errorf("%d files in the cache, %v; kept: %s", files, err, kept)
	}
}
