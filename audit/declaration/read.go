package declaration

import (
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"
)

// Parse reads a file of declarations and refuses everything that it does not know; name is used in errors only. An entry
// without a date of its own was said on the day of the file; one without an end counts as long as it may. A later entry about
// the same matter takes the place of an earlier one.
func Parse(data []byte, name string) (File, error) {
	f, err := parse(data)
	if err != nil {
		return File{}, fmt.Errorf("reading declarations %q: %w", printable(name), err)
	}
	return f, nil
}

func parse(data []byte) (File, error) {
	root, err := parseNode(data)
	if err != nil {
		return File{}, err
	}
	keys, err := fields(root, "the file", "schema", "who", "role", "date", "entries")
	if err != nil {
		return File{}, err
	}
	f, err := head(root, keys)
	if err != nil {
		return File{}, err
	}
	entries, err := list(keys["entries"], "entries", mostEntries)
	if err != nil {
		return File{}, err
	}
	seen := map[string]int{}
	for _, n := range entries {
		e, err := readEntry(n, f.Date)
		if err != nil {
			return File{}, err
		}
		key := e.ID + " " + e.Date.Format(time.DateOnly)
		if first, ok := seen[key]; ok {
			return File{}, at(n, "%q was declared on the same day in line %d; keep one of the two, or give the later one a date", e.ID, first)
		}
		seen[key] = e.Line
		f.Entries = append(f.Entries, e)
	}
	return f, nil
}

func head(root *yaml.Node, keys map[string]*yaml.Node) (f File, err error) {
	for key, to := range map[string]*string{"schema": &f.Schema, "who": &f.Who, "role": &f.Role} {
		if *to, err = text(keys[key], key); err != nil {
			return File{}, err
		}
	}
	if f.Date, err = day(keys["date"], "date"); err != nil {
		return File{}, err
	}
	place := func(key string) *yaml.Node {
		if keys[key] != nil {
			return keys[key]
		}
		return root
	}
	if f.Schema != Schema {
		return File{}, at(place("schema"), "schema is %q, want %q", printable(f.Schema), Schema)
	}
	if err := plain(f.Who, "who (the organisation)", mostName, false); err != nil {
		return File{}, at(place("who"), "%w", err)
	}
	if err := plain(f.Role, "role (of who speaks for it)", mostName, false); err != nil {
		return File{}, at(place("role"), "%w", err)
	}
	if f.Date.IsZero() {
		return File{}, at(place("date"), "date is missing; write it like 2026-11-24")
	}
	return f, nil
}

func readEntry(n *yaml.Node, said time.Time) (Entry, error) {
	keys, err := fields(n, "an entry", "id", "statement", "date", "expires", "evidence")
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Line: n.Line}
	if e.ID, err = text(keys["id"], "id"); err != nil {
		return Entry{}, err
	}
	if !idForm.MatchString(e.ID) {
		return Entry{}, at(n, "id is %q, want that of a requirement, fact or test case, e.g. domain-manager-check", printable(e.ID))
	}
	if e.Statement, err = text(keys["statement"], "statement"); err != nil {
		return Entry{}, err
	}
	if err := plain(e.Statement, "the statement of "+e.ID, mostStatement, true); err != nil {
		return Entry{}, at(n, "%w", err)
	}
	if e.Date, err = day(keys["date"], "date"); err != nil {
		return Entry{}, err
	}
	if e.Date.IsZero() {
		e.Date = said
	}
	if e.Expires, err = day(keys["expires"], "expires"); err != nil {
		return Entry{}, err
	}
	latest := Latest(e.Date)
	switch {
	case e.Expires.IsZero():
		e.Expires = latest
	case e.Expires.After(latest):
		return Entry{}, at(keys["expires"], "%s expires on %s; what was said on %s counts until %s at most", e.ID,
			e.Expires.Format(time.DateOnly), e.Date.Format(time.DateOnly), latest.Format(time.DateOnly))
	case !e.Expires.After(e.Date):
		return Entry{}, at(keys["expires"], "%s expires on %s, before it was said", e.ID, e.Expires.Format(time.DateOnly))
	}
	e.Evidence, err = readEvidence(n, keys["evidence"], e.ID)
	return e, err
}

func readEvidence(entry, n *yaml.Node, id string) ([]Evidence, error) {
	nodes, err := list(n, "evidence", mostEvidence)
	if err != nil {
		return nil, err
	}
	if len(nodes) == 0 {
		return nil, at(entry, "%s names no evidence; name a file or a page that shows it", id)
	}
	var out []Evidence
	for _, n := range nodes {
		keys, err := fields(n, "evidence", "file", "url", "digest")
		if err != nil {
			return nil, err
		}
		v := Evidence{Line: n.Line}
		if v.File, err = text(keys["file"], "file"); err != nil {
			return nil, err
		}
		if v.URL, err = text(keys["url"], "url"); err != nil {
			return nil, err
		}
		if v.Digest, err = digest(keys["digest"]); err != nil {
			return nil, err
		}
		switch {
		case (v.File == "") == (v.URL == ""):
			return nil, at(n, "evidence of %s needs file or url, one of the two", id)
		case v.URL != "":
			err = checkURL(v.URL)
		case v.Digest == "":
			return nil, at(n, "evidence of %s has no digest; pegel declare writes it", id)
		default:
			err = checkFile(v.File)
		}
		if err != nil {
			return nil, at(n, "evidence of %s: %w", id, err)
		}
		out = append(out, v)
	}
	return out, nil
}
