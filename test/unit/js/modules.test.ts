// Loading apps: modules and their imports, scripts, what is exported, and what is refused with which words.
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { AppLoadError } from '../../../host/errors.ts'
import { bootJs, directoryWith, mountJs } from './js-apps.ts'

const textOf = 'export default () => new Response(String(text))'

/** Mounts `app.js` of these files and gives the text of its answer. */
const answerOf = async (files: Record<string, string>, app = 'app.js'): Promise<string> => {
  const directory = directoryWith(files)
  const harness = await bootJs()
  await harness.mount(join(directory, app))
  const response = await harness.request()
  if (response.status !== '200 OK') throw new Error(harness.logLines.join('\n'))
  return response.text
}

/** The error of mounting `app.js` of these files. */
const refusalOf = async (
  files: Record<string, string | Uint8Array>,
  options: Parameters<typeof bootJs>[0] = {},
): Promise<AppLoadError> => {
  const directory = directoryWith(files)
  const harness = await bootJs(options)
  try {
    await harness.mount(join(directory, 'app.js'))
  } catch (error) {
    return error as AppLoadError
  }
  throw new Error('the app was loaded')
}

describe('a module', () => {
  it('imports files beside and below it', async () => {
    expect(
      await answerOf({
        'app.js': `import a, { b } from './lib/a.js'\nimport * as c from "./c.mjs"\nconst text = [a, b, c.d]\n${textOf}`,
        'lib/a.js': "export default 'a'\nexport { b } from '../b.js'",
        'b.js': "export const b = 'b'",
        'c.mjs': "export const d = 'd'",
      }),
    ).toBe('a,b,d')
  })

  it('imports JSON', async () => {
    expect(
      await answerOf({
        'app.js': `import data from './data.json' with { type: 'json' }\nconst text = [data.a, Object.hasOwn(data, '__proto__')]\n${textOf}`,
        'data.json': '\ufeff{"a": "\u2028", "__proto__": 1}',
      }),
    ).toBe('\u2028,true')
  })

  it('imports at run time, and awaits at its top', async () => {
    expect(
      await answerOf({
        'app.js': `await new Promise((resolve) => setTimeout(resolve))\nconst { text } = await import('./later.js')\n${textOf}`,
        'later.js': "export const text = 'later'",
      }),
    ).toBe('later')
  })

  it('imports the API by name and whole', async () => {
    expect(
      await answerOf({
        'app.js': `import api, { workerId, worker_id } from 'uwsgi'\nconst text = [api === uwsgi, workerId(), worker_id === workerId]\n${textOf}`,
      }),
    ).toBe('true,1,true')
  })

  it('is loaded once however it is named', async () => {
    const directory = directoryWith({
      'app.js': `import { state } from './state.js'\nimport { state as same } from './lib/../link.js'\nconst text = state === same\n${textOf}`,
      'state.js': 'export const state = {}',
      'lib/x': '',
    })
    symlinkSync(join(directory, 'state.js'), join(directory, 'link.js'))
    const harness = await bootJs()
    await harness.mount(join(directory, 'app.js'))
    expect((await harness.request()).text).toBe('true')
  })

  it('may come from a directory that the operator named', async () => {
    const shared = directoryWith({ 'shared.js': "export const text = 'shared'" })
    const directory = directoryWith({ 'app.js': `import { text } from ${JSON.stringify(join(shared, 'shared.js'))}\n${textOf}` })
    const harness = await bootJs({ pythonPath: [shared, '/does/not/exist'] })
    await harness.mount(join(directory, 'app.js'))
    expect((await harness.request()).text).toBe('shared')
  })

  it('keeps the state of its own app only', async () => {
    const one = directoryWith({ 'app.js': 'let n = 0\nexport default () => new Response("one " + ++n)' })
    const two = directoryWith({ 'app.js': 'let n = 10\nexport default () => new Response("two " + ++n)' })
    const harness = await bootJs()
    await harness.mount(join(one, 'app.js'), '/one')
    await harness.mount(join(two, 'app.js'), '/two')
    expect((await harness.request({ mountpoint: '/one' })).text).toBe('one 1')
    expect((await harness.request({ mountpoint: '/two' })).text).toBe('two 11')
    expect((await harness.request({ mountpoint: '/one' })).text).toBe('one 2')
  })
})

