# Three commands do it all on a fresh machine: `make demo`, `make serve` and `make test`.

VENV ?= .venv
BIN := $(VENV)/bin
export VENV
# Many tests wait for daemons and servers, so one process more than there are cores.
PROCESSES ?= $(shell echo $$(($$(nproc) + 1)))

.PHONY: help demo serve test coverage lint docs golden site dist container-check snakemake-check bench bench-s3 bench-million bench-tiny bench-serve bench-workers bench-scale damages differential hosts faults fuzz kills connections schemathesis setup clean

help:
	@echo "make demo           compute the signature of a small bundled archive and show it"
	@echo "make serve          show that signature in a browser: pages and the HTTP interface, at http://127.0.0.1:8082/"
	@echo "make test           run all tests"
	@echo "make coverage       run all tests, and list the lines that none of them runs in its own process"
	@echo "make lint           check formatting, style, types, import rules and spelling"
	@echo "make docs           write docs/commands.md, docs/output.md, docs/schemas, the tables of docs/decoding.md, and the man pages"
	@echo "make golden         write what every command prints to tests/data/golden"
	@echo "make site           build the documents as a web site in build/site, and check every link"
	@echo "make dist           build the wheel and the sdist of the last commit in dist/, always with the same bytes"
	@echo "make container-check  run the steps of the Containerfile in a clean root (needs root and debootstrap)"
	@echo "make snakemake-check  run a workflow of wort batch snakemake; installs Snakemake from PyPI below build/"
	@echo "make bench          measure against the reference pipeline"
	@echo "make bench-s3       push 10,000 signatures to a local Ceph gateway; list a million keys"
	@echo "make bench-million  run the coordinator with a million queued jobs; measure commands in such a home"
	@echo "make bench-tiny     run 10,000 jobs of one read: the daemon's cost for each job"
	@echo "make bench-scale    measure a ledger of ROWS jobs; simulate campaigns on 10, 100 and 1,000 machines"
	@echo "make bench-workers  measure two worker hosts beside one, the coordinator, and 64 idle workers"
	@echo "make bench-serve    measure wort serve: beside a bare framework, in a home of a million jobs, beside the daemon"
	@echo "make faults         run 100 jobs while processes, disks, databases and servers fail; ten seeds"
	@echo "make hosts          run 200 jobs on three hosts (network namespaces) while hosts, links and the queue fail"
	@echo "make damages        damage archives on the way and on disk 4000 times"
	@echo "make differential   compare fastq-dump and the in-process decoder on archives drawn from SEED for SECONDS"
	@echo "make kills          kill a writer of the ledger fifty times, and a process that fetches twenty times"
	@echo "make connections    open 10,000 connections to a server, while another client asks it"
	@echo "make schemathesis   compare a running server with the description of its interface for SECONDS"
	@echo "make fuzz           read randomly damaged signatures for 5 minutes"

demo:
	@scripts/setup.sh
	@scripts/demo.sh

serve:
	@scripts/setup.sh serve
	@scripts/serve.sh $(ARGS)

test: setup
	$(BIN)/python -m pytest -n $(PROCESSES) --dist worksteal $(ARGS)

coverage:
	$(MAKE) test ARGS="--cov --cov-report=term $(ARGS)"

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/hadolint Containerfile
	$(BIN)/vermin --quiet --no-tips --violations --target=3.11- --exclude str.decode wort_cli

bench: setup
	$(BIN)/python -m benchmarks.pipeline --report docs $(ARGS)

bench-s3: setup
	$(BIN)/python -m benchmarks.sync
	$(BIN)/python -m benchmarks.listing 1000

bench-million: setup
	$(BIN)/python -m benchmarks.million_jobs
	$(BIN)/python -m benchmarks.large_home

bench-scale: setup
	$(BIN)/python -m benchmarks.ledger_size $(or $(ROWS),1e7)
	for number in 10 100 1000; do $(BIN)/python -m benchmarks.campaign --machines $$number || exit 1; done

kills: setup
	$(BIN)/python -m tests.faults.ledger_kills
	$(BIN)/python -m tests.faults.fetch_kills

bench-serve: setup
	$(BIN)/python -m benchmarks.serving --daemon $(ARGS)

bench-tiny: setup
	$(BIN)/python -m benchmarks.tiny_jobs

faults: setup
	$(BIN)/python -m tests.faults.campaign --seed $(or $(SEED),1) --times $(or $(TIMES),10) $(ARGS)

bench-workers: setup
	$(BIN)/python -m benchmarks.workers $(ARGS)

hosts: setup
	$(BIN)/python -m tests.faults.hosts --seed $(or $(SEED),1) --seeds $(or $(TIMES),10) $(ARGS)

damages: setup
	$(BIN)/python -m tests.damages --seed $(or $(SEED),1) $(ARGS)

differential: setup
	$(BIN)/python -m tests.differential --seed $(or $(SEED),1) --seconds $(or $(SECONDS),3600) $(ARGS)

connections: setup
	$(BIN)/python -m tests.attacks.connections --connections $(or $(CONNECTIONS),10000)

schemathesis: setup
	$(BIN)/python -m tests.attacks.api_description --seed $(or $(SEED),1) --seconds $(or $(SECONDS),600)

fuzz: setup
	$(BIN)/python -m tests.fuzz $(or $(SECONDS),300)

docs: setup
	mkdir -p build
	$(BIN)/python -m scripts.reference > docs/commands.md
	$(BIN)/python -m scripts.decoding
	$(BIN)/python -m scripts.completion_words > build/words.json && mv build/words.json wort_cli/commands/shared/help/completion_words.json
	$(BIN)/python -m scripts.output_docs
	$(BIN)/python -m scripts.man_pages

golden: setup
	$(BIN)/python -m tests.support.golden

site: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

dist: setup
	$(BIN)/python -m scripts.dist dist

container-check: setup
	$(BIN)/python -m scripts.containerfile $(ARGS)

snakemake-check: setup
	$(BIN)/python -m tests.support.snakemake_check $(ARGS)

setup:
	@scripts/setup.sh dev

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
