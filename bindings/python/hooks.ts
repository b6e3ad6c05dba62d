// What guests assign to members of the `uwsgi` module for the server to call: looked up there each time, as uWSGI does.
// Invariant: a hook that nobody has set costs one look into the module's dict.
import type { Log } from '../../host/api/context.ts'
import type { BytesMap } from '../../host/api/kinds.ts'
import { GuestError } from '../../host/errors.ts'
import type { Callbacks } from './callbacks.ts'
import type { Pointer } from './capi.ts'
import { numberFromPython, taskDict } from './convert.ts'
import type { Interpreter } from './runtime.ts'
import type { Spaces } from './spaces.ts'

const names = ['post_fork_hook', 'after_req_hook', 'mule_msg_hook', 'spooler', 'atexit'] as const
type HookName = (typeof names)[number]

/** Keep the job and try it again: what uWSGI takes anything for that is no number. */
const spoolRetry = -1
const spoolIgnore = 0

interface Hook {
  /** The name as a Python str. */
  readonly key: Pointer
  /** What was assigned when an app had last been loaded, and the space of that app. */
  known: Pointer
  space: Pointer
}

export class Hooks {
  readonly #interpreter: Interpreter
  readonly #callbacks: Callbacks
  readonly #spaces: Spaces
  readonly #log: Log
  readonly #members: Pointer
  readonly #hooks: Readonly<Record<HookName, Hook>>

  /** @param module the `uwsgi` module */
  constructor(interpreter: Interpreter, parts: { callbacks: Callbacks; spaces: Spaces; log: Log; module: Pointer }) {
    const { api } = interpreter
    this.#interpreter = interpreter
    this.#callbacks = parts.callbacks
    this.#spaces = parts.spaces
    this.#log = parts.log
    this.#members = api.c.PyModule_GetDict(parts.module)
    const hook = (name: HookName): [HookName, Hook] => [name, { key: api.newStr(name), known: 0, space: 0 }]
    this.#hooks = Object.fromEntries(names.map(hook)) as Record<HookName, Hook>
  }

  /** To be called after an app was loaded: what it has set belongs to its space. */
  noteOwner(): void {
    const { c } = this.#interpreter.api
    for (const name of names) {
      const hook = this.#hooks[name]
      const found = this.#find(hook)
      if (found === hook.known) continue
      // Our reference keeps the address from being taken by another object.
      if (found !== 0) c.Py_IncRef(found)
      const last = hook.known
      hook.known = found
      hook.space = this.#spaces.active
      if (last !== 0) c.Py_DecRef(last)
    }
  }

  /** Ends the thread when the guest wants to (SystemExit); what goes wrong otherwise is logged, as uWSGI does. */
  postFork(): void {
    try {
      this.#call('post_fork_hook', () => [])
    } catch (error) {
      if (!(error instanceof GuestError) || isFatal(error) || /^SystemExit\b/.test(error.message)) throw error
      this.#log.text(error.traceback || error.message)
    }
  }

  afterRequest(): void {
    this.#callAndLog('after_req_hook')
  }

  atExit(): void {
    this.#callAndLog('atexit')
  }

  /** @returns false when no hook is set @throws GuestError when it raises */
  muleMessage(message: Uint8Array): boolean {
    return this.#call('mule_msg_hook', () => [this.#interpreter.api.newBytes(message)]) !== undefined
  }

  /** @returns the hook's number; 0 without a hook @throws GuestError when it raises */
  spool(file: string, vars: BytesMap, body: Uint8Array): number {
    return this.#call('spooler', () => [taskDict(this.#interpreter.api, file, vars, body)]) ?? spoolIgnore
  }

  #callAndLog(name: HookName): void {
    if (this.#interpreter.death !== undefined) return
    try {
      this.#call(name, () => [])
    } catch (error) {
      if (!(error instanceof GuestError) || isFatal(error)) throw error
      this.#log.text(error.traceback || error.message)
    }
  }

  /**
   * Undefined when the hook is not set, else the number that it answered; -1 when that was something else.
   * @throws GuestError when it raises
   */
  #call(name: HookName, args: () => Pointer[]): number | undefined {
    const hook = this.#hooks[name]
    this.#interpreter.assertAlive()
    const callable = this.#find(hook)
    if (callable === 0) return undefined
    return this.#interpreter.enter((api) => {
      const space = callable === hook.known ? hook.space : this.#spaces.active
      const result = this.#callbacks.call(callable, space, args())
      const number = numberFromPython(api, result)
      api.c.Py_DecRef(result)
      return number ?? spoolRetry
    })
  }

  /** Borrowed; 0 when it is not set. */
  #find({ key }: Hook): Pointer {
    const { api } = this.#interpreter
    const found = api.c.PyDict_GetItem(this.#members, key)
    return found === api.none ? 0 : found
  }
}

const isFatal = (error: GuestError): boolean => (error as { fatal?: boolean }).fatal === true
