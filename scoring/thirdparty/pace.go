package thirdparty

import (
	"context"
	"sync"
	"time"
)

// interval is how far apart requests must be, by service.
// Sources: api.md of the badge application and the terms of the API of Repology: at most one request in a second.
func interval(s Service) time.Duration {
	switch s {
	case Badges, Repology:
		return time.Second
	}
	return 0
}

// pace keeps the requests to one service apart. Answers of a cache do not count: they reach nobody.
type pace struct {
	every time.Duration
	sleep func(context.Context, time.Duration) error
	now   func() time.Time

	mu   sync.Mutex
	last time.Time // of the newest request that was really sent
}

func paces(o Options) map[Service]*pace {
	sleep, now := o.Sleep, o.Now
	if sleep == nil {
		sleep = wait
	}
	if now == nil {
		now = time.Now
	}
	out := map[Service]*pace{}
	for _, s := range Services() {
		out[s] = &pace{every: interval(s), sleep: sleep, now: now}
	}
	return out
}

// wait sleeps until the time is over or the context is.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// do sends one request in its turn. send reports when the answer was given.
func (p *pace) do(ctx context.Context, send func() (answered time.Time)) error {
	if p.every == 0 {
		send()
		return ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if rest := p.every - p.now().Sub(p.last); !p.last.IsZero() && rest > 0 {
		if err := p.sleep(ctx, rest); err != nil {
			return err
		}
	}
	began := p.now()
	// The moment of an answer has whole seconds.
	if answered := send(); answered.IsZero() || !answered.Before(began.Truncate(time.Second)) {
		p.last = p.now()
	}
	return ctx.Err()
}
