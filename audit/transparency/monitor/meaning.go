package monitor

import (
	"regexp"
	"slices"
	"strings"
)

// What a series means. docs/monitors.md has the same table.
//
//	field return_code, metric …_return_code       errors   openstack-health-monitor: api_monitor.sh, log_grafana (0 is success)
//	field duration, metric …_duration             latency  the same
//	openstack_http_requests_total{status_code}    errors   scs-health-monitor: dashboard, "API errors"; openstacksdk
//	openstack_http_response_time                  latency  scs-health-monitor: docs/ObservabilityStack/Metrics.md
//	ssh_connections_total, connectivity_tests_total, ssh_connectivity_tests_total
//	                                              errors   scs-health-monitor: libs/ConnectivityClient.py (status_code)
//	ssh_connect_duration_seconds                  latency  the same
//	probe_success, probe_duration_seconds         errors, latency   prometheus/blackbox_exporter: prober/handler.go
//	title with error, failure, success, availability (English, German, French)   errors
//	title with latency, response time, duration  (English, German, French)       latency
//	title with calls, requests                                                   calls
//
// Everything else was found, and nobody can tell what it means.

// meaning tells what a panel shows, from the metrics and fields in its query if these can be seen, else from its title and unit.
func meaning(p panel) kind {
	for _, t := range p.targets {
		if k := meaningOfQuery(t); k != unknownKind {
			return k
		}
	}
	if p.aboutMachines() {
		return unknownKind
	}
	return meaningOfTitle(p.title, p.unit)
}

// meaningOfQuery reads what is visible of a query: InfluxQL as fields and functions, or text of PromQL or InfluxQL.
func meaningOfQuery(t query) kind {
	switch {
	case t.uses("return_code") && t.uses("count") && !t.uses("sum"):
		return callCount
	case t.uses("return_code"):
		return errorRate
	case t.uses("duration") && t.influx():
		return responseTime
	case t.mentions("openstack_http_response_time", "ssh_connect_duration_seconds", "probe_duration_seconds", "probe_http_duration_seconds", "_duration\"}"):
		return responseTime
	case t.mentions("probe_success", "_return_code\"}"):
		return errorRate
	case t.mentions("openstack_http_requests_total", "ssh_connections_total", "connectivity_tests_total"):
		if t.mentions("status_code") {
			return errorRate
		}
		return callCount
	}
	return unknownKind
}

func meaningOfTitle(title, unit string) kind {
	title = strings.ToLower(title)
	size := slices.Contains([]string{"bytes", "decbytes", "bits", "decbits", "Bps", "binBps", "bps", "binbps", "watt", "celsius"}, unit)
	switch {
	case size:
		return unknownKind
	case wordsOfErrors().MatchString(title):
		return errorRate
	case wordsOfLatency().MatchString(title):
		return responseTime
	case wordsOfCalls().MatchString(title):
		return callCount
	}
	return unknownKind
}

func wordsOfErrors() *regexp.Regexp {
	return regexp.MustCompile(`\b(errors?|failed|failures?|failing|success(es|ful)?|availability|outages?)\b|fehler|ausf[aä]ll|erfolg|verf[uü]gbar|\berreurs?|échec|\bechecs?|disponibilit|succ[eè]s\b`)
}

func wordsOfSuccess() *regexp.Regexp {
	return regexp.MustCompile(`success|availab|erfolg|verf[uü]gbar|disponib|succ[eè]s\b`)
}

func wordsOfLatency() *regexp.Regexp {
	return regexp.MustCompile(`latenc|response[ -]?times?|\bdurations?\b|\bround[ -]?trip|antwortzeit|reaktionszeit|latenz|dauer\b|temps de r[ée]ponse|latence|dur[ée]e`)
}

func wordsOfCalls() *regexp.Regexp {
	return regexp.MustCompile(`\b(calls?|requests?|connections?|conns?|attempts?)\b|aufrufe?\b|anfragen?\b|requ[êe]tes?\b|appels?\b`)
}

// machineMetrics begin the names of metrics about hosts, containers and the monitoring itself: these say nothing about how a
// cloud answers its users.
func machineMetrics() []string {
	return []string{"node_", "container_", "kube_", "go_", "process_", "prometheus_", "grafana_", "libvirt_", "ceph_"}
}
