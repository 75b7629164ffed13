package source

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// registryPlace is where a repository is asked for: at its registry or at a mirror of it.
type registryPlace struct {
	host   string // of the API
	prefix string // path before the repository, of a mirror
	plain  bool
}

// repository returns the path of a repository there. Docker Hub keeps names of one part below library/.
func (p registryPlace) repository(ref sbom.Reference) string {
	path := ref.Path
	if isDockerHub(ref.Registry) && !strings.Contains(path, "/") {
		path = "library/" + path
	}
	if p.prefix != "" {
		path = p.prefix + "/" + path
	}
	return path
}

func isDockerHub(host string) bool {
	return host == "docker.io" || host == "index.docker.io" || host == "registry-1.docker.io"
}

func (p registryPlace) String() string {
	if p.prefix == "" {
		return p.host
	}
	return p.host + "/" + p.prefix
}

// parseMirror reads "registry.example.org/dockerhub".
func parseMirror(text string) (registryPlace, error) {
	host, prefix, _ := strings.Cut(text, "/")
	ref, err := sbom.ParseReference(host + "/" + cmp.Or(prefix, "x"))
	if err != nil || ref.Registry == "" || ref.Tag != "" || ref.Digest != "" {
		return registryPlace{}, fmt.Errorf("%q is no mirror; write host[:port] or host[:port]/path, e.g. registry.example.org/dockerhub", text)
	}
	return registryPlace{host: host, prefix: prefix}, nil
}

// parsePlatform reads "linux/arm64".
func parsePlatform(text string) (v1.Platform, error) {
	p, err := v1.ParsePlatform(text)
	if err != nil || p.OS == "" || p.Architecture == "" || p.OSVersion != "" {
		return v1.Platform{}, fmt.Errorf("%q is no platform; write OS/ARCHITECTURE, e.g. linux/arm64", text)
	}
	return *p, nil
}

// platformOf reads the key platform of an entry; without it, it is that of the reference stack.
func platformOf(v values) (v1.Platform, error) {
	p, err := parsePlatform(cmp.Or(v.text["platform"], platform))
	if err != nil {
		return p, at(v.at["platform"], "platform %s", err)
	}
	return p, nil
}

// registryImage is one image in an OCI registry. Tags are resolved to digests; of an index the image for one platform is
// taken. SBOMs that the registry holds about the image are listed and kept, as the statements that they are.
type registryImage struct {
	ref      string // as written
	named    sbom.Reference
	place    registryPlace
	mirrored bool
	platform v1.Platform
	asked    bool // the platform was asked for, it is not the usual one
	tier     []string
	opt      Options
	client   *registryClient
	store    *blobStore
}

// decodeRegistryImage reads an entry image: whose ref is a reference with a registry.
func decodeRegistryImage(v values, tier []string, opt Options) (sbom.Source, error) {
	written := v.text["ref"]
	named, err := sbom.ParseReference(strings.TrimPrefix(written, "docker://"))
	switch {
	case err != nil:
		return nil, at(v.at["ref"], "ref %q is none of REGISTRY/PATH:TAG, oci:DIRECTORY, oci-archive:FILE, docker-archive:FILE: %s", written, err)
	case named.Registry == "":
		return nil, at(v.at["ref"], "ref %q names no registry and is none of oci:DIRECTORY, oci-archive:FILE, docker-archive:FILE; "+
			"for Docker Hub write docker.io/%s", written, named)
	}
	s := registryImage{ref: written, named: named, place: registryPlace{host: named.Registry}, asked: v.has("platform"), tier: tier, opt: opt}
	if s.platform, err = platformOf(v); err != nil {
		return nil, err
	}
	if v.has("mirror") {
		if s.place, err = parseMirror(v.text["mirror"]); err != nil {
			return nil, at(v.at["mirror"], "mirror %s", err)
		}
		s.mirrored = true
	}
	s.place.plain = v.flags["insecure"]
	s.client = newRegistryClient(s.place.host, s.place.plain, opt, usualPatience())
	s.store = newBlobStore(opt.TempDir)
	return s, nil
}

