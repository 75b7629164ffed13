package source_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
)

const keystoneDigest = "sha256:de0c88772986187e51431927c73d14fb40375ea01f2a08227c2213c2bc53d257"

// release is a small release in the form of OSISM 9.0.0; versions and digests are facts of that release.
func release() map[string]string {
	return map[string]string{
		"etc/images.yml": "---\n# manager\nredis: library/redis\nvault: hashicorp/vault\ntempest: osism/tempest\nceph: osism/ceph-daemon\npostgres: library/postgres\n",
		"9.0.0/base.yml": `---
# source: https://github.com/osism/release
# commit: a4a02260a4a02260a4a02260a4a02260a4a02260
manager_version: '9.0.0'
ansible_version: '>=11.0.0,<12.0.0'
playbooks_version: 'v0.20250407.0'

osism_projects:
  docker: '5:27.5.1'
  k3s: 'v1.30.10+k3s1'

docker_images:
  redis: '7.4.2-alpine'
  # a comment between
  vault: '1.19.1'
  tempest: 'latest'
  registry: '3.0'
  postgres: 16.8

ansible_roles:
  geerlingguy.certbot: master
  hardening: e77c311442cb1d1ef8caa7df9d9c00471afa75e7

ansible_collections:
  osism.services: '0.20250407.0'
`,
		"9.0.0/ceph-reef.yml": "ceph_version: reef\ndocker_images:\n  ceph: '18.2.2'\n",
		"9.0.0/openstack-2024.2.yml": "openstack_version: 2024.2\ndocker_images:\n  openstackclient: '7.4.0'\n" +
			"infrastructure_projects:\n  cron:\nopenstack_projects:\n  keystone: stable-2024.2\n",
		"9.0.0/sbom-openstack-2024.2.yml": "---\nimages:\n  - digest: " + keystoneDigest + "\n    image: registry.osism.tech/kolla/release/keystone:26.0.1.20250408\n" +
			"  - image: registry.osism.tech/kolla/release/redis:7.0.15.20250408\n",
	}
}

