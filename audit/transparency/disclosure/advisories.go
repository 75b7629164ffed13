package disclosure

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

const maxRead = 200_000 // advisories that are looked at

const advisoryLimit = 16 << 20 // bytes of one document; the list of a large distribution has some megabytes

// advisoryReader follows one list of advisories.
type advisoryReader struct {
	look    *look
	format  string
	entries []entry
	place   map[string]int
	count   int // of all entries that were read
	others  int // documents that are no advisory
	unread  int // files and pages that could not be read
}

// CollectAdvisories reads the security advisories of an operator: a page, a feed, a list in JSON or a folder of a repository.
// The adapter may be "repository"; everything else is told by its shape.
func CollectAdvisories(ctx context.Context, t transparency.Target, w transparency.World) transparency.Artifact {
	r := &advisoryReader{look: newLook(t, w), place: map[string]int{}}
	var failed *audit.Trouble
	addresses, folder := advisoryRepositories(t)
	for _, address := range addresses {
		if trouble := r.repository(ctx, address, folder); trouble != nil {
			failed = trouble
		}
	}
	if len(addresses) == 0 {
		failed = r.follow(ctx, base(t))
	}
	if len(r.entries) == 0 {
		if failed == nil {
			failed = trouble(audit.TroubleContent, "it can be read, and names no advisory that can be told from other text",
				"name the page, feed or folder that lists the advisories, each with an identifier")
		}
		return r.look.fail(failed)
	}
	if failed != nil {
		r.look.note("a part could not be read: " + failed.Text)
	}
	return r.artifact()
}

// adapterRepository is the adapter of a git repository. Addresses of known forges need none.
const adapterRepository = "repository"

// Adapters lists the names that a target of kind advisories may give as adapter.
func Adapters() []string { return []string{adapterRepository} }

// advisoryRepositories are the repositories that a target names, and the folder in them.
func advisoryRepositories(t transparency.Target) (addresses []string, folder string) {
	u, err := url.Parse(t.URL)
	if err != nil || t.URL == "" || t.Adapter != "" && t.Adapter != adapterRepository {
		return t.Repositories, t.Path
	}
	if repository, inside, ok := forgePlace(u); ok {
		return append([]string{repository}, t.Repositories...), cmp.Or(t.Path, inside)
	}
	if t.Adapter == adapterRepository {
		return append([]string{t.URL}, t.Repositories...), t.Path
	}
	return t.Repositories, t.Path
}

// follow reads an index and the documents that continue it, then the pages of those advisories of which it does not tell enough.
func (r *advisoryReader) follow(ctx context.Context, address string) *audit.Trouble {
	queue, seen := []string{address}, map[string]bool{address: true}
	all, elsewhere := true, 0
	for i := 0; i < len(queue); i++ {
		if i == maxPages {
			r.look.note(fmt.Sprintf("the list has more than %d parts; the rest was not read", maxPages))
			break
		}
		answer := r.look.ask(ctx, audit.Request{URL: queue[i], Limit: advisoryLimit, Redact: withoutReporters})
		if answer.Trouble != nil {
			if i == 0 {
				return answer.Trouble
			}
			r.look.note("a part of the list could not be read: " + answer.Trouble.Text)
			continue
		}
		list, err := readListing(answer.Body, at(answer.Seen))
		if err != nil {
			if i == 0 {
				return trouble(audit.TroubleContent, err.Error(), "publish a page, RSS, Atom, OSV, CSAF or a folder of Markdown")
			}
			r.look.note("a part of the list could not be read: " + clean(err.Error()))
			continue
		}
		if r.format == "" || len(r.entries) == 0 {
			r.format = list.format
		}
		all = all && list.all
		r.add(list.entries...)
		for _, next := range list.more {
			switch {
			case seen[next]:
			case !related(queue[i], next):
				elsewhere++
			default:
				queue = append(queue, next)
			}
			seen[next] = true
		}
		if n := len(list.entries); list.format == "ghsa" && n >= 30 && n%10 == 0 {
			r.look.note(fmt.Sprintf("the list has %d entries and may go on; GitHub gives it in parts", n))
		}
	}
	if elsewhere > 0 {
		r.look.note(fmt.Sprintf("the list goes on at %d addresses of other sites, which were not read", elsewhere))
	}
	if !all {
		r.details(ctx)
	}
	return nil
}

// related reports whether a list at one address may go on at the other: the same site, or files that were handed over.
func related(from, to string) bool {
	x, errX := url.Parse(from)
	y, errY := url.Parse(to)
	return errX == nil && errY == nil && (x.Scheme == "file" && y.Scheme == "file" || sameSite(x.Hostname(), y.Hostname()))
}

