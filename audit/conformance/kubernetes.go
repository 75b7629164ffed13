package conformance

// KubernetesRun is to be filled in.
type KubernetesRun struct{}
