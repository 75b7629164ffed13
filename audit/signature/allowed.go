package signature

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// allowed is a list of allowed signers.
type allowed []entry

// entry is one line of it.
type entry struct {
	line       int
	principals string // pattern list
	blob       []byte // of the key
	authority  bool   // the key signs certificates, not messages
	namespaces string // pattern list; empty: all
	after      time.Time
	before     time.Time
}

// allow returns the names of a key, or says why it may not sign. As in ssh-keygen the first line that allows it counts.
func (a allowed) allow(blob []byte, identity, namespace string, at time.Time) ([]string, error) {
	refused := errors.New("stands in no line of the list")
	for _, e := range a {
		if !bytes.Equal(e.blob, blob) {
			continue
		}
		if refused = e.refuse(identity, namespace, at); refused == nil {
			return strings.Split(e.principals, ","), nil
		}
	}
	return nil, refused
}

func (e entry) refuse(identity, namespace string, at time.Time) error {
	switch {
	case e.authority:
		return fmt.Errorf("is a certificate authority in line %d of the list; name the signing key itself there", e.line)
	case identity != "" && !matchList(identity, e.principals):
		return fmt.Errorf("belongs to %q in line %d of the list, not to %q", e.principals, e.line, printable(identity))
	case e.namespaces != "" && !matchList(namespace, e.namespaces):
		return fmt.Errorf("is for namespaces %q in line %d of the list, not for %q", e.namespaces, e.line, namespace)
	case !e.after.IsZero() && at.Before(e.after):
		return fmt.Errorf("is valid from %s on in line %d of the list", e.after.Format(time.RFC3339), e.line)
	case !e.before.IsZero() && at.After(e.before):
		return fmt.Errorf("was valid until %s in line %d of the list", e.before.Format(time.RFC3339), e.line)
	}
	return nil
}

// parseAllowedSigners reads the format of ALLOWED SIGNERS in ssh-keygen(1): principals, options, key type, key, comment.
func parseAllowedSigners(data []byte) (allowed, error) {
	if len(data) > maxSigners {
		return nil, fmt.Errorf("reading allowed signers: %d bytes, but at most %d are read", len(data), maxSigners)
	}
	var list allowed
	n := 0
	for line := range strings.Lines(string(data)) {
		if n++; n > maxLines {
			return nil, fmt.Errorf("reading allowed signers: more than %d lines", maxLines)
		}
		line = strings.Trim(line, " \t\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		e, err := parseLine(line)
		if err != nil {
			return nil, fmt.Errorf("reading allowed signers: line %d: %w", n, err)
		}
		e.line = n
		list = append(list, e)
	}
	return list, nil
}

func parseLine(line string) (entry, error) {
	if printable(line) != strings.ReplaceAll(line, "\t", " ") {
		return entry{}, errors.New("it has control characters")
	}
	var e entry
	var err error
	principals, rest, err := field(line)
	if err != nil {
		return entry{}, err
	}
	e.principals = strings.Trim(principals, `"`)
	if e.principals == "" || strings.Contains(e.principals, `"`) {
		return entry{}, errors.New("no name stands before the key")
	}
	kind, rest, err := field(rest)
	if err != nil {
		return entry{}, err
	}
	encoded, _, _ := strings.Cut(strings.ReplaceAll(rest, "\t", " "), " ")
	if e.blob, err = keyBlob(kind, encoded); err == nil {
		return e, nil
	}
	if err := e.options(kind); err != nil {
		return entry{}, err
	}
	kind, rest, err = field(rest)
	if err != nil {
		return entry{}, err
	}
	encoded, _, _ = strings.Cut(strings.ReplaceAll(rest, "\t", " "), " ")
	e.blob, err = keyBlob(kind, encoded)
	return e, err
}

// field cuts a line at its first blank that stands outside of quotes.
func field(s string) (first, rest string, err error) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted && i+1 < len(s) && s[i+1] == '"':
			i++
		case s[i] == '"':
			quoted = !quoted
		case (s[i] == ' ' || s[i] == '\t') && !quoted:
			return s[:i], strings.TrimLeft(s[i:], " \t"), nil
		}
	}
	if quoted {
		return "", "", errors.New("a quotation mark is not closed")
	}
	return s, "", nil
}

// keyBlob decodes a key and checks that it is of the type it claims. Keys of types that nobody here can check are kept: they
// match no signature that is read.
func keyBlob(kind, encoded string) ([]byte, error) {
	blob, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(blob) < 4 {
		return nil, fmt.Errorf("%q is no key type followed by a key", shorten(kind))
	}
	n := uint64(binary.BigEndian.Uint32(blob))
	if n > uint64(len(blob)-4) || string(blob[4:4+n]) != kind {
		return nil, fmt.Errorf("the key is not of type %q", shorten(kind))
	}
	return blob, nil
}

// options reads the options of a line: cert-authority, namespaces="...", valid-after="...", valid-before="...".
func (e *entry) options(text string) error {
	seen := map[string]bool{}
	for _, option := range splitOptions(text) {
		name, value, has := strings.Cut(option, "=")
		name = strings.ToLower(name)
		if seen[name] {
			return fmt.Errorf("option %q stands twice", shorten(name))
		}
		seen[name] = true
		if has {
			if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
				return fmt.Errorf("value of option %q is not in quotation marks", shorten(name))
			}
			value = strings.ReplaceAll(value[1:len(value)-1], `\"`, `"`)
		}
		if err := e.option(name, value, has); err != nil {
			return err
		}
	}
	if !e.after.IsZero() && !e.before.IsZero() && !e.after.Before(e.before) {
		return errors.New("valid-after is not before valid-before")
	}
	return nil
}

func (e *entry) option(name, value string, has bool) (err error) {
	switch {
	case name == "cert-authority" && !has:
		e.authority = true
	case name == "namespaces" && value != "":
		e.namespaces = value
	case name == "valid-after" && has:
		e.after, err = moment(value)
	case name == "valid-before" && has:
		e.before, err = moment(value)
	default:
		return fmt.Errorf("%q is neither a key type nor an option", shorten(name))
	}
	return err
}

// splitOptions cuts a list of options at the commas outside of quotes.
func splitOptions(text string) []string {
	var out []string
	quoted, from := false, 0
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quoted && i+1 < len(text) && text[i+1] == '"':
			i++
		case text[i] == '"':
			quoted = !quoted
		case text[i] == ',' && !quoted:
			out, from = append(out, text[from:i]), i+1
		}
	}
	return append(out, text[from:])
}

// moment reads YYYYMMDD[Z] and YYYYMMDDHHMM[SS][Z].
func moment(text string) (time.Time, error) {
	digits := strings.TrimSuffix(text, "Z")
	for _, layout := range []string{"20060102", "200601021504", "20060102150405"} {
		if len(digits) != len(layout) {
			continue
		}
		if t, err := time.Parse(layout, digits); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time of the form YYYYMMDD[HHMM[SS]][Z]", shorten(text))
}
