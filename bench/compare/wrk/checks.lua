-- Checks every response of a run of wrk. The first wrong one stops the run; done() prints the counts, which figures.py reads.
-- The scripts take the arguments: `ordem` or `constant` (what answers), a seed, and the file of the preloaded orders.
local checks = {}

-- Globals, because done() reads them from another Lua state.
checked, wrong, first_wrong = 0, 0, ""

local threads = {}

function setup(thread)
  threads[#threads + 1] = thread
end

-- is_right(status, headers) judges the responses of Ordem. A constant response has only its status.
function checks.start(args, is_right)
  math.randomseed(tonumber(args[2]))
  if args[1] == "constant" then
    is_right = function(status) return status == 201 end
  end
  function response(status, headers, body)
    checked = checked + 1
    if is_right(status, headers) then return end
    wrong = wrong + 1
    if wrong == 1 then first_wrong = (" " .. status .. " " .. body:sub(1, 300)):gsub("%s+", " ") end
    wrk.thread:stop()
  end
end

function done()
  for _, thread in ipairs(threads) do
    print(("Responses checked: %d, wrong: %d%s"):format(thread:get("checked"), thread:get("wrong"), thread:get("first_wrong")))
  end
end

return checks