func TestAReleaseIsReadAsIntent(t *testing.T) {
	inv, err := read(t, "osism: {release: ./9.0.0}", write(t, release()))
	if err != nil {
		t.Fatal(err)
	}
	type line struct{ id, name, version, unpinned, hint, where string }
	var got []line
	for _, a := range inv.Artifacts {
		if a.Seen() || len(a.Sightings) != 1 {
			t.Errorf("%s: sightings %+v, want one that is declared", a.ID, a.Sightings)
		}
		got = append(got, line{a.ID, a.Name, a.Version, a.Unpinned, strings.Join(a.TierHint, " "), a.Sightings[0].Where})
	}
	want := []line{
		{"image:hashicorp/vault:1.19.1", "vault", "1.19.1", "", "ops", "9.0.0/base.yml: docker_images.vault"},
		{"image:library/postgres:16.8", "postgres", "16.8", "", "ops", "9.0.0/base.yml: docker_images.postgres"},
		{"image:library/redis:7.4.2-alpine", "redis", "7.4.2", "", "ops", "9.0.0/base.yml: docker_images.redis"},
		{"image:openstackclient:7.4.0", "openstackclient", "7.4.0", "", "", "9.0.0/openstack-2024.2.yml: docker_images.openstackclient (no path in etc/images.yml)"},
		{"image:osism/ceph-daemon:18.2.2", "ceph-daemon", "18.2.2", "", "", "9.0.0/ceph-reef.yml: docker_images.ceph"},
		{"image:osism/tempest:latest", "tempest", "", "latest names whatever is newest", "ops", "9.0.0/base.yml: docker_images.tempest"},
		{"image:registry.osism.tech/kolla/release/redis:7.0.15.20250408", "redis", "7.0.15", "", "", "9.0.0/sbom-openstack-2024.2.yml: images.redis"},
		{"image:registry:3.0", "registry", "3.0", "", "ops", "9.0.0/base.yml: docker_images.registry (no path in etc/images.yml)"},
		{"image:" + keystoneDigest, "keystone", "26.0.1", "", "", "9.0.0/sbom-openstack-2024.2.yml: images.keystone"},
		{"software:ceph@reef", "ceph", "", "", "", "9.0.0/ceph-reef.yml: ceph_version"},
		{"software:docker@5:27.5.1", "docker", "27.5.1", "", "ops", "9.0.0/base.yml: osism_projects.docker"},
		{"software:geerlingguy.certbot@master", "geerlingguy.certbot", "", "master is a branch or a moving name, not a version", "ops", "9.0.0/base.yml: ansible_roles.geerlingguy.certbot"},
		{"software:hardening@e77c311442cb1d1ef8caa7df9d9c00471afa75e7", "hardening", "e77c311442cb1d1ef8caa7df9d9c00471afa75e7", "", "ops", "9.0.0/base.yml: ansible_roles.hardening"},
		{"software:k3s@v1.30.10+k3s1", "k3s", "1.30.10+k3s1", "", "ops", "9.0.0/base.yml: osism_projects.k3s"},
		{"software:openstack@2024.2", "openstack", "2024.2", "", "", "9.0.0/openstack-2024.2.yml: openstack_version"},
		{"software:osism-manager@9.0.0", "osism-manager", "9.0.0", "", "ops", "9.0.0/base.yml: manager_version"},
		{"software:osism.services@0.20250407.0", "osism.services", "0.20250407.0", "", "ops", "9.0.0/base.yml: ansible_collections.osism.services"},
		{"software:osism/ansible-playbooks@v0.20250407.0", "osism/ansible-playbooks", "0.20250407.0", "", "ops", "9.0.0/base.yml: playbooks_version"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(line{})); diff != "" {
		t.Errorf("artifacts (-want +got):\n%s", diff)
	}
	if len(inv.Failures) != 0 {
		t.Errorf("failures = %+v, want none", inv.Failures)
	}
	o := inv.Artifacts[2].Sightings[0].Origin
	wantOrigin := audit.Origin{Source: "osism", URL: "https://github.com/osism/release", Commit: "a4a02260a4a02260a4a02260a4a02260a4a02260",
		Path: "9.0.0/base.yml", Line: 13, Digest: audit.DigestOf([]byte(release()["9.0.0/base.yml"])), At: assessedAt}
	if diff := cmp.Diff(wantOrigin, o); diff != "" {
		t.Errorf("origin (-want +got):\n%s", diff)
	}
}

func TestABrokenPartOfAReleaseCostsThatPartOnly(t *testing.T) {
	tests := []struct {
		name        string
		change      map[string]string
		wantReason  string
		wantPresent string // an artifact that must still be there
	}{
		{"a manifest that is no YAML", map[string]string{"9.0.0/ceph-reef.yml": "a: [1\n"}, "ceph-reef.yml: line", "image:library/redis:7.4.2-alpine"},
		{"a manifest that is a list", map[string]string{"9.0.0/ceph-reef.yml": "- a\n"}, "ceph-reef.yml: line 1: the file is no mapping", "image:library/redis:7.4.2-alpine"},
		{"an empty manifest", map[string]string{"9.0.0/ceph-reef.yml": ""}, "ceph-reef.yml: the file is empty", "image:library/redis:7.4.2-alpine"},
		{"two documents", map[string]string{"9.0.0/ceph-reef.yml": "a: 1\n---\nb: 2\n"}, "something follows", "image:library/redis:7.4.2-alpine"},
		{"an image without a version", map[string]string{"9.0.0/ceph-reef.yml": "docker_images:\n  ceph: [1, 2]\n"}, "ceph-reef.yml: line 2: ceph is no single value", "image:osism/ceph-daemon"},
		{"a tag that is none", map[string]string{"9.0.0/ceph-reef.yml": "docker_images:\n  ceph: '1 2'\n"}, `ceph-reef.yml: line 2: image reference`, "image:osism/ceph-daemon:1 2"},
		{"a version that is none", map[string]string{"9.0.0/ceph-reef.yml": "ceph_version: 'a b'\n"}, "ceph-reef.yml: line 1: ceph_version is no version", "image:library/redis:7.4.2-alpine"},
		{"a key that stands twice", map[string]string{"9.0.0/ceph-reef.yml": "docker_images:\n  ceph: '1.0.0'\n  ceph: '2.0.0'\n"}, `line 3: key "ceph" stands twice`, "image:osism/ceph-daemon:1.0.0"},
		{"a section that is a text", map[string]string{"9.0.0/ceph-reef.yml": "docker_images: ceph\n"}, "docker_images is no mapping", "image:library/redis:7.4.2-alpine"},
		{"an alias", map[string]string{"9.0.0/ceph-reef.yml": "x: &a {b: c}\ndocker_images: *a\n"}, "docker_images is no mapping", "image:library/redis:7.4.2-alpine"},
		{"a digest that is none", map[string]string{"9.0.0/sbom-openstack-2024.2.yml": "images:\n- {image: a/b:1.0.0, digest: sha256:1}\n"}, "line 2: digest of b", "image:a/b:1.0.0"},
		{"an entry without an image", map[string]string{"9.0.0/sbom-openstack-2024.2.yml": "images:\n- {digest: x}\n- text\n- image: a/b:1.0.0\n"}, "line 2: an entry of images names no image", "image:a/b:1.0.0"},
		{"no list of images", map[string]string{"9.0.0/sbom-openstack-2024.2.yml": "image: []\n"}, "there is no list named images", "image:library/redis:7.4.2-alpine"},
		{"no image names", map[string]string{"etc/images.yml": "\x00"}, "etc/images.yml", "image:redis:7.4.2-alpine"},
		{"image names with a tag", map[string]string{"etc/images.yml": "redis: library/redis:7\n"}, `line 1: "library/redis:7" is no path`, "image:redis:7.4.2-alpine"},
		{"no base.yml", map[string]string{"9.0.0/base.yml": "\x01"}, "base.yml:", "image:" + keystoneDigest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := release()
			for name, text := range tt.change {
				files[name] = text
			}
			inv, err := read(t, "osism: {release: 9.0.0}", write(t, files))
			if err != nil {
				t.Fatal(err)
			}
			if !contains(reasons(inv), tt.wantReason) {
				t.Errorf("failures = %q, want one with %q", reasons(inv), tt.wantReason)
			}
			found := false
			for _, a := range inv.Artifacts {
				found = found || a.ID == tt.wantPresent
			}
			if !found {
				t.Errorf("artifact %q is lost", tt.wantPresent)
			}
		})
	}
}

