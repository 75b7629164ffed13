package source

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// Limits of what Ceph writes about itself. A daemon takes some 1.5 kB; the largest clusters known have 10,000 disks.
const (
	maxCephFile    = 256 << 20
	maxCephDaemons = 100_000
	maxCephHosts   = 10_000
	maxCephFiles   = 10_000
)

// ceph reads what the tools of Ceph wrote into files: the daemons of a cluster (ceph orch ps), of single hosts (cephadm
// ls), the hosts (ceph orch host ls) and the versions that daemons report (ceph versions). The id of the cluster,
// addresses, processes and use of memory are never read.
type ceph struct {
	parts []cephPart
	base  string
	host  string // of the one file of cephadm ls; empty: the name of the file says it
	opt   Options
}

// cephPart is one key of the entry with its files as written.
type cephPart struct {
	key   string
	files []cephFile
}

type cephFile struct{ written, path string }

func cephFields() fields {
	return fields{"orch_ps": optional, "ls": list, "host": optional, "hosts": optional, "versions": optional}
}

func decodeCeph(v values, opt Options) (sbom.Source, error) {
	s := ceph{host: v.text["host"], base: v.base, opt: opt}
	for _, key := range []string{"orch_ps", "ls", "hosts", "versions"} {
		if !v.has(key) {
			continue
		}
		part := cephPart{key: key}
		for _, name := range append(slices.Clone(v.lists[key]), v.text[key]) {
			if name != "" {
				part.files = append(part.files, cephFile{name, v.path(name)})
			}
		}
		s.parts = append(s.parts, part)
	}
	if len(s.parts) == 0 {
		return nil, at(v.node, "ceph needs one of the keys orch_ps, ls, hosts, versions")
	}
	if s.host == "" {
		return s, nil
	}
	if len(v.lists["ls"]) != 1 || cephPattern(v.lists["ls"][0]) {
		return nil, at(v.at["host"], "host names the machine of one file; name that file alone under ls")
	}
	if !validCephName(s.host) {
		return nil, at(v.at["host"], "host %q is not letters, digits, dots, dashes and underscores", s.host)
	}
	return s, nil
}

func cephPattern(name string) bool { return strings.ContainsAny(name, "*?[") }

// Name returns the kind and the first file as the stack file gives it.
func (s ceph) Name() string { return "ceph " + shown(s.parts[0].files[0].written) }

// Contacts returns the files that are read.
func (s ceph) Contacts() []audit.Contact {
	purposes := map[string]string{"orch_ps": "daemons of a Ceph cluster", "ls": "Ceph daemons of a host", "hosts": "hosts of a Ceph cluster", "versions": "versions that Ceph daemons report"}
	var out []audit.Contact
	for _, p := range s.parts {
		for _, f := range p.files {
			out = append(out, audit.Contact{Host: "local", Address: f.written, Right: "read", Purpose: purposes[p.key]})
		}
	}
	return out
}

// Open returns ErrNoContents: the files hold names and digests only.
func (s ceph) Open(context.Context, sbom.Artifact) (sbom.Target, error) {
	return sbom.Target{}, sbom.ErrNoContents
}

// Inventory reads all files. One that cannot be read is a failure; the rest is returned.
func (s ceph) Inventory(ctx context.Context) (sbom.Inventory, error) {
	r := cephReader{ceph: s, inv: sbom.Inventory{Schema: sbom.InventorySchema}, groups: map[cephGroup]*cephSeen{}}
	for _, part := range s.parts {
		for _, f := range r.expand(part) {
			if err := ctx.Err(); err != nil {
				return sbom.Inventory{}, err
			}
			if err := r.file(ctx, part.key, f); err != nil {
				return sbom.Inventory{}, err
			}
		}
	}
	if r.read == 0 {
		first := r.inv.Failures[0]
		return nothingRead(r.inv.Failures, "reading files of Ceph: %s", strings.TrimSuffix(first.Reason+"; "+first.Settle, "; "))
	}
	r.artifacts()
	return sortInventory(sbom.Merge(r.inv)), nil
}

// cephReader collects what the files say.
type cephReader struct {
	ceph
	read   int // files that could be read
	inv    sbom.Inventory
	groups map[cephGroup]*cephSeen
}

