package foundation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Where the ASF publishes its projects (apache/comdev-projects, the source of projects.apache.org).
const (
	apacheRepo     = "https://github.com/apache/comdev-projects"
	committeesFile = "site/json/foundation/committees.json"
	retiredFile    = "site/json/foundation/committees-retired.json"
	podlingsFile   = "site/json/foundation/podlings.json"
	apacheProjects = "site/json/foundation/projects.json"
)

// mostApache bounds each of these files; projects.json has 0.7 MB.
const mostApache = 16 << 20

func apache() registry {
	return registry{name: "Apache projects directory", home: "apache", address: apacheRepo, about: ofApache, load: loadApache}
}

// committee is a project management committee of the ASF, or a podling. Rosters and chairs are not read.
type committee struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Established string `json:"established"` // month
	Retired     string `json:"retired"`     // month
	Started     string `json:"started"`     // month, of a podling
	podling     bool
	origin      audit.Origin
}

// apacheRecords is what is kept of the directory.
type apacheRecords struct {
	committees map[string]committee
	repos      map[string]string // repository name to committee
	origin     audit.Origin
}

func loadApache(ctx context.Context, read scoring.ReadFile, at time.Time) (book, error) {
	r := apacheRecords{committees: map[string]committee{}, repos: map[string]string{}}
	var retired, present []committee
	if _, err := readJSON(ctx, read, retiredFile, &retired); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	origin, err := readJSON(ctx, read, committeesFile, &present)
	if err == nil {
		err = later(origin, at)
	}
	if err != nil {
		return nil, err
	}
	r.origin = origin
	for _, c := range append(retired, present...) {
		c.origin = origin
		if c.Retired != "" {
			c.origin.Path = retiredFile
		}
		r.committees[fold(c.ID)] = c
	}
	if err := r.addPodlings(ctx, read); err != nil {
		return nil, err
	}
	if err := r.addRepos(ctx, read); err != nil {
		return nil, err
	}
	if len(r.committees) == 0 {
		return nil, errors.New(committeesFile + ": it names no committee")
	}
	return r.look, nil
}

// readJSON reads the fields of a file that its Go type names, and no others.
func readJSON(ctx context.Context, read scoring.ReadFile, path string, into any) (audit.Origin, error) {
	data, origin, err := read(ctx, apacheRepo, path)
	switch {
	case err != nil:
		return origin, fmt.Errorf("%s: %w", path, err)
	case len(data) > mostApache:
		return origin, fmt.Errorf("%s: %d bytes, at most %d are read", path, len(data), mostApache)
	}
	if json.Unmarshal(data, into) != nil { // its text may quote the file
		return origin, errors.New(path + ": it is not the JSON that is known")
	}
	return origin, nil
}

func (r *apacheRecords) addPodlings(ctx context.Context, read scoring.ReadFile) error {
	var podlings map[string]committee
	origin, err := readJSON(ctx, read, podlingsFile, &podlings)
	if err != nil {
		return err
	}
	for id, p := range podlings {
		if _, taken := r.committees[fold(id)]; !taken {
			p.ID, p.podling, p.origin = id, true, origin
			r.committees[fold(id)] = p
		}
	}
	return nil
}

func (r *apacheRecords) addRepos(ctx context.Context, read scoring.ReadFile) error {
	var projects map[string]struct {
		PMC        string            `json:"pmc"`
		Repository []json.RawMessage `json:"repository"` // mostly addresses; a project wrote objects there
	}
	if _, err := readJSON(ctx, read, apacheProjects, &projects); err != nil {
		return err
	}
	for _, p := range projects {
		for _, raw := range p.Repository {
			var address string
			if json.Unmarshal(raw, &address) != nil {
				continue
			}
			if name, ok := apacheName(address); ok {
				r.repos[name] = fold(p.PMC)
			}
		}
	}
	return nil
}

// apacheName returns the name of a repository of the ASF: github.com/apache/x and gitbox.apache.org/repos/asf/x are the same.
func apacheName(address string) (string, bool) {
	at, ok := placeOf(address)
	if !ok {
		return "", false
	}
	for _, prefix := range []string{"github.com/apache/", "gitbox.apache.org/repos/asf/", "git.apache.org/repos/asf/", "git-wip-us.apache.org/repos/asf/"} {
		if name, ok := strings.CutPrefix(at.host+"/"+at.path, prefix); ok && name != "" && !strings.Contains(name, "/") {
			return name, true
		}
	}
	return "", false
}

// ofApache reports whether a repository is one of the ASF.
func ofApache(p scoring.Project) bool {
	_, repo := apacheName(p.Repo)
	_, mirror := apacheName(p.Mirror)
	return repo || mirror
}

// look finds a project by its repository: as the directory names it, or by the rule that repositories begin with the name of
// their committee.
func (r *apacheRecords) look(_ context.Context, asked inquiry) (answer, error) {
	for _, address := range []string{asked.project.Repo, asked.project.Mirror} {
		name, ok := apacheName(address)
		if !ok {
			continue
		}
		if c, ok := r.committees[r.repos[name]]; ok {
			return r.tell(asked, c), nil
		}
		for id := strings.TrimPrefix(name, "incubator-"); ; {
			if c, ok := r.committees[id]; ok {
				return r.tell(asked, c), nil
			}
			cut := strings.LastIndexByte(id, '-')
			if cut < 0 {
				break
			}
			id = id[:cut]
		}
		return answer{}, nil // one of its repositories, of a committee that is not found
	}
	return answer{complete: true, origins: []audit.Origin{r.origin}}, nil
}

func (r *apacheRecords) tell(asked inquiry, c committee) answer {
	a := answer{listed: true, lent: true, origins: []audit.Origin{c.origin}}
	level, text := "top-level", c.Established
	switch {
	case c.Retired != "":
		level, text, a.lent = "retired", c.Retired, false
	case c.podling:
		level, text = "incubating", c.Started
	}
	g := scoring.Governance{Team: clip(c.Name), Steps: []scoring.Step{projectStep(asked.project), {What: "team", Name: clip(c.Name), Origin: c.origin}}}
	since, dated := day(text)
	if dated && since.After(asked.at) {
		level, dated = "", false
		g.Level = unknown[string]("the directory does not say on what level it was before "+text, "read a state of the directory of that time", c.origin)
	}
	if level != "" {
		g.Level, g.Inactive = known(level, asked.at, c.origin), known(level == "retired", asked.at, c.origin)
	}
	if dated {
		g.LevelSince = known(since, asked.at, c.origin)
		g.Levels = known([]scoring.LevelChange{{Level: level, At: since}}, asked.at, c.origin)
	}
	if level == "top-level" || level == "incubating" {
		g.Leadership = known("committee", asked.at, c.origin)
	}
	a.governance = g
	return a
}
