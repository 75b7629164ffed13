package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// Limits of an inventory file. A host with 3,000 packages and 60 containers gives about 4 MB.
const (
	maxInventoryFile     = 128 << 20
	maxInventoryFiles    = 10_000
	maxInventoryDepth    = 16
	maxInventoryEntries  = 100_000 // artifacts, failures or repositories
	maxInventorySights   = 10_000  // of one artifact
	maxInventoryPackages = 200_000 // of one artifact
	maxInventoryText     = 1024
	maxInventoryPath     = 4096
	maxInventoryRefs     = 10_000 // of one package
)

// inventoryFile reads files that "pegel inventory --host" wrote on hosts. A file may claim anything, so only facts are
// taken over, and only such as a host can know: artifacts, where they were seen, their packages, and the repositories.
// Tier, area, service, projects and support, which are decided centrally, and what a source may expect are not read from
// it, and nothing in it can turn a declaration into a sighting.
type inventoryFile struct {
	patterns []string // as written
	base     string
	opt      Options

	mu    sync.Mutex
	holds map[string]inventoryPlace // which file has the packages of an artifact
	last  inventoryContents         // the file that Open read last
}

// inventoryPlace is one file, and the bytes that it had when it was listed.
type inventoryPlace struct {
	file, path string
	digest     audit.Digest
}

type inventoryContents struct {
	path     string
	packages []sbom.Packages
}

func decodeInventory(v values, opt Options) (sbom.Source, error) {
	if _, err := v.exactlyOne("inventory", "file"); err != nil {
		return nil, err
	}
	for _, pattern := range v.lists["file"] {
		if _, err := filepath.Match(pattern, ""); err != nil {
			return nil, at(v.at["file"], "file %q is no name and no pattern", pattern)
		}
	}
	return &inventoryFile{patterns: v.lists["file"], base: v.base, opt: opt}, nil
}

// Name returns the kind and the files as the stack file gives them.
func (s *inventoryFile) Name() string {
	var names []string
	for _, p := range s.patterns[:min(len(s.patterns), 3)] {
		names = append(names, shown(p))
	}
	if n := len(s.patterns) - len(names); n > 0 {
		names = append(names, fmt.Sprintf("and %d more", n))
	}
	return "inventory " + strings.Join(names, ", ")
}

// Contacts returns the files and patterns that are read.
func (s *inventoryFile) Contacts() []audit.Contact {
	var out []audit.Contact
	for _, p := range s.patterns {
		out = append(out, audit.Contact{Host: "local", Address: p, Right: "read", Purpose: "what pegel inventory --host wrote on a host"})
	}
	return out
}

// Inventory reads all files. One that is not right in every part is left out as a whole, with the reason.
func (s *inventoryFile) Inventory(ctx context.Context) (sbom.Inventory, error) {
	r := inventoryReader{inventoryFile: s, inv: sbom.Inventory{Schema: sbom.InventorySchema},
		holds: map[string]inventoryPlace{}, files: map[audit.Digest]string{}, hosts: map[string]string{}, lists: map[string]audit.Digest{}}
	read := 0
	for _, place := range r.places() {
		if err := ctx.Err(); err != nil {
			return sbom.Inventory{}, err
		}
		ok, err := r.file(ctx, place)
		if err != nil {
			return sbom.Inventory{}, err
		}
		if ok {
			read++
		}
	}
	if read == 0 {
		return nothingRead(r.inv.Failures, "reading %s: %s", s.Name(), r.inv.Failures[0].Reason)
	}
	s.mu.Lock()
	s.holds = r.holds
	s.mu.Unlock()
	return sortInventory(sbom.Merge(r.inv)), nil
}