func (r *cephReader) fail(origin audit.Origin, settle, format string, args ...any) {
	r.inv.Failures = append(r.inv.Failures, sbom.Failure{
		Source: "ceph " + origin.Path, Reason: fmt.Sprintf(format, args...), Settle: settle, Origin: origin})
}

// expand returns the files of a part, patterns replaced by what they match, each file once.
func (r *cephReader) expand(part cephPart) []cephFile {
	var out []cephFile
	for _, f := range part.files {
		if part.key != "ls" || !cephPattern(f.written) {
			out = append(out, f)
			continue
		}
		found, err := filepath.Glob(f.path)
		if err != nil || len(found) == 0 {
			r.fail(audit.Origin{Source: "ceph", Path: shown(f.written), At: r.opt.At}, "write one file for each host: cephadm ls > HOST.json",
				"no file matches %q", shown(f.written))
			continue
		}
		for _, name := range found {
			out = append(out, cephFile{r.written(f, name), name})
		}
	}
	seen := map[string]bool{}
	out = slices.DeleteFunc(out, func(f cephFile) bool {
		twice := seen[f.path]
		seen[f.path] = true
		return twice
	})
	if len(out) > maxCephFiles {
		r.fail(audit.Origin{Source: "ceph", Path: part.key, At: r.opt.At}, "", "%d files, more than %d; the rest is not read", len(out), maxCephFiles)
		out = out[:maxCephFiles]
	}
	return out
}

// written returns a file that a pattern matched as the pattern would name it.
func (r *cephReader) written(pattern cephFile, name string) string {
	if rel, err := filepath.Rel(r.base, name); err == nil && !filepath.IsAbs(pattern.written) {
		return filepath.ToSlash(rel)
	}
	return name
}

// cephSettle says for each key how its file is made.
func cephSettle(key string) string {
	return map[string]string{
		"orch_ps":  "write it again: ceph orch ps --format json > orch-ps.json",
		"ls":       "write it again on the host: cephadm ls > HOST.json",
		"hosts":    "write it again: ceph orch host ls --format json > hosts.json",
		"versions": "write it again: ceph versions > versions.json",
	}[key]
}

func (r *cephReader) file(ctx context.Context, key string, f cephFile) error {
	origin := audit.Origin{Source: "ceph", Path: shown(f.written), At: r.opt.At}
	data, err := readFile(f.path, maxCephFile)
	if err != nil {
		r.fail(origin, cephSettle(key), "%s: %s", origin.Path, reason(err))
		return nil
	}
	origin.Digest = audit.DigestOf(data)
	kept, err := r.parse(key, f, data, origin)
	if err != nil {
		if trimmed := bytes.TrimSpace(data); len(trimmed) > 0 && trimmed[0] != '[' && trimmed[0] != '{' {
			err = errors.New("this is no JSON; the table that the command prints for people is not read")
		}
		r.fail(origin, cephSettle(key), "%s: %s", origin.Path, err)
	}
	if kept == nil {
		return nil
	}
	r.read++
	if err := keepJSONFields(ctx, r.opt, origin, kept); err != nil {
		return fmt.Errorf("keeping %q as evidence: %w", origin.Path, err)
	}
	return nil
}

// parse returns the fields that were read, or nil if there are none.
func (r *cephReader) parse(key string, f cephFile, data []byte, origin audit.Origin) (any, error) {
	switch key {
	case "orch_ps":
		return r.daemons(data, origin, "")
	case "ls":
		host := cmp.Or(r.host, cephHostOf(f.path))
		if !validCephName(host) {
			r.fail(origin, "name the file after the host, e.g. node-1.json", "%s: the name of the file is no host name", origin.Path)
			host = ""
		}
		return r.daemons(data, origin, host)
	case "hosts":
		return r.hosts(data, origin)
	}
	return r.versions(data, origin)
}

// cephHostOf takes the host from the name of a file of cephadm ls: node-1.json, cephadm-ls-node-1.json.
func cephHostOf(name string) string {
	base := strings.TrimSuffix(filepath.Base(name), ".json")
	for _, prefix := range []string{"cephadm-ls-", "cephadm_ls_", "cephadm-", "ls-"} {
		if rest, ok := strings.CutPrefix(base, prefix); ok && rest != "" {
			return rest
		}
	}
	return base
}