func TestWhatAReleaseLacksIsSaid(t *testing.T) {
	tests := []struct {
		name string
		keep []string
		more map[string]string
		want string
	}{
		{"a release since 9.1 names its OpenStack images elsewhere", []string{"etc/images.yml"}, map[string]string{"9.0.0/base.yml": "docker_images:\n  kolla: 0.20260814.0\n"},
			"base.yml names the kolla release 0.20260814.0, but no sbom-openstack-*.yml lists its images"},
		{"a rolling release", []string{"etc/images.yml", "9.0.0/openstack-2024.2.yml", "9.0.0/base.yml"}, nil, "no sbom-openstack-*.yml lists the images"},
		{"the list of images alone", []string{"etc/images.yml", "9.0.0/sbom-openstack-2024.2.yml"}, nil, "base.yml is not there"},
		{"no names of images", []string{"9.0.0/base.yml"}, nil, "etc/images.yml is not there"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := map[string]string{}
			for _, name := range tt.keep {
				files[name] = release()[name]
			}
			for name, text := range tt.more {
				files[name] = text
			}
			inv, err := read(t, "osism: {release: 9.0.0}", write(t, files))
			if err != nil {
				t.Fatal(err)
			}
			if got := reasons(inv); len(got) != 1 || !strings.Contains(got[0], tt.want) || inv.Failures[0].Settle == "" {
				t.Errorf("failures = %+v, want one with %q and a remedy", inv.Failures, tt.want)
			}
		})
	}
}

func TestAManifestHasNoContentsToOpen(t *testing.T) {
	s, err := decode(t, "osism: {release: 9.0.0}", ".", source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(t.Context(), sbom.Artifact{}); !errors.Is(err, sbom.ErrNoContents) {
		t.Errorf("error = %v, want %v", err, sbom.ErrNoContents)
	}
}

func FuzzAManifestGivesTheSameInventoryTwiceAndOnlyDeclaredThings(f *testing.F) {
	for _, text := range release() {
		f.Add(text)
	}
	f.Add("docker_images: {a: &x [*x]}")
	f.Add("docker_images:\n  ? [a]\n  : b\n  c: ~\n")
	f.Fuzz(func(t *testing.T, text string) {
		dir := write(t, map[string]string{"r/base.yml": text, "r/sbom-openstack-1.yml": text, "etc/images.yml": text})
		first, err := read(t, "osism: {release: r}", dir)
		second, again := read(t, "osism: {release: r}", dir)
		if (err == nil) != (again == nil) {
			t.Fatalf("first %v, then %v", err, again)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Fatalf("two runs differ:\n%s", diff)
		}
		seen := map[string]bool{}
		for _, a := range first.Artifacts {
			if a.Seen() || a.ID == "" || seen[a.ID] {
				t.Fatalf("artifact %+v is seen, has no id or stands twice", a)
			}
			seen[a.ID] = true
		}
	})
}