// Name returns the kind and the reference as the stack file gives it.
func (s registryImage) Name() string { return "image " + s.ref }

// Contacts returns the repository and the files of credentials.
func (s registryImage) Contacts() []audit.Contact {
	repo := s.place.repository(s.named)
	out := []audit.Contact{{Host: s.client.host, Address: strings.TrimSuffix(s.client.address(repo, ""), "/"),
		Right:   "pull " + repo + ", anonymous or with stored credentials; also its token server and blob storage",
		Purpose: "manifest, configuration, SBOMs and layers of " + s.named.String()}}
	if s.opt.Getenv != nil {
		out = append(out, audit.Contact{Host: "local", Address: "config.json of Docker, auth.json of Podman", Right: "read", Purpose: "credentials for " + s.client.host})
	}
	return out
}

// where returns the reference, and the mirror that was asked for it.
func (s registryImage) where() string {
	if s.mirrored {
		return s.named.String() + " by mirror " + s.place.String()
	}
	return s.named.String()
}

// Inventory returns the image with its digest. Where the registry does not give it, the image is declared only, without
// a digest, and a failure says why.
func (s registryImage) Inventory(ctx context.Context) (sbom.Inventory, error) {
	r := registryReader{registryImage: s, repo: s.place.repository(s.named), inv: sbom.Inventory{Schema: sbom.InventorySchema}}
	found, err := s.client.resolve(ctx, r.repo, askedFor(s.named), s.platform)
	if ctx.Err() != nil {
		return sbom.Inventory{}, ctx.Err()
	}
	if err != nil {
		r.fail("", err)
		r.inv.Artifacts = []sbom.Artifact{s.declared()}
		return r.inv, nil
	}
	a, err := r.describe(ctx, found)
	if err != nil {
		return sbom.Inventory{}, err
	}
	if err := r.referrers(ctx, &a, found); err != nil {
		return sbom.Inventory{}, err
	}
	r.inv.Artifacts = []sbom.Artifact{a}
	return sortInventory(r.inv), nil
}

// askedFor returns the digest of a reference, or its tag; a name alone means latest, as for every tool.
func askedFor(ref sbom.Reference) string { return cmp.Or(string(ref.Digest), ref.Tag, "latest") }

// declared is the image as the stack file names it.
func (s registryImage) declared() sbom.Artifact {
	ref := s.named.String()
	return s.hinted(sbom.Artifact{ID: "image:" + ref, Kind: sbom.KindImage, Name: s.named.Name(), Reference: ref,
		Version: sbom.ParseTag(s.named.Tag).Version, Unpinned: s.named.Unpinned(),
		Sightings: []sbom.Sighting{{Source: "image", Where: s.where(), State: sbom.StateDeclared, Declared: true, Reference: ref,
			Origin: audit.Origin{Source: "image", Path: "stack file", At: s.opt.At}}}})
}

func (s registryImage) hinted(a sbom.Artifact) sbom.Artifact {
	if s.tier != nil {
		a.TierHint, a.HintRule = s.tier, "stack file: tier of the source"
	}
	return a
}

// registryReader collects what a registry says about one image.
type registryReader struct {
	registryImage
	repo string
	inv  sbom.Inventory
}

// fail adds a failure; what names the part that could not be read.
func (r *registryReader) fail(what string, err error) {
	f := sbom.Failure{Source: "image " + r.ref, Reason: what + err.Error(), Origin: audit.Origin{Source: "image", URL: r.client.address(r.repo, "manifests/"+askedFor(r.named)), At: r.opt.At}}
	if refused := (*registryRefusal)(nil); errors.As(err, &refused) {
		f.Settle = refused.settle
	}
	if what == "" {
		f.Reason = fmt.Sprintf("asking registry %q: %s", r.place.String(), err)
	}
	r.inv.Failures = append(r.inv.Failures, f)
}

