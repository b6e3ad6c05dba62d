// docs/hooks.md, made from the tables of phases and actions. Pure: the script writes the text, and a test compares it with
// the committed file.
import { actions, refusedActions } from './actions/index.ts'
import { hookPhases, phaseNames, refusedPhases } from './phases.ts'

const opening = `# Hooks

A hook is a line of the configuration that does something at a moment of the server's life:

    hook-asap = mkdir:/run/app
    hook-pre-app = exec:./migrate.sh
    hook-accepting1-once = call:warm_up
    hook-as-user-atexit = unlink:/run/app/ready

It is \`hook-PHASE = ACTION:ARGUMENTS\`. An option may be repeated: its lines run in the order in which they are given, then those of
\`exec-PHASE\` (a shell command each), then those of \`call-PHASE\` (a function of a plugin each). The log shows what runs
(\`running "mkdir:/run/app" (asap)...\`); with a \`!\` before the action it hides the line (\`running --- PRIVATE HOOK --- (asap)...\`).

Everything is checked before anything runs: an action that does not exist, an argument that it does not take, one that its phase cannot
have. What follows the colon is taken as it is, blanks and quotes included; where an action takes several arguments, one blank is between two.

An action that fails is told in the log. In most phases that is fatal: the log says \`FATAL hook failed, destroying instance\`, and the server
that starts ends with exit code 1. A worker that is started anew because another has died is tried again later. On a reload the reload is
given up, and the server
goes on as it was.

Phases of the master run one after the other, and the next step of the start waits for each; the master serves on meanwhile. A server that is
stopped waits for no hook of its start: commands are ended.

\`after-request-hook = FUNCTION\` calls a function of a plugin in the worker after each request, when its line is in the log. It gets nothing as its
first argument and the request as its second.

This page is generated from the tables of phases and actions by \`npm run gen\`; do not edit.`

const functions = `## Functions of plugins

A plugin exposes functions in \`functions\`, or by exporting them by name; it may do nothing else:

    export default {
      name: 'useless',
      functions: {
        hello: (text) => console.error(\`hello \${text}\`),
        check: () => (ready ? 0 : 1),
      },
      hookActions: {
        shout: (text) => console.error(text.toUpperCase()),
      },
    }

    plugin = ./useless.mjs
    hook-asap = call:hello world
    hook-pre-app = callret:useless.check
    hook-master-start = shout:it runs

They run in the thread of their phase: each thread has a plugin of its own.`

export const renderHookOptionsDoc = (): string =>
  `${[
    opening,
    '## Phases',
    'In the order of a server\'s life. "Again" tells what runs on a reload too, "fatal" where a failure ends the start.',
    table(
      ['Phase', 'Where', 'When', 'Again', 'Fatal', 'exec-, call-'],
      phaseNames.map((phase) => {
        const { place, when, isRepeated, isFatal, hasCommands } = hookPhases[phase]
        return [code(phase), place, `${when}.`, yes(isRepeated), yes(isFatal), yes(hasCommands)]
      }),
    ),
    'Phases of uWSGI that are refused:',
    table(
      ['Phase', 'Why'],
      refusedPhases.map(([phase, why]) => [code(phase), `${why}.`]),
    ),
    '## Actions',
    table(
      ['Action', 'Arguments', 'What it does'],
      [...actions].map(([name, { usage, help, masterOnly }]) => [
        code(name),
        usage === '' ? '' : code(usage),
        masterOnly === undefined ? help : `${help} In the master only: ${masterOnly}.`,
      ]),
    ),
    'Actions of uWSGI that are refused:',
    table(
      ['Action', 'Why'],
      [...refusedActions].map(([name, why]) => [code(name), `${why}.`]),
    ),
    functions,
  ].join('\n\n')}\n`

const table = (heads: readonly string[], rows: ReadonlyArray<readonly string[]>): string =>
  [heads, heads.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n')

const code = (text: string): string => `\`${text}\``

const yes = (is: boolean): string => (is ? 'yes' : '')
