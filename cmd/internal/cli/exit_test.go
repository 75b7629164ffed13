package cli

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

func TestAnInterruptionSaysWhatTheNextRunBeginsWith(t *testing.T) {
	for want, err := range map[string]error{
		"begins anew":   startsAgain{fmt.Errorf("asking: %w", context.Canceled)},
		"to go on":      fmt.Errorf("asking: %w", context.Canceled),
		"no disk space": fmt.Errorf("no disk space"),
	} {
		var b strings.Builder
		if explain(&b, err); !strings.Contains(b.String(), want) {
			t.Errorf("got %q, want %q", b.String(), want)
		}
		if code := exitCode(err); (code == exitInterrupted) != (want != "no disk space") {
			t.Errorf("%v ends with %d", err, code)
		}
	}
}
