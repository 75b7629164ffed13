package source_test

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
)

// testRegistry is a registry in this process. What front answers (true) does not reach the registry.
type testRegistry struct {
	host string

	mu       sync.Mutex
	requests []string
	front    func(http.ResponseWriter, *http.Request) bool
}

func startRegistry(t testing.TB, opts ...registry.Option) *testRegistry {
	t.Helper()
	r := &testRegistry{}
	back := registry.New(append(opts, registry.Logger(log.New(io.Discard, "", 0)))...)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		r.requests = append(r.requests, req.Method+" "+req.URL.Path)
		front := r.front
		r.mu.Unlock()
		if front == nil || !front(w, req) {
			back.ServeHTTP(w, req)
		}
	}))
	t.Cleanup(s.Close)
	r.host = strings.TrimPrefix(s.URL, "http://")
	return r
}

// answer sets what stands before the registry and forgets the requests so far.
func (r *testRegistry) answer(front func(http.ResponseWriter, *http.Request) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.front, r.requests = front, nil
}

func (r *testRegistry) count(part string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, request := range r.requests {
		if strings.Contains(request, part) {
			n++
		}
	}
	return n
}

func (r *testRegistry) reference(t testing.TB, path string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(r.host+"/"+path, name.Insecure)
	return must(t, ref, err)
}

func (r *testRegistry) push(t testing.TB, path string, img v1.Image) {
	t.Helper()
	if err := remote.Write(r.reference(t, path), img); err != nil {
		t.Fatal(err)
	}
}

func (r *testRegistry) pushIndex(t testing.TB, path string, index v1.ImageIndex) {
	t.Helper()
	if err := remote.WriteIndex(r.reference(t, path), index); err != nil {
		t.Fatal(err)
	}
}

// online are the options of a run that may reach this machine.
func online(t testing.TB) source.Options {
	t.Helper()
	return source.Options{At: assessedAt, TempDir: t.TempDir(), Network: source.Network{Dial: new(net.Dialer).DialContext}}
}

func inventory(t *testing.T, text string, opt source.Options) sbom.Inventory {
	t.Helper()
	s, err := decode(t, text, ".", opt)
	must(t, s, err)
	inv, err := s.Inventory(t.Context())
	return must(t, inv, err)
}

func digest(t testing.TB, d interface{ Digest() (v1.Hash, error) }) audit.Digest {
	t.Helper()
	h, err := d.Digest()
	return audit.Digest(must(t, h, err).String())
}

func config(t testing.TB, img v1.Image) audit.Digest {
	t.Helper()
	h, err := img.ConfigName()
	return audit.Digest(must(t, h, err).String())
}

func multi(images map[string]v1.Image) v1.ImageIndex {
	var list []mutate.IndexAddendum
	for _, platform := range []string{"linux/amd64", "linux/arm64/v8", "linux/arm/v6", "linux/arm/v7", "unknown/unknown"} {
		if img := images[platform]; img != nil {
			p, _ := v1.ParsePlatform(platform) // written three lines above
			list = append(list, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: p}})
		}
	}
	return mutate.IndexMediaType(mutate.AppendManifests(empty.Index, list...), types.OCIImageIndex)
}

func TestATagInARegistryIsResolvedToItsDigest(t *testing.T) {
	r := startRegistry(t)
	img := container(t, "layer", map[string]string{"name": "keystone", "maintainer": "A Person <a@example.org>"})
	r.push(t, "kolla/keystone:26.0.1.20250408", img)
	var kept []audit.Blob
	opt := online(t)
	opt.Keep = func(_ context.Context, b audit.Blob) (audit.Digest, error) {
		kept = append(kept, b)
		return audit.DigestOf(b.Data), nil
	}
	ref := r.host + "/kolla/keystone:26.0.1.20250408"
	for _, written := range []string{ref, "docker://" + ref} {
		kept = nil
		inv := inventory(t, "image: {ref: '"+written+"', insecure: true, tier: functional}", opt)
		origin := audit.Origin{Source: "image", URL: "http://" + r.host + "/v2/kolla/keystone/manifests/26.0.1.20250408", Digest: digest(t, img), At: assessedAt}
		want := sbom.Inventory{Schema: sbom.InventorySchema, Artifacts: []sbom.Artifact{{ID: "image:" + string(digest(t, img)), Kind: sbom.KindImage, Name: "keystone",
			Reference: ref, Version: "26.0.1", Digest: digest(t, img), Config: config(t, img), Platform: "linux/amd64", Labels: map[string]string{"name": "keystone"},
			TierHint: []string{"functional"}, HintRule: "stack file: tier of the source",
			Sightings: []sbom.Sighting{{Source: "image", Where: ref, State: sbom.StatePresent, Reference: ref, Digest: digest(t, img), Origin: origin}}}}}
		if diff := cmp.Diff(want, inv); diff != "" {
			t.Errorf("inventory (-want +got):\n%s", diff)
		}
		if len(kept) != 1 || kept[0].Source != origin.URL || kept[0].Origin != origin || audit.DigestOf(kept[0].Data) != digest(t, img) {
			t.Errorf("kept %+v, want the manifest with its address", kept)
		}
	}
}

