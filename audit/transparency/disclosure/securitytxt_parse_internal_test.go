package disclosure

import (
	"strings"
	"testing"
)

func TestWhatBreaksTheRFCIsListedWithItsLine(t *testing.T) {
	const ok = "Contact: mailto:a@example.org\nExpires: 2027-01-01T00:00:00Z\n"
	const signed = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n" + ok + "-----BEGIN PGP SIGNATURE-----\n\nabc=\n-----END PGP SIGNATURE-----\n"
	for _, c := range []struct {
		name, text string
		want       []string // each in a problem, in this order; none: no problem
		signed     bool
		contacts   int
	}{
		{"the shortest", ok, nil, false, 1},
		{"lines of Windows", strings.ReplaceAll(ok, "\n", "\r\n"), nil, false, 1},
		{"no end of the last line", strings.TrimSuffix(ok, "\n"), nil, false, 1},
		{"fields in capitals", strings.ToUpper(ok[:8]) + ok[8:], nil, false, 1},
		{"small letters in the time", strings.ToLower(ok), nil, false, 1},
		{"fields of later standards", ok + "CSAF: https://example.org/.well-known/csaf/provider-metadata.json\nBug-Bounty: False\n", nil, false, 1},
		{"a key as data", ok + "Encryption: data:application/x-age-public-key,age1\nEncryption: openpgp4fpr:5f2de18d3aef1f8d\n", nil, false, 1},
		{"signed", signed, nil, true, 1},
		{"signed, with dashes escaped", strings.Replace(signed, "Contact", "- Contact", 1), nil, true, 1},
		{"signed, with more behind", signed + "Contact: mailto:b@example.org\n", []string{"beside the signed message"}, false, 1},
		{"signed, broken off", signed[:strings.Index(signed, "-----BEGIN PGP SIGNATURE")], []string{"does not end"}, false, 1},
		{"no contact", "Expires: 2027-01-01T00:00:00Z\n", []string{"Contact is missing"}, false, 0},
		{"no end", "Contact: mailto:a@example.org\n", []string{"Expires is missing"}, false, 1},
		{"two ends", ok + "Expires: 2028-01-01T00:00:00Z\n", []string{"Expires stands 2 times"}, false, 1},
		{"an end that is a day", "Contact: mailto:a@example.org\nExpires: 2027-01-01\n", []string{"line 2: Expires is no time"}, false, 1},
		{"a mail address without mailto", "Contact: a@example.org\nExpires: 2027-01-01T00:00:00Z\n", []string{"line 1: Contact is no URI"}, false, 1},
		{"http", "Contact: http://example.org/\nExpires: 2027-01-01T00:00:00Z\n", []string{"line 1: Contact has to begin with https"}, false, 0},
		{"no space", strings.Replace(ok, ": m", ":m", 1), []string{"line 1: a space is missing"}, false, 1},
		{"prose", "Hello.\n" + ok, []string{"line 1: this is no field"}, false, 1},
		{"two lists of languages", ok + "Preferred-Languages: en\nPreferred-Languages: de\n", []string{"Preferred-Languages stands 2 times"}, false, 1},
		{"no language", ok + "Preferred-Languages: en, deutsch!\n", []string{"line 3: a language is no language tag"}, false, 1},
		{"lines of old machines", strings.ReplaceAll(ok, "\n", "\r"), []string{"carriage return alone"}, false, 1},
		{"no UTF-8", ok + "# \xff\n", []string{"not UTF-8"}, false, 1},
		{"huge", ok + strings.Repeat("# x\n", 10_000), []string{"larger than"}, false, 1},
	} {
		f := parseSecurityTxt([]byte(c.text))
		if f.Signed != c.signed || len(f.Contacts) != c.contacts {
			t.Errorf("%s: got signed %v, contacts %+v; want %v, %d", c.name, f.Signed, f.Contacts, c.signed, c.contacts)
		}
		if len(f.Problems) != len(c.want) {
			t.Errorf("%s: got problems %q, want %q", c.name, f.Problems, c.want)
			continue
		}
		for i, want := range c.want {
			if !strings.Contains(f.Problems[i], want) {
				t.Errorf("%s: got problem %q, want %q", c.name, f.Problems[i], want)
			}
		}
	}
}

func FuzzSecurityTxt(f *testing.F) {
	for _, seed := range []string{"Contact: mailto:a@example.org\nExpires: 2027-01-01T00:00:00Z\n", "-----BEGIN PGP SIGNED MESSAGE-----\n\nContact: x\n", "\r\r:", "Contact:\x00\n", "Expires: 9999-99-99T99:99:99Z"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		facts := parseSecurityTxt(data)
		if len(facts.Problems) > maxProblems {
			t.Errorf("%d problems are kept, want at most %d", len(facts.Problems), maxProblems)
		}
		// Law: with Contact and Expires in front a file has one contact more than it had, unless the front is cut into a message.
		if strings.Contains(string(data), "-----") || len(data) > 1000 {
			return
		}
		more := parseSecurityTxt(append([]byte("Contact: mailto:a@example.org\n"), data...))
		if len(more.Contacts) != len(facts.Contacts)+1 && facts.Contacts != nil && len(facts.Contacts) < maxFields && !strings.HasPrefix(string(data), "\ufeff") {
			t.Errorf("got %d contacts, and %d with one line more", len(facts.Contacts), len(more.Contacts))
		}
		for _, c := range facts.Contacts {
			if strings.Contains(c.Address, "@") && c.Kind == "mailto" {
				t.Errorf("a mail address is kept: %q", c.Address)
			}
		}
		redacted, err := withoutContactPersons(data)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := withoutContactPersons(redacted); string(again) != string(redacted) {
			t.Errorf("dropping twice changes %q to %q", redacted, again)
		}
	})
}
