package source

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// Limits of exported files.
const (
	maxEngineFile    = 64 << 20
	maxEngineFiles   = 10_000
	maxEngineLine    = 1 << 20
	maxEngineFaults  = 20 // of one file that are told one by one
	maxLabelTexts    = 4096
	maxLabelText     = 8 << 10 // of those that are remembered
	maxEngineName    = 255     // of a container or namespace
	parallelFiles    = 2
	engineExportHint = "write it again: docker ps -a --no-trunc --format '{{json .}}', or podman ps -a --format json"
)

// engineDoc is what one file or one live engine says.
type engineDoc struct {
	name          string // as reports may show it
	host          string // empty if it is not known
	live          bool
	engine        string // docker or podman, of a live engine
	engineVersion string
	manifestIDs   bool // image IDs are digests of manifests, not of configurations
	containers    []engineContainer
	images        []engineImage
	hidden        []engineContainer // what containers that are excluded use: image and config only
	omitted       int
	faults        []engineFault
	origin        audit.Origin
	imagesDigest  audit.Digest // of a live engine, where origin.Digest is that of the list of containers
}

// engineFault is a part that could not be read.
type engineFault struct {
	line           int
	reason, settle string
}

// engineContainer is what is read of a container.
type engineContainer struct {
	id        string
	name      string
	namespace string // of the pod, from crictl
	image     string // as the engine names it: a reference, or an image ID
	named     string // reference it was made from, where image is an ID
	config    string // image ID: 64 hexadecimal digits, or their start
	digest    audit.Digest
	index     audit.Digest // image ID of a store that keeps manifests
	state     string
	labels    map[string]string
	line      int
	found     *engineImage // what the image stores say about its image
	moved     bool         // its tag names another image by now
}

// engineImage is what is read of an image in a store.
type engineImage struct {
	id       string // image ID: 64 hexadecimal digits, or their start; empty if digest is all that is known
	tags     []string
	digests  []string     // repository@digest
	digest   audit.Digest // of the manifest, as podman says it
	manifest bool         // the ID is the digest of a manifest
	labels   map[string]string
	platform string
	line     int
}

// readFiles reads all files, two at a time, and puts them together in the order of their names.
func (s containers) readFiles(ctx context.Context) (sbom.Inventory, error) {
	var docs []engineDoc
	labels := newLabelTexts()
	for _, list := range [][]string{s.ps, s.images} {
		files, faults, err := s.expand(list)
		if err != nil {
			return sbom.Inventory{}, err
		}
		read := make([]engineDoc, len(files))
		group, groupCtx := errgroup.WithContext(ctx)
		group.SetLimit(parallelFiles)
		for i, f := range files {
			group.Go(func() error {
				read[i] = s.readFile(f, labels)
				return groupCtx.Err()
			})
		}
		if err := group.Wait(); err != nil {
			return sbom.Inventory{}, err
		}
		docs = append(append(docs, faults...), read...)
	}
	if !slices.ContainsFunc(docs, func(d engineDoc) bool { return d.origin.Digest != "" && (len(d.faults) == 0 || !d.empty()) }) {
		return nothingRead(s.faults(docs), "reading containers %q: %s", docs[0].name, docs[0].faults[0].reason)
	}
	slices.SortStableFunc(docs, func(a, b engineDoc) int { return cmp.Compare(a.name, b.name) })
	s.placeImages(docs)
	return s.inventory(ctx, docs)
}

// faults are the failures of all documents.
func (s containers) faults(docs []engineDoc) []sbom.Failure {
	b := engineBuilder{containers: s}
	for i := range docs {
		for _, f := range docs[i].faults {
			b.fail(&docs[i], f.line, f.settle, f.reason)
		}
	}
	return b.inv.Failures
}

func (d engineDoc) empty() bool { return len(d.containers)+len(d.images)+d.omitted == 0 }

// engineFile is one file to read.
type engineFile struct {
	path string // on this machine
	name string // as reports may show it
	host string
}

