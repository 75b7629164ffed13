package pipeline

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/pegel-audit/pegel/audit/conformance"
	"github.com/pegel-audit/pegel/audit/signature"
)

// Bounds of what is signed and of what is read beside it.
const (
	maxSigned = 16 << 20 // a test report of SCS; the same as audit/conformance reads
	maxSecret = 64 << 10
)

// ReportNamespace is the purpose that SCS test reports are signed for.
const ReportNamespace = conformance.Namespace

// SignKey is a private key with what opens it. It is never printed.
type SignKey struct{ key, passphrase []byte }

// ReadSignKey reads a private key file that nobody else may read, as ssh demands of its keys. The passphrase comes from
// passphraseFile, else from the value given, which may be empty.
func ReadSignKey(name, passphraseFile, passphrase string) (SignKey, error) {
	key, err := readPrivate(name)
	if err != nil {
		return SignKey{}, usagef("give a private key file such as ~/.ssh/id_ed25519; ssh-keygen -t ed25519 makes one", "reading private key: %w", err)
	}
	out := SignKey{key: key, passphrase: []byte(passphrase)}
	if passphraseFile == "" {
		return out, nil
	}
	text, err := readPrivate(passphraseFile)
	if err != nil {
		return SignKey{}, usagef("the passphrase stands alone in the file", "reading passphrase file: %w", err)
	}
	out.passphrase = bytes.TrimRight(text, "\r\n")
	return out, nil
}

// SignReport signs a file for SCS as ssh-keygen -Y sign does and returns the armoured signature.
func SignReport(name string, key SignKey, namespace string) ([]byte, error) {
	message, err := readBounded(name, maxSigned)
	if err != nil {
		return nil, usagef("give a file that pegel report -o scs-report=FILE wrote", "signing %w", plainPath(name, err))
	}
	armored, err := signature.Sign(message, key.key, key.passphrase, namespace)
	switch {
	case errors.Is(err, signature.ErrPassphrase):
		return nil, usagef("give it in PEGEL_KEY_PASSPHRASE or with --passphrase-file FILE, never on the command line", "signing %q: %w", name, err)
	case err != nil:
		return nil, usagef("", "signing %q: %w", name, err)
	}
	return armored, nil
}

// readPrivate reads a file with a secret: a regular file of bounded size that only its owner may read.
func readPrivate(name string) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%q: no such file, or it may not be read", name)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%q is no regular file", name)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("%q may be read by others (mode %04o); chmod 600 it", name, info.Mode().Perm())
	}
	data, err := readBounded(name, maxSecret)
	if err != nil {
		return nil, plainPath(name, err)
	}
	return data, nil
}
