# make audit   builds Pegel and audits the reference example (STACK=my.yaml audits another stack)
# make test    runs all tests
# make help    lists the rest

GO ?= go
STACK ?= examples/scs-reference/stack.yaml
# Pegel needs no C compiler; only the race detector of the tests does.
export CGO_ENABLED ?= 0

# Packages that link syft, the heavy library: built without cgo and tested without the race detector.
HEAVY = ./sbom/scan/... ./scoring/openssf/... ./cmd/...

.PHONY: audit test build dist testbed descriptions testbed-large e2e bench measure validate fuzz generate check clean help FORCE

audit: pegel
	@echo "pegel audit $(STACK) --offline"; \
	./pegel audit "$(STACK)" --offline --bundle pegel-bundle \
		-o html=pegel-report.html -o json=pegel-report.json -o text=- ; code=$$?; \
	case $$code in \
	0) meaning="every requested scope meets the criteria" ;; \
	1) meaning="at least one requested scope does not meet the criteria; the report says by which findings" ;; \
	3) meaning="no requested scope fails, but at least one cannot be decided; the report says what is missing" ;; \
	*) echo "pegel ended with exit code $$code: the audit did not run to its end" >&2; exit $$code ;; \
	esac; \
	echo; echo "Exit code $$code: $$meaning."; \
	echo "Read pegel-report.html in a browser; pegel-report.json is the same for programs; pegel-bundle/ is the evidence."

build: pegel

pegel: FORCE
	@$(GO) build -o pegel ./cmd/pegel

# One static binary for each architecture, for hosts without Go. The same commit and Go give the same bytes.
DIST = amd64 arm64
dist:
	@mkdir -p dist
	@for arch in $(DIST); do echo "dist/pegel-linux-$$arch"; \
		CGO_ENABLED=0 GOOS=linux GOARCH=$$arch $(GO) build -trimpath -ldflags="-s -w -buildid=" -o dist/pegel-linux-$$arch ./cmd/pegel || exit 1; done
	@cd dist && sha256sum pegel-linux-* > SHA256SUMS && cat SHA256SUMS

test: check testbed descriptions
	@light=$$($(GO) list ./... | grep -vE '/sbom/scan|/scoring/openssf|/cmd(/|$$)'); \
	if command -v $${CC:-gcc} >/dev/null 2>&1; then \
		echo "CGO_ENABLED=1 go test -race (packages that link neither syft nor scorecard)"; CGO_ENABLED=1 $(GO) test -race $$light; \
	elif [ "$${CI:-}" = true ]; then \
		echo "no C compiler: the race detector needs gcc and libc6-dev" >&2; exit 1; \
	else \
		echo "no C compiler: testing without the race detector (install gcc and libc6-dev to have it)"; $(GO) test $$light; \
	fi
	$(GO) test $(HEAVY)

check:
	@bad=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$bad" ] || { echo "not gofmt-ed: $$bad" >&2; exit 1; }
	$(GO) vet ./...

testbed:
	@./sbom/scan/testbed/build.sh .testbed

# Published descriptions of the interfaces of forges, which tests hold the fakes against (npm, 30 MB the first time).
descriptions:
	@./scoring/forge/forgetest/descriptions.sh .descriptions

# Seventeen images made like those of a cloud, for measuring only: five minutes and 1.3 GB the first time.
testbed-large:
	@./sbom/scan/testbed/build.sh .testbed large

# Builds kube-apiserver from the module k8s.io/kubernetes and Gitea from its own (ten minutes each the first time); needs
# Debian's etcd-server, gcc and git.
e2e:
	cd e2e && $(GO) test -count=1 -timeout 60m ./...

# The benchmarks beside the code, then the comparison of make measure.
bench: testbed
	$(GO) test -run '^$$' -bench . -benchmem ./...
	@$(MAKE) measure

# Writes docs/benchmarks.md: what a scan of the large testbed costs, beside the floor and beside the peers that are on PATH.
measure: testbed-large
	$(GO) run ./cmd/internal/measure -images .testbed/large/images -out docs/benchmarks.md

# Writes docs/validity.md: whether the scores told what became of projects, judged on the days before. CLONES is a directory
# of clones (owner+name or owner+name/repo, bare or not); the run names those that are missing, with the commands that make them.
validate:
	@[ -n "$(CLONES)" ] || { echo "make validate CLONES=DIR: DIR is a directory of clones; these commands, run there, make all of them:"; \
		$(GO) run ./cmd/internal/validate -list; exit 2; } >&2
	$(GO) run ./cmd/internal/validate -clones "$(CLONES)" -out docs/validity.md

# Each fuzz target for FUZZTIME; their seed corpora run in make test.
FUZZTIME ?= 10s
fuzz:
	@for p in $$($(GO) list ./...); do for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
		echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x $$p || exit 1; done; done

# Pages that are made of code and data; a test says when one is not up to date.
generate:
	go test ./scoring/indicator -count=1 -run TestThePageOfIndicatorsIsUpToDate -update
	go test ./cmd/internal/reference -count=1 -run TestTheReferencePagesAreUpToDate -update

clean:
	rm -rf pegel dist pegel-bundle pegel-report.html pegel-report.json .testbed .descriptions

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile; \
	echo "make build   builds ./pegel"; \
	echo "make dist    builds static binaries for amd64 and arm64 and their SHA256SUMS in dist/, for hosts without Go"; \
	echo "make testbed builds the container images that the tests scan, from Debian packages (cached in .testbed)"; \
	echo "make descriptions fetches the published descriptions of forges' interfaces that tests read (npm)"; \
	echo "make testbed-large builds seventeen images that share layers, for make measure (1.3 GB in .testbed)"; \
	echo "make e2e     tests against a real kube-apiserver and a real Gitea, built here (needs etcd-server, gcc, git)"; \
	echo "make bench   runs the benchmarks, then make measure"; \
	echo "make measure measures scans of the large testbed beside other tools and writes docs/benchmarks.md"; \
	echo "make validate CLONES=DIR measures the scores against what became of projects and writes docs/validity.md"; \
	echo "make fuzz    runs every fuzz target for FUZZTIME (default 10s)"; \
	echo "make clean   removes what the other targets made"
