package gitlog

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Bounds on what is read of one tree.
const (
	maxDocument  = 1 << 20 // bytes of a document or configuration file
	maxSource    = 1 << 20 // larger source files are generated; they count as files without a header
	headerBytes  = 2 << 10 // where a licence header must stand
	perTopic     = 20      // documents listed per topic
	readPerTopic = 5       // of these, how many are read
	maxToolFiles = 200
	maxSub       = 200  // licence files below the root
	maxLicences  = 100  // licence files at the root and below LICENSES/
	maxSuspects  = 1000 // files that may be executables
	maxLinks     = 50
	// sourceSample is how many source files are read for headers and fuzz tests. Of larger trees the files with the
	// smallest object ids are read, which is a sample without bias and the same on every machine; the count is scaled.
	sourceSample = 1000
)

// contents fills in what the texts of a tree say.
type contents struct {
	c      *Collector
	s      *survey
	texts  map[string][]byte // by object id
	origin audit.Origin
	at     time.Time // day that people and their employers are asked for
	kept   map[string]bool
}

// readTree reads the files that the survey chose, in one batch, and returns the facts about them.
func (c *Collector) readTree(ctx context.Context, v *view, s *survey, at time.Time, origin audit.Origin) (*contents, error) {
	texts, err := v.blobs(ctx, s.wanted(), maxDocument)
	if err != nil {
		return nil, err
	}
	t := &contents{c: c, s: s, texts: texts, origin: origin, at: at, kept: map[string]bool{}}
	if err := t.documents(ctx); err != nil {
		return nil, err
	}
	if err := t.tools(ctx); err != nil {
		return nil, err
	}
	if err := t.licences(ctx); err != nil {
		return nil, err
	}
	if err := t.readme(ctx); err != nil {
		return nil, err
	}
	if err := t.editions(ctx); err != nil {
		return nil, err
	}
	t.headers()
	t.binaries()
	return t, nil
}

// wanted lists the objects that readTree needs.
func (s *survey) wanted() []string {
	var ids []string
	take := func(files []file, limit int) {
		for _, f := range files[:min(limit, len(files))] {
			ids = append(ids, f.id)
		}
	}
	for topic, files := range s.documents {
		if confirmations[topic] != nil {
			take(files, perTopic)
			continue
		}
		take(files, readPerTopic)
	}
	take(s.toolFiles(), maxToolFiles)
	take(s.licences, maxLicences)
	take(s.sub, maxSub)
	take(s.readme, readPerTopic)
	take(s.prose, maxProse)
	take(s.sources, sourceSample)
	take(s.productFiles(), maxProductFiles)
	take(s.suspects, maxSuspects)
	if s.gitreview != nil {
		ids = append(ids, s.gitreview.id)
	}
	return ids
}

// keep gives a text to the bundle: only its digest stays there, since the text is not ours.
func (t *contents) keep(ctx context.Context, f file) error {
	text, ok := t.texts[f.id]
	if !ok || t.kept[f.path] {
		return nil
	}
	t.kept[f.path] = true
	origin := t.origin
	origin.Path = f.name
	return t.c.keep(ctx, origin, text)
}

func (t *contents) document(f file) scoring.Document { return documentOf(f, t.texts) }

// documentOf states what is known about a file whose contents may have been read.
func documentOf(f file, texts map[string][]byte) scoring.Document {
	d := scoring.Document{Path: f.name}
	if text, ok := texts[f.id]; ok {
		d.Digest, d.Words = audit.DigestOf(text), len(bytes.Fields(text))
	}
	return d
}

func (t *contents) documents(ctx context.Context) error {
	for _, topic := range documentTopics {
		var list []scoring.Document
		read := 0
		for _, f := range t.s.documents[topic.name] {
			text, known := t.texts[f.id]
			if !confirmed(topic.name, f, text) {
				continue
			}
			d := scoring.Document{Path: f.name}
			if known && read < readPerTopic {
				read++
				d = t.document(f)
				d.Marks = documentMarks(topic.name, text, f.prominent())
				switch topic.name {
				case "maintainers":
					d.Marks = readRoster(text, t.at, t.c.rules.employers).marks()
				case "adopters":
					d.Marks = adopterMarks(text)
				}
				if err := t.keep(ctx, f); err != nil {
					return err
				}
			}
			if list = append(list, d); len(list) == perTopic {
				break
			}
		}
		put(&t.s.tree.Documents, topic.name, list)
	}
	return nil
}

