package conformance

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha512"
	"encoding/pem"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// signer is a key of a test, from a fixed seed.
func signer(t testing.TB, seed byte) ssh.Signer {
	t.Helper()
	s, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// allowedLine is a line of a list of allowed signers.
func allowedLine(s ssh.Signer, options string) string {
	return "reports@example.org " + options + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.PublicKey()))) + " a comment\n"
}

// sign writes a signature as ssh-keygen -Y sign does (openssh-portable: PROTOCOL.sshsig).
func sign(t testing.TB, s ssh.Signer, namespace, message string) string {
	t.Helper()
	sum := sha512.Sum512([]byte(message))
	type signed struct{ Namespace, Reserved, Hash, Sum string }
	sig, err := s.Sign(rand.Reader, append([]byte("SSHSIG"), ssh.Marshal(signed{namespace, "", "sha512", string(sum[:])})...))
	if err != nil {
		t.Fatal(err)
	}
	type blob struct {
		Version                                   uint32
		Key, Namespace, Reserved, Hash, Signature string
	}
	b := append([]byte("SSHSIG"), ssh.Marshal(blob{1, string(s.PublicKey().Marshal()), namespace, "", "sha512", string(ssh.Marshal(sig))})...)
	return string(pem.EncodeToMemory(&pem.Block{Type: "SSH SIGNATURE", Bytes: b}))
}
