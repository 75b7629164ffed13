package conformance

// Status is to be filled in.
type Status struct{}
