package gitlog

import (
	"os"
	"syscall"
)

// setPipeSize is F_SETPIPE_SZ of fcntl(2), which package syscall does not name.
const setPipeSize = 1031

// widen makes the buffer of a pipe larger; it reports whether it could.
func widen(pipe *os.File, size uintptr) bool {
	raw, err := pipe.SyscallConn()
	if err != nil {
		return false
	}
	widened := false
	err = raw.Control(func(fd uintptr) {
		_, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, setPipeSize, size)
		widened = errno == 0
	})
	return err == nil && widened
}
