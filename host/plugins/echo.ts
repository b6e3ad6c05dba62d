// The plugin that sends a packet's block back as it is, without a header (modifier1 101): for trying connections out.
import { modifiers } from '../../protocol/modifiers.ts'
import type { Plugin } from '../plugin/plugin.ts'

const echo: Plugin = {
  name: 'echo',
  modifier1: modifiers.echo.modifier1,

  request(request) {
    request.writeRaw(request.vars)
    request.finish()
    return 0
  },
}

export default echo
