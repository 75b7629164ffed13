package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/thirdparty"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// target is one thing that pegel score is asked about.
type target struct {
	name    string           // as given, without the revision
	rev     string           // empty: the default branch
	project *scoring.Project // nil: known only once the repository was read
}

// batched says that the collectors can be asked about the project as they are about those of a stack.
func (t target) batched() bool { return t.project != nil && t.rev == "" }

// maxTargets bounds how many things one run is asked about.
const maxTargets = 20_000

// targets finds out what each name means. A project that is named twice is scored once.
func (g *gatherer) targets(ctx context.Context, names []string) ([]target, error) {
	if len(names) > maxTargets {
		return nil, usagef("score a part at a time", "%d targets are more than %d", len(names), maxTargets)
	}
	var out []target
	for _, name := range names {
		t, err := g.scoreTarget(ctx, name)
		if err != nil {
			return nil, err
		}
		if i := slices.IndexFunc(out, t.same); i < 0 {
			out = append(out, t)
		} else if t.batched() {
			p := *out[i].project
			p.Versions = slices.Compact(slices.Sorted(slices.Values(slices.Concat(p.Versions, t.project.Versions))))
			out[i].project = &p
		}
	}
	return out, nil
}

func (t target) same(o target) bool {
	if t.batched() && o.batched() {
		return t.project.ID == o.project.ID
	}
	return t.name == o.name && t.rev == o.rev
}

func (g *gatherer) scoreTarget(ctx context.Context, name string) (target, error) {
	if strings.HasPrefix(name, "pkg:") {
		return g.packageTarget(ctx, name)
	}
	name, rev := splitRevision(name)
	t := target{name: name, rev: rev}
	if entry, ok := g.catalogue.Get(name); ok {
		p := catalogueProject(g.catalogue, entry.ID)
		t.project = &p
		return t, nil
	}
	if exists(name) {
		return t, nil
	}
	if !strings.Contains(name, "://") {
		return t, usagef("give the URL of a repository, the path of a local clone, a package URL, or a catalogue id such as keystone",
			"scoring %q: no such directory, and the catalogue does not know the name%s", publicAddress(name), g.nearName(name))
	}
	for _, entry := range g.catalogue.Components() {
		if sameRepository(entry.Repo, name) || sameRepository(entry.Mirror, name) {
			p := catalogueProject(g.catalogue, entry.ID)
			t.project = &p
			return t, nil
		}
	}
	return t, nil
}

// nearName proposes the catalogue id that a wrong name is closest to, or nothing.
func (g *gatherer) nearName(name string) string {
	known := shape{}
	for _, c := range g.catalogue.Components() {
		known[c.ID] = nil
	}
	if text := didYouMean(strings.ToLower(name), known); !strings.HasPrefix(text, "; known") {
		return text
	}
	return ""
}

// packageTarget leads a package URL to its project: by the catalogue, else to the repository that rules or indexes name.
func (g *gatherer) packageTarget(ctx context.Context, purl string) (target, error) {
	part := upstream.Part{Subject: purl, Kind: upstream.PartPURL, Name: purl, Version: packageVersion(purl)}
	if found := g.catalogue.Resolve([]upstream.Part{part}).Projects; len(found) > 0 {
		return target{name: purl, project: &found[0]}, nil
	}
	parts := upstream.WithLookups([]upstream.Part{part}, g.lookUpPackages(ctx, []upstream.Part{part}))
	for _, r := range g.catalogue.Survey(parts).Repositories {
		if len(r.Projects) > 0 {
			p := catalogueProject(g.catalogue, r.Projects[0])
			return target{name: purl, project: &p}, nil
		}
		return target{name: purl, project: &scoring.Project{ID: r.Repo, Name: r.Repo, Repo: r.Repo, Packages: []string{withoutVersion(purl)}}}, nil
	}
	hint := "give the URL of its repository"
	if len(g.opt.Indexes) == 0 {
		hint += ", or let an index say where it comes from: --index " + string(thirdparty.DepsDev)
	}
	return target{}, usagef(hint, "scoring %q: nothing known says which repository the package comes from", purl)
}

// packageVersion is the version in a package URL: what follows the last @ after the last slash of its path.
func packageVersion(purl string) string {
	path, _, _ := strings.Cut(purl, "#")
	path, _, _ = strings.Cut(path, "?")
	at := strings.LastIndexByte(path, '@')
	if at <= strings.LastIndexByte(path, '/') {
		return ""
	}
	version, err := url.PathUnescape(path[at+1:])
	if err != nil {
		return ""
	}
	return version
}

