package patches

import (
	"bytes"
	"iter"
	"net/url"
	"regexp"
	"strings"
)

// link is the kind of link by which a patch leads to its upstream project; empty: none.
type link string

// Kinds of links. A patch that has several counts for the first of this order.
const (
	linkApplied   link = "applied-upstream" // DEP-3 Applied-Upstream: a version, an address, a commit
	linkForwarded link = "forwarded"        // DEP-3 Forwarded: an address
	linkOrigin    link = "origin"           // DEP-3 Origin: upstream or backport, with an address or a commit
	linkStatus    link = "upstream-status"  // Yocto Upstream-Status: Submitted, Accepted, Backport or Denied, with where
	linkPicked    link = "cherry-picked"    // git cherry-pick -x
	linkChange    link = "change"           // address of a change at a forge, or of a mail with it
	linkBug       link = "bug"              // DEP-3 Bug: the issue of the upstream project
)

// links lists all kinds in their order.
func links() []link {
	return []link{linkApplied, linkForwarded, linkOrigin, linkStatus, linkPicked, linkChange, linkBug}
}

// header is what the head of a patch says about upstream. It holds no words of the patch.
type header struct {
	link   link
	stated bool // it says that it was not sent, or need not be
	hinted bool // it has an identifier that a tool gives to any change
}

// Bounds of one header.
const (
	maxHeader = 64 << 10
	maxLines  = 1_000
	maxField  = 2_000 // bytes of one line that are read
)

// DEP-3: https://dep-team.pages.debian.net/deps/dep3/. Yocto: Contributor Guide, "Patch Upstream Status"
// (docs.yoctoproject.org). Trailers: git-cherry-pick(1) -x; Change-Id and Reviewed-on: Gerrit.
var (
	field    = regexp.MustCompile(`^([A-Za-z][A-Za-z-]{1,40})[ \t]*:[ \t]*(.*)$`)
	picked   = regexp.MustCompile(`(?i)^\((?:cherry[ -]picked|backported) from (?:upstream )?commit ([0-9a-f]{7,64})\b`)
	commit   = regexp.MustCompile(`(?i)^(?:commit[: ]\s*)?[0-9a-f]{7,64}$`)
	version  = regexp.MustCompile(`^v?[0-9]+(?:[.~+-][0-9A-Za-z]+)+$`)
	changeID = regexp.MustCompile(`^I[0-9a-f]{40}$`)
	numbered = regexp.MustCompile(`^[\w.-]+/[\w.-]+#[0-9]+$`) // of GitHub and GitLab: owner/name#1
	address  = regexp.MustCompile(`https?://[^\s<>"'\])]+`)
	// mention begins a line that names the change itself: the address alone, or behind words that say so. Addresses elsewhere in
	// a message, such as in footnotes, are mostly of other changes: so are all that osism/container-images-kolla has.
	mention = regexp.MustCompile(`(?i)^(?:<?https?://\S+$|(?:(?:this|the) (?:patch|change|fix) )?(?:is |was |has been )?(?:upstream(?:ed)?|submitted|sent|proposed|merged|accepted|backport(?:ed)?|taken|cherry[- ]picked|pull request|merge request)\b)`)
	ownMail = regexp.MustCompile(`^(?:From |commit )[0-9a-f]{40}\b`)
)

// changes are addresses of changes: of GitHub, of GitLab (also on hosts of their own), Gitea and Forgejo, Gerrit, cgit and
// gitweb, and of mail archives in which projects take patches.
var changes = []*regexp.Regexp{
	regexp.MustCompile(`^/[^/]+/[^/]+/(?:pull|pulls|commit|compare)/[^/]+`),
	regexp.MustCompile(`/-/(?:merge_requests|commit)/[0-9a-f]+`),
	regexp.MustCompile(`^/(?:[^/]+/)+(?:merge_requests|commit)/[0-9a-f]+`),
	regexp.MustCompile(`^(?:/gerrit)?/(?:c/(?:[^+]+/)?\+/[0-9]+|#/c/(?:[^+]+/)?[0-9]+|[0-9]{3,})/?`),
	regexp.MustCompile(`/commit/\?(?:[^#]*&)?id=[0-9a-f]{7,}|;a=commit(?:diff)?;h=[0-9a-f]{7,}`),
}

