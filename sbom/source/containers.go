package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// Limits of an engine. A large host runs a few hundred containers of as many images.
const (
	maxEngineAnswer  = 64 << 20 // bytes of a list; 10,000 containers have 15 MB
	maxEngineInspect = 4 << 20  // bytes of one image or container
	maxEngineError   = 4 << 10  // bytes of an error body that are read
	maxEngineEntries = 100_000  // containers or images of one list
	maxEngineAsked   = 5_000    // images or containers that are asked for one by one
	engineAnswerTime = time.Minute
	engineIdleTime   = 2 * time.Minute // without a byte of an image that is exported
)

// engineRight is what reading a socket takes, for a plan.
const engineRight = "read (member of group docker or the podman socket's owner: this right allows more than reading; " +
	"a read-only proxy such as one that lets only GET through is enough)"

// containers reads container engines: live over the API that Docker and Podman share, on a Unix socket of this machine or
// through ssh on another one, or from files that hold what docker, podman, crictl and ctr print. Only GET requests are
// sent. Of a container its name, image, state and labels are read; environment, command line and mounts have no field
// anywhere in here.
type containers struct {
	socket  string    // as written; empty for files
	local   string    // path of the socket on this machine; empty with ssh
	ssh     *sshPlace // nil without ssh
	ps      []string  // files or patterns, as written
	images  []string
	host    string // name of the machine; empty: the engine or the file name tells
	exclude []string
	base    string // folder of the stack file
	opt     Options
}

func containersFields() fields {
	return fields{"socket": optional, "ps": list, "images": list, "host": optional, "exclude": list,
		"ssh_config": optional, "identity": optional}
}

func decodeContainers(v values, opt Options) (sbom.Source, error) {
	s := containers{socket: v.text["socket"], ps: v.lists["ps"], images: v.lists["images"], host: v.text["host"],
		exclude: v.lists["exclude"], base: v.base, opt: opt}
	form, err := v.exactlyOne("containers", "socket", "ps")
	if err != nil {
		return nil, err
	}
	if s.host != "" && !isHostName(s.host) {
		return nil, at(v.at["host"], "host %q is not letters, digits, dots, dashes and underscores", s.host)
	}
	for _, pattern := range s.exclude {
		if _, err := path.Match(pattern, ""); err != nil {
			return nil, at(v.at["exclude"], "exclude: %q is no pattern; write a name or a label, with * for any text, e.g. customer-* or tier=customer", pattern)
		}
	}
	if form == "ps" {
		return s, refuseSSHKeys(v)
	}
	if v.has("images") {
		return nil, at(v.at["images"], "images is a file beside ps; a socket is asked for its images itself")
	}
	return s.withSocket(v)
}

func refuseSSHKeys(v values) error {
	for _, key := range []string{"ssh_config", "identity"} {
		if v.has(key) {
			return at(v.at[key], "%s belongs to socket: ssh://USER@HOST/PATH", key)
		}
	}
	return nil
}

func (s containers) withSocket(v values) (sbom.Source, error) {
	node := v.at["socket"]
	switch scheme, rest, _ := strings.Cut(s.socket, "://"); scheme {
	case "unix":
		if !strings.HasPrefix(rest, "/") {
			return nil, at(node, "socket %q names no absolute path; write unix:///run/docker.sock", s.socket)
		}
		s.local = path.Clean(rest)
		return s, refuseSSHKeys(v)
	case "ssh":
		place, err := parseSSH(s.socket)
		if err != nil {
			return nil, at(node, "socket: %s", err)
		}
		if text, ok := v.text["ssh_config"]; ok {
			place.config = v.path(text)
		}
		if text, ok := v.text["identity"]; ok {
			place.identity = v.path(text)
		}
		s.ssh = &place
		return s, nil
	}
	return nil, badSocket(node, s.socket)
}

func badSocket(node *yaml.Node, socket string) error {
	if strings.HasPrefix(socket, "/") {
		return at(node, "socket %q is a path; write unix://%s", socket, socket)
	}
	return at(node, "socket %q is neither unix:///PATH nor ssh://USER@HOST/PATH", socket)
}

