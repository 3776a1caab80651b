#!/bin/sh
# Runs inside PostgreSQL's container when its data are made: the database, and a user for each part.
# kho-admin owns the tables, so that no part that runs can alter one or drop it. The signer writes no entry.
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
\connect kho
ALTER DEFAULT PRIVILEGES FOR ROLE kho_admin GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO kho_gate, kho_api, kho_work;
ALTER DEFAULT PRIVILEGES FOR ROLE kho_admin GRANT USAGE ON SEQUENCES TO kho_gate, kho_api, kho_work;
ALTER DEFAULT PRIVILEGES FOR ROLE kho_admin GRANT SELECT, INSERT ON TABLES TO kho_sign;
SQL
