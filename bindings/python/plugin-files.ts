// Plugins written as Python files, in one interpreter: what they say of themselves, and the calls of their hooks.
import { dirname, resolve } from 'node:path'
import type { BytesMap } from '../../host/api/kinds.ts'
import { AppLoadError, GuestError } from '../../host/errors.ts'
import { type GuestDeclarations, type Plain, Unfit } from '../../host/plugin/guest-description.ts'
import { type GuestHook, type GuestParameter, guestHooks, refusedGuestHooks } from '../../host/plugin/guest-hooks.ts'
import type { GuestAnswer, GuestArgument, GuestContext, GuestFile } from '../../host/plugin/guest-plugin.ts'
import { GuestRequests, type ServedRequest } from '../../host/plugin/guest-request.ts'
import type { Plugin } from '../../host/plugin/plugin.ts'
import type { KeepFunction } from './arguments.ts'
import type { Pointer, PythonApi } from './capi.ts'
import { numberFromPython, toPython } from './convert.ts'
import { FatalGuestError } from './errors.ts'
import pluginSource from './guest/plugin.py?raw'
import type { GuestCode } from './guest-code.ts'
import { hostAnswer } from './host-function.ts'
import { define } from './install.ts'
import type { Interpreter } from './runtime.ts'
import { showFile } from './sources.ts'

/** What guest/plugin.py is told of the names that count: for hooks, the form in which they are called. */
const knownNames = JSON.stringify(
  Object.fromEntries([
    ...['name', 'alias', 'modifier1', 'options', 'app_extensions', ...Object.keys(refusedGuestHooks)].map((name) => [name, '']),
    ...Object.entries(guestHooks).map(([name, hook]) => [name, formOf(hook)]),
  ]),
)

function formOf({ params, answer }: GuestHook): string {
  if (answer === 'app') return 'app'
  return params.find((param) => param === 'request' || param === 'dict') ?? ''
}

interface Said {
  readonly values: Readonly<Record<string, unknown>>
  readonly lines: Readonly<Record<string, number>>
  readonly strict: boolean
}

export class PluginFiles {
  readonly #interpreter: Interpreter
  readonly #guest: GuestCode
  readonly #requests: GuestRequests
  readonly #load: Pointer
  readonly #makeContext: Pointer

  /** Inside of an entry. */
  constructor(interpreter: Interpreter, guest: GuestCode, parts: { keep: KeepFunction; memoryLimit: number }) {
    const { api } = interpreter
    const requests = new GuestRequests(parts.memoryLimit)
    this.#interpreter = interpreter
    this.#guest = guest
    this.#requests = requests
    const named = (isProperty: boolean): Pointer => {
      const members = requests.members.filter((member) => member.isProperty === isProperty)
      const functions = interpreter.hostFunctions(
        members.map((member) => define(interpreter, member, parts.keep)),
        'polywsgi',
      )
      const dict = api.c.PyDict_New()
      members.forEach(({ name }, index) => {
        api.c.PyDict_SetItemString(dict, api.name(name), functions[index] as Pointer)
        api.c.Py_DecRef(functions[index] as Pointer)
      })
      return dict
    }
    const [checkRequest] = interpreter.hostFunctions(
      [
        {
          name: 'check_request',
          doc: 'check_request(serial)\n--\n\nRaises ValueError unless the request of this number is being served.',
          takes: 'one',
          call: (_self, serial) =>
            hostAnswer(api, () => {
              requests.assertCurrent(numberFromPython(api, serial))
              return api.none
            }) ?? 0,
        },
      ],
      'polywsgi',
    )
    api.c.Py_IncRef(guest.importFile)
    const namespace = interpreter.runGuestFile('plugin', pluginSource, {
      import_file: guest.importFile,
      check_request: checkRequest as Pointer,
      methods: named(false),
      properties: named(true),
    })
    this.#load = interpreter.lookUp(namespace, 'load_plugin')
    this.#makeContext = interpreter.lookUp(namespace, 'make_context')
  }

