package source_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	ggcrlayout "github.com/google/go-containerregistry/pkg/v1/layout"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
)

// hexOf is an ID of 64 digits that all are one letter.
func hexOf(letter string) string { return strings.Repeat(letter, 64) }

// told writes an inventory in lines: ID, digests, then what was seen where.
func told(inv sbom.Inventory) []string {
	var out []string
	for _, a := range inv.Artifacts {
		line := a.ID + " (" + a.Name + " " + a.Version + ")"
		if a.Config != "" {
			line += " config " + a.Config.Hex()[:6]
		}
		for _, d := range a.Digests {
			line += " also " + d.Hex()[:6]
		}
		if len(a.Aliases) > 0 {
			line += " alias " + strings.Join(a.Aliases, " ")
		}
		out = append(out, line)
		for _, s := range a.Sightings {
			out = append(out, strings.TrimRight(fmt.Sprintf("  %s %d %s %s: %s", s.State, s.Replicas, strings.Join(s.Hosts, ","), s.Where, s.Workload), " "))
		}
	}
	for _, f := range inv.Failures {
		out = append(out, fmt.Sprintf("! %s: %s", f.Source, f.Reason))
	}
	for _, o := range inv.Omitted {
		out = append(out, fmt.Sprintf("- %d %s: %s", o.Count, o.What, o.Why))
	}
	return out
}

// dockerLineOf is a line of docker ps -a --no-trunc --format '{{json .}}'.
func dockerLineOf(id, image, name, state string, labels ...string) string {
	line, err := json.Marshal(map[string]any{"Command": `"dumb-init --single-child --password=hunter2"`, "CreatedAt": "2026-11-20 10:00:00 +0000 UTC", "ID": hexOf(id),
		"Image": image, "Labels": strings.Join(labels, ","), "LocalVolumes": "0", "Mounts": "/etc/kolla/x", "Names": name, "Networks": "host", "Platform": nil,
		"Ports": "", "RunningFor": "4 days ago", "Size": "0B", "State": state, "Status": "Up 4 days (healthy)"})
	if err != nil {
		panic(err)
	}
	return string(line) + "\n"
}

const keystone = "quay.io/openstack.kolla/keystone:2025.1-ubuntu-noble"

func TestEveryFormOfAListOfContainersIsRead(t *testing.T) {
	want := []string{
		"image:quay.io/a/redis:7.4.2 (redis 7.4.2)CONFIG",
		"  running 2 ctl-01 f: quay.io/a/redis:7.4.2: one, two",
		"  stopped 0 ctl-01 f: quay.io/a/redis:7.4.2: three",
	}
	config := " config cccccc"
	tests := []struct{ name, file, config string }{
		{"docker ps with one JSON object a line", dockerLineOf("1", "quay.io/a/redis:7.4.2", "one", "running") + dockerLineOf("2", "quay.io/a/redis:7.4.2", "two", "paused") +
			dockerLineOf("3", "quay.io/a/redis:7.4.2", "three", "exited"), ""},
		{"docker ps of an old version without a state", `{"ID":"1","Image":"quay.io/a/redis:7.4.2","Names":"one","Status":"Up 2 minutes"}` + "\r\n" +
			`{"ID":"2","Image":"quay.io/a/redis:7.4.2","Names":"two","Status":"Up 2 minutes (Paused)"}` + "\r\n" + `{"ID":"3","Image":"quay.io/a/redis:7.4.2","Names":"three","Status":"Exited (0) 1 day ago"}`, ""},
		{"objects that span lines", "{\n \"ID\": \"1\",\n \"Image\": \"quay.io/a/redis:7.4.2\",\n \"Names\": \"one\", \"State\": \"running\"\n}\n{\n \"ID\": \"2\",\n \"Image\": \"quay.io/a/redis:7.4.2\",\n \"Names\": \"two\", \"State\": \"running\"\n}\n" +
			"{\n \"ID\": \"3\",\n \"Image\": \"quay.io/a/redis:7.4.2\",\n \"Names\": \"three\", \"State\": \"dead\"\n}\n", ""},
		{"podman ps", `[{"Id":"` + hexOf("1") + `","Image":"quay.io/a/redis:7.4.2","ImageID":"` + hexOf("c") + `","Names":["one"],"State":"running","Command":["x"]},
			{"Id":"` + hexOf("2") + `","Image":"quay.io/a/redis:7.4.2","ImageID":"` + hexOf("c") + `","Names":["two"],"State":"running","Labels":null},
			{"Id":"` + hexOf("3") + `","Image":"quay.io/a/redis:7.4.2","ImageID":"` + hexOf("c") + `","Names":["three"],"State":"created","Labels":{}}]`, config},
		{"docker inspect", `[{"Id":"` + hexOf("1") + `","Name":"/one","Image":"sha256:` + hexOf("c") + `","State":{"Status":"running","Running":true},"Config":{"Image":"quay.io/a/redis:7.4.2","Env":["PASSWORD=hunter2"]}},
			{"Id":"` + hexOf("2") + `","Name":"/two","Image":"sha256:` + hexOf("c") + `","State":{"Running":true},"Config":{"Image":"quay.io/a/redis:7.4.2"}},
			{"Id":"` + hexOf("3") + `","Name":"/three","Image":"sha256:` + hexOf("c") + `","State":{"Status":"exited"},"Config":{"Image":"quay.io/a/redis:7.4.2","Labels":null}}]`, config},
		{"podman inspect", `[{"Id":"` + hexOf("1") + `","Name":"one","Image":"` + hexOf("c") + `","ImageName":"quay.io/a/redis:7.4.2","State":{"Status":"running"},"Config":{"Image":"x"}},
			{"Id":"` + hexOf("2") + `","Name":"two","Image":"` + hexOf("c") + `","ImageName":"quay.io/a/redis:7.4.2","State":{"Status":"running"}},
			{"Id":"` + hexOf("3") + `","Name":"three","Image":"` + hexOf("c") + `","ImageName":"quay.io/a/redis:7.4.2","State":{"Status":"exited"}}]`, config},
		{"the API of an engine", `[{"Id":"` + hexOf("1") + `","Names":["/one"],"Image":"quay.io/a/redis:7.4.2","ImageID":"sha256:` + hexOf("c") + `","State":"running"},` +
			`{"Id":"` + hexOf("2") + `","Names":["/two"],"Image":"quay.io/a/redis:7.4.2","ImageID":"sha256:` + hexOf("c") + `","State":"restarting"},` +
			`{"Id":"` + hexOf("3") + `","Names":["/three"],"Image":"quay.io/a/redis:7.4.2","ImageID":"sha256:` + hexOf("c") + `","State":"created"}]`, config},
		{"crictl ps", `{"containers":[{"id":"` + hexOf("1") + `","image":{"image":"quay.io/a/redis:7.4.2","annotations":{}},"imageRef":"sha256:` + hexOf("c") + `","metadata":{"name":"one","attempt":0},"state":"CONTAINER_RUNNING","labels":{}},
			{"id":"` + hexOf("2") + `","image":{"image":"quay.io/a/redis:7.4.2"},"imageRef":"sha256:` + hexOf("c") + `","metadata":{"name":"two"},"state":"CONTAINER_RUNNING"},
			{"id":"` + hexOf("3") + `","image":{"image":"sha256:` + hexOf("d") + `","userSpecifiedImage":"quay.io/a/redis:7.4.2"},"imageRef":"sha256:` + hexOf("c") + `","metadata":{"name":"three"},"state":"CONTAINER_EXITED"}]}`, config},
		{"the table of docker ps", "CONTAINER ID   IMAGE                   COMMAND                  CREATED      STATUS                  PORTS     NAMES\n" +
			"111111111111   quay.io/a/redis:7.4.2   \"dumb-init --single-…\"   4 days ago   Up 4 days (healthy)               one\n" +
			"222222222222   quay.io/a/redis:7.4.2   \"dumb-init --single-…\"   4 days ago   Up 4 days               80/tcp    two\n" +
			"333333333333   quay.io/a/redis:7.4.2   \"dumb-init --single-…\"   4 days ago   Exited (0) 4 days ago             three\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inv, err := read(t, "containers: {ps: f, host: ctl-01}", write(t, map[string]string{"f": tt.file}))
			if err != nil {
				t.Fatal(err)
			}
			expected := slices.Clone(want)
			expected[0] = strings.Replace(expected[0], "CONFIG", tt.config, 1)
			if diff := cmp.Diff(expected, told(inv)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if a := inv.Artifacts[0]; a.Replicas != 2 || a.Sightings[0].Source != "containers" || a.Sightings[0].Origin.Path != "f" || a.Sightings[0].Origin.Line == 0 ||
				a.Sightings[0].Origin.Digest != audit.DigestOf([]byte(tt.file)) || !a.Sightings[0].Origin.At.Equal(assessedAt) || a.Sightings[0].Declared {
				t.Errorf("artifact %+v", a)
			}
			if text := fmt.Sprintf("%+v", inv); strings.Contains(text, "hunter2") || strings.Contains(text, "dumb-init") {
				t.Errorf("the inventory holds a command line or an environment: %s", text)
			}
		})
	}
}