// validCephName accepts what is safe in an ID or a place: names of hosts, services and daemons.
func validCephName(s string) bool {
	return s != "" && len(s) <= 255 && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789.-_:") == ""
}

// cephDaemon has the fields of both commands that are read, in the order in which they are kept. ceph orch ps says
// daemon_type, daemon_id, hostname and status as a number; cephadm ls says name, style and state.
type cephDaemon struct {
	ImageDigests []string `json:"container_image_digests,omitempty"`
	ImageID      string   `json:"container_image_id,omitempty"`
	ImageName    string   `json:"container_image_name,omitempty"`
	ID           string   `json:"daemon_id,omitempty"`
	Type         string   `json:"daemon_type,omitempty"`
	HostVersion  string   `json:"host_version,omitempty"` // of a daemon without a container
	Hostname     string   `json:"hostname,omitempty"`
	Name         string   `json:"name,omitempty"`
	ServiceName  string   `json:"service_name,omitempty"`
	State        string   `json:"state,omitempty"`
	Status       *int     `json:"status,omitempty"`
	StatusDesc   string   `json:"status_desc,omitempty"`
	Style        string   `json:"style,omitempty"`
	Version      string   `json:"version,omitempty"`
}

func (d cephDaemon) kind() string {
	kind, _, _ := strings.Cut(d.Name, ".")
	return cmp.Or(d.Type, kind)
}

func (d cephDaemon) service() string { return cmp.Or(d.ServiceName, d.kind()) }

// cephOffline is how the orchestrator writes that it cannot reach the host of a daemon.
const cephOffline = "host is offline"

// state translates the words of Ceph. An error is that of the unit of the daemon, which then does not run. What a host
// that cannot be reached runs is not known: the orchestrator only says what shall.
func (d cephDaemon) state() (state, word string) {
	word = cmp.Or(d.StatusDesc, d.State)
	if word == "" && d.Status != nil {
		word = map[int]string{-1: "error", 0: "stopped", 1: "running", 2: "starting"}[*d.Status]
	}
	switch word {
	case "running":
		return sbom.StateRunning, word
	case "stopped", "error":
		return sbom.StateStopped, word
	case "starting", cephOffline:
		return sbom.StateDeclared, word
	}
	return sbom.StateDeclared, "unknown"
}

// cephGroup is what one sighting covers: daemons of one service with one image on one host in one state.
type cephGroup struct {
	file, host, service, word string
	name, image               string // as named, and what it is: the configuration, else the digests
}

type cephSeen struct {
	count  int
	state  string
	origin audit.Origin
	daemon cephDaemon
}

func (r *cephReader) daemons(data []byte, origin audit.Origin, host string) (any, error) {
	kept := []cephDaemon{}
	var nameless, unknown []string
	err := readJSONList(data, maxCephDaemons, func(d cephDaemon, line int, err error) {
		o := origin
		o.Line = line
		if err != nil {
			r.fail(o, "", "%s: line %d: an entry is no daemon: %s", origin.Path, line, err)
			return
		}
		kept = append(kept, d)
		d.Hostname = cmp.Or(host, d.Hostname)
		if d.Hostname != "" && !validCephName(d.Hostname) || !validCephName(d.service()) || !jsonPrintable(d.ImageName) {
			r.fail(o, "", "%s: line %d: a daemon whose host, service or image has no proper name", origin.Path, line)
			return
		}
		if _, word := d.state(); word == "unknown" || word == cephOffline {
			unknown = append(unknown, d.service())
		}
		if d.ImageName == "" && len(d.ImageDigests) == 0 && d.HostVersion == "" {
			nameless = append(nameless, d.service())
			return
		}
		r.note(d, o)
	})
	r.doubt(origin, nameless, "ceph orch ps --refresh asks the hosts again", "name no image")
	r.doubt(origin, unknown, "see ceph orch host ls for hosts that are offline", "are in no state that is known")
	if err != nil && len(kept) == 0 {
		return nil, err
	}
	return kept, err
}

// doubt notes in one line how many daemons lack something, and of which services.
func (r *cephReader) doubt(origin audit.Origin, services []string, settle, what string) {
	if len(services) == 0 {
		return
	}
	count := len(services)
	slices.Sort(services)
	services = slices.Compact(services)
	if len(services) > 5 {
		services = append(services[:5], "...")
	}
	r.fail(origin, settle, "%s: %d daemons %s: %s", origin.Path, count, what, strings.Join(services, ", "))
}

