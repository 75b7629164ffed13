package declaration_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/declaration"
)

const digestA = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
const digestB = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

const sample = `# What we say about our cloud.
schema: pegel/declaration/v1
who: Example Cloud GmbH
role: head of cloud operations
date: 2026-11-20
entries:
  # scs-0302
  - id: domain-manager-check
    statement: Customers manage users of their domain with the role "manager".
    evidence:
      - file: evidence/domain-manager.pdf
        digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa # of the scan
      - url: https://docs.example.org/iam
        digest: sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
  - id: open-operations.talks
    statement: We spoke at the meetup in June.
    expires: 2026-12-31
    evidence:
      - url: https://meetup.example.org/june
`

func day(text string) time.Time {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return t
}

func parse(t *testing.T, text string) declaration.File {
	t.Helper()
	f, err := declaration.Parse([]byte(text), "declarations.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAFileOfDeclarationsIsRead(t *testing.T) {
	f := parse(t, sample)
	if f.Who != "Example Cloud GmbH" || f.Role != "head of cloud operations" || !f.Date.Equal(day("2026-11-20")) || len(f.Entries) != 2 {
		t.Fatalf("%+v", f)
	}
	e := f.Entries[0]
	if e.ID != "domain-manager-check" || !e.Date.Equal(f.Date) || !e.Expires.Equal(day("2027-04-01")) || e.Line != 8 || len(e.Evidence) != 2 ||
		e.Evidence[0] != (declaration.Evidence{File: "evidence/domain-manager.pdf", Digest: digestA, Line: 11}) || e.Evidence[1].URL != "https://docs.example.org/iam" {
		t.Errorf("%+v", e)
	}
	if e := f.Entries[1]; !e.Expires.Equal(day("2026-12-31")) || e.Evidence[0].Digest != "" {
		t.Errorf("%+v", e)
	}
}

func TestMistakesInADeclarationAreNamedWithTheirLine(t *testing.T) {
	change := func(old, new string) string {
		if !strings.Contains(sample, old) {
			t.Fatalf("%q is not in the sample", old)
		}
		return strings.Replace(sample, old, new, 1)
	}
	tests := []struct{ name, text, want string }{
		{"an empty file", "", "the file is empty"},
		{"no mapping", "- a", "line 1, column 1: the file must be a mapping"},
		{"broken YAML", "a: [", "line 1: "},
		{"two documents", sample + "---\na: 1\n", "a second YAML document"},
		{"another schema", change("/v1", "/v2"), `line 2, column 9: schema is "pegel/declaration/v2", want "pegel/declaration/v1"`},
		{"an unknown key", change("who:", "whom:"), `line 3, column 1: unknown key "whom" in the file; did you mean "who"?`},
		{"an unknown key of an entry", change("    statement:", "    statment:"), `line 9, column 5: unknown key "statment" in an entry; did you mean "statement"?`},
		{"a doubled key", change("date:", "role: x\ndate:"), `line 5, column 1: key "role" stands twice`},
		{"nobody", change("Example Cloud GmbH", ""), "who (the organisation) says nothing"},
		{"no role", change("role: head of cloud operations\n", ""), "role (of who speaks for it) says nothing"},
		{"no date", change("date: 2026-11-20\n", ""), "date is missing"},
		{"a date that is none", change("2026-11-20", "yesterday"), `line 5, column 7: date is "yesterday", want a date like 2026-11-24`},
		{"a mailbox", change("head of cloud operations", "jane.doe@example.org"), "line 4, column 7: role (of who speaks for it) may name a person"},
		{"a mailbox in words", change("at the meetup", "as jane (at) example.org"), "the statement of open-operations.talks may name a person"},
		{"a telephone", change("at the meetup", "call +49 30 1234567"), "may name a person"},
		{"a person", change("head of cloud operations", "Dr. Jane Doe"), "may name a person"},
		{"a person with a courtesy", change("We spoke", "Frau Muster spoke"), "may name a person"},
		{"no statement", change("We spoke at the meetup in June.", ""), "line 15, column 5: the statement of open-operations.talks says nothing"},
		{"a steering character", change("We spoke", `"We \e[31m spoke"`+" #"), "cannot be printed"},
		{"an id of another form", change("open-operations.talks", "Open Operations"), `id is "Open Operations"`},
		{"too long", change("2026-12-31", "2027-04-02"), "line 17, column 14: open-operations.talks expires on 2027-04-02; what was said on 2026-11-20 counts until 2027-04-01 at most"},
		{"over before it began", change("2026-12-31", "2026-11-20"), "before it was said"},
		{"no evidence", change("      - url: https://meetup.example.org/june\n", ""), "line 15, column 5: open-operations.talks names no evidence"},
		{"a file without a digest", change("        digest: "+digestA+" # of the scan\n", ""), "line 11, column 9: evidence of domain-manager-check has no digest"},
		{"a digest of another form", change(digestA, "md5:abc"), `line 12, column 17: digest is "md5:abc"`},
		{"file and page at once", change("      - url: https://docs.example.org/iam", "      - url: https://docs.example.org/iam\n        file: a.pdf"), "needs file or url"},
		{"a file elsewhere", change("evidence/domain-manager.pdf", "../x.pdf"), "file is no name below the directory"},
		{"an absolute file", change("evidence/domain-manager.pdf", "/etc/passwd"), "file is no name below the directory"},
		{"no page of the web", change("https://meetup.example.org/june", "file:///etc/passwd"), "url is no address of the web"},
		{"a page with a password", change("https://meetup", "https://u:p@meetup"), "url holds a name or password"},
		{"a page with a mail address", change("meetup.example.org/june", "meetup.example.org/?by=jane%40example.org"), "url may name a person"},
		{"the same twice", change("open-operations.talks", "domain-manager-check"), `"domain-manager-check" was declared on the same day in line 8`},
		{"an alias", strings.NewReplacer("who: Example", "who: &a Example", "head of cloud operations", "*a").Replace(sample), "line 4, column 7: role must be text"},
		{"too large", strings.Repeat("#", 1<<20+1), "at most 1048576 are read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := declaration.Parse([]byte(tt.text), "d.yaml")
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), `reading declarations "d.yaml": `) {
				t.Errorf("error = %v\nwant one with %s", err, tt.want)
			}
			if err != nil && (strings.Contains(err.Error(), "jane") || strings.Contains(err.Error(), "Jane") || strings.Contains(err.Error(), "u:p")) {
				t.Errorf("the error repeats personal data: %v", err)
			}
		})
	}
}

