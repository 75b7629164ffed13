package gitlog

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTagsAreReadAsVersions(t *testing.T) {
	for _, row := range []struct {
		tag     string
		version bool
		release bool
	}{
		{"1.2.3", true, true}, {"v1.2.3", true, true}, {"v24.09.2", true, true}, {"release-1.2.3", true, true}, {"rabbitmq_v3_8_0", true, true},
		{"api/v3.5.9", true, true}, {"v257", true, true}, {"2014.1", true, true}, {"7.2-1", true, true}, {"v1.2.3-stable", true, true}, {"1.0.post2", true, true},
		{"RELEASE.2024-01-02T03-04-05Z", true, true}, {"v1.30.1+k3s1", true, true},
		{"1.2.0rc1", true, false}, {"v1.2.0-rc.1", true, false}, {"8.0-m01", true, false}, {"v3.3-dev1", true, false}, {"2015.1.0b3", true, false},
		{"v4.0.0-beta.1", true, false}, {"v1.0-alpha.2.1", true, false},
		{"2024.1-eol", false, false}, {"zed-eom", false, false}, {"train-em", false, false}, {"checkpoint", false, false}, {"257", false, false}, {"", false, false},
	} {
		v, ok := parseVersion(row.tag)
		if ok != row.version || ok && v.release() != row.release {
			t.Errorf("%q: got version %v, release %v; want %v, %v", row.tag, ok, ok && v.release(), row.version, row.release)
		}
	}
}

func TestADeployedVersionFindsItsTag(t *testing.T) {
	names := []string{"v24.09.2", "v24.09.0", "1.2.3", "v1.2.3", "release-2.0.1", "api/v3.5.9", "v3.5.9", "v3.5.9-rc.1", "7.4.0", "sub-9.9.9", "2024.1-eol", "5.0.0.0rc1"}
	var all []tag
	for _, n := range names {
		v, ok := parseVersion(n)
		all = append(all, tag{name: n, commit: n, version: v, named: ok})
	}
	for _, row := range []struct{ deployed, want string }{
		{"24.9.2", "v24.09.2"}, {"24.09.2", "v24.09.2"}, {"v24.09.2", "v24.09.2"}, {"1.2.3", "1.2.3"}, {"v1.2.3", "v1.2.3"}, {"2.0.1", "release-2.0.1"},
		{"3.5.9", "v3.5.9"}, {"3.5.9-rc.1", "v3.5.9-rc.1"}, {"7.4", "7.4.0"}, {"1:1.2.3", "1.2.3"}, {"9.9.9", "sub-9.9.9"}, {"5.0.0.0rc1", "5.0.0.0rc1"},
		{"5.0.0", ""}, {"24.9", ""}, {"latest", ""}, {"", ""}, {"2024.1", ""}, {"6.0.0", ""},
	} {
		got, _ := tagOf(all, row.deployed)
		if got.name != row.want {
			t.Errorf("%q: got tag %q, want %q", row.deployed, got.name, row.want)
		}
	}
}

func TestAddressesAreCheckedBeforeTheyReachACommandLine(t *testing.T) {
	for _, row := range []struct {
		url  string
		want string // part of the error; empty: accepted
	}{
		{"https://opendev.org/openstack/nova", ""},
		{"https://git.example.org:8443/a/b.git", ""},
		{"http://git.example.org/a/b", "not allowed"},
		{"ext::sh -c id", "plain URL"},
		{"ext::sh", "not allowed"},
		{"file:///etc", "not allowed"},
		{"git@example.org:a/b", "not a URL"},
		{"--upload-pack=id", "not a URL"},
		{"https://-oProxyCommand=id/a", "names no repository"},
		{"https://example.org/-a", "names no repository"},
		{"https://user:secret@example.org/a", "credentials"},
		{"https://example.org/", "names no repository"},
		{"https://example.org/a?b=c", "no query"},
		{"https://example.org/a\nb", "plain URL"},
		{"", "not a URL"},
	} {
		err := validateURL(row.url, []string{"https"})
		if row.want == "" && err != nil || row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)) {
			t.Errorf("%q: got %v, want %q", row.url, err, row.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error shows the password: %v", row.url, err)
		}
	}
}

