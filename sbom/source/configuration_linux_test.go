package source_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// opened reports which of the files were opened while run ran; the kernel says so.
func opened(t *testing.T, files []string, run func()) map[string]bool {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		t.Skipf("the kernel watches no files: %v", err)
	}
	defer unix.Close(fd)
	names := map[int32]string{}
	for _, name := range files {
		wd, err := unix.InotifyAddWatch(fd, name, unix.IN_OPEN|unix.IN_ACCESS)
		if err != nil {
			t.Fatal(err)
		}
		names[int32(wd)] = name
	}
	run()
	out := map[string]bool{}
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.Read(fd, buf)
		if errors.Is(err, unix.EAGAIN) || n <= 0 {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; at+unix.SizeofInotifyEvent <= n; {
			wd := int32(uint32(buf[at]) | uint32(buf[at+1])<<8 | uint32(buf[at+2])<<16 | uint32(buf[at+3])<<24)
			length := int(uint32(buf[at+12]) | uint32(buf[at+13])<<8 | uint32(buf[at+14])<<16 | uint32(buf[at+15])<<24)
			out[names[wd]] = true
			at += unix.SizeofInotifyEvent + length
		}
	}
}

func TestFilesOfSecretsAreNotEvenOpened(t *testing.T) {
	dir := write(t, repository())
	// a link that leads to secrets is not followed either
	if err := os.Symlink("secrets.yml", filepath.Join(dir, "environments/manager/link.yml")); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for name := range repository() {
		switch filepath.Base(name) {
		case "configuration.yml", "images.yml", "10-custom", "20-roles":
			want[filepath.Join(dir, name)] = true
		}
	}
	var all []string
	for name := range repository() {
		all = append(all, filepath.Join(dir, name))
	}
	got := opened(t, all, func() {
		if _, err := read(t, "configuration: {repository: .}", dir); err != nil {
			t.Error(err)
		}
	})
	for _, name := range all {
		if got[name] != want[name] {
			short, _ := filepath.Rel(dir, name)
			t.Errorf("%s: opened %v, want %v", short, got[name], want[name])
		}
	}
}
