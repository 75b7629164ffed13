// Package scan reads which packages are inside a container image or on a host. What comes in is a sbom.Target on this
// machine; what goes out is sbom.Packages: components with licence claims, source packages, dependencies and the paths
// that show them. Syft's catalogers do the finding; what they drop of dpkg and copyright files is read here.
//
// Everything in a target is written by strangers. Digests of manifest, configuration and layers are verified, bytes,
// entries, ratio and depth are bounded, no name from a target becomes a path of this machine, and links never lead out
// of it. Nothing is asked of the network, of a container engine or of a registry. Names and addresses of people are
// dropped. What cannot be read is an error, never an empty list.
package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/anchore/syft/syft"
	"github.com/anchore/syft/syft/cataloging"
	"github.com/anchore/syft/syft/cataloging/pkgcataloging"
	syftsbom "github.com/anchore/syft/syft/sbom"
	_ "modernc.org/sqlite" // syft opens newer RPM databases with it and fails on every image without it

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/sbom"
)

// syftVersion is the version in go.mod; a test holds both together.
const syftVersion = "v1.40.0"

// Tool is what Packages.Tool says.
const Tool = "syft " + syftVersion

// Forms of targets that Scan reads.
const (
	FormOCIDir     = "oci-dir"     // directory with an OCI image layout
	FormOCIArchive = "oci-archive" // uncompressed tar file of such a directory
	FormRoot       = "root"        // root directory of a host
)

// Options of a Scanner. The zero value is safe.
type Options struct {
	// TempDir holds what is kept of layers until Close, if there is no Store; empty means os.TempDir. About the size of the
	// compressed layers is needed, twice as much is asked for before. What a killed process left there is removed by the
	// next New. Catalogers of syft that look into archives (Java, RPM) use os.TempDir whatever is said here and clean up
	// themselves.
	TempDir string
	// Store is a directory in which layers and results outlive the process, made if it is not there; empty: none do.
	// Several processes may use it at the same time; it may be deleted when none does.
	Store string
	// StoreSize is how many bytes of layers and results a Store, or the temporary directory, may hold; 0 means 8 GiB. What
	// was unused for longest goes first.
	StoreSize int64
	// Depth says which files Packages.Files lists: sbom.DepthEntries, sbom.DepthAll, or empty for none.
	Depth string
	// Limits against hostile images; a zero field means its default.
	Limits Limits
	// Parallelism is how many catalogers run at the same time in one scan; 0 means one for each CPU.
	Parallelism int
}

// Scanner reads packages. It is made once per process, because building the licence classifier is worth a tenth of a scan.
// It may be used by several goroutines.
type Scanner struct {
	limits      Limits
	parallelism int
	depth       string
	work        *workspace
	store       *store
	memo        *memo
	copyrights  *copyrights
	// licences gives a context that carries syft's licence classifier, and nothing else. It is made when the first target has
	// to be catalogued, because that costs a second.
	licences  func() (context.Context, error)
	freeSpace func(string) (uint64, error) // bytes that may be written below a directory; replaced in tests
}

// New makes a Scanner and sweeps what killed processes left in the temporary directory.
func New(opt Options) (*Scanner, error) {
	return newWith(opt, func() (context.Context, error) {
		return syft.SetContextLicenseScanner(context.Background(), cataloging.DefaultLicenseConfig())
	})
}

