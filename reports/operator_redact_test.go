package reports

import (
	"strings"
	"testing"
)

func TestACommunityCloudIsRedactedLikeAPrivateOneAndAForgeOnlyByItsWholeName(t *testing.T) {
	v := OperatorView{Subject: Subject{Exposure: "community"}, Operator: Operator{Artifacts: []OperatorArtifact{
		{URL: "https://status.cloud.example/"}, {URL: "https://git.evilgithub.com/x"}, {URL: "https://github.com/x"}, {URL: "https://x.github.io/y"},
	}}}
	data, err := RenderOperator("json", RedactOperator(v), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{"cloud.example": false, "evilgithub": false, "https://github.com/x": true, "https://x.github.io/y": true} {
		if strings.Contains(string(data), text) != want {
			t.Errorf("%q stands there: %v, want %v", text, !want, want)
		}
	}
	v.Subject.Exposure = "public"
	if data, err = RenderOperator("json", RedactOperator(v), Options{}); err != nil || !strings.Contains(string(data), "status.cloud.example") {
		t.Errorf("a public cloud lost its addresses (%v)", err)
	}
}

func TestWhatAnOperatorRepliesBecomesNoMarkup(t *testing.T) {
	p := Providers{Providers: []Provider{{Name: "B", Cells: []ProviderCell{{Column: ColumnStatus}},
		Reply: &Reply{By: "B", Cells: map[string]string{ColumnStatus: "[x](javascript:alert(1)) <b>|"}}}}}
	data, err := RenderProviders("markdown", p, Options{})
	if err != nil || !strings.Contains(string(data), "the operator replies") || strings.Contains(string(data), "<b>") || strings.Contains(string(data), "replies: [x](") {
		t.Errorf("got %s (%v)", data, err)
	}
}
