// Package gitlog gathers evidence about upstream projects from their git repositories: one streaming pass over the commit
// log, the refs, the files at one revision, and the licence files over time.
//
// In go the address of a repository or a clone on this machine, and a date; out come facts with commit ids, and a reason
// for each fact that could not be read. Nothing personal comes out: people are told apart in memory by their mailmapped
// address and leave the package as counts, organisations as names.
//
// A clone is never trusted. Git runs only in bare repositories that this package made (see view), which borrow the
// objects of the clone; the clone's configuration, hooks, attributes and replacements are not read. Git gets no
// configuration of the machine, no prompts, no lazy fetches, and only the protocols that the caller allows.
//
// Definitions follow design section 9 and the reference on health, 6.6. A commit counts in a window of N months if its
// committer time is at most N*365/12 days before the moment of assessment; what is later is ignored. The evaluated
// revision is the newest commit on the first-parent line of the default branch that is not later either.
//
// Reviews (scoring.Window.Reviewed): a human commit counts as reviewed if a Reviewed-by or Acked-by trailer names
// somebody other than the author, or a note in refs/notes/review shows an approval by somebody else. Gerrit submits only
// changes that were voted on, but its votes are not in the branches; so where the tree has a .gitreview file and at least
// 80 % of the human commits of 24 months carry a Change-Id, each commit with a Change-Id counts too. A pull request
// number or a merge of a pull request shows a request, not a review, and is counted in PullRequest only.
package gitlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Options say where clones are, and what may be done. The zero value reads no mirrors, allows no other protocol than
// https, and cannot clone because it has no cache.
type Options struct {
	CacheDir string    // directory for our own clones; empty: only local clones can be read
	Mirrors  []string  // directories below which local clones are looked for, in this order
	Offline  bool      // ask no server; cached and local clones are read as they are
	At       time.Time // moment of assessment; histories are cut there. Zero only together with AtHead
	AtHead   bool      // the moment of assessment is the committer time of the evaluated revision; At is not used
	// Dated says that the files of local clones were written when the clones were made, so that a project that wrote nothing
	// more was silent until then. Without it a clone speaks until its newest commit, because upkeep writes files too.
	Dated bool

	Keep audit.Keep // is given every text that was read as evidence, marked as withheld; nil: nobody keeps them
	// Classify recognises the text of a licence as an SPDX expression; coverage is not used. Nil: licences stay unknown.
	Classify func(text []byte) (expression string, coverage int, ok bool)

	// Reach is asked before git contacts the server at a host and port; an error refuses it, and its text is shown. Nil: every
	// server may be contacted. Git looks the name up again: what a server that changes its mind in between says is not covered.
	Reach func(ctx context.Context, hostPort string) error

	Protocols []string // protocols that git may use, as in GIT_ALLOW_PROTOCOL; nil: https
	// Network settings for git as KEY=value, e.g. HTTPS_PROXY; only the names in networkNames are passed on.
	Network []string
	Git     string       // path of the git binary; empty: the one on PATH
	Log     *slog.Logger // progress and warnings; nil: silence

	Bots          []byte // rule list pegel/bots/v1; nil: the built-in one
	Organisations []byte // table pegel/organisations/v1; nil: the built-in one

	Affiliations []AffiliationFile // for whom people work, in the order they are asked; operator files are asked first
	Profiles     map[string]string // company by address as profiles of a forge name it; asked last
}

// networkNames are the settings that a proxy or an own certificate authority needs.
var networkNames = []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy", "GIT_SSL_CAINFO", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE"}

// Collector reads git repositories. It is safe for concurrent use.
type Collector struct {
	options Options
	git     *git
	rules   rules
	circles *circles  // who the repositories hang on that were read; in memory only
	swept   sync.Once // views of killed processes are removed once
}

