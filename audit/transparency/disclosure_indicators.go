package transparency

func disclosureIndicators() []Indicator { return nil }