// expand returns the files behind names and patterns, each once. A pattern without a match is a document that has only a fault.
func (s containers) expand(written []string) (files []engineFile, faults []engineDoc, err error) {
	seen := map[string]bool{}
	for _, w := range written {
		full := values{base: s.base}.path(w)
		found := []string{full}
		if strings.ContainsAny(w, "*?[") {
			if found, err = filepath.Glob(full); err != nil {
				return nil, nil, fmt.Errorf("reading containers %q: it is no pattern of file names", shown(w))
			}
		}
		if len(found) == 0 {
			faults = append(faults, engineDoc{name: shown(w), origin: audit.Origin{Source: "containers", Path: shown(w), At: s.opt.At},
				faults: []engineFault{{reason: "no file matches", settle: "name files that exist"}}})
		}
		for _, name := range found {
			if seen[name] {
				continue
			}
			seen[name] = true
			f := engineFile{path: name, name: s.shownFile(w, name)}
			f.host = cmp.Or(s.host, hostOfFile(name, strings.ContainsAny(path.Dir(filepath.ToSlash(w)), "*?[")))
			files = append(files, f)
		}
	}
	if len(files) > maxEngineFiles {
		return nil, nil, fmt.Errorf("reading containers %q: %d files, more than %d", shown(written[0]), len(files), maxEngineFiles)
	}
	return files, faults, nil
}

func (s containers) shownFile(written, full string) string {
	if filepath.IsAbs(written) {
		return shown(full)
	}
	rel, err := filepath.Rel(s.base, full)
	if err != nil {
		return shown(full)
	}
	return filepath.ToSlash(rel)
}

// Words in names of files that tell what is in them, not where it is from.
var (
	exportWords  = [...]string{"ps", "containers", "container", "images", "image", "inspect", "crictl", "ctr"}
	exportTools  = [...]string{"docker", "podman", "crictl", "ctr", "nerdctl", "image", "container"}
	exportEnding = [...]string{".json", ".jsonl", ".ndjson", ".txt", ".log", ".out"}
)

// hostOfFile returns the machine that a file is named after: "ps/ctl-01-docker-ps.json" is of ctl-01. Where the name only
// tells what is in the file and the folder is a pattern, the folder is the machine: "hosts/ctl-01/docker-ps.json".
func hostOfFile(name string, folderNames bool) string {
	stem := filepath.Base(name)
	for _, ending := range exportEnding {
		stem = strings.TrimSuffix(stem, ending)
	}
	stem, cut := cutExportWord(stem, exportWords[:])
	for cut && stem != "" {
		var more bool
		if stem, more = cutExportWord(stem, exportTools[:]); !more {
			break
		}
	}
	if stem == "" && folderNames {
		stem = filepath.Base(filepath.Dir(name))
	}
	if !isHostName(stem) {
		return ""
	}
	return stem
}

// cutExportWord takes one of the words off the end of a name.
func cutExportWord(name string, words []string) (string, bool) {
	for _, word := range words {
		rest, ok := strings.CutSuffix(strings.ToLower(name), word)
		switch {
		case !ok:
		case rest == "":
			return "", true
		case strings.HasSuffix(rest, "-"), strings.HasSuffix(rest, "_"), strings.HasSuffix(rest, "."):
			return name[:len(rest)-1], true
		}
	}
	return name, false
}

func (s containers) readFile(f engineFile, labels *labelTexts) engineDoc {
	doc := engineDoc{name: f.name, host: f.host, origin: audit.Origin{Source: "containers", Path: f.name, At: s.opt.At}}
	data, err := readFile(f.path, maxEngineFile)
	if err != nil {
		doc.faults = []engineFault{{reason: reason(err)}}
		return doc
	}
	got := parseEngine(data, s.exclude, labels)
	got.name, got.host, got.origin = doc.name, doc.host, doc.origin
	got.origin.Digest = audit.DigestOf(data)
	return got
}

