package forge

// all lists the services, the one that knows most about a fact first. A new service is a new file and a line here.
func all(c *Collector) []reader {
	s := newServices(c.options)
	changes := gerrit{s}
	return []reader{
		changes, zuul{changes}, launchpad{changes}, storyboard{changes},
		newGitHub(c.options),
		gitlab{s}, gitea{s}, mail{s},
	}
}