func TestEveryFormOfAListOfImagesTellsTheDigestOfTheRepositoryInUse(t *testing.T) {
	ps := map[bool]string{false: dockerLineOf("1", "redis:7.4.2", "one", "running"),
		true: `[{"Id":"1","Image":"docker.io/library/redis:7.4.2","ImageID":"` + hexOf("c") + `","Names":["one"],"State":"running"}]`}
	d, e, o := "sha256:"+hexOf("d"), "sha256:"+hexOf("e"), "sha256:"+hexOf("0")
	tests := []struct {
		name, images string
		podman       bool
		want         string
	}{
		{"docker image inspect", `[{"Id":"sha256:` + hexOf("c") + `","RepoTags":["redis:7.4.2","mirror:5000/redis:7"],"RepoDigests":["mirror:5000/redis@` + o + `","redis@` + d + `"],"Config":{"Labels":{"x":"y"},"Env":["A=hunter2"]},"Os":"linux","Architecture":"amd64"}]`, false,
			"image:" + d + " (redis 7.4.2) config cccccc also 000000 alias mirror:5000/redis:7"},
		{"docker image inspect of a store that keeps manifests", `[{"Id":"` + d + `","Descriptor":{"digest":"` + d + `"},"RepoTags":["redis:7.4.2"],"RepoDigests":["redis@` + d + `"],"Os":"linux","Architecture":"amd64"}]`, false,
			"image:" + d + " (redis 7.4.2)"},
		{"podman image inspect", `[{"Id":"` + hexOf("c") + `","Digest":"` + e + `","RepoTags":["docker.io/library/redis:7.4.2"],"RepoDigests":["docker.io/library/redis@` + d + `","docker.io/library/redis@` + e + `"],"Labels":{"a":"b"},"Os":"linux","Architecture":"amd64"}]`, true,
			"image:" + e + " (redis 7.4.2) config cccccc also dddddd"},
		{"podman images", `[{"Id":"` + hexOf("c") + `","RepoTags":null,"RepoDigests":["docker.io/library/redis@` + e + `","docker.io/library/redis@` + d + `"],"Names":["docker.io/library/redis:7.4.2"]}]`, true,
			"image:" + d + " (redis 7.4.2) config cccccc also eeeeee"},
		{"docker images", `{"Containers":"N/A","CreatedAt":"x","Digest":"` + d + `","ID":"sha256:` + hexOf("c") + `","Repository":"redis","Size":"1MB","Tag":"7.4.2"}` + "\n" +
			`{"Digest":"\u003cnone\u003e","ID":"sha256:` + hexOf("c") + `","Repository":"mirror:5000/redis","Tag":"\u003cnone\u003e"}`, false,
			"image:" + d + " (redis 7.4.2) config cccccc"},
		{"crictl images on one line", `{"images":[{"id":"sha256:` + hexOf("c") + `","repoTags":["docker.io/library/redis:7.4.2"],"repoDigests":["docker.io/library/redis@` + d + `"],"size":"1","spec":null,"username":"","pinned":false}]}`, true,
			"image:" + d + " (redis 7.4.2) config cccccc"},
		{"crictl images", "{\n  \"images\": [\n    {\"id\": \"sha256:" + hexOf("c") + "\", \"repoTags\": [\"docker.io/library/redis:7.4.2\"], \"repoDigests\": [\"docker.io/library/redis@" + d + "\"]}\n  ]\n}\n", true,
			"image:" + d + " (redis 7.4.2) config cccccc"},
		{"ctr images ls", "REF                                                                     TYPE                                    DIGEST                                                                  SIZE     PLATFORMS   LABELS\n" +
			"docker.io/library/redis:7.4.2                                           application/vnd.oci.image.index.v1+json " + d + " 41.9 MiB linux/amd64 -      \n" +
			"sha256:" + hexOf("c") + " application/vnd.oci.image.index.v1+json " + d + " 41.9 MiB linux/amd64 -      \n", true,
			"image:" + d + " (redis 7.4.2) config cccccc"},
		{"the table of docker images --digests", "REPOSITORY   TAG     DIGEST                                                                    IMAGE ID       CREATED      SIZE\n" +
			"redis        7.4.2   " + d + "   cccccccccccc   3 days ago   41.9MB\n", true,
			"image:" + d + " (redis 7.4.2) config cccccc alias redis:7.4.2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inv, err := read(t, "containers: {ps: ctl-01-ps.json, images: ctl-01-images.json}", write(t, map[string]string{"ctl-01-ps.json": ps[tt.podman], "ctl-01-images.json": tt.images}))
			if err != nil {
				t.Fatal(err)
			}
			if got := told(inv); len(inv.Artifacts) != 1 || got[0] != tt.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "\n"), tt.want)
			}
			if s := inv.Artifacts[0].Sightings; len(s) != 1 || s[0].Digest != inv.Artifacts[0].Digest || s[0].Hosts[0] != "ctl-01" {
				t.Errorf("sightings %+v", s)
			}
		})
	}
}

