package forge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// gerritAccess is what is kept of the access rules of a project: no group of a single user, no description.
type gerritAccess struct {
	Parent  string        `json:"parent,omitempty"`
	Visible bool          `json:"visible"` // the whole configuration is shown
	Rules   []gerritRight `json:"rules"`
}

// gerritRight is one line of the access rules.
type gerritRight struct {
	Ref        string `json:"ref"`
	Permission string `json:"permission"`
	Action     string `json:"action"`
	Force      bool   `json:"force,omitempty"`
	Max        int    `json:"max,omitempty"` // highest vote of a label permission
	UUID       string `json:"uuid,omitempty"`
	Group      string `json:"group,omitempty"`
}

// redactAccess keeps of a ProjectAccessInfo what Rules and Team are drawn from.
func redactAccess(status int, body []byte, _ func(string) string) ([]byte, error) {
	if status < 200 || status > 299 {
		return []byte("null"), nil
	}
	var in struct {
		Visible  bool `json:"config_visible"`
		Inherits struct {
			Name string `json:"name"`
		} `json:"inherits_from"`
		Local map[string]struct {
			Permissions map[string]struct {
				Rules map[string]struct {
					Action string `json:"action"`
					Force  bool   `json:"force"`
					Max    int    `json:"max"`
				} `json:"rules"`
			} `json:"permissions"`
		} `json:"local"`
		Groups map[string]struct {
			Name string `json:"name"`
		} `json:"groups"`
	}
	if err := json.Unmarshal(bytes.TrimPrefix(body, []byte(")]}'")), &in); err != nil || in.Local == nil {
		return nil, errors.New("the answer is no list of access rights")
	}
	out := gerritAccess{Parent: in.Inherits.Name, Visible: in.Visible, Rules: []gerritRight{}}
	for ref, section := range in.Local {
		for name, permission := range section.Permissions {
			for uuid, rule := range permission.Rules {
				right := gerritRight{Ref: ref, Permission: name, Action: rule.Action, Force: rule.Force, Max: rule.Max}
				if !strings.HasPrefix(uuid, "user:") { // a group of one named user
					right.UUID, right.Group = uuid, in.Groups[uuid].Name
				}
				out.Rules = append(out.Rules, right)
			}
		}
	}
	slices.SortFunc(out.Rules, func(a, b gerritRight) int {
		return strings.Compare(a.Ref+" "+a.Permission+" "+a.UUID, b.Ref+" "+b.Permission+" "+b.UUID)
	})
	return json.Marshal(out)
}

// maxParents bounds how far access rules are inherited.
const maxParents = 10

// access reads Rules and Team. Exists says whether the project was seen.
func (r gerritReading) access(ctx context.Context, exists bool) (audit.Fact[scoring.Rules], audit.Fact[scoring.Team], error) {
	if !exists {
		why := &trouble{reason: "the project was not seen on " + r.host, settle: "correct the .gitreview file or the catalogue", origins: []audit.Origin{r.last}}
		return failed[scoring.Rules](why), failed[scoring.Team](why), ctx.Err()
	}
	r.seen = nil
	rights, whole, err := r.rights(ctx)
	if ctx.Err() != nil {
		return audit.Fact[scoring.Rules]{}, audit.Fact[scoring.Team]{}, ctx.Err()
	}
	rules, err2 := r.rules(ctx, rights, whole, err)
	if err2 != nil {
		return audit.Fact[scoring.Rules]{}, audit.Fact[scoring.Team]{}, err2
	}
	team, err2 := r.team(ctx, rights)
	return rules, team, err2
}

