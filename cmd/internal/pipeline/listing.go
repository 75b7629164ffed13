package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/sbom"
)

// Listing is an inventory as people and programs read it.
type Listing struct {
	Text string
	JSON []byte
	// Drifts is the number of certain differences between intent and fact; Undecided says why they could not be compared.
	Drifts    int
	Undecided string
}

// inventoryDocument is the JSON form of an inventory with what follows from it (pegel/inventory/v1).
type inventoryDocument struct {
	sbom.Inventory
	sbom.Comparison
	Completeness sbom.Completeness `json:"completeness"`
	Coverage     reports.Coverage  `json:"coverage"`
	Sample       *Sample           `json:"sample,omitempty"`
}

// Sample is a draw of hosts by a seed that an auditor chose.
type Sample struct {
	Seed  string   `json:"seed"`
	Of    int      `json:"of"` // hosts known by name, from which it was drawn
	Hosts []string `json:"hosts"`
}

// ListingOptions say what to list beside the inventory.
type ListingOptions struct {
	Sample int    // hosts to draw; 0: none
	Seed   string // of the draw
}

// Inventory asks the sources of a stack and lists what they show, how it differs from what was declared and what other
// lists name that was not seen; nothing is scanned, judged or kept.
func Inventory(ctx context.Context, stack Stack, opt Options, list ListingOptions) (Listing, error) {
	g, err := prepare(stack, opt)
	if err != nil {
		return Listing{}, err
	}
	inv := g.inventory(ctx)
	if err := ctx.Err(); err != nil {
		return Listing{}, err
	}
	return listing(inv, g.regions, g.at, list)
}

func listing(inv sbom.Inventory, regions []sbom.Region, at time.Time, list ListingOptions) (Listing, error) {
	doc := inventoryDocument{Inventory: inv}
	doc.Comparison, doc.Completeness = compared(inv, regions, at)
	doc.Drift = orNone(doc.Drift)
	doc.Coverage = coverageOf(inv, doc.Completeness)
	judge, err := sbom.CuratedJudge(at)
	if err != nil {
		return Listing{}, err
	}
	for _, p := range inv.Packages {
		countPackages(&doc.Coverage, p, judge)
	}
	if list.Sample > 0 {
		names := sbom.HostNames(inv)
		doc.Sample = &Sample{Seed: list.Seed, Of: len(names), Hosts: orNone(sbom.Sample(names, list.Seed, list.Sample))}
	}
	data, err := canonical(doc)
	return Listing{Text: doc.text(), JSON: data, Drifts: certain(doc.Drift)}, err
}

// Drift compares intent and fact of a stack file, read now, or of a bundle, as it was gathered.
func Drift(ctx context.Context, name string, opt Options) (Listing, error) {
	inv, regions, at, err := inventoryOf(ctx, name, opt)
	if err != nil {
		return Listing{}, err
	}
	c, _ := compared(inv, regions, at)
	c.Drift = orNone(c.Drift)
	data, err := canonical(driftDocument{DriftSchema, c, inv.Failures})
	text := ""
	for _, f := range inv.Failures {
		text += fmt.Sprintf("not read: %s: %s\n", f.Source, f.Reason)
	}
	text = strings.TrimPrefix(text+driftText(c), "\n")
	return Listing{Text: text, JSON: data, Drifts: certain(c.Drift), Undecided: c.Undecided}, err
}

// DriftSchema names the JSON form of pegel drift.
const DriftSchema = "pegel/drift/v1"

type driftDocument struct {
	Schema string `json:"schema"`
	sbom.Comparison
	Failures []sbom.Failure `json:"failures,omitempty"`
}

func inventoryOf(ctx context.Context, name string, opt Options) (sbom.Inventory, []sbom.Region, time.Time, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		d, err := readDossier(name, AssessOptions{})
		if err != nil {
			return sbom.Inventory{}, nil, time.Time{}, err
		}
		return d.inventory, d.sides(), d.stack.AssessedAt, nil
	}
	stack, err := ReadStack(name)
	if err != nil {
		return sbom.Inventory{}, nil, time.Time{}, err
	}
	g, err := prepare(stack, opt)
	if err != nil {
		return sbom.Inventory{}, nil, time.Time{}, err
	}
	inv := g.inventory(ctx)
	return inv, g.regions, g.at, ctx.Err()
}

func certain(drift []sbom.Drift) int {
	n := 0
	for _, d := range drift {
		n += one(d.Open == "")
	}
	return n
}

func orNone[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func (d inventoryDocument) text() string {
	var b strings.Builder
	table(&b, artifactHead, byName(d.Artifacts), artifactLine)
	fmt.Fprintf(&b, "\n%s\n", d.summary())
	b.WriteString(driftText(d.Comparison))
	b.WriteString(d.missingText())
	if d.Sample != nil {
		fmt.Fprintf(&b, "\nSample of %d of %d hosts by seed %q: %s\n", len(d.Sample.Hosts), d.Sample.Of, d.Sample.Seed, strings.Join(d.Sample.Hosts, ", "))
	}
	return b.String()
}

// table writes rows of tab-separated cells as aligned columns.
func table[T any](b *strings.Builder, head string, rows []T, line func(T) string) {
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, head)
	for _, row := range rows {
		fmt.Fprintln(tw, strings.ReplaceAll(line(row), "\n", " ")) // a name with a line break must not make a line of its own
	}
	tw.Flush()
}