func put(m *map[string][]scoring.Document, topic string, list []scoring.Document) {
	if len(list) == 0 {
		return
	}
	if *m == nil {
		*m = map[string][]scoring.Document{}
	}
	(*m)[topic] = list
}

// confirmations are what the text of a document outside the usual places must say, by topic, so that a policy is not
// taken for a chapter about a feature: all patterns must match.
var confirmations = map[string][]*regexp.Regexp{
	"security": {
		regexp.MustCompile(`(?i)vulnerabilit|security (issue|bug|flaw|problem|report|advisor)`),
		regexp.MustCompile(`(?i)report|disclos|advisor|embargo`),
	},
	"maintenance-policy": {regexp.MustCompile(`(?i)maintained|supported|long[- ]term|end[- ]of[- ](life|support)|\bEOL\b`), period},
	"deprecation":        {regexp.MustCompile(`(?i)deprecat`), regexp.MustCompile(`(?i)polic|at least|removed (in|after)`)},
}

// confirmed reports whether a file is a document of the topic: at the usual places the name is enough.
func confirmed(topic string, f file, text []byte) bool {
	if f.prominent() {
		return true
	}
	for _, pattern := range confirmations[topic] {
		if !pattern.Match(text) {
			return false
		}
	}
	return true
}

var (
	privateChannel = regexp.MustCompile(`(?i)security[a-z0-9._-]*@|[a-z0-9._-]+@[a-z0-9.-]*security|vulnerabilit[a-z-]*@|mailto:|embargo|privately|private(ly)? (report|disclos|security|mail|vulnerab|bug|issue|list)|/security/advisories/new|report a vulnerability|hackerone\.com|bugcrowd\.com|confidential`)
	period         = regexp.MustCompile(`(?i)\b(\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|fourteen|thirty|sixty|ninety)[\s-]+(?:(?:business|working|calendar|full|work)\s+)?(hour|day|week|month|year)s?\b`)
	webLink        = regexp.MustCompile(`https?://[^\s<>"'()\[\]]+`)
	signOff        = regexp.MustCompile(`(?i)developer'?s? certificate of origin|signed-off-by|\bDCO\b`)
	agreement      = regexp.MustCompile(`(?i)contributor licen[cs]e agreement|\bI?CLA\b`)
	noAgreement    = regexp.MustCompile(`(?i)\b(no|not|without|neither|instead of)\b[^.]{0,60}(contributor licen[cs]e agreement|\bI?CLA\b|copyright assignment)|(contributor licen[cs]e agreement|\bI?CLA\b)[^.]{0,40}\bnot (required|needed|necessary)`)
	assignment     = regexp.MustCompile(`(?i)copyright assignment|assign[^.]{0,60}copyright`)
	numbers        = map[string]int{"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "fourteen": 14, "thirty": 30, "sixty": 60, "ninety": 90}
	daysOf         = map[string]int{"day": 1, "week": 7, "month": 30, "year": 365}
)

// documentMarks names features of a document's text: "private-channel" and "days:N" in security documents (N in days, a
// part of a day counts as one), "days:N" in policies on support and deprecation, "assignment", "cla", "dco" and "link" in
// contribution guides and agreements; holder:foundation, holder:company, stays-open and inbound-outbound (see termMarks). Agreements are only believed of prominent files: a list of questions elsewhere may
// well say that there is none.
func documentMarks(topic string, text []byte, prominent bool) []string {
	var marks []string
	mark := func(name string, found bool) {
		if found {
			marks = append(marks, name)
		}
	}
	switch topic {
	case "security":
		mark("private-channel", privateChannel.Match(text))
		marks = append(marks, periods(text)...)
	case "maintenance-policy", "deprecation":
		marks = append(marks, periods(text)...)
	case "contributing", "dco", "cla":
		mark("assignment", prominent && topic != "dco" && assignment.Match(text) && !noAgreement.Match(text))
		mark("cla", prominent && agreement.Match(text) && !noAgreement.Match(text))
		mark("dco", signOff.Match(text))
		mark("link", webLink.Match(text))
	}
	return append(marks, termMarks(topic, text, prominent)...)
}

// periods lists the spans of time that a text names, as "days:N", shortest first, at most five.
func periods(text []byte) []string {
	var days []int
	for _, m := range period.FindAllSubmatch(text, 200) {
		word := strings.ToLower(string(m[1]))
		n, ok := numbers[word]
		if !ok {
			n, _ = strconv.Atoi(word)
		}
		unit := strings.ToLower(string(m[2]))
		if unit == "hour" {
			n = (n + 23) / 24
		} else {
			n *= daysOf[unit]
		}
		if n > 0 {
			days = append(days, n)
		}
	}
	slices.Sort(days)
	days = slices.Compact(days)
	var marks []string
	for _, n := range days[:min(5, len(days))] {
		marks = append(marks, fmt.Sprintf("days:%d", n))
	}
	return marks
}

// toolMark is a feature of a configuration file that makes it evidence for a topic.
type toolMark struct {
	topic, mark string
	pattern     *regexp.Regexp
}

// toolMarks name the tools by the words with which they are called.
var toolMarks = []toolMark{
	{"sast", "bandit", regexp.MustCompile(`(?m)\bbandit\b`)},
	{"sast", "codeql", regexp.MustCompile(`github/codeql-action`)},
	{"sast", "coverity", regexp.MustCompile(`(?i)coverity`)},
	{"sast", "gosec", regexp.MustCompile(`\bgosec\b`)},
	{"sast", "semgrep", regexp.MustCompile(`(?i)\bsemgrep\b`)},
	{"sast", "sonar", regexp.MustCompile(`(?i)sonarsource|sonarcloud|sonarqube`)},
	{"sast", "clang-analyzer", regexp.MustCompile(`clang-analy[sz]e|scan-build`)},
	{"sast", "cppcheck", regexp.MustCompile(`\bcppcheck\b`)},
	{"gate", "zuul-gate", regexp.MustCompile(`(?m)^\s*gate:`)},
	{"gate", "merge-queue", regexp.MustCompile(`(?m)^\s*merge_group:`)},
	{"dependency-update", "openstack-requirements", regexp.MustCompile(`TOX_CONSTRAINTS_FILE|check-requirements`)},
	{"fuzzing", "oss-fuzz", regexp.MustCompile(`google/oss-fuzz|clusterfuzzlite`)},
	{"fuzzing", "go-fuzz", regexp.MustCompile(`go test[^\n]*-fuzz\b`)},
	{"conformance", "tempest", regexp.MustCompile(`(?m)^\s*-?\s*(name:\s*)?[a-z0-9-]*tempest[a-z0-9-]*`)},
	signatureBots[0], signatureBots[1], signatureBots[2],
	{"ci", "tests", regexp.MustCompile(`(?i)\b(tox|pytest|stestr|unittest|make (check|test)|go test|ctest|npm (run )?test|runtest|rebar3|ct-|vtest|reg-tests|check-templates|python3?-jobs|bazel test|cargo test)\b`)},
}

// toolFiles are the files that are read for tools.
func (s *survey) toolFiles() []file {
	var out []file
	for _, topic := range []string{"ci", "sast", "gate", "dependency-update", "cla-bot", "dco-bot"} {
		out = append(out, s.tools[topic]...)
	}
	return append(out, s.tools["config"]...)
}

func (t *contents) tools(ctx context.Context) error {
	found := map[string]map[string]scoring.Document{} // topic, path
	add := func(topic string, f file, mark string) {
		if found[topic] == nil {
			found[topic] = map[string]scoring.Document{}
		}
		d, ok := found[topic][f.name]
		if !ok {
			d = t.document(f)
		}
		if mark != "" && !slices.Contains(d.Marks, mark) {
			d.Marks = append(d.Marks, mark)
		}
		found[topic][f.name] = d
	}
	for _, topic := range toolTopics {
		for _, f := range t.s.tools[topic.name] {
			if topic.name != "config" {
				add(topic.name, f, "")
			}
		}
	}
	files := t.s.toolFiles()
	for _, f := range files[:min(maxToolFiles, len(files))] {
		text, ok := t.texts[f.id]
		if !ok {
			continue
		}
		if err := t.keep(ctx, f); err != nil {
			return err
		}
		for _, m := range toolMarks {
			if (m.topic != "ci" || slices.ContainsFunc(t.s.tools["ci"], func(o file) bool { return o.path == f.path })) && m.pattern.Match(text) {
				add(m.topic, f, m.mark)
			}
		}
	}
	for _, f := range t.s.sources[:min(sourceSample, len(t.s.sources))] {
		if strings.HasSuffix(f.base, "_test.go") && goFuzz.Match(t.texts[f.id]) {
			add("fuzzing", f, "go-fuzz")
		}
	}
	notes := map[string]int{}
	for dir, n := range t.s.dirs["notes"] {
		if n >= leastNotes {
			notes[dir] = n
		}
	}
	maps.Copy(notes, t.s.dirs["changelog"])
	put(&t.s.tree.Documents, "changelog", append(t.s.tree.Documents["changelog"], directories(notes)...))
	for topic, dirs := range t.s.dirs {
		if topic != "changelog" && topic != "notes" {
			put(&t.s.tree.Tools, topic, directories(dirs))
		}
	}
	for topic, byPath := range found {
		list := append(t.s.tree.Tools[topic], sortedDocuments(byPath)...)
		put(&t.s.tree.Tools, topic, list[:min(perTopic, len(list))])
	}
	return t.gerrit(ctx)
}

var goFuzz = regexp.MustCompile(`(?m)^func Fuzz[A-Z0-9_]\w*\(\w+ \*testing\.F\)`)

func sortedDocuments(byPath map[string]scoring.Document) []scoring.Document {
	var list []scoring.Document
	for _, d := range byPath {
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b scoring.Document) int {
		if n := strings.Count(a.Path, "/") - strings.Count(b.Path, "/"); n != 0 {
			return n
		}
		return strings.Compare(a.Path, b.Path)
	})
	return list[:min(perTopic, len(list))]
}

