package reports

import "fmt"

// CalibrationSchema names the JSON form of pegel policy sensitivity.
const CalibrationSchema = "pegel/calibration/v1"

// Calibration shows what a profile does with many projects: what each gate and indicator decides, and how little would have
// to change for it to decide otherwise. It is for those who set the numbers; it ranks nobody.
type Calibration struct {
	Schema     string                 `json:"schema"`
	Profile    string                 `json:"profile"`  // of projects that name no other: id and version
	Evidence   string                 `json:"evidence"` // digest of the bundle
	Projects   int                    `json:"projects"`
	Platforms  int                    `json:"platforms"`
	Profiles   map[string][]string    `json:"profiles"` // projects by profile, where it is not that of the others
	Verdicts   []CalibrationVerdict   `json:"verdicts"`
	Gates      []CalibrationGate      `json:"gates"`
	KnockOuts  []CalibrationKnockOut  `json:"knock_outs"`
	Indicators []CalibrationIndicator `json:"indicators"`
	Margins    []CalibrationMargin    `json:"margins"`
	Settings   []Sensitivity          `json:"settings"`
}

// CalibrationVerdict lists the projects with one verdict at one level.
type CalibrationVerdict struct {
	Level    string   `json:"level"` // empty: all levels
	Role     string   `json:"role"`
	Verdict  string   `json:"verdict"`
	Projects []string `json:"projects"`
}

// CalibrationGate is one gate and what it does.
type CalibrationGate struct {
	Levels       []string `json:"levels"` // that have the same gate
	Role         string   `json:"role"`
	Aspect       string   `json:"aspect"`
	Low          int      `json:"low"`
	Coverage     int      `json:"coverage"`
	Source       string   `json:"source"`
	Passed       []string `json:"passed"`
	Failed       []string `json:"failed"`
	Undetermined []string `json:"undetermined"`
	Remark       string   `json:"remark,omitempty"` // where it tells nobody apart
}

// CalibrationKnockOut is one knock-out and what it does.
type CalibrationKnockOut struct {
	Indicator string   `json:"indicator"`
	Title     string   `json:"title"`
	Out       []string `json:"out"`
	Open      []string `json:"open"`  // may still be knocked out
	Clear     int      `json:"clear"` // certainly not
	Remark    string   `json:"remark,omitempty"`
}

// CalibrationIndicator counts the outcomes of one indicator.
type CalibrationIndicator struct {
	ID     string `json:"id"`
	Aspect string `json:"aspect"`
	Title  string `json:"title"`
	Pass   int    `json:"pass"`
	Part   int    `json:"part"`
	Fail   int    `json:"fail"`
	DNF    int    `json:"dnf"`
	Miss   int    `json:"miss"`
	NA     int    `json:"na"`
}

// CalibrationMargin is how far one project is from another outcome at each gate, in the order of Calibration.Gates of its role.
type CalibrationMargin struct {
	Project string       `json:"project"`
	Gates   []GateMargin `json:"gates"`
}

// GateMargin is one outcome with its distance from flipping, in basis points.
type GateMargin struct {
	Outcome string `json:"outcome"` // pass, fail, undetermined
	Margin  int    `json:"margin"`
}

// Sensitivity is one number of the profile, and the smallest change of it that decides anything otherwise.
type Sensitivity struct {
	Path   string `json:"path"`
	Value  int    `json:"value"`
	Source string `json:"source"`
	Down   *Flip  `json:"down,omitempty"` // absent: no smaller value that was tried changes anything
	Up     *Flip  `json:"up,omitempty"`
}

// Flip is what another value of a number changes.
type Flip struct {
	Value int      `json:"value"` // the nearest value that changes something
	Moves []string `json:"moves"` // what it changes: "harbor, scs-open open-design: pass → undetermined"
}

// nearest returns the smaller of the distances to a flip; ok is false if nothing flips.
func (s Sensitivity) nearest() (distance int, ok bool) {
	if s.Up != nil {
		distance, ok = s.Up.Value-s.Value, true
	}
	if s.Down != nil && (!ok || s.Value-s.Down.Value < distance) {
		distance, ok = s.Value-s.Down.Value, true
	}
	return distance, ok
}

// RenderCalibration writes the calibration as text (the sensitivity alone), markdown (all of it) or json.
func RenderCalibration(format string, c Calibration, opt Options) ([]byte, error) {
	switch format {
	case "text":
		return []byte(sensitivityText(shown(c), opt)), nil
	case "markdown":
		return []byte(calibrationPage(shown(c))), nil
	case "json":
		return canonical(c)
	}
	return nil, fmt.Errorf("unknown format %q of a calibration; there are text, markdown and json", format)
}
