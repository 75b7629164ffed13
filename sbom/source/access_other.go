//go:build !unix

package source

import "os"

// access says why a socket cannot be opened, as far as this system tells.
func access(path string) error {
	_, err := os.Stat(path)
	return err
}
