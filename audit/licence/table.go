package licence

// names maps the keys (see keyOf) of what people write to SPDX expressions. Names that differ only in case, spaces, a
// missing ".0", "+", or belong to a GNU licence need no row. Sources: Debian's machine-readable copyright format and the
// copyright files of Debian 12; the trove classifiers of PyPI; the documentation of npm; labels of kolla images.
var names = map[string]string{
	// MIT and relatives
	"expat": "MIT", "mit-expat": "MIT", "mit-x11": "MIT", "mit-style": "MIT", "osi-approved-mit": "MIT", "mit-no-attribution-mit-0": "MIT-0",
	"mit-0": "MIT-0", "x-11": "X11", "x11-mit": "X11", "isc-iscl": "ISC", "iscl": "ISC", "internet-systems-consortium": "ISC",
	// Apache
	"apache": "Apache-2.0", "asl": "Apache-2.0", "asl-2": "Apache-2.0", "asl-2.0": "Apache-2.0", "apache-software": "Apache-2.0",
	"apache-software-2.0": "Apache-2.0", "apache-software-2": "Apache-2.0", "apache2": "Apache-2.0", "apache2.0": "Apache-2.0",
	"apachev2": "Apache-2.0", "apachev2.0": "Apache-2.0", "apache-2": "Apache-2.0", "al-2.0": "Apache-2.0", "al2": "Apache-2.0",
	"asl-1.1": "Apache-1.1", "apache-software-1.1": "Apache-1.1", "apache-2.0-with-llvm-exception": "Apache-2.0 WITH LLVM-exception",
	"apache-2-llvm-exceptions": "Apache-2.0 WITH LLVM-exception",
	// BSD: the bare names are decided by the text only
	"bsd-2": "BSD-2-Clause", "bsd2": "BSD-2-Clause", "bsd-2-clauses": "BSD-2-Clause", "2-clause-bsd": "BSD-2-Clause", "bsd-2clause": "BSD-2-Clause",
	"simplified-bsd": "BSD-2-Clause", "bsd-simplified": "BSD-2-Clause", "freebsd": "BSD-2-Clause", "bsd-3": "BSD-3-Clause", "bsd3": "BSD-3-Clause",
	"bsd-3-clauses": "BSD-3-Clause", "3-clause-bsd": "BSD-3-Clause", "bsd-3clause": "BSD-3-Clause", "new-bsd": "BSD-3-Clause", "bsd-new": "BSD-3-Clause",
	"modified-bsd": "BSD-3-Clause", "revised-bsd": "BSD-3-Clause", "bsd-4": "BSD-4-Clause", "bsd-4-clauses": "BSD-4-Clause", "original-bsd": "BSD-4-Clause",
	"bsd-1": "BSD-1-Clause", "zero-clause-bsd": "0BSD", "bsd-0-clause": "0BSD", "bsd-zero-clause": "0BSD",
	// GNU names that no rule reads
	"gplv2-only": "GPL-2.0-only", "gplv3-only": "GPL-3.0-only", "lgplv2.1-only": "LGPL-2.1-only", "lgpl-2.0+-or-mit": "LGPL-2.0-or-later OR MIT",
	"lesser-gpl": "LGPL-2.1-or-later", "general-public-2-gplv2": "GPL-2.0-only", "general-public-3-gplv3": "GPL-3.0-only",
	"general-public-2-or-later-gplv2+": "GPL-2.0-or-later", "general-public-3-or-later-gplv3+": "GPL-3.0-or-later",
	"lesser-general-public-2-lgplv2": "LGPL-2.0-only", "lesser-general-public-3-lgplv3": "LGPL-3.0-only",
	"lesser-general-public-2-or-later-lgplv2+": "LGPL-2.0-or-later", "lesser-general-public-3-or-later-lgplv3+": "LGPL-3.0-or-later",
	"affero-general-public-3": "AGPL-3.0-only", "affero-general-public-3-or-later-agplv3+": "AGPL-3.0-or-later",
	"library-or-lesser-general-public-lgpl": "LGPL-2.0-or-later", "general-public-gpl": "GPL-1.0-or-later",
	// Perl and Artistic
	"artistic": "Artistic-1.0-Perl", "artistic-1": "Artistic-1.0-Perl", "artistic2": "Artistic-2.0", "perl": "Artistic-1.0-Perl OR GPL-1.0-or-later",
	"perl-5": "Artistic-1.0-Perl OR GPL-1.0-or-later", "perl5": "Artistic-1.0-Perl OR GPL-1.0-or-later", "same-as-perl": "Artistic-1.0-Perl OR GPL-1.0-or-later",
	// Mozilla, Eclipse, Sun
	"mozilla-public-2.0": "MPL-2.0", "mozilla-public-2.0-mpl-2.0": "MPL-2.0", "mozilla-public-1.1": "MPL-1.1", "mozilla-public-1.1-mpl-1.1": "MPL-1.1",
	"mozilla-public-1.0": "MPL-1.0", "mplv2": "MPL-2.0", "mplv2.0": "MPL-2.0", "mplv1.1": "MPL-1.1", "eclipse-public-1.0": "EPL-1.0", "eclipse-public-1.0-epl-1.0": "EPL-1.0",
	"eclipse-public-2.0": "EPL-2.0", "eclipse-public-2.0-epl-2.0": "EPL-2.0", "eplv1": "EPL-1.0", "eplv2": "EPL-2.0", "eclipse-distribution-1.0": "BSD-3-Clause",
	"edl-1.0": "BSD-3-Clause", "cddl": "CDDL-1.0", "common-development-and-distribution-1.0-cddl-1.0": "CDDL-1.0", "common-public-1.0": "CPL-1.0",
	// others by name
	"boost": "BSL-1.0", "boost-1.0": "BSL-1.0", "boost-software-1.0": "BSL-1.0", "boost-software-1.0-bsl-1.0": "BSL-1.0", "boost-software": "BSL-1.0",
	"zlib-libpng": "Zlib", "zlib-png": "Zlib", "openldap-2.8": "OLDAP-2.8", "openldap": "OLDAP-2.8", "openldap-public-2.8": "OLDAP-2.8",
	"psfl": "PSF-2.0", "psf": "PSF-2.0", "psf-2": "PSF-2.0", "python-software-foundation": "PSF-2.0", "python": "Python-2.0", "python-2": "Python-2.0",
	"zope-public": "ZPL-2.1", "zpl": "ZPL-2.1", "zope-public-2.1": "ZPL-2.1", "unlicense-unlicense": "Unlicense", "un": "Unlicense",
	"universal-permissive-upl": "UPL-1.0", "cc0": "CC0-1.0", "cc0-1.0-universal": "CC0-1.0", "cc0-1.0-universal-cc0-1.0-public-domain-dedication": "CC0-1.0",
	"cc-0": "CC0-1.0", "cc-zero": "CC0-1.0", "sil-open-font-1.1": "OFL-1.1", "sil-open-font-1.1-ofl-1.1": "OFL-1.1", "sil-1.1": "OFL-1.1", "ofl": "OFL-1.1",
	"wtfpl-2": "WTFPL", "ncsa-university-of-illinois": "NCSA", "university-of-illinois-ncsa-open-source": "NCSA", "uiuc": "NCSA", "w3c-software": "W3C",
	"european-union-public-1.1-eupl-1.1": "EUPL-1.1", "european-union-public-1.2-eupl-1.2": "EUPL-1.2", "postgresql-db": "PostgreSQL", "bzip2": "bzip2-1.0.6",
	"historical-permission-notice-and-disclaimer-hpnd": "HPND", "historical-permission-notice-and-disclaimer": "HPND", "freetype": "FTL", "academic-free-afl": "AFL-3.0",
	"tcl-tk": "TCL", "ruby": "Ruby", "php-3.01": "PHP-3.01", "beer-ware": "Beerware", "curl-style": "curl", "vim": "Vim", "sissl": "SISSL", "ftl": "FTL", "fsf-unlimited": "FSFULLR",
	// dedications to the public
	"public-domain": publicDomain, "public-domain-dedication": publicDomain, "pd": publicDomain, "publicdomain": publicDomain, "in-the-public-domain": publicDomain,
	"this-work-is-in-the-public-domain": publicDomain, "licenseref-public-domain": publicDomain, "sdbm-public-domain": publicDomain, "unencumbered": publicDomain,
	// source available and proprietary
	"business-source-1.1": "BUSL-1.1", "busl": "BUSL-1.1", "busl-1.1": "BUSL-1.1", "bsl-1.1": "BUSL-1.1", "bsl1.1": "BUSL-1.1", "sspl": "SSPL-1.0", "sspl-1": "SSPL-1.0", "ssplv1": "SSPL-1.0",
	"server-side-public-1": "SSPL-1.0", "server-side-public": "SSPL-1.0", "elastic": "Elastic-2.0", "elastic-2": "Elastic-2.0", "elv2": "Elastic-2.0",
	"rsal": "LicenseRef-RSALv2", "rsalv2": "LicenseRef-RSALv2", "rsal-2.0": "LicenseRef-RSALv2", "rsalv1": "LicenseRef-RSALv1", "redis-source-available-2.0": "LicenseRef-RSALv2",
	"redis-source-available": "LicenseRef-RSALv2", "commons-clause": "LicenseRef-Commons-Clause", "confluent-community": "LicenseRef-Confluent-Community-1.0",
	"confluent-community-1.0": "LicenseRef-Confluent-Community-1.0", "ccl-1.0": "LicenseRef-Confluent-Community-1.0", "proprietary": "LicenseRef-pegel-proprietary",
	"other-proprietary": "LicenseRef-pegel-proprietary", "all-rights-reserved": "LicenseRef-pegel-proprietary", "commercial": "LicenseRef-pegel-proprietary", "eula": "LicenseRef-pegel-proprietary-EULA",
	"polyform-noncommercial": "PolyForm-Noncommercial-1.0.0", "fsl-1.1-apache-2.0": "FSL-1.1-ALv2", "fsl-1.1-alv2": "FSL-1.1-ALv2", "sustainable-use-1.0": "SUL-1.0",
	// poms and manifests
	"mit-mit": "MIT", "bouncy-castle": "MIT", "go": "BSD-3-Clause", "universal-permissive-1.0": "UPL-1.0", "universal-permissive": "UPL-1.0", "json": "JSON",
	"gpl2-w-cpe": "GPL-2.0-only WITH Classpath-exception-2.0", "gplv2-w-cpe": "GPL-2.0-only WITH Classpath-exception-2.0", "gplv2+ce": "GPL-2.0-only WITH Classpath-exception-2.0",
	"cddl-gplv2+ce": "CDDL-1.0 OR GPL-2.0-only WITH Classpath-exception-2.0", "cddl+gpl": "CDDL-1.0 OR GPL-2.0-only", "cddl+gpl-1.1": "CDDL-1.1 OR GPL-2.0-only",
	"dual-consisting-of-the-cddl-1.1-and-gpl-2": "CDDL-1.1 OR GPL-2.0-only", "public-domain-per-creative-commons-cc0": "CC0-1.0", "apache-public-2.0": "Apache-2.0",
	"bsd-3-clause-new-or-revised": "BSD-3-Clause", "bsd-2-clause-simplified": "BSD-2-Clause", "bsd-3-clause-new": "BSD-3-Clause", "bsd-3-clause-revised": "BSD-3-Clause",
	"inner-net": "Inner-Net-2.0",
	// classifiers of PyPI that are no licence but tell the class
	"dfsg-approved": "LicenseRef-pegel-DFSG-approved", "free-for-educational-use": "LicenseRef-pegel-non-commercial", "free-for-non-commercial-use": "LicenseRef-pegel-non-commercial",
	"free-for-home-use": "LicenseRef-pegel-non-commercial", "free-to-use-but-restricted": "LicenseRef-pegel-proprietary",
	// words that say nothing
	"unknown": noAssertion, "n-a": noAssertion, "other": noAssertion, "see-file": noAssertion, "see-in-file": noAssertion, "tbd": noAssertion, "todo": noAssertion, "dual": noAssertion,
	// classifiers of PyPI, without the words "License ::"
	"osi-approved-bsd": "LicenseRef-pegel-OSI-Approved-BSD", "osi-approved": noAssertion,
}

const publicDomain = "LicenseRef-scancode-public-domain"

// listNames holds the names that mean something else in one list than elsewhere. In Debian they are local names of several
// texts, of which only the text in the same file tells which it is.
var listNames = map[List]map[string]string{
	Debian: {"bsd": "LicenseRef-debian-BSD", "psf": "LicenseRef-debian-PSF", "python": "LicenseRef-debian-Python", "bsl": "LicenseRef-debian-BSL",
		"intel": "LicenseRef-debian-Intel",
		"opl-1": "LicenseRef-debian-OPL-1", "opl-1.0": "LicenseRef-debian-OPL-1", "opl-1+": "LicenseRef-debian-OPL-1"},
	NPM: {"unlicensed": "LicenseRef-npm-UNLICENSED"},
	RPM: rpmNames,
	APK: apkNames,
}
