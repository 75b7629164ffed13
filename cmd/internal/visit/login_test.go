package visit

import (
	"net/url"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
)

const lorem = "<p>On the second of March block storage in region one was slow for two hours. We describe what happened, when, and what we changed since. "

// filler is a text of about n letters.
func filler(n int) string { return strings.Repeat(lorem, n/110+1) }

// The pages below are written for these tests after the shapes of Keycloak 26 (themes/base/login/login.ftl), Dex
// (web/templates/login.html, password.html), oauth2-proxy (pkg/app/pagewriter/sign_in.html), Grafana (public/views/index.html),
// Horizon (auth/_login_page.html), GitLab (devise/sessions/new.html.haml), Authelia and Anubis.
func TestLoginPagesAreTold(t *testing.T) {
	tests := map[string]string{
		"Keycloak": `<!DOCTYPE html><html class="login-pf"><head><title>Sign in to example-cloud</title></head><body><div id="kc-header">example-cloud</div>
			<h1 id="kc-page-title">Sign in to your account</h1><form id="kc-form-login" action="https://id.example.org/realms/x/login-actions/authenticate" method="post">
			<label>Username or email</label><input name="username"><label>Password</label><input name="password" type="password"><input type="submit" value="Sign In"></form></body></html>`,
		"Dex, choice of connectors": `<html><head><title>dex</title></head><body><h2 class="theme-heading">Log in to dex </h2><div><a href="/dex/auth/github?req=abc">Log in with GitHub</a></div></body></html>`,
		"Dex, password": `<html><head><title>dex</title></head><body><h2>Log in to Your Account</h2><form method="post"><label>Email Address</label><input name="login">
			<input id="password" type="PASSWORD"><button>Login</button></form></body></html>`,
		"oauth2-proxy": `<!DOCTYPE html><html lang="en"><head><title>Sign In</title></head><body><section><form method="GET" action="/oauth2/start"><input type="hidden" name="rd" value="/">
			<button type="submit">Sign in with OpenID Connect</button></form></section><footer>Secured with OAuth2 Proxy</footer></body></html>`,
		"a form without a title": `<html><body><img src="logo.png"><form action="check"><input name="u"><input type="password" name="p"><button>OK</button></form></body></html>`,
		"Horizon in German": `<!DOCTYPE html><html><head><title>Anmelden - OpenStack Dashboard</title></head><body id="splash"><form method="POST"><fieldset><legend>Anmelden</legend>
			<label>Benutzername</label><input name="username"><input name="password" type="password"><button>Anmelden</button></fieldset></form></body></html>`,
		"GitLab with a legal text": `<html><head><title>Sign in · GitLab</title></head><body><h3>Community</h3>` + filler(1500) + `<form action="/users/sign_in"><input type="password"></form></body></html>`,
		"a page in one form (ASP.NET)": `<html><head><title>Portal</title></head><body><form id="aspnetForm"><h1>Anmeldung</h1><p>Bitte melden Sie sich mit Ihrem Benutzernamen an.</p>
			<input type="password"><p>` + strings.Repeat("Hinweis zum Datenschutz. ", 35) + `</form></body></html>`,
		"an application that says so in its title": `<!doctype html><html><head><title>Login - Authelia</title></head><body><div id="root"></div><script src="a.js"></script></body></html>`,
		"a form that posts itself (SAML)":          `<html><body onload="document.forms[0].submit()"><form method="post" action="https://idp.example.org/x"><input type="hidden" name="SAMLRequest" value="a"></form></body></html>`,
		"meta refresh":                             `<html><head><meta http-equiv="Refresh" content="0; URL='https://id.example.org/realms/x/protocol/openid-connect/auth?client_id=a'"></head><body>Redirecting</body></html>`,
		"a script that leads on":                   `<html><body><script>window.location.href = "/login?next=" + location.pathname</script></body></html>`,
		"French":                                   `<html><head><title>Connexion</title></head><body><h1>Se connecter</h1><form><label>Mot de passe</label><input type=password></form></body></html>`,
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			at, _ := url.Parse("https://monitor.example.org/d/abc")
			trouble := readable("text/html", "text/html", []byte(body), at)
			if trouble == nil || trouble.Kind != audit.TroubleLogin || trouble.Outcome() != audit.FAIL {
				t.Errorf("trouble %+v, want a login", trouble)
			}
			if trouble = readable("application/json", "text/html", []byte(body), at); trouble == nil || trouble.Kind != audit.TroubleLogin {
				t.Errorf("where JSON was asked: trouble %+v, want a login", trouble)
			}
			if trouble = readable("application/json", "application/json", []byte(body), at); trouble == nil || trouble.Kind != audit.TroubleLogin {
				t.Errorf("under a wrong name: trouble %+v, want a login", trouble)
			}
		})
	}
}

