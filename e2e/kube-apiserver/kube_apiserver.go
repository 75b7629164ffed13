// Package kubeapiserver names the command that e2e builds: go build k8s.io/kubernetes/cmd/kube-apiserver. It is a module
// of its own, because Kubernetes' module needs replaces that the product must not have.
package kubeapiserver

import _ "k8s.io/kubernetes/cmd/kube-apiserver/app" // kept in go.mod
