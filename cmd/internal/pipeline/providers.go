package pipeline

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/reports"
)

// Forms of the list of providers and of an operator's reply.
const (
	ProvidersSchema = "pegel/providers/v1"
	ReplySchema     = "pegel/reply/v1"
)

// Bounds of a list of providers.
const (
	mostProviders    = 500
	maxProvidersFile = 4 << 20
	mostReplyText    = 4000 // bytes
)

// ProviderList is a list of clouds to look at from outside.
type ProviderList struct {
	Name      string // of the file, as it was given
	Providers []provider
	dir       string
}

type provider struct {
	ID           string        `yaml:"id"`
	Name         string        `yaml:"name"`
	Operator     StackOperator `yaml:"operator"`
	Regions      []string      `yaml:"regions"`
	Home         string        `yaml:"home"`
	Exposure     string        `yaml:"exposure"`
	Transparency yaml.Node     `yaml:"transparency"`
	Conformance  yaml.Node     `yaml:"conformance"`
	Reply        string        `yaml:"reply"`

	reply *reports.Reply // as it was read
	line  int            // in the file
}

// UnmarshalYAML notes where a provider stands.
func (p *provider) UnmarshalYAML(n *yaml.Node) error {
	type plain provider
	if err := n.Decode((*plain)(p)); err != nil {
		return err
	}
	p.line = n.Line
	return nil
}

func providersShape() shape {
	return shape{
		"schema": nil, "network": stackShape["network"],
		"providers": {
			"id": nil, "name": nil, "operator": {"name": nil, "domains": nil}, "regions": nil, "home": nil, "exposure": nil,
			"transparency": stackShape["transparency"], "conformance": nil, "reply": nil,
		},
	}
}

var providerID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// ReadProviders reads and checks a list of providers, with all replies that it names. Every error is a *UsageError with file,
// line and remedy.
func ReadProviders(name string) (ProviderList, StackNetwork, error) {
	list := ProviderList{Name: name, dir: filepath.Dir(name)}
	var file struct {
		Schema    string       `yaml:"schema"`
		Network   StackNetwork `yaml:"network"`
		Providers []provider   `yaml:"providers"`
	}
	if err := readOwnYAML(name, maxProvidersFile, providersShape(), "providers", &file); err != nil {
		return list, StackNetwork{}, usagef("docs/transparency.md shows such a file", "reading providers %q: %w", name, err)
	}
	wrong := func(format string, args ...any) (ProviderList, StackNetwork, error) {
		return list, StackNetwork{}, usagef("docs/transparency.md shows such a file", "reading providers %q: "+format, append([]any{name}, args...)...)
	}
	switch {
	case file.Schema != ProvidersSchema:
		return wrong("schema is %q, want %q", file.Schema, ProvidersSchema)
	case len(file.Providers) == 0 || len(file.Providers) > mostProviders:
		return wrong("it names %d providers; 1 to %d are read", len(file.Providers), mostProviders)
	}
	for i, p := range file.Providers {
		if p.ID == "" {
			p.ID = slug(p.Name)
		}
		switch {
		case p.Name == "":
			return wrong("line %d: provider %d has no name", p.line, i+1)
		case !providerID.MatchString(p.ID):
			return wrong("line %d: provider %q: id is %q, want small letters, digits and dashes; give it one under id:", p.line, p.Name, p.ID)
		case slices.ContainsFunc(list.Providers, func(q provider) bool { return q.ID == p.ID }):
			return wrong("line %d: provider %q: the id %q stands there twice", p.line, p.Name, p.ID)
		case p.Exposure != "" && !slices.Contains([]string{"public", "community", "private"}, p.Exposure):
			return wrong("line %d: provider %q: exposure is %q, want public, community or private", p.line, p.Name, p.Exposure)
		}
		if err := p.check(list, file.Network); err != nil {
			return wrong("provider %q: %w", p.Name, err)
		}
		var err error
		if p.reply, err = readReply(list.dir, p.Reply); err != nil {
			return wrong("line %d: provider %q: reply: %w", p.line, p.Name, err)
		}
		list.Providers = append(list.Providers, p)
	}
	return list, file.Network, nil
}

// check refuses what nobody can look at before anybody is asked, so that no row is looked at in vain.
func (p provider) check(list ProviderList, network StackNetwork) error {
	if p.Home != "" {
		if err := checkAddress(p.Home); err != nil {
			return fmt.Errorf("line %d: home: %w", p.line, err)
		}
	}
	stack := p.stack(list, network)
	if _, err := stack.operatorTargets(); err != nil {
		return err
	}
	_, err := stack.levelTargets()
	return err
}

