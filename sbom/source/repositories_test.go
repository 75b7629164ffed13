package source_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/source"
)

// repositoriesOf reads the repositories of a host with these files, one line each.
func repositoriesOf(t *testing.T, files map[string]string) ([]string, sbom.Inventory) {
	t.Helper()
	all := map[string]string{"etc/os-release": debian12, "var/lib/dpkg/status": "x"}
	for name, text := range files {
		all[name] = text
	}
	inv, err := read(t, "host: {root: ., name: ctl-1}", write(t, all))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, r := range inv.Repositories {
		if r.Host != "ctl-1" || r.Origin.Path == "" || r.Origin.Line == 0 || r.Origin.Digest == "" || r.Origin.At != assessedAt {
			t.Errorf("repository %+v lacks host or origin", r)
		}
		out = append(out, fmt.Sprintf("%s %s %s %v %s", r.Kind, r.Address, r.Suite, r.Areas, r.Vendor))
	}
	return out, inv
}

func TestConfiguredRepositoriesAreListedWithTheirVendors(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"one line each", map[string]string{"etc/apt/sources.list": `# deb http://commented.example.org/ x y
deb http://ftp.debian.org/debian bookworm main contrib non-free-firmware # the distribution
deb-src http://ftp.debian.org/debian bookworm main
deb [ arch=amd64 signed-by=/usr/share/keyrings/docker.gpg ] https://download.docker.com/linux/debian bookworm stable
deb	[trusted=yes]	http://mirror.example.org/flat	./
deb cdrom:[Debian GNU/Linux 12 _Bookworm_ - Official]/ bookworm main
`}, []string{
			"apt cdrom: bookworm [main] unknown vendor",
			"apt http://ftp.debian.org/debian bookworm [main contrib non-free-firmware] distribution (Debian)",
			"apt http://mirror.example.org/flat ./ [] unknown vendor",
			"apt https://download.docker.com/linux/debian bookworm [stable] Docker"}},
		{"stanzas", map[string]string{"etc/apt/sources.list.d/ubuntu.sources": `# a comment
Types: deb deb-src
URIs: http://archive.ubuntu.com/ubuntu/
Suites: noble
 noble-updates
# a comment within
Components: main restricted universe multiverse
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBGYo0vEBEAC0Semxy
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: https://ubuntu-cloud.archive.canonical.com/ubuntu
Suites: noble-updates/flamingo
Components: main

Enabled: no
Types: deb
URIs: https://switched-off.example.org/
Suites: x
Components: y

Types: deb-src
URIs: https://sources-only.example.org/
Suites: x
Components: y
`}, []string{
			"apt http://archive.ubuntu.com/ubuntu noble [main restricted universe multiverse] distribution (Ubuntu)",
			"apt http://archive.ubuntu.com/ubuntu noble-updates [main restricted universe multiverse] distribution (Ubuntu)",
			"apt https://ubuntu-cloud.archive.canonical.com/ubuntu noble-updates/flamingo [main] Ubuntu Cloud Archive"}},
		{"a list of mirrors on the host, as cloud images have it", map[string]string{
			"etc/apt/sources.list.d/debian.sources": "Types: deb\nURIs: mirror+file:///etc/apt/mirrors/debian.list\nSuites: bookworm\nComponents: main\n",
			"etc/apt/mirrors/debian.list":           "# mirrors\nhttps://ftp.debian.org/debian\tpriority:1\n"},
			[]string{"apt https://ftp.debian.org/debian bookworm [main] distribution (Debian)"}},
		{"yum and zypper", map[string]string{
			"etc/yum.repos.d/rocky.repo": "[main]\nbaseurl=https://no.example.org/\n[baseos]\nname=Rocky\nmirrorlist=https://mirrors.rockylinux.org/mirrorlist?arch=$basearch&repo=BaseOS-$releasever$rltype\nenabled=1\n\n[off]\nbaseurl=https://off.example.org/\nenabled = 0\n\n" +
				"[epel]\nmetalink=https://mirrors.fedoraproject.org/metalink?repo=epel-$releasever&arch=$basearch\n[grafana]\nbaseurl = https://rpm.grafana.com\n  https://mirror.example.org/grafana\ngpgcheck=1\n",
			"etc/zypp/repos.d/oss.repo": "[oss]\nenabled=1\nbaseurl=https://download.opensuse.org/distribution/leap/15.6/repo/oss/\n[obs]\nenabled=1\nbaseurl=https://download.opensuse.org/repositories/Cloud:/x/\n",
		}, []string{
			"rpm https://download.opensuse.org/distribution/leap/15.6/repo/oss oss [] distribution (openSUSE)",
			"rpm https://download.opensuse.org/repositories/Cloud:/x obs [] openSUSE Build Service",
			"rpm https://mirror.example.org/grafana grafana [] unknown vendor",
			"rpm https://mirrors.fedoraproject.org/metalink epel [] EPEL (Fedora)",
			"rpm https://mirrors.rockylinux.org/mirrorlist baseos [] distribution (Rocky Linux)",
			"rpm https://rpm.grafana.com grafana [] Grafana"}},
		{"apk", map[string]string{"etc/apk/repositories": "#/media/cdrom/apks\n/media/cdrom/apks\nhttps://dl-cdn.alpinelinux.org/alpine/v3.22/main\n@edge https://dl-cdn.alpinelinux.org/alpine/edge/testing/\nhttps://apk.example.org/own\n"},
			[]string{
				"apk file:  [] unknown vendor",
				"apk https://apk.example.org/own  [] unknown vendor",
				"apk https://dl-cdn.alpinelinux.org/alpine edge [testing] distribution (Alpine)",
				"apk https://dl-cdn.alpinelinux.org/alpine v3.22 [main] distribution (Alpine)"}},
		{"files that apt passes over", map[string]string{"etc/apt/sources.list.d/a.list.save": "deb http://x.example.org/ a b\n", "etc/apt/sources.list.d/.b.list": "deb http://x.example.org/ a b\n",
			"etc/apt/auth.conf": "machine x login l password p", "etc/apt/auth.conf.d/x.list": "machine x"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, inv := repositoriesOf(t, tt.files)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("repositories (-want +got):\n%s", diff)
			}
			if len(inv.Failures) > 0 {
				t.Errorf("failures %q", reasons(inv))
			}
		})
	}
}

