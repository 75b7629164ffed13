// Package audit holds the words that every stage of Pegel shares: outcomes, intervals, facts, origins, findings and
// the profile of thresholds. It does no I/O, reads no clock and imports nothing else of Pegel.
package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Outcome is the answer to one question about one subject, in the words of scs-0003-v2. The zero value is MISS:
// nobody looked.
type Outcome uint8

const (
	// MISS says that nobody looked.
	MISS Outcome = iota
	// DNF says that somebody looked and could not tell.
	DNF
	// PASS says that the condition holds.
	PASS
	// PART says that the value is known and lies between the thresholds. Only indicators use it.
	PART
	// FAIL says that the condition does not hold.
	FAIL
	// NA says that the question does not apply; it carries a reason and does not count.
	NA
)

var outcomeNames = [...]string{"MISS", "DNF", "PASS", "PART", "FAIL", "NA"}

// String returns the word used in every report.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return fmt.Sprintf("Outcome(%d)", uint8(o))
}

// Decided reports whether somebody looked and could tell: PASS, PART or FAIL.
func (o Outcome) Decided() bool { return o == PASS || o == PART || o == FAIL }

// MarshalText writes the word.
func (o Outcome) MarshalText() ([]byte, error) {
	if int(o) >= len(outcomeNames) {
		return nil, fmt.Errorf("unknown outcome %d", uint8(o))
	}
	return []byte(outcomeNames[o]), nil
}

// UnmarshalText reads the word; anything else is an error.
func (o *Outcome) UnmarshalText(text []byte) error {
	for i, name := range outcomeNames {
		if name == string(text) {
			*o = Outcome(i)
			return nil
		}
	}
	return fmt.Errorf("unknown outcome %q", text)
}

// worse ranks outcomes for Worst: FAIL > MISS > DNF > PART > PASS > NA (scs-0003-v2, "we always opt for the topmost one").
var worse = [...]int{MISS: 4, DNF: 3, PASS: 1, PART: 2, FAIL: 5, NA: 0}

// Worst returns the outcome of a whole from the outcomes of its parts. NA does not count; a whole without any part that
// counts is MISS, because nobody looked at anything.
func Worst(parts ...Outcome) Outcome {
	worst := NA
	for _, o := range parts {
		if worse[o] > worse[worst] {
			worst = o
		}
	}
	if worst == NA {
		return MISS
	}
	return worst
}

// Digest names bytes by their SHA-256, written "sha256:" and 64 hexadecimal digits. The zero value names nothing.
type Digest string

// DigestOf returns the digest of the bytes.
func DigestOf(b []byte) Digest {
	sum := sha256.Sum256(b)
	return Digest("sha256:" + hex.EncodeToString(sum[:]))
}

// ParseDigest checks the form of a SHA-256 digest, with or without the prefix.
func ParseDigest(s string) (Digest, error) {
	h := strings.TrimPrefix(s, "sha256:")
	if len(h) != 64 || strings.ToLower(h) != h {
		return "", fmt.Errorf("digest %q is not sha256: and 64 lower-case hexadecimal digits", s)
	}
	if _, err := hex.DecodeString(h); err != nil {
		return "", fmt.Errorf("digest %q is not sha256: and 64 lower-case hexadecimal digits", s)
	}
	return Digest("sha256:" + h), nil
}

// Hex returns the digest without its prefix.
func (d Digest) Hex() string { return strings.TrimPrefix(string(d), "sha256:") }

// Blob is a piece of evidence on its way into the bundle.
type Blob struct {
	Kind      string // one of the bundle's kinds: raw, inventory, packages, project, ...
	Name      string // what a reader calls it, e.g. "openstack-2024.2.yml"
	MediaType string
	Source    string // address it came from, without credentials and never a path of this machine
	Data      []byte
	Withheld  string // if not empty: why only the digest is kept, e.g. "third-party text"
	Origin    Origin // where the bytes were read
}

// Keep stores raw bytes as evidence and returns their digest. Every source and collector is given one.
type Keep func(context.Context, Blob) (Digest, error)

// Contact is one line of a plan: something that a run would talk to or read.
type Contact struct {
	Host    string `json:"host"`    // host name, or "local" for files of this machine
	Address string `json:"address"` // URL, or the path as the stack file gives it
	Right   string `json:"right"`   // the right that is needed, e.g. "read", "anonymous read"
	Purpose string `json:"purpose"` // what for, in a few words
}
