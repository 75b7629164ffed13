package pipeline

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
)

// A run over many projects that was interrupted leaves notes of those it has read, and takes them away when it is done.
func TestAnInterruptedScoreGoesOnWhereItWas(t *testing.T) {
	names := []string{"memcached", "keepalived", "etcd", "coredns", "grafana", "prometheus", "harbor", "keystone", "nova"}
	opt := collectOptions(t, mirror(t, names...))
	ctx, cancel := context.WithCancel(context.Background())
	opt.Progress = func(_ string, done, _ int) {
		if done >= 3 {
			cancel()
		}
	}
	if _, err := Score(ctx, names, false, opt); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want that it was interrupted", err)
	}
	notes := func() int {
		files, err := filepath.Glob(filepath.Join(opt.CacheDir, "score", "*"+journalSuffix, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	if n := notes(); n < 3 {
		t.Errorf("%d notes after three projects", n)
	}
	opt.Progress = nil
	rows, err := Score(context.Background(), names, false, opt)
	if err != nil || len(rows) != len(names) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, r := range rows {
		if r.ID != names[i] || r.Head == "" {
			t.Errorf("row %d is %s at %q, want %s", i, r.ID, r.Head, names[i])
		}
	}
	if n := notes(); n != 0 {
		t.Errorf("%d notes are left", n)
	}
}
