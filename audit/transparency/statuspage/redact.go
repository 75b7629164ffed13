package statuspage

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
)

// personal lists the keys under which the software read here writes about people: GitHub issues (user, assignee ...), Cachet
// (user, user_id), StackMon (creator, contact_email ...). What stands under them is dropped before anybody keeps it.
func personal() []string {
	return []string{
		"user", "user_id", "users", "author", "authors", "creator", "created_by", "modified_by", "updated_by", "closed_by", "assignee", "assignees",
		"contact_email", "email", "reactions", "performed_via_github_app", "subscriber", "subscribers",
	}
}

// redactJSON drops what a JSON answer says about people. Where it says nothing, the bytes stay as they are. HTML in its place
// is treated as such; what is neither is an error.
func redactJSON(body []byte) ([]byte, error) {
	if trimmed := bytes.TrimLeft(body, "\ufeff \t\r\n"); bytes.HasPrefix(trimmed, []byte("<")) {
		return redactMarkup(body)
	}
	names := slices.ContainsFunc(personal(), func(k string) bool { return bytes.Contains(body, []byte(`"`+k+`"`)) })
	if !names {
		return dropAddresses(body), nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var out bytes.Buffer
	out.Grow(len(body))
	if err := copyValue(d, &out, 0); err != nil {
		return nil, fmt.Errorf("dropping personal data: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("dropping personal data: text follows the JSON")
	}
	return dropAddresses(out.Bytes()), nil
}

// mostDepth is how deep a JSON answer may be nested.
const mostDepth = 100

// copyValue copies one value, without what stands under personal keys.
func copyValue(d *json.Decoder, out *bytes.Buffer, depth int) error {
	if depth > mostDepth {
		return errors.New("nested too deep")
	}
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('{'):
		return copyObject(d, out, depth)
	case json.Delim('['):
		out.WriteByte('[')
		for first := true; d.More(); first = false {
			if !first {
				out.WriteByte(',')
			}
			if err := copyValue(d, out, depth+1); err != nil {
				return err
			}
		}
		out.WriteByte(']')
		_, err := d.Token()
		return err
	}
	return writeToken(out, token)
}

func copyObject(d *json.Decoder, out *bytes.Buffer, depth int) error {
	out.WriteByte('{')
	first := true
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		if slices.Contains(personal(), name) {
			var skipped json.RawMessage
			if err := d.Decode(&skipped); err != nil {
				return err
			}
			continue
		}
		if !first {
			out.WriteByte(',')
		}
		first = false
		if err := writeToken(out, name); err != nil {
			return err
		}
		out.WriteByte(':')
		if err := copyValue(d, out, depth+1); err != nil {
			return err
		}
	}
	out.WriteByte('}')
	_, err := d.Token()
	return err
}

func writeToken(out *bytes.Buffer, token any) error {
	data, err := json.Marshal(token)
	if err != nil {
		return err
	}
	out.Write(data)
	return nil
}

// redactMarkup drops from HTML, RSS and Atom who wrote it, and mail addresses.
func redactMarkup(body []byte) ([]byte, error) {
	for _, name := range []string{"author", "dc:creator", "managingEditor", "webMaster", "contributor", "itunes:author"} {
		if !bytes.Contains(body, []byte("<"+name)) {
			continue
		}
		element := regexp.MustCompile(`(?s)<` + name + `[\s>].*?</` + name + `>`)
		body = element.ReplaceAll(body, nil)
	}
	return dropAddresses(body), nil
}

// dropAddresses writes "(address)" where a mail address stands. It works on the bytes of JSON as well: an escape before an
// address stays whole.
func dropAddresses(body []byte) []byte {
	if bytes.IndexByte(body, '@') < 0 {
		return body
	}
	out := make([]byte, 0, len(body))
	rest := body
	for {
		at := bytes.IndexByte(rest, '@')
		if at < 0 {
			return append(out, rest...)
		}
		from, to := at, at+1
		for from > 0 && at-from < 64 && local(rest[from-1]) {
			from--
		}
		from = min(at, afterEscape(rest, from))
		for to < len(rest) && to-at < 254 && (local(rest[to]) || rest[to] >= 0x80) {
			to++
		}
		if from == at || !bytes.Contains(rest[at+1:to], []byte(".")) {
			out = append(out, rest[:at+1]...)
			rest = rest[at+1:]
			continue
		}
		out = append(append(out, rest[:from]...), "(address)"...)
		rest = rest[to:]
	}
}

// afterEscape moves the begin of an address behind a JSON escape (\n, \u00e4) that its letters seem to belong to.
func afterEscape(b []byte, from int) int {
	if from == 0 || b[from-1] != '\\' {
		return from
	}
	if b[from] == 'u' {
		return from + 5
	}
	return from + 1
}

func local(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '%' || c == '+' || c == '-'
}
