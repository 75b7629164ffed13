package pipeline

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/conformance"
	"github.com/pegel-audit/pegel/audit/signature"
	"github.com/pegel-audit/pegel/cmd/internal/web"
)

// UploadOptions say what is sent where. The zero value sends nothing: a monitor has to be named.
type UploadOptions struct {
	Report    string   // file with a test report
	Signature string   // file with its signature; empty: Report + ".sig"
	Monitor   string   // address of the compliance monitor: https, or http on this machine
	CAFile    string   // more certificate authorities
	Allow     []string // private networks that the monitor may be in
	Force     bool     // send although the monitor does not know the scope
	Version   string   // of this program, for the user agent
	// Wait pauses between two tries; nil sleeps.
	Wait func(context.Context, time.Duration) error
}

// Upload is a signed test report that is ready to be sent.
type Upload struct {
	Target  string                   // address that it is sent to
	Digest  audit.Digest             // of the report
	Size    int                      // of what is sent
	Key     string                   // fingerprint of the key that signed
	Reports []conformance.ReportHead // its documents

	opt    UploadOptions
	base   *url.URL
	body   []byte
	client *http.Client

	account Account
}

const (
	// uploadType is the media type of a signed report in YAML (standards: compliance-monitor/monitor.py, post_report).
	uploadType = "application/x-signed-yaml"
	// signatureEnd closes an armoured signature; the monitor looks for it, a line break and an ampersand (SEP in monitor.py).
	signatureEnd  = "-----END SSH SIGNATURE-----"
	uploadTimeout = time.Minute
)

// PrepareUpload reads and checks what is to be sent, and contacts nobody. A signature that does not fit is a *SignatureError.
func PrepareUpload(opt UploadOptions) (*Upload, error) {
	report, err := readBounded(opt.Report, maxSigned)
	if err != nil {
		return nil, usagef("give a file that pegel report -o scs-report=FILE wrote", "reading report %w", plainPath(opt.Report, err))
	}
	heads, err := conformance.ReadHeads(report)
	if err != nil {
		return nil, usagef("give a file that pegel report -o scs-report=FILE wrote", "reading report %q: %w", opt.Report, err)
	}
	if opt.Signature == "" {
		opt.Signature = opt.Report + ".sig"
	}
	armored, err := readBounded(opt.Signature, maxSecret)
	if err != nil {
		return nil, usagef("pegel sign --ssh --key FILE makes it", "reading signature %w", plainPath(opt.Signature, err))
	}
	armored = bytes.ReplaceAll(bytes.TrimSpace(armored), []byte("\r\n"), []byte("\n"))
	key, err := signature.Fits(report, armored, ReportNamespace)
	if err != nil {
		return nil, &SignatureError{Err: fmt.Errorf("checking signature %q: %w", opt.Signature, err)}
	}
	u := &Upload{Digest: audit.DigestOf(report), Key: key, Reports: heads, opt: opt}
	if u.base, err = monitorAddress(opt.Monitor); err != nil {
		return nil, err
	}
	u.Target = u.address("reports", nil)
	u.body = bytes.Join([][]byte{armored, []byte("\n&"), report}, nil)
	u.Size = len(u.body)
	return u, nil
}

// SignatureError says that a signature does not fit what it should be of.
type SignatureError struct{ Err error }

func (e *SignatureError) Error() string { return e.Err.Error() }
func (e *SignatureError) Unwrap() error { return e.Err }

// monitorAddress reads the address of a monitor. A password travels with every request, so that only this machine may be
// spoken to without TLS.
func monitorAddress(text string) (*url.URL, error) {
	const hint = "give an address such as https://compliance.example.org"
	u, err := url.Parse(text)
	switch {
	case text == "":
		return nil, usagef(hint, "no monitor was named; use --monitor URL")
	case err != nil || u.Host == "" || u.Opaque != "":
		return nil, usagef(hint, "flag --monitor: it is no address of the web")
	case u.User != nil:
		return nil, usagef("PEGEL_MONITOR_USER and PEGEL_MONITOR_PASSWORD name the account", "flag --monitor: an address holds no name and no password")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, usagef(hint, "flag --monitor: an address without ? and # is needed")
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		u.Path = strings.TrimRight(u.Path, "/")
		return u, nil
	}
	return nil, usagef("a password is sent; https protects it", "flag --monitor: only https is spoken, except to this machine")
}

