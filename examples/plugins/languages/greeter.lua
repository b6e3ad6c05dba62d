-- A general plugin with an option: offers a function to all languages.
local uwsgi = require 'uwsgi'

return {
  name = 'greeter',
  options = {
    { name = 'greeter-word', type = 'text', default = 'Hello', help = 'What to say.' },
  },

  post_fork = function(context)
    local word = context.options['greeter-word']
    uwsgi.register_rpc('greet', function(whom)
      return word .. ', ' .. whom .. '!'
    end)
  end,
}
