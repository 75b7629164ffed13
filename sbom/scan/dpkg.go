package scan

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/pkg"

	"github.com/pegel-audit/pegel/sbom"
)

// debKey names one installed package of a dpkg database.
type debKey struct{ name, version, arch string }

// deb is one installed package of a dpkg database, as far as Pegel needs it. Source and sourceVersion are filled in also
// where dpkg leaves them out, which means: the same as of the package.
type deb struct {
	debKey
	source        string
	sourceVersion string
	upstream      string // source and version as a purl has them: only what dpkg writes
	section       string
	homepage      string
	supplier      string        // Maintainer, where it is an organisation
	fromDebian    bool          // Maintainer, or Original-Maintainer of what Ubuntu built, is one of Debian
	depends       [][]string    // Pre-Depends and Depends: for each clause the names of which one has to be there
	provides      []string      // names that it also answers to
	root          string        // directory that the database belongs to, "/" except for a system inside a system
	status        file.Location // the database
	perFile       bool          // the database has a file for each package, as distroless images do
}

// maxField bounds one line of a dpkg database: the longest real ones are Depends of metapackages with 20 kB.
const (
	maxField    = 1 << 20
	maxPackages = 200_000
)

// readDpkg reads all dpkg databases of a target, those of distroless images in status.d too: each installed package once,
// by database and place in it.
func readDpkg(ctx context.Context, resolver file.Resolver) ([]deb, error) {
	locations, err := resolver.FilesByGlob(pkg.DpkgDBGlob)
	if err != nil {
		return nil, fmt.Errorf("looking for dpkg databases: %w", err)
	}
	slices.SortFunc(locations, func(a, b file.Location) int { return strings.Compare(a.RealPath, b.RealPath) })
	type inRoot struct {
		root string
		debKey
	}
	var all []deb
	known := map[inRoot]bool{}
	for _, at := range locations {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if strings.HasSuffix(at.RealPath, ".md5sums") {
			continue // distroless keeps them beside the status files
		}
		debs, err := readStatusAt(resolver, at)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", at.RealPath, err)
		}
		for _, d := range debs {
			if k := (inRoot{d.root, d.debKey}); !known[k] {
				known[k] = true
				all = append(all, d)
			}
		}
	}
	return all, nil
}

func readStatusAt(resolver file.Resolver, at file.Location) ([]deb, error) {
	r, err := resolver.FileContentsByLocation(at)
	if err != nil {
		return nil, withoutPath(err)
	}
	defer r.Close()
	debs, err := readStatus(r)
	if err != nil {
		return nil, err
	}
	root, _, _ := strings.Cut(at.RealPath, "/var/lib/dpkg/")
	for i := range debs {
		debs[i].root = "/" + strings.TrimPrefix(root, "/")
		debs[i].status = at
		debs[i].perFile = path.Base(path.Dir(at.RealPath)) == "status.d"
	}
	return debs, nil
}

// readStatus reads a dpkg status file (deb822, see deb822(5) and dpkg-query(1)) and returns the packages whose files are
// there, in the order of the file. A stanza that it cannot understand is an error with its line: a package must not get
// lost unseen.
func readStatus(r io.Reader) ([]deb, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxField)
	var debs []deb
	fields, number, first, last := map[string]string{}, 0, 0, ""
	long := map[string]*strings.Builder{} // what follows the first line of a field
	end := func() error {
		if len(fields) == 0 {
			return nil
		}
		for name, rest := range long {
			fields[name] += rest.String()
		}
		clear(long)
		d, present, err := debOf(fields)
		if err != nil {
			return fmt.Errorf("line %d: %w", first, err)
		}
		if present {
			debs = append(debs, d)
		}
		if len(debs) > maxPackages {
			return fmt.Errorf("line %d: there are more than %d packages", first, maxPackages)
		}
		clear(fields)
		last = ""
		return nil
	}
	for lines.Scan() {
		number++
		line := strings.TrimRight(lines.Text(), " \t\r")
		switch {
		case line == "":
			if err := end(); err != nil {
				return nil, err
			}
			continue
		case line[0] == ' ' || line[0] == '\t':
			if last == "" {
				return nil, fmt.Errorf("line %d: it continues a field, but there is none above", number)
			}
			switch last { // the other fields that count have one line
			case "depends", "pre-depends", "provides":
				if long[last] == nil {
					long[last] = new(strings.Builder)
				}
				long[last].WriteString(" " + strings.TrimSpace(line))
			}
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			return nil, fmt.Errorf("line %d: want \"Field: value\", have %.40q", number, line)
		}
		if len(fields) == 0 {
			first = number
		}
		last = strings.ToLower(name)
		if _, twice := fields[last]; twice {
			return nil, fmt.Errorf("line %d: the field %q is there twice", number, name)
		}
		fields[last] = strings.TrimSpace(value)
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return nil, fmt.Errorf("line %d: it is longer than %d bytes", number+1, maxField)
	} else if err != nil {
		return nil, withoutPath(err)
	}
	return debs, end()
}

