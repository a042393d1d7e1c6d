local mcroster = require "mcroster"
function mcp_config_pools() return mcroster.pools { cluster = "web" } end
function mcp_config_routes(config) mcroster.routes(config) end
