package visit_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/cmd/internal/visit"
	"github.com/pegel-audit/pegel/cmd/internal/web"
)

// authority signs certificates for a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of a test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().AddDate(-2, 0, 0), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return authority{cert, key, file}
}

// serve answers over TLS with a certificate for 127.0.0.1, which the caller may change.
func (a authority) serve(t *testing.T, h http.HandlerFunc, change func(*x509.Certificate, *tls.Config)) string {
	t.Helper()
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	config := &tls.Config{}
	if change != nil {
		change(leaf, config)
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, a.cert, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	config.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: a.key}}
	server := httptest.NewUnstartedServer(h)
	server.TLS = config
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

func TestCertificatesThatDoNotHoldAreNamed(t *testing.T) {
	a := newAuthority(t)
	here := func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "here") }
	v := visitor(t, func(o *visit.Options) { o.Client = client(t, web.Options{CAFile: a.file}, "127.0.0.0/8") })
	if seen := get(t, v, a.serve(t, here, nil)); seen.Trouble != nil {
		t.Fatalf("a good certificate: %s", seen.Trouble.Text)
	}
	expired := a.serve(t, here, func(c *x509.Certificate, _ *tls.Config) {
		c.NotBefore, c.NotAfter = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 4, 1, 0, 0, 0, 0, time.UTC)
	})
	seen := get(t, v, expired)
	wantTrouble(t, seen, audit.TroubleTLS, "the certificate of 127.0.0.1 expired on 2025-04-01")
	if seen.Trouble.Outcome() != audit.DNF {
		t.Errorf("outcome %s, want DNF", seen.Trouble.Outcome())
	}
	early := a.serve(t, here, func(c *x509.Certificate, _ *tls.Config) {
		c.NotBefore, c.NotAfter = time.Now().AddDate(1, 0, 0), time.Now().AddDate(2, 0, 0)
	})
	wantTrouble(t, get(t, v, early), audit.TroubleTLS, "is not valid before "+time.Now().UTC().AddDate(1, 0, 0).Format("2006"))
	other := a.serve(t, here, func(c *x509.Certificate, _ *tls.Config) { c.IPAddresses, c.DNSNames = nil, []string{"other.example"} })
	wantTrouble(t, get(t, v, other), audit.TroubleTLS, "for another name than 127.0.0.1")
	wantTrouble(t, get(t, visitor(t, nil), a.serve(t, here, nil)), audit.TroubleTLS, "authority that nobody knows")
	old := a.serve(t, here, func(_ *x509.Certificate, c *tls.Config) {
		c.MaxVersion = tls.VersionTLS11
		c.MinVersion = tls.VersionTLS10
	})
	wantTrouble(t, get(t, v, old), audit.TroubleTLS, "no secure connection")
	plain := serve(t, "127.0.0.1", here)
	wantTrouble(t, get(t, v, strings.Replace(plain, "http:", "https:", 1)), audit.TroubleTLS, "does not speak TLS")
}

func TestARedirectNeverLeavesTLS(t *testing.T) {
	a := newAuthority(t)
	plain := serve(t, "127.0.0.2", func(http.ResponseWriter, *http.Request) { t.Error("the plain server was reached") })
	address := a.serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		http.Redirect(w, r, plain, http.StatusFound)
	}, nil)
	v := visitor(t, func(o *visit.Options) { o.Client = client(t, web.Options{CAFile: a.file}, "127.0.0.0/8") })
	wantTrouble(t, get(t, v, address), audit.TroubleRedirects, "from https to http")
}
