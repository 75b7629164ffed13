package pipeline

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/audit/transparency/runbook"
)

// measured are public repositories of operators and of the communities around them, with what came out of each at a commit;
// docs/open-operations.md is about the same numbers.
var measured = []struct{ url, commit, found string }{
	{"SovereignCloudStack/hardware-landscape", "", ""},
	{"osism/osism.github.io", "", ""},
	{"pluscloudopen/osism-opstools", "", ""},
	{"osism/kolla-operations", "", ""},
	{"SovereignCloudStack/k8s-observability", "", ""},
	{"SovereignCloudStack/open-operations-manifesto", "", ""},
	{"osism/testbed", "", ""},
	{"SovereignCloudStack/openstack-health-monitor", "", ""},
	{"SovereignCloudStack/scs-health-monitor", "", ""},
	{"stackhpc/stackhpc-kayobe-config", "", ""},
	{"NixOS/infra", "", ""},
	{"osism/cfg-generics", "", ""},
}

// TestPublicRepositoriesAreReadAsMeasured repeats the measurement on the clones below PEGEL_OPERATIONS (directories
// owner/name or owner+name, bare or not). It needs no network. A clone at another commit is shown, and not compared.
func TestPublicRepositoriesAreReadAsMeasured(t *testing.T) {
	dir := os.Getenv("PEGEL_OPERATIONS")
	if dir == "" {
		t.Skip("PEGEL_OPERATIONS names no directory with clones")
	}
	at := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	g := &gatherer{opt: Options{Mirrors: []string{dir}, Offline: true}, at: at}
	for _, m := range measured {
		target := transparency.Target{Kind: transparency.KindRunbooks, Repositories: []string{"https://github.com/" + m.url}}
		a := runbook.Collect(t.Context(), target, transparency.World{Open: g.openRepository, At: at})
		if a.Trouble != nil {
			t.Logf("%s: %s", m.url, a.Trouble.Text)
			continue
		}
		p := a.Runbooks.Places[0]
		got := summary(p)
		t.Logf("{%q, %q, %q},", m.url, p.Commit[:12], got)
		if strings.HasPrefix(p.Commit, m.commit) && m.commit != "" && got != m.found {
			t.Errorf("%s at %s\n got %s\nwant %s", m.url, p.Commit, got, m.found)
		}
	}
}

// summary writes what was found of a place on one line.
func summary(p transparency.Place) string {
	var topics []string
	for _, topic := range p.Topics {
		if !slices.Contains(topics, topic.Topic) {
			topics = append(topics, topic.Topic)
		}
	}
	expression, _ := p.Licence.Get()
	last, _ := p.LastHuman.Get()
	secrets, _ := p.SecretsSeen.Get()
	shown := map[bool]string{true: "yes", false: "no"}
	return fmt.Sprintf("licence %s; last human %s; topics %s; %d documents, %d playbooks; inventory %s, versions %s, %d rules; %d secrets", expression,
		last.Format(time.DateOnly), strings.Join(topics, " "), p.Documents, p.Playbooks, shown[p.Inventory], shown[p.Versions], p.Rules, secrets)
}
