package thirdparty

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// base is the address of a service.
func base(s Service) string {
	switch s {
	case OSV:
		return "https://api.osv.dev"
	case Badges:
		return "https://www.bestpractices.dev"
	case Repology:
		return "https://repology.org"
	case DepsDev:
		return "https://api.deps.dev"
	case Scorecard:
		return "https://api.scorecard.dev"
	case Ecosystems:
		return "https://packages.ecosyste.ms"
	}
	return ""
}

// userAgent says who asks, as the terms of Repology demand.
const userAgent = "pegel (https://github.com/pegel-audit/pegel)"

// longestPause is how long a service may ask to be left alone before the fact is given up for this run.
const longestPause = time.Minute

// asker asks services about one project.
type asker struct {
	c      *Collector
	people *scoring.People
}

// answer is what a service said.
type answer struct {
	status int
	origin audit.Origin
}

// at is when the service answered; the moment of assessment if the transport does not say.
func (a *asker) at(origin audit.Origin) time.Time {
	if origin.At.IsZero() {
		return a.c.options.At
	}
	return origin.At
}

// errNoSuchEntry says that a service has nothing under a name.
var errNoSuchEntry = errors.New("it has no such entry")

// get asks a service for a path and decodes the answer into T, whose fields are all that is kept of it.
func get[T any](ctx context.Context, a *asker, s Service, path string) (T, answer, error) {
	return ask[T](ctx, a, s, http.MethodGet, path, nil)
}

func ask[T any](ctx context.Context, a *asker, s Service, method, path string, body any) (v T, ans answer, err error) {
	address := base(s)
	if other := a.c.options.Bases[s]; other != "" {
		address = strings.TrimSuffix(other, "/")
	}
	var sent []byte
	if body != nil {
		if sent, err = json.Marshal(body); err != nil {
			return v, ans, err
		}
	}
	for again := true; ; again = false {
		var data []byte
		var pause time.Duration
		var sendErr error
		waited := a.c.pace[s].do(ctx, func() time.Time {
			data, ans, pause, sendErr = a.send(ctx, s, method, address+path, sent, keepOnly[T])
			return ans.origin.At
		})
		switch {
		case waited != nil:
			return v, ans, waited
		case sendErr != nil:
			return v, ans, sendErr
		case ans.status == http.StatusOK:
			return v, ans, json.Unmarshal(data, &v)
		case ans.status == http.StatusNotFound:
			return v, ans, errNoSuchEntry
		case pause > 0 && pause <= longestPause && again:
			if err := a.c.pace[s].sleep(ctx, pause); err != nil {
				return v, ans, err
			}
		default:
			return v, ans, fmt.Errorf("it answered with status %d", ans.status)
		}
	}
}

// send sends one request and returns the redacted answer, and how long the service asks to be left alone.
func (a *asker) send(ctx context.Context, s Service, method, address string, body []byte, keep func(int, []byte, func(string) string) ([]byte, error)) (data []byte, ans answer, pause time.Duration, err error) {
	ctx = scoring.WithRedact(ctx, scoring.Redact{Name: "thirdparty/" + string(s) + "/2", Do: keep}, a.people)
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, ans, 0, err
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := a.c.options.Client.Do(req)
	if err != nil {
		return nil, ans, 0, err
	}
	defer resp.Body.Close()
	ans = answer{status: resp.StatusCode, origin: scoring.OriginOf(string(s), resp)}
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable {
		seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		if err == nil && seconds >= 0 && seconds < 1<<20 {
			pause = time.Duration(max(seconds, 1)) * time.Second
		}
	}
	data, err = io.ReadAll(io.LimitReader(resp.Body, scoring.MaxAnswer))
	return data, ans, pause, err
}

// errForm says that a success is not what the service answers.
var errForm = errors.New("it is no JSON of the expected form")

// keepOnly keeps of an answer the fields of T and drops everything else; of an answer that is no success it keeps nothing.
func keepOnly[T any](status int, body []byte, _ func(string) string) ([]byte, error) {
	if status != http.StatusOK {
		return []byte("null"), nil
	}
	var v T
	if err := json.Unmarshal(body, &v); err != nil {
		return nil, errForm // not what the decoder says, which repeats values
	}
	// Another service, or a message instead of an answer, has none of the fields, and would be read as zeros. What is empty
	// by right is {} or [].
	var fields map[string]json.RawMessage
	if reflect.ValueOf(&v).Elem().IsZero() && (json.Unmarshal(body, &fields) != nil || fields == nil || len(fields) > 0) {
		return nil, errForm
	}
	return json.Marshal(v)
}

// trouble is the reason why a service could not be read; it names the service and no address with secrets.
func trouble(s Service, err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "asking " + host(s) + ": no answer in time"
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err // without the address
	}
	return clip("asking " + host(s) + ": " + err.Error())
}

// Address returns where a service is asked.
func Address(s Service) string { return base(s) }

func host(s Service) string { return strings.TrimPrefix(base(s), "https://") }

// clip cuts long foreign text.
func clip(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
