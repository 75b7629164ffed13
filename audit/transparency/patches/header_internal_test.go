package patches

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheHeadOfAPatchSaysWhereItStandsUpstream(t *testing.T) {
	own, err := url.Parse("https://git.example.org/acme/images.git")
	if err != nil {
		t.Fatal(err)
	}
	id := strings.Repeat("0123456789", 4)
	for name, test := range map[string]struct {
		head string
		want header
	}{
		"nothing":                                     {"Subject: Tune\n", header{}},
		"forwarded to an address":                     {"Forwarded: https://bugs.example.com/1\n", header{link: linkForwarded}},
		"forwarded: no":                               {"Forwarded: no\n", header{stated: true}},
		"forwarded: not-needed":                       {"Forwarded: not-needed\n", header{stated: true}},
		"forwarded: yes, nobody knows where":          {"Forwarded: yes\n", header{hinted: true}},
		"forwarded to the own repository":             {"Forwarded: https://git.example.org/acme/images/pull/3\n", header{}},
		"forwarded in the next line":                  {"Forwarded:\n https://bugs.example.com/1\n", header{link: linkForwarded}},
		"applied in a version":                        {"Applied-Upstream: 2.4.1\n", header{link: linkApplied}},
		"applied by a commit":                         {"Applied-Upstream: 3.1, commit:" + id + "\n", header{link: linkApplied}},
		"applied, one day":                            {"Applied-Upstream: soon\n", header{}},
		"from upstream, by commit":                    {"Origin: upstream, commit:" + id + "\n", header{link: linkOrigin}},
		"backported from an address":                  {"Origin: backport, https://git.example.com/x\n", header{link: linkOrigin}},
		"from a vendor":                               {"Origin: vendor, https://github.com/other/fork/commit/abc1234\n", header{}},
		"from somewhere":                              {"Origin: https://example.com/patches/x\n", header{}},
		"from a change":                               {"Origin: https://github.com/up/stream/pull/7\n", header{link: linkOrigin}},
		"issue upstream":                              {"Bug: https://bugzilla.example.com/show_bug.cgi?id=5\n", header{link: linkBug}},
		"issue of a distribution":                     {"Bug-Debian: https://bugs.debian.org/5\n", header{}},
		"submitted, with where":                       {"Upstream-Status: Submitted [https://github.com/up/stream/pull/7]\n", header{link: linkStatus}},
		"submitted, by number":                        {"Upstream-Status: Submitted [up/stream#599]\n", header{link: linkStatus}},
		"backport of a commit":                        {"Upstream-Status: Backport [" + id[:12] + "]\n", header{link: linkStatus}},
		"backport of a version":                       {"Upstream-Status: Backport [v1.2.3]\n", header{link: linkStatus}},
		"backport of nobody knows what":               {"Upstream-Status: Backport\n", header{hinted: true}},
		"denied upstream":                             {"Upstream-Status: Denied [https://lists.example.com/1]\n", header{link: linkStatus}},
		"pending":                                     {"Upstream-Status: Pending\n", header{stated: true}},
		"inappropriate":                               {"Upstream-Status: Inappropriate [embedded specific]\n", header{stated: true}},
		"picked from a commit":                        {"(cherry picked from commit " + id + ")\n", header{link: linkPicked}},
		"indented as git show does":                   {"commit " + id + "\n\n    Fix it\n\n    (cherry picked from commit " + id + ")\n", header{link: linkPicked}},
		"picked from nothing":                         {"(cherry picked from commit )\n", header{}},
		"Change-Id alone":                             {"Change-Id: I" + id + "\n", header{hinted: true}},
		"Change-Id with the change":                   {"Change-Id: I" + id + "\nReviewed-on: https://review.opendev.org/c/openstack/nova/+/900001\n", header{link: linkChange}},
		"the change it depends on":                    {"Depends-On: https://review.opendev.org/c/openstack/nova/+/900001\n", header{}},
		"a footnote about another change":             {"See [1].\n\n[1] https://review.opendev.org/c/openstack/nova/+/900001\n", header{}},
		"the address alone":                           {"https://gitlab.com/up/stream/-/merge_requests/4\n", header{link: linkChange}},
		"backport of an address":                      {"Backport of https://opendev.org/openstack/nova/commit/" + id + "\n", header{link: linkChange}},
		"a mail with it":                              {"Link: https://lore.kernel.org/all/1@x/\n", header{link: linkChange}},
		"an issue, named as a link":                   {"Link: https://github.com/up/stream/issues/4\n", header{}},
		"a mail of git":                               {"From " + id + " Mon Sep 17 00:00:00 2001\nSubject: x\n", header{hinted: true}},
		"an address in the difference":                {"--- a/x\n+++ b/x\n@@ -1 +1 @@\n+(cherry picked from commit " + id + ")\n", header{}},
		"notes after the line that parts the message": {"Subject: x\n---\nForwarded: https://bugs.example.com/1\n", header{link: linkForwarded}},
		"lines as on Windows":                         {"Forwarded: https://bugs.example.com/1\r\n", header{link: linkForwarded}},
		"a link weighs more than a word":              {"Forwarded: no\nApplied-Upstream: 1.2.3\n", header{link: linkApplied}},
		"a word weighs more than an identifier":       {"Change-Id: I" + id + "\nForwarded: not-needed\n", header{stated: true}},
		"a name without a dot":                        {"Forwarded: http://intranet/1\n", header{}},
	} {
		if got := readHeader([]byte(test.head+"diff --git a/x b/x\n"), own); got != test.want {
			t.Errorf("%s: got %+v, want %+v", name, got, test.want)
		}
	}
}

