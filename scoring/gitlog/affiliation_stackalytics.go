package gitlog

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// stackalyticsUser is one entry of "users": the companies follow each other in time, each until its end_date; the last
// has none. They stand in any order.
type stackalyticsUser struct {
	Emails    []string `json:"emails"`
	GitHub    string   `json:"github_id"`
	Companies []struct {
		Name string  `json:"company_name"`
		End  *string `json:"end_date"`
	} `json:"companies"`
}

type stackalyticsCompany struct {
	Name    string   `json:"company_name"`
	Domains []string `json:"domains"`
}

// maxEntry bounds one entry of a JSON file, which the decoder holds as a whole.
const maxEntry = 4 << 20

// newlines counts the lines of what went through it, and ends if an entry is too large.
type newlines struct {
	r       io.Reader
	read    int64
	passed  int64   // end of the last entry
	line    int     // number of line ends before it
	offsets []int64 // of line ends, from next on not passed yet
	next    int
}

func (n *newlines) Read(p []byte) (int, error) {
	if n.read-n.passed > maxEntry {
		return 0, fmt.Errorf("an entry is larger than %d bytes", maxEntry)
	}
	k, err := n.r.Read(p[:min(len(p), 64<<10)])
	for i := 0; i < k; {
		j := bytes.IndexByte(p[i:k], '\n')
		if j < 0 {
			break
		}
		n.offsets = append(n.offsets, n.read+int64(i+j))
		i += j + 1
	}
	n.read += int64(k)
	return k, err
}

// at returns the line of an offset, which is the end of an entry.
func (n *newlines) at(offset int64) int {
	for n.next < len(n.offsets) && n.offsets[n.next] < offset {
		n.next++
		n.line++
	}
	if n.next > 1024 && n.next > len(n.offsets)/2 {
		n.offsets = append(n.offsets[:0], n.offsets[n.next:]...)
		n.next = 0
	}
	n.passed = offset
	return n.line + 1
}

// readStackalytics reads default_data.json as a stream: "users" and "companies"; all other keys are skipped.
func (a *Affiliation) readStackalytics(r *bufio.Reader, s *affiliationSource) error {
	n := &newlines{r: r}
	d := json.NewDecoder(n)
	err := a.stackalytics(d, n, s)
	if err == nil {
		return nil
	}
	offset := d.InputOffset()
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	line := n.at(offset)
	switch {
	case errors.As(err, &syntax):
		err = errors.New("not JSON") // the text of the library quotes the input
	case errors.As(err, &kind):
		err = errors.New("an entry of another form than those of Stackalytics")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("the file ends too early")
	}
	return fmt.Errorf("line %d: %w", line, err)
}

func (a *Affiliation) stackalytics(d *json.Decoder, n *newlines, s *affiliationSource) error {
	if _, err := d.Token(); err != nil { // {
		return err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		switch key {
		case "users":
			err = eachElement(d, n, func() error { return a.stackalyticsUser(d, s) })
		case "companies":
			err = eachElement(d, n, func() error { return a.stackalyticsCompany(d, s) })
		default:
			err = skipValue(d, n)
		}
		if err != nil {
			return err
		}
	}
	_, err := d.Token() // }
	return err
}

func (a *Affiliation) stackalyticsUser(d *json.Decoder, s *affiliationSource) error {
	var u stackalyticsUser
	if err := d.Decode(&u); err != nil {
		return err
	}
	if len(u.Companies) > maxStays {
		return fmt.Errorf("more than %d companies of one user", maxStays)
	}
	stays := make([]stay, len(u.Companies))
	for i, c := range u.Companies {
		stays[i].until = dayMax
		if c.End != nil {
			day, ok := parseDay(*c.End)
			if !ok {
				return errors.New("an end_date is neither YYYY-Mon-DD nor YYYY-MM-DD")
			}
			stays[i].until = day
		}
		var err error
		if stays[i].employer, err = a.employer(c.Name); err != nil {
			return err
		}
	}
	follow(stays)
	return a.put(s, append(u.Emails, forwarded(u.GitHub)...), stays)
}

func (a *Affiliation) stackalyticsCompany(d *json.Decoder, s *affiliationSource) error {
	var c stackalyticsCompany
	if err := d.Decode(&c); err != nil {
		return err
	}
	employer, err := a.employer(c.Name)
	if err != nil || employer == nobodyEmployer {
		return err
	}
	for _, domain := range c.Domains {
		if !domainPattern.MatchString(domain) {
			continue // "" stands for all that is unknown, others name a path
		}
		if err := a.putDomain(s, domain, stay{employer: employer, from: dayMin, until: dayMax}); err != nil {
			return err
		}
	}
	return nil
}

// eachElement calls f at each element of an array.
func eachElement(d *json.Decoder, n *newlines, f func() error) error {
	open, err := d.Token()
	if err != nil {
		return err
	}
	if open != json.Delim('[') {
		return errors.New("users or companies are not an array")
	}
	for d.More() {
		if err := f(); err != nil {
			return err
		}
		n.at(d.InputOffset())
	}
	_, err = d.Token()
	return err
}

// skipValue reads over a value of any depth.
func skipValue(d *json.Decoder, n *newlines) error {
	depth := 0
	for {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
		n.at(d.InputOffset())
	}
}
