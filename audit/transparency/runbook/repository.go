package runbook

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Bounds of one repository.
const (
	maxFileSize = 1 << 20 // of a text that is read
	maxTexts    = 20_000  // files that are read
	maxBytes    = 128 << 20
	maxTopics   = 3   // places shown of one topic
	maxHeard    = 500 // places remembered of one topic
	maxSecrets  = 100 // places kept
	maxShown    = 200 // bytes of a path that is shown
)

// repository reads one git repository.
func (l *looker) repository(ctx context.Context, a address) transparency.Place {
	p := transparency.Place{URL: a.url, Path: a.folder}
	if l.world.Open == nil {
		p.Trouble = &audit.Trouble{Kind: audit.TroubleOffline, Text: "the run can read no repositories", Settle: "run without --offline, or give a clone with --mirror"}
		return p
	}
	r, trouble := l.world.Open(ctx, a.url)
	if trouble != nil {
		p.Trouble = trouble
		l.artifact.Seen = append(l.artifact.Seen, audit.Seen{URL: a.url, At: l.world.At, Trouble: trouble})
		return p
	}
	defer r.Close()
	p.URL, p.Commit, p.SeenUntil, p.LastHuman, p.Licence = r.URL, r.Commit, r.SeenUntil, r.LastHuman, r.Licence
	if r.Look.Digest != "" {
		l.artifact.Seen = append(l.artifact.Seen, r.Look)
	} else {
		l.artifact.Seen = append(l.artifact.Seen, audit.Seen{URL: r.URL, At: r.SeenUntil})
	}
	p.Public = l.public(ctx, r)
	read := newReading(r, a.folder)
	if len(read.files) == 0 {
		p.Trouble = &audit.Trouble{Kind: audit.TroubleContent, Text: "the repository has no files" + within(a.folder), Settle: "name the folder where they are"}
		return p
	}
	read.all(ctx)
	read.fill(&p)
	l.artifact.Notes = append(l.artifact.Notes, read.notes(r.URL)...)
	return p
}

func within(folder string) string {
	if folder == "" {
		return ""
	}
	return fmt.Sprintf(" in %q", clip(folder))
}

// public says whether the server gives the repository to anybody. What git got from the server without any rights is public;
// of a clone on this machine the server is asked.
func (l *looker) public(ctx context.Context, r *transparency.Repository) audit.Fact[bool] {
	origin := audit.Origin{Source: "git", URL: r.URL, Commit: r.Commit, At: r.SeenUntil}
	if !r.Local {
		return audit.Known(true, origin)
	}
	if r.Look.Digest != "" {
		return audit.Fact[bool]{Settle: "publish it, and name its address"}
	}
	before := len(l.artifact.Seen)
	if l.servesGit(ctx, r.URL) {
		return audit.Known(true, l.artifact.Seen[before].Origin("git"))
	}
	f := audit.Fact[bool]{Settle: "let the run ask the server of " + r.URL}
	if before < len(l.artifact.Seen) {
		seen := l.artifact.Seen[before]
		switch {
		case seen.Trouble.Outcome() == audit.FAIL:
			return audit.Known(false, seen.Origin("git"))
		case seen.Trouble.Outcome() == audit.DNF:
			f.Failure = "the server was asked: " + seen.Trouble.Text
		case seen.Trouble == nil:
			f.Failure = "the server gave an answer that is none of git"
		}
	}
	return f
}

// reading is one pass over the files of a repository.
type reading struct {
	repository *transparency.Repository
	files      []transparency.File
	place      transparency.Place // what was found
	allowed    string             // texts that list what is no secret
	excused    int
	secrets    int
	unread     int // files that could not be read
	large      int
	beyond     int    // files after the bounds
	readme     string // of the root, in lower case
}

func newReading(r *transparency.Repository, folder string) *reading {
	read := &reading{repository: r}
	for _, f := range r.Files {
		if folder == "" || strings.HasPrefix(f.Path, folder+"/") || f.Path == folder {
			read.files = append(read.files, f)
		}
	}
	return read
}

