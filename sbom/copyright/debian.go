package copyright

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// This file asks the copyright services of Debian and Ubuntu, by source package and source version. The file that they
// have is debian/copyright of the source package, which speaks for all binary packages of it.

var (
	debName    = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]{1,99}$`)                         // Debian policy 5.6.1
	debVersion = regexp.MustCompile(`^(?:[0-9]{1,9}:)?[0-9A-Za-z][0-9A-Za-z.+~-]{0,199}$`) // Debian policy 5.6.12
	debArch    = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,39}$`)
)

// aboutSource is the question about the source package of a deb of one distribution.
func aboutSource(c sbom.Component, os, distribution string) (question, bool) {
	if c.Type != "deb" || distributionOf(c, os) != distribution {
		return question{}, false
	}
	q := question{ecosystem: "deb-source", name: c.Source, version: c.SourceVersion}
	if q.name == "" {
		q.name = c.Name
	}
	if q.version == "" {
		q.version = c.Version
	}
	q.areas = areasOf(c.Section, distribution)
	return q, debName.MatchString(q.name) && debVersion.MatchString(q.version)
}

func aboutDebian(c sbom.Component, os string) (question, bool) { return aboutSource(c, os, "debian") }
func aboutUbuntu(c sbom.Component, os string) (question, bool) { return aboutSource(c, os, "ubuntu") }

// distributionOf is the namespace of the purl, else the ID of os-release.
func distributionOf(c sbom.Component, os string) string {
	if p, err := packageurl.FromString(c.PURL); err == nil && p.Namespace != "" {
		return p.Namespace
	}
	id, _, _ := strings.Cut(os, " ")
	return id
}

// areasOf returns the parts of an archive in which a package can be: the prefix of its section. Without one Debian means
// main; Ubuntu's packages mostly lack the prefix, so that universe is asked as well.
func areasOf(section, distribution string) []string {
	area, _, prefixed := strings.Cut(section, "/")
	known := []string{"main", "contrib", "non-free", "non-free-firmware", "universe", "restricted", "multiverse"}
	switch {
	case prefixed && slices.Contains(known, area):
		return []string{area}
	case distribution == "ubuntu":
		return []string{"main", "universe", "restricted", "multiverse"}
	}
	return []string{"main"}
}

// poolPath is where an archive keeps the files of a source package: area/prefix/source, the prefix being the first letter,
// or four letters of lib* (apt: @CHANGEPATH@).
func poolPath(area, source string) string {
	prefix := source[:1]
	if strings.HasPrefix(source, "lib") && len(source) > 3 {
		prefix = source[:4]
	}
	return area + "/" + prefix + "/" + source
}

// withoutEpoch is a version as file names have it.
func withoutEpoch(version string) string {
	if _, rest, ok := strings.Cut(version, ":"); ok {
		return rest
	}
	return version
}

// debsourcesFile is what the API of Debsources says about a file. Built from github.com/Debian/debsources,
// lib/debsources/app/sources/views.py (_render_file). An error is {"error": 404}, and it comes with status 200
// (app/views.py, ErrorHandler in mode json).
type debsourcesFile struct {
	Type     string `json:"type"`
	Package  string `json:"package"`
	Version  string `json:"version"`
	RawURL   string `json:"raw_url"`
	Checksum string `json:"checksum"` // SHA-256, hexadecimal
	Error    any    `json:"error"`
}

// askDebsources asks where the file is, and reads it: two questions.
func askDebsources(ctx context.Context, a *asker, p Place, q question) (answer, error) {
	data, err := a.get(ctx, p.url("api", "src", q.name, q.version, "debian", "copyright")+"/", wanted{accept: "application/json"})
	if err != nil {
		return answer{}, err
	}
	var f debsourcesFile
	if err := json.Unmarshal(data, &f); err != nil {
		return answer{}, useless("its answer is no JSON of the expected form")
	}
	switch {
	case f.Error == float64(404):
		return answer{}, absent("it does not have the source package in this version")
	case f.Error != nil:
		return answer{}, failed("ask again later", "it answers with an error of its own")
	case f.Type != "file" || f.Package != q.name || f.Version != q.version:
		return answer{}, useless("its answer is about something else than %s", q.what())
	}
	raw, err := rawURL(p.base, f.RawURL)
	if err != nil {
		return answer{}, err
	}
	if data, err = a.get(ctx, raw, wanted{accept: "text/plain"}); err != nil {
		return answer{}, err
	}
	if got := audit.DigestOf(data).Hex(); f.Checksum != "" && !strings.EqualFold(f.Checksum, got) {
		return answer{}, useless("the file does not have the checksum that the service names")
	}
	return readCopyright(data, sbom.FromService, "debian/copyright", a.originOf(p, raw, "debian/copyright", data))
}

// rawURL resolves the address of a file; it may not lead to another host.
func rawURL(base, text string) (string, error) {
	b, err := url.Parse(base + "/")
	if err != nil {
		return "", useless("its answer names no address of the file")
	}
	u, err := b.Parse(text)
	if err != nil || text == "" || u.Host != b.Host || u.Scheme != b.Scheme || u.User != nil {
		return "", useless("its answer names no address of the file on the same host")
	}
	return u.String(), nil
}

// askDebianChangelogs reads the copyright file that lies beside the changelog which "apt changelog" reads:
// area/prefix/source/source_version_copyright.
func askDebianChangelogs(ctx context.Context, a *asker, p Place, q question) (answer, error) {
	return askPool(ctx, a, p, q, "_copyright")
}

// askUbuntuChangelogs is the same for Ubuntu: area/prefix/source/source_version/copyright.
func askUbuntuChangelogs(ctx context.Context, a *asker, p Place, q question) (answer, error) {
	return askPool(ctx, a, p, q, "/copyright")
}

func askPool(ctx context.Context, a *asker, p Place, q question, ending string) (answer, error) {
	var err error
	for _, area := range q.areas {
		address := p.base + "/" + poolPath(area, q.name) + "/" + url.PathEscape(q.name+"_"+withoutEpoch(q.version)) + ending
		var data []byte
		if data, err = a.get(ctx, address, wanted{accept: "text/plain"}); err == nil {
			return readCopyright(data, sbom.FromService, "debian/copyright", a.originOf(p, address, "debian/copyright", data))
		}
		if m, ok := asMiss(err); !ok || !m.absent {
			break
		}
	}
	return answer{}, err
}

// readCopyright turns a copyright file into claims. One that is a web page, is empty or names no licence is no answer:
// a status of 200 proves nothing.
func readCopyright(data []byte, provenance, path string, origin audit.Origin) (answer, error) {
	start := bytes.ToLower(bytes.TrimSpace(data[:min(len(data), 512)]))
	if bytes.HasPrefix(start, []byte("<!doctype")) || bytes.HasPrefix(start, []byte("<html")) || bytes.HasPrefix(start, []byte("<?xml")) {
		return answer{}, useless("it answers with a web page, perhaps a login")
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return answer{}, useless("its answer is no text")
	}
	claims := sbom.CopyrightClaims(data, path, provenance)
	if !slices.ContainsFunc(claims, func(l sbom.LicenceClaim) bool { return l.Value != sbom.UnreadableCopyright }) {
		return answer{}, absent("its copyright file names no licence that can be read")
	}
	return answer{claims: claims, origin: origin}, nil
}
