return { one = require 'one' }
