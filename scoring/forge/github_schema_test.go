package forge

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/pegel-audit/pegel/scoring/forge/forgetest"
)

// schemaText is the published schema without what strict parsers refuse: @octokit/graphql-schema 15.26.1 defines two fields
// of EnterpriseOwnerInfo twice.
func schemaText(published string) string {
	begin := strings.Index(published, "\ntype EnterpriseOwnerInfo ")
	if begin < 0 {
		return published
	}
	end := begin + strings.Index(published[begin:], "\n}\n")
	block := published[begin:end]
	for _, name := range []string{"repositoryDeployKeySetting", "repositoryDeployKeySettingOrganizations"} {
		field := regexp.MustCompile(`(?s)\n\n? *"""[^"]*"""\n  ` + name + `\b(\(.*?\n  \))?: [^\n]+`)
		if at := field.FindAllStringIndex(block, -1); len(at) > 1 {
			block = block[:at[1][0]] + block[at[1][1]:]
		}
	}
	return published[:begin] + block + published[end:]
}

// gitHubSchema loads the published schema.
func gitHubSchema(t testing.TB) *ast.Schema {
	t.Helper()
	text := schemaText(string(forgetest.Description(t, "github.graphql")))
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "github.graphql", Input: text})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// addresses makes so many addresses.
func addresses(n int) []address {
	all := make([]address, n)
	for i := range all {
		all[i] = address{"github.com", "example", fmt.Sprintf("r%d", i)}
	}
	return all
}

// allPages asks for a page of every list.
func allPages() []page {
	var all []page
	for _, l := range []list{listChanges, listTouched, listOpen} {
		all = append(all, page{&repository{at: address{"github.com", "example", "r"}}, l, "cursor"})
	}
	return all
}

func TestQueriesFitTheSchemaThatGitHubPublishes(t *testing.T) {
	schema := gitHubSchema(t)
	for name, q := range map[string]query{
		"one repository": batchQuery(addresses(1), ago(365)), "a full batch": batchQuery(addresses(batchSize), ago(365)),
		"pages": pagesQuery(allPages(), ago(365)), "pages that need no date": pagesQuery(allPages()[2:], ago(365)),
	} {
		if _, err := gqlparser.LoadQuery(schema, q.Query); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnswersAreKeptAsFarAsTheyAreAskedForAndNoFurther(t *testing.T) {
	schema := gitHubSchema(t)
	asked := map[string]bool{}
	for _, q := range []query{batchQuery(addresses(1), ago(365)), pagesQuery(allPages(), ago(365))} {
		doc, err := gqlparser.LoadQuery(schema, q.Query)
		if err != nil {
			t.Fatal(err)
		}
		leaves(doc, doc.Operations[0].SelectionSet, "data", asked)
	}
	kept := map[string]bool{}
	keptLeaves(graphShape().root, "", kept)
	for path := range asked {
		if !kept[path] {
			t.Errorf("%s is asked for and thrown away", path)
		}
	}
	for path := range kept {
		if !asked[path] && path != "message" && !strings.HasPrefix(path, "errors.") {
			t.Errorf("%s is kept and never asked for", path)
		}
	}
	if len(asked) < 50 {
		t.Errorf("only %d fields are asked for: the test looks at the wrong place", len(asked))
	}
}

var numbered = regexp.MustCompile(`\br\d+\b`)

func leaves(doc *ast.QueryDocument, set ast.SelectionSet, path string, into map[string]bool) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			below := numbered.ReplaceAllString(path+"."+s.Alias, "*")
			if len(s.SelectionSet) == 0 {
				into[below] = true
			}
			leaves(doc, s.SelectionSet, below, into)
		case *ast.InlineFragment:
			leaves(doc, s.SelectionSet, path, into)
		case *ast.FragmentSpread:
			leaves(doc, s.Definition.SelectionSet, path, into)
		}
	}
}

