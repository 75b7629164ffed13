package reports

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html/template"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// SiteSchema names the JSON form of the list of a site's projects, site.json.
const SiteSchema = "pegel/site/v1"

// Site is a static web site about upstream projects: one list in the order of the alphabet and one page a project. It has no
// order by score: who is weak needs help, not a place. It asks no server and runs without script.
type Site struct {
	Lang       string // language of the pages: en if empty
	Day        time.Time
	Policy     Policy
	Tool       Tool
	Recordings []audit.Digest // identities of the bundles that the evidence was taken from; none: it was gathered for this site
	Projects   []Project
}

// SiteFile is one file of a site.
type SiteFile struct {
	Name string // with slashes, below the directory of the site
	Data []byte
}

//go:embed html/site-*.tmpl html/site.*.json
var siteSources embed.FS

//go:embed html/site.css
var siteStyle string

//go:embed html/site.js
var siteScript string

// Files makes the files of a site one after the other, in a fixed order, so that thousands of projects need the memory of one
// page. Equal sites are equal bytes.
func (s Site) Files() iter.Seq2[SiteFile, error] {
	return func(yield func(SiteFile, error) bool) {
		b, err := newSiteBuilder(s)
		if err != nil {
			yield(SiteFile{}, err)
			return
		}
		for _, step := range []func() (SiteFile, error){
			func() (SiteFile, error) { return SiteFile{"site.css", []byte(styleSource + siteStyle)}, nil },
			b.index, b.areas, b.corrections, b.list,
		} {
			if f, err := step(); !yield(f, err) || err != nil {
				return
			}
		}
		for i := range b.rows {
			for _, step := range []func(*siteRow) (SiteFile, error){b.project, b.json, b.badge} {
				if f, err := step(&b.rows[i]); !yield(f, err) || err != nil {
					return
				}
			}
		}
	}
}

// siteBuilder makes the pages.
type siteBuilder struct {
	site  Site
	words siteWords
	pages *template.Template
	rows  []siteRow
	about siteAbout
}

// siteRow is one project in the list.
type siteRow struct {
	Slug, Name, Area string
	Day              string // that it was judged on
	Tiers            []string
	Sign             sign
	Contested        int
	project          *Project
}

// siteAbout is what every page says about the site.
type siteAbout struct {
	Lang, Day, Policy, PolicyDigest, Profile, Program string
	Recordings                                        []string
}

func newSiteBuilder(s Site) (*siteBuilder, error) {
	words, err := readSiteWords(cmp.Or(s.Lang, "en"))
	if err != nil {
		return nil, err
	}
	b := &siteBuilder{site: s, words: words}
	b.pages, err = template.New("site").Funcs(template.FuncMap{"t": words.text, "outcome": outcomeSign}).ParseFS(siteSources, "html/site-*.tmpl")
	if err != nil {
		return nil, fmt.Errorf("reading templates of the site: %w", err)
	}
	about := siteAbout{
		Lang: words.lang, Day: day(s.Day), Policy: strings.TrimSpace(s.Policy.ID + " " + s.Policy.Version), PolicyDigest: string(s.Policy.Digest),
		Profile: s.Policy.Profile, Program: strings.TrimSpace("Pegel " + s.Tool.Version),
	}
	for _, r := range s.Recordings {
		about.Recordings = append(about.Recordings, string(r))
	}
	b.about = shown(about)
	b.rows = siteRows(s.Projects)
	return b, nil
}

// siteRows lists the projects in the order of the alphabet, each with a name for its files.
func siteRows(projects []Project) []siteRow {
	rows := make([]siteRow, 0, len(projects))
	for i := range projects {
		p := &projects[i]
		contested := 0
		for _, ind := range p.Indicators {
			if ind.Contested != nil {
				contested++
			}
		}
		rows = append(rows, siteRow{Name: printable(cmp.Or(p.Name, p.ID)), Area: printable(p.Area), Tiers: shown(p.Tiers), Sign: projectSign(p.Verdict),
			Contested: contested, Day: day(p.At), project: p})
	}
	slices.SortStableFunc(rows, func(a, b siteRow) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.project.ID, b.project.ID))
	})
	taken := map[string]bool{}
	for i := range rows {
		rows[i].Slug = siteSlug(rows[i].project.ID, taken)
	}
	return rows
}

