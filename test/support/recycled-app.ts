// The same small app in each language: it counts in a variable of its interpreter, so that a new worker begins from 1, and keeps as
// much memory as it is told.
export interface RecycledApp {
  readonly language: string
  readonly file: string
  readonly code: string
}

export const recycledApps: readonly RecycledApp[] = [
  {
    language: 'python',
    file: 'app.py',
    code: [
      'import uwsgi',
      'count = 0',
      'kept = []',
      'def application(environ, start_response):',
      '    global count',
      '    count += 1',
      "    if environ['QUERY_STRING'] != '':",
      "        kept.append(bytearray(int(environ['QUERY_STRING']) * 1024 * 1024))",
      "    start_response('200 OK', [('Content-Type', 'text/plain')])",
      "    return [f'{uwsgi.worker_id()} {count}'.encode()]",
      '',
    ].join('\n'),
  },
  {
    language: 'lua',
    file: 'app.lua',
    code: [
      'local count, kept = 0, {}',
      'return function(environ)',
      '  count = count + 1',
      "  for _ = 1, tonumber(environ.QUERY_STRING) or 0 do kept[#kept + 1] = ('x'):rep(1024 * 1024 + #kept) end",
      '  local answer = uwsgi.worker_id() .. " " .. count',
      "  return '200 OK', { ['Content-Type'] = 'text/plain' }, coroutine.wrap(function() coroutine.yield(answer) end)",
      'end',
      '',
    ].join('\n'),
  },
  {
    language: 'js',
    file: 'app.mjs',
    code: [
      "import uwsgi from 'uwsgi'",
      'let count = 0',
      'const kept = []',
      'export default {',
      '  fetch(request) {',
      '    count += 1',
      '    const { search } = new URL(request.url)',
      "    if (search !== '') kept.push(new Uint8Array(Number(search.slice(1)) * 1024 * 1024).fill(1))",
      '    return new Response(uwsgi.workerId() + " " + count)',
      '  },',
      '}',
      '',
    ].join('\n'),
  },
]
