package quality

import (
	"fmt"
	"slices"
	"strings"
)

// Level says how binding a rule is, in the words of BSI TR-03183-2 section 5.2. The zero value is no level.
type Level string

// Levels of rules.
const (
	Required   Level = "required"
	Additional Level = "additional" // required if the data exists, which no reader of the document can tell
	Optional   Level = "optional"
)

// Rule is one demand of a profile.
type Rule struct {
	ID     string `json:"id"`
	Field  string `json:"field"`
	Clause string `json:"clause"` // where the profile's document demands it
	Level  Level  `json:"level"`
	About  string `json:"about"` // document, component, file: what it is demanded of
	Want   string `json:"want"`  // what counts as fulfilled

	field      field
	identified bool                                // holds for components that are only identified, too
	referenced bool                                // holds for components described in another document, and only for these
	ifGiven    bool                                // holds for components that state it at all
	until      string                              // holds in CycloneDX before this version
	document   func(f *facts) (bool, bool, string) // fulfilled, wrong, why not; of a rule about the document
	faults     func(f *facts) noted                // names what is wrong; of a rule about the document
}

// What rules are about.
const (
	aboutDocument  = "document"
	aboutComponent = "component" // every component
	aboutFile      = "file"      // components that are files: not logical ones
)

// Profile is a list of demands made by one document.
type Profile struct {
	ID     string
	Short  string // name for the command line
	Title  string
	Source string // address of the document
	Rules  []Rule
}

// Profiles returns the profiles that are known, in fixed order.
func Profiles() []Profile {
	return []Profile{bsi(), cisa(), ntia()}
}

// ProfileIDs returns the ids of the profiles in fixed order.
func ProfileIDs() []string {
	var ids []string
	for _, p := range Profiles() {
		ids = append(ids, p.ID)
	}
	return ids
}

// chosen returns the profiles with these ids or short names, each once; all if none is named.
func chosen(names []string) ([]Profile, error) {
	all := Profiles()
	for _, name := range names {
		if !slices.ContainsFunc(all, func(p Profile) bool { return p.ID == name || p.Short == name }) {
			return nil, fmt.Errorf("unknown profile %q; known are %s", name, strings.Join(ProfileIDs(), ", "))
		}
	}
	if len(names) == 0 {
		return all, nil
	}
	return slices.DeleteFunc(all, func(p Profile) bool { return !slices.Contains(names, p.ID) && !slices.Contains(names, p.Short) }), nil
}

// bsi is BSI TR-03183-2 v2.1.0 of 2025-08-20. Numbers of sections are those of that edition.
func bsi() Profile {
	return Profile{
		ID: "bsi-tr-03183-2-v2.1", Short: "bsi", Title: "BSI TR-03183-2 v2.1.0", Source: "https://bsi.bund.de/dok/TR-03183-en",
		Rules: slices.Concat(bsiDocument(), bsiComponents()),
	}
}

func bsiDocument() []Rule {
	return []Rule{
		{ID: "format", Field: "Format", Clause: "section 4", Level: Required, About: aboutDocument,
			Want: "CycloneDX 1.6 or later, or SPDX 3.0.1 or later", document: recentFormat},
		{ID: "sbom-creator", Field: "Creator of the SBOM", Clause: "section 5.2.1", Level: Required, About: aboutDocument,
			Want: "e-mail address, else URL, of who made the SBOM (metadata.manufacturer)", document: fromState(func(f *facts) state { return f.creator }, "no e-mail address or URL of its creator", "no valid e-mail address or URL")},
		{ID: "timestamp", Field: "Timestamp", Clause: "section 5.2.1", Level: Required, About: aboutDocument,
			Want: "RFC 3339 date-time in UTC", document: func(f *facts) (bool, bool, string) {
				return f.timestamp == given, f.timestamp >= wrong, orText(f.whyTimestamp, "no timestamp")
			}},
		{ID: "sbom-uri", Field: "SBOM-URI", Clause: "section 5.2.3", Level: Additional, About: aboutDocument,
			Want: "serialNumber as urn:uuid", document: fromState(func(f *facts) state { return f.serial }, "no serial number", "no urn:uuid of RFC 4122 form")},
		{ID: "no-vulnerabilities", Field: "No vulnerability data", Clause: "section 3.1", Level: Required, About: aboutDocument,
			Want: "no vulnerabilities in the SBOM", document: func(f *facts) (bool, bool, string) {
				return f.vulnerabilities == 0, f.vulnerabilities > 0, fmt.Sprintf("holds %d vulnerability records; publish them apart, e.g. as CSAF", f.vulnerabilities)
			}},
		{ID: "root", Field: "Described product", Clause: "section 5.1", Level: Required, About: aboutDocument,
			Want: "a root component", document: func(f *facts) (bool, bool, string) {
				return f.root != none, false, "names nothing that it describes (metadata.component)"
			}},
		{ID: "root-dependencies", Field: "Dependencies of the root", Clause: "section 5.1", Level: Required, About: aboutDocument,
			Want: "edges that leave the root", document: rootLeads},
		{ID: "references", Field: "References", Clause: "section 5.2.2", Level: Required, About: aboutDocument,
			Want: "every reference leads to something listed, or is a BOM-Link", faults: func(f *facts) noted { return f.dangling }},
		{ID: "unique", Field: "Unique references and lists", Clause: "section 4 (valid against the schema)", Level: Required, About: aboutDocument,
			Want: "no identifier, entry or edge twice, and no null for a list", faults: doubles},
		{ID: "files-listed", Field: "Files of logical components", Clause: "sections 3.2.2 and 5.1", Level: Required, About: aboutDocument,
			Want: "executable and archive files, or components that another SBOM describes, stand below logical components, where there are such", document: filesListed},
	}
}

