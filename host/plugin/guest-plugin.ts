// Makes a `Plugin` of what a binding found in a guest's file: each hook that the file defines becomes the member that stands
// for it, which calls the guest and holds its answer to what the hook may answer.
// Invariant: what a hook raises leaves as the guest's own error; a wrong answer is an error of the hook that gave it.
import { GuestError } from '../errors.ts'
import type { WsgiRequest } from '../request/wsgi-request.ts'
import type { AppMount } from './app.ts'
import { describedBy, type GuestDeclarations, Unfit } from './guest-description.ts'
import { type GuestAnswerKind, type GuestHookName, guestHooks } from './guest-hooks.ts'
import type { GuestRequests, ServedRequest } from './guest-request.ts'
import type { Plugin, RequestResult, WorkerContext } from './plugin.ts'
import type { PluginOptionValue } from './plugin-option.ts'

/** What a hook with a context is told. Values of options are text, numbers, truth or lists of text. */
export interface GuestContext {
  readonly options: Readonly<Record<string, PluginOptionValue>>
  readonly workers: number
  readonly cores: number
  /** `worker`, `mule` or `spooler`. */
  readonly thread: string
}

/** By the hook's parameters: `context` GuestContext, `request` ServedRequest, `text` string, `dict` BytesMap. */
export type GuestArgument = unknown

/** What a hook answered; of an `app`, the number under which the guest's side keeps it, from 1. */
export type GuestAnswer = undefined | boolean | number | Unfit

/** A loaded file, as its binding calls it. */
export interface GuestFile {
  readonly language: Plugin
  readonly declarations: GuestDeclarations
  readonly requests: GuestRequests
  /** @throws GuestError what the hook raised */
  call(hook: GuestHookName, args: readonly GuestArgument[]): GuestAnswer
}

/** @throws AppLoadError naming the file and what is wrong in it */
export const guestPlugin = (file: GuestFile): Plugin => {
  const { hooks, ...said } = describedBy(file.declarations)
  const { language } = file
  const members = membersOf(new GuestCalls(file))
  const defined = hooks.map((hook) => [guestHooks[hook].member, members[guestHooks[hook].member as keyof typeof members]])
  return {
    ...said,
    ...(Object.fromEntries(defined) as Partial<Plugin>),
    // As the language has them for all of its code.
    ...(language.exceptionLog && { exceptionLog: (error) => language.exceptionLog?.(error) }),
    ...(language.backtrace && { backtrace: (error) => language.backtrace?.(error) }),
    ...(language.exceptionClass && { exceptionClass: (error) => language.exceptionClass?.(error) }),
    ...(language.exceptionMsg && { exceptionMsg: (error) => language.exceptionMsg?.(error) }),
    ...(language.exceptionRepr && { exceptionRepr: (error) => language.exceptionRepr?.(error) }),
  }
}

const membersOf = (calls: GuestCalls) =>
  ({
    onLoad: (context) => calls.inform('on_load', context),
    init: (context) => calls.inform('init', context),
    postInit: (context) => calls.inform('post_init', context),
    postFork: (context) => calls.inform('post_fork', context),
    worker: (context) => calls.truth('worker', [calls.contextFor(context)]),
    preinitApps: (context) => calls.inform('preinit_apps', context),
    initApps: (context) => calls.inform('init_apps', context),
    mountApp: (mount) => calls.mount(mount),
    postinitApps: (context) => calls.inform('postinit_apps', context),
    initThread: (core) => void calls.call('init_thread', [core]),
    fixup: (context) => calls.inform('fixup', context),
    hijackWorker: (context) => calls.inform('hijack_worker', context),
    spoolerInit: (context) => calls.inform('spooler_init', context),
    mule: (program, context) => calls.truth('mule', [program, calls.contextFor(context)]),
    request: (request) => calls.request(request),
    suspend: (request) => calls.about('suspend', request),
    resume: (request) => calls.about('resume', request),
    afterRequest: (request) => calls.about('after_request', request),
    muleMsg: (message) => calls.truth('mule_msg', [message]),
    spooler: (path, vars, body) => calls.number('spooler', [path, vars, body]),
    atexit: () => void calls.call('atexit', []),
  }) satisfies Partial<Plugin>

