package source_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
)

// podman is a real Podman with a store of its own, which the test starts as root and without systemd.
type podman struct {
	t      *testing.T
	dir    string
	socket string
}

// startPodman starts the service that answers the Docker-compatible API. It needs the Debian packages podman, runc and
// conmon.
func startPodman(t *testing.T) podman {
	t.Helper()
	for _, need := range []string{"podman", "runc", "conmon"} {
		if _, err := exec.LookPath(need); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing: install podman, runc and conmon", need)
			}
			t.Skipf("%s is missing: install podman, runc and conmon to run this", need)
		}
	}
	if os.Getuid() != 0 {
		t.Skip("this test starts containers and must be root for that")
	}
	dir, err := os.MkdirTemp("", "p") // conmon listens on sockets below it, whose paths are short
	if err != nil {
		t.Fatal(err)
	}
	p := podman{t: t, dir: dir, socket: filepath.Join(dir, "s")}
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("containers.conf", "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n[engine]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"none\"\n")
	t.Cleanup(p.remove)
	var said bytes.Buffer
	service := p.command("system", "service", "--time=0", "unix://"+p.socket)
	service.Stderr = &said
	if err := service.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if out, err := p.command("rm", "--all", "--force", "--time=0").CombinedOutput(); err != nil {
			t.Errorf("removing the containers: %v: %s", err, out)
		}
		_ = service.Process.Kill()
		_ = service.Wait()
		if t.Failed() {
			t.Logf("podman: %s", said.String())
		}
	})
	for until := time.Now().Add(20 * time.Second); ; {
		c, err := net.Dial("unix", p.socket)
		if err == nil {
			_ = c.Close()
			return p
		}
		if time.Now().After(until) {
			p.refused("starting the service", said.String(), err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// remove removes the folder once nothing works in it: when a container ends, conmon starts podman to clean up after it.
func (p podman) remove() {
	for until := time.Now().Add(10 * time.Second); p.busy() && time.Now().Before(until); {
		time.Sleep(20 * time.Millisecond)
	}
	if err := os.RemoveAll(p.dir); err != nil {
		p.t.Errorf("removing the store of podman: %v", err)
	}
}

// busy reports whether a process names the folder.
func (p podman) busy() bool {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is one
	return slices.ContainsFunc(lines, func(name string) bool {
		line, err := os.ReadFile(name)
		return err == nil && bytes.Contains(line, []byte(p.dir)) // a process may have ended by now
	})
}

func (p podman) command(arguments ...string) *exec.Cmd {
	c := exec.Command("podman", append([]string{"--root", p.dir + "/root", "--runroot", p.dir + "/run", "--tmpdir", p.dir + "/tmp", "--storage-driver", "vfs",
		"--cgroup-manager", "cgroupfs", "--runtime", "runc"}, arguments...)...)
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.dir, "CONTAINERS_CONF=" + p.dir + "/containers.conf", "TMPDIR=" + p.dir}
	return c
}

// run runs podman and returns what it prints.
func (p podman) run(arguments ...string) string {
	p.t.Helper()
	c := p.command(arguments...)
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		p.refused("podman "+strings.Join(arguments, " "), said.String(), err)
	}
	return string(out)
}

// refused ends the test: as skipped where the kernel does not let containers run, else as failed.
func (p podman) refused(what, said string, err error) {
	p.t.Helper()
	if strings.Contains(strings.ToLower(said), "operation not permitted") { // EPERM, as runc and podman pass it on
		p.t.Skipf("the kernel refuses containers here: %s: %s", what, said)
	}
	p.t.Fatalf("%s: %v: %s", what, err, said)
}

// buildSleeper builds a static program that waits.
func buildSleeper(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	program := "package main\n\nimport (\n\t\"os\"\n\t\"os/signal\"\n\t\"syscall\"\n)\n\nfunc main() {\n\tstop := make(chan os.Signal, 1)\n\tsignal.Notify(stop, syscall.SIGTERM)\n\t<-stop\n}\n"
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "sleeper"), filepath.Join(dir, "main.go"))
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building: %v: %s", err, out)
	}
	binary, err := os.ReadFile(filepath.Join(dir, "sleeper"))
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// saveSleeper makes an image of the program, with a label that tells it from others.
func saveSleeper(t *testing.T, binary []byte, mark string) (archive string, config audit.Digest) {
	t.Helper()
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	err := w.WriteHeader(&tar.Header{Name: "sleeper", Mode: 0o755, Size: int64(len(binary)), Typeflag: tar.TypeReg})
	if err == nil {
		_, err = w.Write(binary)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	added, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	image, err := mutate.AppendLayers(empty.Image, added)
	if err != nil {
		t.Fatal(err)
	}
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", "amd64"
	file.Config = v1.Config{Entrypoint: []string{"/sleeper"}, Env: []string{"CANARY=canary"}, Labels: map[string]string{"org.opencontainers.image.title": "sleeper",
		"org.opencontainers.image.revision": mark}}
	if image, err = mutate.ConfigFile(image, file); err != nil {
		t.Fatal(err)
	}
	hash, err := image.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	archive = filepath.Join(t.TempDir(), "image.tar")
	tag, err := name.NewTag("localhost/test/sleeper:1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	if err := tarball.WriteToFile(archive, tag, image); err != nil {
		t.Fatal(err)
	}
	return archive, audit.Digest(hash.String())
}

func TestARealPodmanIsReadLiveAndFromWhatItPrints(t *testing.T) {
	p := startPodman(t)
	binary := buildSleeper(t)
	archive, config := saveSleeper(t, binary, "first")
	p.run("load", "-i", archive)
	p.run("tag", "localhost/test/sleeper:1.2.3", "localhost/test/unused:2.0.0")
	for i, state := range []string{"run", "run", "create"} {
		arguments := []string{state, "--name", fmt.Sprintf("%s-%d", state, i), "--network", "none", "localhost/test/sleeper:1.2.3"}
		if state == "run" {
			arguments = slices.Insert(arguments, 1, "--detach")
		}
		p.run(arguments...)
	}
	opt := local(source.Options{TempDir: t.TempDir(), Keep: func(_ context.Context, b audit.Blob) (audit.Digest, error) {
		if bytes.Contains(b.Data, []byte("canary")) {
			t.Errorf("evidence holds an environment: %s", b.Data)
		}
		return audit.DigestOf(b.Data), nil
	}})
	s, err := decode(t, "containers: {socket: 'unix://"+p.socket+"', host: pod-01}", ".", opt)
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
	dir := write(t, map[string]string{"pod-01-ps.json": p.run("ps", "--all", "--format", "json"), "pod-01-images.json": p.run("image", "inspect", "localhost/test/sleeper:1.2.3"),
		"pod-01-inspect.json": p.run("inspect", "run-0", "run-1", "create-2"), "pod-01-podman-images.json": p.run("images", "--no-trunc", "--format", "json"),
		"table.txt": p.run("ps", "--all", "--no-trunc")})
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
	p.run("load", "-i", newer)
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
