package scoring

import (
	"cmp"
	"slices"
	"strings"
)

// Bounds of Shared, so that evidence stays small however many projects are read together.
const (
	maxCritical = 30 // sets of projects
	maxTogether = 40 // projects with authors in common
	fewPeople   = 3  // smaller groups are not counted (design, truth rule 7)
)

// Crowd is who works on one project, as numbers that tell people apart within one run. It is input of Join only.
type Crowd struct {
	Project  string
	Critical []uint64 // fewest authors with half of the human commits of 12 months
	Authors  []uint64 // all authors of 12 months
}

// Join compares projects that were read together and returns for each what it shares with the others, in the order of the
// crowds. Only counts come out, and groups of one or two people as few. The order of people does not matter.
func Join(crowds []Crowd) []Shared {
	out := make([]Shared, len(crowds))
	for i := range out {
		out[i].Projects = len(crowds)
	}
	for _, set := range criticalSets(crowds) {
		for i, c := range crowds {
			if slices.Contains(set.Projects, c.Project) && len(out[i].Critical) < maxCritical {
				out[i].Critical = append(out[i].Critical, set)
			}
		}
	}
	for i, together := range authorsTogether(crowds) {
		out[i].Authors = together
	}
	return out
}

// criticalSets groups the people who are critical in more than one project by the set of these projects: sets of most projects
// first, then of most people, then by name.
func criticalSets(crowds []Crowd) []SharedBy {
	of := map[uint64][]string{}
	for _, c := range crowds {
		for _, who := range distinct(c.Critical) {
			of[who] = append(of[who], c.Project)
		}
	}
	people, sets := map[string]int{}, map[string][]string{}
	for _, projects := range of {
		if len(projects) < 2 {
			continue
		}
		slices.Sort(projects)
		key := strings.Join(projects, "\x00")
		people[key]++
		sets[key] = projects
	}
	out := make([]SharedBy, 0, len(sets))
	for key, projects := range sets {
		s := SharedBy{Projects: projects, People: people[key]}
		if s.People < fewPeople {
			s.People, s.Few = 0, true
		}
		out = append(out, s)
	}
	slices.SortFunc(out, CompareSharedBy)
	return out
}

// CompareSharedBy orders sets by how many projects hang on the same people, then by how few these are known to be, then by name.
func CompareSharedBy(a, b SharedBy) int {
	return cmp.Or(len(b.Projects)-len(a.Projects), b.People-a.People, slices.Compare(a.Projects, b.Projects))
}

// authorsTogether counts for each project the authors that it has in common with others; 2 stands for one or two.
func authorsTogether(crowds []Crowd) []map[string]int {
	of := map[uint64][]int{}
	for i, c := range crowds {
		for _, who := range distinct(c.Authors) {
			of[who] = append(of[who], i)
		}
	}
	counts := make([]map[int]int, len(crowds))
	for _, projects := range of {
		for _, a := range projects {
			for _, b := range projects {
				if a == b {
					continue
				}
				if counts[a] == nil {
					counts[a] = map[int]int{}
				}
				counts[a][b]++
			}
		}
	}
	out := make([]map[string]int, len(crowds))
	for i, together := range counts {
		var partners []int
		for j := range together {
			partners = append(partners, j)
		}
		slices.SortFunc(partners, func(a, b int) int {
			return cmp.Or(max(together[b], fewPeople-1)-max(together[a], fewPeople-1), strings.Compare(crowds[a].Project, crowds[b].Project))
		})
		for _, j := range partners[:min(len(partners), maxTogether)] {
			if out[i] == nil {
				out[i] = map[string]int{}
			}
			out[i][crowds[j].Project] = max(together[j], fewPeople-1)
		}
	}
	return out
}

func distinct(people []uint64) []uint64 {
	sorted := slices.Clone(people)
	slices.Sort(sorted)
	return slices.Compact(sorted)
}