// note counts a daemon in its group. What one daemon of the group says and another does not counts for both.
func (r *cephReader) note(d cephDaemon, origin audit.Origin) {
	state, word := d.state()
	slices.Sort(d.ImageDigests)
	key := cephGroup{origin.Path, d.Hostname, d.service(), word, d.ImageName, cmp.Or(d.ImageID, strings.Join(d.ImageDigests, " "), d.HostVersion)}
	seen := r.groups[key]
	if seen == nil {
		r.groups[key] = &cephSeen{count: 1, state: state, origin: origin, daemon: d}
		return
	}
	seen.count++
	seen.origin.Line = min(seen.origin.Line, origin.Line)
	seen.daemon.Version = max(seen.daemon.Version, d.Version)
	seen.daemon.ImageDigests = slices.Compact(slices.Sorted(slices.Values(append(seen.daemon.ImageDigests, d.ImageDigests...))))
}

// artifacts makes one artifact of each group; those of one image are joined afterwards.
func (r *cephReader) artifacts() {
	keys := slices.SortedFunc(maps.Keys(r.groups), func(a, b cephGroup) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.host, b.host), cmp.Compare(a.service, b.service), cmp.Compare(a.word, b.word),
			cmp.Compare(a.name, b.name), cmp.Compare(a.image, b.image))
	})
	for _, key := range keys {
		seen := r.groups[key]
		a := cephPackage(seen.daemon)
		if seen.daemon.ImageName != "" || len(seen.daemon.ImageDigests) > 0 {
			if a = r.image(seen.daemon, seen.origin); a.Name == "" {
				continue // neither name nor digest could be read, which is noted
			}
		}
		a.Sightings = []sbom.Sighting{cephSighting(a, key, *seen)}
		r.inv.Artifacts = append(r.inv.Artifacts, a)
	}
}

func cephSighting(a sbom.Artifact, key cephGroup, seen cephSeen) sbom.Sighting {
	s := sbom.Sighting{Source: "ceph", Where: seen.origin.Path + ": service " + key.service, State: seen.state, Declared: seen.state == sbom.StateDeclared,
		Reference: seen.daemon.ImageName, Digest: a.Digest, Workload: key.service, Origin: seen.origin}
	if key.word != "running" {
		s.Where += " (" + key.word + ")"
	}
	if key.host != "" {
		s.Hosts = []string{key.host}
	}
	if seen.state == sbom.StateRunning {
		s.Replicas = seen.count
	}
	return s
}

// cephPackage is a daemon that runs without a container, as before cephadm adopts a cluster.
func cephPackage(d cephDaemon) sbom.Artifact {
	return cephSoftware(sbom.UpstreamVersion(d.HostVersion))
}

func cephSoftware(version string) sbom.Artifact {
	return sbom.Artifact{ID: "software:ceph@" + version, Kind: sbom.KindSoftware, Name: "ceph", Reference: "ceph@" + version, Version: version}
}

// image makes the artifact of a daemon's image. Its version is what the daemon reports, else what the tag says.
func (r *cephReader) image(d cephDaemon, origin audit.Origin) sbom.Artifact {
	a := sbom.Artifact{Kind: sbom.KindImage, Name: d.ImageName, Reference: d.ImageName}
	ref, err := sbom.ParseReference(d.ImageName)
	switch {
	case err == nil:
		a.Name, a.Version, a.Unpinned = ref.Name(), sbom.ParseTag(ref.Tag).Version, ref.Unpinned()
	case d.ImageName != "":
		r.fail(origin, "", "%s: line %d: %s", origin.Path, origin.Line, err)
		a.Unpinned = "the reference cannot be read"
	}
	if v := sbom.UpstreamVersion(d.Version); validCephVersion(v) {
		a.Version = v
	}
	if d.ImageID != "" {
		if a.Config, err = audit.ParseDigest(d.ImageID); err != nil {
			r.fail(origin, "", "%s: line %d: container_image_id: %s", origin.Path, origin.Line, err)
		}
	}
	r.digests(d, ref, &a, origin)
	a.ID = "image:" + cmp.Or(string(a.Digest), d.ImageName)
	return a
}

