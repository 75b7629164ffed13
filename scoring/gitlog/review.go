package gitlog

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// features are what trailers say about one commit by a person.
type features struct {
	signedOff, changeID, assisted, dependsOn, mail, pull bool
	reviewedBy, ackedBy, testedBy                        bool // by somebody else
	reviewed                                             bool // reviewedBy or ackedBy
	reviewers                                            []string
}

// maxTrailers bounds the trailers of one commit that are looked at.
const maxTrailers = 200

// features reads the trailers that git found. A review counts only if somebody other than the author gave it.
func (p *pass) features(c record, author identity) features {
	var f features
	var lower [32]byte // longer than any key that is asked for
	for rest, n := c.trailers, 0; len(rest) > 0 && n < maxTrailers; n++ {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte{trailerSeparator})
		key, value, ok := bytes.Cut(line, []byte(":"))
		if ok && len(key) <= len(lower) {
			p.trailer(&f, toLower(lower[:0], key), value, c.author)
		}
	}
	f.reviewed = f.reviewedBy || f.ackedBy
	return f
}

// toLower appends the ASCII letters of key in lower case.
func toLower(to, key []byte) []byte {
	for _, b := range key {
		if b >= 'A' && b <= 'Z' {
			b += 'a' - 'A'
		}
		to = append(to, b)
	}
	return to
}

func (p *pass) trailer(f *features, key, value, author []byte) {
	switch string(key) {
	case "signed-off-by":
		f.signedOff = true
	case "change-id":
		f.changeID = true
	case "assisted-by", "generated-by":
		f.assisted = true
	case "co-authored-by":
		f.assisted = f.assisted || p.rules.assistants.match(string(value))
	case "depends-on":
		f.dependsOn = true
	case "message-id", "submitted-at", "patchwork":
		f.mail = true
	case "link":
		f.mail = f.mail || archive.Match(value)
	case "pr-url":
		f.pull = true
	case "reviewed-by", "acked-by", "tested-by":
		if !somebodyElse(value, author) || p.machine(string(value)) {
			return
		}
		f.reviewedBy = f.reviewedBy || key[0] == 'r'
		f.ackedBy = f.ackedBy || key[0] == 'a'
		f.testedBy = f.testedBy || key[0] == 't'
		f.reviewers = append(f.reviewers, string(value))
	}
}

// archive matches the address of a message in the archive of a mailing list.
var archive = regexp.MustCompile(`(?i)https?://(lore\.|lists?\.|mail(man)?\.|marc\.|patchwork\.|patchew\.|inbox\.|[a-z.]*msgid\.)|/(pipermail|mailman|archives/list|hyperkitty)/`)

// somebodyElse compares "Name <address>" with the author by address and by name, since trailers are not mailmapped.
func somebodyElse(signature, author []byte) bool {
	name, address := splitSignature(string(signature))
	authorAddress, authorName, _ := bytes.Cut(author, []byte{fieldSeparator})
	for _, said := range []string{name, address} {
		if said != "" && (strings.EqualFold(said, string(authorAddress)) || strings.EqualFold(said, string(authorName))) {
			return false
		}
	}
	return name != "" || address != ""
}

// maxMachines bounds the signatures that are remembered; beyond them each is matched anew.
const maxMachines = 100_000

// machine reports whether "Name <address>" is the signature of a program: what a program says is no review.
func (p *pass) machine(signature string) bool {
	bot, known := p.machines[signature]
	if known {
		return bot
	}
	name, address := splitSignature(strings.ToLower(strings.ToValidUTF8(signature, "\uFFFD")))
	bot = p.rules.bots.match(address, name)
	if len(p.machines) < maxMachines {
		p.machines[signature] = bot
	}
	return bot
}

// splitSignature splits "Name <address>", "address" or "Name".
func splitSignature(s string) (name, address string) {
	s = strings.TrimSpace(s)
	if open := strings.LastIndexByte(s, '<'); open >= 0 {
		address, _, _ = strings.Cut(s[open+1:], ">")
		return strings.Trim(s[:open], " \t\""), strings.TrimSpace(address)
	}
	if strings.Contains(s, "@") && !strings.Contains(s, " ") {
		return "", s
	}
	return s, ""
}

// isRevert follows design section 9: the subject starts with Revert or the body says "This reverts commit".
func isRevert(message []byte) bool {
	return bytes.HasPrefix(message, []byte("Revert")) || bytes.Contains(message, []byte("This reverts commit"))
}

// subject returns the first paragraph of a message on one line, as %s does.
func subject(message []byte) []byte {
	message = bytes.TrimLeft(message, "\n")
	head, _, _ := bytes.Cut(message, []byte("\n\n"))
	return bytes.TrimSpace(head)
}

// hasRequestNumber reports whether the subject ends with (#n), as squash merges of GitHub, GitLab and Gitea write it.
func hasRequestNumber(message []byte) bool {
	s := subject(message)
	if !bytes.HasSuffix(s, []byte(")")) {
		return false
	}
	open := bytes.LastIndex(s, []byte("(#"))
	if open < 0 {
		return false
	}
	digits := s[open+2 : len(s)-1]
	_, err := strconv.ParseUint(string(digits), 10, 32)
	return err == nil
}

