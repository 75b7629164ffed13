package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/bundle"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

// valueAt follows a JSON pointer (RFC 6901) into a document.
func valueAt(v any, pointer string) (any, error) {
	if pointer == "" {
		return v, nil
	}
	for _, step := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		switch at := v.(type) {
		case map[string]any:
			next, ok := at[step]
			if !ok {
				return nil, fmt.Errorf("%s: no key %q", pointer, step)
			}
			v = next
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil || n < 0 || n >= len(at) {
				return nil, fmt.Errorf("%s: no element %q", pointer, step)
			}
			v = at[n]
		default:
			return nil, fmt.Errorf("%s: nothing below %q", pointer, step)
		}
	}
	return v, nil
}

// shows says whether what a pointer leads to shows a fact; ok is false for facts that are made of more than one value.
func shows(g audit.Ground, v any, at time.Time) (fits, ok bool) {
	switch g.Fact {
	case "artifact.name", "artifact.kind", "artifact.reference", "artifact.version", "product.name", "product.artifact", "product.version", "product.edition",
		"project.name", "project.role", "stack.name", "stack.kind", "pkg.name", "pkg.version", "pkg.type", "pkg.section", "product.licence":
		text, isText := v.(string)
		if !isText { // not named: the whole entry, which has no such key
			return g.Value == "" || g.Value == "platform", true
		}
		return text == g.Value, true
	case "artifact.sbomBSI", "stack.sbomBSI", "product.licenceChecked":
		yes, isBool := v.(bool)
		if text, isText := v.(string); isText { // the expression that was read
			return g.Value == "true" && text != "" || g.Value == "false", true
		}
		return isBool && fmt.Sprint(yes) == g.Value, true
	case "artifact.packages":
		list, isList := v.([]any)
		return isList && strconv.Itoa(len(list)) == g.Value, true
	case "artifact.bom":
		list, isList := v.([]any)
		return isList && (len(list) > 0) == (g.Value == "true"), true
	case "artifact.pinned":
		why, isText := v.(string)
		return (isText && why != "") == (g.Value == "false"), true
	case "artifact.identified", "artifact.seen":
		list, isList := v.([]any)
		return isList && (g.Fact == "artifact.seen" || len(list) > 0) == (g.Value == "true"), true
	case "pkg.identified":
		purl, isText := v.(string)
		return (isText && strings.HasPrefix(purl, "pkg:")) == (g.Value == "true"), true
	case "pkg.licence":
		list, isList := v.([]any)
		return isList && len(list) > 0, true
	case "stack.bom":
		return strings.HasPrefix(fmt.Sprint(v), "sha256:") == (g.Value == "true"), true
	case "stack.sourcesFailed":
		list, isList := v.([]any)
		return isList == (g.Value != "0") && (!isList || strconv.Itoa(len(list)) == g.Value), true
	case "project.maintained":
		last, err := time.Parse(time.RFC3339, fmt.Sprint(v))
		return err == nil && (at.Sub(last) <= 365*24*time.Hour) == (g.Value == "true"), true
	}
	return false, false
}

// follower follows the places of a report back to the bytes of the bundle.
type follower struct {
	t       *testing.T
	b       *bundle.Bundle
	blobs   map[audit.Digest][]byte
	parsed  map[audit.Digest]any
	at      time.Time
	checked map[string]int // by fact
}

func newFollower(t *testing.T, dir string, at time.Time) follower {
	t.Helper()
	b, err := bundle.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return follower{t, b, map[audit.Digest][]byte{}, map[audit.Digest]any{}, at, map[string]int{}}
}

func (f follower) bytes(p audit.Place) []byte {
	f.t.Helper()
	if data, known := f.blobs[p.Digest]; known {
		return data
	}
	data, err := f.b.Read(p.Digest)
	if err != nil {
		f.t.Fatalf("%s %s: %v", p.Kind, p.Name, err)
	}
	f.blobs[p.Digest] = data
	return data
}

func (f follower) document(p audit.Place) any {
	f.t.Helper()
	if v, known := f.parsed[p.Digest]; known {
		return v
	}
	var v any
	if err := json.Unmarshal(f.bytes(p), &v); err != nil {
		f.t.Fatalf("%s %s: %v", p.Kind, p.Name, err)
	}
	f.parsed[p.Digest] = v
	return v
}

