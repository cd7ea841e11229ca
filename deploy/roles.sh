#!/bin/sh
# Run once by PostgreSQL's image on an empty data directory: the role that migrates owns the
# database, the app's role owns nothing and is no superuser.
set -eu
owner=$(cat /run/secrets/database_owner_password)
app=$(cat /run/secrets/database_app_password)
psql -v ON_ERROR_STOP=1 -v owner="$owner" -v app="$app" --username postgres <<'SQL'
CREATE ROLE onboarding_owner LOGIN PASSWORD :'owner';
CREATE ROLE onboarding_app LOGIN PASSWORD :'app';
CREATE DATABASE onboarding OWNER onboarding_owner;
\connect onboarding
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO onboarding_owner;
GRANT USAGE ON SCHEMA public TO onboarding_app;
ALTER DEFAULT PRIVILEGES FOR ROLE onboarding_owner IN SCHEMA public
  GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO onboarding_app;
ALTER DEFAULT PRIVILEGES FOR ROLE onboarding_owner IN SCHEMA public
  GRANT USAGE, SELECT ON SEQUENCES TO onboarding_app;
SQL