func TestOfAnIndexInARegistryThePlatformAskedForIsTaken(t *testing.T) {
	r := startRegistry(t)
	images := map[string]v1.Image{"linux/amd64": container(t, "amd", nil), "linux/arm64/v8": container(t, "arm", nil), "linux/arm/v6": container(t, "six", nil),
		"linux/arm/v7": container(t, "seven", nil), "unknown/unknown": container(t, "attestation", nil)}
	index := multi(images)
	r.pushIndex(t, "a/multi:1.0.0", index)
	for asked, want := range map[string]string{"": "linux/amd64", "linux/arm64": "linux/arm64/v8", "linux/arm64/v8": "linux/arm64/v8", "linux/arm": "linux/arm/v6", "linux/arm/v7": "linux/arm/v7"} {
		t.Run(asked, func(t *testing.T) {
			entry := "image: {ref: '" + r.host + "/a/multi:1.0.0', insecure: true"
			if asked != "" {
				entry += ", platform: " + asked
			}
			inv := inventory(t, entry+"}", online(t))
			a := inv.Artifacts[0]
			if a.Digest != digest(t, images[want]) || !slices.Equal(a.Digests, []audit.Digest{digest(t, index)}) || a.Config != config(t, images[want]) {
				t.Errorf("artifact = %+v, failures %v, want %s of the index", a, reasons(inv), want)
			}
		})
	}
	inv := inventory(t, "image: {ref: '"+r.host+"/a/multi:1.0.0', insecure: true, platform: linux/riscv64}", online(t))
	if a := inv.Artifacts[0]; a.Digest != "" || !a.Sightings[0].Declared || !contains(reasons(inv), "offers no image for linux/riscv64, only linux/amd64, linux/arm/v6, linux/arm/v7, linux/arm64/v8") {
		t.Errorf("artifact %+v, failures %v, want a failure that lists the platforms", a, reasons(inv))
	}
	inv = inventory(t, "image: {ref: '"+r.host+"/a/multi@"+string(digest(t, index))+"', insecure: true}", online(t))
	if a := inv.Artifacts[0]; a.Digest != digest(t, images["linux/amd64"]) {
		t.Errorf("by the digest of the index: artifact %+v, failures %v", a, reasons(inv))
	}
}

func TestARegistryThatLiesAboutADigestIsNotBelieved(t *testing.T) {
	r := startRegistry(t)
	img, other := container(t, "true", nil), container(t, "false", nil)
	r.push(t, "a/box:1.0.0", img)
	r.push(t, "a/box:2.0.0", other)
	raw, err := other.RawManifest()
	must(t, raw, err)
	serve := func(header string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, req *http.Request) bool {
			if !strings.Contains(req.URL.Path, "/manifests/") {
				return false
			}
			w.Header().Set("Content-Type", string(types.OCIManifestSchema1))
			if header != "" {
				w.Header().Set("Docker-Content-Digest", header)
			}
			_, _ = w.Write(raw)
			return true
		}
	}
	for _, tt := range []struct{ name, ref, header, want string }{
		{"other contents for a digest", "@" + string(digest(t, img)), "", "contents of another digest than the one asked for, " + string(digest(t, img))},
		{"other contents for a digest with its header", "@" + string(digest(t, img)), string(digest(t, img)), "contents of another digest"},
		{"a header that is not the contents'", ":1.0.0", string(digest(t, img)), "the digest that it names for 1.0.0 is not that of the contents"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r.answer(serve(tt.header))
			ref := r.host + "/a/box" + tt.ref
			inv := inventory(t, "image: {ref: '"+ref+"', insecure: true}", online(t))
			a := inv.Artifacts[0]
			if a.ID != "image:"+ref || a.Digest != "" || a.Sightings[0].Digest != "" || !a.Sightings[0].Declared || !contains(reasons(inv), tt.want) || inv.Failures[0].Settle == "" {
				t.Errorf("artifact %+v, failures %+v\nwant the reference only, and %s", a, inv.Failures, tt.want)
			}
		})
	}
	r.answer(func(w http.ResponseWriter, req *http.Request) bool {
		if strings.Contains(req.URL.Path, "/blobs/") {
			_, _ = io.WriteString(w, `{"os": "linux"}`)
			return true
		}
		return false
	})
	inv := inventory(t, "image: {ref: '"+r.host+"/a/box:1.0.0', insecure: true}", online(t))
	if a := inv.Artifacts[0]; a.Digest != digest(t, img) || !contains(reasons(inv), "configuration of image "+string(digest(t, img))+": it has 15 bytes, the manifest says") {
		t.Errorf("artifact %+v, failures %v, want the image and a failure of its configuration", a, reasons(inv))
	}
}

