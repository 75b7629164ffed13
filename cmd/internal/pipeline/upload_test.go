package pipeline

import (
	"context"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/ssh"

	"github.com/pegel-audit/pegel/audit/conformance"
	"github.com/pegel-audit/pegel/audit/signature"
	"github.com/pegel-audit/pegel/reports"
)

// complianceMonitor answers as the compliance monitor of SCS does (standards, commit 077174d9: compliance-monitor/monitor.py).
type complianceMonitor struct {
	allowed string            // line of allowed signers: the keys of the account
	scopes  map[string]string // uuid -> subject that has results already, or ""
	runs    map[string]bool
	posts   int
	fail    []int // answers to give first
	after   string
}

func (m *complianceMonitor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	say := func(code int, detail string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"detail":%q}`, detail)
	}
	switch {
	case r.Method == http.MethodGet && r.URL.Path == "/status": // get_status
		uuid, subject := r.URL.Query().Get("scopeuuid"), r.URL.Query().Get("subject")
		if m.scopes[uuid] == subject && subject != "" {
			fmt.Fprintf(w, `{%q:{%q:{}}}`, subject, uuid)
			return
		}
		fmt.Fprint(w, `{}`)
	case r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/markdown/scope/"): // get_scope: a KeyError is a 500
		if _, ok := m.scopes[strings.TrimPrefix(r.URL.Path, "/markdown/scope/")]; !ok {
			w.WriteHeader(http.StatusInternalServerError)
		}
	case r.URL.Path == "/healthz":
	case r.Method == http.MethodPost && r.URL.Path == "/reports": // post_report
		m.posts++
		if len(m.fail) > 0 {
			code := m.fail[0]
			m.fail = m.fail[1:]
			w.Header().Set("Retry-After", m.after)
			say(code, "later")
			return
		}
		if m.post(say, r) {
			fmt.Fprint(w, "null") // what FastAPI makes of a function that returns nothing
		}
	default:
		say(http.StatusNotFound, "Not Found")
	}
}

func (m *complianceMonitor) post(say func(int, string), r *http.Request) (stored bool) {
	user, password, _ := r.BasicAuth()
	if password != "right" {
		say(401, "Incorrect username or password")
		return false
	}
	if r.Header.Get("Content-Type") != "application/x-signed-yaml" {
		say(415, "Unsupported Media Type")
		return false
	}
	body, _ := io.ReadAll(r.Body)
	const separator = "-----END SSH SIGNATURE-----\n&"
	at := strings.Index(string(body), separator)
	if at < 0 {
		say(401, "missing signature")
		return false
	}
	at += len(separator)
	armored, document := body[:at-1], body[at:]
	if _, err := signature.Verify(document, armored, []byte("mail@csp.eu "+m.allowed), "mail@csp.eu", "report", time.Now()); err != nil {
		say(401, "verification failed")
		return false
	}
	heads, err := conformance.ReadHeads(document)
	if err != nil {
		say(500, "Internal Server Error")
		return false
	}
	for _, h := range heads {
		if h.Subject != user {
			say(401, "Permission denied")
			return false
		}
	}
	for _, h := range heads {
		if m.runs[h.Run] {
			say(409, "Conflict: report already present")
			return false
		}
	}
	for _, h := range heads {
		m.runs[h.Run] = true
	}
	return true
}

// signedReport writes a report about a subject in scopes, and its signature.
func signedReport(t *testing.T, subject string, scopes ...string) (file string, key []byte, public string) {
	t.Helper()
	pub, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "test")
	if err != nil {
		t.Fatal(err)
	}
	line, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	r := reports.Report{Subject: reports.Subject{Name: subject}, Policy: reports.Policy{ID: "p"}, AssessedAt: time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)}
	for _, s := range scopes {
		r.Verdicts = append(r.Verdicts, reports.Verdict{Scope: s, Title: s, Requested: true})
	}
	data, err := reports.SCSReport(r, reports.Options{})
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "report.yaml")
	key = pem.EncodeToMemory(block)
	armored, err := signature.Sign(data, key, nil, "report")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{file: data, file + ".sig": armored} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return file, key, string(ssh.MarshalAuthorizedKey(line))
}

func served(t *testing.T, m *complianceMonitor) string {
	t.Helper()
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	return server.URL
}

func send(t *testing.T, opt UploadOptions, user, password string) (string, error) {
	t.Helper()
	u, err := PrepareUpload(opt)
	if err != nil {
		t.Fatal(err)
	}
	account, err := ReadAccount(user, password, "")
	if err != nil {
		t.Fatal(err)
	}
	return u.Send(t.Context(), account)
}

func TestASignedReportIsStoredOnceAndEveryRefusalOfTheMonitorHasItsReason(t *testing.T) {
	file, _, public := signedReport(t, "cloud", "a")
	scope := reports.SCSScopeUUID("p", "a")
	m := &complianceMonitor{allowed: public, scopes: map[string]string{scope: ""}, runs: map[string]bool{}}
	url := served(t, m)
	if note, err := send(t, UploadOptions{Report: file, Monitor: url}, "cloud", "right"); err != nil || note != "" {
		t.Errorf("a new report: %q, %v", note, err)
	}
	if note, err := send(t, UploadOptions{Report: file, Monitor: url + "/"}, "cloud", "right"); err != nil || !strings.Contains(note, "already") {
		t.Errorf("the same again: want a note and no error, got %q, %v", note, err)
	}
	for name, c := range map[string]struct{ user, password, want string }{
		"wrong password": {"cloud", "s3cr3t", "the password is wrong"},
		"other subject":  {"other", "right", `subject "cloud"`},
	} {
		_, err := send(t, UploadOptions{Report: file, Monitor: url}, c.user, c.password)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	_, _, m.allowed = signedReport(t, "cloud", "a")
	if _, err := send(t, UploadOptions{Report: file, Monitor: url}, "cloud", "right"); err == nil || !strings.Contains(err.Error(), "not one of the account's") {
		t.Errorf("a key that is not the account's: got %v", err)
	}
}

func TestOneReportOfSeveralThatIsThereAlreadyMeansThatNoneWasStored(t *testing.T) {
	file, _, public := signedReport(t, "cloud", "a", "b")
	m := &complianceMonitor{allowed: public, scopes: map[string]string{reports.SCSScopeUUID("p", "a"): "cloud", reports.SCSScopeUUID("p", "b"): ""}, runs: map[string]bool{}}
	u, err := PrepareUpload(UploadOptions{Report: file, Monitor: served(t, m)})
	if err != nil || len(u.Reports) != 2 {
		t.Fatal(err)
	}
	m.runs[u.Reports[1].Run] = true
	account, _ := ReadAccount("cloud", "right", "")
	if _, err := u.Send(t.Context(), account); err == nil || !strings.Contains(err.Error(), "none of the others") {
		t.Errorf("got %v", err)
	}
}

func TestAScopeThatTheMonitorDoesNotKnowIsNotSentUnlessForced(t *testing.T) {
	file, _, public := signedReport(t, "cloud", "a")
	m := &complianceMonitor{allowed: public, scopes: map[string]string{}, runs: map[string]bool{}}
	url := served(t, m)
	_, err := send(t, UploadOptions{Report: file, Monitor: url}, "cloud", "right")
	var usage *UsageError
	if !errors.As(err, &usage) || !strings.Contains(err.Error(), "does not know the scope") || m.posts != 0 {
		t.Errorf("got %v after %d posts", err, m.posts)
	}
	if _, err := send(t, UploadOptions{Report: file, Monitor: url, Force: true}, "cloud", "right"); err != nil || m.posts != 1 {
		t.Errorf("forced: %v after %d posts", err, m.posts)
	}
}

func TestAMonitorInTroubleIsAskedAgainAsLateAsItWishesAndNotForEver(t *testing.T) {
	file, _, public := signedReport(t, "cloud", "a")
	var waited []time.Duration
	wait := func(_ context.Context, d time.Duration) error { waited = append(waited, d); return nil }
	m := &complianceMonitor{allowed: public, scopes: map[string]string{reports.SCSScopeUUID("p", "a"): ""}, runs: map[string]bool{}, fail: []int{503, 500}, after: "7"}
	url := served(t, m)
	if _, err := send(t, UploadOptions{Report: file, Monitor: url, Wait: wait}, "cloud", "right"); err != nil || len(waited) != 2 || waited[0] != 7*time.Second {
		t.Errorf("two troubles: %v, waited %v", err, waited)
	}
	m.fail, m.after, waited, m.posts = []int{503, 503, 503, 503, 503, 503}, "86400", nil, 0
	if _, err := send(t, UploadOptions{Report: file, Monitor: url, Wait: wait}, "cloud", "right"); err == nil || m.posts != uploadTries || waited[0] > longestWait {
		t.Errorf("trouble without end: %v after %d posts, waited %v", err, m.posts, waited)
	}
	for code, want := range map[int]string{415: "no compliance monitor", 422: "cannot read the report", 307: "elsewhere", 413: "too much"} {
		m.fail = []int{code}
		if _, err := send(t, UploadOptions{Report: file, Monitor: url, Wait: wait}, "cloud", "right"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d: got %v, want %q", code, err, want)
		}
	}
}

func TestAnAnswerThatIsNotOfAMonitorStoresNothing(t *testing.T) {
	file, _, _ := signedReport(t, "cloud", "a")
	for _, body := range []string{"", "<html>Sign in</html>", `{}`, `{"detail":"empty reports"}`, `"ok"`} {
		url := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }))
		t.Cleanup(url.Close)
		if _, err := send(t, UploadOptions{Report: file, Monitor: url.URL, Force: true}, "cloud", "right"); err == nil || !strings.Contains(err.Error(), "not as a compliance monitor") {
			t.Errorf("200 with %q: got %v", body, err)
		}
	}
}

func TestAServerThatRepeatsThePasswordDoesNotBringItIntoAnError(t *testing.T) {
	file, _, _ := signedReport(t, "cloud", "a")
	for _, code := range []int{200, 400, 401, 403, 422} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, password, _ := r.BasicAuth()
			w.WriteHeader(code)
			fmt.Fprintf(w, `{"detail":%q}`, "got "+password+" by "+r.Header.Get("Authorization")+strings.Repeat("é", 200))
		}))
		t.Cleanup(server.Close)
		_, err := send(t, UploadOptions{Report: file, Monitor: server.URL, Force: true}, "cloud", "s3cr3t word")
		if err == nil || strings.Contains(err.Error(), "s3cr3t") || strings.Contains(err.Error(), "Y2xvdWQ6czNjcjN0") || !utf8.ValidString(err.Error()) {
			t.Errorf("%d: got %q", code, err)
		}
	}
}

func TestWhatDoesNotBelongTogetherIsNotSent(t *testing.T) {
	file, _, _ := signedReport(t, "cloud", "a")
	data, _ := os.ReadFile(file)
	if err := os.WriteFile(file, append(data, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	var bad *SignatureError
	if _, err := PrepareUpload(UploadOptions{Report: file, Monitor: "https://compliance.example.org"}); !errors.As(err, &bad) {
		t.Errorf("a report that was changed after it was signed: got %v", err)
	}
}

func FuzzAMonitorIsSpokenToInTheOpenOnlyOnThisMachine(f *testing.F) {
	for _, seed := range []string{"", "https://compliance.example.org", "http://127.0.0.1:8080/", "http://[::1]:1", "http://localhost", "http://example.org", "https://u:p@example.org", "ftp://x", "http://127.0.0.1.example.org", "http:127.0.0.1", "https://example.org/?a=b", "//x", "http://2130706433"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := monitorAddress(text)
		if err != nil {
			return
		}
		if u.User != nil || u.RawQuery != "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
			t.Errorf("%q is spoken to as %s", text, u)
		}
	})
}

func TestSSHKeygenSaysGoodToWhatIsSignedHere(t *testing.T) {
	keygen, err := exec.LookPath("ssh-keygen")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("ssh-keygen is missing")
		}
		t.Skip("ssh-keygen is missing")
	}
	dir := t.TempDir()
	file, _, _ := signedReport(t, "cloud", "a")
	for _, c := range []struct{ kind, bits, passphrase string }{{"ed25519", "256", ""}, {"ed25519", "256", "correct horse"}, {"ecdsa", "256", ""}, {"rsa", "3072", ""}} {
		name := filepath.Join(dir, c.kind+c.passphrase)
		if out, err := exec.Command(keygen, "-q", "-t", c.kind, "-b", c.bits, "-N", c.passphrase, "-C", "x", "-f", name).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		key, err := ReadSignKey(name, "", c.passphrase)
		if err != nil {
			t.Fatal(err)
		}
		armored, err := SignReport(file, key, ReportNamespace)
		if err != nil {
			t.Fatal(err)
		}
		public, err := os.ReadFile(name + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		for path, data := range map[string]string{"sig": string(armored), "allowed": "cloud@example.org " + string(public)} {
			if err := os.WriteFile(filepath.Join(dir, path), []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		report, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		verify := exec.Command(keygen, "-Y", "verify", "-f", filepath.Join(dir, "allowed"), "-I", "cloud@example.org", "-n", "report", "-s", filepath.Join(dir, "sig"))
		verify.Stdin = report
		out, err := verify.CombinedOutput()
		report.Close()
		if err != nil || !strings.Contains(string(out), `Good "report" signature`) {
			t.Errorf("%s: %v: %s", c.kind, err, out)
		}
	}
}

func TestAKeyThatOthersMayReadIsRefusedAndNoErrorHoldsIt(t *testing.T) {
	_, key, _ := signedReport(t, "cloud", "a")
	name := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(name, key, 0o640); err != nil {
		t.Fatal(err)
	}
	_, err := ReadSignKey(name, "", "")
	if err == nil || !strings.Contains(err.Error(), "chmod 600") || strings.Contains(err.Error(), string(key[40:80])) {
		t.Errorf("got %v", err)
	}
}
