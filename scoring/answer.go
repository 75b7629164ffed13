package scoring

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Collectors ask servers through an ordinary *http.Client. Its transport keeps answers as evidence, but never as they
// came: each request says by WithRedact how its answer is made fit to be kept, and one that does not say so is not sent.
// The collector itself sees only the redacted answer too, so that whoever has the bundle can derive its facts again.

// Redact makes the answer of a server fit to be kept: it drops what no fact is drawn from and calls person for whatever
// names somebody (login, name, address). What person returns takes its place; machine accounts keep their names.
type Redact struct {
	Name string // says what was asked, and is part of the key of caches: change it when Do changes
	// Do returns the answer without personal data. It is given any answer, also that of a broken server, of any status.
	Do func(status int, body []byte, person func(key string) string) ([]byte, error)
	// Passing says of a redacted answer that it speaks of the moment and not of the project, such as a limit that is told
	// with status 200. It is not given again and is no evidence. Nil: no answer of success is of that kind.
	Passing func(status int, answer []byte) bool
}

// People numbers the people of one project by first appearance: p1, p2, ... The zero value is ready; it may be used from
// several goroutines.
type People struct {
	mu      sync.Mutex
	numbers map[string]string
}

// number returns the number of a pseudonym.
func (p *People) number(pseudonym string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, ok := p.numbers[pseudonym]
	if !ok {
		if p.numbers == nil {
			p.numbers = map[string]string{}
		}
		n = "p" + strconv.Itoa(len(p.numbers)+1)
		p.numbers[pseudonym] = n
	}
	return n
}

type redactKey struct{}

type redaction struct {
	redact Redact
	people *People
}

// WithRedact says how the answers to requests of this context are redacted, and in which project people are numbered.
func WithRedact(ctx context.Context, r Redact, people *People) context.Context {
	return context.WithValue(ctx, redactKey{}, redaction{r, people})
}

// RedactOf returns what WithRedact said.
func RedactOf(ctx context.Context) (r Redact, people *People, ok bool) {
	v, ok := ctx.Value(redactKey{}).(redaction)
	return v.redact, v.people, ok && v.redact.Do != nil && v.people != nil
}

// Headers that a transport of collectors adds to an answer.
const (
	HeaderOriginal = "Pegel-Original-Digest" // audit.Digest of the answer as it came
	HeaderObserved = "Pegel-Observed-At"     // when it was given, RFC 3339
)

// OriginOf says where an answer came from: address without credentials, digest of the original bytes, and moment.
func OriginOf(source string, resp *http.Response) audit.Origin {
	o := audit.Origin{Source: source, Digest: audit.Digest(resp.Header.Get(HeaderOriginal))}
	if resp.Request != nil && resp.Request.URL != nil {
		u := *resp.Request.URL
		u.User = nil
		o.URL = u.String()
	}
	o.At, _ = time.Parse(time.RFC3339, resp.Header.Get(HeaderObserved))
	return o
}

// Pseudonymiser turns people into keyed hashes. Hashes of one key are the same everywhere, those of another key are not,
// and none can be turned back by guessing.
type Pseudonymiser struct{ key []byte }

// NewPseudonymiser takes the secret key of an installation; an empty one is replaced by random bytes.
func NewPseudonymiser(key []byte) Pseudonymiser {
	if len(key) == 0 {
		key = make([]byte, 32)
		if _, err := rand.Read(key); err != nil {
			panic(err) // never happens: crypto/rand
		}
	}
	return Pseudonymiser{key}
}

// Name returns the pseudonym of a person as it may stand in a cache.
func (p Pseudonymiser) Name(person string) string {
	mac := hmac.New(sha256.New, p.key)
	mac.Write([]byte(person))
	return "person:" + hex.EncodeToString(mac.Sum(nil)[:16])
}

var pseudonym = regexp.MustCompile(`person:[0-9a-f]{32}`)

// Number replaces every pseudonym in an answer by its number within the project.
func (p *People) Number(answer []byte) []byte {
	return pseudonym.ReplaceAllFunc(answer, func(m []byte) []byte { return []byte(p.number(string(m))) })
}

// MaxAnswer is how many bytes of one answer are read.
const MaxAnswer = 64 << 20

// ErrNotRedacted says that a request was not sent because nothing says how to redact its answer.
var ErrNotRedacted = errors.New("request without a rule that redacts its answer")

// Redacting is the plainest transport for collectors: it sends, redacts and numbers, and keeps nothing.
type Redacting struct {
	Next  http.RoundTripper
	Names Pseudonymiser
	Now   func() time.Time
}

// RoundTrip sends the request and returns the redacted answer.
func (t Redacting) RoundTrip(req *http.Request) (*http.Response, error) {
	rule, people, ok := RedactOf(req.Context())
	if !ok {
		return nil, ErrNotRedacted
	}
	resp, err := t.Next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(body) > MaxAnswer {
		return nil, fmt.Errorf("%s answered more than %d bytes", req.URL.Host, MaxAnswer)
	}
	redacted, err := rule.Do(resp.StatusCode, body, t.Names.Name)
	if err != nil {
		return nil, fmt.Errorf("reading the answer of %s: %w", req.URL.Host, err)
	}
	redacted = people.Number(redacted)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(redacted)), int64(len(redacted))
	resp.Header.Del("Content-Length")
	resp.Header.Set(HeaderOriginal, string(audit.DigestOf(body)))
	resp.Header.Set(HeaderObserved, t.Now().UTC().Truncate(time.Second).Format(time.RFC3339))
	return resp, nil
}