  /** @throws AppLoadError with Python's message, and its traceback as `details` */
  load(file: string, language: Plugin): GuestFile {
    const path = resolve(file)
    showFile(this.#interpreter, path)
    const { api } = this.#interpreter
    const space = this.#guest.spaces.of(dirname(path))
    const hooks = new Map<string, Pointer>()
    const said = this.#interpreter.enter(({ c }) => {
      let loaded: Pointer
      try {
        loaded = this.#guest.callbacks.call(this.#load, space, [api.newStr(path), api.newStr(knownNames)])
      } catch (error) {
        if (!(error instanceof GuestError) || error instanceof FatalGuestError) throw error
        const message = error.message.includes(path) ? error.message : `${path}: ${error.message}`
        throw new AppLoadError(message, error.traceback)
      }
      const text = Buffer.from(api.bytesCopy(c.PyTuple_GetItem(loaded, 0))).toString('utf8')
      const parsed = JSON.parse(text) as Said
      for (const name of Object.keys(parsed.lines)) {
        // A name that is ASCII is a hook's; others are only to be named in a refusal.
        const found = c.PyDict_GetItemString(c.PyTuple_GetItem(loaded, 1), api.name(name))
        if (found === 0) continue
        c.Py_IncRef(found)
        hooks.set(name, found)
      }
      c.Py_DecRef(loaded)
      return parsed
    })
    const declarations: GuestDeclarations = {
      file: path,
      values: new Map(Object.entries(said.values).map(([name, value]) => [name, plain(value)])),
      functions: new Map(Object.entries(said.lines)),
      isStrict: said.strict,
    }
    const contexts = new WeakMap<GuestContext, Pointer>()
    return {
      language,
      declarations,
      requests: this.#requests,
      call: (name, args) =>
        this.#interpreter.enter(() => {
          const { params } = guestHooks[name]
          const pointers = params.flatMap((param: GuestParameter, index) => this.#argument(param, args[index], space, contexts))
          const result = this.#guest.callbacks.call(hooks.get(name) as Pointer, space, pointers)
          const answer = answerOf(api, result)
          api.c.Py_DecRef(result)
          return answer
        }),
    }
  }

  /** New references; a 0 among them stands for an exception that is set. */
  #argument(param: GuestParameter, value: GuestArgument, space: Pointer, contexts: WeakMap<GuestContext, Pointer>): Pointer[] {
    const { api } = this.#interpreter
    switch (param) {
      case 'context':
        return [this.#context(value as GuestContext, space, contexts)]
      case 'request': {
        const { serial, app } = value as ServedRequest
        return [api.c.PyLong_FromLong(serial), api.c.PyLong_FromLong(app)]
      }
      case 'text':
        return [api.newStr(value as string)]
      case 'int':
        return [api.c.PyLong_FromLong(value as number)]
      case 'bytes':
        return [api.newBytes(value as Uint8Array)]
      case 'dict':
        return [toPython(api, value as BytesMap, 'dict')]
    }
  }

  /** One object for all hooks of a file. */
  #context(context: GuestContext, space: Pointer, contexts: WeakMap<GuestContext, Pointer>): Pointer {
    const { api } = this.#interpreter
    let known = contexts.get(context)
    if (known === undefined) {
      known = this.#guest.callbacks.call(this.#makeContext, space, [api.newStr(JSON.stringify(context))])
      contexts.set(context, known)
    }
    api.c.Py_IncRef(known)
    return known
  }
}

/** `result` is borrowed. */
const answerOf = (api: PythonApi, result: Pointer): GuestAnswer => {
  if (result === api.none) return undefined
  if (result === api.true) return true
  if (result === api.false) return false
  const number = numberFromPython(api, result)
  if (number !== undefined) return number
  const name = api.c.PyObject_GetAttrString(api.typeOf(result), api.name('__name__'))
  const text = name === 0 ? undefined : api.strText(name)
  api.c.PyErr_Clear()
  if (name !== 0) api.c.Py_DecRef(name)
  return new Unfit(text ?? 'value of another type')
}

/** Parsed JSON in the form that descriptions are checked in. */
const plain = (value: unknown): Plain => {
  if (value === null) return undefined
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object') return value as Plain
  const unfit = (value as Record<string, unknown>)['\0unfit']
  if (typeof unfit === 'string') return new Unfit(unfit)
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]))
}
