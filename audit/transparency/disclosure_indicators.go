package transparency

// disclosureIndicators are the questions about what an operator tells: SBOM, contact, advisories, imprint, certificate.
func disclosureIndicators() []Indicator {
	return []Indicator{
		{"SB-01", KindSBOM, "Can customers get the SBOM?", sbomAvailable},
		{"SB-02", KindSBOM, "Does the published SBOM state the required fields, and is it of these days?", sbomCurrent},
		{"SB-03", KindSBOM, "Does the published SBOM name what is deployed?", sbomNames},
		{"SC-01", KindSecurityTxt, "Does a valid security.txt say whom to tell about vulnerabilities?", securityContact},
		{"SC-02", KindSecurityTxt, "Is security.txt signed?", securitySigned},
		{"AD-01", KindAdvisories, "Are security advisories published with identifiers and dates?", advisoriesPublished},
		{"AD-02", KindAdvisories, "Was the cloud mended within the times of scs-0124?", advisoriesInTime},
		{"AD-03", KindAdvisories, "Do the advisories mention what is known of the deployed components?", advisoriesCover},
		{"IM-01", KindImprint, "Does an imprint say who runs the site?", imprintComplete},
		{"CP-01", KindCertificatePage, "Does the operator link to the certificate status page?", certificateLinked},
	}
}
