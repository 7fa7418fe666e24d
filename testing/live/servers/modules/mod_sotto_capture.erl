%% Writes what clients say, as it stands inside TLS, into one file. For the test that shows what never leaves; the
%% variable SOTTO_CAPTURE names the file. ejabberd's own log drops lines when it has much to write.
-module(mod_sotto_capture).

-export([start/2, stop/1, reload/3, depends/2, mod_options/1, mod_doc/0, received/3]).

start(Host, _Options) ->
    ejabberd_hooks:add(c2s_handle_recv, Host, ?MODULE, received, 1).

stop(Host) ->
    ejabberd_hooks:delete(c2s_handle_recv, Host, ?MODULE, received, 1).

reload(_Host, _New, _Old) ->
    ok.

depends(_Host, _Options) ->
    [].

mod_options(_Host) ->
    [].

mod_doc() ->
    #{}.

received(State, Element, _Packet) ->
    ok = file:write_file(os:getenv("SOTTO_CAPTURE"), [fxml:element_to_binary(Element), "\n"], [append]),
    State.