// describe makes the artifact of what was found and keeps the documents that say so.
func (r *registryReader) describe(ctx context.Context, f registryFound) (sbom.Artifact, error) {
	ref := r.named.String()
	origin := audit.Origin{Source: "image", URL: f.image.url, Digest: f.image.digest, At: r.opt.At}
	a := r.hinted(sbom.Artifact{ID: "image:" + string(f.image.digest), Kind: sbom.KindImage, Name: r.named.Name(), Reference: ref,
		Version: sbom.ParseTag(r.named.Tag).Version, Digest: f.image.digest, Config: digestOf(f.manifest.Config.Digest),
		Sightings: []sbom.Sighting{{Source: "image", Where: r.where(), State: sbom.StatePresent, Reference: ref, Digest: f.image.digest, Origin: origin}}})
	for _, index := range f.indexes {
		a.Digests = append(a.Digests, index.digest)
		o := audit.Origin{Source: "image", URL: index.url, Digest: index.digest, At: r.opt.At}
		if _, err := keepInput(ctx, r.opt, "index of "+ref, index.mediaType, index.raw, o); err != nil {
			return a, fmt.Errorf("keeping the index of %q as evidence: %w", ref, err)
		}
	}
	slices.Sort(a.Digests)
	if _, err := keepInput(ctx, r.opt, "manifest of "+ref, f.image.mediaType, f.image.raw, origin); err != nil {
		return a, fmt.Errorf("keeping the manifest of %q as evidence: %w", ref, err)
	}
	return a, r.configure(ctx, &a, f)
}

// configure adds platform, labels and version from the configuration.
func (r *registryReader) configure(ctx context.Context, a *sbom.Artifact, f registryFound) error {
	raw, err := r.client.small(ctx, r.repo, f.manifest.Config, maxDocument)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		r.fail(fmt.Sprintf("configuration of image %s: ", a.Digest), err)
		return nil
	}
	config, err := v1.ParseConfigFile(bytes.NewReader(raw))
	if err != nil {
		r.fail(fmt.Sprintf("configuration of image %s: ", a.Digest), refusal("ask whoever built the image", "%s", jsonFault(err)))
		return nil
	}
	a.Labels = usefulLabels(config.Config.Labels)
	if plainWord(config.OS) && plainWord(config.Architecture) {
		a.Platform = config.OS + "/" + config.Architecture
		if r.asked && !strings.HasPrefix(r.platform.String()+"/", a.Platform+"/") {
			r.fail("", refusal("ask for the platform that it has", "the image is for %s, not for %s", a.Platform, r.platform))
		}
	}
	title := cmp.Or(a.Labels["name"], a.Labels["org.opencontainers.image.title"])
	if label := a.Labels["org.opencontainers.image.version"]; a.Version == "" && strings.EqualFold(title, a.Name) {
		a.Version = sbom.ParseTag(label).Version
	}
	return nil
}

// digestOf returns a digest of go-containerregistry as ours, or none if it is not SHA-256.
func digestOf(h v1.Hash) audit.Digest {
	d, err := audit.ParseDigest(h.String())
	if err != nil {
		return ""
	}
	return d
}

// registryFound is one image with the indexes that led to it, the outermost first.
type registryFound struct {
	indexes  []registryDocument
	others   []v1.Descriptor // what else the indexes hold, e.g. attestations of a builder
	image    registryDocument
	manifest *v1.Manifest
}

// resolve finds the image for a platform that a tag or digest names.
func (c *registryClient) resolve(ctx context.Context, repo, ref string, want v1.Platform) (registryFound, error) {
	var f registryFound
	for range maxIndexDepth {
		d, err := c.manifest(ctx, repo, ref)
		if err != nil {
			return f, err
		}
		kind, err := d.kind()
		if err != nil {
			return f, err
		}
		if kind == kindOfImage {
			f.image = d
			f.manifest, err = parseImage(d)
			return f, err
		}
		index, err := v1.ParseIndexManifest(bytes.NewReader(d.raw))
		if err != nil {
			return f, refusal("", "index %s: %s", d.digest, jsonFault(err))
		}
		chosen, offered := choosePlatform(index.Manifests, want)
		if chosen == nil {
			return f, refusal("name a platform that is offered, e.g. platform: linux/arm64", "index %s offers no image for %s, only %s", d.digest, want, cmp.Or(offered, "nothing"))
		}
		f.indexes, f.others = append(f.indexes, d), append(f.others, index.Manifests...)
		ref = chosen.Digest.String()
	}
	return f, refusal("", "index within index more than %d deep", maxIndexDepth)
}

