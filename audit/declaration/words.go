package declaration

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// Bounds of what is read.
const (
	mostBytes     = 1 << 20
	mostEntries   = 500
	mostEvidence  = 20
	mostName      = 200  // bytes of an organisation or a role
	mostStatement = 2000 // bytes
	mostAddress   = 2048 // bytes
)

var (
	idForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,99}$`)
	// address is what names a person's mailbox, also where the sign is written out.
	address = regexp.MustCompile(`(?i)@|%40|&#0*64;|&commat;|[([{]\s*at\s*[)\]}]`)
	// mailbox is a whole address within an address of the web.
	mailbox = regexp.MustCompile(`(?i)[\p{L}0-9._+-](@|%40)[\p{L}0-9-]+\.[\p{L}]{2,}`)
	phone   = regexp.MustCompile(`\+[0-9][0-9 ()/.-]{6,}[0-9]`)
	// courtesy stands before the name of a person.
	courtesy = regexp.MustCompile(`(^|[\s,;(])(Mr|Mrs|Ms|Mx|Herr|Herrn|Frau|Mme|Madame|Monsieur|Dr|Prof|Dipl)(\.|\s)\s*(-?[A-Z][a-z]*\.\s*)*[A-ZÄÖÜÉ][\p{L}'-]+`)
)

// plain refuses text that says nothing, too much, what cannot be printed, or how to reach a person.
func plain(s, what string, most int, multiline bool) error {
	switch {
	case s == "":
		return fmt.Errorf("%s says nothing", what)
	case len(s) > most:
		return fmt.Errorf("%s has %d bytes; at most %d are read", what, len(s), most)
	case strings.ContainsFunc(s, func(c rune) bool {
		return !unicode.IsPrint(c) && !(multiline && c == '\n') || c == unicode.ReplacementChar
	}):
		return fmt.Errorf("%s holds a character that cannot be printed", what)
	case address.MatchString(s), phone.MatchString(s), courtesy.MatchString(s):
		return fmt.Errorf("%s may name a person; write an organisation or a role", what) // and does not repeat whom
	}
	return nil
}

// checkFile refuses names that lead elsewhere.
func checkFile(name string) error {
	switch {
	case !fs.ValidPath(name) || name == "." || strings.Contains(name, `\`) || len(name) > mostAddress:
		return errors.New("file is no name below the directory of the declarations; write it like evidence/restore-test.pdf")
	case strings.ContainsFunc(name, func(c rune) bool { return !unicode.IsPrint(c) }):
		return errors.New("file holds a character that cannot be printed")
	case address.MatchString(name):
		return errors.New("file may name a person; rename it")
	}
	return nil
}

// checkURL refuses what is no public address, and addresses with a password.
func checkURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil || len(s) > mostAddress || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.Opaque != "":
		return errors.New("url is no address of the web; write it like https://docs.example.org/backup")
	case u.User != nil:
		return errors.New("url holds a name or password; write it without")
	case mailbox.MatchString(s):
		return errors.New("url may name a person; write it without the mail address")
	case strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) }):
		return errors.New("url holds a character that cannot be printed")
	}
	return nil
}

// printable makes text of strangers fit for an error: at most 100 bytes, and nothing that steers a terminal.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
	if len(s) > 100 {
		s = strings.ToValidUTF8(s[:100], "") + "..."
	}
	return s
}
