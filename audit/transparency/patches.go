package transparency

import (
	"fmt"
	"strings"
	"time"

	"github.com/pegel-audit/pegel/audit"
)

// Patches is what is carried on top of upstream software, as the folders show that were named.
type Patches struct {
	Places []PatchPlace `json:"places"`
}

// PatchPlace is one folder of a repository.
type PatchPlace struct {
	URL    string `json:"url"`
	Commit string `json:"commit,omitempty"`
	Path   string `json:"path,omitempty"` // folder that was read; empty: all of the repository
	// Public says whether anybody can read it. Not known of a clone on this machine whose server nobody asked.
	Public    audit.Fact[bool]      `json:"public,omitzero"`
	SeenUntil time.Time             `json:"seen_until,omitzero"`
	Licence   audit.Fact[string]    `json:"licence,omitzero"` // SPDX expression of the licence file
	Open      audit.Fact[bool]      `json:"open,omitzero"`    // the licence is an open one
	LastHuman audit.Fact[time.Time] `json:"last_human,omitzero"`
	Files     int                   `json:"files"` // in the folder, patches or not
	PatchCount
	Unread int `json:"unread,omitempty"` // patches that could not be read
	// Components counts by directory. Which of them are deployed a directory does not say: all of them count.
	Components []PatchedComponent `json:"components,omitempty"`
	// Links says how many patches are linked by which kind of link; a patch counts once, for the first kind.
	Links   []PatchLinks   `json:"links,omitempty"`
	Alone   []PatchAlone   `json:"alone,omitempty"` // some of those without a link, bounded
	Trouble *audit.Trouble `json:"trouble,omitempty"`
}

// PatchCount counts patches. Each is linked, stated, hinted, or says nothing.
type PatchCount struct {
	Patches int `json:"patches"`
	Linked  int `json:"linked"`           // lead to a change or an issue of the upstream project
	Stated  int `json:"stated,omitempty"` // say that they were not sent upstream, or need not be
	Hinted  int `json:"hinted,omitempty"` // carry an identifier that a tool gives to any change, and no address
}

// Add counts more.
func (c *PatchCount) Add(other PatchCount) {
	c.Patches += other.Patches
	c.Linked += other.Linked
	c.Stated += other.Stated
	c.Hinted += other.Hinted
}

// PatchedComponent counts the patches of one directory.
type PatchedComponent struct {
	Name string `json:"name"`
	PatchCount
}

// PatchLinks counts the patches with one kind of link.
type PatchLinks struct {
	Kind    string `json:"kind"` // forwarded, applied-upstream, origin, bug, upstream-status, cherry-picked, change
	Patches int    `json:"patches"`
}

// PatchAlone is a patch without a link: where it stands, and what it says instead.
type PatchAlone struct {
	Path string `json:"path"`
	Says string `json:"says,omitempty"` // stated, hinted; empty: nothing
}

func (p PatchPlace) name() string {
	if strings.HasPrefix(p.URL, "file:") {
		return "what was handed over"
	}
	if p.Path != "" {
		return p.URL + " (" + p.Path + ")"
	}
	return p.URL
}

func (p Patches) found() []string {
	var out []string
	for _, place := range p.Places {
		if place.Trouble != nil {
			out = append(out, place.name()+": "+place.Trouble.Text)
			continue
		}
		line := place.name() + ": " + count(place.Patches, "patch", "patches")
		if place.Patches > 0 {
			line += fmt.Sprintf(" in %s, %d linked upstream", count(len(place.Components), "directory", "directories"), place.Linked)
		}
		if place.Stated > 0 {
			line += fmt.Sprintf(", %d said not to be sent", place.Stated)
		}
		if place.Hinted > 0 {
			line += fmt.Sprintf(", %d with an identifier and no address", place.Hinted)
		}
		out = append(out, line)
	}
	return out
}
