package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Bounds of a talk with the monitor.
const (
	maxAnswer   = 8 << 20 // /status of one subject and scope has some hundred kilobytes
	uploadTries = 4
	firstPause  = time.Second
	longestWait = time.Minute // of what a server may ask for with Retry-After
)

// monitorAnswer is what the monitor said.
type monitorAnswer struct {
	status int
	detail string // "detail" of its JSON, on one line
	body   []byte
	tries  int
}

// ask sends a request until the monitor decides. Asking again is safe: the monitor takes a run once and says 409 afterwards.
func (u *Upload) ask(ctx context.Context, method, address string, body []byte) (a monitorAnswer, err error) {
	pause := firstPause
	for try := 1; ; try++ {
		var after time.Duration
		a, after, err = u.once(ctx, method, address, body)
		a.tries = try
		again := err != nil || a.status == http.StatusTooManyRequests || a.status >= 500
		if !again || try == uploadTries || ctx.Err() != nil || (err != nil && refused(err)) {
			break
		}
		if after == 0 {
			after = pause
		}
		pause *= 2
		if err := u.wait(ctx, min(after, longestWait)); err != nil {
			return a, err
		}
	}
	if err != nil {
		return a, u.unreachable(err)
	}
	return a, nil
}

func (u *Upload) once(ctx context.Context, method, address string, body []byte) (monitorAnswer, time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return monitorAnswer{}, 0, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "pegel/"+u.opt.Version)
	if method == http.MethodPost {
		req.SetBasicAuth(u.account.user, u.account.password)
		req.Header.Set("Content-Type", uploadType)
	}
	resp, err := u.client.Do(req)
	if err != nil {
		return monitorAnswer{}, 0, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return monitorAnswer{}, 0, err
	}
	if len(data) > maxAnswer {
		return monitorAnswer{}, 0, fmt.Errorf("its answer is longer than %d bytes", maxAnswer)
	}
	a := monitorAnswer{status: resp.StatusCode, body: data}
	var said struct {
		Detail any `json:"detail"`
	}
	if json.Unmarshal(data, &said) == nil {
		a.detail, _ = said.Detail.(string)
		a.detail = u.account.hidden(strings.Join(strings.Fields(a.detail), " "))
		a.detail = strings.ToValidUTF8(a.detail[:min(len(a.detail), 200)], "")
	}
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return a, 0, nil
	}
	return a, time.Duration(min(seconds, 3600)) * time.Second, nil
}

// knowsScopes refuses to send results for scopes that the monitor does not have: it would store them, and nobody would ever see
// them. /status names the scope where the subject has results already; else the page of the scope is there or not. For a scope
// that it does not know the monitor of 2026-08 answers with 500 (monitor.py, get_scope), so that its health is asked for too.
func (u *Upload) knowsScopes(ctx context.Context) error {
	known := map[string]bool{}
	for _, r := range u.Reports {
		if known[r.ScopeUUID] {
			continue
		}
		ok, err := u.knows(ctx, r.Subject, r.ScopeUUID)
		if err != nil {
			return err
		}
		if !ok {
			return usagef("the scope file has to be among its own first (pegel policy scope writes it); --force sends the report all the same",
				"the monitor %s does not know the scope %q (%s), so that nobody would see the results", u.base.Host, r.ScopeName, r.ScopeUUID)
		}
		known[r.ScopeUUID] = true
	}
	return nil
}

