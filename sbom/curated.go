package sbom

import (
	"bytes"
	_ "embed" // the corrections
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit/licence"
)

// CorrectionsSchema names the form of a file of corrections.
const CorrectionsSchema = "pegel/curated-licences/v1"

// correctionHolds is how long a review counts. Licences of products change from one version to the next, so that a row
// nobody looked at for a year may be wrong.
const correctionHolds = 365 * 24 * time.Hour

// Limits of a file of corrections.
const (
	maxCorrections    = 10_000
	maxCorrectionFile = 4 << 20
)

// Correction says what the licence of some packages is in a range of versions, because what they say themselves is missing,
// wrong or changed: data with a reason, a source and the date of a review.
type Correction struct {
	// Packages are "<purl type>/<name>"; of deb, rpm and apk the name is without the distribution, of others with the
	// namespace, e.g. golang/github.com/hashicorp/vault.
	Packages []string `yaml:"packages"`
	// Versions are bounds joined by commas, all of which hold: <, <=, >, >= and a version of three parts; "*": all.
	Versions string `yaml:"versions"`
	Licence  string `yaml:"licence"`  // SPDX expression
	Reason   string `yaml:"reason"`   // why the correction is needed, in a sentence
	Source   string `yaml:"source"`   // https address where the licence was read
	Reviewed string `yaml:"reviewed"` // day of the review, e.g. 2026-11-25
	Reviewer string `yaml:"reviewer"` // role of who reviewed, no name
}

//go:embed curated.yaml
var curatedFile []byte

// Curated returns the corrections that Pegel ships. An error means that the file is broken, which a test excludes.
func Curated() ([]Correction, error) { return ReadCorrections(curatedFile) }

// ReadCorrections reads a file of corrections. It takes only what is right in full: unknown keys, versions, licences,
// addresses and dates that cannot be read, and two rows that speak about the same versions of a package are errors, which
// name the package.
func ReadCorrections(data []byte) ([]Correction, error) {
	list, err := decodeCorrections(data)
	if err != nil {
		return nil, fmt.Errorf("reading corrections: %w", err)
	}
	ranges := map[string][]versionRange{}
	for i, c := range list {
		bounds, err := c.check()
		if err != nil {
			return nil, fmt.Errorf("reading corrections: row %d (%s): %w", i+1, clipText(strings.Join(c.Packages, ", ")), err)
		}
		for _, p := range c.Packages {
			if slices.ContainsFunc(ranges[p], bounds.overlaps) {
				return nil, fmt.Errorf("reading corrections: row %d: an earlier row speaks about versions %q of %q too", i+1, c.Versions, p)
			}
			ranges[p] = append(ranges[p], bounds)
		}
	}
	return list, nil
}

