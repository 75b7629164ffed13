//go:build unix

package scan

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// killedIn is the environment variable that makes the test binary a process that is killed while it scans.
const killedIn = "PEGEL_TEST_KILLED_IN"

// killedWhile says what that process does.
const killedWhile = "PEGEL_TEST_KILLED_WHILE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedIn); dir != "" {
		if os.Getenv(killedWhile) == "reading" {
			dieWhileReading(dir)
		}
		dieWhileScanning(dir)
	}
	os.Exit(m.Run())
}

func dieWhileScanning(dir string) {
	w, err := openWorkspace(dir)
	if err != nil {
		os.Exit(1)
	}
	scratch, err := w.scratch()
	if err != nil {
		os.Exit(1)
	}
	if err := os.WriteFile(filepath.Join(scratch, "layer"), []byte("half"), 0o600); err != nil {
		os.Exit(1)
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func listed(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestWhatAKilledProcessLeftIsSweptAtTheNextStart(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run", "^$")
	cmd.Env = append(os.Environ(), killedIn+"="+dir)
	if err := cmd.Run(); err == nil {
		t.Fatal("the process ended well, want that it is killed")
	}
	if left := listed(t, dir); len(left) != 2 {
		t.Fatalf("the killed process left %q, want a directory and its lock", left)
	}
	w, err := openWorkspace(dir)
	if err != nil {
		t.Fatal(err)
	}
	if left := listed(t, dir); len(left) != 2 || left[0] != filepath.Base(w.dir) {
		t.Errorf("after the next start there is %q, want only the new directory %q and its lock", left, filepath.Base(w.dir))
	}
	if err := w.close(); err != nil {
		t.Fatal(err)
	}
	if left := listed(t, dir); len(left) != 0 {
		t.Errorf("after closing there is %q, want nothing", left)
	}
}

func TestAWorkspaceInUseIsNotSwept(t *testing.T) {
	dir := t.TempDir()
	first, err := openWorkspace(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := openWorkspace(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []*workspace{first, second} {
		if _, err := os.Stat(w.dir); err != nil {
			t.Errorf("a directory in use is gone: %v", err)
		}
		if err := w.close(); err != nil {
			t.Error(err)
		}
	}
}

func TestSweepTouchesNothingElse(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	keep := filepath.Join(outside, "keep")
	for _, f := range []string{keep, filepath.Join(dir, "other.lock"), filepath.Join(dir, "pegel-scan")} {
		if err := os.WriteFile(f, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// a stale lock whose directory was replaced by a link to somewhere else
	if err := os.WriteFile(filepath.Join(dir, prefix+"evil"+lockSuffix), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, prefix+"evil")); err != nil {
		t.Fatal(err)
	}
	sweep(dir)
	if _, err := os.Stat(keep); err != nil {
		t.Errorf("the sweep followed a link out of the temporary directory: %v", err)
	}
	if left := strings.Join(listed(t, dir), " "); left != "other.lock pegel-scan" {
		t.Errorf("left are %q, want the two files that are not ours", left)
	}
}

func TestATemporaryDirectoryThatCannotBeUsedIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below"), filepath.Join(t.TempDir(), "nowhere")} {
		if _, err := New(Options{TempDir: dir}); err == nil || !strings.Contains(err.Error(), "making a temporary directory") {
			t.Errorf("New with %q: got error %v, want one about the temporary directory", filepath.Base(dir), err)
		}
	}
}

func TestErrorsDoNotNameTheTemporaryDirectory(t *testing.T) {
	w := &workspace{dir: "/somewhere/pegel-scan-1"}
	cause := errors.New("open /somewhere/pegel-scan-1/scan-2/layer: no space")
	got := w.hide(cause)
	if got.Error() != "open scan-2/layer: no space" || !errors.Is(got, cause) {
		t.Errorf("got %q, want it without the directory and with its cause", got)
	}
}