// shown plays looks at evidence: every piece is there, but for those that the test says.
func shown(different map[string]audit.Seen) declaration.Looked {
	return func(e declaration.Evidence) (audit.Seen, bool) {
		if s, ok := different[e.Name()]; ok {
			return s, s.URL != "nobody"
		}
		return audit.Seen{URL: e.URL, Handed: e.File, Digest: e.Digest, At: day("2026-11-24")}, true
	}
}

func TestADeclarationIsTentativeUntilItsQuarterEnds(t *testing.T) {
	f := parse(t, sample)
	for moment, want := range map[string]struct {
		outcome audit.Outcome
		reason  string
	}{
		"2026-11-19": {audit.MISS, "declared on 2026-11-20, after the day that is judged"},
		"2026-11-20": {audit.PASS, "Example Cloud GmbH (head of cloud operations) declared it on 2026-11-20, which counts until 2027-04-01"},
		"2027-04-01": {audit.PASS, ""},
		"2027-04-02": {audit.MISS, "declared on 2026-11-20, it expired on 2027-04-01"},
	} {
		r := declaration.Judge(f, day(moment), shown(nil))[0]
		if r.Outcome != want.outcome || !strings.Contains(r.Reason, want.reason) || !r.Declared || r.Tentative() != (want.outcome == audit.PASS) || len(r.Settle) == 0 {
			t.Errorf("%s: %s %q settle %q, want %s %q", moment, r.Outcome, r.Reason, r.Settle, want.outcome, want.reason)
		}
	}
}

