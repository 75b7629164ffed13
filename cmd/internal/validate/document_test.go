package main

import (
	"os"
	"strings"
	"testing"
)

func TestTheTablesOfTheDocumentAreThoseOfTheRecordedResults(t *testing.T) {
	o, s := recorded(t)
	r, err := readResults(root+"validation/results.json", o, s)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(root + "docs/validity.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), beginMark+"\n")
	got, _, _ := strings.Cut(rest, endMark)
	if got != document(o, s, r) {
		t.Error("docs/validity.md is not made from validation/results.json: run go run ./cmd/internal/validate -out docs/validity.md")
	}
}

func TestEnoughProjectsWereRead(t *testing.T) {
	o, s := recorded(t)
	r, err := readResults(root+"validation/results.json", o, s)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, j := range r.Cases {
		if kind, _, _ := strings.Cut(j.ID, "/"); j.State == read && j.Months == o.Months[0] {
			counts[kind]++
		}
	}
	for kind, want := range map[string]int{"archived": 25, "promoted": 30, "retired": 10, "relicensed": 8} {
		if counts[kind] < want {
			t.Errorf("%d %s were read, want at least %d", counts[kind], kind, want)
		}
	}
}
