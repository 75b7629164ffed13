package gitlog

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/maphash"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/scoring"
)

// AffiliationFile is a file that says for whom people work. Three forms are known by their contents: our own
// (schema pegel/affiliations/v1, see docs/affiliations.md), those of gitdm (developers_affiliations*.txt, email-map,
// domain-map), and default_data.json of Stackalytics.
type AffiliationFile struct {
	Name   string    // shown in errors and, without its directory, in the evidence
	Source string    // public address it was taken from; empty: not told
	At     time.Time // date of its contents, e.g. of the commit it was taken from; zero: the newest day that it names
	Data   io.Reader // read once, by New, as a stream
}

// Bounds of affiliation files. The largest known one, the e-mail map of cncf/gitdm, has 14 MB and 400,000 lines.
const (
	maxAffiliationFile = 256 << 20
	maxAffiliationLine = 64 << 10
	maxAddresses       = 4_000_000 // of one file
	maxEmployers       = 1_000_000 // names of all files
	maxStays           = 200       // of one address
	maxEmployer        = 100       // letters of a name
)

// The days before and after all others, in days since 1970.
const (
	dayMin = math.MinInt32
	dayMax = math.MaxInt32
)

// openEndsLast is how long an employment without an end counts after the date of the file: a year, the lifetime of
// evidence about governance (reference: health, 1.4). Public lists end: the one of Stackalytics did in 2021, and people
// move on. Afterwards the next source is asked.
const openEndsLast = 365 // days

// stay is a time of somebody, or of a domain, with one employer: from is in it, until is not.
type stay struct {
	employer    int32 // index into Affiliation.employers; nobodyEmployer, or aloneEmployer
	from, until int32 // days since 1970
}

const (
	nobodyEmployer = -1 // the file names no employer
	aloneEmployer  = -2 // the operator says: works for nobody
)

// addressKey stands for an address: a hash with a key that lives as long as the process. Addresses themselves are not kept.
type addressKey uint64

// affiliationSource is one loaded file.
type affiliationSource struct {
	file     AffiliationFile
	form     string // operator, gitdm, gitdm-map, stackalytics
	digest   audit.Digest
	people   map[addressKey][]stay
	domains  map[string][]stay
	operator bool
	newest   int32 // newest day that stands in it
	open     int32 // until when employments without an end count
}

// Affiliation says for whom somebody works on a given day. It is built by New and safe for concurrent use.
type Affiliation struct {
	table     organisations
	digest    audit.Digest // of the table
	seed      maphash.Seed
	sources   []affiliationSource // in the order they are asked: operator files first
	employers []string            // names as the table has them, or as the first file spells them
	profiles  map[addressKey]int32

	byName     map[string]int32 // plain name to index into employers
	bySpelling map[string]int32 // the same by what a file wrote; nil after loading
}

// NewAffiliation reads a table of domains (schema pegel/organisations/v1; nil: the built-in one), files in the order they
// are to be asked, and companies that people name on their profiles, by address. Operator files are asked before all
// others. An error names the file and line, and never what stands there: it may be somebody's address.
func NewAffiliation(table []byte, files []AffiliationFile, profiles map[string]string) (*Affiliation, error) {
	table = orBuiltin(table, builtinOrganisations)
	o, err := parseOrganisations(table)
	if err != nil {
		return nil, err
	}
	a := &Affiliation{table: o, digest: audit.DigestOf(table), seed: maphash.MakeSeed(), byName: map[string]int32{}, bySpelling: map[string]int32{}, profiles: map[addressKey]int32{}}
	for _, f := range files {
		s, err := a.load(f)
		if err != nil {
			return nil, fmt.Errorf("reading affiliations %q: %w", f.Name, err)
		}
		a.sources = append(a.sources, s)
	}
	slices.SortStableFunc(a.sources, func(x, y affiliationSource) int {
		return one(y.operator) - one(x.operator)
	})
	for address, company := range profiles {
		employer, err := a.employer(company)
		if err != nil {
			return nil, fmt.Errorf("reading the companies of profiles: %w", err)
		}
		if employer >= 0 {
			a.profiles[a.key(address)] = employer
		}
	}
	a.bySpelling = nil
	return a, nil
}

// noreply is where GitHub's forwarding addresses end: login@ or, since 2017, number+login@. Both are the same person.
const noreply = "@users.noreply.github.com"

// key hashes an address in its one spelling: lower case, without blanks and brackets, and without GitHub's number.
func (a *Affiliation) key(address string) addressKey {
	address = strings.ToLower(strings.Trim(address, "<> \t\r\n"))
	if login, ok := strings.CutSuffix(address, noreply); ok {
		if number, name, ok := strings.Cut(login, "+"); ok && strings.Trim(number, "0123456789") == "" {
			address = name + noreply
		}
	}
	return addressKey(maphash.String(a.seed, address))
}

