package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/bundle"
	"github.com/pegel-audit/pegel/scoring"
)

// journal remembers the projects that a run has read, beside the bundle, so that a run that was killed goes on where it
// was. It is removed when the bundle is written.
type journal struct {
	dir     string
	run     journalRun
	add     func(bundle.Entry, []byte) error // to the bundle that is written
	resumed int
	mu      sync.Mutex
}

// journalRun says for which run the notes hold.
type journalRun struct {
	Tool  string       `json:"tool"`
	Input audit.Digest `json:"input"` // of what was asked: stack file, mirrors, flags
	At    time.Time    `json:"at"`    // the moment that is judged
}

// journalEntry is one project, with the raw bytes behind its evidence.
type journalEntry struct {
	Project  scoring.Project  `json:"project"`
	Before   audit.Digest     `json:"before"` // of the evidence that the collectors began with
	Evidence scoring.Evidence `json:"evidence"`
	Kept     []keptBlob       `json:"kept"`
}

// keptBlob is what was handed to the bundle. Of withheld bytes there is only the entry: they are nobody's to copy.
type keptBlob struct {
	Entry bundle.Entry `json:"entry"`
	Data  []byte       `json:"data,omitempty"`
}

const (
	journalSuffix = ".resume"
	journalFile   = "run.json"
	// journalLasts is how long an interrupted run without a fixed day can go on: then the day that it judges is over.
	journalLasts = 24 * time.Hour
)

// openJournal finds the notes of an interrupted run of the same input, or begins new ones. A run that judges "now" goes
// on with the moment of the interrupted one. A journal that cannot be written costs time only.
func openJournal(bundle string, run journalRun, fixed bool, now time.Time) *journal {
	abs, err := filepath.Abs(bundle)
	if err != nil {
		return nil
	}
	j := &journal{dir: filepath.Clean(abs) + journalSuffix, run: run}
	var old journalRun
	data, err := os.ReadFile(filepath.Join(j.dir, journalFile))
	if err == nil && json.Unmarshal(data, &old) == nil && old.Tool == run.Tool && old.Input == run.Input {
		if age := now.Sub(old.At); old.At.Equal(run.At) || !fixed && age >= 0 && age < journalLasts {
			j.run = old
			return j
		}
	}
	if err := os.RemoveAll(j.dir); err != nil {
		return nil
	}
	data, err = json.Marshal(run)
	if err != nil || os.MkdirAll(j.dir, 0o700) != nil || os.WriteFile(filepath.Join(j.dir, journalFile), data, 0o600) != nil {
		return nil
	}
	return j
}

// done removes the notes.
func (j *journal) done() {
	if j != nil {
		_ = os.RemoveAll(j.dir)
	}
}

func (j *journal) file(p scoring.Project) string {
	sum := sha256.Sum256([]byte(p.ID))
	return filepath.Join(j.dir, hex.EncodeToString(sum[:16])+".json")
}

// maxJournalEntry bounds what is read back.
const maxJournalEntry = 256 << 20

// load returns the evidence of a project that the interrupted run has read, and keeps its raw bytes again.
func (j *journal) load(p scoring.Project, before scoring.Evidence) (scoring.Evidence, bool) {
	if j == nil {
		return scoring.Evidence{}, false
	}
	info, err := os.Stat(j.file(p))
	if err != nil || info.Size() > maxJournalEntry {
		return scoring.Evidence{}, false
	}
	data, err := os.ReadFile(j.file(p))
	var n journalEntry
	if err != nil || decodeStrict(data, &n) != nil || digestOfJSON(n.Project) != digestOfJSON(p) || n.Before != digestOfJSON(before) {
		return scoring.Evidence{}, false
	}
	for _, b := range n.Kept {
		if j.add == nil {
			break
		}
		if err := j.add(b.Entry, b.Data); err != nil {
			return scoring.Evidence{}, false
		}
	}
	j.mu.Lock()
	j.resumed++
	j.mu.Unlock()
	return n.Evidence, true
}

// save notes a project of which something could be read.
func (j *journal) save(p scoring.Project, before, e scoring.Evidence, seen *kept) {
	if j == nil || e.Failure != "" {
		return
	}
	data, err := json.Marshal(journalEntry{Project: p, Before: digestOfJSON(before), Evidence: e, Kept: seen.blobs()})
	if err != nil {
		return
	}
	part := j.file(p) + ".part"
	if os.WriteFile(part, data, 0o600) == nil {
		_ = os.Rename(part, j.file(p))
	}
}

func digestOfJSON(v any) audit.Digest {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("writing %T: %v", v, err)) // our own plain types
	}
	return audit.DigestOf(data)
}

// kept collects the raw bytes that collectors hand over for one project.
type kept struct {
	mu   sync.Mutex
	list []keptBlob
}

func (k *kept) blobs() []keptBlob {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]keptBlob(nil), k.list...)
}

type keptKey struct{}

// recordKept makes a context under which keptBy notes what is kept.
func recordKept(ctx context.Context) (context.Context, *kept) {
	k := &kept{}
	return context.WithValue(ctx, keptKey{}, k), k
}

func noteKept(ctx context.Context, b audit.Blob) {
	k, ok := ctx.Value(keptKey{}).(*kept)
	if !ok {
		return
	}
	note := keptBlob{Entry: bundle.EntryOf(b)}
	if b.Withheld == "" {
		note.Data = b.Data
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.list = append(k.list, note)
}
