// Package signature checks signatures of the form that ssh-keygen -Y makes (SSHSIG) against a list of allowed signers. Bytes
// go in, the name of the signer comes out; Sign makes such signatures. It keeps no keys, reads no files and no clock.
package signature

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// Bounds of what is read. A signature of the largest RSA key that OpenSSH makes (16384 bits) has about 6 KiB.
const (
	maxSignature = 64 << 10
	maxSigners   = 1 << 20
	maxLines     = 10_000
)

// Kinds of refusal that callers tell apart with errors.Is; every error of Verify that is none of them says that an input has
// not the form it should have.
var (
	// ErrTampered says that the signature does not fit the message: one of the two was changed, or they do not belong together.
	ErrTampered = errors.New("the signature does not fit the document")
	// ErrSigner says that the key is not among the allowed signers, or not for that name, purpose or day.
	ErrSigner = errors.New("the signer is not allowed")
)

// Signer is whose signature it is.
type Signer struct {
	// Principals are the names of the key in the list of allowed signers, as patterns where the list has patterns.
	Principals     []string
	KeyFingerprint string // SHA256:..., as ssh-keygen -l prints it
}

// Verify checks an armoured SSHSIG signature of a message, as ssh-keygen -Y verify does. The key has to stand in allowedSigners
// (the format of ALLOWED SIGNERS in ssh-keygen(1)) for the identity, for the namespace, and at the moment given; with an empty
// identity any name of the key will do. Times without a zone are read as UTC, because a list does not say where it was
// written. Certificates are refused: the list has to name the keys themselves.
func Verify(message, armored, allowedSigners []byte, identity, namespace string, at time.Time) (Signer, error) {
	if namespace == "" {
		return Signer{}, errors.New("checking a signature: no namespace was asked for")
	}
	list, err := parseAllowedSigners(allowedSigners)
	if err != nil {
		return Signer{}, err
	}
	sig, err := fitting(message, armored, namespace)
	if err != nil {
		return Signer{}, err
	}
	signer := Signer{KeyFingerprint: ssh.FingerprintSHA256(sig.PublicKey)}
	if signer.Principals, err = list.allow(sig.PublicKey.Marshal(), identity, namespace, at); err != nil {
		return Signer{}, fmt.Errorf("%w: key %s %w", ErrSigner, signer.KeyFingerprint, err)
	}
	return signer, nil
}

// keyTypes are the keys that OpenSSH signs files with. DSA left OpenSSH with 10.0.
func keyTypes() []string {
	return []string{
		ssh.KeyAlgoED25519, ssh.KeyAlgoRSA, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256,
	}
}

const begin, end = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"

func unarmor(armored []byte) (*sshsig.Signature, error) {
	if len(armored) > maxSignature {
		return nil, fmt.Errorf("reading signature: %d bytes, but at most %d are read", len(armored), maxSignature)
	}
	armored = bytes.TrimSpace(armored)
	if !bytes.HasPrefix(armored, []byte(begin)) || !bytes.HasSuffix(armored, []byte(end)) || bytes.Count(armored, []byte(begin)) != 1 {
		return nil, fmt.Errorf("reading signature: it is not one block from %q to %q", begin, end)
	}
	sig, err := sshsig.Unarmor(armored)
	if err != nil {
		return nil, fmt.Errorf("reading signature: %s", printable(err.Error()))
	}
	if kind := sig.PublicKey.Type(); !slices.Contains(keyTypes(), kind) {
		return nil, fmt.Errorf("reading signature: key of type %q is not read; sign with a plain Ed25519, ECDSA or RSA key", printable(kind))
	}
	return sig, nil
}

// Fits checks that an armoured SSHSIG signature is of a message and a namespace, and returns the fingerprint of its key. Whose key
// that is, and whether it may sign, it does not say: Verify does.
func Fits(message, armored []byte, namespace string) (fingerprint string, err error) {
	if namespace == "" {
		return "", errors.New("checking a signature: no namespace was asked for")
	}
	sig, err := fitting(message, armored, namespace)
	if err != nil {
		return "", err
	}
	return ssh.FingerprintSHA256(sig.PublicKey), nil
}

// fitting reads a signature and checks that it is of the message and for the namespace, by whomever.
func fitting(message, armored []byte, namespace string) (*sshsig.Signature, error) {
	sig, err := unarmor(armored)
	if err != nil {
		return nil, err
	}
	if sig.Namespace != namespace {
		return nil, fmt.Errorf("%w: it signed with namespace %q, not %q", ErrSigner, printable(sig.Namespace), namespace)
	}
	if err := sshsig.Verify(bytes.NewReader(message), sig, sig.PublicKey, sig.HashAlgorithm, namespace); err != nil {
		return nil, fmt.Errorf("%w (key %s)", ErrTampered, ssh.FingerprintSHA256(sig.PublicKey))
	}
	return sig, nil
}
