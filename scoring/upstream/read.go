package upstream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"go.yaml.in/yaml/v3"
)

// Limits of a catalogue. The shipped one has some 200 components in 130 kB.
const (
	maxCatalogue  = 4 << 20 // bytes
	maxComponents = 20000
	maxDepth      = 8
	maxExpression = 200 // characters of a licence

	fewestReasonWords = 5   // of a reason for another profile: a word is no reason
	mostReason        = 500 // bytes of it
)

// usualProfile judges the components that name no profile.
const usualProfile = "service"

// file is the catalogue as it is written.
type file struct {
	Schema     string      `yaml:"schema"`
	Standards  []Standard  `yaml:"standards"`
	Components []Component `yaml:"components"`
}

// Read reads a catalogue. It accepts only what is right in full: an unknown, misspelt or repeated key, a repeated id, an
// address, licence or version constraint that cannot be read is an error that names line and component.
func Read(data []byte) (*Catalogue, error) {
	c, err := read(data)
	if err != nil {
		return nil, fmt.Errorf("reading catalogue: %w", err)
	}
	return c, nil
}

func read(data []byte) (*Catalogue, error) {
	root, err := parse(data)
	if err != nil {
		return nil, err
	}
	if err := checkShape(root, reflect.TypeFor[file](), 0); err != nil {
		return nil, err
	}
	var f file
	if err := root.Decode(&f); err != nil {
		return nil, flat(err)
	}
	if f.Schema != Schema {
		return nil, fmt.Errorf("line %d: schema %q is not %q", root.Line, f.Schema, Schema)
	}
	if len(f.Components) == 0 || len(f.Components) > maxComponents {
		return nil, fmt.Errorf("line %d: %d components, want 1 to %d", root.Line, len(f.Components), maxComponents)
	}
	nodes := value(root, "components").Content
	if err := checkAll(f.Components, nodes); err != nil {
		return nil, err
	}
	if err := checkReplaceable(f, nodes); err != nil {
		return nil, err
	}
	c := &Catalogue{digest: audit.DigestOf(data), components: f.Components, standards: f.Standards}
	c.index()
	return c, nil
}

// parse returns the root mapping of the one YAML document in data.
func parse(data []byte) (*yaml.Node, error) {
	if len(data) > maxCatalogue {
		return nil, fmt.Errorf("%d bytes, want at most %d", len(data), maxCatalogue)
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc, rest yaml.Node
	if err := d.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, errors.New("the file is empty")
	} else if err != nil {
		return nil, flat(err)
	}
	if err := d.Decode(&rest); !errors.Is(err, io.EOF) {
		return nil, errors.New("want exactly one YAML document")
	}
	if len(doc.Content) != 1 {
		return nil, errors.New("the file is empty")
	}
	return doc.Content[0], nil
}

// flat writes an error of the YAML library in one line, without its prefix.
func flat(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.TrimPrefix(text, "unmarshal errors:\n")
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return errors.New(strings.Join(lines, "; "))
}

// checkShape compares a node with the Go type it will be read into: kinds, known keys, no key twice, no aliases.
func checkShape(n *yaml.Node, t reflect.Type, depth int) error {
	switch {
	case depth > maxDepth:
		return fmt.Errorf("line %d: more than %d levels", n.Line, maxDepth)
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		return fmt.Errorf("line %d: anchors and aliases are not allowed", n.Line)
	}
	switch t.Kind() {
	case reflect.Struct:
		return checkMapping(n, t, depth)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			return fmt.Errorf("line %d: want a list", n.Line)
		}
		for _, item := range n.Content {
			if err := checkShape(item, t.Elem(), depth+1); err != nil {
				return err
			}
		}
	default:
		if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
			return fmt.Errorf("line %d: want a single value", n.Line)
		}
	}
	return nil
}