// load finds out the form of a file and reads it.
func (a *Affiliation) load(f AffiliationFile) (affiliationSource, error) {
	s := affiliationSource{file: f, people: map[addressKey][]stay{}, domains: map[string][]stay{}, newest: dayMin, open: dayMax}
	if f.Data == nil {
		return s, fmt.Errorf("no data")
	}
	digest := sha256.New()
	bounded := &io.LimitedReader{R: f.Data, N: maxAffiliationFile + 1}
	r := bufio.NewReaderSize(io.TeeReader(bounded, digest), 256<<10)
	head, err := r.Peek(64 << 10)
	if err != nil && err != io.EOF {
		return s, fmt.Errorf("line 1: %w", err)
	}
	s.form = formOf(head)
	switch s.form {
	case "operator":
		s.operator = true
		err = a.readOperator(r, &s)
	case "stackalytics":
		err = a.readStackalytics(r, &s)
	case "gitdm":
		err = a.readGitdm(r, &s)
	default:
		err = a.readGitdmMap(r, &s)
	}
	if err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	switch {
	case bounded.N <= 0:
		return s, fmt.Errorf("larger than %d bytes", maxAffiliationFile)
	case err != nil:
		return s, err
	case len(s.people) == 0 && len(s.domains) == 0:
		return s, fmt.Errorf("no person and no domain in it; known forms are in docs/affiliations.md")
	}
	if s.file.At.IsZero() && s.newest > dayMin {
		s.file.At = time.Unix(int64(s.newest)*86400, 0)
	}
	if !s.file.At.IsZero() {
		s.open = dayOf(s.file.At.Unix()) + openEndsLast
	}
	s.digest = audit.Digest("sha256:" + hex.EncodeToString(digest.Sum(nil)))
	return s, nil
}

// formOf tells the forms apart by the beginning of a file.
func formOf(head []byte) string {
	trimmed := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(trimmed) > 0 && trimmed[0] == '{' {
		return "stackalytics"
	}
	indented := false
	for line := range bytes.Lines(head) {
		switch {
		case bytes.HasPrefix(line, []byte("schema:")), bytes.HasPrefix(line, []byte("people:")), bytes.HasPrefix(line, []byte("---")):
			return "operator"
		case len(bytes.TrimSpace(line)) > 0 && (line[0] == '\t' || line[0] == ' '):
			indented = true
		}
	}
	if indented {
		return "gitdm"
	}
	return "gitdm-map"
}

// put adds the stays of somebody's addresses.
func (a *Affiliation) put(s *affiliationSource, addresses []string, stays []stay) error {
	stays = slices.Clone(stays) // shared by the addresses
	for _, st := range stays {
		if st.until < dayMax {
			s.newest = max(s.newest, st.until)
		}
		s.newest = max(s.newest, st.from)
	}
	for _, address := range addresses {
		k := a.key(address)
		known, ok := s.people[k]
		switch {
		case !ok && len(s.people) >= maxAddresses:
			return fmt.Errorf("more than %d addresses", maxAddresses)
		case len(known)+len(stays) > maxStays:
			return fmt.Errorf("more than %d employers of one address", maxStays)
		case !ok:
			s.people[k] = slices.Clip(stays)
		default:
			s.people[k] = append(slices.Clip(known), stays...)
		}
	}
	return nil
}

// putDomain adds a stay of a domain. Free mail and communities are not employers, whatever a file says; only the operator
// can overrule that.
func (a *Affiliation) putDomain(s *affiliationSource, domain string, st stay) error {
	domain = strings.ToLower(domain)
	if !domainPattern.MatchString(domain) {
		return fmt.Errorf("not a domain")
	}
	if !s.operator && a.table.says(domain) == nobody {
		return nil
	}
	if len(s.domains[domain]) >= maxStays {
		return fmt.Errorf("more than %d employers of one domain", maxStays)
	}
	if len(s.domains) >= maxAddresses {
		return fmt.Errorf("more than %d domains", maxAddresses)
	}
	s.domains[domain] = append(s.domains[domain], st)
	return nil
}

