package gitlog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/scoring"
)

// Bounds on refs.
const (
	maxTags      = 200_000
	maxBranches  = 500
	maxEOLTags   = 20
	maxTagObject = 64 << 10 // of a tag or commit object; a signature behind a longer message is not seen
	maxNesting   = 5        // tags of tags
)

// tag is a tag and the commit it leads to.
type tag struct {
	name   string // without refs/tags/
	commit string
	// committed is the committer time of the commit; a tag may say that it is older than what it names
	committed int64
	created   int64 // tagger date, or the committer's of a lightweight tag (creatordate of git)
	signed    bool
	object    bool // annotated: a tag object of its own
	version   version
	named     bool // the name is a version
}

// tags reads all tags with their objects; what leads to no commit, or to none that the clone has, is left out.
func (v *view) tags(ctx context.Context) ([]tag, error) {
	var all []tag
	ids := []string{}
	for _, r := range v.state.refs {
		name, ok := strings.CutPrefix(r.name, "refs/tags/")
		if !ok {
			continue
		}
		if len(all) == maxTags {
			return nil, fmt.Errorf("more than %d tags", maxTags)
		}
		t := tag{name: publicName(name)}
		t.version, t.named = parseVersion(t.name)
		all, ids = append(all, t), append(ids, r.id)
	}
	if err := v.peel(ctx, all, ids); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(t tag) bool { return t.commit == "" }), nil
}

// peel follows tag objects to commits, one batch for each level.
func (v *view) peel(ctx context.Context, all []tag, ids []string) error {
	open := make([]int, len(all))
	for i := range open {
		open[i] = i
	}
	for range maxNesting {
		if len(open) == 0 {
			return nil
		}
		specs := make([]string, len(open))
		for i, k := range open {
			specs[i] = ids[k]
		}
		var next []int
		err := v.objects(ctx, specs, maxTagObject, func(i int, o object) error {
			t := &all[open[i]]
			h, ok := parseHeader(o.kind, o.data)
			if o.missing || !ok {
				return nil
			}
			if t.created == 0 {
				t.created = h.when
			}
			if o.kind == "tag" {
				t.signed, t.object = t.signed || h.signed, true
				ids[open[i]] = h.target
				next = append(next, open[i])
			} else {
				t.commit, t.committed = o.id, h.when
			}
			return nil
		})
		if err != nil {
			return err
		}
		open = next
	}
	return nil
}

// release is a commit with at least one version tag.
type release struct {
	tag     tag // the one that names it best
	created int64
	signed  bool
	object  bool // one of its tags is annotated
}

// releasesOf groups version tags by commit, pre-releases and end-of-life markers left out, sorted by time.
func releasesOf(all []tag, at int64) []release {
	byCommit := map[string]*release{}
	for _, t := range all {
		if !t.named || !t.version.release() || t.created > at {
			continue
		}
		r, ok := byCommit[t.commit]
		if !ok {
			byCommit[t.commit] = &release{tag: t, created: t.created, signed: t.signed, object: t.object}
			continue
		}
		r.created, r.signed, r.object = min(r.created, t.created), r.signed || t.signed, r.object || t.object
		if betterName(t, r.tag) {
			r.tag = t
		}
	}
	out := make([]release, 0, len(byCommit))
	for _, r := range byCommit {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b release) int {
		if a.created != b.created {
			return int(max(-1, min(1, a.created-b.created)))
		}
		if n := a.tag.version.compare(b.tag.version); n != 0 {
			return n
		}
		return strings.Compare(a.tag.name, b.tag.name)
	})
	return out
}

// betterName prefers, of twin tags, the one without a path, then the higher version, then the shorter name.
func betterName(a, b tag) bool {
	ap, bp := strings.Contains(a.version.prefix, "/"), strings.Contains(b.version.prefix, "/")
	if ap != bp {
		return bp
	}
	if n := a.version.compare(b.version); n != 0 {
		return n > 0
	}
	if len(a.name) != len(b.name) {
		return len(a.name) < len(b.name)
	}
	return a.name < b.name
}

