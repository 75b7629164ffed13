package disclosure

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit/transparency"
)

// This file reads advisories in JSON: OSV (schema 1.6), GitHub security advisories (REST), CSAF 2.0 with its
// provider-metadata.json and ROLIE feeds (RFC 8322), and JSON Feed 1.1.

// listing is what one document of an index holds.
type listing struct {
	format  string
	entries []entry
	more    []string // further documents of the index: feeds, next pages
	all     bool     // entries state all that is known; no page of a single one is asked
}

type object = map[string]any

// readJSON reads any JSON as a list of advisories. What has none of the known shapes is an error.
func readJSON(data []byte, address string) (listing, error) {
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return listing{}, fmt.Errorf("the JSON is broken: %w", err)
	}
	switch v := value.(type) {
	case []any:
		return readObjects(v, address)
	case object:
		return readObject(v, address)
	}
	return listing{}, errors.New("the JSON is neither a list nor an object")
}

func readObject(o object, address string) (listing, error) {
	feed, isFeed := o["feed"].(object)
	switch {
	case o["distributions"] != nil && (o["canonical_url"] != nil || o["metadata_version"] != nil):
		return csafProvider(o, address), nil
	case isFeed:
		return rolie(feed, address), nil
	case strings.HasPrefix(str(o["version"]), "https://jsonfeed.org/"):
		return jsonFeed(o, address), nil
	case o["document"] != nil:
		e, ok := csafDocument(o, address)
		if !ok {
			return listing{}, errors.New("the CSAF document has no tracking id")
		}
		return listing{format: "csaf", entries: []entry{e}, all: true}, nil
	}
	for _, key := range []string{"vulns", "advisories", "vulnerabilities", "items", "results", "data"} {
		if list, ok := o[key].([]any); ok && str(o["id"]) == "" && str(o["ghsa_id"]) == "" {
			return readObjects(list, address)
		}
	}
	return readObjects([]any{o}, address)
}

// readObjects reads a list of advisories, each in the shape of OSV or GitHub.
func readObjects(list []any, address string) (listing, error) {
	out := listing{all: true, entries: []entry{}}
	for _, v := range list {
		o, ok := v.(object)
		if !ok {
			continue
		}
		e, format := entry{}, ""
		if str(o["ghsa_id"]) != "" {
			e, format = ghsa(o), "ghsa"
		} else if e, ok = osv(o, address); ok {
			format = "osv"
		}
		if format != "" {
			out.format = format
			out.entries = append(out.entries, e)
		}
	}
	if len(out.entries) == 0 && len(list) > 0 {
		return listing{}, errors.New("the JSON has none of the known shapes of advisories (OSV, CSAF, GitHub, JSON Feed)")
	}
	return out, nil
}

func osv(o object, address string) (entry, bool) {
	id := clean(str(o["id"]))
	published, modified := str(o["published"]), str(o["modified"])
	if id == "" || published == "" && modified == "" && o["affected"] == nil {
		return entry{}, false
	}
	e := entry{Advisory: transparency.Advisory{ID: id, URL: webAddress(address)}}
	addIDs(&e.Advisory, idsIn(id)...)
	for _, alias := range append(texts(o["aliases"]), append(texts(o["related"]), texts(o["upstream"])...)...) {
		addIDs(&e.Advisory, idsIn(alias)...)
	}
	if m, ok := dateIn(published); ok {
		setPublished(&e.Advisory, m)
	}
	special, _ := o["database_specific"].(object)
	for _, key := range []string{"fixed_at", "fixed", "deployed_at", "patched_at"} {
		if m, ok := dateIn(str(special[key])); ok {
			setFixed(&e.Advisory, m)
		}
	}
	affected, _ := o["affected"].([]any)
	e.Affected = len(affected) > 0
	return e, true
}

func ghsa(o object) entry {
	e := entry{Advisory: transparency.Advisory{ID: clean(str(o["ghsa_id"])), URL: webAddress(str(o["html_url"]))}}
	addIDs(&e.Advisory, idsIn(str(o["ghsa_id"])+" "+str(o["cve_id"]))...)
	if m, ok := dateIn(str(o["published_at"])); ok {
		setPublished(&e.Advisory, m)
	}
	list, _ := o["vulnerabilities"].([]any)
	e.Affected = len(list) > 0
	return e
}

