package openops

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Bounds of declared links.
const (
	maxDeclared = 50
	maxPage     = 4 << 20
)

// links looks at what the operator declares: does it answer, and does it name the operator? Pages about talks name those who
// gave them, so that nothing of a page is kept but whether it names the operator; its digest tells an auditor that it is the same page.
func (l *looker) links(ctx context.Context) []transparency.CheckedLink {
	declared := l.artifact.Links
	if len(declared) > maxDeclared {
		l.artifact.Notes = append(l.artifact.Notes, fmt.Sprintf("the first %d of %d declared links were visited", maxDeclared, len(declared)))
		declared = declared[:maxDeclared]
	}
	var out []transparency.CheckedLink
	for _, link := range declared {
		c := transparency.CheckedLink{Link: link}
		if l.world.Ask == nil {
			c.Trouble = &audit.Trouble{Kind: audit.TroubleOffline, Text: "the run may not ask anybody", Settle: "run without --offline"}
			out = append(out, c)
			continue
		}
		answer := l.world.Ask(ctx, audit.Request{URL: link.URL, Limit: maxPage, Redact: l.reduce})
		c.Seen = len(l.artifact.Seen)
		l.artifact.Seen = append(l.artifact.Seen, answer.Seen)
		c.Trouble = answer.Trouble
		c.Names = answer.Trouble == nil && bytes.HasPrefix(answer.Body, []byte(namesOperator))
		if c.Trouble != nil && l.first == nil {
			l.first = c.Trouble
		}
		out = append(out, c)
	}
	return out
}

// What is kept of a page.
const (
	namesOperator = "The page names the operator.\n"
	namesNobody   = "The page does not name the operator.\n"
)

// reduce turns a page into one sentence. What it has reduced it leaves as it is.
func (l *looker) reduce(body []byte) ([]byte, error) {
	if s := string(body); s == namesOperator || s == namesNobody {
		return body, nil
	}
	text := " " + strings.ToLower(strings.Join(strings.Fields(visible(body)), " ")) + " "
	for _, name := range []string{l.world.Operator.Name, l.artifact.Name} {
		if mentions(text, shortName(name)) {
			return []byte(namesOperator), nil
		}
	}
	for _, d := range l.world.Operator.Domains {
		if d = registrable(d); d != "" && strings.Contains(text, d) {
			return []byte(namesOperator), nil
		}
	}
	return []byte(namesNobody), nil
}

// shortName is a name without case and legal form, with its words.
func shortName(name string) string {
	name = strings.ToLower(strings.Join(strings.Fields(name), " "))
	if short := strings.TrimSpace(legalForm.ReplaceAllString(name, "")); short != "" {
		return short
	}
	return name
}

// mentions looks for a name as whole words: "ion" is not named by "station".
func mentions(text, name string) bool {
	if len(name) < 3 {
		return false
	}
	for rest := text; ; {
		i := strings.Index(rest, name)
		if i < 0 {
			return false
		}
		before, after := rest[:i], rest[i+len(name):]
		if !endsInLetter(before) && !beginsWithLetter(after) {
			return true
		}
		rest = after
	}
}

func endsInLetter(s string) bool     { return s != "" && isWord(s[len(s)-1]) }
func beginsWithLetter(s string) bool { return s != "" && isWord(s[0]) }
func isWord(c byte) bool             { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 0x80 }

// visible returns the text of a page with the addresses of its links; of what is no HTML, all of it.
func visible(body []byte) string {
	head := bytes.ToLower(body[:min(len(body), 4096)])
	if !bytes.Contains(head, []byte("<html")) && !bytes.Contains(head, []byte("<!doctype")) {
		return strings.ToValidUTF8(string(body), " ")
	}
	z := html.NewTokenizer(bytes.NewReader(body))
	z.SetMaxBuf(1 << 20)
	var out strings.Builder
	script := false
	for {
		switch z.Next() {
		case html.ErrorToken:
			return strings.ToValidUTF8(out.String(), " ")
		case html.StartTagToken:
			t := z.Token()
			script = t.DataAtom == atom.Script || t.DataAtom == atom.Style
			for _, a := range t.Attr {
				if a.Key == "href" || a.Key == "content" && t.DataAtom == atom.Meta {
					out.WriteString(" " + a.Val + " ")
				}
			}
		case html.EndTagToken:
			script = false
		case html.TextToken:
			if !script {
				out.WriteString(" " + html.UnescapeString(string(z.Text())) + " ")
			}
		}
	}
}