func TestAnImageWithoutAContainerIsPresentAndAMovedTagIsTwoImages(t *testing.T) {
	dir := write(t, map[string]string{
		"ps.json": `[{"Id":"1","Image":"localhost/a:1.0","ImageID":"` + hexOf("a") + `","Names":["old"],"State":"running"},
			{"Id":"2","Image":"sha256:` + hexOf("b") + `","ImageID":"` + hexOf("b") + `","Names":["by-id"],"State":"running"},
			{"Id":"3","Image":"` + hexOf("f")[:12] + `","ImageID":"` + hexOf("f") + `","Names":["unknown"],"State":"running"}]`,
		"images.json": `[{"Id":"` + hexOf("a") + `","RepoTags":[],"RepoDigests":[]},{"Id":"` + hexOf("e") + `","RepoTags":["localhost/a:1.0"],"RepoDigests":[]},
			{"Id":"` + hexOf("b") + `","RepoTags":["quay.io/b:2.1.0","<none>:<none>"],"RepoDigests":["quay.io/b@sha256:` + hexOf("d") + `"]},
			{"Id":"` + hexOf("9") + `","RepoTags":["<none>:<none>"],"RepoDigests":["quay.io/old@sha256:` + hexOf("8") + `"]}]`,
	})
	inv, err := read(t, "containers: {ps: ps.json, images: images.json, host: h}", dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"image:sha256:" + hexOf("8") + " (old ) config 999999",
		"  present 0 h images.json: quay.io/old@sha256:" + hexOf("8") + ":",
		"image:sha256:" + hexOf("a") + " (a 1.0) config aaaaaa",
		"  running 1 h ps.json: localhost/a:1.0; the tag now names another image: old",
		"image:sha256:" + hexOf("d") + " (b 2.1.0) config bbbbbb",
		"  running 1 h ps.json: sha256:" + hexOf("b") + ": by-id",
		"image:sha256:" + hexOf("e") + " (a 1.0) config eeeeee",
		"  present 0 h images.json: localhost/a:1.0:",
		"image:sha256:" + hexOf("f") + " (ffffffffffff ) config ffffff",
		"  running 1 h ps.json: ffffffffffff: unknown",
	}
	if diff := cmp.Diff(want, told(inv)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestATagOfOneMachineSaysNothingAboutAnother(t *testing.T) {
	dir := write(t, map[string]string{"a-ps.json": dockerLineOf("1", "quay.io/x:1.0", "x", "running"), "b-ps.json": dockerLineOf("2", "quay.io/x:1.0", "x", "running"),
		"a-images.json": `[{"Id":"` + hexOf("c") + `","RepoTags":["quay.io/x:1.0"],"RepoDigests":["quay.io/x@sha256:` + hexOf("d") + `"]}]`})
	inv, err := read(t, "containers: {ps: [b-ps.json, 'a-*.json'], images: a-images.json}", dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"image:quay.io/x:1.0 (x 1.0)", "  running 1 b b-ps.json: quay.io/x:1.0: x",
		"image:sha256:" + hexOf("d") + " (x 1.0) config cccccc", "  running 1 a a-ps.json: quay.io/x:1.0: x",
	}
	if diff := cmp.Diff(want, told(inv)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestADigestOfSeveralConfigurationsIsThatOfAnIndex(t *testing.T) {
	files := map[string]string{}
	for host, id := range map[string]string{"a": hexOf("a"), "b": hexOf("b")} {
		files[host+"-ps.json"] = dockerLineOf("1", "quay.io/x:1.0", "x", "running")
		files[host+"-images.json"] = `[{"Id":"sha256:` + id + `","RepoTags":["quay.io/x:1.0"],"RepoDigests":["quay.io/x@sha256:` + hexOf("d") + `"]}]`
	}
	inv, err := read(t, "containers: {ps: '*-ps.json', images: '*-images.json'}", write(t, files))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"image:sha256:" + hexOf("a") + " (x 1.0) config aaaaaa also dddddd", "  running 1 a a-ps.json: quay.io/x:1.0: x",
		"image:sha256:" + hexOf("b") + " (x 1.0) config bbbbbb also dddddd", "  running 1 b b-ps.json: quay.io/x:1.0: x",
	}
	if diff := cmp.Diff(want, told(inv)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if merged := sbom.Merge(inv); len(merged.Artifacts) != 2 {
		t.Errorf("a merge joins what differs:\n%s", strings.Join(told(merged), "\n"))
	}
}

func TestFilesAreNamedAfterMachines(t *testing.T) {
	line := dockerLineOf("1", "quay.io/x:1.0", "x", "running")
	for name, want := range map[string]string{
		"ctl-01-docker-ps.json": "ctl-01", "ctl-02-podman-ps.json": "ctl-02", "ctl-03-ps.txt": "ctl-03", "ctl_04_ps.json": "ctl_04", "ctl-05-crictl.json": "ctl-05",
		"ctl-06.example.org.json": "ctl-06.example.org", "ctl-07.docker-ps.json": "ctl-07", "docker-ps.json": "", "ps.json": "", "ps/ctl-08.json": "ctl-08", "Ctl-09-PS": "Ctl-09", "a b.json": "",
	} {
		inv, err := read(t, fmt.Sprintf("containers: {ps: %q}", name), write(t, map[string]string{name: line}))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(inv.Artifacts[0].Sightings[0].Hosts, ","); got != want {
			t.Errorf("%s is of %q, want %q", name, got, want)
		}
	}
	inv, err := read(t, "containers: {ps: 'hosts/*/docker-ps.json'}", write(t, map[string]string{"hosts/b/docker-ps.json": line, "hosts/a/docker-ps.json": line}))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"image:quay.io/x:1.0 (x 1.0)", "  running 1 a hosts/a/docker-ps.json: quay.io/x:1.0: x", "  running 1 b hosts/b/docker-ps.json: quay.io/x:1.0: x"}
	if diff := cmp.Diff(want, told(inv)); diff != "" || inv.Artifacts[0].Replicas != 2 {
		t.Errorf("folders as machines (-want +got):\n%s", diff)
	}
}

func TestWorkloadsOfCustomersAreCountedAndNeverNamed(t *testing.T) {
	dir := write(t, map[string]string{
		"h-ps.json": dockerLineOf("1", "quay.io/x:1.0", "platform", "running") + dockerLineOf("2", "quay.io/secret-app:3", "customer-acme", "running") +
			dockerLineOf("3", "quay.io/x:1.0", "other", "exited", "team=a,b", "owner=customer/acme"),
		"h-images.json": `[{"Id":"` + hexOf("a") + `","RepoTags":["quay.io/x:1.0"],"RepoDigests":[]},{"Id":"` + hexOf("b") + `","RepoTags":["quay.io/secret-app:3"],"RepoDigests":[]}]`,
	})
	var kept []string
	opt := source.Options{At: assessedAt, Keep: func(_ context.Context, b audit.Blob) (audit.Digest, error) {
		kept = append(kept, string(b.Data))
		return audit.DigestOf(b.Data), nil
	}}
	s, err := decode(t, "containers: {ps: h-ps.json, images: h-images.json, exclude: ['customer-*', 'owner=customer*']}", dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	inv, err := s.Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"image:quay.io/x:1.0 (x 1.0) config aaaaaa", "  running 1 h h-ps.json: quay.io/x:1.0: platform",
		"- 2 containers: name or label matches customer-*, owner=customer*",
		"- 1 images: used only by containers whose name or label matches customer-*, owner=customer*",
	}
	if diff := cmp.Diff(want, told(inv)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if all := strings.Join(kept, "\n") + fmt.Sprintf("%+v", inv.Artifacts); strings.Contains(all, "acme") || strings.Contains(all, "secret") {
		t.Errorf("what customers run is named in\n%s", all)
	}
}

func TestOnlyTheFieldsThatAreReadBecomeEvidence(t *testing.T) {
	file := `[{"Id":"` + hexOf("1") + `","Name":"/one","Path":"canary-path","Args":["canary-arg"],"Image":"sha256:` + hexOf("c") + `","State":{"Status":"running","Error":"canary-error"},
		"HostConfig":{"Binds":["/canary"]},"Config":{"Hostname":"canary","User":"canary","Env":["TOKEN=canary"],"Cmd":["canary"],"Entrypoint":["canary"],"Image":"quay.io/x:1.0",
		"Labels":{"org.opencontainers.image.version":"1.0","org.opencontainers.image.authors":"canary","secret":"canary","org.opencontainers.image.url":"https://u:canary@x"}},"NetworkSettings":{"x":"canary"}}]`
	dir := write(t, map[string]string{"h-inspect.json": file})
	for _, publish := range []bool{false, true} {
		var got []audit.Blob
		opt := source.Options{At: assessedAt, PublishInput: publish, Keep: func(_ context.Context, b audit.Blob) (audit.Digest, error) {
			got = append(got, b)
			return audit.DigestOf(b.Data), nil
		}}
		s, err := decode(t, "containers: {ps: h-inspect.json}", dir, opt)
		if err != nil {
			t.Fatal(err)
		}
		inv, err := s.Inventory(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := `{"containers":[{"id":"` + hexOf("1") + `","image":"quay.io/x:1.0","imageId":"` + hexOf("c") + `","labels":{"org.opencontainers.image.version":"1.0"},"name":"one","state":"running"}],"host":"h","images":[]}`
		if len(got) != 1 || string(got[0].Data) != want {
			t.Errorf("evidence %s\nwant     %s", got[0].Data, want)
		}
		if got[0].Origin.Digest != audit.DigestOf([]byte(file)) || (got[0].Withheld == "") != publish || got[0].Name != "h-inspect.json" {
			t.Errorf("blob %+v", got[0])
		}
		if text := fmt.Sprintf("%+v", inv); strings.Contains(text, "canary") {
			t.Errorf("the inventory holds what must not be read: %s", text)
		}
	}
	opt := source.Options{Keep: func(context.Context, audit.Blob) (audit.Digest, error) { return "", errors.New("disk full") }}
	s, err := decode(t, "containers: {ps: h-inspect.json}", dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Inventory(t.Context()); err == nil || !strings.Contains(err.Error(), `keeping "h-inspect.json" as evidence: disk full`) {
		t.Errorf("error = %v", err)
	}
}

func TestABrokenPartOfAFileCostsThatPartOnly(t *testing.T) {
	good := dockerLineOf("1", "quay.io/x:1.0", "x", "running")
	podman := `{"Id":"1","Image":"quay.io/x:1.0","Names":["x"],"State":"running"}`
	tests := []struct{ name, file, want string }{
		{"a line in the middle", "{\"ID\":\"0\",\"Image\":\n" + good, "line 1: it ends in the middle"},
		{"a half-written last line", good + good[:len(good)/2], "line 2: it ends in the middle: the file was not written to its end"},
		{"a half-written array", "[" + podman + ",\n" + podman[:20], "line 2: it ends in the middle"},
		{"an array that nobody closed", "[" + podman + "\n", "line 2: it ends in the middle"},
		{"garbage after the array", "[" + podman + "]\n!!", "line 2: it is not the JSON that docker, podman or crictl print"},
		{"a number in the array", "[" + podman + ", 7]", "line 1: the entry is not of a form"},
		{"null in the array", "[" + podman + ",\nnull]", "line 2: the entry is neither a container nor an image"},
		{"an entry of another kind", good + `{"kind":"Pod"}`, "line 2: the entry is neither a container nor an image"},
		{"a wrong type", good + `{"ID":"2","Image":["x"],"Names":"y"}`, "line 2: the entry is not of a form"},
		{"a reference that is none", good + dockerLineOf("2", "quay.io/UPPER:1", "y", "running"), `image reference "quay.io/UPPER:1": path part "UPPER" is not`},
		{"a reference with a terminal escape", good + dockerLineOf("2", "quay.io/\x1b[2Jx", "y", "running"), `the image of a container is no text that can be shown: "quay.io/ [2Jx"`},
		{"a name with a line break", good + dockerLineOf("2", "quay.io/x:1.0", "y\nz", "running"), "line 2: the container has no name of a container; it is listed without"},
		{"an image ID that is cut short", good + dockerLineOf("2", "quay.io/x:1.0", "x", "running") + `{"ID":"3","Image":"0123456789ab","Names":"y","State":"running"}`, "1 image IDs are cut short"},
		{"a row that does not fit", "CONTAINER ID   IMAGE           COMMAND   CREATED   STATUS    PORTS     NAMES\n111111111111   quay.io/x:1.0   \"a\"       1 day     Up 1 day            x\n" +
			"222222222222   quay.io/a-long-name/x:1.0   \"a\"       1 day     Up 1 day            y\n", "line 3: it does not fit the columns of the header"},
		{"a container without an image", "[" + podman + ",\n" + `{"ImageID":"none","Names":["y"]}` + "]", "line 2: the container names no image"},
		{"a long line", good + `{"ID":"` + strings.Repeat("1", 1<<20) + `"}`, "line 2: it is longer than 1048576 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inv, err := read(t, "containers: {ps: h.json}", write(t, map[string]string{"h.json": tt.file}))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(inv.Artifacts, func(a sbom.Artifact) bool { return a.ID == "image:quay.io/x:1.0" && a.Replicas > 0 }) || !contains(reasons(inv), tt.want) {
				t.Errorf("got\n%s\nwant the good entry and %s", strings.Join(told(inv), "\n"), tt.want)
			}
			for _, f := range inv.Failures {
				if f.Source != "containers h.json" || f.Origin.Path != "h.json" || f.Origin.Digest == "" {
					t.Errorf("failure %+v does not say where", f)
				}
			}
			for _, a := range inv.Artifacts {
				if strings.ContainsAny(a.ID+a.Name+fmt.Sprint(a.Sightings), "\x1b\n") {
					t.Errorf("control characters in %+v", a)
				}
			}
		})
	}
}

func TestAMachineWithoutContainersIsAnEmptyListAndNoFailure(t *testing.T) {
	for _, text := range []string{"", "\n", "[]", `{"containers":[]}`, "CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES\n"} {
		inv, err := read(t, "containers: {ps: h.json}", write(t, map[string]string{"h.json": text}))
		if err != nil || len(inv.Artifacts)+len(inv.Failures) != 0 {
			t.Errorf("%q: %v, %v", text, told(inv), err)
		}
	}
}

func TestContainerFilesThatCannotBeReadAreFailuresUnlessAllAre(t *testing.T) {
	dir := write(t, map[string]string{"good.json": dockerLineOf("1", "quay.io/x:1.0", "x", "running"), "folder/": "", "binary.json": "\x7fELF\x00\x01"})
	inv, err := read(t, "containers: {ps: [good.json, gone.json, folder, binary.json, 'none-*.json']}", dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"image:quay.io/x:1.0 (x 1.0)", "  running 1 good good.json: quay.io/x:1.0: x",
		"! containers binary.json: line 1: it is neither JSON nor a table with the header that docker, podman, crictl or ctr print",
		"! containers folder: it is a directory, want a file", "! containers gone.json: no such file or directory", "! containers none-*.json: no file matches",
	}
	if diff := cmp.Diff(want, told(inv)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for in, want := range map[string]string{
		"containers: {ps: gone.json}":   `reading containers "gone.json": no such file or directory`,
		"containers: {ps: binary.json}": `reading containers "binary.json": line 1: it is neither JSON nor a table`,
		"containers: {ps: 'x[*.json'}":  `reading containers "x[*.json": it is no pattern of file names`,
	} {
		if _, err := read(t, in, dir); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), dir) {
			t.Errorf("%s: error = %v, want one with %s", in, err, want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s, err := decode(t, "containers: {ps: good.json}", dir, source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Inventory(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a run that was ended gives %v", err)
	}
	if _, err := s.Open(t.Context(), inv.Artifacts[0]); !errors.Is(err, sbom.ErrNoContents) {
		t.Errorf("opening what a file lists gives %v", err)
	}
}

func TestAnEntryForContainersThatIsWrongSaysWhatIsRight(t *testing.T) {
	for in, want := range map[string]string{
		"containers: {host: x}":                                               "containers needs one of the keys socket, ps",
		"containers: {socket: 'unix:///x', ps: y}":                            "containers has both socket and ps; write two entries",
		"containers: {socket: /run/docker.sock}":                              `socket "/run/docker.sock" is a path; write unix:///run/docker.sock`,
		"containers: {socket: 'unix://run/docker.sock'}":                      "names no absolute path; write unix:///run/docker.sock",
		"containers: {socket: 'tcp://10.0.0.1:2375'}":                         `is neither unix:///PATH nor ssh://USER@HOST/PATH`,
		"containers: {socket: 'unix:///x', images: y}":                        "images is a file beside ps",
		"containers: {socket: 'unix:///x', identity: y}":                      "identity belongs to socket: ssh://",
		"containers: {ps: y, ssh_config: z}":                                  "ssh_config belongs to socket: ssh://",
		"containers: {ps: y, host: 'a b'}":                                    `host "a b" is not letters, digits, dots, dashes and underscores`,
		"containers: {ps: y, exclude: ['[']}":                                 `exclude: "[" is no pattern`,
		"containers: {ps: y, exclud: x}":                                      `unknown key "exclud" in containers; did you mean "exclude"?`,
		"containers: {socket: 'ssh://-oProxyCommand=x/run/s'}":                "is no host name",
		"containers: {socket: 'ssh://-x@host/run/s'}":                         `"-x" is no user name`,
		"containers: {socket: 'ssh://a;b@host/run/s'}":                        "is no user name",
		"containers: {socket: 'ssh://user:secret@host/run/s'}":                "the address holds a password",
		"containers: {socket: 'ssh://host'}":                                  `"" is no path of a socket`,
		"containers: {socket: 'ssh://host/a:b'}":                              `is no path of a socket`,
		"containers: {socket: 'ssh://host/a%20b'}":                            `is no address of a socket`,
		"containers: {socket: 'ssh://host/$HOME/s'}":                          `is no path of a socket`,
		"containers: {socket: 'ssh://host:0/s'}":                              `"0" is no port`,
		"containers: {socket: 'ssh://host:99999/s'}":                          `"99999" is no port`,
		"containers: {socket: 'ssh://host/" + strings.Repeat("a", 120) + "'}": "is no path of a socket",
	} {
		if _, err := decode(t, in, ".", source.Options{}); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error = %v\nwant one with %s", in, err, want)
		}
	}
}

func TestAPlanNamesSocketsWithTheRightTheyTake(t *testing.T) {
	for in, want := range map[string][]string{
		"containers: {socket: 'unix:///run/podman/podman.sock'}":            {"containers unix:podman.sock", "local unix:///run/podman/podman.sock read (member of group docker"},
		"containers: {socket: 'ssh://jane@ctl-01:2222/run/docker.sock'}":    {"containers ssh://ctl-01:2222/run/docker.sock", "ctl-01 ssh://ctl-01:2222/run/docker.sock login with ssh, then read (member of group docker"},
		"containers: {ps: [a.json, b.json], images: i.json}":                {"containers a.json, b.json", "local a.json read", "local b.json read", "local i.json read"},
		"containers: {ps: [a.json, b.json, c.json, /srv/d.json, '*.json']}": {"containers a.json and 4 more", "local a.json read", "local b.json read", "local c.json read", "local /srv/d.json read", "local *.json read"},
	} {
		s, err := decode(t, in, ".", source.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := []string{s.Name()}
		for _, c := range s.Contacts() {
			got = append(got, c.Host+" "+c.Address+" "+c.Right)
		}
		if !slices.EqualFunc(got, want, strings.HasPrefix) {
			t.Errorf("%s: got %q\nwant %q", in, got, want)
		}
	}
}

// engine is a container engine in this process. It fails the test if anything but GET is asked.
type engine struct {
	t      *testing.T
	socket string
	mu     sync.Mutex
	asked  []string
	answer map[string]http.HandlerFunc // by path; others are as a small Docker would answer
}

func newEngine(t *testing.T) *engine {
	t.Helper()
	dir, err := os.MkdirTemp("", "e") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	e := &engine{t: t, socket: filepath.Join(dir, "docker.sock"), answer: map[string]http.HandlerFunc{}}
	l, err := net.Listen("unix", e.socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: e, ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-done; _ = os.RemoveAll(dir) })
	return e
}

func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

func status(code int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, text, code) }
}

// cut sends a part of an answer and closes the connection.
func cut(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100000")
		_, _ = io.WriteString(w, text)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
}

var engineAnswers = map[string]string{
	"/version": `{"Platform":{"Name":"Docker Engine - Community"},"Components":[{"Name":"Engine","Version":"27.5.1"}],"Version":"27.5.1","ApiVersion":"1.47"}`,
	"/info":    `{"ID":"x","Name":"ctl-01","HttpProxy":"http://user:canary@proxy","DriverStatus":[["Backing Filesystem","extfs"]],"Labels":["canary"]}`,
	"/containers/json": `[{"Id":"` + hexOf("1") + `","Names":["/keystone"],"Image":"` + keystone + `","ImageID":"sha256:` + hexOf("a") + `","Command":"canary","State":"running","Labels":{"org.opencontainers.image.version":"27.0.0","canary":"x"}},` +
		`{"Id":"` + hexOf("2") + `","Names":["/old"],"Image":"sha256:` + hexOf("b") + `","ImageID":"sha256:` + hexOf("b") + `","State":"exited"}]`,
	"/images/json": `[{"Id":"sha256:` + hexOf("a") + `","RepoTags":["` + keystone + `"],"RepoDigests":["quay.io/openstack.kolla/keystone@sha256:` + hexOf("d") + `"],"Labels":{"name":"keystone"}},` +
		`{"Id":"sha256:` + hexOf("c") + `","RepoTags":["busybox:1.37.0"],"RepoDigests":["busybox@sha256:` + hexOf("e") + `"],"Labels":null}]`,
	"/containers/" + hexOf("2") + "/json":    `{"Id":"` + hexOf("2") + `","Image":"sha256:` + hexOf("b") + `","Args":["canary"],"State":{"Status":"exited"},"Config":{"Image":"` + keystone + `","Env":["X=canary"]}}`,
	"/images/sha256:" + hexOf("a") + "/json": `{"Id":"sha256:` + hexOf("a") + `","RepoTags":["` + keystone + `"],"RepoDigests":[],"Config":{"Env":["X=canary"],"Labels":{"name":"keystone"}},"Os":"linux","Architecture":"amd64"}`,
	"/images/sha256:" + hexOf("c") + "/json": `{"Id":"sha256:` + hexOf("c") + `","RepoTags":["busybox:1.37.0"],"Config":{"Labels":null},"Os":"linux","Architecture":"arm64","Variant":"v8"}`,
}

func (e *engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	e.asked = append(e.asked, r.URL.RequestURI())
	e.mu.Unlock()
	if r.Method != http.MethodGet || r.ContentLength > 0 {
		e.t.Errorf("%s %s was sent; only GET may be", r.Method, r.URL)
	}
	if h, ok := e.answer[r.URL.Path]; ok {
		h(w, r)
		return
	}
	if text, ok := engineAnswers[r.URL.Path]; ok {
		_, _ = io.WriteString(w, text)
		return
	}
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, `{"message":"no such image"}`)
}

// local opens Unix sockets, as the program does when it may.
func local(opt source.Options) source.Options {
	opt.At = assessedAt
	opt.Network.Local = func(ctx context.Context, path string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	return opt
}

func (e *engine) source(extra string, opt source.Options) sbom.Source {
	e.t.Helper()
	s, err := decode(e.t, "containers: {socket: 'unix://"+e.socket+"'"+extra+"}", ".", local(opt))
	if err != nil {
		e.t.Fatal(err)
	}
	return s
}

func TestALiveEngineTellsContainersImagesAndItself(t *testing.T) {
	e := newEngine(t)
	var kept []string
	opt := source.Options{Keep: func(_ context.Context, b audit.Blob) (audit.Digest, error) {
		kept = append(kept, b.Name+" "+string(b.Data))
		return audit.DigestOf(b.Data), nil
	}}
	inv, err := e.source("", opt).Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"image:quay.io/openstack.kolla/keystone:2025.1-ubuntu-noble (keystone ) config bbbbbb",
		"  stopped 0 ctl-01 unix:docker.sock: sha256:" + hexOf("b") + "; the tag now names another image: old",
		"image:sha256:" + hexOf("d") + " (keystone ) config aaaaaa",
		"  running 1 ctl-01 unix:docker.sock: " + keystone + ": keystone",
		"image:sha256:" + hexOf("e") + " (busybox 1.37.0) config cccccc",
		"  present 0 ctl-01 unix:docker.sock: busybox:1.37.0:",
		"software:docker@27.5.1 (docker 27.5.1)",
		"  running 1 ctl-01 unix:docker.sock: version:",
	}
	if diff := cmp.Diff(want, told(inv)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if a := inv.Artifacts[1]; a.Platform != "linux/amd64" || a.Labels["name"] != "keystone" || a.Unpinned != "" || a.Sightings[0].Origin.URL != "unix:docker.sock" || a.Sightings[0].Origin.Digest == "" {
		t.Errorf("keystone is %+v", a)
	}
	if inv.Artifacts[2].Platform != "linux/arm64/v8" || inv.Artifacts[0].Unpinned == "" {
		t.Errorf("busybox is %+v\nold is %+v", inv.Artifacts[2], inv.Artifacts[0])
	}
	if text := fmt.Sprintf("%+v %s", inv, kept); len(kept) != 1 || strings.Contains(text, "canary") || strings.Contains(text, e.socket) {
		t.Errorf("inventory or evidence hold what must not be read: %s", text)
	}
	named, err := e.source(", host: other", source.Options{}).Inventory(t.Context())
	if err != nil || !slices.Equal(named.Artifacts[1].Sightings[0].Hosts, []string{"other"}) {
		t.Errorf("the host of the entry does not win: %v %+v", err, named.Artifacts)
	}
}

func TestAStoreThatKeepsManifestsHasDigestsForImageIDs(t *testing.T) {
	e := newEngine(t)
	e.answer["/images/sha256:"+hexOf("a")+"/json"], e.answer["/images/sha256:"+hexOf("c")+"/json"] = status(404, ""), status(404, "")
	e.answer["/info"] = says(`{"Name":"h","DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]]}`)
	e.answer["/containers/json"] = says(`[{"Id":"` + hexOf("1") + `","Names":["/x"],"Image":"quay.io/x:1.0","ImageID":"sha256:` + hexOf("a") + `","ImageManifestDescriptor":{"digest":"sha256:` + hexOf("f") + `"},"State":"running"},` +
		`{"Id":"` + hexOf("2") + `","Names":["/y"],"Image":"quay.io/y:1.0","ImageID":"sha256:` + hexOf("c") + `","State":"running"}]`)
	e.answer["/images/json"] = says(`[{"Id":"sha256:` + hexOf("a") + `","RepoTags":["quay.io/x:1.0"],"RepoDigests":["quay.io/x@sha256:` + hexOf("a") + `"]}]`)
	inv, err := e.source("", source.Options{}).Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"image:sha256:" + hexOf("c") + " (y 1.0)", "  running 1 h unix:docker.sock: quay.io/y:1.0: y",
		"image:sha256:" + hexOf("f") + " (x 1.0) also aaaaaa", "  running 1 h unix:docker.sock: quay.io/x:1.0: x",
	}
	if diff := cmp.Diff(want, told(inv)[:4]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatAnEngineRefusesIsAFailureAndTheRestStays(t *testing.T) {
	half := engineAnswers["/containers/json"][:strings.Index(engineAnswers["/containers/json"], `,{"Id"`)+30]
	tests := []struct {
		name, path string
		h          http.HandlerFunc
		want       string // failure
		artifact   string // still there
		settle     string
	}{
		{"images are forbidden", "/images/json", status(403, `{"message":"no\nway \u001b[2J"}`), `GET /images: the engine answers 403 Forbidden ("no way  [2J")`, "image:sha256:" + hexOf("a"), "let a proxy"},
		{"images need a login", "/images/json", status(401, "<html>login"), "GET /images: the engine answers 401 Unauthorized", "image:sha256:" + hexOf("a"), "let a proxy"},
		{"too many requests", "/images/json", status(429, ""), "GET /images: the engine answers 429 Too Many Requests", "image:sha256:" + hexOf("a"), "run again later"},
		{"an error inside", "/images/json", status(500, strings.Repeat("x", 1<<20)), "GET /images: the engine answers 500 Internal Server Error", "image:sha256:" + hexOf("a"), "run again"},
		{"a redirect", "/images/json", http.RedirectHandler("http://169.254.169.254/", http.StatusFound).ServeHTTP, "GET /images: the engine answers 302 Found", "image:sha256:" + hexOf("a"), ""},
		{"garbage", "/images/json", says("<html>login</html>"), "GET /images: the answer is not the JSON of a container engine", "image:sha256:" + hexOf("a"), ""},
		{"an answer cut in an entry", "/containers/json", cut(half), "GET /containers: the answer breaks off after ", "image:sha256:" + hexOf("d"), "run again"},
		{"containers are forbidden", "/containers/json", status(403, `{"message":"no"}`), `GET /containers: the engine answers 403 Forbidden ("no")`, "image:sha256:" + hexOf("d"), ""},
		{"the version is forbidden", "/version", status(403, ""), "GET /version: the engine answers 403 Forbidden", "image:sha256:" + hexOf("d"), ""},
		{"the name is forbidden", "/info", status(403, ""), "GET /info: the engine answers 403 Forbidden", "image:sha256:" + hexOf("d"), "name the machine: host: NAME"},
		{"the name is none", "/info", says(`{"Name":"a\nb"}`), `GET /info: the engine names its host "a b"`, "image:sha256:" + hexOf("d"), "name the machine: host: NAME"},
		{"one image is forbidden", "/images/sha256:" + hexOf("a") + "/json", status(403, ""), "GET /images/ID/json: the engine answers 403 Forbidden", "image:sha256:" + hexOf("d"), ""},
		{"one image is gone", "/images/sha256:" + hexOf("a") + "/json", status(404, ""), "", "image:sha256:" + hexOf("d"), ""},
		{"one image is garbage", "/images/sha256:" + hexOf("a") + "/json", says("[]"), "GET /images/ID/json: the answer is not the JSON", "image:sha256:" + hexOf("d"), ""},
		{"a container closes", "/containers/" + hexOf("2") + "/json", cut("{"), "GET /containers/ID/json: the answer breaks off after 1 bytes: the connection was closed", "image:sha256:" + hexOf("d"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := newEngine(t)
			e.answer[tt.path] = tt.h
			inv, err := e.source("", source.Options{}).Inventory(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(inv.Artifacts, func(a sbom.Artifact) bool { return a.ID == tt.artifact }) {
				t.Errorf("got\n%s\nwant %s", strings.Join(told(inv), "\n"), tt.artifact)
			}
			if tt.want == "" {
				if len(inv.Failures) > 0 {
					t.Errorf("failures %q", reasons(inv))
				}
				return
			}
			if len(inv.Failures) != 1 || !strings.HasPrefix(inv.Failures[0].Reason, tt.want) || !strings.Contains(inv.Failures[0].Settle, tt.settle) ||
				len(inv.Failures[0].Reason) > 400 || inv.Failures[0].Source != "containers unix:docker.sock" {
				t.Errorf("failures %+v\nwant %s", inv.Failures, tt.want)
			}
		})
	}
}

func TestAnEngineThatGivesNothingIsOneClearError(t *testing.T) {
	e := newEngine(t)
	for _, path := range []string{"/version", "/info", "/containers/json", "/images/json"} {
		e.answer[path] = status(http.StatusForbidden, "")
	}
	if _, err := e.source("", source.Options{}).Inventory(t.Context()); err == nil || !strings.Contains(err.Error(), `reading containers of "unix:docker.sock": GET /images: the engine answers 403 Forbidden`) {
		t.Errorf("error = %v", err)
	}
	for _, tt := range []struct {
		socket string
		opt    source.Options
		want   string
	}{
		{"unix:///nowhere/docker.sock", local(source.Options{}), `reading containers of "unix:docker.sock": no such file or directory`},
		{"unix:///nowhere/docker.sock", source.Options{}, "sockets of this machine may not be opened in this run; give files instead"},
		{"ssh://host/run/docker.sock", local(source.Options{}), "the run is offline"},
	} {
		s, err := decode(t, "containers: {socket: '"+tt.socket+"'}", ".", tt.opt)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Inventory(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "nowhere") {
			t.Errorf("error = %v, want one with %s", err, tt.want)
		}
	}
}

func TestASocketThatHangsEndsInTime(t *testing.T) {
	for name, first := range map[string]string{
		"before the answer":        "",
		"after the start of it":    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
		"in the middle of headers": "HTTP/1.1 200 OK\r\nA: ",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opt := source.Options{At: assessedAt}
				opt.Network.Local = func(context.Context, string) (net.Conn, error) {
					here, there := net.Pipe()
					go func() {
						defer there.Close()
						if _, err := there.Read(make([]byte, 4096)); err == nil {
							_, _ = io.WriteString(there, first)
						}
						_, _ = io.Copy(io.Discard, there) // until the other side gives up
					}()
					return here, nil
				}
				s, err := decode(t, "containers: {socket: 'unix:///s'}", ".", opt)
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				if _, err := s.Inventory(t.Context()); err == nil || !strings.Contains(err.Error(), "no answer in time") || time.Since(start) > 2*time.Minute {
					t.Errorf("after %s: %v", time.Since(start), err)
				}
			})
		})
	}
}

// saved is an archive as docker save makes it, of one image with one layer.
type saved struct{ config, layer, tar []byte }

func newSaved(t testing.TB, change func(files map[string]string)) saved {
	t.Helper()
	layer := tarOf(t, map[string]string{"hello": "world"}, nil)
	config := []byte(`{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["` + string(audit.DigestOf(layer)) + `"]},"config":{}}`)
	name := audit.DigestOf(config).Hex() + ".json"
	files := map[string]string{name: string(config), "abc/layer.tar": "-> ../real.tar", "real.tar": string(layer), "repositories": "{}", "abc/VERSION": "1.0",
		"manifest.json": `[{"Config":"` + name + `","RepoTags":null,"Layers":["abc/layer.tar"]}]`}
	if change != nil {
		change(files)
	}
	return saved{config, layer, tarOf(t, files, nil)}
}

// tarOf makes an archive in the order of names; a text "-> x" is a symbolic link.
func tarOf(t testing.TB, files map[string]string, extra func(*tar.Writer) error) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		h := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(files[name])), Typeflag: tar.TypeReg}
		if target, ok := strings.CutPrefix(files[name], "-> "); ok {
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, target, 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := io.WriteString(w, files[name]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if extra != nil {
		if err := extra(w); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// entriesOf lists a folder for temporary files.
func entriesOf(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range list {
		out = append(out, e.Name())
	}
	return out
}

// checkLayout reads a layout with go-containerregistry and verifies every blob of the image with the digest.
func checkLayout(t *testing.T, target sbom.Target, config audit.Digest) {
	t.Helper()
	index, err := ggcrlayout.ImageIndexFromPath(target.Path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := v1.NewHash(string(target.Artifact.Digest))
	if err != nil {
		t.Fatal(err)
	}
	image, err := index.Image(h)
	if err != nil {
		t.Fatalf("image %s of the artifact: %v", h, err)
	}
	name, err := image.ConfigName()
	if err != nil || name.String() != string(config) {
		t.Errorf("configuration %s, %v, want %s", name, err, config)
	}
	m, err := image.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range append(m.Layers, m.Config) {
		data, err := os.ReadFile(filepath.Join(target.Path, "blobs", d.Digest.Algorithm, d.Digest.Hex))
		if err != nil || int64(len(data)) != d.Size || string(audit.DigestOf(data)) != d.Digest.String() {
			t.Errorf("blob %s: %v", d.Digest, err)
		}
	}
	if got, want := len(entriesOf(t, filepath.Join(target.Path, "blobs", "sha256"))), len(m.Layers)+2; got != want {
		t.Errorf("%d blobs, want %d: what does not belong to the image stays", got, want)
	}
}

func TestAnImageIsExportedWithoutARegistryAndIsTheOneThatRuns(t *testing.T) {
	e, temp, x := newEngine(t), t.TempDir(), newSaved(t, nil)
	config := audit.DigestOf(x.config)
	e.answer["/images/"+string(config)+"/get"] = says(string(x.tar))
	a := sbom.Artifact{ID: "image:sha256:" + hexOf("d"), Kind: sbom.KindImage, Name: "x", Reference: "quay.io/x:1.0", Digest: audit.Digest("sha256:" + hexOf("d")), Config: config}
	target, err := e.source("", source.Options{TempDir: temp}).Open(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	checkLayout(t, target, config)
	if target.Form != "oci-dir" || target.Artifact.ID != a.ID || !slices.Equal(target.Artifact.Digests, []audit.Digest{a.Digest}) || target.Artifact.Config != config {
		t.Errorf("target %+v", target)
	}
	if err := target.Done(); err != nil || len(entriesOf(t, temp)) != 0 {
		t.Errorf("left behind: %v %v", entriesOf(t, temp), err)
	}
	if _, err := e.source("", source.Options{}).Open(t.Context(), sbom.Artifact{Kind: sbom.KindSoftware}); !errors.Is(err, sbom.ErrNoContents) {
		t.Errorf("software: %v", err)
	}
}

func TestAnExportFromAStoreOfManifestsKeepsTheManifest(t *testing.T) {
	x := newSaved(t, nil)
	sum := func(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }
	manifest := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:` + sum(x.config) +
		`","size":` + fmt.Sprint(len(x.config)) + `},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"sha256:` + sum(x.layer) + `","size":` + fmt.Sprint(len(x.layer)) + `}]}`
	index := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:` + sum([]byte(manifest)) + `","size":` + fmt.Sprint(len(manifest)) + `}]}`
	blob := func(b []byte) string { return "blobs/sha256/" + sum(b) }
	archive := tarOf(t, map[string]string{"manifest.json": `[{"Config":"` + blob(x.config) + `","Layers":["` + blob(x.layer) + `"]}]`, blob(x.config): string(x.config), blob(x.layer): string(x.layer),
		blob([]byte(manifest)): manifest, blob([]byte(index)): index, "index.json": "{}", "oci-layout": "{}"}, nil)
	for name, id := range map[string]string{"of a manifest": sum([]byte(manifest)), "of an index": sum([]byte(index))} {
		e := newEngine(t)
		digest := audit.Digest("sha256:" + id)
		e.answer["/images/quay.io/x@"+string(digest)+"/json"] = says(`{"Id":"` + string(digest) + `","RepoDigests":["quay.io/x@` + string(digest) + `"]}`)
		e.answer["/images/"+string(digest)+"/get"] = says(string(archive))
		target, err := e.source("", source.Options{TempDir: t.TempDir()}).Open(t.Context(), sbom.Artifact{Kind: sbom.KindImage, Reference: "quay.io/x:1.0", Digest: digest})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		checkLayout(t, target, audit.DigestOf(x.config))
		if target.Artifact.Digest.Hex() != sum([]byte(manifest)) {
			t.Errorf("%s: digest %s", name, target.Artifact.Digest)
		}
	}
}

func TestAnExportThatIsNotTheImageIsRefusedAndLeavesNothing(t *testing.T) {
	tests := []struct {
		name string
		tar  func() []byte
		h    http.HandlerFunc
		want string
	}{
		{"another image", func() []byte {
			return newSaved(t, func(f map[string]string) { f["manifest.json"] = `[{"Config":"repositories","Layers":[]}]` }).tar
		}, nil, "it is another image"},
		{"a changed layer", func() []byte { return newSaved(t, func(f map[string]string) { f["real.tar"] = "other" }).tar }, nil, "layer 1 of the export: its contents do not match its digest"},
		{"a missing layer", func() []byte { return newSaved(t, func(f map[string]string) { delete(f, "real.tar") }).tar }, nil, "the export lacks layer 1 of 1"},
		{"links in a circle", func() []byte {
			return newSaved(t, func(f map[string]string) { f["abc/layer.tar"] = "-> layer.tar" }).tar
		}, nil, "the export lacks layer 1 of 1"},
		{"a link that leads out", func() []byte {
			return newSaved(t, func(f map[string]string) { f["abc/layer.tar"] = "-> ../../../../etc/passwd" }).tar
		}, nil, "the export lacks layer 1 of 1"},
		{"no manifest", func() []byte { return newSaved(t, func(f map[string]string) { delete(f, "manifest.json") }).tar }, nil, "the export has no manifest.json"},
		{"two images", func() []byte { return newSaved(t, func(f map[string]string) { f["manifest.json"] = "[{},{}]" }).tar }, nil, "does not describe one image"},
		{"a missing configuration", func() []byte {
			return newSaved(t, func(f map[string]string) { f["manifest.json"] = `[{"Config":"x"}]` }).tar
		}, nil, "the export lacks the configuration"},
		{"a path that leads out", func() []byte { return tarOf(t, map[string]string{"../x": "y"}, nil) }, nil, `an entry "../x", which is no path inside it`},
		{"a device", func() []byte {
			return tarOf(t, nil, func(w *tar.Writer) error { return w.WriteHeader(&tar.Header{Name: "d", Typeflag: tar.TypeChar}) })
		}, nil, "neither file nor folder nor link"},
		{"no archive", func() []byte { return []byte("<html>") }, nil, "the export is cut off or damaged"},
		{"an empty answer", func() []byte { return nil }, nil, "the export is cut off or damaged"},
		{"a connection that closes", nil, cut(string(newSaved(t, nil).tar[:700])), "the export is cut off or damaged"},
		{"no right", nil, status(403, ""), "the engine answers 403 Forbidden"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, temp := newEngine(t), t.TempDir()
			config := audit.DigestOf(newSaved(t, nil).config)
			h := tt.h
			if h == nil {
				h = says(string(tt.tar()))
			}
			e.answer["/images/"+string(config)+"/get"] = h
			_, err := e.source("", source.Options{TempDir: temp}).Open(t.Context(), sbom.Artifact{Kind: sbom.KindImage, Name: "x", Config: config})
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), `exporting "x" from "unix:docker.sock": `) || strings.Contains(err.Error(), temp) {
				t.Errorf("error = %v\nwant one with %s", err, tt.want)
			}
			if left := entriesOf(t, temp); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
	e := newEngine(t)
	for _, a := range []sbom.Artifact{{Kind: sbom.KindImage, Reference: "quay.io/x:1.0"}, {Kind: sbom.KindImage, Reference: "quay.io/x:1.0", Digest: audit.Digest("sha256:" + hexOf("7"))}} {
		if _, err := e.source("", source.Options{TempDir: t.TempDir()}).Open(t.Context(), a); err == nil {
			t.Errorf("%+v was exported by its tag", a)
		}
	}
}

func TestAnExportThatIsEndedOrHangsLeavesNothing(t *testing.T) {
	x := newSaved(t, nil)
	config := audit.DigestOf(x.config)
	a := sbom.Artifact{Kind: sbom.KindImage, Name: "x", Config: config}
	e, temp := newEngine(t), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	e.answer["/images/"+string(config)+"/get"] = func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(x.tar[:600])
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
	}
	if _, err := e.source("", source.Options{TempDir: temp}).Open(ctx, a); !errors.Is(err, context.Canceled) || len(entriesOf(t, temp)) > 0 {
		t.Errorf("ended: %v, left %v", err, entriesOf(t, temp))
	}
	synctest.Test(t, func(t *testing.T) {
		opt := source.Options{TempDir: temp}
		opt.Network.Local = func(context.Context, string) (net.Conn, error) {
			here, there := net.Pipe()
			go func() {
				defer there.Close()
				if _, err := there.Read(make([]byte, 4096)); err == nil {
					_, _ = fmt.Fprintf(there, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(x.tar), x.tar[:600])
				}
				_, _ = io.Copy(io.Discard, there)
			}()
			return here, nil
		}
		s, err := decode(t, "containers: {socket: 'unix:///s'}", ".", opt)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Open(t.Context(), a); err == nil || !strings.Contains(err.Error(), "no byte for 2m0s") || len(entriesOf(t, temp)) > 0 {
			t.Errorf("hanging: %v, left %v", err, entriesOf(t, temp))
		}
	})
}

// sshd is a real server of OpenSSH on the loopback, with its keys in a folder of the test.
type sshd struct{ dir, port string }

func startSSHD(t *testing.T) sshd {
	t.Helper()
	program := "/usr/sbin/sshd"
	for _, need := range []string{program, "ssh", "ssh-keygen"} {
		if _, err := exec.LookPath(need); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing: install openssh-server and openssh-client", need)
			}
			t.Skipf("%s is missing: install openssh-server and openssh-client to run this", need)
		}
	}
	dir, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for _, key := range []string{"host", "user", "stranger"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", filepath.Join(dir, key)).CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen: %v: %s", err, out)
		}
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("authorized", read("user.pub"))
	put("known", "[127.0.0.1]:"+port+" "+read("host.pub"))
	put("known-other", "[127.0.0.1]:"+port+" "+read("stranger.pub"))
	put("sshd_config", fmt.Sprintf("ListenAddress 127.0.0.1:%s\nHostKey %s/host\nAuthorizedKeysFile %s/authorized\nPidFile %s/pid\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"+
		"PermitRootLogin prohibit-password\nAllowStreamLocalForwarding yes\nAllowTcpForwarding yes\n", port, dir, dir, dir))
	put("config", "UserKnownHostsFile "+dir+"/known\nIdentitiesOnly yes\n")
	put("config-other", "UserKnownHostsFile "+dir+"/known-other\nIdentitiesOnly yes\n")
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil && os.Getuid() == 0 {
		t.Fatal(err)
	}
	server := exec.Command(program, "-D", "-e", "-f", filepath.Join(dir, "sshd_config"))
	var said bytes.Buffer
	server.Stderr = &said
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		if t.Failed() {
			t.Logf("sshd: %s", said.String())
		}
	})
	for until := time.Now().Add(10 * time.Second); ; {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			_ = c.Close()
			return sshd{dir, port}
		}
		if time.Now().After(until) {
			t.Fatalf("sshd does not listen: %v", err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestAnEngineOfAnotherMachineIsReadThroughARealSSHD(t *testing.T) {
	server, e := startSSHD(t), newEngine(t)
	temp, err := os.MkdirTemp("", "t")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(temp) })
	x := newSaved(t, nil)
	config := audit.DigestOf(x.config)
	e.answer["/images/"+string(config)+"/get"] = says(string(x.tar))
	user := "root"
	if os.Getuid() != 0 {
		user = os.Getenv("USER")
	}
	at := func(config, key, socket string) sbom.Source {
		t.Helper()
		opt := source.Options{At: assessedAt, TempDir: temp, Getenv: os.Getenv}
		opt.Network.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("not used") }
		s, err := decode(t, fmt.Sprintf("containers: {socket: 'ssh://%s@127.0.0.1:%s%s', ssh_config: %s, identity: %s}", user, server.port, socket, config, key), server.dir, opt)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := at("config", "user", e.socket)
	inv, err := s.Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	where := "ssh://127.0.0.1:" + server.port + e.socket
	if len(inv.Artifacts) != 4 || len(inv.Failures) != 0 || inv.Artifacts[1].Sightings[0].Where != where+": "+keystone || inv.Artifacts[1].Sightings[0].Origin.URL != where {
		t.Errorf("got\n%s", strings.Join(told(inv), "\n"))
	}
	target, err := s.Open(t.Context(), sbom.Artifact{Kind: sbom.KindImage, Config: config})
	if err != nil {
		t.Fatal(err)
	}
	checkLayout(t, target, config)
	if err := target.Done(); err != nil {
		t.Error(err)
	}
	for want, s := range map[string]sbom.Source{
		"ssh ended: Host key verification failed.":                        at("config-other", "user", e.socket),
		"ssh ended: 127.0.0.1: Permission denied (publickey":              at("config", "stranger", e.socket),
		"; is a socket at /nowhere.sock there, and may the user open it?": at("config", "user", "/nowhere.sock"),
		"ssh ended: Can't open user config file gone: No such file":       at(server.dir+"/gone", "user", e.socket),
	} {
		_, err := s.Inventory(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), server.dir) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error = %v\nwant one with %q", err, want)
		}
	}
	if left := entriesOf(t, temp); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func FuzzContainerFiles(f *testing.F) {
	f.Add(dockerLineOf("1", "quay.io/x:1.0", "x", "running")+dockerLineOf("2", "redis", "y", "exited", "a=b,c"), `[{"Id":"`+hexOf("c")+`","RepoTags":["quay.io/x:1.0"],"RepoDigests":["quay.io/x@sha256:`+hexOf("d")+`"]}]`)
	f.Add(`[{"Id":"1","Image":"`+hexOf("c")[:12]+`","ImageID":"`+hexOf("c")+`","Names":["y"],"State":"running","Labels":{"a":"b"}}]`, "REF TYPE DIGEST\nx:1 a   sha256:"+hexOf("d")+"\n")
	f.Add(`{"containers":[{"id":"1","image":{"image":"x:1"},"imageRef":"x@sha256:`+hexOf("d")+`","metadata":{"name":"a"},"state":"CONTAINER_RUNNING"}]}`, `{"images":[{"id":"`+hexOf("a")+`"}]}`)
	f.Add("CONTAINER ID   IMAGE   STATUS   NAMES\n111111111111   a:1     Up 1     x\n", `{"Repository":"a","Tag":"1","ID":"111111111111"}`)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, first, second string) {
		for name, text := range map[string]string{"a-ps.json": first, "b-ps.json": second} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		inv, err := read(t, "containers: {ps: [a-ps.json, b-ps.json], images: [b-ps.json], exclude: [secret*]}", dir)
		turned, turnedErr := read(t, "containers: {ps: [b-ps.json, a-ps.json], images: [b-ps.json], exclude: [secret*]}", dir)
		if (err == nil) != (turnedErr == nil) || (err == nil && !cmp.Equal(inv, turned)) {
			t.Fatalf("the order of files matters:\n%s\n%v %v", cmp.Diff(inv, turned), err, turnedErr)
		}
		seen := map[string]bool{}
		for _, a := range inv.Artifacts {
			if len(a.Sightings) == 0 || a.ID == "image:" || a.Name == "" || seen[a.ID] {
				t.Fatalf("artifact %+v", a)
			}
			seen[a.ID] = true
			if strings.ContainsAny(a.ID+a.Name+a.Reference, "\x00\x1b\n\r") || strings.HasPrefix(a.Name, "secret") && a.Replicas > 0 && a.Reference == "" {
				t.Fatalf("text of %+v", a)
			}
			running := 0
			for _, s := range a.Sightings {
				running += s.Replicas
				if s.Declared || s.Where == "" || s.Origin.Digest == "" {
					t.Fatalf("sighting %+v", s)
				}
			}
			if running != a.Replicas {
				t.Fatalf("%d run, %d are counted: %+v", running, a.Replicas, a)
			}
		}
	})
}

func FuzzExportedImages(f *testing.F) {
	x := newSaved(f, nil)
	config := audit.DigestOf(x.config)
	f.Add(x.tar)
	f.Add(x.tar[:1024])
	temp := f.TempDir()
	f.Fuzz(func(t *testing.T, archive []byte) {
		opt := source.Options{TempDir: temp}
		opt.Network.Local = func(context.Context, string) (net.Conn, error) {
			here, there := net.Pipe()
			go func() {
				defer there.Close()
				if _, err := there.Read(make([]byte, 4096)); err == nil {
					_, _ = fmt.Fprintf(there, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(archive), archive)
				}
			}()
			return here, nil
		}
		s, err := decode(t, "containers: {socket: 'unix:///s'}", ".", opt)
		if err != nil {
			t.Fatal(err)
		}
		target, err := s.Open(t.Context(), sbom.Artifact{Kind: sbom.KindImage, Config: config})
		if err == nil {
			checkLayout(t, target, config)
			err = target.Done()
			if err != nil {
				t.Fatal(err)
			}
		}
		if left := entriesOf(t, temp); len(left) > 0 {
			t.Fatalf("left behind: %v", left)
		}
	})
}