// slug makes an id of a name.
func slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-")
}

// Outside looks at every provider of a list, keeps a bundle for each below the directory of the run, and returns the table. One
// that cannot be looked at at all has a row that says why.
func Outside(ctx context.Context, list ProviderList, network StackNetwork, opt Options) (reports.Providers, error) {
	table := reports.Providers{Schema: reports.ProvidersSchema, Heading: reports.ProvidersHeading, Providers: []reports.Provider{}}
	for i, p := range list.Providers {
		opt.progress("looking at clouds: "+p.Name, i, len(list.Providers))
		row := reports.Provider{ID: p.ID, Name: p.Name, Operator: p.Operator.Name, Regions: p.Regions, Home: maskedPlace(p.Home), Reply: p.reply}
		one := opt
		one.Bundle, one.Progress = filepath.Join(opt.Bundle, p.ID), nil
		view, err := Transparency(ctx, p.stack(list, network), one)
		var usage *UsageError
		switch {
		case ctx.Err() != nil:
			return table, ctx.Err()
		case errors.As(err, &usage):
			return table, err
		case err != nil:
			row.Trouble, row.Cells = "could not be looked at: "+err.Error(), emptyCells(err)
		default:
			table.AssessedAt, table.Policy, table.Tool = view.AssessedAt, view.Policy, view.Tool
			fillRow(&row, view)
		}
		table.Providers = append(table.Providers, row)
	}
	opt.progress("looking at clouds", len(list.Providers), len(list.Providers))
	return table, nil
}

// OutsidePlan lists what Outside would ask. It contacts nobody.
func OutsidePlan(list ProviderList, network StackNetwork, opt Options) ([]audit.Contact, error) {
	var out []audit.Contact
	for _, p := range list.Providers {
		one := opt
		one.Bundle = filepath.Join(opt.Bundle, p.ID)
		contacts, err := OperatorPlan(p.stack(list, network), one)
		if err != nil {
			return nil, err
		}
		out = append(out, contacts...)
	}
	return out, nil
}

// stack is the stack file that an operator might have written.
func (p provider) stack(list ProviderList, network StackNetwork) Stack {
	s := Stack{
		Schema: StackSchema, Name: list.Name, Dir: list.dir, Network: network, Scopes: []string{"scs-sovereign-iaas"},
		Subject:      StackSubject{Name: p.Name, Kind: "cloud", Exposure: orText(p.Exposure, "public"), Operator: p.Operator},
		Transparency: p.Transparency, Conformance: p.Conformance,
	}
	if p.Transparency.IsZero() {
		s.home = p.Home
	}
	return s
}

func emptyCells(err error) []reports.ProviderCell {
	var out []reports.ProviderCell
	for _, c := range reports.ProviderColumns() {
		out = append(out, reports.ProviderCell{Column: c, Outcome: audit.DNF, Words: "could not tell", Reason: err.Error()})
	}
	return out
}

// columnIndicators says which indicators answer a column of the table: those that a must of the level asks together.
func columnIndicators() map[string][]string {
	return map[string][]string{
		reports.ColumnMonitor: {"HM-01"}, reports.ColumnStatus: {"SP-01", "SP-05"}, reports.ColumnReports: {"IR-01"},
		reports.ColumnRunbooks: {"RB-01", "RB-02", "RB-03"}, reports.ColumnManifesto: {"OO-01"},
	}
}

// fillRow turns what was seen of one operator into a row.
func fillRow(row *reports.Provider, view reports.OperatorView) {
	row.Evidence = view.Evidence
	for _, a := range view.Operator.Artifacts {
		row.Looks = append(row.Looks, a.Looks...)
	}
	for _, column := range reports.ProviderColumns() {
		if column == reports.ColumnLevel2 {
			row.Cells = append(row.Cells, levelCell(view.Operator.Standings))
			continue
		}
		if a, ok := columnAnswer(column, view.Operator.Answers); ok {
			row.Cells = append(row.Cells, answerCell(column, a, view.Operator.Artifacts))
		}
	}
}

// columnAnswer puts the answers of a column together: the worst decides, with its reason; what does not apply does not count.
func columnAnswer(column string, answers []reports.OperatorAnswer) (found reports.OperatorAnswer, ok bool) {
	for _, id := range columnIndicators()[column] {
		for _, a := range answers {
			if a.ID == id && (!ok || a.Outcome != found.Outcome && audit.Worst(a.Outcome, found.Outcome) == a.Outcome) {
				found, ok = a, true
			}
		}
	}
	return found, ok
}

