// The host's own modules, for a plugin that lies where no package is installed. In a process of its own: the hook is the
// thread's, and vitest resolves modules by itself.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'polywsgi-modules-'))
afterAll(() => rmSync(folder, { recursive: true }))

it('are what a plugin imports, wherever it lies', () => {
  const plugin = join(folder, 'lone.ts')
  writeFileSync(
    plugin,
    `import { GuestError } from 'polywsgi/plugin'
     import { encodePacket } from 'polywsgi/protocol'
     import { basename } from 'node:path'
     export const error: Error = new GuestError('forth', 'stack underflow', '')
     export const others = [typeof encodePacket, basename('/a/b')]`,
  )
  const program = `
    import { installHostModules } from './host/plugin/host-modules.ts'
    import { GuestError } from './host/errors.ts'
    installHostModules()
    installHostModules()
    const { error, others } = await import(${JSON.stringify(pathToFileURL(plugin).href)})
    const unknown = await import('polywsgi/nothing').catch((error) => error.code)
    console.log(JSON.stringify([error instanceof GuestError, others, unknown]))`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { cwd: root, encoding: 'utf8' })
  expect(JSON.parse(output)).toEqual([true, ['function', 'b'], 'ERR_PACKAGE_PATH_NOT_EXPORTED'])
})
