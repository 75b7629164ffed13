package policies

import (
	"strings"
	"testing"

	"github.com/pegel-audit/pegel/audit"
)

func TestAnExplanationShowsEachPartOfARuleWithItsValue(t *testing.T) {
	p := builtIn(t)
	subjects := with(KindProject, func(s *Subject) {
		project := s.Record.(Project)
		project.OpenSource = audit.Between(3150, 9050)
		s.Record = project
	})
	subjects[2].Unknown = []UnknownField{{Field: "openCore"}}
	in := Input{Subjects: subjects, Scopes: []string{"scs-open-iaas"}, Profile: p.Profile(), AssessedAt: day(t, "2026-11-24")}
	tests := []struct{ name, finding, want string }{
		{"a score that spans its gate", "four-opens-source/keystone", `project.role == "platform" = true
  project.role = platform
project.openSource.meets(gate["open-source"], project.coverage["open-source"]) = not known
  project.openSource = 31..91 of 100
  gate["open-source"] = coverage 6000, low 6000
  project.coverage["open-source"] = 10000
`},
		{"a fact that is not known", "product-not-open-core/keystone@26.0.1", "!product.openCore = not known\n  product.openCore = not known\n"},
		{"a list of values", "artifact-bom/image:keystone", "artifact.kind in [\"image\", \"host\", \"bom\"] = true\n  artifact.kind = image\nartifact.bom = true\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rules, ok, err := p.Explain(in, tt.finding)
			if err != nil || !ok {
				t.Fatalf("no explanation: %v", err)
			}
			var got strings.Builder
			for _, r := range rules {
				got.WriteString(r.String())
			}
			if got.String() != tt.want {
				t.Errorf("want\n%s\ngot\n%s", tt.want, got.String())
			}
		})
	}
	if _, ok, err := p.Explain(in, "product-licence-osi/no such subject"); ok || err != nil {
		t.Errorf("a finding that does not exist has no explanation: %v %v", ok, err)
	}
}
