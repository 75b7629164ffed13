package forge

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// repository is what GitHub said about one repository: facts as far as they are made, and the tallies of lists.
type repository struct {
	at      address
	service string
	origin  audit.Origin
	failure string // why nothing could be read
	settle  string
	trouble troubles
	branch  string // default branch; empty: not known

	home                   scoring.Home
	rules                  audit.Fact[scoring.Rules]
	changeFacts            scoring.Changes
	issueFacts             scoring.Issues
	issuesOff              bool
	changes, touched, open tally
}

// presentFor is how long after the moment of assessment an answer still tells of it: as long as facts of activity count.
const presentFor = 30 * 24 * time.Hour

// fact is a known fact of the answer.
func fact[T any](r *repository, v T) audit.Fact[T] {
	return audit.Known(v, r.origin).Graded(audit.GradeForge, r.origin.At, audit.Month)
}

// unread is a fact that the answer does not tell.
func unread[T any](r *repository, reason, settle string) audit.Fact[T] {
	f := audit.Failed[T](reason, r.origin)
	f.Settle = settle
	return f
}

// state is a fact about how things are now, taken from one field.
func state[T any](r *repository, at time.Time, field string, v *T) audit.Fact[T] {
	if kind, ok := r.trouble.of(field); ok {
		return unread[T](r, because(kind), "run again")
	}
	if past := r.past(at); past != "" {
		return unread[T](r, past, "")
	}
	if v == nil {
		return unread[T](r, because(""), "")
	}
	return fact(r, *v)
}

// past says why the answer cannot tell how things were at the moment of assessment; empty: it can.
func (r *repository) past(at time.Time) string {
	if r.origin.At.Sub(at) <= presentFor {
		return ""
	}
	return fmt.Sprintf("GitHub tells how it is on %s, not how it was on %s", r.origin.At.Format(time.DateOnly), at.Format(time.DateOnly))
}

// take makes facts of the answer about a repository.
func (r *repository) take(raw json.RawMessage, at time.Time) {
	var n *graphRepository
	if err := json.Unmarshal(raw, &n); len(raw) > 0 && err != nil {
		r.failure, r.settle = "GitHub's answer has another shape", "report it: the interface of GitHub may have changed"
		return
	}
	if n == nil {
		kind, _ := r.trouble.of("")
		r.failure, r.settle = because(kind), "correct the address of the repository, or give a token that may read it"
		for _, k := range r.trouble {
			if k != "NOT_FOUND" && k != "FORBIDDEN" {
				r.failure, r.settle = because(k), "run again"
			}
		}
		return
	}
	if n.NameWithOwner == "" {
		r.failure, r.settle = "GitHub's answer names no repository", "run again"
		return
	}
	r.takeHome(n, at)
	r.takeRules(n, at)
	r.takeChanges(n, at)
	r.takeIssues(n, at)
}

func (r *repository) takeHome(n *graphRepository, at time.Time) {
	h := scoring.Home{Forge: r.service, Name: n.NameWithOwner}
	h.Archived = state(r, at, "isArchived", n.IsArchived)
	h.Fork = state(r, at, "isFork", n.IsFork)
	h.Stars = state(r, at, "stargazerCount", n.StargazerCount)
	h.Forks = state(r, at, "forkCount", n.ForkCount)
	h.Created = unread[time.Time](r, because(""), "")
	if !n.CreatedAt.IsZero() {
		h.Created = fact(r, n.CreatedAt.UTC())
	}
	h.MirrorOf = r.mirror(n, at)
	h.DefaultBranch = unread[string](r, "the repository has no default branch: it is empty", "")
	if n.DefaultBranchRef != nil {
		r.branch = n.DefaultBranchRef.Name
		h.DefaultBranch = state(r, at, "defaultBranchRef.name", &n.DefaultBranchRef.Name)
	} else if kind, ok := r.trouble.of("defaultBranchRef"); ok {
		h.DefaultBranch = unread[string](r, because(kind), "run again")
	}
	h.Licence = r.licence(n, at)
	h.OwnerKind = r.ownerKind(n)
	if n.CodeOfConduct != nil {
		shown := true
		h.CodeOfConduct = state(r, at, "codeOfConduct", &shown)
	} // else one call tells more
	h.Security = state(r, at, "isSecurityPolicyEnabled", n.IsSecurityPolicyEnabled)
	h.Newcomers = r.newcomers(n, at)
	var links *int
	if n.FundingLinks != nil {
		count := len(*n.FundingLinks)
		links = &count
	}
	h.Funding = state(r, at, "fundingLinks", links)
	h.Releases = r.releases(n, at)
	r.home = h
}

func (r *repository) mirror(n *graphRepository, at time.Time) audit.Fact[string] {
	if n.IsMirror == nil {
		return state[string](r, at, "isMirror", nil)
	}
	of := ""
	if *n.IsMirror {
		u, err := url.Parse(n.MirrorURL)
		if err != nil || u.Host == "" {
			return unread[string](r, "GitHub says that it is a mirror, but not of what", "name the original in the catalogue")
		}
		u.User, u.RawQuery, u.Fragment = nil, "", ""
		of = u.String()
	}
	return state(r, at, "isMirror", &of)
}

func (r *repository) licence(n *graphRepository, at time.Time) audit.Fact[string] {
	switch {
	case n.LicenseInfo == nil || n.LicenseInfo.SPDX == "":
		if _, ok := r.trouble.of("licenseInfo"); !ok {
			return unread[string](r, "GitHub detected no licence", "read the licence files of the repository")
		}
	case n.LicenseInfo.SPDX == "NOASSERTION":
		return unread[string](r, "GitHub does not recognise the licence", "read the licence files of the repository")
	default:
		return state(r, at, "licenseInfo", &n.LicenseInfo.SPDX)
	}
	return state[string](r, at, "licenseInfo", nil)
}

