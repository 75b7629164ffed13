package signature

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// ErrPassphrase says that a private key is locked, or that the passphrase given does not open it.
var ErrPassphrase = errors.New("the key is locked by a passphrase")

// maxKey bounds a private key file; the largest RSA key that OpenSSH makes has about 13 KiB.
const maxKey = 64 << 10

// Sign makes an armoured SSHSIG signature of a message, as ssh-keygen -Y sign -n NAMESPACE does, with a private key in the
// form of OpenSSH or PEM. Keys of RSA sign with SHA-512 as OpenSSH does; the message is hashed with SHA-512. An error never holds
// anything of the key or the passphrase; ErrPassphrase says that another passphrase is needed.
func Sign(message, privateKey, passphrase []byte, namespace string) ([]byte, error) {
	if namespace == "" {
		return nil, errors.New("signing: no namespace was given")
	}
	signer, err := parseKey(privateKey, passphrase)
	if err != nil {
		return nil, err
	}
	sig, err := sshsig.Sign(bytes.NewReader(message), signer, sshsig.HashSHA512, namespace)
	if err != nil {
		return nil, fmt.Errorf("signing with key %s: %w", ssh.FingerprintSHA256(signer.PublicKey()), err)
	}
	return sshsig.Armor(sig), nil
}

// parseKey reads a private key. Errors of the library are not passed on: they could quote the file.
func parseKey(privateKey, passphrase []byte) (ssh.Signer, error) {
	if len(privateKey) > maxKey {
		return nil, fmt.Errorf("reading private key: %d bytes, but at most %d are read", len(privateKey), maxKey)
	}
	signer, err := ssh.ParsePrivateKey(privateKey)
	var locked *ssh.PassphraseMissingError
	switch {
	case err == nil:
		return signer, nil
	case errors.As(err, &locked) && len(passphrase) == 0:
		return nil, fmt.Errorf("reading private key: %w", ErrPassphrase)
	case errors.As(err, &locked):
		if signer, err = ssh.ParsePrivateKeyWithPassphrase(privateKey, passphrase); err == nil {
			return signer, nil
		}
		return nil, fmt.Errorf("reading private key: %w, and the one given does not open it", ErrPassphrase)
	}
	return nil, errors.New("reading private key: it is no private key in the form of OpenSSH or PEM; ssh-keygen -t ed25519 makes one")
}