// directories turns counted directories into documents with the mark "files:N".
func directories(dirs map[string]int) []scoring.Document {
	byPath := map[string]scoring.Document{}
	for dir, n := range dirs {
		byPath[dir] = scoring.Document{Path: dir, Marks: []string{fmt.Sprintf("files:%d", n)}}
	}
	return sortedDocuments(byPath)
}

var gerritKey = regexp.MustCompile(`(?m)^\s*(host|project)\s*=\s*([A-Za-z0-9._/-]{1,200})\s*$`)

// gerrit reads host and project of .gitreview.
func (t *contents) gerrit(ctx context.Context) error {
	if t.s.gitreview == nil {
		return nil
	}
	keys := map[string]string{}
	for _, m := range gerritKey.FindAllSubmatch(t.texts[t.s.gitreview.id], 10) {
		keys[string(m[1])] = string(m[2])
	}
	if keys["host"] != "" && keys["project"] != "" {
		t.s.tree.GerritProject = keys["host"] + "/" + strings.TrimSuffix(keys["project"], ".git")
	}
	return t.keep(ctx, *t.s.gitreview)
}

// licences lists the licence files of the root, and what those elsewhere say.
func (t *contents) licences(ctx context.Context) error {
	for _, f := range t.s.licences[:min(maxLicences, len(t.s.licences))] {
		t.s.tree.LicenceFiles = append(t.s.tree.LicenceFiles, t.document(f))
		if err := t.keep(ctx, f); err != nil {
			return err
		}
	}
	for _, f := range t.s.sub[:min(maxSub, len(t.s.sub))] {
		sub := t.c.subLicence(f, t.texts)
		if isPage(f, sub) {
			continue
		}
		t.s.tree.SubLicences = append(t.s.tree.SubLicences, sub)
		if err := t.keep(ctx, f); err != nil {
			return err
		}
	}
	sample := append(slices.Clone(t.s.sources[:min(sourceSample, len(t.s.sources))]), t.s.productFiles()...)
	t.s.tree.SubLicences = append(t.s.tree.SubLicences, closedHeaders(sample, t.texts)...)
	return nil
}

