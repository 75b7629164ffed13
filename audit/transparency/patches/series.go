package patches

import (
	"path"
	"strings"

	"github.com/pegel-audit/pegel/audit/transparency"
)

// seriesName is the file in which quilt lists the patches of its directory in their order (quilt(1); dpkg-source(1), 3.0 (quilt)).
const seriesName = "series"

// maxSeries bounds such a list; that of a kernel has some 40 KB.
const maxSeries = 1 << 20

// isPatch reports a patch by the end of its name.
func isPatch(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".patch", ".diff":
		return true
	}
	return false
}

// listed reads a series: paths below its directory. Options such as -p1 and remarks are no names, and what leads out of the
// directory is none of its patches.
func listed(dir string, text []byte) []string {
	var out []string
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		name := path.Join(dir, fields[0])
		if dir == "." || strings.HasPrefix(name, dir+"/") {
			out = append(out, name)
		}
	}
	return out
}

// selection says which files of a folder are patches that are carried.
type selection struct {
	patches []transparency.File
	dormant int // patches that lie there, and that the series of their directory does not name
	missing int // named by a series, and not there
	others  int // files that are no patches, no series and no words
}

// choose takes the patches that a series names and, where no series speaks, every file that is named as a patch. series holds
// the text of each by its path.
func choose(files []transparency.File, series map[string][]byte) selection {
	byPath := map[string]transparency.File{}
	for _, f := range files {
		byPath[f.Path] = f
	}
	named := map[string]bool{}
	var s selection
	for name, text := range series {
		for _, p := range listed(path.Dir(name), text) {
			if _, ok := byPath[p]; !ok {
				s.missing++
			}
			named[p] = true
		}
	}
	for _, f := range files {
		switch {
		case named[f.Path]:
			s.patches = append(s.patches, f)
		case path.Base(f.Path) == seriesName:
		case isPatch(f.Path) && spokenFor(f.Path, series):
			s.dormant++
		case isPatch(f.Path):
			s.patches = append(s.patches, f)
		case !isWords(f.Path):
			s.others++
		}
	}
	return s
}

// spokenFor reports whether a directory above a file has a series.
func spokenFor(name string, series map[string][]byte) bool {
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		if _, ok := series[path.Join(dir, seriesName)]; ok {
			return true
		}
		if dir == "." || dir == "/" {
			return false
		}
	}
}

// isWords reports files that may lie in a folder without patches: what keeps it in git, and what explains it.
func isWords(name string) bool {
	base := strings.ToLower(path.Base(name))
	switch path.Ext(base) {
	case ".md", ".rst", ".txt", ".gitkeep", ".keep", ".gitignore", ".license", ".adoc":
		return true
	}
	return base == "readme" || base == "license" || base == "copying"
}
