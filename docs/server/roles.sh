#!/bin/sh
# Runs inside PostgreSQL's container when its data are made: the database, and a user for each part.
# kho_admin owns the tables, so that no part that runs can alter one or drop it. None of the others has any
# right but to connect until `kho migrate --rights` gives each what its part needs (vault/rights.py).
set -eu
psql -v ON_ERROR_STOP=1 --no-psqlrc --quiet -U postgres -d postgres <<'SQL'
\set admin `cat "$SECRETS/kho-admin"`
\set sign `cat "$SECRETS/kho-sign"`
\set gate `cat "$SECRETS/kho-gate"`
\set api `cat "$SECRETS/kho-api"`
\set work `cat "$SECRETS/kho-work"`
CREATE ROLE kho_admin LOGIN PASSWORD :'admin';
CREATE ROLE kho_sign LOGIN PASSWORD :'sign';
CREATE ROLE kho_gate LOGIN PASSWORD :'gate';
CREATE ROLE kho_api LOGIN PASSWORD :'api';
CREATE ROLE kho_work LOGIN PASSWORD :'work';
CREATE DATABASE kho OWNER kho_admin TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C';
REVOKE ALL ON DATABASE kho FROM PUBLIC;
GRANT CONNECT ON DATABASE kho TO kho_sign, kho_gate, kho_api, kho_work;
SQL
