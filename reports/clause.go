package reports

// healthCheck is the Decision Record that the clauses come from.
const healthCheck = "https://github.com/SovereignCloudStack/standards/blob/main/Standards/scs-0008-v1-oss-health.md"

// clause is one bullet of scs-0008: the number that Pegel gives it, and what it asks, in our words.
type clause struct{ ID, Words string }

// clauseGroup is a heading of scs-0008 with its bullets.
type clauseGroup struct {
	Title   string
	Part    string // of the Four Opens; empty elsewhere
	Clauses []clause
}

// clauseGroups lists every bullet of scs-0008 in its order.
func clauseGroups() []clauseGroup {
	return []clauseGroup{
		{"Four Opens", "Open Source", []clause{
			{"FO-1.1", "All code under OSI licences"},
			{"FO-1.2", "No open core"},
			{"FO-1.3", "Licences handled clearly"},
			{"FO-1.4", "Patents, trademarks and other rights dealt with"},
		}},
		{"Four Opens", "Open Community", []clause{
			{"FO-2.1", "An open and diverse community across companies and countries"},
		}},
		{"Four Opens", "Open Development", []clause{
			{"FO-3.1", "The way to contribute is documented"},
			{"FO-3.2", "Contributors are invited and encouraged"},
			{"FO-3.3", "Discussions in the open, easy to reach"},
		}},
		{"Four Opens", "Open Design", []clause{
			{"FO-4.1", "A process for proposals"},
			{"FO-4.2", "Decisions are clear, accessible and traceable"},
			{"FO-4.3", "Requirements are gathered, recorded and prioritised"},
			{"FO-4.4", "Roadmaps and goals"},
		}},
		{"Maturity", "", []clause{
			{"MA-1", "Quality: regressions"},
			{"MA-2", "Policies for maintenance"},
			{"MA-3", "Handling of security issues"},
			{"MA-4", "Bugs are tracked and addressed"},
			{"MA-5", "A mature development process: review, policies"},
			{"MA-6", "CI: process, coverage, watching its state"},
			{"MA-7", "Implements the relevant standards, with compliance tests"},
			{"MA-8", "Defines own standards that others can implement, with compliance tests"},
		}},
		{"Security", "", []clause{
			{"SE-1", "A transparent supply chain, SBOM"},
			{"SE-2", "Security contacts and response"},
			{"SE-3", "Secure coding practices"},
			{"SE-4", "Review"},
			{"SE-5", "Tests of security in CI"},
		}},
		{"Activity", "", []clause{
			{"AC-1", "Active development and maintenance"},
			{"AC-2", "Attracts new users and contributors"},
			{"AC-3", "Keeps its contributors"},
			{"AC-4", "Forks and contributors"},
			{"AC-5", "Adoption: others build on it, use it, offer services"},
			{"AC-6", "Visibility: press, conferences"},
			{"AC-7", "Events of the community, ambassadors"},
			{"AC-8", "Works together with other communities"},
		}},
		{"Lock-in risk", "", []clause{
			{"LR-1", "Single points of failure: too few maintainers or reviewers"},
			{"LR-2", "Commercial interests of main contributors that conflict"},
			{"LR-3", "How easily it could be forked and taken over"},
			{"LR-4", "How easily it could be replaced"},
		}},
	}
}
