package conformance

// Label is to be filled in.
type Label struct{}
