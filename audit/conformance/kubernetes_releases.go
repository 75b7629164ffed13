package conformance

import (
	"strconv"
	"strings"
	"time"
)

// release is what is known of a minor version of Kubernetes.
type release struct {
	minor    int
	released time.Time
	tests    int // least number of tests marked [Conformance]; 0: not known here
}

// releases lists minor versions of Kubernetes.
//
// Days: endoflife-date/endoflife.date products/kubernetes.md at 1852097c (1.19 to 1.32); kubernetes/sig-release,
// releases/release-1.NN/README.md (1.33 and newer).
//
// Numbers of tests: kubernetes-sigs/verify-conformance, kodata/conformance-testdata/v1.NN/conformance.yaml, different code names
// that are due in that version, counted as its bot counts them (a5c30d24 for 1.19 to 1.27, then the newest commit that has the
// file, b52724d8 for 1.34 and 1.35). They are lower bounds: a real run may have a few more than the list, e.g. 356 instead of 354
// for 1.24, and a later patch release may have a few less than an earlier one. So for 1.36, where the list of its first day has
// 446, the least number of a folder in cncf/k8s-conformance counts: v1.36/gardener-openstack of September 2026 (b927c416) has 444,
// v1.36/aks and v1.36/civo of May 447. For 1.37 three folders agree: metakube-openstack, scaleway and t8s.
func releases() []release {
	return []release{
		{19, dayOf(2020, time.August, 26), 305},
		{20, dayOf(2020, time.December, 8), 311},
		{21, dayOf(2021, time.April, 8), 339},
		{22, dayOf(2021, time.August, 4), 346},
		{23, dayOf(2021, time.December, 7), 346},
		{24, dayOf(2022, time.May, 3), 354},
		{25, dayOf(2022, time.August, 23), 360},
		{26, dayOf(2022, time.December, 8), 368},
		{27, dayOf(2023, time.April, 11), 378},
		{28, dayOf(2023, time.August, 15), 380},
		{29, dayOf(2023, time.December, 13), 388},
		{30, dayOf(2024, time.April, 17), 402},
		{31, dayOf(2024, time.August, 13), 404},
		{32, dayOf(2024, time.December, 11), 411},
		{33, dayOf(2025, time.April, 23), 417},
		{34, dayOf(2025, time.August, 27), 424},
		{35, dayOf(2025, time.December, 17), 441},
		{36, dayOf(2026, time.April, 22), 444},
		{37, dayOf(2026, time.August, 26), 463},
	}
}

func releaseOf(version string) (release, bool) {
	n, err := strconv.Atoi(strings.TrimPrefix(version, "v1."))
	if err != nil {
		return release{}, false
	}
	for _, r := range releases() {
		if r.minor == n {
			return r, true
		}
	}
	return release{}, false
}

// Required is the least number of conformance tests of the version that was tested; ok is false where it is not known here.
func (r KubernetesRun) Required() (tests int, ok bool) {
	v, found := releaseOf(r.Version)
	return v.tests, found && v.tests > 0
}

// Lapses is when the mark "Certified Kubernetes" may not be used any more on the strength of this run alone: 12 months after the
// release of the version, or 9 months after that of the next one, whichever is later. Who certifies each later version may go on
// (cncf/k8s-conformance, terms-conditions/Certified_Kubernetes_Terms.md, "Conformance Time Period"). ok is false where the day is
// not known: the version is not known here, or the next one is not released as far as is known here and could move the end.
func (r KubernetesRun) Lapses() (end time.Time, ok bool) {
	v, found := releaseOf(r.Version)
	if !found {
		return time.Time{}, false
	}
	end = v.released.AddDate(0, 12, 0)
	next, found := releaseOf("v1." + strconv.Itoa(v.minor+1))
	if !found {
		return end, false
	}
	if other := next.released.AddDate(0, 9, 0); other.After(end) {
		end = other
	}
	return end, true
}
