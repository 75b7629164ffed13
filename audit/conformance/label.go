package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Label is what a Gaia-X credential says: a label, or the compliance credential of a service offering. It is shown, never judged:
// SCS "is not in a position to judge this".
//
// The attributes are those of the annex "Label format" of the Gaia-X compliance document 24.06, in the terms of the ontologies
// Loire (gx:LabelCredential: labelLevel, rulesVersion, engineVersion, validatedCriteria, compliantCredentials) and Tagus (gx:compliance:
// version, type, integrity).
type Label struct {
	Form       string    `json:"form"`            // vc+jwt, vc+sd-jwt, json-ld
	ID         string    `json:"id,omitempty"`    // of the credential
	Types      []string  `json:"types,omitempty"` // of the credential and of what it speaks of
	Issuer     string    `json:"issuer,omitempty"`
	Level      string    `json:"level,omitempty"`   // SC, L1, L2, L3, or as the issuer writes it
	Rules      string    `json:"rules,omitempty"`   // version of the criteria
	Engine     string    `json:"engine,omitempty"`  // version of the compliance service
	Subject    string    `json:"subject,omitempty"` // whom or what it speaks of
	Offerings  []string  `json:"offerings,omitempty"`
	Criteria   int       `json:"criteria,omitempty"` // criteria that were validated
	Issued     time.Time `json:"issued,omitzero"`
	ValidFrom  time.Time `json:"valid_from,omitzero"`
	ValidUntil time.Time `json:"valid_until,omitzero"`
	Signature  Signature `json:"signature"`
}

// Signature says how far the signature of a credential could be checked.
type Signature struct {
	State     string `json:"state"`               // one of the words below
	Reason    string `json:"reason"`              // a sentence
	Algorithm string `json:"algorithm,omitempty"` // e.g. ES256
	Key       string `json:"key,omitempty"`       // the address of the key, e.g. did:web:example.org#key
	KeyFrom   string `json:"key_from,omitempty"`  // where the key was read: the DID document that was asked for, or a file handed over
}

// States of a signature.
const (
	SignatureVerified = "verified"       // made with a key of the issuer
	SignatureOpen     = "not-verifiable" // nobody can tell here
	SignatureBroken   = "broken"         // it does not fit, or is of a kind that proves nothing
)

// Valid says in words whether the credential counts at a moment, by its own dates.
func (l Label) Valid(at time.Time) string {
	from := l.ValidFrom
	if from.IsZero() {
		from = l.Issued
	}
	switch {
	case !from.IsZero() && at.Add(clockSkew).Before(from):
		return "not valid before " + from.Format(time.DateOnly)
	case l.ValidUntil.IsZero():
		return "no end of validity is stated"
	case at.After(l.ValidUntil):
		return "expired on " + l.ValidUntil.Format(time.DateOnly)
	}
	return "valid until " + l.ValidUntil.Format(time.DateOnly)
}

// collectLabel reads a credential and looks for the key of its issuer: in the file handed over as config (a DID document, a JWK, a
// set of JWKs, or a certificate in PEM), else in the DID document of the issuer, by its address.
func collectLabel(ctx context.Context, t Target, w World) Entry {
	e := Entry{Target: t}
	a := asking{ctx, w, &e}
	at := t.place()
	if at == "" {
		e.Trouble = &audit.Trouble{Kind: audit.TroubleNotNamed, Text: "nobody named a Gaia-X credential",
			Settle: "name the address of the label credential, or hand the file over"}
		return e
	}
	answer, ok := a.look(audit.Request{URL: raw(at), Limit: mostSmall,
		Accept: "application/vc+jwt, application/vp+jwt, application/vc+ld+jwt, application/vc+ld+json+jwt, application/vc+sd-jwt, application/jwt, application/vc, application/ld+json, application/json, text/plain, application/octet-stream"})
	if !ok {
		e.Trouble = answer.Trouble
		return e
	}
	c, err := readCredential(answer.Body)
	if err != nil {
		e.Trouble = a.refuse("reading the credential", err, "hand over the credential that the compliance service returned, unchanged")
		return e
	}
	label := c.label
	label.Signature = c.checkForm()
	if label.Signature.State == "" {
		label.Signature = a.verify(c)
	}
	if c.others > 0 {
		e.Notes = append(e.Notes, fmt.Sprintf("the file holds %d more credentials; the first that is a label is shown", c.others))
	}
	e.Label = &label
	return e
}

