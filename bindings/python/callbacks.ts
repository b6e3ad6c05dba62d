// Functions that guests have registered with the server, as the host holds and calls them: for RPC, signals and hooks.
// Invariant: a callback holds one reference to its function until it is released; a call holds one of its own, so that a
// function may be replaced while it runs.
import { GuestError, type PolywsgiError } from '../../host/errors.ts'
import type { Pointer, PythonApi } from './capi.ts'
import { type EventLoop, stopError } from './event-loop.ts'
import type { Interpreter } from './runtime.ts'
import type { Spaces } from './spaces.ts'

/** What a function of RPC answered; undefined for None. */
type Answer = Uint8Array | undefined

/** The plugin's handle of a function. */
export class Callback {
  readonly callbacks: Callbacks
  /** 0 once released. */
  callable: Pointer
  /** The space that was active when the function was registered. */
  readonly space: Pointer

  constructor(callbacks: Callbacks, callable: Pointer, space: Pointer) {
    this.callbacks = callbacks
    this.callable = callable
    this.space = space
  }

  /** @see Callbacks.rpc */
  rpc(args: readonly Uint8Array[]): Answer | Promise<Answer> {
    return this.callbacks.rpc(this, args)
  }

  /** Calls it with the number of a signal. @throws GuestError when it raises */
  signal(signum: number): void | Promise<void> {
    return this.callbacks.signal(this, signum)
  }

  release(): void {
    this.callbacks.release(this)
  }
}

/** Words for the arguments of all calls under way; longer argument lists get memory of their own. */
const argumentWords = 1024

export class Callbacks {
  readonly #interpreter: Interpreter
  readonly #spaces: Spaces
  readonly #loop: EventLoop
  readonly #describe: Pointer
  readonly #run: Pointer
  readonly #checkAnswer: Pointer
  readonly #arguments: Pointer
  #used = 0

  /** @param functions `describe` of guest/errors.py, `run` of guest/asyncio_setup.py, `check_answer` of guest/callbacks.py */
  constructor(
    interpreter: Interpreter,
    spaces: Spaces,
    loop: EventLoop,
    functions: Record<'describe' | 'run' | 'checkAnswer', Pointer>,
  ) {
    this.#interpreter = interpreter
    this.#spaces = spaces
    this.#describe = functions.describe
    this.#loop = loop
    this.#run = functions.run
    this.#checkAnswer = functions.checkAnswer
    this.#arguments = interpreter.api.c.malloc(argumentWords * 4)
  }

