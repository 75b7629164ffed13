package gitlog

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestContributionsOfAnOrganisationAreCountedByItsDomains(t *testing.T) {
	r := newRepo()
	commit := func(days int, author string) { r.commit(testCommit{when: at(days), author: author}) }
	commit(500, "Old One <old@operator.example>")
	commit(366, "Ana Ito <ana@operator.example>") // one day too old
	commit(365, "Ana Ito <ana@operator.example>") // the border counts
	commit(200, "Ben Oku <ben@mail.operator.example>")
	commit(199, "Ben Oku <ben@mail.operator.example>")
	commit(150, "Eve Not <eve@notoperator.example>")
	commit(100, bot)
	commit(90, "renovate[bot] <bot@operator.example>")
	commit(50, cleo)                                                             // a private address
	commit(40, "Hid Den <1+hidden@users.noreply.github.com>")                    // hides it
	commit(30, "Ana Ito <ana@redhat.com>")                                       // of a known organisation
	commit(20, "Ben Oku <ben@suse.com>")                                         // of another
	r.commit(testCommit{when: at(-3), author: "Ana Ito <ana@operator.example>"}) // after the moment of assessment
	clone := opened(t, r, "")
	got, err := clone.Given(context.Background(), []string{"@Operator.Example"}, 365)
	if err != nil {
		t.Fatal(err)
	}
	// eve's domain has one writer: it may be a domain of her own, so nobody knows for whom she works.
	want := Given{Commits: 3, People: 2, Newest: time.Unix(at(199), 0).UTC().Truncate(24 * time.Hour), Human: 8, Unknown: 3}
	if got != want {
		t.Errorf("given\n got %+v\nwant %+v", got, want)
	}
	if got, err := clone.Given(context.Background(), []string{"absent.example"}, 365); err != nil || got.Commits != 0 || got.People != 0 || !got.Newest.IsZero() {
		t.Errorf("nobody: %+v, %v", got, err)
	}
	if _, err := clone.Given(context.Background(), []string{"", "no domain"}, 365); err == nil {
		t.Error("no usable domain is an error, since zero would look like an answer")
	}
	for _, everybodys := range []string{"users.noreply.github.com", "github.com", strings.Split(strings.Split(cleo, "@")[1], ">")[0]} {
		if got, err := clone.Given(context.Background(), []string{everybodys}, 365); err != nil || got.Commits != 0 || !got.Newest.IsZero() {
			t.Errorf("%s gives an address to everybody and is nobody's: %+v, %v", everybodys, got, err)
		}
	}
	if _, err := clone.Given(context.Background(), []string{"co.uk"}, 365); err == nil {
		t.Error("a suffix of domains is nobody's domain")
	}
	if !clone.Local {
		t.Error("a clone below a mirror is local")
	}
}

func TestAnOldCommitInFrontOfYoungOnesDoesNotEndTheCounting(t *testing.T) {
	r := newRepo()
	for range 40 {
		r.commit(testCommit{when: at(30), author: "Ana Ito <ana@operator.example>"})
	}
	r.commit(testCommit{when: at(4000), author: ben}) // a wrong clock on top of them
	r.commit(testCommit{when: at(10), author: bot})
	clone := opened(t, r, "")
	got, err := clone.Given(context.Background(), []string{"operator.example"}, 365)
	if err != nil || got.Commits != 40 || got.People != 1 {
		t.Errorf("got %+v, %v; want 40 commits of one person", got, err)
	}
}

func TestTheNewestChangeByAPersonIgnoresMachinesMergesAndTheFuture(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(400), author: ana})
	side := r.commit(testCommit{branch: "side", when: at(390), author: ben, from: 1})
	r.commit(testCommit{when: at(100), author: ana, merge: []int{side}})
	r.commit(testCommit{when: at(3), author: bot})
	r.commit(testCommit{when: at(-5), author: ana})
	clone := opened(t, r, "")
	got, err := clone.LastHuman(context.Background())
	if want := time.Unix(at(390), 0).UTC(); err != nil || !got.Equal(want) {
		t.Errorf("newest change by a person: %v, %v; want %v", got, err, want)
	}
	until, err := clone.SeenUntil(context.Background())
	if err != nil || until.After(now) {
		t.Errorf("seen until %v, %v; want a moment before %v", until, err, now)
	}
}

func TestMachinesAloneLeaveNoChangeByAPerson(t *testing.T) {
	r := newRepo()
	r.commit(testCommit{when: at(3), author: bot})
	if got, err := opened(t, r, "").LastHuman(context.Background()); err != nil || !got.IsZero() {
		t.Errorf("got %v, %v; want none", got, err)
	}
}
