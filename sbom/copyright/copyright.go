// Package copyright asks others for the licences of packages of which an artifact itself says nothing: other artifacts of
// the same stack, mirrors and caches that the operator names, copyright services of distributions, and package registries.
// In come the packages that a scan found; out go new packages with more licence claims, each with provenance and origin,
// and the reasons where nobody answers.
//
// Nobody is asked whom the operator did not name, and without an HTTP client nobody at all. Each question is asked once,
// however many artifacts hold the package. What others answer is input by strangers: bytes, entries, time and redirects
// are bounded, an answer must be about the package that was asked for, and a status of 200 proves nothing by itself. Only
// what bears on licences is kept of an answer: names of licences, patterns of files, and the digest of the original. Names
// and addresses of copyright holders are dropped while reading.
package copyright

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// Options say whom to ask and how. The zero value asks nobody.
type Options struct {
	// Client reaches servers; its transport guards addresses. nil: the run is offline, only local and recorded answers count.
	Client *http.Client
	// Places are asked in this order, after the kinds were brought into the order of belief; see ParseMirror, ParseService
	// and ModuleCache.
	Places []Place
	// Recorded are answers of earlier runs; they are taken before anybody is asked. Those of places that Places does not
	// name count as well.
	Recorded []Record
	// CacheDir keeps every answer as soon as it is there, so that an interrupted run can be taken up again; empty: none.
	CacheDir string
	TempDir  string     // for archives while they are read; the system's if empty
	Keep     audit.Keep // stores each record that was used as evidence; nil keeps nothing
	At       time.Time  // assessed_at, the moment of every origin
	Limits   Limits
	// Wait pauses between two attempts; nil: it really waits.
	Wait func(context.Context, time.Duration) error
	// Progress is told how many questions of a place were answered; nil: silence.
	Progress func(place string, done, total int)
}

// Limits bound what asking may cost; zero values mean the defaults.
type Limits struct {
	Questions int           // questions to all places together; 20,000 are ten times the packages of a large stack
	Document  int64         // bytes of a text or JSON answer: 8 MiB, the largest copyright file of Debian 12 has 1.5 MB
	Archive   int64         // bytes of a package or module archive: 512 MiB, the largest kernel package has 100 MB
	Unpacked  int64         // bytes of an unpacked package: 8 GiB
	Timeout   time.Duration // of one document: 30 s
	Transfer  time.Duration // of one archive: 5 min
	Patience  time.Duration // the longest wait that a server may ask for: 60 s
	Failures  int           // failed questions in a row after which a server is asked no more: 5
}

func (l Limits) orDefault() Limits {
	return Limits{
		Questions: cmp.Or(l.Questions, 20_000),
		Document:  cmp.Or(l.Document, 8<<20),
		Archive:   cmp.Or(l.Archive, 512<<20),
		Unpacked:  cmp.Or(l.Unpacked, 8<<30),
		Timeout:   cmp.Or(l.Timeout, 30*time.Second),
		Transfer:  cmp.Or(l.Transfer, 5*time.Minute),
		Patience:  cmp.Or(l.Patience, time.Minute),
		Failures:  cmp.Or(l.Failures, 5),
	}
}

// Result is what came of asking.
type Result struct {
	Packages []sbom.Packages // those that came in, with more claims
	// Counts say what each place was asked, in the order in which they were.
	Counts []Count
	// SamePackage is how many components took their licence from another artifact.
	SamePackage int
	// Failures are places that did not answer as they should, one for each place.
	Failures []sbom.Failure
	// Silent are the packages whose licence nobody names, by type.
	Silent []Silent
}

// Count says what came of the questions to one place.
type Count struct {
	Place    string `json:"place"`
	Asked    int    `json:"asked"`              // different questions, recorded answers among them
	Recorded int    `json:"recorded,omitempty"` // answered by an earlier run
	Answered int    `json:"answered"`           // the licence is named
	Absent   int    `json:"absent,omitempty"`   // the place knows nothing of the package
	Failed   int    `json:"failed,omitempty"`   // no answer that can be trusted
	Offline  int    `json:"offline,omitempty"`  // not asked, because the run is offline
}

// Silent are packages of one type whose licence neither the artifact nor anybody else names.
type Silent struct {
	Type   string   `json:"type"`
	Count  int      `json:"count"`           // different packages
	Names  []string `json:"names,omitempty"` // "name version", sorted, at most 50
	Reason string   `json:"reason"`
	Settle string   `json:"settle"`
}

// parallel bounds how many questions are under way; each server gets at most perHost of them.
const (
	parallel = 8
	perHost  = 2
)

