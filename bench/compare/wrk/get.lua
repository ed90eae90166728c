-- Reads the preloaded orders, at random.
local checks, requests = require "checks", require "requests"

local ids, head_end

function init(args)
  local _
  _, ids = requests.preloaded(args[3])
  head_end = " HTTP/1.1\r\nHost: " .. wrk.headers["Host"] .. "\r\n\r\n"
  checks.start(args, function(status, headers)
    return status == 200 and headers["ETag"] == '"1"'
  end)
end

function request()
  return "GET /api/v1/orders/" .. ids[math.random(#ids)] .. head_end
end
