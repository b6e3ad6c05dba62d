// The request object of plugins written as a guest's file: one table of members, from which each language makes its own.
// Names are uWSGI's where it has one; bytes are bytes in every language.
// Invariant: members act on the request whose hook is running; an object that outlives its hook is refused.
import { iterateVars } from '../../protocol/vars.ts'
import type { BoundCallable } from '../api/bind.ts'
import { checkArguments } from '../api/check-arguments.ts'
import type { ApiCallable, ApiParameter, ApiResult, ApiValue, BytesMap } from '../api/kinds.ts'
import { ApiError, ClientError, PolywsgiError } from '../errors.ts'
import type { WsgiRequest } from '../request/wsgi-request.ts'

interface Member extends ApiCallable {
  /** True: a value that is read, else a method. */
  readonly isProperty?: true
  /** @param limit bytes that one answer may have: the memory of the interpreter that asks */
  run(request: WsgiRequest, args: readonly ApiValue[], limit: number): ApiValue
}

const latin1 = (bytes: ApiValue): string => Buffer.from(bytes as Uint8Array).toString('latin1')

const property = (name: string, returns: ApiResult, doc: string, run: Member['run']): Member => ({
  name: `request.${name}`,
  doc,
  params: [],
  returns,
  raises: [],
  isProperty: true,
  run,
})

const method = (
  name: string,
  params: readonly ApiParameter[],
  returns: ApiResult,
  about: { doc: string; raises?: readonly string[] },
  run: Member['run'],
): Member => ({ name: `request.${name}`, params, returns, doc: about.doc, raises: about.raises ?? [], run })

const nothing = new Uint8Array(0)
const gone = 'OSError: the client has closed its connection'

const dataParameter: ApiParameter = { name: 'data', type: 'bytes', doc: 'The bytes; text is taken as UTF-8.' }
const sizeParameter: ApiParameter = {
  name: 'size',
  type: 'int',
  default: -1,
  min: -1,
  doc: 'How many bytes at most; -1: no limit.',
}

const members: readonly Member[] = [
  property(
    'modifier1',
    'int',
    'The modifier1 of the packet, or that of the app it was routed to.',
    (request) => request.modifier1,
  ),
  property('modifier2', 'int', 'The modifier2 of the packet.', (request) => request.modifier2),
  property('core', 'int', 'The number of the core that serves the request, from 0.', (request) => request.coreId),
  property('client_gone', 'bool', 'True once the client has closed its connection.', (request) => request.clientGone),
  property('vars', 'dict', 'All request variables: names to bytes. A copy of this hook call.', (request) => varsOf(request)),
  method(
    'get',
    [{ name: 'name', type: 'bytes', doc: 'The name of a request variable.' }],
    'bytes',
    { doc: 'The value of one request variable; nothing when it is not there.' },
    (request, [name]) => {
      const value = request.getVar(latin1(name))
      return value === undefined ? undefined : Buffer.from(value, 'latin1')
    },
  ),
  method(
    'prepare_headers',
    [{ name: 'status', type: 'bytes', doc: '`200 OK`, or the code alone.' }],
    'none',
    {
      doc: 'Sets the status line and drops headers that were added before.',
      raises: ['ValueError: the headers have been sent', 'ValueError: the status is none'],
    },
    (request, [status]) => request.prepareHeaders(latin1(status)) as undefined,
  ),
  method(
    'add_header',
    [
      { name: 'name', type: 'bytes', doc: 'The name of the header.' },
      { name: 'value', type: 'bytes', doc: 'Its value.' },
    ],
    'none',
    {
      doc: 'Adds one header line after those that are there.',
      raises: ['ValueError: the headers have been sent', 'ValueError: HTTP does not allow the name or the value'],
    },
    (request, [name, value]) => request.addHeader(latin1(name), latin1(value)) as undefined,
  ),
  method(
    'write',
    [dataParameter],
    'none',
    { doc: 'Sends a piece of the body, and the headers before the first. Waits while the client is slower.', raises: [gone] },
    (request, [data]) => request.writeBody(data as Uint8Array) as undefined,
  ),
  method(
    'finish',
    [{ ...dataParameter, default: null, doc: 'The last bytes of the body, if there are any.' }],
    'none',
    { doc: 'Ends the response. A response that is not ended by its hook is ended after it.', raises: [gone] },
    (request, [data]) => request.finish(data as Uint8Array | undefined) as undefined,
  ),
  method(
    'raw',
    [dataParameter],
    'none',
    {
      doc: 'Sends bytes to the client as they are: without headers when none were sent, and the connection closes at the end.',
      raises: [gone],
    },
    (request, [data]) => request.writeRaw(data as Uint8Array) as undefined,
  ),
  method(
    'read',
    [sizeParameter],
    'bytes',
    { doc: 'The next bytes of the request body, fewer at its end, none after it. Waits for them.', raises: [gone] },
    ({ input }, [size], limit) => (size === 0 ? nothing : input.read(Math.max(size as number, 0), { limit })),
  ),
  method(
    'readline',
    [sizeParameter],
    'bytes',
    { doc: 'The next line of the request body with its line feed; no bytes at the end. Waits for it.', raises: [gone] },
    ({ input }, [size], limit) => (size === 0 ? nothing : input.readLine(Math.max(size as number, 0), { limit })),
  ),
  method(
    'set_logvar',
    [
      { name: 'name', type: 'text', doc: 'The name, as `%(name)` of the log format has it.' },
      { name: 'value', type: 'bytes', doc: 'The value.' },
    ],
    'none',
    { doc: "Sets a variable for the request's line in the log." },
    (request, [name, value]) => request.setLogvar(name as string, value as Uint8Array) as undefined,
  ),
]

