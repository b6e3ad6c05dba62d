// What the options about exceptions do: show them to the client (`catch-exceptions`), renew the worker after them
// (`reload-on-exception*`). What was raised is described by the plugin's exception hooks; where it has none, by what a guest's
// error says of itself.
import { GuestError } from '../errors.ts'
import type { Plugin } from '../plugin/plugin.ts'
import { isThrown, promised, thrownMessage, thrownText } from '../plugin/thrown.ts'
import type { WsgiRequest } from '../request/wsgi-request.ts'

export interface ExceptionSettings {
  readonly catch: boolean
  readonly reload: boolean
  /** Class names (`ValueError`). */
  readonly reloadTypes: readonly string[]
  /** Messages. */
  readonly reloadValues: readonly string[]
  /** Both, as the language writes them (`ValueError: no such thing`). */
  readonly reloadReprs: readonly string[]
}

interface Description {
  readonly className: string
  readonly message: string
  readonly repr: string
  readonly backtrace: string
}

export class ExceptionPolicy {
  readonly #settings: ExceptionSettings

  constructor(settings: ExceptionSettings) {
    this.#settings = settings
  }

  get catches(): boolean {
    return this.#settings.catch
  }

  /** The page of uWSGI's exceptions catcher: text, with what was raised and the request's variables. */
  page(request: WsgiRequest, plugin: Plugin | undefined, error: unknown): Uint8Array {
    const { className, message, repr, backtrace } = describe(plugin, error)
    const name = `"${plugin?.name ?? 'none'}", modifier1: ${request.modifier1}`
    const method = request.getVar('REQUEST_METHOD') ?? ''
    const head = [
      `uWSGI exceptions catcher for "${method} ${request.getVar('REQUEST_URI') ?? ''}" (request plugin: ${name})`,
      '',
      `Exception: ${repr}`,
      '',
      `Exception class: ${className}`,
      '',
      `Exception message: ${message}`,
      '',
      'Backtrace:',
      backtrace,
      '',
      '',
      '',
    ]
    const vars = [...request.variables()].map(([key, value]) => `${key} = ${value}\n`)
    // The variables are bytes, each a character here; what was raised is text.
    return Buffer.concat([Buffer.from(head.join('\n')), Buffer.from(vars.join(''), 'latin1')])
  }

  /** The worker is to be renewed after this error. Differs from uWSGI: a class is also known by its name without the module. */
  isMonitored(plugin: Plugin | undefined, error: unknown): boolean {
    const { reload, reloadTypes, reloadValues, reloadReprs } = this.#settings
    if (reload) return true
    if (reloadTypes.length + reloadValues.length + reloadReprs.length === 0) return false
    const { className, message, repr } = describe(plugin, error)
    return (
      reloadTypes.some((type) => type === className || className === type.slice(type.lastIndexOf('.') + 1)) ||
      reloadValues.includes(message) ||
      reloadReprs.includes(repr)
    )
  }
}

const describe = (plugin: Plugin | undefined, error: unknown): Description => {
  const told = isThrown(error, GuestError) ? error : attempt(() => plugin?.exceptionLog?.(error))
  const guestError = isThrown(told, GuestError) ? told : undefined
  /** A hook that throws, or answers something else, has not answered: the request's own error is what is described. */
  const asked = (ask: () => string | Uint8Array | undefined): string | undefined =>
    attempt(() => {
      const answer = ask()
      // It is not waited for; nobody else would hear of its failure.
      promised(answer as unknown)?.catch(() => {})
      const text: unknown = answer instanceof Uint8Array ? (plugin?.decodeString?.(answer) ?? utf8.decode(answer)) : answer
      return typeof text === 'string' ? text : undefined
    })
  const ownName = isThrown(error, Error) ? attempt(() => error.name) : undefined
  const className = asked(() => plugin?.exceptionClass?.(error)) ?? guestError?.className ?? textOr(ownName, 'Error')
  const whole = guestError?.message ?? thrownMessage(error)
  const message = asked(() => plugin?.exceptionMsg?.(error)) ?? withoutClass(whole, guestError?.className ?? '')
  return {
    className,
    message,
    repr: asked(() => plugin?.exceptionRepr?.(error)) ?? (className === '' ? message : `${className}: ${message}`),
    backtrace: asked(() => plugin?.backtrace?.(error)) ?? guestError?.traceback ?? thrownText(error),
  }
}

const attempt = <T>(run: () => T): T | undefined => {
  try {
    return run()
  } catch {
    return undefined
  }
}

const textOr = (value: unknown, otherwise: string): string => (typeof value === 'string' ? value : otherwise)

const utf8 = new TextDecoder()

const withoutClass = (message: string, className: string): string =>
  className === '' ? message : message.slice(className.length).replace(/^: /, '')