// archives are hosts of mail archives.
var archives = []string{"lore.kernel.org", "patchwork.kernel.org", "patchwork.ozlabs.org", "lkml.org", "marc.info", "lists.gnu.org", "sourceware.org", "mail.openvswitch.org", "lists.nongnu.org"}

// readHeader reads what stands before the first line of the difference. own is the address of the repository that holds the
// patch: what leads there leads not upstream.
func readHeader(data []byte, own *url.URL) header {
	var found [7]bool
	h := header{}
	folded := ""
	for line := range lines(data) {
		if starts(line) {
			break
		}
		text := strings.TrimSpace(line)
		switch m := field.FindStringSubmatch(text); {
		case ownMail.MatchString(line):
			h.hinted = true
		case picked.MatchString(text):
			found[at(linkPicked)] = true
		case m != nil && !strings.HasPrefix(m[2], "//"):
			folded = strings.ToLower(m[1])
			h.field(folded, strings.TrimSpace(m[2]), own, &found)
		case line != text && strings.HasPrefix(line, " ") && continues(folded):
			h.field(folded, text, own, &found)
		default:
			folded = ""
			if mention.MatchString(text) && leadsToChange(text, own) {
				found[at(linkChange)] = true
			}
		}
	}
	for i, l := range links() {
		if found[i] {
			return header{link: l}
		}
	}
	if h.stated {
		h.hinted = false
	}
	return h
}

func at(l link) int {
	for i, x := range links() {
		if x == l {
			return i
		}
	}
	return 0
}

// field notes what one field says.
func (h *header) field(name, value string, own *url.URL, found *[7]bool) {
	set := func(l link) { found[at(l)] = true }
	switch name {
	case "forwarded":
		word := strings.ToLower(strings.TrimSuffix(value, "."))
		switch {
		case elsewhere(value, own):
			set(linkForwarded)
		case word == "no", strings.HasPrefix(word, "no,"), strings.HasPrefix(word, "no "), strings.HasPrefix(word, "not-needed"), strings.HasPrefix(word, "not needed"):
			h.stated = true
		case strings.HasPrefix(word, "yes"):
			h.hinted = true // it does not say where
		}
	case "applied-upstream":
		first, _, _ := strings.Cut(value, ",")
		if elsewhere(value, own) || commit.MatchString(strings.TrimSpace(first)) || version.MatchString(strings.TrimSpace(first)) {
			set(linkApplied)
		}
	case "origin":
		h.origin(value, own, set)
	case "bug":
		if elsewhere(value, own) {
			set(linkBug)
		}
	case "upstream-status":
		h.status(value, own, set)
	case "upstream", "upstream-commit", "upstream-pr", "reviewed-on", "link", "commit", "url", "pr", "mr", "pull-request", "merge-request", "submitted":
		if leadsToChange(value, own) {
			set(linkChange)
		}
	case "change-id":
		if changeID.MatchString(value) {
			h.hinted = true
		}
	} // others, such as Depends-On, Fixes or Bug-Debian, are of another change or of another bug tracker
}

// continues reports fields whose value may go on in the next lines.
func continues(name string) bool {
	switch name {
	case "origin", "forwarded", "applied-upstream", "bug", "upstream-status", "description":
		return true
	}
	return false
}

// origin reads DEP-3 Origin: [upstream|backport|vendor|other, ]ADDRESS or commit:ID. That a vendor wrote it leads not upstream,
// and neither does a bare address unless it is one of a change.
func (h *header) origin(value string, own *url.URL, set func(link)) {
	category, rest, parted := strings.Cut(value, ",")
	category, rest = strings.ToLower(strings.TrimSpace(category)), strings.TrimSpace(rest)
	switch {
	case parted && (category == "upstream" || category == "backport"):
		first, _, _ := strings.Cut(rest, " ")
		if elsewhere(rest, own) || commit.MatchString(strings.TrimSuffix(rest, ".")) || commit.MatchString(first) || version.MatchString(first) {
			set(linkOrigin)
		}
	case category == "vendor" || category == "other":
	case leadsToChange(value, own) || strings.HasPrefix(strings.ToLower(value), "commit:") && commit.MatchString(value):
		set(linkOrigin)
	}
}

