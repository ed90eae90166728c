#!/usr/bin/env bash
# Smoke test of the server at HOST PORT: create, retry, update, and an update with a stale version. Uses only bash, which the image has.
# Leaves one order behind.
set -euo pipefail

host=$1 port=$2
answer_seconds_max=30
guid_before=helm-test-$(</proc/sys/kernel/random/uuid)
order='{"customer_id":"helm-test","currency":"EUR","items":[{"sku":"A-1","quantity":2,"unit_price":1999}]}'

fail() {
  printf 'FAILED: %s\nThe answer: %s\n' "$*" "$answer" >&2
  exit 1
}

# ask METHOD PATH GUID [BODY]: sends a request; sets answer (the whole response) and status.
ask() {
  local method=$1 path=$2 guid=$3 body=${4:-} type=application/json line
  [ "$method" != PATCH ] || type=application/merge-patch+json
  answer='none: no connection' status=
  exec 3<>"/dev/tcp/$host/$port"
  printf '%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nIdempotency-Key: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s' \
    "$method" "$path" "$host" "$guid" "$type" "${#body}" "$body" >&3
  answer=
  while IFS= read -r -t "$answer_seconds_max" line <&3 || [ -n "$line" ]; do
    answer+=$line$'\n'
  done
  exec 3>&-
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
