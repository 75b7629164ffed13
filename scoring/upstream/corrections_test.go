package upstream

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pegel-audit/pegel/scoring"
)

const correctionsOfKeystone = `schema: pegel/corrections/v1
project: keystone
corrections:
  - indicator: SE-02
    contests: true
    value: "true"
    words: The policy stands on our own page.
    source: https://example.org/security
    at: 2026-05-04
    role: maintainer
  - indicator: SE-14
    value: 2026-03-01
    source: https://example.org/audit
    at: 2026-06-01
    role: user
`

func correctionDir(files map[string]string) fs.FS {
	dir := fstest.MapFS{}
	for name, text := range files {
		dir[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return dir
}

func TestCorrectionsSayWhatWhereAndInWhichRole(t *testing.T) {
	c, err := load(t).ReadCorrections(correctionDir(map[string]string{
		"keystone.yaml": correctionsOfKeystone, "README.md": "not read", ".hidden.yaml": "not read",
		"other.yaml": strings.Replace(correctionsOfKeystone, "project: keystone", "project: https://git.example.org/x", 1),
	}))
	if err != nil {
		t.Fatal(err)
	}
	got := c.Of("keystone", time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))
	if len(got) != 2 || len(c.Of("https://git.example.org/x", time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))) != 2 {
		t.Fatalf("got %+v", got)
	}
	first := got[0]
	if first.By != scoring.ByCatalogue || !first.Contests || first.Value != "true" || first.Role != "maintainer" || first.Source != "https://example.org/security" ||
		first.Origin.Path != "corrections/keystone.yaml" || first.Origin.Line != 4 || first.Origin.Digest == "" || first.At.Month() != 5 {
		t.Errorf("got %+v", first)
	}
	if got[1].Value != "2026-03-01" || got[1].Contests {
		t.Errorf("got %+v", got[1])
	}
	if early := c.Of("keystone", time.Date(2026, 5, 31, 0, 0, 0, 0, time.UTC)); len(early) != 1 {
		t.Errorf("on a day before it was said: got %d statements, want 1", len(early))
	}
}

func TestBrokenCorrectionsAreRefusedByFileAndLine(t *testing.T) {
	replace := func(old, with string) string {
		if !strings.Contains(correctionsOfKeystone, old) {
			t.Fatalf("%q is not there", old)
		}
		return strings.Replace(correctionsOfKeystone, old, with, 1)
	}
	for _, c := range []struct{ name, text, want string }{
		{"another schema", replace("corrections/v1", "corrections/v2"), `line 1: schema "pegel/corrections/v2"`},
		{"an unknown key", replace("    words:", "    word:"), `line 7: unknown key "word"; did you mean "words"?`},
		{"a project with a typo", replace("project: keystone", "project: keystome"), `line 2: the catalogue does not know project "keystome"; did you mean "keystone"?`},
		{"a project in the file of another", replace("project: keystone", "project: nova"), `belong into "nova.yaml"`},
		{"no question", replace("SE-02", "se2"), `line 4: indicator: "se2"`},
		{"a contest without reasons", replace("    words: The policy stands on our own page.\n", ""), "who contests an answer says why"},
		{"a mail address", replace("our own page", "ana@example.org"), "line 7: words: an @ looks like"},
		{"a name for a role", replace("role: maintainer", "role: Ana Ito"), `line 10: role: "Ana Ito"`},
		{"a page with a login", replace("https://example.org/security", "https://ana@example.org/"), "line 8: source:"},
		{"no page", replace("https://example.org/security", "javascript:alert(1)"), "line 8: source:"},
		{"no day", replace("2026-05-04", "yesterday"), `line 9: at: "yesterday"`},
		{"a value of no form", replace(`"true"`, "perhaps"), `line 6: value: "perhaps"`},
		{"endless words", replace("our own page", strings.Repeat("x", 1001)), "at most 1000 bytes"},
		{"hidden characters", replace("our own page", `"x`+"\u202e"+`"`), ""},
		{"aliases", replace("project: keystone", "project: &a keystone"), "anchors"},
		{"nothing said", replace(correctionsOfKeystone[strings.Index(correctionsOfKeystone, "corrections:"):], "corrections: []\n"), "0 corrections"},
		{"too large", correctionsOfKeystone + "#" + strings.Repeat("x", maxCorrectionBytes), "more than 65536 bytes"},
		{"empty", "", "the file is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := load(t).ReadCorrections(correctionDir(map[string]string{"keystone.yaml": c.text}))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `"keystone.yaml"`) {
				t.Errorf("got %v, want %q and the name of the file", err, c.want)
			}
		})
	}
	twice := correctionDir(map[string]string{"a.yaml": strings.Replace(correctionsOfKeystone, "project: keystone", "project: https://x.example.org/x", 1),
		"b.yaml": strings.Replace(correctionsOfKeystone, "project: keystone", "project: https://x.example.org/x", 1)})
	if _, err := load(t).ReadCorrections(twice); err == nil || !strings.Contains(err.Error(), "another file already") {
		t.Errorf("two files of one project: got %v", err)
	}
	many := map[string]string{}
	for i := range maxCorrectionFiles + 1 {
		many[fmt.Sprintf("%d.yaml", i)] = ""
	}
	if _, err := load(t).ReadCorrections(correctionDir(many)); err == nil || !strings.Contains(err.Error(), "at most 5000") {
		t.Errorf("a flood of files: got %v", err)
	}
}

