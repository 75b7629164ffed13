package visit

import (
	"bytes"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/html"

	"github.com/pegel-audit/pegel/audit"
)

// loginAddress says whether a redirect leads to a login, and to which kind.
func loginAddress(to, from *url.URL) (who string, ok bool) {
	query := to.Query()
	host, path := strings.ToLower(to.Hostname()), strings.ToLower(to.Path)
	switch {
	case query.Get("prompt") == "none": // only asks whether somebody is logged in, and comes back if not
		return "", false
	case query.Has("SAMLRequest"), strings.Contains(path, "/protocol/saml"), strings.Contains(path, "/saml2/"), strings.Contains(path, "/saml/"),
		strings.Contains(path, "shibboleth.sso"), strings.Contains(path, "/adfs/ls"), strings.Contains(path, "/simplesaml"):
		return "SAML", true
	case query.Has("client_id") && query.Has("response_type"), strings.Contains(path, "/protocol/openid-connect/auth"),
		strings.Contains(path, "/connect/authorize"), strings.Contains(path, "/oauth/authorize"), strings.HasSuffix(path, "/v2.0/authorize"):
		return "OpenID Connect", true
	case oauthPath.MatchString(path):
		return "OAuth 2", true
	case strings.HasPrefix(path, "/dex/auth"):
		return "Dex", true
	}
	for _, p := range providers {
		if host == p || strings.HasSuffix(host, "."+p) {
			return p, true
		}
	}
	label, _, _ := strings.Cut(host, ".")
	if !strings.EqualFold(from.Hostname(), host) && loginHost.MatchString(label) {
		return "the login server " + host, true
	}
	if loginPath.MatchString(path) {
		return line(to.Hostname()+to.Path, 200), true
	}
	return "", false
}

// providers are hosts that only let people log in.
var providers = []string{
	"login.microsoftonline.com", "login.microsoft.com", "login.live.com", "accounts.google.com", "auth0.com", "okta.com", "onelogin.com",
	"id.atlassian.com", "amazoncognito.com", "cloudflareaccess.com",
}

var (
	// oauthPath are the paths of oauth2-proxy and of authorization servers.
	oauthPath = regexp.MustCompile(`/oauth2/(start|sign_in|auth|authorize|login|authorization)(/|$)|/oauth2/v[0-9.]+/(authorize|auth)(/|$)`)
	loginHost = regexp.MustCompile(`^(login|logon|signin|sso|auth|idp|accounts|keycloak|oidc|saml|cas|dex|authelia|authentik)[0-9]*$`)
	// loginPath are addresses of login forms: the last part says so (Grafana, Django, WordPress, Devise), or the first
	// (Grafana and GitHub: /login/PROVIDER).
	loginPath = regexp.MustCompile(`^/login(/|$)|/(login|log-in|log_in|logon|signin|sign-in|sign_in|anmelden|anmeldung|connexion|sso|wp-login\.php|` +
		`login\.(php|html?|jsp|aspx?|do)|sessions?/new|auth/login)/?$|^/if/flow/`)
	// loginPhrase is what the title or a heading of a login page says, alone or with the name of the service.
	loginPhrase = regexp.MustCompile(`(?i)^(please |bitte |veuillez )?(log ?-?in|log ?on|sign ?-?in|sign ?on|single sign-?on|sso|anmelden|anmeldung|einloggen|` +
		`(vous )?(se )?(connexion|connecter)|authentication|authentication required|authentifizierung|authentification|s'identifier|` +
		`welcome back|willkommen zurück|inloggen|accedi|iniciar sesión)([ .!]*| (to|into|with|at|for|on|bei|mit|zu|zum|zur|in|im|an|am|à|au|sur|avec|de|du) .*)$`)
	loginEnd = regexp.MustCompile(`(?i)^(\S+ ){1,2}(log ?in|sign ?in|anmeldung|login page)$`)
	// leaving is a script that leads on at once.
	leaving = regexp.MustCompile(`location(?:\.href)?\s*(?:=|\.replace\(|\.assign\()\s*["']([^"']+)["']`)
)

