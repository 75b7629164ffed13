package gitlog

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Our own clones have commits and tags only. What a fact needs of trees and files is fetched by object id, as many as
// possible in one request: first the trees of the evaluated revision and of the deployed tags, then the root trees of
// five years for the licence history, then files. docs/clones.md has the measurements behind this.

// Filters for what a server sends with the objects that are asked for by id.
const (
	withBelow = "blob:none" // a tree with all trees below it
	alone     = "tree:0"    // nothing but the objects themselves
)

// maxWanted bounds the objects of one request.
const maxWanted = 500_000

// want fetches objects that the clone of a server lacks. It does nothing for clones that are not ours.
func (v *view) want(ctx context.Context, filter string, ids []string) error {
	if v.promise == nil || len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) > maxWanted {
		return fmt.Errorf("more than %d objects to fetch", maxWanted)
	}
	return v.promise(ctx, filter, ids)
}

// needTrees makes sure that all trees of commits are there.
func (v *view) needTrees(ctx context.Context, commits ...string) error {
	if v.promise == nil {
		return nil
	}
	roots, err := v.rootsOf(ctx, commits)
	if err != nil {
		return err
	}
	return v.fetchTrees(ctx, withBelow, roots)
}

// fetchTrees fetches those of the trees that are missing; with withBelow also what is missing below the others.
func (v *view) fetchTrees(ctx context.Context, filter string, trees []string) error {
	slices.Sort(trees)
	trees = slices.Compact(trees)
	var present, missing []string
	err := v.objects(ctx, trees, 0, func(i int, o object) error {
		if o.missing {
			missing = append(missing, trees[i])
		} else if o.kind == "tree" {
			present = append(present, trees[i])
		}
		return nil
	})
	if err == nil && filter == withBelow {
		var below []string
		below, err = v.missingBelow(ctx, present)
		missing = append(missing, below...)
	}
	if err != nil {
		return err
	}
	return v.want(ctx, filter, missing)
}

// rootsOf returns the root trees of commits; what is no commit, or missing, has none.
func (v *view) rootsOf(ctx context.Context, commits []string) ([]string, error) {
	var roots []string
	err := v.objects(ctx, commits, maxTagObject, func(_ int, o object) error {
		line, _, _ := strings.Cut(string(o.data), "\n")
		if id, ok := strings.CutPrefix(line, "tree "); ok && o.kind == "commit" && isObjectID(id) {
			roots = append(roots, id)
		}
		return nil
	})
	return roots, err
}

// missingBelow lists the trees that are missing below trees that are there; what is below a missing one is not known.
func (v *view) missingBelow(ctx context.Context, trees []string) ([]string, error) {
	if len(trees) == 0 {
		return nil, nil
	}
	var missing []string
	stdin := strings.NewReader(strings.Join(trees, "\n") + "\n")
	err := v.git.stream(ctx, v.dir, stdin, func(r io.Reader) error {
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			if id, ok := strings.CutPrefix(lines.Text(), "?"); ok && isObjectID(id) {
				missing = append(missing, id)
			}
		}
		return lines.Err()
	}, "rev-list", "--objects", "--no-object-names", "--missing=print", "--filter="+withBelow, "--stdin")
	return missing, err
}

// needRange makes sure of the trees that a path-limited log from a commit back to a moment compares: those of the commits
// in between, and of the parents at the border. The zero moment goes back to the root.
func (v *view) needRange(ctx context.Context, commit string, since time.Time, filter string, args ...string) error {
	if v.promise == nil {
		return nil
	}
	args = append([]string{"log", "--no-mailmap", "--no-color", "--no-show-signature", "--no-notes", "--format=%H %T %P"}, args...)
	if !since.IsZero() {
		args = append(args, "--since="+gitDate(since))
	}
	seen, parents := map[string]bool{}, map[string]bool{}
	var trees []string
	err := v.git.stream(ctx, v.dir, nil, func(r io.Reader) error {
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			fields := strings.Fields(lines.Text())
			if len(fields) < 2 || len(trees) > maxWanted {
				return errors.New("reading the trees of a range: unexpected answer of git log")
			}
			seen[fields[0]] = true
			trees = append(trees, fields[1])
			for _, p := range fields[2:] {
				parents[p] = true
			}
		}
		return lines.Err()
	}, append(args, "--end-of-options", commit, "--")...)
	if err != nil {
		return err
	}
	var border []string
	for p := range parents {
		if !seen[p] && isObjectID(p) {
			border = append(border, p)
		}
	}
	slices.Sort(border)
	roots, err := v.rootsOf(ctx, border)
	if err != nil {
		return err
	}
	return v.fetchTrees(ctx, filter, append(trees, roots...))
}

// needLicences makes sure of the directories LICENSES at the root of commits whose root trees are there.
func (v *view) needLicences(ctx context.Context, commits []string) error {
	if v.promise == nil {
		return nil
	}
	specs := make([]string, len(commits))
	for i, c := range commits {
		specs[i] = c + "^{tree}"
	}
	var dirs []string
	err := v.objects(ctx, specs, maxSmallFile, func(_ int, o object) error {
		for _, e := range parseTree(o.data, len(o.id)/2) {
			if e.name == "LICENSES" && e.mode == "40000" {
				dirs = append(dirs, e.id)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return v.fetchTrees(ctx, withBelow, dirs)
}
