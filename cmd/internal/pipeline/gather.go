package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/bundle"
	"github.com/pegel-audit/pegel/audit/conformance"
	"github.com/pegel-audit/pegel/audit/declaration"
	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/cmd/internal/answers"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/sbom"
	"github.com/pegel-audit/pegel/sbom/copyright"
	"github.com/pegel-audit/pegel/sbom/source"
	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/gitlog"
	"github.com/pegel-audit/pegel/scoring/upstream"
)

// gatherer holds what the stages left of the wall share during one run.
type gatherer struct {
	stack        Stack
	opt          Options
	at           time.Time
	policy       *policies.Policy
	catalogue    *upstream.Catalogue
	sources      []sbom.Source
	regionOf     []string       // of each source; empty: it counts for every region
	regions      []sbom.Region  // what each region shows; none: the stack has no regions
	renamed      map[string]own // hosts of regions, by the id that they have here
	apart        []regionDocument
	contents     contentSources // which region the contents of an artifact come from
	network      source.Network
	client       *http.Client      // guarded; nil: the run is offline
	places       []copyright.Place // whom to ask about licences
	shownBy      map[string][]int  // which sources showed an artifact, as places in sources, by the id that each gave it
	silent       []int             // sources that list nothing of their own and may have contents for others, e.g. registries
	keep         audit.Keep
	scanner      *lazyScanner         // shared by several calls of packages; nil: each makes its own
	foreign      foreignChecks        // of SBOMs by others that artifacts were read from
	licensed     licenceSources       // what came of asking about licences
	asking       *answers.Transport   // shared by the collectors; nil until one asks
	git          *gitlog.Collector    // nil until somebody needs a clone
	library      library              // registries that are read from git
	histories    library              // of projects, for those who ask about tags and commits
	closers      []func() error       // of collectors
	lookups      []upstream.Lookup    // what indexes said about packages that nothing else leads to a repository
	journal      *journal             // of an interrupted run; nil: none is kept
	collected    []scoring.Evidence   // what the collectors found
	said         upstream.Corrections // about projects, by maintainers and users
	previous     *previousDocument    // of the last report; nil: none was given
	operatorAt   []operatorTarget     // public artifacts of the operator to look at
	declares     *declaration.File    // what the operator says; nil: nothing
	declaresText []byte
	stated       *declarationsDocument
	levelAt      []levelTarget          // what shows levels 1 and 2
	seen         *transparency.Evidence // of the operator; nil: nobody looked
	held         *conformance.Evidence  // about levels 1 and 2; nil: nothing was named

	unmatchedRules []unread // assign entries that match nothing
}

// Gather reads everything that the stack file names, in this order: inventory, packages, licences, SBOMs, projects, evidence; and
// writes it to a bundle. Trouble with one source, image or project is written down and the rest goes on; an error means
// that the bundle could not be written or that the input is wrong (*UsageError). It returns the bundle's identity.
func Gather(ctx context.Context, stack Stack, opt Options) (audit.Digest, error) {
	g, err := prepare(stack, opt)
	if err != nil {
		return "", err
	}
	return g.gather(ctx)
}

