-- The work of Ordem in Redis: KEYS[1] is the message's GUID, ARGV[1] the order's content. The answer of the GUID is kept for a day.
local known = redis.call('GET', 'message:' .. KEYS[1])
if known then return known end
local id = redis.call('INCR', 'orders')
local answer = '{"code":201,"order_id":' .. id .. ',"version":1,"order":' .. ARGV[1] .. '}'
redis.call('HSET', 'order:' .. id, 'version', 1, 'content', ARGV[1])
redis.call('RPUSH', 'customer:c-1001', id)
redis.call('SET', 'message:' .. KEYS[1], answer, 'EX', 86400)
return answer
