package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/bundle"
	"github.com/pegel-audit/pegel/audit/conformance"
	"github.com/pegel-audit/pegel/audit/declaration"
	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// AssessOptions say by which rules a bundle is judged. The zero value takes policy and scopes from the bundle.
type AssessOptions struct {
	// Policy is the policy to judge by (PolicyChoice.Asked). Empty: the policy in the bundle, if it is the one built into this
	// program or signed. Who hands over a bundle must not choose the rules unnoticed.
	Policy        string
	Policies      []string // directories of signed policies
	PolicySigners string   // file of keys that may sign policies
	Scopes        []string // instead of those recorded
	// Acceptances are what reviewers say about declarations; Reviewers lists who may, in the form of allowed_signers(5). Both come
	// from whoever judges, never from the stack.
	Acceptances []AcceptanceFile
	Reviewers   []byte
	// Waivers are files of waivers with their signatures; who may sign them stands in Reviewers.
	Waivers []WaiverFile
	// WhatIf changes what is deployed before it is judged.
	WhatIf []Replacement
	// Evidence names bundles with recorded evidence of what would run instead; for what-ifs only.
	Evidence []string
}

// dossier is the evidence of one bundle, decoded: everything that the pure half may know.
type dossier struct {
	identity audit.Digest
	blobs    int
	withheld int

	stack        stackEvidence
	inventory    sbom.Inventory
	packages     []sbom.Packages
	projects     projectsDocument
	quality      qualityDocument
	previous     *previousDocument        // nil: no last report was given
	levels       *conformance.Evidence    // nil: nothing about levels 1 and 2 was named
	declared     *declarationsDocument    // nil: the operator declares nothing
	thought      map[string]bool          // artifacts that run in a what-if only: their licence is judged as if they ran
	actual       *dossier                 // what a what-if changes: the evidence as it is in the bundle; nil: this is it
	waivers      []signedWaiver           // what somebody lives with
	declares     []declaration.Result     // what the operator says, by the day that is judged
	contradicted map[string]string        // what was measured against a declaration, by its id
	operator     *transparency.Evidence   // nil: nobody looked at public artifacts of an operator
	inside       map[string]sbom.Packages // packages by artifact id
	artifacts    map[string]sbom.Artifact // by id
	comparison   sbom.Comparison
	completeness sbom.Completeness
	driftOf      map[string][]sbom.Drift // by artifact id
	attested     map[string]attestation  // by artifact id

	doubtful map[string]bool             // artifacts that only a weak match led to a project
	assigned map[string]bool             // artifacts that the operator's word led to a project
	evidence map[string]scoring.Evidence // by project id
	policy   *policies.Policy
	chosen   chosenPolicy // the same, with where it comes from
	profiles policies.Profiles
	judge    sbom.Judge
	placing  *placing // where the evidence lies in the bundle

	regions []regionDocument // none: the stack is judged as one
	region  string           // of which this is the evidence; empty: of the whole stack
}

// Assess decides a bundle: no network, no clock, nothing but the files of the bundle and, if asked, a policy directory.
// The same bundle and policy give the same report, byte for byte.
func Assess(dir string, opt AssessOptions) (reports.Report, error) {
	d, err := readDossier(dir, opt)
	if err != nil {
		return reports.Report{}, err
	}
	scopes := d.stack.Scopes
	if len(opt.Scopes) > 0 {
		scopes = opt.Scopes
	}
	for _, s := range scopes {
		if _, ok := d.policy.Scope(s); !ok {
			return reports.Report{}, usagef("known scopes: "+strings.Join(d.policy.ScopeIDs(), ", "), "evaluating bundle %q: unknown scope %q", dir, s)
		}
	}
	if len(opt.WhatIf) == 0 {
		_, report, err := d.decide(dir, scopes)
		return report, err
	}
	before, _, err := d.decide(dir, scopes)
	if err != nil {
		return reports.Report{}, err
	}
	thought, err := d.replaced(opt.WhatIf, opt.Evidence)
	if err != nil {
		return reports.Report{}, err
	}
	after, report, err := thought.decide(dir, scopes)
	if err != nil {
		return reports.Report{}, err
	}
	report.WhatIf = whatIf(opt.WhatIf, before, after, func(f audit.Finding) string {
		q, _ := d.policy.Requirement(f.Requirement)
		return q.Title["en"]
	})
	return report, nil
}

