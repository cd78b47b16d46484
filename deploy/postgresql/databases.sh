#!/bin/bash
# Two databases in the one PostgreSQL, each with an owner of its own who may not enter the other: Label Studio's and
# label-studio-crowd's. The postgres image runs this once, when its volume is still empty.
set -euo pipefail

create() { # the role and its database; the environment variable that holds its password
  psql --no-psqlrc --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname=postgres --set=name="$1" <<SQL
\getenv password $2
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
}

create label_studio STUDIO_DB_PASSWORD
create crowd CROWD_DB_PASSWORD
