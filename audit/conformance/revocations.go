package conformance

import (
	"encoding/csv"
	"encoding/json"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

// Revocations is what a public list of revoked certificates says about one certificate. SCS has not said which form it will
// have, so a list of any form is read as rows of text. The zero value: nobody named a list.
type Revocations struct {
	Trouble *audit.Trouble `json:"trouble,omitempty"` // why the list says nothing
	Read    bool           `json:"read,omitempty"`    // it is a list of certificates: "not listed" can be told
	Listed  bool           `json:"listed,omitempty"`  // the certificate stands there
	Rows    int            `json:"rows,omitempty"`
}

// maxRows bounds the rows of a list.
const maxRows = 100_000

// readRevocations looks for subject and scope in the same row. The list is one only if it says what it is: a document that
// is about something else says nothing about revocation.
func readRevocations(a audit.Answer, t Target, uuid string) Revocations {
	if a.Trouble != nil {
		return Revocations{Trouble: a.Trouble}
	}
	rows, form := revocationRows(a.Body)
	r := Revocations{Rows: len(rows)}
	if form = strings.ToLower(form); !strings.Contains(form, "revo") && !strings.Contains(form, "widerruf") {
		r.Trouble = &audit.Trouble{
			Kind: audit.TroubleContent, Text: "the document says nowhere that it is a list of revoked certificates", Settle: "name the public revocation list of SCS",
		}
		return r
	}
	r.Read = true
	for _, row := range rows {
		if hasWord(row, t.Subject) && (namesScope(row, uuid) || !namesAnyScope(row)) {
			r.Listed = true
		}
	}
	return r
}

// namesAnyScope reports whether a row names a scope at all; one that names none is about every scope of its subject.
func namesAnyScope(row string) bool {
	return namesScope(row, ScopeIaaS) || namesScope(row, ScopeKaaS)
}

// revocationRows cuts a list into rows of text, and returns with them all the text that says what it is.
func revocationRows(body []byte) (rows []string, text string) {
	s := string(body)
	var v any
	switch {
	case json.Unmarshal(body, &v) == nil:
		return valueRows(v), s
	case strings.Contains(strings.ToLower(s[:min(len(s), 4096)]), "<html"):
		return pageRows(s, true), pageText(s)
	}
	if r := csv.NewReader(strings.NewReader(s)); strings.Contains(firstLine(s), ",") {
		r.FieldsPerRecord = -1
		if records, err := r.ReadAll(); err == nil {
			for _, record := range records[:min(len(records), maxRows)] {
				rows = append(rows, strings.Join(record, " "))
			}
			return rows, s
		}
	}
	if len(body) <= maxScope && yaml.Unmarshal(body, &v) == nil {
		switch v.(type) {
		case map[string]any, []any:
			return valueRows(v), s
		}
	}
	for line := range strings.Lines(s) {
		if len(rows) < maxRows {
			rows = append(rows, line)
		}
	}
	return rows, s
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// valueRows takes every map that holds no other map or list as a row, and every scalar of a list.
func valueRows(v any) []string {
	var rows []string
	var walk func(v any, depth int)
	walk = func(v any, depth int) {
		if depth > 20 || len(rows) >= maxRows {
			return
		}
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				walk(x, depth+1)
			}
		case map[string]any:
			if text, flat := flatRow(v); flat {
				rows = append(rows, text)
				return
			}
			for _, x := range v {
				walk(x, depth+1)
			}
		case string:
			rows = append(rows, v)
		}
	}
	walk(v, 0)
	return rows
}

// flatRow joins the texts of a map and of the maps in it. A map with lists, or without any text of its own, is no row.
func flatRow(m map[string]any) (string, bool) {
	var words, inner []string
	for _, x := range m {
		switch x := x.(type) {
		case string:
			words = append(words, x)
		case map[string]any:
			text, flat := flatRow(x)
			if !flat {
				return "", false
			}
			inner = append(inner, text)
		case []any:
			return "", false
		}
	}
	return strings.Join(append(words, inner...), " "), len(words) > 0
}
