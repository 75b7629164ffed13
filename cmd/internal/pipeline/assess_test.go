package pipeline

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/bundle"
	"github.com/pegel-audit/pegel/scoring"
)

// withRules copies a bundle and changes its policy on the way, so that every digest is right again.
func withRules(t *testing.T, dir, old, new string) string {
	t.Helper()
	b := must(bundle.Open(dir))(t)
	out := filepath.Join(t.TempDir(), "b")
	w := must(bundle.Create(out, b.Evidence().AssessedAt))(t)
	changed := false
	for _, e := range b.Evidence().Blobs {
		if e.Withheld != "" {
			if err := w.AddEntry(e, nil); err != nil {
				t.Fatal(err)
			}
			continue
		}
		data := must(b.Read(e.Digest))(t)
		if e.Kind == "policy" && bytes.Contains(data, []byte(old)) {
			data, changed = bytes.ReplaceAll(data, []byte(old), []byte(new)), true
			e.Digest, e.Size = audit.DigestOf(data), int64(len(data))
		}
		if err := w.AddEntry(e, data); err != nil {
			t.Fatal(err)
		}
	}
	if !changed {
		t.Fatalf("no policy file holds %q", old)
	}
	must(w.Close())(t)
	return out
}

func TestABundleCannotBringItsOwnRulesUnnoticed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "b")
	stack := must(ParseStack([]byte("schema: pegel/stack/v1\nsubject: {name: t, kind: cloud}\nscopes: [scs-open-iaas]\nat: 2026-07-22\nsources:\n  - image: {ref: 'oci:i'}\n"), "stack.yaml"))(t)
	stack.Dir = t.TempDir()
	image(t, filepath.Join(stack.Dir, "i"), vaultName, debian("hello", "1.0"))
	must(Gather(t.Context(), stack, Options{Version: "test", Now: truthNow, Offline: true, Bundle: dir, TempDir: t.TempDir()}))(t)
	if _, err := Assess(dir, AssessOptions{}); err != nil {
		t.Fatalf("the honest bundle: %v", err)
	}

	bent := withRules(t, dir, "severity: must", "severity: should")
	_, err := Assess(bent, AssessOptions{})
	var usage *UsageError
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), "rules of its own") {
		t.Fatalf("got %v, want a refusal", err)
	}
	_, digest, ok := strings.Cut(usage.Hint, "--policy ")
	digest, _, _ = strings.Cut(digest, ";")
	if !ok {
		t.Fatalf("the hint %q names no digest", usage.Hint)
	}
	r, err := Assess(bent, AssessOptions{Policy: digest})
	if err != nil || !strings.HasSuffix(digest, "@"+string(r.Policy.Digest)) || r.Policy.Origin != PolicyGiven {
		t.Errorf("accepted by digest: got %v and policy %s, want %s", err, r.Policy.Digest, digest)
	}
	if _, err := Assess(bent, AssessOptions{Policy: "sha256:" + strings.Repeat("0", 64)}); err == nil {
		t.Error("another digest is accepted")
	}
}

func TestADamagedBundleIsNotJudged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "b")
	stack := must(ParseStack([]byte(goodStack), "stack.yaml"))(t)
	stack.Dir = t.TempDir()
	must(Gather(t.Context(), stack, Options{Version: "test", Now: truthNow, Offline: true, Bundle: dir}))(t)
	if err := os.WriteFile(filepath.Join(dir, "verify.txt"), []byte("trust me\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Assess(dir, AssessOptions{}); !errors.Is(err, bundle.ErrIntegrity) {
		t.Errorf("got %v, want an integrity error", err)
	}
}

func TestRecordedEvidenceOfAForkIsNotEvidenceOfTheProject(t *testing.T) {
	p := scoring.Project{ID: "keystone", Repo: "https://opendev.org/openstack/keystone", Mirror: "https://github.com/openstack/keystone"}
	for repo, want := range map[string]bool{
		"https://opendev.org/openstack/keystone":    true,
		"https://github.com/openstack/keystone.git": true,
		"https://github.com/somebody/keystone":      false,
		"":                                          false,
		"local clone":                               false,
	} {
		rec := recording{evidence: map[string]scoring.Evidence{"keystone": {Project: "keystone", Repo: repo}}}
		if _, got := rec.of(p); got != want {
			t.Errorf("%q: got %v, want %v", repo, got, want)
		}
	}
}
