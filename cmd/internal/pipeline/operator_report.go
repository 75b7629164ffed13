package pipeline

import (
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

// operatorPart is what a reader may see of the operator; nil for a release.
func (d *dossier) operatorPart(results []transparency.Result) *reports.Operator {
	if d.stack.Subject.Kind == "release" {
		return nil
	}
	o := &reports.Operator{Artifacts: []reports.OperatorArtifact{}, Answers: []reports.OperatorAnswer{}}
	if d.operator != nil {
		for _, a := range d.operator.Artifacts {
			o.Artifacts = append(o.Artifacts, operatorArtifact(a))
		}
		for _, s := range d.operator.Searched {
			o.Searched = append(o.Searched, lookOf(s))
		}
	}
	rules := d.profiles.Main().Transparency.Indicators
	severity := d.severities()
	for _, r := range results {
		o.Answers = append(o.Answers, reports.OperatorAnswer{
			ID: r.Indicator.ID, Kind: r.Indicator.Kind, Title: r.Indicator.Question, Outcome: r.Outcome, Value: r.Value, Unit: r.Unit, Reason: r.Reason,
			Settle: r.Settle, Declared: r.Declared, Handed: r.Handed, Origins: r.Origins, Source: rules[r.Indicator.ID].Source, Severity: severity[operatorFields()[r.Indicator.ID]],
		})
	}
	d.levelParts(o)
	return o
}

// severities says of each fact about an operator how much depends on it: must if a must reads it, should if only a should does.
func (d *dossier) severities() map[string]string {
	out := map[string]string{}
	for _, q := range d.policy.Requirements() {
		if q.ForEach != policies.KindOperator {
			continue
		}
		for _, path := range q.Evidence {
			field := strings.TrimPrefix(path, policies.KindOperator+".")
			if out[field] != policies.Must {
				out[field] = q.Severity
			}
		}
	}
	return out
}

func operatorArtifact(a transparency.Artifact) reports.OperatorArtifact {
	row := reports.OperatorArtifact{
		Kind: a.Kind, Title: kindWords(a.Kind), Region: a.Region, Outcome: a.Trouble.Outcome(), URL: a.URL, Handed: a.File, Adapter: a.Adapter,
		Observed: a.Observed(), Newest: a.Newest(), Facts: a.Found(), Notes: a.Notes,
	}
	if a.URL == "" && len(a.Repositories) > 0 {
		row.URL = a.Repositories[0]
	}
	if a.Trouble != nil {
		row.Trouble, row.Settle = a.Trouble.Text, a.Trouble.Settle
	}
	for _, s := range a.Seen {
		row.Looks = append(row.Looks, lookOf(s))
	}
	if a.Why != "" {
		row.Notes = append([]string{"found without being named: " + a.Why}, row.Notes...)
	}
	return row
}

func lookOf(s audit.Seen) reports.Look {
	look := reports.Look{
		URL: s.URL, Final: s.Final, Handed: s.Handed, Status: s.Status, Content: s.Headers["content-type"], At: s.At, Digest: s.Digest,
		Original: s.Original, Size: s.Size,
	}
	if s.Trouble != nil {
		look.Trouble = s.Trouble.Text
	}
	return look
}

// operatorNotSeen lists what an outsider could not see: kinds of which nobody named an address, and artifacts that did not
// answer, each with what would settle it.
func (d *dossier) operatorNotSeen() []reports.Unseen {
	if d.stack.Subject.Kind == "release" {
		return nil
	}
	var out []reports.Unseen
	var unnamed []string
	for _, kind := range transparency.Kinds() {
		if d.operator == nil || len(d.operator.Of(kind)) == 0 {
			unnamed = append(unnamed, kindWords(kind))
		}
	}
	if len(unnamed) > 0 {
		out = append(out, reports.Unseen{
			What: "artifacts of the operator", Reason: "nobody said where they are", Settle: "name them under transparency: in the stack file",
			Count: len(unnamed), Names: unnamed,
		})
	}
	if d.operator == nil {
		return out
	}
	if s := d.operator.Searched; len(s) > 0 && s[0].Trouble != nil {
		out = append(out, reports.Unseen{What: "the operator's site " + s[0].URL, Reason: s[0].Trouble.Text, Settle: s[0].Trouble.Settle})
	}
	var handed []string
	for _, a := range d.operator.Artifacts {
		switch {
		case a.Trouble != nil && a.Trouble.Outcome() != audit.FAIL:
			out = append(out, reports.Unseen{What: kindWords(a.Kind) + " " + orText(a.URL, a.File), Reason: a.Trouble.Text, Settle: a.Trouble.Settle})
		case a.Trouble == nil && a.Handed:
			handed = append(handed, kindWords(a.Kind))
		}
	}
	if len(handed) > 0 {
		out = append(out, reports.Unseen{
			What: "the public side of what was handed over", Reason: "it was handed over as files; nobody saw it at a public address",
			Settle: "publish it and name the addresses", Count: len(handed), Names: handed,
		})
	}
	return slices.Clip(out)
}