func (g *gatherer) gather(ctx context.Context) (audit.Digest, error) {
	recorded, err := g.recorded(ctx)
	if err != nil {
		return "", err
	}
	g.resume()
	w, err := bundle.Create(g.opt.Bundle, g.at)
	if err != nil {
		return "", &UsageError{Err: err, Hint: "name an empty directory, a new one, or an earlier bundle with --bundle"}
	}
	g.keep = w.Keep()
	if g.journal != nil {
		g.journal.add = w.AddEntry
	}
	if g.sources, err = g.decode(g.keep); err != nil {
		return "", err
	}

	inventory := g.inventory(ctx)
	packages := g.licences(ctx, g.packages(ctx, inventory), recorded)
	documents, packages, err := g.documents(inventory, packages)
	if err != nil {
		return "", err
	}
	g.lookups = g.lookUp(ctx, inventory, packages)
	projects := g.projects(inventory, packages)
	g.apart = g.regionDocuments(packages)
	evidence := g.evidence(ctx, projects.Projects, recorded)
	visitor := g.visitor()
	g.seen = g.operator(ctx, visitor, inventory, packages, projects.Projects)
	g.held = g.levels(ctx, visitor)
	g.stated = g.declarations(ctx, visitor)
	projects.Projects, g.collected = atHome(projects.Projects, evidence), evidence
	for i := range g.apart {
		g.apart[i].Projects = atHome(g.apart[i].Projects, evidence)
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}

	blobs, err := g.blobs(inventory, packages, documents, projects, evidence)
	if err != nil {
		return "", err
	}
	for _, b := range blobs {
		if _, err := w.Add(b); err != nil {
			return "", err
		}
	}
	for _, e := range recorded.raw {
		if err := w.AddEntry(e, nil); err != nil {
			return "", err
		}
	}
	identity, err := w.Close()
	if err == nil {
		g.journal.done()
	}
	return identity, err
}

// resume goes on with an interrupted run of the same input, if there is one.
func (g *gatherer) resume() {
	input := digestOfJSON(struct {
		Stack                     []byte
		Scopes, Mirrors, Evidence []string
		Anew                      map[string][]string
		Files                     string
		Offline                   bool
		Affiliations              []audit.Digest
		Previous                  audit.Digest
		Declarations              []byte
	}{g.stack.Bytes, g.stack.Scopes, g.opt.Mirrors, g.opt.Evidence, g.opt.Anew, g.opt.Files, g.opt.Offline, g.affiliationFiles(), g.previous.digest(), g.declaresText})
	fixed := !g.opt.At.IsZero() || g.stack.At != ""
	g.journal = openJournal(g.opt.Bundle, journalRun{Tool: g.opt.Version, Input: input, At: g.at}, fixed, g.opt.Now)
	if g.journal != nil {
		g.at = g.journal.run.At
	}
}

// affiliationFiles returns the digests of the files that say who works for whom: facts were drawn from what they said then.
// One that cannot be read has none, and is an error where it is used.
func (g *gatherer) affiliationFiles() []audit.Digest {
	var out []audit.Digest
	for _, list := range g.stack.Collect.Affiliations {
		sum := sha256.New()
		f, err := os.Open(relativeTo(g.stack.Dir, list.File))
		if err == nil {
			_, err = io.Copy(sum, f)
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			out = append(out, "")
			continue
		}
		out = append(out, audit.Digest("sha256:"+hex.EncodeToString(sum.Sum(nil))))
	}
	return out
}