func bsiComponents() []Rule {
	return []Rule{
		{ID: "creator", Field: "Component creator", Clause: "section 5.2.2", Level: Required, About: aboutComponent, field: fieldCreator, identified: true,
			Want: "e-mail address, else URL (manufacturer)"},
		{ID: "name", Field: "Component name", Clause: "section 5.2.2", Level: Required, About: aboutComponent, field: fieldName, identified: true,
			Want: "a name"},
		{ID: "version", Field: "Component version", Clause: "section 5.2.2", Level: Required, About: aboutComponent, field: fieldVersion, identified: true,
			Want: "a version; of a file without one the time of its last change as RFC 3339 date-time"},
		{ID: "filename", Field: "Filename", Clause: "section 5.2.2", Level: Required, About: aboutFile, field: fieldFilename,
			Want: "name without path, once (" + propertyFilename + ")"},
		{ID: "dependencies", Field: "Dependencies", Clause: "section 5.2.2", Level: Required, About: aboutComponent, field: fieldDependencies,
			Want: "an entry, empty for what depends on nothing"},
		{ID: "completeness", Field: "Completeness of dependencies", Clause: "section 5.2.2", Level: Required, About: aboutComponent, field: fieldCompleteness,
			Want: "named in compositions as complete, incomplete or unknown"},
		{ID: "reachable", Field: "Place in the tree", Clause: "section 5.1", Level: Required, About: aboutComponent, field: fieldReach, identified: true,
			Want: "reached from the root by dependencies or nesting"},
		{ID: "distribution-licences", Field: "Distribution licences", Clause: "sections 5.2.2 and 6.1", Level: Required, About: aboutComponent, field: fieldDistributionLicence,
			Want: "SPDX ids, LicenseRef-scancode-... or LicenseRef-<list>-..., acknowledged as concluded"},
		{ID: "licence-form", Field: "Form of licences", Clause: "section 4 (valid against the schema of CycloneDX 1.6)", Level: Required, About: aboutComponent, field: fieldLicenceForm,
			ifGiven: true, identified: true, until: "1.7", Want: "exactly one expression, or licences only, where CycloneDX before 1.7 is used"},
		{ID: "deployable-hash", Field: "Hash of the deployable component", Clause: "section 5.2.2", Level: Required, About: aboutFile, field: fieldDeployableHash,
			Want: "SHA-512 at an external reference of type distribution"},
		{ID: "executable", Field: "Executable property", Clause: "section 5.2.2", Level: Required, About: aboutFile, field: fieldExecutable,
			Want: "executable or non-executable, once (" + propertyExecutable + ")"},
		{ID: "archive", Field: "Archive property", Clause: "section 5.2.2", Level: Required, About: aboutFile, field: fieldArchive,
			Want: "archive or \"no archive\", once (" + propertyArchive + ")"},
		{ID: "structured", Field: "Structured property", Clause: "section 5.2.2", Level: Required, About: aboutFile, field: fieldStructured,
			Want: "structured or unstructured, once (" + propertyStructured + ")"},
		{ID: "source-uri", Field: "URI of the source code", Clause: "section 5.2.4", Level: Additional, About: aboutFile, field: fieldSourceURI,
			Want: "URL at an external reference of type source-distribution"},
		{ID: "deployable-uri", Field: "URI of the deployable component", Clause: "section 5.2.4", Level: Additional, About: aboutFile, field: fieldDeployableURI,
			Want: "URI at an external reference of type distribution"},
		{ID: "identifiers", Field: "Other unique identifiers", Clause: "section 5.2.4", Level: Additional, About: aboutComponent, field: fieldIdentifier, identified: true,
			Want: "purl, CPE or SWID in valid form"},
		{ID: "original-licences", Field: "Original licences", Clause: "sections 5.2.4 and 6.1", Level: Additional, About: aboutComponent, field: fieldOriginalLicence,
			Want: "like the distribution licences, acknowledged as declared"},
		{ID: "effective-licence", Field: "Effective licence", Clause: "section 5.2.5", Level: Optional, About: aboutComponent, field: fieldEffectiveLicence,
			Want: "an SPDX expression (" + propertyEffective + ")"},
		{ID: "source-hash", Field: "Hash of the source code", Clause: "section 5.2.5", Level: Optional, About: aboutFile, field: fieldSourceHash,
			Want: "hash at an external reference of type source-distribution"},
		{ID: "security-contact", Field: "URL of security.txt", Clause: "section 5.2.5", Level: Optional, About: aboutComponent, field: fieldSecurityContact,
			Want: "URL at an external reference of type rfc-9116"},
		{ID: "bom-reference", Field: "Reference to another SBOM", Clause: "section 5.1", Level: Required, About: aboutComponent, field: fieldBOMLink, referenced: true,
			Want: "BOM-Link or URL at an external reference of type bom"},
	}
}

