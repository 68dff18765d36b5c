#!/bin/bash
# A database and a role of the same name that owns it and alone may enter; as often as you like.
set -euo pipefail
export PGHOST="$SERVER" PGUSER=postgres PGPASSWORD
PGPASSWORD=$(cat /run/secrets/provide/administrator)
until pg_isready --quiet; do
  [ "${said:-}" ] || { said=1; echo "waiting for $SERVER"; }
  sleep 1
done
# The password is read by psql: it is in no argument, where others on the machine could see it.
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set name="$NAME" postgres <<'SQL'
\set password `cat /run/secrets/provide/service`
SET log_min_error_statement = panic;
SELECT format('CREATE ROLE %I LOGIN', :'name') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
SELECT format('ALTER ROLE %I LOGIN PASSWORD %L', :'name', :'password') \gexec
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'name') \gexec
SQL
echo "database $NAME is there"
