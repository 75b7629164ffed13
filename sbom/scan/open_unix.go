//go:build unix

package scan

import (
	"io/fs"
	"syscall"
)

// nonBlocking keeps a named pipe in a target from stopping the scan for ever.
const nonBlocking = syscall.O_NONBLOCK

// inode names the file behind a path, and says whether it has other names too.
func inode(info fs.FileInfo) (key [2]uint64, linked bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return key, false
	}
	return [2]uint64{uint64(st.Dev), uint64(st.Ino)}, st.Nlink > 1 //nolint:unconvert // the types differ between systems
}
