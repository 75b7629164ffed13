package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/sbom/source"
)

// DetectOptions say where to look.
type DetectOptions struct {
	Dir    string              // directory with the operator's files; the stack file will stand there
	Root   string              // root of this machine: sockets, packages
	Getenv func(string) string // the environment: KUBECONFIG, HOME, DOCKER_HOST, XDG_RUNTIME_DIR
}

// Detected is what pegel init found.
type Detected struct {
	Name    string        // of the directory, the first guess at a name of the stack
	Sources []SourceFound // in the order in which they are written
	Unread  []string      // what is there and could not be read, with the remedy
	Allow   []string      // private addresses that the sources need
	Roots   bool          // this machine is read itself
}

// SourceFound is one entry of sources:.
type SourceFound struct {
	Entry string // YAML of the entry, on one line, without the dash
	Note  string // why it is there
	Off   bool   // written as a comment: one of several of which one is meant
}

// Detect looks at the machine, the current Kubernetes context and the files below a directory. It opens local sockets and
// files only and changes nothing.
func Detect(ctx context.Context, opt DetectOptions) (Detected, error) {
	if opt.Getenv == nil {
		opt.Getenv = func(string) string { return "" }
	}
	info, err := os.Stat(opt.Dir)
	if err != nil || !info.IsDir() {
		return Detected{}, usagef("name the directory in which stack.yaml shall stand", "looking at %q: no such directory", opt.Dir)
	}
	abs, err := filepath.Abs(opt.Dir)
	if err != nil {
		return Detected{}, fmt.Errorf("looking at %q: %w", opt.Dir, err)
	}
	d := detector{DetectOptions: opt, abs: abs, out: Detected{Name: nameFrom(filepath.Base(abs))}}
	d.files(ctx)
	d.engines(ctx)
	d.cluster()
	d.machine()
	return d.out, ctx.Err()
}

type detector struct {
	DetectOptions
	abs string
	out Detected
}

func (d *detector) add(note, format string, args ...any) {
	d.out.Sources = append(d.out.Sources, SourceFound{Entry: fmt.Sprintf(format, args...), Note: note})
}

func (d *detector) unread(format string, args ...any) {
	d.out.Unread = append(d.out.Unread, fmt.Sprintf(format, args...))
}

// engines tries the usual sockets of container engines.
func (d *detector) engines(ctx context.Context) {
	sockets := source.Sockets(d.Root, d.Getenv)
	if len(sockets) == 0 {
		d.unread("no socket of a container engine stands at the usual places; if one runs here, start its socket (systemctl start podman.socket) or give the output of docker ps as a file")
	}
	for _, path := range sockets {
		if err := connect(ctx, path); err != nil {
			d.unread("the socket %s is there and cannot be opened (%s): run as root or as its owner, or give the output of docker ps and docker image inspect as files", path, plainReason(err))
			continue
		}
		d.add("a container engine answers on this socket", "containers: {socket: %s}", quoted("unix://"+path))
	}
}

func connect(ctx context.Context, socket string) error {
	dialer := net.Dialer{Timeout: 2 * time.Second}
	conn, err := dialer.DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	return conn.Close()
}

// plainReason is the last cause of an error, without addresses.
func plainReason(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}

// kubeconfigFile is what init reads of a kubeconfig: names and addresses, no credentials.
type kubeconfigFile struct {
	Current  string `yaml:"current-context"`
	Contexts []struct {
		Name    string `yaml:"name"`
		Context struct {
			Cluster string `yaml:"cluster"`
		} `yaml:"context"`
	} `yaml:"contexts"`
	Clusters []struct {
		Name    string `yaml:"name"`
		Cluster struct {
			Server string `yaml:"server"`
		} `yaml:"cluster"`
	} `yaml:"clusters"`
}

// maxKubeconfig bounds a kubeconfig; one with a hundred clusters has half a megabyte.
const maxKubeconfig = 4 << 20

