package gitlog

import (
	"path"
	"regexp"
	"strings"
)

// This file says by which names files are found. All names are compared in lower case. The tables are facts about
// conventions: GitHub's community files, the OpenSSF Scorecard checks of the same names, the layout of OpenStack, CNCF and
// mailing-list projects.

// proseExtensions are extensions of documents that people read.
var proseExtensions = map[string]bool{
	"": true, ".md": true, ".markdown": true, ".rst": true, ".txt": true, ".adoc": true, ".asciidoc": true, ".org": true,
	".html": true, ".yml": true, ".yaml": true, ".toml": true, ".in": true,
}

// proseStem cuts a documentation extension; prose is false for files of other kinds.
func proseStem(base string) (stem string, prose bool) {
	ext := path.Ext(base)
	if ext == base {
		ext = "" // .mailmap and the like
	}
	return strings.NewReplacer("_", "-", " ", "-").Replace(strings.TrimSuffix(base, ext)), proseExtensions[ext]
}

// vendoredParts are directories whose contents belong to somebody else, or are samples.
var vendoredParts = map[string]bool{
	"vendor": true, "vendored": true, "third_party": true, "third-party": true, "thirdparty": true, "3rdparty": true,
	"node_modules": true, "deps": true, "bower_components": true, "godeps": true, "external": true, "extern": true,
	"testdata": true, "fixtures": true, "site-packages": true, "subprojects": true,
}

// sideParts are directories that are not part of the product: a licence file there covers documents or samples only.
var sideParts = map[string]bool{
	"doc": true, "docs": true, "documentation": true, "test": true, "tests": true, "testing": true, "example": true,
	"examples": true, "samples": true, "contrib": true, "site": true, "website": true, "static": true, "logo": true, "logos": true,
	"artwork": true, "branding": true,
}

// pageParts are directories of documentation.
var pageParts = map[string]bool{"doc": true, "docs": true, "documentation": true, "site": true, "website": true}

// productParts are directories in which vendors keep parts of another edition (indicator OS-04).
var productParts = map[string]bool{
	"ee": true, "enterprise": true, "pro": true, "premium": true, "commercial": true, "x-pack": true, "enterprise-edition": true,
}

func hasPart(lower string, parts map[string]bool) bool {
	for dir := range strings.SplitSeq(path.Dir(lower), "/") {
		if parts[dir] {
			return true
		}
	}
	return false
}

func isVendored(lower string) bool { return hasPart(lower, vendoredParts) }

// licenceName matches the usual names of licence files: LICENSE, LICENCE, COPYING, UNLICENSE, with a suffix.
var licenceName = regexp.MustCompile(`^(un)?licen[cs]es?([.-].*)?$|^copying([.-].*)?$|^mit-licen[cs]e.*$|^[a-z0-9]+-licen[cs]e$`)

func isLicenceName(f file) bool {
	switch path.Ext(f.base) {
	case ".go", ".py", ".c", ".h", ".js", ".ts", ".java", ".rb", ".sh", ".pl", ".erl", ".json", ".yml", ".yaml", ".css", ".png", ".svg", ".tmpl", ".tpl", ".html", ".rs", ".xml", ".mk", ".bzl", ".bazel", ".csv",
		".scss", ".sass", ".less", ".hbs", ".vue", ".tsx", ".jsx", ".gif", ".jpg", ".ico", ".spec", ".template", ".golden", ".sql", ".out":
		return false
	case "":
		if f.mode == "100755" && strings.HasSuffix(f.stem, "-license") {
			return false // a program such as check-license
		}
	}
	return licenceName.MatchString(strings.ReplaceAll(f.base, "_", "-"))
}

// topic is a kind of evidence and the rule by which files are taken for it.
type topic struct {
	name  string
	holds func(file) bool
}

// stems makes a rule for documents by name, anywhere in the tree.
func stems(pattern string) func(file) bool {
	re := regexp.MustCompile(`^(?:` + pattern + `)$`)
	return func(f file) bool { return f.prose && re.MatchString(f.stem) }
}

// paths makes a rule by the whole path. within are words of which every path that matches holds one (see newRule).
func paths(pattern string, within ...string) func(file) bool {
	r := newRule(pattern, within...)
	return func(f file) bool { return r.matches(f.lower) }
}

// atRoot makes a rule for documents whose names mean something else deeper in the tree.
func atRoot(pattern string) func(file) bool {
	holds := stems(pattern)
	return func(f file) bool { return f.depth() == 0 && holds(f) }
}

func either(rules ...func(file) bool) func(file) bool {
	return func(f file) bool {
		for _, holds := range rules {
			if holds(f) {
				return true
			}
		}
		return false
	}
}

