package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/signature"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

// WaiverFile is a file of waivers with its signature (SSHSIG, armoured).
type WaiverFile struct {
	Name      string
	Data      []byte
	Signature []byte // empty: it is not signed, and counts for nothing
}

// maxWaiverFile bounds a file of waivers and its signature.
const maxWaiverFile = 1 << 20

// ReadWaivers reads a file of waivers and, beside it, its signature: NAME.sig.
func ReadWaivers(name string) (WaiverFile, error) {
	data, err := readBounded(name, maxWaiverFile)
	if err != nil {
		return WaiverFile{}, usagef("docs/waivers.md shows such a file", "reading waivers %q: %w", name, plainPath(name, err))
	}
	sig, err := readBounded(name+".sig", maxWaiverFile)
	if err != nil && !os.IsNotExist(err) {
		return WaiverFile{}, usagef("sign it with ssh-keygen -Y sign -n "+policies.WaiverNamespace, "reading signature %q: %w", name+".sig", plainPath(name, err))
	}
	return WaiverFile{Name: name, Data: data, Signature: sig}, nil
}

// signedWaiver is a waiver with what became of its signature.
type signedWaiver struct {
	policies.Waiver
	file audit.Digest
	void string // why the signature does not hold
}

// waive reads the waivers that whoever judges gives. A signature that does not hold is none, and the report says why.
func (d *dossier) waive(opt AssessOptions) error {
	for _, f := range opt.Waivers {
		list, err := policies.ParseWaivers(filepath.Base(f.Name), f.Data)
		if err != nil {
			return &UsageError{Err: fmt.Errorf("reading waivers: %w", err), Hint: "docs/waivers.md shows such a file"}
		}
		key, void := d.waiverKey(f, opt.Reviewers)
		for _, w := range list {
			w.Key = key
			d.waivers = append(d.waivers, signedWaiver{w, audit.DigestOf(f.Data), void})
		}
	}
	return nil
}

// waiverKey returns the fingerprint of the key that signed the file, or why the signature does not hold.
func (d *dossier) waiverKey(f WaiverFile, allowed []byte) (key, void string) {
	if len(f.Signature) == 0 {
		return "", "it is not signed"
	}
	signer, err := signature.Verify(f.Data, f.Signature, allowed, "", policies.WaiverNamespace, d.stack.AssessedAt)
	switch {
	case errors.Is(err, signature.ErrTampered):
		return "", "its signature does not fit: the file was changed after it was signed"
	case errors.Is(err, signature.ErrSigner):
		return "", "its signer is not among those who may waive on that day and for " + policies.WaiverNamespace
	case err != nil:
		return "", "its signature cannot be read"
	}
	return signer.KeyFingerprint, ""
}

func waiversOf(list []signedWaiver) []policies.Waiver {
	out := make([]policies.Waiver, len(list))
	for i, w := range list {
		out[i] = w.Waiver
	}
	return out
}

// waiverRows shows every waiver that was given, with the finding that it is about or why it changes nothing.
func (d *dossier) waiverRows(result policies.Result) []reports.Waiver {
	var out []reports.Waiver
	for _, w := range d.waivers {
		row := reports.Waiver{Requirement: w.Requirement, Subject: w.Subject, By: w.By, Reason: w.Reason, From: w.From, Until: w.Until, Key: w.Key, File: w.file}
		for _, u := range result.Unused {
			if u.Waiver == w.Waiver {
				row.Unused = cmp.Or(w.void, u.Why)
			}
		}
		at := slices.IndexFunc(result.Findings, func(f audit.Finding) bool {
			return f.Waived != nil && f.Requirement == w.Requirement && f.Subject.ID == w.Subject
		})
		if row.Unused == "" && at >= 0 {
			row.Finding = result.Findings[at].ID
		}
		out = append(out, row)
	}
	slices.SortStableFunc(out, func(a, b reports.Waiver) int {
		return cmp.Or(cmp.Compare(a.Requirement, b.Requirement), cmp.Compare(a.Subject, b.Subject), b.Until.Compare(a.Until))
	})
	return out
}

// worklist is the way to the next level, layer by layer.
func (d *dossier) worklist(result policies.Result) []reports.Outlook {
	var out []reports.Outlook
	for _, o := range d.policy.Outlook(result, d.stack.AssessedAt) {
		out = append(out, reports.Outlook{
			Layer: o.Layer, Reached: o.Reached, Next: o.Next, Own: o.Own, OwnOpen: o.OwnOpen, Tasks: d.tasks(o.Tasks), Remains: d.tasks(o.Remains),
		})
	}
	return out
}

func (d *dossier) tasks(list []policies.Task) []reports.Task {
	out := make([]reports.Task, len(list))
	for i, t := range list {
		q, _ := d.policy.Requirement(t.Requirement)
		out[i] = reports.Task{
			Requirement: t.Requirement, Title: q.Title["en"], Kind: t.Kind, Owner: t.Owner, Scopes: t.Scopes, Findings: t.Findings, Count: t.Count,
			Remedy: q.Remedy["en"], Settle: t.Settle,
		}
	}
	return out
}
