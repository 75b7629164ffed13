package scan

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/pkg"
	"github.com/package-url/packageurl-go"

	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/sbom"
)

// Limits of a Java archive. Nested archives are unpacked into memory, one at a time.
const (
	maxNesting   = 4
	maxNested    = 64 << 20 // bytes of an archive that is read into memory
	maxDirectory = 16 << 20 // bytes of the list of files of an archive, about 150,000 files
	maxPOMs      = 1_000    // project files of one archive; a program packed with all its libraries has a few hundred
	maxMember    = 1 << 20  // bytes of a manifest, project file or text
	maxMembers   = 64 << 20 // bytes of all of them in one archive
)

// javaArchive is what one archive says about licences.
type javaArchive struct {
	manifest []string            // Bundle-License of its manifest
	poms     map[string][]string // names by group:artifact of its project files
	scm      map[string][]string // addresses under scm by the same
	texts    []sbom.LicenceClaim // of META-INF and the root
}

// javaArchives reads archives, each once, however many packages syft finds in it.
type javaArchives struct {
	m    mapping
	t    *texts
	read map[string]*javaArchive // by path, nested ones as syft writes them: outer.war:WEB-INF/lib/inner.jar
}

// javaPlace is the place that syft names for a Java package: the archive, with those around it, and the coordinates of a
// package that has no archive of its own.
func javaPlace(metadata any) string {
	switch a := metadata.(type) {
	case pkg.JavaArchive:
		return a.VirtualPath
	case *pkg.JavaArchive:
		return a.VirtualPath
	}
	return ""
}

// licences returns the claims about a Java package: the licences of its project file, else Bundle-License, of which all
// count; and the licence texts of its archive. Of a package that was merged into the archive of another one only the
// project file counts.
func (j *javaArchives) licences(c *component) []sbom.LicenceClaim {
	if c.record == nil {
		return nil
	}
	parts, own := archivesOf(javaPlace(c.record.Metadata))
	if len(parts) == 0 {
		return nil
	}
	parts[0] = c.path // where the links lead by which syft found it
	a := j.archive(parts)
	if a == nil {
		return nil
	}
	at := strings.Join(parts, ":")
	for _, address := range a.scm[coordinates(c.PURL)] {
		c.upstream(at, sbom.UpstreamClaim{Kind: sbom.UpstreamRepository, URL: address})
	}
	var claims []sbom.LicenceClaim
	names := a.poms[coordinates(c.PURL)]
	if len(names) == 0 && own && len(a.poms) == 1 {
		for _, only := range a.poms {
			names = only
		}
	}
	if value := anyOf(licence.Any, names); value != "" {
		claims = append(claims, sbom.LicenceClaim{Value: value, Provenance: sbom.FromMetadata, Path: at})
	}
	if !own {
		return claims
	}
	if len(claims) == 0 {
		for _, name := range a.manifest {
			claims = append(claims, sbom.LicenceClaim{Value: name, Provenance: sbom.FromMetadata, Path: at})
		}
	}
	return append(claims, a.texts...)
}

// coordinates is group:artifact of a Maven purl.
func coordinates(purl string) string {
	p, err := packageurl.FromString(purl)
	if err != nil || p.Type != packageurl.TypeMaven {
		return ""
	}
	return p.Namespace + ":" + p.Name
}

var archiveEndings = []string{".jar", ".war", ".ear", ".par", ".sar", ".nar", ".jpi", ".hpi", ".kar", ".lpkg", ".zip"}

// archivesOf splits a place as syft writes it. own says that the package is the innermost archive itself.
func archivesOf(place string) (parts []string, own bool) {
	for part := range strings.SplitSeq(place, ":") {
		if !slices.Contains(archiveEndings, strings.ToLower(path.Ext(part))) {
			return parts, false
		}
		parts = append(parts, part)
	}
	return parts, true
}

// archive reads the innermost archive; nil if it cannot be read.
func (j *javaArchives) archive(parts []string) *javaArchive {
	key := strings.Join(parts, ":")
	if a, ok := j.read[key]; ok {
		return a
	}
	j.read[key] = nil
	if len(parts) > maxNesting {
		return nil
	}
	r, size, done := j.outer(parts[0])
	if r == nil {
		return nil
	}
	defer done()
	for _, nested := range parts[1:] {
		z := openZip(r, size)
		if z == nil {
			return nil
		}
		data := member(z, nested, maxNested)
		if data == nil {
			return nil
		}
		r, size = bytes.NewReader(data), int64(len(data))
	}
	if z := openZip(r, size); z != nil {
		j.read[key] = j.summary(z, key)
	}
	return j.read[key]
}