// documentTopics are the topics of scoring.Tree.Documents. Security documents outside the usual places are taken only if
// their text is about reporting vulnerabilities (see confirmed).
var documentTopics = []topic{
	{"governance", stems(`governance|charter|steering(-committee)?|project-governance|technical-steering-committee`)},
	{"maintainers", stems(`maintainers|owners|owners-aliases|codeowners|committers|maintainers-list`)},
	{"code-of-conduct", stems(`code-?of-?conduct|conduct`)},
	{"contributing", stems(`contributing|contribute|hacking|how-to-contribute|contributor-guide|contribution-guide|contribution-guidelines|submitting-patches|contributing-to-[a-z0-9-]+`)},
	{"security", either(stems(`security|security-policy|security-insights|security-contacts|security-process|security-release-process|vulnerability|vulnerability-disclosure|vulnerability-management|reporting-security-issues|reporting-vulnerabilities|report-security`),
		paths(`(^|/)\.well-known/security\.txt$`, "security.txt"))},
	{"roadmap", stems(`roadmap|road-map|milestones|project-roadmap`)},
	{"changelog", either(stems(`changelog|change-log|changelog-[0-9v.x-]+`), atRoot(`changes|history|news|release-?notes`))},
	{"adopters", either(stems(`adopters|production-users|who-uses|whos-using|case-studies`), atRoot(`users`))},
	{"notice", stems(`notice|notices|third-party-notices|thirdpartynotices`)},
	{"trademark", stems(`trademarks?|trademark-policy|trademark-guidelines`)},
	{"patents", stems(`patents?|patent-grant|patent-policy`)},
	{"cla", stems(`cla|icla|ccla|contributor-licen[cs]e-agreement|contributor-agreement|individual-contributor-licen[cs]e-agreement|contributor-licen[cs]ing-agreement|copyright-assignment`)},
	{"dco", stems(`dco|developer-certificate-of-origin|developers-certificate-of-origin`)},
	{"funding", either(stems(`funding|sponsors|backers|sponsorship`), paths(`(^|/)funding\.json$`, "funding.json"))},
	{"sbom", paths(`(^|/)(sbom|bom)(\.[a-z0-9-]+)*\.(json|xml|spdx|yml|yaml)$|\.spdx(\.json|\.yml|\.yaml|\.rdf)?$|\.cdx\.(json|xml)$`, "bom", ".spdx", ".cdx.")},
	{"deprecation", stems(`deprecat(ed|ion|ions)(-policy)?|deprecation-and-removal|feature-deprecation`)},
	{"maintenance-policy", stems(`support|maintenance(-policy)?|support-policy|supported-versions|supported-releases|release-process|release-cycle|release-management|release-policy|releases|lifecycle|lts|stable-branches|stable-branch|versioning|version-policy|end-of-life|eol`)},
	{"secure-coding", stems(`secure-coding(-[a-z]+)?|security-guidelines|secure-development(-[a-z]+)?|security-checklist|coding-security`)},
}

// toolTopics are the topics of scoring.Tree.Tools that file names decide; proposals are directories, and contents decide
// the rest (see tools.go).
var toolTopics = []topic{
	{"ci", paths(`^\.github/workflows/[^/]+\.ya?ml$|^\.gitlab-ci\.yml$|^\.?zuul\.yaml$|^\.?zuul\.d/.+\.yaml$|^jenkinsfile[^/]*$|^\.jenkins/|^\.circleci/config\.ya?ml$|^\.travis\.yml$|^\.prow(/.+)?\.yaml$|^\.prow\.yaml$|^\.cirrus\.(yml|star)$|^azure-pipelines[^/]*\.yml$|^\.azure-pipelines/|^\.buildkite/|^\.drone\.(yml|jsonnet)$|^appveyor\.yml$|^\.appveyor\.yml$|^\.semaphore/|^\.woodpecker(/|\.ya?ml$)|^\.forgejo/workflows/|^\.gitea/workflows/|^bitbucket-pipelines\.yml$|^\.builds?/[^/]+\.yml$|^\.build\.yml$|^\.tekton/|^\.packit\.ya?ml$`)},
	{"dependency-update", paths(`^\.github/dependabot\.ya?ml$|^(\.github/|\.gitlab/)?renovate\.json5?$|^\.renovaterc(\.json5?)?$|^\.pyup\.yml$|^\.dependabot/config\.yml$|^(\.github/)?updatecli/.+\.ya?ml$`)},
	{"fuzzing", paths(`(^|/)fuzz_[a-z0-9_]+\.(py|c|cc|cpp|go|rs)$|(^|/)[a-z0-9_]*_?fuzz(er)?(_test)?\.(go|c|cc|cpp)$`, "fuzz")},
	{"mirror", paths(`^\.gitreview$`)},
	{"sast", paths(`^\.semgrep(\.ya?ml|/.+)$|^\.?bandit(\.ya?ml|\.toml)?$|^sonar-project\.properties$|^\.lgtm\.yml$|^\.snyk$|^(\.github/)?codeql[^/]*\.ya?ml$|^\.github/workflows/[^/]*(codeql|coverity|semgrep|gosec|bandit)[^/]*\.ya?ml$`)},
	{"config", readForTools},
	{"cla-bot", claBotFile},
	{"dco-bot", dcoBotFile},
	{"gate", paths(`^\.mergify\.yml$|^\.github/mergify\.yml$|^bors\.toml$`)},
}

