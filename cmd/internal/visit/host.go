package visit

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Bounds of politeness.
const (
	mostDelay    = 5 * time.Second // of Crawl-delay: a longer one would make one page of a monitor an hour
	defaultPause = time.Minute     // after 429 without Retry-After
	mostPause    = time.Hour       // whatever Retry-After says
	mostSlow     = 3               // answers in a row that do not come in time; who asks a server on for its fifty pages waits half an hour
)

// hosts keep for each host name its turn: one request at a time. The zero value is ready.
type hosts struct {
	mu     sync.Mutex
	byName map[string]*host
}

type host struct {
	turn  chan struct{} // holds one value while a request is under way
	last  time.Time     // end of the last request; read and written by whoever has the turn
	until time.Time     // nobody asks before; likewise
	slow  int           // answers in a row that did not come in time; likewise
}

func (h *hosts) of(name string) *host {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.byName == nil {
		h.byName = map[string]*host{}
	}
	found, ok := h.byName[name]
	if !ok {
		found = &host{turn: make(chan struct{}, 1)}
		h.byName[name] = found
	}
	return found
}

// take waits for the turn and for the delay since the last request. Without an error, give the turn back with leave.
func (h *host) take(ctx context.Context, delay time.Duration) error {
	select {
	case h.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := h.wait(ctx, delay); err != nil {
		<-h.turn
		return err
	}
	return nil
}

func (h *host) wait(ctx context.Context, delay time.Duration) error {
	rest := time.Until(h.last.Add(delay))
	if h.last.IsZero() || rest <= 0 {
		return ctx.Err() // a select chooses at random where both are ready
	}
	timer := time.NewTimer(rest)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *host) leave() {
	h.last = time.Now()
	<-h.turn
}

// note counts answers that do not come in time.
func (h *host) note(t *audit.Trouble) {
	switch {
	case t == nil || t.Kind != audit.TroubleTimeout && t.Kind != audit.TroubleInterrupted:
		h.slow = 0
	case t.Kind == audit.TroubleTimeout:
		h.slow++
	}
}

// pause returns how long a server asks to be left alone.
func pause(header http.Header, now time.Time) time.Duration {
	text := header.Get("Retry-After")
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(n)*time.Second, mostPause)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, min(at.Sub(now), mostPause))
	}
	return defaultPause
}
