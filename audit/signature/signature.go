// Package signature checks signatures of the form that ssh-keygen -Y makes (SSHSIG) against a list of allowed signers. Bytes
// go in, the name of the signer comes out. It holds no keys, reads no files and no clock.
package signature

import (
	_ "github.com/hiddeco/sshsig"
)
