// Package runbook looks at what an operator publishes about how the cloud is run: repositories with documents, playbooks and
// configuration, and web sites. In go addresses; out come which topics are spoken of and where, the licence, the newest change
// by a person, counts, and the places of secrets in plain text. It never keeps a secret, a part of one, or who wrote anything.
package runbook