// status reads Yocto Upstream-Status: WORD [where].
func (h *header) status(value string, own *url.URL, set func(link)) {
	word, where, _ := strings.Cut(value, " ")
	if i := strings.IndexByte(word, '['); i >= 0 {
		word, where = word[:i], word[i:]+" "+where
	}
	where = strings.Trim(where, " []()\t")
	switch strings.ToLower(strings.Trim(word, ",.;")) {
	case "submitted", "accepted", "backport", "denied":
		text, _, _ := strings.Cut(where, " ")
		if elsewhere(where, own) || commit.MatchString(text) || commit.MatchString(where) || version.MatchString(text) || numbered.MatchString(text) {
			set(linkStatus)
			return
		}
		h.hinted = true // it does not say where
	case "inappropriate", "pending", "inactive-upstream":
		h.stated = true
	}
}

// elsewhere reports whether a text names an address that is not of the repository which holds the patch.
func elsewhere(text string, own *url.URL) bool {
	for _, raw := range address.FindAllString(text, 20) {
		if u, err := url.Parse(raw); err == nil && strings.Contains(u.Hostname(), ".") && !below(u, own) {
			return true
		}
	}
	return false
}

// leadsToChange reports whether a text names the address of a change that is not of the repository which holds the patch.
func leadsToChange(text string, own *url.URL) bool {
	for _, raw := range address.FindAllString(text, 20) {
		u, err := url.Parse(strings.TrimRight(raw, ".,;:"))
		if err != nil || !strings.Contains(u.Hostname(), ".") || below(u, own) {
			continue
		}
		for _, host := range archives {
			if strings.EqualFold(u.Hostname(), host) && len(strings.Trim(u.Path, "/")) > 0 {
				return true
			}
		}
		where := u.EscapedPath()
		if u.RawQuery != "" {
			where += "?" + u.RawQuery
		}
		if u.Fragment != "" {
			where += "#" + u.Fragment
		}
		for _, form := range changes {
			if form.MatchString(where) {
				return true
			}
		}
	}
	return false
}

// below reports whether an address lies in a repository.
func below(u, own *url.URL) bool {
	if own == nil || own.Host == "" || !strings.EqualFold(u.Hostname(), own.Hostname()) {
		return false
	}
	root := strings.ToLower(strings.TrimSuffix(strings.TrimRight(own.Path, "/"), ".git"))
	path := strings.ToLower(strings.TrimSuffix(strings.TrimRight(u.Path, "/"), ".git"))
	return path == root || strings.HasPrefix(path, root+"/") || strings.HasPrefix(path, root+".git/")
}

// lines are those of a header within its bounds.
func lines(data []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		data = data[:min(len(data), maxHeader)]
		for number := 0; len(data) > 0 && number < maxLines; number++ {
			line, rest, _ := bytes.Cut(data, []byte("\n"))
			data = rest
			line = line[:min(len(line), maxField)]
			if !yield(strings.ToValidUTF8(strings.TrimRight(string(line), "\r"), "\uFFFD")) {
				return
			}
		}
	}
}

// starts reports whether a line begins the difference: of git, of CVS and Subversion, of quilt, or of diff -u. A line --- alone
// parts the message of git from its notes and ends nothing.
func starts(line string) bool {
	switch {
	case strings.HasPrefix(line, "diff --git "), strings.HasPrefix(line, "diff -"), strings.HasPrefix(line, "Index: "), strings.HasPrefix(line, "@@ -"),
		strings.HasPrefix(line, "+++ "), strings.HasPrefix(line, "*** "):
		return true
	}
	return strings.HasPrefix(line, "--- ") && len(strings.TrimSpace(line)) > 4
}
