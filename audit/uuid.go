package audit

import (
	"crypto/sha1" // RFC 9562 section 5.5 prescribes SHA-1 for name-based UUIDs; nothing here is protected by it
	"encoding/hex"
	"strings"
)

// uuidNamespace is the UUIDv5 of "https://github.com/pegel-audit/pegel" in the URL namespace of RFC 9562.
const uuidNamespace = "\x5c\xf4\x45\xf2\xff\x90\x54\xcc\xba\x62\x57\x4f\xaf\xb1\xc8\xa7"

// UUID returns the UUIDv5 (RFC 9562 section 5.5) of a name in Pegel's own namespace: the same parts give the same id
// everywhere and for ever. The name is the parts joined by newlines, so no part may hold one that could be taken for a border;
// the first part says what kind of thing is named.
func UUID(parts ...string) string {
	h := sha1.New()
	h.Write([]byte(uuidNamespace + strings.Join(parts, "\n")))
	id := h.Sum(nil)[:16]
	id[6] = id[6]&0x0f | 0x50
	id[8] = id[8]&0x3f | 0x80
	x := hex.EncodeToString(id)
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}
