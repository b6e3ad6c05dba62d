-- An app that gives itself a second and then never answers: a pattern is looked for in C, where nobody can stop it.
local uwsgi = require 'uwsgi'

return function(env)
  uwsgi.set_user_harakiri(1)
  return ('a'):rep(100000):find(('a*'):rep(30) .. 'b')
end
