package pipeline

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree writes files below a new directory.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func entries(d Detected) []string {
	var out []string
	for _, s := range d.Sources {
		out = append(out, s.Entry)
	}
	return out
}

// about are the lines of what could not be read that hold a word.
func about(d Detected, word string) []string {
	return slices.DeleteFunc(slices.Clone(d.Unread), func(line string) bool { return !strings.Contains(line, word) })
}

func TestInitFindsEveryKindOfFileByItsContents(t *testing.T) {
	dir := tree(t, map[string]string{
		"release/9.0.0/base.yml":                     "docker_images: {}\n",
		"cfg/environments/manager/configuration.yml": "manager_version: 9.0.0\n",
		"cfg/environments/manager/secrets.yml":       "token: canary\n",
		"kolla/globals.yml":                          "openstack_release: \"2025.1\"\n",
		"kolla/multinode":                            "[control]\n",
		"scs/data.yaml":                              "images:\n- {digest: x, name: y, registry: z, tag: t}\n",
		"stack/csctl.yaml":                           "apiVersion: csctl.clusterstack.x-k8s.io/v1alpha1\n",
		"stack/cluster-addon/cni/Chart.yaml":         "name: cni\nversion: v1\n",
		"charts/own/Chart.yaml":                      "name: own\nversion: 1.0.0\n",
		"ps/ctl-01.json":                             `{"ID":"1","Image":"x","Names":"x"}`,
		"ps/ctl-02.json":                             `{"ID":"1","Image":"x","Names":"x"}`,
		"images.json":                                `[{"Id":"sha256:1","RepoDigests":[]}]`,
		"pods.json":                                  `{"kind":"List","items":[{"kind":"Pod","spec":{"containers":[]}}]}`,
		"nodes.json":                                 `{"kind":"List","items":[{"kind":"Node","status":{"nodeInfo":{}}}]}`,
		"helm.json":                                  `[{"name":"a","revision":"1","chart":"a-1","app_version":"1"}]`,
		"orch.json":                                  `[{"daemon_type":"mon","container_image_name":"x"}]`,
		"hosts/ctl-01.json":                          `{"artifacts":[],"schema":"pegel/inventory/v1"}`,
		"vendor.cdx.json":                            `{"bomFormat":"CycloneDX"}`,
		"vendor.spdx.json":                           `{"spdxVersion":"SPDX-2.3"}`,
		"compute.json":                               `[{"Binary":"nova-compute","Host":"c1","Zone":"nova"}]`,
		"images/keystone/oci-layout":                 `{"imageLayoutVersion":"1.0.0"}`,
		"pegel-bundle/oci-layout":                    `{"imageLayoutVersion":"1.0.0"}`,
		"pegel-bundle/verify.txt":                    "x",
		".git/x.cdx.json":                            `{"bomFormat":"CycloneDX"}`,
		"notes.json":                                 `{"a":1}`,
		"very/deep/down/below/all/others/vendor.cdx.json": `{"bomFormat":"CycloneDX"}`,
	})
	d, err := Detect(t.Context(), DetectOptions{Dir: dir, Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"osism: {release: ./release/9.0.0}",
		"configuration: {repository: ./cfg}",
		"kolla: {globals: ./kolla/globals.yml, inventory: ./kolla/multinode}",
		"scs-release: {file: ./scs/data.yaml}",
		"cluster-stack: {release: ./stack}",
		"chart: {path: ./charts/own}",
		"containers: {ps: [./ps/ctl-01.json, ./ps/ctl-02.json], images: ./images.json}",
		"kubernetes: {pods: ./pods.json, nodes: ./nodes.json}",
		"helm: {releases: ./helm.json}",
		"ceph: {orch_ps: ./orch.json}",
		"inventory: {file: ./hosts/ctl-01.json}",
		`image: {ref: "oci:./images/keystone"}`,
		"sbom: {file: ./vendor.cdx.json}", "sbom: {file: ./vendor.spdx.json}",
		"crosscheck: {compute_services: ./compute.json}",
	}
	if got := entries(d); !slices.Equal(got, want) {
		t.Errorf("entries:\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
	stack := must(d.StackFile())(t)
	if strings.Contains(string(stack)+d.Text(), "canary") {
		t.Error("init read a file of secrets")
	}
	parsed, err := ParseStack(stack, "stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	parsed.Dir = dir
	if _, err := prepare(parsed, Options{Now: truthNow, Offline: true}); err != nil {
		t.Errorf("the stack file that init writes is refused: %v", err)
	}
}

func TestInitTriesSocketsAndNamesWhatItMayNotOpen(t *testing.T) {
	root := tree(t, map[string]string{"run/docker.sock": "no socket", "var/lib/dpkg/status": ""})
	podman := filepath.Join(root, "run", "podman", "podman.sock")
	if err := os.MkdirAll(filepath.Dir(podman), 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", podman)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d, err := Detect(t.Context(), DetectOptions{Dir: t.TempDir(), Root: root})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"containers: {socket: " + quoted("unix://"+podman) + "}", "host: {root: " + quoted(root) + "}"}
	if got := entries(d); !slices.Equal(got, want) {
		t.Errorf("entries: got %q, want %q", got, want)
	}
	if len(d.Unread) != 1 || !strings.Contains(d.Unread[0], "docker.sock") || !strings.Contains(d.Unread[0], "run as root") {
		t.Errorf("unread: got %q, want the docker socket with the remedy", d.Unread)
	}
}

func TestInitTakesTheCurrentContextAndNoCredentials(t *testing.T) {
	config := "current-context: prod\ncontexts:\n- {name: prod, context: {cluster: c, user: u}}\nclusters:\n- {name: c, cluster: {server: \"https://10.1.2.3:6443\"}}\nusers:\n- {name: u, user: {token: canary}}\n"
	home := tree(t, map[string]string{".kube/config": config, "broken": "users: [{token: canary"})
	env := map[string]string{"HOME": home}
	look := func() Detected {
		t.Helper()
		return must(Detect(t.Context(), DetectOptions{Dir: t.TempDir(), Root: t.TempDir(), Getenv: func(k string) string { return env[k] }}))(t)
	}
	d := look()
	if got := entries(d); len(got) != 1 || !strings.HasSuffix(got[0], "contexts: [prod]}") || !strings.HasPrefix(got[0], "kubernetes: {kubeconfig: ") {
		t.Errorf("entries: got %q, want the current context", got)
	}
	if !slices.Equal(d.Allow, []string{"10.1.2.3"}) {
		t.Errorf("allow: got %q, want the private address of the server", d.Allow)
	}
	stack := string(must(d.StackFile())(t))
	if strings.Contains(stack, "canary") || !strings.Contains(stack, "allow: [10.1.2.3]") || !strings.Contains(stack, "scs-open-kaas") {
		t.Errorf("stack file:\n%s", stack)
	}
	env["KUBECONFIG"] = filepath.Join(home, "broken")
	if d := look(); len(about(d, "kubeconfig")) != 1 || strings.Contains(d.Text(), "canary") {
		t.Errorf("a broken kubeconfig: got %q, want one line without its contents", d.Unread)
	}
	env["KUBECONFIG"] = filepath.Join(home, "gone")
	if d := look(); len(about(d, "kubeconfig")) != 0 || len(d.Sources) != 0 {
		t.Errorf("a kubeconfig that is not there: got %+v, want nothing", d)
	}
}

func TestInitOverwritesOnlyIfItIsTold(t *testing.T) {
	dir := tree(t, map[string]string{"stack.yaml": "mine\n"})
	var usage *UsageError
	if err := WriteNew(dir, "stack.yaml", []byte("new\n"), false); !errors.As(err, &usage) || usage.Hint != "--force overwrites it" {
		t.Errorf("error = %v, want a usage error with --force", err)
	}
	if got := string(must(os.ReadFile(filepath.Join(dir, "stack.yaml")))(t)); got != "mine\n" {
		t.Errorf("the file holds %q, want what was there", got)
	}
	if err := WriteNew(dir, "stack.yaml", []byte("new\n"), true); err != nil {
		t.Fatal(err)
	}
	if got := string(must(os.ReadFile(filepath.Join(dir, "stack.yaml")))(t)); got != "new\n" {
		t.Errorf("the file holds %q, want the new text", got)
	}
	if err := WriteNew(dir, "../x", nil, true); !errors.As(err, &usage) {
		t.Errorf("error = %v, want a usage error for a path", err)
	}
}

func TestADirectoryWithNothingGivesAStackFileThatCanBeRead(t *testing.T) {
	d := must(Detect(t.Context(), DetectOptions{Dir: t.TempDir(), Root: t.TempDir()}))(t)
	if len(d.Sources) != 0 || !strings.Contains(d.Text(), "found nothing") {
		t.Errorf("got %+v", d)
	}
	must(d.StackFile())(t)
	var usage *UsageError
	if _, err := Detect(t.Context(), DetectOptions{Dir: filepath.Join(t.TempDir(), "gone"), Root: "/"}); !errors.As(err, &usage) {
		t.Errorf("error = %v, want a usage error", err)
	}
}

func TestTheNetworkOfAStackIsCheckedBeforeAnythingIsRead(t *testing.T) {
	for text, want := range map[string]string{
		"network: {allow: [ten]}":       `"ten" is no address or network such as 10.0.0.0/8`,
		"network: {proxy: 'ftp://x'}":   "neither http nor https",
		"network: {ca: ./gone.pem}":     `reading certificate authorities "gone.pem"`,
		"network: {alow: [10.0.0.0/8]}": `did you mean "allow"?`,
	} {
		stack, err := ParseStack([]byte("schema: pegel/stack/v1\nsubject: {name: t, kind: cloud}\nscopes: [scs-open-iaas]\nsources:\n- host: {root: /}\n"+text+"\n"), "stack.yaml")
		if err == nil {
			stack.Dir = t.TempDir()
			_, err = prepare(stack, Options{Now: truthNow, Offline: true})
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error = %v, want one with %s", text, err, want)
		}
	}
}
