package runbook

import (
	"bytes"
	"math"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit/transparency"
)

// Kinds of secrets in plain text.
const (
	privateKey       = "private-key"
	password         = "password"
	token            = "token"
	cloudCredentials = "cloud-credentials"
	cephKey          = "ceph-key"
)

// maxLine is the longest line that is looked at: longer ones are built by programs, such as scripts of web pages.
const maxLine = 8 << 10

// secrets finds secrets that stand in a file in plain text. It returns kind and line, never the secret or a part of it. What
// is encrypted, a placeholder, an example, a name of another place, or part of a test is none: whoever reads such a finding
// has to act, and a list full of examples is not read twice. allowed are texts in which the owner of the repository lists, for
// scanners, what is no secret; what stands there is counted apart.
func secrets(name string, data []byte, allowed string) (found []transparency.Secret, excused int) {
	f := secretFile{name: name, lower: strings.ToLower(name), source: isSource(name)}
	f.example, f.cloud = isExample(f.lower), isCloudFile(f.lower)
	if f.example || encrypted(data) || machineMade(f.lower) || isAllowList(f.lower) {
		return nil, 0
	}
	f.sealed = bytes.Contains(data, []byte("kind: SealedSecret"))
	lines := bytes.Split(data, []byte("\n"))
	for i, line := range lines {
		if len(line) > maxLine {
			continue
		}
		switch kind, value := f.line(string(bytes.TrimRight(line, "\r")), lines[i+1:]); {
		case kind == "":
		case strings.Contains(allowed, value):
			excused++
		default:
			found = append(found, transparency.Secret{Kind: kind, Path: name, Line: i + 1})
		}
	}
	return found, excused
}

// isAllowList reports files in which people tell scanners what is no secret: gitleaks and its kin, detect-secrets.
func isAllowList(lower string) bool {
	switch path.Base(lower) {
	case ".gitleaks.toml", "gitleaks.toml", ".betterleaks.toml", ".gitleaksignore", ".secrets.baseline", ".secretlintignore":
		return true
	}
	return false
}

// secretFile is what the name of a file says about its lines.
type secretFile struct {
	name, lower                    string
	source, example, cloud, sealed bool
}

// line returns the kind of secret that begins in a line, and what it is recognised by; empty if there is none.
func (f secretFile) line(line string, rest [][]byte) (kind, value string) {
	if strings.Contains(line, "PRIVATE KEY") {
		if body := keyBehind(line, rest); body != "" {
			return privateKey, body
		}
	}
	if kind, value := knownShape(line); kind != "" {
		return kind, value
	}
	if f.sealed || commented(line) {
		return "", ""
	}
	return f.assigned(line)
}

// commented reports lines that are comments in configuration: there stand the defaults that a program brings along.
func commented(line string) bool {
	line = strings.TrimSpace(line)
	return strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") || strings.HasPrefix(line, "//")
}

// encrypted reports files that are encrypted as a whole: Ansible Vault, git-crypt, age, OpenPGP, and other binary ones.
func encrypted(data []byte) bool {
	head := data[:min(len(data), 1024)]
	return bytes.HasPrefix(bytes.TrimSpace(head), []byte("$ANSIBLE_VAULT;")) || bytes.HasPrefix(head, []byte("age-encryption.org/")) ||
		bytes.HasPrefix(head, []byte("-----BEGIN PGP MESSAGE")) || bytes.IndexByte(head, 0) >= 0
}

// machineMade reports lists of versions with checksums, and minified scripts.
func machineMade(lower string) bool {
	base := path.Base(lower)
	return strings.HasSuffix(base, ".lock") || strings.HasSuffix(base, ".min.js") || strings.HasSuffix(base, ".svg") || strings.HasSuffix(base, ".drawio") ||
		slices.Contains([]string{"package-lock.json", "go.sum", "pnpm-lock.yaml", "jsonnetfile.lock.json"}, base)
}

// exampleParts are directories and beginnings of names whose contents are examples or made for tests.
var exampleParts = regexp.MustCompile(`(^|/)(tests?|testing|testdata|fixtures?|molecule|([a-z0-9]+[_-])?examples?|samples?|mocks?|specs?|e2e|unit|functional|node_modules|vendor|third_party)/|(^|/)(test_|example[._-]|sample[._-])|[._-](example|sample|dist|tests?|spec)(\.[a-z0-9]+)*$|_test\.[a-z]+$|snakeoil|insecure`)

func isExample(lower string) bool { return exampleParts.MatchString(lower) }

// isSource reports files of programming languages, in which a value without quotes is the name of something else.
func isSource(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".go", ".py", ".js", ".ts", ".jsx", ".tsx", ".rb", ".java", ".kt", ".c", ".h", ".cc", ".cpp", ".rs", ".php", ".pl", ".lua", ".cs", ".scala", ".ex",
		".exs", ".erl", ".nix", ".tf", ".hcl", ".jsonnet", ".libsonnet", ".groovy", ".gradle", ".swift", ".ps1", ".sql":
		return true
	}
	return false
}