// where returns the socket as reports may show it: without user, and without the folders of this machine.
func (s containers) where() string {
	switch {
	case s.ssh != nil:
		return s.ssh.String()
	case s.local != "":
		return "unix:" + shown(s.local)
	}
	return strings.Join(shownFiles(s.ps), ", ")
}

func shownFiles(written []string) []string {
	out := make([]string, len(written))
	for i, w := range written {
		out[i] = shown(w)
	}
	return out
}

// Name returns the kind and the socket or the files.
func (s containers) Name() string {
	if len(s.ps) > 3 {
		return fmt.Sprintf("containers %s and %d more", shown(s.ps[0]), len(s.ps)-1)
	}
	return "containers " + s.where()
}

// Contacts returns the socket, or every file and pattern.
func (s containers) Contacts() []audit.Contact {
	const purpose = "containers and images of an engine"
	if s.ssh != nil {
		return []audit.Contact{{Host: s.ssh.host, Address: s.ssh.String(), Right: "login with ssh, then " + engineRight, Purpose: purpose}}
	}
	if s.local != "" {
		return []audit.Contact{{Host: "local", Address: s.socket, Right: engineRight, Purpose: purpose}}
	}
	var out []audit.Contact
	for _, name := range slices.Concat(s.ps, s.images) {
		out = append(out, audit.Contact{Host: "local", Address: name, Right: "read", Purpose: purpose})
	}
	return out
}

// Inventory lists every image that a container uses or that lies in the image store. What cannot be read is a failure; an
// error says that nothing could be read.
func (s containers) Inventory(ctx context.Context) (sbom.Inventory, error) {
	if s.socket == "" {
		return s.readFiles(ctx)
	}
	client, err := s.connect(ctx)
	if err != nil {
		return sbom.Inventory{}, fmt.Errorf("reading containers of %q: %w", s.where(), err)
	}
	defer client.close()
	doc, err := s.ask(ctx, client)
	if ctx.Err() != nil {
		return sbom.Inventory{}, ctx.Err()
	}
	if err != nil {
		return sbom.Inventory{}, fmt.Errorf("reading containers of %q: %w", s.where(), err)
	}
	return s.inventory(ctx, []engineDoc{doc})
}

// engineClient sends GET requests to one engine.
type engineClient struct {
	http *http.Client
	end  func() // ends what carries the connection, e.g. ssh
}

// connect prepares a client; with ssh it waits until the way is open.
func (s containers) connect(ctx context.Context) (engineClient, error) {
	if s.ssh != nil {
		return s.connectSSH(ctx)
	}
	if s.opt.Network.Local == nil {
		return engineClient{}, errors.New("sockets of this machine may not be opened in this run; give files instead: ps: docker-ps.json")
	}
	return newEngineClient(func(ctx context.Context) (net.Conn, error) { return s.opt.Network.Local(ctx, s.local) }, nil), nil
}

func newEngineClient(dial func(context.Context) (net.Conn, error), end func()) engineClient {
	return engineClient{end: end, http: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
			DisableCompression:     true,
			MaxConnsPerHost:        1,
			ResponseHeaderTimeout:  engineAnswerTime,
			MaxResponseHeaderBytes: 64 << 10,
		}}}
}

func (c engineClient) close() {
	c.http.CloseIdleConnections()
	if c.end != nil {
		c.end()
	}
}

// statusError is an answer that is not 200.
type statusError struct {
	code    int
	message string
}

func (e statusError) Error() string {
	text := fmt.Sprintf("the engine answers %d %s", e.code, http.StatusText(e.code))
	if e.message != "" {
		text += fmt.Sprintf(" (%q)", e.message)
	}
	return text
}

