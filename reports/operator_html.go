package reports

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

//go:embed html/operator.tmpl
var operatorSource string

//go:embed html/operator-parts.tmpl
var operatorParts string

// operatorHTML writes what was seen of an operator as one self-contained file.
func operatorHTML(v OperatorView) ([]byte, error) {
	t, err := template.New("operator-page").Parse(operatorSource)
	if err == nil {
		_, err = t.New("parts").Parse(operatorParts)
	}
	if err != nil {
		return nil, fmt.Errorf("reading operator template: %w", err)
	}
	v = shown(v)
	sum := sha256.Sum256([]byte(styleSource))
	view := operatorViewOf(v.Operator)
	page := operatorPage{
		Style: template.CSS(styleSource), StyleHash: base64.StdEncoding.EncodeToString(sum[:]), V: v, View: view, Kinds: view.Kinds,
		Title: strings.TrimSuffix(operatorTitle(v), "."), NotCertificate: notCertificate, Outside: howSeen(v.Operator), Day: day(v.AssessedAt),
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "operator-page", page); err != nil {
		return nil, fmt.Errorf("filling operator template: %w", err)
	}
	return b.Bytes(), nil
}

type operatorPage struct {
	Style                                          template.CSS // our own style sheet, never data
	StyleHash, Title, NotCertificate, Outside, Day string
	V                                              OperatorView
	View                                           operatorHTMLView
	Kinds                                          []operatorKindView
}

// operatorHTMLView is what the part "operator" of a page shows.
type operatorHTMLView struct {
	Kinds        []operatorKindView
	Nobody       sign
	Standings    []standingView
	Documents    []linkedLine
	Declarations []linkedLine
	NotSeen      []Unseen
	Looks        []lookView
}

type operatorKindView struct {
	Anchor, Title string
	Artifacts     []operatorArtifactView
	Answers       []operatorAnswerView
}

type operatorArtifactView struct {
	Sign                                sign
	Link, Text, Detail, Trouble, Settle string
	Facts, Notes                        []string
	Refs                                []int
}

type operatorAnswerView struct {
	Sign                              sign
	ID, Title, Reason, Settle, Weight string
	Handed                            bool
	Refs                              []int
}

type standingView struct {
	Layer, Words string
	Parts        []standingPart
}

type standingPart struct {
	Sign                  sign
	Reason, Until, Settle string
	Refs                  []int
}

type linkedLine struct {
	Sign       sign
	Link, Text string
	Refs       []int
}

type lookView struct {
	Number                                            int
	Link, Text, Final, Answer, When, Digest, Original string
}

// lookIndex numbers the looks, so that each cell opens its evidence.
type lookIndex struct {
	numbers map[string]int
	rows    []lookView
}

func lookKey(address string, digest audit.Digest, at time.Time) string {
	if digest != "" { // a public report shows of a file its name alone
		address = path.Base(address)
	}
	return fmt.Sprint(address, "\x00", digest, "\x00", at.Unix())
}

func (x *lookIndex) add(l Look) int {
	address := l.URL
	if l.Handed != "" {
		address = l.Handed
	}
	key := lookKey(address, l.Digest, l.At)
	if n, ok := x.numbers[key]; ok {
		return n
	}
	n := len(x.rows) + 1
	x.numbers[key] = n
	v := lookView{Number: n, Link: webURL(l.URL), Text: address, Final: l.Final, When: moment(l.At), Digest: string(l.Digest), Original: string(l.Original)}
	if l.Handed != "" {
		v.Link, v.Text = "", "file "+l.Handed+" (handed over)"
	}
	v.Answer = lookAnswer(l)
	x.rows = append(x.rows, v)
	return n
}

func lookAnswer(l Look) string {
	var parts []string
	if l.Status != 0 {
		parts = append(parts, fmt.Sprint(l.Status))
	}
	if l.Content != "" {
		parts = append(parts, l.Content)
	}
	if l.Trouble != "" {
		parts = append(parts, l.Trouble)
	}
	return strings.Join(parts, ", ")
}

