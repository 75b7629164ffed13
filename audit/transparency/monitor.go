package transparency

import "time"

// Monitor is what a public health monitor shows of a cloud.
type Monitor struct {
	Software string `json:"software,omitempty"` // e.g. grafana 11.2.0
	Panels   int    `json:"panels,omitempty"`   // panels with a query
	Failed   int    `json:"failed,omitempty"`   // queries and panels that could not be read
	// Looked is the moment of the look that showed the samples, by our clock; Skew is by how many seconds the server's clock is
	// ahead of it.
	Looked time.Time `json:"looked,omitzero"`
	Skew   int64     `json:"skew,omitempty"`
	// Reach is how many days back were asked for, the day of the look included.
	Reach int `json:"reach,omitempty"`
	// Newest is the time of the newest sample of any series; zero: no sample was shown.
	Newest time.Time `json:"newest,omitzero"`
	// Errors and Latency are the series of error rates and of response times.
	Errors  Series `json:"errors,omitzero"`
	Latency Series `json:"latency,omitzero"`
	// Unknown names series of which nobody can tell what they mean, bounded.
	Unknown []string `json:"unknown,omitempty"`
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
	// Missing lists the days within the reach, the day of the look included, that have no sample, as 2006-01-02.
	Missing []string `json:"missing,omitempty"`
	// Failed counts the queries of this kind that could not be read.
	Failed int `json:"failed,omitempty"`
}

// Outage is a span in which a monitor shows errors.
type Outage struct {
	Begin time.Time `json:"begin"`
	End   time.Time `json:"end"`
	What  string    `json:"what,omitempty"`
	Share int       `json:"share"` // of failed calls at the worst, basis points
	// Calls is how many calls were made in the worst step; 0: not known.
	Calls int `json:"calls,omitempty"`
}
