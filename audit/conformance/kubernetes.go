package conformance

import (
	"context"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Files of a folder of cncf/k8s-conformance (instructions.md, "Contents of the PR"; the bot of kubernetes-sigs/verify-conformance,
// kodata/features/verify-conformance.feature, wants exactly these).
const (
	fileProduct = "PRODUCT.yaml"
	fileResults = "junit_01.xml"
	fileLog     = "e2e.log"
	fileReadme  = "README.md"
)

// KubernetesRun is what a folder of a CNCF conformance run says. It holds facts only; JudgeKubernetes decides.
type KubernetesRun struct {
	Folder   string  `json:"folder"`            // name of the folder, of the product there
	Version  string  `json:"version,omitempty"` // minor version of Kubernetes that was tested, e.g. v1.31; empty: nobody says
	Product  Product `json:"product"`
	Mismatch string  `json:"mismatch,omitempty"` // name asked for, where the product is another one
	// Listed says that the folder was seen in the main branch of cncf/k8s-conformance, where only accepted runs stand.
	Listed  bool     `json:"listed,omitempty"`
	Results Results  `json:"results"`
	Log     *RunLog  `json:"log,omitempty"` // nil: no e2e.log could be read
	Missing []string `json:"missing,omitempty"`
	// Problems are breaches of the form that the CNCF asks for. They decide nothing about the tests.
	Problems []string `json:"problems,omitempty"`
	// Exceptions counts the rules of tests that may fail, from the file of SCS; 0: none was named.
	Exceptions int `json:"exceptions,omitempty"`
}

// collectKubernetes reads a folder of a CNCF conformance run: an address in cncf/k8s-conformance, or a directory that was
// handed over. The logs of tests and addresses of machines in them are not kept.
func collectKubernetes(ctx context.Context, t Target, w World) Entry {
	e := Entry{Target: t}
	a := asking{ctx, w, &e}
	folder := t.place()
	if folder == "" {
		e.Trouble = &audit.Trouble{Kind: audit.TroubleNotNamed, Text: "nobody named a folder with a CNCF conformance run",
			Settle: "name the folder in cncf/k8s-conformance, or hand one over with " + fileProduct + " and " + fileResults}
		return e
	}
	run := KubernetesRun{}
	run.Folder, run.Version = folderNames(folder)
	product, trouble := a.product(folder)
	if trouble != nil {
		e.Trouble = trouble
		return e
	}
	run.Product, run.Problems = product.Product, product.problems
	run.Listed = listed(e.Seen[len(e.Seen)-1])
	if t.Subject != "" && !run.Product.Names(t.Subject) && !sameName(run.Folder, t.Subject) {
		run.Mismatch = oneLine(t.Subject)
	}
	allowed := a.tolerated(t.Config, &run)
	results, trouble := a.results(folder, allowed)
	if trouble != nil {
		e.Trouble = trouble
		return e
	}
	run.Results = results
	a.others(folder, &run)
	if run.Version == "" && run.Log != nil && len(run.Log.Versions) == 1 {
		run.Version = minor(run.Log.Versions[0])
	}
	e.Kubernetes = &run
	return e
}

func (a asking) product(folder string) (productSheet, *audit.Trouble) {
	at, err := below(folder, fileProduct)
	if err != nil {
		return productSheet{}, &audit.Trouble{Kind: audit.TroubleAddress, Text: "the address of the folder cannot be read",
			Settle: "give the address of the folder, e.g. https://github.com/cncf/k8s-conformance/tree/master/v1.36/example"}
	}
	answer, ok := a.look(audit.Request{URL: at, Limit: mostSmall, Redact: redactProduct,
		Accept: "application/yaml, text/yaml, text/x-yaml, application/x-yaml, text/plain, application/octet-stream"})
	if !ok {
		return productSheet{}, answer.Trouble
	}
	sheet, err := readProduct(answer.Body)
	if err != nil {
		return sheet, a.refuse("reading "+fileProduct, err, "fix the file; it is YAML with one field a line")
	}
	return sheet, nil
}

func (a asking) results(folder string, allowed []exception) (Results, *audit.Trouble) {
	at, _ := below(folder, fileResults)
	answer, ok := a.look(audit.Request{URL: at, Limit: mostResults, Redact: redactJUnit,
		Accept: "application/xml, text/xml, text/plain, application/octet-stream"})
	if !ok {
		return Results{}, answer.Trouble
	}
	results, err := readJUnit(answer.Body, allowed)
	if err != nil {
		return results, a.refuse("reading "+fileResults, err, "hand over the file as Sonobuoy wrote it")
	}
	return results, nil
}

// others looks for the files that the CNCF asks for beside the results. The log confirms version and result.
func (a asking) others(folder string, run *KubernetesRun) {
	at, _ := below(folder, fileLog)
	if answer, ok := a.look(audit.Request{URL: at, Limit: mostResults, Redact: redactLog,
		Accept: "text/plain, text/x-log, application/octet-stream"}); ok {
		log := readLog(answer.Body)
		run.Log = &log
	} else {
		run.Missing = append(run.Missing, fileLog)
	}
	at, _ = below(folder, fileReadme)
	if _, ok := a.look(audit.Request{URL: at, Limit: mostSmall, Accept: "text/markdown, text/plain, text/x-markdown, application/octet-stream"}); !ok {
		run.Missing = append(run.Missing, fileReadme)
	}
}

// tolerated reads the file with the tests that may fail. One that cannot be read tolerates nothing.
func (a asking) tolerated(config string, run *KubernetesRun) []exception {
	if config == "" {
		return nil
	}
	answer, ok := a.look(audit.Request{URL: raw(placeOf(config)), Limit: mostSmall,
		Accept: "application/yaml, text/yaml, text/x-yaml, application/x-yaml, text/plain, application/octet-stream"})
	if !ok {
		a.entry.Notes = append(a.entry.Notes, "the file with the tests that may fail could not be read, so none may: "+answer.Trouble.Text)
		return nil
	}
	allowed, err := readExceptions(answer.Body)
	if err != nil {
		t := a.refuse("reading the tests that may fail", err, "use the file of SCS as it is: Tests/kaas/scs-sonobuoy-config-v1.yaml")
		a.entry.Notes = append(a.entry.Notes, t.Text+"; so none may")
		return nil
	}
	run.Exceptions = len(allowed)
	return allowed
}

// listed says whether a look was one into the main branch of the repository of the CNCF.
func listed(s audit.Seen) bool {
	address := s.URL
	if s.Final != "" {
		address = s.Final
	}
	u, err := url.Parse(address)
	return err == nil && s.Handed == "" && s.Trouble == nil && u.Scheme == "https" && u.Host == "raw.githubusercontent.com" &&
		strings.HasPrefix(strings.Replace(u.Path, "/refs/heads/", "/", 1), "/cncf/k8s-conformance/master/")
}

// folderNames reads what the address of a folder says: .../v1.31/plusserver-pske.
func folderNames(address string) (folder, version string) {
	u, err := url.Parse(raw(address))
	if err != nil {
		return "", ""
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if n := len(parts); n > 1 && known(parts[n-1]) {
		parts = parts[:n-1]
	}
	if n := len(parts); n > 1 && minorVersion(parts[n-2]) {
		version = parts[n-2]
	}
	return oneLine(path.Base("/" + parts[len(parts)-1])), version
}

func minorVersion(s string) bool {
	return regexp.MustCompile(`^v1\.[0-9]{1,3}$`).MatchString(s)
}

// minor cuts a version to its minor: v1.31.7 becomes v1.31.
func minor(version string) string {
	return regexp.MustCompile(`^v1\.[0-9]{1,3}`).FindString(version)
}

// dayOf is a date in UTC.
func dayOf(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}
