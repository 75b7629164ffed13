package conformance

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// credential is a credential with what is needed to check its signature.
type credential struct {
	label     Label
	jws       string // compact form; empty: the credential is no JWS
	algorithm string
	kid       string
	headers   []string // names of the fields of the protected header
	proof     []proof  // of a credential in JSON-LD
	others    int      // further credentials in the same file
}

// proof is what a proof of JSON-LD says of itself.
type proof struct {
	Type               string `json:"type"`
	Cryptosuite        string `json:"cryptosuite"`
	Purpose            string `json:"proofPurpose"`
	VerificationMethod string `json:"verificationMethod"`
	JWS                string `json:"jws"`
	Value              string `json:"proofValue"`
}

// Limits of a file of credentials.
const (
	mostCredentials = 1000
	deepest         = 40 // levels of JSON
)

// readCredential reads a JWS (vc+jwt, also with disclosures), a credential in JSON-LD, or a presentation that holds credentials.
func readCredential(data []byte) (credential, error) {
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))
	if len(data) == 0 {
		return credential{}, errors.New("the file is empty")
	}
	if data[0] == '"' {
		var s string
		if err := json.Unmarshal(data, &s); err != nil {
			return credential{}, err
		}
		data = []byte(s)
	}
	if len(data) == 0 || data[0] != '{' {
		return readJWT(string(data))
	}
	if err := checkJSON(data); err != nil {
		return credential{}, err
	}
	all, err := readObject(data, 0)
	if err != nil {
		return credential{}, err
	}
	return firstLabel(all), nil
}

// firstLabel picks the label among credentials, or the first of all.
func firstLabel(all []credential) credential {
	i := max(0, slices.IndexFunc(all, func(c credential) bool { return c.label.isLabel() }))
	all[i].others = len(all) - 1
	return all[i]
}

// readObject reads an object of JSON: a credential, an envelope around a JWS, or a presentation.
func readObject(data []byte, depth int) ([]credential, error) {
	var o struct {
		ID          string            `json:"id"`
		Type        oneOrMany         `json:"type"`
		Credentials []json.RawMessage `json:"verifiableCredential"`
	}
	if err := json.Unmarshal(data, &o); err != nil {
		return nil, err
	}
	if _, token, ok := strings.Cut(o.ID, "data:application/"); ok && slices.Contains(o.Type, "EnvelopedVerifiableCredential") {
		_, token, _ = strings.Cut(token, ",")
		c, err := readJWT(token)
		return []credential{c}, err
	}
	if len(o.Credentials) == 0 {
		c, err := readJSONLD(data)
		return []credential{c}, err
	}
	if len(o.Credentials) > mostCredentials || depth > 1 {
		return nil, fmt.Errorf("more than %d credentials, or presentations inside presentations", mostCredentials)
	}
	var all []credential
	for i, raw := range o.Credentials {
		var token string
		var found []credential
		var err error
		if json.Unmarshal(raw, &token) == nil {
			var c credential
			c, err = readJWT(token)
			found = []credential{c}
		} else {
			found, err = readObject(raw, depth+1)
		}
		if err != nil {
			return nil, fmt.Errorf("credential %d: %w", i+1, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

func readJSONLD(data []byte) (credential, error) {
	var f credentialFields
	if err := json.Unmarshal(data, &f); err != nil {
		return credential{}, err
	}
	c := credential{}
	var err error
	if c.label, err = f.label("json-ld"); err != nil {
		return c, err
	}
	if len(f.Proof) > 0 && json.Unmarshal(f.Proof, &c.proof) != nil {
		var one proof
		if err := json.Unmarshal(f.Proof, &one); err != nil {
			return c, errors.New("proof is neither an object nor a list of objects")
		}
		c.proof = []proof{one}
	}
	return c, nil
}

// readJWT reads a credential that a JWS envelops (W3C, Securing Verifiable Credentials using JOSE and COSE; Gaia-X ICAM 24.07: the
// payload is the credential itself; older issuers put it under "vc").
func readJWT(s string) (credential, error) {
	s = strings.TrimSpace(s)
	c := credential{}
	form := "vc+jwt"
	if token, _, ok := strings.Cut(s, "~"); ok {
		s, form = token, "vc+sd-jwt"
	}
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return c, errors.New("it is neither JSON nor a signed credential (three parts with dots between them)")
	}
	var raw [2][]byte
	for i := range raw {
		var err error
		if raw[i], err = base64.RawURLEncoding.DecodeString(parts[i]); err != nil {
			return c, fmt.Errorf("part %d of the signed credential: %w", i+1, err)
		}
		if err := checkJSON(raw[i]); err != nil {
			return c, fmt.Errorf("part %d of the signed credential: %w", i+1, err)
		}
	}
	var header struct {
		Algorithm string `json:"alg"`
		Kid       string `json:"kid"`
		Issuer    string `json:"iss"`
	}
	var names map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(raw[0], &header), json.Unmarshal(raw[0], &names)); err != nil {
		return c, fmt.Errorf("reading the header of the signed credential: %w", err)
	}
	c.jws, c.algorithm, c.kid, c.headers = s, oneLine(header.Algorithm), header.Kid, sortedKeys(names)
	var claims struct {
		Inner  json.RawMessage `json:"vc"`
		Issuer string          `json:"iss"`
	}
	if err := json.Unmarshal(raw[1], &claims); err != nil {
		return c, fmt.Errorf("reading the signed credential: %w", err)
	}
	body := raw[1]
	if len(claims.Inner) > 0 {
		body = claims.Inner
	}
	var f credentialFields
	if err := json.Unmarshal(body, &f); err != nil {
		return c, fmt.Errorf("reading the signed credential: %w", err)
	}
	if f.Issuer == "" {
		f.Issuer = reference(claims.Issuer)
	}
	var err error
	c.label, err = f.label(form)
	for _, iss := range []string{header.Issuer, claims.Issuer} {
		if err == nil && iss != "" && oneLine(iss) != c.label.Issuer {
			err = fmt.Errorf("the credential names two issuers: %q and %q", c.label.Issuer, oneLine(iss))
		}
	}
	return c, err
}

// checkJSON refuses JSON that is nested too deeply or that has a name twice in one object: readers differ in which one counts.
func checkJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	type level struct {
		names map[string]bool // nil: a list
		key   bool            // the next string is a name
	}
	var open []level
	for {
		token, err := d.Token()
		if err != nil {
			if len(open) == 0 && d.InputOffset() > 0 && err.Error() == "EOF" {
				return nil
			}
			return err
		}
		if delim, ok := token.(json.Delim); ok && (delim == '}' || delim == ']') {
			open = open[:len(open)-1]
			if len(open) == 0 {
				if d.More() {
					return errors.New("something follows after the end of the document")
				}
				return nil
			}
			if top := &open[len(open)-1]; top.names != nil {
				top.key = true
			}
			continue
		}
		if len(open) > 0 {
			top := &open[len(open)-1]
			if top.names != nil && top.key {
				name := token.(string)
				if top.names[name] {
					return fmt.Errorf("%q stands twice in one object", oneLine(name))
				}
				top.names[name], top.key = true, false
				continue
			}
			top.key = top.names != nil
		}
		switch token {
		case json.Delim('{'):
			open = append(open, level{names: map[string]bool{}, key: true})
		case json.Delim('['):
			open = append(open, level{})
		}
		if len(open) > deepest {
			return errors.New("it is nested too deeply")
		}
	}
}