// prepare checks everything that can be wrong with the input before anything is read or written.
func prepare(stack Stack, opt Options) (*gatherer, error) {
	at, err := opt.assessedAt(stack)
	if err != nil {
		return nil, usagef("", "reading stack %q: %w", stack.Name, err)
	}
	if at.After(opt.Now) {
		return nil, usagef("nobody has seen that day yet; leave at: out to judge the present", "reading stack %q: %s lies in the future", stack.Name, at.Format(time.DateOnly))
	}
	if err := checkMirrors(opt.Mirrors); err != nil {
		return nil, err
	}
	if len(opt.Scopes) > 0 {
		stack.Scopes = opt.Scopes
	}
	chosen, err := PolicyChoice{Asked: opt.Policy, Dirs: opt.Policies, Signers: opt.PolicySigners, At: at}.choose(nil)
	if err != nil {
		return nil, err
	}
	policy := chosen.Policy
	for _, scope := range stack.Scopes {
		if _, ok := policy.Scope(scope); !ok {
			return nil, usagef("known scopes: "+strings.Join(policy.ScopeIDs(), ", "), "reading stack %q: unknown scope %q", stack.Name, scope)
		}
	}
	catalogue, err := upstream.Load()
	if err != nil {
		return nil, fmt.Errorf("loading the built-in catalogue: %w", err)
	}
	for i, a := range stack.Assign {
		if _, ok := catalogue.Get(a.Upstream); a.Upstream != "" && !ok {
			return nil, usagef("pegel knows the ids in scoring/upstream/catalogue.yaml", "reading stack %q: assign entry %d: unknown upstream %q", stack.Name, i+1, a.Upstream)
		}
	}
	if err := knownMitigations(stack.Mitigations, catalogue); err != nil {
		return nil, usagef("pegel knows the ids in scoring/upstream/catalogue.yaml", "reading stack %q: %w", stack.Name, err)
	}
	if err := checkAnew(opt.Anew, catalogue); err != nil {
		return nil, err
	}
	said, err := corrections(catalogue, opt.Corrections, opt.Now)
	if err != nil {
		return nil, err
	}
	previous, err := readPrevious(stack, at, policy)
	if err != nil {
		return nil, err
	}
	g := &gatherer{stack: stack, opt: opt, at: at, policy: policy, catalogue: catalogue, said: said, previous: previous}
	if g.operatorAt, err = stack.operatorTargets(); err != nil {
		return nil, usagef("docs/transparency.md lists the kinds of artifacts and what each entry takes", "reading stack %q: %w", stack.Name, err)
	}
	if g.levelAt, err = stack.levelTargets(); err != nil {
		return nil, usagef("docs/conformance.md shows what each entry takes", "reading stack %q: %w", stack.Name, err)
	}
	if err := handedOverExists(stack, g.operatorAt, g.levelAt); err != nil {
		return nil, err
	}
	if g.declares, g.declaresText, err = readDeclarations(stack); err != nil {
		return nil, err
	}
	way, err := guard(stack)
	if err != nil {
		return nil, err
	}
	g.network = network(way, opt.Offline)
	if !opt.Offline {
		g.client = way.Client()
	}
	if g.places, err = stack.Licences.places(stack.Dir, opt.Getenv); err != nil {
		return nil, usagef("docs/licence-sources.md lists the places and their words", "reading stack %q: %w", stack.Name, err)
	}
	if err := stack.Collect.check(stack.Dir); err != nil {
		return nil, &UsageError{Err: fmt.Errorf("reading stack %q: %w", stack.Name, err), Hint: collectHint(err)}
	}
	if err := stack.checkTargets(g.operatorAt, g.levelAt); err != nil {
		return nil, err
	}
	g.sources, err = g.decode(nil)
	return g, err
}

// decode reads the entries under sources:.
func (g *gatherer) decode(keep audit.Keep) ([]sbom.Source, error) {
	var out []sbom.Source
	// A public release consists of public files; an operator's files may hold what is nobody's business.
	public := g.stack.Subject.Kind == "release" && g.stack.Subject.Exposure == "public"
	entries, regionOf := g.stack.sourceEntries()
	g.regionOf = regionOf
	for _, entry := range entries {
		s, err := source.Decode(entry, g.stack.Dir, source.Options{
			Keep: keep, Measure: measureBytes, At: g.at, PublishInput: public, Network: g.network, TempDir: g.opt.TempDir, Getenv: g.opt.Getenv,
		})
		if err != nil {
			return nil, usagef("", "reading stack %q: %w", g.stack.Name, err)
		}
		out = append(out, s)
	}
	return out, nil
}

