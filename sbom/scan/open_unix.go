//go:build unix

package scan

import "syscall"

// nonBlocking keeps a named pipe in a target from stopping the scan for ever.
const nonBlocking = syscall.O_NONBLOCK