func TestEveryVendorOfAKollaBuildIsKnown(t *testing.T) {
	for address, want := range map[string]string{
		"http://security.debian.org/debian-security":                         "distribution (Debian)",
		"http://ftp.de.debian.org/debian":                                    "distribution (Debian)",
		"http://de.archive.ubuntu.com/ubuntu":                                "distribution (Ubuntu)",
		"http://ubuntu-cloud.archive.canonical.com/ubuntu":                   "Ubuntu Cloud Archive",
		"https://download.docker.com/linux/ubuntu":                           "Docker",
		"https://apt.grafana.com":                                            "Grafana",
		"https://deb1.rabbitmq.com/rabbitmq-server/ubuntu/noble":             "RabbitMQ",
		"https://ppa1.rabbitmq.com/rabbitmq/rabbitmq-erlang/deb/ubuntu":      "RabbitMQ",
		"https://packagecloud.io/rabbitmq/rabbitmq-server/ubuntu":            "RabbitMQ",
		"https://dlm.mariadb.com/repo/mariadb-server/10.11/repo/ubuntu":      "MariaDB",
		"https://artifacts.opensearch.org/releases/bundle/opensearch/2.x":    "OpenSearch",
		"https://packages.treasuredata.com/lts/5/ubuntu/noble":               "Fluentd",
		"https://repo.proxysql.com/ProxySQL/proxysql-2.7.x/noble":            "ProxySQL",
		"https://apt.releases.hashicorp.com":                                 "HashiCorp",
		"https://download.ceph.com/debian-squid":                             "Ceph",
		"https://pkgs.k8s.io/core:/stable:/v1.32/deb":                        "Kubernetes",
		"https://packagecloud.io/somebody/else":                              sbom.UnknownVendor,
		"https://download.docker.com.evil.example.org/linux":                 sbom.UnknownVendor,
		"https://notdebian.org/debian":                                       sbom.UnknownVendor,
		"https://ppa.launchpadcontent.net/rabbitmq/rabbitmq-erlang/ubuntu":   "RabbitMQ",
		"https://ppa.launchpadcontent.net/somebody/rabbitmq-erlang/ubuntu":   sbom.UnknownVendor,
		"https://mirror.operator.example.org/debian":                         sbom.UnknownVendor,
		"http://nova.clouds.archive.ubuntu.com/ubuntu":                       "distribution (Ubuntu)",
		"https://archive.ubuntu.com./ubuntu":                                 "distribution (Ubuntu)",
		"tor+http://ftp.debian.org/debian":                                   "distribution (Debian)",
		"mirror+https://mirror.operator.example.org/list":                    sbom.UnknownVendor,
		"https://developer.download.nvidia.com/compute/cuda/repos/debian12":  "NVIDIA",
		"https://fluentd.cdn.cncf.io/lts/6/ubuntu/noble":                     "Fluentd",
		"https://DOWNLOAD.docker.COM/linux/ubuntu":                           "Docker",
		"https://user:secret@download.docker.com/linux/ubuntu":               "Docker",
		"https://download.docker.com@evil.example.org/linux/ubuntu":          sbom.UnknownVendor,
		"https://evil.example.org/https://download.docker.com/linux/ubuntu":  sbom.UnknownVendor,
		"https://evil.example.org/?https://download.docker.com/linux/ubuntu": sbom.UnknownVendor,
	} {
		_, inv := repositoriesOf(t, map[string]string{"etc/apt/sources.list": "deb " + address + " suite main\n"})
		if len(inv.Repositories) != 1 || inv.Repositories[0].Vendor != want {
			t.Errorf("%s: %+v, want %s", address, inv.Repositories, want)
		}
	}
}