// csafProvider names the feeds of a provider, and of directories the list of changes (CSAF 2.0, section 7.1).
func csafProvider(o object, address string) listing {
	out := listing{format: "csaf", entries: []entry{}}
	list, _ := o["distributions"].([]any)
	for _, v := range list {
		d, _ := v.(object)
		roll, _ := d["rolie"].(object)
		feeds, _ := roll["feeds"].([]any)
		for _, f := range feeds {
			feed, _ := f.(object)
			if label := str(feed["tlp_label"]); label != "" && label != "WHITE" && label != "CLEAR" {
				continue // not for everybody
			}
			out.more = append(out.more, resolve(address, str(feed["url"])))
		}
		if directory := str(d["directory_url"]); directory != "" && len(feeds) == 0 {
			out.more = append(out.more, resolve(address, strings.TrimRight(directory, "/")+"/changes.csv"))
		}
	}
	out.more = slices.DeleteFunc(out.more, func(s string) bool { return s == "" })
	return out
}

func rolie(feed object, address string) listing {
	out := listing{format: "csaf", entries: []entry{}}
	list, _ := feed["entry"].([]any)
	for _, v := range list {
		o, _ := v.(object)
		e := entry{Advisory: transparency.Advisory{ID: clean(str(o["id"]))}}
		if e.ID == "" {
			continue
		}
		addIDs(&e.Advisory, idsIn(str(o["id"])+" "+str(o["title"]))...)
		if m, ok := dateIn(str(o["published"])); ok {
			setPublished(&e.Advisory, m)
		}
		content, _ := o["content"].(object)
		e.detail = resolve(address, str(content["src"]))
		e.URL = webAddress(e.detail)
		out.entries = append(out.entries, e)
	}
	return out
}

// changes reads the list of a CSAF directory: "path","moment" in each line.
func changes(data []byte, address string) listing {
	out := listing{format: "csaf", entries: []entry{}}
	for text := range strings.Lines(string(data)) {
		file, date, _ := strings.Cut(strings.ReplaceAll(strings.TrimSpace(text), `"`, ""), ",")
		m, ok := dateIn(date)
		to := resolve(address, file)
		if !ok || !strings.HasSuffix(file, ".json") || to == "" {
			continue
		}
		name := strings.TrimSuffix(file[strings.LastIndexByte(file, '/')+1:], ".json")
		e := entry{Advisory: transparency.Advisory{ID: clean(name), URL: webAddress(to)}, detail: to}
		addIDs(&e.Advisory, idsIn(name)...)
		_ = m // the moment of the last change; the document has that of publication
		out.entries = append(out.entries, e)
	}
	return out
}

func csafDocument(o object, address string) (entry, bool) {
	doc, _ := o["document"].(object)
	tracking, _ := doc["tracking"].(object)
	e := entry{Advisory: transparency.Advisory{ID: clean(str(tracking["id"])), URL: webAddress(address)}}
	if e.ID == "" {
		return e, false
	}
	addIDs(&e.Advisory, idsIn(e.ID)...)
	if m, ok := dateIn(str(tracking["initial_release_date"])); ok {
		setPublished(&e.Advisory, m)
	}
	list, _ := o["vulnerabilities"].([]any)
	for _, v := range list {
		vulnerability, _ := v.(object)
		addIDs(&e.Advisory, idsIn(str(vulnerability["cve"]))...)
		ids, _ := vulnerability["ids"].([]any)
		for _, id := range ids {
			named, _ := id.(object)
			addIDs(&e.Advisory, idsIn(str(named["text"]))...)
		}
		e.Affected = e.Affected || vulnerability["product_status"] != nil
		csafFixed(&e.Advisory, vulnerability)
	}
	return e, true
}

// csafFixed takes over when the maker had a fix: the date of a remediation.
func csafFixed(a *transparency.Advisory, vulnerability object) {
	list, _ := vulnerability["remediations"].([]any)
	for _, v := range list {
		r, _ := v.(object)
		if kind := str(r["category"]); kind != "vendor_fix" && kind != "mitigation" {
			continue
		}
		if m, ok := dateIn(str(r["date"])); ok {
			setFixed(a, m)
		}
	}
}

func jsonFeed(o object, address string) listing {
	out := listing{format: "json-feed", entries: []entry{}}
	list, _ := o["items"].([]any)
	for _, v := range list {
		item, _ := v.(object)
		e := feedEntry(str(item["id"]), str(item["title"]), resolve(address, str(item["url"])), str(item["content_text"])+str(item["content_html"]))
		if m, ok := dateIn(str(item["date_published"])); ok {
			setPublished(&e.Advisory, m)
		}
		out.entries = append(out.entries, e)
	}
	if next := resolve(address, str(o["next_url"])); str(o["next_url"]) != "" && next != "" {
		out.more = []string{next}
	}
	return out
}

func str(v any) string { s, _ := v.(string); return s }

func texts(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, item := range list {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
