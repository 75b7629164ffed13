package gitlog

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/scoring"
)

// marksOf are the marks of a topic by path, of a repository whose address is sampleURL.
func marksOf(t *testing.T, files map[string]string, topic string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	tree := treeOf(t, collect(t, filesRepo(files)))
	for _, lists := range []map[string][]scoring.Document{tree.Documents, tree.Tools} {
		for _, d := range lists[topic] {
			out[d.Path] = d.Marks
		}
	}
	return out
}

func TestWordsAboutEditionsAreFoundWithTheirLines(t *testing.T) {
	for _, tt := range []struct {
		name, path, text string
		want             []string
	}{
		{"the shape of sonatype/nexus-public: README.md", "README.md", "# Sample\n\nFor a fully-featured version of Sample, get the Community Edition binary.\n", []string{"withheld:3", "edition:3"}},
		{"an edition with the project's name", "README.md", "Sample Enterprise adds more.\n", []string{"edition:1"}},
		{"an edition of a part", "README.md", "\n[Sample Data Pro](x)\n", []string{"edition:2"}},
		{"the shape of rabbitmq/rabbitmq-server: README.md", "README.md", " * [Commercial editions of Sample](https://example.org)\n", []string{"edition:1"}},
		{"a page with prices of the owner", "README.md", "See https://www.sample.example/pricing for more.\n", []string{"pricing:1"}},
		{"directories under another licence", "README.md", "Files below the `ee/` directory are under the Sample Enterprise License.\n", []string{"closed-licence:1", "edition:1"}},
		{"a key for something else", "README.md", "Set your license key for the map service first.\n", nil},
		{"an enterprise licence key", "README.md", "Enter the enterprise license key.\n", []string{"licence-key:1"}},
		{"a table of editions", "docs/features.md", "| Function | Community | Enterprise |\n|---|---|---|\n", []string{"feature-table:1"}},
		{"a page for a tier", "docs/a.md", "title\n\n- Tier: Premium, Ultimate\n", []string{"feature-table:3"}},
		{"functions of another edition in a handbook", "docs/a.rst", "Backups of Sample are only available in the Enterprise edition.\n", []string{"withheld:1", "edition:1"}},
		{"releases for customers only", "README.md", "Backports of older releases of Sample go exclusively to paying customers.\n", []string{"paid-releases:1"}},

		{"somebody else's edition", "README.md", "Works with GitLab Enterprise Edition and Docker Community Edition.\n", nil},
		{"a handbook about the software of others", "docs/a.md", "The Community Edition is installed from their archive.\n", nil},
		{"the shape of FRRouting/frr: doc/user/extlog.rst", "docs/a.md", "50145 is the Sample IANA Enterprise Number.\n", nil},
		{"a distribution", "README.md", "Sample runs on Red Hat Enterprise Linux, Sample on SUSE Linux Enterprise Server.\n", nil},
		{"enterprise as a word", "README.md", "Sample is made for enterprise directories and professional users.\n", nil},
		{"support that is paid", "README.md", "If you need commercial support for Sample, write to us.\n", nil},
		{"an address that holds the words", "README.md", "https://docs.docker.com/release-notes/#docker-community-edition-18\n", nil},
		{"vendored documents", "vendor/sample/README.md", "Sample Enterprise adds more.\n", nil},
		{"a changelog", "CHANGELOG.md", "Sample Enterprise adds more.\n", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := marksOf(t, map[string]string{tt.path: tt.text, "main.go": "x"}, "editions")[tt.path]; !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDocumentsWithoutAnySignAreCountedAsRead(t *testing.T) {
	e := collect(t, filesRepo(map[string]string{"README.md": "x", "docs/a.md": "x", "docs/b.rst": "x", "src/c.md": "x", "docs/tests/d.md": "x"}))
	if n, ok := treeOf(t, e).Prose.Get(); !ok || n != 3 {
		t.Errorf("%d documents read, %t; want README and two pages of the documentation", n, ok)
	}
}

func TestMarksOfOneDocumentAreBounded(t *testing.T) {
	text := strings.Repeat("Sample Enterprise adds more.\n", 1000) + strings.Repeat("Sample Enterprise ", 1<<14)
	got := marksOf(t, map[string]string{"README.md": text}, "editions")["README.md"]
	if len(got) != maxMarks || got[0] != "edition:1" {
		t.Errorf("%d marks, the first %q", len(got), got[0])
	}
}

func TestClosedTermsAreFoundInLicencesOfEditionsAndInHeaders(t *testing.T) {
	const agreement = "<h1>END USER LICENSE AGREEMENT</h1><p>PLEASE READ THIS</p>"
	files := map[string]string{
		"LICENSE": "MIT", "ui/static/public/PRO-LICENSE.html": agreement, "docs/CE-LICENSE.html": agreement, "vendor/x/EULA.txt": agreement,
		"ui/OC-LICENSE.html": agreement, "core/a.go": "// SPDX-License-Identifier: BUSL-1.1\n", "core/b.go": "// SPDX-License-Identifier: MIT\n",
		"core/c.go": "// SPDX-License-Identifier: LicenseRef-Example-Terms\n", "core/d.go": "// SPDX-License-Identifier: none of these (\n",
		"core/e_test.go": "// SPDX-License-Identifier: (BUSL-1.1)\n", "enterprise/f.go": "// SPDX-License-Identifier: Elastic-2.0\n",
		"logo/LICENSE": "our mark", "cmd/a/LICENSES": "a,b,c", "make/licenses.mk": "x", "ui/license.component.scss": "x", "ui/license.hbs": "x",
		"docs/common/license.rst": "About our licence", "docs/a/LICENSE.md": "BUSL-1.1", "etc/license.template": "x", "scripts/license_a.spec": "x",
		"core/g.go": "// SPDX-License-Identifier: MIT OR BUSL-1.1\n", "core/h.go": strings.Repeat("\n", headerBytes) + "// SPDX-License-Identifier: BUSL-1.1\n",
	}
	var got []string
	for _, s := range treeOf(t, collect(t, filesRepo(files))).SubLicences {
		got = append(got, fmt.Sprintf("%s %s%v vendored=%t product=%t", s.Path, s.Expression, s.Marks, s.Vendored, s.Product))
	}
	slices.Sort(got)
	want := []string{
		"cmd/a/LICENSES [] vendored=true product=false",
		"core/a.go BUSL-1.1[header] vendored=false product=false",
		"core/c.go LicenseRef-Example-Terms[header] vendored=false product=false",
		"core/e_test.go BUSL-1.1[header] vendored=true product=false",
		"docs/CE-LICENSE.html [end-user-agreement] vendored=true product=false",
		"docs/a/LICENSE.md BUSL-1.1[] vendored=true product=false",
		"enterprise/f.go Elastic-2.0[header] vendored=false product=true",
		"logo/LICENSE [] vendored=true product=false",
		"ui/static/public/PRO-LICENSE.html [end-user-agreement] vendored=false product=false",
		"vendor/x/EULA.txt [end-user-agreement] vendored=true product=false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestClosedTermsAreFoundAtTheTagOfADeployedVersion(t *testing.T) {
	r := newRepo()
	first := r.commit(testCommit{when: at(20), files: map[string]string{"LICENSE": "MIT", "ee/a.go": "// SPDX-License-Identifier: BUSL-1.1\n", "PRO-LICENSE.md": "end-user license agreement"}})
	r.tag("v1.0.0", first, at(20), false)
	r.commit(testCommit{when: at(2), files: map[string]string{"ee/a.go": "", "PRO-LICENSE.md": ""}})
	e := collect(t, r, "1.0.0")
	facts, _ := e.Licences["1.0.0"].Get()
	parts, ok := facts.Parts.Get()
	if !ok || len(parts) != 2 || parts[0].Path != "PRO-LICENSE.md" || parts[1].Expression != "BUSL-1.1" {
		t.Errorf("parts at 1.0.0: %+v, %t", parts, ok)
	}
	if facts.Expression != "MIT" {
		t.Errorf("licence %q: the terms of another edition are not the project's", facts.Expression)
	}
	if now := treeOf(t, e).SubLicences; len(now) != 0 {
		t.Errorf("parts today: %+v, want none", now)
	}
}

func TestTermsForContributorsNameWhoGains(t *testing.T) {
	for _, tt := range []struct {
		name, path, text, topic string
		want                    []string
	}{
		{"a company", "CLA.md", "You grant Sample Example, Inc. a licence. Contributor License Agreement", "cla", []string{"cla", "holder:company"}},
		{"a foundation", "CLA.md", "Contributor License Agreement of the Cloud Native Computing Foundation", "cla", []string{"cla", "holder:foundation"}},
		{"a foundation that is a corporation", "ICLA.txt", "The Apache Software Foundation, Inc. and You", "cla", []string{"holder:foundation"}},
		{"assignment", "CONTRIBUTOR_AGREEMENT.txt", "You assign the copyright to Example GmbH. Contributor License Agreement", "cla", []string{"assignment", "cla", "holder:company"}},
		{"a promise", "CLA.md", "Example Ltd will make the work available under an OSI-approved licence. Contributor License Agreement", "cla", []string{"cla", "holder:company", "stays-open"}},
		{"a guide that names the company", "CONTRIBUTING.md", "Sign the CLA of Example, Inc. first.", "contributing", []string{"cla", "holder:company"}},
		{"a guide that names a company elsewhere", "CONTRIBUTING.md", "Example, Inc. gives us machines." + strings.Repeat(" x", 400) + " Sign the CLA.", "contributing", []string{"cla"}},
		{"a guide that asks for nothing else", "CONTRIBUTING.md", "Contributions to this project are accepted under the project's open source license.", "contributing", []string{"inbound-outbound"}},
		{"a guide that needs no agreement", "CONTRIBUTING.md", "There is no CLA. Use Signed-off-by.", "contributing", []string{"dco"}},
		{"a trademark of a company", "TRADEMARK.md", "Sample is a trademark of Example Labs GmbH.", "trademark", []string{"holder:company"}},
		{"a trademark of a foundation", "TRADEMARKS.md", "The Linux Foundation owns the mark.", "trademark", []string{"holder:foundation"}},
		{"a bot for agreements", ".clabot", "{}", "cla-bot", nil},
		{"a workflow for agreements", ".github/workflows/cla.yml", "uses: contributor-assistant/github-action@v2", "cla-bot", []string{"cla-assistant"}},
		{"a bot for sign-off", ".github/dco.yml", "require: {}", "dco-bot", nil},
		{"a workflow that checks sign-off", ".github/workflows/ci.yml", "uses: tim-actions/dco@v1", "dco-bot", []string{"dco-check"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, found := marksOf(t, map[string]string{tt.path: tt.text}, tt.topic)[tt.path]
			got = slices.DeleteFunc(slices.Clone(got), func(m string) bool { return m == "link" })
			if !found || !slices.Equal(got, tt.want) {
				t.Errorf("got %q, %t, want %q", got, found, tt.want)
			}
		})
	}
	for _, path := range []string{".github/workflows/claude.yml", ".github/workflows/clang-format.yml", "roles/clamav/cla.yml"} {
		if got := marksOf(t, map[string]string{path: "x"}, "cla-bot"); len(got) > 0 {
			t.Errorf("%s is taken for a bot: %v", path, got)
		}
	}
}

func TestAddingTheLicenceOfAnotherEditionIsNoChangeOfTheLicence(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(900), files: map[string]string{"LICENSE": "MIT"}})
	r.commit(testCommit{when: at(300), files: map[string]string{"LICENSE-ENTERPRISE.md": "BUSL-1.1"}})
	states, ok := collect(t, r).LicenceHistory.Get()
	if !ok || len(states) != 1 || states[0].Expression != "MIT" {
		t.Errorf("states %+v, %t: want MIT throughout", states, ok)
	}
}

// MaxScale links LICENSE.TXT to the text of the series and keeps the licences of others beside it.
func TestALicenceBehindALinkCountsAndTheLicencesOfOthersDoNot(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(900), files: map[string]string{"LICENSE-THIRDPARTY.TXT": "MIT x", "texts/one.txt": "Apache-2.0 x", "LICENSE.TXT": "->texts/one.txt"}})
	r.commit(testCommit{when: at(300), files: map[string]string{"texts/two.txt": "BUSL-1.1", "LICENSE.TXT": "->./texts/two.txt"}})
	e := collect(t, r)
	facts, _ := e.Licences[""].Get()
	if facts.Expression != "BUSL-1.1" || len(facts.Files) != 1 || facts.Files[0].Path != "LICENSE.TXT" {
		t.Errorf("licence %q of %+v, want BUSL-1.1 of the link", facts.Expression, facts.Files)
	}
	states, ok := e.LicenceHistory.Get()
	if !ok || len(states) != 2 || states[0].Expression != "Apache-2.0" || states[1].Expression != "BUSL-1.1" {
		t.Errorf("states %+v, %t: want Apache-2.0, then BUSL-1.1", states, ok)
	}
	tree, _ := e.Tree.Get()
	if len(tree.LicenceFiles) != 1 || tree.LicenceFiles[0].Path != "LICENSE.TXT" {
		t.Errorf("licence files %+v, want the link", tree.LicenceFiles)
	}
	if len(tree.SubLicences) != 1 || !tree.SubLicences[0].Vendored {
		t.Errorf("parts %+v, want the licences of others as vendored", tree.SubLicences)
	}
}

