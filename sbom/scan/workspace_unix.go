//go:build linux || darwin || freebsd

package scan

import (
	"os"

	"golang.org/x/sys/unix"
)

// tryLock takes the lock of a file for the life of the process; false if another process has it.
func tryLock(f *os.File) bool { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil }

// freeSpace returns how many bytes an ordinary user may still write below the directory.
func freeSpace(dir string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return uint64(max(st.Bavail, 0)) * uint64(st.Bsize), nil //nolint:unconvert // the types differ between systems
}
