// Every error the host raises on purpose. A code never changes its meaning and is never reused; who can act on the error
// (operator, application author, or nobody but us) is part of it, so that each log line can say what to do.

/** One line per code: what it means, and who can act on it. `docs/errors.md` is generated from this table. */
export const errorCodes = {
  CONFIG_UNKNOWN_OPTION: { audience: 'operator', meaning: 'an option that polywsgi does not know' },
  CONFIG_BAD_VALUE: { audience: 'operator', meaning: 'an option value of the wrong form or out of range' },
  CONFIG_UNREADABLE: { audience: 'operator', meaning: 'a configuration file that cannot be read or parsed' },
  LOG_FILE: {
    audience: 'operator',
    meaning: 'a log file that cannot be opened anew or moved away; the log goes on where it was',
  },
  SOCKET_BIND: { audience: 'operator', meaning: 'a socket that cannot be bound' },
  PLUGIN_LOAD: { audience: 'operator', meaning: 'a plugin that cannot be loaded, or claims what another plugin has' },
  PLUGIN_BUILD: { audience: 'operator', meaning: 'a plugin that cannot be built from its source' },
  PLUGIN_HOOK: { audience: 'application', meaning: 'a plugin hook that raised' },
  HOOK_FAILED: { audience: 'operator', meaning: 'an action of a hook option that failed, in a phase where that is fatal' },
  APP_LOAD: { audience: 'application', meaning: 'an application file that cannot be loaded' },
  APP_RESPONSE: { audience: 'application', meaning: 'an application answered with something that is not a response' },
  GUEST_EXCEPTION: { audience: 'application', meaning: 'an exception in guest code' },
  API_ARGUMENT: { audience: 'application', meaning: 'an argument of an API function of the wrong type or out of range' },
  API_REFUSED: { audience: 'application', meaning: 'an API function that cannot do what it was asked for, with nothing changed' },
  API_IO: { audience: 'application', meaning: 'an API function that failed on the network or the disk' },
  HARAKIRI: {
    audience: 'application',
    meaning: 'a request, or other code, took longer than it may, or more CPU time, and was ended',
  },
  LIMIT_EXCEEDED: { audience: 'application', meaning: 'more of something than a limit of the server allows' },
  CLIENT_GONE: { audience: 'application', meaning: 'the client closed its connection' },
  BODY_TIMEOUT: { audience: 'application', meaning: 'the request body did not arrive in time' },
  HEADERS_SENT: { audience: 'application', meaning: 'headers were changed after they had been sent' },
  PACKET_MALFORMED: { audience: 'operator', meaning: 'a request packet that is not well formed' },
  WORKER_DIED: { audience: 'operator', meaning: 'a worker thread that ended unexpectedly' },
  HOST_CLOSED: { audience: 'application', meaning: 'the host was closed' },
} as const satisfies Record<string, { audience: 'operator' | 'application'; meaning: string }>

export type ErrorCode = keyof typeof errorCodes

/** The base of every error raised on purpose by the host; `code` is stable, `message` is for people. */
export class PolywsgiError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
    this.name = new.target.name
  }
}

/** A plugin that is not there, in the words of uWSGI. `text` is what the operator wrote, `reason` why. */
export class PluginLoadError extends PolywsgiError {
  constructor(text: string, reason: string, options?: { cause?: unknown }) {
    super('PLUGIN_LOAD', `!!! UNABLE to load plugin ${text}: ${reason} !!!`, options)
  }
}

/** A configuration that cannot be used. Exit code 2. `hint` is what the operator may try. */
export class ConfigError extends PolywsgiError {}

/** An application that could not be loaded. Exit code 3 with `need-app`. `details` is the guest's own traceback. */
export class AppLoadError extends PolywsgiError {
  readonly details: string

  constructor(message: string, details = '', options?: { cause?: unknown }) {
    super('APP_LOAD', message, options)
    this.details = details
  }
}

/** An exception of guest code, as text: it never carries a guest object. `traceback` names the guest's files and lines. */
export class GuestError extends PolywsgiError {
  readonly language: string
  readonly traceback: string

  constructor(language: string, message: string, traceback: string) {
    super('GUEST_EXCEPTION', message)
    this.language = language
    this.traceback = traceback
  }

  /** `ValueError` of `ValueError: no such thing`; '' where the language has no classes of errors. */
  get className(): string {
    return /^([A-Za-z_][\w.]*)(?:: |$)/.exec(this.message)?.[1] ?? ''
  }

  /** What a log says of it: the traceback, with the message ahead of it where it does not hold that itself (Lua's). */
  get report(): string {
    if (this.traceback.includes(this.message)) return this.traceback
    return this.traceback === '' ? this.message : `${this.message}\n${this.traceback}`
  }
}

/** How messages name what a guest called: a function of the `uwsgi` module, or a method with its object (`request.write`). */
const calledName = (name: string): string => `${name.includes('.') ? '' : 'uwsgi.'}${name}()`

/** An API function called with arguments its declaration does not allow. `functionName` and `argument` name the place. */
export class ApiArgumentError extends PolywsgiError {
  readonly functionName: string
  readonly argument: string
  /** `type`: a value of another type (Python: TypeError); `value`: right type, bad value (Python: ValueError). */
  readonly fault: 'type' | 'value'

  constructor(functionName: string, argument: string, fault: 'type' | 'value', message: string) {
    super('API_ARGUMENT', `${calledName(functionName)}: ${message}`)
    this.functionName = functionName
    this.argument = argument
    this.fault = fault
  }
}

/**
 * An API function that could not do its work. `API_REFUSED`: the server's state does not allow it (Python: ValueError);
 * `API_IO`: the network or the disk failed (Python: OSError).
 */
export class ApiError extends PolywsgiError {
  readonly functionName: string

  constructor(functionName: string, code: 'API_REFUSED' | 'API_IO', message: string, options?: { cause?: unknown }) {
    super(code, `${calledName(functionName)}: ${message}`, options)
    this.functionName = functionName
  }
}

/** The client's connection, or its body, is not there any more. Python guests see OSError, Lua and JavaScript an error. */
export class ClientError extends PolywsgiError {}

/** Another server was silent for longer than it may be. Its code is API_IO; that it is this one tells it from other failures. */
export class TimeoutError extends PolywsgiError {
  constructor(message: string) {
    super('API_IO', message)
  }
}

/**
 * A file of the host that a guest asked for and does not get: it may not have it (API_REFUSED), or the system has refused
 * (API_IO).
 */
export class FileError extends PolywsgiError {
  /** The system's name of what is wrong: `ENOENT`. */
  readonly errno: string
  /** What is wrong, without the path. */
  readonly reason: string

  constructor(path: string, errno: string, reason: string, isRefusal = false) {
    super(isRefusal ? 'API_REFUSED' : 'API_IO', `${JSON.stringify(path.slice(0, 200)).slice(1, -1)}: ${reason}`)
    this.errno = errno
    this.reason = reason
  }
}
