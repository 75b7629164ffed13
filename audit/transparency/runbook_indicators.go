package transparency

func runbookIndicators() []Indicator { return nil }