// readListing tells by its shape what a document is, and reads it.
func readListing(data []byte, address string) (listing, error) {
	text := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\ufeff")), " \t\r\n")
	switch {
	case len(text) == 0:
		return listing{}, fmt.Errorf("the document is empty")
	case text[0] == '{' || text[0] == '[' && !markdownLink.Match(text[:min(len(text), 400)]):
		return readJSON(text, address)
	case strings.HasSuffix(pathOf(address), "changes.csv"):
		return changes(text, address), nil
	case looksLikeHTML(text):
		return pageListing(readHTML(text), address, "html"), nil
	case text[0] == '<':
		return readFeed(text, address)
	}
	if _, body := frontMatter(text); single(readMarkdown(body)) {
		return listing{format: "text", entries: []entry{readMarkdownAdvisory(text, address, filedOn(pathOf(address)))}, all: true}, nil
	}
	return pageListing(readMarkdown(text), address, "text"), nil
}

func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Path
}

// pageListing reads a page: of one advisory, or a list. A page that lists none may name a feed that does.
func pageListing(p page, address, format string) listing {
	out := listing{format: format}
	if single(p) {
		out.entries = []entry{readDetail(p, address, filedOn(pathOf(address)))}
		return out
	}
	out.entries = readList(p, address)
	if p.next != "" {
		out.more = append(out.more, resolve(address, p.next))
	}
	if len(out.entries) == 0 && len(p.feeds) > 0 {
		out.more = append(out.more, resolve(address, p.feeds[0]))
	}
	out.more = slices.DeleteFunc(out.more, func(s string) bool { return s == "" })
	return out
}

// add takes over advisories; one that was seen before only adds what was not known.
func (r *advisoryReader) add(list ...entry) {
	for _, e := range list {
		key := e.ID
		i, known := r.place[key]
		if !known {
			r.count++
			if len(r.entries) < maxRead { // beyond, nothing but the number is kept
				r.place[key] = len(r.entries)
				r.entries = append(r.entries, e)
			}
			continue
		}
		have := &r.entries[i]
		addIDs(&have.Advisory, e.IDs...)
		if have.detail == "" {
			have.detail, have.URL = e.detail, e.URL
		}
		complete(have, e)
	}
}

// complete adds what another document says about an advisory.
func complete(have *entry, e entry) {
	if have.Published.IsZero() {
		setPublished(&have.Advisory, moment{e.Published, e.Days})
	}
	setFixed(&have.Advisory, moment{e.Fixed, e.Days})
	have.Affected = have.Affected || e.Affected
	addIDs(&have.Advisory, e.IDs...)
}

// details asks the pages of single advisories whose date, identifier or fix the list does not tell.
func (r *advisoryReader) details(ctx context.Context) {
	asked, left := 0, 0
	r.sort()
	for i := range r.entries {
		e := &r.entries[i]
		last := r.look.out.Seen
		if e.detail == "" || !e.Published.IsZero() && !e.Fixed.IsZero() && len(e.IDs) > 0 && e.Affected {
			continue
		}
		if len(last) > 0 && !related(last[0].URL, e.detail) {
			continue
		}
		if asked == maxDetails {
			left++
			continue
		}
		asked++
		answer := r.look.ask(ctx, audit.Request{URL: e.detail, Redact: withoutReporters})
		if answer.Trouble != nil {
			r.unread++
			continue
		}
		if said, ok := readSingle(answer.Body, at(answer.Seen)); ok {
			complete(e, said)
		}
	}
	if left > 0 {
		r.look.note(fmt.Sprintf("the pages of %d advisories were read, those of %d more were not", asked, left))
	}
}

// readSingle reads the page or document of one advisory.
func readSingle(data []byte, address string) (entry, bool) {
	text := bytes.TrimLeft(data, " \t\r\n\ufeff")
	switch {
	case len(text) == 0:
		return entry{}, false
	case text[0] == '{':
		list, err := readJSON(text, address)
		if err != nil || len(list.entries) != 1 {
			return entry{}, false
		}
		return list.entries[0], true
	case looksLikeHTML(text):
		return readDetail(readHTML(text), address, filedOn(pathOf(address))), true
	}
	return readMarkdownAdvisory(text, address, filedOn(pathOf(address))), true
}

// artifact puts the newest first and bounds what is kept.
func (r *advisoryReader) artifact() transparency.Artifact {
	r.sort()
	if r.count > maxListed {
		r.look.note(fmt.Sprintf("the newest %d of %d advisories were kept", min(maxListed, len(r.entries)), r.count))
	}
	if r.others > 0 {
		r.look.note(fmt.Sprintf("%d documents beside them are no advisories", r.others))
	}
	if r.unread > 0 {
		r.look.note(fmt.Sprintf("%d files or pages could not be read", r.unread))
	}
	facts := &transparency.Advisories{Format: r.format, Advisories: []transparency.Advisory{}}
	for _, e := range r.entries[:min(maxListed, len(r.entries))] {
		facts.Advisories = append(facts.Advisories, e.Advisory)
	}
	r.look.out.Advisories = facts
	return r.look.out
}

// sort puts the newest first; those without a date, by identifiers, which count upwards. No entry is added afterwards.
func (r *advisoryReader) sort() {
	slices.SortStableFunc(r.entries, func(x, y entry) int {
		if c := y.Published.Compare(x.Published); c != 0 {
			return c
		}
		return strings.Compare(y.ID, x.ID)
	})
}
