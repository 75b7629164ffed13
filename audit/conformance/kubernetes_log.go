package conformance

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
)

// RunLog is what e2e.log says about the whole run.
type RunLog struct {
	Versions []string `json:"versions,omitempty"` // of the API server that was tested
	Ran      int      `json:"ran,omitempty"`      // tests run
	Of       int      `json:"of,omitempty"`
	Ended    string   `json:"ended,omitempty"` // SUCCESS, FAIL; empty: the log does not say how the run ended
	Passed   int      `json:"passed,omitempty"`
	Failed   int      `json:"failed,omitempty"`
}

// longestLine of a log that is looked at, in bytes.
const longestLine = 4096

// logLines are the lines of e2e.log that count (cncf/k8s-conformance, reviewing.md: the version of kube-apiserver, and the last
// line), apart from colours.
type logLines struct{ version, ran, ended, colour *regexp.Regexp }

func newLogLines() logLines {
	return logLines{
		version: regexp.MustCompile(`kube-apiserver version: (v1\.[0-9]{1,3}\.[0-9]{1,4}[0-9A-Za-z.+-]{0,60})`),
		ran:     regexp.MustCompile(`^Ran ([0-9]{1,9}) of ([0-9]{1,9}) Specs in `),
		ended:   regexp.MustCompile(`^(SUCCESS|FAIL)! (?:- [^|]{1,200} )?-- ([0-9]{1,9}) Passed \| ([0-9]{1,9}) Failed`),
		colour:  regexp.MustCompile(`\x1b\[[0-9;]*m`),
	}
}

// readLog reads the summary of a run. Anything else in the log is not looked at; it cannot fail.
func readLog(data []byte) RunLog {
	var log RunLog
	eachLogLine(data, func(l logLines, line []byte) {
		if m := l.version.FindSubmatch(line); m != nil {
			if v := string(m[1]); !slices.Contains(log.Versions, v) && len(log.Versions) < 5 {
				log.Versions = append(log.Versions, v)
			}
		}
		if m := l.ran.FindSubmatch(line); m != nil {
			log.Ran, log.Of = number(m[1]), number(m[2])
		}
		if m := l.ended.FindSubmatch(line); m != nil {
			log.Ended, log.Passed, log.Failed = string(m[1]), number(m[2]), number(m[3])
		}
	})
	return log
}

func number(digits []byte) int {
	n, _ := strconv.Atoi(string(digits)) // digits only, at most nine
	return n
}

func eachLogLine(data []byte, use func(logLines, []byte)) {
	lines := newLogLines()
	for line := range bytes.Lines(data) {
		if len(line) > longestLine {
			continue
		}
		use(lines, lines.colour.ReplaceAll(bytes.TrimRight(line, "\r\n"), nil))
	}
}

// redactLog keeps the summary of a run alone: logs name machines, addresses and images.
func redactLog(body []byte) ([]byte, error) {
	log := readLog(body)
	var b bytes.Buffer
	fmt.Fprintln(&b, "Only what was read of this log is kept:")
	for _, v := range log.Versions {
		fmt.Fprintf(&b, "kube-apiserver version: %s\n", v)
	}
	if log.Of > 0 || log.Ran > 0 {
		fmt.Fprintf(&b, "Ran %d of %d Specs in a time not kept\n", log.Ran, log.Of)
	}
	if log.Ended != "" {
		fmt.Fprintf(&b, "%s! -- %d Passed | %d Failed\n", log.Ended, log.Passed, log.Failed)
	}
	return b.Bytes(), nil
}