func TestEvidenceDecidesWhetherADeclarationHolds(t *testing.T) {
	const file, page = "evidence/domain-manager.pdf", "https://docs.example.org/iam"
	trouble := func(kind, text string) audit.Seen { return audit.Seen{Trouble: &audit.Trouble{Kind: kind, Text: text}} }
	tests := []struct {
		name   string
		seen   map[string]audit.Seen
		want   audit.Outcome
		reason string
	}{
		{"all is there", nil, audit.PASS, "declared it"},
		{"with personal data dropped", map[string]audit.Seen{page: {Digest: digestA, Original: digestB}}, audit.PASS, "declared it"},
		{"another file", map[string]audit.Seen{file: {Digest: digestB}}, audit.DNF, "the evidence evidence/domain-manager.pdf is another file than was declared"},
		{"no file", map[string]audit.Seen{file: trouble(audit.TroubleNotHanded, "x")}, audit.DNF, "the evidence evidence/domain-manager.pdf is not there"},
		{"another page", map[string]audit.Seen{page: {Digest: digestA}}, audit.DNF, "the page changed since it was declared: https://docs.example.org/iam"},
		{"a page that is gone", map[string]audit.Seen{page: trouble(audit.TroubleNotFound, "there is no such page (404)")}, audit.DNF, "https://docs.example.org/iam cannot be seen: there is no such page (404)"},
		{"a page behind a login", map[string]audit.Seen{page: trouble(audit.TroubleLogin, "it asks for a login")}, audit.DNF, "asks for a login"},
		{"a page nobody may ask", map[string]audit.Seen{page: trouble(audit.TroubleOffline, "the run may not ask anybody")}, audit.MISS, "nobody looked at the evidence https://docs.example.org/iam: the run may not"},
		{"a file nobody gave", map[string]audit.Seen{file: {URL: "nobody"}}, audit.MISS, "nobody looked at the evidence evidence/domain-manager.pdf"},
		{"one not looked at, one changed", map[string]audit.Seen{file: {URL: "nobody"}, page: {Digest: digestA}}, audit.DNF, "the page changed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := declaration.Judge(parse(t, sample), day("2026-11-24"), shown(tt.seen))[0]
			if r.Outcome != tt.want || !strings.Contains(r.Reason, tt.reason) || len(r.Settle) == 0 {
				t.Errorf("%s %q settle %q, want %s %q", r.Outcome, r.Reason, r.Settle, tt.want, tt.reason)
			}
		})
	}
	if r := declaration.Judge(parse(t, sample), day("2026-11-24"), nil)[0]; r.Outcome != audit.MISS {
		t.Errorf("without a look: %s", r.Outcome)
	}
}

func TestTheNewestDeclarationOfAMatterCounts(t *testing.T) {
	f := parse(t, strings.NewReplacer("id: open-operations.talks", "id: domain-manager-check\n    date: 2026-12-01").Replace(sample))
	for moment, want := range map[string]string{"2026-11-24": "2026-11-20", "2026-12-01": "2026-12-01", "2026-01-01": "2026-11-20"} {
		results := declaration.Judge(f, day(moment), shown(nil))
		if len(results) != 1 || !results[0].Date.Equal(day(want)) {
			t.Errorf("%s: %+v, want the one of %s", moment, results, want)
		}
	}
}

func TestADigestNamesEverythingThatIsSaid(t *testing.T) {
	f := parse(t, sample)
	name := func(f declaration.File) audit.Digest {
		d, err := f.Digest(f.Entries[0])
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	seen := map[audit.Digest]string{name(f): "the sample"}
	for _, change := range [][2]string{
		{"Example Cloud GmbH", "Example GmbH"}, {"head of", "head in"}, {"2026-11-20", "2026-11-21"}, {"domain-manager-check", "domain-manager"},
		{"Customers manage", "Customers may manage"}, {"domain-manager.pdf", "x.pdf"}, {digestA, digestB}, {"docs.example.org", "doc.example.org"},
		{"    evidence:", "    expires: 2027-03-01\n    evidence:"},
	} {
		d := name(parse(t, strings.Replace(sample, change[0], change[1], 1)))
		if before, ok := seen[d]; ok {
			t.Errorf("%q: the digest is that of %s", change, before)
		}
		seen[d] = change[1]
	}
	if d := name(parse(t, strings.NewReplacer("# scs-0302", "# another", "who: Example Cloud GmbH", `who: "Example Cloud GmbH"`).Replace(sample))); seen[d] != "the sample" {
		t.Error("a comment or quotes changed the digest")
	}
}

// keys makes keys of reviewers with ssh-keygen and signs with them.
type keys struct {
	t   *testing.T
	dir string
}

func newKeys(t *testing.T) keys {
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("ssh-keygen is needed: install openssh-client")
		}
		t.Skip("no ssh-keygen on this machine")
	}
	return keys{t, t.TempDir()}
}

