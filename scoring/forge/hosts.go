package forge

import (
	"net/url"
	"strings"
)

// The services whose readers are chosen by host.
const (
	serviceGitLab  = "gitlab"
	serviceGitea   = "gitea"
	serviceGerrit  = "gerrit"
	serviceOpenDev = "opendev" // a Gitea that shows repositories only; changes are in Gerrit, runs in Zuul
	serviceGit     = "git"     // git and perhaps cgit or gitweb, nothing else
)

// Kinds lists the services that Options.Services may name, sorted.
func Kinds() []string {
	return []string{serviceGerrit, serviceGit, serviceGitea, "github", serviceGitLab, serviceOpenDev}
}

// openDevReview is the Gerrit of OpenDev.
const openDevReview = "review.opendev.org"

// hostServices is the built-in table: which service runs at a host.
func hostServices() map[string]string {
	return map[string]string{
		"gitlab.com":             serviceGitLab,
		"gitlab.freedesktop.org": serviceGitLab,
		"gitlab.gnome.org":       serviceGitLab,
		"gitlab.opencode.de":     serviceGitLab,
		"gitlab.isc.org":         serviceGitLab,
		"gitlab.nic.cz":          serviceGitLab,
		"gitlab.inria.fr":        serviceGitLab,
		"gitlab.xiph.org":        serviceGitLab,
		"salsa.debian.org":       serviceGitLab,
		"invent.kde.org":         serviceGitLab,
		"gitlab.kitware.com":     serviceGitLab,
		"gitlab.torproject.org":  serviceGitLab,

		"codeberg.org":     serviceGitea,
		"gitea.com":        serviceGitea,
		"code.forgejo.org": serviceGitea,
		"opendev.org":      serviceOpenDev,

		"gerrit.googlesource.com":  serviceGerrit,
		"go.googlesource.com":      serviceGerrit,
		"android.googlesource.com": serviceGerrit,
		"review.gluster.org":       serviceGerrit,
		"review.coreboot.org":      serviceGerrit,
		openDevReview:              serviceGerrit,

		"git.kernel.org":          serviceGit,
		"git.savannah.gnu.org":    serviceGit,
		"git.savannah.nongnu.org": serviceGit,
		"sourceware.org":          serviceGit,
		"gcc.gnu.org":             serviceGit,
		"git.infradead.org":       serviceGit,
		"thekelleys.org.uk":       serviceGit,
		"git.musl-libc.org":       serviceGit,
		"git.busybox.net":         serviceGit,
		"git.gnupg.org":           serviceGit,
		"git.netfilter.org":       serviceGit,
		"git.qemu.org":            serviceGit,
		"repo.or.cz":              serviceGit,
	}
}

// reviewHosts names the Gerrit beside hosts that show repositories only.
func reviewHosts() map[string]string {
	return map[string]string{
		"opendev.org":              openDevReview,
		"gerrit.googlesource.com":  "gerrit-review.googlesource.com",
		"go.googlesource.com":      "go-review.googlesource.com",
		"android.googlesource.com": "android-review.googlesource.com",
	}
}

// hostedBy returns the service at the host of a repository; empty if none is known. Options come first.
func hostedBy(o Options, repo string) string {
	host, _, ok := locate(repo)
	if !ok {
		return ""
	}
	if s, ok := o.Services[host]; ok {
		return s
	}
	return hostServices()[host]
}

// locate takes the address of a repository apart: host in lower case with its port, and path without .git.
func locate(repo string) (host, path string, ok bool) {
	if repo == "" || len(repo) > 2000 {
		return "", "", false
	}
	if at, rest, found := strings.Cut(repo, ":"); found && !strings.HasPrefix(rest, "//") && !strings.Contains(at, "/") {
		repo = "ssh://" + at + "/" + strings.TrimPrefix(rest, "/") // git@host:path
	}
	u, err := url.Parse(repo)
	if err != nil || u.Host == "" {
		return "", "", false
	}
	host = strings.ToLower(u.Host)
	if u.Scheme != "https" && u.Scheme != "http" {
		host = strings.ToLower(u.Hostname())
	}
	path = strings.TrimSuffix(strings.Trim(u.Path, "/"), ".git")
	return host, path, validHost(host) && validPath(path)
}

// validPath refuses what is no name of a repository: it becomes part of addresses and searches.
func validPath(path string) bool {
	if path == "" || len(path) > 500 || strings.Contains("/"+path+"/", "/../") || strings.HasPrefix(path, "-") {
		return false
	}
	for _, c := range path {
		if c <= ' ' || c == 0x7f || strings.ContainsRune("?#\\\"'<>(){}|^`:*", c) {
			return false
		}
	}
	return true
}

// reviewsIn says whether the changes of a repository at this address can be nowhere but in Gerrit. Elsewhere a .gitreview
// file may be a leftover.
func reviewsIn(o Options, repo string) bool {
	host, _, ok := locate(repo)
	_, listed := reviewHosts()[host]
	return !ok || listed || hostedBy(o, repo) == serviceGerrit
}

// validHost refuses what is no host name with an optional port.
func validHost(host string) bool {
	if host == "" || len(host) > 253 || strings.HasPrefix(host, "-") {
		return false
	}
	for _, c := range host {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != ':' {
			return false
		}
	}
	return true
}
