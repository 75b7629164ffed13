package openssf

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/ossf/scorecard/v5/checker"
	"github.com/ossf/scorecard/v5/checks"
	"github.com/ossf/scorecard/v5/checks/evaluation"
	"github.com/ossf/scorecard/v5/clients"
	"github.com/ossf/scorecard/v5/probes"
	"github.com/ossf/scorecard/v5/probes/zrunner"

	"github.com/pegel-audit/pegel/scoring"
)

// The checks that read facts of the forge, of the history and of other services. Each is run only if all of its facts were
// measured, and people are numbers.

// branchProtection knows three rules of the default branch. How many must approve, and whether code owners must, is not
// known, so that the score is a lower bound. That the default branch cannot be deleted is so on every forge.
func branchProtection(_ context.Context, r *run) (question, string) {
	rules, lacks := need(r, "the rules of the branches", r.known.Rules)
	if lacks != "" {
		return question{}, lacks
	}
	force, lacks := need(r, "whether the default branch can be overwritten", rules.ForcePush)
	if lacks != "" {
		return question{}, lacks
	}
	review, lacks := need(r, "whether a review is required", rules.ReviewRequired)
	if lacks != "" {
		return question{}, lacks
	}
	tests, lacks := need(r, "whether checks are required", rules.ChecksRequired)
	if lacks != "" {
		return question{}, lacks
	}
	name, protected, deletions, approvals := "default", !force || review || tests, false, int32(0)
	if review {
		approvals = 1
	}
	b := &clients.BranchRef{Name: &name, Protected: &protected, BranchProtectionRule: clients.BranchProtectionRule{
		AllowForcePushes: &force, AllowDeletions: &deletions,
		PullRequestRule: clients.PullRequestRule{Required: &review, RequiredApprovingReviewCount: &approvals},
		CheckRules:      clients.StatusChecksRule{RequiresStatusChecks: &tests},
	}}
	if tests {
		b.BranchProtectionRule.CheckRules.Contexts = []string{"test"}
	}
	return question{client: &client{branch: b}, note: "at least: how many must approve is not known"}, ""
}

// ciTests needs to know of each change whether a machine tested it before the merge.
func ciTests(_ context.Context, r *run) (question, string) {
	w, lacks := r.yearOfChanges()
	if lacks != "" {
		return question{}, lacks
	}
	gated, lacks := need(r, "how many changes were tested before the merge", w.Gated)
	if lacks != "" {
		return question{}, lacks
	}
	tested, total, ok := portion(gated, w.Sample)
	if !ok {
		return question{}, fmt.Sprintf("needs numbers that fit together: %d tested of %d", gated, w.Sample)
	}
	c := &client{tested: map[string]bool{}, commits: changes(0, total)}
	for i := range tested {
		c.tested[c.commits[i].AssociatedMergeRequest.HeadSHA] = true
	}
	return question{client: c, note: fmt.Sprintf("of %d changes of 12 months", w.Sample)}, ""
}

// merged is when all changes that are handed to the library were merged; it only asks whether they were.
func merged() time.Time { return time.Unix(1, 0).UTC() }

// changes makes changes for the library, the first of them approved by somebody else.
func changes(approved, total int) []clients.Commit {
	out := make([]clients.Commit, total)
	for i := range out {
		id := strconv.Itoa(i + 1)
		pr := clients.PullRequest{
			Number: i + 1, HeadSHA: id, MergedAt: merged(), Author: clients.User{Login: "p1"}, MergedBy: clients.User{Login: "p1"},
		}
		if i < approved {
			pr.Reviews = []clients.Review{{Author: &clients.User{Login: "p2"}, State: "APPROVED"}}
		}
		out[i] = clients.Commit{SHA: id, AssociatedMergeRequest: pr}
	}
	return out
}

// badges are the levels that the check knows; those of the Baseline are newer than it.
func badges(level string) (clients.BadgeLevel, bool) {
	b, ok := map[string]clients.BadgeLevel{
		"in_progress": clients.InProgress, "passing": clients.Passing, "silver": clients.Silver, "gold": clients.Gold,
	}[level]
	return b, ok
}

func bestPractices(_ context.Context, r *run) (question, string) {
	badge, lacks := need(r, "the badge of OpenSSF Best Practices", r.known.Badge)
	if lacks != "" {
		return question{}, lacks
	}
	level, ok := badges(badge.Level)
	switch {
	case badge.Project == 0:
		level = clients.NotFound
	case !ok:
		return question{}, fmt.Sprintf("needs a badge in progress, passing, silver or gold: it is %q", badge.Level)
	}
	return question{client: &client{}, badge: badgeClient{level}}, ""
}

