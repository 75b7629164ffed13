package openssf

import (
	"context"

	"github.com/ossf/scorecard/v5/checker"
	"github.com/ossf/scorecard/v5/checks"
)

// check is one check of the library with what it must know before it may be asked.
type check struct {
	name string
	// prepare gathers what the check may see. A text says what it lacks: then it is not run.
	prepare func(ctx context.Context, r *run) (question, string)
	judge   checker.CheckFn
}

// question is what one check is asked with.
type question struct {
	client *client
	// other is what the check would see if all that is open were otherwise. Unless both scores agree there is none; open
	// then says what would settle it.
	other *client
	open  string

	badge      badgeClient
	advisories advisoryClient
	fuzz       *fuzzClient // nil: not asked

	zero string // why a score of 0 says nothing
	less string // why a score below 10 says nothing
	none string // what it means that the library is not conclusive; empty: what it says
	note string // added to the reason
}

// all lists the checks of the library in the order of their names.
func all() []check {
	return []check{
		{checks.CheckBinaryArtifacts, binaryArtifacts, checks.BinaryArtifacts},
		{checks.CheckBranchProtection, branchProtection, checks.BranchProtection},
		{checks.CheckCITests, ciTests, checks.CITests},
		{checks.CheckCIIBestPractices, bestPractices, checks.CIIBestPractices},
		{checks.CheckCodeReview, codeReview, checks.CodeReview},
		{checks.CheckContributors, contributors, checks.Contributors},
		{checks.CheckDangerousWorkflow, workflows, checks.DangerousWorkflow},
		{checks.CheckDependencyUpdateTool, dependencyUpdates, checks.DependencyUpdateTool},
		{checks.CheckFuzzing, fuzzing, checks.Fuzzing},
		{checks.CheckLicense, licence, checks.License},
		{checks.CheckMaintained, maintained, checks.Maintained},
		{checks.CheckPackaging, never("how the workflow that publishes packages ran; no collector reads that"), checks.Packaging},
		{checks.CheckPinnedDependencies, pinned, checks.PinningDependencies},
		{checks.CheckSAST, staticAnalysis, checks.SAST},
		{checks.CheckSBOM, never("not run: the library calls it experimental"), checks.SBOM},
		{checks.CheckSecurityPolicy, securityPolicy, checks.SecurityPolicy},
		{checks.CheckSignedReleases, signedReleases, judgeReleases},
		{checks.CheckTokenPermissions, workflows, checks.TokenPermissions},
		{checks.CheckVulnerabilities, vulnerabilities, checks.Vulnerabilities},
		{checks.CheckWebHooks, never("not run: the library calls it experimental"), checks.WebHooks},
	}
}

func never(why string) func(context.Context, *run) (question, string) {
	return func(context.Context, *run) (question, string) { return question{}, why }
}