// verify finds the key of the issuer and checks the signature of a JWS.
func (a asking) verify(c credential) Signature {
	s := Signature{State: SignatureOpen, Algorithm: c.algorithm, Key: oneLine(c.kid)}
	keys, from, why := a.keys(c)
	if why != "" {
		s.Reason = why
		return s
	}
	s.KeyFrom = from
	s.State, s.Reason = c.verifyWith(keys)
	return s
}

// keys returns the keys that may have signed for the issuer, and where they were read. why says why there are none.
func (a asking) keys(c credential) (keys keySet, from, why string) {
	if config := a.entry.Config; config != "" {
		answer, ok := a.look(audit.Request{URL: raw(placeOf(config)), Limit: mostSmall,
			Accept: "application/did+json, application/did, application/did+ld+json, application/json, application/x-pem-file, text/plain, application/octet-stream"})
		if !ok {
			return keySet{}, "", "the file with the key of the issuer cannot be read: " + answer.Trouble.Text
		}
		keys, err := readKeys(answer.Body, c.label.Issuer, c.kid)
		if err != nil {
			return keySet{}, "", oneLine("the file with the key of the issuer cannot be used: " + err.Error())
		}
		return keys, "handed over: " + oneLine(config), ""
	}
	at, err := didAddress(c.label.Issuer)
	if err != nil {
		return keySet{}, "", oneLine("the key of the issuer cannot be looked up: " + err.Error())
	}
	answer, ok := a.look(audit.Request{URL: at, Limit: mostSmall,
		Accept: "application/did+json, application/did, application/did+ld+json, application/json, text/plain, application/octet-stream"})
	if !ok {
		return keySet{}, "", "the DID document of the issuer cannot be read: " + answer.Trouble.Text
	}
	keys, err = readKeys(answer.Body, c.label.Issuer, c.kid)
	if err != nil {
		return keySet{}, "", oneLine("the DID document of the issuer cannot be used: " + err.Error())
	}
	return keys, at, ""
}

// fields of a credential that are shown. JSON-LD allows one thing or a list of things, and references as text or as objects.
type credentialFields struct {
	ID             string          `json:"id"`
	AtID           string          `json:"@id"`
	Type           oneOrMany       `json:"type"`
	AtType         oneOrMany       `json:"@type"`
	Issuer         reference       `json:"issuer"`
	IssuanceDate   string          `json:"issuanceDate"`
	ExpirationDate string          `json:"expirationDate"`
	ValidFrom      string          `json:"validFrom"`
	ValidUntil     string          `json:"validUntil"`
	Subject        subjects        `json:"credentialSubject"`
	Proof          json.RawMessage `json:"proof"`
}

// subjectFields are the attributes of a label, with and without the prefix of the ontology.
type subjectFields struct {
	ID, Type, Level, Rules, Engine string
	Types                          []string
	Criteria                       int
	Compliant                      []compliantCredential
}

type compliantCredential struct{ id, kind string }

// subjects reads what a credential speaks of: an object or a list of objects.
type subjects []subjectFields

// UnmarshalJSON reads one subject or many.
func (s *subjects) UnmarshalJSON(data []byte) error {
	var many []map[string]any
	if err := json.Unmarshal(data, &many); err != nil {
		var one map[string]any
		if err := json.Unmarshal(data, &one); err != nil {
			return errors.New("credentialSubject is neither an object nor a list of objects")
		}
		many = []map[string]any{one}
	}
	if len(many) > 1000 {
		return fmt.Errorf("credentialSubject has %d entries; at most 1000 are read", len(many))
	}
	for _, m := range many {
		*s = append(*s, subjectOf(m))
	}
	return nil
}

