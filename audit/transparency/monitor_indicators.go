package transparency

func monitorIndicators() []Indicator { return nil }
