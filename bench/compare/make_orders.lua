-- Makes ARGV[1] orders of the content ARGV[2], to be updated.
for id = 1, ARGV[1] do redis.call('HSET', 'order:' .. id, 'version', 1, 'content', ARGV[2]) end
return ARGV[1]
