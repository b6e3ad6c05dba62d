// Which threads there are for signals, and what a receiver means: uWSGI's target texts (`worker2`, `farm_mail`, ...) as
// thread numbers and pools. Pure: the same text and the same threads always give the same target.

export interface SignalFarm {
  readonly name: string
  /** Numbers of mules, from 1. */
  readonly mules: readonly number[]
}

/** The threads that take signals. Their numbers: workers from 1, then mules, then spoolers; the master is 0. */
export interface SignalShape {
  readonly workers: number
  readonly mules: number
  readonly spoolers: number
  readonly farms: readonly SignalFarm[]
  /** Signals one queue holds; rounded up to a power of two. */
  readonly bufferSize: number
  /** The highest seat that a thread may have; without it each thread's is its number. */
  readonly seats?: number
}

export const seatCount = (shape: SignalShape): number => 1 + (shape.seats ?? threadCount(shape) - 1)

export const threadCount = (shape: SignalShape): number => 1 + shape.workers + shape.mules + shape.spoolers

/** As the log names a thread: `worker 1`, `mule 2`. */
export const threadName = (shape: SignalShape, thread: number): string => {
  if (thread === 0) return 'the master'
  if (thread <= shape.workers) return `worker ${thread}`
  const mule = thread - shape.workers
  return mule <= shape.mules ? `mule ${mule}` : `spooler ${mule - shape.mules}`
}

/** Threads that share one queue: whichever of them looks first takes the signal. */
export interface SignalPool {
  readonly name: string
  /** Thread numbers. */
  readonly members: readonly number[]
}

/** The pool of all workers is the first. */
export const workersPool = 0
const mulesPool = 1
const spoolersPool = 2
const firstFarmPool = 3

/** Workers, mules, spoolers, then the farms in their order. */
export const signalPools = (shape: SignalShape): SignalPool[] => {
  const { workers, mules, spoolers, farms } = shape
  const pool = (name: string, first: number, count: number): SignalPool => ({
    name,
    members: Array.from({ length: count }, (_, index) => first + index),
  })
  return [
    pool('workers pool', 1, workers),
    pool('mules pool', 1 + workers, mules),
    pool('spoolers pool', 1 + workers + mules, spoolers),
    ...farms.map((farm) => ({ name: `farm ${farm.name}`, members: farm.mules.map((mule) => workers + mule) })),
  ]
}

export type SignalTarget =
  /** Exactly one of the pool. */
  | { readonly kind: 'pool'; readonly pool: number }
  /** Each of these threads; `aliveOnly`: but not those that are down at the moment. */
  | { readonly kind: 'threads'; readonly threads: readonly number[]; readonly aliveOnly: boolean }
  /** Accepted, and delivered to nobody (`subscribed`). */
  | { readonly kind: 'nobody' }
  /** Well formed, but this server has no such thread: the same app may run where there is one. */
  | { readonly kind: 'absent'; readonly reason: string }
  | { readonly kind: 'invalid'; readonly reason: string }

const absent = (reason: string): SignalTarget => ({ kind: 'absent', reason })
const invalid = (reason: string): SignalTarget => ({ kind: 'invalid', reason })

export const parseReceiver = (receiver: string, shape: SignalShape): SignalTarget => {
  const { workers, mules, farms } = shape
  const pools = signalPools(shape)
  const all = (pool: number): readonly number[] => (pools[pool] as SignalPool).members
  const anyOf = (pool: number): SignalTarget =>
    all(pool).length > 0 ? { kind: 'pool', pool } : absent(`there is no thread for '${receiver}'`)
  const each = (threads: readonly number[], aliveOnly = false): SignalTarget =>
    threads.length > 0 ? { kind: 'threads', threads, aliveOnly } : absent(`there is no thread for '${receiver}'`)

  if (receiver === '' || receiver === 'worker') return anyOf(workersPool)
  if (receiver === 'workers') return each(all(workersPool))
  if (receiver === 'active-workers') return each(all(workersPool), true)
  if (receiver === 'mule') return anyOf(mulesPool)
  if (receiver === 'mules') return each(all(mulesPool))
  if (receiver === 'spooler') return anyOf(spoolersPool)
  if (receiver === 'subscribed') return { kind: 'nobody' }
  if (receiver.startsWith('farm_')) {
    const name = receiver.slice('farm_'.length)
    const farm = farms.findIndex((one) => one.name === name)
    return farm < 0 ? absent(`unknown farm: ${name}`) : anyOf(firstFarmPool + farm)
  }
  const numbered = /^(worker|mule|farm)([0-9]+)$/.exec(receiver)
  if (numbered === null) return invalid(`'${receiver}' is no signal target`)
  const number = Number(numbered[2])
  if (numbered[1] === 'farm')
    return number >= 1 && number <= farms.length
      ? anyOf(firstFarmPool + number - 1)
      : absent(noSuch('farm', number, farms.length))
  if (numbered[1] === 'worker') {
    if (number === 0) return anyOf(workersPool)
    return number <= workers ? each([number]) : absent(noSuch('worker', number, workers))
  }
  if (number === 0) return anyOf(mulesPool)
  return number <= mules ? each([workers + number]) : absent(noSuch('mule', number, mules))
}

const noSuch = (what: string, number: number, count: number): string => `there is no ${what} ${number} (of ${count})`
