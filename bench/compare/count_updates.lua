-- How many updates ARGV[1] orders have had; fails if one of them lacks a version that was superseded.
local updates = 0
for id = 1, ARGV[1] do
  local superseded = redis.call('HGET', 'order:' .. id, 'version') - 1
  if redis.call('LLEN', 'superseded:' .. id) ~= superseded then return redis.error_reply('order ' .. id .. ' lacks versions') end
  updates = updates + superseded
end
return updates
