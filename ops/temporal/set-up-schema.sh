#!/bin/sh
# Makes Temporal's two databases, and brings their tables to the version of this tool; where they have it, changes nothing.
# SQL_PLUGIN, SQL_HOST, SQL_PORT, SQL_USER and SQL_PASSWORD are the tool's own settings.
set -eu

set_up() {
  temporal-sql-tool --database "$1" create
  temporal-sql-tool --database "$1" setup-schema --version 0.0
  temporal-sql-tool --database "$1" update-schema --schema-name "postgresql/v12/$2"
}

set_up "$DBNAME" temporal
set_up "$VISIBILITY_DBNAME" visibility
