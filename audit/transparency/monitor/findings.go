package monitor

import (
	"math"
	"net/http"
	"slices"
	"sort"
	"time"

	"github.com/pegel-audit/pegel/audit/transparency"
)

// Bounds of what is written down.
const (
	mostNames   = 20
	mostOutages = 100
	nameLength  = 120
)

// outageFloor is the share of failed calls in one step, in basis points, from which on a span is written down as an outage.
// It only keeps the list short: which of them matter is for the rules that read it.
const outageFloor = 1000

// point is one sample, or one value of a step.
type point struct {
	at    time.Time
	value float64
}

// failing is the share of failed calls in one step.
type failing struct {
	at    time.Time
	share int // basis points
	calls int // 0: not known
}

// kind is what a series says.
type kind int

const (
	unknownKind kind = iota
	errorRate
	responseTime
	callCount // how many calls were made: without errors there are none to show
)

// findings is what was read from one monitor, whatever software runs it.
type findings struct {
	software string
	panels   int
	failed   int
	newest   time.Time
	errors   track
	latency  track
	unknown  []string
	shares   map[string][]failing // by name of the series
}

// track is one kind of series.
type track struct {
	names  []string
	failed int
	values int
	from   time.Time
	to     time.Time
	days   map[string]bool
}

// add takes the samples of one series, those within the reach.
func (t *track) add(s *session, name string, points []point) {
	t.name(name)
	for _, p := range points {
		if p.at.Before(s.from()) || p.at.After(s.to()) {
			continue
		}
		if t.days == nil {
			t.days = map[string]bool{}
		}
		t.days[p.at.UTC().Format(time.DateOnly)] = true
		t.values++
		if t.from.IsZero() || p.at.Before(t.from) {
			t.from = p.at
		}
		if p.at.After(t.to) {
			t.to = p.at
		}
	}
}

func (t *track) name(name string) { t.names = addName(t.names, name) }

func addName(names []string, name string) []string {
	name = clean(name, nameLength)
	if name == "" || len(names) >= mostNames || slices.Contains(names, name) {
		return names
	}
	return append(names, name)
}

// series puts the track into the words of the evidence. A series without a sample was not shown.
func (t *track) series(s *session) transparency.Series {
	if t.values == 0 {
		return transparency.Series{Failed: t.failed}
	}
	out := transparency.Series{
		Names: t.names, From: t.from.UTC().Truncate(time.Second), To: t.to.UTC().Truncate(time.Second),
		Days: len(t.days), Values: t.values, Failed: t.failed,
	}
	for i := range reachDays {
		if day := s.from().AddDate(0, 0, i).Format(time.DateOnly); !t.days[day] {
			out.Missing = append(out.Missing, day)
		}
	}
	return out
}

// share adds the shares of failed calls of one series.
func (f *findings) share(name string, shares []failing) {
	if f.shares == nil {
		f.shares = map[string][]failing{}
	}
	name = clean(name, nameLength)
	f.shares[name] = append(f.shares[name], shares...)
}

// fresh says that a sample of that moment was shown.
func (f *findings) fresh(at time.Time) {
	if at.After(f.newest) {
		f.newest = at
	}
}

func (f *findings) monitor(s *session) *transparency.Monitor {
	looked, skew := s.clock()
	m := &transparency.Monitor{
		Software: clean(f.software, nameLength), Panels: f.panels, Failed: f.failed + f.errors.failed + f.latency.failed,
		Looked: looked, Skew: skew, Reach: reachDays,
		Errors: f.errors.series(s), Latency: f.latency.series(s), Unknown: f.unknown, Outages: f.outages(s),
	}
	if !f.newest.IsZero() {
		m.Newest = f.newest.UTC().Truncate(time.Second)
	}
	return m
}

// clock returns the moment of the last look that was answered, and by how many seconds the server's clock is ahead of ours.
func (s *session) clock() (looked time.Time, skew int64) {
	for _, seen := range s.artifact.Seen {
		if seen.Trouble != nil {
			continue
		}
		looked, skew = seen.At, 0
		if seen.Handed != "" {
			continue
		}
		if date, err := http.ParseTime(seen.Headers["date"]); err == nil && !seen.At.IsZero() {
			skew = int64(date.Sub(seen.At) / time.Second)
		}
	}
	return looked, skew
}

// outages joins neighbouring steps with errors to spans, newest first.
func (f *findings) outages(s *session) []transparency.Outage {
	var out []transparency.Outage
	for _, name := range sortedKeys(f.shares) {
		shares := slices.Clone(f.shares[name])
		sort.SliceStable(shares, func(i, j int) bool { return shares[i].at.Before(shares[j].at) })
		out = append(out, spans(s, name, shares)...)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Begin.After(out[j].Begin) })
	if len(out) > mostOutages {
		s.note("the newest %d of %d spans with errors are written down", mostOutages, len(out))
		out = out[:mostOutages]
	}
	return out
}

func spans(s *session, name string, shares []failing) []transparency.Outage {
	var out []transparency.Outage
	for _, p := range shares {
		if p.share < outageFloor || p.at.Before(s.from()) || p.at.After(s.to()) {
			continue
		}
		begin, end := p.at.UTC().Truncate(time.Second), p.at.UTC().Truncate(time.Second).Add(step)
		if n := len(out); n > 0 && !begin.After(out[n-1].End) {
			o := &out[n-1]
			if end.After(o.End) {
				o.End = end
			}
			if p.share > o.Share {
				o.Share, o.Calls = p.share, p.calls
			}
			continue
		}
		out = append(out, transparency.Outage{Begin: begin, End: end, What: name, Share: p.share, Calls: p.calls})
	}
	return out
}

// basisPoints turns a share between 0 and 1 into basis points; what is no share is none.
func basisPoints(share float64) (int, bool) {
	if math.IsNaN(share) || math.IsInf(share, 0) || share < 0 {
		return 0, false
	}
	return int(math.Round(min(share, 1) * 10000)), true
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