func (u *Upload) knows(ctx context.Context, subject, scope string) (bool, error) {
	a, err := u.ask(ctx, http.MethodGet, u.address("status", url.Values{"subject": {subject}, "scopeuuid": {scope}}), nil)
	if err != nil {
		return false, err
	}
	var status map[string]map[string]json.RawMessage
	if a.status != http.StatusOK || json.Unmarshal(a.body, &status) != nil {
		return false, fmt.Errorf("asking the monitor %s for its scopes: /status answers with %d, and not as a compliance monitor does", u.base.Host, a.status)
	}
	if _, ok := status[subject][scope]; ok {
		return true, nil
	}
	a, _, err = u.once(ctx, http.MethodGet, u.address("markdown/scope/"+url.PathEscape(scope), nil), nil)
	if err != nil {
		return false, u.unreachable(err)
	}
	switch a.status {
	case http.StatusOK:
		return true, nil
	case http.StatusNotFound:
		return false, nil
	case http.StatusInternalServerError:
		a, _, err = u.once(ctx, http.MethodGet, u.address("healthz", nil), nil)
		if err == nil && a.status == http.StatusOK {
			return false, nil
		}
	}
	return false, fmt.Errorf("asking the monitor %s for scope %s: it answers with %d; try again later", u.base.Host, scope, a.status)
}

// stored reads the answer to a report.
func (u *Upload) stored(a monitorAnswer) (note string, err error) {
	host := u.base.Host
	switch {
	case a.status == http.StatusOK && string(bytes.TrimSpace(a.body)) == "null": // post_report returns nothing, which is null in JSON
		return "", nil
	case a.status == http.StatusOK: // a login page, or "empty reports"
		return "", usagef("give the address below which the monitor has /reports",
			"sending to %s: it answers with 200, but not as a compliance monitor that stored something%s", host, said(a.detail))
	case a.status == http.StatusConflict && len(u.Reports) == 1:
		return "the monitor has this report already", nil
	case a.status == http.StatusConflict:
		return "", usagef("write one file for each scope (pegel report --scope ... -o scs-report=FILE) and send them one by one",
			"the monitor %s has one of the %d reports of this file already, and has stored none of the others", host, len(u.Reports))
	case a.status == http.StatusUnauthorized:
		return "", u.unauthorized(a.detail)
	case a.status == http.StatusUnsupportedMediaType:
		return "", fmt.Errorf("sending to %s: it does not take %s: it is no compliance monitor of SCS, or another version of it", host, uploadType)
	case a.status >= 300 && a.status < 400:
		return "", usagef("name the address that it really has; a password does not follow a redirect", "sending to %s: it sends us elsewhere (%d)", host, a.status)
	case a.status == http.StatusRequestEntityTooLarge:
		return "", fmt.Errorf("sending to %s: %d bytes are too much for it; send one scope at a time", host, u.Size)
	case a.status == http.StatusUnprocessableEntity || a.status == http.StatusBadRequest:
		return "", fmt.Errorf("sending to %s: it cannot read the report (%d%s)", host, a.status, said(a.detail))
	}
	return "", fmt.Errorf("sending to %s: it answers with %d%s after %d tries; nothing is known to be stored, send it again later", host, a.status, said(a.detail), a.tries)
}

func said(detail string) string {
	if detail == "" {
		return ""
	}
	return ": " + detail
}

// unauthorized tells the reasons of a 401 apart (monitor.py: get_current_account, post_report, check_role).
func (u *Upload) unauthorized(detail string) error {
	host, subject := u.base.Host, u.Reports[0].Subject
	switch detail {
	case "Incorrect username or password":
		return usagef("check PEGEL_MONITOR_USER and PEGEL_MONITOR_PASSWORD", "the monitor %s does not know this account, or the password is wrong", host)
	case "missing signature", "verification failed":
		return usagef("the public key has to stand under keys: of the account in the monitor's bootstrap.yaml",
			"the monitor %s does not accept the signature: the key %s is not one of the account's", host, u.Key)
	case "Permission denied":
		return usagef("send it with the account of that name, or have the role append_any added", "the monitor %s does not let this account report on subject %q", host, subject)
	case "delegation problem?":
		return usagef("the subject has to stand under delegates: of the account", "the monitor %s does not have subject %q among those that this account reports on", host, subject)
	}
	return usagef("", "the monitor %s refuses the account (401%s)", host, said(detail))
}
