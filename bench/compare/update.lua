-- The work of Ordem in Redis: KEYS[1] is the message's GUID, ARGV[1] a random number that chooses one of ARGV[2] orders, ARGV[3] the
-- order's content. redis-benchmark can't track the version of an order, so the script first reads what a client would send.
local id = ARGV[1] % ARGV[2] + 1
local order = 'order:' .. id
local supplied = redis.call('HGET', order, 'version')

local known = redis.call('GET', 'message:' .. KEYS[1])
if known then return known end
local current = redis.call('HGET', order, 'version')
local answer
if current == supplied then
  redis.call('RPUSH', 'superseded:' .. id, redis.call('HGET', order, 'content'))
  redis.call('HSET', order, 'version', current + 1, 'content', ARGV[3])
  answer = '{"code":200,"order_id":' .. id .. ',"version":' .. current + 1 .. ',"order":' .. ARGV[3] .. '}'
else
  answer = '{"code":3043,"current_version":' .. current .. ',"supplied_version":' .. supplied .. '}'
end
redis.call('SET', 'message:' .. KEYS[1], answer, 'EX', 86400)
return answer
