package source

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// Limits of what is read about one image.
const (
	maxReferrers     = 20
	maxStatements    = 20 // documents in one referrer
	maxAttestation   = 64 << 20
	maxAttestedPURLs = 50_000
)

// registryReferrer is one manifest that says something about an image.
type registryReferrer struct {
	artifactType string
	ref          string            // digest or tag
	doc          *registryDocument // if it was read already
}

// referrers adds the SBOMs that the registry holds about an image, about its index or beside it: by the referrers API of
// OCI 1.1, by the tag that stands in for it, by the tags of cosign, and those that a builder put into the index.
// Signatures are not verified: what is found is somebody's statement.
func (r *registryReader) referrers(ctx context.Context, a *sbom.Artifact, f registryFound) error {
	subjects := append([]audit.Digest{f.image.digest}, a.Digests...)
	list := builderAttestations(f)
	for _, subject := range subjects {
		found, err := r.list(ctx, subject)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.fail(fmt.Sprintf("SBOMs about %s: ", subject), err)
		}
		list = append(list, found...)
	}
	slices.SortStableFunc(list, func(x, y registryReferrer) int { return cmp.Compare(x.ref, y.ref) })
	list = slices.CompactFunc(list, func(x, y registryReferrer) bool { return x.ref == y.ref })
	if len(list) > maxReferrers {
		r.fail("", refusal("", "it holds more than %d SBOMs about %s; the others were not read", maxReferrers, a.Digest))
		list = list[:maxReferrers]
	}
	for _, one := range list {
		if err := r.statements(ctx, a, one, subjects); err != nil {
			return err
		}
	}
	slices.SortFunc(r.inv.Attested, func(x, y sbom.Attested) int { return cmp.Compare(x.Origin.URL, y.Origin.URL) })
	return nil
}

// list asks for what refers to a digest.
func (r *registryReader) list(ctx context.Context, subject audit.Digest) ([]registryReferrer, error) {
	raw, _, err := r.client.document(ctx, r.repo, "referrers/"+string(subject), "application/vnd.oci.image.index.v1+json", maxDocument)
	if isAbsent(err) {
		var d registryDocument
		if d, err = r.client.manifest(ctx, r.repo, "sha256-"+subject.Hex()); err == nil {
			raw = d.raw
		}
	}
	if err != nil && !isAbsent(err) {
		return nil, err
	}
	var out []registryReferrer
	if err == nil {
		index, parseErr := v1.ParseIndexManifest(bytes.NewReader(raw))
		if parseErr != nil {
			return nil, refusal("", "the list of referrers: %s", jsonFault(parseErr))
		}
		for _, d := range index.Manifests {
			if d.MediaType.IsImage() && isSBOMType(d.ArtifactType) {
				out = append(out, registryReferrer{artifactType: d.ArtifactType, ref: d.Digest.String()})
			}
		}
	}
	cosign, err := r.cosign(ctx, subject)
	return append(out, cosign...), err
}

// cosign reads the manifests under the tags by which cosign finds statements about a digest.
func (r *registryReader) cosign(ctx context.Context, subject audit.Digest) ([]registryReferrer, error) {
	var out []registryReferrer
	for _, suffix := range []string{".att", ".sbom"} {
		tag := "sha256-" + subject.Hex() + suffix
		d, err := r.client.manifest(ctx, r.repo, tag)
		if isAbsent(err) {
			continue
		}
		if err != nil {
			return out, err
		}
		out = append(out, registryReferrer{artifactType: "cosign " + suffix, ref: tag, doc: &d})
	}
	return out, nil
}

// isAbsent reports whether a registry does not have something or does not know such a thing.
func isAbsent(err error) bool {
	var refused *registryRefusal
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.status {
	case http.StatusNotFound, http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusNotImplemented:
		return true
	}
	return false
}

// builderAttestations are the manifests that BuildKit puts beside an image into its index.
func builderAttestations(f registryFound) []registryReferrer {
	var out []registryReferrer
	for _, d := range f.others {
		if d.Annotations["vnd.docker.reference.type"] == "attestation-manifest" && d.Annotations["vnd.docker.reference.digest"] == string(f.image.digest) {
			out = append(out, registryReferrer{artifactType: "attestation-manifest", ref: d.Digest.String()})
		}
	}
	return out
}

// isSBOMType reports whether an artifact type may be an SBOM; a statement of in-toto shows it only when it is read.
func isSBOMType(text string) bool {
	return strings.Contains(text, "cyclonedx") || strings.Contains(text, "spdx") || isEnvelope(text)
}

func isEnvelope(text string) bool {
	return strings.HasPrefix(text, "application/vnd.in-toto") || strings.HasPrefix(text, "application/vnd.dsse.envelope") ||
		strings.HasPrefix(text, "application/vnd.dev.sigstore.bundle")
}

// statements reads the documents of one referrer. What is no SBOM is left out in silence, what cannot be read is a failure.
func (r *registryReader) statements(ctx context.Context, a *sbom.Artifact, one registryReferrer, subjects []audit.Digest) error {
	if one.doc == nil {
		d, err := r.client.manifest(ctx, r.repo, one.ref)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.fail(fmt.Sprintf("referrer %s of %s: ", one.ref, a.Digest), err)
			return nil
		}
		one.doc = &d
	}
	m, err := v1.ParseManifest(bytes.NewReader(one.doc.raw))
	if err != nil {
		r.fail(fmt.Sprintf("referrer %s of %s: ", one.doc.digest, a.Digest), refusal("", "%s", jsonFault(err)))
		return nil
	}
	for _, layer := range m.Layers[:min(len(m.Layers), maxStatements)] {
		if !mayBeSBOM(layer, one.artifactType) {
			continue
		}
		err := r.statement(ctx, a, one, layer, subjects)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.fail(fmt.Sprintf("referrer %s of %s: document %s: ", one.doc.digest, a.Digest, layer.Digest), err)
		}
	}
	return nil
}

