// A request plugin: answers with the path of the request in capital letters.
import type { Plugin } from 'polywsgi/plugin'

export default {
  name: 'upper',
  modifier1: 240,
  request(request) {
    request.addHeader('Content-Type', 'text/plain')
    request.writeBody(`${request.pathInfo.toUpperCase()}\n`)
    return 0
  },
} satisfies Plugin
