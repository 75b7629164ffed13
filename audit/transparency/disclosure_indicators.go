package transparency

// disclosureIndicators are the questions about what an operator tells: SBOM, contact, advisories, imprint, certificate.
func disclosureIndicators() []Indicator {
	return []Indicator{
		{ID: "SB-01", Kind: KindSBOM, Question: "Can customers get the SBOM?", Measure: sbomAvailable},
		{ID: "SB-02", Kind: KindSBOM, Contents: true, Question: "Does the published SBOM state the required fields, and is it of these days?", Measure: sbomCurrent},
		{ID: "SB-03", Kind: KindSBOM, Contents: true, Question: "Does the published SBOM name what is deployed?", Measure: sbomNames},
		{ID: "SC-01", Kind: KindSecurityTxt, Question: "Does a valid security.txt say whom to tell about vulnerabilities?", Measure: securityContact},
		{ID: "SC-02", Kind: KindSecurityTxt, Contents: true, Question: "Is security.txt signed?", Measure: securitySigned},
		{ID: "AD-01", Kind: KindAdvisories, Question: "Are security advisories published with identifiers and dates?", Measure: advisoriesPublished},
		{ID: "AD-02", Kind: KindAdvisories, Contents: true, Question: "Was the cloud mended within the times of scs-0124?", Measure: advisoriesInTime},
		{ID: "AD-03", Kind: KindAdvisories, Contents: true, Question: "Do the advisories mention what is known of the deployed components?", Measure: advisoriesCover},
		{ID: "IM-01", Kind: KindImprint, Question: "Does an imprint say who runs the site?", Measure: imprintComplete},
		{ID: "CP-01", Kind: KindCertificatePage, Question: "Does the operator link to the certificate status page?", Measure: certificateLinked},
	}
}