// readme collects the hosts that the README names.
func (t *contents) readme(ctx context.Context) error {
	hosts, repos, named := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, f := range t.s.readme[:min(readPerTopic, len(t.s.readme))] {
		for _, link := range webLink.FindAll(t.texts[f.id], 2000) {
			u, err := url.Parse(strings.TrimRight(string(link), ".,;:!?*`"))
			if err == nil && domainPattern.MatchString(strings.ToLower(u.Hostname())) {
				hosts[strings.ToLower(u.Hostname())] = true
				if repo := sister(t.origin.URL, u); repo != "" {
					repos[repo] = true
				}
				if p, ok := page(u); ok {
					named[p] = true
				}
			}
		}
		if err := t.keep(ctx, f); err != nil {
			return err
		}
	}
	for h := range hosts {
		t.s.tree.ReadmeLinks = append(t.s.tree.ReadmeLinks, h)
	}
	t.s.tree.ReadmePages = pages(named)
	slices.Sort(t.s.tree.ReadmeLinks)
	t.s.tree.ReadmeLinks = t.s.tree.ReadmeLinks[:min(maxLinks, len(t.s.tree.ReadmeLinks))]
	t.s.tree.ReadmeRepos = slices.Sorted(maps.Keys(repos))
	t.s.tree.ReadmeRepos = t.s.tree.ReadmeRepos[:min(maxSisters, len(t.s.tree.ReadmeRepos))]
	return nil
}

