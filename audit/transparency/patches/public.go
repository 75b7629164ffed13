package patches

import (
	"context"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/licence"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// gitAdvertisement is the content type of the answer of a git server (git: Documentation/gitprotocol-http.adoc), maxAdvertisement
// the most bytes of the list of refs in it, and announced what says that a git server answered.
const (
	gitAdvertisement = "application/x-git-upload-pack-advertisement"
	maxAdvertisement = 16 << 20
	announced        = "# service=git-upload-pack"
)

// public says whether the server gives the repository to anybody. What git got from the server without any rights is public;
// of a clone on this machine the server is asked.
func (l *looker) public(ctx context.Context, r *transparency.Repository) audit.Fact[bool] {
	origin := audit.Origin{Source: "git", URL: r.URL, Commit: r.Commit, At: r.SeenUntil}
	switch {
	case !r.Local:
		return audit.Known(true, origin)
	case r.Look.Digest != "":
		return audit.Fact[bool]{Settle: "publish them, and name the address"}
	case l.world.Ask == nil:
		return audit.Fact[bool]{Settle: "let the run ask the server of " + r.URL}
	}
	answer := l.world.Ask(ctx, audit.Request{
		URL: strings.TrimSuffix(r.URL, "/") + "/info/refs?service=git-upload-pack", Accept: gitAdvertisement, Limit: maxAdvertisement, Redact: firstLine,
	})
	l.artifact.Seen = append(l.artifact.Seen, answer.Seen)
	switch {
	case answer.Trouble == nil && strings.Contains(string(answer.Body), announced):
		return audit.Known(true, answer.Origin("git"))
	case answer.Trouble == nil:
		f := audit.Failed[bool]("the server gave an answer that is none of git", answer.Origin("git"))
		f.Settle = "name the address of the repository"
		return f
	case answer.Trouble.Outcome() == audit.FAIL:
		return audit.Known(false, answer.Origin("git"))
	}
	f := audit.Fact[bool]{Settle: "let the run ask the server of " + r.URL}
	if answer.Trouble.Outcome() == audit.DNF {
		f.Failure = "the server was asked: " + answer.Trouble.Text
	}
	return f
}

// firstLine keeps what says that a git server answered: names of branches may hold names of people.
func firstLine(body []byte) ([]byte, error) {
	return body[:min(len(body), len("001e")+len(announced)+1)], nil
}

// openLicence judges a licence. A repository that was read and names none gives nobody a right: that is known.
func openLicence(f audit.Fact[string]) audit.Fact[bool] {
	expression, known := f.Get()
	switch {
	case known:
		class := licence.ClassOf(expression)
		if class == licence.Unknown {
			return audit.Failed[bool]("nobody has judged the licence "+expression, f.Origins...)
		}
		return audit.Known(class.Free(), f.Origins...)
	case strings.Contains(f.Failure, "no licence file"):
		return audit.Known(false, f.Origins...)
	}
	return audit.Failed[bool](f.Failure, f.Origins...)
}
