// When workers are renewed, and how many run: the plans of it, from the options, checked as a whole.
import type { Settings } from './config/index.ts'
import { ConfigError } from './errors.ts'
import { type CheaperPlan, cheaperAlgorithms } from './master/cheaper.ts'
import type { RecyclingPlan } from './worker/recycling.ts'

type RecyclingSettings = Pick<
  Settings,
  | 'maxRequests'
  | 'maxRequestsDelta'
  | 'minWorkerLifetime'
  | 'maxWorkerLifetime'
  | 'maxWorkerLifetimeDelta'
  | 'reloadOnRss'
  | 'memCollectorFreq'
>

/** Undefined: no worker is ever renewed by itself. */
export const planRecycling = (settings: RecyclingSettings): RecyclingPlan | undefined => {
  const { maxRequests = 0, maxRequestsDelta, minWorkerLifetime, maxWorkerLifetime, maxWorkerLifetimeDelta } = settings
  const { reloadOnRss, memCollectorFreq } = settings
  if (maxRequests === 0 && maxWorkerLifetime === 0 && reloadOnRss === 0) return undefined
  return {
    maxRequests,
    maxRequestsDelta,
    minLifetimeMs: minWorkerLifetime * 1000,
    maxLifetimeMs: maxWorkerLifetime * 1000,
    maxLifetimeDeltaMs: maxWorkerLifetimeDelta * 1000,
    maxMemory: reloadOnRss * 2 ** 20,
    memoryIntervalMs: memCollectorFreq * 1000,
  }
}

type CheaperSettings = Pick<
  Settings,
  | 'workers'
  | 'async'
  | 'cheaper'
  | 'cheaperInitial'
  | 'cheaperStep'
  | 'cheaperOverload'
  | 'cheaperAlgo'
  | 'cheaperBusynessMax'
  | 'cheaperBusynessMin'
  | 'cheaperBusynessMultiplier'
>

export interface PlannedCheaper extends CheaperPlan {
  /** What is to be said in the log of it; '' for nothing. */
  readonly warning: string
}

/**
 * Undefined: all workers run all the time.
 * @throws ConfigError as uWSGI refuses it
 */
export const planCheaper = (settings: CheaperSettings): PlannedCheaper | undefined => {
  const { workers, cheaper, cheaperInitial, cheaperStep, cheaperOverload, cheaperAlgo } = settings
  const algorithm = cheaperAlgorithms.find((name) => name === cheaperAlgo)
  if (algorithm === undefined) {
    const [last, ...others] = [...cheaperAlgorithms].reverse()
    throw bad(`cheaper-algo = ${cheaperAlgo}: there is no such algorithm: ${others.reverse().join(', ')} and ${last} are known`)
  }
  if (cheaper === 0) return undefined
  if (cheaper >= workers) throw bad(`cheaper = ${cheaper}: invalid cheaper value: must be lower than processes (${workers})`)
  const { cheaperBusynessMax: max, cheaperBusynessMin: min, cheaperBusynessMultiplier: multiplier } = settings
  if (min >= max) throw bad(`cheaper-busyness-min = ${min}: it must be lower than cheaper-busyness-max (${max})`)
  const isOutside = cheaperInitial !== 0 && (cheaperInitial < cheaper || cheaperInitial > workers)
  return {
    algorithm,
    fewest: cheaper,
    most: workers,
    initial: cheaperInitial === 0 || isOutside ? cheaper : cheaperInitial,
    step: cheaperStep,
    overload: cheaperOverload,
    cores: settings.async,
    busyness: { min, max, multiplier },
    warning: isOutside
      ? `cheaper-initial = ${cheaperInitial} is passed over: it must be between cheaper (${cheaper}) and processes (${workers})`
      : '',
  }
}

const bad = (message: string): ConfigError => new ConfigError('CONFIG_BAD_VALUE', message)
