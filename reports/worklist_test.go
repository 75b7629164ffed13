package reports

import (
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

func TestTheOutlookSaysHowFarTheOperatorGetsAlone(t *testing.T) {
	upstream := Task{Requirement: "project-security", Title: "The project handles security well", Kind: "fix", Owner: "upstream", Scopes: []string{"s4"}, Count: 2}
	for name, c := range map[string]struct {
		o    Outlook
		want string
	}{
		"all is reached":    {Outlook{Layer: "iaas", Reached: "s4", Own: "s4"}, ""},
		"own work suffices": {Outlook{Layer: "iaas", Next: "s3", Own: "s4"}, "IaaS: the operator's own work can reach SCS-sovereign IaaS."},
		"if it turns out well": {Outlook{Layer: "iaas", Next: "s3", Own: "s4", OwnOpen: 1},
			"IaaS: the operator's own work can reach SCS-sovereign IaaS, if 1 answer that is not known yet turns out well."},
		"others remain": {Outlook{Layer: "iaas", Reached: "s3", Next: "s4", Own: "s3", Remains: []Task{upstream}},
			"IaaS: the operator's own work can reach SCS-open IaaS. What then remains for SCS-sovereign IaaS lies with upstream projects and distributions: “The project handles security well” (2 subjects)."},
		"nothing alone": {Outlook{Layer: "iaas", Next: "s3", Remains: []Task{{Title: "a", Scopes: []string{"s3"}, Count: 1}}},
			"IaaS: the operator's own work alone reaches none of the levels that were judged. What then remains for SCS-open IaaS lies with upstream projects and distributions: “a” (1 subject)."},
	} {
		r := Report{Verdicts: []Verdict{{Scope: "s3", Title: "SCS-open IaaS"}, {Scope: "s4", Title: "SCS-sovereign IaaS"}}, Worklist: []Outlook{c.o}}
		if got := strings.Join(alone(r), "\n"); !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: want %q, got %q", name, c.want, got)
		}
	}
}

func TestAnEligibleReportNamesWhatIsWaived(t *testing.T) {
	until := time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)
	r := Report{
		Subject:  Subject{Name: "Example"},
		Verdicts: []Verdict{{Scope: "s3", Title: "SCS-open IaaS", Outcome: "eligible", Requested: true, Waived: []string{"a/b"}}},
		Findings: []Finding{{ID: "a/b", Title: "A", Severity: "must", Outcome: audit.FAIL, Reason: "it is not so", Scopes: []string{"s3"},
			Waived: &audit.Waived{By: "Example Assessors", Reason: "soon", Until: until}}},
	}
	if got := decisions(r)[0].Sentence(); !strings.Contains(got, "but for 1 failure that is waived") {
		t.Errorf("the decision hides the waiver: %s", got)
	}
	page, err := HTML(r, Options{})
	if err != nil || !strings.Contains(string(page), "waived until 2027-01-31 by Example Assessors: soon") {
		t.Errorf("the page hides the waiver: %v", err)
	}
}
