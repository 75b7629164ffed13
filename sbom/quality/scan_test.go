package quality

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func TestDocumentsThatCannotBeReadSayWhy(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 300) + "1" + strings.Repeat("}", 300)
	var keys strings.Builder
	for i := range 300 {
		keys.WriteString(`"` + strings.Repeat("k", 1+i) + `":1,`)
	}
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "the document is empty"},
		{"spaces", " \n", "the document is empty"},
		{"XML", "<?xml version=\"1.0\"?><bom/>", "this is XML; convert it to JSON"},
		{"tag-value", "SPDXVersion: SPDX-2.3\n", "tag-value; convert it to SPDX JSON"},
		{"a list", "[]", "no JSON object"},
		{"another document", `{"name":"x"}`, "neither CycloneDX nor SPDX"},
		{"another bomFormat", `{"bomFormat":"x"}`, "neither CycloneDX nor SPDX"},
		{"an old version", `{"bomFormat":"CycloneDX","specVersion":"1.3"}`, `specVersion is "1.3"`},
		{"no version", `{"bomFormat":"CycloneDX"}`, `specVersion is ""`},
		{"SPDX 2.1", `{"spdxVersion":"SPDX-2.1"}`, `spdxVersion is "2.1"`},
		{"a graph of something else", `{"@graph":[{"type":"x"}]}`, `specVersion is ""`},
		{"two formats", `{"bomFormat":"CycloneDX","specVersion":"1.6","spdxVersion":"SPDX-2.3"}`, "two formats at once"},
		{"the end is missing", `{"bomFormat":"CycloneDX",`, "ends too early"},
		{"something follows", `{"bomFormat":"CycloneDX","specVersion":"1.6"} {}`, "line 1: something follows"},
		{"a double key", "{\"bomFormat\":\"CycloneDX\",\n\"specVersion\":\"1.6\",\n\"specVersion\":\"1.6\"}", `line 3: key "specVersion" stands twice`},
		{"a double key where nobody looks", `{"x":{"y":[{"z":1,"z":2}]}}`, `key "z" stands twice`},
		{"deep nesting", `{"x":` + deep + `}`, "nested more than 256 deep"},
		{"many keys", `{"x":{` + keys.String() + `"z":1}}`, "more than 256 keys"},
		{"no colon", `{"x" 1}`, `'1' stands where ':' is due`},
		{"no comma", `{"x":1 "y":2}`, "where a comma is due"},
		{"a comma too many", `{"x":[1,]}`, "nothing follows the comma"},
		{"a bad escape", `{"x":"\q"}`, "no escape"},
		{"a bad code point", `{"x":"\u00g0"}`, "no hexadecimal digit"},
		{"a bare word", `{"x":nul}`, `"nul" is no value`},
		{"a number that is none", `{"x":01}`, "no value"},
		{"a line break in a string", "{\"x\":\"a\nb\"}", "control character"},
		{"no UTF-8", "{\"x\":\"\xff\"}", "not UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := Check(strings.NewReader(c.text), Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestAMarkOfByteOrderIsPassedOver(t *testing.T) {
	if _, _, err := Check(strings.NewReader("\xef\xbb\xbf"+string(marshal(t, perfect()))), Options{}); err != nil {
		t.Errorf("got %v, want no error", err)
	}
}

func TestADocumentThatIsCutAnywhereIsAnError(t *testing.T) {
	for _, doc := range []object{perfect(), graph(), older()} {
		data := marshal(t, doc)
		for n := 0; n < len(data)-1; n += 37 {
			if _, _, err := Check(bytes.NewReader(data[:n]), Options{}); err == nil {
				t.Fatalf("cut at %d of %d: got no error, want one", n, len(data))
			}
		}
	}
}

func TestPiecesOfAnySizeGiveTheSameReport(t *testing.T) {
	data := marshal(t, perfect())
	_, want, err := Check(bytes.NewReader(data), Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, got, err := Check(iotest.OneByteReader(bytes.NewReader(data)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if unsettled(got[i]) != unsettled(want[i]) || got[i].Complete != want[i].Complete {
			t.Errorf("%s: got %q, want %q", want[i].Profile, unsettled(got[i]), unsettled(want[i]))
		}
	}
}

func TestAReaderThatFailsIsReported(t *testing.T) {
	broken := errors.New("the cable was pulled")
	_, _, err := Check(io.MultiReader(strings.NewReader(`{"bomFormat":`), iotest.ErrReader(broken)), Options{})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the error of the reader", err)
	}
}

func TestStringsAreReadAsJSONSaysAndCutWhereTheyAreLong(t *testing.T) {
	for _, text := range []string{`"plain"`, `"a\"b\\c\/d\b\f\n\r\t"`, `"\u00e4\u20ac"`, `"\ud83d\ude00"`, `"ä€😀"`, `""`} {
		var want string
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		got, err := newScanner(strings.NewReader(text)).string()
		if err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v; want %q", text, got, err, want)
		}
	}
	for _, letter := range []string{"a", "ä", "€", "😀", `\u00e4`} {
		got, err := newScanner(strings.NewReader(`"` + strings.Repeat(letter, bufSize) + `"`)).string()
		if err != nil || len(got) > maxString || len(got) < maxString-4 || !utf8.Valid(got) {
			t.Errorf("%s: got %d bytes, valid %v, %v; want at most %d in whole letters", letter, len(got), utf8.Valid(got), err, maxString)
		}
	}
}

func FuzzTheScannerAgreesWithEncodingJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2.5e-3,true,null,"x\u0041"]}`, `[]`, `"\ud83d"`, `-0`, `{"a":{}}`, ` [ 1 , 2 ] `, `{"a":1,"b":{"a":1}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := newScanner(bytes.NewReader(data))
		err := s.skip()
		if err == nil {
			err = s.finish()
		}
		valid := json.Valid(data) && utf8.Valid(data)
		if err == nil && !json.Valid(data) {
			t.Errorf("%q: got no error, want one", data)
		}
		if err != nil && valid && !limited(err) {
			t.Errorf("%q: got %v, want no error", data, err)
		}
	})
}

// limited reports an error that encoding/json does not make.
func limited(err error) bool {
	for _, text := range []string{"stands twice", "nested more than", "more than 256 keys", "more than 64 characters"} {
		if strings.Contains(err.Error(), text) {
			return true
		}
	}
	return false
}

func FuzzEveryReportCountsNoMoreThanThereIs(f *testing.F) {
	for _, doc := range []object{perfect(), graph(), older()} {
		f.Add(marshal(f, doc))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, reports, err := Check(bytes.NewReader(data), Options{Names: 3})
		if err != nil {
			return
		}
		for _, r := range reports {
			if r.Complete > d.Components || r.StrictComplete > r.Complete {
				t.Errorf("%s: got %d complete, %d strictly, of %d; want no more than there are", r.Profile, r.Complete, r.StrictComplete, d.Components)
			}
			for _, row := range r.Rows {
				most := max(d.Components, 1)
				if row.Fulfilled+row.Wrong > row.Applies && !r.Strict || row.Applies > row.StrictApplies || row.StrictApplies > most || row.StrictFulfilled < row.Fulfilled {
					t.Errorf("%s %s: got counts %+v of %d", r.Profile, row.ID, row, most)
				}
			}
		}
		if text := Text(Result{Files: []Checked{{File: "x", Document: d, Reports: reports}}}, 2); !utf8.ValidString(text) {
			t.Error("the text is not UTF-8")
		}
	})
}
