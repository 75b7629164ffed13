package source

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/pegel-audit/pegel/audit"
)

// Limits of lists. The API refuses objects above 1.5 MiB; a pod has 5 to 8 KiB.
const (
	kubeMaxItem  = 4 << 20
	kubeMaxBody  = 4 << 30
	kubeMaxItems = 1_000_000
	kubeMaxName  = 253 // of an object, by its API
	kubeMaxText  = 512 // of a version, an image or an operating system
)

// kubeObject is all that is ever read of an object of a cluster: pods, nodes, what owns pods, and the objects of Cluster
// API and of cluster stacks. It is also the form in which lists are kept as evidence. Environment, commands, arguments,
// volumes and all annotations but one have no field here, so that nothing can come to know them.
type kubeObject struct {
	APIVersion string     `json:"apiVersion,omitempty"`
	Kind       string     `json:"kind"`
	Metadata   kubeMeta   `json:"metadata"`
	Spec       kubeSpec   `json:"spec,omitzero"`
	Status     kubeStatus `json:"status,omitzero"`
}

type kubeMeta struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace,omitempty"`
	Labels    map[string]string `json:"labels,omitempty"` // reduced to kubeHashLabel
	Owners    []kubeOwner       `json:"ownerReferences,omitempty"`
	Mirror    kubeMirror        `json:"annotations,omitzero"`
}

// kubeMirror is the one annotation that is read: it marks the copy of a pod that a node started by itself.
type kubeMirror struct {
	Hash string `json:"kubernetes.io/config.mirror,omitempty"`
}

// kubeHashLabel is on every pod of a Deployment, and the end of the name of its replicaset.
const kubeHashLabel = "pod-template-hash"

type kubeOwner struct {
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	Controller bool   `json:"controller,omitempty"`
}

type kubeSpec struct {
	// Of a pod.
	Node       string          `json:"nodeName,omitempty"`
	Init       []kubeContainer `json:"initContainers,omitempty"`
	Containers []kubeContainer `json:"containers,omitempty"`
	Ephemeral  []kubeContainer `json:"ephemeralContainers,omitempty"`
	// Of a Cluster; of a control plane (version) and a MachineDeployment (template).
	Topology kubeTopology `json:"topology,omitzero"`
	Version  string       `json:"version,omitempty"`
	Template kubeTemplate `json:"template,omitzero"`
	// Of a ClusterStack.
	Provider   string   `json:"provider,omitempty"`
	Name       string   `json:"name,omitempty"`
	Kubernetes string   `json:"kubernetesVersion,omitempty"`
	Versions   []string `json:"versions,omitempty"`
}

type kubeContainer struct {
	Name  string `json:"name"`
	Image string `json:"image,omitempty"`
}

// kubeTopology names its class as text (v1beta1) or as a reference (v1beta2 of cluster.x-k8s.io).
type kubeTopology struct {
	Class   string       `json:"class,omitempty"`
	Ref     kubeClassRef `json:"classRef,omitzero"`
	Version string       `json:"version,omitempty"`
}

type kubeClassRef struct {
	Name string `json:"name,omitempty"`
}

type kubeTemplate struct {
	Spec struct {
		Version string `json:"version,omitempty"`
	} `json:"spec,omitzero"`
}

type kubeStatus struct {
	// Of a pod.
	Init       []kubeContainerStatus `json:"initContainerStatuses,omitempty"`
	Containers []kubeContainerStatus `json:"containerStatuses,omitempty"`
	Ephemeral  []kubeContainerStatus `json:"ephemeralContainerStatuses,omitempty"`
	// Of a node; Conditions are reduced to Ready.
	Info       kubeNodeInfo    `json:"nodeInfo,omitzero"`
	Images     []kubeStored    `json:"images,omitempty"`
	Conditions []kubeCondition `json:"conditions,omitempty"`
	// Of a ClusterStackRelease and of a ClusterStack.
	Kubernetes string `json:"kubernetesVersion,omitempty"`
	Latest     string `json:"latestRelease,omitempty"`
}

type kubeContainerStatus struct {
	Name    string    `json:"name"`
	Image   string    `json:"image,omitempty"`
	ImageID string    `json:"imageID,omitempty"`
	State   kubeState `json:"state,omitzero"`
}

// kubeState says by which field is there how a container is. The fields themselves hold messages and are not read.
type kubeState struct {
	Running    *struct{} `json:"running,omitempty"`
	Terminated *struct{} `json:"terminated,omitempty"`
}

type kubeNodeInfo struct {
	Kernel  string `json:"kernelVersion,omitempty"`
	OS      string `json:"osImage,omitempty"`
	Runtime string `json:"containerRuntimeVersion,omitempty"`
	Kubelet string `json:"kubeletVersion,omitempty"`
}

type kubeStored struct {
	Names []string `json:"names,omitempty"`
}

type kubeCondition struct {
	Type   string `json:"type"`
	Status string `json:"status"`
}

// key is what one object has and no other of its cluster.
func (o *kubeObject) key() string {
	return o.Kind + "/" + o.Metadata.Namespace + "/" + o.Metadata.Name
}

