package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/signature"
	"github.com/pegel-audit/pegel/policies"
)

// ErrSignature says that a policy carries a signature that does not hold.
var ErrSignature = errors.New("the signature of the policy does not hold")

// PolicyNamespace is what signatures of policies are made for; PolicySignature is the file that holds one, beside policy.yaml.
// It signs the list that the digest of the policy is taken of (policies.FileList).
const (
	PolicyNamespace = "pegel-policy"
	PolicySignature = "policy.sig"
)

// PolicyGiven is the origin of a policy that is not the one built in: whoever ran the program chose it.
const PolicyGiven = "given"

// PolicyChoice says which policy counts.
type PolicyChoice struct {
	// Asked is a policy directory or its policy.yaml; ID@sha256:DIGEST or sha256:DIGEST, which accept nothing else; the ID of
	// the built-in policy or of a signed one in Dirs; or "built-in". Empty: the policy in the bundle, if it is built in, or
	// signed and found in Dirs.
	Asked   string
	Dirs    []string // directories of signed policies: each holds policy directories, or is one
	Signers string   // file of keys that may sign policies, as ssh-keygen reads it; empty: none
	// At is the day on which keys have to be valid.
	At time.Time
}

// chosenPolicy is a policy with what readers have to know about where it comes from.
type chosenPolicy struct {
	*policies.Policy
	origin string // "" or PolicyGiven
	signer string // fingerprint of the key; empty: nobody whose key was named signed it
}

var pinForm = regexp.MustCompile(`^(?:([a-z][a-z0-9-]*)@)?(sha256:[0-9a-f]{64})$`)
var idForm = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// choose finds the policy that was asked for. Carried are the files of the policy in a bundle, empty if it brings none; nil:
// there is no bundle.
func (c PolicyChoice) choose(carried []policies.File) (chosenPolicy, error) {
	builtin, err := policies.Default()
	if err != nil {
		return chosenPolicy{}, fmt.Errorf("loading the built-in policy: %w", err)
	}
	f := &policyFinder{choice: c, builtin: builtin}
	if carried != nil {
		if f.carried, err = policies.FromFiles(carried); err != nil && c.Asked == "" {
			return chosenPolicy{}, usagef("pegel policy lint names every problem", "loading the policy: %w", err)
		}
	}
	return f.find()
}

type policyFinder struct {
	choice  PolicyChoice
	builtin *policies.Policy
	carried *policies.Policy // nil: there is none that can be read
}

func (f *policyFinder) find() (chosenPolicy, error) {
	asked := f.choice.Asked
	pin := pinForm.FindStringSubmatch(asked)
	_, statErr := os.Stat(asked)
	switch {
	case asked == "" && f.carried == nil, asked == BuiltIn:
		return chosenPolicy{Policy: f.builtin}, nil
	case asked == "":
		return f.unasked()
	case pin != nil:
		return f.pinned(pin[1], audit.Digest(pin[2]))
	case strings.Contains(asked, "sha256:"):
		return chosenPolicy{}, usagef("a policy is pinned as ID@sha256:DIGEST; pegel policy list shows them", "choosing a policy: %q is no digest of 64 hexadecimal digits", asked)
	case idForm.MatchString(asked) && errors.Is(statErr, fs.ErrNotExist):
		return f.named(asked)
	case asked == f.builtin.ID():
		return chosenPolicy{}, usagef(fmt.Sprintf("write ./%s for the directory, or %s for the policy of this program", asked, BuiltIn), "choosing a policy: %q is the name of a policy and of a directory here", asked)
	}
	return f.choice.given()
}

// unasked takes the policy of the bundle if whoever judges knows it: who hands over a bundle must not choose the rules unnoticed.
func (f *policyFinder) unasked() (chosenPolicy, error) {
	if f.carried.Digest() == f.builtin.Digest() {
		return chosenPolicy{Policy: f.builtin}, nil
	}
	found, err := f.choice.configured(f.builtin)
	if err != nil {
		return chosenPolicy{}, err
	}
	for _, p := range found {
		if p.err == nil && p.Digest() == f.carried.Digest() {
			return p.chosenPolicy, nil
		}
	}
	return chosenPolicy{}, usagef(fmt.Sprintf("if you know and accept these rules, add --policy %s@%s; or judge by your own with --policy DIR", f.carried.ID(), f.carried.Digest()),
		"the bundle brings rules of its own: %s %s is not the policy of this program", f.carried.ID(), f.carried.Version())
}

// pinned takes the policy with a digest, from wherever it is: what has the digest is what was meant.
func (f *policyFinder) pinned(id string, digest audit.Digest) (chosenPolicy, error) {
	candidates := []chosenPolicy{{Policy: f.builtin}}
	found, err := f.choice.configured(f.builtin)
	if err != nil {
		return chosenPolicy{}, err
	}
	for _, p := range found {
		if p.Policy != nil && !errors.Is(p.err, ErrSignature) {
			candidates = append(candidates, p.chosenPolicy)
		}
	}
	if f.carried != nil {
		candidates = append(candidates, chosenPolicy{Policy: f.carried, origin: PolicyGiven})
	}
	for _, c := range candidates {
		if c.Digest() != digest {
			continue
		}
		if id != "" && c.ID() != id {
			return chosenPolicy{}, usagef("pegel policy list shows ids and digests", "choosing a policy: %s is the digest of %s, not of %s", digest, c.ID(), id)
		}
		return c, nil
	}
	where := "the program and the directories named by --policies"
	if f.carried != nil {
		where = "the bundle (" + string(f.carried.Digest()) + "), " + where
	}
	return chosenPolicy{}, usagef("pegel policy list shows which policies are here", "choosing a policy: none has the digest %s; looked in %s", digest, where)
}

