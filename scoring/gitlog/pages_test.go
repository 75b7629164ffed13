package gitlog

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// The shapes of three real trees (2026-08): haproxy/haproxy@50872daa keeps its security policy in doc/security.txt and its
// tests as varnishtest files below reg-tests, openvswitch/ovs@d6a632a9 and ovn-org/ovn keep it in
// Documentation/internals/security.rst and tests as Autotest files, coredns/coredns@4b26cced has one release note for each
// version in notes. The texts are ours.
func TestSecurityPoliciesDeepInTheTreeAreFound(t *testing.T) {
	for path, text := range map[string]string{
		"doc/security.txt":                     "How to report a security issue: write to security@example.org. It is kept private until a fix is out.",
		"Documentation/internals/security.rst": "Vulnerabilities are reported to security@example.org. The embargo ends after 15 days; then an advisory is sent.",
	} {
		tree := treeOf(t, collect(t, filesRepo(map[string]string{path: text, "README": "See https://www.example.org/", "src/main.c": "int main;"})))
		docs := tree.Documents["security"]
		if len(docs) != 1 || docs[0].Path != path || !slices.Contains(docs[0].Marks, "private-channel") {
			t.Errorf("%s: got %+v, want it as a security policy with a private channel", path, docs)
		}
	}
	// A chapter about a feature of that name is none.
	tree := treeOf(t, collect(t, filesRepo(map[string]string{"doc/security.txt": "Passwords are hashed. Choose long ones."})))
	if docs := tree.Documents["security"]; len(docs) > 0 {
		t.Errorf("got %+v from a chapter about passwords", docs)
	}
}

func TestTestsInLanguagesOfTheirOwnCount(t *testing.T) {
	tree := treeOf(t, collect(t, filesRepo(map[string]string{
		"src/a.c": "int a;", "src/b.c": "int b;", "reg-tests/cache/basic.vtc": "varnishtest \"x\"", "tests/ovs.at": "AT_SETUP([x])", "test/run.bats": "@test x {}",
		"vendor/lib/x.vtc": "theirs", "tests/util.c": "int t;",
	})))
	if tree.SourceFiles != 3 || tree.TestFiles != 4 {
		t.Errorf("got %d tests for %d source files, want 4 for 3: tests in languages of their own are no source files", tree.TestFiles, tree.SourceFiles)
	}
}

func TestReleaseNotesOfEachVersionAreAChangelog(t *testing.T) {
	files := map[string]string{"main.go": "package main"}
	for i := range 4 {
		files[fmt.Sprintf("notes/sample-1.%d.0.md", i)] = "What is new"
	}
	docs := treeOf(t, collect(t, filesRepo(files))).Documents["changelog"]
	if len(docs) != 1 || docs[0].Path != "notes" || !slices.Equal(docs[0].Marks, []string{"files:4"}) {
		t.Errorf("got %+v, want the directory notes with four files", docs)
	}
	files = map[string]string{"notes/meeting-1.md": "x", "notes/ideas.md": "x", "notes/todo.md": "x"}
	if docs := treeOf(t, collect(t, filesRepo(files))).Documents["changelog"]; len(docs) > 0 {
		t.Errorf("got %+v from notes that are no release notes", docs)
	}
}

func TestPagesThatTheReadmeNamesAreKeptIfTheirAddressSaysWhatTheyHold(t *testing.T) {
	for address, want := range map[string]string{
		"https://www.example.org/security/?a=b#c":                "www.example.org/security",
		"https://docs.example.org/en/CONTRIBUTING":               "docs.example.org/en/CONTRIBUTING",
		"https://example.org/":                                   "",
		"https://example.org/security.svg":                       "",
		"https://github.com/somebody/x/security":                 "", // of whoever it belongs to
		"https://example.org/~somebody/roadmap":                  "",
		"https://example.org/" + strings.Repeat("security/", 40): "",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := page(u); got != want && ok || ok != (want != "") {
			t.Errorf("%s: got %q %v, want %q", address, got, ok, want)
		}
	}
	tree := treeOf(t, collect(t, filesRepo(map[string]string{"README.md": "Read https://www.example.org/governance, and https://example.org/a."})))
	if !slices.Equal(tree.ReadmePages, []string{"www.example.org/governance"}) {
		t.Errorf("got %v", tree.ReadmePages)
	}
}

func TestProposalsCountAsReviewedOnlyIfEveryChangeWas(t *testing.T) {
	reviewed := "Say why\n\nReviewed-by: Ben Oda <ben@example.org>\n"
	r := newRepo()
	r.commit(testCommit{when: at(300), message: reviewed, files: map[string]string{"specs/one.rst": "1", "specs/two.rst": "1"}})
	r.commit(testCommit{when: at(200), message: "Change it\n", files: map[string]string{"specs/two.rst": "2", "specs/three.rst": "1"}})
	r.commit(testCommit{when: at(100), message: "Approve it myself\n\nReviewed-by: Ana Ito <ana@redhat.com>\n", author: ana, files: map[string]string{"specs/four.rst": "1"}})
	tree := treeOf(t, collect(t, r))
	changed, _ := tree.ProposalsChanged12m.Get()
	n, ok := tree.ProposalsReviewed12m.Get()
	if !ok || changed != 4 || n != 1 {
		t.Errorf("got %d of %d reviewed, want 1 of 4: two changed without a review, one was approved by its author", n, changed)
	}
}

func TestBehindGerritAChangeIDStandsForTheReviewOfAProposal(t *testing.T) {
	for _, gerrit := range []bool{true, false} {
		files := map[string]string{"specs/one.rst": "1"}
		if gerrit {
			files[".gitreview"] = "[gerrit]\nhost=review.example.org\nproject=sample/specs.git\n"
		}
		r := newRepo()
		r.commit(testCommit{when: at(300), message: "Propose it\n\nChange-Id: I1111111111111111111111111111111111111111\n", files: files})
		n, ok := treeOf(t, collect(t, r)).ProposalsReviewed12m.Get()
		if want := map[bool]int{true: 1, false: 0}[gerrit]; !ok || n != want {
			t.Errorf("gerrit %v: got %d reviewed, want %d", gerrit, n, want)
		}
	}
}
