package visit

import (
	"bytes"
	"context"
	"log/slog"
	"regexp"

	"github.com/pegel-audit/pegel/audit"
)

var linkTarget = regexp.MustCompile(`<[^>]+>`)

// keeper drops personal data from answers and keeps them.
type keeper struct {
	keep audit.Keep
	log  *slog.Logger
}

// kept returns the answer as the caller sees it, which is what was kept. Of an answer with a trouble the bytes are kept, so
// that somebody can look at the login page, and the caller gets none.
func (k keeper) kept(ctx context.Context, r audit.Request, seen audit.Seen, body []byte, blob audit.Blob) audit.Answer {
	if len(body) == 0 {
		return audit.Answer{Seen: seen}
	}
	original := audit.DigestOf(body)
	body = bytes.Clone(body) // the same answer may be given to others
	data, redact := body, r.Redact
	if redact == nil || seen.Trouble != nil { // what came is not the document that the caller knows how to redact
		data = withoutPersons(body)
	} else if clean, err := redact(bytes.Clone(body)); err == nil {
		data = clean
	} else {
		// What nobody can read may say anything about people: its digest is kept alone.
		seen.Trouble = &audit.Trouble{Kind: audit.TroubleContent, Text: "the answer cannot be read: " + line(err.Error(), 300), Settle: "mend the document"}
		blob.Withheld = "it cannot be read, so that nobody can tell what it says about persons"
	}
	seen.Digest, seen.Size = audit.DigestOf(data), int64(len(data))
	if original != seen.Digest {
		seen.Original = original
	}
	blob.Data, blob.Origin.Digest = data, seen.Digest
	if k.keep != nil {
		if _, err := k.keep(ctx, blob); err != nil {
			k.log.Warn("an answer could not be kept", "name", blob.Name)
			seen.Digest, seen.Original, seen.Size = "", "", 0
			seen.Trouble = &audit.Trouble{Kind: audit.TroubleInterrupted, Text: "the answer could not be kept as evidence", Settle: "run it again"}
		}
	}
	if seen.Trouble != nil {
		return audit.Answer{Seen: seen}
	}
	return audit.Answer{Seen: seen, Body: data}
}
