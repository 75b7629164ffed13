package transparency

func incidentReportIndicators() []Indicator { return nil }
