package conformance

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/pegel-audit/pegel/audit"
)

const issuerDID = "did:web:compliance.example.org:v2"

// The shape is that of the Gaia-X ontology (gx:LabelCredential; service-characteristics, classes/LabelCredential) in a credential of
// W3C data model 2.0, as a compliance service of Loire issues it. Names are our own.
const labelJSON = `{
 "@context": ["https://www.w3.org/ns/credentials/v2", "https://w3id.org/gaia-x/development#"],
 "type": ["VerifiableCredential", "gx:LabelCredential"],
 "id": "https://compliance.example.org/credential-offers/4711",
 "issuer": "did:web:compliance.example.org:v2",
 "validFrom": "2026-09-01T00:00:00.000+00:00",
 "validUntil": "2026-12-01T00:00:00.000+00:00",
 "credentialSubject": {
  "id": "https://cloud.example.org/gx/service#cs", "gx:labelLevel": "L1", "gx:engineVersion": "2.11.0", "gx:rulesVersion": "CD25.03",
  "gx:compliantCredentials": [
   {"id": "https://cloud.example.org/gx/service", "type": "gx:CompliantCredential", "gx:credentialType": "gx:ServiceOffering", "gx:digestSRI": "sha256-00"},
   {"id": "https://cloud.example.org/gx/participant", "type": "gx:CompliantCredential", "gx:credentialType": "gx:LegalPerson", "gx:digestSRI": "sha256-01"}],
  "gx:validatedCriteria": ["https://w3id.org/gaia-x/specs/cd25.03/criterion/P1.1.1", "https://w3id.org/gaia-x/specs/cd25.03/criterion/P1.2.5"]
 }}`

// The shape of the Tagus flow: a compliance credential in JSON-LD with a JsonWebSignature2020 (SovereignCloudStack/gx-credential-generator).
const tagusJSON = `{
 "@context": ["https://www.w3.org/2018/credentials/v1", "https://w3id.org/security/suites/jws-2020/v1"],
 "type": ["VerifiableCredential"], "id": "https://compliance.example.org/credential-offers/4712", "issuer": "did:web:compliance.example.org:v1",
 "issuanceDate": "2026-09-01T10:00:00.123Z", "expirationDate": "2026-11-01T10:00:00.123Z",
 "credentialSubject": [
  {"type": "gx:compliance", "id": "https://cloud.example.org/so.json", "gx:integrity": "sha256-00", "gx:version": "22.10", "gx:type": "gx:ServiceOffering"},
  {"type": "gx:compliance", "id": "https://cloud.example.org/lp.json", "gx:integrity": "sha256-01", "gx:version": "22.10", "gx:type": "gx:LegalParticipant"}],
 "proof": {"type": "JsonWebSignature2020", "created": "2026-09-01T10:00:00.456Z", "proofPurpose": "assertionMethod",
  "verificationMethod": "did:web:compliance.example.org:v1#X509-JWK2020", "jws": "HEADER..c2lnbmF0dXJl"}}`

