package source

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// maxDockerConfig bounds a file of credentials.
const maxDockerConfig = 1 << 20

// dockerConfig is what is read of config.json of Docker and auth.json of Podman.
type dockerConfig struct {
	Auths map[string]struct {
		Auth          string `json:"auth"`
		Username      string `json:"username"`
		Password      string `json:"password"`
		IdentityToken string `json:"identitytoken"`
		RegistryToken string `json:"registrytoken"`
	} `json:"auths"`
	CredHelpers map[string]string `json:"credHelpers"`
	CredsStore  string            `json:"credsStore"`
}

// registryCredentials are what is used to log in, perhaps nothing, and what a refused login should say about them.
type registryCredentials struct {
	login authn.Authenticator
	note  string
}

// registryLogin returns the credentials for a repository from the standard files, the first that has some: those of Docker
// ($DOCKER_CONFIG or $HOME/.docker) before those of Podman. Programs that keep credentials are not run. The note says why
// there are none although a file was there; it never holds anything of the file but names.
func registryLogin(opt Options, host, repo string) registryCredentials {
	note := ""
	for _, file := range credentialFiles(opt.Getenv) {
		data, err := readFile(file, maxDockerConfig)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		name := filepath.Base(file)
		if err != nil {
			note = fmt.Sprintf("credentials in %q cannot be read: %s", name, reason(err))
			continue
		}
		login, why := dockerLogin(data, host, repo)
		if login != authn.Anonymous {
			return registryCredentials{login: login}
		}
		if why != "" {
			note = fmt.Sprintf("credentials in %q: %s", name, why)
		}
	}
	return registryCredentials{login: authn.Anonymous, note: note}
}

func credentialFiles(getenv func(string) string) []string {
	if getenv == nil {
		return nil
	}
	var out []string
	if dir := getenv("DOCKER_CONFIG"); dir != "" {
		out = append(out, filepath.Join(dir, "config.json"))
	} else if home := getenv("HOME"); home != "" {
		out = append(out, filepath.Join(home, ".docker", "config.json"))
	}
	if file := getenv("REGISTRY_AUTH_FILE"); file != "" {
		out = append(out, file)
	} else if dir := getenv("XDG_RUNTIME_DIR"); dir != "" {
		out = append(out, filepath.Join(dir, "containers", "auth.json"))
	}
	return slices.DeleteFunc(out, func(file string) bool {
		info, err := os.Stat(file)
		return err == nil && info.IsDir()
	})
}

// dockerLogin reads the credentials for a repository from a file of Docker or Podman: those that are stored for the longest
// part of its path (Podman), then those for the whole registry.
func dockerLogin(data []byte, host, repo string) (authn.Authenticator, string) {
	var config dockerConfig
	if err := json.Unmarshal(data, &config); err != nil {
		return authn.Anonymous, "the file is not the JSON that Docker writes" // the error may repeat a part of a secret
	}
	for _, key := range registryKeys(host, repo) {
		for _, spelled := range sortedKeys(config.Auths) {
			if registryKey(spelled) != key {
				continue
			}
			entry := config.Auths[spelled]
			login := authn.AuthConfig{Username: entry.Username, Password: entry.Password, IdentityToken: entry.IdentityToken, RegistryToken: entry.RegistryToken}
			if entry.Auth != "" {
				user, password, ok := decodeDockerAuth(entry.Auth)
				if !ok {
					return authn.Anonymous, fmt.Sprintf("auth of %q is not the base64 of user:password", key)
				}
				login.Username, login.Password = user, password
			}
			if login != (authn.AuthConfig{}) {
				return authn.FromConfig(login), ""
			}
		}
	}
	return authn.Anonymous, helperNote(config, host)
}

// helperNote names the program that keeps the credentials of a host.
func helperNote(config dockerConfig, host string) string {
	helper := ""
	for _, key := range registryKeys(host, "") {
		for _, spelled := range sortedKeys(config.CredHelpers) {
			if helper == "" && registryKey(spelled) == key {
				helper = config.CredHelpers[spelled]
			}
		}
	}
	if helper == "" {
		helper = config.CredsStore
	}
	if helper == "" {
		return ""
	}
	return fmt.Sprintf("they are kept by the program %q, which is not run; write them into auths of a config.json of its own and name its folder in DOCKER_CONFIG", "docker-credential-"+clip(helper))
}

func clip(s string) string { return s[:min(len(s), 128)] }

// registryKeys are the names under which a repository and its registry may stand in a file of credentials.
func registryKeys(host, repo string) []string {
	var out []string
	for repo != "" {
		out = append(out, host+"/"+repo)
		repo = repo[:max(0, strings.LastIndexByte(repo, '/'))]
	}
	if host == name.DefaultRegistry {
		return append(out, host, "docker.io", "registry-1.docker.io")
	}
	return append(out, host)
}

// registryKey takes scheme and the path of the old API off a key; a path in it (of Podman) is left.
func registryKey(key string) string {
	for _, scheme := range []string{"https://", "http://"} {
		key = strings.TrimPrefix(key, scheme)
	}
	key = strings.TrimRight(key, "/")
	return strings.TrimSuffix(strings.TrimSuffix(key, "/v1"), "/v2")
}

// decodeDockerAuth reads the base64 of user:password.
func decodeDockerAuth(text string) (user, password string, ok bool) {
	data, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(text), "="))
	if err != nil {
		return "", "", false
	}
	user, password, ok = strings.Cut(strings.TrimRight(string(data), "\x00"), ":")
	return user, password, ok && user != ""
}
