package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/declaration"
	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
	"github.com/pegel-audit/pegel/cmd/internal/visit"
	"github.com/pegel-audit/pegel/cmd/internal/web"
	"github.com/pegel-audit/pegel/policies"
	"github.com/pegel-audit/pegel/reports"
)

// declaring are the flags of pegel declare.
type declaring struct {
	who, role, statement, date, expires, file string
	facts, evidence                           []string
	offline                                   bool
}

func declareCommand(w World) *cobra.Command {
	var d declaring
	cmd := &cobra.Command{
		Use:   "declare [REPORT|BUNDLE]",
		Short: "Write down what only the operator can say, with evidence and an end",
		Long: "Write declarations.yaml: what an operator says where nobody can look. A declaration names an organisation and a role,\n" +
			"never a person, and its evidence: files, or pages that are looked at, with their digests. It counts until the end of the\n" +
			"next quarter and is tentative until a reviewer accepts it.\n\n" +
			"With --statement and --evidence one declaration about --fact is written, or added to the FILE that is there; nothing in\n" +
			"it is lost. Without them FILE is new and asks about each --fact, or about what is open in a REPORT (report.json) or BUNDLE.",
		Example: "  pegel declare --who \"Example GmbH\" --role \"head of operations\" --fact domain-manager-check \\\n" +
			"    --statement \"Customers manage the users of their domain.\" --evidence docs/domain-manager.md\n" +
			"  pegel declare report.json --who \"Example GmbH\" --role \"head of operations\" -o declarations.yaml",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			now, err := clock(w)
			if err != nil {
				return err
			}
			said, err := pipeline.ParseDay(d.date)
			if err != nil {
				return &pipeline.UsageError{Err: fmt.Errorf("flag --date: %w", err)}
			}
			if said.IsZero() {
				said = now
			}
			said = said.Truncate(24 * time.Hour)
			if d.statement == "" && len(d.evidence) == 0 {
				return d.ask(w, args, said)
			}
			return d.declare(cmd.Context(), w, args, said, now)
		},
	}
	f := cmd.Flags()
	f.StringVar(&d.who, "who", "", "the `ORGANISATION` that declares")
	f.StringVar(&d.role, "role", "", "the `ROLE` of who speaks for it; never a name")
	f.StringArrayVar(&d.facts, "fact", nil, "`ID` of the requirement, fact or test case (repeatable without --statement)")
	f.StringVar(&d.statement, "statement", "", "what is declared, as `TEXT`")
	f.StringArrayVar(&d.evidence, "evidence", nil, "`FILE` below the directory of the declarations, or URL, that shows it (repeatable)")
	f.StringVar(&d.date, "date", "", "`DAY` on which it is said (default: today)")
	f.StringVar(&d.expires, "expires", "", "`DAY` from which on it does not count (default and at most: the end of the next quarter)")
	f.StringVarP(&d.file, "output", "o", "declarations.yaml", "`FILE` to write or to add to; - is standard output")
	f.BoolVar(&d.offline, "offline", false, "do not look at pages; they are named without a digest")
	cmd.AddCommand(declareCheckCommand(w))
	return cmd
}

// ask writes a new file with the matters that somebody has to fill in.
func (d declaring) ask(w World, args []string, said time.Time) error {
	open, err := d.open(args)
	if err != nil {
		return err
	}
	if len(open) == 0 {
		return &pipeline.UsageError{Err: errors.New("declaring: there is nothing to declare"), Hint: "name --fact, with --statement and --evidence; or give a report.json or bundle in which something is open"}
	}
	if err := d.named(); err != nil {
		return err
	}
	head := declaration.File{Who: d.who, Role: d.role, Date: said}
	if _, err := declaration.Write(head, nil); err != nil { // who and role can be read again
		return &pipeline.UsageError{Err: fmt.Errorf("declaring: %w", last(err))}
	}
	data, err := declaration.Write(head, open)
	if err != nil {
		return err
	}
	if d.file == "-" {
		_, err := w.Stdout.Write(data)
		return err
	}
	if err := pipeline.WriteNew(filepath.Dir(d.file), filepath.Base(d.file), data, false); err != nil {
		var usage *pipeline.UsageError
		if errors.As(err, &usage) {
			usage.Hint = "name another file with -o, or declare one --fact with --statement and --evidence to add to it"
		}
		return err
	}
	_, err = fmt.Fprintf(w.Stdout, "%s: %d to fill in; pegel declare check says what is missing\n", printable(d.file), len(open))
	return err
}

