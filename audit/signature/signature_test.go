package signature

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

var noon = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

// key is a signing key from a fixed seed.
func key(t testing.TB, seed byte) (ssh.Signer, string) {
	t.Helper()
	signer, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	return signer, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
}

func sign(t testing.TB, signer ssh.Signer, message, namespace string, h sshsig.HashAlgorithm) []byte {
	t.Helper()
	sig, err := sshsig.Sign(strings.NewReader(message), signer, h, namespace)
	if err != nil {
		t.Fatal(err)
	}
	return sshsig.Armor(sig)
}

func TestASignatureCountsOnlyForTheNamePurposeAndDayOfTheList(t *testing.T) {
	signer, pub := key(t, 1)
	_, other := key(t, 2)
	for name, c := range map[string]struct {
		allowed, identity, namespace string
		want                         error
		says                         string
	}{
		"plain line":                       {"report@example.org " + pub, "report@example.org", "report", nil, ""},
		"comment, blank and other lines":   {"# list\n\nx@example.org " + other + "\nreport@example.org " + pub + " a comment\r\n", "report@example.org", "report", nil, ""},
		"any name":                         {"a@example.org,b@example.org " + pub, "", "report", nil, ""},
		"pattern":                          {"*@example.org " + pub, "report@example.org", "report", nil, ""},
		"quoted names":                     {`"report@example.org" ` + pub, "report@example.org", "report", nil, ""},
		"excluded by pattern":              {"*@example.org,!report@example.org " + pub, "report@example.org", "report", ErrSigner, "belongs to"},
		"second line allows":               {"a@example.org " + pub + "\nreport@example.org " + pub, "report@example.org", "report", nil, ""},
		"options":                          {`report@example.org namespaces="file,rep*",valid-after="20260101",VALID-BEFORE="20270101120000Z" ` + pub, "report@example.org", "report", nil, ""},
		"other name":                       {"x@example.org " + pub, "report@example.org", "report", ErrSigner, `belongs to "x@example.org" in line 1`},
		"other key":                        {"report@example.org " + other, "report@example.org", "report", ErrSigner, "stands in no line"},
		"empty list":                       {"", "report@example.org", "report", ErrSigner, "stands in no line"},
		"other namespace asked":            {"report@example.org " + pub, "report@example.org", "file", ErrSigner, `namespace "report", not "file"`},
		"namespace not for this key":       {`report@example.org namespaces="file" ` + pub, "report@example.org", "report", ErrSigner, `for namespaces "file"`},
		"expired key":                      {`report@example.org valid-before="20260901" ` + pub, "report@example.org", "report", ErrSigner, "was valid until 2026-09-01T00:00:00Z"},
		"key of the future":                {`report@example.org valid-after="202609011201" ` + pub, "report@example.org", "report", ErrSigner, "valid from 2026-09-01T12:01:00Z"},
		"certificate authority":            {"report@example.org cert-authority " + pub, "report@example.org", "report", ErrSigner, "certificate authority in line 1"},
		"unknown option":                   {"report@example.org touch " + pub, "report@example.org", "report", nil, `line 1: "touch" is neither`},
		"option twice":                     {`report@example.org namespaces="a",namespaces="b" ` + pub, "report@example.org", "report", nil, "stands twice"},
		"no time":                          {`report@example.org valid-before="tomorrow" ` + pub, "report@example.org", "report", nil, "is no time"},
		"open quotation mark":              {`report@example.org namespaces="a ` + pub, "report@example.org", "report", nil, "not closed"},
		"no key":                           {"report@example.org", "report@example.org", "report", nil, "line 1"},
		"another key type than it claims":  {"report@example.org ssh-rsa " + strings.Fields(pub)[1], "report@example.org", "report", nil, "is neither a key type"},
		"key of a type of tomorrow beside": {"x@example.org ssh-new AAAAB3NzaC1uZXc=\nreport@example.org " + pub, "", "report", nil, ""},
	} {
		got, err := Verify([]byte("results\n"), sign(t, signer, "results\n", "report", sshsig.HashSHA512), []byte(c.allowed), c.identity, c.namespace, noon)
		switch {
		case c.says == "":
			if err != nil || got.KeyFingerprint != ssh.FingerprintSHA256(signer.PublicKey()) || len(got.Principals) == 0 {
				t.Errorf("%s: got %+v, %v", name, got, err)
			}
		case err == nil || !strings.Contains(err.Error(), c.says) || c.want != nil && !errors.Is(err, c.want):
			t.Errorf("%s: got %v, want %q", name, err, c.says)
		}
	}
}