func TestAFaultOfARegistryIsAFailureWithReasonAndRemedy(t *testing.T) {
	r := startRegistry(t)
	r.push(t, "a/box:1.0.0", container(t, "x", nil))
	helm := mutate.ConfigMediaType(container(t, "chart", nil), "application/vnd.cncf.helm.config.v1+json")
	r.push(t, "a/box:helm", helm)
	hijack := func(text string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				panic(err)
			}
			_, _ = io.WriteString(conn, text)
			_ = conn.Close()
		}
	}
	status := func(code int, header ...string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			for i := 0; i+1 < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
			_, _ = io.WriteString(w, `{"errors": [{"code": "DENIED", "message": "a text by the server"}]}`)
		}
	}
	body := func(mediaType, text string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", mediaType)
			_, _ = io.WriteString(w, text)
		}
	}
	tests := []struct {
		name   string
		answer func(http.ResponseWriter)
		want   string
		settle string
	}{
		{"no login", status(401), "it asks for a login (401)", "docker login"},
		{"no right", status(403), "it refuses access (403)", "that may pull a/box"},
		{"no image", status(404), "it has no such image (404)", "check name and tag"},
		{"a long pause", status(429, "Retry-After", "3600"), "asked too often (429) and wants a pause of 1h0m0s", "wait"},
		{"a long pause by date", status(429, "Retry-After", "Tue, 24 Nov 2026 07:00:00 GMT", "Date", "Tue, 24 Nov 2026 06:00:00 GMT"), "wants a pause of 1h0m0s", "wait"},
		{"an error of its own", status(500), "it has an error of its own (500)", "run again"},
		{"another status", status(418), "it answers with status 418", "address"},
		{"a redirect without end", status(302, "Location", "/v2/a/box/manifests/again"), "it redirects more than 5 times", ""},
		{"an answer cut off", hijack("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"), "closed the connection in the middle", "run again"},
		{"a closed connection", hijack(""), "closed the connection in the middle", "run again"},
		{"no HTTP", hijack("SSH-2.0-OpenSSH_9.9\r\n"), "its answer is not that of a registry", "address"},
		{"a login page", body("text/html", "<html><form>"), "its answer is no manifest but text/html", "address"},
		{"nothing", body("application/json", ""), "its answer is no manifest but application/json", "address"},
		{"half a manifest", body(string(types.OCIManifestSchema1), `{"schemaVersion": 2,`), "its manifest cannot be read: it is no JSON at byte 20", ""},
		{"a wrong field", body(string(types.OCIManifestSchema1), `{"schemaVersion": 2, "config": {"digest": "md5:x"}}`), "a field of it has another form", ""},
		{"an index of another form", body(string(types.OCIImageIndex), `{"manifests": [{"digest": 3}]}`), "a field of it has another form", ""},
		{"image and index at once", body(string(types.OCIImageIndex), `{"manifests": [], "layers": []}`), "image and index at once", "ask"},
		{"an empty index", body(string(types.OCIImageIndex), `{"manifests": []}`), "offers no image for linux/amd64, only nothing", "platform"},
		{"the old form", body(string(types.DockerManifestSchema1Signed), `{}`), "schema 1", "push the image again"},
		{"a manifest without end", func(w http.ResponseWriter) {
			spaces := []byte(strings.Repeat(" ", 1<<20))
			for range 8 {
				_, _ = w.Write(spaces)
			}
		}, "its answer is longer than allowed", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r.answer(func(w http.ResponseWriter, req *http.Request) bool {
				if strings.Contains(req.URL.Path, "/manifests/") {
					tt.answer(w)
					return true
				}
				return false
			})
			ref := r.host + "/a/box:1.0.0"
			inv := inventory(t, "image: {ref: '"+ref+"', insecure: true}", online(t))
			a := inv.Artifacts[0]
			if a.ID != "image:"+ref || a.Seen() || len(inv.Failures) != 1 {
				t.Fatalf("artifacts %+v, failures %+v, want the reference as declared and one failure", inv.Artifacts, inv.Failures)
			}
			f := inv.Failures[0]
			if !strings.Contains(f.Reason, tt.want) || !strings.Contains(f.Settle, tt.settle) || f.Origin.URL == "" || strings.Contains(f.Reason, "by the server") {
				t.Errorf("failure %+v\nwant %s, settled by %s", f, tt.want, tt.settle)
			}
		})
	}
	r.answer(nil)
	if inv := inventory(t, "image: {ref: '"+r.host+"/a/box:helm', insecure: true}", online(t)); !contains(reasons(inv), "holds no container image but application/vnd.cncf.helm.config.v1+json") {
		t.Errorf("a chart: failures %v", reasons(inv))
	}
	if inv := inventory(t, "image: {ref: '"+r.host+"/a/box:1.0.0', insecure: true, platform: linux/arm64}", online(t)); !contains(reasons(inv), "the image is for linux/amd64, not for linux/arm64") || inv.Artifacts[0].Digest == "" {
		t.Errorf("a single image for another platform: %+v", inv)
	}
}

func TestARegistryThatAsksToWaitIsAskedAgain(t *testing.T) {
	r := startRegistry(t)
	r.push(t, "a/box:1.0.0", container(t, "x", nil))
	left := 2
	r.answer(func(w http.ResponseWriter, req *http.Request) bool {
		if left > 0 && strings.Contains(req.URL.Path, "/manifests/1.0.0") {
			left--
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		return false
	})
	if inv := inventory(t, "image: {ref: '"+r.host+"/a/box:1.0.0', insecure: true}", online(t)); inv.Artifacts[0].Digest == "" || inv.Failures != nil {
		t.Errorf("inventory %+v, want the image", inv)
	}
}

func TestARegistryThatCannotBeReachedIsAFailure(t *testing.T) {
	r := startRegistry(t)
	secure := httptest.NewTLSServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer secure.Close()
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	closed := httptest.NewServer(nil)
	closed.Close()
	guarded := online(t)
	guarded.Network.Dial = func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("address 10.0.0.1 is private and not allowed")
	}
	offline := online(t)
	offline.Network.Dial = nil
	for _, tt := range []struct {
		name, host, rest string
		opt              source.Options
		want             string
	}{
		{"offline", r.host, ", insecure: true", offline, "the run is offline"},
		{"nobody listens", strings.TrimPrefix(closed.URL, "http://"), ", insecure: true", online(t), "it cannot be reached: connect: connection refused"},
		{"an address that is not allowed", r.host, ", insecure: true", guarded, "it cannot be reached: address 10.0.0.1 is private and not allowed"},
		{"no TLS", r.host, "", online(t), "it does not speak TLS"},
		{"TLS where plain HTTP is wanted", strings.TrimPrefix(secure.URL, "https://"), ", insecure: true", online(t), "it answers with status 400"},
		{"an unknown authority", strings.TrimPrefix(secure.URL, "https://"), "", online(t), "its certificate cannot be verified: it is signed by an unknown authority"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r.answer(nil)
			inv := inventory(t, "image: {ref: '"+tt.host+"/a/box:1.0.0'"+tt.rest+"}", tt.opt)
			if len(inv.Artifacts) != 1 || inv.Artifacts[0].Seen() || len(inv.Failures) != 1 || !strings.Contains(inv.Failures[0].Reason, tt.want) || inv.Failures[0].Settle == "" {
				t.Errorf("inventory %+v\nwant a declared image and %s", inv, tt.want)
			}
			if n := r.count(""); n > 0 {
				t.Errorf("%d requests arrived, want none", n)
			}
		})
	}
	trusting := online(t)
	trusting.Network.Roots = x509.NewCertPool()
	trusting.Network.Roots.AddCert(secure.Certificate())
	host := strings.TrimPrefix(secure.URL, "https://")
	img := container(t, "x", nil)
	ref, err := name.ParseReference(host + "/a/box:1.0.0")
	must(t, ref, err)
	if err := remote.Write(ref, img, remote.WithTransport(secure.Client().Transport)); err != nil {
		t.Fatal(err)
	}
	if inv := inventory(t, "image: {ref: '"+host+"/a/box:1.0.0'}", trusting); inv.Artifacts[0].Digest != digest(t, img) {
		t.Errorf("with its authority known: %+v", inv)
	}
}