// New checks the options, looks for git and loads the rule lists. It fails if git is missing or too old.
func New(options Options) (*Collector, error) {
	c := &Collector{options: options, circles: newCircles()}
	var err error
	if c.rules.bots, err = parseBots(orBuiltin(options.Bots, builtinBots)); err != nil {
		return nil, err
	}
	if c.rules.employers, err = NewAffiliation(options.Organisations, options.Affiliations, options.Profiles); err != nil {
		return nil, err
	}
	if c.rules.assistants, err = parseAssistants(builtinAssistants); err != nil {
		return nil, err
	}
	if options.At.IsZero() && !options.AtHead {
		return nil, errors.New("a git collector needs the moment of assessment")
	}
	for _, p := range options.Protocols {
		if !plainName(p) || p == "ext" {
			return nil, fmt.Errorf("protocol %q cannot be allowed", p)
		}
	}
	path, err := findGit(context.Background(), options.Git)
	if err != nil {
		return nil, err
	}
	c.git = &git{path: path, protocols: options.Protocols}
	if len(c.git.protocols) == 0 {
		c.git.protocols = []string{"https"}
	}
	for _, pair := range options.Network {
		if name, _, ok := strings.Cut(pair, "="); ok && slices.Contains(networkNames, name) {
			c.git.network = append(c.git.network, pair)
		}
	}
	return c, nil
}

func orBuiltin(given, builtin []byte) []byte {
	if given != nil {
		return given
	}
	return builtin
}

// Affiliation says for whom people work, as this collector sees it.
func (c *Collector) Affiliation() *Affiliation { return c.rules.employers }

// Name returns "git".
func (c *Collector) Name() string { return "git" }

// Collect reads the repository of a project: a local clone below one of the mirror directories, else our own clone in
// the cache. What cannot be read is a failure in the evidence; the error is not nil only if the context ended.
func (c *Collector) Collect(ctx context.Context, p scoring.Project, known scoring.Evidence) (scoring.Evidence, error) {
	e := known
	e.Schema, e.Project, e.Repo = scoring.EvidenceSchema, p.ID, p.Repo
	if public := publicURL(p.Repo); public != "" {
		e.Repo = public
	}
	e.AssessedAt = time.Time{}
	if !c.options.AtHead {
		e.AssessedAt = c.options.At.UTC()
	}
	s, err := c.find(ctx, p)
	if err != nil {
		return c.failed(ctx, e, err)
	}
	if e, err = c.read(ctx, e, s, "", p.Versions); err != nil || e.Failure != "" {
		return e, err
	}
	e.Places = c.places(ctx, p, e)
	if e.Team.Unknown() == audit.MISS {
		e.Team = teamOf(e)
	}
	return e, ctx.Err()
}

// find locates the objects of a project.
func (c *Collector) find(ctx context.Context, p scoring.Project) (source, error) {
	var addresses []string
	for _, a := range []string{p.Repo, p.Mirror} {
		if a != "" {
			addresses = append(addresses, a)
		}
	}
	if len(addresses) == 0 {
		return source{}, errors.New("the project has no address of a repository")
	}
	if s, ok := c.local(addresses); ok {
		return s, nil
	}
	if c.options.CacheDir == "" && c.options.Offline {
		return source{}, ErrOffline
	}
	var first error
	for _, a := range addresses {
		s, err := c.cached(ctx, a)
		if err == nil || ctx.Err() != nil {
			return s, err
		}
		if first == nil {
			first = err
		}
	}
	return source{}, first
}

// failed is the evidence of a repository of which nothing could be read.
func (c *Collector) failed(ctx context.Context, e scoring.Evidence, err error) (scoring.Evidence, error) {
	if ctx.Err() != nil {
		return e, ctx.Err()
	}
	e.Failure, e.NotAsked = err.Error(), errors.Is(err, ErrOffline)
	e.Settle = "give a local clone of " + orText(e.Repo, "the repository") + ", or let the run contact its server"
	c.warn("reading a repository", "project", e.Project, "reason", e.Failure)
	return e, nil
}

func orText(s, instead string) string {
	if s == "" {
		return instead
	}
	return s
}