// Open returns the packages that a host found in the artifact. Its file is read again, so that the packages of many hosts
// are not in memory together.
func (s *inventoryFile) Open(_ context.Context, a sbom.Artifact) (sbom.Target, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	place, ok := s.holds[a.ID]
	if !ok {
		return sbom.Target{}, sbom.ErrNoContents
	}
	if s.last.path != place.path {
		data, err := readFile(place.path, maxInventoryFile)
		if err != nil {
			return sbom.Target{}, fmt.Errorf("reading inventory %q: %s", place.file, reason(err))
		}
		if audit.DigestOf(data) != place.digest {
			return sbom.Target{}, fmt.Errorf("reading inventory %q: it changed during the run; run again", place.file)
		}
		inv, err := readInventoryFile(data, s.opt.At)
		if err != nil {
			return sbom.Target{}, fmt.Errorf("reading inventory %q: %w", place.file, err)
		}
		s.last = inventoryContents{place.path, inv.Packages}
	}
	i := slices.IndexFunc(s.last.packages, func(p sbom.Packages) bool { return p.Artifact == a.ID })
	if i < 0 {
		return sbom.Target{}, sbom.ErrNoContents
	}
	p := s.last.packages[i]
	p.Components.Origins = []audit.Origin{{Source: "inventory", Path: place.file, Digest: place.digest, At: s.opt.At}}
	return sbom.Target{Artifact: a, Path: place.path, Form: "packages", Packages: &p}, nil
}

// inventoryReader collects what the files say.
type inventoryReader struct {
	*inventoryFile
	inv   sbom.Inventory
	holds map[string]inventoryPlace
	files map[audit.Digest]string // file names by contents
	lists map[string]audit.Digest // what is in an artifact, as the first file says
	hosts map[string]string       // file names by host
}

func (r *inventoryReader) fail(origin audit.Origin, settle, format string, args ...any) {
	origin.Source, origin.At = "inventory", r.opt.At
	r.inv.Failures = append(r.inv.Failures, sbom.Failure{Source: "inventory " + origin.Path, Reason: fmt.Sprintf(format, args...), Settle: settle, Origin: origin})
}

// places returns the files that the patterns name, each once, in the order of their names. A pattern that names none is a
// failure.
func (r *inventoryReader) places() []inventoryPlace {
	var out []inventoryPlace
	seen := map[string]bool{}
	for _, pattern := range r.patterns {
		full := values{base: r.base}.path(pattern)
		paths := []string{full}
		if strings.ContainsAny(pattern, `*?[`) {
			paths = r.glob(pattern)
		}
		if len(paths) == 0 {
			r.fail(audit.Origin{Path: shown(pattern)}, "copy the files that pegel inventory --host wrote there", "no file is named like %q", shown(pattern))
		}
		for _, path := range paths {
			if seen[path] {
				continue
			}
			if len(out) >= maxInventoryFiles {
				r.fail(audit.Origin{Path: shown(pattern)}, "", "%s: more than %d files; the others were not read", shown(pattern), maxInventoryFiles)
				break
			}
			seen[path] = true
			out = append(out, inventoryPlace{file: r.shownFile(pattern, path), path: path})
		}
	}
	slices.SortFunc(out, func(a, b inventoryPlace) int { return strings.Compare(a.file+"\x00"+a.path, b.file+"\x00"+b.path) })
	return out
}

// glob returns the files that a pattern names. Only the pattern is one, not the folder of the stack file.
func (r *inventoryReader) glob(pattern string) []string {
	if !filepath.IsAbs(pattern) {
		base := strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(r.base)
		pattern = filepath.Join(base, pattern)
	}
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil // the pattern was checked when it was read
	}
	return paths
}

// shownFile returns a file as reports may show it: like its pattern, from the folder of the stack file or its last part.
func (r *inventoryReader) shownFile(pattern, path string) string {
	if name, err := filepath.Rel(r.base, path); err == nil && !filepath.IsAbs(pattern) {
		return filepath.ToSlash(name)
	}
	return shown(path)
}

