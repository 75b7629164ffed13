package quality

import (
	"bufio"
	"fmt"
	"io"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/sbom"
)

// generated writes a document of n components of about 1,000 bytes, as peers write them, into a pipe, so that it is never
// held as a whole. close it to stop the writer.
func generated(n int) *io.PipeReader {
	r, w := io.Pipe()
	go func() {
		b := bufio.NewWriterSize(w, 1<<16)
		fmt.Fprint(b, `{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"component":{"type":"container","bom-ref":"root","name":"image","version":"1"}},"components":[`)
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(b, `{"bom-ref":"pkg:deb/debian/package-%d@1.2.3-%d?arch=amd64&package-id=%016x","type":"library","name":"package-%d","version":"1.2.3-%d",`+
				`"purl":"pkg:deb/debian/package-%d@1.2.3-%d?arch=amd64","cpe":"cpe:2.3:a:package:package:1.2.3:*:*:*:*:*:*:*","licenses":[{"license":{"id":"MIT"}}],"properties":[%s]}`,
				i, i, i, i, i, i, i, strings.Repeat(`{"name":"some:tool:location:0:path","value":"/var/lib/dpkg/status"},`, 6)+`{"name":"x","value":"y"}`)
		}
		fmt.Fprint(b, `],"dependencies":[`)
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(b, `{"ref":"pkg:deb/debian/package-%d@1.2.3-%d?arch=amd64&package-id=%016x","dependsOn":["pkg:deb/debian/package-%d@1.2.3-%d?arch=amd64&package-id=%016x"]}`,
				i, i, i, (i+1)%n, (i+1)%n, (i+1)%n)
		}
		fmt.Fprint(b, `]}`)
		w.CloseWithError(b.Flush())
	}()
	return r
}

// counted counts what was read.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func TestWhatIsKeptOfAComponentIsShort(t *testing.T) {
	const n = 50_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f, err := read(generated(n), defaults)
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if got := (after.HeapAlloc - before.HeapAlloc) / n; got > 400 {
		t.Errorf("got %d bytes a component, want at most 400", got)
	}
	runtime.KeepAlive(f)
}

func TestDocumentsBeyondALimitAreRefusedWithARemedy(t *testing.T) {
	small := limits{components: 10, edges: 20, nodes: 30, labels: 2 * labelChunk}
	many := func(n int, text string) string { return strings.TrimSuffix(strings.Repeat(text+",", n), ",") }
	distinct := func(n int, pad string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"%d%s",`, i, pad)
		}
		return strings.TrimSuffix(b.String(), ",")
	}
	for _, c := range []struct{ name, text, want string }{
		{"components", `"components":[` + many(11, `{}`) + `]`, "more than 10 components"},
		{"nested components", `"components":[` + many(4, `{"components":[{},{}]}`) + `]`, "more than 10 components"},
		{"edges", `"dependencies":[` + many(21, `{"ref":"a","dependsOn":["b"]}`) + `]`, "more than 20 dependencies"},
		{"edges of one", `"dependencies":[{"ref":"a","dependsOn":[` + distinct(25, "") + `]}]`, "more than 20 dependencies"},
		{"references", `"compositions":[{"assemblies":[` + distinct(40, "") + `]}]`, "more than 30 references"},
		{"packages", `"packages":[` + many(11, `{}`) + `]`, "more than 10 components"},
		{"relationships", `"relationships":[` + many(21, `{"spdxElementId":"a","relationshipType":"CONTAINS","relatedSpdxElement":"b"}`) + `]`, "more than 20 dependencies"},
		{"elements", `"@graph":[` + many(11, `{"type":"software_File"}`) + `]`, "more than 10 components"},
		{"licences", `"@graph":[` + many(21, `{"type":"Relationship","from":"a","relationshipType":"hasDeclaredLicense","to":["b"]}`) + `]`, "more than 20 relationships"},
		{"makers", `"@graph":[` + many(3, `{"type":"software_File","originatedBy":[`+many(9, `"a"`)+`]}`) + `]`, "more than 20 makers"},
	} {
		_, err := read(strings.NewReader(`{"bomFormat":"CycloneDX","specVersion":"1.6",`+c.text+"}"), small)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "check its parts one by one") {
			t.Errorf("%s: got %v, want %q and a remedy", c.name, err, c.want)
		}
	}
	small.nodes = 1 << 20
	names := `{"bomFormat":"CycloneDX","specVersion":"1.6","compositions":[{"assemblies":[` + distinct(30_000, strings.Repeat("x", maxLabel)) + `]}]}`
	if _, err := read(strings.NewReader(names), small); err == nil || !strings.Contains(err.Error(), "2097152 bytes of names; check its parts one by one") {
		t.Errorf("names: got %v, want an error with the limit", err)
	}
}

// The reader of packages holds the whole document; it refuses what is too large before it looks at it.
func TestTheReaderOfPackagesRefusesWhatIsTooLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 256 MB")
	}
	data := make([]byte, sbom.MaxBOMFile+1)
	start := time.Now()
	_, _, err := sbom.ReadCycloneDX(data)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("larger than %d bytes", sbom.MaxBOMFile)) {
		t.Errorf("got %v, want an error with the limit", err)
	}
	t.Logf("refused after %s", time.Since(start))
}

// peakHeap samples how much memory the program holds until done is closed.
func peakHeap(done <-chan struct{}) <-chan uint64 {
	out := make(chan uint64, 1)
	go func() {
		sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
		var peak uint64
		for {
			metrics.Read(sample)
			peak = max(peak, sample[0].Value.Uint64()-sample[1].Value.Uint64())
			select {
			case <-done:
				out <- peak
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	return out
}

// BenchmarkCheck reports speed and the most memory held, for documents of growing size; the largest has 1 GB.
func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_150_000} {
		b.Run(fmt.Sprintf("components=%d", n), func(b *testing.B) {
			for b.Loop() {
				runtime.GC()
				done := make(chan struct{})
				peak := peakHeap(done)
				in := &counted{r: generated(n)}
				if _, _, err := Check(in, Options{}); err != nil {
					b.Fatal(err)
				}
				close(done)
				b.SetBytes(in.n)
				b.ReportMetric(float64(<-peak)/(1<<20), "MiB-peak")
				b.ReportMetric(float64(in.n)/(1<<20), "MiB-read")
			}
		})
	}
}
