//go:build unix

package pipeline

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/reports"
)

// exemplaryBundle audits the exemplary operator offline, by what it hands over.
func exemplaryBundle(t *testing.T, change func(string) string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(operatorsDir, "exemplary"))); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "stack.yaml")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		data = []byte(change(string(data)))
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stack, err := ReadStack(name)
	if err != nil {
		t.Fatal(err)
	}
	bundle := filepath.Join(t.TempDir(), "bundle")
	if _, _, err := Audit(context.Background(), stack, Options{Version: "test", Now: operatorsDay, Offline: true, Bundle: bundle}); err != nil {
		t.Fatal(err)
	}
	return bundle
}

func findingNamed(t *testing.T, r reports.Report, id string) reports.Finding {
	t.Helper()
	for _, f := range r.Findings {
		if f.ID == id {
			return f
		}
	}
	t.Fatalf("there is no finding %s", id)
	return reports.Finding{}
}

// signed signs a text as a reviewer does, and returns it with the list of who may.
func signed(t *testing.T, text string) (AcceptanceFile, []byte) {
	t.Helper()
	if _, err := exec.LookPath("ssh-keygen"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("ssh-keygen is needed")
		}
		t.Skip("ssh-keygen is not on PATH")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "acceptance.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"-q", "-t", "ed25519", "-N", "", "-C", "reviewer", "-f", filepath.Join(dir, "key")},
		{"-q", "-Y", "sign", "-n", "pegel-acceptance", "-f", filepath.Join(dir, "key"), file},
	} {
		if out, err := exec.Command("ssh-keygen", args...).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen %v: %v: %s", args, err, out)
		}
	}
	public, err := os.ReadFile(filepath.Join(dir, "key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := ReadAcceptance(file)
	if err != nil {
		t.Fatal(err)
	}
	return accepted, append([]byte("reviewer "), public...)
}

func TestADeclarationIsTentativeUntilAReviewerAcceptsIt(t *testing.T) {
	const finding = "open-operations-contribution/operator"
	bundle := exemplaryBundle(t, nil)
	before, err := Assess(bundle, AssessOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if f := findingNamed(t, before, finding); f.Outcome != audit.PASS || !f.Declared || !strings.Contains(f.Reason, "declared it on 2026-11-02") {
		t.Errorf("before: %s declared %v: %s", f.Outcome, f.Declared, f.Reason)
	}
	if len(before.Operator.Declarations) != 1 || before.Operator.Declarations[0].Accepted != "" {
		t.Fatalf("declarations: %+v", before.Operator.Declarations)
	}
	acceptance, reviewers := signed(t, "schema: pegel/acceptance/v1\nreviewer: Review Association\nrole: auditor\ndate: 2026-11-23\naccepts:\n  - {declaration: \""+
		string(before.Operator.Declarations[0].Digest)+"\", decision: accept, comment: Seen on the premises.}\n")
	after, err := Assess(bundle, AssessOptions{Acceptances: []AcceptanceFile{acceptance}, Reviewers: reviewers})
	if err != nil {
		t.Fatal(err)
	}
	if f := findingNamed(t, after, finding); f.Outcome != audit.PASS || f.Declared || after.Operator.Declarations[0].Accepted != "Review Association" {
		t.Errorf("after: %s declared %v: %s (%+v)", f.Outcome, f.Declared, f.Reason, after.Operator.Declarations[0])
	}
	acceptance.Data = append(acceptance.Data, '#')
	tampered, err := Assess(bundle, AssessOptions{Acceptances: []AcceptanceFile{acceptance}, Reviewers: reviewers})
	if err != nil {
		t.Fatal(err)
	}
	if f := findingNamed(t, tampered, finding); !f.Declared || len(tampered.Operator.Declarations[0].Notes) == 0 {
		t.Errorf("a changed acceptance counts: declared %v, notes %q", f.Declared, tampered.Operator.Declarations[0].Notes)
	}
}

func TestAnExpiredDeclarationIsMissWithTheDate(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(operatorsDir, "exemplary"))); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "declarations.yaml")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(data), "date: 2026-11-02", "date: 2026-02-02", 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	stack, err := ReadStack(filepath.Join(dir, "stack.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	report, _, err := Audit(context.Background(), stack, Options{Version: "test", Now: operatorsDay, Offline: true, Bundle: filepath.Join(t.TempDir(), "b")})
	if err != nil {
		t.Fatal(err)
	}
	if f := findingNamed(t, report, "open-operations-contribution/operator"); f.Outcome != audit.MISS || !strings.Contains(f.Reason, "expired on 2026-07-01") {
		t.Errorf("%s: %s; want MISS with the date", f.Outcome, f.Reason)
	}
}

func TestWhatWasSeenIsNeverReplacedByADeclaration(t *testing.T) {
	report, err := Assess(exemplaryBundle(t, func(s string) string {
		return strings.Replace(s, "  runbooks: {file: ./runbooks}\n", "", 1)
	}), AssessOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if f := findingNamed(t, report, "runbooks/operator"); f.Outcome != audit.MISS && f.Outcome != audit.DNF {
		t.Errorf("runbooks that nobody handed over are %s: %s", f.Outcome, f.Reason)
	}
	if f := findingNamed(t, report, "prerequisite-held/scs-open-iaas"); f.Outcome == audit.PASS {
		t.Errorf("level 3 of a stack without evidence passes: %s", f.Reason)
	}
}
