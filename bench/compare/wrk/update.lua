-- Replaces preloaded orders, drawn at random, each at its current version.
--
-- wrk does not say which request a response belongs to. So an order is not drawn again until UPDATES_BETWEEN other updates were sent: with a
-- few hundred connections its update was answered long before. If not, the response is 409, which ends the run.
local checks, requests = require "checks", require "requests"

local UPDATES_BETWEEN = 20000

local ids, versions, sent_at = nil, {}, {}
local sent = 0

function init(args)
  local _
  _, ids = requests.preloaded(args[3])
  assert(#ids > 2 * UPDATES_BETWEEN, "too few orders")
  for i = 1, #ids do versions[i], sent_at[i] = 1, -UPDATES_BETWEEN end
  checks.start(args, function(status, headers)
    return status == 200 and headers["ETag"] ~= '"1"' and not headers["Idempotency-Replayed"]
  end)
end

-- wrk calls it once before the run and does not send that request.
function request()
  if sent == 0 then
    sent = 1
    return "GET / HTTP/1.1\r\n\r\n"
  end
  local i
  repeat i = math.random(#ids) until sent - sent_at[i] > UPDATES_BETWEEN
  sent = sent + 1
  sent_at[i] = sent
  local version = versions[i]
  versions[i] = version + 1
  return requests.write("PUT", "/api/v1/orders/" .. ids[i], requests.new_key(), '{"version":' .. version .. "," .. requests.content)
end
