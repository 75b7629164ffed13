package source

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// namedWorkloads is how many containers of one image on one host are named; more are counted.
const namedWorkloads = 3

// inventory makes one inventory of what the documents say.
func (s containers) inventory(ctx context.Context, docs []engineDoc) (sbom.Inventory, error) {
	b := engineBuilder{containers: s, hosts: map[string]*engineHost{}, byID: map[string]*engineImage{}, parsed: map[string]parsedImage{},
		used: map[string]bool{}, hidden: map[string]bool{}, unlisted: map[*engineImage]bool{}, found: map[string]*engineArtifact{}}
	for i := range docs {
		b.learn(&docs[i])
	}
	for i := range docs {
		b.resolve(&docs[i])
	}
	for i := range docs {
		if err := ctx.Err(); err != nil {
			return sbom.Inventory{}, err
		}
		b.hide(&docs[i])
		if err := s.keep(ctx, docs[i]); err != nil {
			return sbom.Inventory{}, err
		}
		b.add(&docs[i])
	}
	return b.result(), nil
}

// keep stores what was read of a document as evidence: the reduced form, with the digest of the original.
func (s containers) keep(ctx context.Context, d engineDoc) error {
	if s.opt.Keep == nil || d.origin.Digest == "" {
		return nil
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(reduceEngine(d)); err != nil {
		return fmt.Errorf("keeping %q as evidence: %w", d.name, err)
	}
	if _, err := keepInput(ctx, s.opt, cmp.Or(d.origin.Path, d.origin.URL), "application/json", bytes.TrimSpace(out.Bytes()), d.origin); err != nil {
		return fmt.Errorf("keeping %q as evidence: %w", d.name, err)
	}
	return nil
}

// The reduced form of a document; keys in order, as canonical JSON has them.
type reducedEngine struct {
	Containers []reducedContainer `json:"containers"`
	Engine     string             `json:"engine,omitempty"`
	Host       string             `json:"host,omitempty"`
	Images     []reducedImage     `json:"images"`
	Omitted    int                `json:"omitted,omitempty"`
}

type reducedContainer struct {
	Digest    audit.Digest      `json:"digest,omitempty"`
	ID        string            `json:"id,omitempty"`
	Image     string            `json:"image"`
	ImageID   string            `json:"imageId,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"`
	Name      string            `json:"name,omitempty"`
	Namespace string            `json:"namespace,omitempty"`
	State     string            `json:"state,omitempty"`
}

type reducedImage struct {
	Digest   audit.Digest      `json:"digest,omitempty"`
	Digests  []string          `json:"digests,omitempty"`
	ID       string            `json:"id,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"`
	Platform string            `json:"platform,omitempty"`
	Tags     []string          `json:"tags,omitempty"`
}

func reduceEngine(d engineDoc) reducedEngine {
	out := reducedEngine{Containers: []reducedContainer{}, Images: []reducedImage{}, Engine: strings.TrimSpace(d.engine + " " + enginePrintable(d.engineVersion, 64)), Host: d.host, Omitted: d.omitted}
	for _, c := range d.containers {
		out.Containers = append(out.Containers, reducedContainer{ID: imageID(c.id), Name: c.name, Namespace: c.namespace,
			Image: enginePrintable(cmp.Or(c.named, c.image), maxLabel), ImageID: c.config, Digest: c.digest, State: c.state, Labels: c.labels})
	}
	for _, i := range d.images {
		out.Images = append(out.Images, reducedImage{ID: i.id, Tags: enginePrintables(i.tags), Digests: enginePrintables(i.digests), Digest: i.digest,
			Platform: i.platform, Labels: i.labels})
	}
	return out
}

func enginePrintables(texts []string) []string {
	var out []string
	for _, text := range texts {
		out = append(out, enginePrintable(text, maxLabel))
	}
	return out
}

// engineHost is what is known of one machine, from all documents about it.
type engineHost struct {
	images map[string]*engineImage // by image ID, else by digest
	tags   map[string]*engineImage // by reference, written in full
	used   map[*engineImage]bool   // a container of it is listed
	told   map[*engineImage]bool   // it was listed already
	seen   map[string]bool         // containers
}

// engineBuilder joins documents.
type engineBuilder struct {
	containers
	hosts  map[string]*engineHost
	byID   map[string]*engineImage // on any machine: an image ID names the same contents everywhere
	parsed map[string]parsedImage
	// used and hidden are image IDs and references of containers that are listed, and of those that are excluded.
	used, hidden map[string]bool
	unlisted     map[*engineImage]bool
	found        map[string]*engineArtifact
	inv          sbom.Inventory
	omitted      int
}

// parsedImage is an image reference, read once for all containers that use it.
type parsedImage struct {
	ref  sbom.Reference
	full string // repository as engines write it in full
	err  error
}

func (b *engineBuilder) parse(text string) parsedImage {
	if p, ok := b.parsed[text]; ok {
		return p
	}
	var p parsedImage
	if p.ref, p.err = sbom.ParseReference(text); p.err == nil {
		p.full = engineRepository(p.ref)
	}
	b.parsed[text] = p
	return p
}

// engineRepository writes out what Docker leaves away: docker.io and library/.
func engineRepository(r sbom.Reference) string {
	if r.Registry != "" && r.Registry != "docker.io" && r.Registry != "index.docker.io" {
		return r.Repository()
	}
	if strings.Contains(r.Path, "/") {
		return "docker.io/" + r.Path
	}
	return "docker.io/library/" + r.Path
}

// fullTag is the reference as it is looked up among the tags of a store; empty if it names no tag.
func (p parsedImage) fullTag() string {
	if p.err != nil || (p.ref.Tag == "" && p.ref.Digest != "") {
		return ""
	}
	return p.full + ":" + cmp.Or(p.ref.Tag, "latest")
}

func (b *engineBuilder) host(name string) *engineHost {
	h, ok := b.hosts[name]
	if !ok {
		h = &engineHost{images: map[string]*engineImage{}, tags: map[string]*engineImage{}, used: map[*engineImage]bool{},
			told: map[*engineImage]bool{}, seen: map[string]bool{}}
		b.hosts[name] = h
	}
	return h
}

// learn takes in the images of a document, so that containers can be looked up whatever the order of the files.
func (b *engineBuilder) learn(d *engineDoc) {
	h := b.host(d.host)
	for n := range d.images {
		i := &d.images[n]
		// a store that keeps manifests uses their digest as image ID
		i.manifest = i.manifest || d.manifestIDs || i.id != "" &&
			slices.ContainsFunc(i.digests, func(text string) bool { return strings.HasSuffix(text, "@sha256:"+i.id) })
		known := h.images[i.key()]
		if known == nil {
			known = new(*i)
			h.images[i.key()] = known
		} else {
			known.absorb(*i)
		}
		for _, tag := range i.tags {
			if full := b.parse(tag).fullTag(); full != "" {
				h.tags[full] = known
			}
		}
		switch other := b.byID[i.id]; {
		case i.id == "":
		case other == nil:
			b.byID[i.id] = new(*i)
		default:
			other.absorb(*i)
		}
	}
}

// key is what tells an image from the others of a store.
func (i engineImage) key() string {
	return cmp.Or(i.id, string(i.digest), strings.Join(i.tags, " "), strings.Join(i.digests, " "))
}

func (i *engineImage) absorb(o engineImage) {
	i.tags, i.digests = engineUnion(i.tags, o.tags), engineUnion(i.digests, o.digests)
	i.digest = cmp.Or(i.digest, o.digest)
	i.manifest = i.manifest || o.manifest
	i.platform = cmp.Or(i.platform, o.platform)
	if i.labels == nil {
		i.labels = o.labels
	}
}

// lookup finds the image of a container: by its ID on its own machine, else on any, else by its tag on its own machine.
// It reports whether the tag names another image by now.
func (b *engineBuilder) lookup(h *engineHost, c *engineContainer) (image *engineImage, moved bool) {
	var tagged *engineImage
	if name := cmp.Or(c.named, c.image); !isImageID(name) {
		tagged = h.tags[b.parse(name).fullTag()]
	}
	id := cmp.Or(c.config, c.index.Hex())
	if id == "" {
		return tagged, false
	}
	switch image = h.images[id]; {
	case image == nil && len(id) < 64:
		image = prefixed(h.images, id)
	case image == nil:
		image = h.images[id[:12]] // as a table shows it
	}
	if image == nil {
		image = b.byID[id]
	}
	moved = tagged != nil && tagged.id != "" && !strings.HasPrefix(tagged.id, id) && !strings.HasPrefix(id, tagged.id)
	return image, moved
}

// prefixed finds an image by the start of its ID, if only one has it.
func prefixed(images map[string]*engineImage, start string) *engineImage {
	var found *engineImage
	for id, image := range images {
		if !strings.HasPrefix(id, start) {
			continue
		}
		if found != nil {
			return nil
		}
		found = image
	}
	return found
}

// resolve finds the image of every container. A container that two documents of one machine list counts once.
func (b *engineBuilder) resolve(d *engineDoc) {
	h := b.host(d.host)
	listed := d.containers[:0]
	for n := range d.containers {
		c := d.containers[n]
		if id := c.id[:min(len(c.id), 12)]; id != "" {
			if h.seen[id] {
				continue
			}
			h.seen[id] = true
		}
		c.found, c.moved = b.lookup(h, &c)
		if c.found != nil {
			h.used[c.found] = true
		}
		b.mark(b.used, &c)
		listed = append(listed, c)
	}
	d.containers = listed
	for n := range d.hidden {
		c := &d.hidden[n]
		c.found, _ = b.lookup(h, c)
		b.mark(b.hidden, c)
	}
}

func (b *engineBuilder) mark(set map[string]bool, c *engineContainer) {
	if name := cmp.Or(c.named, c.image); !isImageID(name) {
		set[cmp.Or(b.parse(name).fullTag(), name)] = true
	}
	if c.config != "" {
		set[c.config] = true
	}
	if c.found != nil {
		set[c.found.key()] = true
	}
}

// hide takes out the images that only excluded containers use.
func (b *engineBuilder) hide(d *engineDoc) {
	if len(b.hidden) == 0 {
		return
	}
	h := b.host(d.host)
	d.images = slices.DeleteFunc(d.images, func(i engineImage) bool {
		if !b.in(b.hidden, i) || b.in(b.used, i) {
			return false
		}
		b.unlisted[h.images[i.key()]] = true
		return true
	})
}

func (b *engineBuilder) in(set map[string]bool, i engineImage) bool {
	return set[i.key()] || slices.ContainsFunc(i.tags, func(tag string) bool { return set[b.parse(tag).fullTag()] }) ||
		slices.ContainsFunc(i.digests, func(text string) bool { return set[text] })
}

// engineArtifact is one image while it is put together.
type engineArtifact struct {
	config     audit.Digest
	short      string         // the start of an image ID, where no more is known
	first      []audit.Digest // digests that the references in use lead to
	digests    []audit.Digest
	references []string // of containers
	tags       []string // other names in a store
	odd        string   // a name that is no reference
	labels     map[string]string
	platform   string
	running    int
	sightings  map[sightingKey]*engineSighting
}

// sightingKey is what one sighting stands for.
type sightingKey struct {
	host, namespace, reference, state string
	moved, stored                     bool
}

type engineSighting struct {
	doc    *engineDoc
	line   int
	count  int
	names  []string
	digest audit.Digest
}

// engineAppend turns the containers and images of a document into artifacts.
func (b *engineBuilder) add(d *engineDoc) {
	h := b.host(d.host)
	b.omitted += d.omitted
	for _, f := range d.faults {
		b.fail(d, f.line, f.settle, f.reason)
	}
	b.addEngine(d)
	for n := range d.containers {
		b.addContainer(d, &d.containers[n])
	}
	for n := range d.images {
		image := h.images[d.images[n].key()]
		if h.told[image] || image == nil {
			continue
		}
		h.told[image] = true
		b.addImage(h, d, image, d.images[n].line)
	}
}

func (b *engineBuilder) fail(d *engineDoc, line int, settle, text string) {
	b.inv.Failures = append(b.inv.Failures, sbom.Failure{Source: "containers " + d.name, Reason: text, Settle: settle, Origin: d.at(line)})
}

// at returns the origin of an entry. The lines of an answer mean nothing to a reader.
func (d *engineDoc) at(line int) audit.Origin {
	origin := d.origin
	if !d.live {
		origin.Line = line
	}
	return origin
}

// addEngine lists the engine itself, which runs on the machine.
func (b *engineBuilder) addEngine(d *engineDoc) {
	version := d.engineVersion
	if d.engine == "" || version == "" || len(version) > 64 || strings.Trim(version, "abcdefghijklmnopqrstuvwxyz0123456789.+-~_") != "" {
		return
	}
	b.inv.Artifacts = append(b.inv.Artifacts, sbom.Artifact{ID: "software:" + d.engine + "@" + version, Kind: sbom.KindSoftware, Name: d.engine,
		Reference: d.engine + "@" + version, Version: sbom.UpstreamVersion(version), Replicas: 1, Sightings: []sbom.Sighting{{Source: "containers",
			Where: d.name + ": version", State: sbom.StateRunning, Hosts: engineHosts(d.host), Replicas: 1, Origin: audit.Origin{Source: "containers", URL: d.origin.URL, At: d.origin.At}}}})
}

func engineHosts(name string) []string {
	if name == "" {
		return nil
	}
	return []string{name}
}

// addContainer counts one container for its image.
func (b *engineBuilder) addContainer(d *engineDoc, c *engineContainer) {
	name := cmp.Or(c.named, c.image)
	a := engineArtifact{labels: c.labels}
	a.identify(c, d)
	var digests []audit.Digest
	reference := name
	switch p := b.parse(name); {
	case isImageID(name):
		reference = ""
		digests = b.digestsFor(c, sbom.Reference{}, "", d)
	case p.err == nil:
		digests = b.digestsFor(c, p.ref, p.full, d)
		a.references = []string{name}
	case enginePrintable(name, len(name)) != name || len(name) > maxLabel:
		b.fail(d, c.line, engineExportHint, fmt.Sprintf("the image of a container is no text that can be shown: %q", enginePrintable(name, 64)))
		if a.config == "" && a.short == "" {
			return
		}
		reference = ""
	default:
		b.fail(d, c.line, "", p.err.Error())
		a.odd = name
		digests = b.digestsFor(c, sbom.Reference{}, "", d)
	}
	if len(digests) > 0 {
		a.first, a.digests = digests[:1], digests[1:]
	}
	if c.found != nil {
		a.tags, a.platform = b.names(c.found), c.found.platform
		if c.found.labels != nil {
			a.labels = c.found.labels
		}
	}
	if c.state == sbom.StateRunning {
		a.running = 1
	}
	if enginePrintable(c.image, maxLabel) == c.image {
		reference = c.image
	}
	key := sightingKey{host: d.host, namespace: c.namespace, reference: reference, state: c.state, moved: c.moved}
	seen := &engineSighting{doc: d, line: c.line, count: 1}
	if len(a.first) > 0 {
		seen.digest = a.first[0]
	}
	if c.name != "" {
		seen.names = []string{c.name}
	}
	b.join(a, key, seen)
}

// identify sets the digest of the configuration, which is the image ID of stores that keep none of manifests.
func (a *engineArtifact) identify(c *engineContainer, d *engineDoc) {
	id := c.config
	if c.found != nil && len(c.found.id) > len(id) {
		id = c.found.id
	}
	switch {
	case d.manifestIDs, c.index != "", c.found != nil && c.found.manifest:
	case len(id) == 64:
		a.config = audit.Digest("sha256:" + id)
	default:
		a.short = id
	}
}

// digestsFor returns the digests of the manifest of an image, the best first: what the engine says of the container, what
// podman says of the image, what the reference says or the registry said for its repository, at last what was said for
// other repositories of the same image.
func (b *engineBuilder) digestsFor(c *engineContainer, ref sbom.Reference, full string, d *engineDoc) []audit.Digest {
	out := []audit.Digest{c.digest}
	var own, others []audit.Digest
	if ref.Digest != "" {
		own = append(own, ref.Digest)
	}
	if i := c.found; i != nil {
		out = append(out, i.digest)
		for _, text := range i.digests {
			p := b.parse(text)
			switch {
			case p.err != nil || p.ref.Digest == "":
			case p.full == full:
				own = append(own, p.ref.Digest)
			default:
				others = append(others, p.ref.Digest)
			}
		}
		if i.manifest && len(i.id) == 64 {
			others = append(others, audit.Digest("sha256:"+i.id))
		}
	} else if d.manifestIDs && len(c.config) == 64 {
		others = append(others, audit.Digest("sha256:"+c.config))
	}
	slices.Sort(own)
	slices.Sort(others)
	if c.index != "" {
		others = append(others, c.index)
	}
	return engineDistinct(slices.Concat(out, own, others))
}

// engineDistinct returns the digests in order, each once.
func engineDistinct(list []audit.Digest) []audit.Digest {
	var out []audit.Digest
	for _, d := range list {
		if d != "" && !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return out
}

// names returns the tags of an image that are references.
func (b *engineBuilder) names(i *engineImage) []string {
	return slices.DeleteFunc(slices.Clone(i.tags), func(tag string) bool { return b.parse(tag).err != nil })
}

// addImage lists an image that lies in the store and that no container uses.
func (b *engineBuilder) addImage(h *engineHost, d *engineDoc, i *engineImage, line int) {
	if h.used[i] || (d.host == "" && b.in(b.used, *i)) {
		return
	}
	c := engineContainer{found: i, config: i.id}
	a := engineArtifact{labels: i.labels, platform: i.platform, tags: b.names(i)}
	a.identify(&c, d)
	for _, tag := range i.tags {
		if err := b.parse(tag).err; err != nil {
			b.fail(d, line, "", err.Error())
		}
	}
	var ref parsedImage
	reference := ""
	for _, name := range slices.Concat(a.tags, i.digests) {
		if p := b.parse(name); p.err == nil {
			ref, reference = p, name
			break
		}
	}
	if len(a.tags) == 0 && reference != "" {
		a.tags = []string{reference}
	}
	seen := &engineSighting{doc: d, line: line}
	if digests := b.digestsFor(&c, ref.ref, ref.full, d); len(digests) > 0 {
		a.first, a.digests, seen.digest = digests[:1], digests[1:], digests[0]
	}
	if len(a.tags)+len(a.first) == 0 && a.config == "" && a.short == "" {
		b.fail(d, line, engineExportHint, "an image without name, ID and digest")
		return
	}
	b.join(a, sightingKey{host: d.host, reference: reference, state: sbom.StatePresent, stored: true}, seen)
}

// identity is what two observations of one image share: the image ID, else the digest, else the name.
func (a *engineArtifact) identity() string {
	switch {
	case a.config != "":
		return "config " + string(a.config)
	case len(a.first) > 0:
		return "digest " + string(a.first[0])
	case len(a.references) > 0:
		return "reference " + a.references[0]
	case a.odd != "":
		return "text " + a.odd
	case a.short != "":
		return "short " + a.short
	}
	return "reference " + a.tags[0]
}

// join adds an observation to the image it is of.
func (b *engineBuilder) join(a engineArtifact, key sightingKey, seen *engineSighting) {
	id := a.identity()
	known := b.found[id]
	if known == nil {
		a.sightings = map[sightingKey]*engineSighting{}
		known = &a
		b.found[id] = known
	} else {
		known.absorb(a)
	}
	s := known.sightings[key]
	if s == nil {
		known.sightings[key] = seen
		return
	}
	s.count += seen.count
	s.names = append(s.names, seen.names...)
	if s.digest == "" || (seen.digest != "" && seen.digest < s.digest) {
		s.digest = seen.digest
	}
}

func (a *engineArtifact) absorb(o engineArtifact) {
	a.config = cmp.Or(a.config, o.config)
	a.short = cmp.Or(a.short, o.short)
	a.odd = cmp.Or(a.odd, o.odd)
	a.first = engineAppend(a.first, o.first)
	a.digests = engineAppend(a.digests, o.digests)
	a.references = engineAppend(a.references, o.references)
	a.tags = engineAppend(a.tags, o.tags)
	a.platform = engineLeast(a.platform, o.platform)
	a.running += o.running
	for key, value := range o.labels {
		if a.labels == nil {
			a.labels = map[string]string{}
		} else if a.labels[key] != "" {
			value = min(value, a.labels[key])
		}
		if a.labels[key] != value {
			a.labels = maps.Clone(a.labels)
			a.labels[key] = value
		}
	}
}

// engineAppend returns the list with what is new. Both are short, unless a hostile file gives an image all the names that
// fit into it.
func engineAppend[T comparable](list, more []T) []T {
	list = list[:len(list):len(list)] // never into what somebody else holds
	if len(list) < 64 && len(more) < 64 {
		for _, v := range more {
			if !slices.Contains(list, v) {
				list = append(list, v)
			}
		}
		return list
	}
	seen := make(map[T]bool, len(list)+len(more))
	for _, v := range list {
		seen[v] = true
	}
	for _, v := range more {
		if !seen[v] {
			seen[v] = true
			list = append(list, v)
		}
	}
	return list
}

// engineLeast returns the smaller of two texts of which one may be empty.
func engineLeast(a, b string) string {
	if a == "" || b == "" {
		return cmp.Or(a, b)
	}
	return min(a, b)
}

// result writes everything down.
func (b *engineBuilder) result() sbom.Inventory {
	b.inv.Schema = sbom.InventorySchema
	for id, list := range b.named() {
		b.inv.Artifacts = append(b.inv.Artifacts, b.artifact(id, list))
	}
	b.omit("containers", b.omitted)
	b.omit("images", len(b.unlisted))
	return sortInventory(b.inv)
}

func (b *engineBuilder) omit(what string, count int) {
	if count == 0 {
		return
	}
	why := "name or label matches " + strings.Join(b.exclude, ", ")
	if what == "images" {
		why = "used only by containers whose " + why
	}
	b.inv.Omitted = append(b.inv.Omitted, sbom.Omission{Source: b.Name(), What: what, Why: why, Count: count})
}

// named gives each image its ID. Images that share a digest are one, unless their configurations differ. Where several
// images of unknown digest go by one reference, the reference does not tell them apart, and the image ID does.
func (b *engineBuilder) named() map[string][]*engineArtifact {
	b.setIndexesApart()
	sharing := map[string]int{}
	for _, a := range b.found {
		if len(a.first) == 0 {
			sharing[a.reference()]++
		}
	}
	out := map[string][]*engineArtifact{}
	for _, a := range b.found {
		id := "image:"
		switch reference := a.reference(); {
		case len(a.first) > 0:
			id += string(a.first[0])
		case a.config != "" && (reference == "" || sharing[reference] > 1):
			id += string(a.config)
		default:
			id += cmp.Or(reference, a.short)
		}
		out[id] = append(out[id], a)
	}
	return out
}

// setIndexesApart takes a digest under which images of different configurations were pulled for what it is: that of an
// index, which offers one of them for each platform.
func (b *engineBuilder) setIndexesApart() {
	configs := map[audit.Digest][]audit.Digest{}
	for _, a := range b.found {
		a.order()
		for _, d := range a.first {
			if a.config != "" && len(configs[d]) < 2 { // only whether there are several matters
				configs[d] = engineAppend(configs[d], []audit.Digest{a.config})
			}
		}
	}
	for _, a := range b.found {
		index := func(d audit.Digest) bool { return a.config != "" && len(configs[d]) > 1 }
		for _, d := range a.first {
			if index(d) {
				a.digests = engineAppend(a.digests, []audit.Digest{d})
			}
		}
		a.first = slices.DeleteFunc(slices.Clone(a.first), index)
	}
}

// order sorts what came in any order.
func (a *engineArtifact) order() {
	slices.Sort(a.first)
	slices.Sort(a.digests)
	slices.Sort(a.references)
	slices.Sort(a.tags)
}

// reference returns the name that stands for the image: one that a container uses, else one of the store.
func (a *engineArtifact) reference() string {
	switch {
	case len(a.references) > 0:
		return a.references[0]
	case len(a.tags) > 0:
		return a.tags[0]
	}
	return a.odd
}

func (b *engineBuilder) artifact(id string, list []*engineArtifact) sbom.Artifact {
	slices.SortFunc(list, func(x, y *engineArtifact) int { return cmp.Compare(x.identity(), y.identity()) })
	whole := engineArtifact{}
	var sightings []sbom.Sighting
	for _, a := range list {
		whole.absorb(*a)
		for key, seen := range a.sightings {
			sightings = append(sightings, b.sighting(key, seen))
		}
	}
	whole.order()
	a := sbom.Artifact{ID: id, Kind: sbom.KindImage, Config: whole.config, Labels: whole.labels, Platform: whole.platform,
		Replicas: whole.running, Sightings: sightings}
	if len(whole.first) > 0 {
		a.Digest = whole.first[0]
	}
	a.Digests = slices.DeleteFunc(engineAppend(whole.digests, whole.first), func(d audit.Digest) bool { return d == a.Digest })
	slices.Sort(a.Digests)
	b.name(&a, whole)
	slices.SortFunc(a.Sightings, bySighting)
	return a
}

// name sets reference, name, version and what else follows from the references.
func (b *engineBuilder) name(a *sbom.Artifact, whole engineArtifact) {
	a.Reference = whole.reference()
	a.Aliases = slices.DeleteFunc(engineAppend(whole.references, whole.tags), func(s string) bool { return s == a.Reference })
	slices.Sort(a.Aliases)
	if len(a.Aliases) == 0 {
		a.Aliases = nil
	}
	if len(a.Digests) == 0 {
		a.Digests = nil
	}
	title := cmp.Or(a.Labels["name"], a.Labels["org.opencontainers.image.title"])
	p := b.parse(a.Reference)
	switch {
	case a.Reference == "":
		a.Name = cmp.Or(title, a.Config.Hex()[:min(12, len(a.Config.Hex()))], whole.short, a.Digest.Hex()[:min(12, len(a.Digest.Hex()))])
		if a.Digest == "" && a.Config == "" {
			a.Unpinned = "only the start of an image ID is known"
		}
		return
	case p.err != nil:
		a.Name, a.Unpinned = a.Reference, "the reference cannot be read"
	default:
		a.Name, a.Version, a.Unpinned = p.ref.Name(), sbom.ParseTag(p.ref.Tag).Version, p.ref.Unpinned()
	}
	if label := a.Labels["org.opencontainers.image.version"]; a.Version == "" && strings.EqualFold(title, a.Name) {
		a.Version = sbom.ParseTag(label).Version
	}
	if a.Digest != "" {
		a.Unpinned = ""
	}
}

func (b *engineBuilder) sighting(key sightingKey, seen *engineSighting) sbom.Sighting {
	s := sbom.Sighting{Source: "containers", Where: seen.doc.name, State: key.state, Reference: key.reference, Digest: seen.digest,
		Hosts: engineHosts(key.host), Namespace: key.namespace, Origin: seen.doc.at(seen.line)}
	if key.reference != "" {
		s.Where += ": " + key.reference
	}
	if key.moved {
		s.Where += "; the tag now names another image"
	}
	if key.stored {
		s.Origin.Digest = cmp.Or(seen.doc.imagesDigest, s.Origin.Digest)
		return s
	}
	if key.state == sbom.StateRunning {
		s.Replicas = seen.count
	}
	slices.Sort(seen.names)
	s.Workload = strings.Join(seen.names, ", ")
	if seen.count > namedWorkloads {
		s.Workload = fmt.Sprintf("%d containers", seen.count)
	}
	return s
}

func bySighting(x, y sbom.Sighting) int {
	return cmp.Or(slices.Compare(x.Hosts, y.Hosts), cmp.Compare(x.Namespace, y.Namespace), cmp.Compare(x.State, y.State),
		cmp.Compare(x.Reference, y.Reference), cmp.Compare(x.Where, y.Where), cmp.Compare(x.Workload, y.Workload), cmp.Compare(x.Origin.Line, y.Origin.Line))
}