// known reports whether the object is of a kind that is read.
func (o *kubeObject) known() bool {
	switch o.Kind {
	case "Pod", "Node", "ReplicaSet", "Job":
		return true
	}
	group, _, _ := strings.Cut(o.APIVersion, "/")
	return slices.ContainsFunc(kubeGroups(), func(g kubeGroup) bool {
		return g.name == group && slices.ContainsFunc(g.resources, func(r kubeResource) bool { return r.kind == o.Kind })
	})
}

// reduce drops what the form above lets through and nobody needs.
func (o *kubeObject) reduce() {
	hash := o.Metadata.Labels[kubeHashLabel]
	o.Metadata.Labels = nil
	if o.Kind == "Pod" && hash != "" && kubeName(hash) {
		o.Metadata.Labels = map[string]string{kubeHashLabel: hash}
	}
	if o.Kind != "Node" {
		o.Status.Conditions = nil
	}
	o.Status.Conditions = slices.DeleteFunc(o.Status.Conditions, func(c kubeCondition) bool { return c.Type != "Ready" })
	if o.Kind == "ReplicaSet" || o.Kind == "Job" {
		o.Spec, o.Status = kubeSpec{}, kubeStatus{}
	}
}

// check refuses an object whose names could not be shown or compared.
func (o *kubeObject) check() error {
	if !kubeName(o.Metadata.Name) {
		return fmt.Errorf("name %.80q of a %s is not letters, digits, dots, dashes, colons and underscores", o.Metadata.Name, o.Kind)
	}
	if o.Metadata.Namespace != "" && !kubeName(o.Metadata.Namespace) {
		return fmt.Errorf("namespace %.80q of a %s is not letters, digits, dots, dashes, colons and underscores", o.Metadata.Namespace, o.Kind)
	}
	for _, text := range o.texts() {
		if !kubeText(text) {
			return fmt.Errorf("%s %s: %.80q is longer than %d bytes or holds control characters", o.Kind, o.Metadata.Name, text, kubeMaxText)
		}
	}
	return nil
}

// texts are all texts of the object that may be shown, besides its own name.
func (o *kubeObject) texts() []string {
	out := []string{o.Spec.Node, o.Spec.Topology.Class, o.Spec.Topology.Ref.Name, o.Spec.Topology.Version, o.Spec.Version,
		o.Spec.Template.Spec.Version, o.Spec.Provider, o.Spec.Name, o.Spec.Kubernetes, o.Status.Kubernetes, o.Status.Latest,
		o.Status.Info.Kernel, o.Status.Info.OS, o.Status.Info.Runtime, o.Status.Info.Kubelet}
	out = append(out, o.Spec.Versions...)
	for _, owner := range o.Metadata.Owners {
		out = append(out, owner.Kind, owner.Name)
	}
	for _, list := range [][]kubeContainer{o.Spec.Init, o.Spec.Containers, o.Spec.Ephemeral} {
		for _, c := range list {
			out = append(out, c.Name, c.Image)
		}
	}
	for _, list := range [][]kubeContainerStatus{o.Status.Init, o.Status.Containers, o.Status.Ephemeral} {
		for _, c := range list {
			out = append(out, c.Name, c.Image, c.ImageID)
		}
	}
	for _, stored := range o.Status.Images {
		out = append(out, stored.Names...)
	}
	return out
}

// kubeName reports whether a text can be the name of an object, a node or a namespace.
func kubeName(s string) bool {
	if s == "" || len(s) > kubeMaxName {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !alphanumericASCII(c) && c != '-' && c != '.' && c != ':' && c != '_' {
			return false
		}
	}
	return true
}

func alphanumericASCII(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// kubeText reports whether a text may be shown as it is.
func kubeText(s string) bool {
	if len(s) > kubeMaxText {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return false
		}
	}
	return true
}

// Reasons why a body could not be read to its end.
var (
	errKubeCut  = errors.New("it is cut off")
	errKubeItem = fmt.Errorf("an item is larger than %d bytes", kubeMaxItem)
	errKubeBody = fmt.Errorf("the list is larger than %d bytes", int64(kubeMaxBody))
)

// kubeBody reads lists of objects one object at a time, and the digest of all bytes on the way.
type kubeBody struct {
	in    io.Reader
	hash  hash.Hash
	total int64  // bytes read
	item  int64  // bytes that the present item may still take
	start int64  // where the present body starts, if several pages are read
	after int64  // end of the last thing that was read whole, in the present body
	items int    // objects read
	next  string // continue token of the present page
}

func newKubeBody(in io.Reader) *kubeBody { return &kubeBody{in: in, hash: sha256.New()} }

// Read passes bytes on within the limits.
func (b *kubeBody) Read(p []byte) (int, error) {
	switch {
	case b.item <= 0:
		return 0, errKubeItem
	case b.total >= kubeMaxBody:
		return 0, errKubeBody
	}
	n, err := b.in.Read(p[:min(int64(len(p)), b.item, kubeMaxBody-b.total)])
	b.hash.Write(p[:n])
	b.total += int64(n)
	b.item -= int64(n)
	return n, err
}

