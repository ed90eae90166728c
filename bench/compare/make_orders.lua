-- Creates ARGV[1] orders with the content ARGV[2], for updates.
for id = 1, ARGV[1] do redis.call('HSET', 'order:' .. id, 'version', 1, 'content', ARGV[2]) end
return ARGV[1]