func detached(alg string) string {
	header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"` + alg + `","b64":false,"crit":["b64"]}`))
	return strings.Replace(tagusJSON, "HEADER", header, 1)
}

// Keys of the tests are made once; RSA is slow.
var keyOfTests = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func elliptical(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func signed(t testing.TB, alg jose.SignatureAlgorithm, key any, payload string, header map[string]any) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithType("vc+jwt")
	for k, v := range header {
		options.WithHeader(jose.HeaderKey(k), v)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// handMade makes a compact JWS from parts, as an attacker would.
func handMade(header, payload, signature string) string {
	e := base64.RawURLEncoding.EncodeToString
	return e([]byte(header)) + "." + e([]byte(payload)) + "." + e([]byte(signature))
}

func didDocument(t testing.TB, did string, keys map[string]crypto.PublicKey) string {
	t.Helper()
	doc := map[string]any{"@context": []string{"https://www.w3.org/ns/did/v1"}, "id": did}
	var methods, assertions []any
	for _, name := range sortedKeys(keys) {
		methods = append(methods, map[string]any{"id": did + "#" + name, "type": "JsonWebKey2020", "controller": did, "publicKeyJwk": jose.JSONWebKey{Key: keys[name], KeyID: name}})
		if !strings.HasPrefix(name, "login") {
			assertions = append(assertions, did+"#"+name)
		}
	}
	doc["verificationMethod"], doc["assertionMethod"] = methods, assertions
	data, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func labelOf(t *testing.T, credential, config string) (Label, Entry) {
	t.Helper()
	files := map[string]string{"label.jwt": credential, "did.json": config}
	target := Target{Kind: KindLabel, File: "label.jwt", Config: "did.json"}
	if config == "" {
		delete(files, "did.json")
		target.Config = ""
	}
	e := collectLabel(t.Context(), target, handed(files))
	if e.Trouble != nil {
		t.Fatal(*e.Trouble)
	}
	return *e.Label, e
}

func TestALabelIsReadAndItsSignatureVerified(t *testing.T) {
	ec, ed := elliptical(t), ed25519.NewKeyFromSeed(make([]byte, 32))
	for name, key := range map[string]struct {
		alg     jose.SignatureAlgorithm
		private any
		public  crypto.PublicKey
	}{
		"ES256": {jose.ES256, ec, ec.Public()},
		"PS256": {jose.PS256, keyOfTests(), keyOfTests().Public()},
		"RS256": {jose.RS256, keyOfTests(), keyOfTests().Public()},
		"EdDSA": {jose.EdDSA, ed, ed.Public()},
	} {
		t.Run(name, func(t *testing.T) {
			token := signed(t, key.alg, key.private, labelJSON, map[string]any{"kid": issuerDID + "#key-1", "iss": issuerDID, "cty": "vc"})
			other := elliptical(t)
			l, e := labelOf(t, token, didDocument(t, issuerDID, map[string]crypto.PublicKey{"key-0": other.Public(), "key-1": key.public}))
			if l.Signature.State != SignatureVerified || l.Signature.Algorithm != name || l.Signature.KeyFrom != "handed over: did.json" {
				t.Errorf("want a good signature, got %+v", l.Signature)
			}
			if l.Form != "vc+jwt" || l.Level != "L1" || l.Rules != "CD25.03" || l.Engine != "2.11.0" || l.Criteria != 2 || l.Issuer != issuerDID ||
				len(l.Offerings) != 1 || l.Offerings[0] != "https://cloud.example.org/gx/service" || !l.ValidUntil.Equal(dayOf(2026, 12, 1)) {
				t.Errorf("the label is read wrong: %+v", l)
			}
			if !e.Handed {
				t.Error("it was handed over")
			}
		})
	}
}

func TestTheKeyOfTheIssuerIsLookedUpByItsDID(t *testing.T) {
	for did, want := range map[string]string{
		"did:web:example.org":                       "https://example.org/.well-known/did.json",
		"did:web:example.org%3A8443:a:b":            "https://example.org:8443/a/b/did.json",
		issuerDID:                                   "https://compliance.example.org/v2/did.json",
		"did:web:example.org#key":                   "https://example.org/.well-known/did.json",
		"did:web:":                                  "",
		"did:key:z6Mk":                              "",
		"https://example.org":                       "",
		"did:web:example.org%2Fevil":                "",
		"did:web:user%40example.org":                "",
		"did:web:example.org:..:..:etc":             "",
		"did:web:example.org:":                      "",
		"did:web:%zz":                               "",
		"did:web:example.org:a?b=c":                 "",
		"did:web:169.254.169.254:latest:meta-data":  "https://169.254.169.254/latest/meta-data/did.json", // the visitor guards addresses
		"did:web:example.org:credentials%3A4711:v1": "https://example.org/credentials:4711/v1/did.json",
	} {
		got, err := didAddress(did)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: want %q, got %q (%v)", did, want, got, err)
		}
	}
	key := elliptical(t)
	token := signed(t, jose.ES256, key, labelJSON, map[string]any{"kid": issuerDID + "#key-1"})
	document := didDocument(t, issuerDID, map[string]crypto.PublicKey{"key-1": key.Public()})
	var asked []string
	ask := func(files map[string]string) World {
		w := handed(files)
		inner := w.Ask
		w.Ask = func(ctx context.Context, r audit.Request) audit.Answer {
			asked = append(asked, r.URL)
			a := inner(ctx, r)
			a.Handed = ""
			return a
		}
		return w
	}
	e := collectLabel(t.Context(), Target{Kind: KindLabel, URL: "https://cloud.example.org/label.jwt"}, ask(map[string]string{"label.jwt": token, "did.json": document}))
	if e.Label == nil || e.Label.Signature.State != SignatureVerified || asked[1] != "https://compliance.example.org/v2/did.json" ||
		!strings.Contains(e.Label.Signature.Reason, "trust anchor") {
		t.Errorf("want it verified with the document of the issuer, got %+v after %q", e.Label, asked)
	}
	e = collectLabel(t.Context(), Target{Kind: KindLabel, URL: "https://cloud.example.org/label.jwt"}, ask(map[string]string{"label.jwt": token}))
	if e.Label == nil || e.Label.Signature.State != SignatureOpen || !strings.Contains(e.Label.Signature.Reason, "DID document of the issuer cannot be read") {
		t.Errorf("without the document nobody can tell, got %+v", e.Label)
	}
}

func TestForgedSignaturesAreSeen(t *testing.T) {
	issuer, attacker := elliptical(t), elliptical(t)
	document := didDocument(t, issuerDID, map[string]crypto.PublicKey{"key-1": issuer.Public(), "key-rsa": keyOfTests().Public(), "login-1": attacker.Public()})
	kid := issuerDID + "#key-1"
	good := signed(t, jose.ES256, issuer, labelJSON, map[string]any{"kid": kid})
	parts := strings.Split(good, ".")
	changed := strings.Replace(labelJSON, `"L1"`, `"L3"`, 1)
	public, err := x509.MarshalPKIXPublicKey(keyOfTests().Public())
	if err != nil {
		t.Fatal(err)
	}
	secret := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	for _, test := range []struct{ name, token, state, words string }{
		{"not forged", good, SignatureVerified, "the signature is good"},
		{"another content", parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(changed)) + "." + parts[2], SignatureBroken, "does not fit"},
		{"no signature", handMade(`{"alg":"ES256","kid":"`+kid+`"}`, labelJSON, ""), SignatureBroken, ""},
		{"alg none", handMade(`{"alg":"none"}`, labelJSON, ""), SignatureBroken, `"none" proves nothing`},
		{"alg None", handMade(`{"alg":"nOnE"}`, labelJSON, "x"), SignatureBroken, "proves nothing"},
		{"a shared secret that is the public key", signed(t, jose.HS256, secret, labelJSON, map[string]any{"kid": issuerDID + "#key-rsa"}), SignatureBroken, `"HS256" proves nothing`},
		{"the attacker's key", signed(t, jose.ES256, attacker, labelJSON, map[string]any{"kid": kid}), SignatureBroken, "does not fit"},
		{"the attacker's key in the header", signed(t, jose.ES256, attacker, labelJSON, map[string]any{"kid": kid, "jwk": jose.JSONWebKey{Key: attacker.Public()}}), SignatureBroken, "does not fit"},
		{"the attacker's DID", signed(t, jose.ES256, attacker, labelJSON, map[string]any{"kid": "did:web:attacker.example.net#key-1"}), SignatureBroken, `a key of "did:web:attacker.example.net#key-1"`},
		{"a key for logins", signed(t, jose.ES256, attacker, labelJSON, map[string]any{"kid": issuerDID + "#login-1"}), SignatureOpen, "no key"},
		{"another algorithm than the key", handMade(`{"alg":"RS256","kid":"`+kid+`"}`, labelJSON, "x"), SignatureBroken, "does not fit"},
		{"demanded extensions", handMade(`{"alg":"ES256","crit":["exp"],"exp":1,"kid":"`+kid+`"}`, labelJSON, "x"), SignatureOpen, "extensions"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, _ := labelOf(t, test.token, document)
			if l.Signature.State != test.state || !strings.Contains(l.Signature.Reason, test.words) {
				t.Errorf("want %s with %q, got %+v", test.state, test.words, l.Signature)
			}
		})
	}
	t.Run("the document of another", func(t *testing.T) {
		l, _ := labelOf(t, good, didDocument(t, "did:web:attacker.example.net", map[string]crypto.PublicKey{"key-1": issuer.Public()}))
		if l.Signature.State != SignatureOpen || !strings.Contains(l.Signature.Reason, `the document of "did:web:attacker.example.net"`) {
			t.Errorf("got %+v", l.Signature)
		}
	})
	t.Run("a key of another in the document", func(t *testing.T) {
		forged := strings.ReplaceAll(didDocument(t, issuerDID, map[string]crypto.PublicKey{"key-1": attacker.Public()}), issuerDID+"#key-1", "did:web:attacker.example.net#key-1")
		l, _ := labelOf(t, signed(t, jose.ES256, attacker, labelJSON, map[string]any{"kid": "key-1"}), forged)
		if l.Signature.State == SignatureVerified {
			t.Errorf("a key that belongs to another DID must not count: %+v", l.Signature)
		}
	})
}

func TestAKeyThatWasHandedOverIsTheWordOfWhoHandedIt(t *testing.T) {
	key := elliptical(t)
	token := signed(t, jose.ES256, key, labelJSON, nil)
	mustJSON := func(v any) string {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "compliance.example.org"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ config, state, words string }{
		"a JWK":         {mustJSON(jose.JSONWebKey{Key: key.Public()}), SignatureVerified, "word of who handed it over"},
		"a set":         {mustJSON(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: elliptical(t).Public()}, {Key: key.Public()}}}), SignatureVerified, "word of who handed it over"},
		"a certificate": {string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), SignatureVerified, "word of who handed it over"},
		"a private key": {mustJSON(jose.JSONWebKey{Key: key}), SignatureOpen, "no public key"},
		"a secret":      {`{"kty":"oct","k":"AAAA"}`, SignatureOpen, "no public key"},
		"a bad key":     {`{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`, SignatureOpen, "cannot be used"},
		"a short key":   {mustJSON(jose.JSONWebKey{Key: &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1023), E: 65537}}), SignatureOpen, "1024 bits"},
		"not JSON":      {"hello", SignatureOpen, "cannot be used"},
		"twice a name":  {`{"id":"` + issuerDID + `","id":"x"}`, SignatureOpen, "stands twice"},
		"other PEM":     {"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n", SignatureOpen, "no public key"},
	} {
		t.Run(name, func(t *testing.T) {
			token := token
			if name == "a short key" {
				token = handMade(`{"alg":"RS256"}`, labelJSON, "x")
			}
			l, _ := labelOf(t, token, test.config)
			if l.Signature.State != test.state || !strings.Contains(l.Signature.Reason, test.words) {
				t.Errorf("want %s with %q, got %+v", test.state, test.words, l.Signature)
			}
		})
	}
}

func TestACredentialInJSONLDIsShownAndNotSaidToBeVerified(t *testing.T) {
	for _, test := range []struct{ name, text, state, words string }{
		{"in order", detached("PS256"), SignatureOpen, "URDNA2015"},
		{"alg none", detached("none"), SignatureBroken, "proves nothing"},
		{"a shared secret", detached("HS256"), SignatureBroken, "proves nothing"},
		{"no JWS", strings.Replace(tagusJSON, "HEADER..c2lnbmF0dXJl", "x", 1), SignatureBroken, "cannot be read"},
		{"a key of another", strings.Replace(detached("PS256"), "did:web:compliance.example.org:v1#X509", "did:web:attacker.example.net#X509", 1), SignatureBroken, "attacker.example.net"},
		{"another proof", strings.Replace(detached("PS256"), "JsonWebSignature2020", "Ed25519Signature2020", 1), SignatureOpen, "not verified here"},
		{"no proof", strings.Replace(detached("PS256"), `"proof"`, `"note"`, 1), SignatureBroken, "carries no signature"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l, _ := labelOf(t, test.text, "")
			if l.Signature.State != test.state || !strings.Contains(l.Signature.Reason, test.words) {
				t.Errorf("want %s with %q, got %+v", test.state, test.words, l.Signature)
			}
			if l.Form != "json-ld" || l.Rules != "22.10" || len(l.Offerings) != 1 || l.Offerings[0] != "https://cloud.example.org/so.json" || l.Valid(judged()) != "expired on 2026-11-01" {
				t.Errorf("the credential is read wrong: %+v (%s)", l, l.Valid(judged()))
			}
		})
	}
}

func TestALabelIsFoundInEnvelopesAndPresentations(t *testing.T) {
	key := elliptical(t)
	token := signed(t, jose.ES256, key, labelJSON, map[string]any{"kid": issuerDID + "#key-1"})
	person := signed(t, jose.ES256, key, `{"type":["VerifiableCredential","gx:LegalPerson"],"issuer":"`+issuerDID+`","credentialSubject":{"id":"x"}}`, nil)
	envelope := func(token string) string {
		return `{"@context":"https://www.w3.org/ns/credentials/v2","type":"EnvelopedVerifiableCredential","id":"data:application/vc+jwt,` + token + `"}`
	}
	inner := `{"iss":"` + issuerDID + `","vc":` + labelJSON + `}`
	document := didDocument(t, issuerDID, map[string]crypto.PublicKey{"key-1": key.Public()})
	for name, text := range map[string]string{
		"a string of JSON": `"` + token + `"`,
		"with a mark":      "\ufeff" + token + "\n",
		"an envelope":      envelope(token),
		"a presentation":   `{"type":"VerifiablePresentation","verifiableCredential":[` + envelope(person) + `,` + envelope(token) + `]}`,
		"tokens in a list": `{"type":"VerifiablePresentation","verifiableCredential":["` + person + `","` + token + `"]}`,
		"with disclosures": token + "~WyJzYWx0IiwgImEiLCAiYiJd~",
		"the older form":   signed(t, jose.ES256, key, inner, map[string]any{"kid": issuerDID + "#key-1"}),
	} {
		t.Run(name, func(t *testing.T) {
			l, e := labelOf(t, text, document)
			if l.Level != "L1" || l.Signature.State != SignatureVerified {
				t.Errorf("got %+v", l)
			}
			if many := strings.Contains(text, "verifiableCredential"); many != (len(e.Notes) == 1) {
				t.Errorf("notes: got %q", e.Notes)
			}
		})
	}
}

func TestFilesThatAreNoCredentialsAreTrouble(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)
	for _, test := range []struct{ name, text, words string }{
		{"empty", " ", "the file is empty"},
		{"text", "hello", "neither JSON nor a signed credential"},
		{"a web page", "<!DOCTYPE html><html></html>", "a web page came"},
		{"not base64", "a.!!.c", "part 1"},
		{"broken JSON", `{"type": `, "EOF"},
		{"a name twice", `{"issuer":"did:web:example.org","issuer":"did:web:attacker.example.net"}`, `"issuer" stands twice`},
		{"a name twice in a JWS", handMade(`{"alg":"ES256","alg":"none"}`, labelJSON, "x"), `"alg" stands twice`},
		{"deep", deep, "nested too deeply"},
		{"something behind", labelJSON + labelJSON, "follows after the end"},
		{"of nothing", `{"issuer":"did:web:example.org"}`, "credentialSubject is empty"},
		{"odd subject", `{"credentialSubject": 5}`, "neither an object"},
		{"odd date", strings.Replace(labelJSON, "2026-12-01T", "soon", 1), "validUntil is no date"},
		{"two issuers", handMade(`{"alg":"ES256","iss":"did:web:attacker.example.net"}`, labelJSON, "x"), "names two issuers"},
		{"nested presentations", `{"verifiableCredential":[{"verifiableCredential":[{"verifiableCredential":[{"a":1}]}]}]}`, "presentations inside"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := collectLabel(t.Context(), Target{Kind: KindLabel, File: "x"}, handed(map[string]string{"x": test.text}))
			if e.Label != nil || e.Trouble == nil || !strings.Contains(e.Trouble.Text, test.words) || e.Trouble.Settle == "" {
				t.Errorf("want trouble with %q, got %+v %+v", test.words, e.Trouble, e.Label)
			}
		})
	}
	if e := collectLabel(t.Context(), Target{Kind: KindLabel}, World{}); e.Trouble.Kind != audit.TroubleNotNamed {
		t.Errorf("got %+v", e.Trouble)
	}
	w, base := served(t, http.NotFoundHandler())
	if e := collectLabel(t.Context(), Target{Kind: KindLabel, URL: base + "/label"}, w); e.Trouble.Kind != audit.TroubleNotFound {
		t.Errorf("got %+v", e.Trouble)
	}
}

func TestDatesOfALabelAreSaid(t *testing.T) {
	for _, test := range []struct {
		label Label
		want  string
	}{
		{Label{ValidFrom: dayOf(2026, 9, 1), ValidUntil: dayOf(2026, 12, 1)}, "valid until 2026-12-01"},
		{Label{ValidUntil: dayOf(2026, 11, 1)}, "expired on 2026-11-01"},
		{Label{ValidFrom: dayOf(2026, 11, 28)}, "not valid before 2026-11-28"},
		{Label{Issued: judged().Add(time.Hour)}, "not valid before 2026-11-26"},
		{Label{Issued: judged().Add(time.Minute)}, "no end of validity is stated"},
		{Label{}, "no end of validity is stated"},
	} {
		if got := test.label.Valid(judged()); got != test.want {
			t.Errorf("%+v: want %q, got %q", test.label, test.want, got)
		}
	}
}

func FuzzCredential(f *testing.F) {
	key := elliptical(f)
	f.Add([]byte(labelJSON))
	f.Add([]byte(detached("PS256")))
	f.Add([]byte(signed(f, jose.ES256, key, labelJSON, map[string]any{"kid": issuerDID + "#key-1"})))
	f.Add([]byte(handMade(`{"alg":"none"}`, labelJSON, "")))
	f.Add([]byte(`{"verifiableCredential":["a.b.c",{}]}`))
	document := []byte(didDocument(f, issuerDID, map[string]crypto.PublicKey{"key-1": elliptical(f).Public()}))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := readCredential(data)
		if err != nil {
			return
		}
		if c.checkForm().State == SignatureVerified {
			t.Fatal("nothing is verified without a key")
		}
		keys, err := readKeys(document, c.label.Issuer, c.kid)
		if err != nil || c.jws == "" {
			return
		}
		if state, _ := c.verifyWith(keys); state == SignatureVerified {
			t.Fatalf("verified with a key that signed nothing: %q", data)
		}
	})
}

func FuzzKeys(f *testing.F) {
	f.Add([]byte(didDocument(f, issuerDID, map[string]crypto.PublicKey{"key-1": elliptical(f).Public()})))
	f.Add([]byte(`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := readKeys(data, issuerDID, issuerDID+"#key-1")
		if err == nil && len(keys.keys) == 0 {
			t.Fatal("no error and no key")
		}
	})
}
