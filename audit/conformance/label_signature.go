package conformance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// keySet are the keys that may speak for an issuer.
type keySet struct {
	keys []crypto.PublicKey
	note string // what a reader has to know about them
}

// leastRSA is the least length of an RSA key, in bits (BSI TR-02102-1 asks for 3000 since 2024; shorter ones than 2048 are broken
// within reach and are refused by go-jose's rules as well).
const leastRSA = 2048

// signatureAlgorithms are the ones that are accepted: with public keys only. "none" and those with a shared secret prove nothing.
func signatureAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.ES256, jose.ES384, jose.ES512, jose.PS256, jose.PS384, jose.PS512,
		jose.RS256, jose.RS384, jose.RS512, jose.EdDSA}
}

// checkForm says of a signature what can be told without a key; the zero value: go on and look for the key.
func (c credential) checkForm() Signature {
	if c.jws == "" {
		return c.checkProof()
	}
	s := Signature{State: SignatureBroken, Algorithm: c.algorithm, Key: oneLine(c.kid)}
	switch {
	case !slices.Contains(signatureAlgorithms(), jose.SignatureAlgorithm(c.algorithm)):
		s.Reason = fmt.Sprintf("the algorithm %q proves nothing: only signatures with a public key count", c.algorithm)
	case slices.Contains(c.headers, "crit"):
		s.State, s.Reason = SignatureOpen, "the header demands extensions (crit) that are not read here"
	case c.label.Issuer == "":
		s.State, s.Reason = SignatureOpen, "the credential names no issuer, so no key can be told to be the issuer's"
	case strings.HasPrefix(c.kid, "did:") && !ofDID(c.kid, c.label.Issuer):
		s.Reason = fmt.Sprintf("it was signed with a key of %q, but names %q as issuer", oneLine(c.kid), c.label.Issuer)
	default:
		return Signature{} // keys that the credential brings along (jwk, jku, x5c, x5u) are not looked at: anybody can add one
	}
	return s
}

// checkProof looks at a proof of JSON-LD. Its signature covers the RDF form of the document (URDNA2015), which needs the JSON-LD
// contexts of the network; it is not computed here, and what follows says so.
func (c credential) checkProof() Signature {
	if len(c.proof) == 0 {
		return Signature{State: SignatureBroken, Reason: "the credential carries no signature"}
	}
	p := c.proof[0]
	s := Signature{State: SignatureOpen, Key: oneLine(p.VerificationMethod)}
	if kind := strings.TrimSpace(p.Type + " " + p.Cryptosuite); p.Type != "JsonWebSignature2020" {
		s.Reason = fmt.Sprintf("proofs of the kind %q are not verified here", oneLine(kind))
		return s
	}
	alg, err := detachedAlgorithm(p.JWS)
	s.Algorithm = oneLine(alg)
	switch {
	case err != nil:
		s.State, s.Reason = SignatureBroken, oneLine("the signature cannot be read: "+err.Error())
	case !slices.Contains(signatureAlgorithms(), jose.SignatureAlgorithm(alg)):
		s.State, s.Reason = SignatureBroken, fmt.Sprintf("the algorithm %q proves nothing: only signatures with a public key count", oneLine(alg))
	case c.label.Issuer != "" && strings.HasPrefix(p.VerificationMethod, "did:") && !ofDID(p.VerificationMethod, c.label.Issuer):
		s.State = SignatureBroken
		s.Reason = fmt.Sprintf("it was signed with a key of %q, but names %q as issuer", oneLine(p.VerificationMethod), c.label.Issuer)
	default:
		s.Reason = "the signature covers the RDF form of the document (URDNA2015), which is not computed here; " +
			"its form is in order and its key belongs to the issuer by name. Verify it with the tools of Gaia-X, or ask for the form vc+jwt"
	}
	return s
}

// detachedAlgorithm reads the header of a JWS whose payload is left out.
func detachedAlgorithm(s string) (string, error) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 || parts[1] != "" || parts[2] == "" {
		return "", errors.New("it is no JWS with its payload left out")
	}
	header, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil {
		return "", err
	}
	if err := checkJSON(header); err != nil {
		return "", err
	}
	var h struct {
		Algorithm string `json:"alg"`
	}
	err = json.Unmarshal(header, &h)
	return h.Algorithm, err
}

// ofDID reports whether the address of a key belongs to a DID.
func ofDID(key, did string) bool {
	of, _, _ := strings.Cut(key, "#")
	did, _, _ = strings.Cut(did, "#")
	return of == did
}

// verifyWith checks a JWS with the keys of the issuer.
func (c credential) verifyWith(keys keySet) (state, reason string) {
	jws, err := jose.ParseSignedCompact(c.jws, signatureAlgorithms())
	if err != nil {
		return SignatureBroken, oneLine("the signature cannot be read: " + err.Error())
	}
	for _, key := range keys.keys {
		if err = usable(key); err != nil {
			continue
		}
		if _, err = jws.Verify(key); err == nil {
			return SignatureVerified, strings.TrimSuffix("the signature is good, with a key of "+c.label.Issuer+"; "+keys.note, "; ")
		}
	}
	if weak := (weakKey{}); errors.As(err, &weak) {
		return SignatureOpen, weak.Error()
	}
	return SignatureBroken, "the signature does not fit the credential and the key of " + c.label.Issuer
}

type weakKey struct{ bits int }

func (w weakKey) Error() string {
	return fmt.Sprintf("the RSA key has %d bits, which is too short", w.bits)
}

