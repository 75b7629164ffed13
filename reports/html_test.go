package reports

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/pegel-audit/pegel/audit"
)

func parseHTML(t testing.TB, data []byte) *html.Node {
	t.Helper()
	n, err := html.Parse(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func elements(n *html.Node) []*html.Node {
	var out []*html.Node
	for d := range n.Descendants() {
		if d.Type == html.ElementNode {
			out = append(out, d)
		}
	}
	return out
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func textIn(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return flow(b.String())
}

// htmlPage is one page that Pegel writes.
type htmlPage struct {
	name string
	data []byte
}

// htmlPages are the reports and the score cards of all samples.
func htmlPages(t testing.TB) []htmlPage {
	var out []htmlPage
	for _, s := range samples() {
		out = append(out, htmlPage{s.name, render(t, "html", s.report)})
	}
	for _, s := range scoreSamples() {
		out = append(out, htmlPage{"scores of " + s.name, renderScore(t, "html", s.projects, Options{})})
	}
	return out
}

func TestHTMLRunsNoScriptAndAsksNobody(t *testing.T) {
	for _, s := range htmlPages(t) {
		doc := parseHTML(t, s.data)
		for _, e := range elements(doc) {
			if slices.Contains([]string{"script", "iframe", "object", "embed", "img", "link", "base", "form", "input", "audio", "video", "source", "use", "image", "foreignobject"}, e.Data) {
				t.Errorf("%s: element %s", s.name, e.Data)
			}
			for _, a := range e.Attr {
				if strings.HasPrefix(a.Key, "on") || slices.Contains([]string{"src", "srcset", "style", "srcdoc", "action", "formaction", "background", "ping"}, a.Key) {
					t.Errorf("%s: attribute %s=%q on %s", s.name, a.Key, a.Val, e.Data)
				}
				if a.Key != "href" || strings.HasPrefix(a.Val, "#") {
					continue
				}
				if u, err := url.Parse(a.Val); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
					t.Errorf("%s: link to %q", s.name, a.Val)
				}
			}
		}
	}
}

func TestTheSecurityPolicyAllowsExactlyOurStyle(t *testing.T) {
	for _, s := range htmlPages(t) {
		data := s.data
		var policies, styles []string
		for _, e := range elements(parseHTML(t, data)) {
			if e.Data == "meta" && attr(e, "http-equiv") == "Content-Security-Policy" {
				policies = append(policies, attr(e, "content"))
			}
		}
		for _, part := range bytes.Split(data, []byte("<style>"))[1:] {
			style, _, _ := bytes.Cut(part, []byte("</style>"))
			sum := sha256.Sum256(style)
			styles = append(styles, base64.StdEncoding.EncodeToString(sum[:]))
		}
		if len(policies) != 1 || len(styles) != 1 {
			t.Fatalf("%s: %d policies and %d styles, want one of each", s.name, len(policies), len(styles))
		}
		want := "default-src 'none'; style-src 'sha256-" + styles[0] + "'; base-uri 'none'; form-action 'none'"
		if policies[0] != want {
			t.Errorf("%s: got %q, want %q", s.name, policies[0], want)
		}
	}
	if regexp.MustCompile(`url\(|@import|@font-face`).MatchString(styleSource) {
		t.Error("the style sheet asks for something outside")
	}
}

func TestTheFirstScreenSaysDecisionLimitsAssessorAndEnd(t *testing.T) {
	doc := parseHTML(t, render(t, "html", releaseSample(24, 4)))
	for _, e := range elements(doc) {
		if e.Data != "header" {
			continue
		}
		got := textIn(e)
		at := 0
		for _, want := range []string{
			"OSISM 9.0.0 is not eligible for SCS-open IaaS and SCS-sovereign IaaS.", "because 3 requirements fail", "redis 7.4.2 and vault 1.19.0", "nexus 3.79.1", "tempest",
			notCertificate, "Self-assessed", "nobody has signed it", "Holds until 2026-12-23",
		} {
			i := strings.Index(got[at:], want)
			if i < 0 {
				t.Fatalf("%q is missing after %q", want, got[:at])
			}
			at += i
		}
		return
	}
	t.Error("there is no header")
}

func TestThePartsStandInTheOrderThatWasPromised(t *testing.T) {
	want := []string{"Levels", "What is missing, and who can act", "What was seen, and what was not", "Intent against fact", "Components", "Upstream projects", "All findings", "Evidence", "Provenance"}
	for _, s := range samples() {
		want := want
		if s.name == "risks" { // only a report with risks has a register
			want = slices.Insert(slices.Clone(want), 6, "Risk register")
		}
		if len(s.report.Crosswalk) > 0 {
			want = slices.Insert(slices.Clone(want), len(want)-2, "Other frameworks")
		}
		if s.report.Operator != nil { // only a cloud has an operator
			want = slices.Insert(slices.Clone(want), slices.Index(want, "All findings"), "Transparency of operations")
		}
		var got []string
		for _, e := range elements(parseHTML(t, render(t, "html", s.report))) {
			if e.Data == "h2" {
				got = append(got, textIn(e))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", s.name, got, want)
		}
	}
}

func TestHTMLCanBeReadByEverybody(t *testing.T) {
	for _, s := range htmlPages(t) {
		doc := parseHTML(t, s.data)
		ids := map[string]bool{}
		level := 0
		for _, e := range elements(doc) {
			if id := attr(e, "id"); id != "" {
				if ids[id] {
					t.Errorf("%s: id %q stands twice", s.name, id)
				}
				ids[id] = true
			}
			switch e.Data {
			case "html":
				if attr(e, "lang") != "en" {
					t.Errorf("%s: language is %q", s.name, attr(e, "lang"))
				}
			case "h1", "h2", "h3", "h4":
				n := int(e.Data[1] - '0')
				if n > level+1 {
					t.Errorf("%s: heading %q skips from level %d to %d", s.name, textIn(e), level, n)
				}
				level = n
			case "th":
				if attr(e, "scope") == "" {
					t.Errorf("%s: a table header without scope: %s", s.name, textIn(e))
				}
			case "svg":
				if attr(e, "aria-hidden") != "true" && (attr(e, "role") != "img" || attr(e, "aria-labelledby") == "") {
					t.Errorf("%s: a drawing that is neither named nor hidden", s.name)
				}
			case "a", "summary":
				if textIn(e) == "" {
					t.Errorf("%s: a %s without text", s.name, e.Data)
				}
			}
			if attr(e, "role") == "region" && (attr(e, "aria-label") == "" || attr(e, "tabindex") != "0") {
				t.Errorf("%s: a scrolling part that the keyboard cannot reach or that has no name", s.name)
			}
		}
		for _, e := range elements(doc) {
			if to, ok := strings.CutPrefix(attr(e, "href"), "#"); ok && !ids[to] {
				t.Errorf("%s: a link to #%s, which is not there", s.name, to)
			}
			for _, id := range strings.Fields(attr(e, "aria-labelledby")) {
				if !ids[id] {
					t.Errorf("%s: named by %q, which is not there", s.name, id)
				}
			}
		}
	}
}

func TestEveryStateIsSaidInWordsNotByColourAlone(t *testing.T) {
	signs := 0
	for _, e := range elements(parseHTML(t, render(t, "html", releaseSample(24, 4)))) {
		if !strings.HasPrefix(attr(e, "class"), "sign ") {
			continue
		}
		signs++
		if words := strings.Fields(textIn(e)); len(words) < 2 {
			t.Errorf("a sign without a word: %q", textIn(e))
		}
	}
	if signs < 50 {
		t.Errorf("only %d signs found", signs)
	}
}

func TestTextHasEnoughContrastInLightAndDark(t *testing.T) {
	themes := regexp.MustCompile(`(?s):root\{(.*?)\}`).FindAllStringSubmatch(styleSource, 2)
	if len(themes) != 2 {
		t.Fatalf("found %d palettes, want light and dark", len(themes))
	}
	for i, theme := range themes {
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+):(#[0-9a-f]+)`).FindAllStringSubmatch(theme[1], -1) {
			colours[m[1]] = m[2]
		}
		for _, pair := range [][2]string{
			{"ink", "paper"}, {"ink", "raised"}, {"soft", "paper"}, {"soft", "raised"}, {"link", "paper"}, {"link", "raised"},
			{"good", "paper"}, {"bad", "paper"}, {"unsure", "paper"}, {"neutral", "paper"}, {"good", "raised"}, {"bad", "raised"}, {"unsure", "raised"}, {"neutral", "raised"},
			{"good", "good-bg"}, {"bad", "bad-bg"}, {"unsure", "unsure-bg"}, {"neutral", "neutral-bg"},
			{"ink", "good-bg"}, {"ink", "bad-bg"}, {"ink", "unsure-bg"}, {"link", "good-bg"}, {"link", "bad-bg"}, {"link", "unsure-bg"},
		} {
			if got := contrast(t, colours[pair[0]], colours[pair[1]]); got < 4.5 {
				t.Errorf("palette %d: %s on %s has contrast %.2f, want at least 4.5", i, pair[0], pair[1], got)
			}
		}
		if got := contrast(t, colours["water"], colours["neutral-bg"]); got < 3 { // WCAG 1.4.11, graphics
			t.Errorf("palette %d: bars have contrast %.2f, want at least 3", i, got)
		}
	}
}

// contrast is the ratio of WCAG 2.2.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	light := func(hex string) float64 {
		hex = strings.TrimPrefix(hex, "#")
		if len(hex) == 3 {
			hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
		}
		var sum float64
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			c := float64(n) / 255
			if c <= 0.04045 {
				c /= 12.92
			} else {
				c = math.Pow((c+0.055)/1.055, 2.4)
			}
			sum += weight * c
		}
		return sum
	}
	x, y := light(a), light(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestAReferenceStackFitsIntoThreeMegabytes(t *testing.T) {
	r := releaseSample(170, 90)
	if len(r.Projects) != 90 || len(r.Findings) < 800 || len(r.Projects[0].Indicators) < 80 {
		t.Fatalf("the sample is too small: %d projects, %d findings", len(r.Projects), len(r.Findings))
	}
	if got := len(render(t, "html", r)); got > 3<<20 {
		t.Errorf("got %d bytes, want at most 3 MiB", got)
	}
}

func TestUnknownScoresAreNotDrawnAsScores(t *testing.T) {
	unknown := barOf(Project{}, Aspect{Aspect: "maturity", Low: 0, High: audit.Full})
	if unknown.Known || unknown.Text != "not known" {
		t.Errorf("got %+v, want no bar and the words not known", unknown)
	}
	full := barOf(Project{}, Aspect{Aspect: "maturity", Low: audit.Full, High: audit.Full})
	if !full.Known || full.X+full.Width != 100 || full.Text != "100" {
		t.Errorf("got %+v, want a mark at the right end", full)
	}
	out := barOf(Project{}, Aspect{Aspect: "maturity", KnockOuts: []string{"AC-01"}})
	if !strings.Contains(out.Text, "knocked out") {
		t.Errorf("got %q, want the words knocked out", out.Text)
	}
}

func TestOriginsLinkToExactlyWhatWasRead(t *testing.T) {
	commit := strings.Repeat("ab", 20)
	for _, c := range []struct {
		name   string
		origin audit.Origin
		want   string
	}{
		{"a file on GitHub", audit.Origin{URL: "https://github.com/osism/release", Commit: commit, Path: "9.0.0/base.yml", Line: 12}, "https://github.com/osism/release/blob/" + commit + "/9.0.0/base.yml#L12"},
		{"a clone address", audit.Origin{URL: "https://github.com/osism/release.git", Commit: commit, Path: "a b"}, "https://github.com/osism/release/blob/" + commit + "/a%20b"},
		{"a file on OpenDev", audit.Origin{URL: "https://opendev.org/openstack/nova", Commit: commit, Path: "LICENSE"}, "https://opendev.org/openstack/nova/src/commit/" + commit + "/LICENSE"},
		{"a file on a GitLab", audit.Origin{URL: "https://gitlab.com/x/y", Commit: commit, Path: "LICENSE"}, "https://gitlab.com/x/y/-/blob/" + commit + "/LICENSE"},
		{"a file on cgit", audit.Origin{URL: "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git", Commit: commit, Path: "MAINTAINERS", Line: 3}, "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git/tree/MAINTAINERS?id=" + commit + "#n3"},
		{"a revision on cgit", audit.Origin{URL: "https://git.zx2c4.com/wireguard-tools", Commit: commit}, "https://git.zx2c4.com/wireguard-tools/tree/?id=" + commit},
		{"a file on gitweb", audit.Origin{URL: "https://git.haproxy.org/git/haproxy.git", Commit: commit, Path: "doc/security.txt"}, "https://git.haproxy.org/?p=haproxy.git;a=blob;hb=" + commit + ";f=doc/security.txt"},
		{"a page of gitweb", audit.Origin{URL: "https://thekelleys.org.uk/gitweb/?p=dnsmasq.git", Commit: commit, Path: "COPYING", Line: 2}, "https://thekelleys.org.uk/gitweb/?p=dnsmasq.git;a=blob;hb=" + commit + ";f=COPYING#l2"},
		{"a revision on gitweb", audit.Origin{URL: "https://git.postgresql.org/git/postgresql.git", Commit: commit}, "https://git.postgresql.org/gitweb/?p=postgresql.git;a=tree;hb=" + commit},
		{"a query that is no project", audit.Origin{URL: "https://git.haproxy.org/?p=x;a=summary", Commit: commit}, "https://git.haproxy.org/?p=x;a=summary"},
		{"a file on gitiles", audit.Origin{URL: "https://boringssl.googlesource.com/boringssl", Commit: commit, Path: "LICENSE", Line: 1}, "https://boringssl.googlesource.com/boringssl/+/" + commit + "/LICENSE#1"},
		{"a file on Bitbucket", audit.Origin{URL: "https://bitbucket.org/x/y", Commit: commit, Path: "LICENSE", Line: 4}, "https://bitbucket.org/x/y/src/" + commit + "/LICENSE#lines-4"},
		{"a file on SourceHut", audit.Origin{URL: "https://git.sr.ht/~x/y", Commit: commit, Path: "COPYING"}, "https://git.sr.ht/~x/y/tree/" + commit + "/item/COPYING"},
		{"a file on Bitbucket Server", audit.Origin{URL: "https://git.zabbix.com/projects/ZBX/repos/zabbix", Commit: commit, Path: "COPYING"}, "https://git.zabbix.com/projects/ZBX/repos/zabbix/browse/COPYING?at=" + commit},
		{"a revision", audit.Origin{URL: "https://github.com/osism/release", Commit: commit}, "https://github.com/osism/release/tree/" + commit},
		{"a page", audit.Origin{URL: "https://status.example.org/history?x=1"}, "https://status.example.org/history?x=1"},
		{"an unknown forge", audit.Origin{URL: "https://git.example.org/x", Commit: commit, Path: "LICENSE"}, "https://git.example.org/x"},
		{"a path that climbs", audit.Origin{URL: "https://github.com/osism/release", Commit: commit, Path: "../../other"}, "https://github.com/osism/release/tree/" + commit},
		{"a commit that is none", audit.Origin{URL: "https://github.com/osism/release", Commit: "../../evil", Path: "x"}, "https://github.com/osism/release"},
		{"a script", audit.Origin{URL: "javascript:alert(1)"}, ""},
		{"data", audit.Origin{URL: "data:text/html,x"}, ""},
		{"a file of this machine", audit.Origin{URL: "file:///etc/passwd"}, ""},
		{"credentials", audit.Origin{URL: "https://user:secret@example.org/"}, ""},
		{"no host", audit.Origin{URL: "https:///x"}, ""},
		{"git protocol", audit.Origin{URL: "git://example.org/x"}, ""},
		{"nothing", audit.Origin{Source: "catalogue"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := originURL(c.origin); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnswersOfInterfacesLeadToPagesForPeople(t *testing.T) {
	for _, c := range []struct{ name, url, want string }{
		{"an answer of GraphQL", "https://api.github.com/graphql", "https://github.com/etcd-io/etcd"},
		{"an answer about a repository", "https://api.github.com/repos/coredns/coredns/actions/runs?per_page=100", "https://github.com/coredns/coredns"},
		{"a list of changes", "https://review.opendev.org/changes/?q=project:openstack/nova&n=500", "https://review.opendev.org/q/project:openstack%2Fnova"},
		{"a tracker", "https://api.launchpad.net/1.0/nova?ws.op=searchTasks", "https://launchpad.net/nova"},
		{"another interface", "https://gitlab.com/api/v4/projects/1", "https://gitlab.com/api/v4/projects/1"},
		{"a script", "javascript:alert(1)", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := pageURL(audit.Origin{URL: c.url}, "https://github.com/etcd-io/etcd"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func FuzzLinksLeadToTheWebOnly(f *testing.F) {
	f.Add("https://github.com/a/b", "abcdef0123", "x/y")
	f.Add("javascript:alert(1)", "", "")
	f.Add("HTTPS://GitHub.com/a\"b", "abcdef0", "\"><script>")
	f.Fuzz(func(t *testing.T, address, commit, path string) {
		got := originURL(audit.Origin{URL: address, Commit: commit, Path: path})
		if got == "" {
			return
		}
		u, err := url.Parse(got)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
			t.Fatalf("got %q", got)
		}
		if was, err := url.Parse(address); err != nil || was.Host != u.Host {
			t.Errorf("got host %q from %q", u.Host, address)
		}
	})
}

// FuzzNamesNeverBecomeMarkup: whatever a name is, the page has the same elements as with a harmless one.
func FuzzNamesNeverBecomeMarkup(f *testing.F) {
	for _, s := range []string{`"><script>alert(1)</script>`, `</style><style>`, `{{.}}`, `</title>`, `</svg>`, `' onclick='x`, "<!--", "]]>", "&lt;", "\x00<b>", "\ufeff<i>"} {
		f.Add(s)
	}
	page := func(t *testing.T, s string) string {
		r := eligibleSample()
		side := &DriftSide{Artifact: r.Artifacts[0].ID, Where: []string{""}}
		r.Drift = []Drift{{Kind: "older", Artifact: r.Artifacts[0].ID, Declared: side, Running: side}}
		sight := &r.Artifacts[0].Sightings[0]
		sight.Hosts = []string{""}
		for _, p := range []*string{&r.Drift[0].Kind, &r.Drift[0].Name, &r.Drift[0].Detail, &r.Drift[0].Open, &side.Reference, &side.Version, &side.Where[0], &r.Undecided,
			&sight.Hosts[0], &sight.Namespace, &sight.Workload, &sight.Reference, &r.Subject.Name, &r.Subject.Operator, &r.Ladder[3].Title, &r.Ladder[2].Reason, &r.Artifacts[0].Name, &r.Artifacts[0].Reference,
			&r.Components[0].Name, &r.Components[0].Licence, &r.Projects[0].Name, &r.Findings[0].Title, &r.Findings[0].Subject.Name, &r.Findings[0].Reason,
			&r.Findings[0].Remedy, &r.Policy.ID, &r.Tool.Version, &r.Projects[0].Indicators[0].Reason, &r.Verdicts[1].Title, &r.Artifacts[0].Sightings[0].Where} {
			*p = "x" + s
		}
		var tags []string
		for _, e := range elements(parseHTML(t, render(t, "html", r))) {
			tag := e.Data
			for _, a := range e.Attr {
				tag += " " + a.Key
			}
			tags = append(tags, tag)
		}
		return strings.Join(tags, "\n")
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := page(t, s), page(t, "harmless"); got != want {
			t.Errorf("%q changes the elements of the page", s)
		}
	})
}

// TestNoScriptRunsInABrowser opens the hostile report in a real browser. It needs a Chromium on the machine and is
// skipped without one, also in CI: the tests above prove the same from the bytes, and Chromium is a large package for
// one confirmation.
func TestNoScriptRunsInABrowser(t *testing.T) {
	chromium := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			chromium = path
			break
		}
	}
	if chromium == "" {
		t.Skip("no chromium on this machine")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "hostile.html")
	if err := os.WriteFile(file, render(t, "html", hostileSample()), 0o600); err != nil {
		t.Fatal(err)
	}
	probe := filepath.Join(dir, "probe.html") // shows that a script would be seen
	if err := os.WriteFile(probe, []byte(`<title>x</title><script>document.title="`+canaryTitle+`"</script>`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := titleIn(t, chromium, dir, probe); got != canaryTitle {
		t.Skipf("this browser does not run the probe's script: its title is %q", got)
	}
	want := fmt.Sprintf("%s: audit report of 2026-11-23", hostileSample().Subject.Name)
	if got := titleIn(t, chromium, dir, file); got != flow(want) {
		t.Errorf("got title %q, want %q", got, want)
	}
}

// titleIn returns the title of a page after the browser has run it.
func titleIn(t *testing.T, chromium, dir, file string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir="+filepath.Join(dir, "profile"), "--dump-dom", "file://"+file).Output()
	if err != nil {
		t.Skipf("the browser does not start here: %v", err)
	}
	for _, e := range elements(parseHTML(t, out)) {
		if e.Data == "title" && e.Parent != nil && e.Parent.Data == "head" {
			return textIn(e)
		}
	}
	return ""
}

func BenchmarkFormats(b *testing.B) {
	r := releaseSample(170, 90)
	for _, f := range Formats() {
		b.Run(f.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.SetBytes(int64(len(render(b, f.Name, r))))
			}
		})
	}
	b.Run("redact", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Redact(r)
		}
	})
}
