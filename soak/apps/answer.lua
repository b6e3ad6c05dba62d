-- Reads what came and answers in one word; a second request that was hidden in a first one betrays itself by its path.
return function(env)
  local body = env.input:read()
  if (env.PATH_INFO or ''):find('smuggled', 1, true) then return '200 OK', {}, 'SMUGGLED' end
  return '200 OK', { ['X-Length'] = tostring(body and #body or 0) }, 'lua'
end