// mayBeSBOM decides by media type and by what the builder says about a statement.
func mayBeSBOM(layer v1.Descriptor, artifactType string) bool {
	predicate := cmp.Or(layer.Annotations["in-toto.io/predicate-type"], layer.Annotations["predicateType"])
	media := string(layer.MediaType)
	switch {
	case isEnvelope(media):
		return predicate == "" || isSBOMPredicate(predicate)
	case strings.Contains(media, "cyclonedx") || strings.Contains(media, "spdx"):
		return true
	}
	return isSBOMType(artifactType)
}

func isSBOMPredicate(text string) bool {
	return strings.HasPrefix(text, "https://cyclonedx.org/") || strings.HasPrefix(text, "https://spdx.dev/") || strings.HasPrefix(text, "https://spdx.org/")
}

// statement reads one document, keeps it, and adds what it lists.
func (r *registryReader) statement(ctx context.Context, a *sbom.Artifact, one registryReferrer, layer v1.Descriptor, subjects []audit.Digest) error {
	data, err := r.client.small(ctx, r.repo, layer, maxAttestation)
	if err != nil {
		return err
	}
	document, err := documentIn(data, subjects)
	if err != nil || document == nil {
		return err
	}
	packages, meta, err := sbom.ReadDocument(document)
	if err != nil {
		return refusal("ask whoever made the SBOM to correct it", "%s", err)
	}
	origin := audit.Origin{Source: "image", URL: r.client.address(r.repo, "blobs/"+layer.Digest.String()), Digest: digestOf(layer.Digest), At: r.opt.At}
	if _, err := keepInput(ctx, r.opt, "SBOM about "+r.named.String(), shownMedia(string(layer.MediaType)), data, origin); err != nil {
		return fmt.Errorf("keeping it as evidence: %w", err)
	}
	a.Sightings = append(a.Sightings, sbom.Sighting{Source: "image", Where: fmt.Sprintf("referrer %s of %s", one.shown(), r.where()),
		Declared: true, State: sbom.StatePresent, Reference: a.Reference, Digest: a.Digest, Origin: origin})
	list, _ := packages.Components.Get()
	attested := sbom.Attested{Artifact: a.ID, Format: meta.Format + " " + meta.SpecVersion, Components: len(list), PURLs: purlsOf(list), Origin: origin}
	if r.opt.Measure != nil {
		quality := r.opt.Measure(document)
		attested.Quality = &quality
	}
	r.inv.Attested = append(r.inv.Attested, attested)
	return nil
}

// shown returns the type of a referrer as reports may show it.
func (r registryReferrer) shown() string {
	if strings.HasPrefix(r.artifactType, "cosign ") || plainWord(r.artifactType) {
		return r.artifactType
	}
	return shownMedia(r.artifactType)
}

func purlsOf(list []sbom.Component) []string {
	var out []string
	for _, c := range list {
		if c.PURL != "" {
			out = append(out, c.PURL)
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	return out[:min(len(out), maxAttestedPURLs)]
}

// envelope is a statement of in-toto, or DSSE or a bundle of sigstore around one.
type envelope struct {
	Payload string `json:"payload"`
	DSSE    struct {
		Payload string `json:"payload"`
	} `json:"dsseEnvelope"`
	PredicateType string          `json:"predicateType"`
	Predicate     json.RawMessage `json:"predicate"`
	Subject       []struct {
		Digest map[string]string `json:"digest"`
	} `json:"subject"`
}

// documentIn returns the SBOM in a statement, or the data if it is none. It is nil if the statement says something else.
func documentIn(data []byte, subjects []audit.Digest) ([]byte, error) {
	var e envelope
	if json.Unmarshal(data, &e) != nil {
		return data, nil // the reader of SBOMs says what is wrong
	}
	if payload := cmp.Or(e.Payload, e.DSSE.Payload); payload != "" {
		inner, err := base64.StdEncoding.DecodeString(payload)
		if err != nil {
			return nil, refusal("ask whoever made the statement", "the payload of the statement is no base64")
		}
		e = envelope{}
		if err := json.Unmarshal(inner, &e); err != nil {
			return nil, refusal("ask whoever made the statement", "the statement: %s", jsonFault(err))
		}
		if e.PredicateType == "" {
			return nil, nil
		}
	}
	switch {
	case e.PredicateType == "":
		return data, nil
	case !isSBOMPredicate(e.PredicateType):
		return nil, nil
	case !e.about(subjects):
		return nil, refusal("ask whoever made the statement", "the statement is about another image")
	}
	return predicateDocument(e.Predicate), nil
}

// about reports whether a statement names one of the digests, or none at all.
func (e envelope) about(subjects []audit.Digest) bool {
	for _, s := range e.Subject {
		if slices.Contains(subjects, audit.Digest("sha256:"+s.Digest["sha256"])) {
			return true
		}
	}
	return len(e.Subject) == 0
}

// predicateDocument unwraps what cosign writes: the document, its text, or either of them under the key Data.
func predicateDocument(raw json.RawMessage) []byte {
	var wrapped struct{ Data json.RawMessage }
	if json.Unmarshal(raw, &wrapped) == nil && len(wrapped.Data) > 0 {
		raw = wrapped.Data
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return []byte(text)
	}
	return raw
}