/** The plugin's handle of an app that its `mount_app` has taken. */
class GuestApp {
  readonly calls: GuestCalls
  readonly number: number

  constructor(calls: GuestCalls, number: number) {
    this.calls = calls
    this.number = number
  }
}

class GuestCalls {
  readonly #file: GuestFile
  #context: GuestContext | undefined

  constructor(file: GuestFile) {
    this.#file = file
  }

  /** @throws GuestError what the hook raised, or that it answered something else than it may */
  call(hook: GuestHookName, args: readonly GuestArgument[]): GuestAnswer {
    const answer = this.#file.call(hook, args)
    const wrong = faultOf(guestHooks[hook].answer, answer)
    if (wrong === undefined) return answer
    const { file, functions } = this.#file.declarations
    const line = functions.get(hook) ?? 0
    const place = line > 0 ? `${file}:${line}` : file
    throw new GuestError(this.#file.language.name, `${place}: the hook '${hook}' must return ${wrong}`, '')
  }

  inform(hook: GuestHookName, context: InformedBy): void {
    this.call(hook, [this.contextFor(context)])
  }

  truth(hook: GuestHookName, args: readonly GuestArgument[]): boolean {
    return Boolean(this.call(hook, args))
  }

  number(hook: GuestHookName, args: readonly GuestArgument[]): number {
    return (this.call(hook, args) as number | undefined) ?? 0
  }

  mount({ mountpoint, source }: AppMount): GuestApp | undefined {
    const number = this.call('mount_app', [mountpoint, source])
    return number === undefined ? undefined : new GuestApp(this, number as number)
  }

  about(hook: GuestHookName, request: WsgiRequest): void {
    this.#file.requests.serve(request, this.#appOf(request), (served) => void this.call(hook, [served]))
  }

  request(request: WsgiRequest): RequestResult {
    return this.#file.requests.serve(request, this.#appOf(request), (served) => this.#request(served))
  }

  #request(served: ServedRequest): RequestResult {
    try {
      return this.number('request', [served]) as RequestResult
    } catch (error) {
      if (!(error instanceof GuestError)) throw error
      // Nobody is left to answer, and the plugin did nothing wrong.
      if (served.clientError !== undefined && error.message.includes(served.clientError.message)) return 0
      throw error
    }
  }

  /** One object for all hooks: a plugin runs in one thread. */
  contextFor({ options, workers, cores = 1, thread }: InformedBy): GuestContext {
    this.#context ??= { options: Object.fromEntries(options), workers, cores, thread: thread?.kind ?? 'worker' }
    return this.#context
  }

  #appOf({ app }: WsgiRequest): number {
    const handle = app?.handle
    return handle instanceof GuestApp && handle.calls === this ? handle.number : 0
  }
}

/** What the contexts of all hooks have in common, whichever thread they are for. */
type InformedBy = Pick<WorkerContext, 'options' | 'workers'> & Partial<Pick<WorkerContext, 'cores' | 'thread'>>

/** What the hook must answer, when it did not. */
const faultOf = (kind: GuestAnswerKind, answer: GuestAnswer): string | undefined => {
  const not = `, not ${answer instanceof Unfit ? `a ${answer.type}` : String(answer)}`
  switch (kind) {
    case 'truth':
      return answer instanceof Unfit ? `true or false${not}` : undefined
    case 'result':
      return answer === undefined || answer === 0 || answer === 1 || answer === -1 ? undefined : `0, 1 or -1${not}`
    case 'number':
      return answer === undefined || Number.isSafeInteger(answer) ? undefined : `a whole number${not}`
    default:
      return undefined
  }
}
