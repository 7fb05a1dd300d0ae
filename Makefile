# SPDX-License-Identifier: GPL-2.0-only
# Every target does its own set-up; what is done is not done twice.

# Of the demo, a side; fewer show only that it works.  RELEASE names another kernel for it.
RUNS ?= 32
PY := .venv/bin/python
READY := .venv/.ready
TREE := build/tree/.ready
SOURCES := $(shell find z3trace analysis probes testbed -name '*.py' -o -name '*.j2')
C_FILES := $(shell find probes testbed tests/vm -name '*.[ch]')

BASE ?=
SEED ?= ../shared/seeds/000_553e96b2c8b53029.txt

.PHONY: help demo seed test long unit lint format bench bugs kernels whole bisect distributions soak calibrate fuzz wheel deb site readme house schemas clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: $(READY) ## before/after report of the z3fold locking patch, in build/demo
	.venv/bin/z3trace ab --before pool-lock --after page-lock --runs $(RUNS) $(addprefix --release ,$(RELEASE)) \
		-o build/demo --force

# The source of 2016 is no part of this repository: BASE is mm/z3fold.c of blob d2e8aec, such as
# of "git show REV:mm/z3fold.c" in a kernel tree.
seed: $(READY) ## review the mail that z3trace exists for: make seed BASE=z3fold.c, in build/seed
	@test -n "$(BASE)" || { echo "make seed BASE=FILE: FILE is mm/z3fold.c of blob d2e8aec (late 2016)"; exit 2; }
	@case $$(git hash-object "$(BASE)") in d2e8aec*) ;; *) echo "$(BASE) is not blob d2e8aec"; exit 2;; esac
	@.venv/bin/z3trace review $(SEED) --base $(BASE) -o build/seed --force; status=$$?; \
		test $$status = 3 || { echo "make seed: the review ended with status $$status, not 3: it found nothing"; exit 1; }
	@echo "The review is in build/seed/review.txt; it has findings, as it should."

# The first guest fetches what all need: a kernel, a QEMU, whether KVM works.
test: lint ## lint and all tests, the guest ones included
	.venv/bin/z3trace vm -- true
	Z3TRACE_REQUIRE=vm $(PY) -m pytest -n 2 --dist loadfile

long: ## all tests, with a million operations wherever they are counted
	Z3TRACE_LONG=1 $(MAKE) test

unit: $(READY) ## the tests that need no guest
	$(PY) -m pytest tests/unit tests/golden

lint: $(READY) $(TREE) ## ruff, mypy --strict, import-linter, clang-format
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	.venv/bin/clang-format --dry-run --Werror $(C_FILES)
	cd build/tree && MYPYPATH=. ../../$(PY) -m mypy --config-file ../../pyproject.toml -p z3trace
	cd build/tree && PYTHONPATH=. ../../.venv/bin/lint-imports --config ../../pyproject.toml --no-cache

format: $(READY) ## put the sources into their style
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .
	.venv/bin/clang-format -i $(C_FILES)

bench: $(READY) ## what z3trace costs, in build/bench
	$(PY) tests/bench/run.py

bugs: $(READY) ## every bug variant under check ten times, in build/bugs
	$(PY) tests/vm/bugs.py 10

kernels: $(READY) ## every target compared and checked on 6.1, 6.12 and 7.2, in build/kernels
	$(PY) tests/vm/series.py $(ONLY)

whole: $(READY) ## two whole kernels built, booted and compared; the first time half an hour
	Z3TRACE_WHOLE=1 Z3TRACE_REQUIRE=vm $(PY) -m pytest -s tests/vm/test_whole_kernels.py

bisect: $(READY) ## a lock in a loop, found by git bisect among ten commits, in build/bisect
	$(PY) tests/bisect/run.py

distributions: $(READY) ## demo and tests on bare roots of Debian 12, 13 and testing
	$(PY) tests/distributions/run.py $(RELEASES)

soak: $(READY) ## an hour of attaching, full load and checking, in build/soak
	$(PY) tests/soak/run.py

calibrate: $(READY) ## do the verdicts hold what they promise; in build/calibration
	$(PY) tests/calibrate/run.py

fuzz: $(READY) ## mutated and costly files, hostile patches, a minute of atheris
	$(PY) tests/fuzz/mutate.py 10000
	$(PY) tests/fuzz/hostile.py
	$(PY) tests/fuzz/patches.py
	$(PY) tests/fuzz/surroundings.py
	$(PY) tests/fuzz/mailbox.py 10000
	$(PY) tests/fuzz/targets.py 10000
	$(PY) tests/fuzz/guided.py 60

deb: $(READY) ## a source distribution and a package for Debian 13, tried in a bare root, in build/deb
	$(PY) packaging/deb.py

wheel: $(READY) ## the wheel, in build/dist
	$(PY) -m build --wheel --outdir build/dist

# Its own environment: the generator is no part of what z3trace needs.
site: $(READY) ## the documents as a site that opens without a network, in build/site
	test -x build/site-venv/bin/sphinx-build || python3 -m venv build/site-venv
	build/site-venv/bin/pip -q install --disable-pip-version-check --require-hashes -r docs/requirements.txt
	build/site-venv/bin/sphinx-build -q -W --keep-going -b html docs build/site
	$(PY) docs/site_check.py

clean: ## remove what was built here; the cache of kernels stays
	rm -rf build .venv *.egg-info

$(READY): pyproject.toml constraints.txt setup.sh
	./setup.sh
	touch $@

# mypy and import-linter read packages where they stand after an installation:
# z3trace.analysis lies in analysis/ here.
$(TREE): $(READY) $(SOURCES) pyproject.toml
	rm -rf build/tree build/lib build/bdist.*
	$(PY) -m pip -q install --no-deps --no-build-isolation --target build/tree .
	touch $@

readme: ## copy the figures of the last demo into the README's directory
	mkdir -p docs/demo
	cp build/demo/report.txt build/demo/plots/locks.png build/demo/plots/ratios.png docs/demo/

schemas: $(READY) ## write docs/schemas from the types of what verbs print with --json
	$(PY) docs/schemas.py

house: $(READY) ## draw docs/house.txt from the imports
	$(PY) docs/house.py
