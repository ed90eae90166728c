#!/usr/bin/env bash
# Smoke test of the server at HOST PORT: create, retry, update, and an update with a stale version. Leaves one order behind.
# Environment:
#   TLS=yes          by TLS, without a check of the certificate, which has the name that clients use, not that of the Service
#   IDENTITY=none    requests need no API key
#   API_KEY          the key to use. Without it and without IDENTITY=none only the refusal of requests is tested
# Uses only bash and openssl, which the image has.
set -euo pipefail

host=$1 port=$2 api_key=${API_KEY:-} tls=${TLS:-no} identity=${IDENTITY:-key}
answer_seconds_max=30
guid_before=helm-test-$(</proc/sys/kernel/random/uuid)
order='{"customer_id":"helm-test","currency":"EUR","items":[{"sku":"A-1","quantity":2,"unit_price":1999}]}'

fail() {
  printf 'FAILED: %s\nThe answer: %s\n' "$*" "$answer" >&2
  exit 1
}

# Sends the bytes of its standard input on a new connection, and prints the response.
exchange() {
  local line
  if [ "$tls" = yes ]; then
    timeout "$answer_seconds_max" openssl s_client -quiet -connect "$host:$port" -servername "$host" 2>/dev/null
  else
    exec 3<>"/dev/tcp/$host/$port"
    cat >&3
    while IFS= read -r -t "$answer_seconds_max" line <&3 || [ -n "$line" ]; do
      printf '%s\n' "$line"
    done
    exec 3>&-
  fi
}

# ask METHOD PATH GUID [BODY]: sends a request; sets answer (the whole response) and status.
ask() {
  local method=$1 path=$2 guid=$3 body=${4:-} type=application/json credentials=
  [ "$method" != PATCH ] || type=application/merge-patch+json
  [ -z "$api_key" ] || credentials="Authorization: Bearer $api_key"$'\r\n'
  answer='none: no connection' status=
  answer=$(
    printf '%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%sIdempotency-Key: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s' \
      "$method" "$path" "$host" "$credentials" "$guid" "$type" "${#body}" "$body" | exchange
  ) || fail "$step: no response"
  read -r _ status _ <<<"$answer"
}

# expect STATUS TEXT...: fails unless the response has this status and contains each text.
expect() {
  [ "$status" = "$1" ] || fail "$step: status '$status' instead of $1"
  local text
  for text in "${@:2}"; do
    [[ $answer == *"$text"* ]] || fail "$step: '$text' is missing"
  done
}

body_of() { printf '%s' "${answer#*$'\r\n\r\n'}"; }

if [ "$identity" != none ]; then
  step='a create without a key'
  given=$api_key api_key=
  ask POST /api/v1/orders "$guid_before-refused" "$order"
  expect 401 'WWW-Authenticate: Bearer'
  api_key=$given
  if [ -z "$api_key" ]; then
    echo 'Smoke test passed: the server answers and refuses requests without a key; no key was given to create an order'
    exit
  fi
fi

step='create'
ask POST /api/v1/orders "$guid_before-create" "$order"
expect 201 'order created' '"version":1'
[[ $answer =~ \"order_id\":\"([0-9a-f-]{36})\" ]] || fail 'create: no order_id'
id=${BASH_REMATCH[1]}
created=$(body_of)

step='the create repeated'
ask POST /api/v1/orders "$guid_before-create" "$order"
expect 201 'Idempotency-Replayed: true'
[ "$(body_of)" = "$created" ] || fail "$step: another body than the first time: $created"

step='update of version 1'
ask PATCH "/api/v1/orders/$id" "$guid_before-update" '{"version":1,"attributes":{"gift":true}}'
expect 200 'order updated' '"version":2'

step='another update of version 1'
ask PATCH "/api/v1/orders/$id" "$guid_before-stale" '{"version":1,"attributes":{"gift":false}}'
expect 409 '"code":3043' 'data is out of date'

step='get'
ask GET "/api/v1/orders/$id" "$guid_before-get"
expect 200 '"gift":true' '"version":2'

echo "Smoke test passed: order $id"
