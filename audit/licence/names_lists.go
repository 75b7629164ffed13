package licence

import "strings"

// rpmNames are the short names of Fedora's list of good licences from before it took SPDX ids (2022), which RHEL 8 and 9 and
// their kin still carry, and the local names of openSUSE's list. Names that the common table or a rule reads have no row.
// Source: the Fedora Project's list of licences with its columns "short name" and "FSF free?"; the SUSE licence list.
var rpmNames = map[string]string{
	"bsd": "LicenseRef-fedora-BSD", "bsd-with-advertising": "BSD-4-Clause", "bsd-protection": "BSD-Protection", "copyright-only": "LicenseRef-fedora-Copyright-only",
	"freely-redistributable-without-restriction": "LicenseRef-fedora-UltraPermissive", "redistributable-no-modification-permitted": "LicenseRef-fedora-Redistributable",
	"mit-with-advertising": "LicenseRef-fedora-MIT-with-advertising", "openldap": "OLDAP-2.8", "sleepycat": "Sleepycat", "zlib-with-acknowledgement": "zlib-acknowledgement",
	"boost": "BSL-1.0", "cc-by": "LicenseRef-fedora-CC-BY", "cc-by-sa": "LicenseRef-fedora-CC-BY-SA", "gfdl": "GFDL-1.1-or-later", "artistic-clarified": "ClArtistic",
	"artistic-2.0": "Artistic-2.0", "cpl": "CPL-1.0", "epl": "EPL-1.0", "epl-1.0": "EPL-1.0", "ibm": "IPL-1.0", "afl": "AFL-3.0", "ucd": "LicenseRef-fedora-UCD", "w3c": "W3C",
	"lppl": "LPPL-1.3c", "openssl": "OpenSSL", "python": "Python-2.0", "tcl": "TCL", "vim": "Vim", "netscape": "NPL-1.1", "mplv1.0": "MPL-1.0", "ofl": "OFL-1.1",
	"osl-2.1": "OSL-2.1", "php": "PHP-3.01", "qpl": "QPL-1.0", "sissl": "SISSL", "utopia": "Adobe-Utopia", "lucida": "Lucida-Bitmap-Fonts", "bitstream-vera": "Bitstream-Vera",
	"ntp": "NTP", "rdisc": "Rdisc", "psutils": "psutils", "softsurfer": "softSurfer", "snia": "SNIA", "spl": "SPL-1.0", "xerox": "Xerox",
	"cecill": "CECILL-2.0", "cecill-b": "CECILL-B", "cecill-c": "CECILL-C", "imagemagick": "ImageMagick", "jasper": "JasPer-2.0", "libtiff": "libtiff", "hsrl": "LicenseRef-fedora-HSRL",
	"naist-2003": "NAIST-2003", "ncsa": "NCSA", "newmat": "LicenseRef-fedora-Newmat", "nosl": "NOSL", "zend": "Zend-2.0", "unicode": "Unicode-DFS-2015", "ucar": "UCAR", "mx": "LicenseRef-fedora-mx",
	"suse-public-domain": publicDomain, "suse-permissive": "LicenseRef-SUSE-Permissive", "suse-firmware": "LicenseRef-SUSE-Firmware", "suse-nonfree": "LicenseRef-SUSE-NonFree",
	"suse-freeware": "LicenseRef-SUSE-Freeware",
}

// apkNames are the words of Alpine's packages that are no SPDX ids; "custom" says nothing but that there is a text.
var apkNames = map[string]string{
	"custom": noAssertion, "gpl2": "GPL-2.0-only", "gpl3": "GPL-3.0-only", "gpl2+": "GPL-2.0-or-later", "gpl3+": "GPL-3.0-or-later", "lgpl2": "LGPL-2.0-only",
	"lgpl2+": "LGPL-2.0-or-later", "lgpl2.1": "LGPL-2.1-only", "lgpl2.1+": "LGPL-2.1-or-later", "lgpl3": "LGPL-3.0-only", "lgpl3+": "LGPL-3.0-or-later",
	"bsd": "LicenseRef-apk-BSD", "none": noAssertion,
}