// blobs turns what was gathered into the documents of the bundle.
func (g *gatherer) blobs(inv sbom.Inventory, pkgs []sbom.Packages, docs []Document, projects projectsDocument, evidence []scoring.Evidence) ([]audit.Blob, error) {
	var blobs []audit.Blob
	add := func(kind, name string, v any) error {
		data, err := canonical(v)
		if err != nil {
			return err
		}
		blobs = append(blobs, audit.Blob{Kind: kind, Name: name, MediaType: "application/vnd.pegel." + kind + ".v1+json", Data: data})
		return nil
	}
	for i, rule := range g.stack.Assign {
		if !g.matchesAny(rule, inv) {
			reason := fmt.Sprintf("the pattern %q matches no artifact", rule.Match)
			g.unmatchedRules = append(g.unmatchedRules, unread{fmt.Sprintf("assign, entry %d", i+1), reason, "pegel inventory lists the names"})
		}
	}
	stack := stackEvidence{
		Schema: stackEvidenceSchema, AssessedAt: g.at, Tool: g.opt.Version, Subject: g.stack.Subject, Scopes: g.stack.Scopes,
		Assign: g.stack.Assign, Mitigations: g.stack.Mitigations, Offline: g.opt.Offline, Licences: g.licensed,
		Unread: slices.Concat(g.unmatchedRules, unusedMitigations(g.stack.Mitigations, projects.Projects), takenWords(evidence)),
	}
	for _, d := range docs {
		blobs = append(blobs, audit.Blob{Kind: "sbom", Name: d.FileName, MediaType: "application/vnd.cyclonedx+json", Data: d.Data})
		if d.Artifact == "" {
			stack.StackBOM = audit.DigestOf(d.Data)
		}
	}
	errs := []error{add("stack", "stack.json", stack), add("inventory", "inventory.json", inv), add("projects", "projects.json", projects),
		add("sbom-quality", "sbom-quality.json", g.quality(docs))}
	if g.seen != nil {
		errs = append(errs, add("transparency", "transparency.json", g.seen))
	}
	if g.held != nil {
		errs = append(errs, add("conformance", "conformance.json", g.held))
	}
	if g.stated != nil {
		errs = append(errs, add("declaration", "declarations.json", g.stated))
	}
	for _, r := range g.apart {
		errs = append(errs, add("region", "regions/"+r.Name+".json", r))
	}
	if g.previous != nil {
		errs = append(errs, add("previous", "previous.json", g.previous))
	}
	for _, p := range pkgs {
		errs = append(errs, add("packages", p.Artifact, p))
	}
	for _, e := range evidence {
		errs = append(errs, add("project-evidence", e.Project, e))
	}
	for _, f := range g.policy.Files() {
		blobs = append(blobs, audit.Blob{Kind: "policy", Name: f.Name, MediaType: "application/yaml", Data: f.Data})
	}
	return blobs, errors.Join(errs...)
}

func checkMirrors(dirs []string) error {
	for _, dir := range dirs {
		if !isDirectory(dir) {
			return usagef("name a directory with local clones", "flag --mirror: %q is no directory", dir)
		}
	}
	return nil
}

// checkAnew refuses projects that nobody knows: a slip would leave old facts in force unnoticed.
func checkAnew(again map[string][]string, catalogue *upstream.Catalogue) error {
	for _, id := range slices.Sorted(maps.Keys(again)) {
		if _, ok := catalogue.Get(id); id != "" && !ok {
			return usagef("ids are short names such as keystone; a report names them", "flag --anew: the catalogue does not know %q", id)
		}
	}
	return nil
}

// takenWords says for how many projects facts come from a recording, and that whoever made it is believed.
func takenWords(evidence []scoring.Evidence) []unread {
	projects := map[scoring.Taken]map[string]bool{}
	for _, e := range evidence {
		for _, t := range e.Taken {
			if projects[t] == nil {
				projects[t] = map[string]bool{}
			}
			projects[t][e.Project] = true
		}
	}
	var out []unread
	for t, of := range projects {
		who := "nobody signed it"
		if t.Signer != "" {
			who = "signed by " + t.Signer
		}
		out = append(out, unread{
			What:   "recorded evidence of " + t.RecordedAt.Format(time.DateOnly),
			Reason: fmt.Sprintf("facts about %d projects were taken from the recording %s; %s", len(of), t.Bundle, who),
			Settle: "collect them anew, with --anew PROJECT, or trust who made the recording",
		})
	}
	slices.SortFunc(out, func(a, b unread) int { return strings.Compare(a.What+a.Reason, b.What+b.Reason) })
	return out
}