// file reads one file and reports whether it counts; the error is only for evidence that could not be kept.
func (r *inventoryReader) file(ctx context.Context, place inventoryPlace) (bool, error) {
	origin := audit.Origin{Source: "inventory", Path: place.file, At: r.opt.At}
	data, err := readFile(place.path, maxInventoryFile)
	if err != nil {
		r.fail(origin, "", "%s: %s", place.file, reason(err))
		return false, nil
	}
	place.digest = audit.DigestOf(data)
	origin.Digest = place.digest
	if twin := r.files[place.digest]; twin != "" {
		r.fail(origin, "leave one of them out", "%s: it is a copy of %s", place.file, twin)
		return false, nil
	}
	r.files[place.digest] = place.file
	inv, err := readInventoryFile(data, r.opt.At)
	if err != nil {
		r.fail(origin, "write it again on the host: pegel inventory --host -o json=FILE", "%s: %s", place.file, err)
		return false, nil
	}
	if _, err := keepInput(ctx, r.opt, place.file, "application/json", data, origin); err != nil {
		return false, fmt.Errorf("keeping %q as evidence: %w", place.file, err)
	}
	r.take(inv, place, origin)
	return true, nil
}

// take adds what a file says to the whole.
func (r *inventoryReader) take(inv sbom.Inventory, place inventoryPlace, origin audit.Origin) {
	for _, a := range inv.Artifacts {
		if a.Kind == sbom.KindHost {
			if other := r.hosts[a.ID]; other != "" {
				r.fail(origin, "give the hosts different names and write the files again",
					"%s: %s describes the host %q too; packages are those of %s", place.file, other, a.Name, other)
			} else {
				r.hosts[a.ID] = place.file
			}
		}
		for i := range a.Sightings {
			s := &a.Sightings[i]
			s.Where = place.file + ": " + s.Where
			s.Origin = audit.Origin{Source: "inventory", Path: place.file, Digest: origin.Digest, At: s.Origin.At}
		}
		r.inv.Artifacts = append(r.inv.Artifacts, a)
	}
	for _, p := range inv.Packages {
		if first, ok := r.holds[p.Artifact]; !ok {
			r.holds[p.Artifact], r.lists[p.Artifact] = place, packagesDigest(p)
		} else if strings.HasPrefix(p.Artifact, "image:sha256:") && r.lists[p.Artifact] != packagesDigest(p) {
			r.fail(origin, "write both files again with one version of Pegel; if they still differ, ask who changed them",
				"%s: %s says that other packages are in %s; those of %s are used", place.file, first.file, p.Artifact, first.file)
		}
	}
	for _, f := range inv.Failures {
		f.Source, f.Origin = place.file+": "+f.Source, origin
		r.inv.Failures = append(r.inv.Failures, f)
	}
	for _, o := range inv.Omitted {
		o.Source = place.file + ": " + o.Source
		r.inv.Omitted = append(r.inv.Omitted, o)
	}
	for _, rep := range inv.Repositories {
		rep.Origin = audit.Origin{Source: "inventory", Path: place.file, Digest: origin.Digest, At: rep.Origin.At}
		r.inv.Repositories = append(r.inv.Repositories, rep)
	}
}

// packagesDigest tells lists of packages apart by names, versions and licences.
func packagesDigest(p sbom.Packages) audit.Digest {
	var b strings.Builder
	list, _ := p.Components.Get()
	for _, one := range list {
		b.WriteString(one.Ref)
		for _, l := range one.Licences {
			b.WriteString("\x00" + l.Value)
		}
		b.WriteByte('\n')
	}
	return audit.DigestOf([]byte(b.String()))
}