// employer returns the number of an employer by any spelling of its name.
func (a *Affiliation) employer(spelling string) (int32, error) {
	if i, ok := a.bySpelling[spelling]; ok {
		return i, nil
	}
	name := strings.Join(strings.Fields(printable(strings.ToValidUTF8(spelling, ""))), " ")
	plain := plainOrganisation(name)
	i := int32(nobodyEmployer) // an address is no employer, and must not get into the evidence
	if plain != "" && !a.table.nobodyNames[plain] && !addressLike(name) {
		if listed, ok := a.table.byPlainName[plain]; ok {
			name, plain = listed, plainOrganisation(listed)
		}
		var known bool
		if i, known = a.byName[plain]; !known {
			if len(a.employers) >= maxEmployers {
				return 0, fmt.Errorf("more than %d names of employers", maxEmployers)
			}
			i = int32(len(a.employers))
			a.employers = append(a.employers, strings.Clone(clip(name, maxEmployer)))
			a.byName[plain] = i
		}
	}
	if len(a.bySpelling) < maxEmployers {
		a.bySpelling[strings.Clone(spelling)] = i
	}
	return i, nil
}

// addressLike reports whether a name could be an address, also in the spelling of gitdm.
func addressLike(name string) bool {
	for _, word := range strings.Fields(name) {
		if at := strings.IndexAny(word, "@!"); at >= 0 && at < len(word)-1 || strings.ContainsAny(word, "<>") {
			return true
		}
	}
	return false
}

// legalForms are the words at the end of a company's name that its short name lacks.
const legalForms = " inc incorporated llc ltd limited gmbh ag se corp corporation co company plc sa sas sarl srl spa bv nv ab oy as aps kg kk pty pte lp llp ltda group "

// plainOrganisation makes spellings of one name equal: letters and digits in lower case, without legal forms at the end.
func plainOrganisation(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	n := len(words)
	for n > 1 && strings.Contains(legalForms, " "+words[n-1]+" ") {
		n--
	}
	if n > 1 && words[0] == "the" {
		return strings.Join(words[1:n], "")
	}
	return strings.Join(words[:n], "")
}

// stayAt returns the employer of a day, if all stays that cover it agree; the rest of the answer is from when and until
// when it is the same one. Stays without an end reach to open.
func stayAt(stays []stay, day, open int32) (employer int32, ok bool, from, until int32) {
	from, until, employer = dayMin, dayMax, nobodyEmployer
	for _, s := range stays {
		if s.until == dayMax {
			s.until = open
		}
		for _, border := range [2]int32{s.from, s.until} {
			if border <= day {
				from = max(from, border)
			} else {
				until = min(until, border)
			}
		}
		if day < s.from || day >= s.until || s.employer == nobodyEmployer {
			continue
		}
		if ok && employer != s.employer {
			return nobodyEmployer, false, day, day + 1 // the file contradicts itself
		}
		employer, ok = s.employer, true
	}
	return employer, ok, from, until
}

// lookup says where somebody belongs on a day, and from when until when the answer is the same. The sources are asked in
// the order of the reference (health, 7.1): files, company domains, profile.
func (a *Affiliation) lookup(address, domain string, day int32) (s standing, from, until int32) {
	from, until = dayMin, dayMax
	k := a.key(address)
	for i := range a.sources {
		employer, ok, f, u := stayAt(a.sources[i].people[k], day, a.sources[i].open)
		from, until = max(from, f), min(until, u)
		if ok {
			return a.stands(employer, i), from, until
		}
	}
	for i := range a.sources {
		for d := domain; d != "" && len(a.sources[i].domains) > 0; d = parentDomain(d) {
			employer, ok, f, u := stayAt(a.sources[i].domains[d], day, dayMax)
			from, until = max(from, f), min(until, u)
			if ok {
				return a.stands(employer, i), from, until
			}
		}
	}
	name, kind := a.table.classify(domain)
	if kind == company {
		return standing{name, company, a.tableSource()}, from, until
	}
	if employer, ok := a.profiles[k]; ok {
		return standing{a.employers[employer], company, a.profileSource()}, from, until
	}
	return standing{name, kind, -1}, from, until
}

func (a *Affiliation) stands(employer int32, source int) standing {
	if employer == aloneEmployer {
		return standing{"", freelance, source}
	}
	return standing{a.employers[employer], company, source}
}

func (a *Affiliation) tableSource() int   { return len(a.sources) }
func (a *Affiliation) profileSource() int { return len(a.sources) + 1 }
func (a *Affiliation) domainSource() int  { return len(a.sources) + 2 } // a domain that the table does not know, with several people

// Of returns the organisation that the owner of an address worked for on a day, folded into the group that owned it on
// that day. ok is false if it is not known: free mail, communities, contradictions, domains that no table knows, and people
// who work for nobody.
func (a *Affiliation) Of(address string, at time.Time) (organisation string, ok bool) {
	s, _, _ := a.lookup(address, domainOf(strings.ToLower(address)), dayOf(at.Unix()))
	if s.kind != company {
		return "", false
	}
	return a.Group(s.name, at), true
}