// newWith is New with a function that gives the context with the classifier.
func newWith(opt Options, classifier func() (context.Context, error)) (*Scanner, error) {
	dir := cmp.Or(opt.Store, opt.TempDir, os.TempDir())
	if opt.Store != "" {
		if err := os.MkdirAll(opt.Store, 0o700); err != nil {
			return nil, fmt.Errorf("making the layer store: %w", err)
		}
	}
	work, err := openWorkspace(dir)
	if err != nil {
		return nil, fmt.Errorf("making a temporary directory: %w", err)
	}
	limits := opt.Limits.orDefault()
	layers := newStore(cmp.Or(opt.Store, work.dir), work, limits, cmp.Or(opt.StoreSize, defaultStoreSize))
	return &Scanner{
		limits:      limits,
		parallelism: max(opt.Parallelism, 0),
		depth:       opt.Depth,
		work:        work,
		store:       layers,
		memo:        &memo{store: layers, depth: opt.Depth, results: map[string]*result{}},
		copyrights:  &copyrights{claims: map[[32]byte]copyrightFacts{}},
		licences:    sync.OnceValues(classifier),
		freeSpace:   freeSpace,
	}, nil
}

// defaultStoreSize holds the layers of about 40 stacks like the reference one.
const defaultStoreSize = 8 << 30

// Close removes everything that the Scanner wrote, except in its Store. No scan may be running.
func (s *Scanner) Close() error {
	if err := errors.Join(s.store.close(), s.work.close()); err != nil {
		return fmt.Errorf("removing the temporary directory: %w", err)
	}
	return nil
}

// Scan reads the packages of one target. The same target gives the same value. An error says which file could not be
// read, at which place, and what helps; it names the target by the last element of its path only.
func (s *Scanner) Scan(ctx context.Context, t sbom.Target) (sbom.Packages, error) {
	p, err := s.scan(ctx, t)
	if err != nil {
		if cause := ctx.Err(); cause != nil {
			err = cause
		}
		return sbom.Packages{}, fmt.Errorf("scanning %q: %w", label(t), s.work.hide(err))
	}
	p.Schema = sbom.PackagesSchema
	p.Artifact = t.Artifact.ID
	p.Tool = Tool
	return p, nil
}

func (s *Scanner) scan(ctx context.Context, t sbom.Target) (sbom.Packages, error) {
	if err := ctx.Err(); err != nil {
		return sbom.Packages{}, err
	}
	switch t.Form {
	case FormOCIDir, FormOCIArchive:
		return s.scanImage(ctx, t)
	case FormRoot:
		return s.scanRoot(ctx, t)
	case "docker-archive":
		return sbom.Packages{}, errors.New(`docker archives are not read: convert it with "skopeo copy docker-archive:FILE oci-archive:FILE"`)
	}
	return sbom.Packages{}, fmt.Errorf("unknown form %q of a target: want %s, %s or %s", t.Form, FormOCIDir, FormOCIArchive, FormRoot)
}

// dpkgCataloger is the name of syft's reader of dpkg databases. It is left out: readDpkg reads more of them, and syft matches
// every line of every copyright file.
const dpkgCataloger = "dpkg-db-cataloger"

// nixCataloger is the name of syft's reader of stores of Nix. It asks for every path there is, so it runs only where there is
// such a store.
const nixCataloger = "nix-cataloger"

