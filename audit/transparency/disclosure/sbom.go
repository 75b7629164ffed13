package disclosure

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// maxExamples bounds the names of parts that are kept.
const maxExamples = 20

// sbomName is what files with an SBOM are called: by CycloneDX (bom.json, *.cdx.json), by SPDX (*.spdx, *.spdx.json), or with
// the word in their name.
var sbomName = regexp.MustCompile(`(?i)(?:(?:^|[._-])s?bom[^/]*\.(?:json|xml|spdx)|\.(?:cdx|bom)\.(?:json|xml)|\.spdx(?:\.json)?)$`)

// CollectSBOM reads the SBOM that an operator publishes: one document, a page with links to several, or a folder of a
// repository. World.CheckSBOM reads the documents.
func CollectSBOM(ctx context.Context, t transparency.Target, w transparency.World) transparency.Artifact {
	r := sbomReader{look: newLook(t, w)}
	if w.CheckSBOM == nil {
		return r.look.fail(trouble(audit.TroubleContent, "this run has nothing that reads SBOMs", "run it as a part of an audit"))
	}
	var failed *audit.Trouble
	if t.URL != "" || t.File != "" && len(t.Repositories) == 0 {
		failed = r.address(ctx, base(t))
	}
	for _, repository := range t.Repositories {
		if trouble := r.repository(ctx, repository); trouble != nil {
			failed = trouble
		}
	}
	if len(r.facts) == 0 {
		if failed == nil {
			failed = trouble(audit.TroubleContent, "no SBOM stands there", "name the document, or a page that links to it")
		}
		return r.look.fail(failed)
	}
	if failed != nil {
		r.look.note("a part could not be read: " + failed.Text)
	}
	joined := joinSBOMs(r.facts)
	r.look.out.SBOM = &joined
	return r.look.out
}

// sbomReader collects what each document says.
type sbomReader struct {
	look  *look
	facts []transparency.SBOMFacts
}

func (r *sbomReader) address(ctx context.Context, address string) *audit.Trouble {
	answer := r.look.ask(ctx, audit.Request{URL: address, Limit: sbomLimit, Redact: withoutAuthors})
	switch {
	case answer.Trouble != nil:
		return answer.Trouble
	case !looksLikeHTML(answer.Body):
		return r.document(ctx, answer.Body)
	}
	links := sbomLinks(readHTML(answer.Body), at(answer.Seen))
	if len(links) == 0 {
		return trouble(audit.TroubleContent, "the page is no SBOM and links to none", "link to the documents on it, or name one of them")
	}
	if len(links) > maxSBOMs {
		r.look.note(fmt.Sprintf("the page links to %d SBOMs; the first %d were read", len(links), maxSBOMs))
		links = links[:maxSBOMs]
	}
	var failed *audit.Trouble
	for _, to := range links {
		answer := r.look.ask(ctx, audit.Request{URL: to, Limit: sbomLimit, Redact: withoutAuthors})
		trouble := answer.Trouble
		if trouble == nil {
			trouble = r.document(ctx, answer.Body)
		}
		if trouble != nil {
			failed = trouble
		}
	}
	return failed
}

// sbomLinks are the documents that a page links to, each once, in the order of the page.
func sbomLinks(p page, address string) []string {
	var out []string
	for _, k := range p.links {
		to := resolve(address, k.href)
		if to != "" && sbomName.MatchString(path.Base(pathOf(to))) && !slices.Contains(out, to) {
			out = append(out, to)
		}
	}
	return out
}

func (r *sbomReader) document(ctx context.Context, data []byte) *audit.Trouble {
	if len(bytes.TrimSpace(data)) == 0 {
		return trouble(audit.TroubleContent, "the document is empty", "publish the SBOM")
	}
	facts, err := r.look.world.CheckSBOM(ctx, data)
	if err != nil {
		return trouble(audit.TroubleContent, clean(err.Error()), "publish CycloneDX or SPDX that pegel sbom check can read")
	}
	if facts.Components == 0 {
		return trouble(audit.TroubleContent, "the SBOM lists nothing", "publish one with its components")
	}
	r.facts = append(r.facts, facts)
	return nil
}

