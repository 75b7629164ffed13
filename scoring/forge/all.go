package forge

// all lists the services, the one that knows most about a fact first. A new service is a new file and a line here.
func all(c *Collector) []reader {
	return []reader{
		newGitHub(c.options),
	}
}
