package incidentreport

import "regexp"

// Fields of feeds, pages and front matter that name people, and mail addresses anywhere.
var (
	personXML  = regexp.MustCompile(`(?is)<(author|contributor|dc:creator|dc:contributor|managingEditor|webMaster|itunes:author)\b[^>]{0,200}>.*?</(?:author|contributor|dc:creator|dc:contributor|managingEditor|webMaster|itunes:author)>`)
	personMeta = regexp.MustCompile(`(?i)<meta\b[^>]{0,300}\b(?:name|property)\s*=\s*["'](?:author|article:author|dc\.creator|twitter:creator|twitter:data1)["'][^>]{0,500}>`)
	personJSON = regexp.MustCompile(`(?s)"(?:author|authors|creator)"\s*:\s*(?:"(?:[^"\\]|\\.)*"|\{[^{}]*\}|\[[^\[\]]*\])`)
	personYAML = regexp.MustCompile(`(?mi)^(\s*(?:author|authors|author_email)\s*[:=]).*$`)
	mail       = regexp.MustCompile(`[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}`)
)

// Redact drops from feeds, pages and Markdown the fields that name people, and every mail address. The structure stays, so
// that what was redacted can still be read.
func Redact(body []byte) ([]byte, error) {
	body = personXML.ReplaceAll(body, nil)
	body = personMeta.ReplaceAll(body, nil)
	body = personJSON.ReplaceAll(body, []byte(`"author":null`))
	body = personYAML.ReplaceAll(body, []byte("$1"))
	return mail.ReplaceAll(body, []byte("(mail address)")), nil
}