func (r *repository) ownerKind(n *graphRepository) audit.Fact[string] {
	if n.Owner != nil {
		switch n.Owner.Kind {
		case "Organization":
			return fact(r, "organisation")
		case "User":
			return fact(r, "person")
		}
	}
	return unread[string](r, because(""), "")
}

// newcomers counts the labels that invite newcomers. If not all labels were read, none found is not known to be none.
func (r *repository) newcomers(n *graphRepository, at time.Time) audit.Fact[int] {
	if n.Labels == nil {
		return state[int](r, at, "labels", nil)
	}
	found := 0
	for _, l := range n.Labels.all() {
		found += one(l.Kind == "newcomers")
	}
	if total := n.Labels.TotalCount; found == 0 && (total == nil || *total > len(n.Labels.all())) {
		return unread[int](r, fmt.Sprintf("none of the %d labels that were read invites newcomers, but there are more", len(n.Labels.all())), "name a label in the catalogue")
	}
	return state(r, at, "labels", &found)
}

func (r *repository) releases(n *graphRepository, at time.Time) audit.Fact[[]scoring.Published] {
	if n.Releases == nil {
		return state[[]scoring.Published](r, at, "releases", nil)
	}
	if kind, ok := r.trouble.of("releases"); ok {
		return unread[[]scoring.Published](r, because(kind), "run again")
	}
	filed := map[string]map[string]int{}
	if _, broken := r.trouble.of("filed"); n.Filed != nil && !broken {
		for _, rel := range n.Filed.all() {
			filed[rel.TagName] = rel.kinds()
		}
	}
	published := []scoring.Published{}
	for _, rel := range n.Releases.all() {
		if rel.IsDraft || rel.PublishedAt.IsZero() { // those after the moment of assessment are left out by asOf
			continue
		}
		assets, read := filed[rel.TagName]
		published = append(published, scoring.Published{Tag: rel.TagName, At: rel.PublishedAt.UTC(), Prerelease: rel.IsPrerelease, Assets: assets, AssetsUnread: !read})
	}
	return fact(r, published)
}

// kinds counts the files of a release by kind.
func (rel graphRelease) kinds() map[string]int {
	kinds := map[string]int{}
	for _, a := range rel.ReleaseAssets.all() {
		kinds[assetKind(a.Name)]++
	}
	return kinds
}

// assetKind sorts a file of a release by its name.
func assetKind(name string) string {
	name = strings.ToLower(name)
	ends := func(endings ...string) bool {
		for _, e := range endings {
			if strings.HasSuffix(name, e) {
				return true
			}
		}
		return false
	}
	switch {
	case strings.Contains(name, "provenance"), ends(".intoto.jsonl", ".intoto.json", ".att", ".attestation"):
		return "provenance"
	case ends(".asc", ".sig", ".minisig", ".sigstore", ".sigstore.json", ".pem", ".sign", ".cert", ".crt", ".bundle"):
		return "signature"
	case strings.Contains(name, "sbom"), strings.Contains(name, "cyclonedx"), ends(".spdx", ".spdx.json", ".spdx.yaml", ".spdx.yml", ".cdx.json", ".cdx.xml", "bom.json", "bom.xml"):
		return "sbom"
	case strings.Contains(name, "checksum"), strings.Contains(name, "sha256"), strings.Contains(name, "sha512"), ends(".sha1", ".md5"):
		return "checksum"
	}
	return "other"
}

// classicRules is why the protection of a branch may stay unknown.
const (
	classicRules  = "no public rule says so, and classic branch protection shows only to those with rights on the repository"
	classicSettle = "publish the protection as a repository ruleset, or read it with an administrator's token"
)

func (r *repository) takeRules(n *graphRepository, at time.Time) {
	b := n.DefaultBranchRef
	kind, broken := r.trouble.of("defaultBranchRef")
	switch past := r.past(at); {
	case broken:
		r.rules = unread[scoring.Rules](r, because(kind), "run again")
		return
	case b == nil:
		r.rules = unread[scoring.Rules](r, "the repository has no default branch: it is empty", "")
		return
	case past != "":
		r.rules = unread[scoring.Rules](r, past, "")
		return
	}
	hidden := func() audit.Fact[bool] { return unread[bool](r, classicRules, classicSettle) }
	rules := scoring.Rules{ForcePush: hidden(), ReviewRequired: hidden(), ChecksRequired: hidden()}
	if u := b.RefUpdateRule; u != nil { // the part of classic protection that everybody sees
		if u.AllowsForcePushes != nil {
			rules.ForcePush = fact(r, *u.AllowsForcePushes)
		}
		rules.ReviewRequired = fact(r, u.RequiredApprovingReviewCount != nil && *u.RequiredApprovingReviewCount > 0)
		rules.ChecksRequired = fact(r, len(u.RequiredStatusCheckContexts) > 0)
	}
	if b.Rules != nil {
		for _, rule := range b.Rules.all() {
			switch rule.Type {
			case "NON_FAST_FORWARD":
				rules.ForcePush = fact(r, false)
			case "PULL_REQUEST":
				if p := rule.Parameters; p != nil && p.RequiredApprovingReviewCount != nil && *p.RequiredApprovingReviewCount > 0 {
					rules.ReviewRequired = fact(r, true)
				}
			case "REQUIRED_STATUS_CHECKS", "WORKFLOWS":
				rules.ChecksRequired = fact(r, true)
			}
		}
	}
	r.rules = fact(r, rules)
}

// finish makes the facts that need whole lists, once no further page is to come.
func (r *repository) finish(at time.Time) {
	if r.failure != "" {
		return
	}
	r.finishChanges(at)
	r.finishIssues(at)
	r.open.created = nil
}
