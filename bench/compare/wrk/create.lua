-- Creates an order per request, each with a new key.
local checks, requests = require "checks", require "requests"

local body = "{" .. requests.content

function init(args)
  checks.start(args, function(status, headers)
    return status == 201 and headers["ETag"] == '"1"' and not headers["Idempotency-Replayed"]
  end)
end

function request()
  return requests.write("POST", "/api/v1/orders", requests.new_key(), body)
end
