// Package patches looks at the patches that an operator, or who builds its images, carries on upstream software: folders of
// repositories with files of differences. In go addresses; out come counts by directory, how many lead to the upstream projects
// and by which kind of link, whether everybody can read them, and their licence. It follows no link, reads no difference, and
// never keeps who wrote anything.
package patches

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/pegel-audit/pegel/audit"
	"github.com/pegel-audit/pegel/audit/transparency"
)

// maxPlaces is how many repositories of one target are read.
const maxPlaces = 20

// Collect looks at the patches in the folder of one or more repositories.
func Collect(ctx context.Context, t transparency.Target, w transparency.World) transparency.Artifact {
	a := transparency.Artifact{Target: t}
	addresses := slices.Clone(t.Repositories)
	if t.URL != "" {
		addresses = append([]string{t.URL}, addresses...)
	}
	if t.File != "" && w.OpenHanded != nil {
		addresses, w.Open = []string{"file:///"}, w.OpenHanded
	}
	if len(addresses) == 0 {
		a.Trouble = &audit.Trouble{Kind: audit.TroubleNotNamed, Text: "nobody said where they are", Settle: "name a repository and a folder under transparency: patches"}
		if t.File != "" {
			a.Trouble = &audit.Trouble{Kind: audit.TroubleNotHanded, Text: "what was handed over is no folder", Settle: "hand over the folder that holds the patches"}
		}
		return a
	}
	if len(addresses) > maxPlaces {
		a.Notes = append(a.Notes, fmt.Sprintf("the first %d of %d repositories were read", maxPlaces, len(addresses)))
		addresses = addresses[:maxPlaces]
	}
	l := looker{artifact: &a, world: w}
	var places []transparency.PatchPlace
	for _, raw := range addresses {
		places = append(places, l.place(ctx, raw, strings.Trim(t.Path, "/")))
	}
	if !slices.ContainsFunc(places, func(p transparency.PatchPlace) bool { return p.Trouble == nil }) {
		a.Trouble = worst(places)
		return a
	}
	a.Patches = &transparency.Patches{Places: places}
	return a
}

// looker looks at the places of one artifact.
type looker struct {
	artifact *transparency.Artifact
	world    transparency.World
}

func (l *looker) place(ctx context.Context, address, folder string) transparency.PatchPlace {
	p := transparency.PatchPlace{URL: address, Path: folder}
	if l.world.Open == nil {
		p.Trouble = &audit.Trouble{Kind: audit.TroubleOffline, Text: "the run can read no repositories", Settle: "run without --offline, or give a clone with --mirror"}
		return p
	}
	r, trouble := l.world.Open(ctx, address)
	if trouble != nil {
		p.Trouble = trouble
		l.artifact.Seen = append(l.artifact.Seen, audit.Seen{URL: address, At: l.world.At, Trouble: trouble})
		return p
	}
	defer r.Close()
	p.URL, p.Commit, p.SeenUntil, p.LastHuman, p.Licence = r.URL, r.Commit, r.SeenUntil, r.LastHuman, r.Licence
	if r.Look.Digest != "" {
		l.artifact.Seen = append(l.artifact.Seen, r.Look)
	} else {
		l.artifact.Seen = append(l.artifact.Seen, audit.Seen{URL: r.URL, At: r.SeenUntil})
	}
	p.Public = l.public(ctx, r)
	p.Open = openLicence(p.Licence)
	l.read(ctx, r, &p)
	return p
}

// ownAddress is the repository itself, so that a link to it counts for none; nil for a folder that was handed over.
func ownAddress(raw string) *url.URL {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return nil
	}
	return u
}

// worst returns the trouble of the first place whose trouble weighs most.
func worst(places []transparency.PatchPlace) *audit.Trouble {
	out := places[0].Trouble
	for _, p := range places[1:] {
		if o := p.Trouble.Outcome(); o != out.Outcome() && audit.Worst(o, out.Outcome()) == o {
			out = p.Trouble
		}
	}
	return out
}
