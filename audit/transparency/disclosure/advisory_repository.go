package disclosure

import (
	"bytes"
	"context"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
)

// Bounds of a repository with advisories.
const (
	maxRepositoryFiles = 3000
	repositoryFile     = 1 << 20
)

// repository reads the advisories of a folder in a git repository: Markdown, reStructuredText, YAML or JSON, one a file.
func (r *advisoryReader) repository(ctx context.Context, address, folder string) *audit.Trouble {
	if r.look.world.Open == nil {
		return trouble(audit.TroubleOffline, "the run may not read repositories", "run it with network, or give a local clone")
	}
	repository, failed := r.look.world.Open(ctx, address)
	seen := audit.Seen{URL: address, At: r.look.world.At, Trouble: failed}
	defer func() { r.look.out.Seen = append(r.look.out.Seen, seen) }()
	if failed != nil {
		return failed
	}
	defer repository.Close()
	r.look.note("read at commit " + clean(repository.Commit) + " of " + repository.CommitAt.UTC().Format("2006-01-02"))
	read := 0
	for _, f := range repository.Files {
		if !wanted(f.Path, folder) {
			continue
		}
		if read++; read > maxRepositoryFiles {
			r.look.note("more files than are read: the rest was left out")
			break
		}
		data, err := repository.Read(ctx, f.ID, repositoryFile)
		if err != nil {
			r.unread++
			continue
		}
		data, _ = withoutReporters(data)
		r.file(f.Path, repository.URL+"#"+f.Path, data)
	}
	r.format = "repository"
	return nil
}

// wanted reports whether a file of a repository may be an advisory.
func wanted(file, folder string) bool {
	folder = strings.Trim(folder, "/")
	if folder != "" && !strings.HasPrefix(file, folder+"/") {
		return false
	}
	switch strings.ToLower(path.Ext(file)) {
	case ".md", ".mdx", ".markdown", ".rst", ".yaml", ".yml", ".json", ".txt":
	default:
		return false
	}
	lower := strings.ToLower(file)
	return folder != "" || len(idsIn(path.Base(file))) > 0 || strings.Contains(lower, "advisor") || strings.Contains(lower, "security/")
}

// file reads one file of a repository. Indexes and read-me files are no advisories.
func (r *advisoryReader) file(name, address string, data []byte) {
	stem := strings.TrimSuffix(path.Base(name), path.Ext(name))
	switch lower := strings.ToLower(stem); {
	case lower == "index" || lower == "readme" || lower == "_index" || lower == "template" || lower == "security":
		return
	}
	var e entry
	switch strings.ToLower(path.Ext(name)) {
	case ".json":
		list, err := readJSON(data, address)
		if err != nil {
			r.others++
			return
		}
		r.add(list.entries...)
		return
	case ".yaml", ".yml":
		e = readYAML(data)
		e.URL = address
	default:
		e = readMarkdownAdvisory(data, address, filedOn(name))
	}
	ids := idsIn(stem)
	if len(ids) > 0 {
		e.IDs = append(ids, slices.DeleteFunc(e.IDs, func(id string) bool { return slices.Contains(ids, id) })...)
	}
	if len(e.IDs) == 0 {
		r.others++
		return
	}
	if len(ids) > 0 {
		e.ID = ids[0]
	} else if e.ID == "" {
		e.ID = clean(stem)
	}
	e.detail = ""
	r.add(e)
}

// readMarkdownAdvisory reads one file with the keys in front of it, if there are some.
func readMarkdownAdvisory(data []byte, address string, filed moment) entry {
	front, body := frontMatter(data)
	p := readMarkdown(body)
	e := readDetail(p, address, filed)
	if len(front) > 0 {
		said := readYAML(front)
		ids := append(said.IDs, e.IDs...)
		e.IDs = nil
		addIDs(&e.Advisory, ids...)
		setFixed(&e.Advisory, moment{said.Fixed, said.Days})
		if !said.Published.IsZero() {
			e.Published, e.Days = said.Published, said.Days || e.Days && !e.Fixed.IsZero()
		}
		e.Affected = e.Affected || said.Affected
	}
	return e
}

// frontMatter splits the YAML off that stands between two lines of dashes at the begin.
func frontMatter(data []byte) (front, body []byte) {
	data = bytes.ReplaceAll(bytes.TrimPrefix(data, []byte("\ufeff")), []byte("\r\n"), []byte("\n"))
	rest, ok := bytes.CutPrefix(data, []byte("---\n"))
	if !ok {
		return nil, data
	}
	front, body, ok = bytes.Cut(rest, []byte("\n---\n"))
	if !ok {
		return nil, data
	}
	return front, body
}

// readYAML reads the keys that advisories in YAML have, such as those of OpenStack (openstack/ossa: ossa/*.yaml): id, date,
// title, affects, vulnerabilities with cve-id.
func readYAML(data []byte) entry {
	var o object
	if err := yaml.Unmarshal(data, &o); err != nil {
		return entry{}
	}
	var e entry
	text := func(key string) string { return yamlText(o[key]) }
	addIDs(&e.Advisory, idsIn(text("id"))...)
	for _, key := range []string{"title", "sidebar_label", "cve", "cves", "cve-id", "cve_id", "aliases", "vulnerabilities", "identifiers"} {
		addIDs(&e.Advisory, idsIn(text(key))...)
	}
	e.ID = clean(text("id"))
	for _, key := range []string{"published", "date", "publish_date", "publishDate", "released"} {
		if m, ok := dateIn(text(key)); ok {
			setPublished(&e.Advisory, m)
		}
	}
	for _, key := range []string{"fixed", "fixed_at", "patched", "deployed", "resolved", "behoben"} {
		if m, ok := dateIn(text(key)); ok {
			setFixed(&e.Advisory, m)
		}
	}
	for _, key := range []string{"affects", "affected", "affected-products", "affected_products", "affected-versions", "affected_versions", "versions"} {
		e.Affected = e.Affected || text(key) != ""
	}
	return e
}

// yamlText writes a value as YAML does, so that identifiers and dates in it can be found; bounded.
func yamlText(v any) string {
	if v == nil {
		return ""
	}
	out, err := yaml.Marshal(v)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out[:min(len(out), 64<<10)]))
}