func (k keys) run(args ...string) {
	k.t.Helper()
	if out, err := exec.Command("ssh-keygen", args...).CombinedOutput(); err != nil {
		k.t.Fatalf("ssh-keygen %v: %v\n%s", args, err, out)
	}
}

// make returns the line of allowed signers of a new key.
func (k keys) make(name string) string {
	k.t.Helper()
	file := filepath.Join(k.dir, name)
	k.run("-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file)
	public, err := os.ReadFile(file + ".pub")
	if err != nil {
		k.t.Fatal(err)
	}
	return name + ` namespaces="pegel-acceptance" ` + string(public)
}

func (k keys) sign(name, namespace, text string) []byte {
	k.t.Helper()
	file := filepath.Join(k.dir, "message")
	os.Remove(file + ".sig")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		k.t.Fatal(err)
	}
	k.run("-q", "-Y", "sign", "-f", filepath.Join(k.dir, name), "-n", namespace, file)
	sig, err := os.ReadFile(file + ".sig")
	if err != nil {
		k.t.Fatal(err)
	}
	return sig
}

func acceptance(reviewer, date string, d audit.Digest, id, decision, comment string) string {
	text := fmt.Sprintf("schema: pegel/acceptance/v1\nreviewer: %s\nrole: auditor\ndate: %s\naccepts:\n  - declaration: %s\n    decision: %s\n", reviewer, date, d, decision)
	if id != "" {
		text += "    id: " + id + "\n"
	}
	if comment != "" {
		text += "    comment: " + comment + "\n"
	}
	return text
}