// decide applies the policy to the evidence.
func (d *dossier) decide(dir string, scopes []string) (policies.Result, reports.Report, error) {
	scores, seen := d.scores(), d.operatorResults()
	result, err := d.policy.Evaluate(policies.Input{
		Subjects: d.judged(scores, seen), Regions: d.regionNames(), Scopes: scopes, Profile: d.profiles.Main(), AssessedAt: d.stack.AssessedAt, Previous: d.before(), Waivers: waiversOf(d.waivers),
		ReleaseWithoutOperator: d.stack.Subject.Kind == "release", Explain: true,
	})
	if err != nil {
		return policies.Result{}, reports.Report{}, fmt.Errorf("evaluating bundle %q: %w", dir, err)
	}
	return result, d.report(scopes, scores, seen, result), nil
}

// readDossier opens a bundle and decodes what it holds. A blob that does not match its digest is an integrity error that
// names the blob.
func readDossier(dir string, opt AssessOptions) (*dossier, error) {
	d, err := openDossier(dir, opt)
	if err == nil && d.operator != nil && d.inventory.Schema == "" && d.projects.Schema == "" {
		return nil, usagef(fmt.Sprintf("pegel transparency %s shows it again; pegel audit writes bundles that decide levels", dir),
			"reading bundle %q: it holds only what was seen of the operator, nothing of what is deployed", dir)
	}
	if err == nil && (d.inventory.Schema == "" || d.projects.Schema == "") {
		return nil, usagef("pegel audit and pegel collect write complete bundles; what was seen of an operator alone is judged again by pegel transparency "+dir, "reading bundle %q: it holds no inventory or projects document", dir)
	}
	return d, err
}

// openDossier is readDossier for bundles that may hold what was seen of an operator alone.
func openDossier(dir string, opt AssessOptions) (*dossier, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, usagef("a bundle is the directory that pegel audit or pegel collect wrote", "reading bundle %q: no such directory", dir)
	}
	problems, err := bundle.Verify(dir)
	if err == nil && len(problems) > 0 {
		err = &bundle.IntegrityError{Problem: problems[0]}
	}
	if err != nil {
		return nil, bundleError("reading", dir, err)
	}
	b, err := bundle.Open(dir)
	if err != nil {
		return nil, bundleError("reading", dir, err)
	}
	d := &dossier{identity: b.Identity(), evidence: map[string]scoring.Evidence{}}
	d.placing = newPlacing(b)
	var files []policies.File
	for _, entry := range b.Evidence().Blobs {
		d.blobs++
		if entry.Withheld != "" {
			d.withheld++
			continue
		}
		data, err := b.Read(entry.Digest)
		if err != nil {
			return nil, fmt.Errorf("reading bundle %q: %w", dir, err)
		}
		if entry.Kind == "policy" {
			files = append(files, policies.File{Name: entry.Name, Data: data})
			continue
		}
		if err := d.decode(entry.Kind, data); err != nil {
			return nil, usagef("the bundle was written by another version of Pegel, or made up; collect it again",
				"reading bundle %q: %s %q: %w", dir, entry.Kind, entry.Name, err)
		}
	}
	if d.stack.Schema == "" {
		return nil, usagef("pegel collect writes complete bundles", "reading bundle %q: it holds no stack document", dir)
	}
	if d.judge, err = sbom.CuratedJudge(d.stack.AssessedAt); err != nil {
		return nil, err
	}
	for id, e := range d.evidence {
		d.evidence[id] = e.Fresh(d.stack.AssessedAt)
	}
	d.index()
	d.compare()
	if err := d.load(files, opt); err != nil {
		return nil, err
	}
	if err := d.waive(opt); err != nil {
		return nil, err
	}
	if err := d.declare(opt); err != nil {
		return nil, fmt.Errorf("reading bundle %q: %w", dir, err)
	}
	return d, nil
}

func (d *dossier) index() {
	d.inside, d.artifacts, d.doubtful = map[string]sbom.Packages{}, map[string]sbom.Artifact{}, map[string]bool{}
	d.assigned = map[string]bool{}
	sure := map[string]bool{}
	for _, p := range d.projects.Products {
		sure[p.Artifact] = sure[p.Artifact] || p.Confidence != upstream.Low && !p.Assigned
		d.doubtful[p.Artifact] = d.doubtful[p.Artifact] || p.Confidence == upstream.Low
		d.assigned[p.Artifact] = d.assigned[p.Artifact] || p.Assigned
	}
	for id := range sure {
		d.doubtful[id] = d.doubtful[id] && !sure[id] && !d.assigned[id]
	}
	for _, p := range d.packages {
		d.inside[p.Artifact] = p
	}
	for _, a := range d.inventory.Artifacts {
		d.artifacts[a.ID] = a
	}
}

