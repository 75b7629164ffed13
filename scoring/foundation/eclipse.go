package foundation

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

const eclipseService = "https://projects.eclipse.org"

// eclipseID is how the Eclipse Foundation numbers its projects, e.g. ee4j.batch.
var eclipseID = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+$`)

// mostEclipse bounds one answer.
const mostEclipse = 1 << 20

func eclipse() registry {
	return registry{name: "Eclipse projects service", home: "eclipse", address: eclipseService, about: func(scoring.Project) bool { return false },
		load: func(context.Context, scoring.ReadFile, time.Time) (book, error) { return askEclipse, nil }}
}

// eclipseProject is all that is kept of an answer. It names nobody.
type eclipseProject struct {
	ID    string `json:"project_id"`
	Name  string `json:"name"`
	State string `json:"state"` // Incubating, Regular, Archived
	Top   string `json:"top_level_project"`
	Team  *struct {
		Groups struct {
			Committers bool `json:"include_committers"`
			Leads      bool `json:"include_project_leads"`
		} `json:"groups"`
	} `json:"security_team,omitempty"`
}

// askEclipse asks for one project by the name that the catalogue gives.
func askEclipse(ctx context.Context, asked inquiry) (answer, error) {
	if asked.client == nil || !eclipseID.MatchString(asked.project.Registry) || len(asked.project.Registry) > mostName {
		return answer{}, nil
	}
	address := cmp.Or(asked.eclipse, eclipseService) + "/api/projects/" + strings.ReplaceAll(asked.project.Registry, ".", "_") + ".json"
	ctx = scoring.WithRedact(ctx, scoring.Redact{Name: "eclipse-project/v1", Do: redactEclipse}, &scoring.People{})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{}, errors.New("the address of the service is none")
	}
	resp, err := asked.client.Do(req)
	if err != nil {
		return answer{}, fmt.Errorf("no answer: %w", err)
	}
	defer resp.Body.Close()
	origin := scoring.OriginOf("eclipse", resp)
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return answer{complete: true, origins: []audit.Origin{origin}}, nil
	case resp.StatusCode != http.StatusOK:
		return answer{}, fmt.Errorf("it answered %d", resp.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, mostEclipse+1))
	var found []eclipseProject
	if err != nil || len(data) > mostEclipse || json.Unmarshal(data, &found) != nil {
		return answer{}, errors.New("its answer is not the JSON that is known")
	}
	for _, p := range found {
		if p.ID == asked.project.Registry {
			return tellEclipse(asked, p, origin), nil
		}
	}
	return answer{complete: true, origins: []audit.Origin{origin}}, nil
}

// redactEclipse keeps the fields that facts are drawn from.
func redactEclipse(status int, body []byte, _ func(string) string) ([]byte, error) {
	if status != http.StatusOK {
		return []byte("[]"), nil
	}
	if len(body) > mostEclipse {
		return nil, errors.New("the answer is too large")
	}
	var found []eclipseProject
	if json.Unmarshal(body, &found) != nil {
		return nil, errors.New("the answer is not the JSON that is known")
	}
	return json.Marshal(found)
}

func tellEclipse(asked inquiry, p eclipseProject, origin audit.Origin) answer {
	a := answer{listed: true, lent: true, origins: []audit.Origin{origin}}
	g := scoring.Governance{Team: clip(p.Name), Steps: []scoring.Step{projectStep(asked.project), {What: "team", Name: clip(p.Name), Origin: origin}}}
	if origin.At.After(asked.at) && origin.At.Sub(asked.at) > 24*time.Hour {
		g.Level = unknown[string]("the service speaks of today only, not of the day of assessment", "assess the present day", origin)
		a.lent, a.governance = false, g
		return a
	}
	switch strings.ToLower(p.State) {
	case "incubating", "archived", "regular":
		level := strings.ToLower(p.State)
		g.Level, g.Inactive = known(level, asked.at, origin), known(level == "archived", asked.at, origin)
		a.lent = level != "archived"
	default:
		g.Level = unknown[string]("the service calls its state "+clip(p.State), "read the page of the project", origin)
	}
	if p.Team != nil && (p.Team.Groups.Committers || p.Team.Groups.Leads) {
		g.SecurityTeam = known(true, asked.at, origin)
	}
	a.governance = g
	return a
}