// drain reads what is left after an error, for the digest of the whole.
func (b *kubeBody) drain() error {
	b.item = kubeMaxBody
	_, err := io.Copy(io.Discard, b)
	return err
}

func (b *kubeBody) digest() audit.Digest {
	return audit.Digest("sha256:" + hex.EncodeToString(b.hash.Sum(nil)))
}

// place says how far the body was read.
func (b *kubeBody) place() string { return fmt.Sprintf("after item %d, byte %d", b.items, b.after) }

// page goes on with another page of the same list.
func (b *kubeBody) page(in io.Reader) {
	b.in, b.start, b.next = in, b.total, ""
}

// list reads one list: {"kind": "PodList", "metadata": {...}, "items": [...]}, in any order of the keys. Items that do not
// name their kind are of the kind of the list, else of the one given. An item of a wrong form is given to take with an
// error; the error of list is for what follows nothing can be read after.
func (b *kubeBody) list(kind string, take func(*kubeObject, error)) error {
	b.item = kubeMaxItem
	dec := json.NewDecoder(b)
	if err := b.open(dec); err != nil {
		return err
	}
	seen := map[string]bool{}
	for dec.More() {
		key, err := b.token(dec)
		if err != nil {
			return err
		}
		name, _ := key.(string)
		if seen[name] {
			return fmt.Errorf("the key %.40q stands twice in the list", name)
		}
		seen[name] = true
		if kind, err = b.field(dec, name, kind, take); err != nil {
			return err
		}
	}
	if _, err := b.token(dec); err != nil {
		return err
	}
	b.item = kubeMaxItem
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the list; write one file for each answer")
	}
	if !seen["items"] {
		return errors.New("it holds no list of objects: there are no items")
	}
	return nil
}

// field reads one value of a list and returns the kind of the items to come.
func (b *kubeBody) field(dec *json.Decoder, name, kind string, take func(*kubeObject, error)) (string, error) {
	b.item = kubeMaxItem
	switch name {
	case "kind":
		var list string
		if err := b.value(dec, &list); err != nil {
			return "", err
		}
		if of := strings.TrimSuffix(list, "List"); of != list && of != "" {
			kind = of
		}
		return kind, nil
	case "metadata":
		var meta struct {
			Continue string `json:"continue"`
		}
		err := b.value(dec, &meta)
		b.next = meta.Continue
		return kind, err
	case "items":
		return kind, b.array(dec, kind, take)
	}
	return kind, b.value(dec, new(json.RawMessage))
}

func (b *kubeBody) array(dec *json.Decoder, kind string, take func(*kubeObject, error)) error {
	open, err := b.token(dec)
	if err != nil {
		return err
	}
	if open == nil {
		return nil // "items": null is how an empty list is written by some
	}
	if open != json.Delim('[') {
		return errors.New("items is no array")
	}
	for dec.More() {
		if b.items >= kubeMaxItems {
			return fmt.Errorf("the list has more than %d items", kubeMaxItems)
		}
		b.item = kubeMaxItem
		o := new(kubeObject)
		err := b.value(dec, o)
		var form *json.UnmarshalTypeError
		if err != nil && !errors.As(err, &form) {
			return err
		}
		b.items++
		if o.Kind == "" {
			o.Kind = kind
		}
		if form != nil {
			take(o, fmt.Errorf("%s is of type %s", form.Field, form.Value))
			continue
		}
		take(o, nil)
	}
	_, err = b.token(dec)
	return err
}

// open reads the first token, which tells what was saved in place of a list.
func (b *kubeBody) open(dec *json.Decoder) error {
	first, err := b.token(dec)
	switch {
	case errors.Is(err, errKubeCut) && b.total == 0:
		return errors.New("it is empty")
	case errors.Is(err, errKubeCut) || errors.Is(err, errKubeItem) || errors.Is(err, errKubeBody):
		return err
	case err != nil || first != json.Delim('{'):
		return errors.New("it is no JSON list of objects (YAML and tables are not read); write it with -o json")
	}
	return nil
}

func (b *kubeBody) token(dec *json.Decoder) (json.Token, error) {
	t, err := dec.Token()
	return t, b.noted(dec, err)
}

func (b *kubeBody) value(dec *json.Decoder, v any) error { return b.noted(dec, dec.Decode(v)) }

// noted remembers how far the decoder came and puts its errors into words that do not repeat the input.
func (b *kubeBody) noted(dec *json.Decoder, err error) error {
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		b.after = dec.InputOffset()
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return errKubeCut
	case errors.As(err, &syntax):
		return fmt.Errorf("byte %d is no JSON", syntax.Offset)
	}
	return err
}

// openKubeFile opens a regular file.
func openKubeFile(name string) (*os.File, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errors.New("it is a directory, want a file")
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is no regular file")
	}
	if info.Size() > kubeMaxBody {
		return nil, errKubeBody
	}
	return os.Open(name)
}
