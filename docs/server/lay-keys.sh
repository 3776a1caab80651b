#!/bin/sh
# After a restore: gives each part the keys that `kho keys split` made for it, and takes them from where they were
# restored. A part that has keys keeps them, and nothing is changed.
#
#   docker compose run --rm --entrypoint /bin/sh prepare /lay-keys.sh
set -eu
umask 077
[ "$(id -u)" = 0 ] || chown() { :; }
at=${PREPARE_AT:-/prepare}

for one in sign gate seal; do
    [ -d "$at/restored/$one" ] || { echo "no keys for $one: run kho keys split first" >&2; exit 1; }
    [ ! -e "$at/keys-$one/keys" ] || { echo "$one has keys already: they stay" >&2; exit 1; }
done
for one in sign:10001 gate:10002 seal:10003; do
    name=${one%:*} user=${one#*:}
    rm -rf "$at/keys-$name/arriving"
    cp -R "$at/restored/$name" "$at/keys-$name/arriving"
    chown -R "$user:10000" "$at/keys-$name/arriving"
    sync
    mv "$at/keys-$name/arriving" "$at/keys-$name/keys"
done
rm -rf "$at/restored/keys" "$at/restored/sign" "$at/restored/gate" "$at/restored/seal"
