package forgetest

import (
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// node is an object of the graph. Lists of nodes are connections where the query pages them.
type node map[string]any

// broken is a field that cannot be answered.
type broken struct{}

// run is the execution of one query over nodes: as much of GraphQL as GitHub's clients use, without a schema. That
// queries and answers fit GitHub's schema is what tests hold with the schema at hand.
type run struct {
	variables map[string]any
	fragments ast.FragmentDefinitionList
	errors    []any
}

// Cost is what GitHub charges for a query, by the formula of its documentation ("Rate limits and query limits for the
// GraphQL API"): the requests that its connections need, each full up to its limit, divided by 100 and rounded, at least 1.
func Cost(query string, variables map[string]any) (points, requests int, err error) {
	doc, perr := parser.ParseQuery(&ast.Source{Input: query})
	if perr != nil {
		return 0, 0, fmt.Errorf("parsing the query: %w", perr)
	}
	if len(doc.Operations) != 1 {
		return 0, 0, fmt.Errorf("the document holds %d operations, want 1", len(doc.Operations))
	}
	r := &run{variables: variables, fragments: doc.Fragments}
	requests = r.requests(doc.Operations[0].SelectionSet)
	return max(1, int(math.Round(float64(requests)/100))), requests, nil
}

// requests counts what a selection needs for one object.
func (r *run) requests(set ast.SelectionSet) int {
	sum := 0
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			below := r.requests(s.SelectionSet)
			if limit, ok := r.connection(s); ok {
				sum += 1 + limit*below
			} else {
				sum += below
			}
		case *ast.InlineFragment:
			sum += r.requests(s.SelectionSet)
		case *ast.FragmentSpread:
			sum += r.requests(r.fragments.ForName(s.Name).SelectionSet)
		}
	}
	return sum
}

// connection says that a field is a connection, and how many nodes of it are asked for.
func (r *run) connection(f *ast.Field) (limit int, ok bool) {
	args := r.arguments(f)
	for _, name := range [...]string{"first", "last"} {
		if n, ok := number(args[name]); ok {
			return n, true
		}
	}
	for _, s := range f.SelectionSet {
		if c, ok := s.(*ast.Field); ok && (c.Name == "totalCount" || c.Name == "nodes" || c.Name == "edges") {
			return 0, true
		}
	}
	return 0, false
}

func (r *run) arguments(f *ast.Field) map[string]any {
	args := map[string]any{}
	for _, a := range f.Arguments {
		if v, err := a.Value.Value(r.variables); err == nil {
			args[a.Name] = v
		}
	}
	return args
}

func number(v any) (int, bool) {
	switch n := v.(type) {
	case int64:
		return int(n), true
	case float64:
		return int(n), true
	case string:
		i, err := strconv.Atoi(n)
		return i, err == nil
	}
	return 0, false
}

// object answers a selection on a node.
func (r *run) object(n node, set ast.SelectionSet, path []any) map[string]any {
	out := map[string]any{}
	r.into(out, n, set, path)
	return out
}

func (r *run) into(out map[string]any, n node, set ast.SelectionSet, path []any) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			out[s.Alias] = r.field(n, s, append(path[:len(path):len(path)], s.Alias))
		case *ast.InlineFragment:
			if s.TypeCondition == "" || s.TypeCondition == n["__typename"] {
				r.into(out, n, s.SelectionSet, path)
			}
		case *ast.FragmentSpread:
			r.into(out, n, r.fragments.ForName(s.Name).SelectionSet, path) // ours are on the type itself or an interface of it
		}
	}
}

// field answers one field.
func (r *run) field(n node, f *ast.Field, path []any) any {
	v, ok := n[f.Name]
	if !ok {
		r.fail("undefinedField", "the fake has no field "+f.Name, path)
		return nil
	}
	switch v := v.(type) {
	case broken:
		r.fail("SERVICE_UNAVAILABLE", "Something went wrong while reading this field, said "+secret, path)
		return nil
	case node:
		return r.object(v, f.SelectionSet, path)
	case []node:
		return r.page(v, f, path)
	case []any:
		list := []any{}
		for i, one := range v {
			if n, ok := one.(node); ok {
				one = r.object(n, f.SelectionSet, append(path[:len(path):len(path)], i))
			}
			list = append(list, one)
		}
		return list
	}
	return v
}