func (d *dossier) decode(kind string, data []byte) error {
	switch kind {
	case "stack":
		return decodeStrict(data, &d.stack)
	case "inventory":
		return decodeStrict(data, &d.inventory)
	case "region":
		var r regionDocument
		err := decodeStrict(data, &r)
		d.regions = append(d.regions, r)
		return err
	case "projects":
		return decodeStrict(data, &d.projects)
	case "sbom-quality":
		return decodeStrict(data, &d.quality)
	case "previous":
		d.previous = &previousDocument{}
		return decodeStrict(data, d.previous)
	case "conformance":
		d.levels = &conformance.Evidence{}
		return decodeStrict(data, d.levels)
	case "declaration":
		d.declared = &declarationsDocument{}
		return decodeStrict(data, d.declared)
	case "transparency":
		d.operator = &transparency.Evidence{}
		return decodeStrict(data, d.operator)
	case "packages":
		var p sbom.Packages
		err := decodeStrict(data, &p)
		d.packages = append(d.packages, p)
		return err
	case "project-evidence":
		var e scoring.Evidence
		err := decodeStrict(data, &e)
		d.evidence[e.Project] = e
		return err
	}
	return nil // raw bytes and SBOMs are evidence for people; what decides is in the documents above
}

// bundleError sorts what can be wrong with a bundle: no bundle at all is wrong usage, the rest stays as it is.
func bundleError(doing, dir string, err error) error {
	if errors.Is(err, bundle.ErrNoBundle) || errors.Is(err, fs.ErrNotExist) {
		return usagef("a bundle is the directory that pegel audit or pegel collect wrote", "%s bundle %q: no bundle is there", doing, dir)
	}
	return fmt.Errorf("%s bundle %q: %w", doing, dir, err)
}

// load takes the policy that was asked for, else the one from the bundle.
func (d *dossier) load(files []policies.File, opt AssessOptions) error {
	if len(files) == 0 {
		files = []policies.File{} // a bundle without rules is judged by none that it brings
	}
	chosen, err := PolicyChoice{Asked: opt.Policy, Dirs: opt.Policies, Signers: opt.PolicySigners, At: d.stack.AssessedAt}.choose(files)
	if err != nil {
		return err
	}
	d.policy, d.profiles, d.chosen = chosen.Policy, chosen.Profiles(), chosen
	return nil
}

// decodeStrict reads JSON of our own forms: unknown keys and anything after the value are errors.
func decodeStrict(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return fmt.Errorf("something follows the document")
	}
	return nil
}

// Summary is what a check of every digest found.
type Summary struct {
	Identity audit.Digest
	Blobs    int
	Withheld int
	Problems []string
}

// Verify checks every byte of a bundle against its digests.
func Verify(dir string) (Summary, error) {
	if _, err := os.Stat(dir); err != nil {
		return Summary{}, usagef("a bundle is the directory that pegel audit or pegel collect wrote", "verifying bundle %q: no such directory", dir)
	}
	problems, err := bundle.Verify(dir)
	if err != nil {
		return Summary{}, bundleError("verifying", dir, err)
	}
	var sum Summary
	for _, p := range problems {
		sum.Problems = append(sum.Problems, p.String())
	}
	if len(problems) > 0 {
		return sum, nil
	}
	b, err := bundle.Open(dir)
	if err != nil {
		return Summary{}, bundleError("verifying", dir, err)
	}
	sum.Identity = b.Identity()
	for _, e := range b.Evidence().Blobs {
		sum.Blobs++
		if e.Withheld != "" {
			sum.Withheld++
		}
	}
	return sum, nil
}

// Replay decides the bundle again, by the rules that it was decided by, and compares with the report stored in it.
func Replay(dir string, opt AssessOptions) (same bool, digest audit.Digest, err error) {
	report, err := Assess(dir, opt)
	if err != nil {
		return false, "", err
	}
	now, err := reports.Render("json", report, reports.Options{})
	if err != nil {
		return false, "", err
	}
	stored, err := bundle.Result(dir, "report", "report.json")
	if err != nil {
		return false, "", usagef("pegel audit stores one; pegel evaluate decides without it", "replaying bundle %q: %w", dir, err)
	}
	return bytes.Equal(now, stored), audit.DigestOf(now), nil
}
