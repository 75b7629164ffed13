package pipeline

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// planFile holds the plan table, between two marks, and above it the measured means that it is reckoned from.
const (
	planFile  = "../../../docs/collecting.md"
	planBegin = "<!-- plan: begin -->\n"
	planEnd   = "<!-- plan: end -->\n"
)

// rowsBelow returns the rows of the table whose head begins with the given words.
func rowsBelow(t *testing.T, text, head string) [][]string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "\n| "+head)
	if !ok {
		t.Fatalf("no table begins with %q", head)
	}
	var out [][]string
	for _, line := range strings.Split(rest, "\n")[2:] { // after the rest of the head and the rule
		if !strings.HasPrefix(line, "| ") {
			break
		}
		cells := strings.Split(strings.Trim(line, "| "), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		out = append(out, cells)
	}
	return out
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(strings.TrimSuffix(strings.ReplaceAll(text, ",", ""), " GB"), 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func readDoc(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// planTable joins what was measured: calls of the forge (generated, docs/forge-plan.md), sizes of clones (docs/clones.md) and
// processor time (docs/collecting.md).
func planTable(t *testing.T, forges, clones, times string) string {
	var own, git float64
	for _, row := range rowsBelow(t, times, "processor time per project") {
		if row[0] == "mean" {
			own, git = number(t, row[1]), number(t, row[2])
		}
	}
	if own == 0 || git == 0 {
		t.Fatal("no mean is measured")
	}
	disk := map[string]float64{}
	for _, row := range rowsBelow(t, clones, "projects | no trees") {
		disk[strings.ReplaceAll(row[0], ",", "")] = number(t, row[1])
	}
	var b strings.Builder
	b.WriteString("| projects | tokens | calls | points | hours of asking, at most | GB of answers | GB of clones | CPU-hours of Pegel | CPU-hours of git |\n")
	b.WriteString("|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, row := range rowsBelow(t, forges, "projects | tokens") {
		n, size := number(t, row[0]), disk[row[0]]
		if size == 0 {
			t.Fatalf("docs/clones.md has no plan for %s projects", row[0])
		}
		calls, hours := number(t, row[2])+number(t, row[5]), number(t, row[7])+number(t, row[8])
		fmt.Fprintf(&b, "| %s | %s | %.0f | %s | %.1f | %s | %.0f | %.2f | %.2f |\n", row[0], row[1], calls, row[3], hours, row[6], size, n*own/3600, n*git/3600)
	}
	return b.String()
}

func TestThePlanOfCollectingIsReckonedFromWhatWasMeasured(t *testing.T) {
	page := readDoc(t, planFile)
	want := planTable(t, readDoc(t, "../../../docs/forge-plan.md"), readDoc(t, "../../../docs/clones.md"), page)
	before, rest, begun := strings.Cut(page, planBegin)
	got, after, ended := strings.Cut(rest, planEnd)
	if !begun || !ended {
		t.Fatalf("docs/collecting.md lacks the marks %q and %q", planBegin, planEnd)
	}
	if os.Getenv("PEGEL_WRITE_PLAN") != "" {
		if err := os.WriteFile(planFile, []byte(before+planBegin+want+planEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("the plan in docs/collecting.md is another one; run PEGEL_WRITE_PLAN=1 go test ./cmd/internal/pipeline -run ThePlanOfCollecting\ngot:\n%swant:\n%s", got, want)
	}
}
