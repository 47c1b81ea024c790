# `make nightly` and `make test` do everything from nothing; they need python3 (3.11 or newer).
UV_VERSION := 0.13.9
UV := $(or $(shell command -v uv),.uv/bin/uv)
CONFIG ?= $(or $(CUSTOMER_HEALTH_CONFIG),$(wildcard customer_health.yml),sample/customer_health.yml)
AS_OF ?=
RUN := .venv/bin/
DBT_FILES := $(shell find dbt -type f \( -name '*.sql' -o -name '*.yml' -o -name '*.md' \) -not -path 'dbt/target/*' -not -path 'dbt/logs/*')

export DO_NOT_TRACK := 1
export DBT_PROFILES_DIR := $(CURDIR)/dbt
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export GX_ANALYTICS_ENABLED := false
export DAGSTER_DISABLE_TELEMETRY := yes

.PHONY: nightly test dev docs setup lint unit clean

nightly: setup $(CONFIG) ## the main job; generates the sample company when there is no configuration
	$(RUN)customer-health nightly --config $(CONFIG) $(if $(AS_OF),--as-of $(AS_OF))

test: setup lint unit ## everything that is checked

dev: setup $(CONFIG) ## Dagster's page, on loopback
	CUSTOMER_HEALTH_CONFIG=$(abspath $(CONFIG)) $(RUN)customer-health dev

setup: .venv/.ready dbt/target/manifest.json

docs: setup ## the generated pages of docs/, and dbt's documentation as one page
	$(RUN)python -m tests.documents
	$(RUN)dbt --quiet docs generate --static --empty-catalog --no-compile --project-dir dbt
	@echo "wrote $(CURDIR)/dbt/target/static_index.html"

lint: setup
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy
	$(RUN)sqlfluff lint -q dbt/models dbt/tests
	$(RUN)dbt-bouncer --config-file dbt-bouncer.yml

unit: setup
	$(RUN)pytest

.uv/bin/uv:
	python3 -m venv .uv
	.uv/bin/pip install --quiet uv==$(UV_VERSION)

.venv/.ready: pyproject.toml uv.lock | $(UV)
	$(UV) sync --frozen --inexact --quiet --compile-bytecode
	touch $@

dbt/target/manifest.json: .venv/.ready $(DBT_FILES)
	$(RUN)python -m dagster_project.dbt_manifest

sample/customer_health.yml: | .venv/.ready
	$(RUN)customer-health sample sample

clean: ## removes what can be made again; never landing or scores
	rm -rf .venv .uv dbt/target dbt/logs var/build var/cache
