package monitor

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// lookAtPage looks at an address where no monitor answers: a dashboard that a page shows in a frame is read, and otherwise the
// page says more than the refusals alone.
func (s *session) lookAtPage(refused *audit.Trouble) (*findings, *audit.Trouble) {
	if refused != nil && refused.Kind == audit.TroubleLogin {
		return nil, refused
	}
	a := s.visit(audit.Request{URL: s.base.String()})
	if a.Trouble != nil {
		return nil, a.Trouble
	}
	if framed := embedded(s.base, "iframe", a.Body); framed != nil {
		s.note("the page shows %s in a frame; that was read", clean(framed.String(), 300))
		s.base = framed
		return readGrafana(s)
	}
	return nil, s.pageTrouble(a, refused)
}

func (s *session) pageTrouble(a audit.Answer, refused *audit.Trouble) *audit.Trouble {
	drawn := embedded(s.base, "img", a.Body)
	switch {
	case strings.HasPrefix(strings.ToLower(a.Headers["content-type"]), "image/"):
		return &audit.Trouble{Kind: audit.TroubleNotFound, Text: "a picture is no monitor: nobody can tell how old its numbers are",
			Settle: "name the dashboard or the read API that the picture is drawn from"}
	case drawn != nil:
		return &audit.Trouble{Kind: audit.TroubleNotFound, Text: "the page shows a picture of a monitor: nobody can tell how old its numbers are",
			Settle: "name the dashboard that the picture is drawn from: " + clean(drawn.String(), 300)}
	}
	if refused != nil && refused.Kind != audit.TroubleNotFound && refused.Kind != audit.TroubleContent {
		return refused
	}
	return &audit.Trouble{Kind: audit.TroubleContent, Text: "something answers here, and it is no monitor that can be read",
		Settle: "name the address of the dashboard (…/public-dashboards/TOKEN or …/d/UID/…) or of the read API of Prometheus, VictoriaMetrics, InfluxDB 1.x or CloudMon"}
}

// embedded finds a dashboard of Grafana that a page shows inside an element.
func embedded(page *url.URL, element string, body []byte) *url.URL {
	m := regexp.MustCompile(`(?i)<` + element + `\b[^>]{0,500}\bsrc\s*=\s*["']([^"'\s]{1,1000}/(?:public-dashboards|d|d-solo)/[^"'\s]{1,1000})["']`).FindSubmatch(body)
	if m == nil {
		return nil
	}
	u, err := page.Parse(strings.ReplaceAll(string(m[1]), "&amp;", "&"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	u.Path = strings.Replace(u.Path, "/render/d-solo/", "/d/", 1)
	u.RawPath, u.User, u.Fragment = "", nil, ""
	if !grafanaAddress(u.Path) {
		return nil
	}
	return u
}
