// API group: jobs on disk, run by the spooler.
import type { ApiEntry } from '../kinds.ts'

export const spooler = [
  {
    shape: 'attribute',
    name: 'SPOOL_OK',
    group: 'spooler',
    type: 'int',
    value: -2,
    doc: 'What a `spooler` function returns when a job is done: its file is removed.',
    example: { js: 'uwsgi.SPOOL_OK // -2', lua: 'uwsgi.SPOOL_OK -- -2', python: 'uwsgi.SPOOL_OK  # -2' },
  },
  {
    shape: 'attribute',
    name: 'SPOOL_RETRY',
    group: 'spooler',
    type: 'int',
    value: -1,
    doc: 'What a `spooler` function returns to be given the job again later.',
    example: { js: 'uwsgi.SPOOL_RETRY // -1', lua: 'uwsgi.SPOOL_RETRY -- -1', python: 'uwsgi.SPOOL_RETRY  # -1' },
  },
  {
    shape: 'attribute',
    name: 'SPOOL_IGNORE',
    group: 'spooler',
    type: 'int',
    value: 0,
    doc: 'What a `spooler` function returns for a job that is not its own: the next language is asked.',
    example: { js: 'uwsgi.SPOOL_IGNORE // 0', lua: 'uwsgi.SPOOL_IGNORE -- 0', python: 'uwsgi.SPOOL_IGNORE  # 0' },
  },
  {
    shape: 'attribute',
    name: 'spoolers',
    group: 'spooler',
    type: { list: 'bytes', python: 'tuple' },
    doc: "The spoolers' directories, as absolute paths. The first one takes jobs that name none.",
    example: { js: 'uwsgi.spoolers.length', lua: '#uwsgi.spoolers', python: 'len(uwsgi.spoolers)' },
  },
  {
    shape: 'function',
    name: 'spool',
    group: 'spooler',
    kind: 'blocking',
    params: [
      {
        name: 'job',
        type: 'dict',
        doc: 'Names to values. `body`: bytes of any length. `at`: when to run it, in seconds since 1970. `priority`: a number. `spooler`: a directory.',
      },
    ],
    returns: 'bytes',
    always: true,
    raises: [
      'ValueError: no spooler is configured, or none of the directory that the job names',
      'ValueError: a value has more than 65535 bytes, all together have, or `at` or `priority` is no number',
      'OSError: the job cannot be written',
    ],
    aliases: ['send_to_spooler'],
    doc: `Writes a job to disk and wakes the spooler. When this returns the job outlives the server. Returns its path.
Differs from uWSGI: values that are too long are refused, not cut, and a \`priority\` must be a number.`,
    example: {
      js: "return uwsgi.spool({ task: 'resize', picture: 17, body: new Uint8Array(100_000) }).toString()",
      lua: "return uwsgi.spool({ task = 'resize', picture = 17, body = ('x'):rep(100000) })",
      python: "return uwsgi.spool({b'task': b'resize', b'picture': b'17', b'body': b'x' * 100_000})",
    },
  },
  {
    shape: 'function',
    name: 'set_spooler_frequency',
    group: 'spooler',
    kind: 'immediate',
    unsandboxed: 'it changes the spoolers of the whole server',
    params: [{ name: 'seconds', type: 'int', min: 1, max: 2_147_483, unit: 'seconds', doc: 'From now on, of all spoolers.' }],
    returns: 'true',
    always: true,
    raises: ['ValueError: argument out of range'],
    doc: 'How often spoolers look into their directories without being woken (`spooler-frequency`).',
    example: {
      js: 'uwsgi.setSpoolerFrequency(10)',
      lua: 'uwsgi.set_spooler_frequency(10)',
      python: 'uwsgi.set_spooler_frequency(10)',
    },
  },
  {
    shape: 'function',
    name: 'spooler_jobs',
    group: 'spooler',
    kind: 'blocking',
    params: [],
    returns: { list: 'bytes', python: 'list' },
    always: true,
    raises: ['OSError: a directory cannot be read'],
    doc: `The paths of all jobs that are on disk, due or not, in the order of their priorities and their submission.
Differs from uWSGI: those with a priority are listed too.`,
    example: { js: 'uwsgi.spoolerJobs().length', lua: '#uwsgi.spooler_jobs()', python: 'len(uwsgi.spooler_jobs())' },
  },
  {
    shape: 'function',
    name: 'spooler_get_task',
    group: 'spooler',
    kind: 'blocking',
    params: [{ name: 'path', type: 'text', doc: 'As `spool` or `spooler_jobs` gave it.' }],
    returns: 'dict',
    raises: [],
    doc: `A job as the \`spooler\` function gets it: its variables, \`spooler_task_name\`, and \`body\` when it has one.
Nothing when there is no such job.
Differs from uWSGI: only files in the spoolers' directories are read.`,
    example: {
      js: 'const [path] = uwsgi.spoolerJobs()\nreturn path && uwsgi.spoolerGetTask(path)',
      lua: 'local path = uwsgi.spooler_jobs()[1]\nreturn path and uwsgi.spooler_get_task(path)',
      python: 'return [uwsgi.spooler_get_task(path) for path in uwsgi.spooler_jobs()]',
    },
  },
  {
    shape: 'function',
    name: 'spooler_pid',
    group: 'spooler',
    kind: 'immediate',
    params: [],
    returns: 'int',
    always: true,
    raises: [],
    doc: 'The process id of the first spooler; 0 without one. Spoolers are threads of the master, so it is the id of this process.',
    example: { js: 'uwsgi.spoolerPid()', lua: 'uwsgi.spooler_pid()', python: 'uwsgi.spooler_pid()' },
  },
  {
    shape: 'function',
    name: 'spooler_pids',
    group: 'spooler',
    kind: 'immediate',
    params: [],
    returns: { list: 'int', python: 'list' },
    always: true,
    raises: [],
    doc: 'The process id of each spooler: the same number, once per spooler.',
    example: { js: 'uwsgi.spoolerPids().length', lua: '#uwsgi.spooler_pids()', python: 'len(uwsgi.spooler_pids())' },
  },
  {
    shape: 'hook',
    name: 'spooler',
    group: 'spooler',
    params: [
      {
        name: 'env',
        type: 'dict',
        doc: "The job's variables, `spooler_task_name` (its file's name), and `body` when it has one.",
      },
    ],
    returns: 'int',
    doc: `Called in the spooler with each job; returns SPOOL_OK, SPOOL_RETRY or SPOOL_IGNORE. Anything else keeps the job.
A job that is kept is run again after 1 second, then 2, 4... at most \`spooler-frequency\`, or 5 minutes after an exception.
The function may be ended in the middle, and the job is then run again: it must bear to be run twice.
Differs from uWSGI: after \`spooler-max-tries\` exceptions in a row the job is moved to \`failed/\` in its directory.
A file that is no job is moved there too, not deleted.`,
    example: {
      js: 'uwsgi.spooler = (env) => {\n  uwsgi.log(env.task)\n  return uwsgi.SPOOL_OK\n}',
      lua: 'uwsgi.spooler = function(env)\n  uwsgi.log(env.task)\n  return uwsgi.SPOOL_OK\nend',
      python: "def run(env):\n    uwsgi.log(env[b'task'])\n    return uwsgi.SPOOL_OK\nuwsgi.spooler = run",
    },
  },
] as const satisfies readonly ApiEntry[]