func (r *run) fail(kind, message string, path []any) {
	r.errors = append(r.errors, map[string]any{"type": kind, "message": message, "path": path})
}

// page answers a connection: filtered, ordered, cut.
func (r *run) page(all []node, f *ast.Field, path []any) map[string]any {
	args := r.arguments(f)
	total := len(all)
	all = order(filter(all, args), args)
	begin, end := 0, len(all)
	if after, ok := args["after"].(string); ok {
		begin = min(position(after), end)
	}
	limit, last := end, false
	if n, ok := number(args["first"]); ok {
		limit = n
	} else if n, ok := number(args["last"]); ok {
		limit, last = n, true
	} else {
		limit = 0
	}
	if last {
		begin = max(begin, end-limit)
	} else {
		end = min(end, begin+limit)
	}
	nodes := []any{}
	for i, n := range all[begin:end] {
		for _, s := range f.SelectionSet {
			if c, ok := s.(*ast.Field); ok && c.Name == "nodes" {
				nodes = append(nodes, r.object(n, c.SelectionSet, append(path[:len(path):len(path)], "nodes", i)))
			}
		}
	}
	whole := map[string]any{
		"totalCount": len(all), "filteredCount": len(all), "nodes": nodes,
		"pageInfo": map[string]any{"hasNextPage": end < len(all), "hasPreviousPage": begin > 0, "endCursor": cursor(end)},
	}
	if args["itemTypes"] != nil {
		whole["totalCount"] = total
	}
	out := map[string]any{}
	for _, s := range f.SelectionSet {
		if c, ok := s.(*ast.Field); ok {
			out[c.Alias] = whole[c.Name]
			if c.Name == "pageInfo" {
				out[c.Alias] = pick(whole[c.Name].(map[string]any), c.SelectionSet)
			}
		}
	}
	return out
}

func pick(from map[string]any, set ast.SelectionSet) map[string]any {
	out := map[string]any{}
	for _, s := range set {
		if c, ok := s.(*ast.Field); ok {
			out[c.Alias] = from[c.Name]
		}
	}
	return out
}

func cursor(at int) string {
	return base64.StdEncoding.EncodeToString([]byte("cursor:" + strconv.Itoa(at)))
}

func position(cursor string) int {
	raw, _ := base64.StdEncoding.DecodeString(cursor)
	at, _ := strconv.Atoi(strings.TrimPrefix(string(raw), "cursor:"))
	return max(at, 0)
}

// filter keeps the nodes of the states, item types and time that the arguments name.
func filter(all []node, args map[string]any) []node {
	var states []any
	switch s := args["states"].(type) {
	case []any:
		states = s
	case string:
		states = []any{s}
	}
	since := ""
	if by, ok := args["filterBy"].(map[string]any); ok {
		since, _ = by["since"].(string)
	}
	kept := []node{}
	for _, n := range all {
		if states != nil && !slices.Contains(states, n["state"]) {
			continue
		}
		if updated, _ := n["updatedAt"].(string); since != "" && updated < since {
			continue
		}
		kept = append(kept, n)
	}
	return kept
}

// order sorts by the field that the arguments name. Dates of RFC 3339 in UTC sort as text.
func order(all []node, args map[string]any) []node {
	by, ok := args["orderBy"].(map[string]any)
	if !ok {
		return all
	}
	field := map[string]string{"CREATED_AT": "createdAt", "UPDATED_AT": "updatedAt"}[fmt.Sprint(by["field"])]
	sign := 1
	if by["direction"] == "DESC" {
		sign = -1
	}
	compare := func(a, b node) int {
		x, _ := a[field].(string)
		y, _ := b[field].(string)
		return sign * strings.Compare(x, y)
	}
	if slices.IsSortedFunc(all, compare) { // most fixtures are, and each page asks again
		return all
	}
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, compare)
	return sorted
}
