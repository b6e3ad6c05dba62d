\ What a mule and a spooler call.
: mule-msg-hook ( a u -- )  s" forth-mule" 2swap cache-update drop ;
: spooler ( k1 v1 ... n -- code )  s" body" pairs-get s" forth-spool" 2swap cache-update drop  uwsgi.spool-ok ;
: handle ;