// headers counts source files that say their licence in their first bytes, and those of them that do so by an SPDX line;
// scaled up if only a sample was read.
func (t *contents) headers() {
	sample := t.s.sources[:min(sourceSample, len(t.s.sources))]
	marked, said, read := 0, 0, 0
	for _, f := range sample {
		text, ok := t.texts[f.id]
		if !ok {
			continue
		}
		read++
		says, spdx := namesLicence(text)
		said, marked = said+one(says), marked+one(spdx)
	}
	if len(sample) > 0 && read*10 < len(sample)*9 {
		unread := audit.Failed[int](fmt.Sprintf("only %d of %d source files are in the clone", read, len(sample)), t.origin)
		unread.Settle = "give a clone with all files of this revision"
		t.s.tree.SPDXHeaders, t.s.tree.LicenceNotices = unread, unread
		return
	}
	scaled := func(found int) audit.Fact[int] {
		if read == 0 {
			return audit.Known(0, t.origin)
		}
		return audit.Known((found*len(t.s.sources)+read/2)/read, t.origin)
	}
	t.s.tree.SPDXHeaders, t.s.tree.LicenceNotices = scaled(marked), scaled(said)
}

// magics are the first bytes of programs and of archives that programs are shipped in.
var magics = [][]byte{
	[]byte("\x7fELF"), []byte("MZ"), []byte("\xca\xfe\xba\xbe"), []byte("\xcf\xfa\xed\xfe"), []byte("\xce\xfa\xed\xfe"),
	[]byte("\xfe\xed\xfa\xce"), []byte("\xfe\xed\xfa\xcf"), []byte("!<arch>\n"), []byte("\x00asm"), []byte("PK\x03\x04"),
	[]byte("dex\n"), []byte("\xed\xab\xee\xdb"), []byte("Cr24"), []byte("\xd0\xcf\x11\xe0"),
}

// binaries counts executables: by extension if the contents agree or were not read, by contents if there is no extension.
func (t *contents) binaries() {
	slices.SortFunc(t.s.suspects, func(a, b file) int { return strings.Compare(a.path, b.path) })
	for _, f := range t.s.suspects {
		text, known := t.texts[f.id]
		named := binaryExtensions.MatchString(f.base)
		if !named && !known || known && !isBinary(f, text) {
			continue
		}
		t.s.tree.BinaryCount++
		if len(t.s.tree.Binaries) < maxLinks {
			t.s.tree.Binaries = append(t.s.tree.Binaries, f.name)
		}
	}
}

func isBinary(f file, text []byte) bool {
	for _, magic := range magics {
		if bytes.HasPrefix(text, magic) {
			return path.Ext(f.base) != "" || !bytes.HasPrefix(magic, []byte("PK"))
		}
	}
	ext := path.Ext(f.base)
	return (ext == ".pyc" || ext == ".pyo") && bytes.IndexByte(text, 0) >= 0
}

// changes fills in how alive proposals and the roadmap are.
func (v *view) changes(ctx context.Context, s *survey, commit string, at time.Time, origin audit.Origin, r rules) error {
	s.tree.ProposalsChanged12m = audit.Failed[int]("no directory of proposals in this repository", origin)
	s.tree.ProposalsChanged12m.Settle = "name the repository that holds the project's proposals"
	s.tree.ProposalsReviewed12m = s.tree.ProposalsChanged12m
	s.tree.RoadmapChanged = audit.Failed[time.Time]("no roadmap file in this repository", origin)
	s.tree.RoadmapChanged.Settle = "name the place where the project publishes its roadmap"
	if len(s.dirs["proposals"]) > 0 {
		changed, reviewed, err := v.proposalsChanged(ctx, s, commit, at, r)
		if err != nil {
			return err
		}
		s.tree.ProposalsChanged12m, s.tree.ProposalsReviewed12m = audit.Known(changed, origin), audit.Known(reviewed, origin)
	}
	files := s.documents["roadmap"]
	if len(files) == 0 {
		return nil
	}
	last, err := v.lastChange(ctx, files[:min(perTopic, len(files))], commit, at)
	if err != nil {
		return err
	}
	if !last.IsZero() {
		s.tree.RoadmapChanged = audit.Known(last, origin)
	}
	return nil
}
