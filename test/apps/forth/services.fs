\ Registers functions and handlers while it loads, then evaluates the Forth that is posted: what that types is the answer.

: echo ( a u -- a u )  s" forth:" 2swap s+ ;
: fail ( a u -- )  true abort" forth says no" ;
: relay ( target data -- a u )  1 uwsgi.call ;
' echo s" forth_echo" 1 register-rpc
' fail s" forth_fail" 1 register-rpc
' relay s" forth_relay" 2 register-rpc

\ Counts in forth-signal-30, as the other languages count theirs.
: on-signal ( signum -- )  s" forth-signal-" rot n>s s+ cache-inc drop ;
30 s" worker" ' on-signal uwsgi.register-signal
31 s" workers" ' on-signal uwsgi.register-signal
' on-signal 32 register-signal
: failing ( signum -- )  drop true abort" forth signal fails" ;
' failing 33 register-signal

: handle  body evaluate ;