// isCloudFile reports files in which OpenStack clients look for credentials: clouds.yaml, secure.yaml
// (openstacksdk: doc/source/user/config/configuration.rst) and the openrc files that Horizon offers.
func isCloudFile(lower string) bool {
	base := path.Base(lower)
	return slices.Contains([]string{"clouds.yaml", "clouds.yml", "secure.yaml", "secure.yml", "clouds-public.yaml"}, base) || strings.Contains(base, "openrc")
}

// keyHeader matches the first line of a private key in PEM form (RFC 7468) and of OpenPGP (RFC 9580, section 6.2). A key that
// says that it is encrypted has another header, except for the old form, see keyBehind.
var keyHeader = regexp.MustCompile(`-----BEGIN (?:(?:RSA|EC|DSA|OPENSSH|PGP) )?PRIVATE KEY(?: BLOCK)?-----(.*)$`)

// keyBody matches 40 signs of Base64 in a row; in a real key every line but the last has 64 or 70.
var keyBody = regexp.MustCompile(`^[A-Za-z0-9+/]{40}`)

// keyBehind returns the first line of the key that follows a header; empty if there is none: documents and programs name the
// header alone, or leave the key out.
func keyBehind(line string, rest [][]byte) string {
	m := keyHeader.FindStringSubmatch(line)
	if m == nil {
		return ""
	}
	const look = 6 // lines: headers of the old forms stand between
	following := strings.ReplaceAll(m[1], `\n`, "\n") + "\n"
	for _, l := range rest[:min(look, len(rest))] {
		following += string(l[:min(len(l), 200)]) + "\n"
	}
	if strings.Contains(following, "Proc-Type: 4,ENCRYPTED") {
		return ""
	}
	for l := range strings.SplitSeq(following, "\n") {
		l = strings.Trim(l, " \t\r\"'#*|")
		if keyBody.MatchString(l) {
			if sealedOpenSSH(l) || bitsPerSign(l) <= 3 {
				return ""
			}
			return l
		}
	}
	return ""
}

// sealedOpenSSH reports a key of OpenSSH that a passphrase protects: the name of a cipher follows the magic word
// (openssh: PROTOCOL.key); of one without, the name is "none".
func sealedOpenSSH(body string) bool {
	const magic, none = "b3BlbnNzaC1rZXktdjEA", "b3BlbnNzaC1rZXktdjEAAAAABG5vbm"
	return strings.HasPrefix(body, magic) && !strings.HasPrefix(body, none)
}

// shapes are secrets that can be told by their form alone, as the services describe it: GitHub (docs: "token formats"), GitLab
// (docs: "token prefixes"), Slack, Google API keys, npm, PyPI (macaroons), HashiCorp Vault 1.10, age (C2SP/age), Stripe, Ceph
// (ceph: src/auth/Crypto.cc: type, time, length 16, 16 bytes), keys of Kubernetes clients.
var shapes = []struct {
	kind   string
	within string // of every match
	form   *regexp.Regexp
}{
	{token, "gh", regexp.MustCompile(`\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})\b`)},
	{token, "glpat-", regexp.MustCompile(`\bglpat-[A-Za-z0-9_-]{20,}`)},
	{token, "xox", regexp.MustCompile(`\bxox[abprs]-[0-9]{8,}-[A-Za-z0-9-]{20,}`)},
	{token, "hooks.slack.com", regexp.MustCompile(`hooks\.slack\.com/services/T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/[A-Za-z0-9]{24}`)},
	{token, "AIza", regexp.MustCompile(`\bAIza[0-9A-Za-z_-]{35}\b`)},
	{token, "npm_", regexp.MustCompile(`\bnpm_[A-Za-z0-9]{36}\b`)},
	{token, "pypi-", regexp.MustCompile(`\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}`)},
	{token, "hvs.", regexp.MustCompile(`\bhvs\.[A-Za-z0-9_-]{24,}`)},
	{token, "sk_live_", regexp.MustCompile(`\bsk_live_[A-Za-z0-9]{24,}`)},
	{privateKey, "AGE-SECRET-KEY-1", regexp.MustCompile(`\bAGE-SECRET-KEY-1[0-9A-Z]{58}\b`)},
	{privateKey, "client-key-data", regexp.MustCompile(`client-key-data["']?:\s*["']?[A-Za-z0-9+/]{200,}`)},
	{cephKey, "==", regexp.MustCompile(`(?:^|[\s"'=:])AQ[A-Za-z0-9+/]{36}==(?:$|[\s"',])`)},
}

func knownShape(line string) (kind, value string) {
	for _, s := range shapes {
		if !strings.Contains(line, s.within) {
			continue
		}
		if m := s.form.FindString(line); m != "" && bitsPerSign(m) > 3.2 && !strings.Contains(strings.ToLower(m), "example") {
			return s.kind, strings.Trim(m, " \t\"'=:,")
		}
	}
	return "", ""
}

