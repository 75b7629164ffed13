package transparency

import "strings"

// incidentImpacts puts the impact words of status page software on the scale of the SCS status page API (scs-0402: 0 a maintenance,
// 100 the worst; its reference server knows limited up to 33, degraded up to 66, broken up to 100). The words of Statuspage
// are those of its public API, field "impact" of an incident: none, minor, major, critical, maintenance. The others are what
// Cachet, Upptime, cState, Instatus and Better Stack call the same. A word that is not here says nothing.
var incidentImpacts = map[string]int{
	"maintenance": 0, "under_maintenance": 0, "undermaintenance": 0, "scheduled": 0,
	"none": 1, "notice": 1, "operational": 1, "resolved": 1,
	"minor": 33, "minoroutage": 33, "degraded": 33, "degraded_performance": 33, "degradedperformance": 33, "limited": 33, "disrupted": 33,
	"major": 66, "partial_outage": 66, "partialoutage": 66, "partial": 66,
	"critical": 100, "major_outage": 100, "majoroutage": 100, "down": 100, "downtime": 100, "outage": 100, "broken": 100,
}

// incidentSeverity returns how grave an incident was by the scale of the SCS status page API; false if nobody says so.
func incidentSeverity(i Incident) (int, bool) {
	if i.Severity != nil {
		return *i.Severity, true
	}
	if i.Maintenance {
		return 0, true
	}
	n, ok := incidentImpacts[strings.ToLower(strings.ReplaceAll(strings.TrimSpace(i.Impact), " ", "_"))]
	return n, ok
}