// placeImages says of which machine the lists of images are: of the one that their file is named after, if containers of
// it are listed; of the only machine there is; else of none, and then they tell what lies behind an image ID, not behind
// a tag, which may name another image on another machine.
func (s containers) placeImages(docs []engineDoc) {
	hosts := map[string]bool{}
	for _, d := range docs {
		if len(d.containers)+d.omitted > 0 {
			hosts[d.host] = true
		}
	}
	for i := range docs {
		if d := &docs[i]; len(d.images) > 0 && !hosts[d.host] && s.host == "" && len(hosts) == 1 {
			for name := range hosts {
				d.host = name
			}
		}
	}
}

// containerLabels are all labels of a container, to exclude by, and those that are kept.
type containerLabels struct{ all, useful map[string]string }

func splitLabels(all map[string]string) containerLabels {
	return containerLabels{all, usefulLabels(all)}
}

// labelTexts remembers what texts of labels say: containers of one image have the same on every machine.
type labelTexts struct {
	mu    sync.Mutex
	known map[string]containerLabels
}

func newLabelTexts() *labelTexts { return &labelTexts{known: map[string]containerLabels{}} }

func (l *labelTexts) of(text string) containerLabels {
	if text == "" {
		return containerLabels{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	labels, ok := l.known[text]
	if ok {
		return labels
	}
	labels = splitLabels(engineLabelText(text))
	if len(l.known) < maxLabelTexts && len(text) <= maxLabelText {
		l.known[text] = labels
	}
	return labels
}

// parseEngine reads what docker, podman, crictl and ctr print, recognised by its shape, and the lists of the API of an
// engine. Entries are read one by one, so that what stands before a broken part is kept.
func parseEngine(data []byte, exclude []string, labels *labelTexts) engineDoc {
	p := engineParser{exclude: exclude, labels: labels}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	start := bytes.TrimLeft(data, " \t\r\n")
	switch {
	case len(start) == 0:
		// no container runs there: docker ps prints nothing
	case start[0] == '[':
		p.stream(data)
	case start[0] == '{':
		p.objects(data)
	default:
		p.table(data)
	}
	p.doc.images = joinByDigest(p.doc.images)
	if p.short > 0 {
		p.fault(0, "write the list with --no-trunc", "%d image IDs are cut short", p.short)
	}
	if more := len(p.doc.faults) - maxEngineFaults; more > 0 {
		p.doc.faults = append(p.doc.faults[:maxEngineFaults], engineFault{reason: fmt.Sprintf("%d more entries that cannot be read", more), settle: engineExportHint})
	}
	return p.doc
}

// engineParser reads one document.
type engineParser struct {
	exclude []string
	labels  *labelTexts
	doc     engineDoc
	short   int // image IDs without their end
	full    bool
}

func (p *engineParser) fault(line int, settle, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if line > 0 {
		text = fmt.Sprintf("line %d: %s", line, text)
	}
	p.doc.faults = append(p.doc.faults, engineFault{line: line, reason: text, settle: settle})
}

// room reports whether one more entry may be kept, and tells once if not.
func (p *engineParser) room(line int) bool {
	if len(p.doc.containers)+len(p.doc.images)+len(p.doc.hidden) < maxEngineEntries {
		return true
	}
	if !p.full {
		p.fault(line, "", "more than %d entries; the others were not read", maxEngineEntries)
		p.full = true
	}
	return false
}

// dockerLine is one line of docker ps and docker images with --format json.
type dockerLine struct {
	ID, Image, Names, Labels, State, Status string
	Repository, Tag, Digest                 string
}

// objects reads one object a line, which is what --format '{{json .}}' makes, or else objects that span lines.
func (p *engineParser) objects(data []byte) {
	first, rest, _ := bytes.Cut(bytes.TrimLeft(data, " \t\r\n"), []byte("\n"))
	next := bytes.TrimLeft(rest, " \t\r\n")
	if crictlList(first) || (!json.Valid(first) && len(next) > 0 && next[0] != '{') {
		p.stream(data)
		return
	}
	for line := 1; len(data) > 0 && !p.full; line++ {
		var text []byte
		text, data, _ = bytes.Cut(data, []byte("\n"))
		if text = bytes.TrimSpace(text); len(text) > 0 {
			p.line(line, text)
		}
	}
}

// crictlList reports whether an object starts as a list of crictl does.
func crictlList(line []byte) bool {
	start := strings.Join(strings.Fields(string(line[:min(len(line), 64)])), "")
	return strings.HasPrefix(start, `{"containers":[`) || strings.HasPrefix(start, `{"images":[`)
}

func (p *engineParser) line(line int, text []byte) {
	if len(text) > maxEngineLine {
		p.fault(line, engineExportHint, "it is longer than %d bytes", maxEngineLine)
		return
	}
	var d dockerLine
	err := json.Unmarshal(text, &d)
	switch {
	case err != nil && errors.As(err, new(*json.UnmarshalTypeError)):
		p.element(line, text)
	case err != nil:
		p.fault(line, engineExportHint, "%s", jsonReason(err))
	case d.Image != "" && d.Repository == "" && (d.Names != "" || d.State != "" || d.Status != ""):
		c := engineContainer{id: d.ID, name: d.Names, image: d.Image, state: engineState(d.State, d.Status), line: line}
		p.container(c, p.labels.of(d.Labels))
	case d.Repository != "" && d.ID != "":
		p.image(rowImage(line, d.ID, d.Repository, d.Tag, d.Digest))
	default:
		p.element(line, text)
	}
}

// jsonReason says what is wrong with a JSON text.
func jsonReason(err error) string {
	var syntax *json.SyntaxError
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || (errors.As(err, &syntax) && strings.HasPrefix(syntax.Error(), "unexpected end")) {
		return "it ends in the middle: the file was not written to its end"
	}
	return "it is not the JSON that docker, podman or crictl print"
}

// stream reads an array of entries, a list of crictl, or objects one after the other.
func (p *engineParser) stream(data []byte) {
	dec := json.NewDecoder(bytes.NewReader(data))
	lines := lineCounter{data: data}
	for entries := 0; ; entries++ {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) && entries > 0 {
			return
		}
		if err == nil {
			switch token {
			case json.Delim('['):
				err = p.array(dec, &lines)
			case json.Delim('{'):
				err = p.object(dec, &lines)
			default:
				err = errNoEntry
			}
		}
		if errors.Is(err, errEngineFull) {
			return
		}
		if err != nil {
			p.fault(lines.at(dec.InputOffset()), engineExportHint, "%s", jsonReason(err))
			return
		}
	}
}

var (
	errNoEntry    = errors.New("no entry")
	errEngineFull = errors.New("too many entries")
)

func (p *engineParser) array(dec *json.Decoder, lines *lineCounter) error {
	for dec.More() {
		line := lines.at(dec.InputOffset())
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		p.element(line, raw)
		if p.full {
			return errEngineFull
		}
	}
	_, err := dec.Token()
	return err
}

// object reads one object whose first brace was read: a list of crictl, whose entries are read one by one, or an entry.
func (p *engineParser) object(dec *json.Decoder, lines *lineCounter) error {
	line := lines.at(dec.InputOffset())
	fields := map[string]json.RawMessage{}
	listed := false
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		var raw json.RawMessage
		if key == "containers" || key == "images" {
			if token, err = dec.Token(); err != nil {
				return err
			}
			if token == json.Delim('[') {
				listed = true
				if err := p.array(dec, lines); err != nil {
					return err
				}
				continue
			}
			if _, isDelim := token.(json.Delim); isDelim {
				return errNoEntry
			}
			continue // null, or the number of containers of an image
		}
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		if len(fields) < 1000 {
			fields[key] = raw
		}
	}
	if _, err := dec.Token(); err != nil {
		return err
	}
	if listed {
		return nil
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	p.element(line, raw)
	return nil
}

// lineCounter tells the lines of growing offsets.
type lineCounter struct {
	data []byte
	seen int64
	n    int
}

// at returns the line on which the next entry after an offset starts.
func (l *lineCounter) at(offset int64) int {
	for offset < int64(len(l.data)) && strings.IndexByte(" \t\r\n,", l.data[offset]) >= 0 {
		offset++
	}
	if offset > l.seen {
		l.n += bytes.Count(l.data[l.seen:offset], []byte("\n"))
		l.seen = offset
	}
	return l.n + 1
}

// engineEntry is a container or an image in any of the forms: the API, inspect, podman ps, crictl. What has no field here
// is never read.
type engineEntry struct {
	ID          string `json:"Id"`
	Names       engineTexts
	Name        string
	Image       engineImageField
	ImageID     string
	ImageName   string
	ImageDigest string
	ImageRef    string
	Labels      engineLabels
	State       engineStateField
	Status      string
	Config      *engineConfig
	Repository  *string
	Tag         string
	Digest      string
	RepoTags    *[]string
	RepoDigests *[]string
	Descriptor  *engineDescriptor
	// ImageManifestDescriptor is set by stores that keep manifests.
	ImageManifestDescriptor *engineDescriptor
	Os                      string
	Architecture            string
	Variant                 string
	Metadata                *struct{ Name string }
}

type engineConfig struct {
	Image  string
	Labels engineLabels
}

type engineDescriptor struct{ Digest string }

// engineTexts is a text or a list of texts.
type engineTexts []string

// UnmarshalJSON reads either form.
func (t *engineTexts) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		var text string
		err := json.Unmarshal(data, &text)
		*t = strings.Split(text, ",")
		return err
	}
	return json.Unmarshal(data, (*[]string)(t))
}