func TestAddressesOfClonesAreShownWithoutCredentialsAndNeverAsPaths(t *testing.T) {
	for _, row := range []struct{ remote, want string }{
		{"https://user:secret@example.org/a/b.git", "https://example.org/a/b.git"},
		{"git@example.org:a/b.git", "ssh://example.org/a/b.git"},
		{"ssh://me@example.org/a", "ssh://example.org/a"},
		{"/srv/git/a.git", ""}, {"../a", ""}, {"file:///srv/git/a", ""}, {"C:\\git\\a", ""}, {"", ""}, {"ext::sh -c id", ""},
	} {
		if got := publicURL(row.remote); got != row.want {
			t.Errorf("%q: got %q, want %q", row.remote, got, row.want)
		}
	}
}

func TestTheRemoteIsReadFromTheConfigurationAsText(t *testing.T) {
	for _, row := range []struct{ name, config, want string }{
		{"origin", "[core]\n\turl = no\n[remote \"origin\"]\n\turl = https://a.example/b\n", "https://a.example/b"},
		{"origin behind another", "[remote \"fork\"]\nurl=https://f.example/b\n[remote \"origin\"]\nURL = \"https://a.example/b\"\n", "https://a.example/b"},
		{"only another", "[remote \"fork\"]\nurl = https://f.example/b\n", "https://f.example/b"},
		{"none", "[core]\n\tfsmonitor = touch x\n", ""},
		{"includes are not followed", "[include]\n\tpath = /etc/passwd\n", ""},
	} {
		if got := remoteOf([]byte(row.config)); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}

func TestMessagesOfGitAreFitForAReport(t *testing.T) {
	for _, row := range []struct{ message, want string }{
		{"Cloning into 'x'...\nfatal: unable to access 'https://u:tok@h.example/a/': timed out\n", "unable to access 'https://h.example/a/': timed out"},
		{"error: cannot open /home/somebody/x: no\n", "cannot open (path): no"},
		{"fatal: bad object at (clone)/objects by ana@example.org now\x1b[31m", "bad object at (clone)/objects by (address) now [31m"},
		{"", ""},
	} {
		if got := clean(row.message, "/tmp/view-1"); got != row.want {
			t.Errorf("%q: got %q, want %q", row.message, got, row.want)
		}
	}
}

func TestOldGitIsRefusedWithTheRemedy(t *testing.T) {
	for _, row := range []struct{ answer, want string }{
		{"git version 2.36.0\n", ""}, {"git version 2.39.5 (Apple Git-154)\n", ""}, {"git version 3.0.1\n", ""},
		{"git version 2.35.9\n", "git 2.35 is too old; install git 2.36 or newer"}, {"git version 1.9\n", "git 1.9 is too old; install git 2.36 or newer"},
		{"hello\n", `reading the version of git: unexpected answer "hello\n"`},
	} {
		got := ""
		if err := checkVersion(row.answer); err != nil {
			got = err.Error()
		}
		if got != row.want {
			t.Errorf("%q: got %q, want %q", row.answer, got, row.want)
		}
	}
}

func TestAMissingGitIsAClearError(t *testing.T) {
	_, err := New(Options{At: now, Git: "/nonexistent/git"})
	if err == nil || !strings.Contains(err.Error(), "install git 2.36 or newer") {
		t.Errorf("got %v, want the remedy", err)
	}
}

func TestDomainsStandForOrganisationsOnADay(t *testing.T) {
	o, err := parseOrganisations(builtinOrganisations)
	if err != nil {
		t.Fatal(err)
	}
	day := func(s string) time.Time { d, _ := time.Parse(time.DateOnly, s); return d }
	for _, row := range []struct {
		domain, day, want string
		kind              domainKind
	}{
		{"redhat.com", "2026-07-01", "IBM", company},
		{"emea.redhat.com", "2026-07-01", "IBM", company},
		{"redhat.com", "2018-07-01", "Red Hat", company},
		{"coreos.com", "2018-12-01", "Red Hat", company},
		{"coreos.com", "2026-07-01", "IBM", company},
		{"notredhat.com", "2026-07-01", "notredhat.com", other},
		{"gmail.com", "2026-07-01", "", nobody},
		{"users.noreply.github.com", "2026-07-01", "", nobody},
		{"yahoo.co.jp", "2026-07-01", "", nobody},
		{"apache.org", "2026-07-01", "", nobody},
		{"a.b.example.co.uk", "2026-07-01", "example.co.uk", other},
		{"localhost", "2026-07-01", "", nobody},
		{"", "2026-07-01", "", nobody},
		{"host.(none)", "2026-07-01", "", nobody},
	} {
		name, kind := o.classify(row.domain)
		name = o.nameAt(name, day(row.day))
		if name != row.want || kind != row.kind {
			t.Errorf("%s on %s: got %q, %d; want %q, %d", row.domain, row.day, name, kind, row.want, row.kind)
		}
	}
}

func TestAnUnknownDomainNeedsTwoPeopleToBeAnOrganisation(t *testing.T) {
	got := assigned(t, nil, []string{
		"Dina Roe <dina@vanity-dina.ch>", "Dina Roe <roe@mail.vanity-dina.ch>", "Eve <eve@acme-widgets.io>", "Ed <ed@lab.acme-widgets.io>",
		"Cleo <cleo@gmail.com>", "Ben <ben@suse.com>",
	})
	want := []string{"", "", "acme-widgets.io", "acme-widgets.io", "", "SUSE"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestADomainOfOneFamilyOrOfSpellingsOfOneNameIsAVanityDomain(t *testing.T) {
	for _, row := range []struct {
		name    string
		authors []string
		want    string
	}{
		{"two spellings", []string{"Hana Alia Moor <h@lake.example>", "hana.moor <hm@lake.example>"}, ""},
		{"a login and a name", []string{"hanamoor <h@lake.example>", "Hana Moor <hm@lake.example>"}, ""},
		{"a family", []string{"Hana Moor <h@moor.example>", "Ole Moor <o@moor.example>"}, ""},
		{"a family and its domain", []string{"Hana Moor <h@moorhouse.example>", "Olga <o@moorhouse.example>"}, ""},
		{"a family, and two strangers to it", []string{"Hana Moor <h@moorhouse.example>", "Olga <o@moorhouse.example>", "Karl <k@moorhouse.example>"}, "moorhouse.example"},
		{"two people", []string{"Hana Moor <h@lake.example>", "Olga <o@lake.example>"}, "lake.example"},
		{"two people of another script", []string{"张伟 <h@lake.example>", "李娜 <o@lake.example>"}, "lake.example"},
	} {
		for i, got := range assigned(t, nil, row.authors) {
			if got != row.want {
				t.Errorf("%s: author %d: got %q, want %q", row.name, i, got, row.want)
			}
		}
	}
}

func TestRuleListsAreReadStrictly(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"unknown key", "schema: pegel/organisations/v1\nfoo: 1\n", "line 2: field foo not found"},
		{"wrong schema", "schema: other\n", `want "pegel/organisations/v1"`},
		{"double domain", "schema: pegel/organisations/v1\nfree_mail: [a.example]\nprojects: [a.example]\n", `"a.example" occurs twice`},
		{"no domain", "schema: pegel/organisations/v1\norganisations: [{name: A, domains: [A.example]}]\n", "not a domain in lower case"},
		{"group without day", "schema: pegel/organisations/v1\norganisations: [{name: A, domains: [a.example], part_of: {name: B, since: soon}, source: x}]\n", "since (YYYY-MM-DD)"},
		{"bad pattern", "schema: pegel/organisations/v1\nfree_mail_patterns: ['(']\n", "missing closing"},
	} {
		_, err := parseOrganisations([]byte(row.text))
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: got %v, want %q", row.name, err, row.want)
		}
	}
	if _, err := parseBots([]byte("schema: pegel/bots/v1\npattern: []\n")); err == nil || !strings.Contains(err.Error(), "field pattern not found") {
		t.Errorf("bots with an unknown key: got %v", err)
	}
}

