package conformance

// Certificate is to be filled in.
type Certificate struct{}
