return { two = require 'two' }
