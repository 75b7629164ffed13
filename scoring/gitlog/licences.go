package gitlog

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

const (
	licenceYears     = 5
	maxLicenceStates = 200
)

// rootLicences are the licence files of one revision.
type rootLicences struct {
	commit  string
	at      int64
	files   []file // at the root, or below LICENSES/ if the root has none
	readme  []file
	missing bool
}

// licencesAt reads the root trees of commits and finds the licence files in them, one batch for all.
func (v *view) licencesAt(ctx context.Context, commits []string) ([]rootLicences, error) {
	specs := make([]string, 0, 2*len(commits))
	for _, c := range commits {
		specs = append(specs, c+":", c+":LICENSES")
	}
	out := make([]rootLicences, len(commits))
	below, links := make([][]file, len(commits)), make([][]file, len(commits))
	err := v.objects(ctx, specs, maxSmallFile, func(i int, o object) error {
		r := &out[i/2]
		r.commit = commits[i/2]
		if i%2 == 0 {
			r.missing = o.missing
		}
		if o.missing || o.kind != "tree" {
			return nil
		}
		prefix := ""
		if i%2 == 1 {
			prefix = "LICENSES/"
		}
		for _, e := range parseTree(o.data, len(o.id)/2) {
			f := newFile(entry{mode: e.mode, kind: "blob", id: e.id, path: prefix + e.name})
			switch {
			case prefix == "" && f.link() && isOwnLicence(f):
				links[i/2] = append(links[i/2], f)
			case !f.regular():
			case prefix != "":
				below[i/2] = append(below[i/2], f)
			case isOwnLicence(f):
				r.files = append(r.files, f)
			case f.prose && f.stem == "readme":
				r.readme = append(r.readme, f)
			}
		}
		return nil
	})
	if err == nil {
		err = v.followed(ctx, out, links)
	}
	for i := range out {
		if len(out[i].files) == 0 {
			out[i].files = below[i]
		}
		slices.SortFunc(out[i].files, byPlace)
		out[i].files = out[i].files[:min(maxLicences, len(out[i].files))]
	}
	return out, err
}

