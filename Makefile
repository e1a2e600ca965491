# "make" lists what there is. Only Go is needed for run, demo, test and build; each other target says what it needs when that is missing.

.DEFAULT_GOAL := help
.PHONY: help run demo test test-postgres race axe screenshots e2e fuzz soak bench bench-growth bench-import bench-go check fmt build image vuln documents

TOOL := go tool -modfile=tools/go.mod
FUZZTIME ?= 1m
SOAK ?= 30m
SCREENSHOTS ?= bin/screenshots
IMAGE ?= drawbridge:local
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null)
LDFLAGS := -s -w $(if $(VERSION),-X main.release=$(VERSION))

help: ## print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start Drawbridge on http://127.0.0.1:8080 with a SQLite file in this folder
	go run ./cmd/drawbridge serve

demo: ## start a Drawbridge with made-up people, providers and directories; nothing is kept
	go run ./cmd/drawbridge demo

test: ## run every test that Go alone can run; PostgreSQL and the browser join in where they are installed
	go test -timeout 25m ./...

test-postgres: ## run every test, and fail where there is no PostgreSQL to run them on
	DRAWBRIDGE_TEST_POSTGRES=require go test ./...

race: ## run the tests of what runs in parallel under the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race -short -timeout 20m ./config ./store/... ./provisioning ./authn ./web ./scim ./sso/...
	CGO_ENABLED=1 go test -race -short -timeout 20m -run 'Storm|AtOnce|Serve|OneCommand' ./cmd/...

axe: ## install axe-core, with which the browser tests check pages (needs node, npm)
	cd console/testdata/axe && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error

screenshots: ## make pictures of every page of the console in SCREENSHOTS (bin/screenshots), with an index.html (needs chromium)
	DRAWBRIDGE_SCREENSHOTS=$(abspath $(SCREENSHOTS)) DRAWBRIDGE_TEST_BROWSER=require go test -count=1 -timeout 1h -run '^TestScreenshots$$' -v ./console

e2e: ## sign in at a real SimpleSAMLphp and a real oidc-provider (needs php, simplesamlphp, node, npm)
	cd e2e/testdata/oidc-provider && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@report=$$(mktemp); failed=0; \
	DRAWBRIDGE_E2E_REPORT=$$report go test -tags e2e -count=1 -timeout 15m ./e2e || failed=1; \
	cat "$$report"; rm -f "$$report"; exit $$failed

fuzz: ## run each fuzz test for FUZZTIME (1m)
	@set -eu; for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' "$$package" | grep '^Fuzz' || true); do \
			echo "$$package $$target"; go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x "$$package"; \
		done; \
	done

soak: ## use Drawbridge hard for SOAK (30m) on each database and see that nothing grows
	DRAWBRIDGE_SOAK=$(SOAK) go test -count=1 -timeout 24h -run '^TestSoak$$' -v ./cmd/drawbridge

bench: ## measure the floor and Drawbridge by turns on both databases; BENCH="-only post -store pg" (needs ../shared, postgresql)
	go run ./bench $(BENCH)

bench-growth: ## measure what a request costs with 10,000, 100,000 and 1,000,000 users; BENCH="-max 100000 -store sqlite" (needs the same)
	go run ./bench growth $(BENCH)

bench-import: ## measure what a file of people costs on both databases; BENCH="-rows 10000,100000,1000000 -store pg" (needs postgresql)
	go run ./bench import $(BENCH)

bench-go: ## run the Go benchmarks
	go test -run '^$$' -bench . -benchmem ./...

check: ## check format, vet, staticcheck and the law of imports
	@files=$$($(TOOL) gofumpt -l .); test -z "$$files" || { echo "not formatted, run make fmt:"; echo "$$files"; exit 1; }
	go vet ./...
	go vet -tags e2e ./e2e
	$(TOOL) staticcheck ./...
	$(TOOL) staticcheck -tags e2e ./e2e
	go test .

fmt: ## format every file
	$(TOOL) gofumpt -w .

documents: ## rewrite the documents that are made from the code
	go test -run Documents -update .

build: ## build the static program into bin/drawbridge
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/drawbridge ./cmd/drawbridge

image: build ## build the container image with docker or buildah and see it answer
	deploy/build-image bin/drawbridge $(IMAGE)
	deploy/check-image $(IMAGE)

vuln: ## look for known vulnerabilities in what is called
	go run golang.org/x/vuln/cmd/govulncheck@v1.8.0 ./...
