// Package openssf runs the checks of OpenSSF Scorecard on a repository that was already cloned and on facts that were
// already collected. Project and evidence come in, evidence with its Checks filled goes out. It opens no connection, reads
// no environment and writes no log. A check that lacks a fact is listed with what it lacked; it has no score then, since
// the library would take what it is not told for something that is not there. The aggregate score is not used: it leaves
// out what is not known.
package openssf

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Version is that of the library, as in go.mod.
const Version = "v5.5.0"

const home = "https://github.com/ossf/scorecard"

// Source is a repository at one revision. It may be used from several goroutines.
type Source interface {
	// Files lists the regular files of the revision: no submodules and no symbolic links, which break three checks.
	Files(ctx context.Context) ([]scoring.File, error)
	// Read returns the contents of a file by its object id. It fails if there are more than limit bytes.
	Read(ctx context.Context, id string, limit int64) ([]byte, error)
	// Commits returns at most n commits, newest first, none of them after the moment of assessment.
	Commits(ctx context.Context, n int) ([]scoring.Commit, error)
	Close() error
}

// fetcher is a Source whose clone may lack contents, and that can get many in one request.
type fetcher interface {
	Fetch(ctx context.Context, ids []string) error
}

// Options say where repositories are found.
type Options struct {
	// Source opens the clone of a project at a revision (scoring.Evidence.Revision). It is needed.
	Source func(ctx context.Context, p scoring.Project, revision string) (Source, error)
	// OSSFuzz says whether OSS-Fuzz fuzzes the project. Nil or an unknown fact: whoever has no fuzz target in the
	// repository is not said to be unfuzzed.
	OSSFuzz func(ctx context.Context, p scoring.Project) audit.Fact[bool]
	// CheckTime is how long one check may take; zero: a minute, which is 60 times what all checks need for 1,500 files.
	CheckTime time.Duration
}

// Collector runs the checks. It is safe for concurrent use.
type Collector struct{ options Options }

var _ scoring.Collector = (*Collector)(nil)

// New makes a collector.
func New(options Options) (*Collector, error) {
	if options.Source == nil {
		return nil, errors.New("a collector of OpenSSF checks needs a source of repositories")
	}
	if options.CheckTime <= 0 {
		options.CheckTime = time.Minute
	}
	return &Collector{options}, nil
}

// Name returns "openssf".
func (c *Collector) Name() string { return "openssf" }

// Collect fills Checks. Where no revision is known, nothing was cloned: the checks then are a fact that could not be read,
// or one that nobody looked for if nobody was allowed to.
func (c *Collector) Collect(ctx context.Context, p scoring.Project, known scoring.Evidence) (scoring.Evidence, error) {
	if err := ctx.Err(); err != nil {
		return known, err
	}
	switch {
	case known.NotAsked:
		return known, nil
	case known.Revision == "":
		known.Checks = failed("no revision of the repository was read", known.Failure)
		return known, nil
	}
	source, err := c.options.Source(ctx, p, known.Revision)
	if err != nil {
		return c.unread(ctx, known, "the repository could not be opened", err)
	}
	defer source.Close()
	files, err := newTree(ctx, source)
	if err != nil {
		return c.unread(ctx, known, "the files could not be listed", err)
	}
	r := &run{project: p, known: known.Fresh(known.AssessedAt), tree: files, source: source, limit: c.options.CheckTime}
	if c.options.OSSFuzz != nil {
		r.fuzzed = c.options.OSSFuzz(ctx, p)
	}
	checks := scoring.Checks{Version: Version, Commit: known.Revision, Skipped: map[string]string{}}
	for _, k := range all() {
		result, reason := r.judge(ctx, k)
		if err := ctx.Err(); err != nil {
			return known, err
		}
		if reason != "" {
			checks.Skipped[k.name] = reason
			continue
		}
		checks.Results = append(checks.Results, result)
	}
	known.Checks = r.graded(checks)
	return known, nil
}

// unread returns the evidence with checks that could not be run; the error is that of the context.
func (c *Collector) unread(ctx context.Context, known scoring.Evidence, what string, err error) (scoring.Evidence, error) {
	if ended := ctx.Err(); ended != nil {
		return known, ended
	}
	known.Checks = failed(what, shown(err.Error()))
	return known, nil
}

func failed(what, why string) audit.Fact[scoring.Checks] {
	if why != "" {
		what = fmt.Sprintf("%s: %s", what, why)
	}
	f := audit.Failed[scoring.Checks](what)
	f.Settle = "make the repository readable and collect again"
	return f
}

// graded dates and grades the result. It is as good as the worst fact that a score was drawn from, and as old as the oldest.
func (r *run) graded(c scoring.Checks) audit.Fact[scoring.Checks] {
	grade, observed := audit.GradeRecord, r.known.SeenUntil
	if observed.IsZero() {
		observed = r.known.AssessedAt
	}
	origins := []audit.Origin{
		{Source: "git", URL: r.known.Repo, Commit: r.known.Revision, At: r.known.RevisionAt},
		{Source: "openssf", URL: home + "/tree/" + Version},
	}
	for _, f := range r.used {
		grade = max(grade, f.grade)
		if !f.observed.IsZero() && f.observed.Before(observed) {
			observed = f.observed
		}
		for _, o := range f.origins {
			if len(origins) < maxOrigins && !slices.Contains(origins, o) {
				origins = append(origins, o)
			}
		}
	}
	return audit.Known(c, origins...).Graded(grade, observed, audit.Month)
}
