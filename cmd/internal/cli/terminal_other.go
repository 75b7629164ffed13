//go:build !unix

package cli

import "os"

// windowWidth does not know the width of this system's terminals.
func windowWidth(*os.File) int { return 0 }
