package pipeline

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/pegel-audit/pegel/cmd/internal/visit"
)

// checkAddress refuses what no outsider can ask: another protocol, no host, credentials. The error repeats no secret.
func checkAddress(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%q is no address; write it as https://host/path, or name a local file under file:", withoutSecrets(address))
	case u.User != nil:
		return fmt.Errorf("%q holds credentials; an outsider has none, and none are sent", withoutSecrets(address))
	}
	return nil
}

// checkRepository is checkAddress for a git repository. Such an address has no query, and one may hold a token.
func checkRepository(address string) error {
	if err := checkAddress(address); err != nil {
		return err
	}
	if strings.ContainsAny(address, "?#") {
		return fmt.Errorf("%q is followed by a query; write the address of the repository alone", withoutSecrets(address))
	}
	return nil
}

// isAddress reports whether a text names a page, not a local file.
func isAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// checkPlace refuses what is neither a local file nor an address that an outsider can ask.
func checkPlace(s string) error {
	if strings.Contains(s, "://") {
		return checkAddress(s)
	}
	return nil
}

// maskedPlace writes an address as it may stand in evidence, and a name of a file as it is.
func maskedPlace(s string) string {
	if isAddress(s) {
		return visit.Masked(s)
	}
	return s
}

// withoutSecrets writes what was given for an address so that it may be shown: nothing before an @, nothing after a ?. What
// cannot be read as an address and holds an @ may be a password in whole.
func withoutSecrets(address string) string {
	rest, _, _ := strings.Cut(address, "?")
	rest, _, _ = strings.Cut(rest, "#")
	if u, err := url.Parse(rest); err == nil && u.Host != "" {
		return visit.Masked(rest)
	}
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		return "…" + rest[at:]
	}
	return rest
}
