package identity

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/pegel-audit/pegel/audit/transparency"
)

// Bounds of one page.
const (
	maxKept  = 100   // lines that are kept
	maxLine  = 1_000 // bytes of one
	maxToken = 1 << 20
)

// protocols are open protocols as pages name them.
var protocols = []struct {
	name string
	word *regexp.Regexp
}{
	{"OpenID Connect", regexp.MustCompile(`(?i)\bopenid[ -]?connect\b|\boidc\b`)},
	{"SAML 2.0", regexp.MustCompile(`(?i)\bsaml(?:[ -]?v?2(?:\.0)?)?\b`)},
}

// federation are words in English, German and French for users who come from another identity provider.
var federation = []struct {
	name string
	word *regexp.Regexp
}{
	{"identity federation", regexp.MustCompile(`(?i)\bidentity federation\b|\bfederated (?:identit(?:y|ies)|log-?in|sign-?in|authentication|users?)\b|\bidentitäts-?föderation\b|\bföderierte[nrs]? (?:identität(?:en)?|anmeldung|benutzer)|\bfédération d['’]identité|\bidentités? fédérées?`)},
	{"an external identity provider", regexp.MustCompile(`(?i)\b(?:external|your own|own|third[ -]party|customer'?s?) (?:identity provider|idp)s?\b|\b(?:externe[nrms]?|eigene[nrms]?) (?:identity[ -]?provider|identitäts-?(?:anbieter|provider)|idp)\w*|\bfournisseurs? d['’]identité (?:externes?|tiers|propres?)|\b(?:propre|votre) fournisseur d['’]identité`)},
	{"identity brokering", regexp.MustCompile(`(?i)\bidentity broker(?:ing|age)?\b|\bidentitäts-?broker`)},
}

var mail = regexp.MustCompile(`[^\s<>"']{1,64}@[^\s<>"']{1,255}`)

// pageOf reads which words a page has.
func pageOf(body []byte) transparency.FederationPage {
	var p transparency.FederationPage
	for _, line := range textOf(body) {
		for _, x := range protocols {
			if x.word.MatchString(line) && !slices.Contains(p.Protocols, x.name) {
				p.Protocols = append(p.Protocols, x.name)
			}
		}
		for _, x := range federation {
			if x.word.MatchString(line) && !slices.Contains(p.Federation, x.name) {
				p.Federation = append(p.Federation, x.name)
			}
		}
	}
	slices.Sort(p.Protocols)
	return p
}

// reducePage keeps the lines that have one of the words, without addresses of mail.
func reducePage(body []byte) []byte {
	var b bytes.Buffer
	kept := 0
	for _, line := range textOf(body) {
		if kept == maxKept || !speaks(line) {
			continue
		}
		kept++
		line = strings.TrimLeft(mail.ReplaceAllString(line, "removed"), "<{ ") // what is kept is text, whatever it began with
		b.WriteString(line[:min(len(line), maxLine)] + "\n")
	}
	if kept == 0 {
		return []byte("(no line of the page speaks of it)\n")
	}
	return bytes.ToValidUTF8(b.Bytes(), nil)
}

func speaks(line string) bool {
	for _, x := range protocols {
		if x.word.MatchString(line) {
			return true
		}
	}
	for _, x := range federation {
		if x.word.MatchString(line) {
			return true
		}
	}
	return false
}

// breaks are elements that end a line of text.
var breaks = []atom.Atom{atom.P, atom.Div, atom.Li, atom.Tr, atom.Br, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Td, atom.Th, atom.Dd, atom.Dt, atom.Title, atom.Section}

// textOf returns the lines of a page or of a plain text.
func textOf(body []byte) []string {
	if !bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		return trimmed(strings.Split(strings.ToValidUTF8(string(body), "\uFFFD"), "\n"))
	}
	z := html.NewTokenizer(bytes.NewReader(body))
	z.SetMaxBuf(maxToken)
	var b strings.Builder
	skip := atom.Atom(0)
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			break
		}
		token := z.Token()
		switch {
		case skip != 0:
			if kind == html.EndTagToken && token.DataAtom == skip {
				skip = 0
			}
		case kind == html.TextToken:
			b.WriteString(strings.ReplaceAll(token.Data, "\n", " "))
		case kind == html.StartTagToken && slices.Contains([]atom.Atom{atom.Script, atom.Style, atom.Template, atom.Svg}, token.DataAtom):
			skip = token.DataAtom
		case slices.Contains(breaks, token.DataAtom):
			b.WriteByte('\n')
		}
	}
	return trimmed(strings.Split(strings.ToValidUTF8(b.String(), "\uFFFD"), "\n"))
}

func trimmed(lines []string) []string {
	var out []string
	for _, line := range lines {
		if line = strings.Join(strings.Fields(plain(strings.ReplaceAll(line, "\t", " "))), " "); line != "" {
			out = append(out, line)
		}
	}
	return out
}