// engineLabels are labels as a mapping or as docker ps joins them.
type engineLabels map[string]string

// UnmarshalJSON reads either form.
func (l *engineLabels) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		var text string
		err := json.Unmarshal(data, &text)
		*l = engineLabelText(text)
		return err
	}
	return json.Unmarshal(data, (*map[string]string)(l))
}

// engineImageField is the image of a container: a text, or the object of crictl.
type engineImageField struct {
	text   string
	object bool
}

// UnmarshalJSON reads either form.
func (f *engineImageField) UnmarshalJSON(data []byte) error {
	if len(data) == 0 || data[0] != '{' {
		return json.Unmarshal(data, &f.text)
	}
	var v struct{ Image, UserSpecifiedImage string }
	f.object = true
	err := json.Unmarshal(data, &v)
	f.text = cmp.Or(v.UserSpecifiedImage, v.Image)
	return err
}

// engineStateField is the state of a container: a text, or the object of inspect.
type engineStateField struct {
	text   string
	object bool
}

// UnmarshalJSON reads either form.
func (f *engineStateField) UnmarshalJSON(data []byte) error {
	if len(data) == 0 || data[0] != '{' {
		return json.Unmarshal(data, &f.text)
	}
	var v struct {
		Status  string
		Running bool
	}
	f.object = true
	err := json.Unmarshal(data, &v)
	f.text = v.Status
	if f.text == "" && v.Running {
		f.text = "running"
	}
	return err
}

