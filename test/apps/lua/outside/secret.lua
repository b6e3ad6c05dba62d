return 'secret'
