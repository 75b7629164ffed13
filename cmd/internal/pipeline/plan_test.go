package pipeline

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// counting listens and counts who connects.
func counting(t *testing.T, network, address string) (net.Listener, *atomic.Int32) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	var n atomic.Int32
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			n.Add(1)
			_ = conn.Close()
		}
	}()
	return l, &n
}

func TestAPlanContactsNobodyAndNamesEveryLiveSourceWithItsRight(t *testing.T) {
	dir, err := os.MkdirTemp("", "plan") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	_, local := counting(t, "unix", socket)
	server, remote := counting(t, "tcp", "127.0.0.1:0")
	config := "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts:\n- {name: c, context: {cluster: k, user: u}}\nclusters:\n- {name: k, cluster: {server: \"https://" +
		server.Addr().String() + "\"}}\nusers:\n- {name: u, user: {token: canary}}\n"
	if err := os.WriteFile(filepath.Join(dir, "kubeconfig"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	text := "schema: pegel/stack/v1\nsubject: {name: t, kind: cloud}\nscopes: [scs-open-iaas]\nnetwork: {allow: [127.0.0.0/8]}\nsources:\n- containers: {socket: \"unix://" +
		socket + "\"}\n- kubernetes: {kubeconfig: ./kubeconfig}\n- image: {ref: \"" + server.Addr().String() + "/a/b:1\", insecure: true}\n- registry: {pull: seen}\n"
	stack, err := ParseStack([]byte(text), "stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	stack.Dir = dir
	contacts, err := Plan(stack, Options{Now: truthNow, Bundle: filepath.Join(dir, "b")})
	if err != nil {
		t.Fatal(err)
	}
	if local.Load()+remote.Load() != 0 {
		t.Errorf("the plan connected %d times to the socket and %d times to the server", local.Load(), remote.Load())
	}
	list := string(must(json.Marshal(contacts))(t))
	for _, want := range []string{socket, server.Addr().String(), "a/b:1", "list", "pull"} {
		if !strings.Contains(list, want) {
			t.Errorf("the plan names no %q: %s", want, list)
		}
	}
	if strings.Contains(list, "canary") {
		t.Error("the plan shows a token")
	}
	// The test can fail: a run does connect.
	if _, err := Inventory(t.Context(), stack, Options{Now: truthNow}, ListingOptions{}); err != nil {
		t.Fatal(err)
	}
	if local.Load() == 0 || remote.Load() == 0 {
		t.Errorf("a run connected %d times to the socket and %d times to the server, want both", local.Load(), remote.Load())
	}
}
