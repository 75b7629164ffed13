package thirdparty

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// Bounds of the advisories of OpenStack: some 200 files of a few kB in 2026.
const (
	mostOSSA     = 5000
	mostOSSAFile = 1 << 20
)

// ossa is a directory of OpenStack's security advisories.
type ossa struct {
	dir   string
	names []string

	once    sync.Once
	records []ossaRecord
	newest  time.Time
	gaps    []string
}

type ossaRecord struct {
	record  record
	product map[string]bool
	origin  audit.Origin
}

// ossaFile is what is read of a file; it also names reporters, who are left out.
// Source: ossa/*.yaml of openstack/ossa.
type ossaFile struct {
	Date     string `yaml:"date"`
	ID       string `yaml:"id"`
	Products []struct {
		Product string `yaml:"product"`
		Version string `yaml:"version"`
	} `yaml:"affected-products"`
	Vulnerabilities []struct {
		CVE string `yaml:"cve-id"`
	} `yaml:"vulnerabilities"`
}

func openOSSA(dir string) (*ossa, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the advisories of OpenStack: %w", err)
	}
	o := &ossa{dir: dir}
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasPrefix(e.Name(), "OSSA-") && strings.HasSuffix(e.Name(), ".yaml") {
			o.names = append(o.names, e.Name())
		}
	}
	if len(o.names) == 0 || len(o.names) > mostOSSA {
		return nil, fmt.Errorf("opening the advisories of OpenStack: %d files OSSA-*.yaml in %q: give the directory ossa of openstack/ossa", len(o.names), filepath.Base(dir))
	}
	return o, nil
}

func (o *ossa) build() {
	for _, name := range o.names {
		r, ok := o.read(name)
		if !ok {
			o.gaps = append(o.gaps, "advisory "+clip(name)+", which nobody could read")
			continue
		}
		o.records = append(o.records, r)
		if r.record.Published.After(o.newest) {
			o.newest = r.record.Published
		}
	}
}

func (o *ossa) read(name string) (out ossaRecord, ok bool) {
	path := filepath.Join(o.dir, name)
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() || info.Size() > mostOSSAFile {
		return out, false
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return out, false
	}
	var f ossaFile
	if yaml.Unmarshal(data, &f) != nil || f.ID == "" {
		return out, false
	}
	date, err := time.Parse(time.DateOnly, strings.TrimSpace(f.Date))
	if err != nil {
		return out, false
	}
	out = ossaRecord{
		record:  record{ID: f.ID, Published: date, Modified: date},
		product: map[string]bool{},
		origin:  audit.Origin{Source: "ossa", URL: "https://opendev.org/openstack/ossa", Path: "ossa/" + name, Digest: audit.DigestOf(data), At: date},
	}
	for _, v := range f.Vulnerabilities {
		if v.CVE != "" {
			out.record.Aliases = append(out.record.Aliases, v.CVE)
		}
	}
	for _, p := range f.Products {
		for product := range strings.SplitSeq(p.Product, ",") {
			product = strings.ToLower(strings.TrimSpace(product))
			a := spans(p.Version)
			a.Package.Ecosystem, a.Package.Name = "PyPI", product // OpenStack's versions follow PEP 440
			out.record.Affected = append(out.record.Affected, a)
			out.product[product] = true
		}
	}
	return out, len(out.record.Affected) > 0
}

// spans reads an expression such as "<15.0.1, >=16.0.0 <16.0.2, ==17.0.0": alternatives by comma, conditions by space. What
// it does not understand becomes a range that cannot be judged.
func spans(expression string) affected {
	var out affected
	for alternative := range strings.SplitSeq(expression, ",") {
		var g osvRange
		exact := ""
		understood := alternative != ""
		for condition := range strings.FieldsSeq(alternative) {
			sign := strings.TrimRight(condition, "0123456789.abcdefghijklmnopqrstuvwxyz+-")
			version := condition[len(sign):]
			if !numbered.MatchString(version) {
				understood = false
			}
			switch sign {
			case "<":
				g.Events = append(g.Events, osvEvent{Fixed: version})
			case "<=":
				g.Events = append(g.Events, osvEvent{LastAffected: version})
			case ">=":
				g.Events = append(g.Events, osvEvent{Introduced: version})
			case "==", "=":
				exact = version
			default:
				understood = false
			}
		}
		switch {
		case !understood || exact != "" && len(g.Events) > 0 || exact == "" && len(g.Events) == 0 || len(g.Events) > 2:
			out.Ranges = append(out.Ranges, osvRange{Type: "TEXT"})
		case exact != "":
			out.Versions = append(out.Versions, exact)
		default:
			g.Type = "ECOSYSTEM"
			if g.Events[0].Introduced == "" {
				g.Events = slices.Insert(g.Events, 0, osvEvent{Introduced: "0"})
			}
			out.Ranges = append(out.Ranges, g)
		}
	}
	return out
}

// product is how OpenStack's advisories call a project: the last part of its repository. Empty: it is none of theirs.
func product(p scoring.Project) string {
	for _, home := range homes(p) {
		for _, place := range []string{"opendev.org/openstack/", "github.com/openstack/"} {
			if name, ok := strings.CutPrefix(home, place); ok && !strings.Contains(name, "/") {
				return name
			}
		}
	}
	return ""
}

// find returns the advisories of a product.
func (o *ossa) find(product string) found {
	o.once.Do(o.build)
	out := found{observed: o.newest, gaps: slices.Clone(o.gaps)}
	for _, r := range o.records {
		if !r.product[product] {
			continue
		}
		out.records = append(out.records, r.record)
		if len(out.origins) < mostOrigins {
			out.origins = append(out.origins, r.origin)
		}
	}
	return out
}