describe('an import', () => {
  const importing = async (specifier: string, files: Record<string, string> = {}) =>
    (
      await refusalOf({
        'inner/keep': '',
        'app.js': `import x from ${JSON.stringify(specifier)}\nexport default () => new Response('')`,
        ...files,
      })
    ).message

  it('of a file outside the directory of the app is refused, whatever it is called', async () => {
    const outside = directoryWith({ 'secret.js': 'export default 1' })
    for (const specifier of [
      '../secret.js',
      '/etc/passwd',
      '../../../../../etc/passwd',
      './inner/../../x.js',
      join(outside, 'secret.js'),
    ]) {
      expect(await importing(specifier)).toContain("it is outside the app's directory")
    }
  })

  it('through a link that leads out of the directory is refused', async () => {
    const outside = directoryWith({ 'secret.js': 'export default 1' })
    const directory = directoryWith({ 'app.js': "import x from './link.js'\nexport default () => new Response('')" })
    symlinkSync(join(outside, 'secret.js'), join(directory, 'link.js'))
    const harness = await bootJs()
    await expect(harness.mount(join(directory, 'app.js'))).rejects.toThrow(
      `cannot import "./link.js" from ${join(directory, 'app.js')}: it is outside the app's directory`,
    )
  })

  it('of a directory whose name begins alike is refused', async () => {
    const directory = directoryWith({
      'app/app.js': "import x from '../app-private/x.js'\nexport default () => new Response('')",
      'app-private/x.js': '',
    })
    const harness = await bootJs()
    await expect(harness.mount(join(directory, 'app/app.js'))).rejects.toThrow("it is outside the app's directory")
  })

  it('of modules of Node.js or packages is refused with advice', async () => {
    expect(await importing('node:fs')).toContain('the modules of Node.js are not available to guests')
    for (const name of [
      'fs',
      'express',
      'data:text/javascript,1',
      'http://example.org/x.js',
      'file:///etc/passwd',
      'std',
      'os',
      'polywsgi:mount.js',
      '\x01x',
    ]) {
      expect(await importing(name)).toContain("only 'uwsgi', 'uwsgi/fs', 'uwsgi/env' and paths ('./name.js') can be imported")
    }
  })

  it('of what is not there names it and the file that wants it', async () => {
    const error = await refusalOf({ 'app.js': "import './a.js'", 'a.js': "import './missing.js'" })
    expect(error.message).toMatch(/cannot import "\.\/missing\.js" from .*\/a\.js: no such file/)
    expect(await importing('./inner')).toContain('no such file')
    expect(await importing('./missing.js\0.js')).toContain('no such file')
  })

  it('of JSON that is none names the file', async () => {
    expect(await importing('./x.json', { 'x.json': '{' })).toMatch(/cannot load .*x\.json: .*JSON/)
  })

  it('from code made of text is refused', async () => {
    const app = await mountJs(`export default async () => {
      const errors = []
      for (const make of [() => Function('return import("./app.js")')(), () => (0, eval)('import("/etc/passwd")')]) {
        try { await make(); errors.push('imported') } catch (error) { errors.push(error.message) }
      }
      return Response.json(errors)
    }`)
    const errors = JSON.parse((await app.request()).text) as string[]
    expect(errors).not.toContain('imported')
    expect(errors).toHaveLength(2)
  })

  it('at run time is refused alike, and can be caught', async () => {
    const app = await mountJs(`export default async () => {
      try { await import('../../../etc/passwd') } catch (error) { return new Response(error.message) }
    }`)
    expect((await app.request()).text).toContain("it is outside the app's directory")
  })
})

