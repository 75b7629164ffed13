package source_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
	"github.com/pegel-audit/pegel/sbom/source/sourcetest"
)

// podman is a real Podman with what this test expects of it.
type podman struct {
	sourcetest.Podman
	t *testing.T
}

// saveSleeper makes an image of the program, with a label that tells it from others.
func saveSleeper(t *testing.T, binary []byte, mark string) (archive string, config audit.Digest) {
	t.Helper()
	image := sourcetest.Image{Name: "localhost/test/sleeper:1.2.3", Env: []string{"CANARY=canary"},
		Labels: map[string]string{"org.opencontainers.image.title": "sleeper", "org.opencontainers.image.revision": mark}}
	archive, digest := image.Save(t, binary)
	return archive, audit.Digest(digest)
}

func TestARealPodmanIsReadLiveAndFromWhatItPrints(t *testing.T) {
	p := podman{sourcetest.StartPodman(t), t}
	binary := sourcetest.BuildSleeper(t)
	archive, config := saveSleeper(t, binary, "first")
	p.Run("load", "-i", archive)
	p.Run("tag", "localhost/test/sleeper:1.2.3", "localhost/test/unused:2.0.0")
	for i, state := range []string{"run", "run", "create"} {
		arguments := []string{state, "--name", fmt.Sprintf("%s-%d", state, i), "--network", "none", "localhost/test/sleeper:1.2.3"}
		if state == "run" {
			arguments = slices.Insert(arguments, 1, "--detach")
		}
		p.Run(arguments...)
	}
	opt := local(source.Options{TempDir: t.TempDir(), Keep: func(_ context.Context, b audit.Blob) (audit.Digest, error) {
		if bytes.Contains(b.Data, []byte("canary")) {
			t.Errorf("evidence holds an environment: %s", b.Data)
		}
		return audit.DigestOf(b.Data), nil
	}})
	s, err := decode(t, "containers: {socket: 'unix://"+p.Socket+"', host: pod-01}", ".", opt)
	if err != nil {
		t.Fatal(err)
	}
	inv, err := s.Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	live := p.check(inv, config)
	p.checkExport(s, live, opt.TempDir)

	// what podman prints gives the same
	dir := write(t, map[string]string{"pod-01-ps.json": p.Run("ps", "--all", "--format", "json"), "pod-01-images.json": p.Run("image", "inspect", "localhost/test/sleeper:1.2.3"),
		"pod-01-inspect.json": p.Run("inspect", "run-0", "run-1", "create-2"), "pod-01-podman-images.json": p.Run("images", "--no-trunc", "--format", "json"),
		"table.txt": p.Run("ps", "--all", "--no-trunc")})
	for _, files := range []string{"ps: pod-01-ps.json, images: pod-01-images.json", "ps: pod-01-inspect.json, images: pod-01-images.json", "ps: pod-01-ps.json, images: pod-01-podman-images.json",
		"ps: [pod-01-ps.json, pod-01-inspect.json], images: 'pod-01-*images.json'", "ps: table.txt, host: pod-01, images: pod-01-images.json"} {
		got, err := read(t, "containers: {"+files+"}", dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Artifacts) != 1 || len(got.Failures) != 0 {
			t.Errorf("%s: %s", files, strings.Join(told(got), "\n"))
			continue
		}
		want := facts(live)
		if strings.Contains(files, "images: pod-01-podman-images") {
			want.Platform = "" // podman images does not tell it
		}
		if diff := cmp.Diff(want, facts(got.Artifacts[0])); diff != "" {
			t.Errorf("%s (-live +file):\n%s", files, diff)
		}
	}

	// the tag moves on while the containers run
	newer, newConfig := saveSleeper(t, binary, "second")
	p.Run("load", "-i", newer)
	if inv, err = s.Inventory(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.checkMoved(inv, config, newConfig)
}

// facts are what does not depend on how it was read.
func facts(a sbom.Artifact) sbom.Artifact {
	a.Sightings = slices.Clone(a.Sightings)
	for i := range a.Sightings {
		a.Sightings[i].Where, a.Sightings[i].Origin = "", audit.Origin{}
	}
	return a
}

func (p podman) check(inv sbom.Inventory, config audit.Digest) sbom.Artifact {
	p.t.Helper()
	if len(inv.Failures) != 0 || len(inv.Artifacts) != 2 || !strings.HasPrefix(inv.Artifacts[1].ID, "software:podman@") {
		p.t.Fatalf("got\n%s\nwant one image and podman itself", strings.Join(told(inv), "\n"))
	}
	a := inv.Artifacts[0]
	want := sbom.Artifact{ID: "image:" + string(a.Digest), Kind: sbom.KindImage, Name: "sleeper", Reference: "localhost/test/sleeper:1.2.3", Version: "1.2.3", Digest: a.Digest,
		Config: config, Replicas: 2, Aliases: []string{"localhost/test/unused:2.0.0"}, Platform: "linux/amd64",
		Labels:    map[string]string{"org.opencontainers.image.title": "sleeper", "org.opencontainers.image.revision": "first"},
		Sightings: []sbom.Sighting{{Source: "containers", State: sbom.StateRunning, Workload: "run-0, run-1", Replicas: 2}, {Source: "containers", State: sbom.StateStopped, Workload: "create-2"}}}
	for i := range want.Sightings {
		want.Sightings[i].Reference, want.Sightings[i].Digest, want.Sightings[i].Hosts = want.Reference, a.Digest, []string{"pod-01"}
	}
	if diff := cmp.Diff(want, facts(a)); diff != "" || a.Digest == "" {
		p.t.Fatalf("(-want +got):\n%s", diff)
	}
	return a
}

func (p podman) checkExport(s sbom.Source, a sbom.Artifact, temp string) {
	p.t.Helper()
	target, err := s.Open(p.t.Context(), a)
	if err != nil {
		p.t.Fatal(err)
	}
	checkLayout(p.t, target, a.Config)
	if err := target.Done(); err != nil || len(entriesOf(p.t, temp)) > 0 {
		p.t.Errorf("left behind: %v %v", entriesOf(p.t, temp), err)
	}
	a.Config = ""
	if target, err = s.Open(p.t.Context(), a); err != nil {
		p.t.Fatalf("by its digest: %v", err)
	}
	if err := target.Done(); err != nil {
		p.t.Error(err)
	}
	a.Config = audit.Digest("sha256:" + hexOf("0"))
	if _, err := s.Open(p.t.Context(), a); err == nil || errors.Is(err, sbom.ErrNoContents) || len(entriesOf(p.t, temp)) > 0 {
		p.t.Errorf("an image that is not there: %v", err)
	}
}

func (p podman) checkMoved(inv sbom.Inventory, old, newer audit.Digest) {
	p.t.Helper()
	states := map[audit.Digest]string{}
	for _, a := range inv.Artifacts {
		for _, s := range a.Sightings {
			if a.Kind == sbom.KindImage {
				states[a.Config] += s.State + " " + strings.TrimPrefix(s.Where, "unix:s: ") + "\n"
			}
		}
	}
	moved := "localhost/test/sleeper:1.2.3; the tag now names another image\n"
	want := map[audit.Digest]string{old: "running " + moved + "stopped " + moved, newer: "present localhost/test/sleeper:1.2.3\n"}
	if diff := cmp.Diff(want, states); diff != "" {
		p.t.Errorf("after the tag moved (-want +got):\n%s", diff)
	}
}