func TestALongHeadIsReadUntilItsBound(t *testing.T) {
	late := strings.Repeat("x\n", maxLines) + "Forwarded: https://bugs.example.com/1\n"
	if got := readHeader([]byte(late), nil); got.link != "" {
		t.Errorf("a header is read beyond its bound: %+v", got)
	}
}

func TestASeriesNamesWhatItsDirectoryCarries(t *testing.T) {
	got := listed("debian/patches", []byte("# words\nfix.patch -p1\n\n sub/more.diff # why\n../../../etc/passwd\n"))
	if len(got) != 2 || got[0] != "debian/patches/fix.patch" || got[1] != "debian/patches/sub/more.diff" {
		t.Errorf("got %q", got)
	}
}

// FuzzReadHeader checks the laws that numbers rest on: a header is one of linked, stated, hinted and silent; what follows the
// first line of the difference changes nothing; and a link to the own repository is none.
func FuzzReadHeader(f *testing.F) {
	own, err := url.Parse("https://git.example.org/acme/images")
	if err != nil {
		f.Fatal(err)
	}
	seeds, err := filepath.Glob("testdata/heads/*")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range seeds {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h := readHeader(data, own)
		if h.link != "" && (h.stated || h.hinted) || h.stated && h.hinted {
			t.Errorf("%+v is two things at once", h)
		}
		if c := countOf(h); c.Patches != 1 || c.Linked+c.Stated+c.Hinted > 1 {
			t.Errorf("%+v counts as %+v", h, c)
		}
		if len(data) > maxHeader/2 || strings.Count(string(data), "\n") > maxLines/2 {
			return
		}
		head := append(append([]byte{}, data...), "\ndiff --git a/x b/x\n"...)
		if more := readHeader(append(head, "Forwarded: https://bugs.example.com/1\n"...), own); more != readHeader(head, own) {
			t.Errorf("the difference changes the header: %+v, %+v", readHeader(head, own), more)
		}
		hostile := []byte("Forwarded: https://git.example.org/acme/images/pull/3\nReviewed-on: https://git.example.org/acme/images/pull/3\n")
		if own := readHeader(hostile, own); own.link != "" {
			t.Errorf("a link to the own repository counts: %+v", own)
		}
	})
}
