# What there is to type. `make test` needs Go and sees to all else by itself.

.PHONY: test run bench fmt build setup

test: setup clients/node_modules/.package-lock.json
	go run ./internal/tools/testall

run:
	go run ./cmd/postern dev

bench:
	go run ./bench

build:
	CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o bin/postern ./cmd/postern

fmt:
	gofmt -w $$(git ls-files '*.go')

setup:
	@scripts/setup

# npm writes this file last, so its age tells whether the packages are as the lock file says.
clients/node_modules/.package-lock.json: clients/package-lock.json
	cd clients && npm ci --ignore-scripts --no-audit --no-fund
	touch $@
