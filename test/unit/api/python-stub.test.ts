// What type checkers are told of the uwsgi module, against what is known of it: a table made by hand, with what a caller may
// pass and what comes back, held against the stub that is rendered from the API table.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import python from '../../../bindings/python/index.ts'
import { renderPythonStubs } from '../../../host/api/render/stubs-python.ts'
import { PluginHarness } from '../../support/plugin-harness.ts'
import { writeGuest } from './guest-file.ts'

/**
 * `name(what a caller may pass) what comes back`. Of a parameter: `name?` may be left out, `name=1` stands for 1 then, `*name`
 * is any number. Types: `data` is bytes of any kind or text, `text` is str or bytes that are UTF-8; `x?` is x or None.
 */
const facts = `
worker_id() int
masterpid() int
mule_id() int
i_am_the_spooler() true?
log(message: data) true
log_this_request() none
cache_get(key: data, cache?: text) bytes?
cache_exists(key: data, cache?: text) true?
cache_set(key: data, value: data, expires=0: int, cache?: text) true?
cache_update(key: data, value: data, expires=0: int, cache?: text) true?
cache_del(key: data, cache?: text) true?
cache_inc(key: data, n=1: int, expires=0: int, cache?: text) true?
cache_dec(key: data, n=1: int, expires=0: int, cache?: text) true?
cache_mul(key: data, n=2: int, expires=0: int, cache?: text) true?
cache_div(key: data, n=2: int, expires=0: int, cache?: text) true?
cache_num(key: data, cache?: text) int
cache_clear(cache?: text) true?
cache_keys(cache?: text) [bytes]
lock(num=0: int, timeout?: float) none
unlock(num=0: int) none
is_locked(num=0: int) bool
signal(signum: int, node?: text) none
register_signal(signum: int, kind: text, handler: called with int) none
signal_registered(signum: int) true?
signal_wait(signum?: int) empty
signal_received() int
add_timer(signum: int, seconds: int) none
add_ms_timer(signum: int, milliseconds: int) none
add_rb_timer(signum: int, seconds: int, iterations=0: int) none
add_cron(signum: int, minute: int, hour: int, day: int, month: int, week: int) true
add_file_monitor(signum: int, path: text) none
register_rpc(name: text, function: callable, argc=0: int) true
call(name: text, *args: data) bytes?
rpc_list() (bytes...)
mule_msg(message: data, target?: int or data) bool
farm_msg(farm: text, message: data) none
mule_get_msg(signals=True: bool, farms=True: bool, buffer_size=65536: int, timeout=-1: float) bytes
farm_get_msg() bytes
in_farm(farm?: text) true?
spool(job: dict) bytes
set_spooler_frequency(seconds: int) true
spooler_jobs() [bytes]
spooler_get_task(path: text) dict?
spooler_pid() int
spooler_pids() [int]
alarm(name: text, message: data) none
connection_fd() int
send(fd_or_data: int or data, data?: data) true?
recv(fd_or_max: int, max?: int) bytes?
close(fd: int) none
connect(address: text, timeout=3: float) int
is_connected(fd: int) bool
disconnect() none
request_id() int
cl() int
set_logvar(name: text, value: data) none
get_logvar(name: text) bytes?
workers() (_Worker...)
total_requests() int
mem() (int, int)
micros() int
reload() true
stop() true
setprocname(name: data) none
set_user_harakiri(seconds: int) none
metric_get(name: text) int
metric_set(name: text, value=1: int) true?
metric_inc(name: text, value=1: int) true?
metric_dec(name: text, value=1: int) true?
metric_mul(name: text, value=1: int) true?
metric_div(name: text, value=1: int) true?
metric_set_max(name: text, value=1: int) true?
metric_set_min(name: text, value=1: int) true?
queue_push(message: data) true?
queue_pop() bytes?
queue_pull() bytes?
queue_get(index: int) bytes?
queue_set(index: int, message: data) true?
queue_last(count=1: int) [bytes]
queue_slot() int
queue_pull_slot() int
sharedarea_read(id: int, position: int, length=0: int) bytes
sharedarea_write(id: int, position: int, data: data) none
sharedarea_read8(id: int, position: int) int
sharedarea_read64(id: int, position: int) int
sharedarea_write8(id: int, position: int, value: int) none
sharedarea_write64(id: int, position: int, value: int) none
sharedarea_inc32(id: int, position: int, value=1: int) none
sharedarea_inc64(id: int, position: int, value=1: int) none
sharedarea_dec32(id: int, position: int, value=1: int) none
sharedarea_dec64(id: int, position: int, value=1: int) none
sharedarea_rlock(id: int) none
sharedarea_wlock(id: int) none
sharedarea_unlock(id: int) none
`
  .trim()
  .split('\n')

const pythonTypes: Readonly<Record<string, string>> = {
  data: 'str | Buffer',
  text: 'str | bytes',
  true: 'Literal[True]',
  none: 'None',
  empty: 'Literal[b""]',
  dict: 'dict[Any, Any]',
  callable: 'Callable[..., Any]',
  'called with int': 'Callable[[int], Any]',
  'int or data': 'int | str | Buffer',
}