// cisa is the draft of 2025-08-22 of CISA's minimum elements. It is a draft for comment; its levels are ours.
func cisa() Profile {
	const fields = "data fields: "
	return Profile{
		ID: "cisa-2025", Short: "cisa", Title: "CISA minimum elements, draft of 2025-08-22",
		Source: "https://www.cisa.gov/resources-tools/resources/2025-minimum-elements-software-bill-materials-sbom",
		Rules: []Rule{
			{ID: "sbom-author", Field: "SBOM author", Clause: fields + "SBOM author", Level: Required, About: aboutDocument,
				Want: "who made the SBOM (metadata.authors, manufacturer or supplier)", document: fromState(func(f *facts) state { return f.author }, "names no author", "")},
			{ID: "timestamp", Field: "Timestamp", Clause: fields + "timestamp", Level: Required, About: aboutDocument, Want: "RFC 3339 date-time", document: anyTimestamp},
			{ID: "tool", Field: "Tool name", Clause: fields + "tool name", Level: Required, About: aboutDocument, Want: "a tool by name",
				document: fromState(func(f *facts) state { return f.tool }, "names no tool", "")},
			{ID: "context", Field: "Generation context", Clause: fields + "generation context", Level: Required, About: aboutDocument,
				Want: "phase of the life cycle (metadata.lifecycles)", document: fromState(func(f *facts) state { return f.context }, "does not say when in the life cycle it was made", "")},
			{ID: "unknowns", Field: "Known unknowns", Clause: "practices: known unknowns", Level: Required, About: aboutComponent, field: fieldCompleteness, identified: true,
				Want: "says whether its dependencies are complete"},
			{ID: "producer", Field: "Software producer", Clause: fields + "software producer", Level: Required, About: aboutComponent, field: fieldSupplier, identified: true, Want: "manufacturer or supplier by name"},
			{ID: "name", Field: "Component name", Clause: fields + "component name", Level: Required, About: aboutComponent, field: fieldName, identified: true, Want: "a name"},
			{ID: "version", Field: "Component version", Clause: fields + "component version", Level: Required, About: aboutComponent, field: fieldVersion, identified: true, Want: "a version, or the time of the file"},
			{ID: "identifiers", Field: "Software identifiers", Clause: fields + "software identifiers", Level: Required, About: aboutComponent, field: fieldIdentifier, identified: true, Want: "at least one: purl, CPE or SWID"},
			{ID: "hash", Field: "Component hash", Clause: fields + "component hash", Level: Required, About: aboutFile, field: fieldHash, Want: "a hash whose length fits its algorithm"},
			{ID: "licence", Field: "License", Clause: fields + "license", Level: Required, About: aboutComponent, field: fieldLicence, Want: "an SPDX identifier or expression"},
			{ID: "relationship", Field: "Dependency relationship", Clause: fields + "dependency relationship; practices: coverage", Level: Required, About: aboutComponent, field: fieldReach, identified: true, Want: "reached from the root"},
		},
	}
}

