package indicator

// LessIsBetter reports whether small values of an indicator are the good ones, as its code judges them. Reports need it
// where a rule has only one threshold, which does not show a direction.
func LessIsBetter(id string) bool {
	switch id {
	case "LR-02", "LR-05", "MA-04", "MA-05", "MA-10", "OC-02", "OC-03", "OC-04", "OC-08", "OC-12", "OD-04", "OD-06", "OS-04", "OS-06", "OS-10",
		"OV-06", "SE-04", "SE-05", "SE-11", "SE-14":
		return true
	}
	return false
}
