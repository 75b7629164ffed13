package pipeline

import (
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/conformance"
	"github.com/pegel-audit/pegel/audit/declaration"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

// certified is a cloud whose operator says that it holds the certificate, and what a page shows of it.
func certified(t *testing.T) *dossier {
	t.Helper()
	policy, err := policies.Default()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)
	return &dossier{
		contradicted: map[string]string{},
		policy:       policy, stack: stackEvidence{AssessedAt: at, Subject: StackSubject{Kind: "cloud", Exposure: "public"}},
		levels: &conformance.Evidence{Entries: []conformance.Entry{{
			Target:      conformance.Target{Kind: conformance.KindCertificate, Layer: "iaas", Subject: "x"},
			Certificate: &conformance.Certificate{Subject: "x", Scope: conformance.ScopeIaaS, Issued: at.AddDate(0, -3, 0), Page: conformance.CertificateStatus{NamesSubject: true, NamesScope: true}},
		}}},
	}
}

func TestTheLadderSaysOfACertificateWhatTheRuleSays(t *testing.T) {
	d := certified(t)
	if state, reason := d.levelRung("iaas"); state != "undetermined" || !strings.Contains(reason, "by the operator's word") {
		t.Errorf("declared: %s, %s", state, reason)
	}
	said := declaration.Result{ID: "scs-compatible-iaas", Who: "Operator", Outcome: audit.PASS, Declared: true, Reason: "declared; accepted by Reviewer"}
	d.declares = []declaration.Result{said}
	if state, _ := d.levelRung("iaas"); state != "undetermined" {
		t.Errorf("declared twice, accepted by nobody: %s", state)
	}
	said.Review = declaration.Review{Decision: declaration.Accept, Reviewer: "Reviewer"}
	d.declares = []declaration.Result{said}
	if state, reason := d.levelRung("iaas"); state != "reached" || !strings.Contains(reason, "accepted by Reviewer") {
		t.Errorf("accepted by a reviewer: %s, %s", state, reason)
	}
	d.levels.Entries[0].Certificate.Revocations.Listed = true
	if state, _ := d.levelRung("iaas"); state != "failed" {
		t.Errorf("revoked, whatever a reviewer accepted: %s", state)
	}
}

func TestATableSaysOfTestsAloneThatNobodyIsCertified(t *testing.T) {
	pass, declared := reports.StandingAnswer{Outcome: audit.PASS}, reports.StandingAnswer{Outcome: audit.PASS, Declared: true}
	for _, c := range []struct {
		s     reports.Standing
		want  audit.Outcome
		words string
	}{
		{reports.Standing{Tests: pass, Words: "technically met, not certified"}, audit.PART, "technically met, not certified"},
		{reports.Standing{Tests: pass, Certificate: declared, Words: "technically met, certified by the operator's word"}, audit.PART, "technically met, certified by the operator's word"},
		{reports.Standing{Tests: pass, Certificate: pass}, audit.PASS, "certified"},
		{reports.Standing{Tests: reports.StandingAnswer{Outcome: audit.FAIL}, Certificate: pass}, audit.FAIL, "no"},
		{reports.Standing{Certificate: declared}, audit.PART, "declared"},
	} {
		if o, words := levelMark(c.s); o != c.want || words != c.words {
			t.Errorf("%+v: %s %q", c.s, o, words)
		}
	}
}
