// Implementations of the group `alarms`. Delivery is the master's: a thread only tells it.

import { ApiError } from '../../errors.ts'
import type { ApiContext } from '../context.ts'
import type { ImplementationOf } from '../kinds.ts'
import type { alarms } from '../table/alarms.ts'

export const alarmsImplementation: ImplementationOf<typeof alarms, ApiContext> = {
  alarm: ({ alarmNames, master }, name, message) => {
    if (!alarmNames.includes(name)) {
      const known = alarmNames.length === 0 ? 'none is configured' : `there are ${alarmNames.join(', ')}`
      throw new ApiError('alarm', 'API_REFUSED', `there is no alarm '${name}': ${known}`)
    }
    master.notify('alarm', { name, message })
    return undefined
  },
}
