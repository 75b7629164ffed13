package pipeline

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/scoring/thirdparty"
)

func TestWordsUnderCollectAreCheckedBeforeAnybodyIsAsked(t *testing.T) {
	read := func(collect string) (*gatherer, error) {
		stack := testStack(t, "containers: {ps: ps.json}", map[string]string{"ps.json": psOf("docker.io/library/memcached:1.6.29"), "who.yaml": "schema: pegel/affiliations/v1\n"})
		name := filepath.Join(stack.Dir, "stack.yaml")
		if err := os.WriteFile(name, append(stack.Bytes, "collect: "+collect+"\n"...), 0o644); err != nil {
			t.Fatal(err)
		}
		stack, err := ReadStack(name)
		if err != nil {
			return nil, err
		}
		return prepare(stack, collectOptions(t))
	}
	for collect, want := range map[string][]string{
		"{indexes: [osv, badge]}":                             {`collect: indexes: unknown word "badge"`, `did you mean "badges"?`},
		"{indexes: [deps.dev]}":                               {`did you mean "depsdev"?`},
		"{indexes: [everything]}":                             {"known are badges, depsdev, ecosystems, osv, repology, scorecard"},
		"{services: {git.example.org: gitlap}}":               {"collect: services: git.example.org", `did you mean "gitlab"?`},
		"{services: {\"https://git.example.org/\": gitlab}}":  {"is no host"},
		"{osv: ./nowhere}":                                    {`collect: osv: "./nowhere"`},
		"{affiliations: [./nobody.yaml]}":                     {`collect: affiliations: "./nobody.yaml"`},
		"{affiliations: [{file: ./who.yaml, at: yesterday}]}": {"collect: affiliations", "yesterday"},
		"{affiliations: [{file: ./who.yaml, from: x}]}":       {`unknown key "from"`},
		"{affiliations: [{at: 2026-01-02}]}":                  {"names no file"},
	} {
		_, err := read(collect)
		var usage *UsageError
		if !errors.As(err, &usage) {
			t.Errorf("%s: got %v, want a usage error", collect, err)
			continue
		}
		for _, text := range want {
			if !strings.Contains(err.Error()+"; "+usage.Hint, text) {
				t.Errorf("%s: %q (%s) lacks %q", collect, err, usage.Hint, text)
			}
		}
	}
	all := ""
	for _, s := range thirdparty.Services() {
		all += string(s) + ", "
	}
	g, err := read("{indexes: [" + all + "], services: {git.example.org: gitea}, affiliations: [who.yaml, {file: who.yaml, at: 2026-01-02, source: \"https://example.org/who\"}]}")
	if err != nil {
		t.Fatal(err)
	}
	options, done, err := g.gitOptions()
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	if got := options.Affiliations; len(got) != 2 || got[1].Source != "https://example.org/who" || got[1].At.Year() != 2026 || !got[0].At.IsZero() {
		t.Errorf("got %+v", got)
	}
}
