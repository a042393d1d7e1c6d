-- mcroster.lua - routes of memcached's proxy that carry out mcroster's plans.
--
--	local mcroster = require "mcroster"
--	function mcp_config_pools() return mcroster.pools { cluster = "web" } end
--	function mcp_config_routes(config) mcroster.routes(config) end
--
-- `pools` runs in the state that configures: it makes a backend of each server, and reloads when
-- there are other servers.  `routes` runs in each worker: one route for all commands that name a key
-- asks libmcroster for a plan (mcroster.h) and sends its steps, each when the reply of the one before
-- is in.  Neither ever fails: what is wrong is what the commands are answered with.
--
-- A request that was handed to a backend is always waited for until it is answered or its connection
-- is closed.  So no command of an operation that has ended can follow, and what bounds an operation
-- are the backends' time-outs, which are parts of the list's op-timeout.

local M = {}

local INTERFACE = 2 -- that of mcroster.so which this file was written for: module.h has the other
local loaded, core = pcall(require, "mcroster.core")
local broken = not loaded and tostring(core) or core.INTERFACE ~= INTERFACE and
	"mcroster.lua and mcroster.so are of different releases: install both of one, and start memcached again"
if broken then core = {} end

local HANDLES = 16 -- requests that one operation may send, all its plans together
local PLANS = 4 -- how often it is planned: each time again needs a generation to come out meanwhile
local WAIT_MS = 900 -- of each second, for a generation: so a reload begins when one is published
local LINGER_S = 10 -- a server that has left stays for so long: after a reload nobody looks for up to a second
local OWE_MS = 500

local STAT_EPOCH, STAT_PHASE, STAT_GENERATION = 1, 2, 3
local STAT_FAILED, STAT_OWED, STAT_INVALIDATED, STAT_REPLANNED = 4, 5, 6, 7
local STATS = {
	"mcroster_epoch", "mcroster_phase", "mcroster_generation",
	"mcroster_failed", "mcroster_owed", "mcroster_invalidated", "mcroster_replanned",
}

-- ---- the state that configures ----

local view = {} -- roster, shared, generation; loaded: what the last reload was made of; fewer: seconds

local OPTIONS = {
	cluster = {is = function(value) return type(value) == "string" and #value > 0 and #value < 256 end,
		want = "a cluster's name, or a segment's"},
	strict = {is = function(value) return type(value) == "boolean" end, want = "true or false"},
	connections = {is = function(value) return math.type(value) == "integer" and value >= 1 and value <= 8 end,
		want = "a whole number from 1 to 8"},
	wait_ms = {is = function(value) return math.type(value) == "integer" and value >= 0 and value <= 900 end,
		want = "a whole number from 0 to 900"},
}

-- What is wrong with the options, or nil.
local function options_wrong(options)
	if type(options) ~= "table" then return "pools wants a table of options, as { cluster = \"web\" }" end
	if options.cluster == nil then return "pools: no cluster is named" end
	for name, value in pairs(options) do
		local option = OPTIONS[name]
		if not option then return ("pools: there is no option %s"):format(name) end
		if not option.is(value) then
			return ("pools: %s = %s: want %s"):format(name, tostring(value), option.want)
		end
	end
end

local function servers_now(cluster)
	view.roster = view.roster or core.look(cluster)
	local servers, why = view.roster:servers()
	view.generation = servers and servers.generation or view.generation
	return servers, why
end

-- Whether the backends have to be made anew: there is a server that they lack, or another op-timeout,
-- or for some seconds there have been fewer.
local function outdated(servers)
	local loaded = view.loaded
	if not loaded or servers.op_timeout_ms ~= loaded.op_timeout_ms then return true end
	for _, server in ipairs(servers) do
		if not loaded[server.id] then return true end
	end
	view.fewer = #servers < loaded.count and view.fewer + 1 or 0
	return view.fewer > LINGER_S
end

local function backend(server, options, op_timeout_s)
	local host, port = server.address:match("^%[?(.-)%]?:(%d+)$")
	return mcp.backend {
		label = server.name, host = host, port = port,
		connecttimeout = op_timeout_s / 4, readtimeout = op_timeout_s / 2,
		retrytimeout = 1, failurelimit = 3,
		connections = options.connections,
	}
end