func TestAMirrorIsAskedAndTheReferenceStays(t *testing.T) {
	r := startRegistry(t)
	img := container(t, "x", nil)
	r.push(t, "dockerhub/library/redis:7.4.2", img)
	inv := inventory(t, "image: {ref: 'docker.io/redis:7.4.2', mirror: '"+r.host+"/dockerhub', insecure: true}", online(t))
	a := inv.Artifacts[0]
	if a.Digest != digest(t, img) || a.Reference != "docker.io/redis:7.4.2" || a.Name != "redis" || a.Sightings[0].Where != "docker.io/redis:7.4.2 by mirror "+r.host+"/dockerhub" {
		t.Errorf("artifact %+v, failures %v", a, reasons(inv))
	}
}

// The words that must appear nowhere.
const (
	canaryUser, canaryPassword = "canary-user", "canary:password"
	canaryToken                = "canary-bearer-token"
	canaryRefresh              = "canary-identity-token"
)

func withLogin(t *testing.T, opt source.Options, host, entry string) source.Options {
	t.Helper()
	dir := write(t, map[string]string{"config.json": `{"auths": {"` + host + `": ` + entry + `}}`})
	opt.Getenv = func(key string) string {
		if key == "DOCKER_CONFIG" {
			return dir
		}
		return ""
	}
	return opt
}

func TestCredentialsReachTheirRegistryAndNothingElse(t *testing.T) {
	basic := base64.StdEncoding.EncodeToString([]byte(canaryUser + ":" + canaryPassword))
	echo := func(w http.ResponseWriter, req *http.Request, code int) {
		secret := req.Header.Get("Authorization")
		w.Header().Set("Content-Type", secret)
		w.Header().Set("X-Echo", secret)
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"errors": [{"code": %q, "message": %q}], "mediaType": %q}`, secret, secret, secret)
	}
	for _, tt := range []struct {
		name, entry string
		bearer      bool
	}{
		{"basic", `{"auth": "` + basic + `"}`, false},
		{"name and password", `{"username": "` + canaryUser + `", "password": "` + canaryPassword + `"}`, false},
		{"a token for name and password", `{"auth": "` + basic + `"}`, true},
		{"an identity token", `{"identitytoken": "` + canaryRefresh + `"}`, true},
	} {
		for _, fault := range []string{"", "status", "body", "line", "token"} {
			if fault == "token" && !tt.bearer {
				continue
			}
			t.Run(tt.name+" "+fault, func(t *testing.T) {
				r := startRegistry(t)
				img := container(t, "x", nil)
				r.push(t, "a/box:1.0.0", img)
				var elsewhere []string
				storage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
					elsewhere = append(elsewhere, fmt.Sprint(req.Header))
					resp, err := http.Get("http://" + r.host + "/internal" + req.URL.Path)
					if err != nil {
						panic(err)
					}
					defer resp.Body.Close()
					_, _ = io.Copy(w, resp.Body)
				}))
				defer storage.Close()
				want := "Basic " + basic
				if tt.bearer {
					want = "Bearer " + canaryToken
				}
				r.answer(func(w http.ResponseWriter, req *http.Request) bool {
					if path, ok := strings.CutPrefix(req.URL.Path, "/internal"); ok {
						req.URL.Path = path
						return false
					}
					if req.URL.Path == "/token" {
						form, _ := io.ReadAll(req.Body)
						posted, _ := url.ParseQuery(string(form))
						if req.Header.Get("Authorization") != "Basic "+basic && posted.Get("refresh_token") != canaryRefresh {
							w.WriteHeader(http.StatusUnauthorized)
							return true
						}
						if fault == "token" {
							echo(w, req, http.StatusForbidden)
							return true
						}
						fmt.Fprintf(w, `{"token": %q}`, canaryToken)
						return true
					}
					if req.Header.Get("Authorization") != want {
						w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
						if tt.bearer {
							w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.host+`/token",service="x"`)
						}
						w.WriteHeader(http.StatusUnauthorized)
						return true
					}
					switch {
					case strings.Contains(req.URL.Path, "/blobs/"):
						http.Redirect(w, req, storage.URL+req.URL.Path, http.StatusTemporaryRedirect)
						return true
					case !strings.Contains(req.URL.Path, "/manifests/") || fault == "":
						return false
					case fault == "status":
						echo(w, req, http.StatusInternalServerError)
					case fault == "body":
						echo(w, req, http.StatusOK)
					case fault == "line":
						conn, _, err := w.(http.Hijacker).Hijack()
						if err != nil {
							panic(err)
						}
						fmt.Fprintf(conn, "%s\r\n\r\n", req.Header.Get("Authorization"))
						_ = conn.Close()
					}
					return true
				})
				var said []string
				opt := withLogin(t, online(t), r.host, tt.entry)
				opt.Keep = func(_ context.Context, b audit.Blob) (audit.Digest, error) {
					said = append(said, fmt.Sprintf("%+v %s", b, b.Data))
					return audit.DigestOf(b.Data), nil
				}
				s, err := decode(t, "image: {ref: '"+r.host+"/a/box:1.0.0', insecure: true}", ".", opt)
				must(t, s, err)
				inv, err := s.Inventory(t.Context())
				must(t, inv, err)
				if seen := inv.Artifacts[0].Digest == digest(t, img); seen != (fault == "") || seen != (inv.Failures == nil) {
					t.Fatalf("inventory = %+v", inv)
				}
				target, err := s.Open(t.Context(), sbom.Artifact{ID: "x", Kind: sbom.KindImage, Digest: digest(t, img)})
				if (err == nil) != (fault == "") {
					t.Errorf("opening: %v", err)
				}
				if err == nil {
					defer target.Done()
				}
				if fault == "" && len(elsewhere) == 0 {
					t.Error("the storage was not asked")
				}
				all, jsonErr := json.Marshal(inv)
				must(t, all, jsonErr)
				said = append(said, string(all), fmt.Sprint(err), fmt.Sprintf("%+v", s.Contacts()), s.Name(), strings.Join(elsewhere, " "))
				for _, text := range said {
					for _, secret := range []string{"canary", basic, base64.StdEncoding.EncodeToString([]byte(canaryPassword))} {
						if strings.Contains(text, secret) {
							t.Errorf("%q shows the secret %q", text, secret)
						}
					}
				}
			})
		}
	}
}

