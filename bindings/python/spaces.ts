// Which space of guest/loader.py is active: the modules and the path that Python code sees belong to the application it is
// part of.
// Invariant: `active` is what the interpreter has in place; code that was interrupted finds its own space again.
import type { Pointer } from './capi.ts'
import type { HostFunctionDefinition } from './host-function.ts'
import type { Interpreter } from './runtime.ts'

export class Spaces {
  readonly #interpreter: Interpreter
  readonly #spaceOf: Pointer
  readonly #activate: Pointer
  readonly #pythonPath: Pointer
  readonly #byDirectory = new Map<string, Pointer>()
  readonly #known = new Set<Pointer>()
  /** 0 before the first one is entered. */
  active: Pointer = 0

  /** @param functions `space_of` and `activate` of guest/loader.py, and the list of shared directories */
  constructor(interpreter: Interpreter, functions: { spaceOf: Pointer; activate: Pointer; pythonPath: Pointer }) {
    this.#interpreter = interpreter
    this.#spaceOf = functions.spaceOf
    this.#activate = functions.activate
    this.#pythonPath = functions.pythonPath
  }

  /** The space of a directory; it lives as long as the interpreter. */
  of(directory: string): Pointer {
    const known = this.#byDirectory.get(directory)
    if (known !== undefined) return known
    const { api } = this.#interpreter
    const text = api.newStr(directory)
    const space = this.#interpreter.callOwn(this.#spaceOf, [text, this.#pythonPath])
    api.c.Py_DecRef(text)
    this.#byDirectory.set(directory, space)
    this.#known.add(space)
    return space
  }

  enter(space: Pointer): void {
    if (space === this.active || space === 0) return
    this.#interpreter.callOwn(this.#activate, [space])
    this.active = space
  }

  /** For guest code that goes on with what belongs to another space. */
  definition(): HostFunctionDefinition {
    const { api } = this.#interpreter
    return {
      name: 'enter_space',
      doc: 'enter_space(space)\n--\n\nPuts the modules and the path of a space in place.',
      takes: 'one',
      call: (_self, space) => {
        if (!this.#known.has(space)) return api.raise('typeError', 'this is no space of applications')
        this.enter(space)
        return api.none
      },
    }
  }

  /**
   * Runs `work` in a space, inside of an entry. Code that waits for it outside finds its own space in place afterwards.
   * @param work must leave no exception set; when it throws, the interpreter has died
   */
  within<T>(space: Pointer, work: () => T): T {
    const outer = this.active
    this.enter(space)
    const result = work()
    // Between entries, changing back would be for nobody: whoever comes next says which space it needs.
    if (this.#interpreter.isNested) this.enter(outer)
    return result
  }
}
