//go:build unix

package source

import (
	"os"

	"golang.org/x/sys/unix"
)

// access says why a socket cannot be opened for reading and writing, which connecting to it needs; nil if it can.
func access(path string) error {
	if err := unix.Access(path, unix.R_OK|unix.W_OK); err != nil {
		return &os.PathError{Op: "access", Path: path, Err: err}
	}
	return nil
}