// settle says what to do about an error of the API.
func engineSettle(err error) string {
	var status statusError
	switch {
	case errors.As(err, &status) && (status.code == http.StatusUnauthorized || status.code == http.StatusForbidden):
		return "give the right to read: let a proxy before the socket pass GET of version, info, containers and images"
	case errors.As(err, &status) && status.code == http.StatusTooManyRequests:
		return "run again later"
	case errors.Is(err, syscall.EACCES):
		return "run as root, as a member of group docker or as the owner of the podman socket"
	}
	return "run again when the engine answers, or give files: ps: docker-ps.json"
}

// get opens an answer. The caller closes the body.
func (c engineClient) get(ctx context.Context, target string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://engine"+target, nil)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, engineNetwork(err)
	}
	if response.StatusCode == http.StatusOK {
		return response, nil
	}
	defer response.Body.Close()
	var body struct {
		Message string `json:"message"`
	}
	data, _ := io.ReadAll(io.LimitReader(response.Body, maxEngineError)) // the status is the error; its text is extra
	_ = json.Unmarshal(data, &body)
	return nil, statusError{response.StatusCode, enginePrintable(body.Message, 200)}
}

// read returns an answer of at most limit bytes within a minute. With an error it returns what had arrived.
func (c engineClient) read(ctx context.Context, target string, limit int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, engineAnswerTime)
	defer cancel()
	response, err := c.get(ctx, target)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err != nil {
		return data, fmt.Errorf("the answer breaks off after %d bytes: %w", len(data), engineNetwork(err))
	}
	if int64(len(data)) > limit {
		return data[:limit], fmt.Errorf("the answer is larger than %d bytes", limit)
	}
	return data, nil
}

// decode reads one JSON object.
func (c engineClient) decode(ctx context.Context, target string, into any) error {
	data, err := c.read(ctx, target, maxEngineInspect)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return errors.New("the answer is not the JSON of a container engine")
	}
	return nil
}

// engineNetwork takes the address, which is a path of this machine, out of an error of package net.
func engineNetwork(err error) error {
	var errno syscall.Errno
	var wrapped *url.Error
	var op *net.OpError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("no answer in time")
	case errors.As(err, &errno):
		return errno
	case errors.As(err, &op):
		return op.Err
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("the connection was closed")
	case errors.As(err, &wrapped):
		return wrapped.Err
	}
	return err
}

// enginePrintable returns the start of a text without line breaks, controls and what is no UTF-8.
func enginePrintable(text string, limit int) string {
	text = strings.ToValidUTF8(text, "?")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0) || (r >= 0x2028 && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > limit {
		text = string(runes[:limit]) + "..."
	}
	return strings.TrimSpace(text)
}

// engineAPI collects the answers of one engine.
type engineAPI struct {
	containers
	client engineClient
	doc    engineDoc
}

// ask reads name and version, containers and images of a live engine. An error says that nothing could be read.
func (s containers) ask(ctx context.Context, client engineClient) (engineDoc, error) {
	r := engineAPI{containers: s, client: client, doc: engineDoc{name: s.where(), host: s.host, live: true,
		origin: audit.Origin{Source: "containers", URL: s.where(), At: s.opt.At}}}
	err := r.version(ctx)
	if err != nil && !errors.As(err, new(statusError)) {
		return engineDoc{}, s.unreached(err)
	}
	if err != nil {
		r.fail("GET /version", err)
	}
	r.info(ctx)
	running := r.list(ctx, "/containers/json?all=true", "containers")
	stored := r.list(ctx, "/images/json", "images")
	if !running && !stored && len(r.doc.containers)+len(r.doc.images) == 0 {
		return engineDoc{}, errors.New(r.doc.faults[len(r.doc.faults)-1].reason)
	}
	r.describe(ctx)
	return r.doc, nil
}

// unreached adds to an error what ssh does not tell.
func (s containers) unreached(err error) error {
	if s.ssh == nil {
		return err
	}
	return fmt.Errorf("%w; is a socket at %s there, and may the user open it?", err, s.ssh.path)
}

func (r *engineAPI) fail(what string, err error) {
	r.doc.faults = append(r.doc.faults, engineFault{reason: what + ": " + err.Error(), settle: engineSettle(err)})
}

