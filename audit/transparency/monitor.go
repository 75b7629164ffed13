package transparency

import "time"

// Monitor is what a public health monitor shows of a cloud.
type Monitor struct {
	Software string `json:"software,omitempty"` // e.g. grafana 11.2.0
	Panels   int    `json:"panels,omitempty"`   // panels with a query
	// Newest is the time of the newest sample of any series; zero: no sample was shown.
	Newest time.Time `json:"newest,omitzero"`
	// Errors and Latency are the series of error rates and of response times.
	Errors  Series `json:"errors,omitzero"`
	Latency Series `json:"latency,omitzero"`
	// Outages are the spans in which the monitor shows errors, newest first, bounded by the collector.
	Outages []Outage `json:"outages,omitempty"`
}

// Series is how far samples of one kind reach. The zero value: none were shown.
type Series struct {
	Names  []string  `json:"names,omitempty"` // metrics or panels, bounded
	From   time.Time `json:"from,omitzero"`   // oldest sample within the window asked for
	To     time.Time `json:"to,omitzero"`     // newest
	Days   int       `json:"days,omitempty"`  // days within the window that have at least one sample
	Values int       `json:"values,omitempty"`
}

// Outage is a span in which a monitor shows errors.
type Outage struct {
	Begin time.Time `json:"begin"`
	End   time.Time `json:"end"`
	What  string    `json:"what,omitempty"`
	Share int       `json:"share"` // of failed calls at the worst, basis points
}
