package sbom

// Licensing is what is concluded about the licence of a component.
type Licensing struct {
	Declared  string // SPDX expression of what the authors declare; empty if none could be made
	Concluded string // SPDX expression that we conclude; empty if none could be made
	// Effective is Concluded after the choice that its ORs leave; empty where nothing is to be chosen.
	Effective  string
	Class      string // verdict class (audit/licence); empty if not judged
	Provenance string // which of the provenances of claims decided; empty if none did
	Note       string // why, where the expression alone does not say it
}