// catalogue runs syft's catalogers for installed packages over the view, reads what they do not, and turns all of it into
// components and files.
func (s *Scanner) catalogue(ctx context.Context, v *view) (sbom.Packages, error) {
	without := []string{dpkgCataloger}
	if !v.hasNix() {
		without = append(without, nixCataloger)
	}
	cfg := syft.DefaultCreateSBOMConfig().
		WithTool("pegel", syftVersion).
		WithParallelism(s.parallelism).
		WithoutFiles().
		WithDataGenerationConfig(cataloging.DefaultDataGenerationConfig().WithGenerateCPEs(false)).
		WithRelationshipsConfig(cataloging.DefaultRelationshipsConfig().WithPackageFileOwnership(false)).
		WithCatalogerSelection(cataloging.SelectionRequest{
			DefaultNamesOrTags: []string{pkgcataloging.ImageTag}, RemoveNamesOrTags: without,
		})
	rpms, err := s.readRPM(ctx, v)
	if err != nil {
		return sbom.Packages{}, err
	}
	debs, err := readDpkg(ctx, v)
	if err != nil {
		return sbom.Packages{}, err
	}
	m := mapping{view: v, debs: debs, depth: s.depth, copyrights: s.copyrights}
	v.evidence = s.limits.EvidenceFile
	v.owned, v.classifiers = m.debOwners(), s.store.keep.globs
	if err := tempUsable(); err != nil {
		return sbom.Packages{}, err
	}
	carrier, err := s.licences()
	if err != nil {
		return sbom.Packages{}, fmt.Errorf("building the licence classifier: %w", err)
	}
	var g guard
	found, err := syft.CreateSBOM(g.executors(withLicences{Context: ctx, licences: carrier}, s.parallelism), v, cfg)
	if err := errors.Join(err, g.err()); err != nil {
		return sbom.Packages{}, fmt.Errorf("reading packages: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return sbom.Packages{}, err // catalogers end early without an error
	}
	if err := errors.Join(v.globs.exhausted(), databasesRead(found, rpms), rpms.complete(found)); err != nil {
		return sbom.Packages{}, err
	}
	m.found = found
	components, files, err := m.components(ctx)
	if err != nil {
		return sbom.Packages{}, err
	}
	if err := errors.Join(ctx.Err(), v.globs.exhausted()); err != nil {
		return sbom.Packages{}, err
	}
	v.unsure = v.unsure || len(found.Artifacts.Unknowns) > 0
	return sbom.Packages{OS: osName(found), Components: audit.Known(components), Depth: s.depth, Files: files}, nil
}

// tempUsable makes sure that syft's readers of archives can unpack: where they cannot, they leave out what is in an archive
// without an error.
func tempUsable() error {
	f, err := os.CreateTemp("", "pegel-probe-")
	if err != nil {
		return fmt.Errorf("the temporary directory of the system cannot be used (%w): choose another one by TMPDIR", withoutPath(err))
	}
	_, err = f.Write(make([]byte, 64<<10))
	if err := errors.Join(err, f.Close(), os.Remove(f.Name())); err != nil {
		return explainWrite(withoutPath(err))
	}
	return nil
}

// databasesRead returns an error if syft could not read a package database. Syft itself goes on as if there were none. The
// databases of dpkg are not among them: readDpkg reads them. A database of rpm that is known to be
// empty is no failure: where the tool rpm is installed beside dpkg it makes one.
func databasesRead(found *syftsbom.SBOM, rpms rpmDatabases) error {
	var failed []string
	for at, reasons := range found.Artifacts.Unknowns {
		if packages, ok := rpms[at.RealPath]; ok && len(packages) == 0 {
			continue
		}
		if isDatabase(at.RealPath) && len(reasons) > 0 {
			failed = append(failed, fmt.Sprintf("reading the package database %s: %.300s", at.RealPath, slices.Min(reasons)))
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return errors.New(slices.Min(failed))
}

// isDatabase recognises the databases of rpm, apk and pacman.
func isDatabase(file string) bool {
	for _, part := range []string{"/var/lib/rpm/", "/usr/lib/sysimage/rpm/", "/usr/share/rpm/", "/lib/apk/db/installed", "/var/lib/pacman/local/"} {
		if strings.Contains(file, part) {
			return true
		}
	}
	return false
}

// withLicences lends the values of the scanner's context, syft's classifier, to the context of one scan.
type withLicences struct {
	context.Context
	licences context.Context
}

// Value looks in the scan's own context first.
func (c withLicences) Value(key any) any {
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.licences.Value(key)
}

// label names a target in errors: never a whole path of this machine.
func label(t sbom.Target) string {
	base := filepath.Base(t.Path)
	if t.Form == FormRoot || t.Path == "" || base == string(filepath.Separator) || base == "." {
		base = t.Artifact.Name
	}
	if t.Artifact.Name == "" || t.Artifact.Name == base {
		return base
	}
	if strings.TrimSpace(base) == "" {
		return t.Artifact.ID
	}
	return t.Artifact.Name + " in " + base
}
