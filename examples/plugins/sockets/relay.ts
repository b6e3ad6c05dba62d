// Hands each request on to a uwsgi server, and its answer to the client; its worker is free meanwhile.
import { connect, type Plugin, TimeoutError } from 'polywsgi/plugin'
import { encodePacket } from 'polywsgi/protocol'

let upstreamAddress = ''

export default {
  name: 'relay',
  modifier1: 250,
  options: [{ name: 'relay-to', type: 'text', value: 'ADDRESS', help: 'Where requests go.' }],

  postFork({ options }) {
    upstreamAddress = String(options.get('relay-to'))
  },

  async request(request) {
    try {
      await using upstream = await connect(upstreamAddress, { timeout: 10 })
      await upstream.write(encodePacket(6, 0, request.vars))
      for await (const piece of request.input) await upstream.write(piece)
      await upstream.pipe((bytes) => request.writeRawAsync(bytes))
    } catch (error) {
      if (request.headersSent) throw error
      request.prepareHeaders(error instanceof TimeoutError ? '504 Gateway Timeout' : '502 Bad Gateway')
      await request.writeBodyAsync(`${(error as Error).message}\n`)
    }
    return 0
  },
} satisfies Plugin