func keptLeaves(f *field, path string, into map[string]bool) {
	if len(f.fields) == 0 {
		into[path] = true
	}
	for key, child := range f.fields {
		keptLeaves(child, strings.TrimPrefix(path+"."+key, "."), into)
	}
}

func TestAnswersOfTheFakeFitTheSchemaThatGitHubPublishes(t *testing.T) {
	schema := gitHubSchema(t)
	bare := &forgetest.Repo{Owner: "example", Name: "bare"}
	mirror := &forgetest.Repo{Owner: "example", Name: "mirror", Mirror: "https://example.org/x.git", Branch: "main", Rules: []forgetest.Rule{{Type: "REQUIRED_STATUS_CHECKS"}}, Classic: &forgetest.Classic{}}
	g := forgetest.NewGitHub(t, rich(), bare, mirror, busy("busy", 250))
	checked := 0
	g.After = func(_ *http.Request, asked []byte, status int, said []byte) {
		var q query
		var a struct {
			Data map[string]any `json:"data"`
		}
		if json.Unmarshal(asked, &q) != nil || q.Query == "" || status != http.StatusOK {
			return
		}
		doc, err := gqlparser.LoadQuery(schema, q.Query)
		if err != nil || json.Unmarshal(said, &a) != nil {
			t.Errorf("query or answer cannot be read: %v", err)
			return
		}
		checked++
		for _, wrong := range fits(schema, doc.Operations[0].SelectionSet, schema.Query, a.Data, "data") {
			t.Error(wrong)
		}
	}
	s := newStand(t, g, []string{"token"}, nil)
	for _, name := range []string{"example/rich", "example/bare", "example/mirror", "example/busy"} {
		s.collect(t, name)
	}
	if checked < 5 {
		t.Errorf("%d answers were checked, want those to four queries and further pages", checked)
	}
}

// fits says what in an object does not fit its type. An object whose concrete type is not asked for may have the fields of
// any of them.
func fits(schema *ast.Schema, set ast.SelectionSet, of *ast.Definition, object map[string]any, path string) (wrong []string) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			v, ok := object[s.Alias]
			if !ok {
				wrong = append(wrong, path+"."+s.Alias+" is missing")
			} else if s.Name != "__typename" {
				wrong = append(wrong, fitsType(schema, s, s.Definition.Type, v, path+"."+s.Alias)...)
			}
		case *ast.InlineFragment:
			if hasAny(s.SelectionSet, object) {
				wrong = append(wrong, fits(schema, s.SelectionSet, schema.Types[s.TypeCondition], object, path)...)
			}
		case *ast.FragmentSpread:
			wrong = append(wrong, fits(schema, s.Definition.SelectionSet, of, object, path)...)
		}
	}
	return wrong
}

// hasAny says that an object was answered with the field that tells the type of a fragment apart.
func hasAny(set ast.SelectionSet, object map[string]any) bool {
	f, ok := set[0].(*ast.Field)
	_, there := object[f.Alias]
	return ok && there
}

func fitsType(schema *ast.Schema, f *ast.Field, of *ast.Type, v any, path string) (wrong []string) {
	if v == nil {
		if of.NonNull {
			return []string{path + " is null, but may not be"}
		}
		return nil
	}
	if of.Elem != nil {
		list, ok := v.([]any)
		if !ok {
			return []string{path + " is no list"}
		}
		for i, one := range list {
			wrong = append(wrong, fitsType(schema, f, of.Elem, one, fmt.Sprintf("%s[%d]", path, i))...)
		}
		return wrong
	}
	def := schema.Types[of.NamedType]
	ok := true
	switch def.Kind {
	case ast.Enum:
		text, _ := v.(string)
		ok = def.EnumValues.ForName(text) != nil
	case ast.Scalar:
		switch of.NamedType {
		case "Int":
			_, ok = v.(float64)
		case "Boolean":
			_, ok = v.(bool)
		default:
			_, ok = v.(string)
		}
	default:
		object, isObject := v.(map[string]any)
		if isObject {
			return fits(schema, f.SelectionSet, def, object, path)
		}
		ok = false
	}
	if !ok {
		return []string{fmt.Sprintf("%s is %v, want a value of type %s", path, v, of.NamedType)}
	}
	return nil
}

