package scoring

import (
	"context"

	"github.com/pegel-audit/pegel/audit"
)

// ReadFile returns a file of a repository as it was at the moment of assessment, or in the newest state before it that can be
// had. Registries of foundations and calendars of releases are read through it. Repo is the address of the repository, path
// the place of the file in it.
//
// Origin names address, commit, path and the digest of the bytes; its At is the committer time of the commit that was read,
// or the moment of the answer where there are no commits. An error that wraps fs.ErrNotExist says that the repository was
// read and has no such file; any other error, that it could not be read. Errors name no path of this machine.
type ReadFile func(ctx context.Context, repo, path string) (data []byte, origin audit.Origin, err error)
