package visit

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestAddressesOfPersonsAreDroppedAndThoseOfRolesStay(t *testing.T) {
	if !slices.IsSorted(roles) {
		t.Error("roles are not sorted, so that some are not found")
	}
	tests := map[string]string{
		"write to jane.doe@example.org now":                                     "write to removed@example.org now",
		"security@example.org, cloud-support@example.org, SCS_Team@example.org": "security@example.org, cloud-support@example.org, SCS_Team@example.org",
		"psirt+alerts@example.org":                                              "psirt+alerts@example.org",
		"jane.support@example.org":                                              "removed@example.org",
		"support.cloud@example.org":                                             "support.cloud@example.org",
		"noc2@example.org jd7@example.org":                                      "noc2@example.org removed@example.org",
		`{"author":"jane@example.org","x":"a\njane@example.org"}`:               `{"author":"removed@example.org","x":"a\nremoved@example.org"}`,
		`"\u003cjane\u0040example.org\u003e"`:                                   `"\u003cremoved\u0040example.org\u003e"`,
		`<a href="mailto:jane%40example.org?subject=x">jane&#64;example.org`:    `<a href="mailto:removed%40example.org?subject=x">removed&#64;example.org`,
		"mailto%3Ajane%40example.org":                                           "mailto%3Aremoved%40example.org",
		"jane (at) example.org and jane[at]example.org":                         "removed (at) example.org and removed[at]example.org",
		"müller@example.org":                                                    "removed@example.org",
		"git@github.com:example/x.git":                                          "git@github.com:example/x.git",
		"image@sha256:abcdef and left-pad@1.3.0 and me@localhost":               "image@sha256:abcdef and left-pad@1.3.0 and me@localhost",
		"https://jane@example.org/":                                             "https://removed@example.org/",
		"@example.org":                                                          "@example.org",
		"jane@example.org":                                                      "removed@example.org",
		"jane@@example.org":                                                     "jane@@example.org",
		"root@ctl001.example.org":                                               "root@ctl001.example.org",
		"jane@example.org.":                                                     "removed@example.org.",
		"jane@xn--bcher-kva.example":                                            "removed@xn--bcher-kva.example",
		"a@b.de c@d.de":                                                         "removed@b.de removed@d.de",
		"":                                                                      "",
	}
	for in, want := range tests {
		if got := string(withoutPersons([]byte(in))); got != want {
			t.Errorf("%q\n got %q\nwant %q", in, got, want)
		}
	}
	picture := []byte("\x89PNG\x00\x00jane@example.org")
	if got := withoutPersons(picture); !bytes.Equal(got, picture) {
		t.Errorf("a picture was changed: %q", got)
	}
}

func FuzzWithoutPersons(f *testing.F) {
	f.Add("jane@example.org", `\u0040`)
	f.Add("%40a.de", "@b.de")
	f.Fuzz(func(t *testing.T, a, b string) {
		in := a + " jane.roe@example.org " + b
		out := withoutPersons([]byte(in))
		if !strings.Contains(in[:min(len(in), 8000)], "\x00") && strings.Contains(string(out), " jane.roe@example.org ") {
			t.Errorf("%q still has the address", out)
		}
		if again := withoutPersons(out); !bytes.Equal(again, out) {
			t.Errorf("redacting twice is not the same as once:\n%q\n%q", out, again)
		}
	})
}

func BenchmarkWithoutPersons(b *testing.B) {
	data := []byte(strings.Repeat(`{"id":"1","text":"block storage is slow, see status@example.org or jane@example.org"},`, 100_000))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		withoutPersons(data)
	}
}
