package conformance

// Report is to be filled in.
type Report struct{}
