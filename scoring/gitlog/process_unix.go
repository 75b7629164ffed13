//go:build unix

package gitlog

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// ownGroup makes git the head of a process group of its own, so that the end of the context ends its helpers too.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// lockFile takes an exclusive lock that ends with the process; ok is false if somebody else holds it.
func lockFile(path string) (unlock func(), ok bool, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, false, fmt.Errorf("opening the lock of a cached clone: %w", err)
	}
	switch err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case err == syscall.EWOULDBLOCK || err == syscall.EINTR:
		return nil, false, f.Close()
	case err != nil:
		_ = f.Close()
		return nil, false, fmt.Errorf("locking a cached clone: %w", err)
	}
	return func() { _ = f.Close() }, true, nil
}