// named takes the policy with an id: the one built in, or a signed one.
func (f *policyFinder) named(id string) (chosenPolicy, error) {
	if id == f.builtin.ID() {
		return chosenPolicy{Policy: f.builtin}, nil
	}
	found, err := f.choice.configured(f.builtin)
	if err != nil {
		return chosenPolicy{}, err
	}
	var refused error
	for _, p := range found {
		switch {
		case p.Policy == nil || p.ID() != id:
		case p.err != nil:
			refused = p.err
		default:
			return p.chosenPolicy, nil
		}
	}
	if refused != nil {
		return chosenPolicy{}, refused
	}
	return chosenPolicy{}, usagef("name a directory, or an id that pegel policy list shows", "choosing a policy: there is no policy %q and no such directory", id)
}

// given reads the policy directory that was asked for. A signature in it is checked if keys were named.
func (c PolicyChoice) given() (chosenPolicy, error) {
	dir := c.Asked
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return chosenPolicy{}, usagef("name a policy directory, ID@sha256:DIGEST, or an id that pegel policy list shows", "choosing a policy: %q is no directory", dir)
	case !info.IsDir() && filepath.Base(dir) == "policy.yaml":
		dir = filepath.Dir(dir)
	case !info.IsDir():
		return chosenPolicy{}, usagef("a policy is a directory with policy.yaml, clauses, modules, profiles and scopes", "choosing a policy: %q is no directory", dir)
	}
	p, err := c.read(dir)
	if err != nil {
		return chosenPolicy{}, err
	}
	builtin, err := policies.Default()
	if err == nil && builtin.Digest() == p.Digest() {
		p.origin = ""
	}
	return p, err
}

// read reads a policy directory and checks its signature, if there is one and keys were named.
func (c PolicyChoice) read(dir string) (chosenPolicy, error) {
	p, err := policies.Load(os.DirFS(dir))
	if err != nil {
		return chosenPolicy{}, usagef("pegel policy lint names every problem", "loading policy %q: %w", dir, err)
	}
	out := chosenPolicy{Policy: p, origin: PolicyGiven}
	armored, err := readBounded(filepath.Join(dir, PolicySignature), maxPolicySignature)
	if errors.Is(err, fs.ErrNotExist) || err == nil && c.Signers == "" {
		return out, nil
	}
	if err != nil {
		return out, usagef("", "reading the signature of policy %q: %w", dir, plainPath(PolicySignature, err))
	}
	keys, err := ReadReviewers(c.Signers)
	if err != nil {
		return out, err
	}
	signer, err := signature.Verify(policies.FileList(p.Files()), armored, keys, "", PolicyNamespace, c.At)
	if err != nil {
		return out, fmt.Errorf("checking policy %q: %w: %w", dir, ErrSignature, err)
	}
	out.signer = signer.KeyFingerprint
	return out, nil
}

// maxPolicySignature bounds policy.sig; audit/signature reads no more.
const maxPolicySignature = 64 << 10

// foundPolicy is what a configured directory holds: a policy that may be used, or why it may not.
type foundPolicy struct {
	chosenPolicy
	dir string
	err error
}

// mostPolicies bounds the policies of all configured directories.
const mostPolicies = 100

// configured lists the policies of the configured directories, sorted by place.
func (c PolicyChoice) configured(builtin *policies.Policy) ([]foundPolicy, error) {
	var out []foundPolicy
	for _, root := range c.Dirs {
		dirs, err := policyDirs(root)
		if err != nil {
			return nil, err
		}
		for _, dir := range dirs {
			if len(out) == mostPolicies {
				return nil, usagef("name fewer directories", "reading policies %q: more than %d", root, mostPolicies)
			}
			p, err := c.read(dir)
			out = append(out, foundPolicy{p, dir, err})
			if last := &out[len(out)-1]; err == nil {
				last.err = last.refused(builtin)
			}
		}
	}
	return out, nil
}

// refused says why a policy of a configured directory may not be used.
func (p foundPolicy) refused(builtin *policies.Policy) error {
	const hint = "give it by its path, with --policy DIR, if you mean it; reports will say so"
	foreign := p.Digest() != builtin.Digest()
	switch {
	case foreign && p.ID() == builtin.ID():
		return usagef(hint, "policy %q calls itself %s, as the policy of this program, and is another one", p.dir, p.ID())
	case foreign && strings.HasPrefix(p.ID(), "scs-"):
		return usagef(hint, "policy %q calls itself %s: names that begin with scs- are for SCS to give", p.dir, p.ID())
	case foreign && p.signer == "":
		return usagef(hint, "policy %q is not signed by a key that --policy-signers names", p.dir)
	}
	return nil
}

// policyDirs lists the policy directories in a directory, or the directory itself if it is one.
func policyDirs(root string) ([]string, error) {
	if _, err := os.Stat(filepath.Join(root, "policy.yaml")); err == nil {
		return []string{root}, nil
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, usagef("name a directory that holds policy directories", "reading policies %q: no such directory", root)
	}
	var out []string
	for _, e := range entries {
		dir := filepath.Join(root, e.Name())
		if _, err := os.Stat(filepath.Join(dir, "policy.yaml")); err == nil {
			out = append(out, dir)
		}
	}
	slices.Sort(out)
	return out, nil
}