func checkMapping(n *yaml.Node, t reflect.Type, depth int) error {
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: want keys with values", n.Line)
	}
	fields := make(map[string]reflect.Type)
	var names []string
	for f := range t.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" {
			fields[name] = f.Type
			names = append(names, name)
		}
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		field, ok := fields[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || !ok:
			return fmt.Errorf("line %d: unknown key %q%s", key.Line, key.Value, hint(key.Value, names))
		case seen[key.Value]:
			return fmt.Errorf("line %d: key %q stands twice", key.Line, key.Value)
		}
		seen[key.Value] = true
		if err := checkShape(val, field, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// hint proposes the nearest of the known names, if one is near.
func hint(wrong string, names []string) string {
	best, distance := "", 4
	for _, name := range names {
		if d := editDistance(wrong, name); d < distance {
			best, distance = name, d
		}
	}
	if best == "" {
		slices.Sort(names)
		return "; known are " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// editDistance counts insertions, deletions and replacements; names longer than 64 bytes are far from everything.
func editDistance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// value returns the value of a key of a mapping, or the mapping itself if the key is not there, for its line.
func value(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return n
}

// checkAll checks the components against the rules of the schema, and prepares the version constraints.
func checkAll(components []Component, nodes []*yaml.Node) error {
	ids := make(map[string]int)
	for i := range components {
		k := &components[i]
		if line, ok := ids[k.ID]; ok {
			return fmt.Errorf("line %d: id %q stands at line %d already", nodes[i].Line, k.ID, line)
		}
		ids[k.ID] = nodes[i].Line
	}
	for i := range components {
		if key, err := components[i].check(ids); err != nil {
			return fmt.Errorf("line %d: component %q: %s: %w", value(nodes[i], key).Line, components[i].ID, key, err)
		}
	}
	return nil
}

var (
	idPattern    = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	chartPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)
	debPattern   = regexp.MustCompile(`^([a-z]+/)?[a-z0-9][a-z0-9+.-]+$`)
)

// check returns the key that is wrong, and why.
func (k *Component) check(ids map[string]int) (key string, err error) {
	for _, c := range []struct {
		key string
		err error
	}{
		{"id", matching(idPattern, "lower-case words joined by hyphens", k.ID)},
		{"name", filled(k.Name)},
		{"role", oneOf(k.Role, RolePlatform, RoleBuildingBlock)},
		{"tiers", tiers(k.Tiers)},
		{"area", filled(k.Area)},
		{"repo", address(k.Repo)},
		{"mirror", optional(k.Mirror, address)},
		{"licence", expression(k.Licence)},
		{"licence_by_version", k.checkRows()},
		{"licence_flag", oneOf(k.LicenceFlag, "", "not_clearly_osi")},
		{"governance", k.checkGovernance(ids)},
		{"images", each(k.Images, image)},
		{"inside", each(k.Inside, image)},
		{"editions", k.checkEditions()},
		{"helm_charts", each(k.HelmCharts, chart)},
		{"packages", each(k.Packages, debName)},
		{"purls", each(k.PURLs, barePURL)},
		{"software", each(k.Software, filled)},
		{"places", k.checkPlaces()},
		{"profile", k.checkProfile()},
		{"profile_reason", k.checkProfileReason()},
	} {
		if c.err != nil {
			return c.key, c.err
		}
	}
	return "", nil
}

func matching(p *regexp.Regexp, want, s string) error {
	if !p.MatchString(s) {
		return fmt.Errorf("%q is not %s", s, want)
	}
	return nil
}

// checkProfile asks for a reason where another profile than the usual one judges: a profile that asks for less must be
// justified by what the project is, never by its score.
func (k *Component) checkProfile() error {
	switch {
	case k.Profile == "":
		return nil
	case k.Profile == usualProfile:
		return fmt.Errorf("%q is what judges without this key; leave it out", k.Profile)
	case k.ProfileReason == "":
		return fmt.Errorf("is %q, but profile_reason does not say why", k.Profile)
	}
	return matching(idPattern, "the id of a profile: lower-case words joined by hyphens", k.Profile)
}

func (k *Component) checkProfileReason() error {
	switch {
	case k.Profile == "" && k.ProfileReason != "":
		return errors.New("is filled, but no profile is chosen")
	case k.Profile == "":
		return nil
	case len(strings.Fields(k.ProfileReason)) < fewestReasonWords:
		return fmt.Errorf("has fewer than %d words; say what the project is", fewestReasonWords)
	case len(k.ProfileReason) > mostReason:
		return fmt.Errorf("has %d bytes, want at most %d", len(k.ProfileReason), mostReason)
	}
	return nil
}

func filled(s string) error {
	if strings.TrimSpace(s) == "" {
		return errors.New("is missing")
	}
	return nil
}

func oneOf(s string, allowed ...string) error {
	if !slices.Contains(allowed, s) {
		return fmt.Errorf("%q is not one of %q", s, allowed)
	}
	return nil
}

func optional(s string, check func(string) error) error {
	if s == "" {
		return nil
	}
	return check(s)
}

// each checks every item of a list, and that none stands twice.
func each(list []string, check func(string) error) error {
	for i, s := range list {
		if err := check(s); err != nil {
			return err
		}
		if slices.Contains(list[:i], s) {
			return fmt.Errorf("%q stands twice", s)
		}
	}
	return nil
}

func tiers(list []string) error {
	if len(list) == 0 {
		return errors.New("is missing")
	}
	return each(list, func(s string) error { return oneOf(s, "functional", "iam", "ops", "base") })
}

func address(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" || strings.ContainsAny(s, " \t\n") {
		return fmt.Errorf("%q is not an https address without user and fragment", s)
	}
	return nil
}

// expression checks an SPDX expression; LicenseRef names are allowed.
func expression(s string) error {
	switch {
	case s == NoAssertion:
		return nil
	case len(s) > maxExpression:
		return fmt.Errorf("expression of %d characters, want at most %d", len(s), maxExpression)
	case !isExpression(s):
		return fmt.Errorf("%q is neither an SPDX licence expression nor %s", s, NoAssertion)
	}
	return nil
}

func image(s string) error {
	if _, ok := newImageEntry(s); !ok {
		return fmt.Errorf("%q is not an image name without tag and digest", s)
	}
	return nil
}

func chart(s string) error   { return matching(chartPattern, "a chart name", s) }
func debName(s string) error { return matching(debPattern, "a Debian package name", s) }

func barePURL(s string) error {
	if _, ok := purlKey(s); !ok || strings.ContainsAny(s, "@?#") {
		return fmt.Errorf("%q is not a package URL without version", s)
	}
	return nil
}

// checkRows checks the licence rows and prepares their constraints. Rows of one edition may not overlap: a version has
// one licence.
func (k *Component) checkRows() error {
	if k.Licence == NoAssertion && len(k.LicenceByVersion) == 0 {
		return fmt.Errorf("is empty while licence is %s", NoAssertion)
	}
	if k.Licence != NoAssertion && len(k.LicenceByVersion) > 0 {
		return fmt.Errorf("is filled while licence is %q; want %s", k.Licence, NoAssertion)
	}
	for i := range k.LicenceByVersion {
		if err := k.LicenceByVersion[i].prepare(); err != nil {
			return err
		}
	}
	for i, a := range k.LicenceByVersion {
		for _, b := range k.LicenceByVersion[:i] {
			if strings.EqualFold(a.Edition, b.Edition) && a.constraint.overlaps(b.constraint) {
				return fmt.Errorf("versions %q and %q overlap", b.Versions, a.Versions)
			}
		}
	}
	return nil
}

func (r *LicenceRow) prepare() (err error) {
	if r.constraint, err = parseConstraint(r.Versions); err != nil {
		return err
	}
	if r.Licence == NoAssertion {
		return fmt.Errorf("row %q has no licence", r.Versions)
	}
	if err := expression(r.Licence); err != nil {
		return err
	}
	if filled(r.Source) != nil {
		return fmt.Errorf("row %q has no source", r.Versions)
	}
	if class := licence.ClassOf(r.Licence); class != licence.Unknown && (class == licence.OSI) != r.OSI {
		return fmt.Errorf("row %q says osi: %t, but %s is of class %s", r.Versions, r.OSI, r.Licence, class)
	}
	return nil
}

// overlaps reports whether some version lies in both ranges. It tries version 0, each bound, and the point after each
// bound: between these no range can begin or end.
func (c constraint) overlaps(d constraint) bool {
	points := [][]int{{0}}
	for _, b := range slices.Concat(c, d) {
		after := append(make([]int, 0, maxParts), b.parts...)
		for len(after) < maxParts-1 {
			after = append(after, 0)
		}
		points = append(points, b.parts, append(after, 1))
	}
	return slices.ContainsFunc(points, func(p []int) bool {
		v := version{parts: p}
		return c.holds(v) == yes && d.holds(v) == yes
	})
}

func (k *Component) checkGovernance(ids map[string]int) error {
	g := k.Governance
	if err := filled(g.Foundation); err != nil {
		return fmt.Errorf("foundation %w; write none if there is none", err)
	}
	if _, ok := ids[g.PartOf]; g.PartOf != "" && (!ok || g.PartOf == k.ID) {
		return fmt.Errorf("part_of %q is no other component", g.PartOf)
	}
	return optional(g.Registry, address)
}

func (k *Component) checkEditions() error {
	for _, e := range k.Editions {
		if !slices.ContainsFunc(k.LicenceByVersion, func(r LicenceRow) bool { return strings.EqualFold(r.Edition, e.Edition) }) || e.Edition == "" {
			return fmt.Errorf("edition %q has no row in licence_by_version", e.Edition)
		}
		if filled(e.Source) != nil || len(e.Images) == 0 {
			return fmt.Errorf("edition %q needs images and a source", e.Edition)
		}
		for _, name := range e.Images {
			if !slices.Contains(k.Images, name) && !slices.Contains(k.Inside, name) {
				return fmt.Errorf("image %q of edition %q is not listed under images or inside", name, e.Edition)
			}
		}
	}
	return nil
}
