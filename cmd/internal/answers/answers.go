// Package answers is the transport of collectors: it asks servers through the guarded client, makes answers fit to be
// kept, keeps them, and gives them again without asking while they count. What a collector sees is what the bundle holds,
// so that its facts can be derived again from there.
//
// Nothing personal is written: an answer is redacted before it reaches the disk (scoring.Redact), people in the cache are
// keyed hashes, and people in the bundle are numbers within one project.
package answers

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// ErrOffline says that an answer is not in the cache and nobody may be asked.
var ErrOffline = errors.New("not in the cache, and the run is offline")

// Options say where answers come from and where they go.
type Options struct {
	Next http.RoundTripper // asks servers; nil: nobody is asked
	Dir  string            // of the cache; empty: nothing is cached
	Keep audit.Keep        // is given every answer that a collector sees; nil: nobody keeps them
	Now  func() time.Time
	// Fresh is how long an answer is given again without asking whether it changed; 0: one day.
	Fresh time.Duration
}

// Transport is an http.RoundTripper for collectors. It may be used from several goroutines.
type Transport struct {
	opt   Options
	names scoring.Pseudonymiser

	mu    sync.Mutex
	asked map[string]*sync.Mutex // by key: two collectors do not ask the same at once
	count Count
}

// Count is how often servers were asked.
type Count struct {
	Asked     int   // requests that reached a server
	Unchanged int   // of these: answered with 304
	Cached    int   // answers given from the cache without asking
	Bytes     int64 // bytes of answers as they came
}

// New reads the key of the cache, or makes one.
func New(opt Options) (*Transport, error) {
	if opt.Now == nil {
		return nil, errors.New("a transport of collectors needs a clock")
	}
	if opt.Fresh == 0 {
		opt.Fresh = 24 * time.Hour
	}
	t := &Transport{opt: opt, asked: map[string]*sync.Mutex{}}
	var key []byte
	if opt.Dir != "" {
		var err error
		if key, err = secret(opt.Dir); err != nil {
			return nil, fmt.Errorf("opening the cache of answers: %w", err)
		}
	}
	t.names = scoring.NewPseudonymiser(key)
	return t, nil
}

// Count returns how often servers were asked so far.
func (t *Transport) Count() Count {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count
}

// secret returns the key with which this installation hashes people. It never leaves the cache directory.
func secret(dir string) ([]byte, error) {
	const size = 32
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, plain(err)
	}
	name := filepath.Join(dir, "people.key")
	if key, err := os.ReadFile(name); err == nil && len(key) == size {
		return key, nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, plain(err)
	}
	key := make([]byte, size)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	if err := write(name, key); err != nil {
		return nil, plain(err)
	}
	return os.ReadFile(name) // two processes may have begun at once: the last one wins for both
}

// plain drops the path of this machine from an error.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return fmt.Errorf("%s: %w", filepath.Base(p.Path), p.Err)
	}
	return err
}

// write puts a file in place at once.
func write(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// RoundTrip answers a request from the cache or from the server.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	rule, people, ok := scoring.RedactOf(req.Context())
	if !ok {
		return nil, scoring.ErrNotRedacted
	}
	body, err := bodyOf(req)
	if err != nil {
		return nil, err
	}
	if directive(req, "no-store") {
		return t.passOn(req, body, rule, people)
	}
	k := keyOf(rule.Name, req, body)
	unlock := t.lock(k)
	defer unlock()
	a, found := t.load(k)
	found = found && !passing(rule, a)
	onlyCached := directive(req, "only-if-cached")
	if !found && onlyCached {
		return answer{Status: http.StatusGatewayTimeout, Observed: t.opt.Now().UTC()}.response(req, nil), nil
	}
	// Servers tell strangers less, or that there is nothing: what they said then is no answer for somebody with rights.
	if found && a.Anonymous && req.Header.Get("Authorization") != "" && t.opt.Next != nil && !onlyCached {
		a, found = answer{}, false
	}
	if !found || !t.fresh(a) && !onlyCached {
		if a, err = t.ask(req, body, rule, a, found); err != nil {
			return nil, err
		}
		if !passing(rule, a) {
			t.save(k, a)
		}
	} else {
		t.add(Count{Cached: 1})
	}
	data := people.Number(a.data)
	if !passing(rule, a) {
		if err := t.keep(req, k, a, data); err != nil {
			return nil, err
		}
	}
	return a.response(req, data), nil
}

// directive says whether the request has a word in Cache-Control (RFC 9111, section 5.2.1).
func directive(req *http.Request, word string) bool {
	for _, list := range req.Header.Values("Cache-Control") {
		for part := range strings.SplitSeq(list, ",") {
			if strings.EqualFold(strings.TrimSpace(part), word) {
				return true
			}
		}
	}
	return false
}

