package pipeline

import (
	"reflect"
	"slices"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/policies"
)

// operatorFields says which fact of a rule each indicator about an operator answers. An indicator without one is shown and
// decides nothing.
func operatorFields() map[string]string {
	return map[string]string{
		"SP-01": "statusPage", "SP-02": "incidentHistory", "SP-03": "incidentDetails", "SP-04": "maintenanceAnnounced",
		"SP-05": "statusCurrent", "SP-06": "errorsExplained",
		"IR-01": "incidentReports", "IR-02": "reportsComplete", "IR-03": "reportsTimely",
		"HM-01": "healthMonitor", "HM-02": "monitorHistory",
		"RB-01": "runbooksOpen", "RB-02": "runbooks", "RB-03": "runbooksCurrent", "RB-04": "noSecrets",
		"CF-01": "configurationOpen", "CF-02": "configurationClean",
		"OO-01": "manifestoSigned", "OO-02": "contributes", "OO-03": "contributesUpstream", "OO-04": "sharesKnowledge",
		"SB-01": "sbomPublished", "SB-02": "sbomStates", "SB-03": "sbomMatches",
		"SC-01": "securityContact", "SC-02": "securitySigned",
		"AD-01": "advisories", "AD-02": "advisoriesTimely", "AD-03": "advisoriesComplete",
		"IM-01": "imprint", "CP-01": "certificatePage",
		"UF-01": "patchesPublic", "UF-02": "patchesLinked", "ID-01": "identityFederation",
	}
}

// operatorDeclared lists the facts about an operator that nobody can see from outside: no indicator answers them, and only the
// operator's word does. What they lack in evidence a policy makes up for by letting them be declared.
func operatorDeclared() []string {
	return []string{"upgradesTested", "skillsBuilt", "exchangeChannels", "communitiesConnected", "blameless", "feedbackWelcome"}
}

// operatorResults answers every indicator about the operator. Without a look at anything each is MISS.
func (d *dossier) operatorResults() []transparency.Result {
	e := transparency.Evidence{AssessedAt: d.stack.AssessedAt, Exposure: d.stack.Subject.Exposure}
	if d.operator != nil {
		e = *d.operator
	}
	return transparency.Judge(e, transparency.Context{Advisories: d.knownAdvisories()}, d.profiles.Main().Transparency)
}

// operatorSubject turns the answers into the record that rules read.
func (d *dossier) operatorSubject(results []transparency.Result) policies.Subject {
	name := orText(d.stack.Subject.Operator.Name, "the operator")
	sub := policies.Subject{
		Ref:     audit.SubjectRef{Kind: policies.KindOperator, ID: "operator", Name: name},
		Origins: map[string][]audit.Origin{}, Declared: map[string]bool{}, Says: map[string]string{}, Until: map[string]time.Time{}, ObservedAt: map[string]time.Time{},
	}
	var record policies.Operator
	answered := map[string]bool{}
	for _, r := range results {
		field, ok := operatorFields()[r.Indicator.ID]
		if !ok {
			continue
		}
		answered[field] = true
		sub.Origins[field] = r.Origins
		sub.Declared[field] = r.Declared
		if !r.Observed.IsZero() {
			sub.ObservedAt[field] = r.Observed
		}
		switch r.Outcome {
		case audit.PASS, audit.PART, audit.FAIL: // in part is not yet so
			setFact(&record, field, r.Outcome == audit.PASS)
			sub.Says[field] = r.Reason
		case audit.NA:
			setFact(&record, field, true)
			record.NotApplicable = append(record.NotApplicable, field)
		default:
			sub.Unknown = append(sub.Unknown, policies.UnknownField{Field: field, Looked: r.Outcome == audit.DNF, Reason: r.Reason, Settle: r.Settle})
		}
	}
	slices.Sort(record.NotApplicable)
	for _, f := range policies.FieldsOf(policies.KindOperator) {
		if answered[f] || f == "notApplicable" {
			continue
		}
		u := policies.UnknownField{Field: f, Reason: "nobody looked", Settle: []string{"show it to the auditor"}}
		if slices.Contains(operatorDeclared(), f) {
			u.Reason, u.Settle = "nobody outside can see it, and the operator declared nothing", []string{"declare " + policies.KindOperator + "." + f + " (docs/declarations.md)"}
		}
		sub.Unknown = append(sub.Unknown, u)
	}
	sub.Record = record
	d.stateFacts(policies.KindOperator, &sub, func(field string) {
		setFact(&record, field, true)
		sub.Record = record
	})
	return sub
}

// setFact sets a field of the record by the name that rules use.
func setFact(o *policies.Operator, field string, value bool) {
	v := reflect.ValueOf(o).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("cel") == field {
			v.Field(i).SetBool(value)
		}
	}
}

// knownAdvisories lists the advisories that are known to concern deployed versions; nil if nobody looked for those of any.
func (d *dossier) knownAdvisories() []transparency.KnownAdvisory {
	var out []transparency.KnownAdvisory
	for _, id := range sortedKeys(d.evidence) {
		fact := d.evidence[id].Advisories
		found, ok := fact.Get()
		if !ok || found.Deployed == nil {
			continue
		}
		if out == nil {
			out = []transparency.KnownAdvisory{}
		}
		for _, version := range sortedKeys(found.Deployed) {
			for _, a := range found.Deployed[version] {
				severity := a.Severity
				if severity == "unknown" {
					severity = ""
				}
				out = append(out, transparency.KnownAdvisory{ID: a.ID, Project: id, Severity: severity, Published: a.Published, Origins: fact.Origins})
			}
		}
	}
	return out
}
