package policies

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// outlookOf judges the four scopes and returns the outlook of IaaS.
func outlookOf(t *testing.T, subjects []Subject) (Outlook, Result) {
	t.Helper()
	p, at := builtIn(t), day(t, "2026-11-24")
	r, err := p.Evaluate(Input{Subjects: subjects, Scopes: p.ScopeIDs(), Profile: p.Profile(), AssessedAt: at})
	if err != nil {
		t.Fatal(err)
	}
	list := p.Outlook(r, at)
	if len(list) != 2 || list[0].Layer != "iaas" || list[1].Layer != "kaas" {
		t.Fatalf("want an outlook for iaas and one for kaas, got %+v", list)
	}
	return list[0], r
}

func changed[T any](subjects []Subject, change func(*T), mark func(*Subject)) []Subject {
	out := slices.Clone(subjects)
	for i := range out {
		if r, ok := out[i].Record.(T); ok {
			change(&r)
			out[i].Record = r
			if mark != nil {
				mark(&out[i])
			}
		}
	}
	return out
}

func TestTheOutlookTellsOwnWorkFromThatOfOthers(t *testing.T) {
	low := audit.Between(1000, 2000)
	for name, c := range map[string]struct {
		subjects           []Subject
		reached, next, own string
		open               int
		tasks, remains     []string // kind, requirement, owner
	}{
		"all is well": {full(), "scs-sovereign-iaas", "", "scs-sovereign-iaas", 0, nil, nil},
		"own work at level 4": {
			changed(full(), func(o *Operator) { o.StatusPage = false }, nil), "scs-open-iaas", "scs-sovereign-iaas", "scs-sovereign-iaas", 0,
			[]string{"fix status-page operator"}, nil,
		},
		"own work at level 3 blocks both": {
			changed(full(), func(p *Project) { p.KnockOut = true }, nil), "", "scs-open-iaas", "scs-sovereign-iaas", 0,
			[]string{"fix project-no-knock-out operator"}, nil,
		},
		"an upstream blocks level 4": {
			changed(full(), func(p *Project) { p.Security = low }, nil), "scs-open-iaas", "scs-sovereign-iaas", "scs-open-iaas", 0,
			[]string{"fix project-security upstream"}, []string{"fix project-security upstream"},
		},
		"an upstream blocks level 3": {
			changed(full(), func(p *Project) { p.OpenDesign = low }, nil), "", "scs-open-iaas", "", 0,
			[]string{"fix four-opens-design upstream"}, []string{"fix four-opens-design upstream"},
		},
		"what nobody looked at may turn out well": {
			changed(full(), func(*Project) {}, func(s *Subject) { s.Unknown = []UnknownField{{Field: "security", Settle: []string{"collect it"}}} }),
			"scs-open-iaas", "scs-sovereign-iaas", "scs-sovereign-iaas", 1, []string{"settle project-security upstream"}, nil,
		},
	} {
		o, r := outlookOf(t, c.subjects)
		if o.Reached != c.reached || o.Next != c.next || o.Own != c.own || o.OwnOpen != c.open {
			t.Errorf("%s: want reached %q next %q own %q open %d, got %+v", name, c.reached, c.next, c.own, c.open, o)
		}
		if got := inWords(o.Tasks); !slices.Equal(got, c.tasks) {
			t.Errorf("%s: tasks: want %q, got %q", name, c.tasks, got)
		}
		if got := inWords(o.Remains); !slices.Equal(got, c.remains) {
			t.Errorf("%s: remains: want %q, got %q", name, c.remains, got)
		}
		for _, task := range o.Tasks {
			for _, id := range task.Findings {
				if !slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return f.ID == id }) {
					t.Errorf("%s: task %s rests on %q, which is no finding", name, task.Requirement, id)
				}
			}
		}
	}
}

func inWords(tasks []Task) []string {
	var out []string
	for _, t := range tasks {
		out = append(out, t.Kind+" "+t.Requirement+" "+t.Owner)
	}
	return out
}

// Every finding that limits a verdict is in a task, every task limits a verdict, and no order matters.
func TestTheWorklistIsWhatLimitsTheVerdicts(t *testing.T) {
	p, at := builtIn(t), time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 9))
		subjects := mixed(rnd, 120)
		evaluate := func() Result {
			r, err := p.Evaluate(Input{Subjects: subjects, Scopes: p.ScopeIDs(), Profile: p.Profile(), AssessedAt: at})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		r := evaluate()
		list := p.Outlook(r, at)
		inTasks := map[string]bool{}
		for _, o := range list {
			if o.Reached != "" && !slices.Contains([]string{o.Reached, "scs-sovereign-" + o.Layer}, o.Own) {
				t.Errorf("seed %d: %s is reached, and own work leads to %s only", seed, o.Reached, o.Own)
			}
			for _, task := range o.Tasks {
				for _, id := range task.Findings {
					inTasks[id] = true
				}
			}
		}
		limiting := map[string]bool{}
		for _, v := range r.Verdicts {
			for _, id := range v.Limiting {
				limiting[id] = true
				judgedBelow := id == "prerequisite-held/scs-open-iaas" || id == "prerequisite-held/scs-open-kaas"
				bad := slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return f.ID == id && f.Outcome == audit.FAIL })
				if bad && !inTasks[id] && !judgedBelow {
					t.Errorf("seed %d: %s limits %s and is in no task", seed, id, v.Scope)
				}
			}
		}
		rnd.Shuffle(len(subjects), func(i, j int) { subjects[i], subjects[j] = subjects[j], subjects[i] })
		if again := p.Outlook(evaluate(), at); !reflect.DeepEqual(list, again) {
			t.Errorf("seed %d: the order of subjects matters", seed)
		}
		if len(limiting) == 0 {
			t.Errorf("seed %d: the sample limits nothing, so it shows nothing", seed)
		}
	}
}
