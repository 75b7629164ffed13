package reports

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/gowebpki/jcs"
)

// ScoreSchema names the JSON form of pegel score; its JSON Schema is in reports/schema.
const ScoreSchema = "pegel/score/v1"

// Scores is the JSON form of pegel score.
type Scores struct {
	Schema   string    `json:"schema"`
	Projects []Project `json:"projects"`
}

// JSON writes the report itself as canonical JSON (RFC 8785) with a final line feed: equal reports are equal bytes. Times
// are UTC, scores basis points; what is not known is absent.
func JSON(r Report, _ Options) ([]byte, error) { return canonical(r) }

// ScoreJSON writes the scores of projects as canonical JSON, in the order given.
func ScoreJSON(projects []Project) ([]byte, error) {
	return canonical(Scores{Schema: ScoreSchema, Projects: slices.Clone(projects)})
}

func canonical[T any](v T) ([]byte, error) {
	same := copier{text: func(_, s string) string { return s }}
	raw, err := json.Marshal(copyOf(same, v))
	if err != nil {
		return nil, fmt.Errorf("writing JSON: %w", err)
	}
	out, err := jcs.Transform(raw)
	if err != nil {
		return nil, fmt.Errorf("writing canonical JSON: %w", err)
	}
	return append(out, '\n'), nil
}
