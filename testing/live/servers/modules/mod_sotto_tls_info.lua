-- Debian 12 packages a SASL2 module that was written for a newer Prosody: it asks a connection for ssl_info() and
-- ssl_peerfinished(). Prosody 0.12 keeps both one level deeper; this module lends them to the connection.
local function lend(index, name, inner)
	if index[name] then return; end
	index[name] = function (conn)
		local socket = conn.socket and conn:socket() or conn.conn;
		local method = socket and socket[inner];
		return method and method(socket);
	end
end

module:hook("stream-features", function (event)
	local conn = event.origin.conn;
	local meta = conn and getmetatable(conn);
	local index = meta and meta.__index;
	if type(index) ~= "table" then return; end
	lend(index, "ssl_info", "info");
	lend(index, "ssl_peerfinished", "getpeerfinished");
end, 1000);