// releases says what tags and branches say.
func (v *view) releases(ctx context.Context, all []tag, branch string, versions []string, at time.Time) (scoring.Releases, error) {
	found := releasesOf(all, at.Unix())
	var r scoring.Releases
	for _, one := range found {
		if one.created < at.Unix()-2*yearSeconds {
			continue
		}
		r.Releases24m++
		switch {
		case one.signed:
			r.Signed24m++
		case one.object:
			r.Annotated24m++
		default:
			r.Lightweight24m++
		}
	}
	r.Tags, r.Past = countTags(all, len(found), at.Unix()), releasesPast(found, at.Unix())
	if len(found) > 0 {
		last := found[len(found)-1]
		r.LastRelease, r.LastVersion = moment(last.created), last.tag.name
	}
	for _, end := range endTags(all, at.Unix()) {
		r.Ends, r.EOLTags = append(r.Ends, end), append(r.EOLTags, end.Name)
	}
	branches, err := v.branches(ctx, branch, at)
	if err != nil {
		return r, err
	}
	for _, b := range branches {
		r.StableBranches = append(r.StableBranches, scoring.Branch{Name: b.name, Last: moment(b.committed)})
	}
	r.TagOf, err = v.tagsOf(ctx, all, found, branches, versions)
	return r, err
}

// countTags tells all tags apart that were made until a moment.
func countTags(all []tag, releases int, at int64) scoring.TagCounts {
	c := scoring.TagCounts{Releases: releases}
	tags := 0
	for _, t := range all {
		switch {
		case t.created > at:
		case endOfLife.MatchString(t.name):
			switch endKind(t.name) {
			case "eol":
				c.EOL++
			case "eom":
				c.EOM++
			default:
				c.EM++
			}
		case !t.named:
			c.Other++
		case t.version.pre:
			c.Prereleases++
		default:
			tags++
			c.Signed += one(t.signed)
			c.Annotated += one(t.object && !t.signed)
			c.Lightweight += one(!t.object)
		}
	}
	c.Twins = tags - releases
	return c
}

// endKind returns what follows the last dash, in lower case.
func endKind(name string) string { return strings.ToLower(name[strings.LastIndexByte(name, '-')+1:]) }

// releasesPast counts the releases of 12 months before each of the last quarter ends, oldest first.
func releasesPast(found []release, at int64) []int {
	out := make([]int, quarterCount)
	for _, r := range found {
		first := quarterOf(at - r.created)
		for q := max(0, first-yearQuarters+1); q <= min(first, quarterCount-1); q++ {
			out[quarterCount-1-q]++
		}
	}
	return out
}

// endTags lists the newest markers of ends.
func endTags(all []tag, at int64) []scoring.EndTag {
	marks := slices.DeleteFunc(slices.Clone(all), func(t tag) bool { return !endOfLife.MatchString(t.name) || t.created > at })
	slices.SortFunc(marks, func(a, b tag) int {
		return cmp.Or(cmp.Compare(b.created, a.created), strings.Compare(a.name, b.name))
	})
	var ends []scoring.EndTag
	for _, t := range marks[:min(maxEOLTags, len(marks))] {
		ends = append(ends, scoring.EndTag{Name: t.name, Kind: endKind(t.name), At: moment(t.created)})
	}
	return ends
}

// stableBranch matches release branches: OpenStack's stable/ and unmaintained/, branch-24.03, release-3.5, v3.5, 7.2,
// 3.5.x and the like.
var stableBranch = regexp.MustCompile(`^(stable|unmaintained|maint|maintenance|lts|releases?)/.+|^(branch|release|stable|rel|maint)[-_]v?\d.*|^v?\d+(\.\d+)*(\.[xX])?$|^v?\d+\.\d+[-.](stable|maint|lts|branch)$`)

// branch is a release branch cut at the moment of assessment.
type branch struct {
	name      string
	commit    string
	committed int64
	cut       bool // it has later commits
}