func TestTheShippedTableHasEnoughCompanies(t *testing.T) {
	o, err := parseOrganisations(builtinOrganisations)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, name := range o.byDomain {
		names[name] = true
	}
	if len(names) < 250 {
		t.Errorf("got %d organisations, want at least 250", len(names))
	}
	for name, owners := range o.owners {
		for _, own := range owners {
			if !names[own.Name] {
				t.Errorf("%s is part of %s, which is not in the table", name, own.Name)
			}
		}
		for i := 1; i < len(owners); i++ {
			if owners[i-1].until.IsZero() || owners[i].since.Before(owners[i-1].until) {
				t.Errorf("%s belongs to %s and %s at once", name, owners[i-1].Name, owners[i].Name)
			}
		}
	}
}

func TestBotsAreKnownByAuthorAndPeopleCanBeAllowed(t *testing.T) {
	b, err := parseBots([]byte("schema: pegel/bots/v1\npatterns: ['bot@', '\\[bot\\]']\nallow: ['^talbot@']\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		address, name string
		want          bool
	}{
		{"ci-bot@example.org", "ci", true}, {"x@example.org", "dependabot[bot]", true}, {"talbot@example.org", "a talbot", false}, {"ana@example.org", "ana", false},
	} {
		if got := b.match(row.address, row.name); got != row.want {
			t.Errorf("%s %s: got %v, want %v", row.address, row.name, got, row.want)
		}
	}
}

func TestTimeLimitsOfATextAreFoundInDays(t *testing.T) {
	for _, row := range []struct {
		text string
		want []string
	}{
		{"within 90 days", []string{"days:90"}},
		{"We answer in three working days, and publish after 90-day embargo.", []string{"days:3", "days:90"}},
		{"48 hours, two weeks, 12 months", []string{"days:2", "days:14", "days:360"}},
		{"1 hour", []string{"days:1"}},
		{"version 30 days of thunder", []string{"days:30"}},
		{"0 days", nil},
		{"soon, on Sundays", nil},
	} {
		if diff := cmp.Diff(row.want, periods([]byte(row.text))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", row.text, diff)
		}
	}
}

func TestMarksOfDocumentsNameWhatTheTextSays(t *testing.T) {
	for _, row := range []struct {
		name, topic, text string
		prominent         bool
		want              []string
	}{
		{"a private address and a limit", "security", "Write to security@example.org. We answer within 5 days.", true, []string{"private-channel", "days:5"}},
		{"neither", "security", "Open an issue.", true, nil},
		{"a certificate of origin", "contributing", "Add a Signed-off-by line. See https://x.example/.", true, []string{"dco", "link"}},
		{"an agreement", "contributing", "Sign the CLA first.", true, []string{"cla"}},
		{"an assignment", "cla", "Contributor License Agreement: you assign the copyright to us.", true, []string{"assignment", "cla"}},
		{"no agreement", "contributing", "We do not ask for a CLA.", true, nil},
		{"an agreement in a list of questions", "contributing", "Sign the CLA?", false, nil},
		{"support", "maintenance-policy", "Each release is maintained for two years.", true, []string{"days:730"}},
		{"other topics have none", "governance", "Within 5 days security@example.org", true, nil},
	} {
		if diff := cmp.Diff(row.want, documentMarks(row.topic, []byte(row.text), row.prominent)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

func TestOwnPartsBelowDepsAreNotVendored(t *testing.T) {
	files := func(names ...string) []file {
		var out []file
		for _, n := range names {
			out = append(out, newFile(entry{path: n}))
		}
		return out
	}
	if !ownDeps(files("deps/rabbit/a.erl", "deps/rabbit_common/a.erl", "deps/rabbitmq_mqtt/a.erl", "deps/amqp/a.erl")) {
		t.Error("directories that share a name: got vendored, want own parts")
	}
	if ownDeps(files("deps/lua/a.c", "deps/hiredis/a.c", "deps/jemalloc/a.c", "deps/linenoise/a.c")) {
		t.Error("directories of many names: got own parts, want vendored")
	}
	if ownDeps(nil) {
		t.Error("no directory: got own parts")
	}
}

func TestCommandLinesNameNoRefThatCouldBeAnOption(t *testing.T) {
	for _, row := range []struct {
		name string
		want bool
	}{
		{"refs/heads/master", true}, {"refs/heads/stable/2025.1", true}, {"refs/tags/v1.0+x", true}, {"refs/heads/über", true},
		{"refs/heads/-x", false}, {"refs/heads/a/-x", false}, {"refs/heads/.x", false}, {"refs/heads/a..b", false}, {"refs/../x", false},
		{"refs/heads/a b", false}, {"refs/heads/a\x00", false}, {"refs/heads/a~1", false}, {"refs/heads/a.lock", false}, {"refs", false}, {"HEAD", false}, {"refs/heads//a", false},
		{"refs/heads/" + strings.Repeat("a", 2000), false},
	} {
		if got := validRef(row.name); got != row.want {
			t.Errorf("%q: got %v, want %v", clip(row.name, 40), got, row.want)
		}
	}
}

func TestClonesAreLookedForOnlyBelowTheMirror(t *testing.T) {
	for _, url := range []string{"https://h.example/../../etc", "https://h.example/a/..", "https://h.example/.git", "https://h.example/a/%2e%2e", "/etc", "https://h.example/a%00b", ""} {
		if got := candidates("/m", url); got != nil {
			t.Errorf("%q: got %v, want none", url, got)
		}
	}
	got := candidates("/m", "https://h.example/owner/name.git")
	for _, want := range []string{"/m/owner+name/repo", "/m/owner/name", "/m/owner/name.git", "/m/name", "/m/name.git", "/m"} {
		found := false
		for _, dir := range got {
			found = found || dir == want
		}
		if !found {
			t.Errorf("candidates %v lack %q", got, want)
		}
	}
}
