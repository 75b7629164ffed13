package source

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// kubeGroup is a group of the API that is read where it is present.
type kubeGroup struct {
	name      string
	versions  []string // to try if the server does not say which it prefers, newest first
	resources []kubeResource
}

// kubeResource is one list of the API.
type kubeResource struct {
	kind, name string
	namespaced bool
}

// kubeGroups lists what is read beside pods, nodes and their owners: Cluster API (kubernetes-sigs/cluster-api) and cluster
// stacks (SovereignCloudStack/cluster-stack-operator).
func kubeGroups() []kubeGroup {
	return []kubeGroup{
		{"cluster.x-k8s.io", []string{"v1beta2", "v1beta1"}, []kubeResource{
			{"Cluster", "clusters", true}, {"MachineDeployment", "machinedeployments", true}}},
		{"controlplane.cluster.x-k8s.io", []string{"v1beta2", "v1beta1"}, []kubeResource{
			{"KubeadmControlPlane", "kubeadmcontrolplanes", true}}},
		{"clusterstack.x-k8s.io", []string{"v1alpha1"}, []kubeResource{
			{"ClusterStack", "clusterstacks", true}, {"ClusterStackRelease", "clusterstackreleases", true}}},
	}
}

// kubeView turns the objects of one cluster into artifacts. Pods come first, then the rest.
type kubeView struct {
	cluster  *kubeCluster
	replicas map[string]*kubeObject // replicasets and jobs by their key
	owning   map[*kubeObject]bool   // those that own a pod
	images   map[[2]string]*kubeImage
	byDigest map[audit.Digest]bool // seen in pods
	byName   map[string]bool
	found    map[string]*sbom.Artifact
	places   map[kubePlace]*kubeCount
	expected []sbom.Expected
	derived  int // pods whose Deployment is taken from a label
	full     int // nodes whose list of images is as long as kubelets make it
	stored   []kubeOnNode
}

// kubePlace is what one sighting stands for.
type kubePlace struct {
	artifact  string
	where     string
	namespace string
	workload  string
	reference string
	digest    audit.Digest
	state     string
}

type kubeCount struct {
	hosts    map[string]bool
	replicas int
	origin   audit.Origin
}

// kubeImage is what an image and the ID that a node gives it say together.
type kubeImage struct {
	artifact *sbom.Artifact // nil if nothing can be said
	key      string
	digest   audit.Digest
}

// kubeOnNode are the names of an image in the store of a node.
type kubeOnNode struct {
	node   string
	names  []string
	origin audit.Origin
}

func newKubeView(c *kubeCluster) *kubeView {
	v := &kubeView{cluster: c, replicas: map[string]*kubeObject{}, owning: map[*kubeObject]bool{}, images: map[[2]string]*kubeImage{},
		byDigest: map[audit.Digest]bool{}, byName: map[string]bool{}, found: map[string]*sbom.Artifact{}, places: map[kubePlace]*kubeCount{}}
	for _, l := range c.lists {
		for _, o := range l.items {
			if o.Kind == "ReplicaSet" || o.Kind == "Job" {
				v.replicas[o.key()] = o
			}
		}
	}
	return v
}

// artifacts returns what was found, each with its sightings.
func (v *kubeView) artifacts() []sbom.Artifact {
	for p, n := range v.places {
		a := v.found[p.artifact]
		hosts := slices.Sorted(maps.Keys(n.hosts))
		s := sbom.Sighting{Source: "kubernetes", Where: p.where, State: p.state, Reference: p.reference, Digest: p.digest, Hosts: hosts,
			Namespace: p.namespace, Workload: p.workload, Replicas: n.replicas, Origin: n.origin}
		s.Declared = p.state == sbom.StateDeclared || p.state == sbom.StateOffered
		a.Sightings = append(a.Sightings, s)
	}
	out := make([]sbom.Artifact, 0, len(v.found))
	for _, a := range v.found {
		if len(a.Sightings) > 0 {
			out = append(out, *a)
		}
	}
	return out
}

// see adds to a sighting; host may be empty.
func (v *kubeView) see(p kubePlace, host string, origin audit.Origin) {
	n := v.places[p]
	if n == nil {
		n = &kubeCount{hosts: map[string]bool{}, origin: origin}
		v.places[p] = n
	}
	if host != "" {
		n.hosts[host] = true
	}
	if p.state == sbom.StateRunning {
		n.replicas++
	}
}

