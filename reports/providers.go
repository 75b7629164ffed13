package reports

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// ProvidersSchema names the JSON form of Providers; its JSON Schema is in reports/schema.
const ProvidersSchema = "pegel/providers-table/v1"

// Providers is a table of many clouds, looked at from outside. It ranks nobody: rows stand in the order of the file.
type Providers struct {
	Schema     string     `json:"schema"`
	Heading    string     `json:"heading"` // seen from outside, operator not asked
	AssessedAt time.Time  `json:"assessed_at"`
	Policy     Policy     `json:"policy"`
	Tool       Tool       `json:"tool"`
	Providers  []Provider `json:"providers"`
}

// Provider is one row.
type Provider struct {
	ID       string         `json:"id"`
	Name     string         `json:"name"`
	Operator string         `json:"operator,omitempty"`
	Regions  []string       `json:"regions,omitempty"`
	Home     string         `json:"home,omitempty"`
	Cells    []ProviderCell `json:"cells"`    // in the order of ProviderColumns
	Evidence Evidence       `json:"evidence"` // the bundle that the cells rest on
	Reply    *Reply         `json:"reply,omitempty"`
	Looks    []Look         `json:"looks,omitempty"` // all looks of the row
	Trouble  string         `json:"trouble,omitempty"`
}

// ProviderCell is one answer of a row.
type ProviderCell struct {
	Column  string         `json:"column"`
	Outcome audit.Outcome  `json:"outcome"`
	Words   string         `json:"words"` // in short: "yes", "no", "nobody looked"
	Reason  string         `json:"reason"`
	Link    string         `json:"link,omitempty"` // the artifact itself
	Origins []audit.Origin `json:"origins,omitempty"`
	Settle  []string       `json:"settle,omitempty"`
}

// Reply is what an operator answered to its row. It changes no cell.
type Reply struct {
	By    string            `json:"by"`
	Role  string            `json:"role,omitempty"`
	Date  time.Time         `json:"date,omitzero"`
	Text  string            `json:"text,omitempty"`
	Cells map[string]string `json:"cells,omitempty"` // by column
}

// Columns of the table beside name, operator and regions.
const (
	ColumnLevel2    = "level-2"
	ColumnMonitor   = "health-monitor"
	ColumnStatus    = "status-page"
	ColumnReports   = "incident-reports"
	ColumnRunbooks  = "runbooks"
	ColumnManifesto = "manifesto"
)

// ProviderColumns lists the columns in their order.
func ProviderColumns() []string {
	return []string{ColumnLevel2, ColumnMonitor, ColumnStatus, ColumnReports, ColumnRunbooks, ColumnManifesto}
}

func columnTitle(column string) string {
	switch column {
	case ColumnLevel2:
		return "SCS-compatible"
	case ColumnManifesto:
		return "Open Operations manifesto"
	}
	return capital(strings.ReplaceAll(column, "-", " "))
}

// ProvidersHeading heads every table: whoever reads it has to know how it came about.
const ProvidersHeading = "Seen from outside, operator not asked"

// RenderProviders shows the table.
func RenderProviders(format string, p Providers, opt Options) ([]byte, error) {
	switch format {
	case "text":
		return []byte(providersText(p, opt)), nil
	case "json":
		return canonical(p)
	case "markdown":
		return []byte(providersMarkdown(p)), nil
	case "html":
		return providersHTML(p)
	}
	return nil, fmt.Errorf("unknown format %q of a table of providers; there are %v", format, OperatorFormats())
}

func providersText(p Providers, opt Options) string {
	p = shown(p)
	t := newTerminal(opt)
	t.para("", fmt.Sprintf("%s. %s on %s.", p.Heading, plural(len(p.Providers), "cloud", "clouds"), day(p.AssessedAt)))
	t.para("", notCertificate+" A question mark says that nobody could tell; it does not mean no. The order says nothing.")
	for _, row := range p.Providers {
		head := row.Name
		if row.Operator != "" && row.Operator != row.Name {
			head += ", run by " + row.Operator
		}
		if len(row.Regions) > 0 {
			head += ", regions " + strings.Join(row.Regions, ", ")
		}
		t.heading(head)
		if row.Trouble != "" {
			t.para("  ", row.Trouble)
		}
		for _, c := range row.Cells {
			s := answerSign(c.Outcome, false)
			t.signed("  ", s, columnTitle(c.Column)+": "+c.Words+". "+sentence(c.Reason))
			if r := replyTo(row, c.Column); r != "" {
				t.para("      the operator replies: ", r)
			}
		}
		if row.Reply != nil && row.Reply.Text != "" {
			t.para("  ", replyHead(*row.Reply)+": "+row.Reply.Text)
		}
		t.para("  ", "evidence "+string(row.Evidence.Digest))
	}
	return t.b.String()
}

func replyTo(row Provider, column string) string {
	if row.Reply == nil {
		return ""
	}
	return row.Reply.Cells[column]
}

