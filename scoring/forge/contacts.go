package forge

import (
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Contacts lists the services that Collect would ask about a project, as far as its address tells: forge, review system, CI,
// tracker. It asks nobody. Where git shows a .gitreview file, the server that it names is asked as well.
func (c *Collector) Contacts(p scoring.Project) []audit.Contact {
	host, _, ok := locate(p.Repo)
	if !ok {
		return nil
	}
	var out []audit.Contact
	add := func(host, what string, tokens bool) {
		right := "anonymous read"
		if tokens && c.identified(host) {
			right = "token"
		}
		out = append(out, audit.Contact{Host: host, Address: "https://" + host, Right: right, Purpose: what})
	}
	service := hostedBy(c.options, p.Repo)
	switch {
	case isGitHub(c.options, p):
		add(apiOf(host), "GitHub: changes, issues, runs, rules and people as numbers", true)
	case service == serviceGitLab:
		add(host, "GitLab: changes, issues, runs and rules", true)
	case service == serviceGitea:
		add(host, "Gitea: changes, issues, runs and rules", true)
	case service == serviceOpenDev:
		add(host, "OpenDev: the repository", true)
	}
	review, project, reviewed := gerrit{newServices(c.options)}.place(p, scoring.Evidence{})
	if reviewed {
		add(review, "Gerrit: changes with their votes, groups and rights", false)
		if zuul, _, ok := zuulOf(review, project); ok {
			add(zuul, "Zuul: runs", false)
		}
	}
	switch tracker, _, ok := trackerOf(p, review, project); {
	case ok && tracker == "launchpad":
		add("api.launchpad.net", "Launchpad: issues", false)
	case ok && tracker == "storyboard":
		add(storyboardHost, "StoryBoard: issues", false)
	}
	return out
}

func isGitHub(o Options, p scoring.Project) bool {
	_, ok := (&gitHub{options: o}).served(p)
	return ok
}

// apiOf is the host of the interface behind a GitHub host.
func apiOf(host string) string {
	if host = strings.TrimPrefix(host, "www."); host == "github.com" {
		return "api.github.com"
	}
	return host
}

// identified says whether there is a token or an app for a host.
func (c *Collector) identified(host string) bool {
	return c.options.Tokens != nil && len(c.options.Tokens(host)) > 0 || c.options.Apps != nil && len(c.options.Apps(host)) > 0
}
