package pipeline

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/audit/transparency/openops"
	"github.com/pegel-audit/pegel/audit/transparency/runbook"
)

// measured are public repositories of operators and of the communities around them, with what came out of each at a commit;
// docs/open-operations.md is about the same numbers.
var measured = []struct{ url, commit, found string }{
	{"SovereignCloudStack/hardware-landscape", "98ba03d9a498", "licence Apache-2.0; last human 2026-07-23; topics deploy upgrade backup incident access; 55 documents, 12 playbooks; inventory yes, versions yes, 0 rules; 1 secrets"},
	{"osism/osism.github.io", "e4497687f545", "licence CC-BY-4.0; last human 2026-08-21; topics deploy upgrade backup incident access; 168 documents, 0 playbooks; inventory no, versions no, 0 rules; 0 secrets"},
	{"pluscloudopen/osism-opstools", "ef09631bcce0", "licence Apache-2.0; last human 2023-03-02; topics ; 2 documents, 3 playbooks; inventory yes, versions no, 0 rules; 0 secrets"},
	{"osism/kolla-operations", "ef3fa6ac4214", "licence ; last human 2025-04-25; topics ; 2 documents, 1 playbooks; inventory no, versions no, 154 rules; 0 secrets"},
	{"SovereignCloudStack/k8s-observability", "64c5ef03db6c", "licence Apache-2.0; last human 2024-10-25; topics deploy upgrade access; 23 documents, 0 playbooks; inventory no, versions yes, 1 rules; 0 secrets"},
	{"SovereignCloudStack/open-operations-manifesto", "51cd0c90b7f8", "licence CC-BY-4.0 AND MIT; last human 2026-04-30; topics incident; 2 documents, 0 playbooks; inventory no, versions no, 0 rules; 0 secrets"},
	{"osism/testbed", "a8a90ccb98a4", "licence Apache-2.0; last human 2026-07-24; topics deploy upgrade; 5 documents, 34 playbooks; inventory yes, versions yes, 0 rules; 130 secrets"},
	{"SovereignCloudStack/openstack-health-monitor", "7581540cf5cb", "licence CC-BY-NC-SA-4.0; last human 2025-10-03; topics deploy upgrade backup incident; 4 documents, 0 playbooks; inventory no, versions no, 2 rules; 0 secrets"},
	{"SovereignCloudStack/scs-health-monitor", "c9bc299f7265", "licence Apache-2.0; last human 2025-03-21; topics deploy incident access; 16 documents, 0 playbooks; inventory no, versions no, 1 rules; 0 secrets"},
	{"stackhpc/stackhpc-kayobe-config", "25386a8e2e9e", "licence Apache-2.0; last human 2024-10-22; topics deploy upgrade backup incident; 47 documents, 71 playbooks; inventory yes, versions yes, 131 rules; 1 secrets"},
	{"NixOS/infra", "facf006c17fa", "licence MIT; last human 2026-08-19; topics deploy upgrade access; 28 documents, 0 playbooks; inventory yes, versions yes, 0 rules; 0 secrets"},
	{"osism/cfg-generics", "d1599c629014", "licence ; last human 2025-09-24; topics ; 1 documents, 0 playbooks; inventory yes, versions no, 0 rules; 0 secrets"},
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

// TestWhatOperatorsGaveIsReadAsMeasured repeats what docs/open-operations.md says of organisations that are public about it.
func TestWhatOperatorsGaveIsReadAsMeasured(t *testing.T) {
	dir := os.Getenv("PEGEL_OPERATIONS")
	if dir == "" {
		t.Skip("PEGEL_OPERATIONS names no directory with clones")
	}
	at := time.Date(2026, 8, 22, 0, 0, 0, 0, time.UTC)
	g := &gatherer{opt: Options{Mirrors: []string{dir}, Offline: true}, at: at}
	for _, o := range []struct {
		operator transparency.Operator
		signed   string
	}{
		{transparency.Operator{Name: "OSISM GmbH", Domains: []string{"osism.tech", "osism.cloud"}}, "founding"},
		{transparency.Operator{Name: "plusserver GmbH", Domains: []string{"plusserver.com"}}, "founding"},
		{transparency.Operator{Name: "artcodix GmbH", Domains: []string{"artcodix.com"}}, "supporting"},
		{transparency.Operator{Name: "StackHPC Ltd", Domains: []string{"stackhpc.com"}}, ""},
	} {
		a := openops.Collect(t.Context(), transparency.Target{Kind: transparency.KindOpenOperations}, transparency.World{Open: g.openRepository, At: at, Operator: o.operator})
		if a.Trouble != nil {
			t.Logf("%s: %s", o.operator.Name, a.Trouble.Text)
			continue
		}
		if signed, known := a.OpenOperations.Signed.Get(); known && signed != o.signed {
			t.Errorf("%s: signed %q, want %q", o.operator.Name, signed, o.signed)
		}
		var sum transparency.Contributions
		read := 0
		for _, c := range a.OpenOperations.Repositories {
			n, known := c.Count.Get()
			if known {
				read++
			}
			sum.Commits, sum.Human, sum.Unknown = sum.Commits+n.Commits, sum.Human+n.Human, sum.Unknown+n.Unknown
		}
		t.Logf("%s: %d commits in %d of %d repositories; of %d by people %d are of unknown origin", o.operator.Name, sum.Commits, read, len(a.OpenOperations.Repositories), sum.Human, sum.Unknown)
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
