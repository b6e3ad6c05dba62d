// docs/plugin-files.md, made from the tables. Pure: the script writes the text, a test compares it with the committed file.
import type { ApiParameter, ApiResult } from '../api/kinds.ts'
import { type GuestAnswerKind, type GuestHook, type GuestParameter, guestHooks, refusedGuestHooks } from './guest-hooks.ts'
import { type GuestRequestMember, guestRequestMembers } from './guest-request-members.ts'
import { type HookName, hookTable } from './hook-table.ts'

const opening = `# Plugins as a Lua or a Python file

A plugin may be a file in a guest's language: \`--plugin ./hello.lua\`, \`--plugin ./hello.py\`. It runs in the sandbox of its
language, with the \`uwsgi\` module and no more of the host than an app has. A Lua file returns a table; a Python file is the
plugin itself, by its names, or has a name \`plugin\`, an object or a dict.

\`\`\`lua
local greeting
return {
  name = 'hello', modifier1 = 250,
  options = { { name = 'hello-greeting', type = 'text', help = 'The word to greet with.', default = 'hello' } },
  init = function(ctx) greeting = ctx.options['hello-greeting'] end,
  request = function(req)
    req:prepare_headers('200 OK')
    req:write(greeting .. ', ' .. req.vars.PATH_INFO)
    return 0
  end,
}
\`\`\`

\`\`\`python
name, modifier1 = 'hello', 250
options = [{'name': 'hello-greeting', 'type': 'text', 'help': 'The word to greet with.', 'default': 'hello'}]

def init(ctx):
    global greeting
    greeting = ctx.options['hello-greeting'].encode()

def request(req):
    req.prepare_headers('200 OK')
    req.write(greeting + b', ' + req.vars['PATH_INFO'])
    return 0
\`\`\`

Beside hooks it has \`name\`, and may have \`alias\`, \`modifier1\`, \`options\` (each with \`name\`, \`type\`, \`help\`, and what
[options of plugins](../host/plugin/plugin-option.ts) may have, but no function) and \`app_extensions\`, a list like \`{'.fth'}\`.
In Python, functions and values of other names are the file's own; in a Lua table and a Python dict they are refused.

## When it runs

Before the server starts, the file is run once in a thread of its own, to learn what it says of itself; it has ten seconds for
that. There the \`uwsgi\` module refuses everything but registrations, \`log\` and who the thread is, and \`uwsgi.opt\` is empty:
what needs a server belongs into a hook. Then every worker, mule and spooler runs the file, in a world of its own as an app has,
and calls its hooks. The master runs no guest code: \`on_load\`, \`init\` and \`post_init\` run in every thread, right after the
file, so that what they leave is there for the requests. A reload runs the file as it is then; its name, its options and its
modifier1 are read again only by a new start.`

const requestText = `## The request

What \`request\` gets, and other hooks that are about a request. It lives as long as the hook that got it. In Lua methods are called
with a colon, in Python as usual; \`vars\` is a table, or a dict with names as \`str\`; bytes are a string, or \`bytes\`.
\`app\` is what \`mount_app\` returned for the app that the request was routed to, nothing without one. Where no status is set it is
\`200 OK\`; a response that is not finished is finished by the server.`

const answers: Readonly<Record<GuestAnswerKind, string>> = {
  none: '',
  truth: 'true: it was mine',
  result: '0 done, 1 call me again, -1 failed; nothing is 0',
  number: '-2 done, -1 retry, 0 not mine',
  app: 'its own handle of the app; nothing, false or -1: not mine',
}

const parameters: Readonly<Record<GuestParameter, string>> = {
  context: 'ctx',
  request: 'req',
  text: 'text',
  int: 'int',
  bytes: 'bytes',
  dict: 'vars',
}

/** What the arguments of a hook are called where their kind does not tell. */
const argumentNames: Readonly<Record<string, readonly string[]>> = {
  mount_app: ['mountpoint', 'file'],
  init_thread: ['core'],
  mule: ['program', 'ctx'],
  mule_msg: ['message'],
  spooler: ['file', 'vars', 'body'],
}

/** Where it is not as for plugins of the host's side. */
const otherwise: Readonly<Record<string, string>> = {
  on_load: 'the file has been run',
  init: 'after on_load of all plugin files',
  post_init: 'after init of all plugin files',
  post_fork: 'after post_init of all plugin files',
  atexit: 'a clean end of the thread',
}

export const renderPluginFilesDoc = (): string => {
  const hooks = Object.entries(guestHooks as Readonly<Record<string, GuestHook>>).map(([name, { member, params, answer }]) => [
    `\`${name}(${(argumentNames[name] ?? params.map((param) => parameters[param])).join(', ')})\``,
    otherwise[name] ?? snakeCase(hookTable[member as HookName].when),
    answers[answer],
  ])
  const refused = Object.entries(refusedGuestHooks).map(([name, reason]) => [`\`${name}\``, reason])
  return `${[
    opening,
    '## Hooks',
    "Names are uWSGI's. `ctx` has `options` (the values of the plugin's own, by name), `workers`, `cores`, and `thread`: 'worker', 'mule' or 'spooler'.",
    table(['Hook', 'When', 'Returns'], hooks),
    'These are refused, with the reason:',
    table(['Hook', 'Why'], refused),
    requestText,
    table(['Member', '', 'Fails with'], guestRequestMembers.map(memberRow)),
  ].join('\n\n')}\n`
}

/** Names of hooks within a text. */
const snakeCase = (text: string): string =>
  text.replace(/\b[a-z]+[A-Z]\w*/g, (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))

const memberRow = ({ name, isProperty, params, returns, doc, raises }: GuestRequestMember): readonly string[] => {
  const own = name.slice(name.indexOf('.') + 1)
  const call = isProperty === true ? own : `${own}(${params.map(parameterText).join(', ')})`
  return [`\`${call}\`${returns === 'none' ? '' : `: ${resultText(returns)}`}`, doc, raises.join('; ')]
}

const parameterText = ({ name, default: standard }: ApiParameter): string =>
  standard === undefined ? name : `${name} = ${standard === null ? 'nothing' : String(standard)}`

const resultText = (returns: ApiResult): string => (returns === 'dict' ? 'names and bytes' : String(returns))

const table = (heads: readonly string[], rows: ReadonlyArray<readonly string[]>): string =>
  [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
