package sbom

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Kinds of drift: how what runs differs from what was declared to run.
const (
	DriftNotRunning  = "not-running"  // declared and not seen running
	DriftNotDeclared = "not-declared" // running, and nothing declares it
	DriftContents    = "contents"     // the same name and version, other contents
	DriftTagMoved    = "tag-moved"    // exactly the same reference names other contents than declared, or other contents in two places
	DriftVersion     = "version"      // another version than declared, not older or not comparable
	DriftOlder       = "older"        // an older version than declared
	DriftUnpinned    = "unpinned"     // named by something that means another thing tomorrow: latest, a branch
	DriftEndOfLife   = "end-of-life"  // its upstream no longer maintains the version
)

// Drift is one difference between intent and fact, with both sides.
type Drift struct {
	Kind     string   `json:"kind"`
	Artifact string   `json:"artifact"` // id of the artifact that it is about: what runs, else what was declared
	Name     string   `json:"name"`
	Tiers    []string `json:"tiers,omitempty"`
	Detail   string   `json:"detail"` // one sentence for people
	// Open says why the difference is not certain, e.g. that some hosts were not read; empty if it is.
	Open     string `json:"open,omitempty"`
	Declared *Side  `json:"declared,omitempty"` // nil: nothing declares it
	Running  *Side  `json:"running,omitempty"`  // nil: it was not seen running
}

// Side is what one half of the comparison says, and where.
type Side struct {
	Artifact  string         `json:"artifact,omitempty"`
	Reference string         `json:"reference,omitempty"`
	Version   string         `json:"version,omitempty"`
	Digest    audit.Digest   `json:"digest,omitempty"`
	Where     []string       `json:"where"` // at most mostPlaces
	Origins   []audit.Origin `json:"origins,omitempty"`
}

// mostPlaces bounds the places that one side names; the artifact has them all.
const mostPlaces = 5

// Comparison is the result of Compare.
type Comparison struct {
	Drift []Drift `json:"drift"` // sorted by kind, name and artifact
	// Undecided says why intent and fact could not be compared at all: nothing was seen running, or nothing declares what
	// shall run. Empty if both halves are there.
	Undecided string `json:"undecided,omitempty"`
}

// Compare holds intent against fact in a placed inventory: what sources declare, against what sources saw running. An
// artifact is as declared if some intent source names the same contents, or, where one side knows no digest, the same path
// and tag (the registry may be a mirror). A release or chart offers more than shall run, so that what it offers and does
// not run is an open difference, not a certain one; a switch of a configuration says that a service shall run. Ends of
// maintenance are judged on the day of at.
func Compare(inv Inventory, at time.Time) Comparison {
	c := comparer{inv: inv, today: at.UTC().Format(time.DateOnly), missing: CrossCheck(inv).Hosts.MissingNames(), partner: map[int]int{}}
	for i, a := range inv.Artifacts {
		if a.Excluded != "" || a.Kind != KindImage && a.Kind != KindSoftware {
			continue
		}
		if a.Running() {
			c.running = append(c.running, i)
		}
		if a.Intended() {
			c.intended = append(c.intended, i)
		}
	}
	c.pair()
	c.differences()
	c.switches()
	c.moved()
	for _, a := range inv.Artifacts {
		if a.Excluded == "" {
			c.loose(a)
			c.aged(a)
		}
	}
	slices.SortFunc(c.out.Drift, func(a, b Drift) int {
		return cmp.Or(cmp.Compare(driftRank(a.Kind), driftRank(b.Kind)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Artifact, b.Artifact), cmp.Compare(a.Detail, b.Detail))
	})
	return c.out
}

// Intended reports whether an intent source names it.
func (a Artifact) Intended() bool {
	return slices.ContainsFunc(a.Sightings, func(s Sighting) bool {
		return s.Declared && (s.State == StateDeclared || s.State == StateOffered)
	})
}

func driftRank(kind string) int {
	return slices.Index([]string{DriftTagMoved, DriftContents, DriftOlder, DriftVersion, DriftNotDeclared, DriftNotRunning, DriftUnpinned, DriftEndOfLife}, kind)
}

type comparer struct {
	inv      Inventory
	today    string
	running  []int // places in inv.Artifacts
	intended []int
	partner  map[int]int // running to intended and intended to running, where they are not the same artifact
	missing  []string    // hosts that some list names and nobody read
	out      Comparison
}

func (c *comparer) at(i int) Artifact { return c.inv.Artifacts[i] }

func (c *comparer) add(kind string, about Artifact, declared, running *Side, open, format string, args ...any) {
	c.out.Drift = append(c.out.Drift, Drift{Kind: kind, Artifact: about.ID, Name: about.Name, Tiers: about.Tiers, Open: open,
		Detail: fmt.Sprintf(format, args...), Declared: declared, Running: running})
}