// branches lists release branches other than the default branch, each with its newest first-parent commit not after at. A
// branch counts from its first commit of its own: before that, a clone that was made later cannot tell whether it was there.
func (v *view) branches(ctx context.Context, current string, at time.Time) ([]branch, error) {
	byName := map[string]string{}
	for _, r := range v.state.refs {
		name, ok := strings.CutPrefix(r.name, "refs/heads/")
		if !ok {
			name, ok = strings.CutPrefix(r.name, "refs/remotes/origin/")
		}
		name = publicName(name)
		if ok && r.name != current && name != strings.TrimPrefix(current, "refs/heads/") && stableBranch.MatchString(name) {
			byName[name] = r.id // a remote branch is newer than a local one of its name
		}
	}
	if len(byName) > maxBranches {
		return nil, fmt.Errorf("more than %d release branches", maxBranches)
	}
	var out []branch
	for name, id := range byName {
		b := branch{name: name}
		err := v.firstParents(ctx, id, func(id string, committed int64) error {
			if committed > at.Unix() {
				b.cut = true
				return nil
			}
			b.commit, b.committed = id, committed
			return errStop
		})
		var broken *gitError
		if errors.As(err, &broken) {
			continue // the branch leads to an object that the clone lacks
		}
		if err != nil {
			return nil, err
		}
		if b.commit != "" {
			out = append(out, b)
		}
	}
	slices.SortFunc(out, func(a, b branch) int { return strings.Compare(a.name, b.name) })
	return v.ownBranches(ctx, out)
}

// maxSeriesSteps bounds the search for the newest release of a series.
const maxSeriesSteps = 5000

// tagsOf finds the tag of each deployed version. A version that no tag names but that names a release branch, such as
// 2025.1 for stable/2025.1, leads to the newest release on that branch.
func (v *view) tagsOf(ctx context.Context, all []tag, found []release, branches []branch, versions []string) (map[string]scoring.Tag, error) {
	out := map[string]scoring.Tag{}
	for _, deployed := range versions {
		if t, ok := tagOf(all, deployed); ok {
			out[deployed] = scoring.Tag{Name: t.name, Commit: t.commit, At: moment(t.created)}
			continue
		}
		t, ok, err := v.newestOfSeries(ctx, found, branches, deployed)
		if err != nil {
			return nil, err
		}
		if ok {
			out[deployed] = scoring.Tag{Name: t.name, Commit: t.commit, At: moment(t.created)}
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

// tagOf chooses the tag that fits a deployed version best; of equals the shorter, then the first by name. A series of several
// releases, as the tag 7 of an image is one, has no tag: the first of them may have another licence than the one deployed.
func tagOf(all []tag, deployed string) (tag, bool) {
	want, ok := deployedVersion(deployed)
	if !ok {
		return tag{}, false
	}
	best, rank := tag{}, 0
	for _, t := range all {
		if !t.named {
			continue
		}
		n := closeness(deployed, want, t.name, t.version)
		if n > rank || n == rank && n > 0 && (len(t.name) < len(best.name) || len(t.name) == len(best.name) && t.name < best.name) {
			best, rank = t, n
		}
	}
	if rank > 0 && len(want.parts) < len(best.version.parts) && slices.ContainsFunc(all, func(t tag) bool { return t.named && want.holds(best.version, t.version) }) {
		return tag{}, false
	}
	return best, rank > 0
}

func (v *view) newestOfSeries(ctx context.Context, found []release, branches []branch, series string) (tag, bool, error) {
	if series == "" {
		return tag{}, false, nil
	}
	i := slices.IndexFunc(branches, func(b branch) bool {
		_, last, _ := strings.Cut(b.name, "/")
		return b.name == series || last == series
	})
	if i < 0 {
		return tag{}, false, nil
	}
	byCommit := map[string]tag{}
	for _, r := range found {
		byCommit[r.tag.commit] = r.tag
	}
	var newest tag
	steps := 0
	err := v.firstParents(ctx, branches[i].commit, func(id string, _ int64) error {
		if t, ok := byCommit[id]; ok {
			newest = t
			return errStop
		}
		if steps++; steps > maxSeriesSteps {
			return errStop
		}
		return nil
	})
	return newest, newest.name != "", err
}
