package cli

import (
	"context"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/sbom/quality"
)

func TestACheckThatIsInterruptedEndsWithItsExitCode(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := checkFiles(ctx, []string{"-"}, strings.NewReader(`{"bomFormat":`), quality.Options{})
	if got := exitCode(err); got != exitInterrupted {
		t.Errorf("got exit code %d (%v), want %d", got, err, exitInterrupted)
	}
}
