// The arrows between the rooms: which may import which, and what only one room may use.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const sources = globSync('{protocol,host,bindings}/**/*.ts', { cwd: root }).map((path) => ({
  path,
  text: readFileSync(join(root, path), 'utf8'),
}))

/** The paths of our own that a file imports, from the root; types count too. */
const importsOf = (path: string, text: string): string[] =>
  [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) =>
    normalize(join(dirname(path), (match[1] as string).replace(/\?raw$/, ''))),
  )

/** For each room what it may import beside itself. The first room whose path fits counts. */
const arrows: readonly (readonly [room: string, allowed: readonly string[]])[] = [
  ['protocol/', []],
  ['host/state/', []],
  ['host/errors.ts', []],
  ['host/errors-doc.ts', ['host/errors.ts', 'protocol/']],
  ['host/api/', ['host/state/', 'host/errors.ts', 'protocol/']],
  ['host/files/', []],
  ['host/control/', []],
  ['host/permissions/', ['host/api/', 'host/files/', 'host/errors.ts']],
  ['host/request/', ['protocol/', 'host/errors.ts', 'host/plugin/app.ts', 'host/files/']],
  [
    'host/plugin/',
    ['host/api/', 'host/request/', 'host/errors.ts', 'host/config/nearest.ts', 'protocol/', 'host/gateway/remote-client.ts'],
  ],
  ['host/plugins/', ['protocol/', 'host/api/', 'host/plugin/', 'host/request/', 'host/state/', 'host/errors.ts']],
  ['host/build/', ['host/plugin/', 'host/errors.ts']],
  ['host/scaffold/', ['host/errors.ts']],
  ['host/hooks/', ['host/plugin/', 'host/api/', 'host/request/', 'host/errors.ts', 'host/config/nearest.ts']],
  ['host/log/', ['host/api/', 'host/request/', 'protocol/']],
  ['host/offload/', ['host/errors.ts', 'host/files/', 'host/request/offload-order.ts', 'host/master/exchange.ts']],
  ['host/static/', ['protocol/', 'host/files/', 'host/offload/', 'host/master/exchange.ts']],
  // Of plugins it knows two types: what an option is that one brings, and where one lies.
  [
    'host/config/',
    [
      'host/errors.ts',
      'host/api/kinds.ts',
      'host/plugin/plugin-option.ts',
      'host/plugin/plugin-source.ts',
      'host/hooks/phases.ts',
      'package.json',
    ],
  ],
  [
    'host/gateway/',
    [
      'protocol/',
      'host/errors.ts',
      'host/request/status.ts',
      'host/master/exchange.ts',
      'host/state/response-ring.ts',
      'host/control/lines.ts',
      'host/request/request-id.ts',
    ],
  ],
  [
    'host/worker/',
    [
      'protocol/',
      'host/state/',
      'host/api/',
      'host/plugin/',
      'host/hooks/',
      'host/request/',
      'host/files/',
      'host/permissions/',
      'host/log/',
      'host/errors.ts',
    ],
  ],
  [
    'host/master/',
    [
      'host/state/',
      'host/api/',
      'host/plugin/',
      'host/log/',
      'host/control/reload-kinds.ts',
      'host/errors.ts',
      'host/permissions/permission-plan.ts',
      'host/hooks/plan.ts',
      'host/request/request-id.ts',
      'host/worker/messages.ts',
      'host/worker/describe-messages.ts',
      'host/worker/exceptions.ts',
      'host/worker/mount-plan.ts',
      'host/worker/call-messages.ts',
      'host/worker/crossed-error.ts',
    ],
  ],
  ['host/', ['protocol/', 'host/']],
  ...['js', 'lua', 'python'].map(
    (language) =>
      [`bindings/${language}/`, ['host/api/', 'host/plugin/', 'host/request/', 'host/errors.ts', 'protocol/']] as const,
  ),
]

describe('the rooms', () => {
  it('import only what lies below them', () => {
    const wrong: string[] = []
    for (const { path, text } of sources) {
      const arrow = arrows.find(([room]) => path.startsWith(room))
      if (arrow === undefined) {
        wrong.push(`${path} is in no room`)
        continue
      }
      const [room, allowed] = arrow
      for (const target of importsOf(path, text)) {
        if (target.startsWith(room) || allowed.some((other) => target.startsWith(other))) continue
        wrong.push(`${path} imports ${target}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('have no file that no line of the list is for', () => {
    expect(sources.length).toBeGreaterThan(50)
    for (const [room] of arrows) expect(sources.some(({ path }) => path.startsWith(room))).toBe(true)
  })

  it('keep files short enough to hold in the head, but for generated ones', () => {
    const written = sources.filter(({ path }) => !path.includes('/types/'))
    const long = written.filter(({ text }) => text.split('\n').length > 401).map(({ path }) => path)
    expect(long).toEqual([])
  })

  it('open every file with what it is for', () => {
    const silent = sources.filter(({ text }) => !/^(?:#!.*\n)?\/\/ \S/.test(text)).map(({ path }) => path)
    expect(silent).toEqual([])
  })

  it('leave sockets to the gateway', () => {
    const others = sources.filter(({ path, text }) => /from 'node:(?:net|http)'/.test(text) && !path.startsWith('host/gateway/'))
    expect(others.map(({ path }) => path).sort()).toEqual([
      'host/index.ts',
      'host/instance.ts',
      'host/plugin/sockets.ts',
      'host/request/status.ts',
    ])
  })
})
