package copyright

// Words of the two places that are no services.
const (
	wordMirror  = "package-mirror"
	wordModules = "module-cache"
)

// kinds lists every kind of place in the order in which they are asked: the package itself, then copyright services of
// distributions, then registries (reference: order of sources when an image has no copyright files). A new one is a new
// file and a line here.
func kinds() []kind {
	return []kind{
		{word: wordMirror, about: aboutDeb, ask: askMirror, purpose: "copyright files in packages"},
		{word: "debsources", base: "https://sources.debian.org", about: aboutDebian, ask: askDebsources, purpose: "copyright files of source packages"},
		{word: "debian-changelogs", base: "https://metadata.ftp-master.debian.org/changelogs", about: aboutDebian, ask: askDebianChangelogs, purpose: "copyright files of source packages"},
		{word: "ubuntu-changelogs", base: "https://changelogs.ubuntu.com/changelogs/pool", about: aboutUbuntu, ask: askUbuntuChangelogs, purpose: "copyright files of source packages"},
		{word: wordModules, about: aboutGo, ask: askModuleCache, purpose: "licence texts of Go modules"},
		{word: "go", env: "GOPROXY", about: aboutGo, ask: askGoProxy, purpose: "licence texts of Go modules"},
		{word: "pypi", base: "https://pypi.org", about: aboutPython, ask: askPyPI, purpose: "metadata of Python packages"},
		{word: "npm", env: "NPM_CONFIG_REGISTRY", about: aboutNPM, ask: askNPM, purpose: "metadata of npm packages"},
		{word: "maven", base: "https://repo1.maven.org/maven2", about: aboutMaven, ask: askMaven, purpose: "project files (pom) of Java packages"},
		{word: "crates", base: "https://crates.io", about: aboutCrate, ask: askCrates, purpose: "metadata of Rust packages"},
	}
}
