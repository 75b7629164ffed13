package visit

import "testing"

func TestNamesOfServersAreWrittenInASCII(t *testing.T) {
	for in, want := range map[string]string{
		"https://Status.Example.ORG/A":       "https://status.example.org/A",
		"HTTPS://example.org:8443":           "https://example.org:8443",
		"https://bücher.example/ü?q=ü":       "https://xn--bcher-kva.example/%C3%BC?q=ü",
		"https://BÜCHER.example./":           "https://xn--bcher-kva.example./",
		"https://faß.example/":               "https://xn--fa-hia.example/",
		"https://my_status.example.org/":     "https://my_status.example.org/",
		"https://[2001:DB8::1]:443/":         "https://[2001:db8::1]:443/",
		"https://example.org./":              "https://example.org./",
		"https://example.org/a%2Fb/../c?x#y": "https://example.org/a%2Fb/../c?x",
	} {
		u, trouble := parse(in)
		if trouble != nil {
			t.Errorf("%s: %s", in, trouble.Text)
		} else if got := u.String(); got != want {
			t.Errorf("%s is asked as %s, want %s", in, got, want)
		}
	}
	for _, in := range []string{"https://exam\u202eple.org/", "https://ex%61mple%00.org/", "https://-a-.example/", "https://a。。b/", "https://☃☃☃\u0000.example/", "https://１２７.０.０.１/"} {
		u, trouble := parse(in)
		if trouble == nil && (u.Hostname() != "127.0.0.1") {
			t.Errorf("%q is asked as %s", in, u)
		}
	}
}
