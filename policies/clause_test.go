package policies

import (
	"strings"
	"testing"
)

func TestATableOfClausesHoldsTogetherWithTheRequirements(t *testing.T) {
	const head = "schema: pegel/policy/v1\nid: proposal\ntitle: Proposal\nstatus: proposal\n"
	const pinned = "repository: https://git.example.org/a\ncommit: 0123456789012345678901234567890123456789\npath: A.md\n"
	for name, test := range map[string]struct{ clauses, want string }{
		"as it should be":              {head + "clauses:\n- {id: open, says: {en: a}}\n", ""},
		"refused clauses need nothing": {head + "clauses:\n- {id: open, says: {en: a}}\n- {id: b, says: {en: b}, refused: {en: no}}\n", ""},
		"nobody serves it":             {head + "clauses:\n- {id: open, says: {en: a}}\n- {id: b, says: {en: b}}\n", `no requirement rests on clause "proposal/b"`},
		"refused and served":           {head + "clauses:\n- {id: open, says: {en: a}, refused: {en: no}}\n", "is refused, and a requirement rests on it"},
		"a typo":                       {head + "clauses:\n- {id: opem, says: {en: a}}\n", `no clause "proposal/open"; did you mean "proposal/opem"?`},
		"twice":                        {head + "clauses:\n- {id: open, says: {en: a}}\n- {id: open, says: {en: b}}\n", "exists already"},
		"no commit":                    {head + "repository: https://git.example.org/a\npath: A.md\nclauses:\n- {id: open, says: {en: a}}\n", "names the commit"},
		"a quotation without a line":   {head + pinned + "clauses:\n- {id: open, quote: a b, says: {en: a}}\n", `"line" is missing`},
		"a long quotation":             {head + pinned + "clauses:\n- {id: open, line: 3, quote: " + strings.Repeat("a ", 16) + ", says: {en: a}}\n", "16 words; at most 15"},
		"a path that leaves":           {head + pinned + "clauses:\n- {id: open, path: ../B.md, says: {en: a}}\n", "no path of a file inside"},
		"another file name":            {strings.Replace(head, "id: proposal", "id: other", 1) + "clauses:\n- {id: open, says: {en: a}}\n", "stand in clauses/other.yaml"},
		"no clause":                    {head + "clauses: []\n", "at least one clause"},
	} {
		files := tiny(t)
		files["clauses/proposal.yaml"] = test.clauses
		_, err := Load(asFS(files))
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: want %q, got %v", name, test.want, err)
		}
	}
}

func TestAClauseLeadsToTheLineThatWasRead(t *testing.T) {
	c := Clause{Document: Document{Title: "A", Repository: "https://git.example.org/a", Commit: "c0", Path: "A.md"}, At: "first", Line: 3}
	if want, got := "A, first (https://git.example.org/a/blob/c0/A.md#L3)", c.String(); got != want {
		t.Errorf("want %s, got %s", want, got)
	}
	c.Path = "B.md"
	if want, got := "https://git.example.org/a/blob/c0/B.md#L3", c.Address(); got != want {
		t.Errorf("want %s, got %s", want, got)
	}
}
