// __NAME__: a request plugin. It serves the packets that carry its modifier1.

const utf8 = new TextEncoder()

/** @type {import('polywsgi/plugin').Plugin} */
export default {
  name: '__NAME__',
  modifier1: 250,

  request(request) {
    request.prepareHeaders('200 OK')
    request.addHeader('Content-Type', 'text/plain; charset=utf-8')
    request.writeBody(utf8.encode('Hello from __NAME__\n'))
    return 0
  },
}
