// Builds dist/python-stdlib.zip: Pyodide's Python standard library, compiled. Importing .pyc instead of .py saves most of an
// interpreter's start-up. The compiling is done by the very interpreter that will read the result; the same input always
// gives the same bytes. Skipped when the zip is up to date, by the key in dist/python-stdlib.json.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist')
const zipPath = join(dist, 'python-stdlib.zip')
const keyPath = join(dist, 'python-stdlib.json')

const resolve = createRequire(import.meta.url).resolve
const { version } = JSON.parse(readFileSync(resolve('pyodide/package.json'), 'utf8')) as { version: string }
const script = createHash('sha256')
  .update(readFileSync(fileURLToPath(import.meta.url)))
  .digest('hex')
const key = { pyodide: version, script }

/**
 * Where the workers have the zip; code objects carry their file names. The unchecked hash form of .pyc holds no time stamp.
 * `pyodide` and `_pyodide` bridge to JavaScript, which guests may not; `ctypes` needs a built-in module that is removed.
 */
const compileAll = `
import importlib._bootstrap_external as bootstrap
import zipfile

MOUNTED = "/lib/python314.zip/"
LEFT_OUT = ("pyodide/", "_pyodide/", "ctypes/", "_pyrepl/", "site-packages/")
# Key derivation comes from the host, since there is no OpenSSL in here; see bindings/python/guest/setup.py.
ADDITIONS = {
    "hashlib.py": b"""
from _polywsgi_digests import pbkdf2_hmac, scrypt
__all__ += ('pbkdf2_hmac', 'scrypt')
""",
    # The event loops are ours, since there are no selectors in here; see bindings/python/guest/event_loop.py.
    "asyncio/unix_events.py": b"""
import _polywsgi_asyncio
_polywsgi_asyncio.install(globals())
""",
}

source = zipfile.ZipFile("/stdlib.zip")
with zipfile.ZipFile("/compiled.zip", "w") as target:
    for name in sorted(source.namelist()):
        if name.endswith("/") or name.startswith(LEFT_OUT):
            continue
        data = source.read(name) + ADDITIONS.get(name, b"")
        if name.endswith(".py"):
            code = compile(data, MOUNTED + name, "exec", dont_inherit=True)
            data = bytes(bootstrap._code_to_hash_pyc(code, bytes(8), False))
            name += "c"
        entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED
        target.writestr(entry, data)
`

const isUpToDate = (): boolean => {
  if (!existsSync(zipPath) || !existsSync(keyPath)) return false
  try {
    const built = JSON.parse(readFileSync(keyPath, 'utf8')) as Record<string, unknown>
    return built['pyodide'] === key.pyodide && built['script'] === key.script
  } catch {
    return false
  }
}

const build = async (): Promise<void> => {
  const { loadPyodide } = (await import('pyodide')) as typeof import('pyodide')
  // The order of sets among a module's constants depends on the hash seed.
  const python = await loadPyodide({ env: { PYTHONHASHSEED: '0' } })
  python.FS.writeFile('/stdlib.zip', readFileSync(resolve('pyodide/python_stdlib.zip')))
  python.runPython(compileAll)
  mkdirSync(dist, { recursive: true })
  // The key is written last, and the zip put in place at once: a build that was cut off is not taken for a finished one.
  writeFileSync(`${zipPath}.new`, python.FS.readFile('/compiled.zip'))
  renameSync(`${zipPath}.new`, zipPath)
  writeFileSync(keyPath, `${JSON.stringify(key)}\n`)
}

if (!isUpToDate()) await build()
