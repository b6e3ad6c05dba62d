// Whom guest code runs for, through everything it waits for: a function goes on, after each of its awaits, for the request
// it was called for, whoever settles the promise; a callback of `then` runs for the one that `then` was called for.
// Invariants: the places in the interpreter's memory are found and proved before anything relies on them; what nobody is known
// for runs for nobody, never for another request.
import { type WasmInstance, wasm } from '../../host/plugin/web-assembly.ts'
import { type ContextPlaces, replaced, watcher } from './context-code.ts'
import type { Engine, Pointer } from './engine.ts'
import * as layout from './layout.ts'

// JSRuntime is smaller than this.
const runtimeWords = 128
const objectData = 32
// JSJobEntry; of a reaction the handler is the third argument.
const jobFunction = 12
const jobHandler = 40
/** JSClass: six words, the fifth is what calls objects of the class. */
const classSize = 24
const classCall = 16

const unlike = (what: string): Error => new Error(`this build of QuickJS has no ${what} where expected`)

export class AsyncContext {
  readonly #engine: Engine
  readonly #word: number
  readonly #enter: (id: number) => void
  /** Told whose work a job is, just before it runs. Called only where that was asked for. */
  onJob: (id: number) => void = () => {}

  /** To be made before guest code runs. @param isWatched whether `onJob` is to be called */
  constructor(engine: Engine, isWatched: boolean) {
    this.#engine = engine
    const current = engine.allocate(4)
    engine.u32[current >> 2] = 0
    this.#word = current >> 2
    this.#enter = this.#install(current, isWatched)
    this.#prove()
  }

  /** A number that says whom guest code runs for now, below 2^30; 0 for nobody. */
  get current(): number {
    return this.#engine.i32[this.#word]!
  }

  set current(id: number) {
    if (this.#engine.dead === undefined) this.#enter(id)
  }

  #install(current: Pointer, isWatched: boolean): (id: number) => void {
    const engine = this.#engine
    const { table } = engine
    const marker = this.#made('({})')
    const words = engine.runtime >> 2
    const objectsAt = engine.u32.subarray(words, words + runtimeWords).indexOf(marker + 8)
    if (objectsAt < 0) throw unlike('list of objects')
    // struct JSRuntime: class_array, context_list (two words), gc_obj_list.
    const classes = engine.u32[words + objectsAt - 3]!
    const promise = this.#classOf(this.#made('Promise.prototype.constructor.resolve()'))
    const resolveClass = promise + 1
    if (engine.u32[(classes + resolveClass * classSize) >> 2] !== resolveClass) throw unlike('list of classes')

    const empty = new Set<number>()
    for (let at = words; at < words + runtimeWords - 1; at += 1) {
      if (engine.u32[at] === at * 4 && engine.u32[at + 1] === at * 4) empty.add(at)
    }
    const lastJob = (source: string): { jobs: number; entry: Pointer } => {
      this.#made(source)
      const jobs = [...empty].find((at) => engine.u32[at] !== at * 4)
      if (jobs === undefined) throw unlike('list of jobs')
      return { jobs: jobs * 4, entry: engine.u32[jobs]! }
    }
    const reaction = lastJob('Promise.resolve().then(() => {})')
    const reactionJob = engine.u32[(reaction.entry + jobFunction) >> 2]!
    const thenableJob = engine.u32[(lastJob('Promise.resolve({ then() {} })').entry + jobFunction) >> 2]!
    const last = lastJob('Promise.resolve().finally(() => {})').entry
    if (reactionJob === thenableJob || engine.u32[(last + jobFunction) >> 2] !== reactionJob) throw unlike('kind of jobs')
    const handler = engine.u32[(last + jobHandler) >> 2]!
    const finallyFunction = engine.u32[engine.u32[(handler + objectData) >> 2]! >> 2]!
    const nothing = engine.newFunction('probe', () => 0)
    const hostFunction = engine.u32[engine.u32[(engine.u32[nothing >> 2]! + objectData) >> 2]! >> 2]!
    engine.free(nothing)
    const functionDataClass = this.#classOf(handler)
    engine.free(engine.enter(() => engine.ffi._QTS_ExecutePendingJob(engine.runtime, -1, current)))
    engine.u32[current >> 2] = 0

    const then = this.#made('Promise.prototype.then')
    const index = {
      reaction: reactionJob,
      thenable: thenableJob,
      // biome-ignore lint/suspicious/noThenProperty: nobody awaits a table of functions
      then: engine.u32[(then + layout.arrayData) >> 2]!,
      resolve: engine.u32[(classes + resolveClass * classSize + classCall) >> 2]!,
    }
    const places: ContextPlaces = {
      current,
      objects: (words + objectsAt) * 4,
      marker: marker + 8,
      jobs: reaction.jobs,
      thenableJob,
      finallyFunction,
      hostFunction,
      resolveClass,
      asyncResolveClass: this.#classOf(this.#made('(async () => {})')) + 1,
      functionDataClass,
      asyncGeneratorClass: this.#classOf(this.#made('(async function* () {})()')),
      isWatched: isWatched ? 1 : 0,
    }
    const originals = Object.fromEntries(replaced.map((name) => [name, table.get(index[name])]))
    const { exports }: WasmInstance = new wasm.Instance(engine.contextImage, {
      h: { memory: engine.memory, ...originals, ...places, [watcher]: (id: number) => this.onJob(id) },
    })
    for (const name of replaced) {
      table.set(index[name], exports[`on${name[0]!.toUpperCase()}${name.slice(1)}`])
    }
    return exports['enter'] as (id: number) => void
  }

