-- Asks the gateway of denyset whether the client of a request is on a list, and
-- puts what it says into txn.denyset: "listed", "unlisted", or "unknown" if there
-- is no gateway or no list. HAProxy 2.4 or newer, with Lua.
--
--   global
--       lua-load /etc/haproxy/denyset.lua
--
-- The user of HAProxy has to be a member of group denyset-gateway, and a chroot
-- to have the socket below it.

local SOCKET = "/run/denyset-gateway/http.sock"
-- Seconds for each of connecting, sending and receiving.
local PATIENCE = 1

local WORDS = { ["204"] = "unlisted", ["403"] = "listed" }

local function ask(address)
    local socket = core.tcp()
    socket:settimeout(PATIENCE)
    if not socket:connect(SOCKET) then
        return nil
    end
    socket:send("GET /check HTTP/1.1\r\nHost: denyset\r\nX-Real-IP: " .. address ..
        "\r\nConnection: close\r\n\r\n")
    local line = socket:receive("*l")
    socket:close()
    return line and line:match("^HTTP/1%.1 (%d+) ")
end

core.register_action("denyset", { "http-req" }, function(txn)
    local status = ask(txn.f:src())
    txn:set_var("txn.denyset", WORDS[status or ""] or "unknown")
end, 0)