func TestTheShippedCorrectionsAreRight(t *testing.T) {
	c, err := load(t).Corrections()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for project, s := range c.All {
		n++
		if s.Contests {
			t.Logf("%s contests %s", project, s.Indicator)
		}
	}
	if n == 0 {
		t.Error("no correction is shipped")
	}
}

func TestLocalCorrectionsFollowTheShippedOnes(t *testing.T) {
	a := Corrections{byProject: map[string][]scoring.Statement{"x": {{Indicator: "SE-01"}}, "y": {{Indicator: "SE-02"}}}}
	b := Corrections{byProject: map[string][]scoring.Statement{"x": {{Indicator: "SE-03"}}}}
	both := a.And(b)
	if got := both.Of("x", time.Now()); len(got) != 2 || got[0].Indicator != "SE-01" || got[1].Indicator != "SE-03" {
		t.Errorf("got %+v", got)
	}
	if len(both.Of("y", time.Now())) != 1 || len(a.Of("x", time.Now())) != 1 {
		t.Error("the parts changed")
	}
	if len(Corrections{}.Of("x", time.Now())) != 0 {
		t.Error("the zero value says something")
	}
}

// A pipe in the directory would be waited for without end.
func TestAPipeAmongCorrectionsIsRefusedAtOnce(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "keystone.yaml"), 0o600); err != nil {
		t.Skipf("no pipes here: %v", err)
	}
	c := load(t)
	done := make(chan error, 1)
	go func() {
		_, err := c.ReadCorrections(os.DirFS(dir))
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), `"keystone.yaml": not a regular file`) {
			t.Errorf("got %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("a pipe is waited for")
	}
}

// Words over several lines, as YAML folds and keeps them, are one text.
func TestWordsOfACorrectionAreOneLine(t *testing.T) {
	text := strings.Replace(correctionsOfKeystone, "words: The policy stands on our own page.", "words: |\n      The policy stands\n      on our own page.\n", 1)
	c, err := load(t).ReadCorrections(correctionDir(map[string]string{"keystone.yaml": text}))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Of("keystone", time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC))[0].Words; got != "The policy stands on our own page." {
		t.Errorf("got %q", got)
	}
	blank := strings.Replace(correctionsOfKeystone, "words: The policy stands on our own page.", `words: " "`, 1)
	if _, err := load(t).ReadCorrections(correctionDir(map[string]string{"keystone.yaml": blank})); err == nil || !strings.Contains(err.Error(), "says why") {
		t.Errorf("a contest of blanks: got %v", err)
	}
}
