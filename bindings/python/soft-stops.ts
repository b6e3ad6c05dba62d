// Stops code that overran by CPython's own means: it polls for signals between instructions, and so do those of its built-ins that
// may take long (regular expressions, large numbers, sleep). A signal of ours has a handler that raises Harakiri, which no `except
// Exception` holds up.
// Invariant: the exception is raised in the very frame that was judged, before it runs on; never in code of the server's own, nor
// while a module is being found, which would be left half done.
import type { GuestStops } from '../../host/api/guest-stops.ts'
import type { Pointer, PythonApi } from './capi.ts'
import harakiriSource from './guest/harakiri.py?raw'
import type { HostFunctionDefinition } from './host-function.ts'
import { raiseHarakiri } from './raise.ts'
import { guestFilePrefix, type Interpreter } from './runtime.ts'

/** The last one there is: programs do not use it. */
const stopSignal = 64
/** PyThreadState: where it has the word that makes running code look for signals, and the bit that does. */
const evalBreakerOffset = 12
const signalsPending = 0x02

/** Files whose code is left to go on until it calls, or returns to, something else. */
const ownFiles = [guestFilePrefix, '<frozen importlib']

export class SoftStops {
  readonly #interpreter: Interpreter
  readonly #stops: GuestStops
  readonly #stackOf: Pointer
  /** `signal.signal`, and room for its arguments: our number and our handler. */
  readonly #setHandler: Pointer
  readonly #handlerArguments: Pointer
  /** Why the code is to be stopped that runs at this moment. */
  #reason: string | undefined
  /** Told that the code of the outermost entry is stopped. */
  onStop: (reason: string) => void = () => {}
  #isBusy = false

  /** Inside of an entry. Other guest files find the exception's class in `namespace`. */
  constructor(interpreter: Interpreter, stops: GuestStops) {
    const { api } = interpreter
    const { c } = api
    this.#interpreter = interpreter
    this.#stops = stops
    const namespace = interpreter.runGuestFile('harakiri', harakiriSource)
    api.harakiri = interpreter.lookUp(namespace, 'Harakiri')
    this.toldStop = interpreter.lookUp(namespace, 'told_stop')
    this.#stackOf = interpreter.lookUp(namespace, 'stack_of')
    const signals = c.PyImport_ImportModule(api.name('_signal'))
    this.#setHandler = c.PyObject_GetAttrString(signals, api.name('signal'))
    this.#handlerArguments = c.malloc(8)
    const [handler] = interpreter.hostFunctions([this.#handler(api)], 'polywsgi')
    api.words.set([c.PyLong_FromLong(stopSignal), handler as Pointer], this.#handlerArguments >> 2)
    this.#install()
    const { word } = stops
    interpreter.watchSignals(() => (word[0] === 0 || this.#isBusy ? 0 : this.#look()))
  }

  /** guest/harakiri.py's function of that name (borrowed). */
  readonly toldStop: Pointer

  /** Something in this thread overran. Returns the signal that stops what runs. */
  #look(): number {
    const { cores } = this.#interpreter
    this.#isBusy = true
    // Nothing that is called in here can be suspended.
    if (cores !== undefined) cores.hostDepth += 1
    const reason = this.#isInOwnCode() ? undefined : this.#stops.judge()
    if (reason !== undefined) {
      this.#reason = reason
      // The guest may have taken it away.
      this.#install()
      // CPython tells the thread state it began with, which is not that of a core.
      const { c, words } = this.#interpreter.api
      const breaker = (c.PyThreadState_Get() + evalBreakerOffset) >> 2
      words[breaker] = words[breaker]! | signalsPending
    }
    if (cores !== undefined) cores.hostDepth -= 1
    this.#isBusy = false
    return reason === undefined ? 0 : stopSignal
  }

  /** Then the word stays set, and is looked at again a little later. */
  #isInOwnCode(): boolean {
    const { api } = this.#interpreter
    const { c } = api
    const frame = c.PyEval_GetFrame()
    if (frame === 0) return true
    const code = c.PyFrame_GetCode(frame)
    const file = c.PyObject_GetAttrString(code, api.name('co_filename'))
    const name = api.strText(file) ?? ''
    c.PyErr_Clear()
    c.Py_DecRef(file)
    c.Py_DecRef(code)
    return ownFiles.some((prefix) => name.startsWith(prefix))
  }

  #install(): void {
    const { c } = this.#interpreter.api
    const before = c.PyObject_Vectorcall(this.#setHandler, this.#handlerArguments, 2, 0)
    // A handler of the guest's for some other signal may have raised.
    if (before === 0) c.PyErr_Clear()
    else c.Py_DecRef(before)
  }

  #handler(api: PythonApi): HostFunctionDefinition {
    return {
      name: 'stop',
      doc: 'stop(signum, frame)\n--\n\nEnds code that overran, when the host has found that it did.',
      takes: 'positional',
      count: 2,
      call: (_self, args) => {
        const reason = this.#reason
        if (reason === undefined) return api.none
        this.#reason = undefined
        this.#isBusy = true
        const trace = this.#trace(api.words[(args >> 2) + 1]!, reason)
        this.#isBusy = false
        this.#stops.stopped(trace)
        // What was called by way of the server is not the request below it.
        if (!this.#interpreter.isNested) {
          this.#interpreter.cores?.stopCurrent(reason)
          this.onStop(reason)
        }
        return raiseHarakiri(api, reason)
      },
    }
  }

  #trace(frame: Pointer, reason: string): string {
    const { api } = this.#interpreter
    const { c } = api
    const args = c.malloc(8)
    const text = args === 0 ? 0 : api.newStr(reason)
    let trace = 0
    if (text !== 0) {
      api.words.set([frame, text], args >> 2)
      trace = c.PyObject_Vectorcall(this.#stackOf, args, 2, 0)
      c.Py_DecRef(text)
    }
    c.free(args)
    const result = trace === 0 ? '' : Buffer.from(api.bytesView(trace) ?? []).toString('utf8')
    // There was no room left for the call: the code is stopped all the same.
    if (trace === 0) c.PyErr_Clear()
    else c.Py_DecRef(trace)
    return result
  }
}
