package visit

import (
	"strings"
	"testing"
	"time"
)

func TestRobotsAreReadAsTheRFCSays(t *testing.T) {
	tests := []struct {
		name, file, path string
		denied           bool
	}{
		{"an empty file allows", "", "/", false},
		{"a group for all", "User-agent: *\nDisallow: /private", "/private/a", true},
		{"a group for all, another path", "User-agent: *\nDisallow: /private", "/public", false},
		{"our own group replaces the one for all", "User-agent: *\nDisallow: /\n\nUser-agent: Pegel\nAllow: /", "/a", false},
		{"our own group without rules allows", "User-agent: *\nDisallow: /\n\nUser-agent: pegel\nDisallow:", "/a", false},
		{"our name in any case and with a version", "User-agent: PEGEL/2.0\nDisallow: /", "/a", true},
		{"another name that begins alike", "User-agent: PegelBot\nDisallow: /", "/a", false},
		{"several names of a group", "User-agent: other\nUser-agent: pegel\nDisallow: /a", "/a", true},
		{"a name after rules begins a new group", "User-agent: other\nDisallow: /\nUser-agent: pegel\nDisallow: /b", "/a", false},
		{"two groups of one name are one", "User-agent: pegel\nDisallow: /a\nUser-agent: other\nDisallow: /\nUser-agent: pegel\nDisallow: /b", "/b", true},
		{"a line that is no rule does not end the names", "User-agent: pegel\nSitemap: https://example.org/s.xml\nUser-agent: other\nDisallow: /a", "/a", true},
		{"the longest match decides", "User-agent: *\nDisallow: /\nAllow: /api/v2/", "/api/v2/summary.json", false},
		{"the longest match decides, whatever the order", "User-agent: *\nAllow: /api/\nDisallow: /api/v2/x", "/api/v2/x", true},
		{"of equals the one that allows", "User-agent: *\nDisallow: /a\nAllow: /a", "/a", false},
		{"a star", "User-agent: *\nDisallow: /*/private", "/x/y/private/z", true},
		{"a dollar", "User-agent: *\nDisallow: /*.json$", "/a.json", true},
		{"a dollar, with more behind", "User-agent: *\nDisallow: /*.json$", "/a.json?x=1", false},
		{"a dollar without a star", "User-agent: *\nDisallow: /a$", "/ab", false},
		{"a star that has to go further", "User-agent: *\nDisallow: /*a$", "/ab/ca", true},
		{"two spellings of one path", "User-agent: *\nDisallow: /%7eadmin/%c3%a4", "/~admin/ä", true},
		{"a slash that is none", "User-agent: *\nDisallow: /a%2fb", "/a/b", false},
		{"a query", "User-agent: *\nDisallow: /*?token=", "/a?token=1", true},
		{"comments and blanks", "# all\n  user-AGENT :  *  # us too\n\tDISALLOW: /a # here\n", "/a", true},
		{"ends of lines of old systems", "User-agent: *\rDisallow: /a\r\nDisallow: /b", "/b", true},
		{"a byte order mark", "\ufeffUser-agent: *\nDisallow: /", "/a", true},
		{"an HTML page", "<!doctype html><p>User-agent: *</p>", "/a", false},
		{"rules before any name", "Disallow: /\nUser-agent: other\nDisallow: /", "/a", false},
		{"robots.txt itself", "User-agent: *\nDisallow: /", "/robots.txt", false},
		{"what is beyond the limit does not count", "User-agent: *\n" + strings.Repeat("#", 500<<10) + "\nDisallow: /", "/a", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := parseRobots([]byte(tt.file))
			if _, denied := r.denied(tt.path); denied != tt.denied {
				t.Errorf("denied = %v, want %v", denied, tt.denied)
			}
		})
	}
}

func TestADelayIsTakenUpToABound(t *testing.T) {
	for text, want := range map[string]time.Duration{"0.5": 500 * time.Millisecond, "3600": 5 * time.Second, "-1": 0, "x": 0, "NaN": 0, "1e400": 0, "Inf": 5 * time.Second} {
		if r := parseRobots([]byte("User-agent: *\nCrawl-delay: " + text)); r.delay != want {
			t.Errorf("Crawl-delay %s = %s, want %s", text, r.delay, want)
		}
	}
}

func TestHostileRobotsAreMatchedInTime(t *testing.T) {
	file := "User-agent: *\nDisallow: /" + strings.Repeat("*a", 200<<10) + "$\n"
	r := parseRobots([]byte(file))
	start := time.Now()
	for range 10 {
		r.denied("/" + strings.Repeat("a", 4000) + "b")
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("ten matches took %s", took)
	}
}

// FuzzRobots checks that a file which disallows everything to us allows nothing, whatever stands before it, and that a
// pattern without wildcards matches as a prefix.
func FuzzRobots(f *testing.F) {
	f.Add("User-agent: *\nAllow: /\n", "/a")
	f.Add("User-agent: pegel\nUser-agent: x\n", "/%2f")
	f.Fuzz(func(t *testing.T, before, path string) {
		if len(before) > 1000 || strings.Contains(strings.ToLower(before), "allow") {
			return
		}
		r := parseRobots([]byte(before + "\nUser-agent: pegel\nDisallow: /\n"))
		if _, denied := r.denied("/" + path); !denied && normalised("/"+path) != "/robots.txt" {
			t.Errorf("%q is allowed", path)
		}
		if plain := "/" + strings.NewReplacer("*", "", "$", "").Replace(path); !robotsMatch(normalised(plain), normalised(plain+"x")) && !strings.Contains(plain, "%") {
			t.Errorf("%q does not match itself", plain)
		}
	})
}