// pod lists the containers of a pod.
func (v *kubeView) pod(l *kubeList, o *kubeObject) {
	workload := v.workload(o)
	for _, g := range []struct {
		spec   []kubeContainer
		status []kubeContainerStatus
	}{{o.Spec.Init, o.Status.Init}, {o.Spec.Containers, o.Status.Containers}, {o.Spec.Ephemeral, o.Status.Ephemeral}} {
		for _, c := range g.spec {
			v.container(l, o, workload, c, statusOf(c.Name, g.status))
		}
	}
}

func statusOf(name string, all []kubeContainerStatus) kubeContainerStatus {
	i := slices.IndexFunc(all, func(s kubeContainerStatus) bool { return s.Name == name })
	if i < 0 {
		return kubeContainerStatus{}
	}
	return all[i]
}

func (v *kubeView) container(l *kubeList, o *kubeObject, workload string, c kubeContainer, s kubeContainerStatus) {
	text := cmp.Or(c.Image, s.Image)
	if text == "" {
		v.cluster.fail(l.origin, "", "%s: pod %s in namespace %s: a container names no image", l.name, o.Metadata.Name, o.Metadata.Namespace)
		return
	}
	img := v.image(l, text, s.ImageID)
	v.byName[text], v.byName[s.Image] = true, true
	p := kubePlace{artifact: img.key, where: v.where(o.Metadata.Namespace, workload), namespace: o.Metadata.Namespace, workload: workload,
		reference: text, digest: img.digest, state: containerState(s)}
	v.see(p, o.Spec.Node, l.origin)
}

// containerState says how a container is. One that waits and has an image ID ran before, e.g. one that crashes.
func containerState(s kubeContainerStatus) string {
	switch {
	case s.State.Running != nil:
		return sbom.StateRunning
	case s.State.Terminated != nil || s.ImageID != "":
		return sbom.StateStopped
	}
	return sbom.StateDeclared
}

// where names a place in the cluster.
func (v *kubeView) where(parts ...string) string {
	out := v.cluster.name
	if len(parts) == 2 && parts[0] != "" {
		out += ", namespace " + parts[0]
		parts = parts[1:]
	}
	for _, part := range parts {
		if part != "" {
			out += ", " + part
		}
	}
	return out
}

// image makes the artifact of a container's image; id is what the node calls the image that it runs.
func (v *kubeView) image(l *kubeList, text, id string) *kubeImage {
	if img := v.images[[2]string{text, id}]; img != nil {
		return img
	}
	digest, config, err := kubeImageID(id)
	if err != nil {
		v.cluster.fail(l.origin, "", "%s: %s", l.name, err)
	}
	a := v.reference(l, text)
	if digest != "" {
		if a.Digest != "" && a.Digest != digest {
			a.Digests = []audit.Digest{a.Digest}
		}
		a.Digest, a.ID, a.Unpinned = digest, "image:"+string(digest), ""
	}
	a.Config = config
	key := a.ID + " " + a.Reference + " " + string(config)
	if v.found[key] == nil {
		v.found[key] = &a
	}
	if a.Digest != "" {
		v.byDigest[a.Digest] = true
	}
	img := &kubeImage{artifact: v.found[key], key: key, digest: a.Digest}
	v.images[[2]string{text, id}] = img
	return img
}

// reference makes an image from its name alone. One that cannot be read is a failure and keeps its text.
func (v *kubeView) reference(l *kubeList, text string) sbom.Artifact {
	ref, err := sbom.ParseReference(text)
	if err != nil {
		v.cluster.fail(l.origin, "", "%s: %s", l.name, err)
		return sbom.Artifact{ID: "image:" + text, Kind: sbom.KindImage, Name: text[strings.LastIndexByte(text, '/')+1:], Reference: text,
			Unpinned: "the reference cannot be read"}
	}
	a := sbom.Artifact{ID: "image:" + text, Kind: sbom.KindImage, Name: ref.Name(), Reference: text, Version: sbom.ParseTag(ref.Tag).Version,
		Digest: ref.Digest, Unpinned: ref.Unpinned()}
	if ref.Digest != "" {
		a.ID = "image:" + string(ref.Digest)
	}
	return a
}