func TestTheCredentialsForTheLongestPartOfAPathAreUsed(t *testing.T) {
	r := startRegistry(t)
	img := container(t, "x", nil)
	r.push(t, "team/area/box:1", img)
	r.answer(func(w http.ResponseWriter, req *http.Request) bool {
		if user, _, _ := req.BasicAuth(); user != "area" {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
		return false
	})
	entry := func(user string) string {
		return `{"auth": "` + base64.StdEncoding.EncodeToString([]byte(user+":p")) + `"}`
	}
	dir := write(t, map[string]string{"config.json": `{"auths": {"` + r.host + `": ` + entry("all") + `, "` + r.host + `/team": ` + entry("team") + `, "` + r.host + `/team/area": ` + entry("area") + `}}`})
	opt := online(t)
	opt.Getenv = func(string) string { return dir }
	if inv := inventory(t, "image: {ref: '"+r.host+"/team/area/box:1', insecure: true}", opt); inv.Artifacts[0].Digest != digest(t, img) {
		t.Errorf("inventory %+v", inv)
	}
}

func TestCredentialsAreNotSentInClear(t *testing.T) {
	r := startRegistry(t)
	opt := withLogin(t, online(t), r.host, `{"auth": "`+base64.StdEncoding.EncodeToString([]byte("u:p"))+`"}`)
	inv := inventory(t, "image: {ref: '"+r.host+"/a/box:1'}", opt)
	if r.count("") > 0 || !contains(reasons(inv), "it does not speak TLS") {
		t.Errorf("%d requests, failures %v, want none because insecure: is missing", r.count(""), reasons(inv))
	}
}

func TestACredentialThatCannotBeUsedIsNamedWhenTheRegistryRefuses(t *testing.T) {
	r := startRegistry(t)
	r.answer(func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	for _, tt := range []struct{ name, env, file, text, want string }{
		{"a helper for all", "DOCKER_CONFIG", "config.json", `{"auths": {"HOST": {}}, "credsStore": "pass"}`, `they are kept by the program "docker-credential-pass", which is not run`},
		{"a helper for one", "HOME", ".docker/config.json", `{"credHelpers": {"HOST": "ecr-login"}}`, `"docker-credential-ecr-login"`},
		{"a broken file", "XDG_RUNTIME_DIR", "containers/auth.json", `{"auths": {"HOST": {"auth": 12345}}}`, `credentials in "auth.json": the file is not the JSON that Docker writes`},
		{"a text that is no base64", "REGISTRY_AUTH_FILE", "", `{"auths": {"https://HOST/v2/": {"auth": "???"}}}`, `is not the base64 of user:password`},
		{"credentials that are wrong", "HOME", ".docker/config.json", `{"auths": {"HOST": {"auth": "dTpw"}}}`, "it does not accept the stored credentials (401)"},
		{"credentials of another", "HOME", ".docker/config.json", `{"auths": {"other.example": {"auth": "dTpw"}}}`, "it asks for a login (401)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, filepath.FromSlash(tt.file))
			value := dir
			if tt.file == "" {
				path = filepath.Join(dir, "auth")
				value = path
			}
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(strings.ReplaceAll(tt.text, "HOST", r.host)), 0o600); err != nil {
				t.Fatal(err)
			}
			opt := online(t)
			opt.Getenv = func(key string) string { return map[string]string{tt.env: value}[key] }
			inv := inventory(t, "image: {ref: '"+r.host+"/a/box:1', insecure: true}", opt)
			if !contains(reasons(inv), tt.want) || contains(reasons(inv), dir) || contains(reasons(inv), "12345") {
				t.Errorf("failures %v\nwant %s", reasons(inv), tt.want)
			}
		})
	}
}

// attach pushes a manifest of one document about a subject.
func attach(t *testing.T, r *testRegistry, where, artifactType, mediaType, document string, subject v1.Image, annotations map[string]string) v1.Image {
	t.Helper()
	img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	img = mutate.ConfigMediaType(img, types.MediaType(artifactType))
	img, err := mutate.Append(img, mutate.Addendum{Layer: static.NewLayer([]byte(document), types.MediaType(mediaType)), Annotations: annotations})
	must(t, img, err)
	if subject != nil {
		d, err := partial.Descriptor(subject)
		must(t, d, err)
		img = mutate.Subject(img, *d).(v1.Image)
	}
	r.push(t, where, img)
	return img
}

func statement(predicate, subject string) string {
	return `{"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://cyclonedx.org/bom", "subject": [{"name": "x", "digest": {"sha256": "` + subject + `"}}], "predicate": ` + predicate + `}`
}

