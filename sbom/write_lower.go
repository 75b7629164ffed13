package sbom

import (
	"slices"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// Names of properties that hold in CycloneDX 1.6 what 1.7 has fields for.
const (
	propertyLoss         = "pegel:loss" // of the document: what 1.6 cannot hold
	propertyTLP          = "pegel:tlp"
	propertyExternal     = "pegel:is-external"
	propertyOriginalOnly = "pegel:licence:declared"
)

// losses says what a document in CycloneDX 1.6 cannot hold; it stands in its metadata.
var losses = [...]string{
	"distributionConstraints: metadata has the property " + propertyTLP + " instead",
	"isExternal: the component has the property " + propertyExternal + " instead",
	"a second licence expression: the declared one has the property " + propertyOriginalOnly + " instead",
}

// lowered returns the document in CycloneDX 1.6. The library's own conversion is not used: it works on a whole document
// and leaves two expressions in place, which the schema of 1.6 forbids.
func (d document) lowered() document {
	head, meta := *d.head, *d.head.Metadata
	head.SpecVersion, head.JSONSchema = cdx.SpecVersion1_6, "http://cyclonedx.org/schema/bom-1.6.schema.json"
	props := deref(meta.Properties)
	if meta.DistributionConstraints != nil {
		props = append(props, cdx.Property{Name: propertyTLP, Value: string(meta.DistributionConstraints.TLP)})
		meta.DistributionConstraints = nil
	}
	for _, loss := range losses {
		props = append(props, cdx.Property{Name: propertyLoss, Value: loss})
	}
	meta.Properties = sortedProperties(props)
	if meta.Component != nil {
		root := lower(*meta.Component)
		meta.Component = &root
	}
	head.Metadata = &meta
	plain := d.components
	d.head = &head
	d.components = func(yield func(cdx.Component) bool) {
		for c := range plain {
			if !yield(lower(c)) {
				return
			}
		}
	}
	return d
}

// lower returns a component, and those nested in it, as CycloneDX 1.6 can hold it.
func lower(c cdx.Component) cdx.Component {
	props := deref(c.Properties)
	if c.IsExternal != nil && *c.IsExternal {
		props = append(props, cdx.Property{Name: propertyExternal, Value: "yes"})
	}
	c.IsExternal = nil
	if c.Licenses != nil && len(*c.Licenses) > 1 { // concluded comes first
		props = append(props, cdx.Property{Name: propertyOriginalOnly, Value: (*c.Licenses)[1].Expression})
		c.Licenses = &cdx.Licenses{(*c.Licenses)[0]}
	}
	c.Properties = sortedProperties(props)
	if c.Components != nil {
		below := slices.Clone(*c.Components)
		for i := range below {
			below[i] = lower(below[i])
		}
		c.Components = &below
	}
	return c
}