func answerCell(column string, a reports.OperatorAnswer, artifacts []reports.OperatorArtifact) reports.ProviderCell {
	c := reports.ProviderCell{Column: column, Outcome: a.Outcome, Words: outcomeWords(a.Outcome, a.Declared) + handedWords(a.Handed), Reason: a.Reason, Origins: a.Origins, Settle: a.Settle}
	for _, artifact := range artifacts {
		if artifact.Kind == a.Kind && artifact.URL != "" {
			c.Link = artifact.URL
			break
		}
	}
	return c
}

// levelCell shows level 2: the best layer decides the mark, all layers stand in the reason.
func levelCell(standings []reports.Standing) reports.ProviderCell {
	c := reports.ProviderCell{Column: reports.ColumnLevel2, Words: outcomeWords(audit.MISS, false), Reason: "nobody named a compliance monitor or a certificate",
		Settle: []string{"name the compliance monitor and the subject under conformance:"}}
	if len(standings) == 0 {
		return c
	}
	var reasons []string
	for i, s := range standings {
		reasons = append(reasons, layerTitle(s.Layer)+": "+s.Words)
		c.Origins = append(append(c.Origins, s.Tests.Origins...), s.Certificate.Origins...)
		if o, words := levelMark(s); i == 0 || o == audit.PASS || o == audit.PART && c.Outcome != audit.PASS {
			c.Outcome, c.Words, c.Settle = o, words, s.Tests.Settle
		}
	}
	c.Reason = strings.Join(reasons, "; ")
	return c
}

// levelMark is the mark of one layer: tests that could be told decide; a certificate alone is the operator's word, and tests
// alone are no certificate.
func levelMark(s reports.Standing) (audit.Outcome, string) {
	certified := s.Certificate.Outcome == audit.PASS && !s.Certificate.Declared
	switch {
	case s.Tests.Outcome == audit.PASS && certified && !s.Tests.Declared:
		return audit.PASS, "certified"
	case s.Tests.Outcome == audit.PASS:
		return audit.PART, s.Words
	}
	if s.Tests.Outcome.Decided() || s.Certificate.Outcome != audit.PASS {
		return s.Tests.Outcome, outcomeWords(s.Tests.Outcome, false)
	}
	if s.Certificate.Declared {
		return audit.PART, outcomeWords(audit.PASS, true)
	}
	return audit.PASS, "certified"
}

func handedWords(handed bool) string {
	if handed {
		return ", handed over"
	}
	return ""
}

func outcomeWords(o audit.Outcome, declared bool) string {
	switch {
	case o == audit.PART:
		return "in part"
	case o == audit.PASS && declared:
		return "declared"
	case o == audit.PASS:
		return "yes"
	case o == audit.FAIL:
		return "no"
	case o == audit.DNF:
		return "could not tell"
	case o == audit.NA:
		return "does not apply"
	}
	return "nobody looked"
}

// readReply reads an operator's reply to its row; nil if none is named.
func readReply(dir, name string) (*reports.Reply, error) {
	if name == "" {
		return nil, nil
	}
	var file struct {
		Schema string            `yaml:"schema"`
		By     string            `yaml:"by"`
		Role   string            `yaml:"role"`
		Date   string            `yaml:"date"`
		Text   string            `yaml:"text"`
		Cells  map[string]string `yaml:"cells"`
	}
	cells := shape{}
	for _, c := range reports.ProviderColumns() {
		cells[c] = nil
	}
	want := shape{"schema": nil, "by": nil, "role": nil, "date": nil, "text": nil, "cells": cells}
	if err := readOwnYAML(relativeTo(dir, name), maxStackFile, want, "reply", &file); err != nil {
		return nil, fmt.Errorf("%q: %w", name, err)
	}
	date, err := ParseDay(file.Date)
	switch {
	case file.Schema != ReplySchema:
		return nil, fmt.Errorf("%q: schema is %q, want %q", name, file.Schema, ReplySchema)
	case file.By == "" || date.IsZero() || err != nil:
		return nil, fmt.Errorf("%q: want by (an organisation) and date (2026-11-24)", name)
	}
	texts := []string{file.By, file.Role, file.Text}
	for _, t := range file.Cells {
		texts = append(texts, t)
	}
	for _, t := range texts {
		if len(t) > mostReplyText {
			return nil, fmt.Errorf("%q: a text has %d bytes; at most %d are read", name, len(t), mostReplyText)
		}
		if strings.Contains(t, "@") {
			return nil, fmt.Errorf("%q: a text may name a person; write organisations, roles and addresses of pages", name)
		}
	}
	return &reports.Reply{By: file.By, Role: file.Role, Date: date, Text: file.Text, Cells: file.Cells}, nil
}