func TestCredentialsOfRepositoriesAreNeverStored(t *testing.T) {
	const canary = "CANARYs3cr3t"
	files := map[string]string{
		"etc/os-release": debian12, "var/lib/dpkg/status": "x",
		"etc/apt/sources.list": "deb https://user:" + canary + "@repo.example.org/a?key=" + canary + " x main\n" +
			"deb https://" + canary + "@repo.example.org/b x main\ndeb https://user:" + canary + "@[bad/ x main\n" + canary + " line\n" +
			"deb https://packagecloud.example.org/priv/0123456789abcdef0123" + canary + "/b/ x main\ndeb http://x.example.org/ x user:" + canary + "@y\n",
		"etc/apt/sources.list.d/p.sources": "Types: deb\nURIs: https://" + canary + ":" + canary + "@repo.example.org/c\nSuites: x\nComponents: main\n" + canary + "\n",
		"etc/apt/auth.conf":                "machine repo.example.org login x password " + canary + "\n",
		"etc/yum.repos.d/p.repo":           "[p]\nbaseurl=https://u:" + canary + "@repo.example.org/d\nusername=" + canary + "\npassword=" + canary + "\n  " + canary + "\nrubbish " + canary + "\n",
		"etc/apk/repositories":             "https://u:" + canary + "@repo.example.org/v3.22/main\n",
	}
	dir := write(t, files)
	var kept strings.Builder
	opt := source.Options{At: assessedAt, PublishInput: true, Keep: func(_ context.Context, b audit.Blob) (audit.Digest, error) {
		fmt.Fprintf(&kept, "%s %s %+v\n", b.Name, b.Data, b.Origin)
		return audit.DigestOf(b.Data), nil
	}}
	s, err := decode(t, "host: {root: ., name: ctl-1}", dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	inv, err := s.Inventory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if all := fmt.Sprintf("%+v", inv) + kept.String(); strings.Contains(strings.ToLower(all), strings.ToLower(canary)) {
		t.Errorf("the canary is in the inventory or the evidence:\n%s", all)
	}
	if len(inv.Repositories) != 6 || len(inv.Failures) < 4 {
		t.Errorf("%d repositories, failures %q, want the 6 that can be read and failures for the others", len(inv.Repositories), reasons(inv))
	}
	if !strings.Contains(kept.String(), `"address":"https://repo.example.org/a"`) {
		t.Errorf("evidence has no repositories:\n%s", kept.String())
	}
}

func TestRepositoriesThatCannotBeReadAreNamed(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"a type that is none":       {"etc/apt/sources.list", "rpm http://x.example.org a b\n", "etc/apt/sources.list: line 1: it does not begin with deb"},
		"no components":             {"etc/apt/sources.list", "\ndeb http://x.example.org a\n", "line 2: address, suite and components are not all there"},
		"options without an end":    {"etc/apt/sources.list", "deb [arch=amd64 http://x.example.org a b\n", "line 1: its options have no end"},
		"a stanza without address":  {"etc/apt/sources.list.d/a.sources", "Types: deb\nSuites: a\n", "line 1: Types, URIs and Suites are not all there"},
		"a continuation of nothing": {"etc/apt/sources.list.d/a.sources", " x\n", "line 1: it continues a field"},
		"mirrors outside":           {"etc/apt/sources.list", "deb mirror+file:/etc/shadow a b\n", "line 1: the list of mirrors cannot be read"},
		"mirrors above":             {"etc/apt/sources.list", "deb mirror+file:/etc/apt/mirrors/../../os-release a b\n", "line 1: the list of mirrors cannot be read"},
		"a section without address": {"etc/yum.repos.d/a.repo", "[a]\nname=x\n", "line 1: a section without baseurl"},
		"no section":                {"etc/yum.repos.d/a.repo", "baseurl=https://x.example.org\n", "line 1: want key=value in a section"},
		"too large":                 {"etc/apt/sources.list", strings.Repeat("#", 2<<20), "etc/apt/sources.list: it is larger than"},
		"a directory":               {"etc/apt/sources.list/x", "", "etc/apt/sources.list: it is a directory"},
		"a huge product":            {"etc/apt/sources.list.d/a.sources", "Types: deb\nURIs:" + strings.Repeat(" http://x.example.org", 200) + "\nSuites:" + strings.Repeat(" a", 200) + "\n", "more than 10000 repositories in one stanza"},
		"control characters":        {"etc/apt/sources.list", "deb http://x.example.org/ a\x1b[31m b\n", "line 1: a suite or area that is no name"},
	} {
		t.Run(name, func(t *testing.T) {
			got, inv := repositoriesOf(t, map[string]string{c.file: c.text})
			if len(got) > 0 || !contains(reasons(inv), c.want) {
				t.Errorf("repositories %q, failures %q, want none and %q", got, reasons(inv), c.want)
			}
		})
	}
}