// Sizes that tell a login page from a page with a login beside its content, in letters and digits that a reader sees.
const (
	scarce    = 100  // a page that says nothing
	fewWords  = 250  // a brand, a footer
	someWords = 1200 // a login page with a legal notice
	manyWords = 3000 // a login page that explains the service
	wrapping  = 600  // a form with so much text is the page itself (ASP.NET)
	mostPage  = 1 << 20
)

// loginPage says why an HTML page is a login and not what was asked for; nil if it is none. A page about logins has no form
// for a password; a page with a small form in its header has content beside it.
func loginPage(body []byte, at *url.URL) *audit.Trouble {
	p := readPage(body, at)
	trouble := func(kind, text, settle string) *audit.Trouble {
		return &audit.Trouble{Kind: kind, Text: text, Settle: settle}
	}
	text := p.content()
	switch {
	case p.challenge && text < someWords:
		return trouble(audit.TroubleRobots, "the site lets only browsers in, and keeps programs out", "let programs read the page, or hand it over as a file")
	case p.away != "" && text < fewWords:
		return trouble(audit.TroubleLogin, "the page leads on to a login ("+p.away+")", settleLogin)
	case p.saml:
		return trouble(audit.TroubleLogin, "the page leads on to a login (SAML)", settleLogin)
	case p.password && (p.titled && text < manyWords || p.headed && text < someWords || text < fewWords):
		return trouble(audit.TroubleLogin, "the page asks for a login: it is a form for a password", settleLogin)
	case p.provider && (p.titled || p.headed) && text < someWords, p.provider && p.inForm && text < fewWords:
		return trouble(audit.TroubleLogin, "the page asks for a login with an account elsewhere", settleLogin)
	case p.titled && text < scarce:
		return trouble(audit.TroubleLogin, "the page asks for a login: its title says so, and it shows nothing else", settleLogin)
	}
	return nil
}

// page is what matters of an HTML page for the question whether it is a login.
type page struct {
	titled, headed bool   // title or a heading is that of a login
	password       bool   // a field for a password outside of header and navigation
	saml           bool   // a form that carries a SAML request
	provider       bool   // a link or form outside of header and navigation leads to an identity provider
	inForm         bool   // it is a form
	away           string // where the page leads on by itself, if that is a login
	challenge      bool   // a puzzle for browsers
	outside        int    // letters and digits outside of forms
	longForms      int    // those in forms that wrap the page
	form           int    // those in the form that is read
}

func (p page) content() int { return p.outside + p.longForms }

func readPage(body []byte, at *url.URL) page {
	var p page
	r := pageReader{page: &p, at: at, depth: map[string]int{}}
	z := html.NewTokenizer(bytes.NewReader(body[:min(len(body), mostPage)]))
	z.SetMaxBuf(mostPage)
	for {
		switch z.Next() {
		case html.ErrorToken:
			r.endForm()
			r.endHeading()
			return p
		case html.StartTagToken, html.SelfClosingTagToken:
			r.open(z.Token())
		case html.EndTagToken:
			name, _ := z.TagName()
			r.close(string(name))
		case html.TextToken:
			r.text(z.Text())
		}
	}
}

type pageReader struct {
	*page
	at      *url.URL
	depth   map[string]int // open elements that matter
	heading strings.Builder
}

// beside says whether the reader is in a part of the page that is not its content.
func (r *pageReader) beside() bool {
	return r.depth["header"]+r.depth["nav"]+r.depth["footer"]+r.depth["dialog"]+r.depth["template"] > 0
}

