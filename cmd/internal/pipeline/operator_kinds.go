package pipeline

import (
	"github.com/pegel-audit/pegel/audit/transparency"
	"github.com/pegel-audit/pegel/audit/transparency/disclosure"
	"github.com/pegel-audit/pegel/audit/transparency/identity"
	"github.com/pegel-audit/pegel/audit/transparency/incidentreport"
	"github.com/pegel-audit/pegel/audit/transparency/monitor"
	"github.com/pegel-audit/pegel/audit/transparency/openops"
	"github.com/pegel-audit/pegel/audit/transparency/patches"
	"github.com/pegel-audit/pegel/audit/transparency/runbook"
	"github.com/pegel-audit/pegel/audit/transparency/statuspage"
)

// operatorCollectors says who looks at which kind of artifact; a new kind is a line here.
func operatorCollectors() map[string]transparency.Collect {
	return map[string]transparency.Collect{
		transparency.KindStatusPage:      statuspage.Collect,
		transparency.KindIncidentReports: incidentreport.Collect,
		transparency.KindMonitor:         monitor.Collect,
		transparency.KindRunbooks:        runbook.Collect,
		transparency.KindConfiguration:   runbook.CollectConfiguration,
		transparency.KindOpenOperations:  openops.Collect,
		transparency.KindSBOM:            disclosure.CollectSBOM,
		transparency.KindSecurityTxt:     disclosure.CollectSecurityTxt,
		transparency.KindAdvisories:      disclosure.CollectAdvisories,
		transparency.KindImprint:         disclosure.CollectImprint,
		transparency.KindCertificatePage: disclosure.CollectCertificatePage,
		transparency.KindPatches:         patches.Collect,
		transparency.KindIdentity:        identity.Collect,
	}
}

// operatorAdapters lists by kind the adapters that a target may name; a kind that is not listed has none.
func operatorAdapters() map[string][]string {
	return map[string][]string{
		transparency.KindStatusPage:      statuspage.Adapters(),
		transparency.KindIncidentReports: incidentreport.Adapters(),
		transparency.KindMonitor:         monitor.Adapters(),
		transparency.KindRunbooks:        runbook.Adapters(),
		transparency.KindConfiguration:   runbook.Adapters(),
		transparency.KindAdvisories:      disclosure.Adapters(),
		transparency.KindIdentity:        identity.Adapters(),
	}
}