func replyHead(r Reply) string {
	head := "Reply of " + r.By
	if r.Role != "" {
		head += " (" + r.Role + ")"
	}
	if !r.Date.IsZero() {
		head += ", " + day(r.Date)
	}
	return head
}

func providersMarkdown(p Providers) string {
	p = shown(p)
	var m markdown
	m.line("# %s\n", mdText(p.Heading))
	m.line("%s on %s. **%s** A question mark says that nobody could tell; it does not mean no. The order says nothing.\n", plural(len(p.Providers), "cloud", "clouds"), day(p.AssessedAt), notCertificate)
	head, rule := "| Cloud | Operator | Regions |", "|---|---|---|"
	for _, c := range ProviderColumns() {
		head, rule = head+" "+columnTitle(c)+" |", rule+"---|"
	}
	m.line("%s\n%s", head, rule)
	for _, row := range p.Providers {
		cells := []string{mdLink(row.Name, webURL(row.Home)), mdText(row.Operator), mdText(strings.Join(row.Regions, ", "))}
		for _, c := range row.Cells {
			cells = append(cells, answerSign(c.Outcome, false).Mark+" "+mdLink(c.Words, webURL(c.Link)))
		}
		m.line("| %s |", strings.Join(cells, " | "))
	}
	for _, row := range p.Providers {
		m.line("\n## %s\n", mdText(row.Name))
		if row.Trouble != "" {
			m.line("%s\n", mdText(row.Trouble))
		}
		for _, c := range row.Cells {
			m.line("- %s: %s %s. %s %s", columnTitle(c.Column), answerSign(c.Outcome, false).Mark, mdText(c.Words), mdText(sentence(c.Reason)), mdOrigins(c.Origins))
			if r := replyTo(row, c.Column); r != "" {
				m.line("  - the operator replies: %s", mdText(r))
			}
		}
		if row.Reply != nil && row.Reply.Text != "" {
			m.line("\n%s: %s", mdText(replyHead(*row.Reply)), mdText(row.Reply.Text))
		}
		m.line("\nEvidence: `%s`", row.Evidence.Digest)
	}
	return m.b.String()
}

//go:embed html/providers.tmpl
var providersSource string

type providersPage struct {
	Style                                   template.CSS // our own style sheet, never data
	StyleHash, Heading, Day, NotCertificate string
	Columns                                 []string
	Rows                                    []providerView
}

type providerView struct {
	Anchor, Name, Link, Operator, Regions, Trouble, Evidence, Reply string
	Cells                                                           []providerCellView
	Looks                                                           []lookView
}

type providerCellView struct {
	Anchor, Title, Words, Reason, Settle, Reply, Link string
	Sign                                              sign
	Refs                                              []providerRef
}

type providerRef struct {
	Number int
	Anchor string
}

func providersHTML(p Providers) ([]byte, error) {
	t, err := template.New("providers").Parse(providersSource)
	if err != nil {
		return nil, fmt.Errorf("reading providers template: %w", err)
	}
	p = shown(p)
	sum := sha256.Sum256([]byte(styleSource))
	page := providersPage{
		Style: template.CSS(styleSource), StyleHash: base64.StdEncoding.EncodeToString(sum[:]), Heading: p.Heading, Day: day(p.AssessedAt),
		NotCertificate: notCertificate,
	}
	for _, c := range ProviderColumns() {
		page.Columns = append(page.Columns, columnTitle(c))
	}
	for i, row := range p.Providers {
		page.Rows = append(page.Rows, providerViewOf(i+1, row))
	}
	var b bytes.Buffer
	if err := t.Execute(&b, page); err != nil {
		return nil, fmt.Errorf("filling providers template: %w", err)
	}
	return b.Bytes(), nil
}

func providerViewOf(n int, row Provider) providerView {
	v := providerView{
		Anchor: fmt.Sprintf("p%d", n), Name: row.Name, Link: webURL(row.Home), Operator: row.Operator, Regions: strings.Join(row.Regions, ", "),
		Trouble: row.Trouble, Evidence: string(row.Evidence.Digest),
	}
	if row.Reply != nil && row.Reply.Text != "" {
		v.Reply = replyHead(*row.Reply) + ": " + row.Reply.Text
	}
	x := &lookIndex{numbers: map[string]int{}}
	for _, l := range row.Looks {
		x.add(l)
	}
	for i, c := range row.Cells {
		cell := providerCellView{
			Anchor: fmt.Sprintf("p%dc%d", n, i+1), Title: columnTitle(c.Column), Words: c.Words, Reason: sentence(c.Reason), Settle: strings.Join(c.Settle, "; "),
			Sign: answerSign(c.Outcome, false), Reply: replyTo(row, c.Column), Link: webURL(c.Link),
		}
		for _, r := range x.refs(c.Origins) {
			cell.Refs = append(cell.Refs, providerRef{r, fmt.Sprintf("p%dl%d", n, r)})
		}
		v.Cells = append(v.Cells, cell)
	}
	v.Looks = x.rows
	return v
}