// cluster looks for the kubeconfig that kubectl would use.
func (d *detector) cluster() {
	name := ""
	if list := filepath.SplitList(d.Getenv("KUBECONFIG")); len(list) > 0 {
		name = list[0]
	} else if home := d.Getenv("HOME"); home != "" {
		name = filepath.Join(home, ".kube", "config")
	}
	data, err := readBounded(name, maxKubeconfig)
	switch {
	case name == "" || errors.Is(err, fs.ErrNotExist):
		return
	case err != nil:
		d.unread("the kubeconfig %s cannot be read (%s)", name, plainReason(err))
		return
	}
	var config kubeconfigFile
	if err := yaml.Unmarshal(data, &config); err != nil {
		d.unread("the kubeconfig %s is no YAML that can be read", name) // the message of the parser may quote a secret
		return
	}
	if config.Current == "" {
		d.unread("the kubeconfig %s names no current context: kubectl config use-context NAME", name)
		return
	}
	d.allow(config.server())
	d.add("the cluster of the current context; give an account the rights in docs/rights/kubernetes.yaml, not your own", "kubernetes: {kubeconfig: %s, contexts: [%s]}", quoted(name), quoted(config.Current))
}

// server is the address of the current context.
func (k kubeconfigFile) server() string {
	for _, c := range k.Contexts {
		if c.Name != k.Current {
			continue
		}
		for _, cluster := range k.Clusters {
			if cluster.Name == c.Context.Cluster {
				return cluster.Cluster.Server
			}
		}
	}
	return ""
}

// allow notes a server with a private literal address, which is reached only if the stack file allows it.
func (d *detector) allow(server string) {
	u, err := url.Parse(server)
	if err != nil {
		return
	}
	addr, err := netip.ParseAddr(u.Hostname())
	if u.Hostname() == "localhost" {
		addr, err = netip.MustParseAddr("127.0.0.1"), nil
	}
	if err == nil && (addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast()) {
		d.out.Allow = append(d.out.Allow, addr.String())
	}
}

// machine adds this machine if it has a package database.
func (d *detector) machine() {
	for _, name := range []string{"var/lib/dpkg/status", "var/lib/rpm", "usr/lib/sysimage/rpm", "lib/apk/db/installed", "usr/lib/apk/db/installed"} {
		if _, err := os.Stat(filepath.Join(d.Root, name)); err == nil {
			d.out.Roots = true
			d.add("the packages of this machine; leave it out if the machine is no part of the stack", "host: {root: %s}", quoted(d.Root))
			return
		}
	}
}

// nameFrom makes a name of a stack from that of a directory.
func nameFrom(base string) string {
	name := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '-'
	}, strings.ToLower(base)), "-.")
	return cmp.Or(name, "example-cloud")
}

// quoted writes a YAML text that may stand in a flow mapping.
func quoted(text string) string {
	if text != "" && strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./_-") == "" && !strings.HasPrefix(text, "-") {
		return text
	}
	return "\"" + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(text) + "\""
}

// Text says what was found and what could not be read, for people.
func (d Detected) Text() string {
	var b strings.Builder
	for _, s := range d.Sources {
		fmt.Fprintf(&b, "found: %s (%s)\n", s.Entry, s.Note)
	}
	if len(d.Sources) == 0 {
		b.WriteString("found nothing that shows a stack: the file holds an example\n")
	}
	for _, text := range d.Unread {
		fmt.Fprintf(&b, "not read: %s\n", text)
	}
	return b.String()
}

