package copyright

import (
	"bytes"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func FuzzAPackageGivesACopyrightFileOfItsOwnOrAReason(f *testing.F) {
	f.Add([]byte("!<arch>\ndebian-binary   0           0     0     100644  4         `\n2.0\n"))
	f.Add([]byte("!<arch>\ncontrol.tar     0           0     0     100644  0         `\ndata.tar        0           0     0     100644  0         `\n"))
	q := question{ecosystem: "deb", name: "demo", version: "1", arch: "amd64", source: "demo", areas: []string{"main"}}
	f.Fuzz(func(t *testing.T, data []byte) {
		limits := Limits{Archive: 1 << 20, Unpacked: 4 << 20, Document: 1 << 16}.orDefault()
		whole, err := readDeb(t.Context(), bytes.NewReader(data), q, limits)
		if err != nil {
			if _, ok := asMiss(err); !ok {
				t.Errorf("the error %v is no reason", err)
			}
			return
		}
		if int64(len(whole.data)) > limits.Document || (whole.elsewhere == "") != strings.HasPrefix(whole.path, "usr/share/doc/demo/") {
			t.Errorf("got %d bytes at %q, elsewhere %q", len(whole.data), whole.path, whole.elsewhere)
		}
		slow, err := readDeb(t.Context(), iotest.OneByteReader(bytes.NewReader(data)), q, limits)
		if err != nil || !bytes.Equal(slow.data, whole.data) {
			t.Errorf("read byte by byte it gives something else: %v", err)
		}
	})
}

func FuzzARecordReadAndWrittenReadsTheSame(f *testing.F) {
	f.Add([]byte(`{"schema":"pegel/copyright/v1","place":"pypi https://example.org","subject":"python demo 1.0","claims":[{"value":"MIT","provenance":"metadata","origin":{"source":""}}],"origin":{"source":"pypi"}}`))
	f.Add([]byte(`{"schema":"pegel/copyright/v1","place":"p","subject":"s","absent":"nothing","origin":{"source":"pypi","at":"2026-11-24T00:00:00Z"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ParseRecord(data)
		if err != nil {
			return
		}
		again, err := ParseRecord(r.encode())
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if d := cmp.Diff(r, again); d != "" {
			t.Errorf("(-first +again):\n%s", d)
		}
	})
}

func FuzzAProjectFileIsOfTheProjectAskedForOrRefused(f *testing.F) {
	c := coordinates{"g", "demo", "1"}
	f.Add([]byte(`<project><groupId>g</groupId><artifactId>demo</artifactId><version>1</version><licenses><license><name>MIT</name></license></licenses></project>`))
	f.Add([]byte(`<?xml version="1.0" encoding="ISO-8859-1"?><project><parent><groupId>g</groupId></parent><artifactId>demo</artifactId><version>${v}</version></project>`))
	f.Add([]byte(`<!DOCTYPE x [<!ENTITY a "aaaa">]><project><artifactId>&a;</artifactId></project>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parsePOM(data, c)
		if err != nil {
			return
		}
		if strings.TrimSpace(p.Artifact) != c.artifact || len(p.names()) > 16 {
			t.Errorf("took %q with %d licences", p.Artifact, len(p.names()))
		}
	})
}
