// Implementations of the group `clocks`: calls to the master, each with the place it was made at, so that the one that every
// thread repeats while it loads counts once.
import { ApiArgumentError, ApiError } from '../../errors.ts'
import type { ApiContext } from '../context.ts'
import { type CronFields, cronFieldFault, cronFieldNames } from '../cron-fields.ts'
import type { ImplementationOf } from '../kinds.ts'
import type { MasterCallTable, Registration } from '../master-calls.ts'
import type { clocks } from '../table/clocks.ts'

type ClockCall = 'addTimer' | 'addRbTimer' | 'addCron' | 'addFileMonitor'
type Arguments<Name extends ClockCall> = Omit<MasterCallTable[Name]['args'], 'registration'>

/** Per thread, of each registration how many equal ones were made while loading. */
const made = new WeakMap<ApiContext, Map<string, number>>()

const serving: Registration = { whileLoading: false, ordinal: 0 }

/** Refused registrations do not count: an app that tries again makes the same registration as before. */
const register = <Name extends ClockCall>(context: ApiContext, name: Name, args: Arguments<Name>): undefined => {
  const call = (registration: Registration): void => {
    context.master.call(name, { ...args, registration } as unknown as MasterCallTable[Name]['args'])
  }
  if (!context.thread.isLoading) {
    call(serving)
    return
  }
  const counts = made.get(context) ?? new Map<string, number>()
  made.set(context, counts)
  const key = JSON.stringify([name, args])
  const ordinal = counts.get(key) ?? 0
  call({ whileLoading: true, ordinal })
  counts.set(key, ordinal + 1)
}

export const clocksImplementation: ImplementationOf<typeof clocks, ApiContext> = {
  add_timer: (context, signum, seconds) => register(context, 'addTimer', { signum, seconds }),
  add_ms_timer: (context, signum, milliseconds) => register(context, 'addTimer', { signum, seconds: milliseconds / 1000 }),
  add_rb_timer: (context, signum, seconds, iterations) =>
    register(context, 'addRbTimer', { signum, milliseconds: seconds * 1000, iterations }),
  add_cron: (context, signum, minute, hour, day, month, week) => {
    const fields: CronFields = [minute, hour, day, month, week]
    for (const [index, name] of cronFieldNames.entries()) {
      const fault = cronFieldFault(name, fields[index] as number)
      if (fault !== undefined) throw new ApiArgumentError('add_cron', name, 'value', `argument ${fault}`)
    }
    register(context, 'addCron', { signum, fields })
    return true
  },
  add_file_monitor: (context, signum, path) => {
    const { access } = context
    if (access.isSandboxed && !access.mayRead(path)) {
      const told = JSON.stringify(path.slice(0, 200))
      throw new ApiError('add_file_monitor', 'API_REFUSED', `not allowed by the sandbox: ${told} is no path that guests may read`)
    }
    return register(context, 'addFileMonitor', { signum, path })
  },
}
