package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pegel-audit/pegel/cmd/internal/pipeline"
	"github.com/pegel-audit/pegel/reports"
)

// scoring are the flags of pegel score.
type scoring struct {
	gathering
	out       []string
	catalogue []string
	indexes   []string
	why       []string
	compare   bool
	site      string
	history   int
	profile   string
}

// whyAll is the value of --why without one.
const whyAll = "all"

func scoreCommand(w World) *cobra.Command {
	var s scoring
	cmd := &cobra.Command{
		Use:   "score REPO[@REV]|PURL|NAME...",
		Short: "Score upstream projects: how open, mature, safe and active they are, and why",
		Long: "Score upstream projects by the questions of scs-0008. REPO is the URL of a git repository or the path of a local clone\n" +
			"(bare or not), PURL a package URL, NAME a name from the catalogue (write ./NAME for a directory of that name). Scores are\n" +
			"intervals: what is not known widens them. A revision is judged on the day of its commit unless --at says otherwise; --at\n" +
			"head does the same for the default branch.\n\n" +
			"One project is shown as a card, several as a table. --why names for every missing point what was read, the threshold and\n" +
			"what would raise it. Evidence is taken from recordings first (--from), which are judged on the day they were made for;\n" +
			"then clones, forges and registries are asked, unless the run is --offline. Tokens come from the environment.",
		Example: "  pegel score ./keystone\n  pegel score https://github.com/coredns/coredns --at head --why\n" +
			"  pegel score etcd --from community-evidence --offline -o html=etcd.html -o scs-0008=etcd.md\n" +
			"  pegel score harbor zot --compare\n  pegel score --catalogue functional --from community-evidence -o json=scores.json",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return s.run(cmd, args, w) },
	}
	s.register(cmd, false)
	s.registerRecorded(cmd)
	f := cmd.Flags()
	f.StringArrayVarP(&s.out, "output", "o", nil, "write as `FORMAT=FILE`: "+strings.Join(reports.ScoreFormatNames(), ", ")+"; - is standard output, a FILE that ends in / gets one file for each project (repeatable)")
	f.StringSliceVar(&s.catalogue, "catalogue", nil, "score all projects of a `TIER` of the catalogue: "+strings.Join(pipeline.Tiers(), ", ")+" (repeatable)")
	f.StringSliceVar(&s.indexes, "index", nil, "ask this third party too: `INDEX`, a word as under collect: indexes: of a stack file (repeatable)")
	f.StringSliceVar(&s.why, "why", nil, "show what was read, the thresholds and what would raise each missing point; `ID` is an indicator or aspect")
	f.Lookup("why").NoOptDefVal = whyAll
	f.BoolVar(&s.compare, "compare", false, "show two projects side by side, certain differences apart from those that cannot be told")
	f.IntVar(&s.history, "history", 0, "also score the ends of the last `N` quarters, from the same clones (12 if no number is given)")
	f.Lookup("history").NoOptDefVal = "12"
	f.StringVar(&s.profile, "profile", "", "judge every project by this profile: `FILE|ID`")
	registerSite(cmd, &s.site)
	return cmd
}

func (s *scoring) run(cmd *cobra.Command, args []string, w World) error {
	outs, err := parseOutputs(s.out, reports.ScoreFormatNames(), output{"text", "-"})
	if err != nil {
		return err
	}
	args = s.whyOf(args)
	if args, err = s.targets(args); err != nil {
		return err
	}
	view := reports.Options{Width: w.Width, Why: len(s.why) > 0, Only: s.only(), Compare: s.compare}
	if err := s.checkOutputs(outs, len(args)); err != nil {
		return err
	}
	atHead := s.at == "head"
	if atHead {
		s.at = ""
	}
	opt, err := s.options(cmd, w)
	if err != nil {
		return err
	}
	opt.Indexes, opt.Profile = s.indexes, s.profile
	projects, err := s.score(cmd.Context(), args, atHead, cmd.Flags().Changed("history"), view.Only, opt)
	if err != nil {
		return err
	}
	if s.compare && len(projects) != 2 {
		return &pipeline.UsageError{Err: fmt.Errorf("flag --compare: %q and %q are one project", args[0], args[1]), Hint: "name two different ones"}
	}
	if s.site != "" {
		if err := writeSite(cmd, w, s.site, projects, opt); err != nil {
			return err
		}
		if len(s.out) == 0 {
			return nil
		}
	}
	for _, o := range outs {
		v := view
		v.Color, v.ASCII = w.Color && o.file == "-", w.ASCII && o.file == "-"
		if err := writeScores(o, projects, v, w); err != nil {
			return err
		}
	}
	return nil
}