func TestSBOMsThatARegistryHoldsAreStatementsAboutTheImage(t *testing.T) {
	cyclonedx := document(`, "components": [{"type": "library", "name": "b", "purl": "pkg:pypi/b@1"}, {"type": "library", "name": "a", "purl": "pkg:pypi/a@1"}, {"type": "library", "name": "c"}]`)
	spdx := `{"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "packages": [{"SPDXID": "a", "name": "a", "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:pypi/a@1"}]}]}`
	img := container(t, "x", nil)
	hex := digest(t, img).Hex()
	both, one := []string{"pkg:pypi/a@1", "pkg:pypi/b@1"}, []string{"pkg:pypi/a@1"}
	dsse := func(statement string) string {
		return `{"payloadType": "application/vnd.in-toto+json", "payload": "` + base64.StdEncoding.EncodeToString([]byte(statement)) + `", "signatures": []}`
	}
	const cdxType, spdxType, inToto, envelope = "application/vnd.cyclonedx+json", "application/spdx+json", "application/vnd.in-toto+json", "application/vnd.dsse.envelope.v1+json"
	tests := []struct {
		name                            string
		where, artifactType, media, doc string
		subject                         bool
		wantWhere, wantFormat           string
		wantPURLs                       []string
		wantFailure                     string
	}{
		{"a referrer in CycloneDX", ":one", cdxType, cdxType, cyclonedx, true, cdxType, "CycloneDX 1.6", both, ""},
		{"a referrer in SPDX", ":one", spdxType, spdxType, spdx, true, spdxType, "SPDX 2.3", one, ""},
		{"a statement of in-toto", ":one", inToto, inToto, statement(cyclonedx, hex), true, inToto, "CycloneDX 1.6", both, ""},
		{"a bundle of sigstore", ":one", "application/vnd.dev.sigstore.bundle.v0.3+json", "application/vnd.dev.sigstore.bundle.v0.3+json",
			`{"dsseEnvelope": ` + dsse(statement(cyclonedx, hex)) + `}`, true, "application/vnd.dev.sigstore.bundle.v0.3+json", "CycloneDX 1.6", both, ""},
		{"an attestation of cosign", ":sha256-" + hex + ".att", string(types.OCIConfigJSON), envelope, dsse(statement(cyclonedx, hex)), false, "cosign .att", "CycloneDX 1.6", both, ""},
		{"an attestation of cosign around a text", ":sha256-" + hex + ".att", string(types.OCIConfigJSON), envelope,
			dsse(statement(`{"Data": `+string(must2(json.Marshal(cyclonedx)))+`}`, hex)), false, "cosign .att", "CycloneDX 1.6", both, ""},
		{"an SBOM of cosign", ":sha256-" + hex + ".sbom", string(types.OCIConfigJSON), "text/spdx+json", spdx, false, "cosign .sbom", "SPDX 2.3", one, ""},
		{"a statement about another image", ":one", inToto, inToto, statement(cyclonedx, strings.Repeat("0", 64)), true, "", "", nil, "the statement is about another image"},
		{"a statement of another kind", ":one", inToto, inToto, `{"predicateType": "https://slsa.dev/provenance/v1", "predicate": {}}`, true, "", "", nil, ""},
		{"a payload that is no base64", ":one", inToto, inToto, `{"payload": "???"}`, true, "", "", nil, "the payload of the statement is no base64"},
		{"a broken SBOM", ":one", cdxType, cdxType, `{"bomFormat": "CycloneDX"`, true, "", "", nil, "the document ends too early"},
		{"a signature", ":one", "application/vnd.dev.cosign.simplesigning.v1+json", "application/vnd.dev.cosign.simplesigning.v1+json", `{}`, true, "", "", nil, ""},
	}
	for _, api := range []bool{true, false} {
		for _, tt := range tests {
			t.Run(fmt.Sprintf("%s, referrers API %v", tt.name, api), func(t *testing.T) {
				r := startRegistry(t, registry.WithReferrersSupport(api))
				r.push(t, "a/box:1.0.0", img)
				var subject v1.Image
				if tt.subject {
					subject = img
				}
				attach(t, r, "a/box"+tt.where, tt.artifactType, tt.media, tt.doc, subject, nil)
				kept := 0
				opt := online(t)
				opt.Keep = func(_ context.Context, b audit.Blob) (audit.Digest, error) {
					if string(b.Data) == tt.doc {
						kept++
					}
					return audit.DigestOf(b.Data), nil
				}
				opt.Measure = func(document []byte) sbom.Quality {
					return sbom.Quality{Profile: "measured", Components: len(document)}
				}
				ref := r.host + "/a/box:1.0.0"
				inv := inventory(t, "image: {ref: '"+ref+"', insecure: true}", opt)
				if tt.wantFailure == "" && inv.Failures != nil || tt.wantFailure != "" && !contains(reasons(inv), tt.wantFailure) {
					t.Errorf("failures %v, want %q", reasons(inv), tt.wantFailure)
				}
				a := inv.Artifacts[0]
				if tt.wantFormat == "" {
					if len(inv.Attested) != 0 || len(a.Sightings) != 1 {
						t.Errorf("attested %+v, sightings %+v, want none", inv.Attested, a.Sightings)
					}
					return
				}
				origin := audit.Origin{Source: "image", URL: "http://" + r.host + "/v2/a/box/blobs/" + string(audit.DigestOf([]byte(tt.doc))), Digest: audit.DigestOf([]byte(tt.doc)), At: assessedAt}
				want := sbom.Attested{Artifact: a.ID, Format: tt.wantFormat, Components: len(tt.wantPURLs), PURLs: tt.wantPURLs, Origin: origin}
				if len(tt.wantPURLs) == 2 {
					want.Components = 3
				}
				if q := inv.Attested[0].Quality; q == nil || q.Profile != "measured" || q.Components == 0 || q.Components > len(tt.doc) {
					t.Errorf("quality %+v, want what measuring the document in %d bytes gave", q, len(tt.doc))
				}
				want.Quality = inv.Attested[0].Quality
				if diff := cmp.Diff([]sbom.Attested{want}, inv.Attested); diff != "" {
					t.Errorf("attested (-want +got):\n%s", diff)
				}
				sighting := sbom.Sighting{Source: "image", Where: "referrer " + tt.wantWhere + " of " + ref, Declared: true, State: sbom.StatePresent, Reference: ref, Digest: a.Digest, Origin: origin}
				if len(a.Sightings) != 2 || cmp.Diff(sighting, a.Sightings[1]) != "" || kept != 1 {
					t.Errorf("kept %d times, sightings %+v\nwant one more: %+v", kept, a.Sightings, sighting)
				}
			})
		}
	}
}