const varsOf = (request: WsgiRequest): BytesMap => {
  const vars = new Map<string, Uint8Array>()
  for (const [name, value] of iterateVars(request.vars)) vars.set(name, Buffer.from(value, 'latin1'))
  return vars
}

/** A request on its way through a hook. */
export interface ServedRequest {
  readonly request: WsgiRequest
  /** The number by which the guest's object names it. */
  readonly serial: number
  /** The plugin's own number of the app that the request was routed to; 0 for none. */
  readonly app: number
  /** What the hook was told when the client turned out to be gone. */
  clientError: ClientError | undefined
}

export interface RequestMember extends BoundCallable {
  /** As guests write it: `add_header`. */
  readonly name: string
  readonly isProperty: boolean
}

/** The requests of all plugin files of one interpreter. */
export class GuestRequests {
  readonly members: readonly RequestMember[] = members.map((member) => ({
    name: member.name.slice('request.'.length),
    isProperty: member.isProperty === true,
    entry: member,
    call: (args) => this.#call(member, args),
  }))
  readonly #memoryLimit: number
  #current: ServedRequest | undefined
  #serial = 0

  /** @param memoryLimit bytes that the interpreter may have */
  constructor(memoryLimit: number) {
    this.#memoryLimit = memoryLimit
  }

  /** Runs a hook for a request: meanwhile its object may be used. */
  serve<T>(request: WsgiRequest, app: number, run: (served: ServedRequest) => T): T {
    const outer = this.#current
    this.#serial = (this.#serial + 1) & 0x3fffffff
    const served: ServedRequest = { request, serial: this.#serial, app, clientError: undefined }
    this.#current = served
    try {
      return run(served)
    } finally {
      this.#current = outer
    }
  }

  /** @throws PolywsgiError when `serial` is not that of the request whose hook is running */
  assertCurrent(serial: number | undefined): void {
    if (serial !== undefined && serial === this.#current?.serial) return
    throw new PolywsgiError('API_REFUSED', 'this request object is of another call: it lives as long as the hook that got it')
  }

  #call(member: Member, args: readonly ApiValue[]): ApiValue {
    const served = this.#current
    if (served === undefined) throw new PolywsgiError('API_REFUSED', 'no request is being served')
    const checked = checkArguments(member, args)
    const { request } = served
    try {
      return member.run(request, checked, this.#memoryLimit)
    } catch (error) {
      if (error instanceof ClientError) served.clientError = error
      else if (error instanceof PolywsgiError) {
        throw new ApiError(member.name, 'API_REFUSED', error.message, { cause: error })
      }
      throw error
    }
  }
}
