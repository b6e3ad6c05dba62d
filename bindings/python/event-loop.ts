// The host's part of asyncio: the turns of the thread's main loop (guest/event_loop.py), the coroutines whose end the host
// waits for, and what coroutines wait for the host to do.
// Invariant: a turn begins from the event loop of the thread, never inside of another entry; every task that was announced
// settles once, and with the interpreter's death at the latest.
import type { Log } from '../../host/api/context.ts'
import type { CpuOwners } from '../../host/api/guest-stops.ts'
import { GuestError, PolywsgiError } from '../../host/errors.ts'
import type { Pointer, PythonApi } from './capi.ts'
import type { Cores } from './cores.ts'
import type { FatalGuestError } from './errors.ts'
import asgiSource from './guest/asgi.py?raw'
import asyncWsgiSource from './guest/async_wsgi.py?raw'
import coroutinesSource from './guest/coroutines.py?raw'
import eventLoopSource from './guest/event_loop.py?raw'
import exchangeSource from './guest/exchange.py?raw'
import lifespanSource from './guest/lifespan.py?raw'
import transportsSource from './guest/transports.py?raw'
import type { HostFunctionDefinition } from './host-function.ts'
import type { Interpreter } from './runtime.ts'

/** Guest files that are run when they are first needed. */
const sources: Readonly<Record<string, string>> = {
  asgi: asgiSource,
  async_wsgi: asyncWsgiSource,
  coroutines: coroutinesSource,
  event_loop: eventLoopSource,
  exchange: exchangeSource,
  lifespan: lifespanSource,
  transports: transportsSource,
}

/** How long a turn that there is no memory for waits until it is tried again. */
const starvedSeconds = 0.02

/** The longest that a timer of Node's may be set to. */
const longestTimerMs = 2 ** 31 - 1

interface Task {
  /** Takes what the coroutine returned; the reference is borrowed. */
  take(result: Pointer): void
  fail(error: unknown): void
}

/** Of guest/event_loop.py and guest/coroutines.py, once these have been run. */
interface Functions {
  readonly turn: Pointer
  readonly complete: Pointer
  readonly fail: Pointer
  readonly cancel: Pointer
  readonly drive: Pointer
}

export class EventLoop {
  readonly #interpreter: Interpreter
  readonly #log: Log
  readonly #cpu: CpuOwners | undefined
  readonly #tasks = new Map<number, Task>()
  readonly #onDeath = new Set<(error: FatalGuestError) => void>()
  /** Makes who is told of the waits of one stretch of code. */
  waitObserver: () => (cancel: ((message: string) => void) | undefined) => void = () => () => {}
  #functions: Functions | undefined
  #use: Pointer = 0
  #later: Pointer = 0
  #lastNumber = 0
  /** The task that was announced last: what an entry that has just returned `LATER` is about. */
  #announced = 0
  #immediate: NodeJS.Immediate | undefined
  #timer: NodeJS.Timeout | undefined
  /** There was no memory for the last turn. */
  #isStarved = false

  constructor(interpreter: Interpreter, log: Log, cpu?: CpuOwners | undefined) {
    this.#interpreter = interpreter
    this.#log = log
    this.#cpu = cpu
  }

  /** @param setup the namespace of guest/asyncio_setup.py */
  setUp(setup: Pointer): void {
    this.#use = this.#interpreter.lookUp(setup, 'use')
    this.#later = this.#interpreter.lookUp(setup, 'LATER')
  }

  /** Whether anything has been run in it. */
  get isUsed(): boolean {
    return this.#announced !== 0 || this.#functions !== undefined
  }

  /** Called when the interpreter has died, for those who wait for something of it. */
  onDeath(listener: (error: FatalGuestError) => void): void {
    this.#onDeath.add(listener)
  }

  /** An object of the guest's that stands for "the coroutine goes on". */
  isLater(result: Pointer): boolean {
    return result === this.#later
  }

  /**
   * The outcome of the coroutine that has just been begun and goes on.
   * @param read makes a host's value of what it returns, a borrowed reference; it may throw
   */
  outcome<T>(read: (result: Pointer) => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const take = (result: Pointer): void => {
      try {
        resolve(read(result))
      } catch (error) {
        reject(error)
      }
    }
    this.#tasks.set(this.#announced, { take, fail: reject })
    return promise
  }

  /** Gives up the coroutine that has just been begun. Inside of an entry. */
  cancelLast(): void {
    this.#call('cancel', [this.#announced])
  }