func usable(key crypto.PublicKey) error {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < leastRSA {
			return weakKey{k.N.BitLen()}
		}
	case *ecdsa.PublicKey, ed25519.PublicKey:
	default:
		return fmt.Errorf("keys of the kind %T are not used", key)
	}
	return nil
}

// readKeys reads what may hold the key of an issuer: a DID document, a JWK, a set of JWKs, or certificates in PEM, of which the
// first is that of the signer.
func readKeys(data []byte, issuer, kid string) (keySet, error) {
	if block, _ := pem.Decode(data); block != nil {
		return pemKey(block)
	}
	if err := checkJSON(data); err != nil {
		return keySet{}, err
	}
	var kind struct {
		ID   string          `json:"id"`
		Kty  string          `json:"kty"`
		Keys json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(data, &kind); err != nil {
		return keySet{}, err
	}
	const told = "that this is the key of the issuer is the word of who handed it over"
	switch {
	case kind.Kty != "":
		var key jose.JSONWebKey
		if err := key.UnmarshalJSON(data); err != nil {
			return keySet{}, err
		}
		return publicKeys([]jose.JSONWebKey{key}, told)
	case len(kind.Keys) > 0:
		var set jose.JSONWebKeySet
		if err := json.Unmarshal(data, &set); err != nil {
			return keySet{}, err
		}
		return publicKeys(set.Keys, told)
	}
	return documentKeys(data, issuer, kid)
}

func pemKey(block *pem.Block) (keySet, error) {
	const told = "that this is the certificate of the issuer is the word of who handed it over"
	switch block.Type {
	case "CERTIFICATE":
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return keySet{}, err
		}
		return keySet{[]crypto.PublicKey{cert.PublicKey}, told}, nil
	case "PUBLIC KEY":
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		return keySet{[]crypto.PublicKey{key}, told}, err
	}
	return keySet{}, fmt.Errorf("a block %q of PEM holds no public key", oneLine(block.Type))
}

// publicKeys refuses private and shared keys: one that was handed over is a secret no more.
func publicKeys(keys []jose.JSONWebKey, note string) (keySet, error) {
	s := keySet{note: note}
	for _, k := range keys {
		if len(s.keys) >= 100 {
			break
		}
		if k.IsPublic() {
			s.keys = append(s.keys, k.Key)
		}
	}
	if len(s.keys) == 0 {
		return s, errors.New("it holds no public key")
	}
	return s, nil
}

// documentKeys takes from a DID document the keys that may make statements for the issuer (assertionMethod, by reference or in
// place; where a document has no such list, all its keys). kid, where it is an address in the document, says which.
func documentKeys(data []byte, issuer, kid string) (keySet, error) {
	type method struct {
		ID  string          `json:"id"`
		JWK json.RawMessage `json:"publicKeyJwk"`
	}
	var doc struct {
		ID         string            `json:"id"`
		Methods    []method          `json:"verificationMethod"`
		Assertions []json.RawMessage `json:"assertionMethod"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return keySet{}, err
	}
	if doc.ID == "" || !ofDID(issuer, doc.ID) {
		return keySet{}, fmt.Errorf("it is the document of %q, not of %q", oneLine(doc.ID), issuer)
	}
	full := func(id string) string {
		if strings.HasPrefix(id, "#") {
			return doc.ID + id
		}
		return id
	}
	allowed := map[string]bool{}
	for _, raw := range doc.Assertions {
		var id string
		var m method
		if json.Unmarshal(raw, &id) == nil {
			allowed[full(id)] = true
		} else if json.Unmarshal(raw, &m) == nil {
			allowed[full(m.ID)] = true
			doc.Methods = append(doc.Methods, m)
		}
	}
	var keys []jose.JSONWebKey
	named := false
	for _, m := range doc.Methods {
		if len(m.JWK) == 0 || doc.Assertions != nil && !allowed[full(m.ID)] || !ofDID(full(m.ID), doc.ID) {
			continue
		}
		if strings.Contains(kid, "#") && full(m.ID) != full(kid) {
			continue
		}
		named = true
		var key jose.JSONWebKey
		if err := key.UnmarshalJSON(m.JWK); err != nil {
			return keySet{}, fmt.Errorf("key %q: %w", oneLine(m.ID), err)
		}
		keys = append(keys, key)
	}
	if !named {
		return keySet{}, fmt.Errorf("it has no key %q that may make statements", oneLine(kid))
	}
	return publicKeys(keys, "whether the certificate of the key goes back to a trust anchor of Gaia-X was not looked at")
}

// didAddress is where the document of a did:web stands (W3C CCG, did:web method).
func didAddress(did string) (string, error) {
	did, _, _ = strings.Cut(did, "#")
	rest, ok := strings.CutPrefix(did, "did:web:")
	if !ok || rest == "" {
		return "", fmt.Errorf("the issuer %q is no did:web; hand its DID document over", did)
	}
	parts := strings.Split(rest, ":")
	host, err := url.PathUnescape(parts[0])
	if err != nil || host == "" || strings.ContainsAny(host, "/?#@\\ ") {
		return "", fmt.Errorf("the host of %q cannot be read", did)
	}
	u := url.URL{Scheme: "https", Host: host, Path: "/.well-known/did.json"}
	if len(parts) > 1 {
		for _, p := range parts[1:] {
			if p == "" || p == "." || p == ".." || strings.ContainsAny(p, "/?#\\") {
				return "", fmt.Errorf("the path of %q cannot be read", did)
			}
		}
		path, err := url.PathUnescape("/" + strings.Join(parts[1:], "/"))
		if err != nil {
			return "", fmt.Errorf("the path of %q cannot be read", did)
		}
		u.Path = path + "/did.json"
	}
	return u.String(), nil
}