// pair finds for each running artifact that nothing declares the declared artifact that it stands for: the one of the
// same kind whose repository agrees in the most parts, counted from the right, and at least in the last.
func (c *comparer) pair() {
	byName := map[string][]int{}
	for _, i := range c.intended {
		if a := c.at(i); !a.Running() {
			for _, key := range pairKeys(a) {
				byName[key] = append(byName[key], i)
			}
		}
	}
	for _, i := range c.running {
		a := c.at(i)
		if a.Intended() {
			continue
		}
		best, agree := -1, 0
		for _, key := range pairKeys(a) {
			for _, j := range byName[key] {
				if n := agreement(a, c.at(j)); n > agree || n == agree && best >= 0 && c.nearer(i, j, best) {
					best, agree = j, n
				}
			}
		}
		if best < 0 {
			continue
		}
		c.partner[i] = best
		if _, taken := c.partner[best]; !taken {
			c.partner[best] = i
		}
	}
}

// nearer prefers the declared artifact of the same version, then the smaller ID.
func (c *comparer) nearer(running, j, best int) bool {
	same := func(k int) bool { return c.at(k).Version == c.at(running).Version }
	if same(j) != same(best) {
		return same(j)
	}
	return c.at(j).ID < c.at(best).ID
}

// pairKeys are the names under which an artifact may be paired: the last part of its repository; of software its name and
// its upstream projects, because a node's kubelet stands for the Kubernetes that was declared.
func pairKeys(a Artifact) []string {
	if a.Kind == KindImage {
		return []string{"image " + a.Name}
	}
	keys := []string{"software " + a.Name}
	for _, p := range a.Projects {
		keys = append(keys, "project "+p)
	}
	return sortedUnion(keys, nil)
}

// agreement counts the parts of two repositories that agree from the right; software agrees in one.
func agreement(a, b Artifact) int {
	if a.Kind != b.Kind {
		return 0
	}
	if a.Kind != KindImage {
		return 1
	}
	n := 0
	for _, x := range paths(a) {
		for _, y := range paths(b) {
			n = max(n, commonSuffix(x, y))
		}
	}
	return n
}

func paths(a Artifact) [][]string {
	var out [][]string
	for _, text := range append([]string{a.Reference}, a.Aliases...) {
		if ref, err := ParseReference(text); err == nil {
			out = append(out, strings.Split(ref.Path, "/"))
		}
	}
	return out
}

func commonSuffix(a, b []string) int {
	n := 0
	for n < len(a) && n < len(b) && a[len(a)-1-n] == b[len(b)-1-n] {
		n++
	}
	return n
}

// differences lists what differs between the halves.
func (c *comparer) differences() {
	switch {
	case len(c.running) == 0 && len(c.intended) == 0:
		c.out.Undecided = "nothing was seen running and nothing declares what shall run"
		return
	case len(c.running) == 0:
		c.out.Undecided = "nothing was seen running: add a source that sees the running stack, e.g. containers: or kubernetes:"
		return
	case len(c.intended) == 0 && !c.hasSwitches():
		c.out.Undecided = "nothing declares what shall run: add a source of intent, e.g. osism:, configuration: or cluster-stack:"
		return
	}
	for _, i := range c.running {
		if a := c.at(i); !a.Intended() {
			c.runs(a, i)
		}
	}
	for _, i := range c.intended {
		a := c.at(i)
		if _, paired := c.partner[i]; paired || a.Running() {
			continue
		}
		c.rests(a)
	}
}

func (c *comparer) hasSwitches() bool {
	return slices.ContainsFunc(c.inv.Expected, func(e Expected) bool { return e.Kind == ExpectedService && slices.Contains(e.Groups, "enabled") })
}