// readInventoryFile reads one file. What it returns has only fields that were checked; at is the moment of the audit, and
// what claims to be seen after it is refused. Packages that are not right cost the packages of that artifact only: what is
// installed on a host is written by many.
func readInventoryFile(data []byte, at time.Time) (sbom.Inventory, error) {
	var raw sbom.Inventory
	if err := decodeInventoryJSON(data, &raw); err != nil {
		return sbom.Inventory{}, err
	}
	if raw.Schema != sbom.InventorySchema {
		return sbom.Inventory{}, fmt.Errorf("schema is %.60q, want %q", raw.Schema, sbom.InventorySchema)
	}
	c := inventoryCheck{at: at}
	out := sbom.Inventory{Schema: sbom.InventorySchema}
	if len(raw.Artifacts) == 0 {
		return out, errors.New("it lists no artifact")
	}
	for _, n := range []int{len(raw.Artifacts), len(raw.Failures), len(raw.Repositories), len(raw.Packages), len(raw.Omitted)} {
		if n > maxInventoryEntries {
			return out, fmt.Errorf("it has a list of more than %d entries", maxInventoryEntries)
		}
	}
	ids := map[string]bool{}
	for i, a := range raw.Artifacts {
		c.place = fmt.Sprintf("artifacts[%d]", i)
		checked := c.artifact(a)
		if c.err == nil && ids[checked.ID] {
			c.bad("id", "%q stands twice", checked.ID)
		}
		ids[checked.ID] = true
		out.Artifacts = append(out.Artifacts, checked)
	}
	c.rest(raw, &out, ids)
	return out, c.err
}

// inventoryCheck refuses values that no host can have written. The first fault is kept; what follows it does not count.
type inventoryCheck struct {
	at    time.Time
	place string
	host  string // the machine that the file is about
	err   error
}

func (c *inventoryCheck) bad(field, format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%s.%s: %s", c.place, field, fmt.Sprintf(format, args...))
	}
}

// text checks that a text may stand in reports and names: short, UTF-8, without control characters.
func (c *inventoryCheck) text(field, s string, limit int) string {
	switch {
	case len(s) > limit:
		c.bad(field, "it is longer than %d bytes", limit)
	case strings.ContainsFunc(s, isInvisible):
		c.bad(field, "%.60q holds characters that cannot be seen", s)
	}
	return s
}

// isInvisible recognises control characters and those that turn or hide text around them.
func isInvisible(r rune) bool {
	return r == unicode.ReplacementChar || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029'
}

func (c *inventoryCheck) needed(field, s string, limit int) string {
	if s == "" {
		c.bad(field, "it is empty")
	}
	return c.text(field, s, limit)
}

func (c *inventoryCheck) digest(field string, d audit.Digest) audit.Digest {
	if d == "" {
		return ""
	}
	if parsed, err := audit.ParseDigest(string(d)); err != nil || parsed != d {
		c.bad(field, "%.80q is not sha256: and 64 lower-case hexadecimal digits", d)
	}
	return d
}

func (c *inventoryCheck) oneOf(field, s string, known ...string) string {
	if !slices.Contains(known, s) {
		c.bad(field, "unknown value %.60q; known are %s", s, strings.Join(known, ", "))
	}
	return s
}

func (c *inventoryCheck) number(field string, n int) int {
	if n < 0 || n > 1_000_000 {
		c.bad(field, "%d is no number that can be right here", n)
	}
	return n
}

func (c *inventoryCheck) artifact(a sbom.Artifact) sbom.Artifact {
	out := sbom.Artifact{
		ID: c.needed("id", a.ID, 2*maxInventoryText), Kind: c.oneOf("kind", a.Kind, sbom.KindImage, sbom.KindHost, sbom.KindSoftware),
		Name: c.needed("name", a.Name, maxInventoryText), Reference: c.text("reference", a.Reference, maxInventoryText),
		Version: c.text("version", a.Version, maxInventoryText), Edition: c.text("edition", a.Edition, maxInventoryText),
		Digest: c.digest("digest", a.Digest), Config: c.digest("config", a.Config), Unpinned: c.text("unpinned", a.Unpinned, maxInventoryText),
		Platform: c.text("platform", a.Platform, maxInventoryText), Replicas: c.number("replicas", a.Replicas), Labels: c.labels(a.Labels),
	}
	for _, d := range a.Digests {
		out.Digests = append(out.Digests, c.digest("digests", d))
	}
	for _, alias := range a.Aliases {
		out.Aliases = append(out.Aliases, c.needed("aliases", alias, maxInventoryText))
	}
	if len(a.Digests) > 1000 || len(a.Aliases) > 1000 {
		c.bad("digests", "it is known under more than 1000 names")
	}
	c.identity(&out)
	if len(a.Sightings) == 0 || len(a.Sightings) > maxInventorySights {
		c.bad("sightings", "there are %d, want 1 to %d", len(a.Sightings), maxInventorySights)
		return out
	}
	for _, s := range a.Sightings {
		out.Sightings = append(out.Sightings, c.sighting(s))
	}
	return out
}

