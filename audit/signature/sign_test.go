package signature

import (
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// newKey makes a private key file and the line that allows its signatures.
func newKey(t *testing.T, passphrase string) (private []byte, allowed string) {
	t.Helper()
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	var block *pem.Block
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(key, "test")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "test", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(block), "cloud@example.org " + string(ssh.MarshalAuthorizedKey(line))
}

func TestWhatWasSignedHereVerifiesHereAndChangedTextDoesNot(t *testing.T) {
	moment := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for _, passphrase := range []string{"", "correct horse"} {
		private, allowed := newKey(t, passphrase)
		armored, err := Sign([]byte("hello\n"), private, []byte(passphrase), "report")
		if err != nil {
			t.Fatal(err)
		}
		who, err := Verify([]byte("hello\n"), armored, []byte(allowed), "cloud@example.org", "report", moment)
		if err != nil || who.Principals[0] != "cloud@example.org" {
			t.Errorf("own signature: %v %v", who, err)
		}
		if _, err := Verify([]byte("hallo\n"), armored, []byte(allowed), "", "report", moment); !errors.Is(err, ErrTampered) {
			t.Errorf("changed text: want ErrTampered, got %v", err)
		}
	}
}

func TestALockedKeyIsNamedAsSuchAndNoErrorHoldsTheKey(t *testing.T) {
	private, _ := newKey(t, "secret words")
	for _, passphrase := range []string{"", "other words"} {
		_, err := Sign([]byte("x"), private, []byte(passphrase), "report")
		if !errors.Is(err, ErrPassphrase) {
			t.Errorf("passphrase %q: want ErrPassphrase, got %v", passphrase, err)
		}
	}
	canary := "-----BEGIN OPENSSH PRIVATE KEY-----\nY2FuYXJ5\n-----END OPENSSH PRIVATE KEY-----\n"
	for _, bad := range []string{"", "canary", canary, strings.Repeat("canary", 20000)} {
		if _, err := Sign([]byte("x"), []byte(bad), nil, "report"); err == nil || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "Y2Fu") {
			t.Errorf("a broken key: %v", err)
		}
	}
	if _, err := Sign([]byte("x"), private, []byte("secret words"), ""); err == nil {
		t.Error("no namespace: want an error")
	}
}
