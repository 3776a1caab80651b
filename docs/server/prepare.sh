#!/bin/sh
# Makes what the parts need before any of them starts: each its folders, and its own secrets in its own
# volume. Run again, it changes nothing. It runs as root, without a network, and ends.
#
# Without root, everything is whoever's runs it (`make server`).
#
# A secret is a file (mode 600) of the one user that reads it. Docker's own `secrets:` give a file the owner
# that it has on the host, so that five users could not share one.
set -eu
umask 077
[ "$(id -u)" = 0 ] || chown() { :; }
at=${PREPARE_AT:-/prepare}

folder() { # USER MODE PATH
    mkdir -p "$at/$3"
    chown "$1:10000" "$at/$3"
    chmod "$2" "$at/$3"
}

kept() { # USER FILE: what comes in is kept, unless the file is there
    cat > "$at/$2.new"
    [ -s "$at/$2" ] || mv "$at/$2.new" "$at/$2"
    rm -f "$at/$2.new"
    chmod 600 "$at/$2"
    chown "$1" "$at/$2"
}

word() {
    openssl rand -hex 24
}

certificate() { # USER PATH NAMES DAYS: a key, and a certificate for it that leads nowhere
    [ -s "$at/$2/certificate.pem" ] || {
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days "$4" -subj "/CN=kho" \
            -addext "subjectAltName=$3" -keyout "$at/$2/key.pem" -out "$at/$2/certificate.new" 2> /dev/null
        mv "$at/$2/certificate.new" "$at/$2/certificate.pem"
    }
    chmod 644 "$at/$2/certificate.pem"
    chmod 600 "$at/$2/key.pem"
    chown "$1" "$at/$2/certificate.pem" "$at/$2/key.pem"
}

# Keys: the part alone. Sockets: the part's, its group may reach them. The log: everybody may read it.
folder 10001 700 keys-sign
folder 10002 700 keys-gate
folder 10003 700 keys-seal
folder 10005 700 keys-work
folder 10001 2750 socket-sign
folder 10002 2750 socket-gate
folder 10003 2750 socket-seal
folder 10001 755 log
folder 0 755 trust
for one in public government timestamp test; do
    folder 0 755 "trust/$one"
done

# PostgreSQL: a user for each part, so that none has another's rights.
folder 999 700 secrets-postgresql
word | kept 999 secrets-postgresql/postgres
for one in admin:10006 sign:10001 gate:10002 api:10004 work:10005; do
    name=${one%:*} user=${one#*:}
    folder "$user" 700 "secrets-$name"
    word | kept 999 "secrets-postgresql/kho-$name"
    kept "$user" "secrets-$name/database" < "$at/secrets-postgresql/kho-$name"
done

# The S3 server: one key may do everything and makes the bucket, the other may use that bucket.
folder 10008 700 secrets-seaweedfs
folder 10008 700 bytes
folder 10008 700 bytes/filerldb2
printf 'kho%s\n%s\n' "$(word)" "$(word)" | kept 10006 secrets-admin/store
printf 'kho%s\n%s\n' "$(word)" "$(word)" | kept 10004 secrets-api/store
kept 10005 secrets-work/store < "$at/secrets-api/store"
certificate 10008 secrets-seaweedfs "DNS:seaweedfs,DNS:localhost" 7300
identity() { # NAME FILE ACTIONS
    printf '{"name": "%s", "credentials": [{"accessKey": "%s", "secretKey": "%s"}], "actions": [%s]}' \
        "$1" "$(sed -n 1p "$at/$2")" "$(sed -n 2p "$at/$2")" "$3"
}
used='"Read:kho", "Write:kho", "List:kho"'
for one in GetBucketObjectLockConfiguration GetObjectRetention PutObjectRetention; do
    used="$used, \"$one:kho\""
done
printf '{"identities": [%s, %s]}\n' \
    "$(identity admin secrets-admin/store '"Admin", "Read", "Write", "List"')" \
    "$(identity kho secrets-api/store "$used")" |
    kept 10008 secrets-seaweedfs/s3.json

# Whom Kho's own connections trust: the authorities of the image, and that server.
folder 0 755 authorities
cat /etc/ssl/certs/ca-certificates.crt "$at/secrets-seaweedfs/certificate.pem" > "$at/authorities/trusted.new"
chmod 644 "$at/authorities/trusted.new"
mv "$at/authorities/trusted.new" "$at/authorities/trusted.pem"

# What proves us to the OpenID providers is put here by whoever runs this, unless it is elsewhere (SIGN_IN_FOLDER).
folder 10004 700 sign-in

# The keeper's: what was backed up, and the keys of a restore until they are laid (lay-keys.sh).
folder 10006 700 backups
folder 10006 700 restored

# The door's certificate until there is a real one (TLS_FOLDER).
folder 101 700 tls
certificate 101 tls "DNS:localhost,IP:127.0.0.1" 397
