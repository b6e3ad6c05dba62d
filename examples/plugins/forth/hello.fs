\ The smallest program: the word `handle` serves each request, and what it types is the response.

: handle ( -- )
  ." Forth in worker " uwsgi.worker-id n>s type ." : "
  request-method type space path-info type cr ;