func (d declaring) named() error {
	if d.who == "" || d.role == "" {
		return &pipeline.UsageError{Err: errors.New("declaring: nobody said who declares"), Hint: "give --who ORGANISATION and --role ROLE"}
	}
	return nil
}

// open lists the matters to ask about: those named by flags, and what is open in a report.
func (d declaring) open(args []string) ([]declaration.Open, error) {
	policy, err := policies.Default()
	if err != nil {
		return nil, err
	}
	var out []declaration.Open
	for _, id := range d.facts {
		about := []string(nil)
		if q, ok := policy.Requirement(id); ok {
			about = []string{q.Title["en"]}
		}
		out = append(out, declaration.Open{ID: id, About: about})
	}
	if len(args) == 0 {
		return out, nil
	}
	report, err := reportOf(args[0])
	if err != nil {
		return nil, err
	}
	for _, f := range report.Findings {
		q, ok := policy.Requirement(f.Requirement)
		isOpen := f.Outcome == audit.MISS || f.Outcome == audit.DNF
		if !ok || !q.DeclaredOK || !isOpen || slices.ContainsFunc(out, func(o declaration.Open) bool { return o.ID == f.Requirement }) {
			continue
		}
		out = append(out, declaration.Open{ID: f.Requirement, About: []string{f.Title, f.Outcome.String() + ": " + f.Reason}})
	}
	return out, nil
}

// mostReport bounds a report.json; that of a large cloud has some ten megabytes.
const mostReport = 256 << 20

// reportOf reads a report.json, or decides a bundle.
func reportOf(name string) (reports.Report, error) {
	info, err := os.Stat(name)
	if err != nil {
		return reports.Report{}, &pipeline.UsageError{Err: fmt.Errorf("reading report %q: no such file", name), Hint: "name a report.json or the directory of a bundle"}
	}
	if info.IsDir() {
		return pipeline.Assess(name, pipeline.AssessOptions{})
	}
	data, err := readRegular(name, mostReport)
	if err != nil {
		return reports.Report{}, &pipeline.UsageError{Err: fmt.Errorf("reading report %q: %w", name, err)}
	}
	var r reports.Report
	if err := json.Unmarshal(data, &r); err != nil || r.Findings == nil {
		return reports.Report{}, &pipeline.UsageError{Err: fmt.Errorf("reading report %q: it is no report.json", name), Hint: "pegel report BUNDLE -o json=report.json writes one"}
	}
	return r, nil
}

// readRegular reads a regular file of at most limit bytes; its errors hold no path.
func readRegular(name string, limit int64) ([]byte, error) {
	info, err := os.Stat(name) // before it is opened: a pipe would be waited for without end
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, errors.New("no such file")
	case err != nil:
		return nil, errors.New("it cannot be read")
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, errors.New("it cannot be opened")
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, errors.New("it cannot be read to its end")
	case int64(len(data)) > limit:
		return nil, fmt.Errorf("it is larger than %d bytes", limit)
	}
	return data, nil
}

// declare writes one declaration.
func (d declaring) declare(ctx context.Context, w World, args []string, said, now time.Time) error {
	wrong := func(hint, format string, a ...any) error {
		return &pipeline.UsageError{Err: fmt.Errorf("declaring: "+format, a...), Hint: hint}
	}
	switch {
	case len(args) > 0:
		return wrong("leave the report out, or leave --statement and --evidence out", "a report and a statement at once")
	case len(d.facts) != 1:
		return wrong("give --fact ID once", "a statement is about one fact, and %d are named", len(d.facts))
	case d.statement == "" || len(d.evidence) == 0:
		return wrong("give --statement TEXT and --evidence FILE or URL", "a declaration of %q needs a statement and evidence", d.facts[0])
	}
	e := declaration.Entry{ID: d.facts[0], Statement: d.statement, Date: said, Expires: declaration.Latest(said)}
	if d.expires != "" {
		end, err := pipeline.ParseDay(d.expires)
		if err != nil {
			return wrong("", "flag --expires: %w", err)
		}
		e.Expires = end
	}
	var err error
	if e.Evidence, err = d.digests(ctx, w, now); err != nil {
		return err
	}
	data, err := d.written(e)
	if err != nil {
		return err
	}
	if err := (output{"", d.file}).write(w.Stdout, data); err != nil || d.file == "-" {
		return err
	}
	_, err = fmt.Fprintf(w.Stdout, "%s: declared %s, which counts until %s; tentative until a reviewer accepts it\n", printable(d.file), e.ID, e.Expires.Format(time.DateOnly))
	return err
}

