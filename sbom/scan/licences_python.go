package scan

import (
	"bufio"
	"encoding/csv"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/sbom"
)

// maxRecord bounds the part of a RECORD file that is read; that of the largest packages has 1 MB.
const maxRecord = 16 << 20

// pythonTexts recognises the licence texts that an installed Python package brings: those under License-File in its
// METADATA, which lie in licenses/ of the dist-info directory (PEP 639) or, as older tools put them, in the directory
// itself; without the field those that RECORD lists in the directory. Texts of vendored packages are among them.
func (m mapping) pythonTexts(t *texts, file string) []sbom.LicenceClaim {
	if path.Base(file) != "METADATA" {
		return nil
	}
	dir := path.Dir(file)
	var claims []sbom.LicenceClaim
	for _, name := range m.licenceFilesOf(file) {
		found := m.textAt(t, dir+"/licenses/"+name)
		if found == nil {
			found = m.textAt(t, dir+"/"+name)
		}
		claims = append(claims, found...)
	}
	if len(claims) > 0 {
		return claims
	}
	for _, name := range m.recorded(dir) {
		claims = append(claims, m.textAt(t, dir+"/"+name)...)
	}
	return claims
}

// licenceFilesOf returns the License-File fields of a METADATA file.
func (m mapping) licenceFilesOf(file string) []string {
	r := m.open(file)
	if r == nil {
		return nil
	}
	defer r.Close()
	var out []string
	lines := bufio.NewScanner(io.LimitReader(r, maxMetadata))
	lines.Buffer(nil, maxField)
	for lines.Scan() && lines.Text() != "" {
		field, value, _ := strings.Cut(lines.Text(), ":")
		if value = strings.TrimSpace(value); strings.EqualFold(field, "License-File") && inside(value) && len(out) < maxPerUnit {
			out = append(out, value)
		}
	}
	return out
}

// recorded returns the licence files that RECORD lists in its own directory, relative to it, sorted.
func (m mapping) recorded(dir string) []string {
	r := m.open(dir + "/RECORD")
	if r == nil {
		return nil
	}
	defer r.Close()
	rows := csv.NewReader(io.LimitReader(r, maxRecord))
	rows.FieldsPerRecord, rows.LazyQuotes, rows.ReuseRecord = -1, true, true
	prefix := path.Base(dir) + "/"
	var out []string
	for len(out) < maxPerUnit {
		row, err := rows.Read()
		if err != nil {
			break // the end, or a broken file: what was read until here counts
		}
		name, ok := strings.CutPrefix(row[0], prefix)
		if ok && inside(name) && isLicenceFile(path.Base(name)) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
