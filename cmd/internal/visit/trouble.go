package visit

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/cmd/internal/web"
)

const settleLogin = "let everybody read it without a login, or hand it over as a file"

func interrupted() *audit.Trouble {
	return &audit.Trouble{Kind: audit.TroubleInterrupted, Text: "the run ended before an answer came", Settle: "run it again"}
}

func (v *Visitor) slow(u *url.URL) *audit.Trouble {
	return &audit.Trouble{Kind: audit.TroubleTimeout, Text: fmt.Sprintf("%s gave no whole answer within %s", u.Hostname(), v.opt.Timeout), Settle: "run it again"}
}

// refused says what a status means that is no success, nil for one that is.
func refused(status int, header http.Header) *audit.Trouble {
	trouble := func(kind, text, settle string) *audit.Trouble {
		return &audit.Trouble{Kind: kind, Text: text, Settle: settle}
	}
	code := " (" + strconv.Itoa(status) + ")"
	switch {
	case header.Get("Cf-Mitigated") == "challenge": // of Cloudflare: a puzzle that only browsers solve
		return trouble(audit.TroubleRobots, "the site lets only browsers in, and keeps programs out"+code, "let programs read the page, or hand it over as a file")
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusUnauthorized:
		return trouble(audit.TroubleLogin, "the server asks for a login"+code, settleLogin)
	case status == http.StatusForbidden:
		return trouble(audit.TroubleLogin, "the server refuses access to strangers"+code, settleLogin)
	case status == http.StatusProxyAuthRequired:
		return trouble(audit.TroubleUnreachable, "the proxy on the way asks for a login"+code, "name a proxy that lets the run through under network: proxy:")
	case status == http.StatusNotFound, status == http.StatusGone:
		return trouble(audit.TroubleNotFound, "there is no such page"+code, "publish it there, or name its address")
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		return trouble(audit.TroubleTimeout, "the server itself ran out of time"+code, "run it again")
	case status == http.StatusTooManyRequests:
		return trouble(audit.TroubleServer, "the server asks to come back later"+code, "run it again later")
	case status >= 500:
		return trouble(audit.TroubleServer, "the server has a failure of its own"+code, "run it again when it is mended")
	case status >= 300 && status < 400:
		return trouble(audit.TroubleServer, "the server points elsewhere without saying where"+code, "name the address of the page itself")
	}
	return trouble(audit.TroubleServer, "the server does not take the question"+code, "name the address of the page itself")
}

// failed says why no answer came, in words of its own: errors of libraries may repeat what is no business of the reader.
func (v *Visitor) failed(ctx context.Context, err error, u *url.URL) *audit.Trouble {
	host := u.Hostname()
	if ctx.Err() != nil {
		return interrupted()
	}
	if why, ok := web.Refused(err); ok {
		return &audit.Trouble{Kind: audit.TroubleAddress, Text: "the address of " + host + " " + why + ", and no outsider gets there",
			Settle: "name a public address; if this one is meant, write its network under network: allow: in the stack file"}
	}
	if text, ok := v.insecure(err, host); ok {
		return &audit.Trouble{Kind: audit.TroubleTLS, Text: text, Settle: "give the server a valid certificate"}
	}
	var timed net.Error
	var dns *net.DNSError
	unreachable := func(text string) *audit.Trouble {
		return &audit.Trouble{Kind: audit.TroubleUnreachable, Text: text, Settle: "check the address, and run it again"}
	}
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return unreachable("no name server knows " + host)
	case errors.As(err, &dns):
		return unreachable("no name server answers for " + host)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timed) && timed.Timeout():
		return v.slow(u)
	case errors.Is(err, syscall.ECONNREFUSED):
		return unreachable(host + " refuses the connection: nothing listens there")
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return unreachable("there is no way to " + host)
	case strings.Contains(err.Error(), "server response headers exceeded"):
		return &audit.Trouble{Kind: audit.TroubleTooLarge, Text: "the headers of the answer of " + host + " are larger than is read"}
	case strings.Contains(err.Error(), "malformed HTTP"):
		return &audit.Trouble{Kind: audit.TroubleServer, Text: host + " does not answer in HTTP", Settle: "name the address of a page"}
	}
	return unreachable("the connection to " + host + " broke off")
}

// insecure says what is wrong with the certificate or the handshake; ok is false for any other error.
func (v *Visitor) insecure(err error, host string) (text string, ok bool) {
	var (
		invalid x509.CertificateInvalidError
		name    x509.HostnameError
		unknown x509.UnknownAuthorityError
		verify  *tls.CertificateVerificationError
		record  tls.RecordHeaderError
		op      *net.OpError
	)
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		if now := v.opt.Now(); now.Before(invalid.Cert.NotBefore) {
			return "the certificate of " + host + " is not valid before " + invalid.Cert.NotBefore.UTC().Format(time.DateOnly), true
		}
		return "the certificate of " + host + " expired on " + invalid.Cert.NotAfter.UTC().Format(time.DateOnly), true
	case errors.As(err, &name):
		return "the certificate is for another name than " + host, true
	case errors.As(err, &unknown):
		return "the certificate of " + host + " comes from an authority that nobody knows", true
	case errors.As(err, &invalid), errors.As(err, &verify):
		return "the certificate of " + host + " cannot be verified", true
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return host + " does not speak TLS there", true
	case errors.As(err, &op) && op.Op == "remote error", strings.Contains(err.Error(), "tls: "):
		return "no secure connection to " + host + " came about: the two sides agree on no version or method of TLS", true
	}
	return "", false
}