  /** Takes a reference to a callable. */
  keep(callable: Pointer): Callback {
    this.#interpreter.api.c.Py_IncRef(callable)
    return new Callback(this, callable, this.#spaces.active)
  }

  release(callback: Callback): void {
    const { callable } = callback
    callback.callable = 0
    if (callable !== 0) this.#interpreter.giveBack(callable)
  }

  /**
   * Calls a function with bytes.
   * @returns what it answered; a promise for a coroutine function that waits for something
   * @throws GuestError when it raises, or answers something that is not bytes
   */
  rpc(callback: Callback, args: readonly Uint8Array[]): Answer | Promise<Answer> {
    const { callable, space } = callback
    return this.#interpreter.enter((api) => {
      const objects: Pointer[] = []
      for (const argument of args) objects.push(api.newBytes(argument))
      // Whatever becomes of the function: it is named when its answer is none.
      if (callable !== 0) api.c.Py_IncRef(callable)
      const read = (result: Pointer): Answer => {
        if (result === api.none) return undefined
        if (api.typeOf(result) === api.bytesType) return api.bytesCopy(result)
        const name = callable === 0 ? api.none : newReference(api, callable)
        const checked = this.#checked(this.call(this.#checkAnswer, space, [name, newReference(api, result)]))
        return checked
      }
      const answer = this.#read(this.#callKept(callback, objects), read)
      if (!(answer instanceof Promise)) {
        if (callable !== 0) api.c.Py_DecRef(callable)
        return answer
      }
      return answer.finally(() => {
        if (callable !== 0) this.#interpreter.giveBack(callable)
      })
    })
  }

  #checked(result: Pointer): Uint8Array {
    const { api } = this.#interpreter
    const bytes = api.bytesCopy(result)
    api.c.Py_DecRef(result)
    return bytes
  }

  /** @throws GuestError when it raises */
  signal(callback: Callback, signum: number): void | Promise<void> {
    return this.#interpreter.enter(({ c }) => this.#read(this.#callKept(callback, [c.PyLong_FromLong(signum)]), () => undefined))
  }

  /**
   * Calls an object of the guest, inside of an entry. What a coroutine function returns is run in the event loop.
   * @param args as for `call`
   * @param read makes a host's value of the result, which is borrowed
   * @throws GuestError when it raises
   */
  callLater<T>(callable: Pointer, space: Pointer, args: readonly Pointer[], read: (result: Pointer) => T): T | Promise<T> {
    return this.#read(this.#callNow(callable, space, args), read)
  }

  /** @param result given away */
  #read<T>(result: Pointer, read: (result: Pointer) => T): T | Promise<T> {
    const value = this.#loop.isLater(result) ? this.#loop.outcome(read) : read(result)
    this.#interpreter.api.c.Py_DecRef(result)
    return value
  }

  #callKept({ callable, space }: Callback, args: readonly Pointer[]): Pointer {
    if (callable !== 0) return this.#callNow(callable, space, args)
    for (const argument of args) if (argument !== 0) this.#interpreter.api.c.Py_DecRef(argument)
    throw new GuestError('python', 'the function is not registered any more', '')
  }

  /**
   * Calls an object of the guest, inside of an entry, by someone who cannot wait: a coroutine function must end at once.
   * @param args new references, which are given away; a 0 among them stands for an exception that is set
   * @returns a new reference
   * @throws GuestError when it raises
   */
  call(callable: Pointer, space: Pointer, args: readonly Pointer[]): Pointer {
    const result = this.#callNow(callable, space, args)
    if (!this.#loop.isLater(result)) return result
    this.#loop.cancelLast()
    throw new GuestError('python', 'RuntimeError: the coroutine function waits for something, but must end at once here', '')
  }

  /** A new reference, which may be the mark of a coroutine that goes on. */
  #callNow(callable: Pointer, space: Pointer, args: readonly Pointer[]): Pointer {
    const { c } = this.#interpreter.api
    c.Py_IncRef(callable)
    // No `finally`: whatever is thrown in here has come through wasm frames, and the interpreter is not to be touched then.
    const outcome = this.#spaces.within(space, () => {
      const result = args.includes(0) ? 0 : this.#invoke(callable, args)
      return result === 0 ? this.takeError() : result
    })
    for (const argument of args) if (argument !== 0) c.Py_DecRef(argument)
    c.Py_DecRef(callable)
    if (typeof outcome !== 'number') throw outcome
    return outcome
  }

  /** A new reference, or 0 with an exception set. */
  #invoke(callable: Pointer, args: readonly Pointer[]): Pointer {
    const { api } = this.#interpreter
    const { c } = api
    const count = args.length
    const isShort = this.#used + count <= argumentWords
    const array = isShort ? this.#arguments + this.#used * 4 : c.malloc(count * 4)
    if (array === 0) return api.raise('memoryError', '')
    for (let index = 0; index < count; index += 1) api.words[(array >> 2) + index] = args[index] as Pointer
    if (isShort) this.#used += count
    const result = c.PyObject_Vectorcall(callable, array, count, 0)
    if (isShort) this.#used -= count
    else c.free(array)
    if (result === 0 || api.typeOf(result) !== api.coroutineType) return result
    const outcome = c.PyObject_CallOneArg(this.#run, result)
    c.Py_DecRef(result)
    return outcome
  }

  /** The pending exception, as text; of code that the host has stopped, what its hook is to end by. */
  takeError(): PolywsgiError {
    const { api } = this.#interpreter
    const { c } = api
    const exception = c.PyErr_GetRaisedException()
    if (exception === 0) return new GuestError('python', 'no exception set', '')
    const stop = c.PyErr_GivenExceptionMatches(exception, api.harakiri) === 0 ? undefined : this.#stopOf(exception)
    if (stop !== undefined) {
      c.Py_DecRef(exception)
      return stop
    }
    const described = c.PyObject_CallOneArg(this.#describe, exception)
    c.Py_DecRef(exception)
    // Out of memory or of stack while describing it.
    if (described === 0) return new GuestError('python', this.#interpreter.takeException(), '')
    const [summary, traceback] = [0, 1].map((index) => {
      const text = api.bytesView(c.PyTuple_GetItem(described, index))
      return Buffer.from(text ?? []).toString('utf8')
    }) as [string, string]
    c.Py_DecRef(described)
    return new GuestError('python', summary, traceback)
  }

  /** Undefined for a wait that was given up. */
  #stopOf(exception: Pointer): PolywsgiError | undefined {
    const { api } = this.#interpreter
    const { c } = api
    const isTold = c.PyObject_GetAttrString(exception, api.name('is_told'))
    const reason = isTold === api.true ? c.PyObject_Str(exception) : 0
    const error = isTold === api.true ? stopError(api, reason === 0 ? api.none : reason) : undefined
    c.PyErr_Clear()
    for (const object of [isTold, reason]) if (object !== 0) c.Py_DecRef(object)
    return error
  }
}

const newReference = ({ c }: PythonApi, object: Pointer): Pointer => {
  c.Py_IncRef(object)
  return object
}
