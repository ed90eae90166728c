-- The text of requests.
local requests = {}

-- As in wrk_peers.py: a repeat needs the same body as the original.
requests.content = '"customer_id":"c-1001","currency":"EUR","items":[{"sku":"A-1","quantity":2,"unit_price":1999}],'
  .. '"attributes":{"channel":"web"}}'

function requests.new_key()
  local random = math.random
  return ("%04x%04x-%04x-4%03x-8%03x-%06x%06x"):format(
    random(0, 0xffff), random(0, 0xffff), random(0, 0xffff), random(0, 0xfff), random(0, 0xfff), random(0, 0xffffff),
    random(0, 0xffffff))
end

-- Returns the lines of the file of the preloaded orders: the keys, and the ids.
function requests.preloaded(path)
  local keys, ids = {}, {}
  for line in io.lines(path) do
    keys[#keys + 1], ids[#ids + 1] = line:match("^(%S+) (%S+)$")
  end
  return keys, ids
end

function requests.write(method, path, key, body)
  return method .. " " .. path .. " HTTP/1.1\r\nHost: " .. wrk.headers["Host"] .. "\r\nContent-Type: application/json\r\nContent-Length: "
    .. #body .. '\r\nIdempotency-Key: "' .. key .. '"\r\n\r\n' .. body
end

return requests
