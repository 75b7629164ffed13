package sbom

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// Limits of documents in XML. They are held in memory as a whole, unlike those in JSON.
const (
	maxXMLFile     = 64 << 20
	maxXMLElements = 5_000_000
)

// LooksLikeXML reports whether a document begins as XML does.
func LooksLikeXML(data []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), " \t\r\n"), []byte("<"))
}

// CycloneDXFromXML writes a CycloneDX document in XML, version 1.4 to 1.7, as JSON, so that whatever reads JSON can read it.
// Documents with a type declaration, nested deeper than JSON may be, or beyond the limits are errors.
func CycloneDXFromXML(data []byte) ([]byte, error) {
	if len(data) > maxXMLFile {
		return nil, fmt.Errorf("reading CycloneDX: the document is larger than %d bytes", maxXMLFile)
	}
	if err := checkXML(data); err != nil {
		return nil, fmt.Errorf("reading CycloneDX: %w", err)
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(data), cdx.BOMFileFormatXML).Decode(&bom); err != nil {
		return nil, fmt.Errorf("reading CycloneDX: the XML does not follow the schema: %w", err)
	}
	bom.BOMFormat = cdx.BOMFormat
	switch bom.SpecVersion {
	case cdx.SpecVersion1_4, cdx.SpecVersion1_5, cdx.SpecVersion1_6, cdx.SpecVersion1_7:
	default:
		return nil, fmt.Errorf("reading CycloneDX: the namespace %q is none of CycloneDX 1.4 to 1.7", bom.XMLNS)
	}
	var out bytes.Buffer
	if err := cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON).Encode(&bom); err != nil {
		return nil, fmt.Errorf("reading CycloneDX: writing it as JSON: %w", err)
	}
	return out.Bytes(), nil
}

// checkXML reads all tokens once, before anything is built from them.
func checkXML(data []byte) error {
	d := xml.NewDecoder(bytes.NewReader(data))
	depth, elements, root := 0, 0, ""
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("the XML is broken: %w", err)
		}
		switch t := token.(type) {
		case xml.Directive:
			return errors.New("the document declares types of its own, which no SBOM needs")
		case xml.StartElement:
			if root == "" {
				root = t.Name.Local
			}
			depth++
			if elements++; elements > maxXMLElements || depth > maxBOMDepth {
				return fmt.Errorf("the document has more than %d elements or is nested deeper than %d", maxXMLElements, maxBOMDepth)
			}
		case xml.EndElement:
			depth--
		}
	}
	if !strings.EqualFold(root, "bom") {
		return fmt.Errorf("the root is %q, want bom", root)
	}
	return nil
}
