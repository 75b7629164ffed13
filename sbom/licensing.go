package sbom

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit/licence"
)

// Licensing is what is concluded about the licence of a component. The zero value says that nobody judged.
type Licensing struct {
	// Declared is the SPDX expression of everything that the authors say, parts that are not shipped included, but not the
	// packaging; empty if they say nothing. Concluded is the one that we conclude for what is deployed: main and shipped
	// parts, after the choice that ORs leave.
	Declared, Concluded string
	// Effective is Concluded where a choice among the branches of an OR was made; empty where nothing was to be chosen.
	Effective  string
	Class      string // verdict class (audit/licence); empty if not judged
	Provenance string // which of the provenances of claims decided the class; empty if none did
	Note       string // why, where the expressions alone do not say it
}

// Judge judges the licences of components. The zero value knows no corrections; NewJudge makes one that does. It reads
// nothing and may be used by several goroutines.
type Judge struct {
	corrections map[string][]Correction
	at          time.Time
}

// NewJudge returns a judge that believes the corrections until a year after their review, seen from the given time.
func NewJudge(corrections []Correction, at time.Time) Judge {
	return Judge{corrections: indexCorrections(corrections), at: at}
}

// CuratedJudge returns a judge that believes the corrections that Pegel ships, seen from the given time.
func CuratedJudge(at time.Time) (Judge, error) {
	corrections, err := Curated()
	if err != nil {
		return Judge{}, err
	}
	return NewJudge(corrections, at), nil
}

// belief are the provenances in the order in which they are believed. Those of one row are judged together: a name in the
// metadata and a licence text beside it both hold (reference: false positives to avoid). What is not here decides nothing
// by itself: the archive's area only vouches, and a label of an image is never trusted alone.
var belief = [][]string{
	{FromCurated}, {FromCopyright}, {FromHidden}, {FromOtherImage}, {FromMirror}, {FromService}, {FromMetadata, FromText}, {FromSBOM}, {FromCatalogue},
}

// Of judges one component by its claims, whatever their order. Claims that say nothing are passed over; one that cannot be
// read leaves the class unknown. Then an archive that accepts only free software vouches for names that nobody knows
// (Debian main and contrib), one that does not makes what is not known restricted, and a curated correction decides over
// all. Nothing that is not known becomes osi.
func (j Judge) Of(c Component) Licensing {
	f := readClaims(c)
	l := f.conclude(c)
	return j.correct(c, l)
}

// findings are the claims of one row of belief, read.
type findings struct {
	declared, shipped licence.Expression
	first             string // the first provenance of the row that has a claim
	unknown           string // file and line of the first claim that nobody knows
	misplaced         []string
	note              []string
}

// readClaims reads the claims of the first row of belief that says anything.
func readClaims(c Component) findings {
	for _, row := range belief {
		r := rowReader{row: row}
		for _, claim := range c.Licences {
			if !slices.Contains(row, claim.Provenance) {
				continue
			}
			if e := readClaim(c, claim); !e.SaysNothing() {
				r.take(claim, e)
			}
		}
		if r.first != "" {
			return r.join()
		}
	}
	return findings{}
}

// rowReader gathers the claims of one row.
type rowReader struct {
	findings
	row                      []string
	declared, shipped, texts []licence.Expression
}

func (r *rowReader) take(claim LicenceClaim, e licence.Expression) {
	if r.first == "" || slices.Index(r.row, claim.Provenance) < slices.Index(r.row, r.first) {
		r.first = claim.Provenance
	}
	if at := place(claim); e.Class() == licence.Unknown && at != "" && (r.unknown == "" || at < r.unknown) {
		r.unknown = at
	}
	if claim.Provenance == FromText {
		r.texts = append(r.texts, e)
		return
	}
	r.declared = append(r.declared, e)
	if claim.Weight == string(licence.Side) {
		return
	}
	r.shipped = append(r.shipped, e)
	if claim.Weight == string(licence.Shipped) && e.Class() == licence.DocsData && namesCode(claim.Files) {
		r.misplaced = append(r.misplaced, e.String())
	}
}

// join makes one expression of the claims: texts settle vague names, and what they say beyond the names holds too.
func (r *rowReader) join() findings {
	text := licence.And(r.texts...).Sorted()
	names := licence.And(r.declared...).SettledBy(text)
	more := text.Beyond(names)
	f := r.findings
	f.declared = licence.And(names, more).Sorted()
	f.shipped = licence.And(licence.And(r.shipped...).SettledBy(text), more).Sorted()
	if !more.IsEmpty() && !names.IsEmpty() {
		f.note = append(f.note, fmt.Sprintf("the metadata says %s, a text is of %s", clipText(names.Sorted().String()), clipText(more.Sorted().String())))
	}
	if f.shipped.IsEmpty() {
		f.shipped = f.declared // a package of documentation alone: what is there is what is shipped
	}
	slices.Sort(f.misplaced)
	return f
}

// readClaim reads a claim in the words of the component's ecosystem. What cannot be read stays, as a reference of class
// unknown.
func readClaim(c Component, claim LicenceClaim) licence.Expression {
	value := claim.Value
	if value == UnreadableCopyright {
		value = copyrightRef(c)
	}
	e, err := licence.ParseFrom(listOfNames(c.Type), value)
	switch {
	case strings.TrimSpace(value) == "":
		return licence.Expression{}
	case err != nil:
		return licence.Unreadable()
	}
	return e
}

