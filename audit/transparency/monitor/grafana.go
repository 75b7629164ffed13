package monitor

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pegel-audit/pegel/audit"
)

// Grafana (grafana/grafana): GET /api/health answers everybody; a public dashboard has an address with an access token
// (pkg/services/publicdashboards/api); everything else needs the anonymous viewer ([auth.anonymous] in grafana.ini).

// healthDashboard is the uid of the dashboard of openstack-health-monitor (dashboard/openstack-health-dashboard.json).
const healthDashboard = "9ltTEmlnk"

const (
	mostDashboards = 3  // of a whole server
	mostAsked      = 10 // panels of one dashboard that are asked for values
)

// grafanaPlace is what an address of Grafana says: what the server lies below, and which dashboard is meant.
type grafanaPlace struct {
	base  *url.URL
	token string // of a public dashboard
	uid   string
}

func grafanaAddress(path string) bool {
	return publicPath().MatchString(path) || dashboardPath().MatchString(path)
}

// publicPath: an access token is a UUID without dashes (pkg/services/publicdashboards/validation).
func publicPath() *regexp.Regexp {
	return regexp.MustCompile(`^(.*)/public-dashboards/([0-9a-zA-Z-]{8,64})/?$`)
}

func dashboardPath() *regexp.Regexp {
	return regexp.MustCompile(`^(.*?)/(?:d|d-solo)/([0-9a-zA-Z_-]{1,64})(?:/[^/]*)?/?$`)
}

func grafanaPlaceOf(u *url.URL) grafanaPlace {
	b := *u
	b.RawPath, b.RawQuery = "", ""
	p := grafanaPlace{base: &b}
	if m := publicPath().FindStringSubmatch(u.Path); m != nil {
		b.Path, p.token = m[1], m[2]
	} else if m := dashboardPath().FindStringSubmatch(u.Path); m != nil {
		b.Path, p.uid = m[1], m[2]
	} else {
		b.Path = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(b.Path, "/"), "/dashboards"), "/login")
	}
	return p
}

// grafanaHealth is what /api/health answers (pkg/api/http_server.go, apiHealthHandler); newer versions may hide version.
type grafanaHealth struct {
	Database string `json:"database"`
	Version  string `json:"version"`
}

func grafanaHere(s *session) (bool, *audit.Trouble) {
	var health grafanaHealth
	t := decode(s.get(grafanaPlaceOf(s.base).base, "/api/health", nil), &health)
	return t == nil && health.Database != "", t
}

func readGrafana(s *session) (*findings, *audit.Trouble) {
	place := grafanaPlaceOf(s.base)
	f := &findings{}
	var health grafanaHealth
	t := decode(s.get(place.base, "/api/health", nil), &health)
	if final(t) {
		return nil, t
	}
	if t == nil && health.Database != "" {
		f.software = strings.TrimSpace("grafana " + health.Version)
	}
	if place.token != "" {
		return f, s.publicDashboard(place, f)
	}
	uids := []string{place.uid}
	if place.uid == "" {
		if uids, t = s.searchDashboards(place, f); t != nil {
			return nil, t
		}
	}
	var first *audit.Trouble
	read := 0
	for _, uid := range uids {
		if t := s.anonymousDashboard(place, uid, f); t == nil {
			read++
		} else if first == nil {
			first = t
		}
	}
	if read == 0 {
		return nil, first
	}
	return f, nil
}

// closed says of a trouble behind which a Grafana stands what would open it.
func closed(t *audit.Trouble, software, what string) *audit.Trouble {
	if t == nil || t.Kind != audit.TroubleLogin || software == "" {
		return t
	}
	return &audit.Trouble{Kind: t.Kind, Text: clean(software, nameLength) + " answers, but " + what + " asks for a login",
		Settle: "share the dashboard as a public dashboard, or let anonymous viewers in ([auth.anonymous] enabled = true, org_role = Viewer)"}
}

// searchDashboards finds the dashboards of a health monitor on a server: pkg/api/search.go.
func (s *session) searchDashboards(place grafanaPlace, f *findings) ([]string, *audit.Trouble) {
	var hits []struct {
		UID   string `json:"uid"`
		Title string `json:"title"`
	}
	t := decode(s.get(place.base, "/api/search", url.Values{"type": {"dash-db"}, "limit": {"1000"}}), &hits)
	if t != nil {
		return nil, closed(t, f.software, "its list of dashboards")
	}
	var uids []string
	for _, health := range []bool{true, false} { // dashboards of health monitors first
		for _, h := range hits {
			isHealth := h.UID == healthDashboard || regexp.MustCompile(`(?i)health|api[ -]?mon|cloudmon|availab`).MatchString(h.Title)
			if isHealth == health && regexp.MustCompile(`^[0-9a-zA-Z_-]{1,64}$`).MatchString(h.UID) && !slices.Contains(uids, h.UID) {
				uids = append(uids, h.UID)
			}
		}
	}
	if len(uids) == 0 {
		return nil, &audit.Trouble{Kind: audit.TroubleNotFound, Text: "Grafana answers, but it shows no dashboard to an outsider",
			Settle: "let anonymous viewers read the dashboard, or name its public address"}
	}
	if len(uids) > mostDashboards {
		s.note("the first %d of %d dashboards were read; name the address of one to have it read", mostDashboards, len(uids))
		uids = uids[:mostDashboards]
	}
	return uids, nil
}