local function pools(options)
	if not view.shared then view.shared = assert(core.shared()) end
	view.loaded, view.fewer = nil, 0
	local servers, why = servers_now(options.cluster)
	if not servers then error(why, 0) end
	local backends, ids, loaded = {}, {}, {count = #servers, op_timeout_ms = servers.op_timeout_ms}
	for i, server in ipairs(servers) do
		backends[i] = backend(server, options, servers.op_timeout_ms / 1000)
		ids[i], loaded[server.id] = server.id, true
	end
	view.loaded = loaded
	-- The last one leads nowhere: for requests that are no plan's.
	backends[#backends + 1] = mcp.backend {
		label = "mcroster-nowhere", host = "127.0.0.1", port = "1", down = true,
	}
	return {
		cluster = options.cluster, strict = options.strict and true or false,
		pool = mcp.pool(backends, {dist = core.dist, hash = core.hash}),
		ids = ids, shared = view.shared:descriptor(),
	}
end

-- Whether memcached can load its file again: where it cannot, it ends.  So it is tried here first, on its own
-- and apart from what is loaded.
local function loads_again()
	local path = debug.getinfo(mcp_config_pools, "S").source:match("^@(.+)")
	if not path then return true end
	local chunk, why = loadfile(path, "t", setmetatable({}, {__index = _G}))
	local good = chunk ~= nil
	if good then good, why = pcall(chunk) end
	if not good and why ~= view.wrong then
		io.stderr:write("mcroster: its file wants to be loaded again, and is not while this is so: ", tostring(why), "\n")
	end
	view.wrong = not good and why or nil
	return good
end

-- Waits for a generation for most of the second, and has the backends made anew where that is wanted.
local function watch(options)
	if view.roster then view.roster:wait(view.generation or 0, options.wait_ms or WAIT_MS) end
	local servers = servers_now(options.cluster)
	if servers and outdated(servers) and loads_again() then mcp.schedule_config_reload() end
end

function M.pools(options)
	for number, name in ipairs(STATS) do pcall(mcp.add_stat, number, name) end
	local wrong = broken or options_wrong(options)
	if wrong then return {why = wrong} end
	local ok, config = pcall(pools, options)
	if not ok then config = {why = tostring(config)} end
	pcall(mcp.register_cron, "mcroster", {every = 1, func = function() watch(options) end})
	return config
end

-- ---- replies ----

local function failure(why) return "SERVER_ERROR mcroster: " .. why:match("^[^\r\n]*"):sub(1, 500) .. "\r\n" end

-- A request's flags, for the meta commands: "v s t30" -> {v = "", s = "", t = "30"}, and their order.
local function flags_of(line)
	local flags, order = {}, {}
	local first = line:match("^ms%s+%S+%s+%S+%s*()") or line:match("^%S+%s+%S+%s*()")
	for flag, token in line:sub(first):gmatch("(%a)(%S*)") do
		flags[flag] = token
		order[#order + 1] = flag
	end
	return flags, order
end

-- What a meta reply tells, each with a space before it.  `res:line()` is another request's where replies
-- come several at once, up to 1.6.44.
local function told(res)
	local line = (res:raw_string() or ""):match("^[^\r]*")
	return line:match("^VA %d+(.*)") or line:match("^%u%u(.*)") or ""
end

local function is_answer(res)
	return res and (res:ok() or res:code() == mcp.MCMC_CODE_CLIENT_ERROR)
end

-- ---- one operation ----

local NO_ANSWER = "a server did not answer"
local NOT_CONNECTED = "a server has just been listed and is not connected yet"

local Operation = {}
Operation.__index = Operation

-- Sends the request of a step and waits for what becomes of it.  Nil: it was not sent.
function Operation:send(plan, i, request, over)
	if self.used == HANDLES or not plan:aim(i, over) then return nil end
	self.used = self.used + 1
	return self.rctx:enqueue_and_wait(request, self.handles[self.used])
end

-- An answer of our own.  Where the client wants to hear nothing of it he does not.
function Operation:say(text)
	local line = self.request:raw_line()
	local mute
	if self.way.meta then
		mute = self.request:has_flag("q") and (text == "EN" or text == "HD")
		if not mute and text ~= "EN" then text = text .. self:echo(line) end
	else
		mute = line:find(" noreply?Y?%s*$") -- of a request that was sent the proxy has spoiled it
	end
	if not mute then return text .. "\r\n" end
	self.nothing = self.nothing or self.rctx:response_new()
	return self.nothing
end

-- What a meta command wants to have repeated.
function Operation:echo(line)
	local flags, order = flags_of(line)
	local words = {}
	for _, flag in ipairs(order) do
		if flag == "O" then words[#words + 1] = " O" .. flags.O end
		if flag == "k" then words[#words + 1] = " k" .. self.request:key() .. (flags.b and " b" or "") end
	end
	return table.concat(words)
end

function Operation:fail(why)
	mcp.stat(STAT_FAILED, 1)
	return failure(why)
end

local function deletion(self)
	if self.binary then return mcp.request("md " .. self.request:key() .. " b\r\n") end
	return mcp.request("delete " .. self.request:key() .. "\r\n")
end

-- A probe that fetches no value and can tell a reservation: "s0 Z".
local function probe(self)
	return mcp.request("mg " .. self.request:key() .. " s" .. (self.binary and " b" or "") .. "\r\n")
end

local function probe_found(res)
	local words = told(res) .. " "
	return not (words:find(" s0 ", 1, true) and words:find(" Z ", 1, true))
end

-- Whether the server of a step has a value of the key.  Nil: that is not known.
function Operation:has(plan, i)
	local res = self:send(plan, i, probe(self))
	if not res or not res:ok() then return nil end
	return res:hit() and probe_found(res)
end

-- Whether a token is of a value that has gone from where the cas goes, while the key's value is where the
-- plan deletes: then the cas would be refused, and the value lost all the same.
function Operation:gone(plan, count)
	local owner, other
	for i = 1, count do
		if plan:step(i) == core.SEND_WRITE then owner = i else other = i end
	end
	return owner and other and self:has(plan, owner) == false and self:has(plan, other)
end

-- The reads at the head of a plan: "found", "missed", "failed" or "late"; the reply; the step that
-- found, or the first behind the reads.
function Operation:look(plan, count)
	local failed, reply
	local i = 1
	while i <= count do
		local send, empty_is_miss = plan:step(i)
		if send ~= core.SEND_READ then break end
		local res = self:send(plan, i, self.way.read(self, empty_is_miss))
		if not res then
			local _, _, place = plan:step(i)
			if place then return "late", nil, i end
			failed, self.unknown = true, true
		elseif not res:ok() then
			failed, reply = true, nil
		elseif not res:hit() then
			reply = res
		elseif not empty_is_miss or self.way.read_found(res, self) then
			return "found", res, i
		else
			reply = nil -- a reservation
		end
		i = i + 1
	end
	return failed and "failed" or "missed", reply, i
end

-- The key is deleted at the servers of a plan that was not carried out whole, and then by a new one.
function Operation:invalidate(plan, count, everywhere)
	local done = {}
	for i = 1, everywhere and count or 0 do
		local _, _, place = plan:step(i)
		if not place then return false end
		if not done[place] then
			done[place] = true
			local res = self:send(plan, i, deletion(self), true)
			if not res or not res:ok() then return false end
		end
	end
	local second = self.second
	local steps = second:begin(core.DELETE, self.key)
	if not steps then return false end
	local good = true
	for i = 1, steps do
		local res = good and self:send(second, i, deletion(self))
		good = res and res:ok()
	end
	return second:finish() ~= core.REPEAT and good
end

-- Sends the steps from i on.  How many were sent, the reply to the operation's own command, whether
-- its outcome is unknown, and the last step that the operation is not complete without.
function Operation:write(plan, count, i)
	local sent, reply, failed, undelivered, own_sent = 0, nil, false, nil, false
	self.replied = nil
	while i <= count do
		local send = plan:step(i)
		local own = self.op == core.DELETE or send ~= core.SEND_DELETE
		local request
		if send == core.SEND_WRITE then
			request = self.way.own and self.way.own(self, count) or self.request
		elseif send == core.SEND_SET then
			request = self.way.set(self)
		else
			request = (self.way.delete or deletion)(self, count)
		end
		local res = self:send(plan, i, request)
		if not res then return sent, reply, failed, i, own_sent end
		sent = sent + 1
		own_sent = own_sent or own
		if not is_answer(res) then
			failed = failed or sent == 1 or own
			if sent > 1 or self.op == core.DELETE then undelivered = i end
		elseif own then
			-- A delete has found the key when one of its servers had it.
			local had = res:code() == mcp.MCMC_CODE_DELETED or res:code() == mcp.MCMC_CODE_OK
			if not reply or had then reply, self.replied = res, i end
		end
		i = i + 1
	end
	return sent, reply, failed, undelivered, own_sent
end

-- Another generation: what the process reports of itself.
function Operation:notice(generation)
	self.state.generation = generation
	local epoch, phase, now = self.state.roster:now()
	if not epoch then return end
	for number, value in ipairs {epoch & 0x7fffffff, phase, now & 0x7fffffff} do
		local more = self.state.shared:report(number, value)
		if more ~= 0 then mcp.stat(number, more) end
	end
end

-- The answer to what has been read.  Nil: plan again.
function Operation:read_answer(plan, found, reply, at, ended)
	if ended == core.REPEAT or found == "late" then return nil end
	if found == "failed" then return self:fail(self.unknown and NOT_CONNECTED or NO_ANSWER) end
	if found == "found" then
		if self.op == core.ADD then return self:say(self.way.not_stored) end
		return self.way.found(self, plan, at, reply)
	end
	if ended == core.NEWER and not self.missed then
		self.missed = true
		return nil
	end
	return self.way.missed(self, reply)
end

-- One plan, begun, carried out and ended.  Nil: plan again.
function Operation:attempt(plan)
	local count, known, generation = plan:begin(self.op, self.key)
	if not count then return self:fail(known) end
	if generation ~= self.state.generation then self:notice(generation) end
	if self.token and (not plan:holds(self.key, self.token) or self:gone(plan, count)) then
		plan:finish()
		return self:say(self.way.exists)
	end
	if self.way.refuse and count > 1 then
		plan:finish()
		return self:say(self.way.refuse)
	end
	local found, reply, at = self:look(plan, count)
	if found ~= "missed" or at > count then
		return self:read_answer(plan, found, reply, at, plan:finish())
	end
	if not known then
		plan:finish()
		return self:fail(NOT_CONNECTED)
	end
	local sent, own_reply, failed, undelivered, own_sent = self:write(plan, count, at)
	local ended = plan:finish()
	if sent == 0 then return nil end
	if ended == core.REPEAT or undelivered then
		mcp.stat(STAT_INVALIDATED, 1)
		if not self:invalidate(plan, count, ended == core.REPEAT) then
			local owed, why = plan:owe(undelivered or count, self.key, OWE_MS)
			if not owed then return self:fail("not complete: " .. why) end
			mcp.stat(STAT_OWED, 1)
			return self:fail("not complete: the agent removes what is left")
		end
		if self.op == core.DELETE then return self:say(self.way.deleted) end
		if not own_sent and not failed then return nil end
	end
	if failed then return self:fail(NO_ANSWER) end
	if plan:answer() == core.ANSWER_NOT_STORED then return self:say(self.way.not_stored) end
	return self.way.done(self, plan, own_reply, count)
end

function Operation:run(request, way)
	self.request, self.way = request, way
	self.op, self.used, self.token = way.op, 0, nil
	self.missed, self.binary, self.unknown = false, false, false
	self.key = request:key()
	if way.prepare then
		local answer = way.prepare(self)
		if answer then return answer end
	end
	local plan <close> = self.plan
	for number = 1, PLANS do
		if number > 1 then mcp.stat(STAT_REPLANNED, 1) end
		local answer = self:attempt(plan)
		if answer then return answer end
	end
	return self:fail("overtaken by one generation after the other")
end

-- ---- the commands: how each reads, writes and answers ----

local function give(self, plan, step, cas)
	cas = cas and math.tointeger(tonumber(cas))
	if cas and step then plan:gave(step, self.key, cas) end
end

-- gets and gats: the token stands behind the value's length.
local function give_classic(self, plan, step, res)
	if res:hit() then
		give(self, plan, step, res:raw_string():match("^VALUE %S+ %d+ %d+ (%d+)\r\n"))
	end
	return res
end

local function give_meta(self, plan, step, res)
	if self.wants_cas then give(self, plan, step, told(res):match(" c(%d+)")) end
	return res
end

local function pass(_, _, res) return res end

local function classic(fields)
	fields.read_found = fields.read_found or function(res) return res:vlen() > 0 end
	fields.read = fields.read or function(self) return self.request end
	fields.found = fields.found or function(_, _, _, res) return res end
	fields.missed = fields.missed or function(self, res) return res or self:say("END") end
	fields.done = fields.done or function(_, _, res) return res end
	fields.not_stored, fields.exists, fields.deleted = "NOT_STORED", "EXISTS", "DELETED"
	return fields
end

local function get_instead(name)
	return function(self) return mcp.request(name .. " " .. self.request:key() .. "\r\n") end
end

-- incr and decr of a reservation, or of what did not get across, find nothing.
local function counted(self, _, res, count)
	if count > 1 and not res:ok() then return self:say(self.way.not_found) end
	return res
end

local function token_of_cas(self)
	self.token = math.tointeger(tonumber(self.request:raw_line():match("^cas%s+%S+%s+%S+%s+%S+%s+%S+%s+(%d+)")))
	if not self.token then return "CLIENT_ERROR bad command line format\r\n" end
end

local function add_as_set(self)
	return mcp.request((self.request:raw_line():gsub("^add", "set", 1)) .. "\r\n", self.request)
end

local function gets_done(self, plan, res) return give_classic(self, plan, self.replied, res) end

local ways = {
	GET = classic {op = core.GET},
	GETS = classic {op = core.GET, found = give_classic},
	GAT = classic {op = core.TOUCH, read = get_instead "get"},
	GATS = classic {op = core.TOUCH, read = get_instead "gets", found = give_classic, done = gets_done},
	TOUCH = classic {
		op = core.TOUCH, read = probe, read_found = probe_found,
		found = function(self) return self:say("TOUCHED") end,
		missed = function(self) return self:say("NOT_FOUND") end,
	},
	SET = classic {op = core.SET},
	ADD = classic {op = core.ADD, read = probe, read_found = probe_found, set = add_as_set},
	REPLACE = classic {op = core.UPDATE},
	CAS = classic {op = core.UPDATE, prepare = token_of_cas},
	INCR = classic {op = core.UPDATE, done = counted, not_found = "NOT_FOUND"},
	DECR = classic {op = core.UPDATE, done = counted, not_found = "NOT_FOUND"},
	APPEND = classic {op = core.APPEND},
	PREPEND = classic {op = core.APPEND},
	-- The proxy spoils a word `noreply`, so that it gets a reply; of a delete that is an error.
	DELETE = classic {op = core.DELETE, delete = deletion},
}

-- ---- the meta commands ----

-- The request's line with some flags left out and others put behind.
local function meta_line(self, without, more)
	local line = self.request:raw_line()
	local first = line:match("^ms%s+%S+%s+%S+()") or line:match("^%S+%s+%S+()")
	local flags, order = flags_of(line)
	local words = {line:sub(1, first - 1)}
	for _, flag in ipairs(order) do
		if not without:find(flag, 1, true) then words[#words + 1] = flag .. flags[flag] end
	end
	words[#words + 1] = more
	return table.concat(words, " ") .. "\r\n"
end

-- What every meta command is looked at for.
local function meta_prepare(self)
	local flags = flags_of(self.request:raw_line())
	if flags.b then
		self.key = core.binary_key(self.key)
		self.binary = true
		if not self.key then return "CLIENT_ERROR bad key\r\n" end
	end
	-- A mover tells by the cas what was written since it was there.
	if flags.E then return "CLIENT_ERROR mcroster: a cas cannot be chosen\r\n" end
	self.flags = flags
	self.wants_cas = flags.c ~= nil
	if flags.C then
		self.token = math.tointeger(tonumber(flags.C))
		if not self.token then return "CLIENT_ERROR bad token in command line format\r\n" end
	end
end

local function meta(fields)
	fields.meta = true
	fields.prepare = fields.prepare or meta_prepare
	fields.done = fields.done or function(self, plan, res) return give_meta(self, plan, self.replied, res) end
	fields.not_stored, fields.exists, fields.deleted, fields.not_found = "NS", "EX", "HD", "NF"
	return fields
end

-- A plain mg of the same flags.  Where it may meet a reservation it has to be told the size.
local function mg_read(self, may_be_reserved)
	local flags = self.flags
	self.size_added = may_be_reserved and not flags.v and not flags.s
	if not (self.size_added or flags.N or flags.R or flags.T) then return self.request end
	return mcp.request(meta_line(self, "NRT", self.size_added and "s" or nil))
end

local function mg_read_found(res, self)
	if not (told(res) .. " "):find(" Z ", 1, true) then return true end
	if self.flags.v then return res:vlen() > 0 end
	return probe_found(res)
end

local function mg_found(self, plan, step, res)
	give_meta(self, plan, step, res)
	if not self.size_added then return res end
	return "HD" .. told(res):gsub(" s%d+", "", 1) .. "\r\n"
end

local MG = meta {
	op = core.GET, read = mg_read, read_found = mg_read_found, found = mg_found,
	missed = function(self, res) return res or self:say("EN") end,
}
local MG_TOUCH = setmetatable({op = core.TOUCH}, {__index = MG})

local function moving_without(flags)
	return function(self, count)
		if count == 1 then return self.request end
		for flag in flags:gmatch(".") do
			if self.flags[flag] then
				return mcp.request(meta_line(self, flags), self.request)
			end
		end
		return self.request
	end
end

local function ms_as_set(self)
	return mcp.request(meta_line(self, "M"), self.request)
end

local MS = {
	S = meta {op = core.SET},
	E = meta {op = core.ADD, read = probe, read_found = probe_found, set = ms_as_set},
	A = meta {op = core.APPEND, own = moving_without "N"},
	R = meta {op = core.UPDATE},
}
local MS_CAS = meta {op = core.UPDATE}

local MA = meta {op = core.UPDATE, own = moving_without "N", done = function(self, plan, res, count)
	if count > 1 and not res:ok() then return self:say("NF") end
	return give_meta(self, plan, self.replied, res)
end}
local MD = meta {op = core.DELETE, delete = moving_without "ITx"}
-- One that depends on the value it finds cannot be told to two servers.
local MD_CAS = setmetatable({refuse = "EX"}, {__index = MD})

local function way_mg(r)
	if r:has_flag("N") or r:has_flag("R") or r:has_flag("T") then return MG_TOUCH end
	return MG
end

local function way_ms(r)
	local mode = (flags_of(r:raw_line()).M or "S"):upper()
	mode = mode == "P" and "A" or mode == "" and "S" or mode
	if mode == "S" and r:has_flag("C") then return MS_CAS end
	return MS[mode]
end

local function way_md(r) return r:has_flag("C") and MD_CAS or MD end

-- ---- the workers ----

local state = {} -- of this worker: cluster, roster, shared

local function route_table()
	local by_command = {}
	for name, way in pairs(ways) do
		by_command[mcp["CMD_" .. name]] = function() return way end
	end
	by_command[mcp.CMD_MG] = way_mg
	by_command[mcp.CMD_MS] = way_ms
	by_command[mcp.CMD_MD] = way_md
	by_command[mcp.CMD_MA] = function() return MA end
	return by_command
end

local function routes(config)
	-- What came last of all that is used here, together with raw_string.
	if not mcp.request("mg key\r\n").raw_line then
		error("this memcached is too old: 1.6.40 or later is wanted", 0)
	end
	if config.why then error(config.why, 0) end
	if state.cluster ~= config.cluster or state.strict ~= config.strict then
		state.roster = core.open(config.cluster, config.strict)
		state.cluster, state.strict = config.cluster, config.strict
	end
	state.shared = state.shared or assert(core.shared_of(config.shared))
	local map = core.map(config.ids)
	local by_command = route_table()
	local generator = mcp.funcgen_new()
	local handles = {}
	for i = 1, HANDLES do handles[i] = generator:new_handle(config.pool) end
	generator:ready {n = "mcroster", u = 1, f = function(rctx)
		local operation = setmetatable({
			rctx = rctx, handles = handles, state = state,
			plan = core.plan(state.roster, map, state.shared),
			second = core.plan(state.roster, map, state.shared),
		}, Operation)
		return function(request)
			local way = by_command[request:command()]
			way = way and way(request)
			if not way then return "CLIENT_ERROR mcroster: this command is not one for the proxy\r\n" end
			return operation:run(request, way)
		end
	end}
	mcp.attach(mcp.CMD_ANY_STORAGE, generator)
end

function M.routes(config)
	local ok, why = pcall(routes, config)
	if not ok then
		local answer = failure(tostring(why))
		mcp.attach(mcp.CMD_ANY_STORAGE, function()
			pcall(mcp.stat, STAT_FAILED, 1)
			return answer
		end)
	end
end

return M
