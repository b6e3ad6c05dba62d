// Implementations of the group `mules`. Whatever waits, waits in the thread's own part of it (`context.mules`).

import { ApiArgumentError } from '../../errors.ts'
import type { ApiContext } from '../context.ts'
import type { ImplementationOf } from '../kinds.ts'
import type { mules } from '../table/mules.ts'

const utf8 = new TextDecoder()
const nothing = new Uint8Array(0)

export const mulesImplementation: ImplementationOf<typeof mules, ApiContext> = {
  mule_msg: ({ mules }, message, target) => mules.send(message, target instanceof Uint8Array ? utf8.decode(target) : target),
  farm_msg: ({ mules, log }, farm, message) => {
    if (!mules.send(message, farm, 'farm_msg')) log.text(`the queue of farm ${farm} is full: a message was dropped`)
    return undefined
  },
  mule_get_msg: ({ mules }, signals, farms, bufferSize, timeout) => {
    if (Number.isNaN(timeout)) {
      throw new ApiArgumentError('mule_get_msg', 'timeout', 'value', "argument 'timeout' must be a number of seconds, not NaN")
    }
    const message = mules.receive({ signals, farms, timeoutMs: timeout < 0 ? -1 : timeout * 1000 })
    return message?.subarray(0, bufferSize) ?? nothing
  },
  farm_get_msg: ({ mules }) => mules.receiveFromFarm(),
  in_farm: ({ mules }, farm) => mules.isInFarm(farm) || undefined,
}