func subjectOf(m map[string]any) subjectFields {
	get := func(names ...string) any {
		for _, n := range names {
			for _, key := range []string{"gx:" + n, n, "https://w3id.org/gaia-x/development#" + n} {
				if v, ok := m[key]; ok {
					return v
				}
			}
		}
		return nil
	}
	f := subjectFields{ID: text(m["id"]), Level: text(get("labelLevel", "level")), Rules: text(get("rulesVersion", "version")),
		Engine: text(get("engineVersion"))}
	if f.ID == "" {
		f.ID = text(m["@id"])
	}
	f.Types = append(texts(m["type"]), texts(m["@type"])...)
	f.Criteria = len(texts(get("validatedCriteria")))
	f.Type = text(get("type"))
	list, _ := get("compliantCredentials").([]any)
	for _, v := range list {
		if c, ok := v.(map[string]any); ok && len(f.Compliant) < 1000 {
			kind := text(c["gx:credentialType"])
			if kind == "" {
				kind = text(c["type"])
			}
			id := text(c["id"])
			if id == "" {
				id = text(c["@id"])
			}
			f.Compliant = append(f.Compliant, compliantCredential{id, kind})
		}
	}
	return f
}

// text reads a string, or the value or id of an object of JSON-LD.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		for _, key := range []string{"@value", "id", "@id"} {
			if s, ok := v[key].(string); ok {
				return s
			}
		}
	}
	return ""
}

func texts(v any) []string {
	if list, ok := v.([]any); ok {
		var out []string
		for _, e := range list {
			if s := text(e); s != "" {
				out = append(out, s)
			}
		}
		return out
	}
	if s := text(v); s != "" {
		return []string{s}
	}
	return nil
}

// oneOrMany reads a string or a list of strings.
type oneOrMany []string

// UnmarshalJSON reads one string or many.
func (o *oneOrMany) UnmarshalJSON(data []byte) error {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	*o = texts(v)
	return nil
}

// reference reads an address that stands as text or as the id of an object.
type reference string

// UnmarshalJSON reads text or an object with an id.
func (r *reference) UnmarshalJSON(data []byte) error {
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	*r = reference(text(v))
	return nil
}

func (f credentialFields) label(form string) (Label, error) {
	l := Label{Form: form, ID: oneLine(f.ID + f.AtID), Issuer: oneLine(string(f.Issuer))}
	for _, t := range slices.Concat(f.Type, f.AtType) {
		l.Types = example(l.Types, t)
	}
	var err error
	l.Issued, err = readMoment("issuanceDate", f.IssuanceDate, err)
	l.ValidFrom, err = readMoment("validFrom", f.ValidFrom, err)
	l.ValidUntil, err = readMoment("validUntil", f.ValidUntil, err)
	if l.ValidUntil.IsZero() {
		l.ValidUntil, err = readMoment("expirationDate", f.ExpirationDate, err)
	}
	if err == nil && len(f.Subject) == 0 {
		err = errors.New("the credential speaks of nothing: credentialSubject is empty")
	}
	for _, s := range f.Subject {
		l.take(s)
	}
	return l, err
}

func (l *Label) take(s subjectFields) {
	for _, t := range s.Types {
		if !slices.Contains(l.Types, oneLine(t)) {
			l.Types = example(l.Types, t)
		}
	}
	set := func(field *string, v string) {
		if *field == "" {
			*field = oneLine(v)
		}
	}
	set(&l.Subject, s.ID)
	set(&l.Level, s.Level)
	set(&l.Rules, s.Rules)
	set(&l.Engine, s.Engine)
	l.Criteria += s.Criteria
	if strings.HasSuffix(s.Type, "ServiceOffering") {
		l.Offerings = example(l.Offerings, s.ID)
	}
	for _, c := range s.Compliant {
		if strings.HasSuffix(c.kind, "ServiceOffering") {
			l.Offerings = example(l.Offerings, c.id)
		}
	}
}

// isLabel tells the credential of a compliance service from those that were handed to it.
func (l Label) isLabel() bool {
	for _, t := range l.Types {
		switch strings.TrimPrefix(t, "gx:") {
		case "LabelCredential", "compliance", "Compliance", "ComplianceCredential":
			return true
		}
	}
	return l.Level != ""
}

func readMoment(name, s string, before error) (time.Time, error) {
	if s == "" || before != nil {
		return time.Time{}, before
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t, err = time.Parse("2006-01-02T15:04:05.999999999", s)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("%s is no date with time: %q", name, oneLine(s))
	}
	return t.UTC().Truncate(time.Second), nil
}
