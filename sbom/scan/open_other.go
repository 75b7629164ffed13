//go:build !unix

package scan

// nonBlocking is not needed: the system has no named pipes in its file system.
const nonBlocking = 0
