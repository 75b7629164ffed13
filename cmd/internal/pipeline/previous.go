package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

const (
	previousSchema = "pegel/previous/v1"
	previousHint   = "previous: names the report.json of the last audit of the same subject; leave the key out to judge without it"
	// maxPrevious bounds the last report; that of a large cloud has some ten megabytes.
	maxPrevious = 256 << 20
)

// previousDocument is what the bundle keeps of the last report: what hysteresis needs, and no more, so that a replay gives the
// same bytes and nothing of an earlier audit is published with a later one.
type previousDocument struct {
	Schema     string         `json:"schema"`
	Digest     audit.Digest   `json:"digest"` // of the report, as it was given
	AssessedAt time.Time      `json:"assessed_at"`
	Policy     reports.Policy `json:"policy"`
	Eligible   []string       `json:"eligible"` // scopes, sorted
	// Regions are the scopes that were eligible in each region, sorted; absent: that audit judged no regions.
	Regions map[string][]string `json:"regions,omitempty"`
	Met     []string            `json:"met"`   // findings about projects that were PASS, by id, sorted
	Below   map[string]int      `json:"below"` // findings that were held, with the number of audits in a row
}

// digest names the report; empty if there is none.
func (p *previousDocument) digest() audit.Digest {
	if p == nil {
		return ""
	}
	return p.Digest
}

// readPrevious reads the last report that a stack file names. One that is about another subject, another policy, this day or a
// later one, or that contradicts itself is wrong input: it would hold a level that nobody reached.
func readPrevious(stack Stack, at time.Time, policy *policies.Policy) (*previousDocument, error) {
	if stack.Previous == "" {
		return nil, nil
	}
	data, err := readReport(relativeTo(stack.Dir, stack.Previous))
	if err != nil {
		return nil, usagef(previousHint, "reading stack %q: previous: %w", stack.Name, plainPath(stack.Previous, err))
	}
	var r reports.Report
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, usagef(previousHint, "reading stack %q: previous: %q is no report: %w", stack.Name, stack.Previous, err)
	}
	if err := fits(r, stack, at, policy); err != nil {
		return nil, usagef(previousHint, "reading stack %q: previous: %q %w", stack.Name, stack.Previous, err)
	}
	return condensed(r, audit.DigestOf(data)), nil
}

