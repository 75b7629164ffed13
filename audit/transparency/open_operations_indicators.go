package transparency

func openOperationsIndicators() []Indicator { return nil }
