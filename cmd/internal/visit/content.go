package visit

import (
	"bytes"
	"mime"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// Forms of documents that can be told by their first bytes.
const (
	formHTML = "an HTML page"
	formJSON = "JSON"
	formXML  = "XML"
	formNone = ""
)

// sniffed tells the form of a document by its first bytes.
func sniffed(body []byte) string {
	head := bytes.TrimLeft(bytes.TrimPrefix(body[:min(len(body), 4096)], []byte("\ufeff")), " \t\r\n")
	for bytes.HasPrefix(head, []byte("<!--")) {
		end := bytes.Index(head, []byte("-->"))
		if end < 0 {
			break
		}
		head = bytes.TrimLeft(head[end+3:], " \t\r\n")
	}
	lower := bytes.ToLower(head[:min(len(head), 512)])
	switch {
	case bytes.HasPrefix(lower, []byte("<!doctype html")), bytes.HasPrefix(lower, []byte("<html")), bytes.HasPrefix(lower, []byte("<head")),
		bytes.HasPrefix(lower, []byte("<body")), bytes.HasPrefix(lower, []byte("<?xml")) && bytes.Contains(lower, []byte("<html")):
		return formHTML
	case bytes.HasPrefix(lower, []byte("<?xml")), bytes.HasPrefix(lower, []byte("<rss")), bytes.HasPrefix(lower, []byte("<feed")),
		bytes.HasPrefix(lower, []byte("<rdf:rdf")), bytes.HasPrefix(lower, []byte("<testsuite")):
		return formXML
	case bytes.HasPrefix(lower, []byte("{")), bytes.HasPrefix(lower, []byte("[")):
		return formJSON
	}
	return formNone
}

// mediaType returns the type that a server states, in lower case and without parameters; empty if it states none that can be
// read.
func mediaType(contentType string) string {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		t, _, _ = strings.Cut(contentType, ";")
		if t = strings.ToLower(strings.TrimSpace(t)); strings.Count(t, "/") != 1 {
			return ""
		}
	}
	return line(t, 100)
}

// formOf returns the form that a media type stands for.
func formOf(media string) string {
	switch {
	case media == "text/html", media == "application/xhtml+xml":
		return formHTML
	case media == "application/json", media == "text/json", strings.HasSuffix(media, "+json"):
		return formJSON
	case media == "application/xml", media == "text/xml", strings.HasSuffix(media, "+xml"):
		return formXML
	}
	return formNone
}

// vague are the types that servers state for files they know nothing about.
func vague(media string) bool {
	switch media {
	case "", "text/plain", "application/octet-stream", "binary/octet-stream", "application/x-yaml", "text/x-yaml":
		return true
	}
	return false
}

// isHTML says whether a document is an HTML page, whatever the server states.
func isHTML(media string, body []byte) bool {
	form := sniffed(body)
	return form == formHTML || form == formNone && formOf(media) == formHTML
}

// wrongKind says that a document is of another kind than asked for; nil if it may be of that kind. The first bytes count
// more than what the server states: files in repositories are served as text/plain, and login pages under any name.
func wrongKind(accept, media string, body []byte) *audit.Trouble {
	wanted := accepted(accept)
	if len(wanted) == 0 {
		return nil
	}
	form := sniffed(body)
	if form == formNone {
		form = formOf(media)
	}
	for _, w := range wanted {
		switch f := formOf(w); {
		case f != formNone && f == form:
			return nil
		case f != formNone || form == formHTML:
		case w == media, strings.HasSuffix(w, "/*") && strings.HasPrefix(media, strings.TrimSuffix(w, "*")), vague(media), form == formNone && strings.HasPrefix(media, "text/"):
			return nil
		}
	}
	got := form
	if got == formNone {
		got = "something else"
		if media != "" {
			got = media
		}
	}
	return &audit.Trouble{Kind: audit.TroubleContent, Text: "the server answers with " + got + ", where " + asked(wanted) + " was asked for",
		Settle: "name the address of the document itself"}
}

// accepted returns the media types of an Accept header; none if it takes any.
func accepted(accept string) []string {
	var out []string
	for part := range strings.SplitSeq(accept, ",") {
		t, parameters, _ := strings.Cut(part, ";")
		t = strings.ToLower(strings.TrimSpace(t))
		if t == "*/*" && !strings.Contains(parameters, "q=0.") { // with a low weight it only keeps servers from answering 406
			return nil
		}
		if t != "" && t != "*/*" {
			out = append(out, t)
		}
	}
	return out
}

func asked(wanted []string) string {
	if f := formOf(wanted[0]); f != formNone {
		return f
	}
	return wanted[0]
}