// loopback reports whether a host is this machine by its address; a name could stand for anything, but for localhost (RFC 6761).
func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback() || host == "localhost"
}

func (u *Upload) address(path string, query url.Values) string {
	to := *u.base
	to.Path, to.RawQuery = to.Path+"/"+path, query.Encode()
	return to.String()
}

// Account is an account at the monitor. It is never printed.
type Account struct{ user, password string }

// hidden takes password and credentials out of a text: a server may repeat what it was sent.
func (a Account) hidden(text string) string {
	if a.password == "" {
		return text
	}
	text = strings.ReplaceAll(text, base64.StdEncoding.EncodeToString([]byte(a.user+":"+a.password)), "[withheld]")
	return strings.ReplaceAll(text, a.password, "[withheld]")
}

// ReadAccount takes an account from the environment; the password from passwordFile if one is named.
func ReadAccount(user, password, passwordFile string) (Account, error) {
	if passwordFile != "" {
		data, err := readPrivate(passwordFile)
		if err != nil {
			return Account{}, usagef("the password stands alone in the file", "reading password file: %w", err)
		}
		password = strings.TrimRight(string(data), "\r\n")
	}
	switch {
	case user == "" || password == "":
		return Account{}, usagef("set PEGEL_MONITOR_USER and PEGEL_MONITOR_PASSWORD, or give the password with --password-file", "no account at the monitor was given")
	case strings.ContainsAny(user, ":\r\n"):
		return Account{}, usagef("an account has the name of its subject", "environment PEGEL_MONITOR_USER: it is no name of an account")
	}
	return Account{user, password}, nil
}

// Send asks the monitor whether it knows the scopes, and sends the report. note says what there is to say beside success.
func (u *Upload) Send(ctx context.Context, account Account) (note string, err error) {
	u.account = account
	if err := u.open(); err != nil {
		return "", err
	}
	if !u.opt.Force {
		if err := u.knowsScopes(ctx); err != nil {
			return "", err
		}
	}
	a, err := u.ask(ctx, http.MethodPost, u.Target, u.body)
	if err != nil {
		return "", err
	}
	return u.stored(a)
}

// open makes the client: guarded, and without redirects, which would carry report and password elsewhere.
func (u *Upload) open() error {
	options := web.Options{CAFile: u.opt.CAFile, Timeout: uploadTimeout}
	for _, text := range u.opt.Allow {
		prefix, err := parseNetwork(text)
		if err != nil {
			return usagef("", "flag --allow: %w", err)
		}
		options.Allow = append(options.Allow, prefix)
	}
	if loopback(u.base.Hostname()) {
		options.Allow = append(options.Allow, netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"))
	}
	g, err := web.New(options)
	if err != nil {
		return usagef("", "flag --ca-file: %w", err)
	}
	u.client = g.Client()
	u.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return nil
}

// wait pauses between two tries.
func (u *Upload) wait(ctx context.Context, d time.Duration) error {
	if u.opt.Wait != nil {
		return u.opt.Wait(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// unreachable puts an error of the connection into words without addresses of the user's network or anything that was sent.
func (u *Upload) unreachable(err error) error {
	why, isRefusal := web.Refused(err)
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case isRefusal:
		return usagef("if it is meant, add --allow NETWORK", "reaching the monitor %s: its address %s", u.base.Host, why)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("reaching the monitor %s: no answer within %s", u.base.Host, uploadTimeout)
	}
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return fmt.Errorf("reaching the monitor %s: %w", u.base.Host, err)
}
