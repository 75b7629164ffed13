package forge

import "strings"

// machineName says whether an account is a program by its login or its display name, where nothing else marks it: it is
// listed, or it calls itself a bot, or CI at the end of its name, as OpenStack asks of external systems.
func machineName(login, display string) bool {
	login = strings.ToLower(login)
	if isMachine(login) || isMachine(display) {
		return true
	}
	switch login {
	case "openstackrelease", "infra-root", "marge-bot", "gitea-actions", "forgejo-actions", "prow", "buildbot":
		return true
	}
	for _, ending := range []string{".bot", "-ci", "_ci", ".ci", "-jenkins", "-zuul"} {
		if strings.HasSuffix(login, ending) {
			return true
		}
	}
	// GitLab's project and group access tokens: project_123_bot_0a1b
	if (strings.HasPrefix(login, "project_") || strings.HasPrefix(login, "group_")) && strings.Contains(login, "_bot") {
		return true
	}
	return strings.HasSuffix(display, " CI") || strings.HasSuffix(display, " Bot")
}
