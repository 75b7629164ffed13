//go:build live

package policies

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// mostDocument bounds a file that is fetched: the longest of them has a few hundred kilobytes.
const mostDocument = 8 << 20

// TestQuotationsStandInTheirSources reads every pinned file and looks for every quotation on its line. With PEGEL_CLONES=DIR the
// files come from local clones (DIR/owner+name/repo or DIR/owner+name, bare or not), else from raw.githubusercontent.com.
// Documents that lie in no git repository (BSI, RFC, laws) quote nothing; they are listed, for a person to check.
//
//	go test -tags live ./policies -run Quotations -v
func TestQuotationsStandInTheirSources(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	files, failed := map[string]string{}, map[string]bool{}
	checked, documents, unquoted := 0, map[string]bool{}, map[string]int{}
	for _, c := range builtIn(t).Clauses() {
		if c.Quote == "" {
			unquoted[c.Document.ID]++
			continue
		}
		if c.Document.Repository == "" {
			t.Errorf("%s quotes a document that is in no repository: nobody can check it", c.ID)
			continue
		}
		key := c.Document.Repository + "@" + c.Document.Commit + ":" + c.File()
		if _, read := files[key]; !read && !failed[key] {
			text, err := pinned(ctx, c)
			if err != nil {
				t.Errorf("reading %s: %v", key, err)
				failed[key] = true
			}
			files[key] = text
		}
		if failed[key] {
			continue
		}
		if err := quoted(files[key], c.Line, c.Quote); err != nil {
			t.Errorf("%s (%s): %v", c.ID, c.Address(), err)
			continue
		}
		checked++
		documents[c.Document.ID] = true
	}
	t.Logf("%d quotations of %d documents stand in %d pinned files; clauses without quotation: %v", checked, len(documents), len(files), unquoted)
	if checked == 0 {
		t.Error("no quotation was checked")
	}
}

// pinned returns the file of a clause at the commit that was read.
func pinned(ctx context.Context, c Clause) (string, error) {
	u, err := url.Parse(c.Document.Repository)
	if err != nil {
		return "", err
	}
	name := strings.Trim(u.Path, "/")
	if clones := os.Getenv("PEGEL_CLONES"); clones != "" {
		return fromClone(ctx, clones, name, c)
	}
	if u.Host != "github.com" {
		return "", fmt.Errorf("only files of github.com can be fetched; give a clone with PEGEL_CLONES")
	}
	return fetched(ctx, "https://raw.githubusercontent.com/"+name+"/"+c.Document.Commit+"/"+c.File())
}

func fromClone(ctx context.Context, clones, name string, c Clause) (string, error) {
	dir := filepath.Join(clones, strings.ReplaceAll(name, "/", "+"))
	if inner := filepath.Join(dir, "repo"); isDir(inner) {
		dir = inner
	}
	out, err := exec.CommandContext(ctx, "git", "-C", dir, "show", c.Document.Commit+":"+c.File()).Output()
	if err != nil {
		return "", fmt.Errorf("reading the clone in %s: %w", dir, err)
	}
	return string(out), nil
}

func isDir(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

func fetched(ctx context.Context, address string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answered %s", address, resp.Status)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, mostDocument))
	return string(data), err
}
