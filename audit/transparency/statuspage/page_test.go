package statuspage

import (
	"testing"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

func newTestPage(t *testing.T, a answers) *page {
	t.Helper()
	s := serve(t, a)
	l, trouble := newLook(transparency.Target{URL: s.URL}, transparency.World{Ask: ask(s.Client()), At: at})
	if trouble != nil {
		t.Fatal(trouble.Text)
	}
	return newPage(l, "test")
}

func TestOnlyWhatHappenedMakesAPageCurrent(t *testing.T) {
	p := newTestPage(t, nil)
	p.incident(transparency.Incident{ID: "1", Begin: at.AddDate(0, 0, -9), End: at.AddDate(0, 0, -8), Open: true, Maintenance: true}) // planned end
	p.incident(transparency.Incident{ID: "2", Begin: at.AddDate(0, 1, 0), Maintenance: true})
	page := p.done()
	if want := at.AddDate(0, 0, -9); !page.UpdatedAt.Equal(want) || !page.HistoryFrom.Equal(want) {
		t.Errorf("updated %v, history from %v, want %v", page.UpdatedAt, page.HistoryFrom, want)
	}
}

func TestAnIncidentIsCountedOnceAndOldOnesAreCountedOnly(t *testing.T) {
	p := newTestPage(t, nil)
	for range 3 {
		p.incident(transparency.Incident{ID: "1", Begin: at.AddDate(0, -1, 0), End: at.AddDate(0, -1, 0)})
		p.incident(transparency.Incident{ID: "1", Begin: at.AddDate(0, -1, 0), Maintenance: true})
		p.incident(transparency.Incident{URL: "https://status.example.org/old", Begin: at.AddDate(-3, 0, 0), End: at.AddDate(-3, 0, 1)})
	}
	page := p.done()
	if page.IncidentsSeen != 3 || len(page.Incidents) != 2 || !page.HistoryFrom.Equal(at.AddDate(-3, 0, 0)) {
		t.Errorf("%d seen, %d kept, history from %v", page.IncidentsSeen, len(page.Incidents), page.HistoryFrom)
	}
}

func TestNoMoreIsAskedThanAPageMayCost(t *testing.T) {
	p := newTestPage(t, answers{"/a": "{}", "/b": "{}"})
	p.look.most = 1
	first, again := p.look.get(t.Context(), p.look.join("/a"), typeJSON, mostPage), p.look.get(t.Context(), p.look.join("/a"), typeJSON, mostPage)
	second := p.look.get(t.Context(), p.look.join("/b"), typeJSON, mostPage)
	if first.Trouble != nil || again.Trouble != nil || second.Trouble == nil || second.Trouble.Kind != audit.TroubleTooLarge || len(p.look.seen) != 1 {
		t.Errorf("%+v, %+v, %+v after %d looks", first.Trouble, again.Trouble, second.Trouble, len(p.look.seen))
	}
}
