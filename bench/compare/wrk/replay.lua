-- Repeats the creates of the preloaded orders, at random.
local checks, requests = require "checks", require "requests"

local body = "{" .. requests.content
local keys

function init(args)
  keys = requests.preloaded(args[3])
  checks.start(args, function(status, headers)
    return status == 201 and headers["ETag"] == '"1"' and headers["Idempotency-Replayed"] == "true"
  end)
end

function request()
  return requests.write("POST", "/api/v1/orders", keys[math.random(#keys)], body)
end
