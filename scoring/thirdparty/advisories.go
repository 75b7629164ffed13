package thirdparty

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// window is the time in which advisories and their fixes count (two years of 365 days).
const window = 730 * 24 * time.Hour

// wish is a package or repository that advisories are looked up for.
type wish struct {
	ecosystem, name string
	key             string
	catalogue       bool // the catalogue names the package
}

// wishes are all names under which databases may know a project.
func wishes(p scoring.Project) []wish {
	var out []wish
	for _, u := range packages(p) {
		if r := registries(u.Type); r.osv != "" {
			name := nameOf(u)
			out = append(out, wish{r.osv, name, key(r.osv, name), true})
		}
	}
	for _, home := range spellings(p) {
		out = append(out, wish{gitEcosystem, "https://" + home, gitKey(strings.ToLower(home)), false})
		if goRepository(home) != "" {
			out = append(out, wish{"Go", home, key("Go", home), false})
		}
	}
	return out
}

// advisories reads what is published about vulnerabilities of a project.
func (c *Collector) advisories(ctx context.Context, a *asker, p scoring.Project, known scoring.Evidence) audit.Fact[scoring.Advisories] {
	const settle = "give a dump of osv.dev, or ask again online"
	wanted := wishes(p)
	feeds := []string{}
	var all found
	switch {
	case len(wanted) == 0:
		return keep(known.Advisories, audit.Fact[scoring.Advisories]{Settle: "enter the repository or a package of the project in the catalogue"})
	case c.dump != nil:
		keys := make([]string, len(wanted))
		for i, w := range wanted {
			keys[i] = w.key
		}
		got, err := c.dump.find(ctx, keys)
		if err != nil {
			return vain[scoring.Advisories](settle, clip(err.Error()))
		}
		all, feeds = got, append(feeds, string(OSV))
	case c.on(OSV):
		got, err := c.query(ctx, a, wanted)
		if err != nil {
			return vain[scoring.Advisories](settle, trouble(OSV, err))
		}
		all, feeds = got, append(feeds, string(OSV))
	}
	team := ""
	if c.ossa != nil {
		if team = product(p); team != "" {
			got := c.ossa.find(team)
			all.records, all.origins = append(all.records, got.records...), append(all.origins, got.origins...)
			all.gaps = append(all.gaps, got.gaps...)
			if len(feeds) == 0 {
				all.observed = got.observed
				all.gaps = append(all.gaps, "OSV")
			}
			feeds = append(feeds, "ossa")
		}
	}
	if len(feeds) == 0 {
		return keep(known.Advisories, off[scoring.Advisories](string(OSV)))
	}
	m := matcher{c: c, p: p, known: known, team: team, wanted: wanted, homes: homes(p)}
	v := m.summary(ctx, fold(m.ours(all.records), c.options.At))
	v.Feed = strings.Join(feeds, ", ")
	v.Gaps = append(all.gaps, m.uncovered(all)...)
	slices.Sort(v.Gaps)
	v.Gaps = slices.Compact(v.Gaps)
	at := all.observed
	if c.dump != nil && !c.options.DumpAt.IsZero() {
		at = c.options.DumpAt
	}
	if at.IsZero() || at.After(c.options.At) {
		at = c.options.At
	}
	return audit.Known(v, all.origins...).Graded(audit.GradeThirdParty, at, audit.Week)
}

// matcher decides which advisories concern a project, and which of its deployed versions.
type matcher struct {
	c      *Collector
	p      scoring.Project
	known  scoring.Evidence
	team   string // as OSSA calls the project
	wanted []wish
	homes  []string
}

// concern says how an entry of an advisory concerns the project.
type concern int

const (
	foreign concern = iota
	ours            // its versions are those of the project
	part            // a module or package from the same repository, whose versions may be its own
)

func (m *matcher) concern(a affected) concern {
	ecosystem := registryOf(a.Package.Ecosystem)
	k := key(ecosystem, a.Package.Name)
	for _, w := range m.wanted {
		if w.key == k {
			return ours
		}
	}
	if m.team != "" && ecosystem == "PyPI" && strings.EqualFold(a.Package.Name, m.team) {
		return ours
	}
	if ecosystem == "Go" {
		if repo := goRepository(a.Package.Name); repo != "" && slices.Contains(m.homes, repo) {
			rest := strings.TrimPrefix(strings.ToLower(a.Package.Name), repo)
			if major, ok := strings.CutPrefix(rest, "/v"); rest == "" || ok && strings.Trim(major, "0123456789") == "" {
				return ours
			}
			return part
		}
	}
	for _, g := range a.Ranges {
		if slices.Contains(m.homes, repository(g.Repo)) {
			if a.Package.Name == "" || ecosystem == "" || ecosystem == gitEcosystem {
				return ours
			}
			return part
		}
	}
	return foreign
}