func TestNonFreeAreasAreTold(t *testing.T) {
	r := sbom.Repository{Areas: []string{"main", "non-free-firmware", "contrib", "universe", "multiverse", "restricted/debian-installer", "non-free"}}
	if diff := cmp.Diff([]string{"contrib", "multiverse", "non-free", "non-free-firmware", "restricted/debian-installer"}, r.NonFree()); diff != "" {
		t.Errorf("areas (-want +got):\n%s", diff)
	}
	if got := (sbom.Repository{Areas: []string{"main", "universe"}}).NonFree(); len(got) != 0 {
		t.Errorf("got %q, want none", got)
	}
}

// FuzzRepositories holds the laws that an address has no user, query or fragment, and that what was read once as a line of
// apt is read the same again.
func FuzzRepositories(f *testing.F) {
	f.Add("etc/apt/sources.list", "deb [a=b] https://u:p@x.example.org/a?b#c suite main\n")
	f.Add("etc/apt/sources.list.d/a.sources", "Types: deb\nURIs: http://a.example.org http://b.example.org\nSuites: x y\nComponents: main\n")
	f.Add("etc/yum.repos.d/a.repo", "[a]\nbaseurl=https://x.example.org/$releasever\nenabled=1\n")
	f.Add("etc/apk/repositories", "https://dl-cdn.alpinelinux.org/alpine/v3.22/main\n")
	f.Fuzz(func(t *testing.T, name, text string) {
		known := map[string]bool{"etc/apt/sources.list": true, "etc/apt/sources.list.d/a.sources": true, "etc/yum.repos.d/a.repo": true, "etc/apk/repositories": true}
		if !known[name] {
			t.Skip()
		}
		_, inv := repositoriesOf(t, map[string]string{name: text})
		for _, r := range inv.Repositories {
			if strings.ContainsAny(r.Address, "@?# \n") || strings.ContainsAny(r.Suite, "@ \n") || r.Vendor == "" {
				t.Fatalf("repository %+v", r)
			}
			if r.Kind != sbom.RepositoryAPT || !strings.Contains(r.Address, "://") || len(r.Areas) == 0 || r.Areas[0] == "" {
				continue
			}
			line := "deb " + r.Address + " " + r.Suite + " " + strings.Join(r.Areas, " ") + "\n"
			if strings.ContainsAny(r.Suite+strings.Join(r.Areas, ""), "#[]") {
				continue
			}
			_, again := repositoriesOf(t, map[string]string{"etc/apt/sources.list": line})
			if len(again.Repositories) != 1 || again.Repositories[0].Address != r.Address || again.Repositories[0].Vendor != r.Vendor {
				t.Fatalf("first %+v, then %+v", r, again.Repositories)
			}
		}
	})
}

func TestRepositoriesOfThisKindOfHostNeedNoRights(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything: that a file without rights is a failure cannot be shown")
	}
	dir := write(t, map[string]string{"etc/os-release": debian12, "var/lib/dpkg/status": "x", "etc/apt/sources.list": "deb http://x.example.org a b\n"})
	if err := os.Chmod(dir+"/etc/apt/sources.list", 0); err != nil {
		t.Fatal(err)
	}
	inv, err := read(t, "host: {root: .}", dir)
	if err != nil || len(inv.Failures) != 1 || inv.Failures[0].Settle != "read it as root" {
		t.Errorf("failures %+v, %v", inv.Failures, err)
	}
}