// rights reads the access rules of the project and of those it inherits from. Whole says that nothing was hidden.
func (r gerritReading) rights(ctx context.Context) (rights []gerritRight, whole bool, err error) {
	whole = true
	for project := r.project; project != ""; {
		if maxParents <= len(r.seen) {
			return rights, false, &trouble{reason: "the access rules are inherited over more than ten projects", origins: r.origins()}
		}
		var a gerritAccess
		rule := scoring.Redact{Name: "gerrit access", Do: redactAccess}
		if err := r.get(ctx, "access rules of "+project, rule, "/projects/"+url.PathEscape(project)+"/access", &a); err != nil {
			return rights, false, err
		}
		rights, whole, project = append(rights, a.Rules...), whole && a.Visible, a.Parent
	}
	return rights, whole, nil
}

// rules says what protects the branches.
func (r gerritReading) rules(ctx context.Context, rights []gerritRight, whole bool, why error) (audit.Fact[scoring.Rules], error) {
	out := scoring.Rules{}
	forced := slices.ContainsFunc(rights, func(x gerritRight) bool {
		return x.Permission == "push" && x.Action == "ALLOW" && x.Force && mayBeBranch(x.Ref)
	})
	switch {
	case forced:
		out.ForcePush = audit.Known(true, r.origins()...)
	case why != nil:
		out.ForcePush = failed[bool](why)
	case !whole:
		out.ForcePush = notTold[bool](errNotShown.Error(), "fetch refs/meta/config by git, or give a token", r.origins()...)
	default:
		out.ForcePush = audit.Known(false, r.origins()...)
	}
	var err error
	if out.ReviewRequired, out.ChecksRequired, err = r.requirements(ctx); err != nil {
		return audit.Fact[scoring.Rules]{}, err
	}
	return audit.Known(out, r.origins()...).Graded(audit.GradeForge, r.observed(), audit.Month), nil
}

// mayBeBranch says whether a pattern of access rules can mean branches: refs/heads/*, a wider one, or a regular expression
// (they begin with ^) that does not plainly name something else.
func mayBeBranch(ref string) bool {
	const heads = "refs/heads/"
	pattern, expression := strings.CutPrefix(ref, "^")
	if expression {
		if end := strings.IndexAny(pattern, `.[(*+?|\{$`); end >= 0 {
			pattern = pattern[:end]
		}
	} else {
		pattern = strings.TrimSuffix(pattern, "*")
	}
	return strings.HasPrefix(pattern, heads) || (expression || pattern != ref) && strings.HasPrefix(heads, pattern)
}

// requirements reads the conditions under which a change may be submitted (Gerrit 3.5 and newer).
func (r gerritReading) requirements(ctx context.Context) (review, checks audit.Fact[bool], err error) {
	var list []struct {
		Name       string `json:"name"`
		Expression string `json:"submittability_expression"`
	}
	rule := gerritRule("submit requirements", newShape(nil, "name", "submittability_expression"), "name", "submittability_expression")
	why := r.get(ctx, "submit requirements of "+r.project, rule, "/projects/"+url.PathEscape(r.project)+"/submit_requirements/?inherited", &list)
	if ctx.Err() != nil {
		return review, checks, ctx.Err()
	}
	if why == nil && len(list) == 0 {
		why = &trouble{reason: "Gerrit lists no submit requirements: labels decide, whose settings it shows only to some", settle: "fetch refs/meta/config by git", origins: []audit.Origin{r.last}}
	}
	if why != nil {
		return failed[bool](why), failed[bool](why), nil
	}
	all := ""
	for _, q := range list {
		all += " " + q.Expression
	}
	// What no requirement names may still be required by the function of a label, which only the configuration shows.
	const byLabel, settle = "no submit requirement names it, but the settings of a label may", "fetch refs/meta/config by git"
	if checks = audit.Known(true, r.last); !strings.Contains(all, "label:Verified") {
		checks = notTold[bool](byLabel, settle, r.last)
	}
	switch {
	case !strings.Contains(all, "label:Code-Review"):
		review = notTold[bool](byLabel, settle, r.last)
	case strings.Contains(all, "user=non_uploader") || strings.Contains(all, "user=non_contributor"):
		review = audit.Known(true, r.last)
	default:
		review = notTold[bool]("a Code-Review vote is required, but whether the author's own counts is a setting of the label", "fetch refs/meta/config by git", r.last)
	}
	return review, checks, nil
}