describe('an app that cannot be loaded', () => {
  it('because it is not there, says so', async () => {
    const harness = await bootJs()
    await expect(harness.mount('/does/not/exist.js')).rejects.toThrow('cannot load /does/not/exist.js: no such file')
    await expect(harness.mount(join(directoryWith({ 'dir.js/x': '' }), 'dir.js'))).rejects.toThrow('no such file')
  })

  it('because of its syntax, says where', async () => {
    const error = await refusalOf({ 'app.js': 'export default {\n  fetch( {\n}' })
    expect(error.name).toBe('AppLoadError')
    expect(error.message).toMatch(/^cannot load .*app\.js: SyntaxError: /)
    expect(error.details).toMatch(/app\.js:\d+:\d+/)
  })

  it('because of the syntax of what it imports, says where', async () => {
    const error = await refusalOf({ 'app.js': "import './broken.js'", 'broken.js': '\n\nlet let = 1' })
    expect(error.details).toMatch(/broken\.js:3/)
  })

  it('because it throws, shows the stack', async () => {
    const error = await refusalOf({
      'app.js': "import { fail } from './fail.js'\nfail()",
      'fail.js': "export const fail = () => {\n  throw new Error('at load')\n}",
    })
    expect(error.message).toMatch(/: Error: at load$/)
    expect(error.details).toMatch(/^Error: at load\n {4}at fail \(.*fail\.js:2:\d+\)\n {4}at <anonymous> \(.*app\.js:2:\d+\)$/)
  })

  it('because it has no handler, says what it exports', async () => {
    for (const [source, found] of [
      ['globalThis.x = 1', 'it exports nothing'],
      ['export const a = 1, b = 2', 'it exports a, b'],
      ['export default 5', 'it exports default'],
      ['export default { get() {} }', 'it exports default'],
    ] as const) {
      expect((await refusalOf({ 'app.js': source })).message).toContain(
        `no handler: export default { fetch }, export default a function, or export const app (JSGI); ${found}`,
      )
    }
  })

  it('because its top-level await can never settle, says so at once', async () => {
    expect((await refusalOf({ 'app.js': 'await new Promise(() => {})' })).message).toContain(
      'its top-level await can never settle: nothing is left that could run',
    )
    expect(
      (await refusalOf({ 'app.js': 'await new Promise((r) => setTimeout(r))\nawait new Promise(() => {})' })).message,
    ).toContain('its top-level await can never settle')
  })

  it('because it takes too long, asleep or busy', async () => {
    const asleep = await refusalOf({ 'app.js': 'setInterval(() => {}, 1)\nawait new Promise(() => {})' }, { loadTimeoutMs: 50 })
    expect(asleep.message).toContain('it did not load within 0.05 seconds')
    const busy = await refusalOf({ 'app.js': '\nfor (;;) try { for (;;); } finally { continue }' }, { loadTimeoutMs: 50 })
    expect(busy.message).toContain('it did not load within 0.05 seconds')
    expect(busy.details).toMatch(/InternalError: interrupted\n {4}at .*app\.js:/)
  })

  it('because it is no text, says so', async () => {
    expect((await refusalOf({ 'app.js': Uint8Array.of(0x61, 0, 0x62) })).message).toContain(
      'it holds a NUL character, it is no text',
    )
  })

  it('leaves the worker able to load another', async () => {
    const directory = directoryWith({ 'bad.js': 'throw 1', 'good.js': "export default () => new Response('good')" })
    const harness = await bootJs()
    await expect(harness.mount(join(directory, 'bad.js'))).rejects.toThrow('thrown: 1')
    await harness.mount(join(directory, 'good.js'))
    expect((await harness.request()).text).toBe('good')
    await expect(harness.mount(join(directory, 'bad.js'), '/bad')).rejects.toThrow('thrown: 1')
  })
})