// ntia is NTIA's report of 2021-07-12, table of data fields.
func ntia() Profile {
	const fields = "data fields: "
	return Profile{
		ID: "ntia-2021", Short: "ntia", Title: "NTIA minimum elements, 2021-07-12", Source: "https://www.ntia.gov/report/2021/minimum-elements-software-bill-materials-sbom",
		Rules: []Rule{
			{ID: "author", Field: "Author of SBOM data", Clause: fields + "author of SBOM data", Level: Required, About: aboutDocument,
				Want: "who made the SBOM (metadata.authors, manufacturer or supplier)", document: fromState(func(f *facts) state { return f.author }, "names no author", "")},
			{ID: "timestamp", Field: "Timestamp", Clause: fields + "timestamp", Level: Required, About: aboutDocument, Want: "RFC 3339 date-time", document: anyTimestamp},
			{ID: "supplier", Field: "Supplier name", Clause: fields + "supplier name", Level: Required, About: aboutComponent, field: fieldSupplier, identified: true, Want: "supplier or manufacturer by name"},
			{ID: "name", Field: "Component name", Clause: fields + "component name", Level: Required, About: aboutComponent, field: fieldName, identified: true, Want: "a name"},
			{ID: "version", Field: "Version of the component", Clause: fields + "version of the component", Level: Required, About: aboutComponent, field: fieldVersion, identified: true, Want: "a version"},
			{ID: "identifiers", Field: "Other unique identifiers", Clause: fields + "other unique identifiers", Level: Required, About: aboutComponent, field: fieldIdentifier, identified: true, Want: "purl, CPE or SWID in valid form"},
			{ID: "relationship", Field: "Dependency relationship", Clause: fields + "dependency relationship", Level: Required, About: aboutComponent, field: fieldReach, identified: true, Want: "reached from the root"},
		},
	}
}

func fromState(get func(f *facts) state, whenAbsent, whenWrong string) func(f *facts) (bool, bool, string) {
	return func(f *facts) (bool, bool, string) {
		switch s := get(f); {
		case s == given:
			return true, false, ""
		case s >= wrong:
			return false, true, whenWrong
		}
		return false, false, whenAbsent
	}
}

// anyTimestamp takes a date-time in any zone.
func anyTimestamp(f *facts) (bool, bool, string) {
	return f.timestamp == given || f.timestamp == wrong+1, f.timestamp == wrong, orText(f.whyTimestamp, "no timestamp")
}

// recentFormat is section 4: later than both floors; earlier editions of the guideline allowed CycloneDX 1.5 and SPDX 2.2.1.
func recentFormat(f *facts) (bool, bool, string) {
	v := f.doc.SpecVersion
	recent := f.doc.Format == "CycloneDX" && v != "1.4" && v != "1.5" || f.doc.Format == "SPDX" && strings.HasPrefix(v, "3.") && v != "3.0" && v != "3.0.0"
	return recent, !recent, fmt.Sprintf("%s %s is too old; write CycloneDX 1.6 or SPDX 3.0.1 at least", f.doc.Format, v)
}

func rootLeads(f *facts) (bool, bool, string) {
	switch {
	case f.root == none:
		return false, false, "there is no root"
	case f.components.n == 1:
		return true, false, ""
	}
	return f.rootEdges() > 0, false, "nothing leads from the root to a component"
}

func doubles(f *facts) noted {
	var all noted
	for _, n := range []struct {
		what string
		noted
	}{{"identifier stands twice: ", f.doubleRefs}, {"two entries for: ", f.doubleEntries}, {"edge stands twice: ", f.doubleEdges}, {"no list, or null: ", f.nulls}} {
		all.count += n.count
		for _, text := range n.first {
			all.first = append(all.first, n.what+text)
		}
	}
	return all
}

// filesListed holds where there are no logical components, or below some of them stands a file or what another document
// describes. Which of them have files no document can show.
func filesListed(f *facts) (bool, bool, string) {
	for _, chunk := range f.components.chunks {
		for i := range chunk {
			if chunk[i].kind == kindLogical && f.nodes.at(chunk[i].node).flags&nodeHasPart != 0 {
				return true, false, ""
			}
		}
	}
	return f.doc.Logical == 0, false, fmt.Sprintf("%d logical components and no file below any of them", f.doc.Logical)
}

func orText(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
