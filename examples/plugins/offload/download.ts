// Hands its responses to the master, so that its worker is free at once.
import type { Plugin } from 'polywsgi/plugin'
import { encodePacket } from 'polywsgi/protocol'

const utf8 = new TextEncoder()
let node = ''

export default {
  name: 'download',
  modifier1: 250,
  options: [{ name: 'download-node', type: 'text', value: 'ADDRESS', help: 'A uwsgi server to ask.' }],

  postFork({ options }) {
    node = String(options.get('download-node'))
  },

  request(request) {
    switch (request.pathInfo) {
      case '/file':
        request.sendfile('offload/site/docs/index.html')
        break
      case '/memory':
        request.offloadMemory(utf8.encode('from memory\n'))
        break
      case '/node':
        request.offloadTransfer(node, encodePacket(6, 0, request.vars))
        break
      case '/rpc':
        request.offloadRpc('greet', [utf8.encode('Ada')])
        break
      default:
        request.prepareHeaders('404 Not Found')
    }
    return 0
  },
} satisfies Plugin
