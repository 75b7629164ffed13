package scan

// Limits bound what one target may cost. They are far above what real images need.
type Limits struct {
	Layers       int   // layers of an image; container engines themselves stop at 127
	Bytes        int64 // unpacked bytes of all layers together
	Ratio        int64 // unpacked bytes per compressed byte of a layer above 64 MiB; gzip of zeros reaches 1032
	Entries      int   // tar entries of all layers together, or files of a host
	PathLength   int   // bytes of a path inside the target; PATH_MAX of Linux is 4096
	PathDepth    int   // directories above a file
	EvidenceFile int64 // bytes of a file that is read as a whole: dpkg status, copyright, METADATA, package.json
}

// Defaults: the largest images of the reference stacks have 2 GB in 130,000 entries and 30 layers.
func (l Limits) orDefault() Limits {
	return Limits{
		Layers:       or(l.Layers, 512),
		Bytes:        or(l.Bytes, 64<<30),
		Ratio:        or(l.Ratio, 200),
		Entries:      or(l.Entries, 1_000_000),
		PathLength:   or(l.PathLength, 4096),
		PathDepth:    or(l.PathDepth, 256),
		EvidenceFile: or(l.EvidenceFile, 64<<20),
	}
}

func or[N int | int64](n, otherwise N) N {
	if n > 0 {
		return n
	}
	return otherwise
}

// ratioFloor is the size up to which no ratio is enforced: small layers of text compress extremely well.
const ratioFloor = 64 << 20

// evidenceNames are the base names of files that catalogers read as a whole.
func isEvidence(base string) bool {
	switch base {
	case "status", "copyright", "METADATA", "PKG-INFO", "RECORD", "package.json", "os-release", "installed", "MANIFEST.MF", "pom.xml":
		return true
	}
	return false
}
