package forge

import (
	"bufio"
	_ "embed"
	"path"
	"strings"

	"github.com/pegel-audit/pegel/scoring"
)

// trackerTable says which tracker OpenStack's repositories use where it is not Launchpad under the repository's own name.
//
//go:embed data/trackers.txt
var trackerTable string

// trackerOf returns the tracker of a project: its service, and the project's name there. Where nothing is known about a
// project its tracker stays unknown.
func trackerOf(p scoring.Project, review, project string) (service, name string, ok bool) {
	if host, at, located := locate(p.Repo); located && (host == "git.launchpad.net" || host == "code.launchpad.net") {
		first, _, _ := strings.Cut(at, "/")
		return "launchpad", first, first != "" && !strings.HasPrefix(first, "~") && !strings.HasPrefix(first, "+")
	}
	if review != openDevReview || !strings.HasPrefix(project, "openstack/") {
		return "", "", false
	}
	lines := bufio.NewScanner(strings.NewReader(trackerTable))
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) != 3 || f[0] == "#" {
			continue
		}
		if match, err := path.Match(f[0], project); err == nil && match {
			return f[1], f[2], true
		}
	}
	return "launchpad", strings.TrimPrefix(project, "openstack/"), true
}