func TestPagesWithALoginBesideTheirContentAreNone(t *testing.T) {
	header := `<header><a href="/login">Log in</a><form action="/login"><input name=u><input type="password"><button>Sign in</button></form></header>`
	components := `<main><h1>All systems operational</h1><ul><li>Compute</li><li>Block storage</li><li>Object storage</li></ul></main>`
	tests := map[string]string{
		"a blog that speaks about a login": `<html><head><title>Why the login failed - Example blog</title></head><body><h1>Login outage on 2 March</h1>` + filler(2000) + `</body></html>`,
		"a short note about a login":       `<html><head><title>Status</title></head><body><p>Login works again.</p><a href="https://github.com/login">GitHub</a></body></html>`,
		"a form in the header":             `<html><head><title>Status of example-cloud</title></head><body>` + header + components + `</body></html>`,
		"a form in the navigation":         `<html><head><title>Status</title></head><body>` + strings.ReplaceAll(header, "header", "nav") + components + `</body></html>`,
		"a form in a plain box, and content": `<html><head><title>Status</title></head><body><div class=top><form action="/session"><input type="password"></form></div><h1>Incidents</h1>` +
			filler(600) + `</body></html>`,
		"a form in a dialog":              `<html><head><title>Status</title></head><body><dialog><h2>Log in</h2><form><input type="password"></form></dialog>` + components + `</body></html>`,
		"a runbook how to log in":         `<html><head><title>Log in to the manager node - Runbooks</title></head><body><h1>Log in to the manager node</h1>` + filler(1500) + `</body></html>`,
		"a status page that offers login": `<html><head><title>Status</title></head><body><a href="/users/sign_in">Sign in</a>` + components + `</body></html>`,
		"a script with many branches":     `<html><head><title>Grafana</title></head><body><div id="reactRoot"></div><script>` + strings.Repeat("var a=1;", 1000) + `if(x){location.href="/login"}</script></body></html>`,
		"a page of an application":        `<html><head><title>Grafana</title></head><body><div id="reactRoot"></div></body></html>`,
		"a subscription with a password":  `<html><head><title>Incident history</title></head><body><h1>Incident history</h1>` + filler(700) + `<form><input type=email><input type=password></form></body></html>`,
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			at, _ := url.Parse("https://status.example.org/")
			if trouble := readable("text/html", "text/html", []byte(body), at); trouble != nil {
				t.Errorf("trouble %+v, want none", trouble)
			}
			if trouble := readable("application/json", "text/html", []byte(body), at); trouble == nil || trouble.Kind != audit.TroubleContent || trouble.Outcome() != audit.DNF {
				t.Errorf("where JSON was asked: trouble %+v, want another kind of document", trouble)
			}
		})
	}
}

func TestRedirectsToALoginAreTold(t *testing.T) {
	for _, to := range []string{
		"/login", "/login?redirectTo=%2Fd%2Fabc", "/login/generic_oauth", "/users/sign_in", "/user/login", "/wp-login.php?redirect_to=x", "/accounts/login/?next=/", "/session/new",
		"/oauth2/start?rd=%2F", "/oauth2/sign_in", "/dex/auth?client_id=grafana", "https://login.microsoftonline.com/x/oauth2/v2.0/authorize?client_id=a",
		"https://accounts.google.com/o/oauth2/v2/auth", "https://github.com/login/oauth/authorize?client_id=a", "https://github.com/login?return_to=x",
		"https://keycloak.example.org/realms/x/protocol/openid-connect/auth?a", "https://id.example.org/auth/realms/x/protocol/saml?b", "https://anything.example.org/x?SAMLRequest=abc",
		"https://anything.example.org/x?client_id=a&response_type=code", "https://login.example.org/", "https://sso2.example.org/x", "https://x.okta.com/app/1",
		"https://team.cloudflareaccess.com/cdn-cgi/access/login/x", "https://adfs.example.org/adfs/ls/?wa=wsignin1.0", "https://a.example.org/if/flow/default/",
	} {
		from, _ := url.Parse("https://monitor.example.org/d/abc")
		next, trouble := redirected(from, to)
		if trouble == nil || trouble.Kind != audit.TroubleLogin || strings.Contains(trouble.Text, "client_id") {
			t.Errorf("%s: %v, %+v, want a login", to, next, trouble)
		}
	}
	for _, to := range []string{
		"/status/", "https://status2.example.org/", "/docs/login-troubles", "/blog/login-outage", "https://www.example.org/", "/incidents/sso-outage", "/d/abc/login-errors",
		"https://id.atlassian.com/login?prompt=none&continue=x", "https://author.example.org/", "https://authors.example.org/",
	} {
		from, _ := url.Parse("https://monitor.example.org/d/abc")
		if _, trouble := redirected(from, to); trouble != nil {
			t.Errorf("%s: %+v, want none", to, trouble)
		}
	}
}

