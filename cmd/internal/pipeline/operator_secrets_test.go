package pipeline

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pegel-audit/pegel/reports"
)

// theSecret is a password that nobody may see again.
const theSecret = "hunter2-hunter2"

const secretsHead = `schema: pegel/stack/v1
subject: {name: x, kind: cloud, exposure: public, operator: {name: X, domains: [x.example]}}
scopes: [scs-sovereign-iaas]
sources: [{containers: {ps: ./none.json}}]
at: 2026-11-24T06:00:00Z
`

func TestASecretInAnAddressIsRefusedAndNotRepeated(t *testing.T) {
	for _, body := range []string{
		"transparency: {status_page: 'https://me:SECRET@a.example/'}",
		"transparency: {status_page: 'https://me:SECRET/x@a.example/'}",
		"transparency: {status_page: 'https:/me:SECRET@a.example/'}",
		"transparency: {status_page: 'me:SECRET@a.example/'}",
		"transparency: {status_page: 'ftp://a.example/?token=SECRET'}",
		"transparency: {status_page: 'https://a.example/%zz?token=SECRET'}",
		"transparency: {status_page: 'https://a.example/%zz#SECRET'}",
		"transparency: {runbooks: {repositories: ['https://oauth2:SECRET@git.example/x']}}",
		"transparency: {runbooks: {repositories: ['https://git.example/x?private_token=SECRET']}}",
		"transparency: {open_operations: {links: [{kind: talk, title: t, url: 'https://me:SECRET@a.example/', date: bad}]}}",
		"conformance: {scs_compatible: {monitor: 'https://me:SECRET@m.example', subject: x}}",
		"conformance: {scs_compatible: {monitor: 'ftp://me:SECRET@m.example', subject: x}}",
		"conformance: {scs_compatible: {report: 'https://m.example/r', scope: 'https://me:SECRET@m.example/s'}}",
		"conformance: {scs_compatible: {certificate: 'https://m.example', revocations: 'https://me:SECRET@m.example/r', layer: iaas}}",
		"conformance: {legal: {label: 'https://m.example/l', keys: 'https://me:SECRET@m.example/k'}}",
	} {
		t.Run(body, func(t *testing.T) {
			stack, err := ParseStack([]byte(secretsHead+strings.ReplaceAll(body, "SECRET", theSecret)), "stack.yaml")
			if err != nil {
				t.Fatal(err)
			}
			_, err = prepare(stack, Options{Version: "test", Offline: true, Now: operatorsDay})
			var usage *UsageError
			if !errors.As(err, &usage) || usage.Hint == "" || !strings.Contains(err.Error(), "line 6") {
				t.Fatalf("it is not refused with its place and a remedy: %v", err)
			}
			if strings.Contains(err.Error(), theSecret) {
				t.Errorf("the error repeats the secret: %v", err)
			}
		})
	}
}

func TestATokenInAQueryReachesNeitherPlanNorBundleNorReport(t *testing.T) {
	stack, err := ParseStack([]byte(secretsHead+strings.ReplaceAll(`transparency:
  status_page: 'https://a.example/?token=SECRET'
  open_operations: {links: [{kind: talk, title: t, url: 'https://a.example/?api_key=SECRET', date: 2026-01-01}]}
conformance:
  scs_compatible:
    - {monitor: 'https://m.example?token=SECRET', subject: x}
    - {report: 'https://m.example/r?token=SECRET', scope: 'https://m.example/s?token=SECRET', signers: 'https://m.example/a?token=SECRET'}
    - {certificate: 'https://m.example/?token=SECRET', revocations: 'https://m.example/r?token=SECRET', layer: iaas}
  legal: {label: 'https://m.example/l?token=SECRET', keys: 'https://m.example/k?token=SECRET'}
`, "SECRET", theSecret)), "stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	stack.Dir = t.TempDir()
	contacts, err := OperatorPlan(stack, Options{Version: "test", Bundle: "b", Now: operatorsDay})
	if err != nil {
		t.Fatal(err)
	}
	plan := reports.PlanText(contacts)
	if strings.Contains(plan, theSecret) || !strings.Contains(plan, "m.example/s?token=HIDDEN") {
		t.Errorf("the plan repeats a secret, or lists not all that is asked:\n%s", plan)
	}
	dir := filepath.Join(t.TempDir(), "bundle")
	view, err := Transparency(context.Background(), stack, Options{Version: "test", Offline: true, Now: operatorsDay, Clock: func() time.Time { return operatorsDay }, Bundle: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range reports.OperatorFormats() {
		if data, err := reports.RenderOperator(format, view, reports.Options{}); err != nil || strings.Contains(string(data), theSecret) {
			t.Errorf("%s repeats the secret (%v)", format, err)
		}
	}
	looked := 0
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		looked++
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), theSecret) {
			t.Errorf("the bundle holds the secret: %s", data)
		}
		return err
	})
	if err != nil || looked < 5 {
		t.Errorf("%d files of the bundle were read (%v)", looked, err)
	}
}

func TestAListOfProvidersIsCheckedWholeBeforeAnybodyIsAsked(t *testing.T) {
	const good = "schema: pegel/providers/v1\nproviders:\n  - {name: Good, exposure: private, transparency: {status_page: {file: ./none}}}\n"
	for name, test := range map[string]struct{ row, reply, want string }{
		"an artifact":     {row: "  - {name: B, transparency: {status_page: 5}}", want: "line 4"},
		"a source":        {row: "  - {name: B, conformance: {scs_compatible: {a: b}}}", want: "line 4"},
		"a home":          {row: "  - {name: B, home: 'https://me:" + theSecret + "@b.example'}", want: "line 4: home"},
		"a scheme":        {row: "  - {name: B, home: 'javascript:alert(1)'}", want: "line 4: home"},
		"a reply":         {row: "  - {name: B, reply: r.yaml}", reply: "nonsense: 1", want: `unknown key "nonsense"`},
		"a missing reply": {row: "  - {name: B, reply: nothing.yaml}", want: "no such file"},
		"a name":          {row: "  - {operator: {name: B}}", want: "line 4"},
		"a name in signs": {row: "  - {name: 云}", want: "id:"},
		"an id twice":     {row: "  - {name: good}", want: "line 4"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range map[string]string{"p.yaml": good + test.row + "\n", "r.yaml": test.reply} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, _, err := ReadProviders(filepath.Join(dir, "p.yaml"))
			var usage *UsageError
			if !errors.As(err, &usage) || usage.Hint == "" || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), theSecret) {
				t.Errorf("got %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestATokenInTheHomeOfAProviderIsHidden(t *testing.T) {
	dir := t.TempDir()
	list := ProviderList{Name: "p.yaml", dir: dir, Providers: []provider{{ID: "b", Name: "B", Home: "https://b.example/?token=" + theSecret}}}
	table, err := Outside(context.Background(), list, StackNetwork{}, Options{Version: "test", Offline: true, Now: operatorsDay, Bundle: filepath.Join(dir, "many")})
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range reports.OperatorFormats() {
		if data, err := reports.RenderProviders(format, table, reports.Options{}); err != nil || strings.Contains(string(data), theSecret) {
			t.Errorf("%s repeats the secret (%v)", format, err)
		}
	}
}
