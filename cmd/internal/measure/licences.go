package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/sbom"
)

// licences reads back the documents that Pegel wrote and counts how well the licences of the packages in them are known.
func (s *session) licences(at time.Time) (string, error) {
	files, err := filepath.Glob(filepath.Join(s.documents("pegel"), "*.json"))
	if err != nil || len(files) == 0 {
		return "", err
	}
	judge, err := sbom.CuratedJudge(at)
	if err != nil {
		return "", err
	}
	var all []sbom.Packages
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		p, _, err := sbom.ReadDocument(raw)
		if err != nil {
			return "", fmt.Errorf("reading %q back: %w", filepath.Base(name), err)
		}
		all = append(all, p)
	}
	return licencesTable(sbom.LicenceTable(all, judge)), nil
}

// licencesTable writes shares rounded down, so that 100 means all.
func licencesTable(rows []sbom.LicenceRow) string {
	var b strings.Builder
	b.WriteString("\nLicences of the distinct packages of all images, %\n\n| Packages of type | Number | Class known |")
	for _, c := range licence.Classes() {
		fmt.Fprintf(&b, " %s |", c)
	}
	b.WriteString(" SPDX expression | listed ids only | main part: listed ids only | restricted in Debian main |\n| --- | ---: | ---: |" +
		strings.Repeat(" ---: |", len(licence.Classes())+4) + "\n")
	for _, r := range rows {
		name := r.Type
		if name == "" {
			name = "all"
		}
		fmt.Fprintf(&b, "| %s | %d | %s |", name, r.Packages, percent(r.Known, r.Packages))
		for _, c := range licence.Classes() {
			fmt.Fprintf(&b, " %s |", percent(r.Classes[c], r.Packages))
		}
		fmt.Fprintf(&b, " %s | %s | %s | %d |\n", percent(r.Expression, r.Packages), percent(r.Listed, r.Packages), percent(r.MainListed, r.Main), r.Restricted["main"])
	}
	return b.String()
}

func percent(part, whole int) string {
	if whole == 0 {
		return "–"
	}
	tenths := part * 1000 / whole
	return fmt.Sprintf("%d.%d", tenths/10, tenths%10)
}
