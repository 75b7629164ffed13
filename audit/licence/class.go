package licence

import (
	"strings"
	"sync"

	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"
)

// listed is one row of the SPDX licence list.
type listed struct {
	id    string
	flags flag
}

// flag holds what the SPDX list says about a licence.
type flag uint8

const (
	osiApproved flag = 1 << iota // isOsiApproved
	fsfFree                      // isFsfLibre is true
	fsfNonFree                   // isFsfLibre is false; absent says nothing
	deprecated                   // isDeprecatedLicenseId
)

// classOfID judges one identifier without "+". The order of the questions matters: OSI approval decides before the FSF,
// and a licence for documentation stays one although the FSF calls it free.
func classOfID(id string) Class {
	key := strings.ToLower(id)
	if c, ok := refs[key]; ok {
		return c
	}
	row, ok := spdxList[key]
	switch {
	case !ok:
		return Unknown
	case restrictedIDs[key] || within(key, restrictedFamilies):
		return Restricted
	case docsIDs[key] || within(key, docsFamilies):
		return DocsData
	case row.flags&osiApproved != 0 || anyOSI[key]:
		return OSI
	case strings.HasSuffix(key, "-or-later") && laterIsOSI(strings.TrimSuffix(key, "-or-later")):
		return OSI
	case row.flags&fsfFree != 0 || freeIDs[key] || within(key, freeFamilies):
		return FreeNotOSI
	case row.flags&fsfNonFree != 0:
		return Restricted
	}
	return Unknown
}

// within reports whether an id belongs to a family: the family's name alone, or followed by "-".
func within(key string, families []string) bool {
	for _, f := range families {
		if key == f || strings.HasPrefix(key, f+"-") {
			return true
		}
	}
	return false
}

// laterIsOSI reports whether a later version of the licence is OSI-approved, by the order of versions in go-spdx.
func laterIsOSI(key string) bool { return laterOSI()[strings.ToLower(key)] }

// laterOSI has the lower-case ids, with and without "-only", of which a later version is OSI-approved.
var laterOSI = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for _, group := range spdxlicenses.LicenseRanges() {
		approved := false
		for i := len(group) - 1; i >= 0; i-- {
			for _, id := range group[i] {
				id = strings.ToLower(id)
				out[id] = out[id] || approved
				base := strings.TrimSuffix(id, "-only")
				out[base] = out[base] || approved
			}
			for _, id := range group[i] {
				approved = approved || spdxList[strings.ToLower(id)].flags&osiApproved != 0
			}
		}
	}
	return out
})

// exceptions returns the exceptions of the SPDX list by lower-case id.
var exceptions = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	for _, id := range spdxlicenses.GetExceptions() {
		out[strings.ToLower(id)] = id
	}
	return out
})

// anyOSI are the ids that say "some OSI-approved licence" without naming it.
var anyOSI = map[string]bool{"any-osi": true, "any-osi-perl-modules": true}

// restrictedIDs are licences of the SPDX list that limit who may use the software or for what. The list is closed: other
// licences without approval are unknown until somebody has read them. Sources: the licence texts; the FSF's list of
// nonfree licences; OSI's statement on SSPL.
var restrictedIDs = map[string]bool{
	"sspl-1.0": true, "busl-1.1": true, "elastic-2.0": true, "json": true, "aladdin": true, "hippocratic-2.1": true,
	"sul-1.0": true, "cpol-1.02": true, "ms-lpl": true, "bsd-3-clause-no-military-license": true,
	"bsd-3-clause-no-nuclear-license": true, "bsd-3-clause-no-nuclear-license-2014": true, "iec-code-components-eula": true,
}

// restrictedFamilies are families of the same kind: non-commercial, no derivatives, functional source, PolyForm.
var restrictedFamilies = []string{"cc-by-nc", "cc-by-nd", "polyform", "fsl-1.1"}