// outer opens an archive of the target. One that cannot be read at any place is read into memory, if it is small enough.
func (j *javaArchives) outer(file string) (io.ReaderAt, int64, func()) {
	r := j.m.open(file)
	if r == nil {
		return nil, 0, nil
	}
	at, isAt := r.(io.ReaderAt)
	seek, isSeek := r.(io.Seeker)
	if isAt && isSeek {
		if size, err := seek.Seek(0, io.SeekEnd); err == nil {
			return at, size, func() { _ = r.Close() }
		}
	}
	data, err := io.ReadAll(io.LimitReader(r, maxNested+1))
	if err = errors.Join(err, r.Close()); err != nil || len(data) > maxNested {
		return nil, 0, nil
	}
	return bytes.NewReader(data), int64(len(data)), func() {}
}

// openZip reads the list of files, if it is short enough to be kept in memory.
func openZip(r io.ReaderAt, size int64) *zip.Reader {
	if !smallDirectory(r, size) {
		return nil
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil
	}
	return z
}

// smallDirectory looks at the end record (APPNOTE.TXT 4.3.16), which says where the list of files begins. Larger forms
// (zip64) are left out.
func smallDirectory(r io.ReaderAt, size int64) bool {
	const record, longest = 22, 65535
	tail := make([]byte, min(size, record+longest))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return false
	}
	i := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if i < 0 || len(tail)-i < record || bytes.Contains(tail[:i], []byte("PK\x06\x07")) {
		return false
	}
	end := size - int64(len(tail)-i)
	length, offset := int64(binary.LittleEndian.Uint32(tail[i+12:])), int64(binary.LittleEndian.Uint32(tail[i+16:]))
	return length <= maxDirectory && offset <= end && end-offset <= maxDirectory
}

// member reads one file of an archive; nil if it is not there, broken or too large.
func member(z *zip.Reader, name string, limit int64) []byte {
	for _, f := range z.File {
		if f.Name == name {
			return contents(f, limit)
		}
	}
	return nil
}

