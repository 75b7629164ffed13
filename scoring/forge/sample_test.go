package forge

import (
	"testing"
	"time"
)

func TestMedianOfWhatIsThere(t *testing.T) {
	for _, c := range []struct {
		in   []int64
		want int64
		ok   bool
	}{{nil, 0, false}, {[]int64{7}, 7, true}, {[]int64{9, 1}, 5, true}, {[]int64{9, 1, 2}, 2, true}, {[]int64{1 << 62, 1<<62 + 2}, 1<<62 + 1, true}} {
		if got, ok := median(c.in); got != c.want || ok != c.ok {
			t.Errorf("median(%v) = %d, %v; want %d, %v", c.in, got, ok, c.want, c.ok)
		}
	}
}

func TestWindowsEndAtTheAssessmentAndTwelveMonthsAre365Days(t *testing.T) {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	begin := at.AddDate(0, 0, -365)
	if got := since(at, 12); !got.Equal(begin) {
		t.Errorf("12 months begin at %s, want %s", got, begin)
	}
	for moment, want := range map[time.Time]bool{begin: false, begin.Add(time.Second): true, at: true, at.Add(time.Second): false, {}: false} {
		if got := within(moment, at, 12); got != want {
			t.Errorf("within(%s) = %v, want %v", moment, got, want)
		}
	}
}

func TestTheFirstAnswerIsOfSomebodyElse(t *testing.T) {
	opened := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	after := func(h int) time.Time { return opened.Add(time.Duration(h) * time.Hour) }
	remarks := []remark{{after(9), "p2", false}, {after(1), "p1", false}, {after(2), "ci[bot]", true}, {after(3), "", false}, {after(-1), "p3", false}, {after(5), "p3", false}}
	if s, ok := firstAnswer(opened, "p1", remarks); !ok || s != 5*3600 {
		t.Errorf("got %d s, %v; want 5 h: neither the author nor a machine nor nobody answers", s, ok)
	}
	if _, ok := firstAnswer(opened, "p1", remarks[1:5]); ok {
		t.Error("a change that nobody else spoke about has an answer")
	}
}