  /**
   * Runs the loop until the coroutine that has just been begun has ended: at the end of the thread, which has no more turns.
   * Inside of an entry.
   * @returns false when it has not ended in time
   */
  driveLast(seconds: number): boolean {
    const { api } = this.#interpreter
    const number = api.c.PyLong_FromLong(this.#announced)
    const limit = api.c.PyFloat_FromDouble(seconds)
    const result = this.#interpreter.callOwn(this.#started().drive, [number, limit])
    for (const object of [number, limit, result]) api.c.Py_DecRef(object)
    return result === api.true
  }

  /**
   * Something that coroutines wait for.
   * @param make makes a Python object of what it resolves to, inside of an entry: a new reference, or 0 with an exception set
   * @param errorClass the class of what is raised when it rejects, borrowed
   * @param isWanted false: nobody waits for it any more
   * @returns a new reference to its number, for `operation()` of guest/coroutines.py
   */
  operation<T>(
    work: Promise<T>,
    make: (api: PythonApi, value: T) => Pointer,
    errorClass: (error: unknown) => Pointer,
    isWanted: () => boolean = () => true,
  ): Pointer {
    const number = this.#nextNumber()
    const finish = (settle: (api: PythonApi) => Pointer[]): void => {
      if (!isWanted() || this.#interpreter.death !== undefined) return
      this.#enter((api) => {
        const objects = settle(api)
        const isFit = !objects.includes(0)
        if (!isFit) api.c.PyErr_Clear()
        const [first, ...rest] = isFit
          ? objects
          : [this.#started().fail, api.exception('memoryError'), api.newStr('what came does not fit the memory')]
        const numberObject = api.c.PyLong_FromLong(number)
        api.c.Py_DecRef(this.#interpreter.callOwn(first as Pointer, [numberObject, ...rest]))
        api.c.Py_DecRef(numberObject)
        // A class is borrowed, everything else was made for this call.
        api.c.Py_DecRef(rest.at(-1) as Pointer)
      })
    }
    work.then(
      (value) => finish((api) => [this.#started().complete, make(api, value)]),
      (error: unknown) =>
        finish((api) => [
          this.#started().fail,
          errorClass(error),
          api.newStr(error instanceof Error ? error.message : String(error)),
        ]),
    )
    return this.#interpreter.api.c.PyLong_FromLong(number)
  }

  /** What one of our own files that need asyncio defines: a new reference. Inside of an entry. */
  guestMember(file: string, name: string): Pointer {
    const { api } = this.#interpreter
    const text = api.newStr(file)
    const module = this.#interpreter.callOwn(this.#use, [text])
    api.c.Py_DecRef(text)
    return api.c.PyObject_GetAttrString(module, api.name(name))
  }

  definitions(): HostFunctionDefinition[] {
    const { api } = this.#interpreter
    const { c } = api
    const word = (args: Pointer, index: number): Pointer => api.words[(args >> 2) + index]!
    return [
      {
        name: 'source_of',
        doc: 'source_of(name)\n--\n\nThe text of one of our own files.',
        takes: 'one',
        call: (_self, name) => {
          const source = sources[api.strText(name) ?? '']
          if (source !== undefined) return api.newStr(source)
          return c.PyErr_Occurred() === 0 ? api.raise('valueError', 'there is no such file') : 0
        },
      },
      {
        name: 'wake_in',
        doc: 'wake_in(seconds)\n--\n\nAsks for a turn of the main loop.',
        takes: 'one',
        call: (_self, seconds) => {
          const delay = c.PyFloat_AsDouble(seconds)
          if (delay === -1 && c.PyErr_Occurred() !== 0) return 0
          this.#wakeIn(delay)
          return api.none
        },
      },
      {
        name: 'new_task',
        doc: 'new_task()\n--\n\nA number for a task whose end the host waits for.',
        takes: 'positional',
        count: 0,
        call: () => {
          this.#announced = this.#nextNumber()
          return c.PyLong_FromLong(this.#announced)
        },
      },
      {
        name: 'task_done',
        doc: 'task_done(number, result)\n--\n\nTells the host that a task has ended.',
        takes: 'positional',
        count: 2,
        call: (_self, args) => {
          this.#taken(word(args, 0))?.take(word(args, 1))
          return api.none
        },
      },
      {
        name: 'task_failed',
        doc: 'task_failed(number, summary, traceback)\n--\n\nTells the host that a task has raised.',
        takes: 'positional',
        count: 3,
        call: (_self, args) => {
          const error = guestErrorOf(api, word(args, 1), word(args, 2))
          if (error === undefined) return 0
          this.#taken(word(args, 0))?.fail(error)
          return api.none
        },
      },
      {
        name: 'task_stopped',
        doc: 'task_stopped(number, reason)\n--\n\nTells the host that a task has ended because the host has stopped it.',
        takes: 'positional',
        count: 2,
        call: (_self, args) => {
          this.#taken(word(args, 0))?.fail(stopError(api, word(args, 1)))
          return api.none
        },
      },
      {
        name: 'log_text',
        doc: 'log_text(line)\n--\n\nWrites to the log.',
        takes: 'one',
        call: (_self, line) => {
          const text = api.bytesView(line)
          if (text === undefined) return 0
          this.#log.text(utf8.decode(text))
          return api.none
        },
      },
    ]
  }

  #nextNumber(): number {
    this.#lastNumber = (this.#lastNumber % 0x3fffffff) + 1
    return this.#lastNumber
  }

  #taken(numberObject: Pointer): Task | undefined {
    const { api } = this.#interpreter
    const number = api.c.PyLong_AsLongAndOverflow(numberObject, api.out)
    api.c.PyErr_Clear()
    const task = this.#tasks.get(number)
    this.#tasks.delete(number)
    return task
  }

  #wakeIn(seconds: number): void {
    if (this.#immediate !== undefined) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (!(seconds > 0)) this.#immediate = setImmediate(this.#turn)
    // Rounded up: a turn before the time would find nothing to do.
    else this.#timer = setTimeout(this.#turn, Math.min(Math.ceil(seconds * 1000), longestTimerMs))
  }

  readonly #turn = (): void => {
    this.#immediate = undefined
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#interpreter.death !== undefined) return
    const { cores } = this.#interpreter
    const outer = this.#cpu?.current
    if (cores === undefined) this.#call('turn', [])
    else this.#turnOnCore(cores)
    this.#cpu?.switchTo(outer)
  }

  /**
   * A handle that waits in a plain call suspends its turn, and others are run in the next one. Where memory holds no more of them,
   * that one is tried again until some have gone on.
   */
  #turnOnCore(cores: Cores): void {
    try {
      const { turn } = this.#functions ?? this.#interpreter.enter(() => this.#started())
      const running = cores.enter({
        callable: turn,
        args: () => [],
        finish: (result) => {
          if (result === 0) throw this.#interpreter.died(new Error(`a turn failed: ${this.#interpreter.takeException()}`))
          this.#interpreter.api.c.Py_DecRef(result)
        },
        onWait: this.observeWaits(),
        servesMany: true,
      })
      this.#isStarved = false
      if (running instanceof Promise) running.catch((error: unknown) => this.#failed(error))
    } catch (error) {
      if (!(error instanceof GuestError) || this.#interpreter.death !== undefined) return this.#failed(error)
      if (!this.#isStarved) this.#log.text(`python: the event loop waits: ${error.message}`)
      this.#isStarved = true
      this.#wakeIn(starvedSeconds)
    }
  }

  /** Told of each wait that suspends code of the loop, with what ends it, and of its end. Where there are cores. */
  observeWaits(): (cancel: ((message: string) => void) | undefined) => void {
    const observe = this.waitObserver()
    return (cancel) => {
      observe(cancel)
      // What else is ready does not wait for this; and this may have held the place of the one who asks for turns.
      if (cancel !== undefined) this.#wakeIn(0)
    }
  }

  #call(name: keyof Functions, numbers: readonly number[]): void {
    this.#enter((api) => {
      const objects = numbers.map((number) => api.c.PyLong_FromLong(number))
      const result = this.#interpreter.callOwn(this.#started()[name], objects)
      for (const object of [...objects, result]) api.c.Py_DecRef(object)
    })
  }

  /** An entry of which nobody waits for the end. */
  #enter(work: (api: PythonApi) => void): void {
    try {
      this.#interpreter.enter(work)
    } catch (error) {
      this.#failed(error)
    }
  }

