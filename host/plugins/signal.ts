// The plugin that raises signals for other servers (modifier1 110): an empty packet whose modifier2 is the signal, answered
// with four bytes of which the last says whether it was taken. A signal nobody has registered is taken too, as in uWSGI.
import { modifiers } from '../../protocol/modifiers.ts'
import { encodeHeader } from '../../protocol/packet.ts'
import type { Signals } from '../api/context.ts'
import type { Plugin } from '../plugin/plugin.ts'

export const createSignalPlugin = (): Plugin => {
  let signals: Signals
  return {
    name: 'signal',
    modifier1: modifiers.signal.modifier1,

    postFork(context) {
      signals = context.server.signals
    },

    request(request) {
      const isTaken = signals.raise(request.modifier2)
      request.writeRaw(encodeHeader({ modifier1: modifiers.response.modifier1, size: 0, modifier2: isTaken ? 1 : 0 }))
      request.finish()
      return 0
    },
  }
}

export default createSignalPlugin()