// all reads every text. Documents and lists for scanners come first, so that bounds cut what matters least.
func (r *reading) all(ctx context.Context) {
	texts := slices.DeleteFunc(slices.Clone(r.files), func(f transparency.File) bool { return isBinary(f.Path) || f.Size == 0 })
	slices.SortStableFunc(texts, func(a, b transparency.File) int { return rank(a.Path) - rank(b.Path) })
	if len(texts) > maxTexts {
		texts, r.beyond = texts[:maxTexts], len(texts)-maxTexts
	}
	r.fetch(ctx, texts)
	total := 0
	for i, f := range texts {
		if total > maxBytes || ctx.Err() != nil {
			r.beyond += len(texts) - i
			return
		}
		data, err := r.repository.Read(ctx, f.ID, maxFileSize)
		switch {
		case errors.Is(err, transparency.ErrTooLarge):
			r.large++
			continue
		case err != nil:
			r.unread++
			continue
		}
		total += len(data)
		r.file(f.Path, data)
	}
}

// fetch gets what is missing in one go; what does not come is counted when it is read.
func (r *reading) fetch(ctx context.Context, files []transparency.File) {
	if r.repository.Fetch == nil {
		return
	}
	ids := make([]string, len(files))
	for i, f := range files {
		ids[i] = f.ID
	}
	_ = r.repository.Fetch(ctx, ids)
}

// rank puts lists for scanners first, then documents, then the rest.
func rank(name string) int {
	switch {
	case isAllowList(strings.ToLower(name)):
		return 0
	case isDocument(name):
		return 1
	}
	return 2
}

// isBinary reports files that are no texts, by the ends of their names.
func isBinary(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".png", ".jpg", ".jpeg", ".gif", ".ico", ".webp", ".pdf", ".woff", ".woff2", ".ttf", ".eot", ".otf", ".zip", ".gz", ".tgz", ".xz", ".bz2", ".zst",
		".tar", ".deb", ".rpm", ".jar", ".iso", ".img", ".qcow2", ".mp4", ".webm", ".mp3", ".odt", ".odp", ".ods", ".docx", ".xlsx", ".pptx", ".svg", ".drawio", ".whl", ".gpg":
		return true
	}
	return false
}

// file takes from one text what it tells.
func (r *reading) file(name string, data []byte) {
	shown := clip(name)
	if isAllowList(strings.ToLower(name)) {
		r.allowed += string(data) + "\n"
	}
	found, excused := secrets(shown, data, r.allowed)
	r.excused += excused
	r.secrets += len(found)
	for _, s := range found[:min(len(found), maxSecrets-len(r.place.Secrets))] {
		r.place.Secrets = append(r.place.Secrets, s)
	}
	r.configuration(name, data)
	switch {
	case isDocument(name):
		r.document(name, shown, data)
	case isPlaybook(name, data):
		r.playbook(name, shown)
	}
}

func (r *reading) document(name, shown string, data []byte) {
	r.place.Documents++
	if readme.MatchString(name) {
		r.readme += strings.ToLower(string(data)) + "\n"
	}
	if isElsewhere(name) {
		return
	}
	all := headings(name, data)
	for _, h := range all {
		if h.level <= deepest && h.words >= fewestWords {
			r.topics(topicsOf(h.text), shown, h.line)
		}
	}
	if wordsIn(string(data)) >= fewestWords {
		r.topics(topicsOfName(nameOf(name)), shown, 0)
	}
}

func (r *reading) playbook(name, shown string) {
	r.place.Playbooks++
	if !isElsewhere(name) {
		r.topics(topicsOfName(nameOf(name)), shown, 0)
	}
}

// topics notes topics of one place; of a document the first heading counts before others and before its name.
func (r *reading) topics(topics []string, shown string, line int) {
	for _, topic := range topics {
		n, known := 0, false
		for _, t := range r.place.Topics {
			if t.Topic == topic {
				n++
				known = known || t.Path == shown
			}
		}
		if n < maxHeard && !known {
			r.place.Topics = append(r.place.Topics, transparency.Topic{Topic: topic, Path: shown, Line: line})
		}
	}
}

