package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/pegel-audit/pegel/audit/bundle"
	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
	"github.com/pegel-audit/pegel/reports"
)

// Exit codes (design section 5).
const (
	exitDone         = 0  // every requested scope eligible; other commands: the work was done
	exitNotEligible  = 1  // a requested scope is not eligible; verify, replay, policy lint, policy test: something was found
	exitUsage        = 2  // wrong usage or configuration
	exitUndetermined = 3  // no requested scope fails, one cannot be decided
	exitIntegrity    = 4  // evidence does not match its digest, or a signature does not hold
	exitInterrupted  = 5  // interrupted; run again to resume
	exitInternal     = 70 // cannot go on
)

const exitTable = `Exit codes:
  0   every requested scope meets the criteria; other commands: the work was done
  1   a requested scope does not meet the criteria; verify, replay, drift, sbom check, policy lint, policy test: something was found
  2   wrong usage or configuration
  3   no requested scope fails, but one cannot be decided; drift: there was nothing to compare
  4   the evidence does not match its digests, or a signature does not hold
  5   interrupted; run again to resume
  70  cannot go on`

// status is an exit code without an error message: the output already says it.
type status int

func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// exitCode sorts an error into the codes above.
func exitCode(err error) int {
	var s status
	var usage *pipeline.UsageError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &s):
		return int(s)
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, bundle.ErrIntegrity), errors.Is(err, pipeline.ErrSignature), errors.As(err, new(*pipeline.SignatureError)):
		return exitIntegrity
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitInternal
}

// startsAgain is an interruption of a run that keeps nothing to go on with.
type startsAgain struct{ error }

func (e startsAgain) Unwrap() error { return e.error }

// explain prints an error for a person: one line, and a hint where there is one. Control characters from foreign names
// never reach the terminal.
func explain(w io.Writer, err error) {
	var s status
	if err == nil || errors.As(err, &s) {
		return
	}
	if errors.As(err, new(startsAgain)) {
		fmt.Fprintln(w, "pegel: interrupted; an earlier bundle is as it was, and the next run begins anew")
		return
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(w, "pegel: interrupted; what was gathered is kept, run the same command again to go on")
		return
	}
	fmt.Fprintf(w, "pegel: %s\n", printable(err.Error()))
	var usage *pipeline.UsageError
	if errors.As(err, &usage) && usage.Hint != "" {
		fmt.Fprintf(w, "hint: %s\n", printable(usage.Hint))
	}
	if errors.Is(err, pipeline.ErrSignature) {
		fmt.Fprintln(w, "hint: the policy was changed after it was signed, or signed by a key that --policy-signers does not name; get it again from whoever made it")
	}
	if errors.Is(err, bundle.ErrIntegrity) {
		fmt.Fprintln(w, "hint: the bundle was changed or damaged after it was written; get it again from whoever made it")
	}
}

// printable replaces control characters, so that a hostile name cannot steer the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '\uFFFD'
		}
		return r
	}, s)
}

// verdictCode is the exit code of an assessment: the worst of the scopes that were asked for.
func verdictCode(r reports.Report) error {
	code := exitDone
	for _, v := range r.Verdicts {
		switch {
		case !v.Requested:
		case v.Outcome == "not-eligible":
			return status(exitNotEligible)
		case v.Outcome != "eligible":
			code = exitUndetermined
		}
	}
	if code == exitDone {
		return nil
	}
	return status(code)
}
