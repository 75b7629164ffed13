// Package pipeline calls the stages of an audit in order; who has read this file has seen the program.
//
//	stack.yaml -> Gather: inventory -> packages, licences and SBOMs -> projects -> evidence -> bundle on disk
//	================================ the wall: nothing below asks the world ================================
//	bundle -> Assess: subjects -> findings and verdicts -> Report
//
// Gather takes a context, may fail, and writes down what it saw. Assess is pure: the same bundle and the same policy give
// the same report, on any machine, any day.
package pipeline

import (
	"context"
	"log/slog"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/bundle"
	"github.com/pegel-audit/pegel/reports"
)

// Options say how to run. The zero value of a field does the safe thing.
type Options struct {
	Version string    // of the program, recorded in the bundle
	Now     time.Time // the clock; assessed_at where neither the stack file nor At says otherwise
	At      time.Time // overrides the day of the stack file
	// AtHead judges each history at the committer time of its newest commit, as far as a clone can speak for itself. It is
	// for recordings of the catalogue: a stack is judged on one day.
	AtHead   bool
	Offline  bool     // no network: only local files, sockets of this machine, local clones and recorded evidence
	Bundle   string   // directory to write the evidence to
	Mirrors  []string // directories with local clones
	CacheDir string   // for clones and answers about licences; empty: none are kept
	TempDir  string   // for unpacked images; the system's if empty
	Scopes   []string // overrides the scopes of the stack file
	Policy   string   // to judge by, as PolicyChoice.Asked; empty: the one built in
	Policies []string // directories of signed policies
	// PolicySigners is the file of keys that may sign policies.
	PolicySigners string
	Evidence      []string // more recorded bundles, used before those of the stack file: directories, or oci:REF
	// Corrections are directories with correction files, beside those that the catalogue has.
	Corrections []string
	Anew        map[string][]string // collectors to ask although a recording has their facts, by project id; see ParseAnew
	// Indexes are the third parties that pegel score may ask: words of thirdparty.Services. A stack file names its own.
	Indexes []string
	Clock   func() time.Time // for the moments of answers; nil: the system's
	Files   string           // which files of an artifact stand in its SBOM: sbom.DepthEntries or sbom.DepthAll; empty: none
	// HostImages asks HostInventory for the contents of container images too.
	HostImages bool
	Getenv     func(string) string // the environment; nil: it is empty
	// Profile judges every project scored: the id of a built-in profile or the file of one; empty: each project by the one that
	// its catalogue entry names (see Profiles).
	Profile  string
	Log      *slog.Logger
	Progress func(stage string, done, total int) // nil: silence
}

// Audit does all of it: gather the evidence of a stack into a bundle, then assess the bundle.
func Audit(ctx context.Context, stack Stack, opt Options) (reports.Report, audit.Digest, error) {
	identity, err := Gather(ctx, stack, opt)
	if err != nil {
		return reports.Report{}, "", err
	}
	report, err := Assess(opt.Bundle, AssessOptions{Policy: opt.Policy, Policies: opt.Policies, PolicySigners: opt.PolicySigners})
	if err != nil {
		return reports.Report{}, "", err
	}
	return report, identity, store(opt.Bundle, report)
}

// store puts the report into the bundle, so that anyone can replay the decision against it.
func store(dir string, report reports.Report) error {
	data, err := reports.Render("json", report, reports.Options{})
	if err != nil {
		return err
	}
	return bundle.AddResult(dir, "report", "report.json", data)
}

// assessedAt decides the day of the audit: the flag, then the stack file, then the clock. Whole seconds, UTC.
func (o Options) assessedAt(stack Stack) (time.Time, error) {
	if !o.At.IsZero() {
		return o.At.UTC().Truncate(time.Second), nil
	}
	at, err := stack.assessedAt()
	if err != nil || !at.IsZero() {
		return at, err
	}
	return o.Now.UTC().Truncate(time.Second), nil
}

func (o Options) logger() *slog.Logger {
	if o.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Log
}

func (o Options) progress(stage string, done, total int) {
	if o.Progress != nil {
		o.Progress(stage, done, total)
	}
}