// shownTopics returns the places of each topic that are shown: texts written for operators first.
func shownTopics(heard []transparency.Topic) []transparency.Topic {
	var out []transparency.Topic
	for _, topic := range []string{topicDeploy, topicUpgrade, topicBackup, topicIncident, topicAccess} {
		of := slices.DeleteFunc(slices.Clone(heard), func(t transparency.Topic) bool { return t.Topic != topic })
		slices.SortStableFunc(of, func(a, b transparency.Topic) int { return aside(a.Path) - aside(b.Path) })
		out = append(out, of[:min(len(of), maxTopics)]...)
	}
	return out
}

func aside(name string) int {
	if guides.MatchString(name) {
		return 0
	}
	return 1
}

var (
	readme = regexp.MustCompile(`(?i)^readme(\.[a-z]+)?$`)
	play   = regexp.MustCompile(`(?m)^(?:- |  )(?:hosts:[ \t]*\S|(?:ansible\.builtin\.)?import_playbook:)`)
)

// isPlaybook reports a playbook of Ansible: a list of plays, each of which names hosts or another playbook.
func isPlaybook(name string, data []byte) bool {
	ext := strings.ToLower(path.Ext(name))
	return (ext == ".yml" || ext == ".yaml") && play.Match(data)
}

// fill puts what was found into the place.
func (r *reading) fill(p *transparency.Place) {
	found := r.place
	p.Documents, p.Playbooks, p.Topics, p.Secrets = found.Documents, found.Playbooks, shownTopics(found.Topics), found.Secrets
	p.Inventory, p.Versions, p.Rules = found.Inventory, found.Versions, found.Rules
	origin := audit.Origin{Source: "git", URL: p.URL, Commit: p.Commit, Path: p.Path, At: p.SeenUntil}
	if missed := r.unread + r.beyond; missed > 0 && r.secrets == 0 {
		p.SecretsSeen = audit.Failed[int](fmt.Sprintf("%d files could not be read", missed), origin)
		p.SecretsSeen.Settle = "give a complete clone with --mirror"
	} else {
		p.SecretsSeen = audit.Known(r.secrets, origin)
	}
	if _, known := p.Licence.Get(); !known && !strings.Contains(p.Licence.Failure, "known") {
		if e, err := licence.Parse(statedLicence(r.readme)); err == nil && !e.IsEmpty() {
			origin.Path = "README"
			p.Licence = audit.Known(e.String(), origin)
		}
	}
	p.Open = openLicence(p.Licence)
}

// openLicence judges a licence. A repository that was read and names none gives nobody a right: that is known.
func openLicence(f audit.Fact[string]) audit.Fact[bool] {
	expression, known := f.Get()
	switch {
	case known:
		class := licence.ClassOf(expression)
		if class == licence.Unknown {
			return audit.Failed[bool]("nobody has judged the licence "+expression, f.Origins...)
		}
		return audit.Known(class.Free(), f.Origins...)
	case strings.Contains(f.Failure, "no licence file"):
		return audit.Known(false, f.Origins...)
	}
	return audit.Failed[bool](f.Failure, f.Origins...)
}

func (r *reading) notes(url string) []string {
	var out []string
	add := func(n int, format string) {
		if n > 0 {
			out = append(out, fmt.Sprintf(format, url, n))
		}
	}
	add(r.large, "%s: %d files of more than 1 MiB were not searched")
	add(r.beyond, "%s: %d files were left out, since there are too many")
	add(r.unread, "%s: %d files could not be read")
	add(r.excused, "%s: %d values count as no secrets, because a file for scanners in the repository says so")
	return out
}

// clip makes a path fit to be shown.
func clip(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(name, "\uFFFD"))
	if len(name) > maxShown {
		name = strings.ToValidUTF8(name[:maxShown], "") + "…"
	}
	return name
}
