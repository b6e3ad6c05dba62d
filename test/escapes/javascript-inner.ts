// Attempts against QuickJS itself and what the binding keeps in it.
import type { Attempt } from './attempt.ts'

/** What each of these expressions came to, as types: `undefined`, `function`..., or `raised`. */
export const each = (expressions: readonly string[]): string => `
const said = []
for (const run of [${expressions.map((expression) => `async () => (${expression})`).join(',\n')}]) {
  try { const value = await run(); said.push(value === null ? 'null' : typeof value) } catch { said.push('raised') }
}
return said.join(' ')`

export const times = (count: number, word: string): RegExp => new RegExp(`^200 "${Array(count).fill(word).join(' ')}"$`)

/** Whose global object, and whose globals, a function is that makes functions. */
const realmOf = (maker: string): string =>
  `${maker}('return typeof process + typeof require + typeof Deno + typeof std + typeof os + typeof WebAssembly + (this === globalThis || this === undefined)')()`

const nothing = `"${'undefined'.repeat(6)}true"`

const constructors = [
  'Function',
  '(() => {}).constructor',
  '({}).constructor.constructor',
  '[].constructor.constructor',
  "''.constructor.constructor",
  'uwsgi.constructor.constructor',
  'uwsgi.log.constructor',
  'uwsgi.cacheGet.constructor',
  'Object.getPrototypeOf(uwsgi.log).constructor',
  'new Request("http://x").constructor.constructor',
  'Response.constructor',
  'Headers.prototype.get.constructor',
  'fetchedStream().constructor.constructor',
  'globalThis.constructor.constructor',
  'console.log.constructor',
  'setTimeout.constructor',
  'Promise.resolve().then.constructor',
  'Reflect.get(uwsgi, "log").constructor',
]

const hostErrors = [
  'uwsgi.lock(99)',
  'uwsgi.cacheGet("x", "none")',
  'uwsgi.cacheGet({})',
  'uwsgi.connect("127.0.0.1:1")',
  'uwsgi.sharedareaRead(99, 0, 1)',
  'uwsgi.reload()',
  'uwsgi.rpc("x", "y")',
  'uwsgi.spool({ a: "b" })',
  'uwsgi.registerRpc("", 1)',
]

