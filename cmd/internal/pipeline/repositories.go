package pipeline

import (
	"context"
	"errors"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/gitlog"
)

// contributedDays is the window of transparency.Contributions.
const contributedDays = 365

// maxLicenceFile bounds a licence file; the texts of collections reach some hundred kilobytes.
const maxLicenceFile = 1 << 20

// openRepository opens a git repository of an operator as the run may: a clone below --mirror, one in the cache, or the
// server's, at the newest commit until the moment judged (transparency.World). The caller closes it.
func (g *gatherer) openRepository(ctx context.Context, url string) (*transparency.Repository, *audit.Trouble) {
	git, err := g.gitReader()
	if err != nil {
		return nil, &audit.Trouble{Kind: audit.TroubleInterrupted, Text: "git cannot be used here: " + err.Error(), Settle: "install git"}
	}
	clone, err := git.Open(ctx, scoring.Project{ID: url, Repo: url}, "")
	if err != nil {
		return nil, gitTrouble(ctx, err)
	}
	r := &transparency.Repository{
		URL: clone.Repo, Commit: clone.Revision, CommitAt: clone.RevisionAt, Local: clone.Local, Fetch: clone.Fetch, Close: clone.Close,
		Read: func(ctx context.Context, id string, limit int64) ([]byte, error) {
			data, err := clone.Read(ctx, id, limit)
			if errors.Is(err, gitlog.ErrTooLarge) {
				err = transparency.ErrTooLarge
			}
			return data, err
		},
		Contributions: func(ctx context.Context, domains []string) (transparency.Contributions, error) {
			given, err := clone.Given(ctx, domains, contributedDays)
			return contributionsOf(given), err
		},
	}
	if err := fillRepository(ctx, clone, r); err != nil {
		return nil, gitTrouble(ctx, errors.Join(err, clone.Close()))
	}
	return r, nil
}

func fillRepository(ctx context.Context, clone *gitlog.Clone, r *transparency.Repository) error {
	files, err := clone.Files(ctx)
	if err != nil {
		return err
	}
	for _, f := range files {
		r.Files = append(r.Files, transparency.File{Path: f.Path, ID: f.ID, Size: f.Size})
	}
	if r.SeenUntil, err = clone.SeenUntil(ctx); err != nil {
		return err
	}
	origin := audit.Origin{Source: "git", URL: r.URL, Commit: r.Commit, At: r.CommitAt}
	r.LastHuman = lastHuman(ctx, clone, origin)
	r.Licence = licenceOf(ctx, clone, r.Files, origin)
	return ctx.Err()
}

func lastHuman(ctx context.Context, clone *gitlog.Clone, origin audit.Origin) audit.Fact[time.Time] {
	newest, err := clone.LastHuman(ctx)
	switch {
	case err != nil:
		return audit.Failed[time.Time](err.Error(), origin)
	case newest.IsZero():
		return audit.Failed[time.Time]("no commit by a person was found", origin)
	}
	origin.At = newest
	return audit.Known(newest, origin)
}

// licenceOf reads the licence files at the root: all of them apply. A file without a text that is known leaves the licence
// unknown, and so does a repository without such a file.
func licenceOf(ctx context.Context, clone *gitlog.Clone, files []transparency.File, origin audit.Origin) audit.Fact[string] {
	var found []licence.Expression
	var origins []audit.Origin
	for _, f := range files {
		if !isLicenceFile(f.Path) {
			continue
		}
		origin.Path = f.Path
		origins = append(origins, origin)
		text, err := clone.Read(ctx, f.ID, maxLicenceFile)
		if err != nil {
			return audit.Failed[string](f.Path+" could not be read", origin)
		}
		expression, _, ok := licence.Detect(text)
		e, err := licence.Parse(expression)
		if !ok || err != nil {
			return audit.Failed[string](f.Path+" holds no licence text that is known", origin)
		}
		found = append(found, e)
	}
	if len(found) == 0 {
		return audit.Failed[string]("there is no licence file at its root", origin)
	}
	return audit.Known(licence.And(found...).Sorted().String(), origins...)
}