// identity recomputes what follows from other fields, and what the kind says about the tier.
func (c *inventoryCheck) identity(a *sbom.Artifact) {
	switch a.Kind {
	case sbom.KindImage:
		c.image(a)
	case sbom.KindHost:
		if !isHostName(a.Name) || a.ID != "host:"+a.Name || a.Digest != "" {
			c.bad("id", "%.80q is not host: and the name of a host", a.ID)
		}
		c.machine("name", a.Name)
		a.TierHint, a.HintRule = []string{"base"}, "source inventory"
	case sbom.KindSoftware:
		if a.ID != "software:"+a.Name && !strings.HasPrefix(a.ID, "software:"+a.Name+"@") || a.Digest != "" {
			c.bad("id", "%.80q is not software:, the name, and perhaps @ and a version", a.ID)
		}
		if a.Name == "linux" {
			a.TierHint, a.HintRule = []string{"base"}, "source inventory"
		}
	}
}

func (c *inventoryCheck) image(a *sbom.Artifact) {
	want := "image:" + string(a.Digest)
	if a.Digest == "" {
		want = "image:" + a.Reference
	}
	if a.Digest == "" && a.Reference == "" {
		want = "image:" + string(a.Config)
	}
	if a.ID != want || want == "image:" {
		c.bad("id", "%.100q is not what digest and reference give, %.100q", a.ID, want)
	}
	ref, err := sbom.ParseReference(a.Reference)
	switch {
	case a.Digest != "":
		a.Unpinned = ""
	case err == nil && ref.Digest != "":
		c.bad("digest", "it lacks the digest that its reference names")
	case err == nil:
		a.Unpinned = ref.Unpinned()
	case a.Unpinned == "":
		a.Unpinned = "the reference cannot be read"
	}
}

// sighting keeps what was seen. A declaration stays one; nothing makes a sighting of it.
func (c *inventoryCheck) sighting(s sbom.Sighting) sbom.Sighting {
	states := []string{sbom.StateDeclared, sbom.StateOffered, sbom.StateRunning, sbom.StateStopped, sbom.StatePresent}
	out := sbom.Sighting{
		Source: c.needed("sightings.source", s.Source, 64), Where: c.needed("sightings.where", s.Where, maxInventoryText),
		State: c.oneOf("sightings.state", s.State, states...), Reference: c.text("sightings.reference", s.Reference, maxInventoryText),
		Digest: c.digest("sightings.digest", s.Digest), Namespace: c.text("sightings.namespace", s.Namespace, maxInventoryText),
		Workload: c.text("sightings.workload", s.Workload, maxInventoryText), Replicas: c.number("sightings.replicas", s.Replicas),
		Origin: audit.Origin{At: c.seenAt("sightings.origin.at", s.Origin.At)},
	}
	out.Declared = s.Declared || s.State == sbom.StateDeclared || s.State == sbom.StateOffered
	if len(s.Hosts) > maxInventorySights {
		c.bad("sightings.hosts", "there are more than %d", maxInventorySights)
		return out
	}
	for _, h := range s.Hosts {
		c.machine("sightings.hosts", h)
		out.Hosts = append(out.Hosts, h)
	}
	slices.Sort(out.Hosts)
	out.Hosts = slices.Compact(out.Hosts)
	return out
}

// machine refuses the name of a second machine: a file tells of the host that it was written on, and of no other.
func (c *inventoryCheck) machine(field, name string) {
	if !isHostName(name) {
		c.bad(field, "%.60q is no name of a host", name)
		return
	}
	one, other := strings.ToLower(c.host), strings.ToLower(name)
	if c.host != "" && one != other && !strings.HasPrefix(one, other+".") && !strings.HasPrefix(other, one+".") {
		c.bad(field, "the file is about %.60q and names %.60q too; each host writes a file of its own", c.host, name)
	}
	if len(name) > len(c.host) {
		c.host = name
	}
}