// passOn asks a question whose answer may be kept nowhere, such as one that holds a token.
func (t *Transport) passOn(req *http.Request, body []byte, rule scoring.Redact, people *scoring.People) (*http.Response, error) {
	a, err := t.ask(req, body, rule, answer{}, false)
	if err != nil {
		return nil, err
	}
	return a.response(req, people.Number(a.data)), nil
}

// passing says that an answer speaks of the moment it was given and not of the project.
func passing(rule scoring.Redact, a answer) bool {
	return rule.Passing != nil && rule.Passing(a.Status, a.data)
}

func (t *Transport) lock(k string) (unlock func()) {
	t.mu.Lock()
	m, ok := t.asked[k]
	if !ok {
		m = &sync.Mutex{}
		t.asked[k] = m
	}
	t.mu.Unlock()
	m.Lock()
	return m.Unlock
}

func (t *Transport) add(c Count) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count.Asked += c.Asked
	t.count.Unchanged += c.Unchanged
	t.count.Cached += c.Cached
	t.count.Bytes += c.Bytes
}

// fresh says whether an answer is given again without asking. An offline run gives what there is: its age is part of it.
func (t *Transport) fresh(a answer) bool {
	age := t.opt.Now().Sub(a.Observed)
	return t.opt.Next == nil || age >= 0 && age < t.opt.Fresh
}

// bodyOf reads what is sent, so that it can be part of the key.
func bodyOf(req *http.Request) ([]byte, error) {
	if req.Body == nil {
		return nil, nil
	}
	defer req.Body.Close()
	const most = 4 << 20
	body, err := io.ReadAll(io.LimitReader(req.Body, most+1))
	if err == nil && len(body) > most {
		err = fmt.Errorf("a request to %s has more than %d bytes", req.URL.Host, most)
	}
	return body, err
}

// ask sends the request; an answer that is known already is asked for only if it changed.
func (t *Transport) ask(req *http.Request, body []byte, rule scoring.Redact, old answer, found bool) (answer, error) {
	if t.opt.Next == nil {
		return answer{}, ErrOffline
	}
	sent := req.Clone(req.Context())
	if body != nil {
		sent.Body, sent.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		sent.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	if found && req.Method == http.MethodGet {
		if old.ETag != "" {
			sent.Header.Set("If-None-Match", old.ETag)
		}
		if old.Modified != "" {
			sent.Header.Set("If-Modified-Since", old.Modified)
		}
	}
	resp, err := t.opt.Next.RoundTrip(sent)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	now := t.opt.Now().UTC().Truncate(time.Second)
	if found && resp.StatusCode == http.StatusNotModified {
		t.add(Count{Asked: 1, Unchanged: 1})
		old.Observed, old.Headers = now, kept(resp.Header, old.Headers)
		old.Anonymous = old.Anonymous && req.Header.Get("Authorization") == ""
		return old, nil
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, scoring.MaxAnswer+1))
	if err != nil {
		return answer{}, err
	}
	if len(raw) > scoring.MaxAnswer {
		return answer{}, fmt.Errorf("%s answered more than %d bytes", req.URL.Host, scoring.MaxAnswer)
	}
	t.add(Count{Asked: 1, Bytes: int64(len(raw))})
	data, err := rule.Do(resp.StatusCode, raw, t.names.Name)
	if err != nil {
		return answer{}, fmt.Errorf("reading the answer of %s: %w", req.URL.Host, err)
	}
	return answer{
		Status: resp.StatusCode, Original: audit.DigestOf(raw), Observed: now, ETag: resp.Header.Get("ETag"),
		Modified: resp.Header.Get("Last-Modified"), Headers: kept(resp.Header, nil), data: data,
		Anonymous: req.Header.Get("Authorization") == "", foreign: resp.StatusCode >= 400 && !json.Valid(raw),
	}, nil
}

// keep hands the answer to the bundle. Answers that say nothing about a project, such as a refusal, are no evidence.
func (t *Transport) keep(req *http.Request, k string, a answer, data []byte) error {
	if t.opt.Keep == nil || a.Status >= 500 || a.Status == http.StatusTooManyRequests || a.Status == http.StatusForbidden ||
		a.Status == http.StatusUnauthorized || a.foreign || len(data) == 0 {
		return nil
	}
	address := *req.URL
	address.User = nil
	_, err := t.opt.Keep(context.WithoutCancel(req.Context()), audit.Blob{
		Kind: "raw", Name: "answers/" + req.URL.Hostname() + "/" + k[:16], MediaType: mediaType(data), Source: address.String(), Data: data,
		Origin: audit.Origin{Source: "answer", URL: address.String(), Digest: a.Original, At: a.Observed},
	})
	if err != nil {
		return fmt.Errorf("keeping the answer of %s: %w", req.URL.Host, err)
	}
	return nil
}

func mediaType(data []byte) string {
	if text := strings.TrimLeft(string(data[:min(len(data), 64)]), " \n\t"); strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		return "application/json"
	}
	return "text/plain"
}
