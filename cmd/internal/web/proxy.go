package web

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
)

// parseProxy reads the address of a proxy and returns what package http dials for it. Errors never repeat the address,
// which may hold a password.
func parseProxy(text string) (*url.URL, string, error) {
	if text == "" {
		return nil, "", nil
	}
	const want = "the address is not like http://proxy.example:3128"
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" {
		return nil, "", errors.New(want)
	}
	port := u.Port()
	switch u.Scheme {
	case "http":
		port = portOr(port, "80")
	case "https":
		port = portOr(port, "443")
	default:
		return nil, "", fmt.Errorf("scheme %q is neither http nor https", u.Scheme)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return nil, "", errors.New(want)
	}
	if strings.ContainsFunc(u.Hostname(), func(r rune) bool { return r > 0x7e || r <= ' ' }) {
		return nil, "", errors.New("the host name is not written in ASCII")
	}
	return u, net.JoinHostPort(u.Hostname(), port), nil
}

func portOr(port, other string) string {
	if port == "" {
		return other
	}
	return port
}

// checkHost refuses hosts that a proxy would lead to a private address without asking a name server: literal addresses,
// this machine by name, and numbers such as 2130706433 or 0177.1 that some resolvers take for addresses.
func (g *Guard) checkHost(u *url.URL) error {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if addr, err := netip.ParseAddr(host); err == nil {
		port, _ := strconv.ParseUint(u.Port(), 10, 16)
		if port == 0 && u.Scheme == "https" {
			port = 443
		} else if port == 0 {
			port = 80
		}
		return g.check(netip.AddrPortFrom(addr, uint16(port)))
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return refusal{address: host, why: "is a name of this machine; a proxy is not asked for it"}
	}
	if endsInNumber(host) {
		return refusal{address: host, why: "is a number that may stand for any address; write the address in full"}
	}
	return nil
}

// endsInNumber reports whether the last label of a host is a number, which makes it an address for some resolvers.
func endsInNumber(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// maxRoots bounds a file of authorities; that of Debian has 220 kB.
const maxRoots = 4 << 20

// readRoots returns the authorities of the system and those of a PEM file. A file with anything else in it is refused, so
// that a cut or mistaken file is noticed here and not as a failure of every server.
func readRoots(name string) (*x509.CertPool, error) {
	if name == "" {
		return nil, nil
	}
	data, err := readBounded(name)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	n := 0
	for ; ; n++ {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("part %d is a %s, want certificates only", n+1, block.Type)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", n+1, err)
		}
		pool.AddCert(cert)
		data = rest
	}
	if n == 0 {
		return nil, errors.New("there is no PEM certificate in it")
	}
	if strings.Contains(string(data), "-----BEGIN") {
		return nil, fmt.Errorf("the file is cut off or damaged after certificate %d", n)
	}
	return pool, nil
}

// readBounded reads a regular file and keeps the path of this machine out of its errors.
func readBounded(name string) ([]byte, error) {
	info, err := os.Stat(name) // before it is opened, because a pipe would block
	if err != nil {
		return nil, withoutPath(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, withoutPath(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxRoots+1))
	if err != nil {
		return nil, errors.New("it cannot be read to its end")
	}
	if len(data) > maxRoots {
		return nil, fmt.Errorf("it is larger than %d bytes", maxRoots)
	}
	return data, nil
}

func withoutPath(err error) error {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