// team counts who may approve: the members of the groups that may give +2 on Code-Review. Where the rules are hidden it
// asks for the group that OpenStack's projects call NAME-core (project configuration of OpenDev).
func (r gerritReading) team(ctx context.Context, rights []gerritRight) (audit.Fact[scoring.Team], error) {
	var groups []string
	for _, x := range rights {
		named := x.UUID != "" && !strings.HasPrefix(x.UUID, "global:") && x.Group != "Administrators"
		if x.Permission == "label-Code-Review" && x.Action == "ALLOW" && x.Max >= 2 && named && !slices.Contains(groups, x.UUID) {
			groups = append(groups, x.UUID)
		}
	}
	if len(groups) == 0 {
		if r.host != openDevReview {
			return notTold[scoring.Team](errNotShown.Error(), "fetch refs/meta/config by git, or name the maintainers in a file", r.origins()...), nil
		}
		groups = []string{r.project[strings.LastIndexByte(r.project, '/')+1:] + "-core"}
	}
	shape := newShape(r.accounts.name, "members@", "members._account_id", "members.email", "members.username", "members.name", "members.tags")
	rule := memberRule(shape)
	members := map[string]string{}
	for _, group := range groups[:min(len(groups), maxParents)] {
		var answer struct {
			Members []gerritAccount `json:"members"`
		}
		if err := r.get(ctx, "members of group "+group, rule, "/groups/"+url.PathEscape(group)+"/members/?recursive", &answer); err != nil {
			if ctx.Err() != nil {
				return audit.Fact[scoring.Team]{}, ctx.Err()
			}
			return failed[scoring.Team](err), nil
		}
		for _, m := range answer.Members {
			if m.Who != "" && !m.Machine {
				members[m.Who] = m.Organisation
			}
		}
	}
	if len(members) == 0 {
		return notTold[scoring.Team]("the groups that may approve show no members", "name the maintainers in a file", r.last), nil
	}
	return audit.Known(teamOf("gerrit-groups", members, r.options.Affiliate != nil, r.last), r.origins()...).Graded(audit.GradeForge, r.observed(), audit.Year), nil
}

// memberRule puts the list of accounts, which an answer consists of, below a key so that a shape can mark it.
func memberRule(s *shape) scoring.Redact {
	rule := gerritRule("members", s)
	inner := rule.Do
	rule.Do = func(status int, body []byte, person func(string) string) ([]byte, error) {
		list := bytes.TrimSpace(bytes.TrimPrefix(body, []byte(")]}'")))
		if status < 200 || status > 299 {
			return []byte("null"), nil
		}
		if !bytes.HasPrefix(list, []byte("[")) {
			return nil, errors.New("the answer is no JSON list of accounts")
		}
		return inner(status, slices.Concat([]byte(`{"members":`), list, []byte("}")), person)
	}
	return rule
}

// teamOf counts members and the organisations they can belong to, by person and organisation (empty: not known).
func teamOf(source string, members map[string]string, affiliated bool, origin audit.Origin) scoring.Team {
	t := scoring.Team{Source: source, Members: audit.Known(len(members), origin)}
	if !affiliated {
		why := &trouble{reason: "no table says which organisations people belong to", settle: "affiliations of people", origins: []audit.Origin{origin}}
		t.Organisations, t.TopOrgBP = failed[[2]int](why), failed[[2]int](why)
		return t
	}
	count, nobody, top := map[string]int{}, 0, 0
	for _, organisation := range members {
		if organisation == "" {
			nobody++
			continue
		}
		count[organisation]++
		top = max(top, count[organisation])
	}
	n := len(members)
	t.Organisations = audit.Known([2]int{max(1, len(count)), len(count) + nobody}, origin)
	t.TopOrgBP = audit.Known([2]int{max(top, 1) * 10000 / n, ((top+nobody)*10000 + n - 1) / n}, origin)
	return t
}