func TestAChangedDocumentOrSignatureIsRefused(t *testing.T) {
	signer, pub := key(t, 1)
	list := []byte("report@example.org " + pub)
	sig := sign(t, signer, "results\n", "report", sshsig.HashSHA256)
	if _, err := Verify([]byte("results\n"), sig, list, "", "report", noon); err != nil {
		t.Fatalf("sha256: %v", err)
	}
	if _, err := Verify([]byte("results!\n"), sig, list, "", "report", noon); !errors.Is(err, ErrTampered) {
		t.Errorf("changed document: got %v", err)
	}
	raw, err := sshsig.Unarmor(sig)
	if err != nil {
		t.Fatal(err)
	}
	raw.Signature.Blob[3] ^= 1
	if _, err := Verify([]byte("results\n"), sshsig.Armor(raw), list, "", "report", noon); !errors.Is(err, ErrTampered) {
		t.Errorf("changed signature: got %v", err)
	}
	for name, armored := range map[string]string{
		"nothing": "", "a document": "results\n", "two signatures": string(sig) + string(sig), "cut": string(sig[:len(sig)/2]),
		"no signature inside": begin + "\nAAAA\n" + end, "too large": begin + strings.Repeat("A", maxSignature) + end,
	} {
		if _, err := Verify([]byte("results\n"), []byte(armored), list, "", "report", noon); err == nil || errors.Is(err, ErrTampered) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestSSHKeygenAndVerifyAgree signs with each and checks with the other, for every type of key that needs no hardware.
func TestSSHKeygenAndVerifyAgree(t *testing.T) {
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("ssh-keygen is needed: install openssh-client")
		}
		t.Skip("needs ssh-keygen (openssh-client)")
	}
	dir := t.TempDir()
	message := "subject: example-cloud\n"
	document := filepath.Join(dir, "report.yaml")
	write(t, document, message)
	for _, kind := range [][]string{{"ed25519"}, {"ecdsa", "-b", "256"}, {"ecdsa", "-b", "521"}, {"rsa", "-b", "2048"}} {
		private := filepath.Join(dir, strings.Join(kind, ""))
		run(t, "", keygen, append([]string{"-q", "-N", "", "-C", "", "-f", private, "-t"}, kind...)...)
		pub, err := os.ReadFile(private + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		list := filepath.Join(dir, "allowed")
		write(t, list, `report@example.org namespaces="report" `+string(pub))
		allowed, _ := os.ReadFile(list)

		os.Remove(document + ".sig")
		run(t, "", keygen, "-q", "-Y", "sign", "-f", private, "-n", "report", document)
		armored, err := os.ReadFile(document + ".sig")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Verify([]byte(message), armored, allowed, "report@example.org", "report", noon); err != nil {
			t.Errorf("%v: %v", kind, err)
		}
		if _, err := Verify([]byte(message), armored, allowed, "report@example.org", "file", noon); !errors.Is(err, ErrSigner) {
			t.Errorf("%v with another namespace: got %v", kind, err)
		}
		pem, _ := os.ReadFile(private)
		signer, err := ssh.ParsePrivateKey(pem)
		if err != nil {
			t.Fatal(err)
		}
		write(t, document+".own", string(sign(t, signer, message, "report", sshsig.HashSHA512)))
		run(t, message, keygen, "-q", "-Y", "verify", "-f", list, "-I", "report@example.org", "-n", "report", "-s", document+".own")
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, stdin, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

func TestPatternsAreThoseOfSSH(t *testing.T) {
	for _, c := range []struct {
		name, list string
		want       bool
	}{
		{"a", "a", true}, {"a", "b,a", true}, {"ab", "a?", true}, {"ab", "*", true}, {"", "*", true}, {"ab", "a", false},
		{"a@b", "*@b,!a@*", false}, {"a", "!b", false}, {"aXbXc", "a*b*c", true}, {"abcd", "a*c", false}, {"", "", true},
	} {
		if got := matchList(c.name, c.list); got != c.want {
			t.Errorf("matchList(%q, %q) = %v", c.name, c.list, got)
		}
	}
}

func TestAListWithoutNamesAllowsTheSameKeys(t *testing.T) {
	signer, pub := key(t, 1)
	_, other := key(t, 2)
	list := []byte("# people\n\n\"a@example.org,b@example.org\" " + other + " somebody's laptop\nc@example.org namespaces=\"rep*\",valid-before=\"202609011201\" " + pub + "\nd@example.org cert-authority " + other + "\n")
	got, err := WithoutNames(list)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(got, []byte("@")) || bytes.Contains(got, []byte("laptop")) || bytes.Count(got, []byte("\n")) != 5 {
		t.Errorf("got %q", got)
	}
	sig := sign(t, signer, "results\n", "report", sshsig.HashSHA512)
	for at, want := range map[time.Time]bool{noon: true, noon.Add(time.Hour): false} {
		if _, err := Verify([]byte("results\n"), sig, got, "", "report", at); (err == nil) != want {
			t.Errorf("at %s: got %v", at, err)
		}
	}
	if _, err := WithoutNames([]byte("x")); err == nil {
		t.Error("nonsense is taken for a list")
	}
}

// FuzzWithoutNames holds that a list without names allows what the list allows, and says the same when it is made twice.
func FuzzWithoutNames(f *testing.F) {
	signer, pub := key(f, 1)
	sig := sign(f, signer, "results\n", "report", sshsig.HashSHA512)
	f.Add([]byte("a@example.org " + pub))
	f.Add([]byte(`"a b",c namespaces="r\"x,rep*",valid-after="20260101",valid-before="20270101" ` + pub + " comment"))
	f.Add([]byte("# x\n* cert-authority " + pub + "\n\n! " + pub))
	f.Fuzz(func(t *testing.T, list []byte) {
		got, err := WithoutNames(list)
		_, before := Verify([]byte("results\n"), sig, list, "", "report", noon)
		if err != nil {
			if before == nil {
				t.Fatalf("%q is read by one only: %v", list, err)
			}
			return
		}
		_, after := Verify([]byte("results\n"), sig, got, "", "report", noon)
		again, err := WithoutNames(got)
		if (before == nil) != (after == nil) || err != nil || !bytes.Equal(again, got) {
			t.Fatalf("%q became %q: %v, %v, %v", list, got, before, after, err)
		}
	})
}

// FuzzVerify holds that nothing but the one document with its own signature and a list that names the key is accepted.
func FuzzVerify(f *testing.F) {
	signer, pub := key(f, 1)
	sig := sign(f, signer, "results\n", "report", sshsig.HashSHA512)
	f.Add([]byte("results\n"), sig, []byte("report@example.org "+pub))
	f.Add([]byte("other\n"), sig, []byte(`report@example.org namespaces="report",valid-before="2027" `+pub))
	f.Add([]byte("results\n"), []byte(begin+"\n"+end), []byte("\"a,b\" cert-authority "+pub))
	f.Fuzz(func(t *testing.T, message, armored, list []byte) {
		got, err := Verify(message, armored, list, "", "report", noon)
		if err != nil {
			return
		}
		if string(message) != "results\n" || !bytes.Contains(list, []byte(strings.Fields(pub)[1])) || got.KeyFingerprint == "" {
			t.Fatalf("accepted %q by %q: %+v", message, list, got)
		}
	})
}
