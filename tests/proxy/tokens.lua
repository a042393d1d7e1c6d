-- tokens.lua - a program: does a cas token hold only at the server that gave it?
--
--	lua5.4 tokens.lua SEGMENT
--
-- Gives a token for each of many keys, says `given`, and waits for a line on standard input, during
-- which the list is changed.  Then a token holds for the keys that have their owner yet, and for no
-- other.  Says how many of each there were.

local core = require "mcroster.core"

local KEYS, TOKEN = 300, 77

local roster = assert(core.open(arg[1]))
local shared = assert(core.shared())

-- A plan for an update of the key, by the servers of now, and the server that it goes to.
local function planned(key)
	local ids = {}
	for i, server in ipairs(assert(roster:servers())) do ids[i] = server.id end
	local plan = core.plan(roster, core.map(ids), shared)
	assert(plan:begin(core.UPDATE, key))
	local _, _, backend = plan:step(1)
	return plan, ids[backend + 1]
end

local owners = {}
for i = 1, KEYS do
	local key = "key:" .. i
	local plan, owner = planned(key)
	owners[key] = owner
	assert(not plan:holds(key, TOKEN), "a token that nobody gave holds")
	plan:gave(1, key, TOKEN)
	assert(plan:holds(key, TOKEN), "a token that was given does not hold")
	assert(not plan:holds(key, TOKEN + 1) and not plan:holds(key .. "x", TOKEN), "another one holds")
	plan:finish()
end
print "given"
io.stdout:flush()
io.read()
local stayed, moved = 0, 0
for key, owner in pairs(owners) do
	local plan, now = planned(key)
	if now == owner then stayed = stayed + 1 else moved = moved + 1 end
	assert(plan:holds(key, TOKEN) == (now == owner), key .. ": its token holds where it should not, or not where it should")
	plan:finish()
end
print(stayed .. " stayed, " .. moved .. " moved")
os.exit(stayed > 0 and moved > 0, true)