  #failed(error: unknown): void {
    if (this.#interpreter.death === undefined) throw error
    // Those who wait for something of it say so to the server.
    for (const task of this.#tasks.values()) task.fail(error)
    this.#tasks.clear()
    for (const listener of this.#onDeath) listener(this.#interpreter.death)
  }

  /** Inside of an entry, with asyncio in use. */
  #started(): Functions {
    if (this.#functions !== undefined) return this.#functions
    const { api } = this.#interpreter
    const { c } = api
    const member = (name: string): Pointer => this.guestMember('coroutines', name)
    this.#functions = {
      turn: c.PyObject_GetAttrString(member('loop'), api.name('turn')),
      complete: member('complete'),
      fail: member('fail'),
      cancel: member('cancel'),
      drive: member('drive'),
    }
    return this.#functions
  }
}

/** How a hook ends whose code the host has stopped. @param reason a str, borrowed: the guest may have made anything of it */
export const stopError = (api: PythonApi, reason: Pointer): PolywsgiError => {
  const text = api.typeOf(reason) === api.strType ? api.strText(reason) : undefined
  api.c.PyErr_Clear()
  return new PolywsgiError('HARAKIRI', text ?? 'harakiri')
}

/** Undefined, with an exception set, for what are no bytes. */
export const guestErrorOf = (api: PythonApi, summary: Pointer, traceback: Pointer): GuestError | undefined => {
  const [first, second] = [summary, traceback].map((object) => {
    const bytes = api.bytesView(object)
    return bytes === undefined ? undefined : utf8.decode(bytes)
  })
  return first === undefined || second === undefined ? undefined : new GuestError('python', first, second)
}

const utf8 = new TextDecoder()