// score scores the targets. What --why asks about has to be something that was measured.
func (s *scoring) score(ctx context.Context, targets []string, atHead, history bool, only []string, opt pipeline.Options) ([]reports.Project, error) {
	if err := pipeline.CheckWhy(only); err != nil {
		return nil, err
	}
	if history {
		return pipeline.ScoreHistory(ctx, targets, atHead, s.history, opt)
	}
	return pipeline.Score(ctx, targets, atHead, opt)
}

var indicatorID = regexp.MustCompile(`^[A-Z]{2}-[0-9]{2}$`)

// whyOf takes the indicators out of the arguments: in "--why AC-01" the id comes as one, since --why needs no value.
func (s *scoring) whyOf(args []string) []string {
	if len(s.why) == 0 {
		return args
	}
	var rest []string
	for _, a := range args {
		if indicatorID.MatchString(a) {
			s.why = append(s.why, a)
			continue
		}
		rest = append(rest, a)
	}
	return rest
}

// only are the indicators and aspects that --why names; none means all of them.
func (s *scoring) only() []string {
	return slices.DeleteFunc(slices.Clone(s.why), func(id string) bool { return id == whyAll })
}

// targets adds the projects of the tiers that --catalogue names.
func (s *scoring) targets(args []string) ([]string, error) {
	for _, tier := range s.catalogue {
		ids, err := pipeline.CatalogueTier(tier)
		if err != nil {
			return nil, err
		}
		args = append(args, ids...)
	}
	switch {
	case len(args) == 0:
		return nil, &pipeline.UsageError{Err: fmt.Errorf("nothing is named that could be scored"), Hint: "usage: pegel score REPO[@REV]|PURL|NAME..., or --catalogue TIER"}
	case s.compare && len(args) != 2:
		return nil, &pipeline.UsageError{Err: fmt.Errorf("flag --compare: %d projects are named", len(args)), Hint: "name two: pegel score A B --compare"}
	}
	return args, nil
}

// checkOutputs refuses before any work what the formats cannot show.
func (s *scoring) checkOutputs(outs []output, projects int) error {
	for _, o := range outs {
		into := strings.HasSuffix(o.file, "/")
		switch {
		case s.compare && o.format != "text" && o.format != "markdown" && o.format != "json":
			return &pipeline.UsageError{Err: fmt.Errorf("flag --compare: %s shows no comparison", o.format), Hint: "use text or markdown"}
		case s.compare && into:
			return &pipeline.UsageError{Err: fmt.Errorf("flag --compare: %q would get one file for each project", o.file), Hint: "name a file"}
		case o.format == "svg" && projects > 1 && !into:
			return &pipeline.UsageError{Err: fmt.Errorf("flag -o: svg shows one project, and %d are named", projects), Hint: "a name that ends in / gets one file for each: -o svg=badges/"}
		}
	}
	return nil
}

// writeScores writes one format: into one file, or one for each project.
func writeScores(o output, projects []reports.Project, view reports.Options, w World) error {
	if !strings.HasSuffix(o.file, "/") {
		data, err := reports.RenderScore(o.format, projects, view)
		if err != nil {
			return err
		}
		return o.write(w.Stdout, data)
	}
	if err := os.MkdirAll(o.file, 0o755); err != nil {
		return &pipeline.UsageError{Err: fmt.Errorf("writing %q: the directory cannot be made", o.file), Hint: "choose another place"}
	}
	names := reports.FileNames(projects)
	for _, f := range reports.ScoreFormats() {
		if f.Name != o.format {
			continue
		}
		for i, p := range projects {
			data, err := reports.RenderScore(o.format, []reports.Project{p}, view)
			if err != nil {
				return err
			}
			if err := writeWhole(filepath.Join(o.file, names[i]+f.Suffix), data); err != nil {
				return err
			}
		}
	}
	return nil
}
