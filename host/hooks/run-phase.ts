// Runs the steps of one phase, one after the other, in the thread whose environment it is given.
import { boundedCall } from '../plugin/bounded-call.ts'
import { isThrown, thrownMessage } from '../plugin/thrown.ts'
import { ActionFailure, type HookEnvironment, HookError, HookExit, type RunAction } from './action.ts'
import { actions } from './actions/index.ts'
import { type HookPhase, hookPhases } from './phases.ts'
import type { HookPlan, HookStep } from './plan.ts'

/**
 * Runs a phase. What fails is told in the log; where that is fatal nothing more of the phase runs.
 * @param consequence what a fatal failure means here, for the log
 * @throws HookError for a fatal failure; HookExit for the action `exit`
 */
export const runPhase = async (
  plan: HookPlan,
  phase: HookPhase,
  environment: HookEnvironment,
  consequence = 'destroying instance',
): Promise<void> => {
  await runSteps(plan.phases[phase] ?? [], phase, environment, consequence)
}

/** As `runPhase`, for some steps of a phase. */
export const runSteps = async (
  steps: readonly HookStep[],
  phase: HookPhase,
  environment: HookEnvironment,
  consequence = 'destroying instance',
): Promise<void> => {
  const { title, isFatal } = hookPhases[phase]
  const { log } = environment
  for (const step of steps) {
    if (environment.signal.aborted) throw new HookError('the server is stopping')
    if (step.label !== undefined) log.text(`running ${step.label} (${title})...`)
    try {
      await actionOf(step, environment)(environment)
    } catch (error) {
      if (isThrown(error, HookExit)) throw error
      const message = step.isPrivate ? 'the private hook has failed' : thrownMessage(error)
      log.text(message)
      if (!isFatal) continue
      log.text(`FATAL hook failed, ${consequence}`)
      // The log has the whole of it, with a traceback.
      throw new HookError(`${step.option} = ${step.text}: ${message.split('\n', 1)[0]}`, { cause: error })
    }
  }
}

const actionOf = ({ action, argument }: HookStep, { plugins, callLimitMs }: HookEnvironment): RunAction => {
  const own = actions.get(action)
  if (own !== undefined) return own.prepare(argument)
  const plugin = plugins().find(({ hookActions }) => hookActions !== undefined && Object.hasOwn(hookActions, action))
  const run = plugin?.hookActions?.[action]
  // Its plugin was dropped, or has it in the master only.
  if (run === undefined) throw new ActionFailure(`hook action not found: ${action}`)
  return async () => {
    const result = await boundedCall(() => run(argument), callLimitMs)
    if (result !== undefined && result !== 0) throw new ActionFailure(`hook action ${action} returned ${result}`)
  }
}