export const innerAttempts: Readonly<Record<string, Attempt>> = {
  'globals of the host': {
    code: each(
      [
        ...[
          'process',
          'require',
          'module',
          'exports',
          'global',
          'Buffer',
          '__dirname',
          '__filename',
          'Deno',
          'Bun',
          'std',
          'os',
          'bjson',
        ],
        ...[
          'window',
          'self.process',
          'globalThis.process',
          'WebAssembly',
          'Worker',
          'XMLHttpRequest',
          'importScripts',
          'scriptArgs',
        ],
      ].map((name) => `(0, eval)(${JSON.stringify(`typeof ${name} === 'undefined' ? undefined : ${name}`)})`),
    ),
    expected: /^200 "(undefined|raised)( (undefined|raised))*"$/,
  },
  'constructors of functions': {
    code: `
const fetchedStream = () => new Response('x').body
const said = new Set()
for (const find of [${constructors.map((maker) => `() => ${maker}`).join(', ')}]) {
  let maker
  try { maker = find() } catch { continue }
  if (typeof maker === 'function') said.add(${realmOf('maker')})
}
return [...said].join(' ')`,
    expected: new RegExp(`^200 ${nothing}$`),
  },
  'constructors of asynchronous functions and generators': {
    code: `
const said = new Set()
const body = 'return typeof process + typeof require'
said.add(await (async () => {}).constructor(body)())
said.add((function* () {}).constructor(body)().next().value)
said.add((await (async function* () {}).constructor(body)().next()).value)
return [...said].join(' ')`,
    expected: /^200 "undefinedundefined"$/,
  },
  'errors that the host has raised': {
    code: `
const said = new Set()
for (const run of [${hostErrors.map((call) => `() => ${call}`).join(', ')}]) {
  try { await run(); said.add('took') } catch (error) {
    for (let at = error; at !== null; at = Object.getPrototypeOf(at)) said.add(${realmOf('at.constructor.constructor')})
    said.add(error instanceof Error)
    said.add(/node:|file:|dist|node_modules/.test(String(error.stack) + Reflect.ownKeys(error).map((key) => String(error[key])).join()))
    said.add(typeof error.cause)
  }
}
return [...said].join(' ')`,
    expected: new RegExp(`^200 "${'undefined'.repeat(6)}true true false undefined( took)?"$`),
  },
  'Error.prepareStackTrace': {
    code: `
const seen = []
Error.prepareStackTrace = (error, frames) => {
  for (const frame of frames ?? []) for (const name of ['getThis', 'getFunction', 'getEvalOrigin', 'getFileName']) {
    try { const value = frame[name](); if (value != null) seen.push(typeof value === 'string' ? value : typeof value) } catch {}
  }
  return 'mine'
}
Error.captureStackTrace?.({})
Error.stackTraceLimit = Infinity
try { uwsgi.lock(99) } catch (error) { String(error.stack) }
delete Error.prepareStackTrace
return seen.filter((text) => /node:|dist|function|object/.test(text)).length`,
    expected: /^200 0$/,
  },
  'prototypes that the host reads through': {
    code: `
const names = ['then', 'code', 'message', 'status', 'headers', 'body', 'length', 'toJSON', 'constructor', 'name', 'lifetime']
const touched = []
for (const name of names) Object.defineProperty(Object.prototype, name, { configurable: true, get() { touched.push(name); return undefined }, set() {} })
let said
try { said = [typeof uwsgi.workerId(), uwsgi.cacheGet('x') === undefined || uwsgi.cacheGet('x') === null] } catch (error) { said = ['raised'] }
for (const name of names) if (name !== 'constructor') delete Object.prototype[name]
Object.defineProperty(Object.prototype, 'constructor', { value: Object, writable: true, configurable: true, enumerable: false })
return said`,
    expected: /^200 \[("(number|raised)"|true|false)(,(true|false))?\]$/,
  },
  'pollution of prototypes by what it hands over': {
    code: `
const evil = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}')
const said = []
for (const run of [() => uwsgi.spool(evil), () => uwsgi.cacheSet('__proto__', 'x'), () => uwsgi.setLogvar('__proto__', 'x'),
  () => uwsgi.registerRpc('__proto__', () => 'x'), () => uwsgi.call('constructor'), () => uwsgi.cacheGet('__proto__'), () => uwsgi.metricGet?.('__proto__')]) {
  try { await run() } catch {}
}
const headers = new Headers({ ['__proto__']: 'x', constructor: 'y' })
return [({}).polluted, [...headers.keys()].length, Object.keys(uwsgi.opt).length]`,
    expected: /^200 \[undefined,\d,0\]$/,
  },
  'objects that change while the host reads them': {
    code: `
const said = []
const buffer = new ArrayBuffer(1 << 20)
const detaching = { get length() { structuredClone(buffer, { transfer: [buffer] }); return 8 }, toString() { return 'x' } }
for (const value of [
  { toString() { uwsgi.cacheGet('y'); return 'k' } },
  { [Symbol.toPrimitive]() { throw new Error('primitive') } },
  { valueOf() { return { valueOf() { return this } } } },
  detaching,
  new Proxy({}, { get() { throw new Error('get') }, ownKeys() { throw new Error('keys') }, getPrototypeOf() { throw new Error('prototype') } }),
  new Proxy(() => {}, { apply() { return 1 } }),
  (() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy })(),
  (() => { const { proxy, revoke } = Proxy.revocable([], {}); revoke(); return proxy })(),
  Object.create(null), Symbol('x'), 1n << 70n, NaN, -0, () => {}, new Date(NaN), /x/,
]) {
  for (const call of [uwsgi.cacheSet, uwsgi.log, uwsgi.cacheGet, uwsgi.spool, uwsgi.call, uwsgi.lock, uwsgi.sharedareaWrite, uwsgi.registerSignal]) {
    try { await call(value, value, value) } catch { said.push(1) }
  }
}
try { uwsgi.unlock() } catch {}
return said.length > 50`,
    expected: /^200 true$/,
  },
  'getters of what is spooled': {
    code: `
let runs = 0
const job = {}
for (let i = 0; i < 50; i += 1) Object.defineProperty(job, 'k' + i, { enumerable: true, get() { runs += 1; delete job['k' + (i + 1)]; job['n' + i] = 'x'; return { toString() { runs += 1; return 'v' } } } })
let said = 'took'
try { uwsgi.spool(job) } catch (error) { said = error.name }
return said`,
    expected: /^200 "\w*Error"$/,
  },
  'a buffer that is gone': {
    code: `
const said = []
for (const make of [(b) => b, (b) => new Uint8Array(b), (b) => new DataView(b), (b) => new Float64Array(b, 8, 2)]) {
  const buffer = new ArrayBuffer(64)
  const view = make(buffer)
  structuredClone(buffer, { transfer: [buffer] })
  for (const call of [() => uwsgi.cacheSet('k', view), () => new Response(view).text(), () => uwsgi.sharedareaWrite(0, 0, view), () => new TextDecoder().decode(view)]) {
    try { said.push(String(await call()).length < 10) } catch { said.push(true) }
  }
}
return said.every(Boolean)`,
    expected: /^200 true$/,
  },
  'a buffer that shrinks while it is read': {
    code: `
if (!ArrayBuffer.prototype.resize) return 'none'
const buffer = new ArrayBuffer(1 << 16, { maxByteLength: 1 << 20 })
const view = new Uint8Array(buffer)
const said = []
for (const call of [() => uwsgi.cacheSet({ toString() { buffer.resize(0); return 'k' } }, view), () => new Response(view)]) {
  try { await call(); said.push(1) } catch { said.push(1) }
}
return said.length === 2 ? 'none' : 'some'`,
    expected: /^200 "none"$/,
  },
  'shared memory and Atomics': {
    code: `
if (typeof SharedArrayBuffer === 'undefined') return 'none'
const shared = new SharedArrayBuffer(64)
const words = new Int32Array(shared)
const said = []
for (const call of [() => Atomics.wait(words, 0, 0, 1), () => uwsgi.cacheSet('k', words), () => new Response(words).text(), () => structuredClone(shared), () => Atomics.store(words, 1 << 30, 1)]) {
  try { said.push(typeof await call()) } catch { said.push('raised') }
}
return said.join(' ')`,
    expected: /^200 "(none|(\w+ ?)+)"$/,
  },
  'views beyond their memory': {
    code: each([
      'new Uint8Array(new ArrayBuffer(8), 9)',
      'new Uint8Array(new ArrayBuffer(8), 0, 1e9)',
      'new Float64Array(new ArrayBuffer(8), 4)',
      'new DataView(new ArrayBuffer(8)).getUint32(6)',
      'new DataView(new ArrayBuffer(8)).setFloat64(-1, 1)',
      'new Uint8Array(8).set(new Uint8Array(9))',
      'new Uint8Array(2 ** 40)',
      'new ArrayBuffer(-1)',
      "'x'.repeat(2 ** 40)",
      "'x'.padEnd(2 ** 31)",
      'new Array(-1)',
      'structuredClone(() => {})',
      'structuredClone(Symbol())',
    ]),
    expected: times(13, 'raised'),
  },
  'all the memory there is': {
    code: each([
      '(() => { const list = []; for (;;) list.push(new Uint8Array(1 << 20)) })()',
      "(() => { let text = 'x'; for (;;) text += text })()",
      '(() => { const list = []; for (;;) list.push({ list }) })()',
      '(() => { const map = new Map(); for (let i = 0; ; i += 1) map.set(i, [i]) })()',
      'new Array(2 ** 26).fill({}).map((item) => [item])',
    ]),
    expected: times(5, 'raised'),
  },
  'all of the stack': {
    code: each([
      '(function f() { return f() + 1 })()',
      '(() => { const o = {}; Object.defineProperty(o, "x", { get() { return o.x } }); return o.x })()',
      '(() => { const p = new Proxy({}, { get: (t, k, r) => r[k] }); return p.x })()',
      "JSON.parse('['.repeat(1e6))",
      '(() => { let list = []; for (let i = 0; i < 1e5; i += 1) list = [list]; return JSON.stringify(list) })()',
      "new Function('('.repeat(1e5))",
      "new RegExp('('.repeat(1e5))",
      'String({ toString() { return String(this) } })',
    ]),
    expected: times(8, 'raised'),
  },
  'promises that are none': {
    code: `
const said = []
const thenable = { then(resolve) { resolve(thenable2) } }
const thenable2 = { get then() { throw new Error('then') } }
try { await thenable } catch (error) { said.push(error.message) }
const own = class extends Promise { constructor(run) { super((resolve, reject) => run((v) => resolve(v), (e) => reject(e))) } static get [Symbol.species]() { return function (run) { run(() => {}, () => {}) } } }
try { own.resolve(1).then(() => {}) } catch { said.push('species') }
const then = Promise.prototype.then
Promise.prototype.then = function (...args) { said.push('stolen'); return then.apply(this, args) }
try { await uwsgi.asyncSleep(0.001) } catch {}
Promise.prototype.then = then
return said.filter((word) => !['then', 'species', 'stolen'].includes(word)).length`,
    expected: /^200 0$/,
  },
  'a rejection that nobody takes': {
    code: `
Promise.reject(new Proxy({}, { get() { throw new Error('shown') } }))
Promise.reject({ toString() { throw {} }, get message() { throw 1 }, get stack() { return { toString() { throw 2 } } } })
setTimeout(() => { throw Object.create(null) }, 0)
queueMicrotask(() => { throw { get stack() { throw 3 } } })
await uwsgi.asyncSleep(0.02)
return 'went on'`,
    expected: /^200 "went on"$/,
  },
  'generators that do not end': {
    code: `
const endless = (async function* () { try { for (;;) yield new Uint8Array(1) } finally { await new Promise(() => {}) } })()
await endless.next()
endless.return()
const body = new ReadableStream({ pull(c) { throw { get stack() { throw 1 } } } })
try { await new Response(body).text(); return 'took' } catch { return 'raised' }`,
    expected: /^200 "raised"$/,
  },
  'finalizers and weak references': {
    code: `
const said = []
if (typeof FinalizationRegistry !== 'undefined') {
  const registry = new FinalizationRegistry(() => { for (const name of ['process', 'require']) said.push(typeof globalThis[name]) })
  for (let i = 0; i < 1000; i += 1) registry.register({ i }, i)
}
for (let i = 0; i < 100; i += 1) new Array(10000).fill({})
await uwsgi.asyncSleep(0.01)
return said.every((type) => type === 'undefined')`,
    expected: /^200 true$/,
  },
  'functions of the glue that lie about': {
    code: `
const names = new Set(), seen = new Set()
const visit = (value, depth) => {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value) || depth > 12) return
  seen.add(value)
  for (const key of Reflect.ownKeys(value)) {
    names.add(String(key))
    const own = Reflect.getOwnPropertyDescriptor(value, key)
    for (const part of [own.value, own.get, own.set]) visit(part, depth + 1)
  }
  visit(Reflect.getPrototypeOf(value), depth + 1)
}
visit(globalThis, 0); visit(uwsgi, 0); visit(await import('uwsgi'), 0); visit(new Request('http://x'), 0); visit(new Response('x'), 0)
return ['resolveModule', 'commonJsFunction', 'readBody', 'bodyLength', 'sendHead', 'hostCall', 'QTS_Call', 'HEAPU8', 'wasmMemory', 'process'].filter((name) => names.has(name)).length`,
    expected: /^200 0$/,
  },
  'arguments.callee and callers': {
    code: `
const said = []
function sloppy() { return sloppy.caller ?? (() => { try { return arguments.callee.caller } catch { return undefined } })() }
try { said.push(typeof Function('return arguments.callee.caller')()) } catch { said.push('raised') }
try { said.push(typeof sloppy()) } catch { said.push('raised') }
const list = { toString() { said.push(typeof Function('return this.process')()); return 'x' } }
uwsgi.cacheGet(list) 
return said.filter((word) => word === 'function' || word === 'object').length`,
    expected: /^(200 0$|500 )/,
  },
  'replaced built-ins': {
    code: `
const saved = { push: Array.prototype.push, call: Function.prototype.call, apply: Function.prototype.apply, iterator: Array.prototype[Symbol.iterator], get: Map.prototype.get, toString: Object.prototype.toString, split: String.prototype.split, replace: String.prototype.replace, parse: JSON.parse, isArray: Array.isArray, from: Array.from }
let stolen = 0
const thief = function () { stolen += 1; return globalThis }
Array.prototype.push = Function.prototype.apply = Map.prototype.get = String.prototype.split = String.prototype.replace = thief
JSON.parse = Array.isArray = Array.from = thief
let said = []
try { said[said.length] = typeof (await import('uwsgi/fs')).default } catch { said[said.length] = 'raised' }
try { await import('../outside/secret'); said[said.length] = 'took' } catch { said[said.length] = 'raised' }
try { new Request('http://x', { headers: { a: 'b' } }); said[said.length] = 'made' } catch { said[said.length] = 'raised' }
Array.prototype.push = saved.push; Function.prototype.apply = saved.apply; Map.prototype.get = saved.get
String.prototype.split = saved.split; String.prototype.replace = saved.replace
JSON.parse = saved.parse; Array.isArray = saved.isArray; Array.from = saved.from
return said[1]`,
    expected: /^200 "raised"$/,
  },
}