// runs judges what runs without being declared under the same digest or reference.
func (c *comparer) runs(a Artifact, i int) {
	j, paired := c.partner[i]
	if !paired {
		if a.Kind == KindImage || strings.HasPrefix(a.Reference, "helm:") {
			c.add(DriftNotDeclared, a, nil, runningSide(a), "", "%s runs and nothing declares it", described(a))
		}
		return
	}
	d := c.at(j)
	declared, running := declaredSide(d), runningSide(a)
	older, comparable := olderThan(a.Version, d.Version)
	switch {
	case sharedReference(a, d) && a.Digest != "" && d.Digest != "":
		c.add(DriftTagMoved, a, declared, running, "", "%s runs with other contents than were declared under the same name", described(a))
	case a.Kind == KindImage && SameTag(a, d) && a.Digest != "" && d.Digest != "":
		c.add(DriftContents, a, declared, running, "", "%s runs in the declared version with other contents; it comes from another place or was built again", described(a))
	case a.Kind == KindImage && SameTag(a, d):
		// a mirror of the declared name and tag; that the contents agree cannot be told without digests, which the
		// requirement on digests says
	case a.Version == "" || d.Version == "":
		if loosely(a, d) != "" {
			c.add(DriftVersion, a, declared, running, loosely(a, d), "%s runs; %s was declared", described(a), described(d))
		} else if tagOf(a) != tagOf(d) {
			c.add(DriftVersion, a, declared, running, "", "%s runs; %s was declared", described(a), described(d))
		}
	case a.Version == d.Version:
		if tagOf(a) != tagOf(d) && a.Kind == KindImage {
			c.add(DriftContents, a, declared, running, "", "%s runs in another build of the declared version (%s)", described(a), cmp.Or(tagOf(d), "no tag"))
		}
	case comparable && older:
		c.add(DriftOlder, a, declared, running, "", "%s runs, older than the declared %s", described(a), d.Version)
	default:
		c.add(DriftVersion, a, declared, running, "", "%s runs; version %s was declared", described(a), d.Version)
	}
}

// loosely says why the versions of a pair cannot be compared, if one of them is named by something that moves.
func loosely(a, d Artifact) string {
	if a.Unpinned != "" || d.Unpinned != "" {
		return "one side names no version: " + cmp.Or(d.Unpinned, a.Unpinned)
	}
	return ""
}

