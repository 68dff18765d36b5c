#!/bin/bash
# The replica set of one, and a user that may read, write and migrate the database of its own name; as often as you like.
set -euo pipefail
cat > /tmp/provide.js <<'JS'
const fs = require('fs');
const secret = (name) => fs.readFileSync(`/run/secrets/provide/${name}`, 'utf8').trim();
const { NAME, SERVER } = process.env;
const admin = db.getSiblingDB('admin');
admin.auth('root', secret('administrator'));
try {
  rs.status();
} catch (error) {
  if (error.codeName !== 'NotYetInitialized') throw error;
  rs.initiate({ _id: 'rs0', members: [{ _id: 0, host: `${SERVER}:27017` }] });
}
while (!admin.hello().isWritablePrimary) sleep(200);
const own = db.getSiblingDB(NAME);
const user = { pwd: secret('service'), roles: [{ role: 'readWrite', db: NAME }, { role: 'dbAdmin', db: NAME }] };
if (own.getUser(NAME)) own.updateUser(NAME, user);
else own.createUser({ user: NAME, ...user });
JS
address="mongodb://$SERVER:27017/?directConnection=true&serverSelectionTimeoutMS=2000"
until mongosh "$address" --quiet --norc --eval 'db.hello().ok' >/dev/null 2>&1; do
  [ "${said:-}" ] || { said=1; echo "waiting for $SERVER"; }
  sleep 1
done
mongosh "$address" --quiet --norc --file /tmp/provide.js
echo "database $NAME is there"
