package pipeline

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source/sourcetest"
)

// Secrets of a cloud, each in its place. What is encoded is looked for in both forms.
const (
	kubeToken     = "canary-kube-token"
	kubePassword  = "canary-kube-password"
	kubeKey       = "-----BEGIN EC PRIVATE KEY-----\ncanary-kube-key\n-----END EC PRIVATE KEY-----\n"
	dockerLogin   = "puller:canary-docker-password"
	proxyPassword = "canary-proxy-password"
	vaulted       = "canary-vaulted"
	ansibleSecret = "canary-ansible-secret"
	engineSecret  = "canary-engine-output"
)

func encoded(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// secrets are all words that may not leave: what begins with canary stands only where secrets stand.
func secrets() []string {
	return []string{"canary", encoded(kubeKey)[:24], encoded("admin:" + kubePassword), encoded(dockerLogin), encoded(dockerLogin)[:16]}
}

// plant adds sources that hold secrets, and such that fail and might repeat them.
func (c *cloud) plant(t *testing.T) (docker string) {
	t.Helper()
	registry := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusForbidden) // a registry that repeats what it was sent
		fmt.Fprintf(w, `{"errors": [{"code": "DENIED", "message": %q}]}`, r.Header.Get("Authorization"))
	}))
	t.Cleanup(registry.Close)
	host := strings.TrimPrefix(registry.URL, "http://")
	docker = t.TempDir()
	if err := os.WriteFile(filepath.Join(docker, "config.json"), []byte(`{"auths": {"`+host+`": {"auth": "`+encoded(dockerLogin)+`"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"cfg/environments/manager/configuration.yml": "manager_version: 9.0.0\ndocker_registry_password: " + ansibleSecret + "\noperator_password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  " + vaulted + "\nproxy: http://u:" + ansibleSecret + "@p.example\n",
		"cfg/environments/manager/images.yml":        "netbox_tag: v4.1.3\nnetbox_image: \"quay.io/osism/netbox:{{ netbox_tag }}\"\n",
		"cfg/environments/manager/secrets.yml":       "netbox_tag: " + ansibleSecret + "\n",
		"cfg/environments/secrets.yml":               "$ANSIBLE_VAULT;1.1;AES256\n" + vaulted + "\n",
		"cfg/environments/kolla/configuration.yml":   "enable_heat: yes\nkeystone_admin_password: " + ansibleSecret + "\n",
		"cfg/inventory/10-custom":                    "[nodes]\nctl-1 ansible_password=" + ansibleSecret + "\n",
		"cfg/inventory/group_vars/all.yml":           "docker_registry: " + ansibleSecret + ".example\n",
		"cfg/inventory/host_vars/ctl-1.yml":          "$ANSIBLE_VAULT;1.1;AES256\n" + vaulted + "\n",
		"ctl-2-ps.json":                              `{"ID":"111111111111","Image":"quay.io/osism/netbox:v4.1.2","Names":"netbox","State":"running","Command":"\"/run --password=` + engineSecret + `\"","Mounts":"/` + engineSecret + `","Labels":"x=` + engineSecret + `"}` + "\n",
		"ctl-2-inspect.json": `[{"Id":"` + strings.Repeat("2", 64) + `","Name":"/proxy","Image":"sha256:` + strings.Repeat("8", 64) + `","Path":"` + engineSecret + `","Args":["` + engineSecret + `"],"State":{"Status":"running","Running":true,"Error":"` + engineSecret + `"},
			"Config":{"Image":"docker.io/library/haproxy:2.8.5","Env":["PASSWORD=` + engineSecret + `"],"Cmd":["` + engineSecret + `"],"Labels":{"x":"` + engineSecret + `"}},"Mounts":[{"Source":"/` + engineSecret + `"}]}]`,
		"cut-inspect.json":  `[{"Id":"` + strings.Repeat("4", 64) + `","Config":{"Env":["PASSWORD=` + engineSecret,
		"inventory-ini":     "[g]\nctl-1 ansible_password=" + ansibleSecret + "\nansible_become_password=" + ansibleSecret + "\n",
		"vaulted-inventory": "$ANSIBLE_VAULT;1.1;AES256\n" + vaulted + "\n",
	} {
		c.write(t, name, text)
	}
	c.sources = append(c.sources,
		"configuration: {repository: cfg}",
		"containers: {ps: [ctl-2-ps.json, ctl-2-inspect.json], host: ctl-2}",
		"containers: {ps: cut-inspect.json, host: ctl-3}",
		"crosscheck: {ansible: inventory-ini}",
		"crosscheck: {ansible: vaulted-inventory}",
		"kubernetes: {kubeconfig: kubeconfig, contexts: [echo, password, key]}",
		"image: {ref: '"+host+"/osism/netbox:v4.1.3', insecure: true}",
	)
	return docker
}

func TestNoSecretOfACloudLeavesIt(t *testing.T) {
	c := newCloud(t)
	docker := c.plant(t)
	c.planted(t, docker)
	c.subject = "kind: release, exposure: public" // of such a subject the bundle also holds the input files, as far as they are read
	var logged bytes.Buffer
	opt := c.options(t)
	opt.Getenv = func(name string) string { return map[string]string{"DOCKER_CONFIG": docker}[name] }
	opt.Log = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	opt.Bundle = filepath.Join(t.TempDir(), "bundle")
	name := c.stack(t)
	doc, l := listed(t, name, opt)
	for _, source := range []string{"cut-inspect.json", "cluster echo", "cluster password", "cluster key", "vaulted-inventory", "image 127.0.0.1"} {
		if !strings.Contains(l.Text, "not read: ") || !strings.Contains(l.Text, source) {
			t.Errorf("%q does not fail, so that nothing is tested:\n%s", source, l.Text)
		}
	}
	for _, image := range []string{"keystone", "netbox", "haproxy", "coredns"} {
		if !slices.ContainsFunc(doc.Artifacts, func(a sbom.Artifact) bool { return a.Name == image && a.Running() }) {
			t.Errorf("%s was not seen running, so that nothing is tested", image)
		}
	}
	said := everythingSaid(t, name, opt)
	said["the table"], said["the inventory"] = l.Text, string(l.JSON)
	for what, text := range said {
		if marker := "keystone"; !strings.Contains(text, marker) && what != "the plan" {
			t.Errorf("%s lacks %q: this test looks in the wrong place", what, marker)
		}
		refuse(t, what, text)
	}
	refuse(t, "the log", logged.String())
	for _, marker := range []string{keystoneImage, `netbox_image":`, `"container_image_name":"quay.io/ceph/ceph:v18.2.2"`, `"imageID":"quay.io/cilium/cilium@sha256`} {
		if found := walk(t, opt.Bundle, marker); found == 0 {
			t.Errorf("no file of the bundle has %s: this test looks in the wrong place", marker)
		}
	}
	if left := walk(t, opt.TempDir, ""); left > 0 {
		t.Errorf("%d files were left in the temporary folder", left)
	}

	// In a private cloud, whatever is asked goes to a proxy that is not there, and none of the errors repeats its address.
	c.subject, c.network = privateCloud, ", proxy: 'http://operator:"+proxyPassword+"@127.0.0.1:1'"
	c.sources = append(c.sources, "registry: {pull: all}")
	opt.Bundle = filepath.Join(t.TempDir(), "bundle")
	name = c.stack(t)
	if _, l = listed(t, name, opt); !strings.Contains(l.Text, "cluster prod: ") {
		t.Errorf("the cluster is read without the proxy, so that nothing is tested:\n%s", l.Text)
	}
	for what, text := range everythingSaid(t, name, opt) {
		refuse(t, what, text)
	}
	walk(t, opt.Bundle, "")
}

// everythingSaid is what a person or a program can see of a stack: tables, plan and reports in every form.
func everythingSaid(t *testing.T, name string, opt Options) map[string]string {
	t.Helper()
	drift, err := Drift(t.Context(), name, opt)
	if err != nil {
		t.Fatal(err)
	}
	stack, err := ReadStack(name)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Plan(stack, opt)
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{"drift": drift.Text, "drift as JSON": string(drift.JSON), "the plan": reports.PlanText(plan)}
	r := audited(t, name, opt)
	for kind, report := range map[string]reports.Report{"full": r, "public": reports.Redact(r)} {
		for _, format := range reports.Names() {
			data, err := reports.Render(format, report, reports.Options{})
			if err != nil {
				t.Fatal(err)
			}
			said[kind+" report as "+format] = string(data)
		}
	}
	return said
}

// refuse looks for secrets in what was written.
func refuse(t *testing.T, what, text string) {
	t.Helper()
	for _, secret := range secrets() {
		if at := strings.Index(text, secret); at >= 0 {
			t.Errorf("%s holds the secret %q: ...%s", what, secret, text[max(0, at-120):min(len(text), at+120)])
		}
	}
}

// walk refuses secrets in every byte and every name below a folder and counts the files that hold a marker.
func walk(t *testing.T, dir, marker string) (found int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		refuse(t, rel, rel+"\n"+string(data))
		if bytes.Contains(data, []byte(marker)) {
			found++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// planted finds a secret in everything that is read, so that a test that sees none afterwards says something.
func (c cloud) planted(t *testing.T, docker string) {
	t.Helper()
	var recorded strings.Builder
	for _, a := range sourcetest.Recorded(t) {
		recorded.Write(a.Body)
	}
	text := func(name string) string {
		data, err := fs.ReadFile(os.DirFS(c.dir), name)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	login, err := os.ReadFile(filepath.Join(docker, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{
		"the engine":      c.podman.Run("inspect", "keystone"),
		"its images":      c.podman.Run("image", "inspect", keystoneImage),
		"the cluster":     recorded.String(),
		"the kubeconfig":  text("kubeconfig"),
		"a configuration": text("cfg/environments/manager/configuration.yml"),
		"a vault":         text("cfg/environments/secrets.yml"),
		"docker ps":       text("ctl-2-ps.json"),
		"docker inspect":  text("ctl-2-inspect.json"),
		"ceph orch ps":    text("orch-ps.json"),
		"the credentials": string(login),
	} {
		found := false
		for _, secret := range secrets() {
			found = found || strings.Contains(text, secret)
		}
		if !found {
			t.Errorf("%s holds no secret, so that nothing is tested", what)
		}
	}
}

func TestAnErrorAboutAStackFileRepeatsNoSecret(t *testing.T) {
	c := cloud{dir: t.TempDir(), subject: privateCloud}
	for name, change := range map[string]struct{ network, source string }{
		"a proxy with a broken port":        {", proxy: 'http://u:" + proxyPassword + "@p.example:99999'", "crosscheck: {hosts: h}"},
		"a proxy of another kind":           {", proxy: 'socks5://u:" + proxyPassword + "@p.example:1'", "crosscheck: {hosts: h}"},
		"a proxy of a cluster":              {"", "kubernetes: {kubeconfig: k, proxy: 'http://u:" + proxyPassword + "@p.example:1'}"},
		"a socket with a password":          {"", "containers: {socket: 'ssh://u:" + planted + "@ctl-1/run/docker.sock'}"},
		"a socket over tcp with a password": {"", "containers: {socket: 'tcp://u:" + planted + "@ctl-1:2375'}"},
		"an image with a password":          {"", "image: {ref: 'https://u:" + planted + "@registry.example/a/b:1'}"},
		"a mirror with a password":          {"", "registry: {pull: seen, mirrors: ['docker.io=u:" + planted + "@registry.example']}"},
		"a registry with a password":        {"", "image: {ref: 'u:" + planted + "@registry.example/a/b:1'}"},
	} {
		t.Run(name, func(t *testing.T) {
			c.write(t, "ca.pem", string(sourcetest.NewCA(t).PEM))
			c.network, c.sources = change.network, []string{change.source}
			stack, err := ReadStack(c.stack(t))
			if err == nil {
				_, err = prepare(stack, c.options(t))
			}
			if err == nil {
				t.Fatal("no error, so that nothing is tested")
			}
			refuse(t, "the error", err.Error())
		})
	}
}