// follow checks every place of a ground, and of a known set of facts that the value stands there.
func (f follower) follow(id string, g audit.Ground) {
	f.t.Helper()
	for _, p := range g.Places {
		switch {
		case p.Withheld != "":
			f.checked["withheld"]++
		case p.To > 0:
			data := f.bytes(p)
			if p.From < 0 || p.From >= p.To || p.To > int64(len(data)) {
				f.t.Errorf("%s: %s: bytes %d to %d of %d", id, g.Fact, p.From, p.To, len(data))
				continue
			}
			f.line(id, g, p, string(data[p.From:p.To]))
		default:
			v, err := valueAt(f.document(p), p.Pointer)
			if err != nil {
				f.t.Errorf("%s: %s: %s %s: %v", id, g.Fact, p.Kind, p.Name, err)
				continue
			}
			f.checked["pointer"]++
			if fits, ok := shows(g, v, f.at); ok {
				f.checked[g.Fact]++
				if !fits {
					f.t.Errorf("%s: %s = %q, but %s %s%s is %.100v", id, g.Fact, g.Value, p.Kind, p.Name, p.Pointer, v)
				}
			}
		}
	}
}

// line checks that the line that an origin names holds what was read there: the version of the artifact, or the name of the image.
func (f follower) line(id string, g audit.Ground, p audit.Place, text string) {
	f.t.Helper()
	whole := p.From == 0 && p.To == int64(len(f.bytes(p)))
	f.checked["bytes"]++
	if whole || g.Fact != "artifact.reference" && g.Fact != "artifact.version" {
		return
	}
	f.checked["line"]++
	if _, digest, ok := strings.Cut(strings.TrimSpace(text), "digest: "); ok { // the line that begins the entry of an image
		if !strings.Contains(id, digest) {
			f.t.Errorf("%s: %s: the line reads %q", id, g.Fact, text)
		}
		return
	}
	want := g.Value
	if name, version, ok := strings.Cut(want, "@"); ok { // software@version
		want = version
		if strings.HasPrefix(version, "sha256:") {
			want = name
		}
	} else if g.Fact == "artifact.reference" { // registry/name:tag
		name, tag, _ := strings.Cut(want[strings.LastIndexByte(want, '/')+1:], ":")
		if want = name; tag != "" && strings.Contains(text, tag) { // a list of versions names the tag alone
			want = tag
		}
	}
	if strings.Count(text, "\n") > 1 || !strings.Contains(text, want) && !strings.Contains(text, strings.ReplaceAll(want, "-", "_")) {
		f.t.Errorf("%s: %s = %q, but the line reads %q", id, g.Fact, g.Value, text)
	}
}