func TestAReviewerAcceptsWithASignature(t *testing.T) {
	k := newKeys(t)
	allowed := k.make("review.example.net")
	k.make("stranger")
	moment := day("2026-11-24")
	results := declaration.Judge(parse(t, sample), moment, shown(nil))
	is := results[0].Digest
	const reviewer, now = "Review Association", "2026-11-23"
	good := acceptance(reviewer, now, is, "", "accept", "")
	changed := acceptance(reviewer, now, digestB, "domain-manager-check", "accept", "")
	tests := []struct {
		name, text    string
		signer, space string
		allowed       string
		outcome       audit.Outcome
		accepted      bool
		note          string
	}{
		{"a reviewer", good, "review.example.net", "pegel-acceptance", allowed, audit.PASS, true, ""},
		{"unsigned", good, "", "", allowed, audit.PASS, false, "not accepted by Review Association: it is not signed"},
		{"nobody allowed", good, "review.example.net", "pegel-acceptance", "", audit.PASS, false, "nobody said which reviewers may sign"},
		{"an unknown signer", good, "stranger", "pegel-acceptance", allowed, audit.PASS, false, "not among the reviewers"},
		{"signed for something else", good, "review.example.net", "git", allowed, audit.PASS, false, "not among the reviewers"},
		{"a changed declaration", changed, "review.example.net", "pegel-acceptance", allowed, audit.PASS, false, "the declaration changed since"},
		{"another declaration", acceptance(reviewer, now, digestB, "", "accept", ""), "review.example.net", "pegel-acceptance", allowed, audit.PASS, false, ""},
		{"the operator itself", acceptance("example cloud, GmbH.", now, is, "", "accept", ""), "review.example.net", "pegel-acceptance", allowed, audit.PASS, false, "cannot accept its own word"},
		{"before the declaration", acceptance(reviewer, "2026-11-19", is, "", "accept", ""), "review.example.net", "pegel-acceptance", allowed, audit.PASS, false, "before the declaration"},
		{"after the day judged", acceptance(reviewer, "2026-11-25", is, "", "accept", ""), "review.example.net", "pegel-acceptance", allowed, audit.PASS, false, "after the day that is judged"},
		{"a dispute", acceptance(reviewer, now, is, "", "dispute", "the scan shows another cloud"), "review.example.net", "pegel-acceptance", allowed, audit.DNF, false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var sig []byte
			if tt.signer != "" {
				sig = k.sign(tt.signer, tt.space, tt.text)
			}
			a, err := declaration.ParseAcceptance([]byte(tt.text), sig, []byte(tt.allowed), "a.yaml", moment)
			if err != nil {
				t.Fatal(err)
			}
			got := declaration.Reviewed(results, []declaration.Acceptance{a}, moment)
			r := got[0]
			if r.Outcome != tt.outcome || r.Review.Accepted() != tt.accepted || r.Tentative() != (tt.outcome == audit.PASS && !tt.accepted) || !r.Declared ||
				!strings.Contains(strings.Join(r.Review.Notes, "\n"), tt.note) || (tt.note == "") != (len(r.Review.Notes) == 0) {
				t.Errorf("%s, accepted %v, reason %q, notes %q", r.Outcome, r.Review.Accepted(), r.Reason, r.Review.Notes)
			}
			if got[1].Review.Accepted() || got[1].Outcome != results[1].Outcome {
				t.Errorf("the other declaration became %+v", got[1])
			}
			if results[0].Review.Decision != "" {
				t.Error("the results that came in were changed")
			}
		})
	}
	sig := k.sign("review.example.net", "pegel-acceptance", good)
	a, err := declaration.ParseAcceptance([]byte(good+"# more\n"), sig, []byte(allowed), "a.yaml", moment)
	if err != nil || !strings.Contains(a.Void, "changed after it was signed") {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestAcceptanceLiftsNothingElse(t *testing.T) {
	k := newKeys(t)
	allowed := k.make("review.example.net")
	f := parse(t, sample)
	d, _ := f.Digest(f.Entries[0])
	text := acceptance("Review Association", "2026-11-23", d, "", "accept", "")
	a, err := declaration.ParseAcceptance([]byte(text), k.sign("review.example.net", "pegel-acceptance", text), []byte(allowed), "a.yaml", day("2026-11-24"))
	if err != nil || a.Void != "" {
		t.Fatalf("%+v, %v", a, err)
	}
	expired := declaration.Reviewed(declaration.Judge(f, day("2027-05-01"), shown(nil)), []declaration.Acceptance{a}, day("2027-05-01"))[0]
	broken := declaration.Reviewed(declaration.Judge(f, day("2026-11-24"), shown(map[string]audit.Seen{"evidence/domain-manager.pdf": {Digest: digestB}})), []declaration.Acceptance{a}, day("2026-11-24"))[0]
	if expired.Outcome != audit.MISS || broken.Outcome != audit.DNF {
		t.Errorf("expired %s, broken %s; want MISS and DNF", expired.Outcome, broken.Outcome)
	}
}

func TestMistakesInAnAcceptanceAreNamed(t *testing.T) {
	good := acceptance("Review Association", "2026-11-23", digestA, "", "accept", "")
	for change, want := range map[[2]string]string{
		{"/v1", "/v2"}:                                     "schema is",
		{"reviewer: ", "reviewr: "}:                        `did you mean "reviewer"?`,
		{"auditor", "a@example.org"}:                       "may name a person",
		{"date: 2026-11-23\n", ""}:                         "date is missing",
		{"accept\n", "maybe\n"}:                            `decision is "maybe"`,
		{"decision: accept", "decision: dispute"}:          "a dispute needs a comment",
		{digestA, "sha256:00"}:                             "digest is",
		{"  - declaration: " + digestA + "\n    ", "  - "}: "declaration is missing",
	} {
		_, err := declaration.ParseAcceptance([]byte(strings.Replace(good, change[0], change[1], 1)), nil, nil, "a.yaml", day("2026-11-24"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error = %v, want one with %s", change, err, want)
		}
	}
}

func added() declaration.Entry {
	return declaration.Entry{ID: "node-distribution-check", Statement: "Control planes: spread over # three halls,\nas the plan shows.", Date: day("2026-11-26"), Expires: day("2027-04-01"),
		Evidence: []declaration.Evidence{{File: "plan.pdf", Digest: digestB}, {URL: "https://docs.example.org/a?b=1#c"}}}
}

func TestAFileGrowsWithoutLosingAnything(t *testing.T) {
	tests := map[string]string{
		"as pegel writes it":    sample,
		"without a last break":  strings.TrimSuffix(sample, "\n"),
		"less indented":         strings.ReplaceAll(sample, "\n  ", "\n"),
		"with a comment behind": sample + "# the end\n",
		"without entries":       strings.SplitAfter(sample, "entries:\n")[0],
		"with empty entries":    strings.Replace(strings.SplitAfter(sample, "entries:\n")[0], "entries:", "entries: [] # none yet", 1),
		"without the key":       strings.Replace(strings.SplitAfter(sample, "entries:\n")[0], "entries:\n", "", 1),
		"entries first":         "entries:" + strings.SplitN(sample, "entries:", 2)[1] + strings.SplitN(sample, "entries:", 2)[0],
		"with an end":           sample + "...\n",
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			before := parse(t, text)
			data, err := declaration.Append([]byte(text), "d.yaml", []declaration.Entry{added()})
			if err != nil {
				t.Fatal(err)
			}
			after := parse(t, string(data))
			if len(after.Entries) != len(before.Entries)+1 {
				t.Fatalf("%d entries after %d\n%s", len(after.Entries), len(before.Entries), data)
			}
			for i, e := range before.Entries {
				was, _ := before.Digest(e)
				is, _ := after.Digest(after.Entries[i])
				if was != is {
					t.Errorf("entry %d became another one", i)
				}
			}
			want, _ := before.Digest(added())
			if got, _ := after.Digest(after.Entries[len(before.Entries)]); got != want {
				t.Errorf("the new entry is %+v", after.Entries[len(before.Entries)])
			}
			for line := range strings.Lines(text) {
				if _, comment, ok := strings.Cut(line, "# "); ok && !strings.Contains(string(data), strings.TrimSpace(comment)) {
					t.Errorf("comment %q is lost in\n%s", comment, data)
				}
			}
		})
	}
	if _, err := declaration.Append([]byte(sample), "d.yaml", parse(t, sample).Entries[:1]); err == nil || !strings.Contains(err.Error(), "declared on the same day") {
		t.Errorf("the same entry again: %v", err)
	}
}

