package conformance

// TempestRun is to be filled in.
type TempestRun struct{}