func contents(f *zip.File, limit int64) []byte {
	r, err := f.Open()
	if err != nil {
		return nil
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil || int64(len(data)) > limit {
		return nil
	}
	return data
}

// summary reads manifest, project files and licence texts.
func (j *javaArchives) summary(z *zip.Reader, at string) *javaArchive {
	a := &javaArchive{poms: map[string][]string{}, scm: map[string][]string{}}
	manifests, texts, left := 0, 0, int64(maxMembers)
	read := func(f *zip.File) []byte {
		limit := min(left, maxMember)
		data := contents(f, limit)
		if left -= int64(len(data)); data == nil {
			left -= limit // one that is too large or broken may have cost as much
		}
		return data
	}
	for _, f := range z.File {
		dir, base := path.Split(f.Name)
		switch {
		case left <= 0:
			return a
		case strings.EqualFold(f.Name, "META-INF/MANIFEST.MF") && manifests == 0:
			manifests++
			a.manifest = bundleLicences(read(f))
		case base == "pom.xml" && strings.HasPrefix(dir, "META-INF/maven/") && len(a.poms) < maxPOMs:
			if parts := strings.Split(dir, "/"); len(parts) == 5 && a.poms[parts[2]+":"+parts[3]] == nil {
				data := read(f)
				a.poms[parts[2]+":"+parts[3]] = append([]string{}, pomLicences(data)...)
				a.scm[parts[2]+":"+parts[3]] = pomSCM(data)
			}
		case (dir == "" || strings.EqualFold(dir, "META-INF/")) && isLicenceFile(base) && texts < maxPerUnit:
			texts++
			if value := j.t.recognise(bytes.NewReader(read(f))); value != "" {
				a.texts = append(a.texts, textClaim(value, at+":"+f.Name))
			}
		}
	}
	return a
}

// pomLicences are the names under licenses of a project file, of which the user may choose one (maven.apache.org/pom.html,
// "Licenses"). A name that nobody knows gives way to what its address stands for.
func pomLicences(data []byte) []string {
	var p struct {
		Licences []struct {
			Name string `xml:"name"`
			URL  string `xml:"url"`
		} `xml:"licenses>license"`
	}
	dec := xml.NewDecoder(bytes.NewReader(data))
	dec.CharsetReader = ascii
	if dec.Decode(&p) != nil {
		return nil
	}
	var out []string
	for _, l := range p.Licences[:min(len(p.Licences), maxPerUnit)] {
		if name := nameOrAddress(strings.Join(strings.Fields(l.Name), " "), l.URL); name != "" {
			out = append(out, name)
		}
	}
	return out
}

// ascii reads the charsets of old project files: letters beyond ASCII become question marks, no name of a licence has any.
func ascii(_ string, in io.Reader) (io.Reader, error) {
	data, err := io.ReadAll(in)
	for i, b := range data {
		if b >= 0x80 {
			data[i] = '?'
		}
	}
	return bytes.NewReader(data), err
}

// nameOrAddress returns a licence by its name if that is known, else by its address, else the name as it is.
func nameOrAddress(name, address string) string {
	name = claimText(name)
	if strings.Contains(name, "${") {
		name = ""
	}
	if e, err := licence.Parse(name); err == nil && e.Class() != licence.Unknown {
		if strings.Contains(name, "://") {
			return e.String()
		}
		return name
	}
	if id := licenceAt(address); id != "" {
		return id
	}
	if strings.Contains(name, "://") {
		return licenceAt(name)
	}
	return name
}

// addresses are pages of licences, without scheme, "www." and file ending: facts about where texts are published.
var addresses = map[string]string{
	"apache.org/licenses/license-2.0": "Apache-2.0", "apache.org/licenses/license-1.1": "Apache-1.1",
	"eclipse.org/legal/epl-v10": "EPL-1.0", "eclipse.org/legal/epl-v20": "EPL-2.0", "eclipse.org/legal/epl-2.0": "EPL-2.0",
	"eclipse.org/org/documents/edl-v10": "BSD-3-Clause", "gnu.org/licenses/old-licenses/lgpl-2.1": "LGPL-2.1-only",
	"gnu.org/licenses/lgpl-2.1": "LGPL-2.1-only", "gnu.org/licenses/old-licenses/gpl-2.0": "GPL-2.0-only", "mozilla.org/mpl/2.0": "MPL-2.0",
	"mozilla.org/en-us/mpl/2.0": "MPL-2.0", "creativecommons.org/publicdomain/zero/1.0": "CC0-1.0",
}

// licenceAt is the licence that an address stands for: one of the table, or an id of SPDX in an address of spdx.org or
// opensource.org; "" for any other.
func licenceAt(address string) string {
	a := strings.ToLower(strings.TrimSpace(address))
	_, a, _ = strings.Cut(a, "://")
	a = strings.TrimSuffix(strings.TrimPrefix(a, "www."), "/")
	for _, ending := range []string{".txt", ".html", ".php", ".md"} {
		a = strings.TrimSuffix(a, ending)
	}
	if id, ok := addresses[a]; ok {
		return id
	}
	for _, prefix := range []string{"spdx.org/licenses/", "opensource.org/licenses/", "opensource.org/license/"} {
		name, ok := strings.CutPrefix(a, prefix)
		if e, err := licence.Parse(name); ok && err == nil && e.Class() != licence.Unknown {
			return e.String()
		}
	}
	return ""
}

// bundleLicences reads Bundle-License of a manifest (OSGi Core 8, section 3.2.1.10): clauses separated by commas, each a
// name or an address with attributes. All of them count, because the header does not say that one may choose.
func bundleLicences(manifest []byte) []string {
	var out []string
	for _, clause := range quotedFields(header(manifest, "Bundle-License"), ',') {
		parts := quotedFields(clause, ';')
		if len(parts) == 0 {
			continue
		}
		link := ""
		for _, p := range parts[1:] {
			if key, value, ok := strings.Cut(p, "="); ok && strings.TrimSuffix(strings.TrimSpace(key), ":") == "link" {
				link = strings.Trim(strings.TrimSpace(value), `"`)
			}
		}
		name := strings.Trim(strings.TrimSpace(parts[0]), `"`)
		if name == "<<EXTERNAL>>" {
			name = ""
		}
		if strings.Contains(name, "://") && link == "" {
			link = name
		}
		if value := nameOrAddress(name, link); value != "" && len(out) < maxPerUnit {
			out = append(out, value)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// header returns one header of the main section of a manifest, with its continued lines joined (JAR file specification,
// "Name-Value pairs and Sections").
func header(manifest []byte, name string) string {
	value, in := "", false
	for line := range bytes.Lines(manifest) {
		text := strings.TrimRight(string(line), "\r\n")
		switch {
		case text == "":
			return value
		case text[0] == ' ':
			if in && len(value) < 64<<10 {
				value += text[1:]
			}
		default:
			key, rest, _ := strings.Cut(text, ":")
			if in = strings.EqualFold(key, name); in {
				value = strings.TrimSpace(rest)
			}
		}
	}
	return value
}

// quotedFields splits at a separator outside quotation marks.
func quotedFields(text string, separator rune) []string {
	quoted := false
	return strings.FieldsFunc(text, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == separator && !quoted
	})
}