// StackFile writes the stack file. It can be read by ReadStack as it is; the name and the operator are to be filled in.
func (d Detected) StackFile() ([]byte, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "# What is audited. Written by pegel init; change what is wrong. docs/stack.md explains every key.\nschema: %s\n", StackSchema)
	fmt.Fprintf(&b, "subject:\n  name: %s\n  kind: cloud           # or release: a software release without an operator\n  exposure: private     # public, community or private\n", quoted(d.Name))
	b.WriteString("  # operator: {name: Example GmbH, domains: [example.org]}\n")
	fmt.Fprintf(&b, "scopes: [%s]\n", strings.Join(d.scopes(), ", "))
	b.WriteString("# Where the inventory comes from: what shall run, and what runs. Both are compared.\nsources:\n")
	for _, s := range d.Sources {
		mark := ""
		if s.Off {
			mark = "# "
		}
		fmt.Fprintf(&b, "  %s- %s\n    # %s\n", mark, s.Entry, s.Note)
	}
	if len(d.Sources) == 0 {
		b.WriteString("  - host: {root: /}\n    # nothing was found; this line reads the packages of this machine\n")
	}
	for _, text := range d.Unread {
		fmt.Fprintf(&b, "  # not read: %s\n", strings.Join(strings.Fields(text), " "))
	}
	b.WriteString("  # Lists made for another purpose show what the inventory lacks:\n  # - crosscheck: {ansible: ./inventory/hosts, compute_services: ./compute-services.json}\n")
	if len(d.Allow) > 0 {
		fmt.Fprintf(&b, "# Private addresses are reached only if they stand here.\nnetwork:\n  allow: [%s]\n", strings.Join(quotedAll(d.Allow), ", "))
	}
	b.WriteString("# Whom to ask where images name no licence; without it nobody (docs/licence-sources.md).\n# licences: {services: [debsources, debian-changelogs, pypi]}\n")
	b.WriteString("# Corrections, each with a reason; they keep a scope open until an auditor accepts them.\n# assign:\n#   - {match: \"image:*/netbox\", tier: ops, reason: \"used by operators only\"}\n")
	b.WriteString("# What the public can see of how the cloud is run, for SCS-sovereign (docs/transparency.md).\n# transparency:\n#   status_page: https://status.example.org\n#   monitor: https://health.example.org\n#   runbooks: {repositories: [\"https://git.example.org/ops/runbooks\"]}\n")
	b.WriteString("# The certificate of level 2 and its tests (docs/conformance.md).\n# conformance: {scs_compatible: {monitor: \"https://compliance.example.org\", subject: example-cloud}}\n# declarations: declarations.yaml   # what only you can say; pegel declare helps to write it\n")
	data := []byte(b.String())
	if _, err := ParseStack(data, "stack.yaml"); err != nil {
		return nil, fmt.Errorf("writing stack.yaml: %w", err)
	}
	return data, nil
}

func (d Detected) scopes() []string {
	layers := []string{}
	kaas := func(s SourceFound) bool {
		return strings.HasPrefix(s.Entry, "kubernetes:") || strings.HasPrefix(s.Entry, "helm:") || strings.HasPrefix(s.Entry, "cluster-stack:")
	}
	if len(d.Sources) == 0 || slices.ContainsFunc(d.Sources, func(s SourceFound) bool { return !kaas(s) }) {
		layers = append(layers, "iaas")
	}
	if slices.ContainsFunc(d.Sources, kaas) {
		layers = append(layers, "kaas")
	}
	var out []string
	for _, layer := range layers {
		out = append(out, "scs-open-"+layer, "scs-sovereign-"+layer)
	}
	return out
}

func quotedAll(list []string) []string {
	var out []string
	for _, text := range list {
		out = append(out, quoted(text))
	}
	return out
}

// WriteNew writes a file into a directory. It overwrites only if it is told to, and nobody ever sees half a file.
func WriteNew(dir, name string, data []byte, force bool) error {
	if filepath.Base(name) != name {
		return usagef("give a name without a directory, and the directory as the argument", "writing %q: it is no plain file name", name)
	}
	path := filepath.Join(dir, name)
	if !force {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) {
			return usagef("--force overwrites it", "writing %q: the file is there already", path)
		}
		if err != nil {
			return usagef("choose a directory that can be written", "writing %q: %s", path, plainReason(err))
		}
		_, err = f.Write(data)
		if err := errors.Join(err, f.Close()); err != nil {
			return errors.Join(fmt.Errorf("writing %q: %w", path, err), os.Remove(path))
		}
		return nil
	}
	tmp, err := os.CreateTemp(dir, ".pegel-*")
	if err != nil {
		return usagef("choose a directory that can be written", "writing %q: %s", path, plainReason(err))
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err := errors.Join(err, tmp.Chmod(0o644), tmp.Close()); err != nil {
		return fmt.Errorf("writing %q: %w", path, err)
	}
	return os.Rename(tmp.Name(), path)
}