func readReport(name string) ([]byte, error) {
	info, err := os.Stat(name) // before it is opened: a pipe would be waited for without end
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("no regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxPrevious+1))
	if err == nil && len(data) > maxPrevious {
		err = fmt.Errorf("more than %d MB", maxPrevious>>20)
	}
	return data, err
}

// fits says what is wrong with a report as the last one of a stack.
func fits(r reports.Report, stack Stack, at time.Time, policy *policies.Policy) error {
	switch {
	case r.Schema != reports.Schema:
		return fmt.Errorf("has the schema %q, not %q", clipped(r.Schema), reports.Schema)
	case r.Subject.Name != stack.Subject.Name || r.Subject.Kind != stack.Subject.Kind:
		return fmt.Errorf("is about the %s %q, not about the %s %q", clipped(r.Subject.Kind), clipped(r.Subject.Name), stack.Subject.Kind, stack.Subject.Name)
	case r.WhatIf != nil:
		return errors.New("judges what would be if something else ran (evaluate --what-if), not what was deployed")
	case r.AssessedAt.IsZero() || !r.AssessedAt.Before(at):
		return fmt.Errorf("judges %s, which is not before %s", r.AssessedAt.UTC().Format(time.RFC3339), at.UTC().Format(time.RFC3339))
	case r.Policy.ID != policy.ID():
		return fmt.Errorf("was decided by the policy %q, not by %q", clipped(r.Policy.ID), policy.ID())
	}
	for _, v := range r.Verdicts {
		for _, f := range r.Findings {
			if !slices.Contains(f.Scopes, v.Scope) || !blocked(f, r, policy) {
				continue
			}
			if v.Outcome == policies.Eligible {
				return fmt.Errorf("contradicts itself: %s is eligible although %q does not hold", clipped(v.Scope), clipped(f.ID))
			}
			for _, x := range v.Regions {
				if x.Outcome == policies.Eligible && (len(f.Regions) == 0 || slices.Contains(f.Regions, x.Region)) {
					return fmt.Errorf("contradicts itself: %s is eligible in region %s although %q does not hold there", clipped(v.Scope), clipped(x.Region), clipped(f.ID))
				}
			}
		}
	}
	return nil
}

// blocked reports whether no scope that asks for it can have been eligible with this finding. How another version of the policy
// takes waivers is not known.
func blocked(f reports.Finding, r reports.Report, policy *policies.Policy) bool {
	waived := f.Outcome == audit.FAIL && f.Waived != nil && (r.Policy.Digest != policy.Digest() || !policy.WaivedMustBlocks())
	known := f.Outcome == audit.PASS || f.Outcome == audit.NA
	return f.Severity == policies.Must && !known && f.Probation == 0 && !waived && !notYet(f.Requirement, r.AssessedAt, policy)
}

// notYet says that a requirement was not effective at a moment, so that its failure did not block.
func notYet(requirement string, at time.Time, policy *policies.Policy) bool {
	q, ok := policy.Requirement(requirement)
	return !ok || q.EffectiveOn.After(at)
}

// clipped makes a text of a foreign report fit for a message.
func clipped(s string) string {
	const most = 80
	s = strings.ToValidUTF8(s, "\uFFFD")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func condensed(r reports.Report, digest audit.Digest) *previousDocument {
	p := &previousDocument{
		Schema: previousSchema, Digest: digest, AssessedAt: r.AssessedAt.UTC().Truncate(time.Second), Policy: r.Policy,
		Eligible: []string{}, Met: []string{}, Below: map[string]int{},
	}
	for _, v := range r.Verdicts {
		if v.Outcome == policies.Eligible {
			p.Eligible = append(p.Eligible, v.Scope)
		}
		for _, r := range v.Regions {
			if p.Regions == nil {
				p.Regions = map[string][]string{}
			}
			p.Regions[r.Region] = orEmpty(p.Regions[r.Region])
			if r.Outcome == policies.Eligible {
				p.Regions[r.Region] = append(p.Regions[r.Region], v.Scope)
			}
		}
	}
	for _, f := range r.Findings {
		switch {
		case f.Subject.Kind != policies.KindProject:
		case f.Outcome == audit.PASS:
			p.Met = append(p.Met, f.ID)
		case f.Probation > 0:
			p.Below[f.ID] = f.Probation
		}
	}
	slices.Sort(p.Eligible)
	for _, scopes := range p.Regions {
		slices.Sort(scopes)
	}
	slices.Sort(p.Met)
	return p
}

// otherRules says why the last audit holds nothing in this one; empty if it does.
func (d *dossier) otherRules() string {
	switch p := d.previous; {
	case p == nil:
		return "no last report was given"
	case p.Policy.ID != d.policy.ID() || p.Policy.Digest != d.policy.Digest():
		return "it was decided by other rules: " + p.Policy.ID + " " + p.Policy.Version + " " + string(p.Policy.Digest)
	}
	return ""
}

// before is the last audit as the rules see it; nil if there is none, or if it went by other rules: a gate that was moved is
// no quiet quarter.
func (d *dossier) before() *policies.Previous {
	if d.otherRules() != "" {
		return nil
	}
	p := &policies.Previous{AssessedAt: d.previous.AssessedAt, Eligible: map[string]bool{}, Met: map[string]bool{}, Below: maps.Clone(d.previous.Below)}
	for _, s := range d.previous.Eligible {
		p.Eligible[s] = true
	}
	for region, scopes := range d.previous.Regions {
		if p.Regions == nil {
			p.Regions = map[string]map[string]bool{}
		}
		p.Regions[region] = map[string]bool{}
		for _, s := range scopes {
			p.Regions[region][s] = true
		}
	}
	for _, id := range d.previous.Met {
		p.Met[id] = true
	}
	return p
}

// previousRow names the last audit in the report.
func (d *dossier) previousRow() *reports.Previous {
	if d.previous == nil {
		return nil
	}
	return &reports.Previous{AssessedAt: d.previous.AssessedAt, Digest: d.previous.Digest, Unused: d.otherRules()}
}