// element reads one entry, whatever it is.
func (p *engineParser) element(line int, raw []byte) {
	var e engineEntry
	if err := json.Unmarshal(raw, &e); err != nil {
		p.fault(line, engineExportHint, "the entry is not of a form that docker, podman or crictl print")
		return
	}
	switch {
	case e.Repository != nil:
		p.image(rowImage(line, e.ID, *e.Repository, e.Tag, e.Digest))
	case e.RepoTags != nil || e.RepoDigests != nil:
		image := engineImage{id: imageID(e.ID), line: line}
		image.complete(e)
		p.image(image)
	case e.Image.text != "" || e.ImageName != "" || e.ImageID != "":
		p.container(e.container(line), splitLabels(e.labels()))
	default:
		p.fault(line, engineExportHint, "the entry is neither a container nor an image")
	}
}

// complete adds what an entry says about an image.
func (i *engineImage) complete(e engineEntry) {
	if e.RepoTags != nil {
		i.tags = engineUnion(i.tags, *e.RepoTags)
	}
	i.tags = engineUnion(i.tags, e.Names)
	if e.RepoDigests != nil {
		i.digests = engineUnion(i.digests, *e.RepoDigests)
	}
	i.digest = cmp.Or(i.digest, sha256Digest(e.Digest))
	i.manifest = i.manifest || (e.Descriptor != nil && e.Descriptor.Digest != "" && imageID(e.Descriptor.Digest) == i.id)
	if labels := usefulLabels(e.labels()); labels != nil {
		i.labels = labels
	}
	if isPlatformWord(e.Os) && isPlatformWord(e.Architecture) {
		i.platform = e.Os + "/" + e.Architecture
		if isPlatformWord(e.Variant) {
			i.platform += "/" + e.Variant
		}
	}
}

