-- wrk: every request is a POST of 1 MB, made once.
wrk.method = 'POST'
wrk.body = ('x'):rep(1048576)
wrk.headers['Content-Type'] = 'application/octet-stream'