// debOf makes a package of a stanza. It is not present if only its configuration is left, or nothing.
func debOf(fields map[string]string) (deb, bool, error) {
	status := strings.Fields(fields["status"])
	switch {
	case len(status) == 0: // distroless
	case len(status) != 3:
		return deb{}, false, fmt.Errorf("status %.60q has not three words", fields["status"])
	case status[2] == "not-installed" || status[2] == "config-files":
		return deb{}, false, nil
	}
	d := deb{
		debKey:   debKey{fields["package"], fields["version"], fields["architecture"]},
		section:  fields["section"],
		homepage: homepage(fields["homepage"]),
		supplier: organisation(fields["maintainer"]),

		fromDebian: sbom.DebianMaintainer(fields["maintainer"]) || sbom.DebianMaintainer(fields["original-maintainer"]),
	}
	if d.name == "" || d.version == "" {
		return deb{}, false, errors.New("the package has no name or no version")
	}
	for _, s := range []string{d.name, d.version, d.arch} {
		if strings.ContainsAny(s, " \t/\\") {
			return deb{}, false, fmt.Errorf("%.60q is no name, version or architecture of a package", s)
		}
	}
	d.source, d.sourceVersion = d.name, d.version
	if source, version, ok := strings.Cut(fields["source"], " "); source != "" {
		d.source, d.upstream = source, source
		if ok {
			d.sourceVersion = strings.Trim(strings.TrimSpace(version), "()")
			d.upstream += "@" + d.sourceVersion
		}
	}
	d.depends = append(clauses(fields["pre-depends"]), clauses(fields["depends"])...)
	for _, clause := range clauses(fields["provides"]) {
		d.provides = append(d.provides, clause...)
	}
	return d, true, nil
}

// clauses reads a relation field (Debian policy 7.1): clauses parted by commas, alternatives by bars. Versions and
// architectures are left out: dpkg has made sure of them when it installed the package.
func clauses(field string) [][]string {
	var all [][]string
	for clause := range strings.SplitSeq(field, ",") {
		var names []string
		for alternative := range strings.SplitSeq(clause, "|") {
			name, _, _ := strings.Cut(strings.TrimSpace(alternative), " ")
			name, _, _ = strings.Cut(name, "(")
			name, _, _ = strings.Cut(name, ":")
			if name != "" {
				names = append(names, name)
			}
		}
		if names != nil {
			all = append(all, names)
		}
	}
	return all
}

// archiveClaims says which archive vouches for the package; the address that shows it is not kept.
func (d *deb) archiveClaims() []sbom.LicenceClaim {
	if d == nil || !d.fromDebian {
		return nil
	}
	return []sbom.LicenceClaim{{Value: sbom.DebianArchive, Provenance: sbom.FromArchiveArea}}
}

func homepage(s string) string {
	if (strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")) && len(s) <= 512 && !strings.ContainsAny(s, " \t\"<>") && !hasAddress(s) {
		return s
	}
	return ""
}

// collective holds the words that end the names of groups. A maintainer is an organisation only if his name shows it:
// when in doubt the name is a person's and is dropped.
var collective = []string{
	"team", "teams", "group", "maintainers", "developers", "packagers", "project", "foundation", "consortium",
	"gmbh", "inc", "inc.", "ltd", "ltd.", "llc", "corporation", "e.v.",
}

// joins are words by which a person names himself beside a group: "NAME for the X Team".
var joins = []string{"for", "of", "and", "on", "behalf", "via", "&"}

// organisation returns the name of a deb's maintainer if it is a group or company, else "". Addresses are never returned.
func organisation(maintainer string) string {
	name, address, _ := strings.Cut(maintainer, "<")
	words := strings.Fields(strings.Trim(strings.TrimSpace(name), `"`))
	name = strings.Join(words, " ")
	if len(words) < 2 || len(name) > 100 || strings.ContainsAny(name, "@,;()[]") {
		return ""
	}
	for _, w := range words {
		if slices.Contains(joins, strings.ToLower(w)) {
			return ""
		}
	}
	if slices.Contains(collective, strings.ToLower(words[len(words)-1])) {
		return name
	}
	if isDistribution(words[0]) && isList(address) {
		return name // for instance "Debian OpenStack" with the address of its team
	}
	return ""
}

func isDistribution(word string) bool {
	return slices.Contains([]string{"Debian", "Ubuntu", "Kubuntu"}, word)
}

// isList recognises the addresses of mailing lists and teams of Debian and Ubuntu.
func isList(address string) bool {
	local, domain, ok := strings.Cut(strings.TrimRight(strings.TrimSpace(address), ">"), "@")
	return ok && (strings.HasPrefix(domain, "lists.") || strings.HasPrefix(local, "team+") && domain == "tracker.debian.org" ||
		strings.HasPrefix(local, "pkg-") || domain == "packages.debian.org")
}

var addressPattern = regexp.MustCompile(`[A-Za-z0-9._%+-]+(@| at | \(at\) |\[at\])[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+`)

// hasAddress reports whether a text holds something like an e-mail address. The user "git" of repository addresses and
// digests after an @ are none.
func hasAddress(s string) bool {
	for _, m := range addressPattern.FindAllString(s, -1) {
		if !strings.HasPrefix(m, "git@") {
			return true
		}
	}
	return false
}
