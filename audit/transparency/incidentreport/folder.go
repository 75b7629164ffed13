package incidentreport

import (
	"context"
	"net/url"
	"path"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// folders reads the repositories that a target names.
func (c *collector) folders(ctx context.Context, t transparency.Target) {
	for _, address := range t.Repositories {
		c.folder(ctx, address, t.Path)
	}
}

// isRepository reads the address of a target as a repository, if it is one: by the adapter, by its name, or because a folder
// is named.
func (c *collector) isRepository(ctx context.Context, t transparency.Target) bool {
	if t.Adapter != AdapterFolder && (t.Adapter != "" || t.Path == "" && !strings.HasSuffix(t.URL, ".git")) {
		return false
	}
	c.folder(ctx, t.URL, t.Path)
	return true
}

// folder reads the texts of one folder and below. What was looked at is the commit; the texts themselves are named by it.
func (c *collector) folder(ctx context.Context, address, folder string) {
	look := audit.Seen{URL: address, At: c.w.At}
	if c.w.Open == nil {
		look.Trouble = &audit.Trouble{Kind: audit.TroubleOffline, Text: "the run may not open a repository", Settle: "run without --offline, or hand the reports over as files"}
		c.lookAt(look)
		return
	}
	repository, trouble := c.w.Open(ctx, address)
	if trouble != nil {
		look.Trouble = trouble
		c.lookAt(look)
		return
	}
	defer func() {
		if repository.Close != nil {
			_ = repository.Close() // it was only read
		}
	}()
	look.URL = repository.URL
	seen := c.lookAt(look)
	prefix := strings.Trim(path.Clean("/"+folder), "/")
	read := 0
	for _, f := range repository.Files {
		if !isMarkdown(f.Path) || f.Size > maxFile || prefix != "" && !strings.HasPrefix(f.Path, prefix+"/") && f.Path != prefix {
			continue
		}
		if read++; read > maxFiles {
			c.note("the first %d texts of %s were read, the others were not", maxFiles, repository.URL)
			break
		}
		data, err := repository.Read(ctx, f.ID, maxFile)
		if err != nil {
			c.note("%s in %s cannot be read", f.Path, repository.URL)
			continue
		}
		c.text(repository, f.Path, data, seen)
	}
	if read == 0 {
		trouble := &audit.Trouble{Kind: audit.TroubleNotFound, Text: "the repository can be read, but has no text in the folder " + clean("/"+prefix), Settle: "name the folder of the reports as path"}
		c.out.Seen[seen].Trouble = trouble
		c.failed(trouble)
		return
	}
	c.usable = true
}

func (c *collector) lookAt(look audit.Seen) int {
	c.out.Seen = append(c.out.Seen, look)
	if look.Trouble != nil {
		c.failed(look.Trouble)
	}
	return len(c.out.Seen) - 1
}

func (c *collector) text(r *transparency.Repository, name string, data []byte, seen int) {
	d := ReadMarkdown(fileAddress(r.URL, r.Commit, name), data)
	if d.Published.IsZero() && strings.Contains("/"+name, "/_posts/") { // Jekyll takes the date of a post from its name
		if dates := datesOf(path.Base(name)); len(dates) > 0 && !dates[0].noYear {
			d.Published = dates[0].date
		}
	}
	c.document(d, seen)
}

// fileAddress is where a person can read a file of a repository at a commit: as GitHub, GitLab and Gitea show it; elsewhere
// the repository and the path.
func fileAddress(repository, commit, name string) string {
	base := strings.TrimSuffix(strings.TrimSuffix(repository, "/"), ".git")
	u, err := url.Parse(base)
	escaped := (&url.URL{Path: name}).EscapedPath()
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || commit == "":
		return repository + "#" + escaped
	case u.Host == "github.com":
		return base + "/blob/" + commit + "/" + escaped
	case strings.Contains(u.Host, "gitlab"):
		return base + "/-/blob/" + commit + "/" + escaped
	case u.Host == "codeberg.org" || strings.Contains(u.Host, "gitea") || strings.Contains(u.Host, "forgejo"):
		return base + "/src/commit/" + commit + "/" + escaped
	}
	return base + "#" + escaped
}