// kubeImageID reads the ID that a node gives an image: a reference with digest where it was pulled, the digest of the
// configuration where only that is known. Docker writes its own scheme before it, CRI-O leaves the algorithm out.
func kubeImageID(id string) (manifest, config audit.Digest, err error) {
	text := strings.TrimPrefix(strings.TrimPrefix(id, "docker-pullable://"), "docker://")
	if text == "" {
		return "", "", nil
	}
	_, digest, named := strings.Cut(text, "@")
	if !named {
		digest = text
	}
	d, err := audit.ParseDigest(digest)
	if err != nil {
		return "", "", fmt.Errorf("imageID %q ends in no SHA-256 digest", id)
	}
	if named {
		return d, "", nil
	}
	return "", d, nil
}

// workload names what a pod belongs to in the end: a Deployment, not its replicaset of today.
func (v *kubeView) workload(o *kubeObject) string {
	owner := controller(o)
	switch owner.Kind {
	case "":
		if o.Metadata.Mirror.Hash == "" {
			return "Pod/" + o.Metadata.Name
		}
		return "static pod/" + strings.TrimSuffix(o.Metadata.Name, "-"+o.Spec.Node)
	case "Node":
		return "static pod/" + strings.TrimSuffix(o.Metadata.Name, "-"+owner.Name)
	case "ReplicaSet", "Job":
		return v.above(o, owner)
	}
	return owner.Kind + "/" + owner.Name
}

// above looks one owner further up.
func (v *kubeView) above(o *kubeObject, owner kubeOwner) string {
	middle := v.replicas[owner.Kind+"/"+o.Metadata.Namespace+"/"+owner.Name]
	if middle != nil {
		v.owning[middle] = true
		if top := controller(middle); top.Kind != "" {
			return top.Kind + "/" + top.Name
		}
		return owner.Kind + "/" + owner.Name
	}
	hash := o.Metadata.Labels[kubeHashLabel]
	if name, ok := strings.CutSuffix(owner.Name, "-"+hash); ok && hash != "" && name != "" && owner.Kind == "ReplicaSet" {
		v.derived++
		return "Deployment/" + name
	}
	return owner.Kind + "/" + owner.Name
}

// controller returns the owner that manages the object, or the first of several.
func controller(o *kubeObject) kubeOwner {
	for _, owner := range o.Metadata.Owners {
		if owner.Controller {
			return owner
		}
	}
	if len(o.Metadata.Owners) > 0 {
		return o.Metadata.Owners[0]
	}
	return kubeOwner{}
}

// node lists a machine of the cluster, the software that its kubelet reports, and later the images in its store.
func (v *kubeView) node(l *kubeList, o *kubeObject) {
	name, info := o.Metadata.Name, o.Status.Info
	v.expected = append(v.expected, sbom.Expected{Kind: sbom.ExpectedHost, Name: name, List: "Kubernetes nodes", Where: v.cluster.name, Self: true, Origin: l.origin})
	state := sbom.StateRunning
	if slices.ContainsFunc(o.Status.Conditions, func(c kubeCondition) bool { return c.Status != "True" }) {
		state = sbom.StateDeclared
		v.cluster.fail(l.origin, "look at the node and read again", "%s: node %s is not ready: what it runs is known as it was last reported", l.name, name)
	}
	host := &sbom.Artifact{ID: "host:" + name, Kind: sbom.KindHost, Name: name, Platform: kubePlatform(info.OS), TierHint: []string{"base"},
		HintRule: "source kubernetes nodes"}
	v.found[host.ID] = host
	v.see(kubePlace{artifact: host.ID, where: v.where("node " + name), state: state}, name, l.origin)
	runtime, version, _ := strings.Cut(info.Runtime, "://")
	v.software(l, "kubelet", info.Kubelet, state, v.where("nodes"), name)
	v.software(l, runtime, version, state, v.where("nodes"), name)
	if a := v.software(l, "linux", info.Kernel, state, v.where("nodes"), name); a != nil {
		a.TierHint, a.HintRule = []string{"base"}, "source kubernetes nodes"
	}
	if len(o.Status.Images) == kubeStoreLimit {
		v.full++
	}
	for _, stored := range o.Status.Images {
		v.stored = append(v.stored, kubeOnNode{name, stored.Names, l.origin})
	}
}

// kubeStoreLimit is how many images a kubelet reports unless it is configured otherwise (nodeStatusMaxImages).
const kubeStoreLimit = 50

