# The commands a person needs. CI runs the same ones.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: run
run: ## Build and start the service on SQLite in var/, with an administrator and curl lines to paste
	@cargo run --locked --quiet -p vestibule -- dev

.PHONY: test
test: ## Run every test of every crate on both stores; starts a throwaway PostgreSQL
	@scripts/with-postgres $(MAKE) --no-print-directory test-beside-postgres

# What tests of the feed measure is how soon a change is felt: nothing else runs beside them.
.PHONY: test-beside-postgres
test-beside-postgres:
	cargo test-all -- --skip change_feed::
	cargo test-all --quiet --test e2e change_feed:: -- --test-threads=1

.PHONY: races
races: export ROUNDS ?= 1000
races: ## Run the races of the store suite for ROUNDS (1000) rounds each, on two handles, as on two replicas
	@scripts/with-postgres cargo test-all --test store_suite races:: -- --test-threads=2

.PHONY: check
check: ## Format, lints, documentation, arrows between crates, tests behind promises, freshness of everything generated, a short attack
	cargo fmt-all
	cargo clippy-all
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items --locked --quiet
	cargo test-all --quiet --test e2e -- architecture:: promises::
	scripts/sqlx-data --check
	scripts/generated --check
	SEED=1 scripts/attack-openapi

.PHONY: generate
generate: ## Write again what is generated: .sqlx, crates/api/openapi.json, docs/configuration.md
	scripts/sqlx-data
	scripts/generated

.PHONY: fuzz
fuzz: ## Search for inputs that break a parser, for TIME=60 seconds each; installs cargo-fuzz if it is missing
	@cargo fuzz --version >/dev/null 2>&1 || cargo install --locked --quiet cargo-fuzz@0.13.2
	@scripts/fuzz

.PHONY: attack
attack: ## A long attack by the OpenAPI document, another each time; EXAMPLES and SEED as you like
	@EXAMPLES=$${EXAMPLES:-500} scripts/attack-openapi

# Where cargo leaves what it builds.
BUILT = $(abspath $(or $(CARGO_TARGET_DIR),target))

# The binary is built by itself: what it is measured beside must not choose its dependencies' features.
.PHONY: bench
bench: export DURABLE := 1
bench: export VESTIBULE_BINARY = $(BUILT)/release/vestibule
bench: export FLOOR_BINARY = $(BUILT)/release/vestibule-floor
bench: ## The released binary beside its floors, on both stores, into docs/performance.md; LOAD_SECONDS (1), GROWTH (1000000), QUICK=1; PEERS=1 for better-auth too (Node 20.19 or newer, npm)
	@cargo build --locked --release -p vestibule
	@cargo build --locked --release -p vestibule-floor --features argon2-rust-as-it-comes
	@cargo bench --locked --quiet -p vestibule-benches --bench performance --no-run
	@[[ $${PEERS:-0} == 0 ]] || npm ci --prefix benches/peers/better-auth --ignore-scripts --loglevel=error
	@taskset --cpu-list 0 scripts/with-postgres cargo bench --locked --quiet -p vestibule-benches --bench performance

.PHONY: bench-quick
bench-quick: export CRITERION_HOME = $(BUILT)/criterion-quick
bench-quick: ## A minute on one core: each hot function by its ratio to a floor, against benches/baseline.json; BASELINE=write renews that
	@cargo bench --locked --quiet -p vestibule-benches --bench functions --bench hash --bench quick --no-run
	@rm -rf $(CRITERION_HOME)
	@taskset --cpu-list 0 cargo bench --locked --quiet -p vestibule-benches --bench functions --bench hash -- \
		--quiet --noplot --warm-up-time 0.3 --measurement-time 0.7 --nresamples 1000
	@cargo bench --locked --quiet -p vestibule-benches --bench quick

.PHONY: bench-timing
bench-timing: export SAMPLES ?= 2000
bench-timing: ## Whether the time of an answer tells who has an account: SAMPLES (2000) of each kind, on an idle machine
	@scripts/with-postgres cargo bench --locked --quiet -p vestibule-benches --bench timing

.PHONY: audit
audit: ## Licences, banned and duplicate crates, sources; installs cargo-deny if it is missing
	@cargo deny --version >/dev/null 2>&1 || cargo install --locked --quiet cargo-deny@0.20.2
	cargo audit

.PHONY: sbom
sbom: ## What the binary is made of (CycloneDX 1.5), beside its crate; installs cargo-cyclonedx if it is missing
	@cargo cyclonedx --version >/dev/null 2>&1 || cargo install --locked --quiet cargo-cyclonedx@0.5.9
	cargo cyclonedx --quiet --format json --spec-version 1.5 --describe binaries --manifest-path crates/cli/Cargo.toml
