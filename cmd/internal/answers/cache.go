package answers

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// answer is what a server said, fit to be kept.
type answer struct {
	Status   int               `json:"status"`
	Original audit.Digest      `json:"original"` // of the bytes as they came
	Observed time.Time         `json:"observed"`
	ETag     string            `json:"etag,omitempty"`
	Modified string            `json:"modified,omitempty"`
	Headers  map[string]string `json:"headers,omitempty"`
	Digest   audit.Digest      `json:"digest"` // of data: a damaged file is no answer
	// Anonymous: it was given to a request without credentials.
	Anonymous bool `json:"anonymous,omitempty"`
	data      []byte
	foreign   bool // a failure that is no JSON, such as the page of a proxy before a service that is down
}

// keptHeaders are those that collectors draw facts or limits from. None names a person.
var keptHeaders = [...]string{
	"Content-Type", "Link", "Location", "Retry-After", "X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset", "X-Ratelimit-Resource",
	"Ratelimit-Remaining", "Ratelimit-Reset", "X-Total", "X-Total-Count", "X-Next-Page", "X-Page", "X-Per-Page", "X-Total-Pages",
}

func kept(from http.Header, before map[string]string) map[string]string {
	out := map[string]string{}
	for _, name := range keptHeaders {
		if v := from.Get(name); v != "" {
			out[name] = v
		} else if v := before[name]; v != "" {
			out[name] = v
		}
	}
	return out
}

// keyOf names a question: what is asked, where, and how the answer is redacted. Who asks (tokens) is no part of it.
func keyOf(rule string, req *http.Request, body []byte) string {
	sum := sha256.New()
	address := *req.URL
	address.User = nil
	for _, part := range []string{rule, req.Method, address.String(), req.Header.Get("Accept"), string(body)} {
		fmt.Fprintf(sum, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func (t *Transport) file(k string) string {
	return filepath.Join(t.opt.Dir, "answers", k[:2], k+".json")
}

// maxHead bounds the first line of a file in the cache.
const maxHead = 64 << 10

// load reads an answer: one line of JSON, then the redacted bytes.
func (t *Transport) load(k string) (answer, bool) {
	if t.opt.Dir == "" {
		return answer{}, false
	}
	f, err := os.Open(t.file(k))
	if err != nil {
		return answer{}, false
	}
	defer f.Close()
	all, err := io.ReadAll(io.LimitReader(f, scoring.MaxAnswer+maxHead))
	if err != nil {
		return answer{}, false
	}
	head, data, ok := bytes.Cut(all, []byte{'\n'})
	var a answer
	if !ok || json.Unmarshal(head, &a) != nil || a.Digest != audit.DigestOf(data) {
		return answer{}, false
	}
	a.data = data
	return a, true
}

// lasting are the statuses that say something about the project; others, such as a refusal, are asked for again.
var lasting = [...]int{http.StatusOK, http.StatusNotFound, http.StatusGone, http.StatusMovedPermanently, http.StatusPermanentRedirect}

// save writes an answer. A cache that cannot be written costs time, not facts.
func (t *Transport) save(k string, a answer) {
	if t.opt.Dir == "" || a.foreign || !slices.Contains(lasting[:], a.Status) || t.opt.Next == nil {
		return
	}
	a.Digest = audit.DigestOf(a.data)
	head, err := json.Marshal(a)
	if err != nil || os.MkdirAll(filepath.Dir(t.file(k)), 0o700) != nil {
		return
	}
	_ = write(t.file(k), slices.Concat(head, []byte{'\n'}, a.data))
}

// response is what a collector sees.
func (a answer) response(req *http.Request, data []byte) *http.Response {
	h := http.Header{}
	for name, v := range a.Headers {
		h.Set(name, v)
	}
	h.Set(scoring.HeaderOriginal, string(a.Original))
	h.Set(scoring.HeaderObserved, a.Observed.Format(time.RFC3339))
	return &http.Response{
		Status: fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status)), StatusCode: a.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: io.NopCloser(bytes.NewReader(data)), ContentLength: int64(len(data)), Request: req,
	}
}
