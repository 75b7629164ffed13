package forge

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pegel-audit/pegel/scoring"
)

// App is a GitHub App with its private key. Its installations have budgets of their own, apart from those of people.
type App struct {
	id           string // of the app, or its client id
	installation int64  // 0: the first that the app has
	key          *rsa.PrivateKey
}

// NewApp takes the id of an app (or its client id), the number of an installation (0: the first one), and the private key
// as GitHub hands it out: PEM, PKCS #1 or PKCS #8.
func NewApp(id string, installation int64, key []byte) (App, error) {
	if id == "" || installation < 0 {
		return App{}, errors.New("reading a GitHub App: it needs its id or client id, and the number of an installation or 0")
	}
	block, _ := pem.Decode(key)
	if block == nil {
		return App{}, errors.New("reading the private key of a GitHub App: it is no PEM file; use the .pem file that GitHub made")
	}
	parsed, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err == nil {
		return App{id, installation, parsed}, nil
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if k, ok := any.(*rsa.PrivateKey); err == nil && ok {
		return App{id, installation, k}, nil
	}
	return App{}, errors.New("reading the private key of a GitHub App: the PEM block holds no RSA key")
}

// jwt returns the signed statement by which an app names itself: RS256, valid for nine minutes (GitHub takes ten), begun a
// minute ago for clocks that differ (docs.github.com, "Generating a JSON Web Token for a GitHub App").
func (a App) jwt(now time.Time) (string, error) {
	claims, err := json.Marshal(map[string]any{"iat": now.Add(-time.Minute).Unix(), "exp": now.Add(9 * time.Minute).Unix(), "iss": a.id})
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode(claims)
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("signing for the GitHub App %q: %w", a.id, err)
	}
	return signed + "." + encode(signature), nil
}

// installed lends the token of an installation and asks for a new one before it ends.
type installed struct {
	app    App
	base   string // of the API, with a slash at the end
	client *http.Client
	now    func() time.Time

	mu     sync.Mutex
	secret string
	until  time.Time
}

// token returns a token that is valid for a while.
func (i *installed) token(ctx context.Context) (string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.secret != "" && i.now().Add(5*time.Minute).Before(i.until) {
		return i.secret, nil
	}
	if i.app.installation == 0 {
		if err := i.find(ctx); err != nil {
			return "", err
		}
	}
	// The token is taken out of the answer while that is redacted: what is kept of it, and what any cache sees, has none.
	var secret string
	var until time.Time
	take := func(status int, body []byte, _ func(string) string) ([]byte, error) {
		var answer struct {
			Token     string    `json:"token"`
			ExpiresAt time.Time `json:"expires_at"`
		}
		if status == http.StatusCreated && json.Unmarshal(body, &answer) == nil {
			secret, until = answer.Token, answer.ExpiresAt
		}
		return json.Marshal(map[string]time.Time{"expires_at": answer.ExpiresAt})
	}
	path := "app/installations/" + strconv.FormatInt(i.app.installation, 10) + "/access_tokens"
	// Read access to what is public is all that is asked for.
	status, err := i.ask(ctx, http.MethodPost, path, `{"permissions":{"metadata":"read"}}`, take, nil)
	if err != nil {
		return "", err
	}
	if checkToken(secret, 0) != nil {
		return "", fmt.Errorf("the GitHub App %q got no token for its installation %d: status %d; check the number and that the key was not revoked", i.app.id, i.app.installation, status)
	}
	i.secret, i.until = secret, until
	return secret, nil
}

// find takes the first installation of the app.
func (i *installed) find(ctx context.Context) error {
	var list []struct {
		ID int64 `json:"id"`
	}
	status, err := i.ask(ctx, http.MethodGet, "app/installations?per_page=1", "", newShape(nil, "id").redact, &list)
	if err != nil {
		return err
	}
	if status != http.StatusOK || len(list) == 0 || list[0].ID <= 0 {
		return fmt.Errorf("the GitHub App %q has no installation that it shows (status %d); install it on an account, or check its id and key", i.app.id, status)
	}
	i.app.installation = list[0].ID
	return nil
}

// ask sends one request as the app itself. The name of its redaction holds the moment, so that no cache answers it; nothing
// of what it tells about the operator's app is kept.
func (i *installed) ask(ctx context.Context, method, path, body string, redact func(int, []byte, func(string) string) ([]byte, error), into any) (int, error) {
	statement, err := i.app.jwt(i.now())
	if err != nil {
		return 0, err
	}
	name := "github app " + i.now().UTC().Format(time.RFC3339Nano)
	ctx = scoring.WithRedact(ctx, scoring.Redact{Name: name, Do: redact, Passing: func(int, []byte) bool { return true }}, &scoring.People{})
	req, err := http.NewRequestWithContext(ctx, method, i.base+path, strings.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("asking for the GitHub App %q: %w", i.app.id, err)
	}
	req.Header.Set("Authorization", "Bearer "+statement)
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	req.Header.Set("Cache-Control", "no-store")
	resp, err := i.client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("asking for the GitHub App %q: %w", i.app.id, err)
	}
	defer resp.Body.Close()
	if into != nil && resp.StatusCode == http.StatusOK {
		if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
			return resp.StatusCode, fmt.Errorf("asking for the GitHub App %q: the answer has another shape", i.app.id)
		}
	}
	return resp.StatusCode, nil
}

// String names the app, and never its key.
func (a App) String() string {
	return fmt.Sprintf("GitHub App %q, installation %d", a.id, a.installation)
}

// GoString is String.
func (a App) GoString() string { return a.String() }
