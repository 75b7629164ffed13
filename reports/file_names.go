package reports

import (
	"fmt"
	"strings"
)

// FileNames returns a name for each project that is safe as the name of a file, without suffix: letters, digits, dots and
// dashes of its id. No two are equal, also where letters of both cases are one.
func FileNames(projects []Project) []string {
	const longest = 80
	taken := map[string]bool{}
	out := make([]string, 0, len(projects))
	for i, p := range projects {
		_, id, found := strings.Cut(p.ID, "://")
		if !found {
			id = p.ID
		}
		name := strings.Trim(strings.Map(func(r rune) rune {
			switch {
			case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '.', r == '-':
				return r
			}
			return '-'
		}, id), ".-")
		name = name[:min(len(name), longest)]
		for n, stem := i+1, name; name == "" || taken[strings.ToLower(name)]; n++ {
			name = strings.TrimPrefix(fmt.Sprintf("%s-%d", stem, n), "-")
		}
		taken[strings.ToLower(name)] = true
		out = append(out, name)
	}
	return out
}
