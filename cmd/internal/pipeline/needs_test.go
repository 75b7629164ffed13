package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/foundation"
	"github.com/pegel-audit/pegel/scoring/lifecycle"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

func TestAPlanNamesWhomTheCollectorsWouldAskAndNobodyElse(t *testing.T) {
	env := map[string]string{"PEGEL_GITHUB_TOKEN": "canary"}
	stack := testStack(t, "containers: {ps: ps.json}", map[string]string{
		"ps.json": psOf("docker.io/library/memcached:1.6.29") + strings.ReplaceAll(psOf("quay.io/openstack.kolla/keystone:2025.1"), "2faa", "3faa"),
	})
	stack.Collect.Indexes = []string{"depsdev"}
	opt := collectOptions(t)
	opt.Offline, opt.Getenv = false, func(k string) string { return env[k] }
	contacts, err := Plan(stack, opt)
	if err != nil {
		t.Fatal(err)
	}
	list := string(must(json.Marshal(contacts))(t)) + reports.PlanText(contacts)
	right := map[string]string{}
	for _, c := range contacts {
		right[c.Host] += c.Right + ", "
	}
	for host, want := range map[string]string{
		"api.github.com": "token", "review.opendev.org": "anonymous read", "zuul.opendev.org": "anonymous read", "api.launchpad.net": "anonymous read", "api.deps.dev": "anonymous read",
	} {
		if !strings.Contains(right[host], want) {
			t.Errorf("%s is asked with %q, want %q", host, right[host], want)
		}
	}
	for _, want := range []string{"PEGEL_GITHUB_TOKEN", "openstack/governance", "openstack/releases"} {
		if !strings.Contains(list, want) {
			t.Errorf("the plan lacks %q:\n%s", want, list)
		}
	}
	for _, other := range []string{"kubernetes/website", "ceph/ceph", "canary", "repology", "gitlab.com", "apache"} {
		if strings.Contains(list, other) {
			t.Errorf("the plan names %q:\n%s", other, list)
		}
	}
	opt.Offline = true
	contacts, err = Plan(stack, opt)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range contacts {
		if c.Host != "local" {
			t.Errorf("offline, %s is contacted", c.Host)
		}
	}
}

func TestRegistriesAreReadOnlyForProjectsThatNeedThem(t *testing.T) {
	catalogue, err := upstream.Load()
	if err != nil {
		t.Fatal(err)
	}
	huge := map[string][]string{"https://github.com/kubernetes/website": {"kubernetes"}, "https://github.com/ceph/ceph": {"ceph"}}
	for _, component := range catalogue.Components() {
		p := catalogueProject(catalogue, component.ID)
		p.Versions = []string{"1.2.3"}
		var mu sync.Mutex
		read := map[string]bool{}
		reader := func(_ context.Context, repo, _ string) ([]byte, audit.Origin, error) {
			mu.Lock()
			defer mu.Unlock()
			read[repo] = true
			return nil, audit.Origin{}, errors.New("not at hand")
		}
		f, err1 := foundation.New(foundation.Options{Read: reader, At: judged})
		l, err2 := lifecycle.New(lifecycle.Options{Read: reader, At: judged})
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		for _, c := range []scoring.Collector{f, l} {
			if _, err := c.Collect(t.Context(), p, scoring.Evidence{}); err != nil {
				t.Fatal(err)
			}
		}
		needs := append(f.Needs(p), l.Needs(p)...)
		for repo := range read {
			if !slices.Contains(needs, repo) {
				t.Errorf("%s: %s is read and not planned", p.ID, repo)
			}
			if only, ok := huge[repo]; ok && !slices.ContainsFunc(only, func(id string) bool { return strings.Contains(p.ID, id) || strings.Contains(p.Repo, "/"+id+"/") }) {
				t.Errorf("%s: %s is read", p.ID, repo)
			}
		}
	}
}
