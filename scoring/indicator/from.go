package indicator

import "github.com/pegel-audit/pegel/scoring"

// part is a part of the evidence, or of what is known about the project, that answers a question.
type part int

const (
	partHistory part = iota
	partReleases
	partTree
	partLicences
	partLicenceHistory
	partChecks
	partGovernance
	partCycles
	partDeployed
	partShared
	partHome
	partChanges
	partIssues
	partRuns
	partRules
	partTeam
	partAdvisories
	partBadges
	partPackaging
	partUsers
	partWord // a declaration
)

// source is the place that a part comes from.
func (p part) source() string {
	switch p {
	case partHistory, partReleases, partTree, partLicences, partLicenceHistory, partChecks:
		return scoring.FromGit
	case partGovernance:
		return scoring.FromFoundation
	case partCycles:
		return scoring.FromLifecycle
	case partDeployed, partShared:
		return scoring.FromStack
	case partHome, partChanges, partIssues, partRuns, partRules, partTeam:
		return scoring.FromForge
	case partAdvisories, partBadges, partPackaging, partUsers:
		return scoring.FromThirdParty
	}
	return scoring.FromDeclaration
}

// read reports whether a part is known already.
func (p part) read(e *scoring.Evidence, of *scoring.Project) bool {
	switch p {
	case partHistory:
		return e.History.Value != nil
	case partReleases:
		return e.Releases.Value != nil
	case partTree:
		return e.Tree.Value != nil
	case partLicences:
		for _, l := range e.Licences {
			if l.Value == nil {
				return false
			}
		}
		return len(e.Licences) > 0
	case partLicenceHistory:
		return e.LicenceHistory.Value != nil
	case partChecks:
		return e.Checks.Value != nil
	case partGovernance:
		return e.Governance.Value != nil
	case partCycles:
		return e.Cycles.Value != nil
	case partDeployed:
		return of.Deployed.Value != nil
	case partShared:
		return e.Shared.Value != nil
	case partHome:
		return e.Home.Value != nil
	case partChanges:
		return e.Changes.Value != nil
	case partIssues:
		return e.Issues.Value != nil
	case partRuns:
		return e.Runs.Value != nil
	case partRules:
		return e.Rules.Value != nil
	case partTeam:
		return e.Team.Value != nil
	case partAdvisories:
		return e.Advisories.Value != nil
	case partBadges:
		return e.Badge.Value != nil
	case partPackaging:
		return e.Packaging.Value != nil
	case partUsers:
		return e.Dependents.Value != nil
	}
	return false
}

// from names the cheapest place that could tell what an indicator does not know: that of the first of its parts that nobody
// has read, else that of the last: what was read did not suffice, and has to be read in full or said by somebody.
func from(id string, e *scoring.Evidence, p *scoring.Project) string {
	parts := answeredBy(id)
	if len(parts) == 0 {
		return ""
	}
	for _, one := range parts {
		if !one.read(e, p) {
			return one.source()
		}
	}
	return parts[len(parts)-1].source()
}

// answeredBy lists the parts of the evidence that an indicator is answered from, the cheapest first (reference: column
// Evidence of the table of indicators).
func answeredBy(id string) []part {
	switch id {
	case "AC-02", "AC-03", "AC-04", "AC-05", "LR-01", "LR-02", "MA-05", "MA-14", "OC-11", "OS-08", "OV-01":
		return []part{partHistory}
	case "OC-01", "OC-02", "OC-03", "OV-03": // who works for whom is known, or has to be told
		return []part{partHistory, partWord}
	case "AC-01":
		return []part{partHistory, partHome}
	case "LR-03", "OV-02":
		return []part{partHistory, partChanges}
	case "LR-04":
		return []part{partHistory, partGovernance, partHome, partTeam, partWord}
	case "LR-06":
		return []part{partHistory, partTree, partLicences}
	case "MA-01", "MA-04", "MA-15":
		return []part{partReleases}
	case "MA-02":
		return []part{partReleases, partCycles}
	case "MA-06", "MA-12", "OD-02", "OS-02", "OS-03":
		return []part{partTree}
	case "AC-06", "LR-08", "MA-03", "MA-11", "MA-13", "OC-10", "OD-01", "OD-04", "OS-05", "OS-07", "OV-04", "SE-15":
		return []part{partTree, partWord}
	case "SE-07", "SE-08", "SE-09", "SE-10", "SE-11":
		return []part{partTree, partChecks}
	case "OS-01":
		return []part{partLicences}
	case "OS-04":
		return []part{partTree, partLicences}
	case "OS-09":
		return []part{partTree, partLicences, partWord}
	case "OS-06":
		return []part{partLicenceHistory}
	case "LR-05":
		return []part{partTree, partLicenceHistory, partGovernance, partHome, partWord}
	case "OC-06":
		return []part{partTree, partGovernance}
	case "OC-05":
		return []part{partTree, partGovernance, partTeam}
	case "OC-07":
		return []part{partGovernance, partHome}
	case "OC-08":
		return []part{partGovernance}
	case "OC-09", "SE-01":
		return []part{partTree, partGovernance, partHome}
	case "SE-02":
		return []part{partTree, partGovernance, partWord}
	case "OC-12", "SE-14":
		return []part{partGovernance, partWord}
	case "LR-10":
		return []part{partTree, partHome, partWord}
	case "SE-06", "OV-09":
		return []part{partTree, partHome}
	case "OV-05":
		return []part{partHome, partWord}
	case "MA-07":
		return []part{partTree, partChanges, partRules}
	case "OV-08":
		return []part{partTree, partRuns}
	case "OD-03":
		return []part{partTree, partChanges}
	case "OC-04", "OV-07":
		return []part{partChanges}
	case "OV-06":
		return []part{partChanges, partIssues}
	case "MA-09", "MA-10", "OD-05":
		return []part{partIssues}
	case "MA-08":
		return []part{partRuns}
	case "SE-12":
		return []part{partRules}
	case "SE-03", "SE-04":
		return []part{partAdvisories}
	case "SE-05":
		return []part{partReleases, partAdvisories}
	case "SE-13":
		return []part{partBadges}
	case "AC-08":
		return []part{partPackaging}
	case "AC-09":
		return []part{partUsers}
	case "AC-11":
		return []part{partShared}
	case "LR-09", "OS-10":
		return []part{partDeployed}
	case "AC-07", "AC-10", "LR-07", "LR-11", "OD-06": // LR-07: an entry of the catalogue is somebody's word with a source
		return []part{partWord}
	}
	return nil
}
