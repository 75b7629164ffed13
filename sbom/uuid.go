package sbom

import (
	"crypto/sha1" // RFC 9562 section 5.5 prescribes SHA-1 for name-based UUIDs; nothing here is protected by it
	"encoding/hex"
	"hash"
)

// uuidNamespace is the UUIDv5 of "https://github.com/pegel-audit/pegel" in the URL namespace of RFC 9562.
const uuidNamespace = "\x5c\xf4\x45\xf2\xff\x90\x54\xcc\xba\x62\x57\x4f\xaf\xb1\xc8\xa7"

// nameHash returns a hash to write a name to; serialNumber turns it into the UUIDv5 of that name.
func nameHash() hash.Hash {
	h := sha1.New()
	h.Write([]byte(uuidNamespace))
	return h
}

// serialNumber returns the UUIDv5 (RFC 9562 section 5.5) of what was written, as a CycloneDX serial number.
func serialNumber(h hash.Hash) string {
	id := h.Sum(nil)[:16]
	id[6] = id[6]&0x0f | 0x50
	id[8] = id[8]&0x3f | 0x80
	x := hex.EncodeToString(id)
	return "urn:uuid:" + x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}
