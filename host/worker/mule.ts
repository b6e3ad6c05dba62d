// A mule's life once its apps are loaded: a program of its own, or the loop that takes messages.
import { GuestError } from '../errors.ts'
import { isThrown, thrownMessage, thrownText } from '../plugin/thrown.ts'
import { MuleLoop } from './mule-loop.ts'
import type { Role, Work } from './role.ts'

/** @returns undefined for a mule whose program keeps its thread: it is ended where it stands */
export const runMule = async (role: Role): Promise<Work | undefined> => {
  const { start, context, registry, contextOf, log } = role
  const { program } = start.plan
  const { muleId } = context.thread
  // Said before anything of the guest's runs: what it set as post_fork_hook may wait for messages for ever.
  role.ready()
  await role.fixup()
  if (program !== undefined && program !== '') {
    try {
      for (const plugin of registry.withHook('mule')) {
        if ((await plugin.mule?.(program, contextOf(plugin))) !== true) continue
        role.end(`its program ${program} has ended`)
        return undefined
      }
      log.text(`mule ${muleId}: no plugin runs the program ${program}`)
    } catch (error) {
      log.text(isThrown(error, GuestError) ? error.report : thrownText(error))
      role.end(`its program ${program} failed: ${thrownMessage(error)}`)
      return undefined
    }
  }
  context.loaded()
  const loop = new MuleLoop({
    muleId,
    doorbell: context.doorbell,
    take: () => context.mules.take(),
    handleSignals: () => context.signals.handlePending(),
    workBegins: () => context.deadlines.workBegins(),
    workEnds: () => context.deadlines.workEnds(),
    plugins: registry.withHook('muleMsg'),
    log,
    onFatal: role.end,
  })
  loop.start()
  return loop
}
