package patches

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Bounds of one repository.
const (
	maxPatches    = 10_000  // that are read; openSUSE's and Debian's kernels carry some thousand
	maxPatch      = 8 << 20 // bytes of one
	maxBytes      = 256 << 20
	maxComponents = 200
	maxAlone      = 20
	maxShown      = 200 // bytes of a path that is shown
)

// read counts the patches of a folder.
func (l *looker) read(ctx context.Context, r *transparency.Repository, p *transparency.PatchPlace) {
	files := within(r.Files, p.Path)
	p.Files = len(files)
	if len(files) == 0 {
		p.Trouble = &audit.Trouble{Kind: audit.TroubleContent, Text: "the repository has no files in " + shown(p.Path), Settle: "name the folder where the patches are under path"}
		return
	}
	series, failed := readSeries(ctx, r, files)
	if failed != "" {
		p.Trouble = &audit.Trouble{Kind: audit.TroubleContent, Text: "the list of patches " + shown(failed) + " cannot be read", Settle: "give a complete clone with --mirror"}
		return
	}
	s := choose(files, series)
	if len(s.patches) == 0 && (s.others > 0 || p.Path == "" && r.Look.Digest == "") {
		p.Trouble = &audit.Trouble{Kind: audit.TroubleContent, Text: "the folder holds other files and no patch, so that nobody can tell whether any is carried",
			Settle: "name the folder that is meant for patches under path"}
		return
	}
	p.Unread += s.missing
	l.count(ctx, r, s.patches, p)
	l.notes(p, s)
}

// within keeps the files of a folder.
func within(files []transparency.File, folder string) []transparency.File {
	if folder == "" {
		return files
	}
	return slices.DeleteFunc(slices.Clone(files), func(f transparency.File) bool { return !strings.HasPrefix(f.Path, folder+"/") })
}

// readSeries returns the text of each series by its path, or the path of one that cannot be read.
func readSeries(ctx context.Context, r *transparency.Repository, files []transparency.File) (map[string][]byte, string) {
	series := map[string][]byte{}
	for _, f := range files {
		if path.Base(f.Path) != seriesName {
			continue
		}
		text, err := r.Read(ctx, f.ID, maxSeries)
		if err != nil {
			return nil, f.Path
		}
		series[f.Path] = text
	}
	return series, ""
}

// count reads the head of each patch.
func (l *looker) count(ctx context.Context, r *transparency.Repository, files []transparency.File, p *transparency.PatchPlace) {
	if len(files) > maxPatches {
		p.Unread += len(files) - maxPatches
		files = files[:maxPatches]
	}
	if r.Fetch != nil {
		ids := make([]string, len(files))
		for i, f := range files {
			ids[i] = f.ID
		}
		_ = r.Fetch(ctx, ids) // what does not come is counted when it is read
	}
	own := ownAddress(r.URL)
	components := map[string]*transparency.PatchCount{}
	byLink := map[link]int{}
	total := 0
	for i, f := range files {
		if total > maxBytes || ctx.Err() != nil {
			p.Unread += len(files) - i
			break
		}
		data, err := r.Read(ctx, f.ID, maxPatch)
		if err != nil { // too large, or gone
			p.Unread++
			continue
		}
		total += len(data)
		h := readHeader(data, own)
		one := countOf(h)
		p.Add(one)
		name := component(f.Path, p.Path, r.URL)
		if components[name] == nil {
			components[name] = &transparency.PatchCount{}
		}
		components[name].Add(one)
		if h.link != "" {
			byLink[h.link]++
		} else if len(p.Alone) < maxAlone {
			p.Alone = append(p.Alone, transparency.PatchAlone{Path: shown(f.Path), Says: says(h)})
		}
	}
	p.Components = sorted(components)
	for _, k := range links() {
		if byLink[k] > 0 {
			p.Links = append(p.Links, transparency.PatchLinks{Kind: string(k), Patches: byLink[k]})
		}
	}
}

func countOf(h header) transparency.PatchCount {
	c := transparency.PatchCount{Patches: 1}
	switch {
	case h.link != "":
		c.Linked = 1
	case h.stated:
		c.Stated = 1
	case h.hinted:
		c.Hinted = 1
	}
	return c
}

func says(h header) string {
	switch {
	case h.stated:
		return "stated"
	case h.hinted:
		return "hinted"
	}
	return ""
}

// component names what a patch is for by the directory it lies in, below the folder that was named; a folder without
// directories, such as debian/patches, is for what the repository is named after.
func component(name, folder, repository string) string {
	dir := strings.Trim(strings.TrimPrefix(path.Dir(name), folder), "/")
	if dir == "" || dir == "." || dir == "debian/patches" {
		dir = strings.TrimSuffix(path.Base(strings.TrimRight(repository, "/")), ".git")
		if dir == "" || dir == "/" || dir == "file:" {
			dir = "."
		}
	}
	return shown(dir)
}

// sorted lists the components by name; those beyond the bound are one entry.
func sorted(components map[string]*transparency.PatchCount) []transparency.PatchedComponent {
	var out []transparency.PatchedComponent
	for name, c := range components {
		out = append(out, transparency.PatchedComponent{Name: name, PatchCount: *c})
	}
	slices.SortFunc(out, func(a, b transparency.PatchedComponent) int { return strings.Compare(a.Name, b.Name) })
	if len(out) <= maxComponents {
		return out
	}
	rest := transparency.PatchedComponent{Name: fmt.Sprintf("%d more directories", len(out)-maxComponents)}
	for _, c := range out[maxComponents:] {
		rest.Add(c.PatchCount)
	}
	return append(out[:maxComponents:maxComponents], rest)
}

func (l *looker) notes(p *transparency.PatchPlace, s selection) {
	add := func(n int, format string) {
		if n > 0 {
			l.artifact.Notes = append(l.artifact.Notes, fmt.Sprintf(format, p.URL, n))
		}
	}
	add(s.dormant, "%s: %d patches lie there and are not carried, since the series of their directory does not name them")
	add(p.Unread, "%s: %d patches could not be read")
}

// shown makes a path fit to be shown.
func shown(name string) string {
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
