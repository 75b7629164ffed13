package forge

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// hidden is a pseudonym as tests see it.
func hidden(key string) string { return "(" + key + ")" }

func TestAShapeKeepsWhatItListsAndNothingElse(t *testing.T) {
	s := newShape(nil, "name", "owner.type", "owner.login@", "items.at", "items.by.login@", "links.*.href")
	for name, c := range map[string]struct{ in, want string }{
		"unlisted fields go":          {`{"name":"x","mail":"a@example.org","owner":{"id":7,"type":"User","login":"Ada"}}`, `{"name":"x","owner":{"login":"(ada)","type":"User"}}`},
		"lists are passed through":    {`{"items":[{"at":1,"by":{"login":"Ada"}},{"at":2,"by":null},{"body":"secret"}]}`, `{"items":[{"at":1,"by":{"login":"(ada)"}},{"at":2,"by":null},{}]}`},
		"any key":                     {`{"links":{"self":{"href":"u","who":"Ada"},"next":{"href":"v"}}}`, `{"links":{"next":{"href":"v"},"self":{"href":"u"}}}`},
		"an object for a scalar goes": {`{"name":{"login":"Ada"}}`, `{"name":null}`},
		"a scalar for an object goes": {`{"owner":"Ada"}`, `{"owner":null}`},
		"a list of names":             {`{"owner":{"login":["Ada","Bob",null]}}`, `{"owner":{"login":["(ada)","(bob)",null]}}`},
		"an object for a name goes":   {`{"owner":{"login":{"x":"Ada"}}}`, `{"owner":{"login":null}}`},
		"a name given twice":          {`{"owner":{"login":"Ada","login":"Bob"}}`, `{"owner":{"login":"(bob)"}}`},
		"large numbers stay":          {`{"name":12345678901234567890}`, `{"name":12345678901234567890}`},
		"deep rubbish is passed over": {`{"junk":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `,"name":"x"}`, `{"name":"x"}`},
	} {
		got, err := s.redact(200, []byte(c.in), hidden)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %s, %v; want %s", name, got, err, c.want)
		}
	}
}

func TestAnAnswerThatIsNoJSONIsAnErrorOnlyWhereTheStatusSaysSuccess(t *testing.T) {
	s := newShape(nil, "name")
	for _, body := range []string{"", "<html>Ada</html>", `{"name":"Ada"`, `{"name":"x"} Ada`, `{"name":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`} {
		if got, err := s.redact(200, []byte(body), hidden); err == nil || strings.Contains(err.Error(), "Ada") {
			t.Errorf("%.20q: got %s, %v; want an error that does not repeat the answer", body, got, err)
		}
		if got, err := s.redact(502, []byte(body), hidden); err != nil || string(got) != "null" {
			t.Errorf("%.20q with status 502: got %s, %v; want null", body, got, err)
		}
	}
}

func TestANamerSeesWhatStandsBesideAndBelow(t *testing.T) {
	s := newShape(func(path []string, value any, beside map[string]any, person func(string) string) any {
		if beside["kind"] == "bot" {
			return value
		}
		if account, ok := value.(map[string]any); ok {
			return map[string]any{"who": person(account["mail"].(string)), "where": strings.Join(path, ".")}
		}
		return person(value.(string))
	}, "by.login@", "by.kind", "owner@", "owner.mail")
	got, err := s.redact(200, []byte(`{"by":[{"login":"ci","kind":"bot"},{"login":"ada","kind":"user"}],"owner":{"mail":"ada@example.org","phone":1}}`), hidden)
	want := `{"by":[{"kind":"bot","login":"ci"},{"kind":"user","login":"(ada)"}],"owner":{"where":"owner","who":"(ada@example.org)"}}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

func FuzzShapesKeepWhatAPlainDecoderWould(f *testing.F) {
	for _, seed := range []string{
		`{"kept":"x","secret":"Ada","owner":{"login":"Ada","login":["Ada"]}}`, `{"owner":[[{"login":"Ada"}]]}`, `[{"kept":-1.5e3},true,null]`,
		` { "kept" : "\u0041\\\"" , "any" : { "x" : { "at" : [ 1 , [ { } ] ] } } } `, "{\"kept\":\"\xff\"}", `{"\u006bept":1}`, `7`, `""`,
	} {
		f.Add([]byte(seed))
	}
	s := newShape(nil, "kept", "owner.login@", "any.*.at")
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := s.redact(200, body, func(string) string { return "p" })
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.UseNumber()
		var whole any
		if !json.Valid(body) || dec.Decode(&whole) != nil {
			if err == nil {
				t.Errorf("%q is no JSON and became %q", body, got)
			}
			return
		}
		if err != nil {
			if !errors.Is(err, errTooDeep) {
				t.Errorf("%q: %v", body, err)
			}
			return
		}
		want, err := json.Marshal(plain(s.root, whole))
		if err != nil || string(got) != string(want) {
			t.Errorf("%q became %s, want %s", body, got, want)
		}
	})
}

// plain is what a shape keeps of a decoded value, written the obvious way.
func plain(f *field, v any) any {
	switch v := v.(type) {
	case map[string]any:
		if f.fields == nil {
			return nil
		}
		kept := map[string]any{}
		for key, one := range v {
			child := f.fields[key]
			if child == nil {
				child = f.fields["*"]
			}
			if child == nil {
				continue
			}
			one = plain(child, one)
			if list, ok := one.([]any); child.person && ok {
				for i := range list {
					if list[i] != nil {
						list[i] = "p"
					}
				}
			} else if child.person && one != nil {
				one = "p"
			}
			kept[key] = one
		}
		return kept
	case []any:
		list := []any{}
		for _, one := range v {
			list = append(list, plain(f, one))
		}
		return list
	}
	if f.fields != nil && !f.person {
		return nil
	}
	return v
}