// readForTools are files whose contents show tools: configuration of tests and linters. The topic "config" is not reported.
var readForTools = paths(`^tox\.ini$|^\.pre-commit-config\.yaml$|^setup\.cfg$|^pyproject\.toml$|^(test-)?requirements[^/]*\.txt$|^\.golangci\.(ya?ml|toml|json)$|^makefile(\.common)?$`)

// sourceExtensions are languages whose files can carry a licence header.
var sourceExtensions = map[string]bool{
	".c": true, ".h": true, ".cc": true, ".cpp": true, ".cxx": true, ".hpp": true, ".hh": true, ".go": true, ".py": true,
	".rs": true, ".java": true, ".kt": true, ".scala": true, ".js": true, ".jsx": true, ".ts": true, ".tsx": true, ".mjs": true,
	".rb": true, ".erl": true, ".hrl": true, ".ex": true, ".exs": true, ".lua": true, ".sh": true, ".pl": true, ".pm": true,
	".php": true, ".cs": true, ".swift": true, ".m": true, ".s": true, ".tcl": true, ".vue": true, ".hs": true, ".ml": true,
	".zig": true, ".proto": true,
}

var testParts = map[string]bool{
	"test": true, "tests": true, "testing": true, "spec": true, "specs": true, "unittests": true, "unit_tests": true, "e2e": true,
	"__tests__": true, "functional": true, "integration": true, "testsuite": true, "t": true, "reg-tests": true,
}

// testExtensions are languages in which only tests are written: varnishtest (HAProxy, Varnish), Bats, and the Autotest
// files of GNU projects. They are no source files, and carry no licence header as a rule.
var testExtensions = map[string]bool{".vtc": true, ".bats": true, ".at": true}

var testName = regexp.MustCompile(`^test[_-]|[_-]tests?\.[a-z]+$|[_-]spec\.[a-z]+$|\.(test|spec)\.[a-z]+$|_suite\.(erl|ex|exs)$|^test\.[a-z]+$`)

func isTest(f file) bool { return testName.MatchString(f.base) || hasPart(f.lower, testParts) }

// proposalDirs are directories in which projects keep design proposals, at the root or below a documentation directory.
var proposalDirs = newRule(`^(?:(?:docs?|documentation|docs?/source|contributors?)/)?(specs|proposals?|enhancements?|rfcs?|keps?|adrs?|decisions|design-proposals|architecture-decisions)/`)

// toolDirs are directories whose existence is evidence; they are reported as directories.
var toolDirs = []struct {
	topic string
	dir   *rule // matches the path up to and with the directory
}{
	{"fuzzing", newRule(`^(?:.*/)?(?:fuzz|fuzzing|fuzzers?|oss-?fuzz|\.clusterfuzzlite)/`, "fuzz")},
	{"conformance", newRule(`^(?:.*/)?(?:conformance(?:-?tests?)?|[a-z0-9_]*tempest_?plugin)/|^compliance/`, "conformance", "tempest", "compliance/")},
	{"changelog", newRule(`^releasenotes/notes/|^docs?/release-?notes/`)},
}

// releaseNote matches a release note of a project that keeps one file for each version in notes/, such as CoreDNS.
var releaseNote = newRule(`^(notes|release-?notes)/[a-z][a-z0-9-]*-v?[0-9]+(\.[0-9]+)*\.(md|rst|txt|adoc)$`, "notes/")

// leastNotes is how many such files make a series of release notes.
const leastNotes = 3

// directory returns the part of a file's path that a pattern for directories matched, in the spelling of the tree and
// without the slash at the end; empty if there is no match.
func (f file) directory(pattern *rule) string {
	m := pattern.find(f.lower)
	if m == "" || len(f.lower) != len(f.name) {
		return "" // a change of case that changes the length belongs to no convention
	}
	return f.name[:len(m)-1]
}

// proposalDirectory returns the directory, in the spelling of the tree, if the file is a proposal: a text in it.
func proposalDirectory(f file) (string, bool) {
	switch path.Ext(f.base) {
	case ".md", ".rst", ".txt", ".adoc", ".asciidoc":
	default:
		return "", false
	}
	if f.stem == "readme" || f.stem == "index" || f.stem == "template" {
		return "", false
	}
	dir := f.directory(proposalDirs)
	return dir, dir != ""
}

// ofIETF matches the names under which the IETF publishes: a directory that holds such documents is a copy of the standards
// that a program speaks, as doc/rfc of Squid, and no process of its own.
var ofIETF = regexp.MustCompile(`/(rfc-?[0-9]{3,5}|draft-[a-z0-9-]+-[0-9]{2})\.txt$`)

// binaryExtensions are files that programs are shipped in (the list of the Scorecard check Binary-Artifacts, and .ko).
var binaryExtensions = regexp.MustCompile(`\.(crx|deb|dex|dey|elf|o|a|macho|iso|class|jar|bundle|dylib|lib|msi|dll|drv|efi|exe|ocx|pyc|pyo|par|rpm|wasm|whl|ko|apk|war|so(\.[0-9.]+)?)$`)

// mayBeBinary takes files by extension, and executable files without any.
func mayBeBinary(f file) bool {
	return binaryExtensions.MatchString(f.base) || f.mode == "100755" && path.Ext(f.base) == ""
}
