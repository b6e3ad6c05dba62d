return { hello = function(count) return 'hello ' .. count end, loaded_as = { ... } }
