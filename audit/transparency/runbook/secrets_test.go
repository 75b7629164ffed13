package runbook

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// made returns n signs as a password generator makes them; the same for each seed. No secret stands in this file.
func made(seed uint64, n int) string {
	const signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	r := rand.New(rand.NewPCG(seed, 7))
	var b strings.Builder
	for range n {
		b.WriteByte(signs[r.IntN(len(signs))])
	}
	return b.String()
}

// madeKey returns a private key of nobody: random bytes in the armour of a key.
func madeKey(kind string) string {
	r := rand.New(rand.NewPCG(3, 4))
	raw := make([]byte, 600)
	for i := range raw {
		raw[i] = byte(r.Uint32())
	}
	body := base64.StdEncoding.EncodeToString(raw)
	var b strings.Builder
	b.WriteString("-----BEGIN " + kind + "PRIVATE KEY-----\n")
	for len(body) > 64 {
		b.WriteString(body[:64] + "\n")
		body = body[64:]
	}
	return b.String() + body + "\n-----END " + kind + "PRIVATE KEY-----\n"
}

func found(name, text string) string {
	list, _ := secrets(name, []byte(text), "")
	var out []string
	for _, s := range list {
		out = append(out, fmt.Sprintf("%s:%d", s.Kind, s.Line))
	}
	return strings.Join(out, " ")
}

