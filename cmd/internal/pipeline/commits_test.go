package pipeline

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestAdvisoriesThatNameCommitsOnlyAreDecidedByTheClone(t *testing.T) {
	opt := collectOptions(t, mirror(t, "memcached"))
	out, err := exec.Command("git", "-C", filepath.Join(opt.Mirrors[0], "memcached"), "rev-parse", "1.6.29").Output()
	if err != nil {
		t.Fatal(err)
	}
	tagged, elsewhere := strings.TrimSpace(string(out)), strings.Repeat("2", 40)
	dump := t.TempDir()
	// Records of the form of OSV (schema 1.7) for a repository without any package.
	for id, events := range map[string]string{
		"CVE-2026-0101": `{"introduced": "0"}, {"fixed": "` + tagged + `"}`,
		"CVE-2026-0102": `{"introduced": "` + elsewhere + `"}`,
		"CVE-2026-0103": `{"introduced": "0"}, {"fixed": "` + elsewhere + `"}`,
	} {
		text := fmt.Sprintf(`{"schema_version": "1.7.0", "id": %q, "modified": "2026-06-20T00:00:00Z", "published": "2026-06-01T00:00:00Z",
			"affected": [{"ranges": [{"type": "GIT", "repo": "https://github.com/memcached/memcached", "events": [%s]}]}]}`, id, events)
		if err := os.WriteFile(filepath.Join(dump, id+".json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stack := testStack(t, "containers: {ps: ps.json}", map[string]string{"ps.json": psOf("docker.io/library/memcached:1.6.29")})
	stack.Collect.OSV = dump
	if _, err := Collect(t.Context(), stack, opt); err != nil {
		t.Fatal(err)
	}
	e := evidenceIn(t, opt.Bundle)["memcached"]
	a, ok := e.Advisories.Get()
	found := string(must(json.Marshal([]any{a.Deployed, a.Unclear}))(t))
	if !ok || strings.Contains(found, "CVE-2026-0101") || strings.Contains(found, "CVE-2026-0102") || !strings.Contains(found, "CVE-2026-0103") {
		t.Errorf("the tag holds the fix of 0101 and not the flaw of 0102; 0103 is open: %v, %s (%s)", ok, found, e.Advisories.Failure)
	}
}
