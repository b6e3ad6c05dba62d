\ Counts in the cache that all languages share, and offers its words to them.

: count-up ( key u -- n )  2dup cache-inc drop  cache-num ;

\ Every language may call it: uwsgi.call('forth_says', 'Lua')
: says ( who u -- addr u )  s" hello " 2swap s+ s" , says Forth" s+ ;
' says s" forth_says" 1 register-rpc

: numbers ( a u a u -- n n )  s>n drop -rot s>n drop swap ;
: add ( a u a u -- addr u )  numbers + n>s ;
' add s" forth_add" 2 register-rpc

\ Raised by anybody: uwsgi.signal(17)
: on-signal ( signum -- )  s" signals" cache-inc drop drop ;
' on-signal 17 register-signal

: show-count ( -- )  s" visits" count-up . ." visits" cr ;

: ask-lua ( -- )
  s" Forth" 1 rpc" lua_says" dup 0= if 2drop s" no Lua here" then type cr ;

: not-found ( -- )  404 status ." there is no " path-info type cr ;

: handle ( -- )
  path-info s" /count" s= if show-count exit then
  path-info s" /ask" s= if ask-lua exit then
  not-found ;