// ours drops records without any entry that concerns the project, and the entries that do not.
func (m *matcher) ours(records []record) []record {
	var out []record
	for _, r := range records {
		list := r.Affected
		r.Affected = nil
		for _, a := range list {
			if m.concern(a) != foreign {
				r.Affected = append(r.Affected, a)
			}
		}
		if len(r.Affected) > 0 {
			out = append(out, r)
		}
	}
	return out
}

// summary is the fact about all advisories of the project.
func (m *matcher) summary(ctx context.Context, list []vulnerability) scoring.Advisories {
	out := scoring.Advisories{Deployed: map[string][]scoring.Advisory{}}
	at := m.c.options.At
	for _, v := range list {
		if v.published.After(out.Newest) {
			out.Newest = v.published
		}
		if at.Sub(v.published) >= window {
			continue
		}
		out.Published24m++
		if days, ok := m.fixDays(ctx, v); ok {
			out.FixDays = append(out.FixDays, days)
		} else {
			out.FixUnknown++
		}
	}
	slices.Sort(out.FixDays)
	out.MedianDays = median(out.FixDays, out.FixUnknown)
	for _, version := range m.p.Versions {
		out.Deployed[version] = []scoring.Advisory{}
		for _, v := range list {
			verdict, why := m.judge(ctx, v, version)
			a := scoring.Advisory{ID: v.id, Severity: v.severity, Published: v.published, Fixed: m.fixed(v, version), Why: why}
			switch verdict {
			case hit:
				out.Deployed[version] = append(out.Deployed[version], a)
			case unclear:
				if out.Unclear == nil {
					out.Unclear = map[string][]scoring.Advisory{}
				}
				out.Unclear[version] = append(out.Unclear[version], a)
			}
		}
		for _, lists := range []map[string][]scoring.Advisory{out.Deployed, out.Unclear} {
			list, cut := worstFirst(lists[version])
			if cut == 0 {
				continue
			}
			if lists[version] = list; out.Cut == nil {
				out.Cut = map[string]int{}
			}
			out.Cut[version] += cut
		}
	}
	return out
}

// mostListed bounds the advisories that evidence lists for one version; the Linux kernel alone has some thousand a year.
const mostListed = 200

// worstFirst cuts a list that is too long to the advisories that count most: by severity, then the
// oldest. One that is unknown comes after those that are certainly critical. It returns how many were left out.
func worstFirst(list []scoring.Advisory) ([]scoring.Advisory, int) {
	if len(list) <= mostListed {
		return list, 0
	}
	order := []string{"critical", unknownSeverity, "high", "medium", "low"}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b scoring.Advisory) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Severity), slices.Index(order, b.Severity)), a.Published.Compare(b.Published))
	})
	return list[:mostListed:mostListed], len(list) - mostListed
}

// median of days, where some are not known.
func median(days []int, unknown int) audit.Fact[int] {
	switch {
	case len(days)+unknown == 0:
		return vain[int]("wait for an advisory", "no advisory in 24 months")
	case unknown > 0:
		return vain[int]("read the tags of the project", fmt.Sprintf("the fixed release of %d of %d advisories of 24 months is not known", unknown, len(days)+unknown))
	}
	return audit.Known(days[len(days)/2])
}

// judge tells whether a version has a vulnerability. The records of one vulnerability may differ: one that names versions
// counts more than one that leaves it open, and two that contradict each other leave it open.
func (m *matcher) judge(ctx context.Context, v vulnerability, version string) (verdict, string) {
	var hits, spares int
	why := ""
	for _, r := range v.records {
		switch answer, reason := m.judgeRecord(ctx, r, version); answer {
		case hit:
			hits++
		case spared:
			spares++
		default:
			why = cmp.Or(why, reason)
		}
	}
	switch {
	case hits > 0 && spares > 0:
		return unclear, "databases contradict each other"
	case hits > 0:
		return hit, ""
	case spares > 0:
		return spared, ""
	}
	return unclear, why
}

// judgeRecord tells whether a record says that a version is affected: one entry that holds it is enough.
func (m *matcher) judgeRecord(ctx context.Context, r record, version string) (out verdict, why string) {
	out = spared
	for _, a := range r.Affected {
		answer, reason := a.judge(version)
		switch {
		case m.concern(a) == part:
			answer, reason = unclear, "the advisory is about "+clip(a.Package.Name)+", a part with versions of its own"
		case answer == unclear && reason == onlyCommits:
			answer, reason = m.judgeCommits(ctx, a, version)
		case answer != unclear && !m.exact(version) && a.divides(version):
			answer, reason = unclear, "version "+clip(version)+" may be any release of a series, of which some are affected"
		}
		switch answer {
		case hit:
			return hit, ""
		case unclear:
			out, why = unclear, cmp.Or(why, reason)
		}
	}
	return out, why
}

