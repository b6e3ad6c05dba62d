// The bars of the benchmark: what has to hold, measured on the machine at hand. A bar on throughput is a ratio of medians,
// polywsgi to real uWSGI under the same load; the others are absolute.

export interface Bar {
  readonly text: string
  readonly limit: number
  readonly direction: 'at least' | 'at most'
  /** Unit of `limit` and of what is measured; a ratio has none. */
  readonly unit: 'ratio' | 's' | 'µs' | 'MB' | 'KB' | 'errors'
}

export const bars = {
  helloKeepAlive: { text: 'hello over HTTP keep-alive, to uWSGI', limit: 1, direction: 'at least', unit: 'ratio' },
  helloNginx: { text: 'hello over nginx uwsgi_pass, to uWSGI', limit: 0.45, direction: 'at least', unit: 'ratio' },
  nginxUpstream: {
    text: 'hello over nginx with keep-alive upstream, to uwsgi_pass of uWSGI',
    limit: 0.9,
    direction: 'at least',
    unit: 'ratio',
  },
  staticFile: { text: 'file of 100 KB over HTTP keep-alive, to uWSGI', limit: 1, direction: 'at least', unit: 'ratio' },
  pythonCpu: { text: 'CPU-bound Python, to uWSGI', limit: 0.4, direction: 'at least', unit: 'ratio' },
  startPython: { text: 'command to first answer, Python', limit: 1.5, direction: 'at most', unit: 's' },
  startJs: { text: 'command to first answer, JavaScript alone', limit: 0.4, direction: 'at most', unit: 's' },
  startLua: { text: 'command to first answer, Lua alone', limit: 0.4, direction: 'at most', unit: 's' },
  memoryGrowth: { text: 'memory above the start', limit: 64, direction: 'at most', unit: 'MB' },
  steadyMemory: { text: 'memory growth under a steady load', limit: 16, direction: 'at most', unit: 'MB' },
  cacheGetLua: { text: 'cache_get in Lua, to uWSGI', limit: 0.5, direction: 'at least', unit: 'ratio' },
  cacheGetPython: { text: 'cache_get in Python, to uWSGI', limit: 0.3, direction: 'at least', unit: 'ratio' },
  callAcross: { text: 'call of a function of any language', limit: 10, direction: 'at most', unit: 'µs' },
  pluginHooks: { text: 'hello with ten plugins, to none', limit: 0.97, direction: 'at least', unit: 'ratio' },
  pluginCpu: { text: 'CPU of hello with ten plugins, to none', limit: 1.03, direction: 'at most', unit: 'ratio' },
  sleepersAnswered: { text: '1000 sleeps of 1 s at once, to the last answer', limit: 2.5, direction: 'at most', unit: 's' },
  suspendedCore: { text: 'memory of a suspended core, with its connection', limit: 16, direction: 'at most', unit: 'KB' },
  suspendedCorePython: {
    text: 'memory of a suspended core, with its connection, Python',
    limit: 32,
    direction: 'at most',
    unit: 'KB',
  },
  slowClients: { text: 'hello beside slow clients, to without them', limit: 0.9, direction: 'at least', unit: 'ratio' },
  sandbox: { text: 'hello with the sandbox, to without it', limit: 0.95, direction: 'at least', unit: 'ratio' },
  respawnSpare: { text: 'death of a worker to the next answer, with a spare one', limit: 0.3, direction: 'at most', unit: 's' },
  respawn: { text: 'death of a worker to the next answer', limit: 1, direction: 'at most', unit: 's' },
  nothingLost: { text: 'increments lost or values torn', limit: 0, direction: 'at most', unit: 'errors' },
  noErrors: { text: 'failed requests', limit: 0, direction: 'at most', unit: 'errors' },
} as const satisfies Record<string, Bar>

export type BarName = keyof typeof bars

/** One bar held against one measurement. */
export interface Verdict {
  readonly bar: Bar
  /** What was measured: a row and a language. */
  readonly subject: string
  readonly measured: number
  readonly isMet: boolean
}

/** Holds a measurement against a bar; a measurement that is not a number (nothing was answered) never meets one. */
export function judge(name: BarName, subject: string, measured: number): Verdict {
  const bar = bars[name]
  const isMet = bar.direction === 'at least' ? measured >= bar.limit : measured <= bar.limit
  return { bar, subject, measured, isMet }
}
