// Package disclosure looks at what an operator tells about what runs and what is wrong with it: the published SBOM, the file
// security.txt, security advisories, the imprint, and the page about a certificate. From a home page it finds where such
// things are. In go targets and the functions of a World, out come artifacts with facts or with the reason why there are none.
//
// It asks only through World.Ask and World.Open, keeps no name, mail address or telephone number of anybody, verifies no
// signature, and does not judge: the indicators do.
package disclosure

import (
	"context"
	"net/url"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Bounds of what is read. A page of an operator is far below them; what lies above is cut, and a note says so.
const (
	pageLimit   = 4 << 20   // bytes of one page
	sbomLimit   = 256 << 20 // bytes of one SBOM, as package sbom reads them
	maxSBOMs    = 40        // documents behind one index
	maxDetails  = 60        // pages of single advisories behind one index
	maxPages    = 20        // of one list
	maxListed   = 2000      // advisories that are kept, newest first
	maxProblems = 50
	maxText     = 200 // bytes of one text that is kept
	maxAddress  = 2000
)

// look is one collector at work: it asks, and writes down every look.
type look struct {
	world transparency.World
	out   transparency.Artifact
}

func newLook(t transparency.Target, w transparency.World) *look {
	return &look{world: w, out: transparency.Artifact{Target: t}}
}

// ask asks the world once and writes the look down. Without a function to ask, nobody may be asked.
func (l *look) ask(ctx context.Context, r audit.Request) audit.Answer {
	if l.world.Ask == nil {
		return audit.Answer{Seen: audit.Seen{URL: r.URL, Trouble: &audit.Trouble{
			Kind: audit.TroubleOffline, Text: "the run may not ask anybody", Settle: "run it with network, or hand the evidence over as a file",
		}}}
	}
	if r.Limit == 0 {
		r.Limit = pageLimit
	}
	answer := l.world.Ask(ctx, r)
	l.out.Seen = append(l.out.Seen, answer.Seen)
	l.out.Handed = l.out.Handed || answer.Handed != ""
	return answer
}

// fail ends a look without facts.
func (l *look) fail(t *audit.Trouble) transparency.Artifact {
	l.out.Trouble = t
	return l.out
}

func (l *look) note(text string) { l.out.Notes = append(l.out.Notes, text) }

func trouble(kind, text, settle string) *audit.Trouble {
	return &audit.Trouble{Kind: kind, Text: text, Settle: settle}
}

// base is the address that a target is read from: its URL, or the place of what was handed over. A file keeps its name, which
// may tell what it is; a directory is asked like a site.
func base(t transparency.Target) string {
	switch {
	case t.URL != "":
		return t.URL
	case path.Ext(t.File) != "":
		return "file:///" + url.PathEscape(path.Base(t.File))
	}
	return "file:///"
}

// resolve returns the address that a reference on a page means, without its fragment; empty if it is no address of the web.
func resolve(page, ref string) string {
	b, err := url.Parse(page)
	if err != nil {
		return ""
	}
	u, err := b.Parse(strings.TrimSpace(ref))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "file" || u.Scheme == "file" && b.Scheme != "file" {
		return ""
	}
	u.Fragment, u.User = "", nil
	return u.String()
}

// webAddress is an address that is kept. One that is longer than browsers and servers take is not: it could only be cut.
func webAddress(s string) string {
	if len(s) > maxAddress {
		return ""
	}
	return oneLine(s)
}

// at is the address that an answer came from.
func at(s audit.Seen) string {
	if s.Final != "" {
		return s.Final
	}
	return s.URL
}

// clean makes text of strangers fit to be shown: one line, without control and formatting characters, bounded.
func clean(s string) string {
	s = oneLine(s)
	if len(s) <= maxText {
		return s
	}
	cut := maxText
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}

func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}