// withoutVersion is a package URL as the catalogue and indexes name the package: without version and qualifiers.
func withoutVersion(purl string) string {
	path, _, _ := strings.Cut(purl, "#")
	path, _, _ = strings.Cut(path, "?")
	if at := strings.LastIndexByte(path, '@'); at > strings.LastIndexByte(path, '/') {
		return path[:at]
	}
	return path
}

// Tiers are the words for parts of the catalogue in pegel score --catalogue.
func Tiers() []string { return []string{"functional", "iam", "ops", "base", "all"} }

// CatalogueTier returns the ids of the projects of a tier, or of all, in the alphabetical order of their names.
func CatalogueTier(tier string) ([]string, error) {
	if !slices.Contains(Tiers(), tier) {
		return nil, usagef("tiers are "+strings.Join(Tiers(), ", "), "flag --catalogue: unknown tier %q%s", tier, didYouMean(tier, words(Tiers())))
	}
	catalogue, err := upstream.Load()
	if err != nil {
		return nil, fmt.Errorf("loading the built-in catalogue: %w", err)
	}
	components := catalogue.Components()
	slices.SortFunc(components, func(a, b upstream.Component) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.ID, b.ID))
	})
	var out []string
	for _, c := range components {
		if tier == "all" || slices.Contains(c.Tiers, tier) {
			out = append(out, c.ID)
		}
	}
	if len(out) == 0 {
		return nil, usagef("name projects, or another tier: "+strings.Join(Tiers(), ", "), "flag --catalogue: the catalogue places no project in tier %q", tier)
	}
	return out, nil
}

// scoreNotes is where an interrupted run over many projects keeps its notes, each input its own. Notes that nobody went on
// with for a day are removed.
func scoreNotes(cacheDir string, input audit.Digest, now time.Time) string {
	dir := filepath.Join(cacheDir, "score")
	old, _ := filepath.Glob(filepath.Join(dir, "*"+journalSuffix))
	for _, notes := range old {
		if info, err := os.Stat(filepath.Join(notes, journalFile)); err == nil && now.Sub(info.ModTime()) > journalLasts {
			_ = os.RemoveAll(notes)
		}
	}
	return filepath.Join(dir, input.Hex()[:16])
}

// sameGerrit compares an address with host/project of a .gitreview file: review.opendev.org serves what opendev.org shows.
func sameGerrit(repo, gerrit string) bool {
	project, ok := strings.CutPrefix(gerrit, "review.opendev.org/")
	return ok && sameRepository(repo, "https://opendev.org/"+project)
}

// sameRepository compares two addresses; scheme, case of the host, a final slash and .git do not matter.
func sameRepository(a, b string) bool {
	plain := func(s string) string {
		_, rest, ok := strings.Cut(s, "://")
		if !ok {
			return ""
		}
		host, path, _ := strings.Cut(rest, "/")
		return strings.ToLower(host) + "/" + strings.TrimSuffix(strings.TrimSuffix(path, "/"), ".git")
	}
	return plain(a) != "" && plain(a) == plain(b)
}

// publicAddress is what may be shown of an address: everything but the credentials in it.
func publicAddress(name string) string {
	scheme, rest, ok := strings.Cut(name, "://")
	if !ok {
		return name
	}
	host, path, _ := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	return scheme + "://" + host + "/" + path
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// splitRevision cuts REPO@REV at the last @ after the last slash (design section 5).
func splitRevision(target string) (repo, rev string) {
	slash := strings.LastIndexByte(target, '/')
	at := strings.LastIndexByte(target, '@')
	if at <= slash || at == 0 || exists(target) {
		return target, ""
	}
	return target[:at], target[at+1:]
}

// CheckWhy refuses what is neither an indicator nor an aspect of the built-in profile.
func CheckWhy(ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	profile, err := policies.DefaultProfile()
	if err != nil {
		return fmt.Errorf("loading the built-in profile: %w", err)
	}
	known := shape{}
	for id := range profile.Indicators {
		known[id] = nil
	}
	for _, aspect := range scoring.Aspects {
		known[aspect] = nil
	}
	for _, id := range ids {
		if _, ok := known[id]; !ok {
			return usagef("aspects are "+strings.Join(scoring.Aspects, ", ")+"; indicators stand in every report, e.g. AC-01",
				"flag --why: no indicator or aspect %q", id)
		}
	}
	return nil
}
