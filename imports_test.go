// Package pegel has no code of its own: this file holds the import table of the design, for all packages and their tests.
package pegel

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/pegel-audit/pegel"

// mayImport lists what of ours each package may import. A package that is not listed follows its parent's child rule
// below; one that neither lists nor follows a rule fails the test.
var mayImport = map[string][]string{
	"audit":              {},
	"audit/licence":      {"audit"},
	"audit/bundle":       {"audit", "audit/licence"},
	"audit/conformance":  {"audit", "audit/licence", "audit/signature"},
	"audit/declaration":  {"audit", "audit/signature"},
	"audit/signature":    {"audit"},
	"audit/transparency": {"audit", "audit/licence"},
	"sbom":               {"audit", "audit/licence"},
	"scoring":            {"audit", "audit/licence"},
	"policies":           {"audit", "audit/licence"},
	"reports":            {"audit", "audit/licence"},
}

// onlyIn pins each heavy library to the packages that may import it.
var onlyIn = map[string][]string{
	"github.com/anchore/":                    {"sbom/scan"},
	"github.com/ossf/scorecard/":             {"scoring/openssf"},
	"github.com/google/go-github/":           {"scoring/forge"},
	"cel.dev/cel-go":                         {"policies"},
	"github.com/riverqueue/":                 {"cmd/internal/serve"},
	"github.com/spf13/cobra":                 {"cmd/internal/cli"},
	"modernc.org/sqlite":                     {"sbom/scan", "cmd/internal/serve"},
	"github.com/CycloneDX/cyclonedx-go":      {"sbom"},
	"github.com/google/licensecheck":         {"audit/licence"},
	"github.com/github/go-spdx/":             {"audit/licence", "scoring/upstream"},
	"github.com/google/go-containerregistry": {"sbom/source", "sbom/scan", "audit/bundle", "cmd"},
	"k8s.io/":                                {"sbom/source"},
	"github.com/bmatcuk/doublestar":          {"sbom/scan"},
	"github.com/mikelolasagasti/xz":          {"sbom/copyright"},
	"gitlab.com/gitlab-org/":                 {"scoring/forge"},
	"code.gitea.io/":                         {"scoring/forge", "e2e"},
	"github.com/getkin/kin-openapi":          {"scoring/forge"},
	"github.com/vektah/gqlparser":            {"scoring/forge"},
	"github.com/google/osv-scalibr":          {"scoring/thirdparty"},
	"github.com/pandatix/go-cvss":            {"scoring/thirdparty"},
	"github.com/hiddeco/sshsig":              {"audit/signature"},
	"github.com/go-jose/go-jose/":            {"audit/conformance"},
}

// testSupport is what tests of several packages share. It imports nothing of ours.
var testSupport = []string{"sbom/source/sourcetest", "scoring/forge/forgetest"}

func allowed(pkg, imported string) bool {
	if pkg == "cmd" || strings.HasPrefix(pkg, "cmd/") {
		return true
	}
	if list, ok := mayImport[pkg]; ok {
		return slices.Contains(list, imported)
	}
	for _, parent := range []string{"sbom", "scoring", "audit/transparency"} {
		if path.Dir(pkg) == parent {
			return slices.Contains([]string{parent, "audit", "audit/licence"}, imported)
		}
	}
	return false
}

func TestEveryPackageImportsOnlyWhatTheDesignAllows(t *testing.T) {
	seen := 0
	for _, file := range goFiles(t) {
		pkg := filepath.ToSlash(filepath.Dir(file))
		if pkg == "." {
			continue
		}
		seen++
		for _, imported := range imports(t, file) {
			own, ok := strings.CutPrefix(imported, module+"/")
			if ok && slices.Contains(testSupport, own) {
				if !strings.HasSuffix(file, "_test.go") {
					t.Errorf("%s: only tests may import %s", file, own)
				}
				continue
			}
			if ok && own != pkg && !allowed(pkg, own) {
				t.Errorf("%s: package %s may not import %s (design section 3)", file, pkg, own)
			}
			for prefix, homes := range onlyIn {
				if strings.HasPrefix(imported, prefix) && !within(pkg, homes) {
					t.Errorf("%s: %s may be imported only in %s", file, imported, strings.Join(homes, ", "))
				}
			}
		}
	}
	if seen == 0 {
		t.Fatal("no Go file was found: the test looks in the wrong place")
	}
}

func TestTheProductHasNoInitFunctionsAndNoPlaceForEverything(t *testing.T) {
	for _, file := range goFiles(t) {
		base := path.Base(filepath.ToSlash(filepath.Dir(file)))
		if slices.Contains([]string{"util", "utils", "common", "types", "helpers", "pkg"}, base) {
			t.Errorf("%s: a package named %q has no subject", file, base)
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, name := range initFunctions(f) {
			t.Errorf("%s: %s registers by side effect; list it in all.go instead", file, name)
		}
	}
}

func within(pkg string, homes []string) bool {
	for _, home := range homes {
		if pkg == home || strings.HasPrefix(pkg, home+"/") {
			return true
		}
	}
	return false
}

func imports(t *testing.T, file string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, spec := range f.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, p)
	}
	return paths
}

// goFiles returns the Go files of the module; folders that begin with a dot, testdata and other modules are left out.
func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || isModule(p)) {
			return filepath.SkipDir
		}
		if !d.IsDir() && strings.HasSuffix(p, ".go") {
			files = append(files, p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func initFunctions(f *ast.File) []string {
	var names []string
	for _, decl := range f.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			names = append(names, "init")
		}
	}
	return names
}
