// Package gitea names the command that e2e builds: go build code.gitea.io/gitea. It is a module of its own, because
// Gitea's module needs replaces that the product must not have.
package gitea

import _ "code.gitea.io/gitea/cmd" // kept in go.mod
