package runbook

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// Words for Target.Adapter; empty: it is found out.
const (
	adapterGit  = "git"
	adapterSite = "site"
)

// Adapters lists the names that a target may give as adapter.
func Adapters() []string { return []string{adapterGit, adapterSite} }

// maxPlaces is how many repositories and sites of one target are read.
const maxPlaces = 20

// Collect looks at what is published about how a cloud is run: the repositories or the web site of a target.
func Collect(ctx context.Context, t transparency.Target, w transparency.World) transparency.Artifact {
	a := transparency.Artifact{Target: t}
	places := collect(ctx, &a, w)
	if a.Trouble == nil {
		a.Runbooks = &transparency.Runbooks{Places: places}
	}
	return a
}

// CollectConfiguration looks at the configuration that an operator shows in the open. It reads the same things.
func CollectConfiguration(ctx context.Context, t transparency.Target, w transparency.World) transparency.Artifact {
	a := transparency.Artifact{Target: t}
	places := collect(ctx, &a, w)
	if a.Trouble == nil {
		a.Configuration = &transparency.Configuration{Places: places}
	}
	return a
}

// collect reads all places of a target. If none can be read, the artifact gets the trouble of the first of the worst.
func collect(ctx context.Context, a *transparency.Artifact, w transparency.World) []transparency.Place {
	addresses := addressesOf(a.Target)
	if len(addresses) == 0 {
		a.Trouble = &audit.Trouble{Kind: audit.TroubleNotNamed, Text: "nobody said where it is", Settle: "name it under transparency: " + transparency.Key(a.Kind)}
		return nil
	}
	if len(addresses) > maxPlaces {
		a.Notes = append(a.Notes, fmt.Sprintf("the first %d of %d places were read", maxPlaces, len(addresses)))
		addresses = addresses[:maxPlaces]
	}
	l := looker{artifact: a, world: w}
	var places []transparency.Place
	readable := false
	for _, address := range addresses {
		p := l.place(ctx, address)
		readable = readable || p.Trouble == nil
		places = append(places, p)
	}
	a.Handed = slices.ContainsFunc(a.Seen, func(s audit.Seen) bool { return s.Handed != "" })
	if !readable {
		a.Trouble = worst(places)
	}
	return places
}

// address is a place to look at.
type address struct {
	url    string
	folder string
	git    bool // it is known to be a repository
	site   bool // it is known to be none
	handed bool // it was handed over: a folder is read as a whole, a single page as a site
}

func addressesOf(t transparency.Target) []address {
	var out []address
	switch {
	case t.URL != "":
		out = append(out, addressOf(t.URL, t.Path, t.Adapter))
	case len(t.Repositories) == 0 && t.File != "":
		out = append(out, address{url: "file:///", site: true, handed: true}) // the answers come from the file
	}
	for _, r := range t.Repositories {
		out = append(out, addressOf(r, t.Path, adapterGit))
	}
	return out
}

// forges are hosts at which the first two parts of an address name a repository.
var forges = []string{"github.com", "gitlab.com", "codeberg.org", "opendev.org", "gitea.com", "bitbucket.org", "framagit.org", "salsa.debian.org"}

// addressOf takes an address as people copy it from a browser apart: that of a folder names repository and folder. A branch in
// it is not followed: what counts is what the default branch says.
func addressOf(raw, folder, adapter string) address {
	out := address{url: raw, folder: strings.Trim(folder, "/"), git: adapter == adapterGit, site: adapter == adapterSite}
	u, err := url.Parse(raw)
	if err != nil || out.site {
		return out
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	forge := slices.Contains(forges, strings.ToLower(u.Hostname()))
	cut := -1 // parts that name the repository
	for i := 1; i < len(parts); i++ {
		tree := parts[i] == "tree" || parts[i] == "blob" || parts[i] == "src"
		if tree && (parts[i-1] == "-" || forge && i == 2) {
			cut = i
			break
		}
	}
	switch {
	case cut > 0:
		rest := parts[cut+1:]
		if parts[cut] == "src" && len(rest) > 0 && slices.Contains([]string{"branch", "tag", "commit"}, rest[0]) {
			rest = rest[1:]
		}
		if out.folder == "" && len(rest) > 1 {
			out.folder = strings.Join(rest[1:], "/")
		}
		u.Path, u.RawQuery, u.Fragment = "/"+strings.TrimSuffix(strings.Join(parts[:cut], "/"), "/-"), "", ""
		out.url, out.git = u.String(), true
	case strings.HasSuffix(u.Path, ".git") || forge && len(parts) == 2:
		out.git = true
	}
	return out
}

// looker looks at the places of one artifact.
type looker struct {
	artifact *transparency.Artifact
	world    transparency.World
}

// ask asks the world and notes the look.
func (l *looker) ask(ctx context.Context, r audit.Request) audit.Answer {
	if l.world.Ask == nil {
		return audit.Answer{Seen: audit.Seen{URL: r.URL, Trouble: &audit.Trouble{Kind: audit.TroubleOffline, Text: "the run may not ask anybody", Settle: "run without --offline"}}}
	}
	answer := l.world.Ask(ctx, r)
	l.artifact.Seen = append(l.artifact.Seen, answer.Seen)
	return answer
}

func (l *looker) place(ctx context.Context, a address) transparency.Place {
	switch {
	case a.handed && l.world.OpenHanded != nil:
		l.world.Open = l.world.OpenHanded
		return l.repository(ctx, a)
	case a.git, !a.site && l.servesGit(ctx, a.url):
		return l.repository(ctx, a)
	}
	return l.site(ctx, a)
}

// gitAdvertisement is the content type of the answer of a git server (git: Documentation/gitprotocol-http.adoc).
const gitAdvertisement = "application/x-git-upload-pack-advertisement"

// servesGit asks whether a git repository lies at an address, as git itself begins.
func (l *looker) servesGit(ctx context.Context, address string) bool {
	answer := l.ask(ctx, audit.Request{
		URL: strings.TrimSuffix(address, "/") + "/info/refs?service=git-upload-pack", Accept: gitAdvertisement, Limit: maxAdvertisement, Redact: firstLine,
	})
	return answer.Trouble == nil && strings.Contains(string(answer.Body[:min(len(answer.Body), 100)]), "# service=git-upload-pack")
}

// maxAdvertisement bounds the list of refs; that of a repository with 100,000 refs has some 8 MB.
const maxAdvertisement = 16 << 20

// firstLine keeps what says that a git server answered: names of branches may hold names of people.
func firstLine(body []byte) ([]byte, error) {
	const announced = len("001e# service=git-upload-pack\n")
	return body[:min(len(body), announced)], nil
}

// worst returns the trouble of the first place whose trouble weighs most.
func worst(places []transparency.Place) *audit.Trouble {
	out := places[0].Trouble
	for _, p := range places[1:] {
		if o := p.Trouble.Outcome(); o != out.Outcome() && audit.Worst(o, out.Outcome()) == o {
			out = p.Trouble
		}
	}
	return out
}