// rests judges what is declared and was not seen running.
func (c *comparer) rests(a Artifact) {
	if a.Kind != KindImage && !slices.ContainsFunc(a.Sightings, func(s Sighting) bool { return s.Source == "chart" || s.Source == "cluster-stack" || s.Source == "helm" }) {
		return // collections, roles and tools of a release are not things that run
	}
	var open []string
	if !slices.ContainsFunc(a.Sightings, func(s Sighting) bool { return s.State == StateDeclared }) {
		open = append(open, "a release offers it; whether it shall run here is not said")
	}
	if len(c.missing) > 0 {
		open = append(open, fmt.Sprintf("%s not read", counted(len(c.missing), "host was", "hosts were")))
	} else if len(c.inv.Failures) > 0 {
		open = append(open, "not every source could be read")
	}
	c.add(DriftNotRunning, a, declaredSide(a), nil, strings.Join(open, "; "), "%s is declared and was not seen running", described(a))
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// switches compares the services that a configuration turns on or off with what runs.
func (c *comparer) switches() {
	if len(c.running) == 0 {
		return
	}
	for _, e := range c.inv.Expected {
		if e.Kind != ExpectedService || !e.Known {
			continue
		}
		on, off := slices.Contains(e.Groups, "enabled"), slices.Contains(e.Groups, "disabled")
		if on == off {
			continue
		}
		side := &Side{Where: []string{e.Where}, Reference: e.Name, Origins: originList(e.Origin)}
		seen := -1
		for _, i := range c.running {
			if Serves(c.at(i), e.Name) {
				seen = i
				break
			}
		}
		about := Artifact{ID: "service:" + e.Name, Name: e.Name}
		switch {
		case on && seen < 0:
			open := ""
			if len(c.missing) > 0 {
				open = fmt.Sprintf("%s not read", counted(len(c.missing), "host was", "hosts were"))
			}
			c.add(DriftNotRunning, about, side, nil, open, "service %s is enabled and nothing of it was seen running", e.Name)
		case off && seen >= 0:
			c.add(DriftNotDeclared, c.at(seen), side, runningSide(c.at(seen)), "", "%s runs although its service %s is disabled", described(c.at(seen)), e.Name)
		}
	}
}

// Serves reports whether an artifact belongs to a service of a list: its service, one of its projects, or its name is
// that of the service, or begins with it and a dash (neutron, neutron-server). Underscores count as dashes.
func Serves(a Artifact, service string) bool {
	want := strings.ReplaceAll(strings.ToLower(service), "_", "-")
	if want == "" {
		return false
	}
	for _, name := range append([]string{a.Service, a.Name}, a.Projects...) {
		name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
		if name == want || strings.HasPrefix(name, want+"-") {
			return true
		}
	}
	return false
}

// loose lists an artifact that some place names by something that moves.
func (c *comparer) loose(a Artifact) {
	if a.Unpinned == "" || a.Kind == KindHost || a.Kind == KindBOM {
		return
	}
	declared, running := declaredSide(a), runningSide(a)
	if declared == nil && running == nil {
		return
	}
	c.add(DriftUnpinned, a, declared, running, "", "%s: %s", described(a), a.Unpinned)
}

// moved lists each tag that several images run under: one place started before the tag moved, another after.
func (c *comparer) moved() {
	names := map[string][]int{}
	for _, i := range c.running {
		if a := c.at(i); a.Kind == KindImage {
			for _, ref := range references(a, true) {
				names[ref] = append(names[ref], i)
			}
		}
	}
	for _, ref := range slices.Sorted(maps.Keys(names)) {
		for _, i := range names[ref] {
			if a := c.at(i); len(names[ref]) > 1 {
				c.add(DriftTagMoved, a, nil, runningSide(a), "", "%s names %d images that run; this is %s", ref, len(names[ref]), short(a))
			}
		}
	}
}

// aged lists a version that its upstream no longer maintains on the day of the audit.
func (c *comparer) aged(a Artifact) {
	if a.Support == nil || a.Support.Ends >= c.today {
		return
	}
	running := runningSide(a)
	if running == nil {
		running = seenSide(a)
	}
	c.add(DriftEndOfLife, a, declaredSide(a), running, "", "%s: maintenance of %s ended on %s", described(a), a.Support.Cycle, a.Support.Ends)
}

func described(a Artifact) string {
	switch {
	case a.Version != "":
		return a.Name + " " + a.Version
	case tagOf(a) != "":
		return a.Name + ":" + tagOf(a)
	}
	return a.Name
}

func short(a Artifact) string {
	d := cmp.Or(a.Digest, a.Config)
	if d == "" {
		return "one without a known digest"
	}
	return "sha256:" + d.Hex()[:12]
}

func tagOf(a Artifact) string {
	ref, err := ParseReference(a.Reference)
	if a.Kind != KindImage || err != nil {
		return ""
	}
	return ref.Tag
}

// sharedReference reports whether two artifacts were named by exactly the same reference with a tag.
func sharedReference(a, b Artifact) bool {
	return shared(references(a, false), references(b, false)) != ""
}

func shared(x, y []string) string {
	for _, ref := range x {
		if slices.Contains(y, ref) {
			return ref
		}
	}
	return ""
}

// references are the tagged references of an artifact, sorted; of those it runs under if running is asked for.
func references(a Artifact, running bool) []string {
	var out []string
	if !running {
		out = append(append(out, a.Reference), a.Aliases...)
	}
	for _, s := range a.Sightings {
		if !running || s.State == StateRunning {
			out = append(out, s.Reference)
		}
	}
	return slices.DeleteFunc(sortedUnion(out, nil), func(text string) bool {
		ref, err := ParseReference(text)
		return err != nil || ref.Tag == "" || ref.Digest != ""
	})
}

// SameTag reports whether two images have one name and tag, perhaps in different registries or below a mirror's path.
func SameTag(a, b Artifact) bool { return tagOf(a) == tagOf(b) && tagOf(a) != "" && a.Name == b.Name }

func declaredSide(a Artifact) *Side {
	return sideOf(a, func(s Sighting) bool { return s.Declared && (s.State == StateDeclared || s.State == StateOffered) })
}

func runningSide(a Artifact) *Side {
	return sideOf(a, func(s Sighting) bool { return s.State == StateRunning })
}

func seenSide(a Artifact) *Side { return sideOf(a, func(s Sighting) bool { return !s.Declared }) }

// sideOf gathers the sightings of one half; nil if there are none.
func sideOf(a Artifact, counts func(Sighting) bool) *Side {
	side := Side{Artifact: a.ID, Version: a.Version}
	for _, s := range a.Sightings {
		if !counts(s) {
			continue
		}
		side.Reference = cmp.Or(side.Reference, s.Reference)
		side.Digest = cmp.Or(side.Digest, s.Digest)
		if len(side.Where) < mostPlaces {
			side.Where = append(side.Where, s.Where)
			side.Origins = append(side.Origins, originList(s.Origin)...)
		}
	}
	if len(side.Where) == 0 {
		return nil
	}
	side.Reference = cmp.Or(side.Reference, a.Reference)
	return &side
}

func originList(o audit.Origin) []audit.Origin {
	if o == (audit.Origin{}) {
		return nil
	}
	return []audit.Origin{o}
}

// olderThan compares two versions part by part; comparable is false where parts that differ are no numbers.
func olderThan(a, b string) (older, comparable bool) {
	x, y := versionParts(a), versionParts(b)
	for i := range max(len(x), len(y)) {
		p, q := part(x, i), part(y, i)
		if p == q {
			continue
		}
		if !digits(p) || !digits(q) {
			return false, false
		}
		p, q = strings.TrimLeft(p, "0"), strings.TrimLeft(q, "0")
		if p == q {
			continue
		}
		return cmp.Or(cmp.Compare(len(p), len(q)), cmp.Compare(p, q)) < 0, true
	}
	return false, true
}

func versionParts(v string) []string {
	v, _, _ = strings.Cut(v, "+")
	return strings.FieldsFunc(v, func(r rune) bool { return r == '.' || r == '-' || r == '_' || r == '~' })
}

func part(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "0"
}