// digests sets the digests of an image: the one that the daemon was started with, else the first of the same repository.
func (r *cephReader) digests(d cephDaemon, ref sbom.Reference, a *sbom.Artifact, origin audit.Origin) {
	var same, other []audit.Digest
	for _, text := range d.ImageDigests {
		known, err := sbom.ParseReference(text)
		if err != nil || known.Digest == "" {
			r.fail(origin, "", "%s: line %d: %q of container_image_digests is no repository@sha256:digest", origin.Path, origin.Line, jsonShort(text))
			continue
		}
		if a.Name == "" {
			a.Name, a.Reference = known.Name(), text
		}
		if known.Repository() == ref.Repository() {
			same = append(same, known.Digest)
		} else {
			other = append(other, known.Digest)
		}
	}
	slices.Sort(same)
	slices.Sort(other)
	all := append(same, other...)
	if ref.Digest != "" {
		all = append([]audit.Digest{ref.Digest}, all...)
	}
	if len(all) == 0 {
		return
	}
	a.Digest, a.Unpinned = all[0], ""
	slices.Sort(all)
	a.Digests = slices.DeleteFunc(slices.Compact(all), func(x audit.Digest) bool { return x == a.Digest })
	if len(a.Digests) == 0 {
		a.Digests = nil
	}
}

// validCephVersion tells versions from "<unknown>" and other words.
func validCephVersion(v string) bool {
	return v != "" && len(v) <= 64 && v[0] >= '0' && v[0] <= '9' && strings.Trim(strings.ToLower(v), "abcdefghijklmnopqrstuvwxyz0123456789.-_+~") == ""
}

type cephHost struct {
	Hostname string   `json:"hostname"`
	Labels   []string `json:"labels,omitempty"`
	Status   string   `json:"status,omitempty"`
}

// hosts reads the list that the orchestrator has, which shows what the other files lack.
func (r *cephReader) hosts(data []byte, origin audit.Origin) (any, error) {
	kept := []cephHost{}
	err := readJSONList(data, maxCephHosts, func(h cephHost, line int, err error) {
		o := origin
		o.Line = line
		if err != nil {
			r.fail(o, "", "%s: line %d: an entry is no host: %s", origin.Path, line, err)
			return
		}
		if !validCephName(h.Hostname) {
			r.fail(o, "", "%s: line %d: a host without a proper name", origin.Path, line)
			return
		}
		h.Labels = slices.DeleteFunc(h.Labels, func(s string) bool { return !validCephName(s) })
		slices.Sort(h.Labels)
		kept = append(kept, h)
		r.inv.Expected = append(r.inv.Expected, sbom.Expected{Kind: sbom.ExpectedHost, Name: h.Hostname, Groups: slices.Clip(h.Labels),
			List: "Ceph hosts", Where: origin.Path, Self: true, Origin: o})
	})
	if err != nil && len(kept) == 0 {
		return nil, err
	}
	return kept, err
}

// versions reads what the daemons of each type report: {"mon": {"ceph version 17.2.8 (...) quincy (stable)": 3}}. The
// entry overall repeats the others and is left out.
func (r *cephReader) versions(data []byte, origin audit.Origin) (any, error) {
	types, err := readJSON[map[string]map[string]int](data)
	if err != nil {
		return nil, err
	}
	for _, kind := range slices.Sorted(maps.Keys(types)) {
		if kind == "overall" {
			continue
		}
		for _, text := range slices.Sorted(maps.Keys(types[kind])) {
			r.version(kind, text, types[kind][text], origin)
		}
	}
	return types, nil
}

func (r *cephReader) version(kind, text string, count int, origin audit.Origin) {
	words := strings.Fields(strings.TrimPrefix(text, "ceph version "))
	if !validCephName(kind) || len(words) == 0 || !validCephVersion(words[0]) || count < 0 || count > maxCephDaemons {
		r.fail(origin, cephSettle("versions"), "%s: %q of %q is no version of Ceph with a count", origin.Path, jsonShort(text), jsonShort(kind))
		return
	}
	if count == 0 {
		return
	}
	a := cephSoftware(sbom.UpstreamVersion(words[0]))
	a.Sightings = []sbom.Sighting{{Source: "ceph", Where: origin.Path + ": " + kind, State: sbom.StateRunning, Workload: kind, Replicas: count, Origin: origin}}
	r.inv.Artifacts = append(r.inv.Artifacts, a)
}
