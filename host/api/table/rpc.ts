// API group: functions that other threads, languages and servers may call.
import type { ApiEntry } from '../kinds.ts'

export const rpc = [
  {
    shape: 'function',
    name: 'register_rpc',
    group: 'rpc',
    kind: 'immediate',
    params: [
      { name: 'name', type: 'text', maxBytes: 255, doc: 'The name under which it is called.' },
      { name: 'function', type: 'function', doc: 'Takes bytes, answers with bytes or text, or nothing.' },
      { name: 'argc', type: 'int', default: 0, min: 0, max: 254, doc: 'How many arguments it takes; 0: any number.' },
    ],
    returns: 'true',
    always: true,
    raises: ['ValueError: there are `rpc-max` functions already'],
    doc: `Makes a function callable by name: from every language and thread of this server, and from other servers.
A name that is there already is given to the new function. Differs from uWSGI: \`argc\` is enforced, mules and spoolers may
register too, and what one thread alone registers is found by the others.`,
    example: {
      js: "uwsgi.registerRpc('shout', (text) => text + '!')\nreturn uwsgi.call('shout', 'hello').toString() // 'hello!'",
      lua: "uwsgi.register_rpc('shout', function(text) return text .. '!' end)\nreturn uwsgi.call('shout', 'hello') -- 'hello!'",
      python: "uwsgi.register_rpc('shout', lambda text: text + b'!')\nreturn uwsgi.call('shout', b'hello')  # b'hello!'",
    },
  },
  {
    shape: 'function',
    name: 'rpc',
    group: 'rpc',
    kind: 'blocking',
    params: [
      {
        name: 'node',
        type: 'text',
        default: null,
        doc: 'Another server, as `host:port`, a unix path or `@name`; none: this one.',
      },
      { name: 'name', type: 'text', maxBytes: 255, doc: 'Which function.' },
      { name: 'args', type: 'bytes', variadic: true, doc: 'Up to 254 arguments; to another server, 65535 bytes in all.' },
    ],
    returns: 'bytes',
    raises: [
      'ValueError: more than 254 arguments, or more than a packet holds, are given',
      'ValueError: the function takes another number of arguments, or is asynchronous',
      'RuntimeError: the function raised, here or in another thread of this server',
      "OSError: another server's answer is cut off, or no answer to a call",
    ],
    doc: `Calls a function of another server, or of this one, and waits for its answer.
Not defined when there is no such function, when it answered nothing, and when another server cannot be reached in
\`socket-timeout\` seconds or says nothing. Differs from uWSGI: a function of this server that raises makes the call raise,
and an empty answer is an answer; name and arguments may be text in Python too, and a missing or wrong one is a TypeError.`,
    example: {
      js: "uwsgi.registerRpc('double', (n) => String(2 * Number(n)))\nreturn uwsgi.rpc('', 'double', '21').toString() // '42'",
      lua: "uwsgi.register_rpc('double', function(n) return 2 * n end)\nreturn uwsgi.rpc('', 'double', '21') -- '42'",
      python: "uwsgi.register_rpc('double', lambda n: b'%d' % (2 * int(n)))\nreturn uwsgi.rpc('', 'double', b'21')  # b'42'",
    },
  },
  {
    shape: 'function',
    name: 'call',
    group: 'rpc',
    kind: 'blocking',
    params: [
      { name: 'name', type: 'text', maxBytes: 255, doc: 'Which function.' },
      { name: 'args', type: 'bytes', variadic: true, doc: 'Up to 254 arguments.' },
    ],
    returns: 'bytes',
    raises: [
      'ValueError: the function takes another number of arguments, or is asynchronous',
      'RuntimeError: the function raised',
    ],
    doc: `Calls a function of this server: in this thread when it is registered here, else of the embedding program, else in
another thread. Not defined when there is none of that name, or it answered nothing.
Differs from uWSGI: name and arguments may be text in Python too, and a missing or wrong one is a TypeError.`,
    example: {
      js: "uwsgi.registerRpc('greet', (who) => 'hi ' + who)\nreturn uwsgi.call('greet', 'you').toString() // 'hi you'",
      lua: "uwsgi.register_rpc('greet', function(who) return 'hi ' .. who end)\nreturn uwsgi.call('greet', 'you') -- 'hi you'",
      python: "uwsgi.register_rpc('greet', lambda who: b'hi ' + who)\nreturn uwsgi.call('greet', b'you')  # b'hi you'",
    },
  },
  {
    shape: 'function',
    name: 'rpc_list',
    group: 'rpc',
    kind: 'immediate',
    params: [],
    returns: { list: 'bytes', python: 'tuple' },
    always: true,
    raises: [],
    doc: 'The names of the functions registered in this thread.',
    example: {
      js: "uwsgi.registerRpc('answer', () => '42')\nreturn uwsgi.rpcList().map(String).includes('answer') // true",
      lua: "uwsgi.register_rpc('answer', function() return '42' end)\nreturn table.concat(uwsgi.rpc_list(), ' ')",
      python: "uwsgi.register_rpc('answer', lambda: b'42')\nreturn b'answer' in uwsgi.rpc_list()  # True",
    },
  },
] as const satisfies readonly ApiEntry[]