func TestAPuzzleForBrowsersIsNoLogin(t *testing.T) {
	at, _ := url.Parse("https://status.example.org/")
	body := `<!doctype html><html><head><title>Making sure you're not a bot!</title><script id="anubis_challenge" type="application/json">{}</script></head><body><p>Loading</p></body></html>`
	if trouble := readable("", "text/html", []byte(body), at); trouble == nil || trouble.Kind != audit.TroubleRobots || trouble.Outcome() != audit.MISS {
		t.Errorf("trouble %+v", trouble)
	}
}

func TestTheKindOfADocumentIsChecked(t *testing.T) {
	at, _ := url.Parse("https://status.example.org/")
	tests := []struct {
		name, accept, media, body string
		ok                        bool
	}{
		{"JSON as JSON", "application/json", "application/json", "{}", true},
		{"JSON as text", "application/json", "text/plain", " [1]", true},
		{"JSON under a name of its own", "application/json", "application/problem+json", "{}", true},
		{"JSON without a name", "application/json", "", "{}", true},
		{"broken JSON is for the caller", "application/json", "application/json", "oops", true},
		{"text where JSON was asked", "application/json", "text/plain", "oops", false},
		{"an image where JSON was asked", "application/json", "image/png", "\x89PNG", false},
		{"a feed under any XML name", "application/rss+xml, application/atom+xml", "text/xml", "<?xml version='1.0'?><rss/>", true},
		{"a feed as HTML", "application/rss+xml", "text/html", "<rss/>", true},
		{"JSON where a feed was asked", "application/rss+xml", "application/json", "{}", false},
		{"either of two", "application/json, application/xml;q=0.5", "text/xml", "<feed/>", true},
		{"anything", "*/*", "image/png", "\x89PNG", true},
		{"anything beside", "application/json, */*", "image/png", "\x89PNG", true},
		{"anything with a low weight is not meant", "application/json, */*;q=0.1", "image/png", "\x89PNG", false},
		{"text", "text/plain", "text/plain; charset=utf-8", "Contact: x", true},
		{"text as bytes", "text/plain", "application/octet-stream", "Contact: x", true},
		{"an HTML page where text was asked", "text/plain", "text/html", "<!doctype html><p>Not here", false},
		{"an HTML page as text where text was asked", "text/plain", "text/plain", "<!-- x --><html><p>Not here", false},
		{"HTML", "text/html", "text/html", "<!doctype html><p>Here", true},
		{"HTML without a beginning", "text/html", "text/html", "<p>Here", true},
		{"Markdown as text", "text/markdown", "text/plain", "# Here", true},
		{"a family", "text/*", "text/csv", "a,b", true},
		{"blanks only", "", "text/plain", " \n\t ", false},
		{"nothing", "", "text/html", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			trouble := readable(tt.accept, mediaType(tt.media), []byte(tt.body), at)
			if (trouble == nil) != tt.ok || trouble != nil && trouble.Kind != audit.TroubleContent {
				t.Errorf("trouble %+v, want one: %v", trouble, !tt.ok)
			}
		})
	}
}

// FuzzLoginPage checks that content beside a page decides: a page without a field for a password, a form or a link is no
// login once it shows much.
func FuzzLoginPage(f *testing.F) {
	f.Add("<title>Login</title><h1>Sign in</h1>")
	f.Add("<header><form><input type=password>")
	at, _ := url.Parse("https://status.example.org/")
	f.Fuzz(func(t *testing.T, begin string) {
		if len(begin) > 10000 || strings.Contains(begin, "<") && strings.ContainsAny(begin, "!\"'") {
			return
		}
		trouble := loginPage([]byte("<html><body><p>"+filler(4000)+"</p>"+begin+"</body></html>"), at)
		lower := strings.ToLower(begin)
		if trouble != nil && !strings.Contains(lower, "samlrequest") {
			t.Errorf("%q: %+v", begin, trouble)
		}
	})
}
