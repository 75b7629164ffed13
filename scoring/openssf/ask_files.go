package openssf

import (
	"bytes"
	"context"
	"path"
	"strings"

	"github.com/ossf/scorecard/v5/clients"

	"github.com/pegel-audit/pegel/scoring"
)

// The checks that read files. What the library finds there is certain; what it does not find may be elsewhere, and is a
// zero only where nothing else could have told.

// licence knows licence files by name. A tree with one of another name is not without a licence.
func licence(_ context.Context, r *run) (question, string) {
	q := question{client: &client{}}
	other := func(name string) bool {
		name = strings.ToUpper(name)
		return strings.HasPrefix(name, "LICENSES/") || !strings.Contains(name, "/") &&
			(strings.Contains(name, "LICENSE") || strings.Contains(name, "LICENCE") || strings.Contains(name, "COPYING"))
	}
	if r.tree.any(other) {
		q.zero = "the licence file has a name that the library does not know"
	}
	return q, ""
}

// binaryArtifacts cannot know whether the workflow that verifies a Gradle wrapper succeeded; without, it counts a verified
// wrapper as a binary file.
func binaryArtifacts(ctx context.Context, r *run) (question, string) {
	q := question{client: &client{reads: heads}}
	wrapper := r.tree.any(func(name string) bool { return path.Base(name) == "gradle-wrapper.jar" })
	if !wrapper {
		return q, ""
	}
	for _, name := range r.tree.paths {
		if !isWorkflow(name) {
			continue
		}
		text, err := r.tree.contents(ctx, name, words)
		if err != nil || bytes.Contains(text, []byte("wrapper-validation")) {
			q.less = "needs to know whether the workflow that verifies the Gradle wrapper succeeded"
		}
	}
	return q, ""
}

// workflows is for checks that look at GitHub workflows only.
func workflows(_ context.Context, r *run) (question, string) {
	switch {
	case !r.onGitHub():
		return question{}, scoring.DoesNotApply + "no GitHub workflows, the project is not on GitHub"
	case !r.tree.any(isWorkflow):
		return question{}, scoring.DoesNotApply + "no GitHub workflows"
	}
	return question{client: &client{}}, ""
}

// pinned looks at scripts and container files everywhere, and at workflows where they run.
func pinned(_ context.Context, r *run) (question, string) {
	c := &client{reads: scripts}
	if !r.onGitHub() {
		c.shows = func(name string) bool { return !strings.HasPrefix(strings.ToLower(name), ".github/") }
	}
	return question{client: c, none: scoring.DoesNotApply + "nothing to pin"}, ""
}

// staticAnalysis sees tools that have a workflow or a configuration file. Those that a forge runs by itself, and those that
// another CI system runs, leave none.
func staticAnalysis(context.Context, *run) (question, string) {
	return question{client: &client{}, less: "no tool in the files; needs the results of CI for each change"}, ""
}

// dependencyUpdates sees the configuration of a tool, and the commits of one. Off GitHub a bot that is configured centrally,
// as that of OpenStack, leaves neither.
func dependencyUpdates(ctx context.Context, r *run) (question, string) {
	c := &client{}
	commits, lacks := r.needCommits(ctx)
	if lacks == "" {
		c.byBot = []clients.Commit{}
		for _, commit := range commits {
			if strings.HasSuffix(commit.Author, "dependabot[bot]@users.noreply.github.com") {
				c.byBot = append(c.byBot, clients.Commit{SHA: commit.ID, Committer: clients.User{ID: dependabotID}})
				break
			}
		}
	}
	q := question{client: c}
	switch {
	case !r.onGitHub():
		q.zero = "no tool in the files; a bot that is configured centrally leaves none"
	case lacks != "":
		q.zero = "no tool in the files; " + lacks
	}
	return q, ""
}

// dependabotID is the number by which the library knows the bot (checks/raw/dependency_update_tool.go).
const dependabotID = 49699333

// fuzzing sees fuzz targets in the repository; those of OSS-Fuzz live there.
func fuzzing(_ context.Context, r *run) (question, string) {
	q := question{client: &client{}}
	listed, lacks := need(r, "to know whether OSS-Fuzz fuzzes it", r.fuzzed)
	if lacks != "" {
		q.zero = "no fuzz target in the files; " + lacks
		return q, ""
	}
	q.fuzz = &fuzzClient{listed: listed}
	return q, ""
}

// securityPolicy sees the files of the repository. A policy may come from the owner of the repository or from the
// foundation; only a forge that shows policies of both kinds can say that there is none.
func securityPolicy(_ context.Context, r *run) (question, string) {
	q := question{client: &client{}}
	home, lacks := need(r, "the record of the forge", r.known.Home)
	if lacks == "" {
		var elsewhere bool
		elsewhere, lacks = need(r, "whether the forge shows one", home.Security)
		if elsewhere {
			lacks = "the forge shows one that lies elsewhere"
		}
	}
	if lacks != "" {
		q.zero = "no policy in the files; " + lacks
	}
	return q, ""
}
