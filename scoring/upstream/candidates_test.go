package upstream

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

func TestEachRuleLeadsWhereItSays(t *testing.T) {
	c := load(t)
	for _, tt := range []struct {
		name string
		part Part
		want string // repository, folder, rule, confidence
	}{
		{"the catalogue by package", Part{Kind: PartPURL, Name: "pkg:deb/debian/haproxy@2.6"}, "https://git.haproxy.org/git/haproxy.git  purl high"},
		{"the table by source package", Part{Kind: PartPURL, Name: "pkg:deb/debian/libc6@2.36-9?upstream=glibc"}, "https://sourceware.org/git/glibc.git  table high"},
		{"the table by a name with a version in it", Part{Kind: PartPURL, Name: "pkg:deb/ubuntu/libgcc-s1@14-1?upstream=gcc-14"}, "https://gcc.gnu.org/git/gcc.git  table high"},
		{"the table by package of PyPI, however it is written", Part{Kind: PartPURL, Name: "pkg:pypi/Zope.Interface@6.0"},
			"https://github.com/zopefoundation/zope.interface  table high"},
		{"a home page that is a repository", Part{Kind: PartPURL, Name: "pkg:deb/debian/exampled@1", Claims: []Claim{{Kind: ClaimHomepage, Value: "http://github.com/example/exampled/wiki"}}},
			"https://github.com/example/exampled  homepage medium"},
		{"Source of a copyright file", Part{Kind: PartDeb, Name: "exampled", Claims: []Claim{{Kind: ClaimCopyright, Value: "git://git.kernel.org/pub/scm/x/exampled.git/tree/README"}}},
			"https://git.kernel.org/pub/scm/x/exampled.git  copyright medium"},
		{"a Project-URL of the sources", Part{Kind: PartPURL, Name: "pkg:pypi/exampled@1", Claims: []Claim{{Kind: ClaimRepository, Value: "https://gitlab.com/example/group/exampled/-/tree/main"}}},
			"https://gitlab.com/example/group/exampled  repository medium"},
		{"repository of npm in short", Part{Kind: PartPURL, Name: "pkg:npm/exampled@1", Claims: []Claim{{Kind: ClaimRepository, Value: "example/exampled"}}},
			"https://github.com/example/exampled  repository medium"},
		{"repository of npm by ssh, with folder", Part{Kind: PartPURL, Name: "pkg:npm/exampled@1", Claims: []Claim{{Kind: ClaimRepository, Value: "git+ssh://git@github.com/example/mono.git", Path: "packages/a"}}},
			"https://github.com/example/mono packages/a repository medium"},
		{"scm of Maven", Part{Kind: PartPURL, Name: "pkg:maven/org.example/exampled@1", Claims: []Claim{{Kind: ClaimRepository, Value: "scm:git:git@github.com:example/exampled.git"}}},
			"https://github.com/example/exampled  repository medium"},
		{"the table by group of Maven", Part{Kind: PartPURL, Name: "pkg:maven/io.netty/netty-resolver-dns@4.1.100"}, "https://github.com/netty/netty  table high"},
		{"a repository on an unknown host, in its own field", Part{Kind: PartPURL, Name: "pkg:npm/exampled@1", Claims: []Claim{{Kind: ClaimRepository, Value: "https://code.example.org/exampled"}}},
			"https://code.example.org/exampled  repository medium"},
		{"the same as a home page is none", Part{Kind: PartPURL, Name: "pkg:npm/exampled@1", Claims: []Claim{{Kind: ClaimHomepage, Value: "https://code.example.org/exampled"}}}, ""},
		{"a home page of the table", Part{Kind: PartPURL, Name: "pkg:pypi/exampled@1", Claims: []Claim{{Kind: ClaimHomepage, Value: "http://www.sqlalchemy.org/"}}},
			"https://github.com/sqlalchemy/sqlalchemy  site medium"},
		{"a page below it", Part{Kind: PartPURL, Name: "pkg:deb/debian/exampled@1", Claims: []Claim{{Kind: ClaimHomepage, Value: "https://www.gnu.org/software/gawk/manual/"}}},
			"https://git.savannah.gnu.org/git/gawk.git  site medium"},
		{"a page of a package index", Part{Kind: PartPURL, Name: "pkg:deb/debian/exampled@1", Claims: []Claim{{Kind: ClaimHomepage, Value: "http://pypi.python.org/pypi/Flask"}}},
			"https://github.com/pallets/flask  site medium"},
		{"pages of GitHub", Part{Kind: PartPURL, Name: "pkg:deb/debian/exampled@1", Claims: []Claim{{Kind: ClaimHomepage, Value: "https://example.github.io/exampled/"}}},
			"https://github.com/example/exampled  site low"},
		{"software of GNU", Part{Kind: PartPURL, Name: "pkg:deb/debian/exampled@1", Claims: []Claim{{Kind: ClaimHomepage, Value: "https://www.gnu.org/software/exampled/"}}},
			"https://git.savannah.gnu.org/git/exampled.git  site low"},
		{"an OpenStack deb with a page of OpenStack", Part{Kind: PartPURL, Name: "pkg:deb/debian/python3-automaton@3", Source: "python-automaton", Claims: []Claim{{Kind: ClaimHomepage, Value: "http://www.openstack.org/"}}},
			"https://opendev.org/openstack/automaton  openstack high"},
		{"the same without", Part{Kind: PartPURL, Name: "pkg:deb/debian/python3-automaton@3", Source: "python-automaton"}, "https://opendev.org/openstack/automaton  openstack low"},
		{"an OpenStack library of PyPI", Part{Kind: PartPURL, Name: "pkg:pypi/oslo_messaging@14"}, "https://opendev.org/openstack/oslo.messaging  openstack medium"},
		{"a module on a forge", Part{Kind: PartPURL, Name: "pkg:golang/github.com/example/mod/v2/sub@v2.1.0"}, "https://github.com/example/mod sub go-module high"},
		{"gopkg.in with one name", Part{Kind: PartPURL, Name: "pkg:golang/gopkg.in/tomb.v1@v1.0.0"}, "https://github.com/go-tomb/tomb  vanity high"},
		{"gopkg.in with two", Part{Kind: PartPURL, Name: "pkg:golang/gopkg.in/example/thing.v3@v3.0.0"}, "https://github.com/example/thing  vanity high"},
		{"golang.org/x", Part{Kind: PartPURL, Name: "pkg:golang/golang.org/x/exp/typeparams@v0.0.0"}, "https://go.googlesource.com/exp typeparams vanity high"},
		{"google.golang.org", Part{Kind: PartPURL, Name: "pkg:golang/google.golang.org/genproto/googleapis/rpc@v0.0.0"}, "https://github.com/googleapis/go-genproto googleapis/rpc vanity high"},
		{"go.uber.org", Part{Kind: PartPURL, Name: "pkg:golang/go.uber.org/zap@v1.27.0"}, "https://github.com/uber-go/zap  vanity high"},
		{"sigs.k8s.io", Part{Kind: PartPURL, Name: "pkg:golang/sigs.k8s.io/structured-merge-diff/v4@v4.4.1"}, "https://github.com/kubernetes-sigs/structured-merge-diff  vanity high"},
		{"go.etcd.io", Part{Kind: PartPURL, Name: "pkg:golang/go.etcd.io/bbolt@v1.3.9"}, "https://github.com/etcd-io/bbolt  vanity high"},
		{"the standard library", Part{Kind: PartPURL, Name: "pkg:golang/stdlib@1.26.0"}, "https://go.googlesource.com/go  vanity high"},
		{"an unknown vanity path", Part{Kind: PartPURL, Name: "pkg:golang/go.example.org/thing@v1.0.0"}, ""},
		{"the label of an image", Part{Kind: PartImage, Name: "registry.example.org/x:1", Claims: []Claim{{Kind: ClaimLabel, Value: "https://github.com/example/build"}}},
			"https://github.com/example/build  label low"},
		{"a purl that is a repository", Part{Kind: PartPURL, Name: "pkg:github/example/thing@v1"}, "https://github.com/example/thing  purl medium"},
		{"a purl that names one", Part{Kind: PartPURL, Name: "pkg:generic/thing@1?vcs_url=git%2Bhttps://codeberg.org/example/thing%401f0c"}, "https://codeberg.org/example/thing  purl medium"},
	} {
		part := tt.part
		part.Subject = "subject"
		got := ""
		if l, ok := c.Locate(part); ok {
			got = strings.Join([]string{l.Repo, l.Path, l.Rule, l.Confidence}, " ")
			if l.Subject != "subject" {
				t.Errorf("%s: subject is %q", tt.name, l.Subject)
			}
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestMovedRepositoriesAndMirrorsShowTheStep(t *testing.T) {
	c := load(t)
	for _, tt := range []struct {
		name, address, repo string
		steps               []string
	}{
		{"renamed owner", "https://github.com/google/protobuf", "https://github.com/protocolbuffers/protobuf", []string{"moved https://github.com/google/protobuf"}},
		{"mirror with a star", "https://github.com/openstack/automaton.git", "https://opendev.org/openstack/automaton", []string{"mirror https://github.com/openstack/automaton"}},
		{"moved onto a mirror's side", "https://github.com/stackforge/automaton", "https://opendev.org/openstack/automaton", []string{"mirror https://github.com/stackforge/automaton"}},
		{"mirror of the catalogue", "https://github.com/openstack/nova", "https://opendev.org/openstack/nova", []string{"mirror https://github.com/openstack/nova"}},
		{"a mirror of one part of a monorepo", "https://github.com/kubernetes/client-go", "https://github.com/kubernetes/kubernetes", []string{"mirror https://github.com/kubernetes/client-go"}},
		{"neither", "https://github.com/example/thing", "https://github.com/example/thing", nil},
	} {
		l, _ := c.Locate(Part{Subject: "x", Kind: PartDeb, Name: "exampled", Claims: []Claim{{Kind: ClaimHomepage, Value: tt.address}}})
		var steps []string
		for _, s := range l.Steps {
			steps = append(steps, s.What+" "+s.Name)
			if s.Origin.Source == "" || s.Origin.Digest == "" {
				t.Errorf("%s: step without origin: %+v", tt.name, s)
			}
		}
		if l.Repo != tt.repo || !slices.Equal(steps, tt.steps) {
			t.Errorf("%s: got %q by %q, want %q by %q", tt.name, l.Repo, steps, tt.repo, tt.steps)
		}
	}
}

func TestEvidenceOfAMirrorLeadsToTheTrueHome(t *testing.T) {
	c := load(t)
	tree := func(gerrit string) audit.Fact[scoring.Tree] { return audit.Known(scoring.Tree{GerritProject: gerrit}) }
	mirror := func(of string) audit.Fact[scoring.Home] {
		return audit.Known(scoring.Home{Forge: "github", MirrorOf: audit.Known(of, audit.Origin{Source: "github", URL: "https://api.github.com/graphql"})})
	}
	for _, tt := range []struct {
		name string
		e    scoring.Evidence
		want string
		what []string
	}{
		{"a .gitreview file", scoring.Evidence{Repo: "https://github.com/example/automaton", Tree: tree("review.opendev.org/openstack/automaton.git")},
			"https://opendev.org/openstack/automaton", []string{".gitreview"}},
		{"a .gitreview file in the home itself", scoring.Evidence{Repo: "https://opendev.org/openstack/nova", Tree: tree("review.opendev.org/openstack/nova.git")},
			"https://opendev.org/openstack/nova", nil},
		{"of a server that is not known", scoring.Evidence{Repo: "https://github.com/example/x", Tree: tree("review.example.org/x.git")}, "https://github.com/example/x", nil},
		{"that climbs", scoring.Evidence{Repo: "https://github.com/example/x", Tree: tree("review.opendev.org/../../etc")}, "https://github.com/example/x", nil},
		{"the forge says so", scoring.Evidence{Repo: "https://github.com/example/x", Home: mirror("https://gitlab.com/example/x.git")}, "https://gitlab.com/example/x", []string{"mirror"}},
		{"and that one moved", scoring.Evidence{Repo: "https://github.com/example/protobuf", Home: mirror("https://github.com/google/protobuf")},
			"https://github.com/protocolbuffers/protobuf", []string{"mirror", "moved"}},
		{"the forge says that it is none", scoring.Evidence{Repo: "https://github.com/example/x", Home: mirror("")}, "https://github.com/example/x", nil},
		{"the forge passes on what is no address", scoring.Evidence{Repo: "https://github.com/example/x", Home: mirror("file:///etc/passwd")}, "https://github.com/example/x", nil},
		{"the catalogue", scoring.Evidence{Repo: "https://github.com/openstack/keystone"}, "https://opendev.org/openstack/keystone", []string{"mirror"}},
		{"nothing is known", scoring.Evidence{}, "https://github.com/example/declared", nil},
	} {
		got := c.TrueHome(scoring.Project{Repo: "https://github.com/example/declared"}, tt.e)
		var what []string
		for _, s := range got.Steps {
			what = append(what, s.What)
		}
		if got.Repo != tt.want || !slices.Equal(what, tt.what) {
			t.Errorf("%s: got %q by %q, want %q by %q", tt.name, got.Repo, what, tt.want, tt.what)
		}
	}
}

// hostile are addresses that never become the address of a project.
var hostile = []string{
	"javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "ftp://ftp.example.org/x", "https://user:secret@github.com/example/x",
	"https://token@github.com/example/x", "http://git@github.com/example/x", "https://github.com/example/x\x00", "https://github.com/example/x\r\nHost: y",
	"https://github.com/exam\x1b[31mple/x", "https://[::1]/example/x.git", "https://[2001:db8::1]/example/x.git", "https://127.0.0.1/example/x.git",
	"https://169.254.169.254/latest/x.git", "https://0x7f.1/x/y.git", "https://2130706433/x/y.git", "https://localhost/example/x.git", "https://git.internal/example/x.git",
	"https://printer.local/example/x.git", "https://github.com:8443/example/x", "https://github.com/../../x.git", "https://github.com/example/..",
	"https://github.com/%2e%2e/x", "https://github.com/example/%00", "https://github.com/sponsors/example", "https://github.com/example", "https://github.com/",
	"https://gіthub.com/example/x", "https://" + strings.Repeat("a", 600) + ".org/x.git", "https://github.com/example/" + strings.Repeat("x", 600),
	"https://github.com/example/<script>", "ext::sh -c id% >&2", "--upload-pack=x", "git@github.com:../x.git", "ssh://-oProxyCommand=x/y/z.git", "//github.com/example/x",
	"", " ", ".", "https:", "https://", "\xff\xfe",
}

func TestHostileAddressesNeverBecomeTheAddressOfAProject(t *testing.T) {
	c := load(t)
	for kind := range claimRules {
		for _, address := range hostile {
			l, ok := c.Locate(Part{Subject: "x", Kind: PartDeb, Name: "exampled", Claims: []Claim{{Kind: kind, Value: address}}})
			if ok {
				t.Errorf("%s %q became %q", kind, address, l.Repo)
			}
		}
	}
	for _, folder := range []string{"../../etc", "/../x", "a/../b", "a b", "a\x00", strings.Repeat("x", 600)} {
		l, _ := c.Locate(Part{Subject: "x", Kind: PartDeb, Name: "exampled", Claims: []Claim{{Kind: ClaimRepository, Value: "https://github.com/example/x", Path: folder}}})
		if l.Path != "" {
			t.Errorf("folder %q became %q", folder, l.Path)
		}
	}
}

func TestOnlyTheFirstClaimsOfAPartAreLookedAt(t *testing.T) {
	var claims []Claim
	for range maxClaims {
		claims = append(claims, Claim{Kind: ClaimHomepage, Value: "https://example.org/"})
	}
	claims = append(claims, Claim{Kind: ClaimHomepage, Value: "https://github.com/example/x"})
	if l, ok := load(t).Locate(Part{Kind: PartDeb, Name: "exampled", Claims: claims}); ok {
		t.Errorf("claim %d was read: %+v", maxClaims+1, l)
	}
}

// lawful checks what holds for every link that claims lead to.
func lawful(t *testing.T, c *Catalogue, kind, value, folder string) {
	t.Helper()
	part := Part{Subject: "x", Kind: PartImage, Name: "registry.example.org/some/thing:1", Claims: []Claim{{Kind: kind, Value: value, Path: folder}}}
	for _, l := range c.Candidates(part) {
		if err := address(l.Repo); err != nil || strings.ContainsFunc(l.Repo+l.Path, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			t.Errorf("%s %q became %q: %v", kind, value, l.Repo, err)
		}
		if strings.Contains("/"+l.Path+"/", "/../") || strings.Contains(l.Repo, "/../") {
			t.Errorf("%s %q climbs: %q %q", kind, value, l.Repo, l.Path)
		}
		if l.Confidence == High || kind == ClaimLabel && l.Confidence != Low || kind == ClaimLookup && l.Confidence != Low {
			t.Errorf("%s alone gave %s confidence in %q", kind, l.Confidence, l.Repo)
		}
		if again := (Claim{Kind: ClaimRepository, Value: l.Repo}); !slices.ContainsFunc(c.Candidates(Part{Kind: PartImage, Name: "x", Claims: []Claim{again}}),
			func(k scoring.Link) bool { return sameRepo(k.Repo, l.Repo) }) {
			t.Errorf("%q, read from %q, does not lead to itself", l.Repo, value)
		}
	}
}

func FuzzClaimsNeverBecomeWhatTheyMayNotBe(f *testing.F) {
	for _, h := range hostile {
		f.Add(h, "")
	}
	for _, good := range []string{"https://github.com/example/x/tree/main/a", "git@gitlab.com:example/x.git", "scm:git:https://code.example.org/x", "example/x",
		"https://git.kernel.org/pub/scm/x/y.git/tree/z", "https://example.org/gitweb/?p=x.git;a=summary", "https://gitlab.example.org/a/b/c/-/issues", "https://pagure.io/x"} {
		f.Add(good, "packages/a")
	}
	c, err := Load()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, value, folder string) {
		for kind := range claimRules {
			lawful(t, c, kind, value, folder)
		}
		for _, l := range c.Candidates(Part{Kind: PartPURL, Name: "pkg:golang/" + value}) {
			if address(l.Repo) != nil {
				t.Errorf("module %q became %q", value, l.Repo)
			}
		}
	})
}

func TestTheShippedTableIsRight(t *testing.T) {
	c := load(t)
	if len(c.table.openstack) < 400 || len(c.table.keys) < 500 || len(c.table.vanity) < 80 {
		t.Errorf("the table has shrunk: %d OpenStack names, %d keys, %d module paths", len(c.table.openstack), len(c.table.keys), len(c.table.vanity))
	}
	for key, r := range c.table.keys {
		if l := c.settled(scoring.Link{Repo: r.Repo}); !sameRepo(l.Repo, r.Repo) {
			t.Errorf("%s names %s, which the table or the catalogue calls a copy of %s", key, r.Repo, l.Repo)
		}
	}
	for key, s := range c.table.moved {
		to := c.settled(scoring.Link{Repo: strings.ReplaceAll(s.From, "*", "x")})
		if len(to.Steps) == 0 || sameRepo(to.Repo, s.From) {
			t.Errorf("%s leads nowhere: %+v", key, to)
		}
	}
}

func TestABrokenTableIsRefused(t *testing.T) {
	const head = "schema: pegel/repositories/v1\n"
	for _, tt := range []struct{ name, text, want string }{
		{"schema", "schema: x\n", `schema "x"`},
		{"unknown key", head + "project: []\n", "unknown key"},
		{"no source", head + "projects:\n- {repo: \"https://github.com/example/x\", keys: [deb/x]}\n", "no source"},
		{"no address", head + "projects:\n- {repo: \"file:///x\", keys: [deb/x], source: \"https://example.org/\"}\n", "not an https address"},
		{"a key twice", head + "projects:\n- {repo: \"https://github.com/example/x\", keys: [deb/x, deb/x], source: \"https://example.org/\"}\n", "line 3: projects: key \"deb/x\" stands twice"},
		{"a key of no ecosystem", head + "projects:\n- {repo: \"https://github.com/example/x\", keys: [gem/x], source: \"https://example.org/\"}\n", "none of"},
		{"a folder that climbs", head + "projects:\n- {repo: \"https://github.com/example/x\", path: ../x, keys: [deb/x], source: \"https://example.org/\"}\n", "no folder"},
		{"a move without a date", head + "moved:\n- {from: \"https://github.com/example/x\", repo: \"https://github.com/example/y\", source: \"https://example.org/\"}\n", "since"},
		{"stars that do not fit", head + "mirrors:\n- {from: \"https://github.com/example/*\", repo: \"https://github.com/example/y\", source: \"https://example.org/\"}\n", "stars"},
		{"a form of forge", head + "forges:\n- {host: git.example.org, form: odd, source: \"https://example.org/\"}\n", "odd"},
		{"a host", head + "gerrits:\n- {host: localhost, repo: \"https://example.org/\", source: \"https://example.org/\"}\n", "host name"},
	} {
		_, err := load(t).withRepositories([]byte(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestWithoutATableOnlyTheCatalogueIsKnown(t *testing.T) {
	c, err := Read(embedded)
	if err != nil {
		t.Fatal(err)
	}
	part := Part{Subject: "x", Kind: PartPURL, Name: "pkg:deb/debian/haproxy@2.6", Claims: []Claim{{Kind: ClaimHomepage, Value: "https://github.com/example/x"}}}
	want := []scoring.Link{{Subject: "x", Rule: RulePURL, Confidence: High, Origin: c.Origin("haproxy"), Repo: "https://git.haproxy.org/git/haproxy.git"}}
	if diff := cmp.Diff(want, c.Candidates(part)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