// version reads which engine answers, and in which version.
func (r *engineAPI) version(ctx context.Context) error {
	var v struct {
		Version    string
		Components []struct{ Name string }
	}
	if err := r.client.decode(ctx, "/version", &v); err != nil {
		return err
	}
	r.doc.engine, r.doc.engineVersion = "docker", v.Version
	if len(v.Components) > 0 && strings.HasPrefix(strings.ToLower(v.Components[0].Name), "podman") {
		r.doc.engine = "podman"
	}
	return nil
}

// info reads the name of the machine, unless the entry gives one, and whether image IDs are digests of manifests.
func (r *engineAPI) info(ctx context.Context) {
	var v struct {
		Name         string
		DriverStatus [][]string
	}
	err := r.client.decode(ctx, "/info", &v)
	for _, pair := range v.DriverStatus {
		r.doc.manifestIDs = r.doc.manifestIDs || slices.Contains(pair, "io.containerd.snapshotter.v1")
	}
	if r.host != "" {
		return
	}
	if err == nil && !isHostName(v.Name) {
		err = fmt.Errorf("the engine names its host %q", enginePrintable(v.Name, 64))
	}
	if err != nil {
		r.doc.faults = append(r.doc.faults, engineFault{reason: "GET /info: " + err.Error(), settle: "name the machine: host: NAME"})
		return
	}
	r.doc.host = v.Name
}

// list reads a list and keeps the entries that had arrived where it breaks off; false if the answer is not complete.
func (r *engineAPI) list(ctx context.Context, target, what string) bool {
	data, err := r.client.read(ctx, target, maxEngineAnswer)
	if err == nil && !bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		err = errors.New("the answer is not the JSON of a container engine")
		data = nil
	}
	got := parseEngine(data, r.exclude, newLabelTexts())
	if err != nil {
		r.fail("GET /"+what, err)
	} else {
		for _, f := range got.faults {
			f.reason = "GET /" + what + ": " + f.reason
			r.doc.faults = append(r.doc.faults, f)
		}
	}
	digest := audit.DigestOf(data)
	if what == "images" {
		r.doc.images, r.doc.imagesDigest = got.images, digest
	} else {
		r.doc.containers, r.doc.hidden, r.doc.omitted, r.doc.origin.Digest = got.containers, got.hidden, got.omitted, digest
	}
	return err == nil && len(got.faults) == 0
}

// describe asks for what the lists lack: the reference of containers that go by an image ID, and the platform of images.
func (r *engineAPI) describe(ctx context.Context) {
	asked := 0
	ask := func(target string, into any) bool {
		if asked++; asked > maxEngineAsked {
			return false
		}
		err := r.client.decode(ctx, target, into)
		if status := (statusError{}); errors.As(err, &status) && status.code == http.StatusNotFound {
			return true // removed since the list was made
		}
		if err != nil {
			r.fail("GET "+target[:strings.Index(target[1:], "/")+1]+"/ID/json", err)
		}
		return err == nil
	}
	for i := range r.doc.containers {
		c := &r.doc.containers[i]
		if !isImageID(c.image) || !engineHex(c.id, 64) {
			continue
		}
		var e engineEntry
		if !ask("/containers/"+c.id+"/json", &e) {
			break
		}
		if e.Config != nil && e.Config.Image != "" && !isImageID(e.Config.Image) {
			c.named = e.Config.Image
		}
	}
	r.addUnlisted()
	for i := range r.doc.images {
		image := &r.doc.images[i]
		if !engineHex(image.id, 64) {
			continue
		}
		var e engineEntry
		if !ask("/images/sha256:"+image.id+"/json", &e) {
			break
		}
		image.complete(e)
	}
}

// addUnlisted adds images that containers use and the list of images does not have.
func (r *engineAPI) addUnlisted() {
	known := map[string]bool{}
	for _, image := range r.doc.images {
		known[image.id] = true
	}
	for _, c := range r.doc.containers {
		if engineHex(c.config, 64) && !known[c.config] {
			known[c.config] = true
			r.doc.images = append(r.doc.images, engineImage{id: c.config})
		}
	}
}
