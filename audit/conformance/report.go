package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/signature"
)

// Report is what signed test reports of a subject show (standards: Tests/scs-compliance-check.py, create_report), with the
// scope that says what the results are good for.
type Report struct {
	Scope     Scope        `json:"scope"`
	ScopeFile audit.Digest `json:"scope_file"` // of the file that the scope was read from
	Subject   string       `json:"subject"`
	Signer    string       `json:"signer"`    // fingerprint of the key that signed
	Documents []RunReport  `json:"documents"` // in the order of the file
	Results   []Result     `json:"results"`   // newest of each test case, by id
}

// RunReport is one run of the tests.
type RunReport struct {
	ID        string    `json:"id"`
	CheckedAt time.Time `json:"checked_at"`
	Reference time.Time `json:"reference,omitzero"` // day whose versions were tested
	Results   int       `json:"results"`
}

const (
	maxReport    = 16 << 20 // logs of all scripts are in it
	maxSigners   = 1 << 20
	maxDocuments = 100
	// Namespace is the purpose that signatures of SCS test reports are made for (standards: compliance-monitor/monitor.py,
	// ssh_validate).
	Namespace  = "report"
	settleSign = "sign the report with ssh-keygen -Y sign -n report, with a key of the list of allowed signers"
)

// asSigned keeps a signed document as it is: another byte, and the signature could not be checked again.
func asSigned(body []byte) ([]byte, error) { return body, nil }

func collectReport(ctx context.Context, t Target, w World) Entry {
	l := &look{entry: Entry{Target: t}, ask: w.Ask}
	switch uuid, _ := scopeOf(t.Layer); {
	case uuid == "":
		return l.stop(audit.TroubleNotNamed, fmt.Sprintf("there is no SCS-compatible scope for layer %q", plain(t.Layer)), "name layer iaas or kaas")
	case t.Subject == "":
		return l.stop(audit.TroubleNotNamed, "nobody said what the cloud is called in the report", "name its subject")
	case t.Signers == "":
		return l.stop(audit.TroubleNotNamed, "nobody said whose signature counts", "name a file of allowed signers beside the report")
	case t.Scope == "":
		return l.stop(audit.TroubleNotNamed, "nobody gave the scope that the report has to be read with", "name the scope YAML beside the report, e.g. scs-compatible-iaas.yaml")
	}
	scope, ok := l.readScope(ctx, t)
	if !ok {
		return l.entry
	}
	message, signer, ok := l.readSigned(ctx, t, w.At)
	if !ok {
		return l.entry
	}
	documents, err := parseReports(message)
	if err != nil {
		return l.stop(audit.TroubleContent, "the signed report cannot be read: "+err.Error(), "send the report as scs-compliance-check.py wrote it")
	}
	return l.keepReports(t, scope, signer, documents)
}

func (l *look) readScope(ctx context.Context, t Target) (Report, bool) {
	a := l.get(ctx, audit.Request{URL: address(t.Scope), Limit: maxScope})
	if a.Trouble != nil {
		l.fail(*a.Trouble, "give the scope YAML of SCS beside the report")
		return Report{}, false
	}
	scope, err := ParseScope(a.Body)
	if err != nil {
		l.stop(audit.TroubleContent, "the scope cannot be read: "+err.Error(), "take the file from the SCS standards repository")
		return Report{}, false
	}
	if layerOf(scope.UUID) != t.Layer {
		l.stop(audit.TroubleContent, fmt.Sprintf("the scope is %s (%s), which is not SCS-compatible on layer %s", scope.Name, scope.UUID, t.Layer),
			"give the scope YAML of that layer")
		return Report{}, false
	}
	return Report{Scope: scope, ScopeFile: a.Digest, Subject: plain(t.Subject)}, true
}

// readSigned reads a report and checks its signature. The signature stands before the report, as the compliance monitor takes
// it, or in a file beside it with .sig at the end.
func (l *look) readSigned(ctx context.Context, t Target, at time.Time) (message []byte, signer string, ok bool) {
	where := t.URL
	if where == "" {
		where = address(t.File)
	}
	a := l.get(ctx, audit.Request{URL: where, Limit: maxReport, Redact: asSigned})
	if a.Trouble != nil {
		l.fail(*a.Trouble, settleSign)
		return nil, "", false
	}
	armored, message, joined := splitSigned(a.Body)
	if !joined {
		s := l.get(ctx, audit.Request{URL: where + ".sig", Limit: maxSigners, Redact: asSigned})
		if s.Trouble != nil {
			l.stop(audit.TroubleContent, "the report is not signed: it has no signature in front of it, and none beside it ("+s.Trouble.Text+")", settleSign)
			return nil, "", false
		}
		armored = s.Body
	}
	list := l.get(ctx, audit.Request{URL: address(t.Signers), Limit: maxSigners, Redact: signature.WithoutNames})
	if list.Trouble != nil {
		l.fail(*list.Trouble, "give the list in the form that ssh-keygen(1) describes under ALLOWED SIGNERS")
		return nil, "", false
	}
	who, err := signature.Verify(message, armored, list.Body, "", Namespace, at)
	switch {
	case errors.Is(err, signature.ErrTampered):
		l.stop(audit.TroubleContent, "the report was changed after it was signed, or the signature is of another report", settleSign)
	case errors.Is(err, signature.ErrSigner):
		l.stop(audit.TroubleContent, "the report is signed, but "+plain(err.Error()), settleSign)
	case err != nil:
		l.stop(audit.TroubleContent, "the signature of the report cannot be checked: "+plain(err.Error()), settleSign)
	}
	return message, who.KeyFingerprint, err == nil
}

// splitSigned cuts a signed document as the compliance monitor takes it: signature, "&", document.
func splitSigned(body []byte) (armored, message []byte, ok bool) {
	const separator = "-----END SSH SIGNATURE-----\n&"
	if !strings.HasPrefix(string(body[:min(len(body), 64)]), "-----BEGIN SSH SIGNATURE-----") {
		return nil, body, false
	}
	i := strings.Index(string(body[:min(len(body), maxSigners)]), separator)
	if i < 0 {
		return nil, body, false
	}
	i += len(separator)
	return body[:i-1], body[i:], true
}

// keepReports keeps what the documents show of the subject in the scope. A document about something else is none.
func (l *look) keepReports(t Target, report Report, signer string, documents []reportDocument) Entry {
	report.Signer = signer
	var results []Result
	var other []string
	for _, d := range documents {
		switch {
		case d.scope != report.Scope.UUID:
			other = append(other, fmt.Sprintf("report %s is about scope %s, not %s (%s)", d.run.ID, d.scopeName(), report.Scope.Name, report.Scope.UUID))
		case d.subject != t.Subject:
			other = append(other, fmt.Sprintf("report %s is about subject %q, not %q", d.run.ID, plain(d.subject), plain(t.Subject)))
		default:
			report.Documents = append(report.Documents, d.run)
			results = append(results, d.results...)
		}
	}
	if len(report.Documents) == 0 {
		return l.stop(audit.TroubleContent, strings.Join(other[:min(len(other), 3)], "; "), "send a report of this subject and scope")
	}
	for _, text := range other[:min(len(other), 10)] {
		l.note("%s: left out", text)
	}
	if slices.ContainsFunc(results, func(r Result) bool { return r.Naive }) {
		l.note("the report gives times without a time zone; they were read as UTC and may be up to a day off")
	}
	report.Results = sorted(newest(results))
	l.entry.Report = &report
	return l.entry
}
