-- __NAME__: a request plugin. It serves the packets that carry its modifier1.
return {
  name = '__NAME__',
  modifier1 = 250,

  request = function(request)
    request:prepare_headers('200 OK')
    request:add_header('Content-Type', 'text/plain; charset=utf-8')
    request:write('Hello from __NAME__\n')
    return 0
  end,
}
