-- Returns the number of updates of ARGV[1] orders. Fails if one of them lacks a superseded version.
local updates = 0
for id = 1, ARGV[1] do
  local superseded = redis.call('HGET', 'order:' .. id, 'version') - 1
  if redis.call('LLEN', 'superseded:' .. id) ~= superseded then return redis.error_reply('order ' .. id .. ' lacks versions') end
  updates = updates + superseded
end
return updates
