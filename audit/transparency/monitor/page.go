package monitor

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// lookAtPage says what stands at an address where no monitor answers, better than the refusals alone.
func (s *session) lookAtPage(refused *audit.Trouble) *audit.Trouble {
	if refused != nil && refused.Kind == audit.TroubleLogin {
		return refused
	}
	a := s.visit(audit.Request{URL: s.base.String(), Redact: redact})
	if a.Trouble != nil {
		return a.Trouble
	}
	media := strings.ToLower(a.Headers["content-type"])
	switch {
	case strings.HasPrefix(media, "image/"):
		return &audit.Trouble{Kind: audit.TroubleNotFound, Text: "a picture is no monitor: nobody can tell how old its numbers are",
			Settle: "name the dashboard or the read API that the picture is drawn from"}
	case embedded(s.base, a.Body) != "":
		return &audit.Trouble{Kind: audit.TroubleNotFound, Text: "the page shows a monitor of another address inside it",
			Settle: "name this address instead: " + embedded(s.base, a.Body)}
	case regexp.MustCompile(`(?i)<img\b`).Match(a.Body):
		return &audit.Trouble{Kind: audit.TroubleNotFound, Text: "the page shows pictures and no monitor that can be read: nobody can tell how old its numbers are",
			Settle: "name the dashboard or the read API that the pictures are drawn from"}
	}
	if refused != nil && refused.Kind != audit.TroubleNotFound && refused.Kind != audit.TroubleContent {
		return refused
	}
	return &audit.Trouble{Kind: audit.TroubleContent, Text: "something answers here, and it is no monitor that can be read",
		Settle: "name the address of the dashboard (…/public-dashboards/TOKEN or …/d/UID/…) or of the read API of Prometheus, VictoriaMetrics, InfluxDB 1.x or CloudMon"}
}

// embedded finds a dashboard that a page shows in a frame.
func embedded(page *url.URL, body []byte) string {
	m := regexp.MustCompile(`(?i)<(?:iframe|img)\b[^>]{0,500}\bsrc\s*=\s*["']([^"'\s]{1,1000}/(?:public-dashboards|d|d-solo|render/d-solo)/[^"'\s]{1,1000})["']`).FindSubmatch(body)
	if m == nil {
		return ""
	}
	u, err := page.Parse(strings.ReplaceAll(string(m[1]), "&amp;", "&"))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	u.Path = strings.Replace(u.Path, "/render/d-solo/", "/d/", 1)
	u.Path = strings.Replace(u.Path, "/d-solo/", "/d/", 1)
	return clean(u.String(), 300)
}
