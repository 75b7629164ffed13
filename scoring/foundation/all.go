package foundation

// registries are the registries that are read, in the order in which they are asked.
func registries() []registry {
	return []registry{openStack(), landscape(), apache(), eclipse()}
}
