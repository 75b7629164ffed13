package forge

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"

	"github.com/pegel-audit/pegel/scoring"
	"github.com/pegel-audit/pegel/scoring/forge/forgetest"
)

// giteaAPI loads Gitea's description, which is a template for two words, and lets no object have fields that it does not
// name.
func giteaAPI(t testing.TB) *openapi3.T {
	t.Helper()
	text := strings.NewReplacer("{{.SwaggerAppVer}}", "1.26.0", "{{.SwaggerAppSubUrl}}", "").Replace(string(forgetest.Description(t, "gitea.swagger.json")))
	var old openapi2.T
	if err := json.Unmarshal([]byte(text), &old); err != nil {
		t.Fatal(err)
	}
	api, err := openapi2conv.ToV3(&old)
	if err != nil {
		t.Fatal(err)
	}
	closed := false
	for _, s := range api.Components.Schemas {
		if len(s.Value.Properties) > 0 {
			s.Value.AdditionalProperties = openapi3.AdditionalProperties{Has: &closed}
		}
	}
	return api
}

func TestGiteaFixturesAreWhatItsDescriptionSays(t *testing.T) {
	api := giteaAPI(t)
	p, g, hosts := giteaTown()
	seen := map[string]bool{}
	g.After = func(path string, said any) {
		seen[path] = true
		item := api.Paths.Find(path)
		if item == nil || item.Get == nil {
			t.Errorf("%s is not in the description", path)
			return
		}
		text, err := json.Marshal(said)
		if err != nil {
			t.Error(err)
			return
		}
		var v any
		if err := json.Unmarshal(text, &v); err != nil {
			t.Error(err)
			return
		}
		schema := item.Get.Responses.Value("200").Value.Content.Get("application/json").Schema.Value
		if err := schema.VisitJSON(withoutNulls(v)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	collect(t, hosts, p, scoring.Evidence{}, nil)
	if want := 12; len(seen) != want {
		t.Errorf("%d kinds of answers were checked, want %d: %v", len(seen), want, slices.Sorted(maps.Keys(seen)))
	}
}

// withoutNulls drops fields that are null: Swagger 2 cannot say that a field may be.
func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, x := range v {
			if x == nil {
				delete(v, key)
				continue
			}
			v[key] = withoutNulls(x)
		}
	case []any:
		for i, x := range v {
			v[i] = withoutNulls(x)
		}
	}
	return v
}
