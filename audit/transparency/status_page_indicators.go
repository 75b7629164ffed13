package transparency

func statusPageIndicators() []Indicator { return nil }