// copyrightRef names the licence of a deb that only its copyright file describes (BSI TR-03183-2 section 6.1: a reference
// that begins with who keeps the list).
func copyrightRef(c Component) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '-'
	}, firstOf(c.Source, c.Name))
	return "LicenseRef-debian-copyright-of-" + name[:min(len(name), 100)]
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// listOfNames is whose way of writing names a type of package follows.
func listOfNames(kind string) licence.List {
	switch kind {
	case "deb":
		return licence.Debian
	case "python":
		return licence.Python
	case "npm":
		return licence.NPM
	case "rpm":
		return licence.RPM
	case "apk":
		return licence.APK
	}
	return licence.Any
}

// conclude turns findings into a judgement.
func (f findings) conclude(c Component) Licensing {
	area := areaOf(c)
	if f.first == "" {
		return withoutClaims(c, area)
	}
	concluded := f.shipped.Effective().Sorted()
	l := Licensing{Declared: f.declared.String(), Concluded: concluded.String(), Provenance: f.first}
	if concluded.String() != f.shipped.String() {
		l.Effective = l.Concluded
		f.note = append(f.note, "chosen among "+clipText(f.shipped.String()))
	}
	class := concluded.Class()
	if reason := f.documentOnCode(c, concluded); reason != "" && class == licence.DocsData && !vouches(area) {
		class = licence.Unknown
		f.note = append(f.note, reason)
	}
	if slices.Contains(closedAreas, area) && class.Free() && !(class == licence.DocsData && isDocument(c)) {
		// The archive has a reason to keep the package there, be it one that no name tells, such as missing sources.
		class = licence.Unknown
		f.note = append(f.note, fmt.Sprintf("the archive keeps the package in %s, although it names %s", area, clipText(concluded.String())))
	} else if class == licence.Unknown {
		class = f.byArea(area, concluded, &l)
	}
	l.Class, l.Note = string(class), strings.Join(f.note, "; ")
	return l
}

// vouches reports whether an archive accepts only free software into the area: Debian policy 2.2.1 (main) and 2.2.2
// (contrib) demand that every package there complies with the DFSG.
func vouches(area string) bool { return area == areaMain || area == areaContrib }

// byArea decides what the names leave open.
func (f *findings) byArea(area string, concluded licence.Expression, l *Licensing) licence.Class {
	names := inWords(concluded.Names(licence.Unknown))
	switch {
	case vouches(area):
		l.Provenance = FromArchiveArea
		f.note = append(f.note, fmt.Sprintf("nobody knows %s, but Debian accepts only free software into %s", names, area))
		return concluded.ClassGiven(licence.FreeNotOSI)
	case slices.Contains(closedAreas, area):
		l.Provenance = FromArchiveArea
		f.note = append(f.note, fmt.Sprintf("nobody knows %s, and the archive keeps the package in %s", names, area))
		return licence.Restricted
	case names != "":
		f.note = append(f.note, fmt.Sprintf("nobody knows %s%s", names, f.unknown))
	}
	return licence.Unknown
}

// place says where a claim was read, as the end of a sentence.
func place(claim LicenceClaim) string {
	switch {
	case claim.Path == "":
		return ""
	case claim.Line == 0:
		return " in " + claim.Path
	}
	return fmt.Sprintf(" in %s line %d", claim.Path, claim.Line)
}

// documentOnCode says why a licence for documents is none for this component: it is code, and no other licence is for it.
func (f findings) documentOnCode(c Component, concluded licence.Expression) string {
	switch {
	case len(f.misplaced) > 0:
		return inWords(f.misplaced) + " is a licence for documents, and stands on code"
	case isDocument(c) || f.first == FromCurated:
		return ""
	case len(concluded.Names(licence.OSI)) == 0 && len(concluded.Names(licence.FreeNotOSI)) == 0:
		return inWords(concluded.Names(licence.DocsData)) + " is a licence for documents, and no other is named"
	}
	return ""
}

// withoutClaims judges by what is left: the archive that a deb came from, or the label of an image.
func withoutClaims(c Component, area string) Licensing {
	l := Licensing{Class: string(licence.Unknown), Note: "no licence was found"}
	switch {
	case vouches(area):
		return Licensing{
			Concluded: copyrightRef(c), Class: string(licence.FreeNotOSI), Provenance: FromArchiveArea,
			Note: "no copyright file was found; Debian accepts only free software into " + area,
		}
	case slices.Contains(closedAreas, area):
		return Licensing{
			Concluded: copyrightRef(c), Class: string(licence.Restricted), Provenance: FromArchiveArea,
			Note: "no copyright file was found, and the archive keeps the package in " + area,
		}
	}
	var labels []licence.Expression
	for _, claim := range c.Licences {
		if claim.Provenance == FromLabel {
			labels = append(labels, readClaim(c, claim))
		}
	}
	if e := licence.And(labels...).Sorted(); !e.SaysNothing() {
		l.Declared, l.Note = e.String(), "only a label of the image names a licence, and labels are not trusted alone"
	}
	return l
}

// codeKinds are endings of source files; a licence for documents on one of them is misplaced.
var codeKinds = []string{
	".c", ".h", ".cc", ".cpp", ".cxx", ".hh", ".hpp", ".s", ".py", ".pl", ".pm", ".rb", ".sh", ".go", ".rs", ".java", ".js", ".ts", ".lua", ".php", ".el", ".scm", ".vala",
}

func namesCode(patterns string) bool {
	return slices.ContainsFunc(strings.Fields(patterns), func(p string) bool { return slices.Contains(codeKinds, strings.ToLower(path.Ext(p))) })
}

// inWords lists the first three names.
func inWords(names []string) string {
	const shown = 3
	text := strings.Join(names[:min(len(names), shown)], ", ")
	if more := len(names) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// clipText keeps a note readable.
func clipText(s string) string {
	const longest = 200
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "") + "..."
}