// OfLogin is Of for a login at GitHub, which lists in the forms of cncf/gitdm and Stackalytics name.
func (a *Affiliation) OfLogin(login string, at time.Time) (organisation string, ok bool) {
	if !githubLogin.MatchString(login) {
		return "", false
	}
	return a.Of(login+noreply, at)
}

// Group returns the group that an organisation belongs to on a day, or its own name. Those who count over a period fold
// with its end, so that a company that was sold in between counts as one.
func (a *Affiliation) Group(organisation string, at time.Time) string {
	return a.table.nameAt(organisation, at)
}

// dayOf returns the day of a moment, in UTC, as days since 1970.
func dayOf(seconds int64) int32 {
	days := seconds / 86400
	if seconds%86400 < 0 {
		days--
	}
	return int32(min(max(days, dayMin+1), dayMax-1))
}

// parseDay reads one of the forms of dates in affiliation files: 2019-07-09 and 2019-Jul-09.
func parseDay(text string) (int32, bool) {
	for _, form := range []string{time.DateOnly, "2006-Jan-02"} {
		if t, err := time.Parse(form, text); err == nil {
			return dayOf(t.Unix()), true
		}
	}
	return 0, false
}

// shownName is the name of a file as it may stand in the evidence: no directory, no address.
func shownName(name string) string {
	base := printable(filepath.Base(filepath.ToSlash(name)))
	if strings.ContainsAny(base, "@!") {
		return ""
	}
	return clip(base, maxEmployer)
}

// outside counts the authors of a window outside one organisation: those of whom all work is known to be for others, and
// those who may be.
func (p *people) outside(window, top int) (low, high int) {
	for _, a := range p.all {
		inside, open := false, false
		for _, t := range a.stints {
			if t.commits[window] > 0 {
				inside = inside || int(t.org) == top && top >= 0
				open = open || t.org < 0
			}
		}
		if a.commits[window] > 0 && !inside {
			low += one(!open)
			high++
		}
	}
	return low, high
}

// provenanceWindow is the window of 12 months in spans, over which the shares of the sources are told.
const provenanceWindow = 2

// provenance says which sources decided for whom the work of 12 months was done.
func (p *people) provenance(at time.Time) *scoring.Affiliations {
	a := p.employers
	out := &scoring.Affiliations{Months: spans[provenanceWindow], Table: a.digest}
	rows := make([]scoring.AffiliationSource, len(a.sources)+3)
	for i, s := range a.sources {
		rows[i] = scoring.AffiliationSource{Kind: s.form, Name: shownName(s.file.Name), URL: publicURL(s.file.Source), Digest: s.digest, At: s.file.At.UTC(), Grade: audit.GradeThirdParty}
		if s.operator {
			rows[i].Grade = audit.GradeOperator
		}
	}
	rows[a.tableSource()] = scoring.AffiliationSource{Kind: "domain", Digest: a.digest, Grade: audit.GradeRecord}
	rows[a.profileSource()] = scoring.AffiliationSource{Kind: "profile", Grade: audit.GradeThirdParty}
	rows[a.domainSource()] = scoring.AffiliationSource{Kind: "shared-domain", Grade: audit.GradeRecord}
	unknown := scoring.AffiliationSource{Kind: "unknown"}
	seen := map[[2]string]bool{}
	for _, person := range p.all {
		touched := map[*scoring.AffiliationSource]bool{}
		for _, t := range person.stints {
			n, s := int(t.commits[provenanceWindow]), p.standings[t.standing]
			if n == 0 {
				continue
			}
			row := &unknown
			switch {
			case t.org >= 0 && s.kind == other:
				row = &rows[a.domainSource()]
			case t.org >= 0:
				row = &rows[s.source]
			}
			row.Commits += n
			row.Authors += one(!touched[row])
			touched[row] = true
			for _, step := range a.table.ownersAt(s.name, at) {
				if key := [2]string{s.name, step.Name}; s.kind == company && !seen[key] {
					seen[key] = true
					out.Groups = append(out.Groups, scoring.Folded{Name: s.name, Group: step.Name, Since: step.Since, Source: step.source})
				}
			}
		}
	}
	slices.SortFunc(out.Groups, func(x, y scoring.Folded) int {
		return cmp.Or(strings.Compare(x.Name, y.Name), strings.Compare(x.Since, y.Since))
	})
	for i, row := range append(rows, unknown) {
		if row.Commits > 0 || i < len(a.sources) {
			out.Sources = append(out.Sources, row)
		}
	}
	return out
}