func TestANewFileIsReadAgain(t *testing.T) {
	f := parse(t, sample)
	f.Entries = append(f.Entries, added())
	data, err := declaration.Write(f, nil)
	if err != nil {
		t.Fatal(err)
	}
	again := parse(t, string(data))
	for i, e := range f.Entries {
		was, _ := f.Digest(e)
		if is, _ := again.Digest(again.Entries[i]); was != is {
			t.Errorf("entry %d: %+v became %+v", i, e, again.Entries[i])
		}
	}
	f.Entries = nil
	data, err = declaration.Write(f, []declaration.Open{{ID: "domain-manager-check", About: []string{"Is there a role?\x1b[31m\nMISS"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := declaration.Parse(data, "new"); err == nil || !strings.Contains(err.Error(), "the statement of domain-manager-check says nothing") || strings.ContainsRune(string(data), '\x1b') {
		t.Errorf("a skeleton: %v\n%s", err, data)
	}
}

// FuzzDeclarations checks that what can be read can be written, and is then the same.
func FuzzDeclarations(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte(strings.SplitAfter(sample, "entries:\n")[0]))
	f.Add([]byte("schema: pegel/declaration/v1\nwho: |\n  a\nrole: ? x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := declaration.Parse(data, "f")
		if err != nil {
			return
		}
		text, err := declaration.Write(file, nil)
		if err != nil {
			t.Fatalf("%+v cannot be written: %v", file, err)
		}
		again, err := declaration.Parse(text, "f")
		if err != nil || len(again.Entries) != len(file.Entries) {
			t.Fatalf("%v\n%s", err, text)
		}
		for i, e := range file.Entries {
			was, err1 := file.Digest(e)
			is, err2 := again.Digest(again.Entries[i])
			if was != is || err1 != nil || err2 != nil {
				t.Errorf("%+v became %+v", e, again.Entries[i])
			}
		}
		declaration.Judge(file, file.Date, nil)
	})
}

// FuzzAcceptance checks that no bytes without a signature accept anything.
func FuzzAcceptance(f *testing.F) {
	f.Add([]byte(acceptance("Review Association", "2026-11-23", digestA, "", "accept", "")), []byte("x"), []byte("y"))
	f.Fuzz(func(t *testing.T, data, sig, allowed []byte) {
		a, err := declaration.ParseAcceptance(data, sig, allowed, "f", day("2026-11-24"))
		if err == nil && a.Void == "" && a.Key == "" {
			t.Errorf("%+v is neither signed nor void", a)
		}
	})
}
