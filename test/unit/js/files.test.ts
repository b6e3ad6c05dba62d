// The modules uwsgi/fs and uwsgi/env: what they take, what they answer, what they throw, and that nothing else shows them.
import { readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Access } from '../../../host/permissions/access.ts'
import { bootJs, directoryWith } from './js-apps.ts'

/** Runs statements as the body of an app's handler; what they return is answered as JSON. */
const run = async (folder: string, statements: string, name = 'app.mjs'): Promise<unknown> => {
  const environment = new Map([
    ['NAME', 'välue'],
    ['__proto__', 'plain'],
  ])
  const access = new Access({
    isSandboxed: true,
    readable: [],
    writable: [realpathSync(folder)],
    paths: [folder],
    environment,
    directory: folder,
  })
  const harness = await bootJs({ server: { access } })
  const imports = name.endsWith('.cjs')
    ? "const fs = require('uwsgi/fs'), env = require('uwsgi/env')"
    : "import fs, { readFile } from 'uwsgi/fs'\nimport env from 'uwsgi/env'"
  const body = `() => { try { return Response.json((() => { ${statements} })() ?? null) } catch (error) {
    return Response.json([error.name, error.message, error.code]) } }`
  const app = name.endsWith('.cjs') ? `${imports}\nmodule.exports = ${body}` : `${imports}\nexport default ${body}`
  await harness.mount(join(directoryWith({ [name]: app }), name))
  return JSON.parse((await harness.request()).text)
}

describe('uwsgi/fs', () => {
  it('writes text and any bytes, and reads them whole or in part', async () => {
    const folder = directoryWith({})
    const said = await run(
      folder,
      `fs.writeFile('text', 'h\\u00e9llo\\u0000'); fs.appendFile('text', new Uint16Array([0xfffe]).buffer)
       fs.writeFile('view', new DataView(new Uint8Array([1, 2, 3, 255]).buffer, 1, 2))
       const bytes = readFile('text')
       return [bytes instanceof Uint8Array, String(bytes.subarray(0, 7)), [...fs.readFile('text', 6)], [...fs.readFile('text', 1, 2)],
         [...fs.readFile('text', 100)], [...fs.readFile('view')], fs.readdir('.'), fs.stat('text').size, fs.stat('.').type, fs.stat('text').modified instanceof Date]`,
    )
    expect(said).toEqual([true, 'héllo\0', [0, 254, 255], [195, 169], [], [2, 3], ['text', 'view'], 9, 'directory', true])
    expect(readFileSync(join(folder, 'view'))).toEqual(Buffer.from([2, 3]))
  })

  it('makes, moves and removes', async () => {
    const folder = directoryWith({})
    const said = await run(
      folder,
      "fs.mkdir('d'); fs.writeFile('d/a', ''); fs.rename('d/a', 'b'); fs.remove('d'); return fs.readdir('.')",
    )
    expect(said).toEqual(['b'])
  })

  it('throws what the system says, and a TypeError for what is no path or no data', async () => {
    const folder = directoryWith({ file: 'x' })
    for (const [statements, message, code] of [
      ["fs.readFile('none')", 'none: no such file or directory', 'ENOENT'],
      ["fs.readFile('/etc/passwd')", '/etc/passwd: it is not among the files that guests may read (allow-read)', 'EACCES'],
      ["fs.writeFile('/etc/passwd', '')", '/etc/passwd: it is not among the files that guests may write (allow-write)', 'EACCES'],
      ["fs.readFile('a\\0b')", 'a\\u0000b: it is no path of a file', 'ENOENT'],
      ["fs.readFile('.')", '.: it is a directory', 'EISDIR'],
      ["fs.mkdir('file')", 'file: it exists already', 'EEXIST'],
    ] as const) {
      expect(await run(folder, statements)).toEqual(['UwsgiError', message, code])
    }
    for (const statements of [
      'fs.readFile(5)',
      "fs.writeFile('x', 5)",
      "fs.writeFile('x', {})",
      "fs.readFile('file', -1)",
      "fs.readFile('file', 0, 1.5)",
      'fs.rename("file")',
    ]) {
      expect(await run(folder, statements)).toEqual(['TypeError', expect.stringMatching(/^fs\.\w+\(\): /), null])
    }
    writeFileSync(join(folder, 'large'), Buffer.alloc(1))
    expect(await run(folder, "fs.writeFile('hole', ''); return fs.readFile('large').length")).toBe(1)
  })

  it('is there for scripts, and nowhere else', async () => {
    expect(
      await run(
        directoryWith({ file: 'x' }),
        "return [String(fs.readFile('file')), env.NAME, typeof require('uwsgi/fs')]",
        'app.cjs',
      ),
    ).toEqual(['x', 'välue', 'object'])
    expect(
      await run(
        directoryWith({}),
        "return [Object.isFrozen(fs), Object.isFrozen(env), 'polywsgiBuiltIns' in globalThis, 'fs' in uwsgi]",
      ),
    ).toEqual([true, true, false, false])
  })
})

describe('uwsgi/env', () => {
  it('holds the variables that were allowed, by any name', async () => {
    const said = await run(
      directoryWith({}),
      'return [Object.keys(env).sort(), env.NAME, env.PATH ?? null, env.toString ?? null]',
    )
    expect(said).toEqual([['NAME', '__proto__'], 'välue', null, null])
  })
})
