package source

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// ThisHost returns the sources that tell what this machine runs, for an inventory file that is made on it: the machine
// itself and the container engines whose sockets may be opened. A socket that is there and may not be opened is a failure,
// so that a run as an ordinary user says what only root sees.
func ThisHost(opt Options) ([]sbom.Source, []sbom.Failure) {
	machine := host{root: "/", dir: "/", live: true, opt: opt}
	if root, err := os.OpenRoot("/"); err == nil {
		machine.name = machine.foundName(root)
		_ = root.Close() // opened for reading only
	}
	sources := []sbom.Source{machine}
	var failures []sbom.Failure
	for _, path := range Sockets("/", opt.Getenv) {
		if err := access(path); err != nil {
			failures = append(failures, sbom.Failure{
				Source: "containers unix:" + shown(path), Reason: "the socket cannot be opened: " + reason(err),
				Settle: "run as root, or as the owner of the socket", Origin: audit.Origin{Source: "containers", At: opt.At},
			})
			continue
		}
		sources = append(sources, containers{socket: "unix://" + path, local: path, host: machine.name, opt: opt})
	}
	return sources, failures
}

// Sockets lists the sockets of container engines that stand at the usual places below a root, or where DOCKER_HOST and
// XDG_RUNTIME_DIR say, each once under its real path.
func Sockets(root string, getenv func(string) string) []string {
	places := []string{filepath.Join(root, "run/podman/podman.sock"), filepath.Join(root, "run/docker.sock"), filepath.Join(root, "var/run/docker.sock")}
	if getenv != nil {
		if dir := getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
			places = append(places, filepath.Join(dir, "podman", "podman.sock"))
		}
		if path, ok := strings.CutPrefix(getenv("DOCKER_HOST"), "unix://"); ok && filepath.IsAbs(path) {
			places = append(places, path)
		}
	}
	var out []string
	seen := map[string]bool{}
	for _, path := range places {
		real, err := filepath.EvalSymlinks(path)
		if errors.Is(err, fs.ErrPermission) {
			real = path // the folder is closed to us; what is in it is not known, which the caller finds out
		} else if err != nil {
			continue
		}
		if !seen[real] {
			seen[real] = true
			out = append(out, real)
		}
	}
	return out
}
