package source

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/transport"

	"github.com/pegel-audit/pegel/audit"
)

// Limits of talking to a server.
const (
	kubePage       = 500 // objects asked for at once, as kubectl does
	kubeMaxPages   = 10_000
	kubeTries      = 3 // of one request, if the server says that it is busy
	kubeMaxWait    = 10 * time.Second
	kubeMaxConfig  = 4 << 20
	kubeMaxVersion = 1 << 20 // bytes of what a group of the API says about itself
)

// errKubeOver says that nothing more can be read of a cluster: it is out of reach or refuses the credentials.
type errKubeOver struct{ error }

func (e errKubeOver) Unwrap() error { return e.error }

// kubeRefusal is an HTTP status that is not 200; the server's own message is left out, because it may name people.
type kubeRefusal int

func (e kubeRefusal) Error() string {
	return fmt.Sprintf("the server answers %d %s", int(e), http.StatusText(int(e)))
}

// liveContacts names the servers of the contexts, and what else is opened or run to talk to them.
func (s kubernetes) liveContacts() []audit.Contact {
	out := []audit.Contact{{Host: "local", Address: s.kubeconfig, Right: "read", Purpose: "addresses and credentials of clusters"}}
	if s.ca != "" {
		out = append(out, audit.Contact{Host: "local", Address: s.ca, Right: "read", Purpose: "certificate authority of the clusters"})
	}
	all, err := s.loadKubeconfig()
	if err != nil {
		return out
	}
	for _, name := range s.contextNames(all) {
		cfg, err := s.clientConfig(all, name)
		if err != nil {
			continue
		}
		if cfg.ExecProvider != nil && s.exec {
			out = append(out, audit.Contact{Host: "local", Address: filepath.Base(cfg.ExecProvider.Command), Right: "run",
				Purpose: "credentials of " + s.clusterName(all, name)})
		}
		if u, err := s.address(cfg); err == nil {
			out = append(out, audit.Contact{Host: u.Hostname(), Address: u.String(), Right: kubeRight, Purpose: "workloads and nodes of " + s.clusterName(all, name)})
		}
	}
	return out
}

// readLive reads every context, one after the other.
func (s kubernetes) readLive(ctx context.Context) ([]*kubeCluster, error) {
	if s.opt.Network.Dial == nil {
		return nil, errOffline
	}
	all, err := s.loadKubeconfig()
	if err != nil {
		return nil, err
	}
	names := s.contextNames(all)
	if len(names) == 0 {
		return nil, errors.New("it names no current context; list contexts in the entry")
	}
	var out []*kubeCluster
	for _, name := range names {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		out = append(out, s.readContext(ctx, all, name))
	}
	return out, nil
}

// loadKubeconfig reads the file. What is wrong with it is not repeated, because it holds credentials.
func (s kubernetes) loadKubeconfig() (*clientcmdapi.Config, error) {
	place := s.path(s.kubeconfig)
	data, err := readFile(place, kubeMaxConfig)
	if err != nil {
		return nil, errors.New(reason(err))
	}
	all, err := clientcmd.Load(data)
	if err != nil || len(all.Clusters) == 0 {
		return nil, errors.New("it is no kubeconfig; what is wrong is not repeated here, kubectl config view tells")
	}
	for _, c := range all.Clusters {
		c.LocationOfOrigin = place
	}
	for _, a := range all.AuthInfos {
		a.LocationOfOrigin = place
	}
	if err := clientcmd.ResolveLocalPaths(all); err != nil {
		return nil, errors.New("the paths in the kubeconfig cannot be read")
	}
	return all, nil
}

func (s kubernetes) contextNames(all *clientcmdapi.Config) []string {
	if len(s.contexts) > 0 {
		return s.contexts
	}
	if all.CurrentContext == "" {
		return nil
	}
	return []string{all.CurrentContext}
}

// clusterName is what sightings call the cluster: as the entry says, else the name of the context. A name such as
// person@cluster gives way to that of the cluster in the kubeconfig.
func (s kubernetes) clusterName(all *clientcmdapi.Config, name string) string {
	if s.cluster != "" {
		return "cluster " + s.cluster
	}
	if strings.ContainsAny(name, "@/") {
		if c := all.Contexts[name]; c != nil {
			name = c.Cluster
		}
		name = name[strings.LastIndexAny(name, "@/")+1:]
	}
	if !kubeName(name) {
		return "cluster"
	}
	return "cluster " + name
}