// repository reads the SBOMs in a folder of a git repository.
func (r *sbomReader) repository(ctx context.Context, address string) *audit.Trouble {
	if r.look.world.Open == nil {
		return trouble(audit.TroubleOffline, "the run may not read repositories", "run it with network, or give a local clone")
	}
	repository, failed := r.look.world.Open(ctx, address)
	r.look.out.Seen = append(r.look.out.Seen, audit.Seen{URL: address, At: r.look.world.At, Trouble: failed})
	if failed != nil {
		return failed
	}
	defer repository.Close()
	folder := strings.Trim(r.look.out.Path, "/")
	read := 0
	for _, f := range repository.Files {
		if !sbomName.MatchString(path.Base(f.Path)) || folder != "" && !strings.HasPrefix(f.Path, folder+"/") {
			continue
		}
		if read++; read > maxSBOMs {
			r.look.note(fmt.Sprintf("more than %d SBOMs; the others were not read", maxSBOMs))
			break
		}
		data, err := repository.Read(ctx, f.ID, sbomLimit)
		if err != nil {
			failed = trouble(audit.TroubleContent, "a document could not be read", "")
			continue
		}
		data, _ = withoutAuthors(data)
		if t := r.document(ctx, data); t != nil {
			failed = t
		}
	}
	return failed
}

// joinSBOMs puts together what several documents say. A part is named if any document names it. Where several name one part,
// the newest counts; the age of all is that of the oldest of these, and what they state of fields is what counts.
func joinSBOMs(list []transparency.SBOMFacts) transparency.SBOMFacts {
	if len(list) == 1 {
		list[0].Documents = 1
		return list[0]
	}
	counting := countingSBOMs(list)
	out := transparency.SBOMFacts{Documents: len(list), BSI: true, Deployed: list[0].Deployed}
	var formats []string
	for i, f := range list {
		out.Components += f.Components
		out.Redacted = out.Redacted || f.Redacted
		out.Hidden += f.Hidden
		if !slices.Contains(formats, f.Format) {
			formats = append(formats, f.Format)
		}
		for _, name := range f.Extra {
			if !slices.Contains(out.Extra, name) && len(out.Extra) < maxExamples {
				out.Extra = append(out.Extra, name)
			}
		}
		if !counting[i] {
			continue
		}
		if out.Created.IsZero() || f.Created.Before(out.Created) {
			out.Created = f.Created
		}
		out.BSI = out.BSI && f.BSI
		if f.Unmeasured != "" {
			out.Unmeasured = f.Unmeasured
		}
		for _, open := range f.Open {
			if !slices.Contains(out.Open, open) && len(out.Open) < maxExamples {
				out.Open = append(out.Open, open)
			}
		}
	}
	slices.Sort(formats)
	out.Format = strings.Join(formats, ", ")
	for i := range list[0].Parts {
		part := list[0].Parts[i]
		for _, f := range list[1:] {
			if i < len(f.Parts) {
				part.Named, part.Unsure = part.Named || f.Parts[i].Named, part.Unsure || f.Parts[i].Unsure
			}
		}
		out.Parts = append(out.Parts, part)
		switch {
		case part.Named:
			out.Named++
		case part.Unsure:
			out.Unsure++
			fallthrough
		default:
			if len(out.Missing) < maxExamples {
				out.Missing = append(out.Missing, part.Name)
			}
		}
	}
	return out
}

// countingSBOMs says which documents are the newest to name some deployed part; all, if none names any.
func countingSBOMs(list []transparency.SBOMFacts) []bool {
	out := make([]bool, len(list))
	found := false
	for part := range list[0].Parts {
		newest, when := -1, time.Time{}
		for i, f := range list {
			if part < len(f.Parts) && f.Parts[part].Named && (newest < 0 || f.Created.After(when)) {
				newest, when = i, f.Created
			}
		}
		if newest >= 0 {
			out[newest], found = true, true
		}
	}
	if !found {
		for i := range out {
			out[i] = true
		}
	}
	return out
}