// licenceFile matches the names of licence files: LICENSE, LICENCE.md, LICENSE-CODE, COPYING. Forges look for the same.
var licenceFile = regexp.MustCompile(`(?i)^(un)?licen[cs]es?([._-][a-z0-9._-]+)?$|^copying([._-][a-z0-9._-]+)?$`)

func isLicenceFile(name string) bool {
	switch {
	case strings.HasPrefix(strings.ToLower(name), "licenses/"): // of REUSE: https://reuse.software/spec-3.3/
		return path.Dir(name) == name[:len("licenses")] && path.Ext(name) == ".txt"
	case strings.Contains(name, "/"):
		return false
	}
	return licenceFile.MatchString(name) && !slices.Contains([]string{".json", ".yml", ".yaml", ".py", ".sh", ".go", ".js", ".html"}, path.Ext(name))
}

// contributionsOf hides how many of a few people there were (design, section 4, rule 7).
func contributionsOf(g gitlog.Given) transparency.Contributions {
	c := transparency.Contributions{Commits: g.Commits, People: g.People, Newest: g.Newest, Human: g.Human, Unknown: g.Unknown, Cut: g.Shallow}
	if c.People > 0 && c.People < 3 {
		c.People, c.Few = 2, true
	}
	return c
}

// gitTroubles tells by git's own words (messages in English, see gitlog) what kept a repository from being read.
var gitTroubles = []struct {
	pattern *regexp.Regexp
	kind    string
	text    string
	settle  string
}{
	// A server that hides what is private asks for a name also where there is nothing.
	{regexp.MustCompile(`could not read Username|Authentication failed|returned error: 40[13]|access denied`), audit.TroubleLogin,
		"the server asks for a login: the repository is private, or there is none", "make it public, or name another address"},
	{regexp.MustCompile(`not found|returned error: 4(04|10)|does not exist`), audit.TroubleNotFound, "the server says that there is no such repository", "name its address"},
	{regexp.MustCompile(`(?i)SSL|TLS|certificate`), audit.TroubleTLS, "no protected connection to the server came about", "mend the certificate of the server"},
	{regexp.MustCompile(`(?i)resolve host|connect to|refused|unreachable|reset by peer`), audit.TroubleUnreachable, "the server cannot be reached", "try again, or give a clone with --mirror"},
	{regexp.MustCompile(`(?i)timed? ?out|too slow`), audit.TroubleTimeout, "the server is too slow", "try again, or give a clone with --mirror"},
	{regexp.MustCompile(`returned error: [0-9]+`), audit.TroubleServer, "the server answers with an error", "try again later"},
	{regexp.MustCompile(`^.*: (the address|protocol) `), audit.TroubleAddress, "the address is none of a repository that may be asked", "name an https address without credentials"},
	// Git takes any page for an empty repository.
	{regexp.MustCompile(`no commits on its default branch`), audit.TroubleContent, "the server shows no commits there: it is empty, or something else than a repository", "name the address of a repository"},
	{regexp.MustCompile(`more than [0-9]+`), audit.TroubleTooLarge, "the repository is larger than what is read", "name a folder or a smaller repository"},
}

func gitTrouble(ctx context.Context, err error) *audit.Trouble {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &audit.Trouble{Kind: audit.TroubleTimeout, Text: "reading the repository took too long", Settle: "give a clone with --mirror"}
	case ctx.Err() != nil:
		return &audit.Trouble{Kind: audit.TroubleInterrupted, Text: "the run ended before the repository was read", Settle: "run again"}
	case refused(err):
		return &audit.Trouble{Kind: audit.TroubleAddress, Text: "the address belongs to no public network", Settle: "name a public address, or allow it under network: allow: in the stack file"}
	case errors.Is(err, gitlog.ErrOffline):
		return &audit.Trouble{Kind: audit.TroubleOffline, Text: "no clone of the repository is on this machine, and the run may not ask its server",
			Settle: "give a clone with --mirror, or run without --offline"}
	}
	for _, t := range gitTroubles {
		if t.pattern.MatchString(err.Error()) {
			return &audit.Trouble{Kind: t.kind, Text: t.text, Settle: t.settle}
		}
	}
	return &audit.Trouble{Kind: audit.TroubleContent, Text: "the repository cannot be read: " + err.Error(), Settle: "give a clone with --mirror"}
}
