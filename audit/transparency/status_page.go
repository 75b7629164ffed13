package transparency

import "time"

// StatusPage is what a status page shows, whatever software runs it.
type StatusPage struct {
	Title string `json:"title,omitempty"`
	// Software is the adapter that read the page, e.g. statuspage, scs.
	Software   string      `json:"software,omitempty"`
	Components []Component `json:"components"`
	// Incidents are the newest, newest first, bounded by the collector; IncidentsSeen counts all that were read.
	Incidents     []Incident `json:"incidents"`
	IncidentsSeen int        `json:"incidents_seen"`
	// HistoryFrom is the moment from which on the history can be read: the begin of the oldest incident or maintenance, or what
	// the software itself says. Zero: not known.
	HistoryFrom time.Time `json:"history_from,omitzero"`
	// UpdatedAt is what the page itself says of its age, or the newest event. Zero: not known.
	UpdatedAt time.Time `json:"updated_at,omitzero"`
	// SaysNone is true if the page says in so many words, or by the state of every component, that nothing is wrong.
	SaysNone bool `json:"says_none,omitempty"`
	// Complete is false where the software shows only a part, such as the newest 50 incidents or an RSS feed.
	Complete bool `json:"complete"`
	// AllMaintenances is true if every maintenance is shown, even where Complete is false because of the incidents.
	AllMaintenances bool `json:"all_maintenances,omitempty"`
	// Shows says in words what the software shows, where that is only a part: "the newest 50 incidents".
	Shows string `json:"shows,omitempty"`
	// Since is from when on the page exists, as its software says: the page or its oldest component was made then. Zero: not
	// known. It says nothing about older incidents, and nothing about how many there were.
	Since time.Time `json:"since,omitzero"`
	// Hides lists what this way of reading cannot show of any incident, by the words below: what is absent then is not known.
	Hides []string `json:"hides,omitempty"`
}

// Parts of an incident, as Hides and Unread name them.
const (
	PartBegin       = "begin"
	PartEnd         = "end"
	PartComponents  = "components"
	PartUpdates     = "updates"
	PartURL         = "url"
	PartMaintenance = "maintenance" // whether it is a maintenance
	PartAnnounced   = "announced"   // when a maintenance was published
)

// Component is one part of the cloud that a status page names.
type Component struct {
	ID    string `json:"id,omitempty"`
	Name  string `json:"name"`
	State string `json:"state,omitempty"` // in the words of the software
}

// Incident is one incident or maintenance.
type Incident struct {
	ID          string    `json:"id"`
	URL         string    `json:"url,omitempty"` // permanent address; empty: none
	Title       string    `json:"title,omitempty"`
	Begin       time.Time `json:"begin,omitzero"`
	End         time.Time `json:"end,omitzero"` // zero: still open, or not said
	Open        bool      `json:"open,omitempty"`
	Components  []string  `json:"components,omitempty"` // names
	Severity    *int      `json:"severity,omitempty"`   // 0..100 as in the SCS status page API, 0 a maintenance; nil: not said
	Impact      string    `json:"impact,omitempty"`     // in the words of the software
	Updates     int       `json:"updates"`
	Maintenance bool      `json:"maintenance,omitempty"`
	Announced   time.Time `json:"announced,omitzero"` // of a maintenance: when it was first published
	Report      string    `json:"report,omitempty"`   // address of a post-mortem that the page itself names
	Unread      []string  `json:"unread,omitempty"`   // parts that stand there but could not be read
	// Listed is true for one of which a list tells that it was, and no more: its other parts were not asked for, because those
	// of newer ones were.
	Listed bool `json:"listed,omitempty"`
}
