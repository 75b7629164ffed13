package reports

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestCharactersThatHideOrMoveAreShownAsMarkers(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain text stays", "nova-api 30.0.1 (Apache-2.0)", "nova-api 30.0.1 (Apache-2.0)"},
		{"letters of any script stay", "Müller 东京 ☃ é", "Müller 东京 ☃ é"},
		{"an escape sequence", "\x1b[31mred", "⟦U+001B⟧[31mred"},
		{"a one-byte control sequence", "\u009b2J", "⟦U+009B⟧2J"},
		{"line breaks and tabs", "a\r\nb\tc", "a⟦U+000D⟧⟦U+000A⟧b⟦U+0009⟧c"},
		{"line and paragraph separators", "a\u2028b\u2029c", "a⟦U+2028⟧b⟦U+2029⟧c"},
		{"reversed writing", "abc\u202egnp.exe", "abc⟦U+202E⟧gnp.exe"},
		{"isolates and marks", "\u2066\u2069\u200e\u061c", "⟦U+2066⟧⟦U+2069⟧⟦U+200E⟧⟦U+061C⟧"},
		{"zero width", "a\u200bb\ufeffc\u2060", "a⟦U+200B⟧b⟦U+FEFF⟧c⟦U+2060⟧"},
		{"a space that does not look different", "a\u00a0b", "a⟦U+00A0⟧b"},
		{"a letter drawn as nothing", "a\u3164b", "a⟦U+3164⟧b"},
		{"tags", "\U000e0041", "⟦U+E0041⟧"},
		{"a variation selector", "a\ufe0f", "a⟦U+FE0F⟧"},
		{"bytes that are no text", "a\xffb", "a⟦byte FF⟧b"},
		{"NUL and DEL", "\x00\x7f", "⟦U+0000⟧⟦U+007F⟧"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := printable(c.in); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestALongStringIsCutAndSaysByHowMuch(t *testing.T) {
	got := printable(strings.Repeat("x", maxShown+5))
	if want := strings.Repeat("x", maxShown) + "… (5 more characters)"; got != want {
		t.Errorf("got %d characters ending %q, want the cut to say 5 more", len(got), got[len(got)-30:])
	}
}

func FuzzPrintableShowsEverything(f *testing.F) {
	for _, s := range []string{"", "a", "\x1b", "\u202e", "\xff\xfe", "e\u0301", strings.Repeat("\x00", maxShown+1)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := printable(s)
		if !utf8.ValidString(got) {
			t.Fatalf("got %q, which is no valid text", got)
		}
		for _, r := range got {
			if unicode.Is(unicode.C, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
				t.Fatalf("got %q with hidden %U", got, r)
			}
		}
		if utf8.RuneCountInString(got) < maxShown && printable(got) != got {
			t.Errorf("once more gives %q, want %q", printable(got), got)
		}
	})
}
