package scan

import (
	"context"
	"fmt"
	"runtime"
	gosync "sync"

	"github.com/anchore/go-sync"
	"github.com/anchore/syft/syft/cataloging"
)

// guard keeps the readers of syft from ending the whole process. Syft runs each of them in a goroutine of its own and
// catches panics only outside of it, so that one forged file in one image would cost all others.
type guard struct {
	mu    gosync.Mutex
	first string // what the first reader that gave up said
}

// executors returns a context in which syft runs its readers guarded, as many at the same time as it would: parallelism 0
// is four for each CPU, 1 is one after the other.
func (g *guard) executors(ctx context.Context, parallelism int) context.Context {
	switch parallelism {
	case 0:
		parallelism = 4 * runtime.NumCPU()
	case 1:
		parallelism = 0
	}
	for _, name := range []string{cataloging.ExecutorCPU, cataloging.ExecutorFile} {
		ctx = sync.SetContextExecutor(ctx, name, guarded{sync.NewExecutor(parallelism), g})
	}
	return ctx
}

// err returns why not everything was read, or nil.
func (g *guard) err() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.first == "" {
		return nil
	}
	return fmt.Errorf("a file is damaged or forged so that a reader of syft gave up: %.300s", g.first)
}

func (g *guard) catch() {
	if r := recover(); r != nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.first == "" {
			g.first = fmt.Sprint(r)
		}
	}
}

// guarded is an executor whose work cannot panic.
type guarded struct {
	inner sync.Executor
	guard *guard
}

// Go runs f as the inner executor does.
func (e guarded) Go(f func()) {
	e.inner.Go(func() {
		defer e.guard.catch()
		f()
	})
}

// Wait waits as the inner executor does.
func (e guarded) Wait(ctx context.Context) { e.inner.Wait(ctx) }

// ChildExecutor guards the child of the inner executor: work that starts work needs one of its own.
func (e guarded) ChildExecutor() sync.Executor {
	if parent, ok := e.inner.(sync.ChildExecutor); ok {
		return guarded{parent.ChildExecutor(), e.guard}
	}
	return e
}
