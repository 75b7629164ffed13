package scan

import (
	"bufio"
	"context"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/anchore/syft/syft/pkg"
)

// ownership says which component brought a file, as far as records of packages tell: the file lists of dpkg, rpm and apk,
// RECORD of Python packages, and for a program or jar the module it was built from.
type ownership struct {
	distribution map[*entry]string // refs of packages of the distribution
	language     map[*entry]string // refs of packages of a language that are no part of one
}

// ofDistribution reports whether a type of packages is that of a distribution, whose database lists the files of each.
func ofDistribution(kind string) bool {
	switch pkg.Type(kind) {
	case pkg.DebPkg, pkg.RpmPkg, pkg.ApkPkg, pkg.AlpmPkg, pkg.PortagePkg:
		return true
	}
	return false
}

// debOwners says which deb lists a file; the first in the order of the databases where several do.
func (m mapping) debOwners() map[*entry]*deb {
	owners, diverted := map[*entry]*deb{}, m.diversions()
	read := map[*entry]bool{}
	for i := range m.debs {
		d := &m.debs[i]
		if n := m.fileList(d); n == nil || read[n.entry] {
			continue // hard links to one list are one list
		} else {
			read[n.entry] = true
		}
		m.debFiles(d, func(name string) {
			if n := m.file(diverted.of(d.name, name)); n != nil && owners[n.entry] == nil {
				owners[n.entry] = d
			}
		})
	}
	return owners
}

// ownership joins the file lists. Where two packages list one file, the first by Ref has it.
func (m mapping) ownership(ctx context.Context, all []component) (ownership, error) {
	o := ownership{distribution: map[*entry]string{}, language: map[*entry]string{}}
	refs := map[*deb]string{}
	for i := range all {
		c := &all[i]
		if err := ctx.Err(); err != nil {
			return o, err
		}
		switch {
		case c.deb != nil:
			refs[c.deb] = c.Ref
		case ofDistribution(c.Type):
			m.own(o.distribution, c.files, c.Ref)
		default:
			m.own(o.language, c.files, c.Ref)
			if c.isProgram || c.Type == string(pkg.JavaPkg) {
				m.own(o.language, []string{c.path}, c.Ref)
			}
		}
	}
	for e, d := range m.view.owned {
		if ref := refs[d]; ref != "" {
			o.distribution[e] = ref
		}
	}
	return o, nil
}

// own notes the owner of files that have none yet, whatever links their paths go through.
func (m mapping) own(owners map[*entry]string, names []string, ref string) {
	for _, name := range names {
		if n := m.file(name); n != nil && owners[n.entry] == "" {
			owners[n.entry] = ref
		}
	}
}

// file is the regular file that has a name, or nil.
func (m mapping) file(name string) *node {
	if n := m.view.tree.find(name, false); n != nil && n.isRegular() {
		return n
	}
	return nil
}

// maxFileList bounds the list of files of one package; the longest of Debian have 10 MB.
const maxFileList = 64 << 20

// fileList is the file in which dpkg lists the files of a package, or nil.
func (m mapping) fileList(d *deb) *node {
	at := m.debInfo(d, ".list")
	if at == nil {
		at = m.debInfo(d, ".md5sums") // distroless images keep no other list
	}
	if at == nil {
		return nil
	}
	return m.file(at.RealPath)
}

// debFiles calls f for each path that dpkg lists for a package.
func (m mapping) debFiles(d *deb, f func(string)) {
	at := m.debInfo(d, ".list")
	sums := at == nil
	if sums {
		at = m.debInfo(d, ".md5sums") // distroless images keep no other list
	}
	if at == nil {
		return
	}
	r, err := m.view.FileContentsByLocation(*at)
	if err != nil {
		return
	}
	defer r.Close()
	lines := bufio.NewScanner(io.LimitReader(r, maxFileList))
	lines.Buffer(make([]byte, 16<<10), maxField)
	for lines.Scan() {
		name := strings.TrimRight(lines.Text(), "\r")
		if sums {
			_, name, _ = strings.Cut(name, "  ")
		}
		if name != "" && name != "/." {
			f(path.Join(d.root, name))
		}
	}
}

// diversions are files that dpkg puts in another place for all packages but one (dpkg-divert(1)).
type diversions map[string]struct{ to, by string }

// of returns where the file that a package lists under a name lies.
func (d diversions) of(by, name string) string {
	if other, ok := d[name]; ok && other.by != by {
		return other.to
	}
	return name
}

func (m mapping) diversions() diversions {
	all := diversions{}
	r := m.open("/var/lib/dpkg/diversions")
	if r == nil {
		return all
	}
	defer r.Close()
	var three []string
	lines := bufio.NewScanner(io.LimitReader(r, maxFileList))
	for lines.Scan() {
		if three = append(three, lines.Text()); len(three) == 3 {
			all[three[0]] = struct{ to, by string }{three[1], three[2]}
			three = nil
		}
	}
	return all
}

// nest says of the packages of a language which package of a distribution they are part of: the one that lists the file
// that shows them. Binaries that syft recognised by their contents and that a distribution lists are left out, as syft does
// itself: they are that package.
func (o ownership) nest(m mapping, all []component) []component {
	for i := range all {
		if c := &all[i]; c.deb == nil && (!ofDistribution(c.Type) || isFoundInBinary(*c)) {
			c.OwnedBy = o.byDistribution(m, c.path)
		}
	}
	return slices.DeleteFunc(all, func(c component) bool { return c.OwnedBy != "" && isFoundInBinary(c) })
}

// isFoundInBinary reports whether syft knows a package from the contents of machine code only: by its classifiers, a package
// note, or the release file of a Java virtual machine.
func isFoundInBinary(c component) bool {
	if c.Type == string(pkg.BinaryPkg) {
		return true
	}
	if c.record == nil {
		return false
	}
	switch c.record.Metadata.(type) {
	case pkg.ELFBinaryPackageNoteJSONPayload, pkg.BinarySignature, pkg.JavaVMInstallation:
		return true
	}
	return false
}

func (o ownership) byDistribution(m mapping, name string) string {
	n := m.view.tree.find(name, false)
	if n == nil || n.entry == nil {
		return ""
	}
	return o.distribution[n.entry]
}

// of returns the ref of the component that brought a file, or nothing.
func (o ownership) of(e *entry) string {
	if ref := o.distribution[e]; ref != "" {
		return ref
	}
	return o.language[e]
}
