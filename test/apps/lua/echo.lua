-- Sends the request body back, with its length and type in headers.
return {
  run = function(env)
    local body = env.input:read()
    return '200 OK', {
      ['Content-Type'] = env.CONTENT_TYPE ~= '' and env.CONTENT_TYPE or 'application/octet-stream',
      ['Content-Length'] = #body,
    }, body
  end,
}
