// The calls of other threads that the clocks answer.
import type { CallHandlers } from './call-handlers.ts'
import type { FileMonitors } from './file-monitors.ts'
import type { Scheduler } from './scheduler.ts'

export const clockHandlers = (
  scheduler: Scheduler,
  monitors: FileMonitors,
): Pick<CallHandlers, 'addTimer' | 'addRbTimer' | 'addCron' | 'addFileMonitor'> => ({
  addTimer: (args) => scheduler.addTimer(args),
  addRbTimer: (args) => scheduler.addRbTimer(args),
  addCron: (args) => scheduler.addCron(args),
  addFileMonitor: (args) => monitors.addFileMonitor(args),
})