func (r *pageReader) open(t html.Token) {
	attribute := func(name string) string {
		for _, a := range t.Attr {
			if a.Key == name {
				return a.Val
			}
		}
		return ""
	}
	if attribute("id") == "anubis_challenge" {
		r.challenge = true
	}
	switch t.Data {
	case "header", "nav", "footer", "dialog", "template", "script", "style", "noscript":
		if t.Type == html.StartTagToken {
			r.depth[t.Data]++
		}
	case "title", "h1", "h2", "legend":
		r.endHeading()
		r.depth[t.Data] = 1
	case "form":
		r.endForm()
		r.depth["form"] = 1
		r.lead(attribute("action"), true)
	case "a":
		r.lead(attribute("href"), false)
	case "input":
		switch {
		case r.beside():
		case strings.EqualFold(attribute("type"), "password"):
			r.password = true
		case strings.EqualFold(attribute("name"), "SAMLRequest"):
			r.saml = true
		}
	case "meta":
		if strings.EqualFold(attribute("http-equiv"), "refresh") {
			_, target, _ := strings.Cut(attribute("content"), "=")
			r.leave(strings.Trim(target, ` '"`))
		}
	}
}

// lead notes a link or form that leads to an identity provider.
func (r *pageReader) lead(href string, form bool) {
	if href == "" || r.beside() {
		return
	}
	if to, err := r.at.Parse(href); err == nil {
		if _, ok := loginAddress(to, r.at); ok && (to.Host != r.at.Host || to.Path != r.at.Path) {
			r.provider = true
			r.inForm = r.inForm || form
		}
	}
}

// leave notes that the page leads on by itself.
func (r *pageReader) leave(target string) {
	if to, err := r.at.Parse(target); err == nil && target != "" && r.away == "" {
		r.away, _ = loginAddress(to, r.at)
	}
}

func (r *pageReader) close(name string) {
	switch name {
	case "title", "h1", "h2", "legend":
		r.endHeading()
	case "form":
		r.endForm()
	default:
		r.depth[name] = max(0, r.depth[name]-1)
	}
}

func (r *pageReader) text(raw []byte) {
	switch {
	case r.depth["script"] > 0:
		if m := leaving.FindSubmatch(raw); m != nil && len(raw) < 4096 { // in a long script it is one branch of many
			r.leave(string(m[1]))
		}
		return
	case r.depth["style"]+r.depth["noscript"]+r.depth["template"] > 0:
		return
	}
	if r.depth["title"]+r.depth["h1"]+r.depth["h2"]+r.depth["legend"] > 0 && r.heading.Len() < 500 {
		r.heading.Write(raw)
	}
	if r.depth["title"] > 0 || r.beside() {
		return
	}
	n := 0
	for _, c := range string(raw) {
		if c > ' ' {
			n++
		}
	}
	if r.depth["form"] > 0 {
		r.form += n
	} else {
		r.outside += n
	}
}

func (r *pageReader) endForm() {
	if r.form > wrapping {
		r.longForms += r.form
	}
	r.form, r.depth["form"] = 0, 0
}

func (r *pageReader) endHeading() {
	if says := isLoginTitle(html.UnescapeString(r.heading.String())); r.depth["title"] > 0 {
		r.titled = r.titled || says
	} else if !r.beside() {
		r.headed = r.headed || says
	}
	r.heading.Reset()
	for _, name := range []string{"title", "h1", "h2", "legend"} {
		r.depth[name] = 0
	}
}

// isLoginTitle says whether a title, or a part of it between bars or dashes, is that of a login page.
func isLoginTitle(title string) bool {
	parts := strings.FieldsFunc(title, func(r rune) bool { return strings.ContainsRune("|·•»«–—:/", r) })
	if whole := strings.Split(title, " - "); len(whole) > 1 {
		parts = append(parts, whole...)
	}
	for _, part := range parts {
		part = strings.Join(strings.Fields(part), " ")
		if loginPhrase.MatchString(part) || loginEnd.MatchString(part) {
			return true
		}
	}
	return false
}
