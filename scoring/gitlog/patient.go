package gitlog

import (
	"io"
	"os"
	"time"
)

// Git writes its log in pieces of a few kilobytes, and waking up for each costs more than reading it. So the pass over a
// history lets the pipe fill first.
const (
	patience   = 8 * time.Millisecond
	pipeBuffer = 1 << 20 // where the system allows it; what git writes in patience is much less
)

// patient reads from a pipe with a pause before each read.
type patient struct{ from io.Reader }

func newPatient(from io.Reader) io.Reader {
	if f, ok := from.(*os.File); ok && widen(f, pipeBuffer) {
		return patient{from}
	}
	return from // the pause would keep git waiting
}

// Read waits and reads.
func (p patient) Read(b []byte) (int, error) {
	time.Sleep(patience)
	return p.from.Read(b)
}