// seenAt is moment for a sighting, which has one: without it nobody could tell how old the file is.
func (c *inventoryCheck) seenAt(field string, t time.Time) time.Time {
	if t.IsZero() {
		c.bad(field, "it does not say when that was seen")
	}
	return c.moment(field, t)
}

// moment refuses what lies after the audit; a day is left for clocks that differ.
func (c *inventoryCheck) moment(field string, t time.Time) time.Time {
	if !c.at.IsZero() && t.After(c.at.Add(24*time.Hour)) {
		c.bad(field, "%s is after the moment of the audit", t.UTC().Format(time.RFC3339))
	}
	if y := t.Year(); !t.IsZero() && (y < 2000 || y > 9999) {
		c.bad(field, "the year %d is none of this", y)
	}
	return t.UTC()
}

func (c *inventoryCheck) labels(labels map[string]string) map[string]string {
	if len(labels) > 1000 {
		c.bad("labels", "there are more than 1000")
		return nil
	}
	out := usefulLabels(labels)
	for key, value := range out {
		c.text("labels", key, maxInventoryText)
		c.text("labels", value, maxInventoryText)
	}
	return out
}

// rest checks what is no artifact.
func (c *inventoryCheck) rest(raw sbom.Inventory, out *sbom.Inventory, ids map[string]bool) {
	for i, f := range raw.Failures {
		c.place = fmt.Sprintf("failures[%d]", i)
		out.Failures = append(out.Failures, sbom.Failure{Source: said(f.Source), Reason: said(f.Reason), Settle: said(f.Settle)})
	}
	for i, o := range raw.Omitted {
		c.place = fmt.Sprintf("omitted[%d]", i)
		out.Omitted = append(out.Omitted, sbom.Omission{Source: c.needed("source", o.Source, maxInventoryText), What: c.needed("what", o.What, 64),
			Why: said(o.Why), Count: c.number("count", o.Count)})
	}
	for i, r := range raw.Repositories {
		c.place = fmt.Sprintf("repositories[%d]", i)
		out.Repositories = append(out.Repositories, c.repository(r))
	}
	inside := map[string]bool{}
	for i, p := range raw.Packages {
		c.place = fmt.Sprintf("packages[%d]", i)
		if !ids[p.Artifact] || inside[p.Artifact] {
			c.bad("artifact", "%.80q is no artifact of this file, or stands twice", p.Artifact)
		}
		inside[p.Artifact] = true
		inner := inventoryCheck{at: c.at, place: c.place}
		checked := inner.packages(p)
		if inner.err != nil {
			checked = sbom.Packages{Schema: sbom.PackagesSchema, Artifact: p.Artifact,
				Components: audit.Failed[[]sbom.Component]("the packages in the inventory file cannot be taken over: " + inner.err.Error())}
		}
		out.Packages = append(out.Packages, checked)
	}
}

// said returns a text for people that may hold anything, in a form that can be shown.
func said(s string) string {
	s = strings.Map(func(r rune) rune {
		if isInvisible(r) {
			return ' '
		}
		return r
	}, s)
	if len(s) > maxInventoryPath {
		s = strings.ToValidUTF8(s[:maxInventoryPath], "")
	}
	return s
}

// repository decides the vendor again: it follows from the address.
func (c *inventoryCheck) repository(r sbom.Repository) sbom.Repository {
	out := sbom.Repository{Host: r.Host, Kind: c.oneOf("kind", r.Kind, sbom.RepositoryAPT, sbom.RepositoryRPM, sbom.RepositoryAPK),
		Suite: c.text("suite", r.Suite, maxInventoryText), Origin: audit.Origin{At: c.moment("origin.at", r.Origin.At)}}
	c.machine("host", r.Host)
	for _, area := range r.Areas {
		out.Areas = append(out.Areas, c.needed("areas", area, maxInventoryText))
	}
	address, vendor, err := plainAddress(r.Kind, r.Address)
	if err != nil || address != r.Address || len(r.Areas) > 1000 {
		c.bad("address", "it is no address without credentials")
		return out
	}
	out.Address, out.Vendor = address, vendor
	if r.Vendor == "EPEL (Fedora)" && strings.Contains(vendor, "Fedora") { // its query, which tells it, is not recorded
		out.Vendor = r.Vendor
	}
	return out
}