func must2[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestAnSBOMThatABuilderPutIntoTheIndexIsRead(t *testing.T) {
	r := startRegistry(t)
	img := container(t, "x", nil)
	spdx := `{"spdxVersion": "SPDX-2.3", "packages": [{"SPDXID": "a", "name": "a"}]}`
	note := attach(t, r, "a/box:note", string(types.OCIConfigJSON), "application/vnd.in-toto+json",
		strings.Replace(statement(spdx, digest(t, img).Hex()), "https://cyclonedx.org/bom", "https://spdx.dev/Document", 1), nil,
		map[string]string{"in-toto.io/predicate-type": "https://spdx.dev/Document"})
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: note, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"},
			Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": string(digest(t, img))}}})
	r.pushIndex(t, "a/box:1.0.0", index)
	inv := inventory(t, "image: {ref: '"+r.host+"/a/box:1.0.0', insecure: true}", online(t))
	if len(inv.Attested) != 1 || inv.Attested[0].Format != "SPDX 2.3" || inv.Attested[0].Components != 1 || inv.Failures != nil {
		t.Errorf("attested %+v, failures %v", inv.Attested, reasons(inv))
	}
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	must(t, list, err)
	var out []string
	for _, e := range list {
		out = append(out, e.Name())
	}
	return out
}

func TestAPulledImageIsALayoutOfThatImageAlone(t *testing.T) {
	r := startRegistry(t)
	images := map[string]v1.Image{"linux/amd64": container(t, "amd", nil), "linux/arm64/v8": container(t, "arm", nil)}
	r.pushIndex(t, "a/multi:1.0.0", multi(images))
	opt := online(t)
	s, err := decode(t, "image: {ref: '"+r.host+"/a/multi:1.0.0', insecure: true}", ".", opt)
	must(t, s, err)
	inv, err := s.Inventory(t.Context())
	must(t, inv, err)
	target, err := s.Open(t.Context(), inv.Artifacts[0])
	must(t, target, err)
	if target.Form != "oci-dir" || target.Artifact.Digest != digest(t, images["linux/amd64"]) || !strings.HasPrefix(target.Path, opt.TempDir) {
		t.Errorf("target = %+v", target)
	}
	again, err := read(t, "image: {ref: 'oci:"+target.Path+"'}", "/")
	must(t, again, err)
	if len(again.Artifacts) != 1 || again.Artifacts[0].ID != inv.Artifacts[0].ID || again.Failures != nil {
		t.Errorf("the layout holds %+v", again)
	}
	if err := target.Done(); err != nil {
		t.Error(err)
	}
	if err := target.Done(); err != nil {
		t.Errorf("done twice: %v", err)
	}
	if left := files(t, opt.TempDir); left != nil {
		t.Errorf("%v is left", left)
	}
	if _, err := s.Open(t.Context(), sbom.Artifact{ID: "image:x", Kind: sbom.KindImage}); !errors.Is(err, sbom.ErrNoContents) {
		t.Errorf("without a digest: %v", err)
	}
}

func TestAPullThatFailsLeavesNothing(t *testing.T) {
	r := startRegistry(t)
	img := container(t, strings.Repeat("layer", 1000), nil)
	r.push(t, "a/box:1.0.0", img)
	layers, err := img.Layers()
	must(t, layers, err)
	layer := digest(t, layers[0])
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, tt := range []struct {
		name   string
		answer func(http.ResponseWriter)
		want   string
	}{
		{"another layer", func(w http.ResponseWriter) { _, _ = io.WriteString(w, strings.Repeat("LAYER", 1000)) }, "its contents do not match its digest; ask whoever runs the registry"},
		{"a short layer", func(w http.ResponseWriter) { _, _ = io.WriteString(w, "layer") }, "it has 5 bytes, the manifest says 5000"},
		{"a long layer", func(w http.ResponseWriter) { _, _ = io.WriteString(w, strings.Repeat("layer", 100_000)) }, "its answer is longer than allowed"},
		{"no layer", func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }, "it has no such image (404)"},
		{"a layer cut off", func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "5000")
			_, _ = io.WriteString(w, "layer")
		}, "closed the connection in the middle"},
		{"a run that ends", func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "5000")
			_, _ = io.WriteString(w, "layer")
			w.(http.Flusher).Flush()
			cancel()
		}, "context canceled"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r.answer(func(w http.ResponseWriter, req *http.Request) bool {
				if strings.HasSuffix(req.URL.Path, "/blobs/"+string(layer)) {
					tt.answer(w)
					return true
				}
				return false
			})
			opt := online(t)
			s, err := decode(t, "image: {ref: '"+r.host+"/a/box:1.0.0', insecure: true}", ".", opt)
			must(t, s, err)
			_, err = s.Open(ctx, sbom.Artifact{Kind: sbom.KindImage, Digest: digest(t, img)})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v, want one with %s", err, tt.want)
			}
			if left := files(t, opt.TempDir); left != nil {
				t.Errorf("%v is left", left)
			}
		})
	}
}