// software lists one thing that is no image; host may be empty.
func (v *kubeView) software(l *kubeList, name, version, state, where, host string) *sbom.Artifact {
	if name == "" || version == "" && state != sbom.StateDeclared {
		return nil
	}
	a := &sbom.Artifact{ID: "software:" + name, Kind: sbom.KindSoftware, Name: name, Reference: name, Unpinned: sbom.UnpinnedRevision(version)}
	if version != "" {
		a.ID, a.Reference = a.ID+"@"+version, a.Reference+"@"+version
	}
	if a.Unpinned == "" {
		a.Version = sbom.UpstreamVersion(version)
	}
	if known := v.found[a.ID]; known != nil {
		a = known
	}
	v.found[a.ID] = a
	v.see(kubePlace{artifact: a.ID, where: where, state: state}, host, l.origin)
	return a
}

// object lists what Cluster API and cluster stacks say shall run.
func (v *kubeView) object(l *kubeList, o *kubeObject) {
	where := v.where(o.Metadata.Namespace, o.Kind+"/"+o.Metadata.Name)
	switch o.Kind {
	case "Cluster":
		v.class(l, cmp.Or(o.Spec.Topology.Class, o.Spec.Topology.Ref.Name), where)
		v.declare(l, "kubernetes", o.Spec.Topology.Version, sbom.StateDeclared, where)
	case "KubeadmControlPlane":
		v.declare(l, "kubernetes", o.Spec.Version, sbom.StateDeclared, where)
	case "MachineDeployment":
		v.declare(l, "kubernetes", o.Spec.Template.Spec.Version, sbom.StateDeclared, where)
	case "ClusterStack":
		v.stack(l, o, where)
	case "ClusterStackRelease":
		v.class(l, o.Metadata.Name, where)
		v.declare(l, "kubernetes", o.Status.Kubernetes, sbom.StateOffered, where)
	}
}

// declare lists software that is named without a machine. Some objects leave the v of a version out; it is put there, so
// that one version is one thing.
func (v *kubeView) declare(l *kubeList, name, version, state, where string) {
	if version != "" {
		v.software(l, name, "v"+strings.TrimPrefix(version, "v"), state, where, "")
	}
}

// class lists the cluster class, which in a cluster stack is named like the release: openstack-scs-1-32-v1.
func (v *kubeView) class(l *kubeList, name, where string) {
	if name == "" {
		return
	}
	if stack, version, ok := splitStack(name); ok {
		v.software(l, "cluster-stack/"+stack, version, sbom.StateDeclared, where, "")
		return
	}
	v.software(l, "cluster-class/"+name, "", sbom.StateDeclared, where, "")
}

// splitStack splits the name of a release of a cluster stack: provider, name, Kubernetes version with dashes, version.
func splitStack(name string) (stack, version string, ok bool) {
	i := strings.LastIndex(name, "-v")
	if i <= 0 {
		return "", "", false
	}
	stack, version = name[:i], name[i+1:]
	parts := strings.Split(stack, "-")
	n := len(parts)
	ok = n >= 4 && isNumber(parts[n-1]) && isNumber(parts[n-2]) && len(version) > 1 && version[1] >= '0' && version[1] <= '9'
	return stack, version, ok
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// stack lists the versions that a ClusterStack shall make available, or the newest one if it names none.
func (v *kubeView) stack(l *kubeList, o *kubeObject, where string) {
	if o.Spec.Provider == "" || o.Spec.Name == "" || o.Spec.Kubernetes == "" {
		v.cluster.fail(l.origin, "", "%s: ClusterStack %s lacks provider, name or kubernetesVersion", l.name, o.Metadata.Name)
		return
	}
	name := o.Spec.Provider + "-" + o.Spec.Name + "-" + strings.ReplaceAll(o.Spec.Kubernetes, ".", "-")
	versions := o.Spec.Versions
	if len(versions) == 0 {
		_, latest, _ := splitStack(o.Status.Latest)
		versions = []string{latest}
	}
	for _, version := range versions {
		v.software(l, "cluster-stack/"+name, version, sbom.StateDeclared, where, "")
	}
}

// finish lists what can only be known when everything was read.
func (v *kubeView) finish() {
	for _, s := range v.stored {
		v.present(s)
	}
	c := v.cluster
	for _, s := range c.hidden {
		if names := storedNames(s.Names); len(names) > 0 && !v.ran(names) {
			c.drop(kubeDrop{"images", "in the stores of nodes, where they may be those of what other rules leave out"}, names[0])
		}
	}
	origin := audit.Origin{}
	if v.derived > 0 {
		settle := "grant list on replicasets (docs/rights/kubernetes.yaml)"
		if c.source.kubeconfig == "" {
			settle = "add the file of kubectl get replicasets,jobs -A -o json as objects"
		}
		why := "no list of replicasets could be read"
		if c.owners {
			why = "their replicasets are not in the list that was read"
		}
		c.fail(origin, settle, "the Deployments of %d pods are derived from the label %s, because %s", v.derived, kubeHashLabel, why)
	}
	if v.full > 0 {
		c.fail(origin, "set nodeStatusMaxImages: -1 in the configuration of the kubelets, or read the hosts",
			"%d nodes report %d images, the most that a kubelet reports by default: more may be in their stores", v.full, kubeStoreLimit)
	}
}

// storedNames returns the names of an image in a store; Docker writes <none> where it has none.
func storedNames(names []string) []string {
	out := slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == "" || strings.Contains(s, "<none>") })
	slices.Sort(out)
	return slices.Compact(out)
}

