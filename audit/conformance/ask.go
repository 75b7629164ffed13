package conformance

import (
	"bytes"
	"context"
	"net/url"
	"path"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// Sizes of documents that are read, in bytes.
const (
	mostSmall    = 4 << 20   // product sheets, lists of tests, credentials, guidelines (the largest of 2026 has 0.2 MB)
	mostResults  = 512 << 20 // results of tests: junit files with the logs of failed tests reach hundreds of megabytes
	mostDocument = 64 << 20  // a certificate or an attestation as PDF
)

// asking puts one entry together: every look is written down in order.
type asking struct {
	ctx   context.Context
	world World
	entry *Entry
}

// look asks once; ok says whether the body can be read.
func (a asking) look(r audit.Request) (answer audit.Answer, ok bool) {
	if a.world.Ask == nil {
		answer.URL, answer.Method = r.URL, r.Method
		answer.Trouble = &audit.Trouble{Kind: audit.TroubleOffline, Text: "this run may not ask anybody",
			Settle: "run without --offline, or hand the file over"}
		return answer, false
	}
	answer = a.world.Ask(a.ctx, r)
	if answer.Trouble == nil && looksLikeHTML(answer.Body) {
		answer.Trouble = &audit.Trouble{Kind: audit.TroubleContent, Text: "a web page came instead of " + path.Base(r.URL),
			Settle: "give the address of the file itself, as a program reads it without login"}
	}
	a.entry.Seen = append(a.entry.Seen, answer.Seen)
	a.entry.Handed = a.entry.Handed || answer.Handed != ""
	return answer, answer.Trouble == nil
}

// refuse says that what the newest look brought cannot be read; the look keeps the trouble too.
func (a asking) refuse(what string, err error, settle string) *audit.Trouble {
	t := &audit.Trouble{Kind: audit.TroubleContent, Text: oneLine(what + ": " + err.Error()), Settle: settle}
	if n := len(a.entry.Seen); n > 0 {
		a.entry.Seen[n-1].Trouble = t
	}
	return t
}

// looksLikeHTML tells a web page from the documents that are read here, none of which begins like this.
func looksLikeHTML(body []byte) bool {
	head := bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\ufeff")), " \t\r\n")
	if len(head) > 16 {
		head = head[:16]
	}
	head = bytes.ToLower(head)
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html"))
}

// place is where to look for a target: its address, or the file that was handed over; empty if nothing is named.
func (t Target) place() string {
	if t.URL != "" {
		return t.URL
	}
	return placeOf(t.File)
}

// placeOf is where to ask for a thing of the stack file: an address stays, the name of a file becomes one with the scheme file,
// which is answered from what was handed over.
func placeOf(s string) string {
	if s == "" || strings.Contains(s, "://") {
		return s
	}
	return "file:///" + url.PathEscape(s)
}

// below is the address of a file in a folder, also where the address is that of another file there, or of the web view of a
// repository at GitHub or GitLab, which is HTML.
func below(folder, name string) (string, error) {
	u, err := url.Parse(raw(folder))
	if err != nil {
		return "", err
	}
	if known(path.Base(u.Path)) {
		u.Path = path.Dir(u.Path)
	}
	u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/")+"/"+name, ""
	return u.String(), nil
}

// known are the files of a folder of cncf/k8s-conformance.
func known(name string) bool {
	switch name {
	case fileProduct, fileResults, fileLog, fileReadme:
		return true
	}
	return false
}

// raw turns the web view of a file or folder in a repository into the address of its bytes.
func raw(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	switch {
	case u.Host == "github.com" && len(parts) > 4 && (parts[2] == "tree" || parts[2] == "blob" || parts[2] == "raw"):
		u.Host = "raw.githubusercontent.com"
		u.Path = "/" + strings.Join(append(parts[:2:2], parts[3:]...), "/")
	case strings.Contains(u.Path, "/-/tree/"):
		u.Path = strings.Replace(u.Path, "/-/tree/", "/-/raw/", 1)
	case strings.Contains(u.Path, "/-/blob/"):
		u.Path = strings.Replace(u.Path, "/-/blob/", "/-/raw/", 1)
	default:
		return address
	}
	u.RawPath = ""
	return u.String()
}
