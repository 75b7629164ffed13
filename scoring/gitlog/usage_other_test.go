//go:build !unix

package gitlog

import (
	"testing"
	"time"
)

// usage is not known here.
func usage(t testing.TB) time.Duration {
	t.Helper()
	t.Skip("the processor time of other programs is not known on this system")
	return 0
}
