package gitlog

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// lines reads a text line by line and counts them.
type lines struct {
	r      *bufio.Reader
	number int
	spill  []byte
}

// next returns the next line without its end, valid until the next call; io.EOF at the end.
func (l *lines) next() ([]byte, error) {
	line, err := l.r.ReadSlice('\n')
	if len(line) == 0 && err != nil && err != bufio.ErrBufferFull {
		return nil, err
	}
	l.number++
	if err == bufio.ErrBufferFull || len(line) > maxAffiliationLine {
		return nil, fmt.Errorf("line %d: longer than %d bytes", l.number, maxAffiliationLine)
	}
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("line %d: %w", l.number, err)
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

func (l *lines) wrong(err error) error { return fmt.Errorf("line %d: %w", l.number, err) }

// readGitdm reads the form of cncf/gitdm: developers_affiliations*.txt. A line "login: address, address" is followed by
// one indented line per employer, "Name", "Name until DATE", "Name from DATE until DATE" or "Name from DATE"; ! stands
// for @.
func (a *Affiliation) readGitdm(r *bufio.Reader, s *affiliationSource) error {
	l := &lines{r: r}
	var addresses []string
	var stays []stay
	anybody := false
	for {
		line, err := l.next()
		if errors.Is(err, io.EOF) {
			return a.put(s, addresses, stays)
		}
		if err != nil {
			return err
		}
		text := strings.ToValidUTF8(string(line), "\uFFFD")
		trimmed := strings.TrimSpace(text)
		switch {
		case trimmed == "" || trimmed[0] == '#':
		case text[0] != '\t' && text[0] != ' ':
			if err := a.put(s, addresses, stays); err != nil {
				return l.wrong(err)
			}
			if addresses, err = gitdmAddresses(trimmed); err != nil {
				return l.wrong(err)
			}
			stays, anybody = stays[:0], true
		case !anybody:
			return l.wrong(errors.New("an employer before any person"))
		default:
			st, err := a.gitdmStay(trimmed)
			if err != nil {
				return l.wrong(err)
			}
			if stays = append(stays, st); len(stays) > maxStays {
				return l.wrong(fmt.Errorf("more than %d employers of one address", maxStays))
			}
		}
	}
}

// gitdmAddresses reads "login: a!example.org, b!example.org". What is no address can match nobody and is left out: the
// lists of cncf/gitdm have some 40 such entries among 70,000.
func gitdmAddresses(line string) ([]string, error) {
	login, list, ok := strings.Cut(line, ": ")
	if !ok {
		return nil, errors.New("not a login, a colon and addresses")
	}
	addresses := forwarded(strings.TrimPrefix(login, "*")) // * marks those with several entries
	for part := range strings.SplitSeq(list, ",") {
		if address, ok := gitdmAddress(strings.TrimSpace(part)); ok && !slices.Contains(addresses, address) {
			addresses = append(addresses, address)
		}
	}
	return addresses, nil
}

// forwarded returns the address at GitHub that belongs to a login, if that is one.
func forwarded(login string) []string {
	if !githubLogin.MatchString(login) {
		return nil
	}
	return []string{login + noreply}
}

// githubLogin matches the names that GitHub allows: letters, digits and hyphens, up to 39.
var githubLogin = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}$`)

// gitdmAddress turns the ! of gitdm into @; ok is false if the text is no address.
func gitdmAddress(text string) (string, bool) {
	if i := strings.LastIndexAny(text, "!@"); i > 0 && i < len(text)-1 {
		return text[:i] + "@" + text[i+1:], true
	}
	return "", false
}

// gitdmStay reads "Name from DATE until DATE".
func (a *Affiliation) gitdmStay(text string) (stay, error) {
	st := stay{from: dayMin, until: dayMax}
	var err error
	if text, st.until, err = cutDay(text, " until ", dayMax); err != nil {
		return st, err
	}
	if text, st.from, err = cutDay(text, " from ", dayMin); err != nil {
		return st, err
	}
	if st.until < st.from { // equal days occur in the lists: a stay that covers no day
		return st, errors.New("the end of an employment is before its begin")
	}
	st.employer, err = a.employer(text)
	return st, err
}

// cutDay cuts a word and a date from the end of a text. What follows the word and does not begin with a digit is part of
// a name: "Made from Scratch".
func cutDay(text, word string, without int32) (rest string, day int32, err error) {
	before, date, ok := cutLast(text, word)
	if !ok || date == "" || date[0] < '0' || date[0] > '9' || strings.Contains(date, " ") {
		return text, without, nil
	}
	day, ok = parseDay(date)
	if !ok {
		return text, 0, errors.New("a date is not of the form YYYY-MM-DD")
	}
	return before, day, nil
}

// ended is a line of a map: somebody's or a domain's employer until a day.
type ended struct {
	who   string // address, or domain
	until stay
	line  int
}

// readGitdmMap reads the maps of gitdm: "address employer", "domain employer", each perhaps with "< YYYY-MM-DD" at the
// end, which says until when. The lines of one address or domain follow each other in time, in whatever order they stand.
func (a *Affiliation) readGitdmMap(r *bufio.Reader, s *affiliationSource) error {
	l := &lines{r: r}
	var open []ended // of the address or domain of the line before
	for {
		line, err := l.next()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		atEnd := err != nil
		text := strings.TrimSpace(strings.ToValidUTF8(string(line), "\uFFFD"))
		if !atEnd && (text == "" || text[0] == '#') {
			continue
		}
		var e ended
		if !atEnd {
			if e, err = a.gitdmMapLine(text); err != nil {
				return l.wrong(err)
			}
			e.line = l.number
		}
		if len(open) > 0 && (atEnd || e.who != open[0].who) {
			if err := a.closeMap(s, open); err != nil {
				return fmt.Errorf("line %d: %w", open[0].line, err)
			}
			open = open[:0]
		}
		if atEnd {
			return nil
		}
		if open = append(open, e); len(open) > maxStays {
			return l.wrong(fmt.Errorf("more than %d employers of one address", maxStays))
		}
	}
}

// gitdmMapLine reads "who employer < DATE".
func (a *Affiliation) gitdmMapLine(text string) (ended, error) {
	i := strings.IndexAny(text, " \t")
	if i < 0 {
		return ended{}, errors.New("not an address or a domain, a blank and an employer")
	}
	e := ended{who: strings.ToLower(text[:i]), until: stay{from: dayMin, until: dayMax}}
	if address, ok := gitdmAddress(e.who); ok {
		e.who = address
	} else if !domainPattern.MatchString(e.who) {
		return ended{}, errors.New("neither an address nor a domain at the beginning")
	}
	name, err := strings.TrimSpace(text[i:]), error(nil)
	if before, date, ok := cutLast(name, " < "); ok {
		day, ok := parseDay(strings.TrimSpace(date))
		if !ok {
			return ended{}, errors.New("a date is not of the form YYYY-MM-DD")
		}
		name, e.until.until = strings.TrimSpace(before), day
	}
	e.until.employer, err = a.employer(name)
	return e, err
}

// closeMap adds the lines of one address or domain.
func (a *Affiliation) closeMap(s *affiliationSource, open []ended) error {
	stays := make([]stay, len(open))
	for i, e := range open {
		stays[i] = e.until
	}
	follow(stays)
	if strings.Contains(open[0].who, "@") {
		return a.put(s, []string{open[0].who}, stays)
	}
	for _, st := range stays {
		if err := a.putDomain(s, open[0].who, st); err != nil {
			return err
		}
	}
	return nil
}

// follow gives stays of which only the ends are known their begins: each begins where the one before ended. Two with the
// same end cover the same days, so that they contradict each other.
func follow(stays []stay) {
	slices.SortStableFunc(stays, func(x, y stay) int { return cmp.Compare(x.until, y.until) })
	from := int32(dayMin)
	for i := range stays {
		if i > 0 && stays[i].until > stays[i-1].until {
			from = stays[i-1].until
		}
		stays[i].from = from
	}
}