// readContext reads one cluster within its time.
func (s kubernetes) readContext(ctx context.Context, all *clientcmdapi.Config, name string) *kubeCluster {
	cluster := s.clusterName(all, name)
	c := newKubeCluster(s, cluster, s.Name()+" "+cluster)
	client, err := s.client(all, name)
	if err != nil {
		c.fail(audit.Origin{}, "", "%s: %s", cluster, err)
		return c
	}
	defer client.http.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, kubeDeadline*s.timeout)
	defer cancel()
	r := kubeReader{cluster: c, client: client}
	if err := r.readAll(ctx); err != nil {
		c.fail(audit.Origin{URL: client.base.String()}, "", "%s: nothing more was asked after this", cluster)
	}
	return c
}

// kubeClient asks one API server, with GET and nothing else.
type kubeClient struct {
	http    *http.Client
	base    *url.URL
	timeout time.Duration
	secrets []string // that no message may repeat
}

// clientConfig returns what the kubeconfig says about one context.
func (s kubernetes) clientConfig(all *clientcmdapi.Config, name string) (*rest.Config, error) {
	c := all.Contexts[name]
	if c == nil {
		return nil, errors.New("the kubeconfig has no such context; kubectl config get-contexts lists them")
	}
	if all.Clusters[c.Cluster] == nil {
		return nil, errors.New("the context names a cluster that the kubeconfig does not have")
	}
	cfg, err := clientcmd.NewNonInteractiveClientConfig(*all, name, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
	if err != nil {
		return nil, errors.New("the kubeconfig cannot be used: a part of the context is missing or contradicts another, or a file " +
			"that it names is not there; kubectl --context tells")
	}
	return cfg, nil
}

// client makes a client for one context, or says which weaker choice the entry would have to name.
func (s kubernetes) client(all *clientcmdapi.Config, name string) (*kubeClient, error) {
	cfg, err := s.clientConfig(all, name)
	if err != nil {
		return nil, err
	}
	if err := s.refuse(cfg); err != nil {
		return nil, err
	}
	base, err := s.address(cfg)
	if err != nil {
		return nil, err
	}
	if err := s.credentials(cfg); err != nil {
		return nil, err
	}
	rt, err := s.roundTripper(cfg)
	if err != nil {
		return nil, err
	}
	return &kubeClient{base: base, timeout: s.timeout, secrets: kubeSecrets(cfg), http: &http.Client{Transport: rt,
		// A redirect would carry the credentials to another address.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

// refuse stops what a kubeconfig may ask for and the entry does not allow.
func (s kubernetes) refuse(cfg *rest.Config) error {
	switch {
	case cfg.AuthProvider != nil:
		return errors.New("the kubeconfig uses an auth-provider, which is not supported; use a token or a client certificate, " +
			"e.g. of the service account in docs/rights/kubernetes.yaml")
	case cfg.ExecProvider != nil && !s.exec:
		return errors.New("the kubeconfig runs a program to get credentials; allow it with exec: true in the entry, or use the " +
			"token of the service account in docs/rights/kubernetes.yaml")
	case cfg.Insecure && !s.insecure:
		return errors.New("the kubeconfig turns the check of the certificate off (insecure-skip-tls-verify); name the certificate " +
			"authority with ca: FILE in the entry, or allow it with insecure_tls: true")
	}
	return nil
}

// address returns the server without credentials in it.
func (s kubernetes) address(cfg *rest.Config) (*url.URL, error) {
	text := cfg.Host
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, errors.New("the address of the server in the kubeconfig is no URL")
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && s.insecure) {
		return nil, errors.New("the address of the server in the kubeconfig is not https; allow http with insecure_tls: true in the entry")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")}, nil
}

// credentials loads the files that the kubeconfig names, once, so that nothing watches them in the background.
func (s kubernetes) credentials(cfg *rest.Config) error {
	for _, f := range []struct {
		name *string
		data *[]byte
		what string
	}{{&cfg.CAFile, &cfg.CAData, "the certificate authority"}, {&cfg.CertFile, &cfg.CertData, "the client certificate"},
		{&cfg.KeyFile, &cfg.KeyData, "the client key"}} {
		if *f.name != "" && len(*f.data) == 0 {
			data, err := readFile(*f.name, kubeMaxConfig)
			if err != nil {
				return fmt.Errorf("%s that the kubeconfig names: %s", f.what, reason(err))
			}
			*f.data = data
		}
		*f.name = ""
	}
	if cfg.BearerTokenFile != "" {
		data, err := readFile(cfg.BearerTokenFile, kubeMaxConfig)
		if err != nil {
			return fmt.Errorf("the token file that the kubeconfig names: %s", reason(err))
		}
		cfg.BearerToken, cfg.BearerTokenFile = strings.TrimSpace(string(data)), ""
	}
	if s.ca == "" {
		return nil
	}
	data, err := readFile(s.path(s.ca), kubeMaxConfig)
	if err != nil {
		return fmt.Errorf("ca %q: %s", shown(s.ca), reason(err))
	}
	if !x509.NewCertPool().AppendCertsFromPEM(data) {
		return fmt.Errorf("ca %q: it holds no certificate in PEM form", shown(s.ca))
	}
	cfg.CAData, cfg.Insecure = slices.Concat(cfg.CAData, []byte("\n"), data), false
	return nil
}

// roundTripper builds the connection. client-go adds the credentials; its own transports are not used, because they are
// shared in the process and take proxies from the environment.
func (s kubernetes) roundTripper(cfg *rest.Config) (http.RoundTripper, error) {
	cfg.Dial = s.opt.Network.Dial
	cfg.UserAgent = "pegel"
	if cfg.ExecProvider != nil {
		cfg.ExecProvider.StdinUnavailable = true
		cfg.ExecProvider.StdinUnavailableMessage = "pegel asks nobody for credentials"
	}
	tc, err := cfg.TransportConfig()
	if err != nil {
		return nil, errors.New("the credentials in the kubeconfig cannot be used")
	}
	secured, err := transport.TLSConfigFor(tc)
	if err != nil {
		return nil, errors.New("the certificates or the client key in the kubeconfig cannot be read")
	}
	if secured == nil {
		secured = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if secured.RootCAs == nil {
		secured.RootCAs = s.opt.Network.Roots
	}
	return transport.HTTPWrappersForConfig(tc, &http.Transport{TLSClientConfig: secured, DialContext: tc.DialHolder.Dial, Proxy: s.proxyOf(cfg),
		ForceAttemptHTTP2: true, TLSHandshakeTimeout: s.timeout, ResponseHeaderTimeout: s.timeout, MaxResponseHeaderBytes: 1 << 20})
}

// proxyOf returns the proxy of the entry, else that of the kubeconfig, else that of the run.
func (s kubernetes) proxyOf(cfg *rest.Config) func(*http.Request) (*url.URL, error) {
	switch {
	case s.proxy != nil:
		return http.ProxyURL(s.proxy)
	case cfg.Proxy != nil:
		return cfg.Proxy
	}
	return s.opt.Network.Proxy
}

// kubeSecrets are the texts of a configuration that no message may repeat.
func kubeSecrets(cfg *rest.Config) []string {
	out := []string{cfg.BearerToken, cfg.Username, cfg.Password, string(cfg.KeyData)}
	if cfg.ExecProvider != nil {
		out = append(out, cfg.ExecProvider.Args...)
		for _, e := range cfg.ExecProvider.Env {
			out = append(out, e.Value)
		}
	}
	return slices.DeleteFunc(out, func(s string) bool { return len(s) < 4 })
}

// get asks for one path. A server that is busy is asked again, as often and as late as is bearable.
func (c *kubeClient) get(ctx context.Context, place string, query url.Values) (*http.Response, error) {
	for try := 1; ; try++ {
		resp, err := c.once(ctx, place, query)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode == http.StatusOK {
			return resp, nil
		}
		after := resp.Header.Get("Retry-After")
		resp.Body.Close()
		busy := resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable
		if !busy || try == kubeTries || pause(ctx, kubeWait(after)) != nil {
			return nil, kubeRefusal(resp.StatusCode)
		}
	}
}

func (c *kubeClient) once(ctx context.Context, place string, query url.Values) (*http.Response, error) {
	u := *c.base
	u.Path, u.RawQuery = c.base.Path+place, query.Encode()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		cancel()
		return nil, errKubeOver{errors.New("the address of the server cannot be asked")}
	}
	req.Header.Set("Accept", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		cancel()
		return nil, errKubeOver{c.plain(err)}
	}
	resp.Body = &kubeAnswer{ReadCloser: resp.Body, cancel: cancel, client: c}
	return resp, nil
}

// kubeAnswer is a body that ends the time of its request when it is closed.
type kubeAnswer struct {
	io.ReadCloser
	cancel context.CancelFunc
	client *kubeClient
}

func (a *kubeAnswer) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		err = a.client.plain(err)
	}
	return n, err
}

func (a *kubeAnswer) Close() error {
	defer a.cancel()
	return a.ReadCloser.Close()
}

// plain says what went wrong without addresses and without anything secret.
func (c *kubeClient) plain(err error) error {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var timeout net.Error
	switch {
	case errors.As(err, &authority):
		return errors.New("its certificate is signed by an authority that nobody vouches for; name the authority with ca: FILE in the entry")
	case errors.As(err, &host):
		return errors.New("its certificate is for another name")
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("no answer within %s", c.timeout)
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	text := err.Error()
	if strings.HasPrefix(text, "getting credentials:") {
		return errors.New("the program that the kubeconfig names gives no credentials; run it by hand to see why")
	}
	for _, secret := range c.secrets {
		text = strings.ReplaceAll(text, secret, "[withheld]")
	}
	return errors.New(text)
}

// kubeWait reads Retry-After: seconds, at most kubeMaxWait.
func kubeWait(after string) time.Duration {
	seconds, err := strconv.Atoi(after)
	if err != nil || seconds < 0 {
		return time.Second
	}
	return min(time.Duration(seconds)*time.Second, kubeMaxWait)
}

// kubeReader reads the lists of one cluster.
type kubeReader struct {
	cluster *kubeCluster
	client  *kubeClient
}

// readAll reads every list. The error says that the cluster is out of reach; it has its failure already.
func (r kubeReader) readAll(ctx context.Context) error {
	for _, l := range []struct {
		path string
		kubeResource
	}{{"/api/v1", kubeResource{"Pod", "pods", true}}, {"/apis/apps/v1", kubeResource{"ReplicaSet", "replicasets", true}},
		{"/apis/batch/v1", kubeResource{"Job", "jobs", true}}, {"/api/v1", kubeResource{"Node", "nodes", false}}} {
		if err := r.resource(ctx, l.path, l.kubeResource, true); err != nil {
			return err
		}
	}
	for _, g := range kubeGroups() {
		version, err := r.version(ctx, g)
		if err != nil {
			return err
		}
		if version == "" {
			continue
		}
		for _, resource := range g.resources {
			if err := r.resource(ctx, "/apis/"+g.name+"/"+version, resource, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// apiVersion is what objects of a list carry, if they do not say it themselves: objects of the API's own kinds do not.
func (r kubeResource) apiVersion(place string) string {
	parts := strings.Split(strings.TrimPrefix(place, "/"), "/")
	if parts[0] == "api" {
		return parts[1]
	}
	return parts[1] + "/" + parts[2]
}

// preferredVersion reads what a group of the API says about itself.
func preferredVersion(in io.Reader) (string, error) {
	var group struct {
		Preferred struct {
			Version string `json:"version"`
		} `json:"preferredVersion"`
	}
	if err := json.NewDecoder(in).Decode(&group); err != nil {
		return "", errors.New("it is no description of a group of the API")
	}
	if v := group.Preferred.Version; v == "" || kubeName(v) && !strings.Contains(v, "..") {
		return v, nil
	}
	return "", errors.New("the version that the server prefers is no name")
}

// version returns the version of a group that the server prefers, or nothing if it does not have the group.
func (r kubeReader) version(ctx context.Context, g kubeGroup) (string, error) {
	place := "/apis/" + g.name
	resp, err := r.client.get(ctx, place, nil)
	if refused := kubeRefusal(0); errors.As(err, &refused) {
		if refused != http.StatusNotFound {
			r.fail(place, err)
		}
		return "", nil
	}
	if err != nil {
		r.fail(place, err)
		return "", over(err)
	}
	defer resp.Body.Close()
	version, err := preferredVersion(io.LimitReader(resp.Body, kubeMaxVersion))
	if err != nil {
		r.fail(place, err)
		return "", nil
	}
	return cmp.Or(version, g.versions[0]), nil
}

// over returns the error if nothing more can be asked.
func over(err error) error {
	if e := (errKubeOver{}); errors.As(err, &e) {
		return err
	}
	if refused := kubeRefusal(0); errors.As(err, &refused) && refused == http.StatusUnauthorized {
		return err
	}
	return nil
}

// resource reads a list of the whole cluster, or of each namespace that the entry lists.
func (r kubeReader) resource(ctx context.Context, group string, res kubeResource, must bool) error {
	if !res.namespaced || len(r.cluster.source.rules.namespaces) == 0 {
		return r.list(ctx, group+"/"+res.name, res, must)
	}
	for _, namespace := range r.cluster.source.rules.namespaces {
		if err := r.list(ctx, group+"/namespaces/"+namespace+"/"+res.name, res, must); err != nil {
			return err
		}
	}
	return nil
}

// list reads all pages of one list. The error is only for what ends the whole cluster.
func (r kubeReader) list(ctx context.Context, place string, res kubeResource, must bool) error {
	c := r.cluster
	l, err := r.pages(ctx, place, res)
	if refused := kubeRefusal(0); errors.As(err, &refused) && refused == http.StatusNotFound && !must {
		return nil
	}
	if l.origin.Digest != "" {
		c.answered = true
		c.lists = append(c.lists, l)
		c.owners = c.owners || res.kind == "ReplicaSet"
	}
	if err != nil {
		r.fail(place, err)
	}
	return over(err)
}

// fail notes why a path could not be read, and what to do.
func (r kubeReader) fail(place string, err error) {
	settle := ""
	refused := kubeRefusal(0)
	switch errors.As(err, &refused); refused {
	case http.StatusUnauthorized:
		settle = "renew the credentials in the kubeconfig"
	case http.StatusForbidden:
		settle = "grant list on " + path.Base(place) + " (docs/rights/kubernetes.yaml)"
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		settle = "run again when the server is less busy"
	}
	r.cluster.fail(audit.Origin{URL: r.client.base.String() + place}, settle, "%s: %s: %s", r.cluster.name, strings.TrimPrefix(place, "/"), reason(err))
}

// pages reads a list page by page. If the server forgot where it was (410 Gone), the list is read once more from its
// beginning. What was read before an error is returned with it; without a digest nothing was.
func (r kubeReader) pages(ctx context.Context, place string, res kubeResource) (*kubeList, error) {
	l, body, err := r.pass(ctx, place, res)
	if refused := kubeRefusal(0); errors.As(err, &refused) && refused == http.StatusGone {
		for _, o := range l.items {
			delete(r.cluster.seen, o.key())
		}
		l, body, err = r.pass(ctx, place, res)
	}
	if body.total > 0 {
		l.origin.Digest = body.digest()
	}
	if err != nil && body.items > 0 {
		err = fmt.Errorf("%s: %w; what stands before is used", body.place(), err)
	}
	return l, err
}

// pass reads a list once from its beginning.
func (r kubeReader) pass(ctx context.Context, place string, res kubeResource) (*kubeList, *kubeBody, error) {
	c := r.cluster
	l := &kubeList{name: r.evidence(place), origin: audit.Origin{Source: "kubernetes", URL: r.client.base.String() + place,
		Path: strings.TrimPrefix(place, "/"), At: c.source.opt.At}}
	body := newKubeBody(nil)
	query := url.Values{"limit": {strconv.Itoa(kubePage)}}
	for range kubeMaxPages {
		resp, err := r.client.get(ctx, place, query)
		if err != nil {
			return l, body, err
		}
		body.page(resp.Body)
		err = body.list(res.kind, func(o *kubeObject, err error) {
			o.APIVersion = cmp.Or(o.APIVersion, res.apiVersion(place))
			c.take(l, body.items, o, err)
		})
		resp.Body.Close()
		if err != nil || body.next == "" {
			return l, body, err
		}
		query.Set("continue", body.next)
	}
	return l, body, fmt.Errorf("the list has more than %d pages", kubeMaxPages)
}

// evidence names the reduced list in the bundle, e.g. kubernetes/prod/api/v1/pods.json.
func (r kubeReader) evidence(place string) string {
	return "kubernetes/" + strings.TrimPrefix(r.cluster.name, "cluster ") + place + ".json"
}
