// The first plugin: says hello when the server starts, and serves the requests of modifier1 250.
import type { Plugin } from 'polywsgi/plugin'

export default {
  name: 'foobar',
  modifier1: 250,

  init({ log }) {
    log.text('Hello World')
  },

  request(request) {
    request.addHeader('Content-Type', 'text/plain')
    request.writeBody('i am foobar\n')
    return 0
  },
} satisfies Plugin
