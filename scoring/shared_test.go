package scoring_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pegel-audit/pegel/scoring"
)

func crowds() []scoring.Crowd {
	return []scoring.Crowd{
		{Project: "a", Critical: []uint64{1, 2, 3, 4}, Authors: []uint64{1, 2, 3, 4, 5, 6, 9}},
		{Project: "b", Critical: []uint64{1, 2, 3, 4, 7, 7}, Authors: []uint64{1, 2, 3, 4, 7, 7}},
		{Project: "c", Critical: []uint64{4, 7}, Authors: []uint64{4, 5, 7}},
		{Project: "d", Critical: []uint64{8}, Authors: []uint64{8, 9}},
		{Project: "e"},
	}
}

func TestWhatProjectsShareIsCountedAndSmallGroupsAreNot(t *testing.T) {
	abc := scoring.SharedBy{Projects: []string{"a", "b", "c"}, Few: true}
	ab := scoring.SharedBy{Projects: []string{"a", "b"}, People: 3}
	bc := scoring.SharedBy{Projects: []string{"b", "c"}, Few: true}
	want := []scoring.Shared{
		{Projects: 5, Critical: []scoring.SharedBy{abc, ab}, Authors: map[string]int{"b": 4, "c": 2, "d": 2}},
		{Projects: 5, Critical: []scoring.SharedBy{abc, ab, bc}, Authors: map[string]int{"a": 4, "c": 2}},
		{Projects: 5, Critical: []scoring.SharedBy{abc, bc}, Authors: map[string]int{"a": 2, "b": 2}},
		{Projects: 5, Authors: map[string]int{"a": 2}},
		{Projects: 5},
	}
	if diff := cmp.Diff(want, scoring.Join(crowds())); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	shuffled := crowds()
	for i := range shuffled {
		rand.New(rand.NewPCG(1, uint64(i))).Shuffle(len(shuffled[i].Critical), func(a, b int) {
			shuffled[i].Critical[a], shuffled[i].Critical[b] = shuffled[i].Critical[b], shuffled[i].Critical[a]
		})
		for j := range shuffled[i].Critical { // other numbers for the same people
			shuffled[i].Critical[j] ^= 0xfeed
		}
		for j := range shuffled[i].Authors {
			shuffled[i].Authors[j] ^= 0xfeed
		}
	}
	if diff := cmp.Diff(want, scoring.Join(shuffled)); diff != "" {
		t.Errorf("the numbers of people, or their order, matter (-want +got):\n%s", diff)
	}
}
