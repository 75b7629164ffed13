package sbom_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/pegel-audit/pegel/sbom"
)

const xmlBOM = `<?xml version="1.0" encoding="UTF-8"?><bom xmlns="http://cyclonedx.org/schema/bom/1.6" serialNumber="urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79" version="1">
<metadata><timestamp>2026-11-20T10:00:00Z</timestamp><component type="container" bom-ref="root"><name>keystone</name><version>26.0.1</version></component></metadata>
<components><component type="library" bom-ref="a"><name>oslo.config</name><version>9.6.0</version><purl>pkg:pypi/oslo.config@9.6.0</purl></component></components></bom>`

func TestCycloneDXInXMLSaysWhatItSaysInJSON(t *testing.T) {
	converted, err := sbom.CycloneDXFromXML([]byte(xmlBOM))
	if err != nil {
		t.Fatal(err)
	}
	p, meta, err := sbom.ReadDocument(converted)
	if err != nil {
		t.Fatal(err)
	}
	list, _ := p.Components.Get()
	if len(list) != 1 || list[0].PURL != "pkg:pypi/oslo.config@9.6.0" || meta.SpecVersion != "1.6" || meta.Name != "keystone" || meta.Version != "26.0.1" || meta.Timestamp.IsZero() {
		t.Errorf("got %+v and %+v", list, meta)
	}
}

func TestWhatIsNoCycloneDXInXMLIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":               "",
		"broken":                xmlBOM[:300],
		"another root":          "<html></html>",
		"no version":            "<bom><components/></bom>",
		"an old version":        strings.Replace(xmlBOM, "bom/1.6", "bom/1.1", 1),
		"types of its own":      `<!DOCTYPE bom [<!ENTITY a "aaaa">]>` + strings.TrimPrefix(xmlBOM, `<?xml version="1.0" encoding="UTF-8"?>`),
		"nested without an end": `<bom xmlns="http://cyclonedx.org/schema/bom/1.6"><components>` + strings.Repeat("<component><components>", 100_000),
	} {
		if out, err := sbom.CycloneDXFromXML([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), "reading CycloneDX: ") {
			t.Errorf("%s: got %d bytes and error %v, want an error", name, len(out), err)
		}
	}
}

func FuzzCycloneDXFromXML(f *testing.F) {
	f.Add([]byte(xmlBOM))
	f.Add([]byte("<bom>"))
	f.Add([]byte(`<bom xmlns="http://cyclonedx.org/schema/bom/1.5"><components><component type="x"><licenses><expression>MIT</expression></licenses></component></components></bom>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := sbom.CycloneDXFromXML(data)
		if err != nil {
			return
		}
		var bom cdx.BOM // law: what was written is CycloneDX in JSON
		if err := cdx.NewBOMDecoder(bytes.NewReader(out), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
			t.Error(fmt.Errorf("reading what was written: %w", err))
		}
	})
}