func TestTheRegistryPullsWhatOthersFoundAndEachLayerOnce(t *testing.T) {
	r := startRegistry(t)
	base := container(t, "shared layer", nil)
	derived, err := mutate.AppendLayers(base, static.NewLayer([]byte("own layer"), types.OCIUncompressedLayer))
	must(t, derived, err)
	r.push(t, "hub/a/base:1", base)
	r.push(t, "hub/a/derived:1", derived)
	index := multi(map[string]v1.Image{"linux/amd64": base})
	r.pushIndex(t, "hub/a/index:1", index)
	r.answer(nil)
	opt := online(t)
	s, err := decode(t, "registry: {pull: seen, mirrors: ['mirrored.example="+r.host+"/hub'], insecure: ['"+r.host+"']}", ".", opt)
	must(t, s, err)
	if inv, err := s.Inventory(t.Context()); err != nil || len(inv.Artifacts) != 0 {
		t.Errorf("inventory %+v, %v, want nothing of its own", inv, err)
	}
	seen := []sbom.Sighting{{Source: "containers", State: sbom.StateRunning, Reference: "mirrored.example/a/base:1"}}
	one, err := s.Open(t.Context(), sbom.Artifact{Kind: sbom.KindImage, Digest: digest(t, base), Sightings: seen})
	must(t, one, err)
	two, err := s.Open(t.Context(), sbom.Artifact{Kind: sbom.KindImage, Reference: "mirrored.example/a/derived:1", Digest: digest(t, derived), Sightings: seen})
	must(t, two, err)
	layers, err := base.Layers()
	must(t, layers, err)
	if n := r.count("/blobs/" + string(digest(t, layers[0]))); n != 1 {
		t.Errorf("the shared layer was pulled %d times, want once", n)
	}
	three, err := s.Open(t.Context(), sbom.Artifact{Kind: sbom.KindImage, Reference: "mirrored.example/a/index:1", Digest: digest(t, index), Sightings: seen})
	must(t, three, err)
	if three.Artifact.Digest != digest(t, base) || !slices.Equal(three.Artifact.Digests, []audit.Digest{digest(t, index)}) {
		t.Errorf("of an index: %+v, want the image for the platform", three.Artifact)
	}
	if err := one.Done(); err != nil {
		t.Error(err)
	}
	for _, target := range []sbom.Target{two, three} {
		again, err := read(t, "image: {ref: 'oci:"+target.Path+"'}", "/")
		if err != nil || len(again.Artifacts) != 1 || again.Failures != nil {
			t.Errorf("after another image was removed: %+v, %v", again, err)
		}
		if err := target.Done(); err != nil {
			t.Error(err)
		}
	}
	if left := files(t, opt.TempDir); left != nil {
		t.Errorf("%v is left", left)
	}
}

func TestTheRegistryLeavesAloneWhatItCannotOrShallNotPull(t *testing.T) {
	r := startRegistry(t)
	img := container(t, "x", nil)
	r.push(t, "a/box:1", img)
	declared := []sbom.Sighting{{Source: "osism", Declared: true, State: sbom.StateDeclared}}
	seen := []sbom.Sighting{{Source: "containers", State: sbom.StateRunning}}
	box := sbom.Artifact{Kind: sbom.KindImage, Reference: r.host + "/a/box:1", Digest: digest(t, img)}
	with := func(change func(*sbom.Artifact)) sbom.Artifact {
		a := box
		a.Sightings = seen
		change(&a)
		return a
	}
	for _, tt := range []struct {
		name, pull string
		a          sbom.Artifact
		want       string // of the error; "none": no contents; "": it is pulled
	}{
		{"seen", "seen", with(func(*sbom.Artifact) {}), ""},
		{"declared only", "seen", with(func(a *sbom.Artifact) { a.Sightings = declared }), "none"},
		{"declared only, all wanted", "all", with(func(a *sbom.Artifact) { a.Sightings = declared }), ""},
		{"no digest", "all", with(func(a *sbom.Artifact) { a.Digest = "" }), "none"},
		{"no registry", "all", with(func(a *sbom.Artifact) { a.Reference = "a/box:1" }), "none"},
		{"no image", "all", with(func(a *sbom.Artifact) { a.Kind = sbom.KindSoftware }), "none"},
		{"a registry by an alias only", "all", with(func(a *sbom.Artifact) { a.Reference, a.Aliases = "box:1", []string{r.host + "/a/box:1"} }), ""},
		{"a digest known there by another name", "all", with(func(a *sbom.Artifact) { a.Digest, a.Digests = keystoneDigest, []audit.Digest{digest(t, img)} }), ""},
		{"a digest that is not there", "all", with(func(a *sbom.Artifact) { a.Digest = keystoneDigest }), `pulling "` + r.host + `/a/box" from registry "` + r.host + `": it has no such image (404); check name and tag`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := decode(t, "registry: {pull: "+tt.pull+", insecure: '"+r.host+"'}", ".", online(t))
			must(t, s, err)
			target, err := s.Open(t.Context(), tt.a)
			switch {
			case tt.want == "none" && !errors.Is(err, sbom.ErrNoContents), tt.want == "" && err != nil,
				tt.want != "" && tt.want != "none" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error = %v, want %q", err, tt.want)
			}
			if err == nil {
				if err := target.Done(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestAPlanNamesRegistriesAndRights(t *testing.T) {
	opt := online(t)
	opt.Getenv = func(string) string { return "" }
	s, err := decode(t, "image: {ref: docker.io/redis:7}", ".", opt)
	must(t, s, err)
	c := s.Contacts()
	if len(c) != 2 || c[0].Host != "index.docker.io" || c[0].Address != "https://index.docker.io/v2/library/redis" || !strings.Contains(c[0].Right, "pull library/redis") || c[1].Host != "local" {
		t.Errorf("contacts = %+v", c)
	}
	s, err = decode(t, "registry: {pull: all, mirrors: docker.io=mirror.example/hub}", ".", opt)
	must(t, s, err)
	if c := s.Contacts(); len(c) != 3 || c[1].Host != "mirror.example" || c[1].Address != "mirror.example/hub" || s.Name() != "registry" {
		t.Errorf("contacts = %+v", c)
	}
}