  /** The address of the object that an expression gives; it is kept. */
  #made(source: string): Pointer {
    const value = this.#engine.evaluate(source, 'polywsgi:probe.js')
    if (this.#engine.i32[(value >> 2) + 1] !== layout.Tag.object) throw unlike('object')
    return this.#engine.u32[value >> 2]!
  }

  #classOf(object: Pointer): number {
    const word = this.#engine.u32[(object + 4) >> 2]!
    return word >>> 16
  }

  /** Lets each way of waiting end for somebody else, who settles what it waits for, and sees for whom it goes on. */
  #prove(): void {
    const engine = this.#engine
    const seen: number[] = []
    const probe = engine.newFunction('probe', () => {
      seen.push(this.current)
      return 0
    })
    const script = engine.evaluate(
      `(function (probe) {
        const gate = Promise.withResolvers()
        const later = { then(resolve) { probe(); gate.promise.then(resolve) } }
        const ways = [
          async () => { await gate.promise; probe(); await null; probe() },
          () => { gate.promise.then(probe) },
          () => { gate.promise.finally(probe) },
          async () => { for await (const _ of (async function* () { await gate.promise; probe(); yield 1 })()) probe() },
          async () => { await later; probe() },
          () => { Promise.all([gate.promise]).then(probe) },
        ]
        return (way) => way < 0 ? gate.resolve() : void ways[way]()
      })`,
      'polywsgi:probe.js',
    )
    engine.setValue(0, probe)
    const run = engine.call(script, 1)
    const ways = 6
    for (let way = 0; way <= ways; way += 1) {
      this.current = way + 1
      engine.setInt(0, way < ways ? way : -1)
      engine.free(engine.call(run, 1))
    }
    const scratch = engine.allocate(4)
    this.current = ways + 2
    engine.free(engine.enter(() => engine.ffi._QTS_ExecutePendingJob(engine.runtime, -1, scratch)))
    const outer = this.current
    this.current = 0
    engine.ffi._free(scratch)
    for (const value of [run, script, probe]) engine.free(value)
    const sorted = seen.toSorted((left, right) => left - right).join()
    if (outer !== ways + 2 || sorted !== '1,1,2,3,4,4,5,5,6') throw unlike(`way to follow promises (${sorted})`)
  }
}