func (e engineEntry) labels() map[string]string {
	if e.Config != nil && e.Config.Labels != nil {
		return e.Config.Labels
	}
	return e.Labels
}

// container returns the entry as a container. Inspect gives the image ID as Image and the reference in Config, others
// the reference as Image. On CRI-O the imageRef of crictl is repository@digest, on containerd the image ID.
func (e engineEntry) container(line int) engineContainer {
	c := engineContainer{id: e.ID, name: e.Name, image: e.Image.text, config: imageID(e.ImageID), line: line,
		digest: sha256Digest(e.ImageDigest), state: engineState(e.State.text, e.Status)}
	if len(e.Names) > 0 {
		c.name = e.Names[0]
	}
	switch {
	case e.Image.object:
		if e.Metadata != nil {
			c.name = e.Metadata.Name
		}
		c.namespace = e.Labels["io.kubernetes.pod.namespace"]
		c.config = cmp.Or(imageID(e.ImageRef), c.config)
		if _, digest, ok := strings.Cut(e.ImageRef, "@"); ok {
			c.digest = sha256Digest(digest)
		}
	case e.State.object:
		c.config, c.image = imageID(e.Image.text), e.ImageName
		if e.Config != nil {
			c.image = cmp.Or(c.image, e.Config.Image)
		}
		c.image = cmp.Or(c.image, e.Image.text)
	}
	if d := e.ImageManifestDescriptor; d != nil && sha256Digest(d.Digest) != "" {
		c.digest, c.index, c.config = sha256Digest(d.Digest), sha256Digest("sha256:"+c.config), ""
	}
	return c
}

// container keeps a container, unless it is excluded: then it is counted, and its name is not kept.
func (p *engineParser) container(c engineContainer, labels containerLabels) {
	if !p.room(c.line) {
		return
	}
	c.name, _, _ = strings.Cut(strings.TrimPrefix(c.name, "/"), ",")
	if engineExcluded(p.exclude, c.name, labels.all) {
		p.doc.omitted++
		p.doc.hidden = append(p.doc.hidden, engineContainer{image: c.image, named: c.named, config: c.config})
		return
	}
	if c.name != "" && !isEngineName(c.name) {
		p.fault(c.line, "", "the container has no name of a container; it is listed without")
		c.name = ""
	}
	if !isEngineName(c.namespace) {
		c.namespace = ""
	}
	switch {
	case c.image == "" && c.config == "":
		p.fault(c.line, engineExportHint, "the container names no image")
		return
	case c.image == "":
		c.image = "sha256:" + c.config
	case isImageID(c.image) && c.config == "":
		c.config = imageID(c.image)
	}
	if n := len(c.config); n > 0 && n < 64 {
		p.short++
	}
	c.labels = labels.useful
	p.doc.containers = append(p.doc.containers, c)
}

func (p *engineParser) image(i engineImage) {
	if !p.room(i.line) {
		return
	}
	none := func(s string) bool { return s == "" || strings.Contains(s, "<none>") }
	i.tags, i.digests = slices.DeleteFunc(i.tags, none), slices.DeleteFunc(i.digests, none)
	p.doc.images = append(p.doc.images, i)
}

// rowImage is an image of docker images, where each line has one tag.
func rowImage(line int, id, repository, tag, digest string) engineImage {
	i := engineImage{id: imageID(id), line: line}
	if repository != "" && tag != "" {
		i.tags = []string{repository + ":" + tag}
	}
	if repository != "" && sha256Digest(digest) != "" {
		i.digests = []string{repository + "@" + digest}
	}
	return i
}