func artifactLine(a sbom.Artifact) string {
	digest := "-"
	if a.Digest != "" {
		digest = a.Digest.Hex()[:12]
	}
	copies := "-"
	if a.Replicas > 0 {
		copies = fmt.Sprint(a.Replicas)
	}
	state := stateOf(a)
	if a.Unpinned != "" {
		state += ", not pinned: " + a.Unpinned
	}
	return strings.Join([]string{a.Kind, a.Name, orText(a.Version, "-"), orText(strings.Join(a.Tiers, "+"), "-"), orText(a.Service, "-"),
		digest, copies, orText(strings.Join(seenBy(a), "+"), "-"), state, wheres(a)}, "\t")
}

const artifactHead = "KIND\tNAME\tVERSION\tTIER\tSERVICE\tDIGEST\tCOPIES\tSEEN BY\tSTATE\tWHERE"

// byName puts the artifacts in the order in which people look for them.
func byName(list []sbom.Artifact) []sbom.Artifact {
	return slices.SortedStableFunc(slices.Values(list), func(a, b sbom.Artifact) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version), cmp.Compare(a.ID, b.ID))
	})
}

// wheres names the places of an artifact, the first two in full; the JSON has all.
func wheres(a sbom.Artifact) string {
	var places []string
	for _, s := range a.Sightings {
		where := s.Where
		if s.Reference != "" {
			where = strings.TrimSuffix(where, ": "+s.Reference)
		}
		if !slices.Contains(places, where) {
			places = append(places, where)
		}
	}
	text := strings.Join(places[:min(len(places), 2)], "; ")
	if more := len(places) - 2; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return orText(text, "-")
}

func seenBy(a sbom.Artifact) []string {
	var out []string
	for _, s := range a.Sightings {
		out = append(out, s.Source)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// stateOf is the most that any source says of an artifact.
func stateOf(a sbom.Artifact) string {
	states := map[string]bool{}
	for _, s := range a.Sightings {
		states[s.State] = true
	}
	for _, s := range []string{sbom.StateRunning, sbom.StateStopped, sbom.StatePresent} {
		if states[s] && a.Seen() {
			return s
		}
	}
	if a.Seen() {
		return "seen"
	}
	return "declared only"
}

func (d inventoryDocument) summary() string {
	c := d.Coverage
	return fmt.Sprintf("%d artifacts: %d seen, %d running; %s by digest, %s placed in a tier, %s led to a known project",
		c.Artifacts, c.Seen, c.Running, share(c.WithDigest, c.Images), share(c.Placed, c.Artifacts), share(c.Identified, c.Resolvable))
}

// share writes n of m.
func share(n, m int) string { return fmt.Sprintf("%d of %d", n, m) }

// driftText is the table of differences between intent and fact.
func driftText(c sbom.Comparison) string {
	var b strings.Builder
	if c.Undecided != "" {
		fmt.Fprintf(&b, "\nIntent and fact cannot be compared: %s\n", c.Undecided)
	}
	if len(c.Drift) == 0 {
		if c.Undecided == "" {
			b.WriteString("\nIntent and fact agree: no difference was found\n")
		}
		return b.String()
	}
	fmt.Fprintf(&b, "\nIntent against fact: %s\n", counted(len(c.Drift), "difference"))
	table(&b, "DRIFT\tNAME\tDECLARED\tRUNNING\tWHERE DECLARED\tWHERE RUNNING\tNOTE", c.Drift, driftLine)
	return b.String()
}

func driftLine(d sbom.Drift) string {
	note := d.Detail
	if d.Open != "" {
		note = "open: " + d.Open
	}
	return strings.Join([]string{d.Kind, d.Name, sideText(d.Declared), sideText(d.Running), sideWhere(d.Declared), sideWhere(d.Running), note}, "\t")
}

func sideText(s *sbom.Side) string {
	if s == nil {
		return "-"
	}
	text := cmp.Or(s.Version, s.Reference, "-")
	if s.Digest != "" {
		text += " " + s.Digest.Hex()[:12]
	}
	return text
}

func sideWhere(s *sbom.Side) string {
	if s == nil || len(s.Where) == 0 {
		return "-"
	}
	if len(s.Where) > 1 {
		return fmt.Sprintf("%s and more", s.Where[0])
	}
	return s.Where[0]
}

// missingText says what was not seen, by name.
func (d inventoryDocument) missingText() string {
	var b strings.Builder
	section := func(what string, c sbom.CrossChecked) {
		if len(c.Lists) == 0 {
			fmt.Fprintf(&b, "No list made for another purpose names the %s: whether any is missing is not known\n", what)
			return
		}
		fmt.Fprintf(&b, "%s of other lists (%s): %s seen\n", upperFirst(what), strings.Join(c.Lists, ", "), share(c.Seen, c.Expected))
		for _, m := range c.Missing {
			fmt.Fprintf(&b, "  nothing was seen of %s (%s, %s)\n", m.Name, m.List, m.Where)
		}
	}
	b.WriteString("\n")
	section("hosts", d.Completeness.Hosts)
	if names := d.Completeness.Hosts.Unlisted; len(names) > 0 {
		fmt.Fprintf(&b, "  no list names %s, which was seen: the lists do not cover the stack\n", hostsInWords(names))
	}
	section("services", d.Completeness.Services)
	for _, o := range d.Omitted {
		fmt.Fprintf(&b, "left out: %s (%s; %s)\n", counted(o.Count, strings.TrimSuffix(o.What, "s")), o.Source, o.Why)
	}
	for _, f := range d.Failures {
		fmt.Fprintf(&b, "not read: %s: %s\n", f.Source, f.Reason)
	}
	return b.String()
}

// counted is "1 pod", "2 pods".
func counted(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
