package pipeline

import (
	"crypto/ed25519"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/bundle"
	"github.com/pegel-audit/pegel/audit/signature"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

// redisBundle is a small cloud that runs a Redis under a licence that is not open source, and a moving tag.
func redisBundle(t *testing.T) string {
	t.Helper()
	ps := psOf("docker.io/library/redis:7.4.10") + strings.ReplaceAll(psOf("quay.io/openstack.kolla/keystone:latest"), "2faa", "3faa")
	stack := testStack(t, "containers: {ps: ps.json}", map[string]string{"ps.json": ps})
	opt := collectOptions(t)
	if _, err := Collect(t.Context(), stack, opt); err != nil {
		t.Fatal(err)
	}
	return opt.Bundle
}

func assessed(t *testing.T, dir string, opt AssessOptions) reports.Report {
	t.Helper()
	opt.Scopes = []string{"scs-sovereign-iaas"}
	r, err := Assess(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAWhatIfShowsWhatAChangeWouldDoAndPassesNothingThatNobodySaw(t *testing.T) {
	dir := redisBundle(t)
	now := assessed(t, dir, AssessOptions{})
	if !hasFail(now, "product-licence-osi", "Redis 7.4.10") || now.WhatIf != nil {
		t.Fatalf("before: Redis 7.4 fails by its licence, and nothing is a thought: %+v", now.WhatIf)
	}
	then := assessed(t, dir, AssessOptions{WhatIf: []Replacement{{From: "redis", To: "valkey", Version: "8.1.0"}}})
	if then.WhatIf == nil || len(then.WhatIf.Changes) != 1 {
		t.Fatal("the report does not say that it is a thought")
	}
	if hasFail(then, "product-licence-osi", "Redis 7.4.10") || !slices.ContainsFunc(then.WhatIf.Gone, func(l reports.WhatIfLine) bool {
		return l.Outcome == audit.FAIL && l.Subject.Name == "Redis 7.4.10"
	}) {
		t.Errorf("Redis still fails, or is not said to be gone: %+v", then.WhatIf.Gone)
	}
	for _, f := range then.Findings {
		if strings.Contains(f.Subject.Name, "in place of") && f.Outcome == audit.PASS {
			t.Errorf("%s passes, and nobody saw it", f.ID)
		}
	}
	for _, v := range then.Verdicts {
		if v.Outcome == policies.Eligible {
			t.Errorf("%s is eligible by a thought alone", v.Scope)
		}
	}
	for _, p := range then.Projects {
		if p.ID == "redis" {
			t.Error("Redis is still a project of the stack")
		}
	}
	text, err := reports.Render("text", then, reports.Options{})
	if err != nil || !strings.HasPrefix(string(text), "What if: redis replaced by valkey 8.1.0. This is a thought and no verdict") {
		t.Errorf("the text does not begin with what it is: %v\n%.200s", err, text)
	}
	if again := assessed(t, dir, AssessOptions{}); len(again.Findings) != len(now.Findings) {
		t.Error("a thought changed the bundle")
	}
}

func hasFail(r reports.Report, requirement, name string) bool {
	return slices.ContainsFunc(r.Findings, func(f reports.Finding) bool {
		return f.Requirement == requirement && f.Subject.Name == name && f.Outcome == audit.FAIL
	})
}

func TestAWhatIfThatMakesNoSenseIsRefusedWithWhatWould(t *testing.T) {
	dir := redisBundle(t)
	for text, want := range map[string]string{
		"replace=redi:valkey": `"redi" is not deployed`, "replace=redis:valki": `no component "valki"`, "remove=redis": "no replacement",
		"replace=redis": "no replacement", "replace=redis:redis": "by itself", "replace=:valkey": "no replacement",
	} {
		c, err := ParseReplacement(text)
		if err == nil {
			_, err = Assess(dir, AssessOptions{WhatIf: []Replacement{c}})
		}
		var usage *UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), want) || usage.Hint == "" {
			t.Errorf("%s: want %q with a hint, got %v", text, want, err)
		}
	}
}

// waiverFile writes a file of waivers and signs it with a new key; allowed is the line that lets that key waive.
func waiverFile(t *testing.T, text string) (f WaiverFile, allowed []byte) {
	t.Helper()
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	sig, err := signature.Sign([]byte(text), pem.EncodeToMemory(block), nil, policies.WaiverNamespace)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "waivers.yaml")
	for file, data := range map[string][]byte{name: []byte(text), name + ".sig": sig} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	line, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	if f, err = ReadWaivers(name); err != nil {
		t.Fatal(err)
	}
	return f, append([]byte("assessor "), ssh.MarshalAuthorizedKey(line)...)
}