// engineLabelText splits labels as docker ps joins them, "a=1,b=2". A part without = belongs to the value before it.
func engineLabelText(text string) map[string]string {
	if text == "" {
		return nil
	}
	out := map[string]string{}
	last := ""
	for part := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(part, "=")
		switch {
		case ok:
			last = key
			out[key] = value
		case last != "":
			out[last] += "," + part
		}
	}
	return out
}

// engineExcluded reports whether the name or a label, written key=value, matches a pattern. A * stands for any text, also for
// one with slashes.
func engineExcluded(patterns []string, name string, labels map[string]string) bool {
	flat := func(s string) string { return strings.ReplaceAll(s, "/", "\x1f") }
	for _, pattern := range patterns {
		pattern = flat(pattern)
		if ok, _ := path.Match(pattern, flat(name)); ok && name != "" { // patterns were checked
			return true
		}
		for key, value := range labels {
			if ok, _ := path.Match(pattern, flat(key+"="+value)); ok {
				return true
			}
		}
	}
	return false
}

// engineState translates the state of a container, or the status that docker ps shows where it has no state. A paused
// container runs; one that restarts is meant to.
func engineState(state, status string) string {
	word := strings.ToLower(strings.TrimPrefix(state, "CONTAINER_"))
	if word == "" {
		word, _, _ = strings.Cut(strings.ToLower(status), " ")
	}
	switch word {
	case "running", "up", "paused", "restarting":
		return sbom.StateRunning
	case "exited", "created", "dead", "removing", "removal", "configured", "initialized", "stopped", "stopping":
		return sbom.StateStopped
	}
	return ""
}

// isImageID reports whether a text is an image ID rather than a reference.
func isImageID(text string) bool {
	if rest, ok := strings.CutPrefix(text, "sha256:"); ok {
		return len(rest) >= 12 && len(rest) <= 64 && engineHex(rest, len(rest))
	}
	return engineHex(text, 12) || engineHex(text, 64)
}

// imageID returns the hexadecimal digits of an image ID, or nothing if the text is none.
func imageID(text string) string {
	text = strings.TrimPrefix(text, "sha256:")
	if len(text) < 12 || len(text) > 64 || !engineHex(text, len(text)) {
		return ""
	}
	return text
}

func engineHex(text string, length int) bool {
	return len(text) == length && strings.Trim(text, "0123456789abcdef") == ""
}

// sha256Digest returns the text if it is a SHA-256 digest, else nothing.
func sha256Digest(text string) audit.Digest {
	if rest, ok := strings.CutPrefix(text, "sha256:"); ok && engineHex(rest, 64) {
		return audit.Digest(text)
	}
	return ""
}

// isEngineName reports whether a text may be the name of a container or namespace.
func isEngineName(text string) bool {
	return text != "" && len(text) <= maxEngineName &&
		strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == ""
}

// isPlatformWord reports whether a text may be an operating system or architecture.
func isPlatformWord(text string) bool {
	return text != "" && len(text) <= 32 && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789_.-") == ""
}

