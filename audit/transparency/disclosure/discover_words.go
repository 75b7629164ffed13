package disclosure

import (
	"regexp"
	"strings"

	"github.com/pegel-audit/pegel/audit/transparency"
)

// sign is one way in which a link tells what stands behind it.
type sign struct {
	kind string
	text *regexp.Regexp // of the words of the link; nil: they do not tell
	path *regexp.Regexp // of the path; nil: it does not tell
	host *regexp.Regexp // of the first part of a host of the operator
	// service is of hosts that serve nothing but such pages, for anybody.
	service *regexp.Regexp
}

// words compiles a pattern that does not mind capitals.
func words(s string) *regexp.Regexp { return regexp.MustCompile(`(?i)` + s) }

// signs are tried in this order: the narrower ones first. The words are English, German and French.
var signs = []sign{
	{
		kind: transparency.KindSBOM,
		text: words(`\bSBOM|software bill of materials|software-stückliste|nomenclature logicielle`),
		path: words(`(?:/|[._-])s?bom(?:s)?(?:/|$|\.(?:cdx|spdx|json|xml))|\.(?:cdx|spdx)\.(?:json|xml)$`),
	},
	{
		kind: transparency.KindCertificatePage,
		text: words(`\bSCS[- ]compatible|certificate status`),
	},
	{
		kind: transparency.KindIncidentReports,
		text: words(`post[- ]?mortems?\b|incident (?:report|review|analys)|root cause|\bRCAs?\b|vorfallsberichte?|störungsberichte?|ursachenanalyse|rapports? d['’]incidents?|retours? sur incident`),
		path: words(`/(?:post-?mortems?|rcas?|incident-reports?|incident-reviews?)(?:/|$)`),
	},
	{
		kind: transparency.KindAdvisories,
		text: words(`security (?:advisor|bulletin|notice)|sicherheits(?:hinweis|meldung|bulletin|warnung)|(?:avis|bulletins?|alertes?) de sécurité`),
		path: words(`/(?:security-)?(?:advisories|bulletins)(?:/|$)|/(?:provider-metadata\.json|csaf)(?:/|$)`),
	},
	{
		kind: transparency.KindMonitor,
		text: words(`health ?monitor|api[- ]?mon(?:itor)?\b|public (?:monitoring|dashboard)|öffentliches monitoring|supervision publique`),
		path: words(`^/public-dashboards/|^/d/[a-z0-9]{6,}`),
		host: words(`^(?:health|healthmon|healthmonitor|ohm|apimon|grafana|monitoring|monitor)[0-9]*\.`),
	},
	{
		kind:    transparency.KindStatusPage,
		text:    words(`^(?:(?:system|service|dienst|betriebs|cloud|plat?t?form)[a-z]*[- ]?)?status(?:[- ]?(?:page|seite|board))?$|(?:dienst|betriebs)status|état (?:des services|du service|du système)`),
		host:    words(`^(?:status|statuspage|state)[0-9]*\.`),
		service: words(`\.(?:statuspage\.io|betteruptime\.com|instatus\.com|status\.io|statuspal\.(?:io|eu))$`),
	},
	{
		kind: transparency.KindRunbooks,
		text: words(`runbooks?\b|operations (?:guide|handbook|manual)|betriebshandbuch|betriebsdokumentation|manuel d['’]exploitation`),
		path: words(`/(?:runbooks?|operations-guide)(?:/|$)`),
	},
	{
		kind: transparency.KindImprint,
		text: imprintWord,
		path: imprintPath,
	},
}

// deeper are words of pages that themselves link to what is looked for.
var deeper = words(`\bsecurity\b|sicherheit|sécurité|\btrust\b|vertrauen|confiance|transparen|open[- ]?source|compliance|zertifi|certifi|\bSLA\b|betrieb\b|operations\b`)

// forges are hosts where anybody can put repositories, beside those that call themselves so.
func forge(host string) bool {
	switch host = strings.TrimPrefix(strings.ToLower(host), "www."); host {
	case "github.com", "gitlab.com", "codeberg.org", "gitlab.opencode.de", "opendev.org", "git.sr.ht", "bitbucket.org", "framagit.org":
		return true
	}
	return strings.HasPrefix(host, "gitlab.") || strings.HasPrefix(host, "gitea.") || strings.HasPrefix(host, "forgejo.") || strings.HasPrefix(host, "git.")
}

// operating are words of repositories about how a cloud is run.
var operating = words(`runbook|operation|\bops\b|opstools|handbook|landscape|configuration`)
