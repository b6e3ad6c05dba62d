// The members of the request object of plugins written as a guest's file: one table, from which each language makes its own.
// Names are uWSGI's where it has one; bytes are bytes in every language.
import { iterateVars } from '../../protocol/vars.ts'
import type { ApiCallable, ApiParameter, ApiResult, ApiValue, BytesMap } from '../api/kinds.ts'
import type { WsgiRequest } from '../request/wsgi-request.ts'

export interface GuestRequestMember extends ApiCallable {
  /** True: a value that is read, else a method. */
  readonly isProperty?: true
  /** @param limit bytes that one answer may have: the memory of the interpreter that asks */
  run(request: WsgiRequest, args: readonly ApiValue[], limit: number): ApiValue
}

const latin1 = (bytes: ApiValue): string => Buffer.from(bytes as Uint8Array).toString('latin1')

const property = (name: string, returns: ApiResult, doc: string, run: GuestRequestMember['run']): GuestRequestMember => ({
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
  run: GuestRequestMember['run'],
): GuestRequestMember => ({ name: `request.${name}`, params, returns, doc: about.doc, raises: about.raises ?? [], run })

const nothing = new Uint8Array(0)
const gone = 'OSError: the client has closed its connection'

const dataParameter: ApiParameter = { name: 'data', type: 'bytes', doc: 'The bytes; text is taken as UTF-8.' }
const headerParameters = [
  { name: 'name', type: 'bytes', doc: 'The name of the header.' },
  { name: 'value', type: 'bytes', doc: 'Its value.' },
] as const satisfies readonly ApiParameter[]
const sizeParameter: ApiParameter = {
  name: 'size',
  type: 'int',
  default: -1,
  min: -1,
  doc: 'How many bytes at most; -1: no limit.',
}

export const guestRequestMembers: readonly GuestRequestMember[] = [
  property(
    'modifier1',
    'int',
    'The modifier1 of the packet, or that of the app it was routed to.',
    (request) => request.modifier1,
  ),
  property('modifier2', 'int', 'The modifier2 of the packet.', (request) => request.modifier2),
  property('core', 'int', 'The number of the core that serves the request, from 0.', (request) => request.coreId),
  property(
    'content_length',
    'int',
    'Bytes of the request body: 0 without one, -1 when the client did not say.',
    (request) => request.contentLength,
  ),
  property('client_gone', 'bool', 'True once the client has closed its connection.', (request) => request.clientGone),
  property('vars', 'dict', 'All request variables: names to bytes. What is changed in it is seen by nobody else.', (request) =>
    varsOf(request),
  ),
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
    headerParameters,
    'none',
    {
      doc: 'Adds one header line after those that are there.',
      raises: ['ValueError: the headers have been sent', 'ValueError: HTTP does not allow the name or the value'],
    },
    (request, [name, value]) => request.addHeader(latin1(name), latin1(value)) as undefined,
  ),
  method(
    'replace_header',
    headerParameters,
    'none',
    {
      doc: 'Sets a header to one value, in place of the lines of that name that are there.',
      raises: ['ValueError: the headers have been sent', 'ValueError: HTTP does not allow the name or the value'],
    },
    (request, [name, value]) => request.replaceHeader(latin1(name), latin1(value)) as undefined,
  ),
  method(
    'remove_header',
    [headerParameters[0]],
    'none',
    { doc: 'Takes away all header lines of a name.', raises: ['ValueError: the headers have been sent'] },
    (request, [name]) => request.removeHeader(latin1(name)) as undefined,
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
    'seek',
    [{ name: 'position', type: 'int', min: 0, doc: 'Bytes from the begin of the body.' }],
    'none',
    {
      doc: 'Where the next read begins.',
      raises: ['ValueError: the body is read as it arrives (see post-buffering)', 'ValueError: the position is behind its end'],
    },
    ({ input }, [position]) => input.seek(position as number) as undefined,
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