func TestALicenceBehindALinkThatLeadsNowhereIsNotKnown(t *testing.T) {
	for _, target := range []string{"gone.txt", "../../etc/passwd", "/etc/passwd", "..", "."} {
		r := newRepo()
		r.commit(testCommit{when: at(900), files: map[string]string{"a.go": "x", "LICENSE": "->" + target}})
		e := collect(t, r)
		if facts, _ := e.Licences[""].Get(); facts.Expression != "" {
			t.Errorf("link to %s: licence %q, want none", target, facts.Expression)
		}
		if tree, _ := e.Tree.Get(); len(tree.LicenceFiles) != 0 {
			t.Errorf("link to %s: licence files %+v, want none", target, tree.LicenceFiles)
		}
	}
}

func FuzzEditions(f *testing.F) {
	f.Add("For a fully-featured version of Sample, get the Community Edition.\n| a | OSS | Pro |\n", true)
	f.Add(strings.Repeat("Enterprise Edition ", 300), false)
	f.Fuzz(func(t *testing.T, text string, readme bool) {
		marks := newEditionReader("https://github.com/sample/sample").marks([]byte(text), readme)
		if len(marks) > maxMarks {
			t.Fatalf("%d marks", len(marks))
		}
		for _, m := range marks {
			kind, line, ok := strings.Cut(m, ":")
			if !ok || kind == "" || line == "" || strings.Contains(text, m) && len(m) > 200 {
				t.Fatalf("mark %q", m)
			}
		}
	})
}
