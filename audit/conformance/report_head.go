package conformance

// ReportHead says what one document of a test report is about, as the compliance monitor files it.
type ReportHead struct {
	Run       string // id of the run: the monitor takes it once
	Subject   string
	ScopeUUID string
	ScopeName string
	Results   int
}

// ReadHeads reads the documents of a test report, YAML or JSON, as strictly as results are read.
func ReadHeads(data []byte) ([]ReportHead, error) {
	documents, err := parseReports(data)
	if err != nil {
		return nil, err
	}
	out := make([]ReportHead, len(documents))
	for i, d := range documents {
		out[i] = ReportHead{Run: d.run.ID, Subject: d.subject, ScopeUUID: d.scope, ScopeName: d.name, Results: d.run.Results}
	}
	return out, nil
}