// fromURL are the addresses by which poms, bundles and package.json name a licence, without scheme, "www." and the ending
// of a file, in lower case.
var fromURL = map[string]string{
	"apache.org/licenses/license-2.0": "Apache-2.0", "apache.org/licenses/license-1.1": "Apache-1.1",
	"opensource.org/licenses/mit": "MIT", "opensource.org/licenses/mit-license": "MIT", "opensource.org/licenses/apache-2.0": "Apache-2.0", "opensource.org/licenses/apache2.0": "Apache-2.0",
	"opensource.org/licenses/bsd-2-clause": "BSD-2-Clause", "opensource.org/licenses/bsd-3-clause": "BSD-3-Clause", "opensource.org/licenses/bsd-license": "BSD-2-Clause",
	"opensource.org/licenses/isc": "ISC", "opensource.org/licenses/mpl-2.0": "MPL-2.0", "opensource.org/licenses/epl-1.0": "EPL-1.0", "opensource.org/licenses/epl-2.0": "EPL-2.0",
	"opensource.org/licenses/lgpl-2.1": "LGPL-2.1-only", "opensource.org/licenses/lgpl-3.0": "LGPL-3.0-only", "opensource.org/licenses/gpl-2.0": "GPL-2.0-only", "opensource.org/licenses/gpl-3.0": "GPL-3.0-only",
	"opensource.org/licenses/cddl-1.0": "CDDL-1.0", "opensource.org/licenses/cddl1": "CDDL-1.0", "opensource.org/license/mit": "MIT", "opensource.org/license/bsd-3-clause": "BSD-3-Clause",
	"mozilla.org/mpl/2.0": "MPL-2.0", "mozilla.org/mpl/mpl-1.1": "MPL-1.1", "mozilla.org/en-us/mpl/2.0": "MPL-2.0",
	"eclipse.org/legal/epl-v10": "EPL-1.0", "eclipse.org/legal/epl-v20": "EPL-2.0", "eclipse.org/legal/epl-2.0": "EPL-2.0", "eclipse.org/org/documents/epl-v10": "EPL-1.0",
	"eclipse.org/org/documents/epl-2.0": "EPL-2.0", "eclipse.org/org/documents/edl-v10": "BSD-3-Clause", "eclipse.org/legal/epl-2.0/": "EPL-2.0",
	"gnu.org/licenses/gpl-2.0": "GPL-2.0-only", "gnu.org/licenses/gpl-3.0": "GPL-3.0-only", "gnu.org/licenses/lgpl-2.1": "LGPL-2.1-only", "gnu.org/licenses/lgpl-3.0": "LGPL-3.0-only",
	"gnu.org/licenses/agpl-3.0": "AGPL-3.0-only", "gnu.org/licenses/old-licenses/gpl-2.0": "GPL-2.0-only", "gnu.org/licenses/old-licenses/lgpl-2.1": "LGPL-2.1-only",
	"gnu.org/software/classpath/license": "GPL-2.0-only WITH Classpath-exception-2.0", "openjdk.java.net/legal/gplv2+ce": "GPL-2.0-only WITH Classpath-exception-2.0",
	"oss.oracle.com/licenses/cddl+gpl-1.1":      "CDDL-1.1 OR GPL-2.0-only WITH Classpath-exception-2.0",
	"oss.oracle.com/licenses/cddl+gpl-1.0":      "CDDL-1.0 OR GPL-2.0-only WITH Classpath-exception-2.0",
	"creativecommons.org/publicdomain/zero/1.0": "CC0-1.0", "creativecommons.org/licenses/by/3.0": "CC-BY-3.0", "creativecommons.org/licenses/by/4.0": "CC-BY-4.0",
	"creativecommons.org/licenses/by-sa/3.0": "CC-BY-SA-3.0", "creativecommons.org/licenses/by-sa/4.0": "CC-BY-SA-4.0", "unlicense.org": "Unlicense", "bouncycastle.org/licence": "MIT",
	"elastic.co/licensing/elastic-license": "Elastic-2.0", "mongodb.com/licensing/server-side-public-license": "SSPL-1.0", "polyformproject.org/licenses/noncommercial/1.0.0": "PolyForm-Noncommercial-1.0.0",
}

