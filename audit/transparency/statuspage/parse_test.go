package statuspage

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestMomentsOfAllSoftwareAreRead(t *testing.T) {
	want := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, s := range []string{
		"2026-02-03T04:05:06Z", "2026-02-03T04:05:06.123Z", "2026-02-03T05:05:06+01:00", "2026-02-03T05:05:06+0100", "2026-02-03 04:05:06 +0000 UTC",
		"2026-02-03 04:05:06", "2026-02-03T04:05:06", "Tue, 03 Feb 2026 04:05:06 +0000", "Tue, 3 Feb 2026 04:05:06 GMT", "3 Feb 2026 05:05:06 +0100",
		"Tue Feb 03 2026 04:05:06 GMT+0000 (Coordinated Universal Time)", " 2026-02-03 05:05:06 +0100 CET ", "2026-02-03 04:05:06.789",
	} {
		if got, ok := moment(s); !ok || !got.Equal(want) {
			t.Errorf("%q: got %v %v", s, got, ok)
		}
	}
	for _, s := range []string{"yesterday", "1760000000", "03.02.2026 04:05", "Tue, 03 Feb 2026 04:05:06 XYZ", "2026-13-01T00:00:00Z", "9999-01-01T00:00:00Z", strings.Repeat("2", 100)} {
		if got, ok := moment(s); ok {
			t.Errorf("%q: got %v", s, got)
		}
	}
	for _, s := range []string{"", "null", "<nil>", "0001-01-01T00:00:00Z"} {
		if got, ok := moment(s); !ok || !got.IsZero() {
			t.Errorf("%q: got %v %v", s, got, ok)
		}
	}
}

func TestAddressesOfPeopleAreDroppedAndTheJSONStaysWhole(t *testing.T) {
	for _, test := range [][2]string{
		{`{"a":"write to jo.e@example.org, now"}`, `{"a":"write to (address), now"}`},
		{`{"a":"line\nnew@example.org"}`, `{"a":"line\n(address)"}`},
		{`{"a":"\u00e4b@example.org"}`, `{"a":"\u00e4(address)"}`},
		{`{"a":"x@y and @z and git@host:path"}`, `{"a":"x@y and @z and git@host:path"}`},
		{`{"user":{"login":"j"},"a":[1,{"author":"j","b":2.50}],"c":null}`, `{"a":[1,{"b":2.50}],"c":null}`},
	} {
		got, err := redactJSON([]byte(test[0]))
		if err != nil || string(got) != test[1] || !json.Valid(got) {
			t.Errorf("got %s %v, want %s", got, err, test[1])
		}
	}
	for _, s := range []string{`{"user":1`, `{"user":` + strings.Repeat("[", 200), `{"author":1} x`} {
		if _, err := redactJSON([]byte(s)); err == nil {
			t.Errorf("%.40s: want an error", s)
		}
	}
}

func TestAFeedInAnOldEncodingIsRead(t *testing.T) {
	body := append([]byte(`<?xml version="1.0" encoding="ISO-8859-1"?><rss version="2.0"><channel><title>St`), 0xf6)
	body = append(body, []byte(`rung &uuml;ber</title><image><title>logo</title></image><item><title>A</title><pubDate>Sat, 01 Feb 2025 08:00:00 +0100</pubDate></item></channel></rss>`)...)
	title, entries, _, err := parseFeed(body)
	if err != nil || title != "Störung über" || len(entries) != 1 {
		t.Errorf("got %q %v %v", title, entries, err)
	}
	if _, _, _, err := parseFeed([]byte("<rss>" + strings.Repeat("<a>", 100))); err == nil {
		t.Error("a feed nested too deep is read")
	}
	long := "<rss><channel>" + strings.Repeat("<item><title>x</title></item>", mostEntries+1) + "</channel></rss>"
	if _, entries, cut, err := parseFeed([]byte(long)); err != nil || !cut || len(entries) != mostEntries {
		t.Errorf("got %d entries, cut=%v, %v", len(entries), cut, err)
	}
}

func TestTheHistoryOfStatuspageIsReadWithItsYear(t *testing.T) {
	if got := historyDay(2025, "Aug <var data-var='date'>10</var>, <var data-var='time'>00:17</var> - <var data-var='time'>01:30</var> UTC"); got != day("2025-08-10T00:17:00Z") {
		t.Error(got)
	}
	for _, s := range []string{"", "août 10, 00:17", "Aug 40, 00:17"} {
		if got := historyDay(2025, s); !got.IsZero() {
			t.Errorf("%q: %v", s, got)
		}
	}
}

func FuzzRedaction(f *testing.F) {
	f.Add([]byte(`{"user":{"login":"j"},"a":"b@example.org\n"}`))
	f.Add([]byte(`<feed><author>x</author></feed>`))
	f.Add([]byte("\ufeff[1,2,{\"email\":\"\\u0041@example.org\"}]"))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := redactJSON(bytes.Clone(body))
		if err != nil {
			return
		}
		if json.Valid(body) && !json.Valid(got) {
			t.Fatalf("%q became %q", body, got)
		}
		again, err := redactJSON(got)
		if err != nil || !bytes.Equal(again, got) {
			t.Fatalf("twice is not once: %q, %q, %v", got, again, err)
		}
	})
}

func FuzzMoment(f *testing.F) {
	for _, s := range []string{"2026-02-03T04:05:06Z", "Tue, 3 Feb 2026 04:05:06 GMT", "2026-02-03 05:05:06 +0100 CET", "Tue Feb 03 2026 04:05:06 GMT+0000 (X)", "-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := moment(s)
		if !ok && !got.IsZero() {
			t.Fatalf("%q is unread and %v", s, got)
		}
		if again, ok := moment(got.Format(time.RFC3339)); !ok || !again.Equal(got) {
			t.Fatalf("%q: %v reads back as %v", s, got, again)
		}
	})
}

func FuzzFeed(f *testing.F) {
	f.Add([]byte(`<rss version="2.0"><channel><title>a</title><item><title>b</title><link>https://example.org</link></item></channel></rss>`))
	f.Add([]byte(`<feed xmlns="http://www.w3.org/2005/Atom"><entry><link href="https://example.org"/><updated>2026-01-01T00:00:00Z</updated></entry></feed>`))
	f.Add([]byte(`<?xml version="1.0" encoding="iso-8859-1"?><rss></rss>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		_, entries, _, err := parseFeed(body)
		if err != nil && entries != nil {
			t.Fatal("entries of a feed that cannot be read")
		}
		for _, e := range entries {
			i := e.incident()
			if i.URL != "" && !strings.HasPrefix(i.URL, "http") && !strings.HasPrefix(i.URL, "file:///") && address(i.URL) != "" {
				t.Fatalf("address %q", i.URL)
			}
		}
	})
}
