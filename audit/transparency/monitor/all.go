package monitor

import "github.com/pegel-audit/pegel/audit"

// adapter is one way to read a monitor.
type adapter struct {
	name string // as the stack file names it
	// address reports whether a path shows that this software serves it.
	address func(path string) bool
	// here asks whether this software answers; a trouble says why not.
	here func(*session) (bool, *audit.Trouble)
	read func(*session) (*findings, *audit.Trouble)
}

// adapters lists all ways in the order in which they are tried. Grafana is first because most clouds show one.
func adapters() []adapter {
	return []adapter{
		{name: "grafana", address: grafanaAddress, here: grafanaHere, read: readGrafana},
		{name: "prometheus", address: prometheusAddress, here: prometheusHere, read: readPrometheus},
		{name: "influxdb", address: influxAddress, here: influxHere, read: readInflux},
		{name: "cloudmon", address: cloudmonAddress, here: cloudmonHere, read: readCloudmon},
	}
}
