-- Writes what clients say, as it stands inside TLS, into one file for each connection. For the test that shows
-- what never leaves; it needs the option sotto_capture, a folder.
local filters = require "util.filters";
local folder = module:get_option_string("sotto_capture");
module:set_global();

local count = 0;
filters.add_filter_hook(function (session)
	if session.type ~= "c2s_unauthed" then return; end
	count = count + 1;
	local file = assert(io.open(("%s/connection-%d.xml"):format(folder, count), "w"));
	filters.add_filter(session, "bytes/in", function (bytes)
		if bytes then
			file:write(bytes);
			file:flush();
		end
		return bytes;
	end, 1000);
end);