// refs returns the numbers of the looks behind origins; what is no look of this page has none.
func (x *lookIndex) refs(origins []audit.Origin) []int {
	var out []int
	for _, o := range origins {
		address := o.URL
		if address == "" {
			address = o.Path
		}
		n, ok := x.numbers[lookKey(address, o.Digest, o.At)]
		if !ok {
			n = x.add(Look{URL: o.URL, Handed: orElse(o.URL == "", o.Path, ""), At: o.At, Digest: o.Digest, Content: o.Commit})
		}
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

func orElse(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

// moment writes a time to the minute, UTC.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

func operatorViewOf(o Operator) operatorHTMLView {
	x := &lookIndex{numbers: map[string]int{}}
	v := operatorHTMLView{Nobody: sign{"?", "nobody looked", neutral}, NotSeen: o.NotSeen}
	for i, k := range operatorKinds(o) {
		kind := operatorKindView{Anchor: fmt.Sprintf("k%d", i+1), Title: capital(k.Title)}
		for _, a := range k.Artifacts {
			kind.Artifacts = append(kind.Artifacts, artifactOf(a, x))
		}
		for _, a := range k.Answers {
			kind.Answers = append(kind.Answers, answerOf(a, x))
		}
		v.Kinds = append(v.Kinds, kind)
	}
	for _, s := range o.Standings {
		view := standingView{Layer: layerTitle(s.Layer), Words: s.Words}
		for _, a := range []StandingAnswer{s.Tests, s.Certificate} {
			part := standingPart{Sign: answerSign(a.Outcome, a.Declared), Reason: sentence(a.Reason), Settle: strings.Join(a.Settle, "; "), Refs: x.refs(a.Origins)}
			if !a.ValidUntil.IsZero() {
				part.Until = day(a.ValidUntil)
			}
			view.Parts = append(view.Parts, part)
		}
		v.Standings = append(v.Standings, view)
	}
	for _, d := range o.Documents {
		v.Documents = append(v.Documents, linkedLine{Link: webURL(d.Link), Text: documentLine(d), Refs: x.refs(d.Origins)})
	}
	for _, d := range o.Declarations {
		text := fmt.Sprintf("%s, said by %s on %s: %s (%s)", d.ID, d.Who, day(d.Date), d.Statement, d.Reason)
		for _, n := range d.Notes {
			text += " " + sentence(n)
		}
		v.Declarations = append(v.Declarations, linkedLine{Sign: declarationSign(d), Text: text, Refs: x.refs(d.Origins)})
	}
	for _, l := range o.Searched {
		x.add(l)
	}
	v.Looks = x.rows
	return v
}

func artifactOf(a OperatorArtifact, x *lookIndex) operatorArtifactView {
	v := operatorArtifactView{Sign: artifactSign(a), Text: a.URL, Link: webURL(a.URL), Trouble: a.Trouble, Settle: a.Settle, Facts: a.Facts, Notes: a.Notes}
	if a.Handed != "" {
		v.Text, v.Link = "file "+a.Handed, ""
	}
	if v.Text == "" {
		v.Text = a.Title
	}
	var detail []string
	if a.Region != "" {
		detail = append(detail, "region "+a.Region)
	}
	if a.Adapter != "" {
		detail = append(detail, a.Adapter)
	}
	if s := age(a); s != "" {
		detail = append(detail, s)
	}
	v.Detail = strings.Join(detail, ", ")
	for _, l := range a.Looks {
		if n := x.add(l); !slices.Contains(v.Refs, n) {
			v.Refs = append(v.Refs, n)
		}
	}
	return v
}

func answerOf(a OperatorAnswer, x *lookIndex) operatorAnswerView {
	v := operatorAnswerView{Sign: answerSign(a.Outcome, a.Declared), ID: a.ID, Title: a.Title, Weight: severityWords(a), Reason: sentence(a.Reason), Handed: a.Handed, Refs: x.refs(a.Origins)}
	if a.Outcome != audit.PASS && a.Outcome != audit.NA {
		v.Settle = strings.Join(a.Settle, "; ")
	}
	return v
}
