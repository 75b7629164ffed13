package visit

import (
	"context"
	"sync"
)

// once answers each key a single time; others that ask for the same meanwhile wait. The zero value is ready.
type once[T any] struct {
	mu    sync.Mutex
	calls map[string]*call[T]
}

type call[T any] struct {
	done  chan struct{}
	value T
	kept  bool // the value holds for those who come later
}

// do returns the value of a key. The function says whether its value holds for others too. ok is false if the context ended
// while somebody else was asked.
func (o *once[T]) do(ctx context.Context, key string, f func() (value T, keep bool)) (value T, ok bool) {
	for {
		o.mu.Lock()
		c, waiting := o.calls[key]
		if !waiting {
			c = &call[T]{done: make(chan struct{})}
			if o.calls == nil {
				o.calls = map[string]*call[T]{}
			}
			o.calls[key] = c
		}
		o.mu.Unlock()
		if !waiting {
			return o.run(key, c, f), true
		}
		select {
		case <-c.done:
			if c.kept {
				return c.value, true
			}
		case <-ctx.Done():
			return value, false
		}
	}
}

func (o *once[T]) run(key string, c *call[T], f func() (T, bool)) T {
	defer func() { // a panic too must not leave others waiting
		o.mu.Lock()
		if !c.kept {
			delete(o.calls, key)
		}
		o.mu.Unlock()
		close(c.done)
	}()
	c.value, c.kept = f()
	return c.value
}

// mostRemembered bounds the bytes of answers that are remembered to be given again.
const mostRemembered = 64 << 20

// budget is a number of bytes that may still be used.
type budget struct {
	mu   sync.Mutex
	left int64
}

// take reports whether n bytes were still left, and takes them.
func (b *budget) take(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n > b.left {
		return false
	}
	b.left -= n
	return true
}