// reviewRule is the share of commits, in percent, from which on git shows that review is the rule. Below, git may only be
// the wrong place to look: most forges keep reviews to themselves. It is the share that scoring/gitlog asks of Gerrit.
const reviewRule = 80

// codeReview takes the larger of two lower bounds: reviews that the forge shows for the changes of 12 months, and the
// traces of reviews in git (trailers, votes in notes, changes that passed Gerrit).
func codeReview(ctx context.Context, r *run) (question, string) {
	part, total, note, lacks := r.forgeReviews()
	if p, t, ok := r.gitReviews(ctx); ok && (lacks != "" || p*total > part*t) {
		if lacks != "" {
			r.pending = nil
		}
		part, total, lacks, note = p, t, "", fmt.Sprintf("by trailers and votes in git, of the newest %d commits", t)
	}
	if lacks != "" {
		return question{}, lacks
	}
	return question{client: &client{commits: changes(part, total)}, note: note}, ""
}

func (r *run) forgeReviews() (part, total int, note, lacks string) {
	w, lacks := r.yearOfChanges()
	if lacks != "" {
		return 0, 0, "", lacks
	}
	reviewed, lacks := need(r, "how many changes somebody else approved", w.Reviewed)
	if lacks != "" {
		return 0, 0, "", lacks
	}
	part, total, ok := portion(reviewed, w.Sample)
	if !ok {
		return 0, 0, "", fmt.Sprintf("needs numbers that fit together: %d approved of %d", reviewed, w.Sample)
	}
	return part, total, fmt.Sprintf("of %d changes of 12 months", w.Sample), ""
}

// gitReviews counts among the newest commits those of people that show a review; ok only where review is the rule.
func (r *run) gitReviews(ctx context.Context) (part, total int, ok bool) {
	commits, lacks := r.needCommits(ctx)
	if lacks != "" {
		return 0, 0, false
	}
	for _, c := range commits {
		if c.Merge || c.AuthorIsBot {
			continue
		}
		if total++; c.Reviewed {
			part++
		}
		if total == recent {
			break
		}
	}
	return part, total, total > 0 && part*100 >= reviewRule*total
}

// enough is how many organisations the check asks for (checks/evaluation/contributors.go).
const enough = 3

// contributors gets a lower bound from the history: if that is enough, the score is certain, and otherwise open.
func contributors(_ context.Context, r *run) (question, string) {
	h, lacks := need(r, "the history", r.known.History)
	if lacks != "" {
		return question{}, lacks
	}
	w, ok := h.Window(24)
	if !ok {
		return question{}, "needs the history of 24 months"
	}
	n := w.ElephantLow
	if w.TopOrg != "" && w.OutsideAuthorsLow > 0 {
		n = max(n, 2)
	}
	if n < enough {
		return question{}, fmt.Sprintf("needs %d organisations, or the organisation of every author: %d are sure", enough, n)
	}
	users := make([]clients.User, 0, n)
	for i := range min(n, maxSample) {
		users = append(users, clients.User{
			Login: "p" + strconv.Itoa(i+1), NumContributions: recent, Companies: []string{"organisation " + strconv.Itoa(i+1)},
		})
	}
	return question{client: &client{contributors: users}, note: "that hold half of the commits of 24 months"}, ""
}

// maintained needs all four of its facts. Which answers to issues came from members is not known: the score counts only if
// it is the same with none and with all of them.
func maintained(ctx context.Context, r *run) (question, string) {
	home, lacks := need(r, "the record of the forge", r.known.Home)
	if lacks != "" {
		return question{}, lacks
	}
	archived, lacks := need(r, "whether the repository is archived", home.Archived)
	if lacks != "" {
		return question{}, lacks
	}
	created, lacks := r.created(home)
	if lacks != "" {
		return question{}, lacks
	}
	issues, lacks := need(r, "the issues", r.known.Issues)
	if lacks != "" {
		return question{}, lacks
	}
	commits, lacks := r.needCommits(ctx)
	if lacks != "" {
		return question{}, lacks
	}
	shift := time.Since(r.known.AssessedAt)
	created = created.Add(shift)
	low := &client{archived: &archived, created: &created, issues: []clients.Issue{}}
	for _, c := range commits[:min(len(commits), recent)] {
		low.commits = append(low.commits, clients.Commit{SHA: c.ID, CommittedDate: c.Committed.Add(shift)})
	}
	high := *low
	answered, ok := issues.Answered.Get()
	if !ok || !issues.Whole {
		answered = recent
	}
	at, member := time.Now(), clients.RepoAssociationMember
	for range min(max(answered, 0), recent) {
		high.issues = append(high.issues, clients.Issue{CreatedAt: &at, AuthorAssociation: &member})
	}
	q := question{client: low, other: &high, open: "needs to know which issues members of the project answered"}
	if at := r.known.SeenUntil; !at.IsZero() && r.known.AssessedAt.Sub(at) > stale {
		q.less = "needs the commits of the last 90 days: the clone speaks only until " + at.Format(time.DateOnly)
	}
	return q, ""
}