func TestSecretsInPlainTextAreFoundWithKindAndLine(t *testing.T) {
	pw := made(1, 32)
	ceph := "AQ" + made(9, 36) + "=="
	for _, c := range []struct{ name, file, text, want string }{
		{"kolla passwords", "etc/kolla/passwords.yml", "---\nnova_database_password: " + pw + "\n", "password:2"},
		{"quoted, of a program", "deploy/setup.py", "x = 1\nADMIN_PASSWORD = \"" + pw + "\"\n", "password:2"},
		{"environment", "compose/.env", "DB_PASS=" + pw + "\n", "password:1"},
		{"a UUID as a password", "vars.yml", "pulp_password: 0a1b2c3d-4e5f-4a6b-8c7d-9e8f7a6b5c4d\n", "password:1"},
		{"pem", "tls/key.pem", "-----BEGIN CERTIFICATE-----\n" + "MIIB" + pw + "\n-----END CERTIFICATE-----\n" + madeKey(""), "private-key:4"},
		{"rsa, indented in YAML", "secret.yml", "key: |\n  " + strings.ReplaceAll(madeKey("RSA "), "\n", "\n  "), "private-key:2"},
		{"in JSON on one line", "sa.json", `{"private_key": "` + strings.ReplaceAll(madeKey(""), "\n", `\n`) + `"}`, "private-key:1"},
		{"GitHub", "notes.md", "Use ghp_" + made(2, 36) + " for now.\n", "token:1"},
		{"GitLab", ".ci.yml", "  - curl --header 'PRIVATE-TOKEN: glpat-" + made(3, 20) + "'\n", "token:1"},
		{"ceph keyring", "ceph.client.nova.keyring", "[client.nova]\n\tkey = " + ceph + "\n", "ceph-key:2"},
		{"clouds.yaml, a weak one", "config/clouds.yaml", "clouds:\n  x:\n    auth:\n      username: u\n      password: yellowbanana\n", "cloud-credentials:5"},
		{"openrc", "admin-openrc.sh", "export OS_USERNAME=x\nexport OS_PASSWORD='tr0ub4dor'\n", "cloud-credentials:2"},
		{"application credential", "clouds.yml", "      application_credential_secret: \"" + pw + "\"\n", "cloud-credentials:1"},
		{"in an address", "env.yml", "url: rabbit://nova:" + pw + "@10.0.0.1:5672//\n", "password:1"},
		{"token of a service", "values.yaml", "  apiToken: " + pw + "\n", "token:1"},
		{"crypto key", "secrets.yml", "barbican_crypto_key: " + made(5, 43) + "=\n", "token:1"},
		{"age", "key.txt", "AGE-SECRET-KEY-1" + strings.ToUpper(made(6, 58)) + "\n", "private-key:1"},
		{"kubeconfig", "kube.conf", "    client-key-data: " + made(7, 300) + "\n", "private-key:1"},
	} {
		if got := found(c.file, c.text); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestWhatIsNoSecretIsLeftAlone(t *testing.T) {
	pw := made(1, 32)
	digest := strings.ToLower(fmt.Sprintf("%x", made(8, 32)))
	sealed := base64.StdEncoding.EncodeToString([]byte("openssh-key-v1\x00\x00\x00\x00\x0aaes256-ctr" + pw))
	for name, c := range map[string][2]string{
		"ansible vault":         {"secrets.yml", "$ANSIBLE_VAULT;1.1;AES256\npassword: " + pw + "\n"},
		"inline vault":          {"vars.yml", "db_password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  " + digest + "\n"},
		"sops":                  {"secrets.yaml", "password: ENC[AES256_GCM,data:" + pw + ",iv:x]\nsops:\n"},
		"sealed secret":         {"s.yaml", "kind: SealedSecret\nspec:\n  encryptedData:\n    password: AgB" + pw + pw + "\n"},
		"zuul":                  {".zuul.yaml", "password: !encrypted/pkcs1-oaep\n  - " + pw + "\n"},
		"jinja":                 {"x.yml", "password: \"{{ vault_db_password_" + pw + " }}\"\n"},
		"shell":                 {"run.sh", "PASSWORD=${OS_PASSWORD}\nTOKEN=$(get token 12345)\nexport SECRET=\"$1\"\n"},
		"changeme":              {"x.yml", "password: changeme123456\napi_token: REPLACE_ME_abc123\nsecret: <your-secret-1>\n"},
		"example words":         {"x.md", "password: mySecretPassw0rd123\ntoken: xxxxxxxx1234xxxx\n"},
		"example file":          {"clouds.yaml.example", "password: " + pw + "\n"},
		"sample directory":      {"config-examples/clouds.yaml", "password: " + pw + "\n"},
		"test fixture":          {"tests/fixtures/key.pem", madeKey("")},
		"test data":             {"roles/x/molecule/default/vars.yml", "password: " + pw + "\n"},
		"public key":            {"keys.pub", "-----BEGIN PUBLIC KEY-----\nMIIB" + pw + pw + "\n-----END PUBLIC KEY-----\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + pw + "\n"},
		"certificate":           {"ca.pem", "-----BEGIN CERTIFICATE-----\n" + pw + pw + "\n-----END CERTIFICATE-----\n"},
		"public key, named":     {"x.yml", "wireguard_public_key: " + pw + "\n"},
		"encrypted key":         {"id_rsa", strings.Replace(madeKey("RSA "), "-----\n", "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n", 1)},
		"encrypted pkcs8":       {"k.pem", madeKey("ENCRYPTED ")},
		"sealed openssh":        {"id", "-----BEGIN OPENSSH PRIVATE KEY-----\n" + sealed + "\n"},
		"a header alone":        {"x.py", "if '-----BEGIN PRIVATE KEY-----' in text:\n    return True\n"},
		"a key left out":        {"x.md", "    -----BEGIN RSA PRIVATE KEY-----\n    ...\n    -----END RSA PRIVATE KEY-----\n"},
		"checksum":              {"x.yml", "sha256: " + digest + "\nchecksum: sha256:" + digest + "\n"},
		"lock file":             {"package-lock.json", "\"token\": \"" + pw + "\"\n"},
		"a name in a program":   {"x.go", "password := options.Password1\ntoken = secrets2.Token\n"},
		"name of a secret":      {"x.yaml", "existingSecret: loki-basic-auth-01\nsecretKey: thanos-objstore-v2\n"},
		"a path":                {"x.ini", "token = /etc/secrets/token1234\nssl_private_key = ./certs/a1b2c3d4.key\n"},
		"an address":            {"x.yml", "token: https://sso.example.org/auth/v2/token\n"},
		"comment of defaults":   {"grafana.ini", ";secret_key = " + pw + "\n# password: " + pw + "\n"},
		"UUID of a secret":      {"x.yml", "rbd_secret: 0a1b2c3d-4e5f-4a6b-8c7d-9e8f7a6b5c4d\n"},
		"long line":             {"x.html", strings.Repeat("a", maxLine) + "password: " + pw + "\n"},
		"binary":                {"x.bin", "\x00GITCRYPT\x00password: " + pw + "\n"},
		"user in an address":    {"x.yml", "url: https://user:password@host.example.org/\n"},
		"word with digits":      {"x.yml", "password: Keystone12345\ntoken: openstack2024\n"},
		"host":                  {"x.yml", "secret: st01-mgmt-r01-u30\n"},
		"secret words in words": {"x.md", "The secret: nobody knows it. A token: one of many.\n"},
	} {
		if got := found(c[0], c[1]); got != "" {
			t.Errorf("%s: found %q", name, got)
		}
	}
}

func TestWhatTheRepositoryItselfCallsNoSecretIsCountedApart(t *testing.T) {
	key := "AQ" + made(9, 36) + "=="
	p := read(t, map[string]string{
		".gitleaks.toml": "[allowlist]\nregexes = ['''" + key + "''']\n",
		"docs/ceph.md":   "# Deployment\n" + steps + "\n    key = " + key + "\n",
		"a/secrets.yml":  "db_password: " + made(1, 30) + "\n",
	})
	if len(p.Secrets) != 1 || p.Secrets[0].Path != "a/secrets.yml" {
		t.Errorf("secrets: %+v", p.Secrets)
	}
}

func TestManySecretsAreCountedAndAFewAreShown(t *testing.T) {
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, "service%d_password: %s\n", i, made(uint64(i)+50, 30))
	}
	p := read(t, map[string]string{"all.yml": b.String()})
	if n, _ := p.SecretsSeen.Get(); n < 4950 || len(p.Secrets) != maxSecrets {
		t.Errorf("counted %d, shown %d", n, len(p.Secrets))
	}
}

// The law: a finding names a line of the file and nothing else of it, and what encrypts the file as a whole hides all.
func FuzzFindingsNameLinesAndNeverTheirText(f *testing.F) {
	f.Add("secrets.yml", "db_password: "+made(1, 32)+"\n")
	f.Add("key.pem", madeKey("EC "))
	f.Add("clouds.yaml", "password: yellowbanana\nurl: https://a:b@c/\n")
	f.Add("a.md", "# Upgrade\n\ntext\n=====\n```\n# x\n")
	f.Add("a.rst", "A\n=\n\nB\n-\n\xff\n")
	f.Fuzz(func(t *testing.T, name, text string) {
		lines := strings.Split(text, "\n")
		list, _ := secrets(name, []byte(text), "")
		last := 0
		for _, s := range list {
			if s.Line <= last || s.Line > len(lines) || s.Path != name || len(s.Kind) > 20 {
				t.Fatalf("finding %+v in %d lines after line %d", s, len(lines), last)
			}
			last = s.Line
		}
		if again, _ := secrets(name, []byte("$ANSIBLE_VAULT;1.1;AES256\n"+text), ""); len(again) != 0 {
			t.Fatalf("an encrypted file has findings: %+v", again)
		}
		last = 0
		for _, h := range headings(name, []byte(text)) {
			if h.line <= last || h.line > len(lines) || h.level < 1 || h.words < 0 {
				t.Fatalf("heading %+v in %d lines after line %d", h, len(lines), last)
			}
			last = h.line
		}
	})
}
