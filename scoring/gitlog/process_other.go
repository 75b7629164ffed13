//go:build !unix

package gitlog

import (
	"errors"
	"os/exec"
)

// ownGroup does nothing: only the git process itself is ended with the context.
func ownGroup(*exec.Cmd) {}

// lockFile is not available: a cache of clones needs a lock that ends with the process.
func lockFile(string) (unlock func(), ok bool, err error) {
	return nil, false, errors.New("locking a cached clone: not supported on this system; give local clones instead")
}
