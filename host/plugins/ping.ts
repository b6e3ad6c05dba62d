// The plugin that answers health checks (modifier1 100): a packet of modifier2 1 whose block is the warning that a guest has
// set, empty while all is well.
import { modifiers } from '../../protocol/modifiers.ts'
import { encodePacket } from '../../protocol/packet.ts'
import type { ApiContext } from '../api/context.ts'
import type { Plugin } from '../plugin/plugin.ts'

const pong = 1
const nothing = new Uint8Array(0)

export const createPingPlugin = (): Plugin => {
  let server: ApiContext
  return {
    name: 'ping',
    modifier1: modifiers.ping.modifier1,

    postFork(context) {
      server = context.server
    },

    request(request) {
      // As in uWSGI: health checks say nothing about the load.
      request.doNotAccount = true
      request.writeRaw(encodePacket(modifiers.ping.modifier1, pong, server.warningMessage ?? nothing))
      request.finish()
      return 0
    },
  }
}

export default createPingPlugin()