// publicDashboard reads GET /api/public/dashboards/{token} and asks its panels for values.
func (s *session) publicDashboard(place grafanaPlace, f *findings) *audit.Trouble {
	var answer struct {
		Dashboard *dashboard `json:"dashboard"`
	}
	path := "/api/public/dashboards/" + place.token
	if t := decode(s.get(place.base, path, nil), &answer); t != nil {
		return closed(t, f.software, "the dashboard")
	}
	if answer.Dashboard == nil {
		return unreadable("the answer is not that of a public dashboard")
	}
	f.software = cmp.Or(f.software, "grafana")
	d := *answer.Dashboard
	if d.Timepicker.Hidden {
		s.note("visitors of the dashboard cannot choose the time: it shows %s to %s only; turn on \"time range\" where it is shared", clean(d.Time.From, 40), clean(d.Time.To, 40))
	}
	t := s.readPanels(d, f, func(p panel) (framesAnswer, *audit.Trouble) {
		var out framesAnswer
		t := decode(s.post(place.base, fmt.Sprintf("%s/panels/%d/query", path, p.id), map[string]any{
			"intervalMs": step.Milliseconds(), "maxDataPoints": reachDays * 24,
			"timeRange": map[string]string{"from": s.millis(true), "to": s.millis(false), "timezone": "utc"},
		}), &out)
		if t == nil && len(out.failures()) > 0 && p.hasVariable() {
			s.note("panel %q has a template variable, which public dashboards do not fill", p.title)
		}
		return out, t
	})
	return closed(t, f.software, "every panel")
}

// anonymousDashboard reads GET /api/dashboards/uid/{uid} and asks POST /api/ds/query what its panels ask.
func (s *session) anonymousDashboard(place grafanaPlace, uid string, f *findings) *audit.Trouble {
	var answer struct {
		Dashboard *dashboard `json:"dashboard"`
	}
	if t := decode(s.get(place.base, "/api/dashboards/uid/"+uid, nil), &answer); t != nil {
		return closed(t, f.software, "the dashboard")
	}
	if answer.Dashboard == nil {
		return unreadable("the answer is not that of a dashboard")
	}
	f.software = cmp.Or(f.software, "grafana")
	d := *answer.Dashboard
	sources := s.dataSources(place)
	values, t := s.variables(d)
	if t != nil {
		return t
	}
	login := s.readPanels(d, f, func(p panel) (framesAnswer, *audit.Trouble) {
		var queries []query
		for i, target := range p.targets {
			queries = append(queries, s.ranged(target.fill(values), sources, i))
		}
		return s.dataQuery(place, queries)
	})
	if f.errors.values == 0 && f.latency.values == 0 && f.failed+f.errors.failed+f.latency.failed > 0 {
		s.throughProxy(place, d, sources, f)
	}
	if f.errors.values+f.latency.values > 0 {
		return nil
	}
	return closed(login, f.software, "every panel")
}

func (s *session) dataQuery(place grafanaPlace, queries []query) (framesAnswer, *audit.Trouble) {
	var out framesAnswer
	t := decode(s.post(place.base, "/api/ds/query", map[string]any{"from": s.millis(true), "to": s.millis(false), "queries": queries}), &out)
	return out, t
}

// throughProxy reads a Prometheus behind Grafana where that lets viewers through: GET /api/datasources/proxy/uid/{uid}/…
func (s *session) throughProxy(place grafanaPlace, d dashboard, sources dataSources, f *findings) {
	tried := map[string]bool{}
	for _, p := range d.panels() {
		for _, target := range p.targets {
			source := sources.of(target)
			if source.Type != "prometheus" || tried[source.UID] || !regexp.MustCompile(`^[0-9a-zA-Z_-]{1,64}$`).MatchString(source.UID) {
				continue
			}
			tried[source.UID] = true
			base := *place.base
			base.Path = strings.TrimSuffix(base.Path, "/") + "/api/datasources/proxy/uid/" + source.UID
			if t := s.promFamilies(&base, f); t != nil {
				f.failed++
			}
		}
	}
}

