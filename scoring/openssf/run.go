package openssf

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ossf/scorecard/v5/checker"
	"github.com/ossf/scorecard/v5/finding"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// run is one project on its way through the checks.
type run struct {
	project scoring.Project
	known   scoring.Evidence
	fuzzed  audit.Fact[bool]
	tree    *tree
	source  Source
	limit   time.Duration // for one check

	commits []scoring.Commit // newest first
	unread  error            // why commits could not be read
	asked   bool
	used    []basis
	pending []basis // of the check that is prepared now
}

// basis is where a score comes from besides git.
type basis struct {
	grade    audit.Grade
	observed time.Time
	origins  []audit.Origin
}

// judge runs one check. It returns a result, or the reason why there is none.
func (r *run) judge(ctx context.Context, k check) (scoring.Check, string) {
	r.pending = nil
	ask, lacks := k.prepare(ctx, r)
	if lacks != "" {
		return scoring.Check{}, shown(lacks)
	}
	low, reason := r.ask(ctx, k, ask, ask.client)
	if reason != "" {
		return scoring.Check{}, reason
	}
	if ask.other != nil {
		high, reason := r.ask(ctx, k, ask, ask.other)
		if reason != "" {
			return scoring.Check{}, reason
		}
		if low.Score != high.Score {
			return scoring.Check{}, shown(fmt.Sprintf("between %d and %d of 10: %s", low.Score, high.Score, ask.open))
		}
	}
	if low.Score == 0 && ask.zero != "" || low.Score < 10 && ask.less != "" {
		return scoring.Check{}, shown(ask.zero + ask.less)
	}
	if ask.note != "" {
		low.Reason = shown(low.Reason + " (" + ask.note + ")")
	}
	r.used = append(r.used, r.pending...)
	return low, ""
}

// ask lets the library judge what a client shows.
func (r *run) ask(ctx context.Context, k check, a question, c *client) (scoring.Check, string) {
	ctx, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	own := *c
	own.ctx, own.tree, own.repo, own.broke = ctx, r.tree, r.name(), &failure{}
	request := checker.CheckRequest{
		Ctx: ctx, RepoClient: &own, Repo: own.repo, Dlogger: silent{}, RawResults: &checker.RawResults{},
		CIIClient: a.badge, VulnerabilitiesClient: a.advisories,
	}
	if a.fuzz != nil { // a nil pointer in an interface is not nil
		request.OssFuzzRepo = a.fuzz
	}
	result, err := call(ctx, k.judge, &request)
	if err != nil {
		return scoring.Check{}, complaint(err)
	}
	if err := own.broke.first(); err != nil {
		return scoring.Check{}, shown(err.Error())
	}
	if result.Error != nil {
		return scoring.Check{}, complaint(result.Error)
	}
	if result.Score < checker.MinResultScore || result.Score > checker.MaxResultScore {
		return scoring.Check{}, shown(cmp.Or(a.none, "inconclusive: "+result.Reason))
	}
	if reason := withoutOwnCode(&result); reason != "" {
		return scoring.Check{}, shown(reason)
	}
	out := scoring.Check{Name: k.name, Score: result.Score, Reason: shown(result.Reason), Findings: findings(result.Findings)}
	if n := unparsed(result.Findings); n > 0 {
		out.Reason = shown(fmt.Sprintf("%s (%d could not be parsed)", out.Reason, n))
	}
	return out, ""
}

// unparsed counts what the library left out.
func unparsed(all []finding.Finding) int {
	n := 0
	for i := range all {
		if all[i].Outcome == finding.OutcomeError {
			n++
		}
	}
	return n
}

// call runs a check that may panic or never end. One that never ends is left behind: it stops at its next question, since
// the context of its client has ended.
func call(ctx context.Context, judge checker.CheckFn, request *checker.CheckRequest) (checker.CheckResult, error) {
	type answer struct {
		result checker.CheckResult
		err    error
	}
	done := make(chan answer, 1)
	go func() {
		var a answer
		defer func() {
			if p := recover(); p != nil {
				a.err = fmt.Errorf("the library broke off (%T)", p)
			}
			done <- a
		}()
		a.result = judge(request)
	}()
	select {
	case a := <-done:
		return a.result, a.err
	case <-ctx.Done():
		return checker.CheckResult{}, fmt.Errorf("it did not end in time")
	}
}

// name splits the address of the repository.
func (r *run) name() repo {
	address := cmp.Or(r.known.Repo, r.project.Repo)
	if _, rest, ok := strings.Cut(address, "://"); ok {
		address = rest
	}
	host, path, _ := strings.Cut(strings.TrimSuffix(strings.TrimSuffix(address, "/"), ".git"), "/")
	if _, after, ok := strings.Cut(host, "@"); ok {
		host = after
	}
	return repo{strings.ToLower(host), path}
}

// badWhenTrue lists the probes whose question asks for something bad (probes/*/def.yml, onOutcome). Findings do not tell: the
// library drops their remedy on the way.
func badWhenTrue() []string {
	return []string{
		"archived", "createdRecently", "hasBinaryArtifacts", "hasDangerousWorkflowScriptInjection",
		untrustedCheckout, "hasOSVVulnerabilities", "hasUnverifiedBinaryArtifacts",
	}
}

// rank orders findings: 0 should be mended, 1 may have to be, 2 is good or says nothing.
func rank(f *finding.Finding) int {
	bad := finding.OutcomeFalse
	if slices.Contains(badWhenTrue(), f.Probe) {
		bad = finding.OutcomeTrue
	}
	// A job that declares nothing has the rights of its workflow.
	undeclared := f.Probe == "jobLevelPermissions" && f.Values["permissionLevel"] == "undeclared"
	switch {
	case f.Probe == "hasNoGitHubWorkflowPermissionUnknown":
		return 2
	case f.Outcome == finding.OutcomeError, f.Outcome == bad && undeclared:
		return 1
	case f.Outcome == bad:
		return 0
	}
	return 2
}

// findings keeps what probes saw: what should be mended first, then by probe, path and line.
func findings(all []finding.Finding) []scoring.Finding {
	type ranked struct {
		scoring.Finding
		rank int
	}
	list := make([]ranked, 0, len(all))
	for i := range all {
		f := ranked{scoring.Finding{Probe: all[i].Probe, Outcome: string(all[i].Outcome)}, rank(&all[i])}
		if at := all[i].Location; at != nil && at.Type != finding.FileTypeURL {
			f.Path = shown(at.Path)
			if at.LineStart != nil {
				f.Line = int(min(*at.LineStart, 1<<30))
			}
		}
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), strings.Compare(a.Probe, b.Probe), strings.Compare(a.Path, b.Path),
			cmp.Compare(a.Line, b.Line), strings.Compare(a.Outcome, b.Outcome))
	})
	list = slices.Compact(list)
	var out []scoring.Finding
	for _, f := range list[:min(len(list), maxFindings)] {
		out = append(out, f.Finding)
	}
	return out
}

// silent drops the details that the library writes for people: they hold text of the repository.
type silent struct{}

func (silent) Info(*checker.LogMessage)     {}
func (silent) Warn(*checker.LogMessage)     {}
func (silent) Debug(*checker.LogMessage)    {}
func (silent) Flush() []checker.CheckDetail { return nil }