func engineUnion(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

// Columns of the tables that docker ps, podman ps, docker images, crictl and ctr print. Those of several words come first.
var tableColumns = [...]string{"CONTAINER ID", "IMAGE ID", "POD ID", "CONTAINER", "IMAGE", "COMMAND", "CREATED", "STATUS", "STATE",
	"PORTS", "NAMES", "NAME", "ATTEMPT", "POD", "RUNTIME", "REPOSITORY", "TAG", "DIGEST", "SIZE", "REF", "TYPE", "PLATFORMS", "LABELS", "NAMESPACE"}

// engineColumn is where a column of a table starts, counted in letters.
type engineColumn struct {
	name  string
	start int
}

// engineHeader finds the columns of a header line.
func engineHeader(line string) []engineColumn {
	var out []engineColumn
	for i := 0; i < len(line); {
		rest := line[i:]
		if rest[0] == ' ' {
			i++
			continue
		}
		k := slices.IndexFunc(tableColumns[:], func(name string) bool {
			return strings.HasPrefix(rest, name) && (len(rest) == len(name) || rest[len(name)] == ' ')
		})
		if k < 0 {
			return nil
		}
		out = append(out, engineColumn{tableColumns[k], i})
		i += len(tableColumns[k])
	}
	return out
}

// table reads the text that these tools print for people.
func (p *engineParser) table(data []byte) {
	var header []engineColumn
	for line := 1; len(data) > 0 && !p.full; line++ {
		var raw []byte
		raw, data, _ = bytes.Cut(data, []byte("\n"))
		text := strings.TrimRight(string(raw[:min(len(raw), maxEngineLine)]), " \r\t")
		if text == "" {
			continue
		}
		if header == nil {
			if header = engineHeader(text); len(header) < 2 {
				p.fault(line, engineExportHint, "it is neither JSON nor a table with the header that docker, podman, crictl or ctr print")
				return
			}
			continue
		}
		p.row(line, header, text)
	}
}

// row reads one line of a table.
func (p *engineParser) row(line int, header []engineColumn, text string) {
	cells, ok := engineRow(header, text)
	switch {
	case !ok:
		p.fault(line, engineExportHint, "it does not fit the columns of the header")
	case cells["REF"] != "":
		p.image(refImage(line, cells))
	case cells["IMAGE ID"] != "" && cells["REPOSITORY"]+cells["IMAGE"] != "":
		p.image(rowImage(line, cells["IMAGE ID"], cmp.Or(cells["REPOSITORY"], cells["IMAGE"]), cells["TAG"], cells["DIGEST"]))
	case cells["IMAGE"] != "" && cells["CONTAINER ID"]+cells["CONTAINER"] != "":
		p.container(engineContainer{id: cmp.Or(cells["CONTAINER ID"], cells["CONTAINER"]), name: cmp.Or(cells["NAMES"], cells["NAME"]),
			namespace: cells["NAMESPACE"], image: cells["IMAGE"], state: engineState(cells["STATE"], cells["STATUS"]), line: line}, containerLabels{})
	default:
		p.fault(line, engineExportHint, "it names neither a container nor an image")
	}
}

// engineRow cuts a line where the columns of the header start. Before each column stands a space, or the line is not of this table.
func engineRow(header []engineColumn, text string) (map[string]string, bool) {
	if !utf8.ValidString(text) {
		return nil, false
	}
	letters := []rune(text)
	cells := make(map[string]string, len(header))
	for i, c := range header {
		if c.start >= len(letters) {
			break
		}
		end := len(letters)
		if i+1 < len(header) {
			end = min(end, header[i+1].start)
		}
		if c.start > 0 && letters[c.start-1] != ' ' {
			return nil, false
		}
		cells[c.name] = strings.TrimSpace(string(letters[c.start:end]))
	}
	return cells, true
}

// refImage is a line of ctr images ls. Containerd lists an image also under its image ID.
func refImage(line int, cells map[string]string) engineImage {
	i := engineImage{digest: sha256Digest(cells["DIGEST"]), line: line}
	switch ref := cells["REF"]; {
	case isImageID(ref):
		i.id = imageID(ref)
	case strings.Contains(ref, "@"):
		i.digests = []string{ref}
	default:
		i.tags = []string{ref}
	}
	return i
}

// joinByDigest joins the lines of ctr images ls that are of one image: under its names, and under its image ID.
func joinByDigest(images []engineImage) []engineImage {
	whole := map[audit.Digest]int{}
	out := images[:0]
	for _, i := range images {
		if i.digest == "" || (i.id != "" && len(i.tags)+len(i.digests) > 0) {
			out = append(out, i)
			continue
		}
		n, ok := whole[i.digest]
		if !ok {
			whole[i.digest] = len(out)
			out = append(out, i)
			continue
		}
		out[n].id = cmp.Or(out[n].id, i.id)
		out[n].absorb(i)
	}
	return out
}
