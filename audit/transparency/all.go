package transparency

import "slices"

// All lists every indicator in the order of every report; a new aspect is a new file and a line here.
func All() []Indicator {
	return slices.Concat(
		statusPageIndicators(),
		incidentReportIndicators(),
		monitorIndicators(),
		runbookIndicators(),
		openOperationsIndicators(),
		disclosureIndicators(),
		patchIndicators(),
		identityIndicators(),
	)
}
