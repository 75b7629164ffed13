package transparency

import "time"

// IncidentReports is what an operator published about incidents that are over.
type IncidentReports struct {
	Reports []IncidentReport `json:"reports"` // newest first
	// Others counts documents at the same place that are no incident report.
	Others int `json:"others,omitempty"`
}

// IncidentReport is one analysis of an incident.
type IncidentReport struct {
	URL        string    `json:"url"`
	Title      string    `json:"title,omitempty"`
	Published  time.Time `json:"published,omitzero"`
	Begin      time.Time `json:"begin,omitzero"` // of the incident, as the report says
	End        time.Time `json:"end,omitzero"`
	Language   string    `json:"language,omitempty"` // en, de, fr
	Parts      []string  `json:"parts"`              // of summary, impact, timeline, root-cause, resolution, actions, lessons
	Incident   string    `json:"incident,omitempty"` // id or address that it names
	Components []string  `json:"components,omitempty"`
	Seen       int       `json:"seen"` // place in the looks of the artifact, from 0
}