// assignment matches what looks like a value for a name that ends in a word for a secret.
var assignment = regexp.MustCompile(`(?i)(?:^|[\s"'{,(\[;-])([a-z0-9_.\[\]-]*?(pass|passwd|password|passphrase|secret|secret[_-]?key|token|api[_-]?key|access[_-]?key|private[_-]?key|(?:auth|encryption|crypto|rndc|signing|hmac|master|fernet|shared)[_-]?key))["'\]]*\s*(?::=|=>|[=:])\s*(?:"([^"]*)"|'([^']*)'|([^\s"',;#]+))`)

// userInfo matches a password in an address.
var userInfo = regexp.MustCompile(`[a-z][a-z0-9+]*://[^\s/:@"'<>{}$]+:([^\s/@"'<>{}$]+)@[A-Za-z0-9.-]`)

// secretWords are what every line with an assignment holds, in lower case.
var secretWords = []string{"pass", "secret", "token", "key"}

func (f secretFile) assigned(line string) (kind, value string) {
	lower := strings.ToLower(line)
	if strings.Contains(line, "://") && strings.Contains(line, "@") {
		for _, m := range userInfo.FindAllStringSubmatch(line, 4) {
			if random(m[1]) {
				return password, m[1]
			}
		}
	}
	if !slices.ContainsFunc(secretWords, func(w string) bool { return strings.Contains(lower, w) }) {
		return "", ""
	}
	for _, m := range assignment.FindAllStringSubmatch(line, 8) {
		quoted := m[3] + m[4]
		value := quoted + m[5]
		if quoted == "" && f.source || strings.Contains(strings.ToLower(m[1]), "public") {
			continue
		}
		switch {
		case f.cloud && credential(value):
			return cloudCredentials, value
		case !random(value):
		case strings.Contains(strings.ToLower(m[2]), "pass"):
			return password, value
		case isUUID(value):
			// The id of something, unless it stands for a password.
		default:
			return token, value
		}
	}
	return "", ""
}

// reference matches values that stand for something else: templates, variables, encrypted text, other files, addresses, calls.
var reference = regexp.MustCompile(`[{}<>()\[\]$%*|]|\.\.\.|__|^[!~./&@]|^(?:ENC|vault|env|file|op|arn|https?|projects?):|://|^[A-Za-z_]+(?:\.[A-Za-z_]+)+$|-vault-`)

// placeholder matches words of values that are no secrets: what people write instead of one.
var placeholder = regexp.MustCompile(`(?i)change|example|placeholder|replace|your|dummy|sample|secret|passw|token|default|insert|redact|xxxx|todo|foobar|qwert|12345|abcde|secure|safe|vault|lookup|encrypted|generat|hidden|omitted|removed|unset|undefined|test|demo|mysql|admin`)

// leastRandom is the shortest value that can be told from a word, and leastBits how much each of its signs says at least. Base64
// and the passwords that kolla-genpwd and pwgen make lie above, words and names below.
const (
	leastRandom = 12
	leastBits   = 2.8
)

// random reports whether a value looks as if a program made it up: long, of letters and digits, without words for examples.
func random(value string) bool {
	if len(value) < leastRandom || len(value) > 512 || strings.ContainsAny(value, " \t\\") || reference.MatchString(value) || placeholder.MatchString(value) {
		return false
	}
	if isUUID(value) {
		return true
	}
	letters, digits, upper := 0, 0, 0
	for _, r := range value {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r >= 'a' && r <= 'z':
			letters++
		case r >= 'A' && r <= 'Z':
			letters, upper = letters+1, upper+1
		case r > 0x7e:
			return false
		}
	}
	return letters > 0 && digits > 0 && (digits > 1 || upper > 0) && !wordy(value) && bitsPerSign(value) >= leastBits
}

// words matches names that are made of words and numbers, such as st01-mgmt-r01, v1.2.3-alpha or Keystone2: short runs of one
// kind with separators between, or one word with digits at its end.
var words = regexp.MustCompile(`^(?:[A-Za-z]{0,12}[0-9]{0,4}[_.:/-])+[A-Za-z]{0,12}[0-9]{0,4}$|^[A-Z]?[a-z]+[0-9]+$|^[A-Z]+[0-9]+$|^[0-9]{4}-[0-9]{2}-[0-9]{2}`)

func wordy(value string) bool { return words.MatchString(value) }

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

func isUUID(value string) bool { return uuid.MatchString(value) && bitsPerSign(value) > 3 }

// credential reports whether a value in a file for OpenStack clients is a password: there weak ones count too, words for
// examples do not.
func credential(value string) bool {
	return len(value) >= 6 && !strings.ContainsAny(value, " \t\\") && !reference.MatchString(value) && !placeholder.MatchString(value)
}

// bitsPerSign is the entropy of the signs of a text.
func bitsPerSign(s string) float64 {
	var counts [256]int
	for i := range len(s) {
		counts[s[i]]++
	}
	bits := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(s))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}