// docsIDs and docsFamilies are licences written for documentation, fonts and data. OFL-1.1 is OSI-approved and no member.
var docsIDs = map[string]bool{
	"alglib-documentation": true, "freebsd-doc": true, "lpd-document": true, "ofl-1.0": true, "bitstream-vera": true,
	"bitstream-charter": true, "arphic-1999": true, "baekmuk": true, "mplus": true, "ubuntu-font-1.0": true,
	"lucida-bitmap-fonts": true, "adobe-utopia": true, "dl-de-by-2.0": true, "dl-de-zero-2.0": true, "etalab-2.0": true,
	"unicode-tou": true, "gcr-docs": true, "adacore-doc": true, "cc-sa-1.0": true, "opubl-1.0": true, "opl-uk-3.0": true,
	"adobe-glyph": true, "apafml": true, "hpnd-doc": true, "hpnd-doc-sell": true, "iso-permission": true,
}

var docsFamilies = []string{
	"gfdl", "cc-by-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa", "odbl", "odc-by", "pddl", "cdla",
	"ogl", "nlod", "ogdl", "docbook", "ofl-1.0", "linux-man-pages",
}

// freeIDs and freeFamilies are permissive licences and dedications to the public whose texts allow use, change and
// redistribution for any purpose, but that neither the OSI nor the FSF has judged by that id. Licences that are not here
// and have no flag stay unknown.
var freeIDs = map[string]bool{
	"curl": true, "bzip2-1.0.5": true, "bzip2-1.0.6": true, "psf-2.0": true, "python-2.0.1": true, "cnri-python-gpl-compatible": true,
	"cnri-jython": true, "tcl": true, "beerware": true, "libtiff": true, "blessing": true, "gpl-1.0": true, "gpl-1.0-only": true,
	"gpl-1.0-or-later": true, "gpl-1.0+": true, "mit-cmu": true, "mit-advertising": true, "mit-enna": true, "mit-feh": true,
	"mit-festival": true, "mit-open-group": true, "mit-wu": true, "mit-testregex": true, "ssh-openssh": true, "ssh-short": true,
	"ssh-keyscan": true, "info-zip": true, "openssl-standalone": true, "ssleay-standalone": true, "net-snmp": true,
	"sendmail": true, "tcp-wrappers": true, "tu-berlin-1.0": true, "tu-berlin-2.0": true, "unixcrypt": true, "swl": true,
	"sgi-b-1.1": true, "w3c-19980720": true, "zlib-acknowledgement": true, "cc-pddc": true, "cc-pdm-1.0": true, "ijg-short": true,
	"isc-veillard": true, "lsof": true, "netcdf": true, "ntp-0": true, "latex2e": true, "man2html": true, "cmu-mach": true,
	"cmu-mach-nodoc": true, "cronyx": true, "dtoa": true, "hidapi": true, "htmltidy": true, "ibm-pibs": true, "imagemagick": true,
	"inner-net-2.0": true, "intel-acpi": true, "jasper-2.0": true, "kazlib": true, "leptonica": true, "libselinux-1.0": true,
	"libutil-david-nugent": true, "linux-openib": true, "mackerras-3-clause": true, "mackerras-3-clause-acknowledgment": true,
	"metamail": true, "mpich2": true, "nist-pd": true, "nist-pd-fallback": true, "nist-pd-tnt": true, "oar": true, "openvision": true,
	"pkgconf": true, "plexus": true, "python-ldap": true, "qhull": true, "radvd": true, "rdisc": true, "rsa-md": true, "sax-pd": true,
	"sax-pd-2.0": true, "saxpath": true, "snprintf": true, "softsurfer": true, "sun-ppp": true, "sun-ppp-2000": true, "sunpro": true,
	"termreadkey": true, "ucar": true, "umich-merit": true, "unicode-dfs-2015": true, "w3m": true, "xdebug-1.03": true, "xerox": true,
	"xlock": true, "zeeff": true, "x11-distribute-modifications-variant": true, "x11-swapped": true, "boehm-gc": true,
	"boehm-gc-without-fee": true, "cfitsio": true, "gd": true, "gutmann": true,
	"bcrypt-solar-designer": true, "antlr-pd": true, "antlr-pd-fallback": true, "ncbi-pd": true, "ntia-pd": true,
	"zpl-1.1": true, "php-3.0": true, "cddl-1.1": true, "epics": true, "mulanpsl-1.0": true, "erlpl-1.1": true, "ogc-1.0": true,
	"agpl-1.0-only": true, "smlnj": true, "brian-gladman-3-clause": true, "brian-gladman-2-clause": true,
}

