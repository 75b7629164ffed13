package forge

import "strings"

// isMachine says whether the name of an account is one of a machine that a forge takes for a person: by its ending, or by
// the list here, which holds accounts that appear among authors and reviewers of platform projects. Case does not count.
func isMachine(name string) bool {
	name = strings.ToLower(name)
	for _, ending := range [...]string{"[bot]", "-bot", "_bot", "-robot"} {
		if strings.HasSuffix(name, ending) {
			return true
		}
	}
	switch name {
	case "k8s-ci-robot", "k8s-infra-cherrypick-robot", "k8s-triage-robot", "k8s-release-robot", "k8s-publishing-bot", "fejta-bot", "openshift-merge-robot",
		"openshift-ci-robot", "openshift-cherrypick-robot", "openshift-bot", "istio-testing", "knative-prow-robot", "metal3-io-bot", "cilium-renovate",
		"prombot", "ceph-jenkins", "googlebot", "thelinuxfoundation", "linux-foundation-easycla", "cla-assistant", "claassistant",
		"codecov", "codecov-io", "codecov-commenter", "coveralls", "coderabbitai", "copilot", "mergify",
		"bors", "homu", "rust-highfive", "zuul", "jenkins", "weblate", "hosted-weblate",
		"openstack-zuul", "openstack-infra", "proposal-bot", "pull-request-size", "sonarcloud", "netlify", "pre-commit-ci",
		"dependabot", "dependabot-preview", "renovate", "renovatebot", "github-actions":
		return true
	}
	return false
}