var plainSlug = regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]{0,58}[a-z0-9])?$`)

// siteSlug names the files of a project: by its id if that is plain and free, else by a digest of it.
func siteSlug(id string, taken map[string]bool) string {
	slug := id
	sum := sha256.Sum256([]byte(id))
	if !plainSlug.MatchString(slug) || strings.Contains(slug, "..") || taken[slug] {
		slug = "project-" + hex.EncodeToString(sum[:8])
	}
	for n := 2; taken[slug]; n++ { // the same id again
		slug = fmt.Sprintf("project-%s-%d", hex.EncodeToString(sum[:8]), n)
	}
	taken[slug] = true
	return slug
}

// page fills one template.
func (b *siteBuilder) page(name, tmpl string, data any) (SiteFile, error) {
	var out bytes.Buffer
	if err := b.pages.ExecuteTemplate(&out, tmpl, data); err != nil {
		return SiteFile{}, fmt.Errorf("filling page %q of the site: %w", name, err)
	}
	return SiteFile{name, out.Bytes()}, nil
}

// siteFrame is what the frame of each page shows. Up leads from the page to the root of the site.
type siteFrame struct {
	siteAbout
	Title, Up, Here string
	Script          template.JS // our own script, never data
	ScriptHash      string
}

func (b *siteBuilder) frame(title, up, here string) siteFrame {
	return siteFrame{siteAbout: b.about, Title: title, Up: up, Here: here}
}

func (b *siteBuilder) index() (SiteFile, error) {
	f := b.frame(b.words.text("list.title"), "", "index")
	sum := sha256.Sum256([]byte(siteScript))
	f.Script, f.ScriptHash = template.JS(siteScript), base64.StdEncoding.EncodeToString(sum[:])
	return b.page("index.html", "site-index.tmpl", struct {
		siteFrame
		Days string // that the projects were judged on, if these differ
		Rows []siteRow
	}{f, b.days(), b.rows})
}

func (b *siteBuilder) days() string {
	first, last, ok := spanOfDays(b.site.Projects)
	if !ok {
		return ""
	}
	return b.words.text("list.days", day(first), day(last))
}

// siteArea is one area of a tier with its projects.
type siteArea struct {
	Title string
	Rows  []siteRow
}

type siteTier struct {
	Title string
	Areas []siteArea
}

func (b *siteBuilder) areas() (SiteFile, error) {
	var tiers []siteTier
	for _, tier := range []string{"functional", "iam", "ops", "base", ""} {
		byArea := map[string][]siteRow{}
		for _, r := range b.rows {
			if slices.Contains(r.Tiers, tier) || tier == "" && !slices.ContainsFunc(r.Tiers, knownTier) {
				byArea[r.Area] = append(byArea[r.Area], r)
			}
		}
		if len(byArea) == 0 {
			continue
		}
		t := siteTier{Title: tierTitle(tier)}
		for _, area := range slices.Sorted(maps.Keys(byArea)) {
			t.Areas = append(t.Areas, siteArea{cmp.Or(area, b.words.text("areas.none")), byArea[area]})
		}
		tiers = append(tiers, t)
	}
	return b.page("areas.html", "site-areas.tmpl", struct {
		siteFrame
		Tiers []siteTier
	}{b.frame(b.words.text("areas.title"), "", "areas"), tiers})
}

func knownTier(tier string) bool {
	return slices.Contains([]string{"functional", "iam", "ops", "base"}, tier)
}

// corrections is the page about the procedure, with the answers that are contested now.
func (b *siteBuilder) corrections() (SiteFile, error) {
	var contested []siteRow
	for _, r := range b.rows {
		if r.Contested > 0 {
			contested = append(contested, r)
		}
	}
	return b.page("corrections.html", "site-corrections.tmpl", struct {
		siteFrame
		Contested []siteRow
	}{b.frame(b.words.text("corrections.title"), "", "corrections"), contested})
}

// siteList is site.json.
type siteList struct {
	Schema     string         `json:"schema"`
	Day        time.Time      `json:"day,omitzero"`
	Policy     Policy         `json:"policy"`
	Tool       Tool           `json:"tool"`
	Recordings []audit.Digest `json:"recordings"`
	Projects   []siteEntry    `json:"projects"` // in the order of the alphabet
}

type siteEntry struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Verdict string `json:"verdict"`
	Page    string `json:"page"`
	JSON    string `json:"json"`
	Badge   string `json:"badge"`
}

func (b *siteBuilder) list() (SiteFile, error) {
	l := siteList{Schema: SiteSchema, Day: b.site.Day, Policy: b.site.Policy, Tool: b.site.Tool, Recordings: slices.Clone(b.site.Recordings), Projects: []siteEntry{}}
	if l.Recordings == nil {
		l.Recordings = []audit.Digest{}
	}
	for _, r := range b.rows {
		at := "p/" + r.Slug
		l.Projects = append(l.Projects, siteEntry{r.project.ID, r.project.Name, r.project.Verdict, at + ".html", at + ".json", at + ".svg"})
	}
	data, err := canonical(l)
	return SiteFile{"site.json", data}, err
}

func (b *siteBuilder) json(r *siteRow) (SiteFile, error) {
	data, err := ScoreJSON([]Project{*r.project})
	return SiteFile{"p/" + r.Slug + ".json", data}, err
}

func (b *siteBuilder) badge(r *siteRow) (SiteFile, error) {
	data, err := Badge([]Project{*r.project}, Options{})
	return SiteFile{"p/" + r.Slug + ".svg", data}, err
}
