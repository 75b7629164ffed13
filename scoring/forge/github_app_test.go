package forge

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/forge/forgetest"
)

// appKey makes a key as GitHub hands it out (PKCS #1), and as others convert it (PKCS #8).
func appKey(t *testing.T) (key *rsa.PrivateKey, pkcs1, pkcs8 []byte) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// appServer plays the part of GitHub that knows apps: it checks the signed statement and hands out tokens.
type appServer struct {
	t      *testing.T
	key    *rsa.PublicKey
	clock  func() time.Time
	tokens int
	seen   []string
}

func (a *appServer) before(w http.ResponseWriter, r *http.Request, body []byte) bool {
	if !strings.HasPrefix(r.URL.Path, "/app/") {
		return false
	}
	a.seen = append(a.seen, r.Method+" "+r.URL.RequestURI())
	parts := strings.Split(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), ".")
	if len(parts) != 3 {
		return say(w, 401, `{"message":"A JSON web token could not be decoded"}`)
	}
	signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(a.key, crypto.SHA256, sum[:], signature) != nil {
		return say(w, 401, `{"message":"A JSON web token could not be decoded"}`)
	}
	raw, _ := base64.RawURLEncoding.DecodeString(parts[1])
	var claims struct {
		Iat, Exp int64
		Iss      string
	}
	if err := json.Unmarshal(raw, &claims); err != nil || claims.Iss != "Iv1.example" || claims.Exp-claims.Iat > 600 || claims.Iat > a.clock().Unix() || claims.Exp < a.clock().Unix() {
		a.t.Errorf("the claims are %s", raw)
	}
	if r.Method == http.MethodGet {
		return say(w, 200, `[{"id":42,"account":{"login":"ada","email":"ada@example.org"}}]`)
	}
	if r.URL.Path != "/app/installations/42/access_tokens" || !strings.Contains(string(body), `"metadata":"read"`) {
		return say(w, 404, `{"message":"Not Found"}`)
	}
	a.tokens++
	return say(w, 201, fmt.Sprintf(`{"token":"ghs_canary%d","expires_at":%q,"permissions":{"metadata":"read"}}`, a.tokens, a.clock().Add(time.Hour).Format(time.RFC3339)))
}

func TestAnAppAsksWithTheTokenOfItsInstallationAndRenewsIt(t *testing.T) {
	key, pkcs1, pkcs8 := appKey(t)
	for name, c := range map[string]struct {
		pem          []byte
		installation int64
		seen         string
	}{
		"first installation": {pkcs1, 0, "GET /app/installations?per_page=1 POST /app/installations/42/access_tokens POST /app/installations/42/access_tokens"},
		"a given one":        {pkcs8, 42, "POST /app/installations/42/access_tokens POST /app/installations/42/access_tokens"},
	} {
		t.Run(name, func(t *testing.T) {
			app, err := NewApp("Iv1.example", c.installation, c.pem)
			if err != nil {
				t.Fatal(err)
			}
			g := forgetest.NewGitHub(t, rich())
			s := newStand(t, g, nil, func(o *Options) { o.Apps = func(string) []App { return []App{app} } })
			server := &appServer{t: t, key: &key.PublicKey, clock: g.Now}
			g.Before = server.before
			var evidence []scoring.Evidence
			for range 2 {
				evidence = append(evidence, s.collect(t, "example/rich"))
			}
			s.now = s.now.Add(56 * time.Minute)
			evidence = append(evidence, s.collect(t, "example/rich"))
			for _, e := range evidence {
				if e.Home.Value == nil || e.Runs.Value == nil {
					t.Fatalf("home: %q, runs: %q", e.Home.Failure, e.Runs.Failure)
				}
			}
			if got := strings.Join(server.seen, " "); got != c.seen {
				t.Errorf("the app asked %s\nwant %s", got, c.seen)
			}
			if tokens := strings.Join(g.Counts().Tokens, " "); !strings.Contains(tokens, "ghs_canary1") || !strings.Contains(tokens, "ghs_canary2") {
				t.Error("the tokens of the installation were not used")
			}
			raw, err := json.Marshal(evidence)
			if err != nil {
				t.Fatal(err)
			}
			for _, kept := range []string{string(raw), s.kept.String()} {
				for _, secret := range []string{"canary", "ada", "PRIVATE"} {
					if strings.Contains(kept, secret) {
						t.Errorf("what is kept holds %q", secret)
					}
				}
			}
			if !strings.Contains(s.kept.String(), "expires_at") {
				t.Error("the answer with the token was not kept without it: nothing was checked")
			}
		})
	}
}

func TestAnAppThatIsRefusedSaysWhy(t *testing.T) {
	_, pem1, _ := appKey(t)
	other, _, _ := appKey(t)
	app, err := NewApp("Iv1.example", 7, pem1)
	if err != nil {
		t.Fatal(err)
	}
	g := forgetest.NewGitHub(t, rich())
	g.Before = (&appServer{t: t, key: &other.PublicKey, clock: func() time.Time { return today() }}).before
	s := newStand(t, g, nil, func(o *Options) { o.Apps = func(string) []App { return []App{app} } })
	e := s.collect(t, "example/rich")
	nothingKnown(t, e, `the GitHub App "Iv1.example" got no token for its installation 7: status 401`)
}

func TestKeysThatAreNoneAreRefusedWithoutRepeatingThem(t *testing.T) {
	_, good, _ := appKey(t)
	for name, c := range map[string]struct {
		id           string
		installation int64
		key          []byte
	}{
		"no PEM": {"1", 1, []byte("canary")}, "no key": {"1", 1, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("canary")})},
		"no id": {"", 1, good}, "no installation": {"1", -1, good},
	} {
		if _, err := NewApp(c.id, c.installation, c.key); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v, want an error that does not repeat the key", name, err)
		}
	}
}

func TestAnAppNeverPrintsItsKey(t *testing.T) {
	_, good, _ := appKey(t)
	app, err := NewApp("Iv1.example", 7, good)
	if err != nil {
		t.Fatal(err)
	}
	number := app.key.D.String()
	for _, text := range []string{fmt.Sprint(app), fmt.Sprintf("%+v", app), fmt.Sprintf("%#v", app), fmt.Sprint(&app)} {
		if strings.Contains(text, number[:20]) {
			t.Errorf("it prints its key")
		}
	}
}

// asking notes the rules by which answers are redacted.
type asking struct{ rules []scoring.Redact }

func (a *asking) RoundTrip(req *http.Request) (*http.Response, error) {
	rule, _, _ := scoring.RedactOf(req.Context())
	a.rules = append(a.rules, rule)
	return nil, http.ErrHandlerTimeout
}

func TestNothingAboutTheOperatorsAppIsKept(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	seen := &asking{}
	i := &installed{app: App{id: "1", key: key}, base: "https://api.github.com/", client: &http.Client{Transport: seen}, now: time.Now}
	if _, err := i.token(t.Context()); err == nil || len(seen.rules) != 1 {
		t.Fatalf("%d requests, error %v", len(seen.rules), err)
	}
	if p := seen.rules[0].Passing; p == nil || !p(http.StatusOK, nil) {
		t.Error("the list of the app's installations would be cached and become evidence")
	}
}