func TestASignedWaiverIsShownAndAnythingElseIsNot(t *testing.T) {
	dir := redisBundle(t)
	now := assessed(t, dir, AssessOptions{})
	i := slices.IndexFunc(now.Findings, func(f reports.Finding) bool { return f.Requirement == "artifact-pinned" && f.Outcome == audit.FAIL })
	if i < 0 {
		t.Fatal("the sample has no artifact that is not pinned")
	}
	subject, day := now.Findings[i].Subject.ID, now.AssessedAt.Format("2006-01-02")
	text := "schema: pegel/waiver/v1\nby: Example Assessors\ndate: " + day + "\nwaivers:\n- {requirement: artifact-pinned, subject: " +
		"\"" + subject + "\", reason: The next release names it by version., until: " + now.AssessedAt.AddDate(0, 2, 0).Format("2006-01-02") + "}\n"
	f, allowed := waiverFile(t, text)
	_, others := waiverFile(t, text)
	unsigned, changed := f, f
	unsigned.Signature = nil
	changed.Data = []byte(strings.Replace(text, "The next release", "No release", 1))
	for name, c := range map[string]struct {
		file    WaiverFile
		allowed []byte
		unused  string
	}{
		"signed": {f, allowed, ""}, "unsigned": {unsigned, allowed, "not signed"}, "changed": {changed, allowed, "changed after it was signed"},
		"signed by somebody else": {f, others, "not among those who may waive"},
	} {
		r := assessed(t, dir, AssessOptions{Waivers: []WaiverFile{c.file}, Reviewers: c.allowed})
		got := r.Findings[slices.IndexFunc(r.Findings, func(f reports.Finding) bool { return f.ID == now.Findings[i].ID })]
		if got.Outcome != audit.FAIL || (got.Waived != nil) != (c.unused == "") || len(r.Waivers) != 1 || !strings.Contains(r.Waivers[0].Unused, c.unused) {
			t.Errorf("%s: want a FAIL with unused %q, got %s %+v %+v", name, c.unused, got.Outcome, got.Waived, r.Waivers)
		}
		for j, v := range r.Verdicts {
			if v.Outcome != now.Verdicts[j].Outcome {
				t.Errorf("%s: the verdict of %s changed from %s to %s", name, v.Scope, now.Verdicts[j].Outcome, v.Outcome)
			}
		}
		page, err := reports.Render("html", reports.Redact(r), reports.Options{})
		want := "waived until"
		if c.unused != "" {
			want = "changes nothing"
		}
		if err != nil || !strings.Contains(string(page), want) {
			t.Errorf("%s: the page does not say %q: %v", name, want, err)
		}
	}
}

func TestAWhatIfLeadsToNoEvidenceOfAnotherSubject(t *testing.T) {
	dir := redisBundle(t)
	b, err := bundle.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	elements := func(digest audit.Digest) (out map[string][]map[string]any) {
		data, err := b.Read(digest)
		if err != nil {
			t.Fatal(err)
		}
		lists := map[string]json.RawMessage{}
		if err := json.Unmarshal(data, &lists); err != nil {
			t.Fatal(err)
		}
		out = map[string][]map[string]any{}
		for _, name := range []string{"artifacts", "products", "projects"} {
			var list []map[string]any
			if json.Unmarshal(lists[name], &list) == nil {
				out[name] = list
			}
		}
		return out
	}
	followed := 0
	for _, to := range []string{"barbican", "valkey", "keystone"} { // the list of projects keeps its length in another order, or shrinks
		r := assessed(t, dir, AssessOptions{WhatIf: []Replacement{{From: "redis", To: to, Version: "8.1.0"}}})
		for _, f := range r.Findings {
			for _, g := range f.Grounds {
				for _, p := range g.Places {
					steps := strings.Split(p.Pointer, "/")
					if len(steps) < 3 || steps[1] != "artifacts" && steps[1] != "products" && steps[1] != "projects" {
						continue
					}
					at, err := strconv.Atoi(steps[2])
					if err != nil {
						t.Fatal(err)
					}
					followed++
					x := elements(p.Digest)[steps[1]][at]
					ok := x["id"] == f.Subject.ID
					if steps[1] == "products" {
						ok = strings.HasPrefix(f.Subject.ID, fmt.Sprint(x["project"])+"@") && strings.HasSuffix(f.Subject.ID, " in "+fmt.Sprint(x["artifact"]))
					}
					if !ok {
						t.Errorf("%s: %s leads to %s, which is another subject: %v", f.ID, g.Fact, p.Pointer, x)
					}
				}
			}
			if strings.Contains(f.Subject.Name, "in place of") {
				for _, g := range f.Grounds {
					if len(g.Places) > 0 {
						t.Errorf("%s: %s of what nobody saw leads to %+v", f.ID, g.Fact, g.Places)
					}
				}
			}
		}
	}
	if followed == 0 {
		t.Error("no place was followed")
	}
}