// referenceBundle audits the reference example into a directory.
func referenceBundle(t *testing.T) (reports.Report, string) {
	t.Helper()
	stack, err := ReadStack("../../../examples/scs-reference/stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "b")
	r, _, err := Audit(t.Context(), stack, Options{Version: "test", Now: truthNow, Offline: true, Bundle: dir})
	if err != nil {
		t.Fatal(err)
	}
	return r, dir
}

// Promise 2: every line of a verdict leads to evidence. Each pointer and each range of bytes of the reference example is followed
// back to the bundle, and of a named set of facts the value has to stand there.
func TestEveryFactOfTheReferenceExampleLeadsToTheBytesThatShowIt(t *testing.T) {
	r, dir := referenceBundle(t)
	f := newFollower(t, dir, r.AssessedAt)
	for _, x := range r.Findings {
		for _, g := range x.Grounds {
			f.follow(x.ID, g)
			if g.Known && len(g.Places) == 0 && x.Subject.Kind != policies.KindPrerequisite {
				t.Errorf("%s: %s is known, and nothing in the bundle shows it", x.ID, g.Fact)
			}
		}
	}
	for _, fact := range []string{"pointer", "bytes", "line", "artifact.kind", "artifact.pinned", "artifact.reference", "artifact.identified", "product.version", "product.licence",
		"project.maintained", "project.role", "stack.kind", "stack.sbomBSI"} {
		if f.checked[fact] == 0 {
			t.Errorf("%s: no place was followed; followed were %v", fact, f.checked)
		}
	}
	t.Run("pegel explain shows the same", func(t *testing.T) { explainsAs(t, r, dir) })
	t.Run("a finding that is not there", func(t *testing.T) { suggests(t, r) })
}

func explainsAs(t *testing.T, r reports.Report, dir string) {
	at := slices.IndexFunc(r.Findings, func(f reports.Finding) bool { return f.ID == r.Verdicts[0].Limiting[0] })
	x, err := Explain(dir, ExplainOptions{Finding: r.Findings[at].ID, Full: true})
	if err != nil {
		t.Fatal(err)
	}
	got, want := must(reports.ExplanationJSON(x))(t), must(reports.ExplanationJSON(reports.Explain(r, at)))(t)
	if string(got) != string(want) {
		t.Errorf("%s: what is explained differs from what the report holds", x.Finding.ID)
	}
}

func suggests(t *testing.T, r reports.Report) {
	public := reports.Redact(r)
	for _, c := range []struct{ asked, want string }{
		{"produkt-licence-osi/redis@7.4.2", `did you mean "product-licence-osi/redis@7.4.2 in `},
		{"product-licence-osi/redis", "give more of it: "},
		{"redis@7.4.2 in image:library/redis:7.4.2-alpine", "give more of it: "},
		{"four-opens-sources/keystone", `did you mean "four-opens-source/keystone"`},
		{"zzz", "pegel explain BUNDLE lists"},
		{"", "pegel explain BUNDLE lists"},
	} {
		_, err := findingAt(r, public, c.asked)
		var usage *UsageError
		if !errors.As(err, &usage) || !strings.Contains(usage.Hint, c.want) {
			t.Errorf("%q: got %v, want a hint with %q", c.asked, err, c.want)
		}
	}
	for _, asked := range []string{"product-licence-osi/redis@7.4.2", "source/keystone", "four-opens-source/keystone"} {
		if at, err := findingAt(r, public, asked); err != nil || !strings.Contains(r.Findings[at].ID, asked) {
			t.Errorf("%q: %v", asked, err)
		}
	}
}

// What is inside an image leads to its entry in the list of packages; what an example stands for is shown.
func TestWhatIsInsideAnImageLeadsToItsPackage(t *testing.T) {
	dir := t.TempDir()
	text := "schema: pegel/stack/v1\nsubject: {name: s, kind: cloud}\nscopes: [scs-open-iaas]\nat: 2026-11-24\nsources:\n  - image: {ref: oci:./img, tier: functional}\n"
	image(t, filepath.Join(dir, "img"), "example/bash:5.2.15", debian("bash", "5.2.15-2"))
	stack, err := ParseStack([]byte(text), "stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	stack.Dir = dir
	out := filepath.Join(dir, "b")
	r, _, err := Audit(t.Context(), stack, Options{Version: "test", Now: truthNow, Offline: true, Bundle: out})
	if err != nil {
		t.Fatal(err)
	}
	f := newFollower(t, out, r.AssessedAt)
	folded := 0
	for _, x := range r.Findings {
		if x.Count > 0 {
			folded++
			if x.Example == nil || x.Tree == 0 || len(x.Grounds) == 0 {
				t.Errorf("%s: a folded line without an example", x.ID)
			}
		}
		for _, g := range x.Grounds {
			f.follow(x.ID, g)
		}
	}
	if folded == 0 || f.checked["pkg.identified"] == 0 || f.checked["artifact.packages"] == 0 {
		t.Errorf("%d folded lines; followed were %v", folded, f.checked)
	}
}

// What was seen of an operator leads to the document that says so.
func TestWhatWasSeenOfAnOperatorLeadsToItsDocument(t *testing.T) {
	mirror := operatorsMirror(t)
	text := operatorStack("exemplary", operatorServer(t, "exemplary").URL, othersServer(t, mirror).URL)
	stack, err := ParseStack([]byte(text), "exemplary.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "bundle")
	if _, err := Transparency(context.Background(), stack, Options{Version: "test", Now: operatorsDay, Clock: func() time.Time { return operatorsDay }, Bundle: dir, Mirrors: []string{mirror}}); err != nil {
		t.Fatal(err)
	}
	d, err := openDossier(dir, AssessOptions{})
	if err != nil {
		t.Fatal(err)
	}
	f := newFollower(t, dir, operatorsDay)
	known := 0
	for _, s := range []policies.Subject{d.operatorSubject(d.operatorResults()), d.compatibleSubject("iaas")} {
		for _, field := range policies.FieldsOf(s.Ref.Kind) {
			if slices.ContainsFunc(s.Unknown, func(u policies.UnknownField) bool { return u.Field == field }) || field == "notApplicable" || field == "scope" {
				continue
			}
			known++
			finding := audit.Finding{Subject: s.Ref, Origins: s.Origins[field], Grounds: []audit.Ground{{Fact: s.Ref.Kind + "." + field, Known: true, Declared: s.Declared[field]}}}
			for i := range finding.Origins {
				finding.Grounds[0].Origins = append(finding.Grounds[0].Origins, i)
			}
			placed := d.placed(finding)[0]
			if len(placed.Places) == 0 {
				t.Errorf("%s: nothing in the bundle shows it", placed.Fact)
			}
			f.follow(field, placed)
		}
	}
	if known < 20 || f.checked["pointer"] < 20 || f.checked["bytes"] == 0 {
		t.Errorf("%d facts, followed were %v", known, f.checked)
	}
}
