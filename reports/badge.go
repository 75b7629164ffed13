package reports

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Badge draws the verdict about one project as SVG. It says how the project stands to a proposal, by its id and version,
// and never that a label was granted; the words are its text alternative, and the colour adds nothing to them.
func Badge(projects []Project, _ Options) ([]byte, error) {
	if len(projects) != 1 {
		return nil, fmt.Errorf("a badge shows one project, not %d", len(projects))
	}
	p := shown(projects)[0]
	const left, height, char, edge = "upstream health", 20, 7, 8
	right := cut(badgeText(p), 80)
	wl, wr := utf8.RuneCountInString(left)*char+2*edge, utf8.RuneCountInString(right)*char+2*edge
	fill := map[tone]string{good: "#17653a", bad: "#9c1f26", unsure: "#754c00"}[projectSign(p.Verdict).Tone]
	alt := escapeXML(fmt.Sprintf("Upstream health of %s: %s. A proposal, not a certificate.", cut(p.Name, 80), right))
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label="%s">`+"\n", wl+wr, height, wl+wr, height, alt)
	fmt.Fprintf(&b, "<title>%s</title>\n", alt)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#3a434c"/><rect x="%d" width="%d" height="%d" fill="%s"/>`+"\n", wl, height, wl, wr, height, cmp.Or(fill, "#4b5864"))
	b.WriteString(`<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle" aria-hidden="true">` + "\n")
	fmt.Fprintf(&b, `<text x="%d" y="14" textLength="%d">%s</text><text x="%d" y="14" textLength="%d">%s</text>`+"\n",
		wl/2, wl-2*edge, escapeXML(left), wl+wr/2, wr-2*edge, escapeXML(right))
	b.WriteString("</g>\n</svg>\n")
	return []byte(b.String()), nil
}

// badgeText is how a project stands to the profile it was judged by, and on which day.
func badgeText(p Project) string {
	words := map[string]string{
		"passed": "meets proposal", "almost": "almost meets proposal", "showstopper": "does not meet proposal",
	}[p.Verdict]
	text := cmp.Or(words, "undetermined by proposal") + " " + strings.TrimSpace(cmp.Or(p.Profile, "default")+" "+p.ProfileVersion)
	if !p.At.IsZero() {
		text += ", " + day(p.At)
	}
	return text
}

// escapeXML escapes text for SVG; printable has taken out what XML cannot hold.
func escapeXML(s string) string {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return ""
	}
	return b.String()
}