func TestRESTAnswersOfTheFakeFitTheDescriptionThatGitHubPublishes(t *testing.T) {
	api := gitHubAPI(t)
	g := forgetest.NewGitHub(t, rich(), &forgetest.Repo{Owner: "example", Name: "other", Branch: "main", OtherConduct: true, PrivateReports: yes(), Licence: "MIT", Mirror: "https://example.org/x.git"})
	seen := map[string]bool{}
	g.After = func(r *http.Request, _ []byte, status int, said []byte) {
		path := "/repos/{owner}/{repo}" + strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/repos/example/rich"), "/repos/example/other")
		item := api.Paths.Value(path)
		if item == nil {
			if !strings.HasSuffix(r.URL.Path, "/graphql") {
				t.Errorf("GitHub describes no path %s", path)
			}
			return
		}
		response := item.Get.Responses.Status(status)
		if response == nil {
			t.Errorf("GitHub describes no answer %d to %s", status, path)
			return
		}
		var v any
		if err := json.Unmarshal(said, &v); err != nil {
			t.Error(err)
		}
		if err := response.Value.Content.Get("application/json").Schema.Value.VisitJSON(v); err != nil {
			t.Errorf("%s: %.600v", path, err)
		}
		seen[path] = true
	}
	with, without := newStand(t, g, []string{"token"}, nil), newStand(t, g, nil, nil)
	for _, s := range []*stand{with, without} {
		s.collect(t, "example/rich")
		s.collect(t, "example/other")
	}
	if len(seen) != 4 {
		t.Errorf("only the answers to %v were checked", seen)
	}
}

// gitHubAPI loads of GitHub's OpenAPI description the paths that are asked.
func gitHubAPI(t testing.TB) *openapi3.T {
	t.Helper()
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(forgetest.Description(t, "github.openapi.json"), &doc); err != nil {
		t.Fatal(err)
	}
	var paths map[string]json.RawMessage
	if err := json.Unmarshal(doc["paths"], &paths); err != nil {
		t.Fatal(err)
	}
	kept := map[string]json.RawMessage{}
	for _, path := range []string{"", "/community/profile", "/private-vulnerability-reporting", "/actions/runs"} {
		kept["/repos/{owner}/{repo}"+path] = paths["/repos/{owner}/{repo}"+path]
	}
	kept["/app/installations/{installation_id}/access_tokens"] = paths["/app/installations/{installation_id}/access_tokens"]
	kept["/app/installations"] = paths["/app/installations"]
	var err error
	if doc["paths"], err = json.Marshal(kept); err != nil {
		t.Fatal(err)
	}
	if doc["components"], err = json.Marshal(reachable(t, doc["components"], doc["paths"])); err != nil {
		t.Fatal(err)
	}
	delete(doc, "x-webhooks")
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	api, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

var reference = regexp.MustCompile(`"#/components/([^/"]+)/([^/"]+)"`)

// reachable keeps of the components those that something refers to: the whole description takes ten seconds to load.
func reachable(t testing.TB, components, from json.RawMessage) map[string]map[string]json.RawMessage {
	t.Helper()
	var all map[string]map[string]json.RawMessage
	if err := json.Unmarshal(components, &all); err != nil {
		t.Fatal(err)
	}
	kept := map[string]map[string]json.RawMessage{}
	for queue := []json.RawMessage{from}; len(queue) > 0; queue = queue[1:] {
		for _, m := range reference.FindAllSubmatch(queue[0], -1) {
			kind, name := string(m[1]), string(m[2])
			if kept[kind] == nil {
				kept[kind] = map[string]json.RawMessage{}
			}
			if _, ok := kept[kind][name]; !ok {
				kept[kind][name] = all[kind][name]
				queue = append(queue, all[kind][name])
			}
		}
	}
	return kept
}