// Repository reads one repository by the URL of its server or the path of a clone on this machine, at a revision: a
// branch, tag or commit id, empty for the default branch. It fails if the path is no git repository, or if the URL or
// the revision cannot be used. The evidence of a local clone is about its remote, or about "local clone" if it names
// none; a path is never part of it.
func (c *Collector) Repository(ctx context.Context, pathOrURL, rev string) (scoring.Evidence, error) {
	e := scoring.Evidence{Schema: scoring.EvidenceSchema}
	if !c.options.AtHead {
		e.AssessedAt = c.options.At.UTC()
	}
	if _, err := os.Stat(pathOrURL); err != nil && strings.Contains(pathOrURL, "://") {
		if err := validateURL(pathOrURL, c.git.protocols); err != nil {
			return e, fmt.Errorf("reading repository %q: %w", orText(publicURL(pathOrURL), "(address)"), err)
		}
		e.Repo = orText(publicURL(pathOrURL), "local clone")
		e.Project = e.Repo
		s, err := c.find(ctx, scoring.Project{Repo: pathOrURL})
		if err != nil {
			return c.failed(ctx, e, err)
		}
		return c.read(ctx, e, s, rev, nil)
	}
	found, err := findClone(pathOrURL)
	if err != nil {
		return e, fmt.Errorf("reading repository %q: not a git repository; give the directory of a clone, bare or not, or a URL", pathOrURL)
	}
	e.Repo = orText(publicURL(found.remote()), "local clone")
	e.Project = e.Repo
	return c.read(ctx, e, source{clone: found}, rev, nil)
}

// errRevision says that a revision given by a person does not exist.
type errRevision struct{ rev string }

func (e errRevision) Error() string {
	return fmt.Sprintf("revision %q not found; give a branch, a tag or a full commit id", clip(printable(e.rev), 80))
}

// read gathers all facts from one clone.
func (c *Collector) read(ctx context.Context, e scoring.Evidence, s source, rev string, versions []string) (scoring.Evidence, error) {
	v, branch, err := c.openAt(ctx, s, rev, &e)
	if v != nil {
		defer v.close()
	}
	var unknown errRevision
	var later errLater
	if errors.As(err, &unknown) || errors.As(err, &later) {
		return e, fmt.Errorf("reading repository %q: %w", e.Repo, err)
	}
	if err != nil {
		return c.failed(ctx, e, err)
	}
	if e.SeenUntil, err = c.seenUntil(ctx, s, v, e.AssessedAt); err != nil {
		return c.failed(ctx, e, err)
	}
	if e.SeenUntil.IsZero() { // the clone has no default branch
		e.SeenUntil = e.RevisionAt
	}
	v.spoken = e.SeenUntil
	if rev != "" {
		if v.spoken, err = v.endsAt(ctx, e); err != nil {
			return c.failed(ctx, e, err)
		}
	}
	return c.facts(ctx, v, e, branch, versions)
}

// resolve finds the commit or tag object that a revision names, and the full name of the branch if it is one.
func (v *view) resolve(rev string) (id, branch string, err error) {
	if rev == "" {
		if v.state.headID == "" {
			return "", "", errors.New("the repository has no commits on its default branch")
		}
		return v.state.headID, v.state.head, nil
	}
	if isObjectID(rev) {
		return rev, "", nil
	}
	for _, prefix := range []string{"refs/tags/", "refs/heads/", "refs/remotes/origin/", ""} {
		name := prefix + rev
		if !validRef(name) {
			continue
		}
		i, ok := slices.BinarySearchFunc(v.state.refs, name, func(r ref, name string) int { return strings.Compare(r.name, name) })
		if ok {
			return v.state.refs[i].id, name, nil
		}
	}
	if rev == "HEAD" {
		return v.resolve("")
	}
	return "", "", errRevision{rev}
}

// settleRevision walks the first-parent line to the evaluated revision, makes that the HEAD of the view, and goes on to
// remember the first-parent line of the longest window.
func (c *Collector) settleRevision(ctx context.Context, v *view, e *scoring.Evidence, tip string) error {
	v.mainline = map[string]bool{}
	var end oldRun
	old := false
	err := v.firstParents(ctx, tip, func(id string, committed int64) error {
		if e.Revision == "" && e.AssessedAt.IsZero() {
			e.AssessedAt = time.Unix(committed, 0).UTC()
		}
		if e.Revision == "" && committed > e.AssessedAt.Unix() {
			return nil
		}
		if e.Revision == "" {
			e.Revision, e.RevisionAt = id, time.Unix(committed, 0).UTC()
		}
		v.mainline[id] = true
		age := e.AssessedAt.Unix() - committed
		v.skewed = v.skewed || old && age <= yearSeconds
		old = old || age > yearSeconds+int64(clockSlack/time.Second)
		return end.after(age > spanSeconds(len(spans)-1))
	})
	if err != nil {
		return err
	}
	if e.Revision == "" {
		return errors.New("no commit before the date of assessment")
	}
	return v.evaluate(e.Revision)
}