// dataSource is an entry of /api/frontend/settings (pkg/api/frontendsettings.go), which viewers get.
type dataSource struct {
	UID  string `json:"uid"`
	Type string `json:"type"`
	Name string `json:"name"`
}

// dataSources are the data sources that a viewer sees, and the one that stands for "default".
type dataSources struct {
	list    []dataSource
	initial string // name of the default one
}

func (s *session) dataSources(place grafanaPlace) dataSources {
	var settings struct {
		Datasources       map[string]dataSource `json:"datasources"`
		DefaultDatasource string                `json:"defaultDatasource"`
	}
	if decode(s.get(place.base, "/api/frontend/settings", nil), &settings) != nil {
		return dataSources{}
	}
	out := dataSources{initial: settings.DefaultDatasource}
	for _, name := range sortedKeys(settings.Datasources) {
		d := settings.Datasources[name]
		if d.Name == "" {
			d.Name = name
		}
		out.list = append(out.list, d)
	}
	return out
}

// of finds the data source of a query: by uid, by name, by type, or the default one.
func (d dataSources) of(q query) dataSource {
	kind, uid := q.source()
	if uid == "default" || uid == "" && kind == "" {
		uid = d.initial
	}
	for _, s := range d.list {
		if uid != "" && (s.UID == uid || s.Name == uid) {
			return s
		}
	}
	if uid == "" || strings.Contains(uid, "$") {
		for _, s := range d.list {
			if s.Type == kind {
				return s
			}
		}
	}
	return dataSource{UID: uid, Type: kind}
}

// ranged makes a query ask for the whole reach in steps.
func (s *session) ranged(q query, sources dataSources, at int) query {
	source := sources.of(q)
	q["datasource"] = map[string]string{"uid": source.UID, "type": source.Type}
	q["intervalMs"], q["maxDataPoints"] = step.Milliseconds(), reachDays*24
	if text(map[string]any(q), "refId") == "" {
		q["refId"] = string(rune('A' + at%26))
	}
	if source.Type == "prometheus" {
		q["range"], q["instant"], q["format"] = true, false, "time_series"
		delete(q, "exemplar")
	}
	return q
}

func (s *session) millis(from bool) string {
	if from {
		return strconv.FormatInt(s.from().UnixMilli(), 10)
	}
	return strconv.FormatInt(s.to().UnixMilli(), 10)
}

// variables gives each template variable of a dashboard a value: var-NAME of the address, the name that the stack file has for
// the cloud, the saved choice, or a pattern that takes everything.
func (s *session) variables(d dashboard) (map[string]string, *audit.Trouble) {
	asked := s.base.Query()
	values := map[string]string{}
	for _, v := range d.Templating.List {
		if given := asked["var-"+v.Name]; len(given) > 0 {
			values[v.Name] = anyOf(given)
			if strings.Contains(values[v.Name], "$__all") || values[v.Name] == "All" {
				values[v.Name] = ".*"
			}
			continue
		}
		switch {
		case v.Name == "mycloud" || v.Name == "cloud":
			if s.name() != "" {
				values[v.Name] = s.name()
				continue
			}
			cloud, t := s.dashboardCloud(v)
			if t != nil {
				return nil, t
			}
			values[v.Name] = cloud
		case v.Type == "datasource":
			values[v.Name] = currentValue(v) // where nothing was saved, one of the type of the query is found
		default:
			values[v.Name] = currentValue(v)
			if values[v.Name] == "" || strings.Contains(values[v.Name], "$__all") {
				values[v.Name] = ".*"
			}
		}
	}
	return values, nil
}

func currentValue(v variable) string {
	switch x := v.Current.Value.(type) {
	case string:
		return x
	case []any:
		var parts []string
		for _, p := range x {
			if s, ok := p.(string); ok {
				parts = append(parts, s)
			}
		}
		return anyOf(parts)
	}
	return ""
}

// anyOf writes several values as a pattern.
func anyOf(values []string) string {
	if len(values) > 1 {
		return "(" + strings.Join(values, "|") + ")"
	}
	return strings.Join(values, "")
}

// dashboardCloud is the cloud that a dashboard shows where nobody named one: the saved choice if there is one.
func (s *session) dashboardCloud(v variable) (string, *audit.Trouble) {
	if saved := currentValue(v); saved != "" && !strings.Contains(saved, "$__all") && !strings.Contains(saved, "|") {
		s.note("the dashboard shows the cloud %q unless somebody chooses another; this one was read", clean(saved, 60))
		return saved, nil
	}
	return "", &audit.Trouble{Kind: audit.TroubleNotNamed, Text: "the dashboard has a choice of clouds, and nobody said which one is meant",
		Settle: "write name: under transparency: monitor, or an address with var-" + clean(v.Name, 20) + "=NAME"}
}
