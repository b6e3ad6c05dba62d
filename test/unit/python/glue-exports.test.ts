// What Emscripten's glue calls of the wasm module, as the glue itself shows it.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { glueFunctions } from '../../../bindings/python/glue-exports.ts'
import { glueUrl } from '../../../bindings/python/image.ts'

/** Pyodide's own layer between Python and JavaScript, which is never started, and its loader of libraries. */
const left =
  /^(_?Py|_?py|_?js|_?Js|_?hiwire|_?python2js|python|_agen|check_gil|compat_|capture|restore|create_promise|set_error|wrap_|dump_|init_|print_|_iscoroutine|run_main|__cxa_|__thrown|__get_exception|__dl_|dlerror|emscripten_dlopen|_emscripten_find_dylib|main$|__main_argc_argv)/
/** Of systems that the gate does not let through: sockets, the log of Emscripten. */
const refused = ['socket', 'emscripten_log', '__cxa_demangle']
/** No functions: these it is given in any case. */
const others = ['memory', '__indirect_function_table', '__cpp_exception']

test('it is given every function that it calls', () => {
  const glue = readFileSync(fileURLToPath(glueUrl()), 'latin1')
  const start = glue.indexOf('function assignWasmExports(')
  expect(start).toBeGreaterThan(0)
  const end = glue.indexOf('}', start)
  // `_malloc=Module["_malloc"]=wasmExports["malloc"]`
  const assigned = new Map(
    [...glue.slice(start, end).matchAll(/([\w$]+)=(?:Module\["[\w$]+"\]=)?wasmExports\["(\w+)"\](\.value)?/g)]
      .filter(([, , , value]) => value === undefined)
      .map(([, local, name]) => [local as string, name as string]),
  )
  expect(assigned.size).toBeGreaterThan(1000)
  const uses = new Map<string, number>()
  for (const [word] of `${glue.slice(0, start)} ${glue.slice(end)}`.matchAll(/[A-Za-z_$][\w$]*/g))
    if (assigned.has(word)) uses.set(word, (uses.get(word) ?? 0) + 1)
  // Once is where it is declared.
  const called = [...uses].filter(([, times]) => times > 1).map(([local]) => assigned.get(local) as string)
  const direct = [...glue.slice(0, start).matchAll(/wasmExports(?:\["(\w+)"\]|\.(\w+))/g)].map(
    ([, quoted, named]) => (quoted ?? named) as string,
  )
  const missing = [...new Set([...called, ...direct])].filter(
    (name) => !glueFunctions.has(name) && !left.test(name) && ![...refused, ...others].includes(name),
  )
  expect(missing).toEqual([])
})