// followed adds the files that links at the root lead to, under the name of the link: MaxScale links LICENSE.TXT to the text
// of the current series. Links into LICENSES/ say nothing more where that is read anyway. A link that leads nowhere is left out.
func (v *view) followed(ctx context.Context, out []rootLicences, links [][]file) error {
	var ids, specs []string
	for _, l := range links {
		for _, f := range l {
			ids = append(ids, f.id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	targets, err := v.blobs(ctx, ids, maxPath)
	if err != nil {
		return err
	}
	type place struct{ commit, link int }
	var places []place
	for i, l := range links {
		if len(out[i].files) == 0 && !slices.ContainsFunc(l, func(f file) bool { return !strings.HasPrefix(linked(f, targets[f.id]), "LICENSES/") }) {
			continue
		}
		for j, f := range l {
			if target := linked(f, targets[f.id]); target != "" {
				places, specs = append(places, place{i, j}), append(specs, out[i].commit+":"+target)
			}
		}
	}
	return v.objects(ctx, specs, 0, func(n int, o object) error {
		if o.missing || o.kind != "blob" {
			return nil
		}
		at := places[n]
		f := links[at.commit][at.link]
		f.id = o.id
		out[at.commit].files = append(out[at.commit].files, f)
		return nil
	})
}

// linked is the path in the repository that a link leads to; empty if it leads out of it, or nobody can tell.
func linked(link file, target []byte) string {
	to := string(target)
	if to == "" || strings.HasPrefix(to, "/") || strings.ContainsAny(to, "\n\x00") {
		return ""
	}
	to = path.Join(path.Dir(link.path), to)
	if to == "." || to == ".." || strings.HasPrefix(to, "../") {
		return ""
	}
	return to
}

// expression is the licence set of one revision: the recognised texts joined by AND, or by OR if the README says that the
// user may choose. Empty if none was recognised.
func (c *Collector) expression(r rootLicences, texts map[string][]byte) string {
	var parts []string
	for _, f := range r.files {
		text, ok := texts[f.id]
		if !ok {
			continue
		}
		if e, _, ok := c.options.Classify(text); ok && e != "" && !slices.Contains(parts, e) {
			parts = append(parts, e)
		}
	}
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	operator := " AND "
	for _, f := range r.readme {
		if choice.Match(texts[f.id]) {
			operator = " OR "
		}
	}
	slices.Sort(parts)
	for i, p := range parts {
		if strings.Contains(p, " ") {
			parts[i] = "(" + p + ")"
		}
	}
	return strings.Join(parts, operator)
}

// choice matches the sentence with which a README offers its licences to choose from.
var choice = regexp.MustCompile(`(?is)licen[cs]ed\s+under\s+(either|any\s+one)\s+of|dual[- ]licen[cs]ed[^.]{0,200}\bor\b|licen[cs]e[^.]{0,200}at\s+your\s+option`)

// treesAt says what the names of the files show at the tag of each deployed version.
func (v *view) treesAt(ctx context.Context, versions []string, tags audit.Fact[scoring.Releases], origin audit.Origin) map[string]audit.Fact[scoring.TreeAt] {
	if len(versions) == 0 {
		return nil
	}
	out := map[string]audit.Fact[scoring.TreeAt]{}
	releases, known := tags.Get()
	for _, version := range versions {
		t, ok := releases.TagOf[version]
		if !ok {
			out[version] = unfound[scoring.TreeAt](version, known, origin)
			continue
		}
		at := origin
		at.Commit, at.At = t.Commit, t.At
		if s, err := v.survey(ctx, t.Commit); err != nil {
			out[version] = failure[scoring.TreeAt](err, at)
		} else {
			out[version] = audit.Known(s.at(t), at)
		}
	}
	return out
}

// at is the short form of a survey.
func (s *survey) at(t scoring.Tag) scoring.TreeAt {
	short := scoring.TreeAt{
		Tag: t.Name, Commit: t.Commit, Files: s.tree.Files, SourceFiles: s.tree.SourceFiles, TestFiles: s.tree.TestFiles, REUSE: s.tree.REUSE,
		Documents: map[string]string{}, Tools: map[string]string{},
	}
	for topic, files := range s.documents {
		if topic == "security" && !files[0].prominent() {
			continue // elsewhere only the text can tell, and texts are read at the evaluated revision
		}
		short.Documents[topic] = files[0].name
	}
	for topic, files := range s.tools {
		if topic != "config" {
			short.Tools[topic] = files[0].name
		}
	}
	for topic, dirs := range s.dirs {
		if _, ok := short.Tools[topic]; !ok && len(dirs) > 0 {
			short.Tools[topic] = slices.Min(slices.Collect(maps.Keys(dirs)))
		}
	}
	return short
}

// licenceFacts answers for the evaluated revision, key "", and for the tag of each deployed version.
func (c *Collector) licenceFacts(ctx context.Context, v *view, commit string, versions []string, tags audit.Fact[scoring.Releases], origin audit.Origin) (map[string]audit.Fact[scoring.LicenceFacts], error) {
	keys, commits := []string{""}, []string{commit}
	out := map[string]audit.Fact[scoring.LicenceFacts]{}
	releases, known := tags.Get()
	for _, version := range versions {
		t, ok := releases.TagOf[version]
		if !ok {
			out[version] = unfound[scoring.LicenceFacts](version, known, origin)
			continue
		}
		keys, commits = append(keys, version), append(commits, t.Commit)
	}
	if c.options.Classify == nil {
		for _, key := range append(slices.Clone(versions), "") {
			out[key] = audit.Failed[scoring.LicenceFacts]("no classifier of licence texts was given", origin)
		}
		return out, nil
	}
	found, err := v.licencesAt(ctx, commits)
	if err != nil {
		return nil, err
	}
	texts, err := v.blobs(ctx, objectsOf(found), maxDocument)
	if err != nil {
		return nil, err
	}
	for i, r := range found {
		at := origin
		at.Commit = r.commit
		if i > 0 {
			at.At = releases.TagOf[keys[i]].At
		}
		if out[keys[i]], err = c.licenceFact(ctx, keys[i], r, texts, at); err != nil {
			return nil, err
		}
		if facts := out[keys[i]].Value; facts != nil && keys[i] != "" { // the evaluated revision has them in its tree
			facts.Parts = c.parts(ctx, v, at)
		}
	}
	return out, nil
}

// parts reads the licence files below the root at the commit of the origin.
func (c *Collector) parts(ctx context.Context, v *view, origin audit.Origin) audit.Fact[[]scoring.SubLicence] {
	s, err := v.survey(ctx, origin.Commit)
	if err != nil {
		return failure[[]scoring.SubLicence](err, origin)
	}
	files := s.sub[:min(maxSub, len(s.sub))]
	ids := make([]string, len(files))
	for i, f := range files {
		ids[i] = f.id
	}
	product := s.productFiles()
	for _, f := range product {
		ids = append(ids, f.id)
	}
	texts, err := v.blobs(ctx, ids, maxDocument)
	if err != nil {
		return failure[[]scoring.SubLicence](err, origin)
	}
	list := make([]scoring.SubLicence, 0, len(files))
	for _, f := range files {
		sub := c.subLicence(f, texts)
		if isPage(f, sub) {
			continue
		}
		list = append(list, sub)
		at := origin
		at.Path = f.name
		if text, ok := texts[f.id]; ok {
			if err := c.keep(ctx, at, text); err != nil {
				return failure[[]scoring.SubLicence](err, origin)
			}
		}
	}
	return audit.Known(append(list, closedHeaders(product, texts)...), origin)
}

// subLicence judges one licence file below the root.
func (c *Collector) subLicence(f file, texts map[string][]byte) scoring.SubLicence {
	sub := scoring.SubLicence{
		Document: documentOf(f, texts), Vendored: f.vendored || hasPart(f.lower, sideParts) || ofOthers(f), Product: hasPart(f.lower, productParts),
	}
	if text, ok := texts[f.id]; ok && c.options.Classify != nil {
		if expression, _, ok := c.options.Classify(text); ok {
			sub.Expression = expression
		}
	}
	if isEditionLicence(f) && sub.Expression == "" && endUser.Match(texts[f.id]) {
		sub.Marks = []string{"end-user-agreement"}
		sub.Vendored = f.vendored || hasPart(strings.ReplaceAll(f.lower, "static/", "/"), sideParts) // pages of a user interface are shipped
	}
	return sub
}

func unfound[T any](version string, tagsKnown bool, origin audit.Origin) audit.Fact[T] {
	reason := fmt.Sprintf("no tag fits version %q", clip(printable(version), 80))
	if !tagsKnown {
		reason = "the tags could not be read"
	}
	f := audit.Failed[T](reason, origin)
	f.Settle = "name the tag of this version"
	return f
}

func objectsOf(all []rootLicences) []string {
	var ids []string
	for _, r := range all {
		for _, f := range r.files {
			ids = append(ids, f.id)
		}
		for _, f := range r.readme {
			ids = append(ids, f.id)
		}
	}
	return ids
}

func (c *Collector) licenceFact(ctx context.Context, version string, r rootLicences, texts map[string][]byte, origin audit.Origin) (audit.Fact[scoring.LicenceFacts], error) {
	if r.missing {
		return audit.Failed[scoring.LicenceFacts]("the clone lacks the files of this revision", origin), nil
	}
	facts := scoring.LicenceFacts{Version: version, Commit: r.commit, Expression: c.expression(r, texts), Files: []scoring.Document{}}
	var origins []audit.Origin
	for _, f := range r.files {
		d := scoring.Document{Path: f.name}
		at := origin
		at.Path = f.name
		if text, ok := texts[f.id]; ok {
			d.Digest, d.Words = audit.DigestOf(text), len(bytes.Fields(text))
			at.Digest = d.Digest
			if _, _, ok := c.options.Classify(text); !ok {
				d.Marks = []string{"unrecognised"}
			}
			if err := c.keep(ctx, at, text); err != nil {
				return audit.Fact[scoring.LicenceFacts]{}, err
			}
		} else {
			d.Marks = []string{"unread"}
		}
		facts.Files = append(facts.Files, d)
		origins = append(origins, at)
	}
	if len(origins) == 0 {
		origins = []audit.Origin{origin}
	}
	return audit.Known(facts, origins...), nil
}

// licenceHistory follows the licence set along the first-parent line over five years. States with the same expression as
// the one before are left out.
func (c *Collector) licenceHistory(ctx context.Context, v *view, commit string, at time.Time, origin audit.Origin) (audit.Fact[[]scoring.LicenceState], error) {
	if c.options.Classify == nil {
		return audit.Failed[[]scoring.LicenceState]("no classifier of licence texts was given", origin), nil
	}
	start := at.Add(-licenceYears * yearSeconds * time.Second)
	changes, err := v.licenceChanges(ctx, commit, start, at)
	if err != nil {
		return audit.Fact[[]scoring.LicenceState]{}, err
	}
	if len(changes) > maxLicenceStates {
		return audit.Failed[[]scoring.LicenceState](fmt.Sprintf("licence files changed more than %d times in five years", maxLicenceStates), origin), nil
	}
	commits := make([]string, len(changes))
	for i, ch := range changes {
		commits[i] = ch.commit
	}
	if err := v.needLicences(ctx, commits); err != nil {
		return audit.Fact[[]scoring.LicenceState]{}, err
	}
	found, err := v.licencesAt(ctx, commits)
	if err != nil {
		return audit.Fact[[]scoring.LicenceState]{}, err
	}
	texts, err := v.blobs(ctx, objectsOf(found), maxDocument)
	if err != nil {
		return audit.Fact[[]scoring.LicenceState]{}, err
	}
	var states []scoring.LicenceState
	for i, r := range found {
		if r.missing {
			return audit.Failed[[]scoring.LicenceState]("the clone lacks the files of an older revision", origin), nil
		}
		for _, f := range r.files {
			if _, ok := texts[f.id]; !ok {
				f := audit.Failed[[]scoring.LicenceState](fmt.Sprintf("the text of %q at an older revision could not be read", clip(printable(f.name), 80)), origin)
				f.Settle = "give a complete clone of the repository"
				return f, nil
			}
		}
		s := scoring.LicenceState{From: moment(changes[i].committed), Commit: r.commit, Expression: c.expression(r, texts)}
		if len(states) > 0 && states[len(states)-1].Expression == s.Expression {
			continue
		}
		states = append(states, s)
	}
	return audit.Known(states, origin), nil
}

type change struct {
	commit    string
	committed int64
}

// licenceChanges lists, oldest first, the state at the start of the window (or the oldest commit, if the history is
// shorter) and each commit of the first-parent line since that changed a licence file. It compares root trees, so that a
// partial clone needs no others.
func (v *view) licenceChanges(ctx context.Context, commit string, start, at time.Time) ([]change, error) {
	var line []change // newest first
	var end oldRun
	recent := 0 // where the commits of the window end in line
	err := v.firstParents(ctx, commit, func(id string, committed int64) error {
		if line = append(line, change{id, committed}); len(line) > maxWanted {
			return fmt.Errorf("more than %d commits in five years", maxWanted)
		}
		if committed > start.Unix() {
			recent = len(line)
		}
		return end.after(committed <= start.Unix())
	})
	if err != nil {
		return nil, err
	}
	line = line[:min(recent+1, len(line))]
	for i := range line[:recent] { // a wrong clock: not later than the commit after it
		if t := line[i].committed; t <= start.Unix() || t > at.Unix() {
			line[i].committed = at.Unix()
			if i > 0 {
				line[i].committed = line[i-1].committed
			}
		}
	}
	sets, err := v.licenceSets(ctx, line)
	if err != nil {
		return nil, err
	}
	base := line[len(line)-1]
	changes := []change{base}
	for i := len(line) - 2; i >= 0; i-- {
		if sets[i] != sets[i+1] {
			changes = append(changes, line[i])
		}
	}
	return changes, nil
}

// licenceSets returns for each commit a text that changes with the licence files at its root or below LICENSES.
func (v *view) licenceSets(ctx context.Context, line []change) ([]string, error) {
	specs := make([]string, len(line))
	for i, c := range line {
		specs[i] = c.commit + "^{tree}"
	}
	same := map[string]string{} // by tree: most commits change no file at the root
	if v.promise != nil {
		commits := make([]string, len(line))
		for i, c := range line {
			commits[i] = c.commit
		}
		roots, err := v.rootsOf(ctx, commits)
		if err == nil {
			err = v.fetchTrees(ctx, alone, roots)
		}
		if err != nil {
			return nil, err
		}
	}
	sets := make([]string, len(line))
	lacking := false
	err := v.objects(ctx, specs, maxSmallFile, func(i int, o object) error {
		lacking = lacking || o.missing
		set, ok := same[o.id]
		if !ok {
			set = licenceSet(o)
			same[o.id] = set
		}
		sets[i] = set
		return nil
	})
	if err == nil && lacking {
		err = errors.New("the clone lacks the files of an older revision")
	}
	return sets, err
}

// licenceSet lists the licence files in a root tree with their ids.
func licenceSet(o object) string {
	var b strings.Builder
	for e := range treeEntries(o.data, len(o.id)/2) {
		if !mayBeLicence(e.name) {
			continue
		}
		f := newFile(entry{mode: string(e.mode), kind: "blob", id: hex.EncodeToString(e.id), path: string(e.name)})
		if f.lower == "licenses" || (f.regular() || f.link()) && isOwnLicence(f) {
			b.WriteString(f.path + " " + f.id + "\n")
		}
	}
	return b.String()
}

// mayBeLicence holds for every name that isLicenceName accepts.
func mayBeLicence(name []byte) bool { return holdsFold(name, "licen") || holdsFold(name, "copying") }

// holdsFold reports whether a word of ASCII letters is in a name, in any case.
func holdsFold(name []byte, word string) bool {
	for i := 0; i+len(word) <= len(name); i++ {
		if name[i]|0x20 == word[0] && strings.EqualFold(string(name[i:i+len(word)]), word) {
			return true
		}
	}
	return false
}