func decodeCorrections(data []byte) ([]Correction, error) {
	if len(data) > maxCorrectionFile {
		return nil, fmt.Errorf("%d bytes, want at most %d", len(data), maxCorrectionFile)
	}
	var file struct {
		Schema      string       `yaml:"schema"`
		Corrections []Correction `yaml:"corrections"`
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil {
		return nil, errors.New(strings.ReplaceAll(strings.TrimPrefix(err.Error(), "yaml: "), "\n", ";"))
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("want exactly one YAML document")
	}
	switch n := len(file.Corrections); {
	case file.Schema != CorrectionsSchema:
		return nil, fmt.Errorf("schema %q is not %q", clipText(file.Schema), CorrectionsSchema)
	case n > maxCorrections:
		return nil, fmt.Errorf("%d corrections, want at most %d", n, maxCorrections)
	}
	return file.Corrections, nil
}

var packageForm = regexp.MustCompile(`^[a-z]+/@?[^\s@?#]+$`)

func (c Correction) check() (versionRange, error) {
	e, err := licence.Parse(c.Licence)
	source, sourceErr := url.Parse(c.Source)
	_, dateErr := time.Parse(time.DateOnly, c.Reviewed)
	bounds, rangeErr := parseRange(c.Versions)
	switch {
	case len(c.Packages) == 0:
		return nil, errors.New("it names no package")
	case slices.ContainsFunc(c.Packages, func(p string) bool { return !packageForm.MatchString(p) }):
		return nil, errors.New("a package is written <purl type>/<name>, e.g. deb/redis-server")
	case rangeErr != nil:
		return nil, rangeErr
	case err != nil:
		return nil, err
	case e.Class() == licence.Unknown:
		return nil, fmt.Errorf("the licence %q has class unknown, so that it corrects nothing", clipText(c.Licence))
	case strings.TrimSpace(c.Reason) == "" || strings.TrimSpace(c.Reviewer) == "":
		return nil, errors.New("a reason and the role of the reviewer are needed")
	case sourceErr != nil || source.Scheme != "https" || source.Host == "" || source.User != nil:
		return nil, fmt.Errorf("source %q is no https address", clipText(c.Source))
	case dateErr != nil:
		return nil, fmt.Errorf("reviewed %q is no date such as 2026-11-25", clipText(c.Reviewed))
	}
	return bounds, nil
}

// expires returns the moment from which the correction no longer decides.
func (c Correction) expires() time.Time {
	day, err := time.Parse(time.DateOnly, c.Reviewed)
	if err != nil {
		return time.Time{}
	}
	return day.Add(correctionHolds)
}

func indexCorrections(list []Correction) map[string][]Correction {
	out := map[string][]Correction{}
	for _, c := range list {
		for _, p := range c.Packages {
			out[strings.ToLower(p)] = append(out[strings.ToLower(p)], c)
		}
	}
	return out
}

// correct applies the corrections of a package to what its claims say. One that holds decides. One that has expired, or of
// which the version does not tell whether it holds, no longer decides, but it leaves the class unknown where it would have
// made it worse: what was restricted a year ago is not free because nobody looked since.
func (j Judge) correct(c Component, l Licensing) Licensing {
	if len(j.corrections) == 0 {
		return l
	}
	for _, k := range j.corrections[correctionKey(c)] {
		bounds, err := parseRange(k.Versions)
		if err != nil {
			continue
		}
		holds, known := bounds.holds(upstreamVersion(c))
		switch {
		case known && !holds:
		case known && j.at.Before(k.expires()):
			return k.decide(l)
		case known:
			l = k.doubt(l, fmt.Sprintf("the correction reviewed on %s has expired", k.Reviewed))
		default:
			l = k.doubt(l, fmt.Sprintf("its licence differs by version, and %q does not tell whether it is %s", clipText(c.Version), k.Versions))
		}
	}
	return l
}

func (k Correction) decide(l Licensing) Licensing {
	e, err := licence.Parse(k.Licence)
	if err != nil {
		return l
	}
	chosen := e.Effective().Sorted()
	note := fmt.Sprintf("%s (%s, reviewed %s)", strings.TrimRight(k.Reason, "."), k.Source, k.Reviewed)
	out := Licensing{Declared: l.Declared, Concluded: chosen.String(), Class: string(chosen.Class()), Provenance: FromCurated, Note: note}
	if out.Concluded != e.Sorted().String() {
		out.Effective = out.Concluded
	}
	return out
}

// doubt keeps a judgement that the correction would have made worse from being believed.
func (k Correction) doubt(l Licensing, why string) Licensing {
	found := licence.Class(l.Class)
	if licence.Worst(found, licence.ClassOf(k.Licence)) != found {
		l.Class = string(licence.Worst(found, licence.Unknown))
	}
	l.Note = strings.TrimPrefix(l.Note+"; "+why, "; ")
	return l
}

// correctionKey is how corrections name the component: purl type and name, without the distribution.
func correctionKey(c Component) string {
	path, ok := strings.CutPrefix(c.PURL, "pkg:")
	if !ok {
		return ""
	}
	path = path[:firstIndex(path, "@?#")]
	kind, name, _ := strings.Cut(path, "/")
	if kind == "deb" || kind == "rpm" || kind == "apk" {
		name = name[strings.LastIndexByte(name, '/')+1:]
	}
	if plain, err := url.PathUnescape(name); err == nil {
		name = plain
	}
	return strings.ToLower(kind + "/" + name)
}

// firstIndex is where the first of the characters stands, or the end. An @ at the start of a namespace (npm) is none.
func firstIndex(s, chars string) int {
	for i := range len(s) {
		if strings.IndexByte(chars, s[i]) >= 0 && (i == 0 || s[i-1] != '/') {
			return i
		}
	}
	return len(s)
}

// unversioned finds versions that name no release: of Go modules at a revision, and of builds from a working tree.
var unversioned = regexp.MustCompile(`-(?:0\.)?[0-9]{14}-[0-9a-f]{12}|^\(devel\)$|^v?0\.0\.0(?:-|$)`)

// dated finds the releases that MinIO names by day and time.
var dated = regexp.MustCompile(`^RELEASE\.([0-9]{4})-([0-9]{2})-([0-9]{2})T`)

// upstreamVersion is the version without what the distribution adds; empty if it names no release.
func upstreamVersion(c Component) string {
	v := c.Version
	if unversioned.MatchString(v) {
		return ""
	}
	if m := dated.FindStringSubmatch(v); m != nil {
		return m[1] + "." + m[2] + "." + m[3]
	}
	if c.Type == "deb" || c.Type == "rpm" || c.Type == "apk" {
		if i := strings.LastIndexByte(v, '-'); i > 0 {
			v = v[:i]
		}
	}
	return v
}

// versionRange are bounds that all hold; none: every version.
type versionRange []versionBound

type versionBound struct {
	op, version string
}

var boundForm = regexp.MustCompile(`^(<=|>=|<|>)\s*([0-9]+\.[0-9]+\.[0-9]+)$`)

func parseRange(text string) (versionRange, error) {
	if text == "*" {
		return nil, nil
	}
	var out versionRange
	for part := range strings.SplitSeq(text, ",") {
		m := boundForm.FindStringSubmatch(strings.TrimSpace(part))
		if m == nil {
			return nil, fmt.Errorf("versions %q are no bounds such as \">=7.4.0, <8.0.0\", nor \"*\"", clipText(text))
		}
		out = append(out, versionBound{op: m[1], version: m[2]})
	}
	return out, nil
}

// holds reports whether a version lies within the bounds; known is false where that cannot be told.
func (r versionRange) holds(version string) (holds, known bool) {
	holds, known = true, true
	for _, b := range r {
		order, ok := compareVersions(version, b.version)
		if version == "" || !ok {
			known = false
			continue
		}
		if !b.allows(order) {
			return false, true // one bound that is known not to hold is enough
		}
	}
	return holds, known
}

func (b versionBound) allows(order int) bool {
	switch b.op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

// overlaps reports whether some version may lie within both. All bounds have three numbers, so that it is enough to try
// each bound and its neighbours.
func (r versionRange) overlaps(other versionRange) bool {
	candidates := []string{"0.0.0"}
	for _, b := range append(slices.Clone(r), other...) {
		candidates = append(candidates, b.version, b.version+".1")
	}
	return slices.ContainsFunc(candidates, func(v string) bool {
		a, _ := r.holds(v)
		b, _ := other.holds(v)
		return a && b
	})
}
