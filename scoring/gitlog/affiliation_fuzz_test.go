package gitlog

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var addressInText = regexp.MustCompile(`[^\s,:"\[\]{}<>]+[!@][^\s,:"\[\]{}<>]+`)

// answers loads a text and asks for everybody in it on some days. An error must not quote an address.
func answers(t *testing.T, text []byte, addresses []string) (map[string]string, error) {
	t.Helper()
	a, err := NewAffiliation([]byte("schema: pegel/organisations/v1\n"), []AffiliationFile{{Name: "f", Data: bytes.NewReader(text)}}, nil)
	if err != nil {
		for _, address := range addresses {
			if len(address) > 7 && strings.Contains(err.Error(), address) {
				t.Fatalf("the error quotes %q: %v", address, err)
			}
		}
		return nil, err
	}
	all := map[string]string{}
	for _, address := range addresses {
		for _, year := range []int{1990, 2016, 2019, 2030} {
			day := time.Date(year, 3, 1, 0, 0, 0, 0, time.UTC)
			organisation, ok := a.Of(strings.ReplaceAll(address, "!", "@"), day)
			if ok == (organisation == "") || addressLike(organisation) {
				t.Fatalf("got organisation %q, %t", organisation, ok)
			}
			all[address+day.Format(time.DateOnly)] = organisation
		}
	}
	return all, nil
}

// FuzzGitdm holds the law that line ends, comments and @ instead of ! change nothing, in both forms of gitdm.
func FuzzGitdm(f *testing.F) {
	f.Add(gitdmPeople)
	f.Add(gitdmMap)
	f.Add("a: a!b.c\n\tX until 2019-01-01\n\tX from 2019-01-01 until 2019-01-01\n\tY from 2018-01-01\n")
	f.Add("a!b.c X < 2019-01-01\na!b.c Y < 2019-01-01\nb.c Z\n")
	f.Add("a: \xff!b.c, !, (none)\n\t\xff\xfe Inc.\n")
	f.Add("a: a!b.c\n\tc!d.e\n\tX <y@z.a>\n")
	f.Fuzz(func(t *testing.T, text string) {
		if formOf([]byte(text)) != "gitdm" && formOf([]byte(text)) != "gitdm-map" || strings.ContainsRune(text, '\r') {
			return
		}
		addresses := addressInText.FindAllString(text, 20)
		want, err := answers(t, []byte(text), addresses)
		var commented strings.Builder
		for line := range strings.Lines(text) {
			commented.WriteString(strings.TrimSuffix(line, "\n") + "\r\n# between\r\n\r\n")
		}
		got, again := answers(t, []byte(commented.String()), addresses)
		if (err == nil) != (again == nil) || !maps.Equal(want, got) {
			t.Fatalf("%v, with other line ends and comments %v:\n%s", err, again, cmp.Diff(want, got))
		}
	})
}

// FuzzStackalytics holds the law that white space and the order of users change nothing.
func FuzzStackalytics(f *testing.F) {
	f.Add([]byte(stackalytics))
	f.Add([]byte(`{"users":[{"emails":["a@b.c"],"companies":[{"company_name":"X","end_date":"2016-Jan-01"},{"company_name":"Y"}]},{"emails":["a@b.c"],"companies":[{"company_name":"Z"}]}]}`))
	f.Add([]byte(`{"companies":[{"company_name":"X","domains":["b.c",""]}],"x":{"y":[1,{"z":null}]},"users":[]}`))
	f.Add([]byte(`{"users":[{"emails":["a@b.c"],"companies":[{"company_name":"a@b.c"}]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if formOf(text) != "stackalytics" || !json.Valid(text) {
			_, _ = answers(t, text, addressInText.FindAllString(string(text), 20))
			return
		}
		addresses := addressInText.FindAllString(string(text), 20)
		want, err := answers(t, text, addresses)
		var spread bytes.Buffer
		if json.Indent(&spread, text, " ", "\t\n") != nil {
			return
		}
		got, again := answers(t, spread.Bytes(), addresses)
		if (err == nil) != (again == nil) || !maps.Equal(want, got) {
			t.Fatalf("%v, with white space %v:\n%s", err, again, cmp.Diff(want, got))
		}
		var doc struct {
			Users []json.RawMessage `json:"users"`
		}
		if err != nil || json.Unmarshal(text, &doc) != nil || strings.Count(string(text), `users"`) != 1 || len(doc.Users) < 2 {
			return
		}
		slices.Reverse(doc.Users)
		reversed, _ := json.Marshal(doc)
		if got, err := answers(t, reversed, addresses); err == nil && !bytes.Contains(text, []byte("domains")) && !bytes.ContainsAny(text, "\\") && !maps.Equal(want, got) {
			t.Fatalf("the users in another order:\n%s", cmp.Diff(want, got))
		}
	})
}

// FuzzOperatorFile holds the law that the head of a YAML document changes nothing, and that no error quotes an address.
func FuzzOperatorFile(f *testing.F) {
	f.Add([]byte(operatorText))
	f.Add([]byte("schema: pegel/affiliations/v1\npeople: [{addresses: [a@b.c], organisations: [{organisation: X, until: 2019-01-01}, {organisation: Y, from: 2019-01-01}]}]\n"))
	f.Add([]byte("schema: pegel/affiliations/v1\npeople: &p\n  - addresses: &a [a@b.c]\n    organisations: [{independent: true}]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if formOf(text) != "operator" {
			return
		}
		addresses := addressInText.FindAllString(string(text), 20)
		want, err := answers(t, text, addresses)
		if err != nil {
			return
		}
		got, err := answers(t, append([]byte("---\n"), bytes.TrimPrefix(text, []byte("---\n"))...), addresses)
		if err == nil && !maps.Equal(want, got) {
			t.Fatalf("as a document with a head:\n%s", cmp.Diff(want, got))
		}
	})
}