// exact reports whether a version names one release, and not a series as the tag 7 or 7.4 of an image does: it has three
// parts, or the project has a tag of just that name.
func (m *matcher) exact(version string) bool {
	if !seriesPattern.MatchString(version) {
		return true
	}
	releases, _ := m.known.Releases.Get()
	tag, ok := releases.TagOf[version]
	return ok && bare(tag.Name) == bare(version)
}

// judgeCommits judges ranges of commits by what the tag of the version contains. A tag that contains the fix is spared, and
// so is one that contains no commit that introduced the flaw. That a tag lacks the fix proves nothing: stable branches have
// fixes under other commits.
func (m *matcher) judgeCommits(ctx context.Context, a affected, version string) (verdict, string) {
	if m.c.options.Includes == nil {
		return unclear, onlyCommits
	}
	includes := func(commit string) (included, known bool) {
		if commit == "0" {
			return true, true
		}
		return m.c.options.Includes(ctx, m.p, commit, version)
	}
	for _, g := range a.Ranges {
		if g.Type != "GIT" || !slices.Contains(m.homes, repository(g.Repo)) {
			continue
		}
		introduced, entered, fixed := 0, 0, false
		for _, e := range g.Events {
			switch {
			case e.Introduced != "":
				introduced++
				if in, known := includes(e.Introduced); in || !known {
					entered++
				}
			case e.Fixed != "":
				in, known := includes(e.Fixed)
				fixed = fixed || in && known
			}
		}
		if entered > 0 && (!fixed || introduced > 1) {
			return unclear, "the history of version " + clip(version) + " does not show the fix, which may be there as another commit"
		}
	}
	return spared, ""
}

// fixed is the smallest fixed version above the deployed one; empty if none is known.
func (m *matcher) fixed(v vulnerability, version string) string {
	best := ""
	for _, r := range v.records {
		for _, a := range r.Affected {
			for _, fix := range a.fixes() {
				ecosystem := a.Package.Ecosystem
				if !hasOrder(registryOf(ecosystem)) {
					ecosystem = "npm"
				}
				if n, ok := compare(ecosystem, fix, version); !ok || n <= 0 {
					continue
				}
				if n, ok := compare(ecosystem, fix, best); best == "" || ok && n < 0 {
					best = fix
				}
			}
		}
	}
	return best
}

// fixDays are the days from the publication of a vulnerability to the first fixed release whose tag is known.
func (m *matcher) fixDays(ctx context.Context, v vulnerability) (days int, ok bool) {
	first := time.Time{}
	for _, r := range v.records {
		for _, a := range r.Affected {
			if m.concern(a) != ours {
				continue
			}
			for _, version := range a.fixes() {
				if t, known := m.tagged(ctx, version); known && !t.After(m.c.options.At) {
					first = earlier(first, t)
				}
			}
		}
	}
	if first.IsZero() || v.published.IsZero() {
		return 0, false
	}
	return max(0, int(first.Sub(v.published)/(24*time.Hour))), true
}

// tagged is when a version was tagged.
func (m *matcher) tagged(ctx context.Context, version string) (time.Time, bool) {
	if releases, known := m.known.Releases.Get(); known {
		for v, tag := range releases.TagOf {
			if bare(v) == bare(version) && !tag.At.IsZero() {
				return tag.At, true
			}
		}
		if bare(releases.LastVersion) == bare(version) && !releases.LastRelease.IsZero() {
			return releases.LastRelease, true
		}
	}
	if m.c.options.TagTime != nil {
		return m.c.options.TagTime(ctx, m.p, version)
	}
	return time.Time{}, false
}

// uncovered lists what would have to be read before "no advisory" means that there is none: ecosystems that the feed
// lacks, and a project that it may not cover at all because nothing ties it to any record. Records that name repositories
// cover few projects; registries of languages are covered whole by GitHub's reviewed advisories.
func (m *matcher) uncovered(f found) []string {
	var gaps []string
	packaged := m.team != ""
	for _, w := range m.wanted {
		if !w.catalogue {
			continue
		}
		if f.covers != nil && !f.covers[w.ecosystem] {
			gaps = append(gaps, "the advisories of "+w.ecosystem+", which the dump does not hold")
			continue
		}
		packaged = true
	}
	if !packaged && len(f.records) == 0 {
		gaps = append(gaps, "other databases: OSV knows neither the repository nor a package of the project")
	}
	return gaps
}