// kinds of manifests.
const (
	kindOfImage = "image"
	kindOfIndex = "index"
)

// kind tells an image from an index by what the document says itself, then by what the registry says.
func (d registryDocument) kind() (string, error) {
	first := bytes.TrimLeft(d.raw, " \t\r\n")
	if len(first) == 0 || first[0] != '{' {
		return "", refusal("check that the address is that of a registry", "its answer is no manifest but %s", shownMedia(d.mediaType))
	}
	var head struct {
		MediaType string            `json:"mediaType"`
		Manifests []json.RawMessage `json:"manifests"`
		Layers    []json.RawMessage `json:"layers"`
	}
	if err := json.Unmarshal(d.raw, &head); err != nil {
		return "", refusal("", "its manifest cannot be read: %s", jsonFault(err))
	}
	if head.Manifests != nil && head.Layers != nil {
		return "", refusal("ask whoever pushed the image", "its manifest is image and index at once")
	}
	switch media := types.MediaType(cmp.Or(head.MediaType, d.mediaType)); {
	case media.IsIndex():
		return kindOfIndex, nil
	case media.IsImage():
		return kindOfImage, nil
	case media.IsSchema1():
		return "", refusal("push the image again with a tool of this decade", "its manifest has the old form of schema 1, which has no digests of contents")
	default:
		return "", refusal("check that the reference names an image", "it is no image but %s", shownMedia(string(media)))
	}
}

func parseImage(d registryDocument) (*v1.Manifest, error) {
	m, err := v1.ParseManifest(bytes.NewReader(d.raw))
	if err != nil {
		return nil, refusal("", "manifest %s: %s", d.digest, jsonFault(err))
	}
	if m.Config.MediaType != types.OCIConfigJSON && m.Config.MediaType != types.DockerConfigJSON {
		return nil, refusal("check that the reference names an image", "manifest %s holds no container image but %s", d.digest, shownMedia(string(m.Config.MediaType)))
	}
	return m, nil
}

// jsonFault says what is wrong with a document without repeating any of it.
func jsonFault(err error) string {
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends too early"
	case errors.As(err, &syntax):
		return fmt.Sprintf("it is no JSON at byte %d", syntax.Offset)
	}
	return "a field of it has another form than the OCI specification says"
}

// shownMedia returns a media type as it may be shown, which a text of another form may not.
func shownMedia(text string) string {
	group, name, _ := strings.Cut(text, "/")
	if plainWord(group) && plainWord(strings.ReplaceAll(name, "+", "")) {
		return text
	}
	return "something without a media type"
}

// plainWord reports whether a text is short and made of lower-case letters, digits, dots, dashes and underscores.
func plainWord(s string) bool {
	return s != "" && len(s) <= 100 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == ""
}

// choosePlatform returns the first image for a platform; a single one that names no platform is taken as it is. A variant
// counts only if it was asked for. The text lists what is offered.
func choosePlatform(list []v1.Descriptor, want v1.Platform) (chosen *v1.Descriptor, offered string) {
	var names []string
	var images []v1.Descriptor
	for _, d := range list {
		if d.Platform != nil && d.Platform.OS == "unknown" || !(d.MediaType.IsImage() || d.MediaType.IsIndex()) {
			continue // attestation of a builder
		}
		images = append(images, d)
		if d.Platform == nil {
			continue
		}
		if name := d.Platform.String(); plainWord(strings.ReplaceAll(name, "/", "")) {
			names = append(names, name)
		}
		if chosen == nil && d.Platform.OS == want.OS && d.Platform.Architecture == want.Architecture && (want.Variant == "" || d.Platform.Variant == want.Variant) {
			chosen = &d
		}
	}
	if chosen == nil && len(images) == 1 && images[0].Platform == nil {
		chosen = &images[0]
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if more := len(names) - 20; more > 0 {
		names = append(names[:20], fmt.Sprintf("%d more", more))
	}
	return chosen, strings.Join(names, ", ")
}
