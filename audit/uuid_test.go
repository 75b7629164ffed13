package audit_test

import (
	"crypto/sha1"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
)

func TestANameHasTheUUIDThatRFC9562GivesIt(t *testing.T) {
	v5 := func(namespace []byte, name string) []byte {
		sum := sha1.Sum(append(namespace, name...))
		id := sum[:16]
		id[6], id[8] = id[6]&0x0f|0x50, id[8]&0x3f|0x80
		return id
	}
	urls, err := hex.DecodeString("6ba7b8119dad11d180b400c04fd430c8") // RFC 9562, section 6.6: namespace URL
	if err != nil {
		t.Fatal(err)
	}
	own := v5(urls, "https://github.com/pegel-audit/pegel")
	want := hex.EncodeToString(v5(own, "scs-scope\na\nb"))
	if got := strings.ReplaceAll(audit.UUID("scs-scope", "a", "b"), "-", ""); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if audit.UUID("a", "b") == audit.UUID("ab") {
		t.Error("the border between two parts makes no difference")
	}
}