var freeFamilies = []string{
	"fsful", "fsfullr", "fsfullrwd", "fsfullrsd", "fsfap", "hpnd", "spencer", "bsd-4-clause", "bsd-4.3reno", "bsd-4.3tahoe",
	"bsd-2-clause", "bsd-3-clause", "bsd-source-code", "bsd-systemics", "libpng", "oldap", "lppl", "openssl",
}

// refs are the local names whose texts were read, by lower-case id.
var refs = map[string]Class{
	"licenseref-scancode-public-domain":             FreeNotOSI,
	"licenseref-pegel-osi-approved-bsd":             OSI, // trove classifier "OSI Approved :: BSD License"
	"licenseref-pegel-osi-approved-academic-free":   OSI,
	"licenseref-pegel-dfsg-approved":                FreeNotOSI, // trove classifier: the authors say that Debian takes it
	"licenseref-pegel-non-commercial":               Restricted,
	"licenseref-callaway-bsd":                       FreeNotOSI, // Fedora: names of its old list that nobody has looked at again
	"licenseref-callaway-mit":                       FreeNotOSI,
	"licenseref-callaway-public-domain":             FreeNotOSI,
	"licenseref-callaway-bsd-with-advertising":      FreeNotOSI,
	"licenseref-callaway-copyright-only":            FreeNotOSI,
	"licenseref-fedora-public-domain":               FreeNotOSI,
	"licenseref-fedora-firmware":                    Restricted,
	"licenseref-fedora-bsd":                         FreeNotOSI, // Fedora: BSD without advertising, in all variants
	"licenseref-fedora-copyright-only":              FreeNotOSI, // this and the next: free by Fedora's list
	"licenseref-fedora-ultrapermissive":             FreeNotOSI,
	"licenseref-fedora-mit-with-advertising":        FreeNotOSI,
	"licenseref-fedora-ucd":                         FreeNotOSI,
	"licenseref-fedora-hsrl":                        FreeNotOSI,
	"licenseref-fedora-newmat":                      FreeNotOSI,
	"licenseref-fedora-mx":                          FreeNotOSI,
	"licenseref-fedora-cc-by":                       DocsData,
	"licenseref-fedora-cc-by-sa":                    DocsData,
	"licenseref-fedora-redistributable":             Restricted, // Fedora: firmware that may not be changed
	"licenseref-suse-permissive":                    FreeNotOSI,
	"licenseref-suse-firmware":                      Restricted,
	"licenseref-suse-nonfree":                       Restricted,
	"licenseref-suse-freeware":                      Restricted,
	"licenseref-apk-bsd":                            Unknown,    // several texts
	"licenseref-rsalv1":                             Restricted, // Redis Source Available License 1
	"licenseref-rsalv2":                             Restricted, // Redis Source Available License 2
	"licenseref-commons-clause":                     Restricted,
	"licenseref-confluent-community-1.0":            Restricted,
	"licenseref-sonatype-ce":                        Restricted, // end-user agreement of Nexus Repository Community Edition
	"licenseref-elastic-1.0":                        Restricted,
	"licenseref-timescale":                          Restricted,
	"licenseref-cockroach-community":                Restricted,
	"licenseref-npm-unlicensed":                     Restricted, // npm: "UNLICENSED" grants nobody anything
	"licenseref-pegel-proprietary":                  Restricted,
	"licenseref-pegel-proprietary-eula":             Restricted,
	"licenseref-scancode-commercial-license":        Restricted,
	"licenseref-scancode-proprietary-license":       Restricted,
	"licenseref-scancode-confluent-community-1.0":   Restricted,
	"licenseref-scancode-elastic-license-2018":      Restricted,
	"licenseref-scancode-rsal-2.0":                  Restricted,
	"licenseref-scancode-commons-clause":            Restricted,
	"licenseref-scancode-mongodb-sspl-1.0":          Restricted,
	"licenseref-scancode-business-source-license-1": Restricted,
}
