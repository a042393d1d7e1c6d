-- states.lua - what each Lua state of states.c does, as mcroster.lua does it: state 0 configures.

local number, segment = ...
local core = require "mcroster.core"
local KEYS = 60
local shared

if number == 0 then
	shared = assert(core.shared())
	memfd(shared:descriptor())
	local roster = core.look(segment)
	local generation = 0
	repeat
		roster:wait(generation, 5)
		local servers = roster:servers()
		generation = servers and servers.generation or generation
	until not turn(number)
	return
end

repeat local fd = memfd() until fd >= 0
shared = assert(core.shared_of(memfd()))
local roster = core.open(segment)
repeat
	local servers = roster:servers()
	if servers then
		local ids = {}
		for i, server in ipairs(servers) do ids[i] = server.id end
		local pool, caller = core.dist.new(ids)
		local plan, second = core.plan(roster, core.map(ids), shared), core.plan(roster, core.map(ids), shared)
		for i = 1, KEYS do
			local key = "key:" .. i
			local count = plan:begin(i % 7, key)
			for step = 1, count or 0 do
				local _, _, place = plan:step(step)
				if plan:aim(step) then
					local aimed = select_backend(core.hash, caller, key)
					assert(aimed == place, "another thread's aim: " .. aimed .. ", not " .. tostring(place))
				end
				plan:gave(step, key, i)
				plan:holds(key, i)
			end
			if second:begin(core.DELETE, key) then second:finish() end
			plan:finish()
			assert(core.binary_key("AAECAw==") == "\0\1\2\3" and not core.binary_key(key))
		end
		assert(select_backend(core.hash, caller, "key") == #ids - 1, "an aim that nobody took")
		local epoch, phase, generation = roster:now()
		for report, value in ipairs { epoch or 0, phase or 0, generation or 0 } do shared:report(report, value) end
		assert(pool)
	end
until not turn(number)
collectgarbage()