const pythonType = (fact: string): string => {
  if (fact.endsWith('?')) return `${pythonType(fact.slice(0, -1))} | None`
  if (fact.startsWith('[')) return `list[${pythonType(fact.slice(1, -1))}]`
  if (fact.startsWith('(')) return `tuple[${fact.slice(1, -1).split(', ').map(tupleItem).join(', ')}]`
  return pythonTypes[fact] ?? fact
}

const tupleItem = (fact: string): string => (fact.endsWith('...') ? `${pythonType(fact.slice(0, -3))}, ...` : pythonType(fact))

const pythonParameter = (fact: string): string => {
  const [, name, mark, type] = /^(\*?\w+)(\?|=[^:]+)?: (.+)$/.exec(fact) as unknown as [
    string,
    string,
    string | undefined,
    string,
  ]
  if (mark === undefined) return `${name}: ${pythonType(type)}`
  return mark === '?' ? `${name}: ${pythonType(type)} | None = None` : `${name}: ${pythonType(type)} = ${mark.slice(1)}`
}

const stub = renderPythonStubs()
const lines = stub.split('\n')

describe('the stub of the uwsgi module', () => {
  it.each(facts)('declares %s', (fact) => {
    const [, name, params, result] = /^(\w+)\((.*?)\) (.+)$/.exec(fact) as unknown as [string, string, string, string]
    const declared = params === '' ? '' : params.split(', ').map(pythonParameter).join(', ')
    expect(lines.filter((line) => line.startsWith(`def ${name}(`))).toEqual([
      `def ${name}(${declared}) -> ${pythonType(result)}:`,
    ])
  })

  it('lets rpc() have no node, which means this server', () => {
    expect(lines).toContain('def rpc(node: str | bytes | None, name: str | bytes, *args: str | Buffer) -> bytes | None:')
  })

  it.each([
    ['version', 'bytes'],
    ['version_info', 'tuple[int, int, int]'],
    ['hostname', 'bytes'],
    ['opt', 'dict[str, bytes | Literal[True] | list[bytes | Literal[True]]]'],
    ['numproc', 'int'],
    ['cores', 'int'],
    ['has_threads', 'int'],
    ['buffer_size', 'int'],
    ['started_on', 'int'],
    ['is_a_reload', 'bool'],
    ['queue_size', 'int'],
    ['spoolers', 'tuple[bytes, ...]'],
    ['SPOOL_OK', 'Literal[-2]'],
    ['SPOOL_RETRY', 'Literal[-1]'],
    ['SPOOL_IGNORE', 'Literal[0]'],
    ['spooler', 'Callable[[dict[Any, Any]], int]'],
    ['mule_msg_hook', 'Callable[[bytes], Any]'],
    ['post_fork_hook', 'Callable[[], Any]'],
    ['after_req_hook', 'Callable[[], Any]'],
    ['atexit', 'Callable[[], Any]'],
  ])('declares %s as %s', (name, type) => {
    expect(lines.filter((line) => line.startsWith(`${name}: `))).toEqual([`${name}: ${type}`])
  })

  it.each([
    ['send_to_spooler', 'spool'],
    ['sharedarea_readbyte', 'sharedarea_read8'],
    ['sharedarea_writebyte', 'sharedarea_write8'],
    ['sharedarea_readlong', 'sharedarea_read64'],
    ['sharedarea_writelong', 'sharedarea_write64'],
    ['sharedarea_inclong', 'sharedarea_inc64'],
  ])('declares %s as another name of %s', (alias, name) => {
    expect(lines).toContain(`${alias} = ${name}`)
  })

  it('knows every field of a worker by its name and type', () => {
    const fields = /class _Worker\(TypedDict\):\n((?: {4}.+\n)+)/
      .exec(stub)?.[1]
      ?.split('\n')
      .map((line) => line.trim())
    expect(fields).toEqual(expect.arrayContaining(['id: int', 'status: bytes', 'avg_rt: int', 'apps: tuple[_WorkerApp, ...]']))
  })
})

describe('the stub, read by Python itself', () => {
  let harness: PluginHarness
  beforeAll(async () => {
    harness = await PluginHarness.boot(python)
    await harness.mount(
      writeGuest(
        'app.py',
        `import ast
def application(environ, start_response):
    tree = ast.parse(environ['wsgi.input'].read().decode())
    start_response('200 OK', [])
    undocumented = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not ast.get_docstring(node)]
    return [repr((sum(isinstance(node, ast.FunctionDef) for node in tree.body), undocumented)).encode()]
`,
      ),
    )
  })
  afterAll(() => harness.close())

  it('is Python, in which every function has its documentation', async () => {
    const functions = lines.filter((line) => line.startsWith('def ')).length
    expect(functions).toBeGreaterThan(90)
    expect((await harness.request({ method: 'POST', body: stub })).text).toBe(`(${functions}, [])`)
  })
})