func (c *inventoryCheck) packages(p sbom.Packages) sbom.Packages {
	if p.Schema != sbom.PackagesSchema {
		c.bad("schema", "it is %.60q, want %q", p.Schema, sbom.PackagesSchema)
	}
	out := sbom.Packages{Schema: sbom.PackagesSchema, Artifact: p.Artifact, OS: c.text("os", p.OS, maxInventoryText), Tool: c.text("tool", p.Tool, maxInventoryText),
		SHA512: c.text("sha512", p.SHA512, 128), Labels: c.labels(p.Labels), Declared: p.Declared}
	if p.SHA512 != "" && (len(p.SHA512) != 128 || strings.Trim(p.SHA512, "0123456789abcdef") != "") {
		c.bad("sha512", "it is not 128 hexadecimal digits")
	}
	out.Components.Failure, out.Components.Settle = said(p.Components.Failure), said(p.Components.Settle)
	out.Components.Declared = p.Components.Declared
	list, known := p.Components.Get()
	if !known {
		return out
	}
	if len(list) > maxInventoryPackages || p.Components.Failure != "" {
		c.bad("components", "more than %d packages, or packages and a failure", maxInventoryPackages)
		return out
	}
	refs := map[string]bool{}
	for _, one := range list {
		if refs[one.Ref] {
			c.bad("components.ref", "%.100q stands twice", one.Ref)
		}
		refs[one.Ref] = true
	}
	checked := make([]sbom.Component, 0, len(list))
	for _, one := range list {
		checked = append(checked, c.component(one, refs))
	}
	slices.SortFunc(checked, func(a, b sbom.Component) int { return strings.Compare(a.Ref, b.Ref) })
	out.Components.Value = &checked
	return out
}

func (c *inventoryCheck) component(p sbom.Component, refs map[string]bool) sbom.Component {
	out := sbom.Component{
		Ref: c.needed("components.ref", p.Ref, 3*maxInventoryPath), Type: c.needed("components.type", p.Type, 64),
		Name: c.needed("components.name", p.Name, 2*maxInventoryText), Version: c.text("components.version", p.Version, 2*maxInventoryText),
		PURL: c.text("components.purl", p.PURL, maxInventoryPath), CPE: c.text("components.cpe", p.CPE, maxInventoryText),
		Arch: c.text("components.arch", p.Arch, 64), Source: c.text("components.source", p.Source, maxInventoryText),
		SourceVersion: c.text("components.source_version", p.SourceVersion, maxInventoryText), Supplier: c.text("components.supplier", p.Supplier, maxInventoryText),
		Homepage: c.text("components.homepage", p.Homepage, maxInventoryText), Section: c.text("components.section", p.Section, maxInventoryText),
		Layer: c.digest("components.layer", p.Layer),
	}
	if len(p.Upstream) > sbom.MaxUpstream {
		c.bad("components.upstream", "%.60q has more upstream addresses than allowed", p.Ref)
		return out
	}
	for _, u := range p.Upstream {
		if strings.ContainsFunc(u.URL+u.Folder, unicode.IsControl) {
			c.bad("components.upstream", "an address holds control characters")
		}
		out.Upstream = append(out.Upstream, sbom.UpstreamClaim{
			Kind: c.needed("components.upstream.kind", u.Kind, 64), URL: c.needed("components.upstream.url", u.URL, maxInventoryText),
			Folder: c.text("components.upstream.folder", u.Folder, maxInventoryText), Path: c.text("components.upstream.path", u.Path, maxInventoryPath),
		})
	}
	if p.PURL != "" && !strings.HasPrefix(p.PURL, "pkg:") {
		c.bad("components.purl", "%.100q is no package URL", p.PURL)
	}
	if strings.Contains(p.Supplier, "@") { // an address of a person
		c.bad("components.supplier", "it holds an address")
	}
	if u, err := url.Parse(p.Homepage); p.Homepage != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.User != nil) {
		c.bad("components.homepage", "it is no address of the web")
	}
	if len(p.Licences) > 1000 || len(p.DependsOn) > maxInventoryRefs || len(p.Locations) > 5 {
		c.bad("components", "%.60q has more licences, dependencies or locations than allowed", p.Ref)
		return out
	}
	for _, l := range p.Licences {
		out.Licences = append(out.Licences, c.claim(l))
	}
	for _, ref := range p.DependsOn {
		if !refs[ref] {
			c.bad("components.depends_on", "%.100q is no package of this list", ref)
		}
		out.DependsOn = append(out.DependsOn, ref)
	}
	for _, at := range p.Locations {
		out.Locations = append(out.Locations, c.needed("components.locations", at, maxInventoryPath))
	}
	return out
}

