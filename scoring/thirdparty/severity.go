package thirdparty

import (
	"slices"
	"strings"

	cvss2 "github.com/pandatix/go-cvss/20"
	cvss30 "github.com/pandatix/go-cvss/30"
	cvss31 "github.com/pandatix/go-cvss/31"
	cvss4 "github.com/pandatix/go-cvss/40"
)

// severities, worst first. Unknown is none of them: it may be any.
var severities = [...]string{"critical", "high", "medium", "low"}

const unknownSeverity = "unknown"

// severityOf returns the worst severity that records of one vulnerability give it; unknown if none gives any.
func severityOf(list []record) string {
	worst := len(severities)
	for _, r := range list {
		if i := slices.Index(severities[:], r.severity()); i >= 0 {
			worst = min(worst, i)
		}
	}
	if worst == len(severities) {
		return unknownSeverity
	}
	return severities[worst]
}

// severity is that of the newest CVSS vectors of a record (4, then 3, then 2), the worst of them, else the label that its
// database gives it.
func (r record) severity() string {
	vectors := slices.Clone(r.Severity)
	for _, a := range r.Affected {
		vectors = append(vectors, a.Severity...)
	}
	for _, kind := range []string{"CVSS_V4", "CVSS_V3", "CVSS_V2"} {
		worst, found := 0.0, false
		for _, v := range vectors {
			if v.Type != kind {
				continue
			}
			if score, ok := baseScore(v.Score); ok {
				worst, found = max(worst, score), true
			}
		}
		if found {
			return rating(worst)
		}
	}
	switch label := strings.ToLower(r.Database.Severity); label {
	case "moderate":
		return "medium"
	case "critical", "high", "medium", "low":
		return label
	case "important": // Red Hat
		return "high"
	}
	return unknownSeverity
}

// baseScore is the score of a CVSS vector: of version 4 with all the metrics that it gives, of older ones the base score.
func baseScore(vector string) (score float64, ok bool) {
	if len(vector) > 512 {
		return 0, false
	}
	switch {
	case strings.HasPrefix(vector, "CVSS:4.0/"):
		v, err := cvss4.ParseVector(vector)
		if err != nil {
			return 0, false
		}
		return v.Score(), true
	case strings.HasPrefix(vector, "CVSS:3.1/"):
		v, err := cvss31.ParseVector(vector)
		if err != nil {
			return 0, false
		}
		return v.BaseScore(), true
	case strings.HasPrefix(vector, "CVSS:3.0/"):
		v, err := cvss30.ParseVector(vector)
		if err != nil {
			return 0, false
		}
		return v.BaseScore(), true
	}
	v, err := cvss2.ParseVector(strings.Trim(vector, "()"))
	if err != nil {
		return 0, false
	}
	return v.BaseScore(), true
}

// rating is the qualitative severity of a score. Source: CVSS v3.1 and v4.0 specification, table of ratings; a score of 0
// (none) counts as low here.
func rating(score float64) string {
	switch {
	case score >= 9:
		return "critical"
	case score >= 7:
		return "high"
	case score >= 4:
		return "medium"
	}
	return "low"
}