// written returns the file with the entry: a new one, or the one that is there with the entry added.
func (d declaring) written(e declaration.Entry) ([]byte, error) {
	hint := "pegel declare --help has an example; docs/declarations.md has the form"
	was, err := readRegular(d.file, 1<<20)
	if d.file == "-" || err != nil && err.Error() == "no such file" {
		if err := d.named(); err != nil {
			return nil, err
		}
		data, err := declaration.Write(declaration.File{Who: d.who, Role: d.role, Date: e.Date, Entries: []declaration.Entry{e}}, nil)
		if err != nil {
			return nil, &pipeline.UsageError{Err: fmt.Errorf("declaring: %w", last(err)), Hint: hint}
		}
		return data, nil
	}
	if err != nil {
		return nil, &pipeline.UsageError{Err: fmt.Errorf("reading declarations %q: %w", d.file, err)}
	}
	f, err := declaration.Parse(was, d.file)
	if err != nil {
		return nil, &pipeline.UsageError{Err: err, Hint: hint}
	}
	if d.who != "" && d.who != f.Who || d.role != "" && d.role != f.Role {
		return nil, &pipeline.UsageError{Err: fmt.Errorf("adding to declarations %q: it is of %q (%s)", d.file, f.Who, f.Role), Hint: "leave --who and --role out, or name another file with -o"}
	}
	data, err := declaration.Append(was, d.file, []declaration.Entry{e})
	if err != nil {
		return nil, &pipeline.UsageError{Err: err, Hint: hint}
	}
	return data, nil
}

// last returns the innermost part of an error: what is wrong, without what was tried.
func last(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// digests looks at the evidence that flags name.
func (d declaring) digests(ctx context.Context, w World, now time.Time) ([]declaration.Evidence, error) {
	var out []declaration.Evidence
	for _, name := range d.evidence {
		if strings.HasPrefix(name, "https://") || strings.HasPrefix(name, "http://") {
			e, err := d.page(ctx, w, name, now)
			if err != nil {
				return nil, err
			}
			out = append(out, e)
			continue
		}
		e, err := d.document(name)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func (d declaring) page(ctx context.Context, w World, address string, now time.Time) (declaration.Evidence, error) {
	e := declaration.Evidence{URL: address}
	if d.offline {
		return e, nil
	}
	g, err := web.New(web.Options{})
	if err != nil {
		return e, err
	}
	visitor := func() audit.Ask {
		return visit.New(visit.Options{Client: g.Client(), Now: func() time.Time { return now }, Agent: "Pegel/" + version() + " (+https://github.com/pegel-audit/pegel)"}).Ask
	}
	digest, same, trouble := visit.PageDigest(ctx, visitor(), visitor(), address)
	switch {
	case ctx.Err() != nil:
		return e, ctx.Err()
	case trouble != nil:
		return e, &pipeline.UsageError{Err: fmt.Errorf("looking at evidence %q: %s", visit.Masked(address), trouble.Text), Hint: "name evidence that can be seen, or give --offline to name the page without looking"}
	case !same:
		fmt.Fprintf(w.Stderr, "pegel: note: %s is another page with every look; it is named without a digest\n", printable(visit.Masked(address)))
		return e, nil
	}
	e.Digest = digest
	return e, nil
}

// mostDocument bounds a file of evidence: a scan of a contract.
const mostDocument = 64 << 20

func (d declaring) document(name string) (declaration.Evidence, error) {
	dir := "."
	if d.file != "-" {
		dir = filepath.Dir(d.file)
	}
	rel, err := relativeIn(dir, name)
	if err != nil {
		return declaration.Evidence{}, &pipeline.UsageError{Err: fmt.Errorf("reading evidence %q: it is not below the directory of the declarations", name), Hint: "put it beside the declarations, so that both can be handed over"}
	}
	data, err := readRegular(name, mostDocument)
	if err != nil {
		return declaration.Evidence{}, &pipeline.UsageError{Err: fmt.Errorf("reading evidence %q: %w", name, err), Hint: "name a file, or a page with https://"}
	}
	return declaration.Evidence{File: rel, Digest: audit.DigestOf(data)}, nil
}

// relativeIn returns a path as seen from a directory, with slashes; one that leads out of it is an error.
func relativeIn(dir, name string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	name, err = filepath.Abs(name)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(dir, name)
	if err != nil || !filepath.IsLocal(rel) {
		return "", errors.New("it leads out of the directory")
	}
	return filepath.ToSlash(rel), nil
}
