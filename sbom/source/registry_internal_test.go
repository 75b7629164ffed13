package source

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/pegel-audit/pegel/audit"
)

// impatient is a client that waits for a moment only.
func impatient(t *testing.T, handler http.HandlerFunc) *registryClient {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	opt := Options{TempDir: t.TempDir(), Network: Network{Dial: new(net.Dialer).DialContext}}
	return newRegistryClient(strings.TrimPrefix(s.URL, "http://"), true, opt,
		registryPatience{document: 50 * time.Millisecond, silence: 50 * time.Millisecond, retry: time.Second})
}

func TestARegistryThatHangsIsGivenUp(t *testing.T) {
	for name, hangs := range map[string]string{"at the login": "/v2/", "at the manifest": "/manifests/"} {
		t.Run(name, func(t *testing.T) {
			c := impatient(t, func(w http.ResponseWriter, req *http.Request) {
				if strings.HasSuffix(req.URL.Path, hangs) || strings.Contains(req.URL.Path, hangs) && hangs != "/v2/" {
					<-req.Context().Done()
				}
			})
			_, err := c.resolve(t.Context(), "a/box", "1", v1.Platform{OS: "linux", Architecture: "amd64"})
			if err == nil || err.Error() != "it gave no answer within 50ms" {
				t.Errorf("error = %v, want that it gave no answer", err)
			}
		})
	}
}

func TestALayerThatStopsComingIsGivenUp(t *testing.T) {
	c := impatient(t, func(w http.ResponseWriter, req *http.Request) {
		if strings.Contains(req.URL.Path, "/blobs/") {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "some")
			w.(http.Flusher).Flush()
			<-req.Context().Done()
		}
	})
	s := newBlobStore(c.opt.TempDir)
	dir, err := s.enter()
	if err != nil {
		t.Fatal(err)
	}
	defer s.leave(dir)
	d := v1.Descriptor{Size: 100, Digest: v1.Hash{Algorithm: "sha256", Hex: audit.DigestOf(nil).Hex()}}
	if err := s.blob(t.Context(), c, "a/box", d, dir); err == nil || !strings.Contains(err.Error(), "it sent nothing for 50ms") {
		t.Errorf("error = %v, want that it sent nothing", err)
	}
}

// The law: credentials come from the entry of that registry alone, and the note holds none of the file's secrets.
func FuzzDockerConfig(f *testing.F) {
	f.Add(`{"auths": {"https://index.docker.io/v1/": {"auth": "dXNlcjpzZWNyZXQtY2FuYXJ5"}, "registry.example": {"identitytoken": "secret-canary"}}}`, "registry.example")
	f.Add(`{"credHelpers": {"registry.example": "pass"}, "credsStore": "x"}`, "index.docker.io")
	f.Add(`{"auths": {"a": {"username": "u", "password": "secret-canary", "auth": "???"}}}`, "a")
	f.Fuzz(func(t *testing.T, text, host string) {
		login, note := dockerLogin([]byte(text), host, "a/box")
		if strings.Contains(note, "secret-canary") && !strings.Contains(text, "docker-credential") && !namesCanary(text, host) {
			t.Fatalf("the note %q shows a secret", note)
		}
		if login == authn.Anonymous {
			return
		}
		var config dockerConfig
		if err := json.Unmarshal([]byte(text), &config); err != nil {
			t.Fatalf("credentials from a file that cannot be read: %v", err)
		}
		for spelled := range config.Auths {
			for _, key := range registryKeys(host, "a/box") {
				if registryKey(spelled) == key {
					return
				}
			}
		}
		t.Fatalf("credentials for %q from a file that does not name it", host)
	})
}

// namesCanary reports whether the word is the name of a registry or of a helper, which may be shown.
func namesCanary(text, host string) bool {
	var config dockerConfig
	if json.Unmarshal([]byte(text), &config) != nil {
		return false
	}
	names := config.CredsStore + host
	for key, helper := range config.CredHelpers {
		names += key + helper
	}
	for key := range config.Auths {
		names += key
	}
	return strings.Contains(names, "secret-canary")
}