// address reads a licence named by an address. One that no table has stays a name like any other.
func address(name string) (Expression, bool) {
	_, rest, ok := strings.Cut(strings.ToLower(name), "://")
	if !ok {
		return Expression{}, false
	}
	rest, _, _ = strings.Cut(rest, "?")
	rest, _, _ = strings.Cut(rest, "#")
	rest = strings.TrimPrefix(strings.TrimRight(rest, "/"), "www.")
	for _, ending := range []string{".txt", ".html", ".php", ".htm"} {
		rest = strings.TrimSuffix(rest, ending)
	}
	target := fromURL[rest]
	return must(target), target != ""
}

// pointer reports whether a name only says "read the file" instead of naming a licence. The file's text decides then.
func pointer(name string) bool {
	lower := strings.ToLower(strings.TrimSpace(name))
	for _, begin := range []string{"see license", "see licence", "see the license", "see the licence", "see file", "see copying", "file:", "see readme"} {
		if strings.HasPrefix(lower, begin) {
			return true
		}
	}
	switch strings.TrimSuffix(strings.TrimSuffix(lower, ".txt"), ".md") {
	case "license", "licence", "copying", "license file", "licence file", "license.rst", "dual license", "dual licensed", "custom license", "various", "multiple":
		return true
	}
	return false
}

// vagueFamily returns the licences that a vague name may mean, as families of ids (see within).
func vagueFamily(id string) ([]string, bool) {
	name, ok := strings.CutPrefix(strings.ToLower(id), "licenseref-")
	if !ok {
		return nil, false
	}
	_, name, _ = strings.Cut(name, "-")
	families, ok := vague[keyOf(name)]
	return families, ok
}

// vague are names of several licences, behind "LicenseRef-<list>-".
var vague = map[string][]string{
	"bsd": {"bsd", "0bsd"}, "bsd-style": {"bsd", "0bsd"}, "bsd-like": {"bsd", "0bsd"}, "osi-approved-bsd": {"bsd", "0bsd"},
	"psf": {"psf", "python"}, "python": {"psf", "python"}, "mit-style": {"mit"}, "osi-approved-academic-free": {"afl"},
}

// wordList reads the old fields of Alpine that list names with nothing between them; all of them hold. At least one must be
// known, or it is a name of several words.
func wordList(list List, text string) (Expression, bool) {
	words := strings.Fields(text)
	if list != APK || len(words) < 2 || hasOperator(text) {
		return Expression{}, false
	}
	if len(words) > maxTerms {
		return Expression{}, false
	}
	parts, known := make([]Expression, len(words)), false
	for i, w := range words {
		_, ok := lookup(list, w)
		known = known || ok
		parts[i] = nameOf(list, w)
	}
	return And(parts...), known
}

// alternatives reads names that are tied by a slash, as in MIT/Apache-2.0. Some mean a choice and some do not, so both hold; all
// must be known, or it is one name.
func alternatives(list List, name string) (Expression, bool) {
	parts := strings.Split(name, "/")
	if len(parts) < 2 || len(parts) > 4 {
		return Expression{}, false
	}
	read := make([]Expression, len(parts))
	for i, part := range parts {
		e, ok := lookup(list, strings.TrimSpace(part))
		if !ok || e.SaysNothing() {
			return Expression{}, false
		}
		read[i] = e
	}
	return And(read...), true
}

// addedPermissions are the additions beside the SPDX list that only add permissions: Fedora's list says so of every name
// that ends in "with exceptions".
var addedPermissions = map[string]bool{"additionref-rpm-exceptions": true, "additionref-rpm-exception": true}