describe('a callable named by the configuration', () => {
  it('is taken instead of the default export', async () => {
    const directory = directoryWith({
      'app.js': `export default () => new Response('default')
        export const other = () => new Response('other')
        export const object = { fetch: () => new Response('object') }
        export const app = () => ({ status: 200, headers: {}, body: ['jsgi'] })
        export const nothing = 5`,
    })
    const harness = await bootJs()
    for (const [callable, text] of [
      [undefined, 'default'],
      ['other', 'other'],
      ['object', 'object'],
      ['app', 'jsgi'],
      ['default', 'default'],
    ]) {
      await harness.mount(join(directory, 'app.js'), `/${callable}`, callable)
      expect((await harness.request({ mountpoint: `/${callable}` })).text).toBe(text)
    }
    await expect(harness.mount(join(directory, 'app.js'), '/x', 'missing')).rejects.toThrow(
      'its export missing handles no requests: it exports',
    )
    await expect(harness.mount(join(directory, 'app.js'), '/x', 'nothing')).rejects.toThrow(
      'its export nothing handles no requests',
    )
  })
})

describe('a CommonJS script', () => {
  it('sets exports.app, as for the JavaScript plugin of uWSGI', async () => {
    expect(
      await answerOf({
        'app.js':
          '// an old app\nexports.app = function (request) {\n  return { status: 200, headers: {}, body: [request.method] }\n}',
      }),
    ).toBe('GET')
  })

  it('may set module.exports to a fetch handler', async () => {
    expect(await answerOf({ 'app.js': "module.exports = { fetch: () => new Response('object') }" })).toBe('object')
    expect(await answerOf({ 'app.cjs': "module.exports = () => new Response('function')" }, 'app.cjs')).toBe('function')
  })

  it('requires files beside it, JSON and the API', async () => {
    expect(
      await answerOf({
        'app.js': `const { a } = require('./lib/a'), data = require('./data.json'), api = require('uwsgi')
          module.exports = () => new Response([a, require('./lib/a').a === a, data.x, api === uwsgi, require('./lib').index].join())`,
        'lib/a.js': "exports.a = require('../b.js')",
        'lib/index.js': 'exports.index = "index"',
        'b.js': "module.exports = 'b'",
        'data.json': '{"x": 1}',
      }),
    ).toBe('b,true,1,true,index')
  })

  it('gets halfway loaded modules where they require each other', async () => {
    expect(
      await answerOf({
        'app.js': "exports.early = 1; const b = require('./b.js'); exports.default = () => new Response(String(b.seen))",
        'b.js': "exports.seen = require('./app.js').early",
      }),
    ).toBe('1')
  })

  it('is refused what a module is refused', async () => {
    expect((await refusalOf({ 'app.js': "module.exports = require('fs')" })).message).toContain(
      "only 'uwsgi', 'uwsgi/fs', 'uwsgi/env' and paths",
    )
    expect((await refusalOf({ 'app.js': "module.exports = require('../x')" })).message).toContain(
      "it is outside the app's directory",
    )
    expect((await refusalOf({ 'app.js': "module.exports = require('./missing')" })).message).toContain('no such file')
  })

  it('is told from a module by its syntax, not by words in it', async () => {
    const minified = 'var module={exports:{}};module.exports.a=1;export{h as default};var h=()=>new Response("module")'
    expect(await answerOf({ 'app.js': minified })).toBe('module')
    expect(await answerOf({ 'app.js': '/* exports\nimport nothing\n*/ exports.default = () => new Response("script")' })).toBe(
      'script',
    )
  })

  it('that never ends is stopped', async () => {
    const error = await refusalOf({ 'app.js': 'exports.x = 1\nfor (;;);' }, { loadTimeoutMs: 50 })
    expect(error.message).toContain('it did not load within 0.05 seconds')
  })

  it('shows lines as they are in the file', async () => {
    const error = await refusalOf({ 'app.js': "exports.app = 1\n\nthrow new Error('line three')" })
    expect(error.details).toMatch(/app\.js:3/)
  })
})