// ran reports whether a pod uses the image: under its digest, or under its name if it has no digest.
func (v *kubeView) ran(names []string) bool {
	digests := 0
	for _, name := range names {
		if _, digest, ok := strings.Cut(name, "@"); ok {
			digests++
			if v.byDigest[audit.Digest(digest)] {
				return true
			}
		}
	}
	return digests == 0 && slices.ContainsFunc(names, func(name string) bool { return v.byName[name] })
}

// present lists an image in the store of a node that no pod uses.
func (v *kubeView) present(s kubeOnNode) {
	names := storedNames(s.names)
	if len(names) == 0 || v.ran(names) {
		return
	}
	var tags []string
	var digests []audit.Digest
	for _, name := range names {
		ref, err := sbom.ParseReference(name)
		switch {
		case err != nil:
			v.cluster.fail(s.origin, "", "image in the store of node %s: %s", s.node, err)
		case ref.Digest != "":
			digests = append(digests, ref.Digest)
		default:
			tags = append(tags, name)
		}
	}
	text := names[0]
	if len(tags) > 0 {
		text = tags[0]
	}
	if _, err := sbom.ParseReference(text); err != nil {
		return
	}
	a := v.reference(nil, text)
	slices.Sort(digests)
	digests = slices.Compact(digests)
	if len(digests) > 0 {
		a.Digest, a.ID, a.Unpinned = digests[0], "image:"+string(digests[0]), ""
		a.Digests = digests[1:]
	}
	if len(tags) > 1 {
		a.Aliases = tags[1:]
	}
	key := a.ID + " " + a.Reference + " "
	if v.found[key] == nil {
		v.found[key] = &a
	}
	v.see(kubePlace{artifact: key, where: v.where("image stores of nodes"), reference: text, digest: a.Digest, state: sbom.StatePresent}, s.node, s.origin)
}

// kubePlatform returns ID and VERSION_ID of os-release as far as they show in its PRETTY_NAME, which is all that a node
// reports; else the text itself.
func kubePlatform(pretty string) string {
	lower := strings.ToLower(pretty)
	for _, s := range [...][2]string{{"ubuntu", "ubuntu"}, {"debian gnu/linux", "debian"}, {"flatcar", "flatcar"}, {"alpine linux", "alpine"},
		{"opensuse leap", "opensuse-leap"}, {"red hat enterprise linux", "rhel"}, {"rocky linux", "rocky"}, {"almalinux", "almalinux"},
		{"centos stream", "centos"}, {"fedora", "fedora"}, {"talos", "talos"}} {
		if !strings.HasPrefix(lower, s[0]) {
			continue
		}
		if version := firstVersion(lower[len(s[0]):]); version != "" {
			return s[1] + " " + systemVersion(s[1], version)
		}
	}
	return pretty
}

// firstVersion returns the first word that begins with a digit, after a bracket or a v.
func firstVersion(text string) string {
	for _, word := range strings.Fields(text) {
		word = strings.TrimPrefix(strings.Trim(word, "()"), "v")
		if word != "" && word[0] >= '0' && word[0] <= '9' {
			return word
		}
	}
	return ""
}

// systemVersion cuts what VERSION_ID does not have: the point release of Ubuntu.
func systemVersion(id, version string) string {
	if parts := strings.Split(version, "."); id == "ubuntu" && len(parts) > 2 {
		return parts[0] + "." + parts[1]
	}
	return version
}
