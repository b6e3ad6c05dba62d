// A spooler's life once its apps are loaded: the jobs of one directory.
import type { Role, Work } from './role.ts'
import { SpoolerLoop } from './spooler-loop.ts'

export const runSpooler = async (role: Role): Promise<Work> => {
  const { start, context, registry, log } = role
  const { api, plan } = start
  const { spoolers } = context.shared
  const { spoolerId } = context.thread
  role.ready()
  await role.spoolerInit()
  await role.fixup()
  context.loaded()
  const loop = new SpoolerLoop({
    directory: plan.directory as string,
    frequencyMs: () => spoolers.frequencyMs,
    ordered: api.spoolerOrdered,
    maxTries: api.spoolerMaxTries,
    quiet: api.spoolerQuiet,
    doorbell: context.doorbell,
    handleSignals: () => context.signals.handlePending(),
    plugins: registry.withHook('spooler'),
    log,
    onFatal: role.end,
    onBegun: () => {
      spoolers.jobBegun(spoolerId)
      context.deadlines.workBegins()
    },
    onEnded: (isDone) => {
      context.deadlines.workEnds()
      spoolers.jobEnded(spoolerId, isDone)
    },
  })
  loop.start()
  return loop
}