// request is the kind of forge whose request brought a commit in.
type request uint8

const (
	pullRequest  request = iota + 1 // GitHub, Gitea, Bitbucket
	mergeRequest                    // GitLab
)

// mergedRequest recognises the merge commits that forges write for a pull or merge request: GitHub and Gitea "Merge pull
// request", Bitbucket "Merged in ... (pull request #n)", GitLab "See merge request" in the body. Zero: it is none.
func mergedRequest(message []byte) request {
	switch {
	case bytes.Contains(message, []byte("\nSee merge request ")):
		return mergeRequest
	case bytes.HasPrefix(message, []byte("Merge pull request ")),
		bytes.HasPrefix(message, []byte("Merged in ")) && bytes.Contains(subject(message), []byte("(pull request #")):
		return pullRequest
	}
	return 0
}

// namesRequest recognises a commit that says itself by which request it came: (#n) at the end of the subject of a squash,
// or the line by which OpenSSL's scripts name the pull request.
func namesRequest(message []byte) request {
	switch {
	case bytes.Contains(message, []byte("\nSee merge request ")):
		return mergeRequest
	case hasRequestNumber(message), bytes.Contains(message, []byte("\n(Merged from https://github.com/")):
		return pullRequest
	}
	return 0
}

// follow marks the commits that a merged request brought in: the side parents of its merge commit and their parents, as
// far as the first-parent line. It returns by which request c came; zero: by none that git shows.
func (p *pass) follow(c record, age int64, merge bool) request {
	marked := p.branch[string(c.hash)]
	delete(p.branch, string(c.hash))
	if age > spanSeconds(len(spans)-1) {
		return 0
	}
	mark := marked
	if marked == 0 && merge {
		mark = mergedRequest(c.message)
	}
	if mark == 0 {
		return 0
	}
	for i, parent := range bytes.Fields(c.parents) {
		if (i > 0 || marked != 0) && !p.mainline[string(parent)] {
			p.branch[string(parent)] = mark
		}
	}
	return marked
}

// firstParents walks the first-parent line from a commit until yield stops it.
func (v *view) firstParents(ctx context.Context, commit string, yield func(id string, committed int64) error) error {
	return v.git.stream(ctx, v.dir, nil, func(r io.Reader) error {
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			id, text, _ := strings.Cut(lines.Text(), " ")
			committed, err := strconv.ParseInt(text, 10, 64)
			if err != nil || !isObjectID(id) {
				return fmt.Errorf("reading the first-parent line: unexpected line %q", clip(lines.Text(), 80))
			}
			if err := yield(id, committed); err != nil {
				return err
			}
		}
		return lines.Err()
	}, "log", "--first-parent", "--no-mailmap", "--no-color", "--no-show-signature", "--no-notes", "--format=%H %ct", "--end-of-options", commit, "--")
}

// notesRef is where Gerrit keeps votes when it is told to.
const notesRef = "refs/notes/review"

const (
	maxNotes    = 1_000_000
	maxNoteSize = 64 << 10
)

// loadNotes lists the review notes as they were at the moment of assessment, if the clone has any.
func (v *view) loadNotes(ctx context.Context, p *pass) error {
	notes, err := v.seenNotes(ctx, time.Unix(p.at, 0))
	if err != nil || notes == "" {
		return err
	}
	p.notes = map[string]string{}
	if err := v.needTrees(ctx, notes); err != nil {
		return err
	}
	return v.listTree(ctx, notes, maxNotes, func(e entry) error {
		if id := strings.ReplaceAll(e.path, "/", ""); e.regular() && isObjectID(id) {
			p.notes[id] = e.id
		}
		return nil
	})
}

// vote matches one approval in a review note, "Code-Review+2: Name <address>".
var vote = regexp.MustCompile(`(?m)^Code-Review\+[12]: (.+)$`)

// readNotes counts commits whose note shows an approval by somebody other than the author.
func (v *view) readNotes(ctx context.Context, p *pass) error {
	if len(p.noted) == 0 {
		return nil
	}
	ids := make([]string, len(p.noted))
	for i, n := range p.noted {
		ids[i] = n.note
	}
	texts, err := v.blobs(ctx, ids, maxNoteSize)
	if err != nil {
		return err
	}
	for _, n := range p.noted {
		if !p.approved(texts[n.note], n.author) {
			continue
		}
		p.past.noted(n)
		for i := range p.windows {
			if n.age <= spanSeconds(i) {
				p.windows[i].w.Reviewed++
				p.windows[i].w.Forms.Note++
				p.windows[i].unreviewed -= one(n.change)
			}
		}
	}
	return nil
}

func (p *pass) approved(note []byte, author int32) bool {
	for _, m := range vote.FindAllSubmatch(note, -1) {
		name, address := splitSignature(string(m[1]))
		index, known := p.people.byAddress[strings.ToLower(address)]
		if known && index == author || strings.EqualFold(name, p.people.all[author].name) || p.machine(string(m[1])) {
			continue
		}
		return true
	}
	return false
}
