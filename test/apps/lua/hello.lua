-- The smallest WSAPI app, as the uWSGI documentation writes it.
function run(env)
  local function body()
    coroutine.yield('Hello from ')
    coroutine.yield(env.PATH_INFO)
  end
  return 200, { ['Content-Type'] = 'text/plain' }, coroutine.wrap(body)
end
