package pipeline

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/policies"
)

// mostProfile bounds the file of a profile, as the loader does; one byte more is read so that it sees that it is too long.
const mostProfile = 1 << 20

// Profiles returns the profiles that judge. Empty: those built in, each project by the one that its catalogue entry names.
// An id of a built-in profile, or the path of a profile file (whole, or extending a built-in one): every project by that.
func Profiles(choice string) (policies.Profiles, error) {
	builtin, err := policies.DefaultProfiles()
	if err != nil {
		return policies.Profiles{}, fmt.Errorf("loading the built-in profiles: %w", err)
	}
	return chooseProfile(choice, builtin)
}

func chooseProfile(choice string, known policies.Profiles) (policies.Profiles, error) {
	if choice == "" {
		return known, nil
	}
	if slices.Contains(known.IDs(), choice) {
		return known.Only(choice)
	}
	hint := "name a built-in profile (" + strings.Join(known.IDs(), ", ") + ") or the file of one"
	info, err := os.Stat(choice)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(choice, "./"):
		_, err := known.Only(choice)
		return policies.Profiles{}, usagef(hint, "%w", err)
	case err != nil:
		return policies.Profiles{}, usagef(hint, "reading profile: %w", err)
	case !info.Mode().IsRegular():
		return policies.Profiles{}, usagef(hint, "reading profile %q: it is no regular file", choice)
	}
	f, err := os.Open(choice)
	if err != nil {
		return policies.Profiles{}, usagef(hint, "reading profile: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, mostProfile+1))
	if err != nil {
		return policies.Profiles{}, fmt.Errorf("reading profile %q: %w", choice, err)
	}
	found, err := policies.LoadProfileFor(data, filepath.Base(choice), known)
	if err != nil {
		return policies.Profiles{}, usagef("docs/profiles.md says what a profile holds", "loading profile %q: %w", choice, err)
	}
	return found, nil
}