// facts reads each kind of fact; one that fails leaves the others alone.
func (c *Collector) facts(ctx context.Context, v *view, e scoring.Evidence, branch string, versions []string) (scoring.Evidence, error) {
	origin := audit.Origin{Source: c.Name(), URL: e.Repo, Commit: e.Revision, At: e.RevisionAt}
	v.origin = origin
	versions = slices.Compact(slices.Sorted(slices.Values(versions)))
	c.info("reading tags", "project", e.Project)
	needed := []string{e.Revision}
	tags, err := v.tags(ctx)
	tags = c.seenTags(tags, e.AssessedAt)
	var r scoring.Releases
	if err == nil {
		r, err = v.releases(ctx, tags, branch, versions, e.AssessedAt)
	}
	if err != nil {
		e.Releases = failure[scoring.Releases](err, origin)
	} else {
		e.Releases = audit.Known(r, origin)
		for _, version := range versions {
			if t, ok := r.TagOf[version]; ok {
				needed = append(needed, t.Commit)
			}
		}
	}
	if err := v.needTrees(ctx, needed...); err != nil {
		c.warn("fetching trees", "project", e.Project, "reason", presentable(err.Error()))
	}
	c.info("reading files", "project", e.Project)
	s, err := v.survey(ctx, e.Revision)
	if err == nil {
		e.Tree, err = c.tree(ctx, v, s, e, origin)
	}
	if err != nil {
		e.Tree = failure[scoring.Tree](err, origin)
	} else {
		e.Statements = ownStatements(e.Statements, s.statements)
	}
	c.info("reading history", "project", e.Project)
	if err := tooOld(e); err != nil {
		e.History = failure[scoring.History](err, origin)
		e.History.Settle = "fetch the clone of " + e.Repo + ", let the run contact its server, or judge it as of its newest commit (--at head)"
	} else if err := otherLine(e, v.spoken); err != nil {
		e.History = failure[scoring.History](err, origin)
		e.History.Settle = "leave the revision away to judge the project on that day, or the day to judge the revision on its own"
	} else if h, changes, err := v.historyFetched(ctx, e, c.rules); err != nil {
		e.History = failure[scoring.History](err, origin)
	} else {
		h.CodeDrop = activity(v.codeDrop(ctx, e.Revision, e.AssessedAt, h, origin), e.SeenUntil)
		e.History = audit.Known(h, origin)
		c.circles.keep(e.Repo, e.Revision, v.circle(c.circles.seed))
		if changes != nil && e.Changes.Value == nil && e.Changes.Failure == "" {
			e.Changes = activity(audit.Known(*changes, origin), e.SeenUntil)
		}
	}
	if e.Licences, err = c.licenceFacts(ctx, v, e.Revision, versions, e.Releases, origin); err != nil {
		e.Licences = map[string]audit.Fact[scoring.LicenceFacts]{}
		for _, key := range append(slices.Clone(versions), "") {
			e.Licences[key] = failure[scoring.LicenceFacts](err, origin)
		}
	}
	e.Versions = v.treesAt(ctx, versions, e.Releases, origin)
	if e.LicenceHistory, err = c.licenceHistory(ctx, v, e.Revision, e.AssessedAt, origin); err != nil {
		e.LicenceHistory = failure[[]scoring.LicenceState](err, origin)
	}
	return graded(e), ctx.Err()
}