// Collect asks for the licences of all components that have none. Claims are added to copies; what comes in stays as it
// is. An error is that of the context only, and then the result holds what was learnt until then. The same input and the
// same answers give the same value.
func Collect(ctx context.Context, pkgs []sbom.Packages, opt Options) (Result, error) {
	opt.Limits = opt.Limits.orDefault()
	work := newWork(pkgs)
	result := Result{SamePackage: work.fromOthers()}
	places := withRecorded(inOrder(opt.Places), opt.Recorded)
	c := collector{opt: opt, asker: newAsker(opt), recorded: index(opt.Recorded), left: opt.Limits.Questions}
	for _, p := range places {
		count, failure := c.phase(ctx, p, work)
		if count.Asked == 0 {
			continue
		}
		result.Counts = append(result.Counts, count)
		if failure != nil {
			result.Failures = append(result.Failures, *failure)
		}
	}
	result.Packages, result.Silent = work.packages, work.silent()
	return result, ctx.Err()
}

// collector asks one place after the other.
type collector struct {
	opt      Options
	asker    *asker
	recorded map[string]Record
	left     int // questions that may still be asked
}

// reply is what came of one question.
type reply struct {
	record   Record
	recorded bool
	err      error // no answer
}

// phase asks one place about everything that is still silent.
func (c *collector) phase(ctx context.Context, p Place, w *work) (Count, *sbom.Failure) {
	questions := w.questions(p)
	dropped := max(0, len(questions)-c.left)
	questions = questions[:len(questions)-dropped]
	c.left -= len(questions)
	replies := make([]reply, len(questions))
	done := make(chan struct{}, len(questions))
	var group errgroup.Group
	group.SetLimit(parallel)
	for i, q := range questions {
		group.Go(func() error {
			replies[i] = c.answer(ctx, p, q)
			done <- struct{}{}
			if c.opt.Progress != nil {
				c.opt.Progress(p.String(), len(done), len(questions))
			}
			return nil
		})
	}
	_ = group.Wait() // errors are part of each reply
	return c.settle(ctx, p, w, questions, replies, dropped)
}

// answer takes a recorded answer if there is one, else asks.
func (c *collector) answer(ctx context.Context, p Place, q question) reply {
	if r, ok := c.recorded[key(p.String(), q.subject())]; ok {
		return reply{record: r, recorded: true}
	}
	if p.replay {
		return reply{err: errOffline}
	}
	if r, ok := c.cached(p, q); ok {
		return reply{record: r, recorded: true}
	}
	if c.asker.client == nil && !p.local() {
		return reply{err: errOffline}
	}
	found, err := p.ask(ctx, c.asker, q)
	record := Record{Schema: RecordSchema, Place: p.String(), Subject: q.subject(), Claims: found.claims, Origin: found.origin}
	if m, ok := asMiss(err); ok && m.absent {
		record.Absent, record.Origin = m.reason, audit.Origin{Source: p.kind.word, URL: p.base, At: c.opt.At}
	} else if err != nil {
		return reply{err: err}
	}
	c.cache(p, record)
	return reply{record: record}
}

// settle hands the claims out, keeps the records, and counts.
func (c *collector) settle(ctx context.Context, p Place, w *work, questions []question, replies []reply, dropped int) (Count, *sbom.Failure) {
	count := Count{Place: p.String(), Asked: len(questions) + dropped, Failed: dropped}
	var first *miss
	if dropped > 0 {
		first = failed("ask about fewer packages at once", "more than %d questions in one run", c.opt.Limits.Questions)
	}
	what := ""
	for i, r := range replies {
		count.Recorded += one(r.recorded)
		switch {
		case r.err == errOffline:
			count.Offline++
			w.note(questions[i], p.kind.word+": the run is offline")
			continue
		case r.err != nil:
			count.Failed++
			m, _ := asMiss(r.err)
			if first == nil {
				first, what = m, questions[i].what()+": "
			}
			w.note(questions[i], p.kind.word+": "+m.reason)
			continue
		}
		if c.opt.Keep != nil && ctx.Err() == nil {
			if _, err := c.opt.Keep(ctx, r.record.blob()); err != nil {
				count.Failed++
				first, what = failed("", "keeping the answer as evidence: %v", err), questions[i].what()+": "
				continue // without evidence there is no claim
			}
		}
		count.Answered += one(r.record.Absent == "")
		count.Absent += one(r.record.Absent != "")
		w.hear(questions[i], r.record)
	}
	if first == nil {
		return count, nil
	}
	return count, &sbom.Failure{
		Source: p.String(), Settle: first.settle,
		Reason: fmt.Sprintf("%d of %d questions about licences got no answer, the first: %s%s", count.Failed, count.Asked, what, first.reason),
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