func (c *inventoryCheck) claim(l sbom.LicenceClaim) sbom.LicenceClaim {
	return sbom.LicenceClaim{Value: c.needed("components.licences.value", l.Value, maxInventoryText),
		Provenance: c.oneOf("components.licences.provenance", l.Provenance,
			sbom.FromCopyright, sbom.FromHidden, sbom.FromMetadata, sbom.FromText, sbom.FromLabel, sbom.FromArchiveArea),
		Path:   c.text("components.licences.path", l.Path, maxInventoryPath),
		Line:   c.number("components.licences.line", l.Line),
		Weight: c.oneOf("components.licences.weight", l.Weight, "", "main", "shipped", "side"), Files: c.text("components.licences.files", l.Files, maxInventoryText)}
}

// decodeInventoryJSON reads exactly one JSON value whose keys are known, each once, in small letters as they are defined.
// encoding/json alone takes the last of two equal keys and any case of letters.
func decodeInventoryJSON(data []byte, v any) error {
	if !utf8.Valid(data) {
		return errors.New("it is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := walkInventory(dec, 0, false); err != nil {
		return inventoryJSONError(data, dec.InputOffset(), err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return inventoryJSONError(data, dec.InputOffset(), errors.New("something follows the JSON value"))
	}
	dec = json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return inventoryJSONError(data, dec.InputOffset(), err)
	}
	return nil
}

func inventoryJSONError(data []byte, offset int64, err error) error {
	if wrong := (*json.SyntaxError)(nil); errors.As(err, &wrong) {
		offset = wrong.Offset
	}
	line := 1 + bytes.Count(data[:min(max(offset, 0), int64(len(data)))], []byte("\n"))
	return fmt.Errorf("line %d: %s", line, plain(err))
}

// walkInventory looks at every token: depth is limited, and no key stands twice in an object. Keys of labels are free, all
// others are small letters, digits and underscores.
func walkInventory(dec *json.Decoder, depth int, free bool) error {
	if depth > maxInventoryDepth {
		return fmt.Errorf("it is nested more than %d deep", maxInventoryDepth)
	}
	token, err := dec.Token()
	if err != nil {
		return err
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	seen := map[string]bool{}
	for n := 0; dec.More(); n++ {
		if n >= maxInventoryPackages { // before millions of them are made into values
			return fmt.Errorf("it has a list of more than %d entries", maxInventoryPackages)
		}
		name := ""
		if open == '{' {
			key, err := dec.Token()
			if err != nil {
				return err
			}
			name, _ = key.(string)
			if seen[name] {
				return fmt.Errorf("the key %.60q stands twice", name)
			}
			if !free && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
				return fmt.Errorf("unknown field %.60q", name)
			}
			seen[name] = true
		}
		if err := walkInventory(dec, depth+1, name == "labels"); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}
