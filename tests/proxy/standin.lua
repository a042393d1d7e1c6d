-- standin.lua - a program: a stand-in for memcached's proxy in plain Lua.
--
--	lua5.4 standin.lua CONFIG.lua ADDRESS PORT
--
-- Loads the configuration as a proxy does, listens, and runs the attached routes as coroutines; what
-- they hand over is sent to real memcacheds.  It answers one command after the other.  A backend has
-- one connection; one whose reply does not come in its time-out is closed.  `stats proxy`, `version`
-- and `quit` are its own.

local standin = require "standin"

local COMMANDS = {
	"mg", "ms", "md", "mn", "ma", "me", "get", "gat", "set", "add", "cas", "gets", "gats", "incr", "decr",
	"touch", "append", "delete", "replace", "prepend",
}
local CODES = {
	STORED = 8, EXISTS = 9, DELETED = 10, TOUCHED = 11, NOT_FOUND = 13, NOT_STORED = 14, OK = 15, END = 17,
	ERROR = 21, CLIENT_ERROR = 22, SERVER_ERROR = 23,
}
local META = {HD = "OK", VA = "OK", EN = "END", NF = "NOT_FOUND", NS = "NOT_STORED", EX = "EXISTS"}
local STORES = {set = true, add = true, cas = true, append = true, replace = true, prepend = true}

mcp = {CMD_ANY_STORAGE = 100}
for number, name in ipairs(COMMANDS) do mcp["CMD_" .. name:upper()] = number end
for name, number in pairs(CODES) do mcp["MCMC_CODE_" .. name] = number end

-- ---- statistics and the clock ----

local stats, stat_names, cron, reload = {}, {}, {}, true
function mcp.add_stat(number, name) stat_names[number], stats[number] = name, stats[number] or 0 end
function mcp.stat(number, change) stats[number] = stats[number] + change end
function mcp.register_cron(name, options) cron[name] = {next = standin.now_ms() + 1000, func = options.func} end
function mcp.schedule_config_reload() reload = true end

-- ---- requests and responses ----

local Request = {}
Request.__index = Request

