package conformance

// Document is to be filled in.
type Document struct{}