// graded grades all facts of git: own records of the project with commit ids, which count for a month from the moment until
// which the clone could speak.
func graded(e scoring.Evidence) scoring.Evidence {
	seen := e.SeenUntil
	e.History, e.Releases, e.Tree = activity(e.History, seen), activity(e.Releases, seen), activity(e.Tree, seen)
	e.LicenceHistory = activity(e.LicenceHistory, seen)
	for version, f := range e.Licences {
		e.Licences[version] = activity(f, seen)
	}
	for version, f := range e.Versions {
		e.Versions[version] = activity(f, seen)
	}
	return e
}

func activity[T any](f audit.Fact[T], seen time.Time) audit.Fact[T] {
	if f.Value == nil {
		return f
	}
	return f.Graded(audit.GradeRecord, seen, audit.Month)
}

// failure turns an error into a fact that says why it is not known.
func failure[T any](err error, origin audit.Origin) audit.Fact[T] {
	f := audit.Failed[T](presentable(err.Error()), origin)
	f.Settle = "give a complete clone of the repository"
	return f
}

func (c *Collector) tree(ctx context.Context, v *view, s *survey, e scoring.Evidence, origin audit.Origin) (audit.Fact[scoring.Tree], error) {
	read, err := c.readTree(ctx, v, s, e.AssessedAt, origin)
	if err != nil {
		return audit.Fact[scoring.Tree]{}, err
	}
	s.statements = read.statements(e.AssessedAt)
	if err := v.changes(ctx, s, e.Revision, e.AssessedAt, origin, c.rules); err != nil {
		return audit.Fact[scoring.Tree]{}, err
	}
	return audit.Known(s.tree, origin), nil
}

// historyFetched makes sure that the .mailmap is there before the pass: without it git log would end early, and without the
// tree that names it, git log would go on as if there were none.
func (v *view) historyFetched(ctx context.Context, e scoring.Evidence, r rules) (scoring.History, *scoring.Changes, error) {
	if err := v.fetchMailmap(ctx, e.Revision); err != nil {
		return scoring.History{}, nil, err
	}
	gerrit, err := v.holds(ctx, e.Revision, ".gitreview")
	if err != nil {
		return scoring.History{}, nil, err
	}
	return v.history(ctx, e.Revision, e.AssessedAt, gerrit, r)
}

// fetchMailmap makes sure that the .mailmap of a commit is there.
func (v *view) fetchMailmap(ctx context.Context, commit string) error {
	if v.promise == nil {
		return nil
	}
	return v.objects(ctx, []string{commit + ":"}, maxSmallFile, func(_ int, o object) error {
		for _, e := range parseTree(o.data, len(o.id)/2) {
			if e.name == ".mailmap" {
				_, err := v.blobs(ctx, []string{e.id}, maxDocument)
				return err
			}
		}
		return nil
	})
}

// holds reports whether a file is at the root of a commit. It fails where the clone lacks the root tree.
func (v *view) holds(ctx context.Context, commit, name string) (found bool, err error) {
	err = v.objects(ctx, []string{commit + ":"}, maxSmallFile, func(_ int, o object) error {
		if o.missing {
			return errors.New("the clone lacks the files of the revision, and with them .mailmap and .gitreview")
		}
		for _, e := range parseTree(o.data, len(o.id)/2) {
			found = found || e.name == name && (entry{mode: e.mode, kind: "blob"}).regular()
		}
		return nil
	})
	return found, err
}

// keep hands a text to the bundle. Its digest, commit and path are facts; the text itself belongs to the project and is
// marked as withheld.
func (c *Collector) keep(ctx context.Context, origin audit.Origin, text []byte) error {
	if c.options.Keep == nil {
		return nil
	}
	origin.Digest = audit.DigestOf(text)
	_, err := c.options.Keep(ctx, audit.Blob{
		Kind: "raw", Name: origin.Path, MediaType: "text/plain", Source: origin.URL, Data: text,
		Withheld: "third-party text", Origin: origin,
	})
	if err != nil {
		return fmt.Errorf("keeping %q: %w", origin.Path, err)
	}
	return nil
}

func (c *Collector) warn(message string, args ...any) {
	if c.options.Log != nil {
		c.options.Log.Warn(message, args...)
	}
}

func (c *Collector) info(message string, args ...any) {
	if c.options.Log != nil {
		c.options.Log.Debug(message, args...)
	}
}

var _ scoring.Collector = (*Collector)(nil)