local function request_of(line, value)
	local words = {}
	for word in line:gmatch("%S+") do words[#words + 1] = word end
	local name = words[1]
	for number, command in ipairs(COMMANDS) do
		if command == name then
			return setmetatable({line = line, words = words, name = name, number = number, value = value,
				noreply = name:sub(1, 1) ~= "m" and words[#words] == "noreply"}, Request)
		end
	end
end

function Request:key() return self.words[self.name:find("^gat") and 3 or 2] end
function Request:command() return self.number end
function Request:raw_line() return self.line end
function Request:has_flag(flag)
	for i = self.name == "ms" and 4 or 3, #self.words do
		if self.words[i]:sub(1, 1) == flag then return true end
	end
	return false
end

function mcp.request(text, value)
	assert(text:sub(-2) == "\r\n", "a request ends in a line's end")
	if type(value) == "table" then value = value.value end
	return assert(request_of(text:sub(1, -3), value), text)
end

local Response = {}
Response.__index = Response
function Response:ok() return self.status_ok end
function Response:hit() return self.status_ok and self.number ~= CODES.END end
function Response:code() return self.number end
function Response:vlen() return self.value_bytes or 0 end
function Response:raw_string() return self.text end

local function failed_response() return setmetatable({status_ok = false, number = CODES.SERVER_ERROR}, Response) end

-- ---- backends ----

local Backend = {}
Backend.__index = Backend
function mcp.backend(options) return setmetatable(options, Backend) end

function Backend:shut()
	if self.fd then standin.close(self.fd) end
	self.fd, self.buffer = nil, ""
end

function Backend:more(ends_ms)
	local bytes = standin.receive(self.fd, math.max(0, ends_ms - standin.now_ms()))
	if not bytes then return false end
	self.buffer = self.buffer .. bytes
	return true
end

function Backend:reply(ends_ms)
	local stop
	repeat stop = self.buffer:find("\r\n", 1, true) until stop or not self:more(ends_ms)
	if not stop then return nil end
	local line = self.buffer:sub(1, stop - 1)
	local length = line:match("^VALUE %S+ %d+ (%d+)") or line:match("^VA (%d+)")
	local all = stop + 1
	if length then
		all = all + tonumber(length) + 2 + (line:find("^VALUE") and 5 or 0)
		while #self.buffer < all do
			if not self:more(ends_ms) then return nil end
		end
	end
	local text = self.buffer:sub(1, all)
	self.buffer = self.buffer:sub(all + 1)
	local word, flags = line:match("^(%S+) ?(.*)$")
	if word == "VA" then flags = flags:match("^%d+ ?(.*)$") end
	local code = word:find("^%d") and "OK" or word == "VALUE" and "OK" or META[word] or word
	return setmetatable({
		text = text, flags = flags ~= "" and flags or nil, number = CODES[code] or CODES.ERROR,
		status_ok = CODES[code] ~= nil and CODES[code] < CODES.ERROR, value_bytes = tonumber(length),
	}, Response)
end

function Backend:ask(request)
	if self.down then return failed_response() end
	-- A proxy spoils these words in the request itself, so that there is a reply.
	local words = request.name:sub(1, 1) == "m" and " q%f[%s\0]" or " noreply$"
	request.line = request.line:gsub(words, {[" q"] = "  ", [" noreply"] = " noreplY"})
	self.fd = self.fd or standin.connect(self.host, tonumber(self.port), math.floor(self.connecttimeout * 1000))
	self.buffer = ""
	local ends_ms = standin.now_ms() + math.floor(self.readtimeout * 1000)
	local reply = self.fd
		and standin.send(self.fd, request.line .. "\r\n" .. (request.value or ""), ends_ms - standin.now_ms())
		and self:reply(ends_ms)
	-- A proxy trusts no connection with an error on it.
	if not reply or reply.number == CODES.ERROR or reply.number == CODES.CLIENT_ERROR then self:shut() end
	return reply or failed_response()
end

function mcp.pool(backends, options)
	local described = {}
	for i, backend in ipairs(backends) do
		described[i] = {id = i, addr = backend.host, port = backend.port}
	end
	local keep, caller = options.dist.new(described, options)
	return {backends = backends, keep = keep, caller = caller, hash = options.hash}
end

-- ---- routes ----

local hooks = {}
local Generator = {}
Generator.__index = Generator
function mcp.funcgen_new() return setmetatable({handles = {}}, Generator) end
function Generator:new_handle(pool)
	self.handles[#self.handles + 1] = pool
	return #self.handles
end

local Context = {}
Context.__index = Context
function Context:enqueue_and_wait(request, handle) return coroutine.yield(request, handle) end
function Context:response_new() return setmetatable({status_ok = true, number = CODES.OK, text = ""}, Response) end

function Generator:ready(options)
	self.context = setmetatable({}, Context)
	self.func = options.f(self.context)
end

function mcp.attach(command, route)
	if type(route) == "function" then
		local func = route
		route = setmetatable({handles = {}, func = func}, Generator)
	end
	if command == mcp.CMD_ANY_STORAGE then
		for number in ipairs(COMMANDS) do hooks[number] = route end
	else
		hooks[command] = route
	end
end

-- The answer to one request; each handle is good once.
local function run(route, request)
	local used = {}
	local thread = coroutine.create(route.func)
	local ok, answer, handle = coroutine.resume(thread, request)
	while ok and coroutine.status(thread) == "suspended" do
		assert(not used[handle], "a handle is good once")
		used[handle] = true
		local pool = route.handles[handle]
		local place = standin.select(pool.hash, pool.caller, answer:key())
		ok, answer, handle = coroutine.resume(thread, pool.backends[place + 1]:ask(answer))
	end
	if not ok then
		io.stderr:write("lua failure: ", tostring(answer), "\n")
		return "SERVER_ERROR lua failure\r\n"
	end
	if type(answer) == "string" then
		assert(#answer <= 1024, "a string is an answer up to 1024 bytes")
		return answer
	end
	local quiet = request.name:sub(1, 1) == "m" and request:has_flag("q") and (answer.number == CODES.END or
		request.name ~= "mg" and answer.number == CODES.OK)
	if answer.status_ok and request.noreply or quiet then return "" end
	return answer.text or "SERVER_ERROR backend failure\r\n"
end

local function statistics()
	local lines = {}
	for number, name in ipairs(stat_names) do
		lines[number] = "STAT user_" .. name .. " " .. stats[number] .. "\r\n"
	end
	return table.concat(lines) .. "END\r\n"
end

local function answer(line, value)
	if line == "version" then return "VERSION standin\r\n" end
	if line == "mn" then return "MN\r\n" end
	if line == "stats proxy" then return statistics() end
	-- A get of many keys is as many gets.
	local name, keys = line:match("^(gets?) (%S+ %S.*)$")
	if name then
		local parts = {}
		for key in keys:gmatch("%S+") do
			local request = request_of(name .. " " .. key)
			parts[#parts + 1] = run(hooks[request.number], request):gsub("END\r\n$", "")
		end
		return table.concat(parts) .. "END\r\n"
	end
	local request = request_of(line, value)
	if not request then return "ERROR\r\n" end
	return run(hooks[request.number], request)
end

-- ---- clients ----

local clients = {}

-- The commands that are whole in the client's buffer.
local function serve(fd)
	local client = clients[fd]
	local bytes = standin.receive(fd, 0)
	if not bytes then return false end
	client.buffer = client.buffer .. bytes
	while true do
		local stop = client.buffer:find("\r\n", 1, true)
		if not stop then return true end
		local line = client.buffer:sub(1, stop - 1)
		local words = {}
		for word in line:gmatch("%S+") do words[#words + 1] = word end
		local length = STORES[words[1]] and tonumber(words[5]) or words[1] == "ms" and tonumber(words[3])
		local all = stop + 1 + (length and length + 2 or 0)
		if #client.buffer < all then return true end
		local value = length and client.buffer:sub(stop + 2, all)
		client.buffer = client.buffer:sub(all + 1)
		if words[1] == "quit" or not standin.send(fd, answer(line, value), 5000) then return false end
	end
end

local listener = assert(standin.listen(arg[2], tonumber(arg[3])), "it cannot listen")
while true do
	if reload then
		reload, cron = false, {}
		dofile(arg[1])
		mcp_config_routes(mcp_config_pools(nil))
	end
	local watched = {listener}
	for fd in pairs(clients) do watched[#watched + 1] = fd end
	for _, fd in ipairs(standin.ready(watched, 50)) do
		if fd == listener then
			local accepted = standin.accept(listener)
			if accepted then clients[accepted] = {buffer = ""} end
		elseif not serve(fd) then
			standin.close(fd)
			clients[fd] = nil
		end
	end
	for _, entry in pairs(cron) do
		if entry.next <= standin.now_ms() then
			entry.next = standin.now_ms() + 1000
			entry.func()
		end
	end
end
