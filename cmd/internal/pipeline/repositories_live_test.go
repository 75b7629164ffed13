package pipeline

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/audit/transparency/runbook"
)

// measured are public repositories of operators and of the communities around them; docs/open-operations.md has what came out.
var measured = []string{
	"https://github.com/SovereignCloudStack/hardware-landscape", "https://github.com/osism/osism.github.io", "https://github.com/pluscloudopen/osism-opstools",
	"https://github.com/osism/kolla-operations", "https://github.com/SovereignCloudStack/k8s-observability", "https://github.com/SovereignCloudStack/open-operations-manifesto",
	"https://github.com/osism/testbed", "https://github.com/SovereignCloudStack/openstack-health-monitor", "https://github.com/SovereignCloudStack/scs-health-monitor",
	"https://github.com/stackhpc/stackhpc-kayobe-config", "https://github.com/NixOS/infra", "https://github.com/osism/cfg-generics",
}

// TestPublicRepositoriesAreReadAsMeasured repeats the measurement on the clones below PEGEL_OPERATIONS (directories
// owner/name, bare or not). It needs no network.
func TestPublicRepositoriesAreReadAsMeasured(t *testing.T) {
	dir := os.Getenv("PEGEL_OPERATIONS")
	if dir == "" {
		t.Skip("PEGEL_OPERATIONS names no directory with clones")
	}
	at := time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	g := &gatherer{opt: Options{Mirrors: []string{dir}, Offline: true}, at: at}
	for _, url := range measured {
		a := runbook.Collect(context.Background(), transparency.Target{Kind: transparency.KindRunbooks, Repositories: []string{url}}, transparency.World{Open: g.openRepository, At: at})
		if a.Trouble != nil {
			t.Logf("%s: %s", url, a.Trouble.Text)
			continue
		}
		t.Log(lineOf(a.Runbooks.Places[0]), a.Notes)
	}
}

func lineOf(p transparency.Place) string {
	topics := []string{}
	for _, topic := range p.Topics {
		topics = append(topics, fmt.Sprintf("%s: %s:%d", topic.Topic, topic.Path, topic.Line))
	}
	kinds := map[string]int{}
	for _, s := range p.Secrets {
		kinds[s.Kind]++
	}
	licence, _ := p.Licence.Get()
	open, _ := p.Open.Get()
	last, _ := p.LastHuman.Get()
	seen, _ := p.SecretsSeen.Get()
	return fmt.Sprintf("\n%s %q (%s) open %v %s documents %d playbooks %d inventory %v versions %v rules %d secrets %d %v\n  %s",
		p.URL, licence, p.Licence.Failure, open, last.Format(time.DateOnly), p.Documents, p.Playbooks, p.Inventory, p.Versions, p.Rules, seen, kinds, strings.Join(topics, "\n  "))
}
