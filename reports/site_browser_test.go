package reports

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// TestASiteIsSearchedInABrowser opens a site in a real browser: the search finds names, hostile names run nothing, and the style
// sheet is let in by the security policy. Like the test of the report it is skipped where there is no Chromium: the other
// tests prove from the bytes what is sent, this one that browsers agree.
func TestASiteIsSearchedInABrowser(t *testing.T) {
	chromium := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			chromium = found
			break
		}
	}
	if chromium == "" {
		t.Skip("no chromium on this machine")
	}
	dir := t.TempDir()
	named := sitedProject()
	named.ID, named.Name = "zeta", "Zeta Store"
	for f, err := range siteOf(append(hostileSample().Projects, sitedProject(), named)...).Files() {
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	doc := inBrowser(t, chromium, dir, "index.html#q="+url.PathEscape("store ZETA"))
	var seen []string
	hidden, status := 0, ""
	for _, e := range elements(doc) {
		switch {
		case e.Data == "tr" && e.Parent != nil && attr(e.Parent, "id") == "projects":
			if has(e, "hidden") {
				hidden++
				continue
			}
			seen = append(seen, textIn(e))
		case attr(e, "id") == "found":
			status = textIn(e)
		case attr(e, "id") == "find" && has(e, "hidden"):
			t.Error("the script did not run: its digest and the security policy differ")
		case e.Data == "title" && strings.Contains(textIn(e), canaryTitle):
			t.Error("a hostile name ran a script")
		}
	}
	if len(seen) != 1 || !strings.Contains(seen[0], "Zeta Store") || hidden != 4 || status != "1 project found" {
		t.Errorf("searching for a name shows %q, hides %d, and says %q", seen, hidden, status)
	}
	if all := inBrowser(t, chromium, dir, "index.html"); slices.ContainsFunc(elements(all), func(e *html.Node) bool { return e.Data == "tr" && has(e, "hidden") }) {
		t.Error("without a search something is hidden")
	}
}

func has(e *html.Node, key string) bool {
	return slices.ContainsFunc(e.Attr, func(a html.Attribute) bool { return a.Key == key })
}

// inBrowser returns a page as a browser has it after running it.
func inBrowser(t *testing.T, chromium, dir, page string) *html.Node {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir="+filepath.Join(t.TempDir(), "profile"), "--dump-dom", "file://"+filepath.Join(dir, "")+"/"+page).Output()
	if err != nil {
		t.Skipf("the browser does not start here: %v", err)
	}
	return parseHTML(t, out)
}
