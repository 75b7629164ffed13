package reports

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// publicRegistries are the registries whose names tell nothing about who pulls from them, with the reason. A registry
// that is not listed counts as internal: hiding a public name does less harm than showing an internal one.
var publicRegistries = [...]struct{ host, reason string }{
	{"docker.io", "Docker Hub, open to anyone"},
	{"gcr.io", "Google's public registry"},
	{"ghcr.io", "GitHub's registry"},
	{"index.docker.io", "Docker Hub by its old name"},
	{"k8s.gcr.io", "Kubernetes images until 2023"},
	{"mcr.microsoft.com", "Microsoft's public registry"},
	{"osism.harbor.regio.digital", "public registry of OSISM 7 and 8"},
	{"public.ecr.aws", "Amazon's public gallery"},
	{"quay.io", "Red Hat's public registry, home of kolla and Ceph images"},
	{"registry-1.docker.io", "Docker Hub by the name of its API"},
	{"registry.access.redhat.com", "Red Hat's registry without login"},
	{"registry.gitlab.com", "GitLab's registry"},
	{"registry.k8s.io", "Kubernetes images"},
	{"registry.opensuse.org", "openSUSE's public registry"},
	{"registry.osism.cloud", "public registry of OSISM"},
	{"registry.osism.tech", "public registry of OSISM"},
	{"registry.redhat.io", "Red Hat's registry with login, the same for all its customers"},
	{"registry.scs.community", "public registry of SCS"},
	{"registry.suse.com", "SUSE's public registry"},
	{"registry.yaook.cloud", "public registry of Yaook"},
}

// PublicRegistry reports whether the name of a registry tells nothing about who pulls from it, so that it may stand in what
// is published. A registry that is not listed counts as internal.
func PublicRegistry(host string) bool {
	host = strings.ToLower(host)
	for _, r := range publicRegistries {
		if host == r.host {
			return true
		}
	}
	return false
}

// registryOf returns the registry of an image reference, "" if the reference names none (then it is Docker Hub). By the
// rule of container tools the part before the first slash is a host if it holds a dot or a colon or is "localhost".
func registryOf(reference string) string {
	for _, scheme := range []string{"docker://", "oci://", "https://", "http://"} {
		reference = strings.TrimPrefix(reference, scheme)
	}
	host, _, ok := strings.Cut(reference, "/")
	if !ok || strings.HasPrefix(host, ".") || strings.HasPrefix(host, "oci") || strings.ContainsAny(host, " \t") {
		return ""
	}
	if strings.ContainsAny(host, ".:") || host == "localhost" {
		return host
	}
	return ""
}

// internalSuffixes end host names that cannot be reached from the internet (RFC 6761, RFC 6762, RFC 8375, ICANN's
// reservation of .internal), and those that companies use the same way.
var internalSuffixes = [...]string{".internal", ".intern", ".local", ".localhost", ".localdomain", ".lan", ".corp", ".home", ".home.arpa", ".private", ".svc", ".test", ".invalid"}

// PublicAddress reports whether a web address may stand in what is published: not one that only insiders can reach.
func PublicAddress(address string) bool { return !internalURL(address) }

// internalURL reports whether an address leads to a place that only insiders can reach, or is no web address at all.
func internalURL(address string) bool {
	u, err := url.Parse(address)
	if err != nil || !slices.Contains([]string{"http", "https", "git", "ssh", "oci"}, u.Scheme) || u.User != nil {
		return true
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		return !ip.IsGlobalUnicast() || ip.IsPrivate()
	}
	if !strings.Contains(host, ".") {
		return true
	}
	for _, suffix := range internalSuffixes {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}
