// Package sourcetest starts what tests of sources read: a real Podman with containers, and a server that answers what a
// real kube-apiserver answered. It is support for tests, imports nothing of ours, and no program may import it. Files
// other than tests are what several packages of tests can share.
package sourcetest

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Podman is a real Podman with a store of its own, which the test starts as root and without systemd.
type Podman struct {
	Socket string // path of the socket that answers the Docker-compatible API
	t      testing.TB
	dir    string
}

// StartPodman starts the service that answers the Docker-compatible API; it ends with the test. It needs the Debian
// packages podman, runc and conmon.
func StartPodman(t testing.TB) Podman {
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
	p := Podman{Socket: filepath.Join(dir, "s"), t: t, dir: dir}
	const config = "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n[engine]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"none\"\n"
	if err := os.WriteFile(filepath.Join(dir, "containers.conf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.remove)
	p.serve()
	return p
}

// serve starts the service and waits until it listens.
func (p Podman) serve() {
	p.t.Helper()
	var said bytes.Buffer
	service := p.Command("system", "service", "--time=0", "unix://"+p.Socket)
	service.Stderr = &said
	if err := service.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		if out, err := p.Command("rm", "--all", "--force", "--time=0").CombinedOutput(); err != nil {
			p.t.Errorf("removing the containers: %v: %s", err, out)
		}
		_ = service.Process.Kill()
		_ = service.Wait()
		if p.t.Failed() {
			p.t.Logf("podman: %s", said.String())
		}
	})
	for until := time.Now().Add(20 * time.Second); ; {
		c, err := net.Dial("unix", p.Socket)
		if err == nil {
			_ = c.Close()
			return
		}
		if time.Now().After(until) {
			p.refused("starting the service", said.String(), err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// remove removes the folder once nothing works in it: when a container ends, conmon starts podman to clean up after it.
func (p Podman) remove() {
	for until := time.Now().Add(10 * time.Second); p.busy() && time.Now().Before(until); {
		time.Sleep(20 * time.Millisecond)
	}
	if err := os.RemoveAll(p.dir); err != nil {
		p.t.Errorf("removing the store of podman: %v", err)
	}
}

// busy reports whether a process names the folder.
func (p Podman) busy() bool {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is one
	return slices.ContainsFunc(lines, func(name string) bool {
		line, err := os.ReadFile(name)
		return err == nil && bytes.Contains(line, []byte(p.dir)) // a process may have ended by now
	})
}

// Command prepares a run of podman with this store.
func (p Podman) Command(arguments ...string) *exec.Cmd {
	c := exec.Command("podman", append([]string{"--root", p.dir + "/root", "--runroot", p.dir + "/run", "--tmpdir", p.dir + "/tmp", "--storage-driver", "vfs",
		"--cgroup-manager", "cgroupfs", "--runtime", "runc"}, arguments...)...)
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.dir, "CONTAINERS_CONF=" + p.dir + "/containers.conf", "TMPDIR=" + p.dir}
	return c
}

// Run runs podman and returns what it prints. Where the kernel does not let containers run, the test is skipped.
func (p Podman) Run(arguments ...string) string {
	p.t.Helper()
	c := p.Command(arguments...)
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		p.refused("podman "+strings.Join(arguments, " "), said.String(), err)
	}
	return string(out)
}

// refused ends the test: as skipped where the kernel does not let containers run, else as failed.
func (p Podman) refused(what, said string, err error) {
	p.t.Helper()
	if strings.Contains(strings.ToLower(said), "operation not permitted") { // EPERM, as runc and podman pass it on
		p.t.Skipf("the kernel refuses containers here: %s: %s", what, said)
	}
	p.t.Fatalf("%s: %v: %s", what, err, said)
}
