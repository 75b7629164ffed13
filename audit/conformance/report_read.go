package conformance

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// reportDocument is one test report, as far as it is needed.
type reportDocument struct {
	run     RunReport
	scope   string // id
	name    string // of the scope
	subject string
	results []Result
}

func (d reportDocument) scopeName() string {
	if d.name == "" {
		return d.scope
	}
	return d.name + " (" + d.scope + ")"
}

// reportFile has the keys of a test report that count. Logs and command lines are not read: they may name people.
type reportFile struct {
	Spec struct {
		UUID string `yaml:"uuid"`
		Name string `yaml:"name"`
	} `yaml:"spec"`
	CheckedAt string `yaml:"checked_at"`
	Reference string `yaml:"reference_date"`
	Subject   string `yaml:"subject"`
	Run       struct {
		UUID        string `yaml:"uuid"`
		Invocations map[string]struct {
			Results map[string]int `yaml:"results"`
		} `yaml:"invocations"`
	} `yaml:"run"`
	// Versions is how reports had their results until 2025: version -> test case.
	Versions map[string]map[string]struct {
		Result int `yaml:"result"`
	} `yaml:"versions"`
}

// parseReports reads the documents of a test report, YAML or JSON.
func parseReports(data []byte) ([]reportDocument, error) {
	if len(data) > maxReport {
		return nil, fmt.Errorf("%d bytes, but at most %d are read", len(data), maxReport)
	}
	if !utf8.Valid(data) {
		return nil, errors.New("it is not UTF-8")
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var out []reportDocument
	for {
		var f reportFile
		err := dec.Decode(&f)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errors.New(plain(strings.TrimPrefix(err.Error(), "yaml: ")))
		}
		if len(out) == maxDocuments {
			return nil, fmt.Errorf("more than %d documents", maxDocuments)
		}
		d, err := f.document()
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", len(out)+1, err)
		}
		out = append(out, d)
	}
	if len(out) == 0 {
		return nil, errors.New("it is empty")
	}
	return out, nil
}

func (f reportFile) document() (reportDocument, error) {
	if f.Spec.UUID == "" || f.Subject == "" || f.Run.UUID == "" {
		return reportDocument{}, errors.New("it is no test report: spec.uuid, subject and run.uuid are needed")
	}
	at, naive, err := moment(f.CheckedAt)
	if err != nil {
		return reportDocument{}, fmt.Errorf("checked_at: %w", err)
	}
	var reference time.Time
	if f.Reference != "" {
		if reference, _, err = moment(f.Reference); err != nil {
			return reportDocument{}, fmt.Errorf("reference_date: %w", err)
		}
	}
	d := reportDocument{scope: strings.ToLower(plain(f.Spec.UUID)), name: plain(f.Spec.Name), subject: f.Subject}
	add := func(id string, code int) error {
		outcome, err := outcomeOf(&code)
		if err != nil {
			return fmt.Errorf("test case %q: %w", plain(id), err)
		}
		if len(d.results) == maxTests {
			return fmt.Errorf("more than %d results", maxTests)
		}
		d.results = append(d.results, Result{ID: plain(id), Outcome: outcome, CheckedAt: at, Naive: naive, Report: plain(f.Run.UUID)})
		return nil
	}
	if err := f.each(add); err != nil {
		return reportDocument{}, err
	}
	d.results = sorted(newest(d.results))
	d.run = RunReport{ID: plain(f.Run.UUID), CheckedAt: at, Reference: reference, Results: len(d.results)}
	return d, nil
}

// each calls add with every result: those of versions if the report has them, otherwise those of the invocations, as the
// compliance monitor does.
func (f reportFile) each(add func(id string, code int) error) error {
	if f.Versions != nil {
		for _, name := range slices.Sorted(maps.Keys(f.Versions)) {
			for id, r := range f.Versions[name] {
				if err := add(id, r.Result); err != nil {
					return err
				}
			}
		}
		return nil
	}
	for _, invocation := range f.Run.Invocations {
		for id, code := range invocation.Results {
			if err := add(id, code); err != nil {
				return err
			}
		}
	}
	return nil
}

func sorted(results map[string]Result) []Result {
	return slices.SortedFunc(maps.Values(results), func(a, b Result) int {
		return cmp.Compare(a.ID, b.ID)
	})
}
