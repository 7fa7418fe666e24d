-- Prosody 0.12 for the live suite: loopback only, no server-to-server, no components. @NAMES@ are filled in.
pidfile = "@STATE@/prosody.pid"
data_path = "@STATE@/data"
certificates = "@STATE@"
run_as_root = @ROOT@
interfaces = { "127.0.0.1" }
local_interfaces = { "127.0.0.1" }
c2s_ports = { @STARTTLS@ }
c2s_direct_tls_ports = { @DIRECT@ }
s2s_ports = { }
http_ports = { }
https_ports = { }
plugin_paths = { "@MODULES@", "/usr/lib/prosody/modules" }
modules_enabled = {
  "roster"; "saslauth"; "tls"; "disco"; "pep"; "blocklist"; "vcard4"; "vcard_legacy"; "carbons"; "mam"; "smacks";
  "csi_simple"; "ping"; "time"; "version"; "offline"; "register"; "posix"; @EXTRA@
}
sotto_capture = "@STATE@/capture"
modules_disabled = { "s2s" }
authentication = "internal_hashed"
password_hash = "@HASH@"
allow_registration = true
c2s_require_encryption = true
-- Accounts and rosters outlive a restart; the archive does where a test restarts the server.
storage = { archive = "@ARCHIVE@" }
default_storage = "internal"
sql = { driver = "SQLite3", database = "prosody.sqlite" }
storage_archive_item_limit = 1000000
default_archive_policy = true
archive_expires_after = "never"
max_archive_query_results = 250
smacks_hibernation_time = 600
ssl = { certificate = "@STATE@/server.crt", key = "@STATE@/server.key", protocol = "tlsv1_2+" }
c2s_direct_tls_ssl = { certificate = "@STATE@/server.crt", key = "@STATE@/server.key" }
log = { { levels = { min = "@LOG@" }, to = "file", filename = "@STATE@/server.log" } }

VirtualHost "@DOMAIN@"

-- Asks for more than a name and a password.
VirtualHost "form.@DOMAIN@"
  additional_registration_fields = { "email" }

-- Makes no accounts.
VirtualHost "closed.@DOMAIN@"
  allow_registration = false