// stale is how old a clone may be, like every observation of activity (audit.Month).
const stale = 30 * 24 * time.Hour

// created is when the forge says the repository was made. Only GitHub's date counts like that to the library; elsewhere,
// where repositories move with their history, it is the first commit.
func (r *run) created(home scoring.Home) (time.Time, string) {
	if r.onGitHub() {
		return need(r, "when the repository was made", home.Created)
	}
	h, lacks := need(r, "the history", r.known.History)
	if lacks == "" && (h.Shallow || h.FirstCommit.IsZero()) {
		lacks = "needs the history from its beginning"
	}
	return h.FirstCommit, lacks
}

// signedReleases needs the files that are attached to releases on the forge.
func signedReleases(_ context.Context, r *run) (question, string) {
	home, lacks := need(r, "the record of the forge", r.known.Home)
	if lacks != "" {
		return question{}, lacks
	}
	releases, lacks := need(r, "the releases on the forge", home.Releases)
	if lacks != "" {
		return question{}, lacks
	}
	c := &client{releases: []clients.Release{}}
	for _, published := range releases {
		c.releases = append(c.releases, release(published))
	}
	return question{client: c}, ""
}

// release gives each kind of attached file a name that the library knows it by (probes/releasesAreSigned and
// releasesHaveProvenance).
func release(p scoring.Published) clients.Release {
	out := clients.Release{TagName: p.Tag}
	names := map[string]string{"signature": "file.sig", "provenance": "file.intoto.jsonl"}
	for _, kind := range slices.Sorted(maps.Keys(p.Assets)) {
		if p.Assets[kind] <= 0 {
			continue
		}
		name, ok := names[kind]
		if !ok {
			name = "file"
		}
		out.Assets = append(out.Assets, clients.ReleaseAsset{Name: name})
	}
	return out
}

// judgeReleases is the check Signed-Releases without its call of deps.dev, which the library cannot be asked to leave.
func judgeReleases(c *checker.CheckRequest) checker.CheckResult {
	releases, err := c.RepoClient.ListReleases()
	if err != nil {
		return checker.CreateRuntimeErrorResult(checks.CheckSignedReleases, err)
	}
	c.RawResults.SignedReleasesResults = checker.SignedReleasesData{Releases: releases}
	found, err := zrunner.Run(c.RawResults, probes.SignedReleases)
	if err != nil {
		return checker.CreateRuntimeErrorResult(checks.CheckSignedReleases, err)
	}
	result := evaluation.SignedReleases(checks.CheckSignedReleases, found, c.Dlogger)
	result.Findings = found
	return result
}

// vulnerabilities counts the advisories that deployed versions have and that no version mends. It needs to know all of them:
// the library would take one that nobody could compare for one that does not apply.
func vulnerabilities(_ context.Context, r *run) (question, string) {
	a, lacks := need(r, "the advisories", r.known.Advisories)
	if lacks != "" {
		return question{}, lacks
	}
	if len(r.project.Versions) == 0 {
		return question{}, "needs a deployed version"
	}
	if len(a.Gaps) > 0 {
		return question{}, "needs all advisories; not read: " + slices.Min(a.Gaps)
	}
	var ids []string
	for _, version := range r.project.Versions {
		list, ok := a.Deployed[version]
		switch open := len(a.Unclear[version]) + a.Cut[version]; {
		case !ok:
			return question{}, fmt.Sprintf("needs the advisories of version %q", version)
		case open > 0:
			return question{}, fmt.Sprintf("needs to know which advisories apply to version %q: %d are open", version, open)
		}
		for _, advisory := range list {
			if advisory.Fixed == "" && advisory.ID != "" {
				ids = append(ids, advisory.ID)
			}
		}
	}
	slices.Sort(ids)
	q := question{client: &client{}, advisories: advisoryClient{slices.Compact(ids)}}
	q.note = "without a fix, of the deployed versions; those of dependencies are in the SBOM"
	return q, ""
}
